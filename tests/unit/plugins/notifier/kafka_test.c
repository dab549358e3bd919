/*
 * kafka_test.c -- what the notifier kafka writes, and what it says of brokers.
 */
#include "tests/unit/plugins/notifier/event.h"
#include "tests/unit/plugins/notifier/kafka_help.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

Test(kafka, objects_and_paths_are_written, .timeout = 120)
{
	struct events e;

	events_begin(&e, NULL, NULL);
	events_open(&e);
	cr_assert_eq(events_batch(&e), SECOR_OK, "%s", e.err.text);
	cr_assert_eq(events_path(&e, 2), SECOR_OK, "%s", e.err.text);
	cr_assert_eq(events_read(&e), 3);
	cr_assert_str_eq(e.names[0], "object_stored");
	cr_assert_str_eq(e.names[2], "path_finalized");
	cr_assert_str_eq(e.keys[0], "t/dt=2026-01-01");
	cr_assert_str_eq(e.keys[1], "t/dt=2026-01-02");
	cr_assert_str_eq(e.keys[2], "t/dt=2026-01-01");
	cr_assert_str_eq(events_member(&e, 0, "event"), "object_stored");
	cr_assert_str_eq(events_member(&e, 0, "id"),
	    "t/raw/t/dt=2026-01-01/1_3_00000000000000000100.gz");
	cr_assert_str_eq(events_member(&e, 0, "crc32c"), "00c0ffee");
	cr_assert_str_eq(events_member(&e, 1, "path"), "dt=2026-01-02");
	cr_assert_eq(
	    json_integer_value(json_object_get(e.values[0], "start")), 100);
	cr_assert_eq(
	    json_array_size(json_object_get(e.values[2], "objects")), 2);
	cr_assert_null(json_object_get(e.values[2], "parts"));
	events_end(&e);
}

Test(kafka, key_and_events_are_as_configured, .timeout = 120)
{
	struct events e;

	events_begin(&e, "events", "[batch]");
	(void)harness_set(e.plugin, e.conf, "key", "partition", NULL);
	events_open(&e);
	cr_assert_eq(events_path(&e, 1), SECOR_OK, "%s", e.err.text);
	cr_assert_eq(events_batch(&e), SECOR_OK, "%s", e.err.text);
	cr_assert_eq(events_read(&e), 1);
	cr_assert_str_eq(e.names[0], "batch_done");
	cr_assert_str_eq(e.keys[0], "t/3");
	cr_assert_eq(
	    json_array_size(json_object_get(e.values[0], "objects")), 2);
	events_end(&e);
}

Test(kafka, large_event_comes_in_parts_with_all_objects, .timeout = 120)
{
	int64_t next = 0;
	struct events e;
	size_t n, index;
	json_t *object;

	events_begin(&e, "properties", "{message.max.bytes: 4000}");
	events_open(&e);
	cr_assert_eq(events_path(&e, 40), SECOR_OK, "%s", e.err.text);
	n = events_read(&e);
	cr_assert_gt(n, 1);
	for (size_t i = 0; i < n; i++) {
		json_t *all = e.values[i];

		cr_assert_eq(
		    json_integer_value(json_object_get(all, "part")), i + 1);
		cr_assert_eq(
		    json_integer_value(json_object_get(all, "parts")), n);
		cr_assert_str_eq(events_member(&e, i, "id"), "t/dt=2026-01-01");
		json_array_foreach(
		    json_object_get(all, "objects"), index, object)
		    cr_assert_eq(json_integer_value(
				     json_object_get(object, "first_offset")),
			next++);
	}
	cr_assert_eq(next, 40);
	events_end(&e);
}

/* Those that lie side by side are larger than all are on average. */
Test(kafka, parts_have_room_for_objects_of_any_size, .timeout = 120)
{
	struct event_object objects[40];
	struct secor_event_batch batch;
	char name[2000];
	size_t n, sum = 0;
	struct events e;

	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	for (size_t i = 0; i < 40; i++) {
		objects[i] = event_object("dt=2026-01-01", EVENTS_LEVELS, 1);
		if (i >= 32)
			objects[i].object.key = objects[i].object.url = name;
	}
	batch = event_batch("t", objects, 40);
	events_begin(&e, "properties", "{message.max.bytes: 8000}");
	cr_assert_eq(harness_set(e.plugin, e.conf, "events", "[batch]", &e.err),
	    SECOR_OK);
	events_open(&e);
	cr_assert_eq(e.plugin->ops.notifier->batch_done(e.self, &batch, &e.err),
	    SECOR_OK, "%s", e.err.text);
	n = events_read(&e);
	for (size_t i = 0; i < n; i++)
		sum += json_array_size(json_object_get(e.values[i], "objects"));
	cr_assert_eq(sum, 40);
	events_end(&e);
}

