/*
 * when_pattern_test.c -- patterns: against what java.text.SimpleDateFormat
 * takes (java_dates.inc, printed by tests/rig/java/JavaDates.java 1 30 inc),
 * and what strict reading refuses of it. Numbers in comments are those of the
 * original's vectors.
 */
#include "plugins/common/when_pattern.h"

#include <criterion/criterion.h>
#include <string.h>

#define BAD INT64_MIN

struct row {
	const char *pattern, *zone, *text;
	int64_t ms; /* or BAD */
};

static const struct row java[] = {
#include "java_dates.inc"
};

enum { STRICT = 0, LENIENT = 1 };

/* The time, or BAD with the phrase. */
static int64_t
read_as(const char *pattern, const char *locale, const char *zone_name,
    int lenient, const char *text)
{
	struct when_pattern *compiled = NULL;
	struct zone *zone = NULL;
	struct secor_err err;
	int64_t ms = BAD;
	const char *why;

	cr_assert_eq(
	    when_pattern_new(pattern, locale, lenient, &compiled, &err),
	    SECOR_OK, "'%s': %s", pattern, err.text);
	cr_assert_eq(zone_open(zone_name, &zone, &err), SECOR_OK);
	why = when_pattern_read(
	    compiled, zone, (struct secor_bytes){text, strlen(text)}, &ms);
	cr_expect_eq(why == NULL, ms != BAD);
	when_pattern_free(compiled);
	zone_close(zone);
	return ms;
}

Test(when_pattern, lenient_is_what_java_takes)
{
	for (size_t i = 0; i < sizeof(java) / sizeof(java[0]); i++) {
		const struct row *row = &java[i];
		int64_t ms = read_as(
		    row->pattern, "en_US", row->zone, LENIENT, row->text);

		cr_expect_eq(ms, row->ms, "'%s' '%s' %s: %lld, Java %lld",
		    row->pattern, row->text, row->zone, (long long)ms,
		    (long long)row->ms);
	}
}

/* What is taken strictly is the same time in Java, but for S and offsets, which
 * are read more freely. */
Test(when_pattern, strict_is_a_part_of_what_java_takes)
{
	size_t taken = 0, refused = 0;

	for (size_t i = 0; i < sizeof(java) / sizeof(java[0]); i++) {
		const struct row *row = &java[i];
		struct when_pattern *sensible = NULL;
		int64_t ms;

		if (strpbrk(row->pattern, "SZX") != NULL ||
		    when_pattern_new(row->pattern, "en_US", STRICT, &sensible,
			NULL) != SECOR_OK)
			continue;
		when_pattern_free(sensible);
		ms = read_as(
		    row->pattern, "en_US", row->zone, STRICT, row->text);
		taken += ms != BAD;
		refused += ms == BAD && row->ms != BAD;
		if (ms == BAD || ms == row->ms)
			continue;
		/* an hour that comes twice: the first one, not the second */
		cr_expect_eq(ms + 3600000, row->ms, "'%s' '%s' %s: %lld, %lld",
		    row->pattern, row->text, row->zone, (long long)ms,
		    (long long)row->ms);
	}
	cr_expect_gt(taken, 400);
	cr_expect_gt(refused, 50);
}

/* Those of the original's date parser, each with what is better. */
Test(when_pattern, vectors_of_the_original_hold_or_are_refused)
{
	static const struct {
		const char *pattern, *text;
		int64_t lenient, strict;
	} rows[] = {
	    /* as the original: 87, 88, 104, 105, 107, 108, 111, 112 */
	    {"yyyy-MM-dd HH:mm:ss", "2014-07-30 10:53:20", 1406717600000,
		1406717600000},
	    {"yyyy/MM/d", "2014/10/25", 1414195200000, 1414195200000},
	    {"yy-MM-dd", "14-07-30", 1406678400000, 1406678400000},
	    {"EEE MMM dd HH:mm:ss yyyy", "Sat Jul 23 02:16:57 2005",
		1122085017000, 1122085017000},
	    {"MM/dd/yyyy HH:mm:ss", "04/26/2017 14:59:50", 1493218790000,
		1493218790000},
	    {"dd/MMM/yyyy:HH:mm:ss Z", "10/Oct/2000:13:55:36 -0700",
		971211336000, 971211336000},
	    {"DDDyyyy", "2112014", 1406678400000, 1406678400000},
	    {"YYYY-'W'ww-u", "2014-W31-3", 1406678400000, 1406678400000},
	    /* compat: secor: 91, 92; better: what stands behind is not passed
	     * over, it may be a zone */
	    {"yyyy-MM-dd'T'HH:mm:ss", "2006-01-02T15:04:05Z", 1136214245000,
		BAD},
	    {"yyyy-MM-dd'T'HH:mm:ss", "2006-01-02T23:59:59.999999999Z",
		1136246399000, BAD},
	    /* 94: as the original, which makes 1970 of it */
	    {"yyy-MM-dd :s", "2014-07-30 10:53:20", BAD, BAD},
	    /* compat: secor: 98; better: a fraction is one */
	    {"yyyy-MM-dd'T'HH:mm:ss.SSS'Z'", "2006-01-02T23:59:59.999999999Z",
		1137246398999, 1136246399999},
	    /* 101: as the original */
	    {"yyyy-MM-dd'T'HH:mm:ss.SSSZ", "2020-12-08T23:11:55.019-0300",
		1607479915019, 1607479915019},
	    /* compat: secor: 102; better: no day that does not exist */
	    {"yyyy-MM-dd", "2014-02-30", 1393718400000, BAD},
	    {"yyyy-MM-dd", "2014-13-45", 1423872000000, BAD},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_expect_eq(read_as(rows[i].pattern, "en_US", "UTC", LENIENT,
				 rows[i].text),
		    rows[i].lenient, "'%s'", rows[i].text);
		cr_expect_eq(read_as(rows[i].pattern, "en_US", "UTC", STRICT,
				 rows[i].text),
		    rows[i].strict, "'%s'", rows[i].text);
	}
	/* 114: the zone is that of the configuration */
	cr_expect_eq(read_as("yyyy-MM-dd HH:mm:ss", "en_US", "America/New_York",
			 STRICT, "2014-07-30 23:53:20"),
	    1406778800000);
}

