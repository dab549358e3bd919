/*
 * late_test.c -- which messages are late, through the router: at the boundary
 * in every zone, whatever the clock's source, and the same in every replay.
 */
#include "core/flow/late.h"

#include "core/base/buf.h"
#include "core/flow/final/spans.h"
#include "core/flow/path.h"
#include "core/flow/route.h"
#include "tests/unit/harness.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define DELAY (10 * MINUTE)
#define BEGIN INT64_C(1767225600000) /* 2026-01-01T00:00:00Z */

struct fixture {
	struct config_use uses[2];
	struct config_topic topic;
	struct router *router;
	struct routed routed;
	char value[64];
};

static void
reopen(struct fixture *f)
{
	struct secor_err err = {""};

	router_free(f->router);
	cr_assert_eq(router_new(&f->topic, 0, &f->router, &err), SECOR_OK, "%s",
	    err.text);
}

static void
add(struct fixture *f, const char *name, void *conf)
{
	struct config_use *use = &f->uses[f->topic.partitioners.count++];

	use->plugin = harness_plugin(name);
	use->conf = conf;
}

/* Whose paths are of these hours, or whatever `granularity` is. */
static void
begin(struct fixture *f, const char *granularity, const char *timezone)
{
	const struct plugin *json = harness_plugin("parser/json");
	const struct plugin *text = harness_plugin("format/text");
	const struct plugin *date = harness_plugin("partitioner/date");

	memset(f, 0, sizeof(*f));
	f->topic.parser.plugin = json;
	f->topic.parser.conf = harness_conf(json, "time_field", "time", NULL);
	f->topic.format.plugin = text;
	f->topic.format.conf = harness_conf(text, NULL);
	f->topic.accept_past_ms = -1;
	f->topic.accept_future_ms = DAY;
	f->topic.partitioners.items = f->uses;
	f->topic.finalize = (struct config_finalize){.delay_ms = DELAY,
	    .late = CONFIG_LATE_SEPARATE,
	    .late_name = "late"};
	add(f, "partitioner/date",
	    harness_conf(
		date, "granularity", granularity, "timezone", timezone, NULL));
	reopen(f);
}

static void
end(struct fixture *f)
{
	router_free(f->router);
	for (size_t i = 0; i < f->topic.partitioners.count; i++)
		harness_conf_free(f->uses[i].plugin, (void *)f->uses[i].conf);
	harness_conf_free(f->topic.parser.plugin, (void *)f->topic.parser.conf);
	harness_conf_free(f->topic.format.plugin, (void *)f->topic.format.conf);
}

struct stamped {
	int64_t time_ms, kafka_ms;
	enum secor_timestamp_type type;
};

static enum route_outcome
route(struct fixture *f, const struct stamped *at)
{
	struct secor_message message = harness_message("");

	(void)snprintf(f->value, sizeof(f->value),
	    "{\"time\":%" PRId64 ",\"country\":\"de\"}", at->time_ms);
	message.value = (struct secor_bytes){f->value, strlen(f->value)};
	message.timestamp_ms = at->kafka_ms;
	message.timestamp_type = at->type;
	return router_route(f->router, &message, &f->routed);
}

/* Of a producer whose clock is right. */
static const char *
route_time(struct fixture *f, int64_t time_ms)
{
	struct stamped at = {time_ms, time_ms, SECOR_TIMESTAMP_CREATE};

	cr_assert_eq(route(f, &at), ROUTE_OK, "%s", f->routed.err.text);
	return f->routed.path->text;
}

/* ---- the boundary ---- */

/* Where the path of each step ends for the last time, found by looking at all
 * later steps within some hours. */