Test(kafka, refusal_of_a_broker_is_retried_with_its_name, .timeout = 120)
{
	static const struct {
		rd_kafka_resp_err_t code;
		const char *want;
	} rows[] = {
	    {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
		"topic events-t: Broker: Topic authorization failed"},
	    {RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION,
		"topic events-t: Broker: Invalid topic"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct events e;

		events_begin(&e, NULL, NULL);
		events_open(&e);
		rd_kafka_mock_push_request_errors(
		    e.cluster, EVENTS_PRODUCE, 1, rows[i].code);
		cr_assert_eq(events_batch(&e), SECOR_RETRY);
		cr_assert_not_null(
		    strstr(e.err.text, rows[i].want), "%s", e.err.text);
		cr_assert_eq(events_batch(&e), SECOR_OK, "%s", e.err.text);
		cr_assert_geq(events_read(&e), 2);
		events_end(&e);
	}
}

Test(kafka, fatal_error_begins_anew, .timeout = 120)
{
	struct events e;

	events_begin(&e, NULL, NULL);
	events_open(&e);
	rd_kafka_mock_push_request_errors(e.cluster, EVENTS_INIT_PRODUCER_ID, 1,
	    RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED);
	cr_assert_eq(events_batch(&e), SECOR_RETRY);
	cr_assert_not_null(
	    strstr(e.err.text,
		"the producer begins anew after CLUSTER_AUTHORIZATION_FAILED"),
	    "%s", e.err.text);
	cr_assert_eq(events_batch(&e), SECOR_OK, "%s", e.err.text);
	cr_assert_eq(events_read(&e), 2);
	events_end(&e);
}

Test(kafka, topic_that_takes_less_gets_smaller_parts, .timeout = 120)
{
	struct events e;

	events_begin(&e, "properties", "{message.max.bytes: 16000}");
	events_open(&e);
	rd_kafka_mock_push_request_errors(
	    e.cluster, EVENTS_PRODUCE, 1, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
	cr_assert_eq(events_path(&e, 40), SECOR_OK, "%s", e.err.text);
	cr_assert_gt(events_read(&e), 2);
	/* no less can be sent at a time: each part by itself */
	events_refuse(&e, 1, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
	cr_assert_eq(events_path(&e, 40), SECOR_OK, "%s", e.err.text);
	events_refuse(&e, 2, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
	cr_assert_eq(events_path(&e, 1), SECOR_REJECT);
	cr_assert_not_null(
	    strstr(e.err.text, "topic events-t does not take 1 of 1 messages: "
			       "path_finalized t/dt=2026-01-01: "),
	    "%s", e.err.text);
	cr_assert_not_null(strstr(e.err.text, "MSG_SIZE_TOO_LARGE"));
	events_end(&e);
}

/* All that is in a batch is refused with one of it. */
Test(kafka, object_that_is_refused_does_not_hold_up_the_others, .timeout = 120)
{
	struct events e;

	events_begin(&e, "properties", "{linger.ms: 300}");
	events_open(&e);
	events_refuse(&e, 1, RD_KAFKA_RESP_ERR_INVALID_RECORD);
	cr_assert_eq(events_batch(&e), SECOR_OK, "%s", e.err.text);
	cr_assert_eq(events_read(&e), 2);
	events_refuse(&e, 2, RD_KAFKA_RESP_ERR_INVALID_RECORD);
	cr_assert_eq(events_batch(&e), SECOR_REJECT);
	cr_assert_not_null(
	    strstr(e.err.text, "topic events-t does not take 1 of 2 messages: "
			       "object_stored t/dt=2026-01-01: "),
	    "%s", e.err.text);
	cr_assert_not_null(strstr(e.err.text, "INVALID_RECORD"));
	events_forget(&e);
	cr_assert_eq(events_read(&e), 3);
	cr_assert_str_eq(e.keys[2], "t/dt=2026-01-02");
	events_end(&e);
}

/* By the size of its own; by a broker that is away meanwhile. */
Test(kafka, only_what_was_not_taken_comes_again, .timeout = 120)
{
	struct events e;

	events_begin(&e, "properties", "{linger.ms: 300}");
	events_open(&e);
	events_refuse(&e, 1, RD_KAFKA_RESP_ERR_INVALID_RECORD);
	/* the first alone is taken, the second must come again */
	rd_kafka_mock_push_request_errors(e.cluster, EVENTS_PRODUCE, 2,
	    RD_KAFKA_RESP_ERR_NO_ERROR,
	    RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
	cr_assert_eq(events_batch(&e), SECOR_RETRY);
	cr_assert_eq(events_read(&e), 1);
	cr_assert_eq(events_batch(&e), SECOR_OK, "%s", e.err.text);
	events_forget(&e);
	cr_assert_eq(events_read(&e), 2);
	cr_assert_str_eq(e.keys[0], "t/dt=2026-01-01");
	cr_assert_str_eq(e.keys[1], "t/dt=2026-01-02");
	/* the same batch once more, after a start: from the beginning */
	cr_assert_eq(events_batch(&e), SECOR_OK, "%s", e.err.text);
	events_forget(&e);
	cr_assert_eq(events_read(&e), 4);
	events_end(&e);
}

Test(kafka, too_large_object_does_not_hold_up_the_others, .timeout = 120)
{
	struct event_object objects[3];
	struct secor_event_batch batch;
	struct events e;
	char name[3000];

	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	for (size_t i = 0; i < 3; i++)
		objects[i] = event_object("dt=2026-01-01", EVENTS_LEVELS, 1);
	objects[0].object.url = name;
	batch = event_batch("t", objects, 3);
	events_begin(&e, "properties", "{message.max.bytes: 2000}");
	cr_assert_eq(
	    harness_set(e.plugin, e.conf, "events", "[object, batch]", &e.err),
	    SECOR_OK);
	events_open(&e);
	cr_assert_eq(e.plugin->ops.notifier->batch_done(e.self, &batch, &e.err),
	    SECOR_REJECT);
	/* the object, and the part of the batch with it alone */
	cr_assert_not_null(
	    strstr(e.err.text, "does not take 2 of 6 messages: "), "%s",
	    e.err.text);
	cr_assert_not_null(
	    strstr(e.err.text, "message.max.bytes (2000)"), "%s", e.err.text);
	cr_assert_eq(events_read(&e), 4);
	events_end(&e);
}

/* Batches, and parts of what comes later, stay as they were. */
Test(kafka, objects_that_are_too_large_make_nothing_smaller, .timeout = 120)
{
	static char name[20000];
	struct event_object objects[3];
	struct secor_event_batch batch;
	struct events e;
	size_t parts;

	memset(name, 'x', sizeof(name) - 1);
	for (size_t i = 0; i < 3; i++) {
		objects[i] = event_object("dt=2026-01-01", EVENTS_LEVELS, 1);
		if (i < 2)
			objects[i].object.url = name;
	}
	batch = event_batch("t", objects, 3);
	events_begin(&e, "properties", "{message.max.bytes: 16000}");
	events_open(&e);
	cr_assert_eq(events_path(&e, 40), SECOR_OK, "%s", e.err.text);
	parts = events_read(&e);
	cr_assert_eq(e.plugin->ops.notifier->batch_done(e.self, &batch, &e.err),
	    SECOR_REJECT);
	cr_assert_not_null(
	    strstr(e.err.text, "does not take 2 of 3 messages: "), "%s",
	    e.err.text);
	cr_assert_eq(events_path(&e, 40), SECOR_OK, "%s", e.err.text);
	events_forget(&e);
	cr_assert_eq(events_read(&e), 2 * parts + 1);
	events_end(&e);
}

Test(kafka, object_that_is_too_large_alone_is_rejected, .timeout = 120)
{
	struct events e;

	events_begin(&e, "properties", "{message.max.bytes: 1000}");
	events_open(&e);
	cr_assert_eq(events_path(&e, 1), SECOR_REJECT, "%s", e.err.text);
	cr_assert_not_null(
	    strstr(e.err.text, "message.max.bytes (1000)"), "%s", e.err.text);
	events_end(&e);
}

Test(kafka, brokers_that_are_away_are_waited_for, .timeout = 120)
{
	struct events e;

	events_begin(&e, "timeout", "1s");
	events_open(&e);
	(void)rd_kafka_mock_broker_set_down(e.cluster, 1);
	cr_assert_eq(events_batch(&e), SECOR_RETRY);
	cr_assert_not_null(
	    strstr(e.err.text, "topic events-t: not acknowledged within 1 s: "),
	    "%s", e.err.text);
	(void)rd_kafka_mock_broker_set_up(e.cluster, 1);
	while (events_batch(&e) == SECOR_RETRY)
		;
	cr_assert_geq(events_read(&e), 2);
	events_end(&e);
}

Test(kafka, check_complains_of_every_mistake)
{
	static const struct {
		const char *key, *value, *want;
	} rows[] = {
	    {"topic", "secor.events_1-{topic}", ""},
	    {"topic", "", "topic: is empty\n"},
	    {"topic", "..", "topic: is no name of a topic\n"},
	    {"topic", "{topic}", "topic: is the topic that is read"},
	    {"topic", "a b", "topic: is no name of a topic: letters"},
	    {"topic", "{tpoic}", "topic: is no name of a topic: letters"},
	    {"brokers", "[]", ""},
	    {"events", "[]", "events: is empty: nothing is told\n"},
	    {"events", "[objects]",
		"events: 'objects' is none of object, batch, path\n"},
	    {"properties", "{linger.ms: 20, message.max.bytes: 5000}", ""},
	    {"properties", "{acks: 1}",
		"properties: acks is not yours to set: an event is heard"},
	    {"properties", "{enable.idempotence: false}",
		"properties: enable.idempotence is not yours to set"},
	    {"properties", "{linger.mz: 20}",
		"properties: No such configuration property: \"linger.mz\"\n"},
	    {"properties", "{linger.ms: soon}", "properties: "},
	    {"sasl.username", "me",
		"sasl.username: is for sasl.mechanism PLAIN and SCRAM\n"},
	    {"tls.key", "/a", "tls.key: needs 'tls.certificate'\n"},
	};
	const struct plugin *plugin = harness_plugin("notifier/kafka");

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		void *conf = harness_conf(
		    plugin, "brokers", "[b:9092]", "topic", "events", NULL);

		harness_expect_complaint(
		    plugin, conf, rows[i].key, rows[i].value, rows[i].want);
	}
}
