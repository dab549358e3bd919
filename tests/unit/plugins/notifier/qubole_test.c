/*
 * qubole_test.c -- the qubole notifier against a server that answers as told.
 * (What its statements mean is judged by a reader of HiveQL in the flow tests.)
 */
#include "core/base/metrics.h"
#include "core/flow/path.h"
#include "tests/unit/harness.h"
#include "tests/unit/plugins/common/script.h"
#include "tests/unit/plugins/notifier/event.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define OK_JSON(text)                       \
	{                                   \
		.status = 200, .body = text \
	}
#define SUBMITTED OK_JSON("{\"id\": 7, \"status\": \"waiting\"}")
#define DONE OK_JSON("{\"id\": 7, \"status\": \"done\"}")

struct hive {
	const struct plugin *plugin;
	struct script *script;
	void *conf, *self;
	struct secor_err err;
};

static void
begin(struct hive *hive, const struct script_step *steps, size_t n,
    const char *key, const char *value)
{
	memset(hive, 0, sizeof(*hive));
	hive->plugin = harness_plugin("notifier/qubole");
	hive->script = script_start(steps, n);
	hive->conf =
	    harness_conf(hive->plugin, "base_url", script_url(hive->script),
		"token", "t0ken", "table", "logs_{topic}", "poll_interval",
		"1ms", "cancel_timeout", "100ms", key, value, NULL);
	hive->self = harness_open(hive->plugin, hive->conf, NULL);
}

static int
tell(struct hive *hive, const char *topic, const struct event_object *objects,
    size_t count)
{
	struct secor_event_batch batch = event_batch(topic, objects, count);

	return hive->plugin->ops.notifier->batch_done(
	    hive->self, &batch, &hive->err);
}

static int
tell_level(struct hive *hive, const char *name, const char *value)
{
	const struct secor_event_level level = {name, value};
	struct event_object object;
	struct buf path = {0};
	int rc;

	buf_printf(&path, "%s=", name);
	path_escape(&path, value, value == NULL ? 0 : strlen(value));
	object = event_object(path.ptr, &level, 1);
	rc = tell(hive, "t", &object, 1);
	buf_fini(&path);
	return rc;
}

static void
end(struct hive *hive)
{
	harness_close(hive->plugin, hive->self);
	harness_conf_free(hive->plugin, hive->conf);
	script_stop(hive->script);
}

/* The statement of a request. */
static void
expect_query(struct hive *hive, size_t which, const char *want)
{
	const char *request = script_request(hive->script, which);
	json_t *json = json_loads(
	    script_body(hive->script, which), JSON_REJECT_DUPLICATES, NULL);

	cr_assert_not_null(json, "%s", request);
	cr_assert_eq(json_object_size(json), 1);
	cr_assert_str_eq(
	    json_string_value(json_object_get(json, "query")), want);
	json_decref(json);
}

static void
expect_text(const struct hive *hive, const char *part)
{
	cr_assert_not_null(strstr(hive->err.text, part), "'%s' lacks '%s'",
	    hive->err.text, part);
}

Test(qubole, path_is_submitted_and_awaited, .timeout = 120)
{
	static const struct script_step steps[] = {
	    SUBMITTED, OK_JSON("{\"id\": 7, \"status\": \"running\"}"), DONE};
	static const struct secor_event_level levels[] = {
	    {"dt", "2014-07-21"}, {"hr", "02"}};
	static const char *const headers[] = {"X-AUTH-TOKEN: t0ken",
	    "Content-Type: application/json", "Accepts: application/json",
	    "Accept: */*", "Cache-Control: no-cache"};
	struct event_object object =
	    event_object("dt=2014-07-21/hr=02", levels, 2);
	struct hive hive;

	begin(&hive, steps, 3, NULL, NULL);
	cr_assert_eq(
	    tell(&hive, "t", &object, 1), SECOR_OK, "%s", hive.err.text);
	cr_assert_eq(script_count(hive.script), 3);
	expect_query(&hive, 0,
	    "ALTER TABLE logs_t ADD IF NOT EXISTS PARTITION "
	    "(dt='2014-07-21',hr='02')");
	cr_assert_eq(strncmp(script_request(hive.script, 0),
			 "POST /commands HTTP/1.1\r\n", 25),
	    0);
	for (size_t i = 1; i < 3; i++)
		cr_assert_eq(strncmp(script_request(hive.script, i),
				 "GET /commands/7 HTTP/1.1\r\n", 26),
		    0);
	for (size_t i = 0; i < 3; i++)
		for (size_t k = 0; k < sizeof(headers) / sizeof(headers[0]);
		     k++)
			cr_assert(script_has(hive.script, i, headers[k]),
			    "%s\n%s", headers[k],
			    script_request(hive.script, i));
	end(&hive);
}