static void
check_year(const char *granularity, const char *zone, int64_t step,
    int64_t from, int64_t until)
{
	size_t count = (size_t)((until - from) / step);
	size_t ahead = (size_t)(4 * HOUR / step);
	char **paths = mem_alloc((count + 1) * sizeof(*paths));
	struct fixture f;

	begin(&f, granularity, zone);
	for (size_t i = 0; i < count; i++) {
		const char *path =
		    route_time(&f, from + (int64_t)i * step + step / 3);

		paths[i] = mem_dup(path, strlen(path));
		cr_assert_eq(strncmp(paths[i], "late=false/", 11), 0);
	}
	for (size_t i = 0; i + ahead < count; i++) {
		int64_t over = 0;

		for (size_t k = i; k < i + ahead; k++)
			if (strcmp(paths[k], paths[i]) == 0)
				over = from + (int64_t)(k + 1) * step + DELAY;
		(void)route_time(&f, from + (int64_t)i * step + step / 7);
		cr_assert_not(router_late(f.router, over - 1, &f.routed),
		    "%s %s", zone, paths[i]);
		cr_assert(router_late(f.router, over, &f.routed), "%s %s", zone,
		    paths[i]);
	}
	for (size_t i = 0; i < count; i++)
		free(paths[i]);
	free(paths);
	end(&f);
}

Test(late, year_of_hours_is_late_from_the_boundary_on)
{
	static const char *const zones[] = {"Europe/Berlin",
	    "America/Los_Angeles", "Asia/Kolkata", "Asia/Kathmandu",
	    "Australia/Lord_Howe"};

	for (size_t z = 0; z < sizeof(zones) / sizeof(zones[0]); z++)
		check_year(
		    "hour", zones[z], 15 * MINUTE, BEGIN, BEGIN + 366 * DAY);
}

Test(late, minutes_that_come_twice_end_the_second_time)
{
	/* 2026-10-25 in Berlin, 2026-04-05 in Lord Howe (half an hour) */
	check_year("10-minute", "Europe/Berlin", 10 * MINUTE, BEGIN + 296 * DAY,
	    BEGIN + 299 * DAY);
	check_year("10-minute", "Australia/Lord_Howe", 10 * MINUTE,
	    BEGIN + 93 * DAY, BEGIN + 96 * DAY);
}

/* ---- the clock ---- */

static int64_t
clock_behind(
    struct fixture *f, int64_t clock_ms, int64_t time_ms, int64_t kafka_ms)
{
	struct stamped at = {time_ms, kafka_ms, SECOR_TIMESTAMP_CREATE};

	cr_assert_eq(route(f, &at), ROUTE_OK, "%s", f->routed.err.text);
	return router_clock(f->router, clock_ms, &f->routed);
}

Test(late, clock_never_runs_ahead_of_kafkas_timestamps)
{
	struct fixture f;

	begin(&f, "hour", "UTC");
	cr_expect_eq(clock_behind(&f, INT64_MIN, BEGIN, BEGIN + 5), BEGIN);
	cr_expect_eq(clock_behind(&f, BEGIN + 9, BEGIN, BEGIN), BEGIN + 9);
	cr_expect_eq(
	    clock_behind(&f, BEGIN, BEGIN + 23 * HOUR, BEGIN + 5), BEGIN + 5);
	cr_expect_eq(clock_behind(&f, INT64_MIN, BEGIN, SECOR_NO_TIME), BEGIN);
	/* who lets everything through says that they mean nothing */
	f.topic.accept_future_ms = -1;
	reopen(&f);
	cr_expect_eq(clock_behind(&f, BEGIN, BEGIN + DAY, 1), BEGIN + DAY);
	end(&f);
}

Test(late, broker_that_stamps_says_when_a_message_came)
{
	struct stamped at = {
	    BEGIN, BEGIN + HOUR + DELAY, SECOR_TIMESTAMP_APPEND};
	struct fixture f;

	begin(&f, "hour", "UTC");
	cr_assert_eq(route(&f, &at), ROUTE_OK);
	cr_expect(router_late(f.router, INT64_MIN, &f.routed));
	at.kafka_ms--;
	cr_assert_eq(route(&f, &at), ROUTE_OK);
	cr_expect_not(router_late(f.router, INT64_MIN, &f.routed));
	at = (struct stamped){BEGIN, BEGIN + DAY, SECOR_TIMESTAMP_CREATE};
	cr_assert_eq(route(&f, &at), ROUTE_OK);
	cr_expect_not(router_late(f.router, INT64_MIN, &f.routed),
	    "a producer's clock says nothing of when it came");
	end(&f);
}

