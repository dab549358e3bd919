/*
 * date_test.c -- paths of times, and for how long they hold. Numbers in
 * comments are those of the original's vectors.
 */
#include "tests/unit/harness.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define T INT64_C(1405911096123) /* 2014-07-21T02:51:36.123Z */

/* An instance with its options. */
struct date {
	const struct plugin *plugin;
	void *conf;
	void *self;
};

static struct date
date_new(const char *granularity, const char *timezone, const char *key,
    const char *value)
{
	struct date d;
	char *complaints;

	d.plugin = harness_plugin("partitioner/date");
	d.conf = harness_conf(d.plugin, "granularity", granularity, "timezone",
	    timezone, key, value, NULL);
	complaints = harness_check(d.plugin, d.conf);
	cr_assert_str_eq(complaints, "");
	free(complaints);
	d.self = harness_open(d.plugin, d.conf, NULL);
	return d;
}

static void
date_free(struct date *d)
{
	harness_close(d->plugin, d->self);
	harness_conf_free(d->plugin, d->conf);
}

static struct secor_route_out
route(const struct date *d, int64_t time_ms)
{
	struct secor_route_in in = {.size = sizeof(in), .time_ms = time_ms};
	struct secor_route_out out = {.size = sizeof(out),
	    .time_from = INT64_MIN,
	    .time_until = INT64_MAX,
	    .offset_from = INT64_MIN,
	    .offset_until = INT64_MAX};
	struct secor_err err = {""};

	cr_assert_eq(
	    d->plugin->ops.partitioner->route(d->self, &in, &out, &err),
	    SECOR_OK, "%s", err.text);
	cr_assert(out.time_from <= time_ms && time_ms < out.time_until);
	cr_assert_eq(out.offset_from, INT64_MIN);
	cr_assert_eq(out.offset_until, INT64_MAX);
	return out;
}

/* "dt=2014-07-21/hr=02" */
static const char *
path(const struct date *d, int64_t time_ms)
{
	static char text[1024];
	struct secor_route_out out = route(d, time_ms);
	size_t n = 0;

	for (uint32_t i = 0; i < out.level_count; i++) {
		const struct secor_level_text *l = &out.levels[i];

		n += (size_t)snprintf(text + n, sizeof(text) - n,
		    "%s%.*s%s%.*s", i > 0 ? "/" : "", (int)l->name.len,
		    l->name.len > 0 ? l->name.ptr : "",
		    l->name.len > 0 ? "=" : "", (int)l->value.len,
		    l->value.ptr);
	}
	return text;
}