Test(qubole, path_that_was_added_is_not_added_again, .timeout = 120)
{
	static const struct script_step steps[] = {
	    SUBMITTED, DONE, SUBMITTED, DONE};
	static const struct secor_event_level a = {"dt", "a"}, b = {"dt", "b"};
	struct event_object objects[] = {event_object("dt=a", &a, 1),
	    event_object("dt=a", &a, 1), event_object("dt=b", &b, 1)};
	struct hive hive;

	begin(&hive, steps, 4, NULL, NULL);
	cr_assert_eq(tell(&hive, "t", objects, 2), SECOR_OK);
	cr_assert_eq(script_count(hive.script), 2);
	cr_assert_eq(tell(&hive, "t", objects, 3), SECOR_OK);
	cr_assert_eq(script_count(hive.script), 4);
	expect_query(&hive, 2,
	    "ALTER TABLE logs_t ADD IF NOT EXISTS PARTITION (dt='b')");
	end(&hive);
}

Test(qubole, same_path_of_another_topic_is_another_partition, .timeout = 120)
{
	static const struct script_step steps[] = {
	    SUBMITTED, DONE, SUBMITTED, DONE};
	static const struct secor_event_level a = {"dt", "a"};
	struct event_object object = event_object("dt=a", &a, 1);
	struct hive hive;

	begin(&hive, steps, 4, "tables", "{my-topic: db.special}");
	cr_assert_eq(tell(&hive, "t", &object, 1), SECOR_OK);
	cr_assert_eq(tell(&hive, "my-topic", &object, 1), SECOR_OK);
	expect_query(&hive, 2,
	    "ALTER TABLE db.special ADD IF NOT EXISTS PARTITION (dt='a')");
	end(&hive);
}

#define AT " LOCATION 's3://b/raw/t/dt=2026-01-01'"

/* Hive undoes no escapes in a partition's values: where there are some,
 * LOCATION says where the objects are. */
