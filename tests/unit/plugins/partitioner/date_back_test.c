/*
 * date_back_test.c -- paths one after the other back in time, as spans give
 * them, against the original's vectors of its finalizer. It counted in UTC,
 * whatever the zone was, and gave a folder of the day only at midnight there:
 * ours are days and hours of the zone, each once.
 */
#include "tests/unit/harness.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

struct row {
	int vector;
	const char *granularity, *timezone;
	const char *key, *value; /* one more option */
	int64_t from;		 /* ms; its path is the first one */
	uint32_t levels;
	const char *paths; /* separated by blanks */
};

#define D0721 INT64_C(1405900800000) /* 2014-07-21T00:00:00Z */
#define HOUR INT64_C(3600000)

static const struct row rows[] = {
    /* as the original */
    {152, "day", "UTC", NULL, NULL, D0721 + HOUR, 1,
	"dt=2014-07-21 dt=2014-07-20"},
    {154, "minute", "UTC", NULL, NULL, D0721 + HOUR + 51 * 60000, 3,
	"dt=2014-07-21/hr=01/min=51 dt=2014-07-21/hr=01/min=50"},
    {155, "day", "UTC", NULL, NULL, D0721, 1, "dt=2014-07-21 dt=2014-07-20"},
    {157, "minute", "UTC", NULL, NULL, D0721 + HOUR, 3,
	"dt=2014-07-21/hr=01/min=00 dt=2014-07-21/hr=00/min=59 "
	"dt=2014-07-21/hr=00/min=58"},
    {157, "minute", "UTC", NULL, NULL, D0721 + HOUR, 2,
	"dt=2014-07-21/hr=01 dt=2014-07-21/hr=00 dt=2014-07-20/hr=23 "
	"dt=2014-07-20/hr=22"},
    {157, "minute", "UTC", NULL, NULL, D0721 + HOUR, 1,
	"dt=2014-07-21 dt=2014-07-20 dt=2014-07-19"},
    {158, "day", "UTC", NULL, NULL, INT64_C(1456790400000), 1,
	"dt=2016-03-01 dt=2016-02-29 dt=2016-02-28 dt=2016-02-27"},
    {171, "day", "UTC", "date_format", "yyyyMMdd", D0721, 1,
	"dt=20140721 dt=20140720"},
    /* better: the day of 23 hours is one */
    {165, "day", "America/Los_Angeles", NULL, NULL, INT64_C(1394434800000), 1,
	"dt=2014-03-10 dt=2014-03-09 dt=2014-03-08"},
    {165, "day", "America/New_York", NULL, NULL, INT64_C(1394424000000), 1,
	"dt=2014-03-10 dt=2014-03-09 dt=2014-03-08"},
    /* better: no hole of 26 hours, and the day is one of the zone */
    {167, "hour", "Europe/Berlin", NULL, NULL, D0721, 2,
	"dt=2014-07-21/hr=02 dt=2014-07-21/hr=01 dt=2014-07-21/hr=00 "
	"dt=2014-07-20/hr=23"},
    {167, "hour", "Europe/Berlin", NULL, NULL, D0721, 1,
	"dt=2014-07-21 dt=2014-07-20 dt=2014-07-19"},
    /* better: there are days in a zone of half hours too */
    {168, "hour", "Asia/Kolkata", NULL, NULL, D0721 - 3 * HOUR, 2,
	"dt=2014-07-21/hr=02 dt=2014-07-21/hr=01 dt=2014-07-21/hr=00 "
	"dt=2014-07-20/hr=23"},
    {168, "hour", "Asia/Kolkata", NULL, NULL, D0721 - 3 * HOUR, 1,
	"dt=2014-07-21 dt=2014-07-20"},
    /* better: paths are not read back, so any format will do */
    {172, "day", "UTC", "date_format", "yyyy'/mo='MM'/dy='dd", D0721, 3,
	"dt=2014/mo=07/dy=21 dt=2014/mo=07/dy=20"},
};

static void
put_level(char *text, size_t room, const struct secor_level_text *level)
{
	size_t n = strlen(text);

	(void)snprintf(text + n, room - n, "%s%.*s%s%.*s",
	    n > 0 && text[n - 1] != ' ' ? "/" : "", (int)level->name.len,
	    level->name.len > 0 ? level->name.ptr : "",
	    level->name.len > 0 ? "=" : "", (int)level->value.len,
	    level->value.ptr);
}

/* The path at `time_ms` behind the text; where its span begins. */
static int64_t
add_path(const struct row *row, const struct secor_partitioner_ops *ops,
    void *self, int64_t time_ms, char text[512])
{
	struct secor_route_in in = {.size = sizeof(in), .time_ms = time_ms};
	struct secor_route_out out = {.size = sizeof(out)};
	int64_t from = 0, until = 0;

	cr_assert_eq(ops->route(self, &in, &out, NULL), SECOR_OK);
	cr_assert_leq(row->levels, out.level_count, "%d", row->vector);
	for (uint32_t i = 0; i < row->levels; i++)
		put_level(text, 512, &out.levels[i]);
	cr_assert_eq(
	    ops->span(self, time_ms, row->levels, &from, &until), SECOR_OK);
	cr_assert(from <= time_ms && time_ms < until);
	return from;
}

static size_t
count_paths(const char *paths)
{
	size_t n = 1;

	for (; *paths != '\0'; paths++)
		n += *paths == ' ';
	return n;
}

Test(date_back, paths_follow_one_another)
{
	const struct plugin *plugin = harness_plugin("partitioner/date");
	const struct secor_partitioner_ops *ops = plugin->ops.partitioner;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		void *conf =
		    harness_conf(plugin, "granularity", row->granularity,
			"timezone", row->timezone, row->key, row->value, NULL);
		void *self = harness_open(plugin, conf, NULL);
		int64_t at = row->from;
		char text[512] = "";

		for (size_t n = count_paths(row->paths); n > 0; n--) {
			at = add_path(row, ops, self, at, text) - 1;
			if (n > 1)
				(void)strcat(text, " ");
		}
		cr_expect_str_eq(text, row->paths, "%d: %s", row->vector, text);
		harness_close(plugin, self);
		harness_conf_free(plugin, conf);
	}
}