Test(date, time_in_zone_gives_its_path)
{
	static const struct {
		const char *granularity, *timezone;
		int64_t time_ms;
		const char *path;
	} rows[] = {
	    {"day", "UTC", T, "dt=2014-07-21"},			/* 25 */
	    {"hour", "IST", T, "dt=2014-07-21/hr=08"},		/* 27 */
	    {"minute", "UTC", T, "dt=2014-07-21/hr=02/min=51"}, /* 28 */
	    {"minute", "Asia/Kathmandu", T,
		"dt=2014-07-21/hr=08/min=36"},			       /* 31 */
	    {"hour", "America/Los_Angeles", T, "dt=2014-07-20/hr=19"}, /* 32 */
	    {"hour", "PST", T, "dt=2014-07-20/hr=19"},
	    {"hour", "EST", T, "dt=2014-07-20/hr=21"}, /* 34 */
	    {"hour", "GMT+5:30", T, "dt=2014-07-21/hr=08"},
	    {"10-minute", "UTC", T, "dt=2014-07-21/hr=02/min=50"},
	    {"10-minute", "Asia/Kathmandu", T, "dt=2014-07-21/hr=08/min=30"},
	    {"month", "UTC", T, "dt=2014-07"},
	    {"day", "UTC", -1000, "dt=1969-12-31"}, /* 41 */
	    {"day", "UTC", 0, "dt=1970-01-01"},	    /* 42 */
	    /* the Gregorian calendar for ever */
	    {"hour", "UTC", -62135596800000, "dt=0001-01-01/hr=00"},
	    {"day", "UTC", -12219292800000 - 86400000, "dt=1582-10-14"},
	    {"minute", "UTC", 253402300799999, "dt=9999-12-31/hr=23/min=59"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct date d =
		    date_new(rows[i].granularity, rows[i].timezone, NULL, NULL);

		cr_expect_str_eq(path(&d, rows[i].time_ms), rows[i].path,
		    "%s, %s: %s", rows[i].granularity, rows[i].timezone,
		    path(&d, rows[i].time_ms));
		date_free(&d);
	}
}

Test(date, names_and_patterns_decide_the_levels)
{
	static const struct {
		const char *name, *format, *path;
	} rows[] = {
	    {"dt", "yyyy-MM-dd", "dt=2014-07-21"},
	    {"day", "yyyyMMdd", "day=20140721"},
	    {"", "yyyy-MM-dd", "2014-07-21"},
	    {"", "'foo'yyyy-MM-dd", "foo2014-07-21"}, /* 95 */
	    {"", "'yr='yyyy'/mo='MM'/dy='dd'/hr='HH",
		"yr=2014/mo=07/dy=21/hr=02"}, /* 97 */
	    {"", "yyyy/MM/dd", "2014/07/21"},
	    {"dt", "yyyy/MM/dd", "dt=2014/07/21"},
	    {"", "'o''clock='H", "o'clock=2"},
	    {"", "EEE d MMM yyyy", "Mon 21 Jul 2014"},
	    {"", "YYYY-'W'ww", "2014-W30"},
	    {"", "'=x'yyyy", "=x2014"},
	    {"dt", "'a='yyyy", "dt=a=2014"},
	    {"", "'Z\xc3\xa4hler'yyyy", "Z\xc3\xa4hler2014"},
	    {"", "HHZ", "02+0000"},
	    {"", "a/b='q'", NULL},
	};

	for (size_t i = 0; rows[i].path != NULL; i++) {
		const struct plugin *p = harness_plugin("partitioner/date");
		struct date d = {p,
		    harness_conf(p, "date_name", rows[i].name, "date_format",
			rows[i].format, NULL),
		    NULL};
		char *complaints = harness_check(p, d.conf);

		cr_expect_str_eq(complaints, "");
		free(complaints);
		d.self = harness_open(p, d.conf, NULL);
		cr_expect_str_eq(path(&d, T), rows[i].path, "%s", path(&d, T));
		date_free(&d);
	}
}

Test(date, hour_and_minute_have_names_and_patterns_too)
{
	const struct plugin *p = harness_plugin("partitioner/date");
	struct date d = {p,
	    harness_conf(p, "granularity", "minute", "hour_name", "h",
		"hour_format", "'H'HH", "minute_name", "", "minute_format",
		"'m='m", NULL),
	    NULL};

	d.self = harness_open(p, d.conf, NULL);
	cr_expect_str_eq(path(&d, T), "dt=2014-07-21/h=H02/m=51");
	date_free(&d);
}

Test(date, path_holds_exactly_for_its_interval)
{
	static const struct {
		const char *granularity, *timezone, *format;
		int64_t time_ms, from, until;
	} rows[] = {
	    {"day", "UTC", NULL, T, 1405900800000, 1405987200000},
	    {"hour", "UTC", NULL, T, 1405908000000, 1405911600000},
	    {"minute", "UTC", NULL, T, 1405911060000, 1405911120000},
	    {"10-minute", "UTC", NULL, T, 1405911000000, 1405911600000},
	    {"month", "UTC", NULL, T, 1404172800000, 1406851200000},
	    {"day", "UTC", "yyyy", T, 1388534400000, 1420070400000},
	    {"day", "UTC", "YYYY-ww", T, 1405814400000, 1406419200000},
	    /* a week that the year cuts */
	    {"day", "UTC", "yyyy-ww", 1419984000000, 1419724800000,
		1420070400000},
	    {"day", "UTC", "yyyy-MM-dd-a", T, 1405900800000, 1405944000000},
	    {"day", "UTC", "HHmmss", T, 1405911096000, 1405911097000},
	    {"hour", "Asia/Kathmandu", NULL, T, 1405908900000, 1405912500000},
	    {"day", "Asia/Kolkata", NULL, T, 1405881000000, 1405967400000},
	    {"hour", "UTC", NULL, -1, -3600000, 0},
	    {"hour", "UTC", NULL, 0, 0, 3600000},
	    /* nothing but text */
	    {"day", "America/New_York", "'all'", T, INT64_MIN, INT64_MAX},
	    /* New York, 2014-03-09: 23 hours, no hour 02 */
	    {"day", "America/New_York", NULL, 1394341200000, 1394341200000,
		1394424000000},
	    {"hour", "America/New_York", NULL, 1394348399999, 1394344800000,
		1394348400000},
	    {"hour", "America/New_York", NULL, 1394348400000, 1394348400000,
		1394352000000},
	    /* 2014-11-02: 25 hours, 01 twice */
	    {"day", "America/New_York", NULL, 1414911600000, 1414900800000,
		1414990800000},
	    {"hour", "America/New_York", NULL, 1414904400000, 1414904400000,
		1414911600000},
	    {"hour", "America/New_York", NULL, 1414911599999, 1414904400000,
		1414911600000},
	    /* minutes of that hour: two intervals, each right */
	    {"minute", "America/New_York", NULL, 1414904460000, 1414904460000,
		1414904520000},
	    {"minute", "America/New_York", NULL, 1414908060000, 1414908060000,
		1414908120000},
	    /* with the offset in the path nothing is joined */
	    {"day", "America/New_York", "yyyy-MM-dd-HHZ", 1414904400000,
		1414904400000, 1414908000000},
	    /* Lord Howe: half an hour back at 2014-04-06T02:00 local */
	    {"hour", "Australia/Lord_Howe", NULL, 1396709999999, 1396706400000,
		1396711800000},
	    {"10-minute", "Australia/Lord_Howe", NULL, 1396710000000,
		1396710000000, 1396710600000},
	    /* Apia: no 2011-12-30 */
	    {"day", "Pacific/Apia", NULL, 1325239199999, 1325152800000,
		1325239200000},
	    {"month", "Pacific/Apia", NULL, 1325239200000, 1322733600000,
		1325325600000},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct date d = date_new(rows[i].granularity, rows[i].timezone,
		    rows[i].format != NULL ? "date_format" : NULL,
		    rows[i].format);
		struct secor_route_out out = route(&d, rows[i].time_ms);

		cr_expect(out.time_from == rows[i].from &&
			      out.time_until == rows[i].until,
		    "row %zu: [%lld, %lld)", i, (long long)out.time_from,
		    (long long)out.time_until);
		date_free(&d);
	}
}

/* Walks through times: inside an interval the path is one, at its ends another
 * one, whatever was asked before. */
static void
walk(const struct date *d, int64_t from, int64_t until)
{
	char before[1024] = "", now[1024];
	int64_t last_until = INT64_MIN;

	for (int64_t t = from; t < until;) {
		struct secor_route_out out = route(d, t);

		cr_assert(last_until == INT64_MIN || out.time_from == t);
		(void)strcpy(now, path(d, t));
		cr_assert_str_neq(now, before);
		cr_assert_str_eq(path(d, out.time_until - 1), now);
		cr_assert_str_neq(path(d, out.time_until), now);
		cr_assert_str_eq(path(d, t), now);
		(void)strcpy(before, now);
		last_until = t = out.time_until;
	}
}

Test(date, intervals_follow_each_other_through_changes_of_the_clock)
{
	static const char *const zones[] = {"UTC", "America/New_York",
	    "Australia/Lord_Howe", "Asia/Kathmandu", "America/St_Johns",
	    "Pacific/Apia", "Africa/Casablanca", "America/Caracas"};
	static const char *const grains[] = {"hour", "day", "month"};

	for (size_t z = 0; z < sizeof(zones) / sizeof(zones[0]); z++) {
		for (size_t g = 0; g < 3; g++) {
			struct date d =
			    date_new(grains[g], zones[z], NULL, NULL);

			/* 2011-11-15 to 2012-11-15; Caracas changed in 2016 */
			walk(&d, 1321315200000, 1352937600000);
			walk(&d, 1461000000000, 1463000000000);
			date_free(&d);
		}
	}
}

Test(date, span_covers_the_first_levels)
{
	struct date d = date_new("minute", "America/New_York", NULL, NULL);
	const struct secor_partitioner_ops *ops = d.plugin->ops.partitioner;
	int64_t from, until;

	cr_expect_eq(ops->span(d.self, 1414904460000, 1, &from, &until), 0);
	cr_expect(from == 1414900800000 && until == 1414990800000);
	cr_expect_eq(ops->span(d.self, 1414904460000, 2, &from, &until), 0);
	cr_expect(from == 1414904400000 && until == 1414911600000);
	cr_expect_eq(ops->span(d.self, 1414904460000, 3, &from, &until), 0);
	cr_expect(from == 1414904460000 && until == 1414904520000);
	cr_expect_eq(ops->span(d.self, 1414904460000, 0, &from, &until), 0);
	cr_expect(from == INT64_MIN && until == INT64_MAX);
	date_free(&d);
	d = date_new("day", "UTC", "date_format", "yyyy/MM/dd");
	ops = d.plugin->ops.partitioner;
	cr_expect_eq(ops->span(d.self, T, 1, &from, &until), 0);
	cr_expect(from == 1388534400000 && until == 1420070400000);
	cr_expect_eq(ops->span(d.self, T, 2, &from, &until), 0);
	cr_expect(from == 1404172800000 && until == 1406851200000);
	date_free(&d);
}

static void *
ask_spans(void *arg)
{
	const struct date *d = arg;
	int64_t from, until;

	for (int64_t t = T; t < T + 400 * INT64_C(86400000); t += 43200000) {
		cr_assert_eq(d->plugin->ops.partitioner->span(
				 d->self, t, 1, &from, &until),
		    SECOR_OK);
		cr_assert(from <= t && t < until);
	}
	return NULL;
}

/* The finalizer asks while the consumer routes. */
Test(date, spans_may_be_asked_from_any_thread)
{
	struct date d = date_new("hour", "America/New_York", NULL, NULL);
	pthread_t threads[2];

	for (int i = 0; i < 2; i++)
		cr_assert_eq(
		    pthread_create(&threads[i], NULL, ask_spans, &d), 0);
	for (int64_t t = T; t < T + 400 * INT64_C(86400000); t += 43200000)
		(void)route(&d, t);
	for (int i = 0; i < 2; i++)
		cr_assert_eq(pthread_join(threads[i], NULL), 0);
	date_free(&d);
}

Test(date, time_out_of_range_is_rejected)
{
	static const int64_t times[] = {
	    INT64_MIN, INT64_MAX, 253402300800000, -62135596800001};
	struct date d = date_new("hour", "UTC", NULL, NULL);

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		struct secor_route_in in = {
		    .size = sizeof(in), .time_ms = times[i]};
		struct secor_route_out out = {.size = sizeof(out)};
		struct secor_err err;

		cr_expect_eq(
		    d.plugin->ops.partitioner->route(d.self, &in, &out, &err),
		    SECOR_REJECT);
		cr_expect_eq(
		    strncmp(err.text, "time is out of years 0001 to 9999", 33),
		    0);
	}
	date_free(&d);
}