Test(qubole, value_of_any_bytes_stays_a_value, .timeout = 120)
{
	static const struct {
		const char *value, *rest;
	} rows[] = {
	    {"it's", "\"it's\")"},
	    {"say \"hi\"", "'say \"hi\"')"},
	    {"'\"", "'\\'\"')" AT},
	    {"x'); DROP TABLE t; --", "\"x')\\; DROP TABLE t\\; --\")" AT},
	    {"back\\slash\\", "'back\\\\slash\\\\')" AT},
	    {"\\'", "\"\\\\'\")" AT},
	    {"a\nb\r\x01\x7f", "'a\\012b\\015\\001\\177')" AT},
	    {"${env:HOME} $1", "'$\\{env:HOME} $1')" AT},
	    {"gr\xc3\xbc\xc3\x9f `%_", "'gr\xc3\xbc\xc3\x9f `%_')"},
	    {"", "'__HIVE_DEFAULT_PARTITION__')"},
	    {NULL, "'__HIVE_DEFAULT_PARTITION__')"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		static const struct script_step steps[] = {SUBMITTED, DONE};
		char want[256];
		struct hive hive;

		begin(&hive, steps, 2, NULL, NULL);
		cr_assert_eq(tell_level(&hive, "c", rows[i].value), SECOR_OK,
		    "%s", hive.err.text);
		(void)snprintf(want, sizeof(want),
		    "ALTER TABLE logs_t ADD IF NOT EXISTS PARTITION (c=%s",
		    rows[i].rest);
		expect_query(&hive, 0, want);
		end(&hive);
	}
}

Test(qubole, names_that_hive_reserves_are_quoted, .timeout = 120)
{
	static const struct script_step steps[] = {
	    SUBMITTED, DONE, SUBMITTED, DONE};
	struct hive hive;

	begin(&hive, steps, 4, "tables", "{t: _db.Table}");
	cr_assert_eq(tell_level(&hive, "date", "x"), SECOR_OK);
	expect_query(&hive, 0,
	    "ALTER TABLE `_db`.`Table` ADD IF NOT EXISTS PARTITION "
	    "(`date`='x')");
	end(&hive);
}

Test(qubole, location_is_the_folder_of_the_object, .timeout = 120)
{
	static const struct script_step steps[] = {SUBMITTED, DONE};
	static const struct secor_event_level a = {"dt", "2026-01-01"};
	struct event_object object = event_object("dt=2026-01-01", &a, 1);
	struct hive hive;

	begin(&hive, steps, 2, "location", "true");
	object.object.url = "s3://b/it's;/dt=2026-01-01/1_3_0.gz";
	cr_assert_eq(tell(&hive, "t", &object, 1), SECOR_OK);
	expect_query(&hive, 0,
	    "ALTER TABLE logs_t ADD IF NOT EXISTS PARTITION "
	    "(dt='2026-01-01') LOCATION "
	    "\"s3://b/it's\\;/dt=2026-01-01\"");
	end(&hive);
}

/* Folders that Hive would name otherwise. */
Test(qubole, folder_with_a_name_of_its_own_is_told, .timeout = 120)
{
	static const struct {
		const char *path, *name, *value, *rest;
	} rows[] = {
	    {"c=%2E%2E", "c", "..", "c='..')" AT},
	    {"C=x", "C", "x", "C='x')" AT},
	    {"c=a:b", "c", "a:b", "c='a:b')" AT}, /* compat: secor */
	    {"c=a%3Ab", "c", "a:b", "c='a:b')"},
	    {"elsewhere/c=x", "c", "x", "c='x')" AT},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		static const struct script_step steps[] = {SUBMITTED, DONE};
		const struct secor_event_level level = {
		    rows[i].name, rows[i].value};
		struct event_object object =
		    event_object(rows[i].path, &level, 1);
		char want[256];
		struct hive hive;

		begin(&hive, steps, 2, NULL, NULL);
		cr_assert_eq(tell(&hive, "t", &object, 1), SECOR_OK);
		(void)snprintf(want, sizeof(want),
		    "ALTER TABLE logs_t ADD IF NOT EXISTS PARTITION (%s",
		    rows[i].rest);
		expect_query(&hive, 0, want);
		end(&hive);
	}
}

Test(qubole, path_that_is_no_hive_partition_is_rejected, .timeout = 120)
{
	static const struct {
		const char *name, *value, *text;
	} rows[] = {
	    {"", "x", "has a level without a name"},
	    {"a-b", "x", "level 'a-b' of path 'a-b=x' is no Hive column"},
	    {"a) --", "x", "is no Hive column"},
	    {"gr\xc3\xbc", "x", "is no Hive column"},
	    {"c", "\xff", "is not UTF-8"},
	};
	struct hive hive;

	begin(&hive, NULL, 0, NULL, NULL);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_assert_eq(tell_level(&hive, rows[i].name, rows[i].value),
		    SECOR_REJECT);
		expect_text(&hive, rows[i].text);
	}
	cr_assert_eq(script_count(hive.script), 0);
	end(&hive);
}

Test(qubole, rejected_path_does_not_hold_up_the_others, .timeout = 120)
{
	static const struct script_step steps[] = {SUBMITTED, DONE};
	static const struct secor_event_level bare = {"", "x"},
					      dt = {"dt", "x"};
	struct event_object objects[] = {
	    event_object("x", &bare, 1), event_object("dt=x", &dt, 1)};
	struct hive hive;

	begin(&hive, steps, 2, NULL, NULL);
	cr_assert_eq(tell(&hive, "t", objects, 2), SECOR_REJECT);
	expect_text(&hive, "table logs_t, path x: ");
	expect_query(&hive, 0,
	    "ALTER TABLE logs_t ADD IF NOT EXISTS PARTITION (dt='x')");
	end(&hive);
}

Test(qubole, topic_that_is_no_name_is_rejected, .timeout = 120)
{
	static const char *const topics[] = {"my-topic", "a.b", "t; DROP"};
	static const struct secor_event_level dt = {"dt", "x"};
	struct event_object object = event_object("dt=x", &dt, 1);
	struct hive hive;

	begin(&hive, NULL, 0, NULL, NULL);
	for (size_t i = 0; i < sizeof(topics) / sizeof(topics[0]); i++) {
		cr_assert_eq(tell(&hive, topics[i], &object, 1), SECOR_REJECT);
		expect_text(&hive, "name its table under `tables`");
	}
	cr_assert_eq(script_count(hive.script), 0);
	end(&hive);
}

