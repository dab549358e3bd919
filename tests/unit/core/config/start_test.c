/* start.c: what may be written, what it means, what is refused. */
#include "core/config/start.h"

#include <criterion/criterion.h>
#include <string.h>

Test(start, words_and_times_are_taken)
{
	static const struct {
		const char *text;
		int kind;
		int64_t ms;
	} rows[] = {
	    {"earliest", CONFIG_START_EARLIEST, 0},
	    {"latest", CONFIG_START_LATEST, 0},
	    {"-6h", CONFIG_START_AGO, INT64_C(21600000)},
	    {"-1h30m", CONFIG_START_AGO, INT64_C(5400000)},
	    {"-250ms", CONFIG_START_AGO, 250},
	    {"1769842800000", CONFIG_START_TIME, INT64_C(1769842800000)},
	    {"100000000000", CONFIG_START_TIME, INT64_C(100000000000)},
	    {"2026-01-31", CONFIG_START_TIME, INT64_C(1769817600000)},
	    {"2024-02-29", CONFIG_START_TIME, INT64_C(1709164800000)},
	    {"1970-01-01", CONFIG_START_TIME, 0},
	    {"2026-01-31T07:00Z", CONFIG_START_TIME, INT64_C(1769842800000)},
	    {"2026-01-31T07:00:00Z", CONFIG_START_TIME, INT64_C(1769842800000)},
	    {"2026-01-31 07:00:00Z", CONFIG_START_TIME, INT64_C(1769842800000)},
	    {"2026-01-31T08:00:00+01:00", CONFIG_START_TIME,
		INT64_C(1769842800000)},
	    {"2026-01-31T03:30:00-0330", CONFIG_START_TIME,
		INT64_C(1769842800000)},
	    {"2026-01-31T07:00:00.5Z", CONFIG_START_TIME,
		INT64_C(1769842800500)},
	    {"2026-01-31T07:00:00.123456789Z", CONFIG_START_TIME,
		INT64_C(1769842800123)},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct config_start start = {-1, -1};
		struct secor_err err = {""};

		cr_expect_eq(start_parse(rows[i].text, &start, &err), SECOR_OK,
		    "%s: %s", rows[i].text, err.text);
		cr_expect_eq(start.kind, rows[i].kind, "%s", rows[i].text);
		cr_expect_eq(start.ms, rows[i].ms, "%s: %lld", rows[i].text,
		    (long long)start.ms);
	}
}

Test(start, anything_else_is_refused_with_its_reason)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
	    {"", "none of"},
	    {"newest", "none of"},
	    {"Latest", "did you mean 'latest'"},
	    {"-", "none of"},
	    {"-6", "none of"},
	    {"-0", "none of"},
	    {"- 6h", "none of"},
	    {"-unlimited", "none of"},
	    {"6h", "-6h is that long ago"},
	    {"1769842800", "not in ms"},
	    {"2026", "not in ms"},
	    {"1769842800000000", "not in ms"},
	    {"2026-01-31T07:00:00", "has no zone"},
	    {"2026-01-31T07:00", "has no zone"},
	    {"2026-02-29", "no time"},
	    {"2026-13-01", "no time"},
	    {"2026-00-10", "no time"},
	    {"2026-1-31", "no time"},
	    {"2026-01-31T", "no time"},
	    {"2026-01-31T24:00:00Z", "no time"},
	    {"2026-01-31T07:60Z", "no time"},
	    {"2026-01-31T07:00:00.Z", "no time"},
	    {"2026-01-31T07:00:00+1:00", "zone"},
	    {"2026-01-31T07:00:00Zulu", "no time"},
	    {"1969-12-31", "no time"},
	    {"2026-01-31 ", "no time"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct config_start start = {-1, -1};
		struct secor_err err = {""};

		cr_expect_eq(start_parse(rows[i].text, &start, &err),
		    SECOR_REJECT, "%s", rows[i].text);
		cr_expect(strstr(err.text, rows[i].why) != NULL, "%s: %s",
		    rows[i].text, err.text);
		cr_expect_eq(start.kind, -1, "%s", rows[i].text);
	}
}