Test(date, wrong_options_are_complained_about)
{
	static const struct {
		const char *key, *value, *complaint;
	} rows[] = {
	    {"timezone", "Nonsense/Zone", /* 35 */
		"timezone: there is no such time zone\n"},
	    {"timezone", "", "timezone: there is no such time zone\n"},
	    {"date_format", "yyyy-bb",
		"date_format: letter 'b' is not possible here (text is "
		"quoted: 'yr='yyyy)\n"},
	    {"date_format", "'yr=yyyy", "date_format: a quote is not closed\n"},
	    {"date_format", "", "date_format: a level is empty\n"},
	    {"date_format", "yyyy/", "date_format: a level is empty\n"},
	    {"date_format", "/yyyy", "date_format: a level is empty\n"},
	    {"date_format", "yyyy//MM", "date_format: a level is empty\n"},
	    {"date_format", "y/M/d/H/m/s/'1'/'2'/'3'",
		"date_format: more than 8 levels\n"},
	    {"date_format", "YYYY-MM-dd",
		"date_format: 'Y' is the year of a week ('w'): the year is "
		"'y'\n"},
	    {"date_format", "yyyy-MM-DD",
		"date_format: 'D' is the day of the year: that of the month "
		"is 'd'\n"},
	    {"date_format", "HH:mm:ss.SSS",
		"date_format: letter 'S' is not possible here (text is "
		"quoted: 'yr='yyyy)\n"},
	    {NULL, NULL, NULL},
	};
	const struct plugin *p = harness_plugin("partitioner/date");

	for (size_t i = 0; rows[i].key != NULL; i++) {
		void *conf = harness_conf(p, rows[i].key, rows[i].value, NULL);
		struct secor_open with = {
		    .size = sizeof(with), .conf = conf, .host = p->host};
		char *text = harness_check(p, conf);
		struct secor_err err;
		void *self = NULL;

		cr_expect_str_eq(text, rows[i].complaint, "%s", text);
		cr_expect_eq(
		    harness_open_with(p, &with, &self, &err), SECOR_FATAL);
		cr_expect_null(self);
		free(text);
		harness_conf_free(p, conf);
	}
}

Test(date, all_complaints_come_in_one_run)
{
	const struct plugin *p = harness_plugin("partitioner/date");
	void *conf = harness_conf(p, "granularity", "10-minute", "timezone",
	    "X", "date_format", "y/M/d/H/Z", "hour_format", "H/H/H",
	    "minute_format", "mm'", NULL);
	char *text = harness_check(p, conf);

	cr_expect_str_eq(text, "timezone: there is no such time zone\n"
			       "minute_format: a quote is not closed\n"
			       "more than 8 levels\n"
			       "granularity: 10-minute does not go with the "
			       "offset (Z, O, X, x) in a pattern\n");
	free(text);
	harness_conf_free(p, conf);
}

Test(date, looks_at_time_only)
{
	const struct plugin *p = harness_plugin("partitioner/date");
	void *conf = harness_conf(p, NULL);
	struct secor_strings fields = {NULL, 7};
	uint32_t inputs = 0;

	p->ops.partitioner->describe(conf, &inputs, &fields);
	cr_expect_eq(inputs, SECOR_ROUTE_BY_TIME);
	cr_expect_eq(fields.count, 0);
	harness_conf_free(p, conf);
}
