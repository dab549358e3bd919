/*
 * spans_test.c -- when a path is over, asked of the partitioners themselves.
 */
#include "core/flow/final/spans.h"
#include "core/flow/path.h"
#include "tests/unit/harness.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOUR INT64_C(3600000)
#define DAY (24 * HOUR)
#define T INT64_C(1405911096123) /* 2014-07-21T02:51:36.123Z */

struct topic {
	struct config_use uses[3];
	struct config_topic topic;
	struct spans *spans;
};

static void
add(struct topic *t, const char *name, void *conf)
{
	size_t n = t->topic.partitioners.count++;

	t->uses[n].plugin = harness_plugin(name);
	t->uses[n].conf = conf;
}

static void
begin(struct topic *t)
{
	struct secor_err err = {""};

	t->topic.partitioners.items = t->uses;
	cr_assert_eq(
	    spans_new(&t->topic, &t->spans, &err), SECOR_OK, "%s", err.text);
}

static void
end(struct topic *t)
{
	spans_free(t->spans);
	for (size_t i = 0; i < t->topic.partitioners.count; i++)
		harness_conf_free(t->uses[i].plugin, (void *)t->uses[i].conf);
}

static void
dates(struct topic *t, const char *granularity, const char *timezone)
{
	memset(t, 0, sizeof(*t));
	add(t, "partitioner/date",
	    harness_conf(harness_plugin("partitioner/date"), "granularity",
		granularity, "timezone", timezone, NULL));
	begin(t);
}

static int
find(struct topic *t, const char *path, struct span times, size_t count,
    struct span *span)
{
	struct secor_event_level *levels;
	struct spans_path found = {
	    .first_ms = times.from, .last_ms = times.until};
	int is;

	found.level_count = path_split(path, &levels);
	found.levels = levels;
	is = spans_find(t->spans, &found, count, span);
	free(levels);
	return is;
}

Test(spans, hour_and_day_of_a_path_end_where_they_end)
{
	struct topic t;
	struct span span;
	int64_t day = T / DAY * DAY;

	dates(&t, "hour", "UTC");
	cr_assert(
	    find(&t, "dt=2014-07-21/hr=02", (struct span){T, T}, 2, &span));
	cr_assert_eq(span.from, T / HOUR * HOUR);
	cr_assert_eq(span.until, T / HOUR * HOUR + HOUR);
	cr_assert(
	    find(&t, "dt=2014-07-21/hr=02", (struct span){T, T + 1}, 1, &span));
	cr_assert_eq(span.from, day);
	cr_assert_eq(span.until, day + DAY);
	cr_assert_not(
	    find(&t, "dt=2014-07-21/hr=02", (struct span){T, T}, 0, &span));
	cr_assert_eq(spans_reach(t.spans, T), day);
	end(&t);
}

Test(spans, path_of_other_times_has_none)
{
	struct topic t;
	struct span span;

	dates(&t, "hour", "UTC");
	cr_assert_not(
	    find(&t, "dt=2014-07-21/hr=03", (struct span){T, T}, 2, &span),
	    "levels of another hour");
	cr_assert_not(find(&t, "dt=2014-07-21/hr=02",
			  (struct span){T, T + HOUR}, 2, &span),
	    "records of two hours");
	cr_assert_not(find(&t, "dt=2014-07-21", (struct span){T, T}, 1, &span),
	    "fewer levels than the partitioner makes");
	cr_assert_not(
	    find(&t, "dt=__OVERFLOW__/hr=02", (struct span){T, T}, 2, &span));
	end(&t);
}

Test(spans, days_have_23_and_25_hours)
{
	struct topic t;
	struct span span;
	int64_t spring = INT64_C(1774738800000); /* 2026-03-29 00:00 +01:00 */
	int64_t autumn = INT64_C(1792879200000); /* 2026-10-25 00:00 +02:00 */

	dates(&t, "day", "Europe/Berlin");
	cr_assert(
	    find(&t, "dt=2026-03-29", (struct span){spring, spring}, 1, &span));
	cr_assert_eq(span.until - span.from, 23 * HOUR);
	cr_assert(
	    find(&t, "dt=2026-10-25", (struct span){autumn, autumn}, 1, &span));
	cr_assert_eq(span.from, autumn);
	cr_assert_eq(span.until - span.from, 25 * HOUR);
	end(&t);
}

Test(spans, hour_that_comes_twice_ends_the_second_time)
{
	struct topic t;
	struct span span;
	/* 2026-10-25 02:10 +02:00, an hour before 02:10 +01:00 */
	int64_t first = INT64_C(1792887000000);
	/* Lord Howe 2026-04-05 01:40 +11:00, half an hour before +10:30 */
	int64_t howe = INT64_C(1775313600000);

	dates(&t, "hour", "Europe/Berlin");
	cr_assert(find(
	    &t, "dt=2026-10-25/hr=02", (struct span){first, first}, 2, &span));
	cr_assert_eq(span.until - span.from, 2 * HOUR);
	end(&t);
	dates(&t, "10-minute", "Europe/Berlin");
	cr_assert(find(&t, "dt=2026-10-25/hr=02/min=10",
	    (struct span){first, first}, 3, &span));
	cr_assert_eq(span.from, first);
	cr_assert_eq(span.until, first + HOUR + HOUR / 6);
	cr_assert(find(&t, "dt=2026-10-25/hr=02/min=10",
	    (struct span){first, first + HOUR}, 3, &span));
	cr_assert(find(&t, "dt=2026-10-25/hr=02/min=10",
	    (struct span){first + HOUR, first + HOUR}, 3, &span));
	cr_assert_eq(span.until, first + HOUR + HOUR / 6);
	end(&t);
	dates(&t, "hour", "Australia/Lord_Howe");
	cr_assert(find(
	    &t, "dt=2026-04-05/hr=01", (struct span){howe, howe}, 2, &span));
	cr_assert_eq(span.until - span.from, HOUR + HOUR / 2);
	end(&t);
}