Test(late, path_without_time_is_never_over)
{
	struct stamped at = {BEGIN, BEGIN, SECOR_TIMESTAMP_APPEND};
	struct fixture f;

	begin(&f, "hour", "UTC");
	harness_conf_free(f.uses[0].plugin, (void *)f.uses[0].conf);
	f.topic.partitioners.count = 0;
	add(&f, "partitioner/field",
	    harness_conf(harness_plugin("partitioner/field"), "fields",
		"[country]", NULL));
	reopen(&f);
	cr_assert_eq(route(&f, &at), ROUTE_OK);
	cr_expect_str_eq(f.routed.path->text, "late=false/country=de");
	cr_expect_not(router_late(f.router, INT64_MAX - 1, &f.routed));
	end(&f);
}

/* ---- paths ---- */

Test(late, twin_is_the_same_path_but_late_and_overflows_alike)
{
	struct path *path, *twin;
	struct fixture f;

	begin(&f, "hour", "UTC");
	add(&f, "partitioner/field",
	    harness_conf(harness_plugin("partitioner/field"), "fields",
		"[country]", NULL));
	f.uses[1].max_values = 7;
	f.uses[1].overflow_value = "__OVERFLOW__";
	reopen(&f);
	(void)route_time(&f, BEGIN);
	path = f.routed.path;
	cr_expect_str_eq(
	    path->text, "late=false/dt=2026-01-01/hr=00/country=de");
	twin = router_late_path(f.router, path);
	cr_expect_eq(twin, router_late_path(f.router, path));
	cr_expect_str_eq(
	    twin->text, "late=true/dt=2026-01-01/hr=00/country=de");
	cr_expect_eq(twin->level_count, 4);
	cr_expect_str_eq(twin->levels[0].value.ptr, "true");
	cr_expect_str_eq(twin->levels[3].value.ptr, "de");
	cr_expect_eq(twin->most, 7);
	cr_expect_eq(twin->value_hash, path->value_hash);
	cr_expect_str_eq(twin->overflow->text,
	    "late=true/dt=2026-01-01/hr=00/country=__OVERFLOW__");
	end(&f);
}

Test(late, amend_leaves_paths_as_they_were)
{
	struct fixture f;

	begin(&f, "hour", "UTC");
	f.topic.finalize.late = CONFIG_LATE_AMEND;
	reopen(&f);
	cr_expect_str_eq(route_time(&f, BEGIN), "dt=2026-01-01/hr=00");
	cr_expect_not(router_tells_late(f.router));
	cr_expect_eq(router_late_path(f.router, f.routed.path), f.routed.path);
	end(&f);
}

static int
has_span(struct spans *spans, const char *text, size_t count)
{
	struct secor_event_level *levels;
	struct spans_path path = {.first_ms = BEGIN, .last_ms = BEGIN};
	struct span span;
	int found;

	path.level_count = path_split(text, &levels);
	path.levels = levels;
	found = spans_find(spans, &path, count, &span);
	free(levels);
	return found;
}

Test(late, finalizer_takes_paths_in_time_and_those_of_before)
{
	struct secor_err err = {""};
	struct spans *spans;
	struct fixture f;

	begin(&f, "hour", "UTC");
	cr_assert_eq(spans_new(&f.topic, &spans, &err), SECOR_OK);
	cr_expect(has_span(spans, "late=false/dt=2026-01-01/hr=00", 3));
	cr_expect(has_span(spans, "late=false/dt=2026-01-01/hr=00", 2));
	cr_expect_not(has_span(spans, "late=false/dt=2026-01-01/hr=00", 1));
	cr_expect_not(has_span(spans, "late=false/dt=2026-01-01/hr=01", 3));
	cr_expect_not(has_span(spans, "late=true/dt=2026-01-01/hr=00", 3));
	cr_expect_not(has_span(spans, "late=true/dt=2026-01-01/hr=00", 2));
	cr_expect_not(has_span(
	    spans, "late=__HIVE_DEFAULT_PARTITION__/dt=2026-01-01/hr=00", 3));
	cr_expect(has_span(spans, "dt=2026-01-01/hr=00", 2));
	spans_free(spans);
	end(&f);
}

/* ---- replays ---- */

enum { MESSAGES = 400, ROUNDS = 150 };

struct run {
	struct stamped messages[MESSAGES];
	int64_t w[MESSAGES + 1]; /* before each */
	char *paths[MESSAGES];	 /* NULL: a bad message */
};

static uint64_t seed;

static int64_t
any(int64_t below)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (int64_t)((seed >> 33) % (uint64_t)below);
}