Test(qubole, object_without_levels_needs_no_partition, .timeout = 120)
{
	struct event_object object = event_object("", NULL, 0);
	struct hive hive;

	begin(&hive, NULL, 0, NULL, NULL);
	cr_assert_eq(tell(&hive, "t", &object, 1), SECOR_OK);
	cr_assert_eq(tell(&hive, "t", NULL, 0), SECOR_OK);
	cr_assert_eq(script_count(hive.script), 0);
	end(&hive);
}

Test(qubole, topic_without_a_table_is_left_alone, .timeout = 120)
{
	static const struct secor_event_level dt = {"dt", "x"};
	const struct plugin *plugin = harness_plugin("notifier/qubole");
	void *conf = harness_conf(plugin, "base_url", "http://127.0.0.1:1",
	    "token", "x", "tables", "{other: logs}", NULL);
	struct event_object object = event_object("dt=x", &dt, 1);
	struct secor_event_batch batch = event_batch("t", &object, 1);
	void *self = harness_open(plugin, conf, NULL);

	cr_assert_eq(
	    plugin->ops.notifier->batch_done(self, &batch, NULL), SECOR_OK);
	harness_close(plugin, self);
	harness_conf_free(plugin, conf);
}

/* What one answer to the submission comes to. */
Test(qubole, trouble_at_the_submission_decides_what_the_engine_does,
    .timeout = 120)
{
	static const struct {
		struct script_step step;
		int want;
		const char *text;
	} rows[] = {
	    {{.status = 401}, SECOR_RETRY, "the token is refused"},
	    {{.status = 403}, SECOR_RETRY, "the token is refused"},
	    {{.status = 404}, SECOR_RETRY, "HTTP 404"},
	    {{.status = 408}, SECOR_RETRY, "HTTP 408"},
	    {{.status = 429}, SECOR_RETRY, "HTTP 429"},
	    {{.status = 429, .headers = "Retry-After: 86401\r\n"}, SECOR_RETRY,
		"HTTP 429"},
	    {{.status = 500}, SECOR_RETRY, "HTTP 500"},
	    {{.status = 302, .headers = "Location: http://127.0.0.1:1/\r\n"},
		SECOR_RETRY,
		"HTTP 302: redirects are not followed, change `base_url`"},
	    {{.status = 400, .body = "odd"}, SECOR_REJECT,
		"HTTP 400: the command is refused: odd"},
	    {{.status = 422}, SECOR_REJECT, "refused"},
	    {{.how = SCRIPT_LATE_RESET}, SECOR_RETRY, "127.0.0.1"},
	    {{.status = 200, .body = "{\"id\":7}", .how = SCRIPT_TRUNCATE},
		SECOR_RETRY, "127.0.0.1"},
	    {OK_JSON("<html>"), SECOR_RETRY, "no JSON object"},
	    {OK_JSON("[7]"), SECOR_RETRY, "no JSON object"},
	    {OK_JSON("7"), SECOR_RETRY, "no JSON object"},
	    {OK_JSON(""), SECOR_RETRY, "no JSON object"},
	    {{.status = 204}, SECOR_RETRY, "no JSON object"},
	    {OK_JSON("{}"), SECOR_RETRY, "names no command id"},
	    {OK_JSON("{\"id\":\"7\"}"), SECOR_RETRY, "no command id"},
	    {OK_JSON("{\"id\":-7}"), SECOR_RETRY, "no command id"},
	    {OK_JSON("{\"id\":7e300}"), SECOR_RETRY, "no command id"},
	    {OK_JSON("{\"id\":99999999999999999999}"), SECOR_RETRY,
		"no JSON object"},
	    {OK_JSON("{\"id\":7,\"status\":\"error\"}"), SECOR_RETRY,
		"command 7 ended in status error"},
	    {OK_JSON("{\"id\":7,\"status\":\"cancelled\"}"), SECOR_RETRY,
		"command 7 was cancelled"},
	    {OK_JSON("{\"id\":7,\"status\":\"lost\"}"), SECOR_RETRY,
		"command 7 is in status 'lost', which is not known"},
	    {OK_JSON("{\"status\":\"error\"}"), SECOR_RETRY, "status error"},
	    {OK_JSON("{\"status\":\"done\"}"), SECOR_RETRY,
		"names no command id"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct hive hive;

		begin(&hive, &rows[i].step, 1, NULL, NULL);
		cr_assert_eq(tell_level(&hive, "dt", "x"), rows[i].want,
		    "row %zu: %s", i, hive.err.text);
		expect_text(&hive, rows[i].text);
		cr_assert_null(strstr(hive.err.text, "t0ken"));
		end(&hive);
	}
}

/* A service that asks for patience has taken nothing. */
Test(qubole, submission_is_repeated_when_asked_to_wait, .timeout = 120)
{
	static const struct script_step steps[] = {
	    {.status = 429, .headers = "Retry-After: 1\r\n"}, SUBMITTED, DONE};
	struct hive hive;

	begin(&hive, steps, 3, NULL, NULL);
	cr_assert_eq(
	    tell_level(&hive, "dt", "x"), SECOR_OK, "%s", hive.err.text);
	cr_assert_eq(script_count(hive.script), 3);
	cr_assert_eq(strncmp(script_request(hive.script, 1), "POST ", 5), 0);
	end(&hive);
}

/* What ends it while it is looked at: the statuses that are terminal. */
Test(qubole, terminal_status_decides_what_the_engine_does, .timeout = 120)
{
	static const struct {
		struct script_step step;
		const char *text;
	} rows[] = {
	    {OK_JSON("{\"id\":7,\"status\":\"error\"}"),
		"command 7 ended in status error"},
	    {OK_JSON("{\"id\":7,\"status\":\"cancelled\"}"),
		"command 7 was cancelled"},
	    {OK_JSON("{\"id\":7,\"status\":\"\"}"),
		"command 7 is in status '', which is not known"},
	    {OK_JSON("{\"id\":7,\"status\":\"Done\"}"),
		"command 7 is in status 'Done', which is not known"},
	    {{.status = 404}, "HTTP 404: command 7 is not known"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct script_step steps[] = {SUBMITTED, rows[i].step};
		struct hive hive;

		begin(&hive, steps, 2, NULL, NULL);
		cr_assert_eq(tell_level(&hive, "dt", "x"), SECOR_RETRY,
		    "row %zu: %s", i, hive.err.text);
		expect_text(&hive, rows[i].text);
		end(&hive);
	}
}

/* Whatever goes wrong between two looks is waited out, with the same id. */
Test(qubole, command_that_is_under_way_is_not_submitted_again, .timeout = 120)
{
	static const struct script_step steps[] = {SUBMITTED, {.status = 500},
	    {.status = 401}, {.status = 403}, {.status = 408}, {.status = 429},
	    {.status = 302}, {.status = 400}, {.status = 422}, {.status = 204},
	    {.status = 503, .headers = "Retry-After: 1\r\n"},
	    {.how = SCRIPT_LATE_RESET},
	    {.status = 200, .body = "{", .how = SCRIPT_TRUNCATE},
	    OK_JSON("<html>"), OK_JSON("[]"), OK_JSON(""), OK_JSON("{}"),
	    OK_JSON("{\"id\":7,\"status\":7}"),
	    OK_JSON("{\"id\":7,\"status\":\"waiting\"}"),
	    OK_JSON("{\"id\":7,\"status\":\"queued\"}"),
	    OK_JSON("{\"id\":7,\"status\":\"running\"}"),
	    OK_JSON("{\"id\":7,\"status\":\"cancelling\"}"), DONE};
	enum { COUNT = sizeof(steps) / sizeof(steps[0]) };
	struct hive hive;

	begin(&hive, steps, COUNT, NULL, NULL);
	cr_assert_eq(
	    tell_level(&hive, "dt", "x"), SECOR_OK, "%s", hive.err.text);
	cr_assert_eq(script_count(hive.script), COUNT);
	for (size_t i = 1; i < COUNT; i++)
		cr_assert_eq(strncmp(script_request(hive.script, i),
				 "GET /commands/7 HTTP/1.1\r\n", 26),
		    0, "%zu", i);
	end(&hive);
}

Test(qubole, failed_path_is_submitted_again, .timeout = 120)
{
	static const struct script_step steps[] = {SUBMITTED,
	    OK_JSON("{\"id\":7,\"status\":\"cancelled\"}"), SUBMITTED, DONE};
	struct hive hive;

	begin(&hive, steps, 4, NULL, NULL);
	cr_assert_eq(tell_level(&hive, "dt", "x"), SECOR_RETRY);
	cr_assert_eq(tell_level(&hive, "dt", "x"), SECOR_OK);
	cr_assert_eq(tell_level(&hive, "dt", "x"), SECOR_OK);
	cr_assert_eq(script_count(hive.script), 4);
	end(&hive);
}

Test(qubole, error_is_dropped_when_so_configured, .timeout = 120)
{
	static const struct script_step steps[] = {
	    SUBMITTED, OK_JSON("{\"id\":7,\"status\":\"error\"}")};
	struct hive hive;

	begin(&hive, steps, 2, "on_error", "reject");
	cr_assert_eq(tell_level(&hive, "dt", "x"), SECOR_REJECT);
	end(&hive);
}

Test(qubole, command_that_does_not_end_is_given_up, .timeout = 120)
{
	enum { MOST = 2000 };
	static struct script_step steps[MOST] = {SUBMITTED};
	struct hive hive;

	for (size_t i = 1; i < MOST; i++)
		steps[i] = (struct script_step)OK_JSON(
		    "{\"id\":7,\"status\":\"running\"}");
	begin(&hive, steps, MOST, "timeout", "100ms");
	cr_assert_eq(tell_level(&hive, "dt", "x"), SECOR_RETRY);
	expect_text(&hive, "command 7 has not ended within 100 ms: ");
	expect_text(&hive, "; not cancelled, so it may still run (");
	cr_assert_gt(script_count(hive.script), 2);
	end(&hive);
}

/* It is longer than the time that there is. */
Test(qubole, cancel_has_the_patience_that_is_asked_for, .timeout = 120)
{
	enum { MOST = 300 };
	static const char LATER[] = "Retry-After: 3600\r\n";
	static struct script_step steps[MOST] = {SUBMITTED,
	    {.status = 429, .headers = LATER},
	    {.status = 429, .headers = LATER}};
	struct hive hive;

	for (size_t i = 3; i < MOST; i++)
		steps[i] = (struct script_step)OK_JSON(
		    "{\"id\":7,\"status\":\"running\"}");
	begin(&hive, steps, MOST, "timeout", "500ms");
	cr_assert_eq(tell_level(&hive, "dt", "x"), SECOR_RETRY);
	expect_text(&hive, "; not cancelled, so it may still run (");
	/* submitted, a look, its cancel, a look */
	cr_assert_leq(script_count(hive.script), 4);
	end(&hive);
}

Test(qubole, command_that_is_left_to_run_is_counted, .timeout = 120)
{
	enum { MOST = 2000 };
	static struct script_step steps[MOST] = {SUBMITTED};
	const struct metric *left =
	    metric_counter("secor_qubole_not_cancelled_total", "", NULL);
	struct hive hive;

	for (size_t i = 1; i < MOST; i++)
		steps[i] = (struct script_step)OK_JSON(
		    "{\"id\":7,\"status\":\"running\"}");
	begin(&hive, steps, MOST, "timeout", "100ms");
	harness_close(hive.plugin, hive.self);
	cr_assert_eq(harness_set(hive.plugin, hive.conf, "cancel_timeout", "0s",
			 &hive.err),
	    SECOR_OK);
	hive.self = harness_open(hive.plugin, hive.conf, NULL);
	cr_assert_eq(tell_level(&hive, "dt", "x"), SECOR_RETRY);
	cr_assert_eq(metric_get(left), 1);
	end(&hive);
}

Test(qubole, server_that_stalls_is_given_up, .timeout = 120)
{
	static const struct script_step steps[] = {{.how = SCRIPT_STALL}};
	struct hive hive;

	begin(&hive, steps, 1, "timeout", "100ms");
	cr_assert_eq(tell_level(&hive, "dt", "x"), SECOR_RETRY);
	end(&hive);
}

Test(qubole, level_that_a_path_lacks_is_rejected, .timeout = 120)
{
	struct hive hive;

	begin(&hive, NULL, 0, "statements", "X {level:country}");
	cr_assert_eq(tell_level(&hive, "dt", "x"), SECOR_REJECT);
	expect_text(&hive, "statement 1: path 'dt=x' has no level country");
	cr_assert_eq(script_count(hive.script), 0);
	end(&hive);
}