Test(spans, levels_beside_the_time_do_not_matter)
{
	struct topic t = {0};
	struct span span;

	add(&t, "partitioner/field",
	    harness_conf(harness_plugin("partitioner/field"), "fields",
		"[country, kind]", NULL));
	add(&t, "partitioner/date",
	    harness_conf(harness_plugin("partitioner/date"), "granularity",
		"hour", NULL));
	add(&t, "partitioner/hash",
	    harness_conf(
		harness_plugin("partitioner/hash"), "buckets", "8", NULL));
	begin(&t);
	cr_assert_not(find(&t, "country=de/kind=a/dt=2014-07-21/hr=02/bucket=7",
	    (struct span){T, T}, 1, &span));
	cr_assert_not(find(&t, "country=de/kind=a/dt=2014-07-21/hr=02/bucket=7",
	    (struct span){T, T}, 2, &span));
	cr_assert(find(&t, "country=de/kind=a/dt=2014-07-21/hr=02/bucket=7",
	    (struct span){T, T}, 3, &span));
	cr_assert_eq(span.until - span.from, DAY);
	for (size_t n = 4; n <= 5; n++) {
		cr_assert(
		    find(&t, "country=de/kind=a/dt=2014-07-21/hr=02/bucket=7",
			(struct span){T, T}, n, &span));
		cr_assert_eq(span.until - span.from, HOUR);
	}
	end(&t);
}

Test(spans, template_of_field_and_time_is_over_with_its_time)
{
	struct topic t = {0};
	struct span span;

	add(&t, "partitioner/template",
	    harness_conf(harness_plugin("partitioner/template"), "template",
		"country={country}/dt={time:%Y-%m-%d}", NULL));
	begin(&t);
	cr_assert_not(find(
	    &t, "country=de/dt=2014-07-21", (struct span){T, T}, 1, &span));
	cr_assert(find(
	    &t, "country=de/dt=2014-07-21", (struct span){T, T}, 2, &span));
	cr_assert_eq(span.until, T / DAY * DAY + DAY);
	cr_assert_eq(spans_reach(t.spans, T), T / DAY * DAY);
	end(&t);
}

Test(spans, paths_without_time_are_never_over)
{
	struct topic t = {0};
	struct span span;

	add(&t, "partitioner/field",
	    harness_conf(harness_plugin("partitioner/field"), "fields",
		"[country]", NULL));
	begin(&t);
	cr_assert_not(find(&t, "country=de", (struct span){T, T}, 1, &span));
	cr_assert_eq(spans_reach(t.spans, T), T);
	end(&t);
}

/* A year of hours in zones with every kind of rule: each hour's path ends, in
 * order, and the ends of one path are the same whatever time is asked. */
Test(spans, year_of_hours_ends_in_order_in_every_zone)
{
	static const char *const zones[] = {"Europe/Berlin",
	    "America/Los_Angeles", "Asia/Kolkata", "Asia/Kathmandu",
	    "Australia/Lord_Howe"};
	const struct plugin *date = harness_plugin("partitioner/date");
	int64_t begun = INT64_C(1767225600000);

	for (size_t z = 0; z < sizeof(zones) / sizeof(zones[0]); z++) {
		struct topic t;
		void *self;
		int64_t until = INT64_MIN;

		dates(&t, "hour", zones[z]);
		self = harness_open(date, t.uses[0].conf, NULL);
		for (int64_t at = begun; at < begun + 366 * DAY;
		     at += HOUR / 2) {
			struct secor_route_in in = {
			    .size = sizeof(in), .time_ms = at};
			struct secor_route_out out = {.size = sizeof(out)};
			struct secor_err err;
			struct span span;
			char path[64];

			cr_assert_eq(
			    date->ops.partitioner->route(self, &in, &out, &err),
			    SECOR_OK);
			(void)snprintf(path, sizeof(path), "dt=%.*s/hr=%.*s",
			    (int)out.levels[0].value.len,
			    out.levels[0].value.ptr,
			    (int)out.levels[1].value.len,
			    out.levels[1].value.ptr);
			cr_assert(
			    find(&t, path, (struct span){at, at}, 2, &span),
			    "%s %s", zones[z], path);
			cr_assert(span.from <= at && at < span.until);
			cr_assert(span.until >= until, "%s %s", zones[z], path);
			until = span.until;
			cr_assert(until - span.from <= 2 * HOUR);
		}
		harness_close(date, self);
		end(&t);
	}
}
