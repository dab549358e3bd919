/*
 * qubole_known_test.c -- the notifier qubole: a partition that was added is
 * known, but none that is another one, and none that may have gone.
 */
#include "tests/unit/harness.h"
#include "tests/unit/plugins/common/script.h"
#include "tests/unit/plugins/notifier/event.h"

#include <criterion/criterion.h>
#include <string.h>

#define OK_JSON(text)                       \
	{                                   \
		.status = 200, .body = text \
	}
#define SUBMITTED OK_JSON("{\"id\": 7, \"status\": \"waiting\"}")
#define DONE OK_JSON("{\"id\": 7, \"status\": \"done\"}")
#define ERROR OK_JSON("{\"id\": 7, \"status\": \"error\"}")

static const struct secor_event_level LEVEL = {"dt", "a"};

static struct {
	const struct plugin *plugin;
	struct script *script;
	void *conf, *self;
	struct secor_err err;
} t;

static void
begin(const struct script_step *steps, size_t n, const char *tables,
    const char *key, const char *list)
{
	t.plugin = harness_plugin("notifier/qubole");
	t.script = script_start(steps, n);
	t.conf = harness_conf(t.plugin, "base_url", script_url(t.script),
	    "token", "t0ken", "tables", tables, "poll_interval", "1ms", key,
	    list, NULL);
	t.self = harness_open(t.plugin, t.conf, NULL);
}

static void
end(void)
{
	harness_close(t.plugin, t.self);
	harness_conf_free(t.plugin, t.conf);
	script_stop(t.script);
}

static int
tell(const char *topic)
{
	struct event_object object = event_object("dt=a", &LEVEL, 1);
	struct secor_event_batch batch = event_batch(topic, &object, 1);

	return t.plugin->ops.notifier->batch_done(t.self, &batch, &t.err);
}

static int
amend(void)
{
	struct event_object object = event_object("dt=a", &LEVEL, 1);
	struct secor_event_path path = event_path("dt=a", &LEVEL, 1);

	path.objects = &object.object;
	path.object_count = 1;
	return t.plugin->ops.notifier->path_amended(t.self, &path, &t.err);
}

static void
expect(size_t which, const char *part)
{
	const char *request = script_request(t.script, which);

	cr_expect_not_null(
	    strstr(request, part), "%s\nlacks %s", request, part);
}

Test(qubole_known, same_path_of_another_topic_in_one_table_is_submitted,
    .timeout = 120)
{
	static const struct script_step steps[] = {
	    SUBMITTED, DONE, SUBMITTED, DONE};

	begin(steps, 4, "{one: logs, other: logs}", "statements",
	    "[CALL add {topic} {partition} {location}]");
	cr_assert_eq(tell("one"), SECOR_OK, "%s", t.err.text);
	cr_assert_eq(tell("one"), SECOR_OK);
	cr_assert_eq(tell("other"), SECOR_OK, "%s", t.err.text);
	cr_assert_eq(script_count(t.script), 4);
	expect(2, "CALL add 'other' dt='a' '");
	end();
}

/* Somebody may have dropped it, and then it is what fails. */
Test(qubole_known, partition_is_added_again_when_what_needs_it_fails,
    .timeout = 120)
{
	static const struct script_step steps[] = {SUBMITTED, DONE, SUBMITTED,
	    ERROR, SUBMITTED, DONE, SUBMITTED, DONE};

	begin(steps, 8, "{t: logs}", "amended_statements",
	    "[ANALYZE TABLE {table} PARTITION ({partition})]");
	cr_assert_eq(tell("t"), SECOR_OK, "%s", t.err.text);
	cr_assert_eq(amend(), SECOR_RETRY);
	cr_assert_eq(amend(), SECOR_OK, "%s", t.err.text);
	cr_assert_eq(script_count(t.script), 8);
	expect(4, "ALTER TABLE logs ADD IF NOT EXISTS PARTITION (dt='a')");
	expect(6, "ANALYZE TABLE logs PARTITION (dt='a')");
	end();
}