/* Time goes on, some are late, some from the future, some too far. */
static void
invent(struct run *run)
{
	int64_t now = BEGIN;
	int append = any(3) == 0;

	for (size_t i = 0; i < MESSAGES; i++) {
		struct stamped *m = &run->messages[i];

		now += any(10) == 0 ? any(2 * HOUR) : any(5 * MINUTE);
		m->kafka_ms = any(20) == 0 ? SECOR_NO_TIME : now;
		m->type =
		    append ? SECOR_TIMESTAMP_APPEND : SECOR_TIMESTAMP_CREATE;
		m->time_ms = any(3) > 0	  ? now - any(MINUTE)
			     : any(2) > 0 ? now - any(5 * HOUR)
					  : now + any(2 * DAY);
	}
}

/* What a batch does with message `i`. */
static int64_t
place(struct fixture *f, struct run *run, size_t i, int64_t clock, char **path)
{
	struct path *made;

	*path = NULL;
	if (route(f, &run->messages[i]) != ROUTE_OK)
		return clock;
	made = f->routed.path;
	if (router_late(f->router, clock, &f->routed))
		made = router_late_path(f->router, made);
	*path = mem_dup(made->text, made->len);
	return router_clock(f->router, clock, &f->routed);
}

/* As the documents have it, for hours in UTC. */
static void
check_rule(const struct run *run, size_t i)
{
	const struct stamped *m = &run->messages[i];
	int64_t over = (m->time_ms / HOUR + 1) * HOUR + DELAY;
	int64_t clock = INT64_MIN;

	for (size_t k = 0; k < i; k++) {
		const struct stamped *b = &run->messages[k];
		int64_t ms =
		    b->kafka_ms != SECOR_NO_TIME && b->kafka_ms < b->time_ms
			? b->kafka_ms
			: b->time_ms;

		if (run->paths[k] != NULL && ms > clock)
			clock = ms;
	}
	cr_assert_eq(clock, run->w[i]);
	if (m->type == SECOR_TIMESTAMP_APPEND && m->kafka_ms > clock)
		clock = m->kafka_ms;
	if (run->paths[i] != NULL)
		cr_assert_eq(run->paths[i][5] == 't', over <= clock);
}

/* One batch again, from the w of its plan. */
static void
replay(struct fixture *f, struct run *run, size_t from, size_t until)
{
	int64_t clock = run->w[from];

	for (size_t i = from; i < until; i++) {
		char *path;

		clock = place(f, run, i, clock, &path);
		cr_assert_eq(path == NULL, run->paths[i] == NULL);
		if (path != NULL)
			cr_assert_str_eq(path, run->paths[i]);
		free(path);
	}
	cr_assert_eq(clock, run->w[until]);
}

Test(late, replay_from_any_border_finds_the_same_paths)
{
	size_t late = 0, in_time = 0, bad = 0;
	struct run *run = mem_alloc(sizeof(*run));
	struct fixture f;

	begin(&f, "hour", "UTC");
	for (seed = 0; seed < ROUNDS; seed = (uint64_t)(seed + 1)) {
		uint64_t round = seed;

		invent(run);
		reopen(&f);
		run->w[0] = INT64_MIN;
		for (size_t i = 0; i < MESSAGES; i++)
			run->w[i + 1] =
			    place(&f, run, i, run->w[i], &run->paths[i]);
		for (size_t i = 0; i < MESSAGES; i++) {
			check_rule(run, i);
			bad += run->paths[i] == NULL;
			late +=
			    run->paths[i] != NULL && run->paths[i][5] == 't';
			in_time +=
			    run->paths[i] != NULL && run->paths[i][5] == 'f';
		}
		/* batches in any order, by a new process or the old one */
		for (int i = 0; i < 8; i++) {
			size_t from = (size_t)any(MESSAGES);

			if (any(2) == 0)
				reopen(&f);
			replay(&f, run, from,
			    from + (size_t)any(MESSAGES - (int64_t)from) + 1);
		}
		for (size_t i = 0; i < MESSAGES; i++)
			free(run->paths[i]);
		seed = round;
	}
	cr_expect(late > 1000 && in_time > 1000 && bad > 100,
	    "%zu late, %zu in time, %zu bad", late, in_time, bad);
	free(run);
	end(&f);
}