Test(when_pattern, strict_takes_what_is_meant_and_no_more)
{
	static const struct row rows[] = {
	    {"yyyy-MM-dd HH:mm", "UTC", "2014-7-3 1:2", 1404349320000},
	    {"yyyy-MM-dd HH:mm", "UTC", "2014-07-30 10:53x", BAD},
	    {"yyyy-MM-dd HH:mm", "UTC", "2014-07-30 10:53 ", BAD},
	    {"yyyy-MM-dd HH:mm", "UTC", "2014-07-30  10:53", 1406717580000},
	    {"yyyy-MM-dd HH:mm", "UTC", "2014-07-30 24:00", BAD},
	    {"yyyy-MM-dd HH:mm", "UTC", "2014-07-30 10:60", BAD},
	    {"yyyy-MM-dd HH:mm", "UTC", "2014-07-30 -1:10", BAD},
	    {"yyyy-MM-dd HH:mm", "UTC", "2014-07-30 +1:10", BAD},
	    {"yyyy-MM-dd HH:mm", "UTC", "14-07-30 10:10", BAD},
	    {"yyyy-MM-dd HH:mm", "UTC", "12014-07-30 10:10", BAD},
	    {"yyyy-MM-dd HH:mm", "UTC", "0000-07-30 10:10", BAD},
	    {"yyyy-MM-dd HH:mm", "UTC", "2014-07-00 10:10", BAD},
	    {"yyyy-MM-dd HH:mm", "UTC", "2014-007-30 10:10", BAD},
	    {"yyyy-MM-dd HH:mm", "America/New_York", "2024-03-10 02:30", BAD},
	    {"yyyy-MM-dd HH:mm", "America/New_York", "2024-11-03 01:30",
		1730611800000},
	    {"yyyy-MM-dd kk:mm", "UTC", "2014-07-30 24:10", 1406679000000},
	    {"yyyy-MM-dd kk:mm", "UTC", "2014-07-30 00:10", BAD},
	    {"yyyy-MM-dd hh:mm a", "UTC", "2014-07-30 12:10 am", 1406679000000},
	    {"yyyy-MM-dd hh:mm a", "UTC", "2014-07-30 12:10 PM", 1406722200000},
	    {"yyyy-MM-dd hh:mm a", "UTC", "2014-07-30 13:10 PM", BAD},
	    {"yyyy-MM-dd HH hh a", "UTC", "2014-07-30 13 01 PM", 1406725200000},
	    {"yyyy-MM-dd HH hh a", "UTC", "2014-07-30 13 02 PM", BAD},
	    {"EEE, dd MMM yyyy", "UTC", "Wed, 30 Jul 2014", 1406678400000},
	    {"EEE, dd MMM yyyy", "UTC", "wednesday, 30 july 2014",
		1406678400000},
	    {"EEE, dd MMM yyyy", "UTC", "Thu, 30 Jul 2014", BAD},
	    {"EEE, dd MMM yyyy", "UTC", "Wed, 30 Jly 2014", BAD},
	    {"yyyy DDD", "UTC", "2014 366", BAD},
	    {"yyyy DDD", "UTC", "2016 366", 1483142400000},
	    {"YYYY ww u", "UTC", "2014 54 1", BAD},
	    {"yyyy-MM-dd HH:mm:ss.S", "UTC", "2014-07-30 10:53:20.5",
		1406717600500},
	    {"yyyy-MM-dd HH:mm:ss,SSS", "UTC", "2014-07-30 10:53:20,123456",
		1406717600123},
	    {"yyyyMMddHHmmssSSS", "UTC", "20140730105320123", 1406717600123},
	    {"yyyyMMddHHmmssSSS", "UTC", "2014073010532012", 1406717600120},
	    {"yyyyMMdd", "UTC", "2014073", 1404345600000},
	    {"yyyy HHHHHHHHHHHHm", "UTC", "2014 0000000000010", 1388538000000},
	    {"yyyy HHHHHHHHHHHHm", "UTC", "2014 9999999999990", BAD},
	    {"yyyyMMdd", "UTC", "201407301", BAD},
	    {"yyyy-MM-dd HH:mmX", "UTC", "2014-07-30 10:53Z", 1406717580000},
	    {"yyyy-MM-dd HH:mmX", "UTC", "2014-07-30 10:53+02:00",
		1406710380000},
	    {"yyyy-MM-dd HH:mmXXX", "UTC", "2014-07-30 10:53+02",
		1406710380000},
	    {"yyyy-MM-dd HH:mm Z", "UTC", "2014-07-30 10:53 +0200",
		1406710380000},
	    {"yyyy-MM-dd HH:mm Z", "UTC", "2014-07-30 10:53 +02:", BAD},
	    {"yyyy-MM-dd HH:mm Z", "UTC", "2014-07-30 10:53 +19:00", BAD},
	    {"yyyy-MM-dd HH:mm z", "UTC", "2014-07-30 10:53 PDT",
		1406742780000},
	    {"yyyy-MM-dd HH:mm z", "UTC", "2014-07-30 10:53 GMT-7:00",
		1406742780000},
	    {"yyyy-MM-dd HH:mm z", "UTC", "2014-07-30 10:53 IST", BAD},
	    {"yy", "UTC", "69", -31536000000},
	    {"yy", "UTC", "68", 3092601600000},
	    {"yyyy 'o''clock' HH", "UTC", "2014 o'clock 10", 1388570400000},
	    {"yyyy''HH", "UTC", "2014'10", 1388570400000},
	    {"G yyyy", "UTC", "AD 2014", 1388534400000},
	    {"G yyyy", "UTC", "BC 2014", BAD},
	    {"yyyy-MM-dd", "UTC", "", BAD},
	    {"d. MMMM yyyy", "UTC", "30. Juli 2014", BAD},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_expect_eq(read_as(rows[i].pattern, "en_US", rows[i].zone,
				 STRICT, rows[i].text),
		    rows[i].ms, "'%s' '%s'", rows[i].pattern, rows[i].text);
}

Test(when_pattern, names_and_weeks_are_those_of_the_locale)
{
	static const struct {
		const char *pattern, *locale, *text;
		int64_t ms;
	} rows[] = {
	    {"d. MMMM yyyy", "de", "30. Juli 2014", 1406678400000},
	    {"d. MMM yyyy", "de_AT", "5. Jänner 2014", 1388880000000},
	    {"d MMM yyyy", "fr_FR", "5 févr. 2014", 1391558400000},
	    {"d MMM yyyy", "fr_FR", "5 févr 2014", 1391558400000},
	    {"EEEE d MMMM yyyy", "es", "miércoles 30 julio 2014",
		1406678400000},
	    {"d MMMM yyyy", "pl", "30 lipca 2014", 1406678400000},
	    {"LLLL yyyy", "pl", "lipiec 2014", 1404172800000},
	    {"yyyy年M月d日", "ja", "2014年7月30日", 1406678400000},
	    /* weeks begin with Monday, the first one has four days */
	    {"YYYY-'W'ww-u", "de", "2014-W31-3", 1406678400000},
	    {"YYYY-'W'ww-u", "de", "2010-W01-1", 1262563200000},
	    {"YYYY-'W'ww-u", "en_US", "2010-W01-1", 1261958400000},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_expect_eq(read_as(rows[i].pattern, rows[i].locale, "UTC",
				 STRICT, rows[i].text),
		    rows[i].ms, "'%s' %s", rows[i].text, rows[i].locale);
}

Test(when_pattern, pattern_that_cannot_be_meant_is_refused)
{
	static const char *const patterns[] = {"", "milis", "auto ", "HH:mm",
	    "yyyy-MM-dd hh:mm", "YYYY-MM-dd", "yyyy 'unended", "yyyy-MM-ddT",
	    "yyyy XXXX", "yyyy-MM-dd b"};
	struct when_pattern *pattern = NULL;
	struct secor_err err;

	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++)
		cr_expect_eq(when_pattern_new(
				 patterns[i], "en_US", STRICT, &pattern, &err),
		    SECOR_FATAL, "'%s'", patterns[i]);
	cr_expect_eq(when_pattern_new("yyyy", "xx_YY", STRICT, &pattern, &err),
	    SECOR_FATAL);
	cr_expect_str_eq(err.text, "there is no locale 'xx_YY'");
	cr_expect_null(pattern);
}
