/*
 * kafka_test.c -- the notifier kafka against librdkafka's mock brokers.
 */
#include "tests/unit/harness.h"
#include "tests/unit/plugins/notifier/event.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <secor/token.h>
#include <stdlib.h>
#include <string.h>

enum { PRODUCE = 0, INIT_PRODUCER_ID = 22, MOST = 64 };

static const struct secor_event_level LEVELS[] = {{"dt", "2026-01-01"}};

/* A notifier at a cluster of one broker with a topic of one partition. */
struct events {
	rd_kafka_t *owner;
	rd_kafka_mock_cluster_t *cluster;
	const struct plugin *plugin;
	void *conf, *self;
	struct secor_err err;
	json_t *values[MOST];
	char keys[MOST][64], names[MOST][64];
};

static void
begin(struct events *e, const char *key, const char *value)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char why[256];

	memset(e, 0, sizeof(*e));
	e->owner = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
	cr_assert_not_null(e->owner, "%s", why);
	e->cluster = rd_kafka_mock_cluster_new(e->owner, 1);
	cr_assert_not_null(e->cluster);
	(void)rd_kafka_mock_topic_create(e->cluster, "events-t", 1, 1);
	e->plugin = harness_plugin("notifier/kafka");
	e->conf = harness_conf(e->plugin, "brokers",
	    rd_kafka_mock_cluster_bootstraps(e->cluster), "topic",
	    "events-{topic}", key, value, NULL);
}

static void
open_it(struct events *e)
{
	char *complaints = harness_check(e->plugin, e->conf);

	cr_assert_str_eq(complaints, "");
	free(complaints);
	e->self = harness_open(e->plugin, e->conf, NULL);
}

static void
end(struct events *e)
{
	for (size_t i = 0; i < MOST; i++)
		json_decref(e->values[i]);
	harness_close(e->plugin, e->self);
	harness_conf_free(e->plugin, e->conf);
	rd_kafka_mock_cluster_destroy(e->cluster);
	rd_kafka_destroy(e->owner);
}

static int
tell_batch(struct events *e)
{
	struct event_object objects[] = {
	    event_object("dt=2026-01-01", LEVELS, 1),
	    event_object("dt=2026-01-02", LEVELS, 1)};
	struct secor_event_batch batch = event_batch("t", objects, 2);

	return e->plugin->ops.notifier->batch_done(e->self, &batch, &e->err);
}

static int
tell_path(struct events *e, size_t count)
{
	struct event_object objects[100];
	struct secor_event_path path = event_path("dt=2026-01-01", LEVELS, 1);

	path.objects = (const void *)objects;
	path.object_count = count;
	for (size_t i = 0; i < count; i++) {
		objects[i] = event_object("dt=2026-01-01", LEVELS, 1);
		objects[i].object.first_offset = (int64_t)i;
	}
	return e->plugin->ops.notifier->path_finalized(e->self, &path, &e->err);
}

static void
keep(struct events *e, size_t i, const rd_kafka_message_t *m)
{
	rd_kafka_headers_t *headers;
	const void *value;
	size_t n;

	e->values[i] = json_loadb(m->payload, m->len, 0, NULL);
	cr_assert_not_null(e->values[i]);
	(void)snprintf(e->keys[i], sizeof(e->keys[i]), "%.*s", (int)m->key_len,
	    m->key == NULL ? "" : (const char *)m->key);
	cr_assert_eq(
	    rd_kafka_message_headers(m, &headers), RD_KAFKA_RESP_ERR_NO_ERROR);
	cr_assert_eq(
	    rd_kafka_header_get_last(headers, "secor-event", &value, &n),
	    RD_KAFKA_RESP_ERR_NO_ERROR);
	(void)snprintf(
	    e->names[i], sizeof(e->names[i]), "%s", (const char *)value);
	cr_assert_eq(
	    rd_kafka_header_get_last(headers, "content-type", &value, &n),
	    RD_KAFKA_RESP_ERR_NO_ERROR);
	cr_assert_str_eq(value, "application/json");
}

/* All that is in the topic: how many. */
static size_t
read_topic(struct events *e)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_topic_partition_list_t *list =
	    rd_kafka_topic_partition_list_new(1);
	size_t count = 0;
	char why[256];
	rd_kafka_t *rk;
	int over = 0;

	(void)rd_kafka_conf_set(conf, "bootstrap.servers",
	    rd_kafka_mock_cluster_bootstraps(e->cluster), why, sizeof(why));
	(void)rd_kafka_conf_set(conf, "group.id", "g", why, sizeof(why));
	(void)rd_kafka_conf_set(
	    conf, "enable.partition.eof", "true", why, sizeof(why));
	rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));
	cr_assert_not_null(rk, "%s", why);
	(void)rd_kafka_poll_set_consumer(rk);
	rd_kafka_topic_partition_list_add(list, "events-t", 0)->offset = 0;
	(void)rd_kafka_assign(rk, list);
	while (!over) {
		rd_kafka_message_t *m = rd_kafka_consumer_poll(rk, 1000);

		if (m == NULL)
			continue;
		over = m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
		if (m->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
			cr_assert_lt(count, MOST);
			keep(e, count++, m);
		}
		rd_kafka_message_destroy(m);
	}
	rd_kafka_topic_partition_list_destroy(list);
	rd_kafka_destroy(rk);
	return count;
}

/* What was read is read again. */
static void
forget(struct events *e)
{
	for (size_t i = 0; i < MOST; i++) {
		json_decref(e->values[i]);
		e->values[i] = NULL;
	}
}

static void
refuse(struct events *e, size_t requests, rd_kafka_resp_err_t code)
{
	for (size_t i = 0; i < requests; i++)
		rd_kafka_mock_push_request_errors(e->cluster, PRODUCE, 1, code);
}

static const char *
member(const struct events *e, size_t i, const char *key)
{
	return json_string_value(json_object_get(e->values[i], key));
}

Test(kafka, objects_and_paths_are_written, .timeout = 120)
{
	struct events e;

	begin(&e, NULL, NULL);
	open_it(&e);
	cr_assert_eq(tell_batch(&e), SECOR_OK, "%s", e.err.text);
	cr_assert_eq(tell_path(&e, 2), SECOR_OK, "%s", e.err.text);
	cr_assert_eq(read_topic(&e), 3);
	cr_assert_str_eq(e.names[0], "object_stored");
	cr_assert_str_eq(e.names[2], "path_finalized");
	cr_assert_str_eq(e.keys[0], "t/dt=2026-01-01");
	cr_assert_str_eq(e.keys[1], "t/dt=2026-01-02");
	cr_assert_str_eq(e.keys[2], "t/dt=2026-01-01");
	cr_assert_str_eq(member(&e, 0, "event"), "object_stored");
	cr_assert_str_eq(member(&e, 0, "id"),
	    "t/raw/t/dt=2026-01-01/1_3_00000000000000000100.gz");
	cr_assert_str_eq(member(&e, 0, "crc32c"), "00c0ffee");
	cr_assert_str_eq(member(&e, 1, "path"), "dt=2026-01-02");
	cr_assert_eq(
	    json_integer_value(json_object_get(e.values[0], "start")), 100);
	cr_assert_eq(
	    json_array_size(json_object_get(e.values[2], "objects")), 2);
	cr_assert_null(json_object_get(e.values[2], "parts"));
	end(&e);
}

Test(kafka, key_and_events_are_as_configured, .timeout = 120)
{
	struct events e;

	begin(&e, "events", "[batch]");
	(void)harness_set(e.plugin, e.conf, "key", "partition", NULL);
	open_it(&e);
	cr_assert_eq(tell_path(&e, 1), SECOR_OK, "%s", e.err.text);
	cr_assert_eq(tell_batch(&e), SECOR_OK, "%s", e.err.text);
	cr_assert_eq(read_topic(&e), 1);
	cr_assert_str_eq(e.names[0], "batch_done");
	cr_assert_str_eq(e.keys[0], "t/3");
	cr_assert_eq(
	    json_array_size(json_object_get(e.values[0], "objects")), 2);
	end(&e);
}

Test(kafka, large_event_comes_in_parts_with_all_objects, .timeout = 120)
{
	int64_t next = 0;
	struct events e;
	size_t n, index;
	json_t *object;

	begin(&e, "properties", "{message.max.bytes: 4000}");
	open_it(&e);
	cr_assert_eq(tell_path(&e, 40), SECOR_OK, "%s", e.err.text);
	n = read_topic(&e);
	cr_assert_gt(n, 1);
	for (size_t i = 0; i < n; i++) {
		json_t *all = e.values[i];

		cr_assert_eq(
		    json_integer_value(json_object_get(all, "part")), i + 1);
		cr_assert_eq(
		    json_integer_value(json_object_get(all, "parts")), n);
		cr_assert_str_eq(member(&e, i, "id"), "t/dt=2026-01-01");
		json_array_foreach(
		    json_object_get(all, "objects"), index, object)
		    cr_assert_eq(json_integer_value(
				     json_object_get(object, "first_offset")),
			next++);
	}
	cr_assert_eq(next, 40);
	end(&e);
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
		objects[i] = event_object("dt=2026-01-01", LEVELS, 1);
		if (i >= 32)
			objects[i].object.key = objects[i].object.url = name;
	}
	batch = event_batch("t", objects, 40);
	begin(&e, "properties", "{message.max.bytes: 8000}");
	cr_assert_eq(harness_set(e.plugin, e.conf, "events", "[batch]", &e.err),
	    SECOR_OK);
	open_it(&e);
	cr_assert_eq(e.plugin->ops.notifier->batch_done(e.self, &batch, &e.err),
	    SECOR_OK, "%s", e.err.text);
	n = read_topic(&e);
	for (size_t i = 0; i < n; i++)
		sum += json_array_size(json_object_get(e.values[i], "objects"));
	cr_assert_eq(sum, 40);
	end(&e);
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

		begin(&e, NULL, NULL);
		open_it(&e);
		rd_kafka_mock_push_request_errors(
		    e.cluster, PRODUCE, 1, rows[i].code);
		cr_assert_eq(tell_batch(&e), SECOR_RETRY);
		cr_assert_not_null(
		    strstr(e.err.text, rows[i].want), "%s", e.err.text);
		cr_assert_eq(tell_batch(&e), SECOR_OK, "%s", e.err.text);
		cr_assert_geq(read_topic(&e), 2);
		end(&e);
	}
}

Test(kafka, fatal_error_begins_anew, .timeout = 120)
{
	struct events e;

	begin(&e, NULL, NULL);
	open_it(&e);
	rd_kafka_mock_push_request_errors(e.cluster, INIT_PRODUCER_ID, 1,
	    RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED);
	cr_assert_eq(tell_batch(&e), SECOR_RETRY);
	cr_assert_not_null(
	    strstr(e.err.text,
		"the producer begins anew after CLUSTER_AUTHORIZATION_FAILED"),
	    "%s", e.err.text);
	cr_assert_eq(tell_batch(&e), SECOR_OK, "%s", e.err.text);
	cr_assert_eq(read_topic(&e), 2);
	end(&e);
}

Test(kafka, topic_that_takes_less_gets_smaller_parts, .timeout = 120)
{
	struct events e;

	begin(&e, "properties", "{message.max.bytes: 16000}");
	open_it(&e);
	rd_kafka_mock_push_request_errors(
	    e.cluster, PRODUCE, 1, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
	cr_assert_eq(tell_path(&e, 40), SECOR_OK, "%s", e.err.text);
	cr_assert_gt(read_topic(&e), 2);
	/* no less can be sent at a time: each part by itself */
	refuse(&e, 1, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
	cr_assert_eq(tell_path(&e, 40), SECOR_OK, "%s", e.err.text);
	refuse(&e, 2, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
	cr_assert_eq(tell_path(&e, 1), SECOR_REJECT);
	cr_assert_not_null(
	    strstr(e.err.text, "topic events-t does not take 1 of 1 messages: "
			       "path_finalized t/dt=2026-01-01: "),
	    "%s", e.err.text);
	cr_assert_not_null(strstr(e.err.text, "MSG_SIZE_TOO_LARGE"));
	end(&e);
}

/* All that is in a batch is refused with one of it. */
Test(kafka, object_that_is_refused_does_not_hold_up_the_others, .timeout = 120)
{
	struct events e;

	begin(&e, "properties", "{linger.ms: 300}");
	open_it(&e);
	refuse(&e, 1, RD_KAFKA_RESP_ERR_INVALID_RECORD);
	cr_assert_eq(tell_batch(&e), SECOR_OK, "%s", e.err.text);
	cr_assert_eq(read_topic(&e), 2);
	refuse(&e, 2, RD_KAFKA_RESP_ERR_INVALID_RECORD);
	cr_assert_eq(tell_batch(&e), SECOR_REJECT);
	cr_assert_not_null(
	    strstr(e.err.text, "topic events-t does not take 1 of 2 messages: "
			       "object_stored t/dt=2026-01-01: "),
	    "%s", e.err.text);
	cr_assert_not_null(strstr(e.err.text, "INVALID_RECORD"));
	forget(&e);
	cr_assert_eq(read_topic(&e), 3);
	cr_assert_str_eq(e.keys[2], "t/dt=2026-01-02");
	end(&e);
}

/* By the size of its own; by a broker that is away meanwhile. */
Test(kafka, only_what_was_not_taken_comes_again, .timeout = 120)
{
	struct events e;

	begin(&e, "properties", "{linger.ms: 300}");
	open_it(&e);
	refuse(&e, 1, RD_KAFKA_RESP_ERR_INVALID_RECORD);
	/* the first alone is taken, the second must come again */
	rd_kafka_mock_push_request_errors(e.cluster, PRODUCE, 2,
	    RD_KAFKA_RESP_ERR_NO_ERROR,
	    RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
	cr_assert_eq(tell_batch(&e), SECOR_RETRY);
	cr_assert_eq(read_topic(&e), 1);
	cr_assert_eq(tell_batch(&e), SECOR_OK, "%s", e.err.text);
	forget(&e);
	cr_assert_eq(read_topic(&e), 2);
	cr_assert_str_eq(e.keys[0], "t/dt=2026-01-01");
	cr_assert_str_eq(e.keys[1], "t/dt=2026-01-02");
	/* the same batch once more, after a start: from the beginning */
	cr_assert_eq(tell_batch(&e), SECOR_OK, "%s", e.err.text);
	forget(&e);
	cr_assert_eq(read_topic(&e), 4);
	end(&e);
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
		objects[i] = event_object("dt=2026-01-01", LEVELS, 1);
	objects[0].object.url = name;
	batch = event_batch("t", objects, 3);
	begin(&e, "properties", "{message.max.bytes: 2000}");
	cr_assert_eq(
	    harness_set(e.plugin, e.conf, "events", "[object, batch]", &e.err),
	    SECOR_OK);
	open_it(&e);
	cr_assert_eq(e.plugin->ops.notifier->batch_done(e.self, &batch, &e.err),
	    SECOR_REJECT);
	/* the object, and the part of the batch with it alone */
	cr_assert_not_null(
	    strstr(e.err.text, "does not take 2 of 6 messages: "), "%s",
	    e.err.text);
	cr_assert_not_null(
	    strstr(e.err.text, "message.max.bytes (2000)"), "%s", e.err.text);
	cr_assert_eq(read_topic(&e), 4);
	end(&e);
}

Test(kafka, object_that_is_too_large_alone_is_rejected, .timeout = 120)
{
	struct events e;

	begin(&e, "properties", "{message.max.bytes: 1000}");
	open_it(&e);
	cr_assert_eq(tell_path(&e, 1), SECOR_REJECT, "%s", e.err.text);
	cr_assert_not_null(
	    strstr(e.err.text, "message.max.bytes (1000)"), "%s", e.err.text);
	end(&e);
}

Test(kafka, brokers_that_are_away_are_waited_for, .timeout = 120)
{
	struct events e;

	begin(&e, "timeout", "1s");
	open_it(&e);
	(void)rd_kafka_mock_broker_set_down(e.cluster, 1);
	cr_assert_eq(tell_batch(&e), SECOR_RETRY);
	cr_assert_not_null(
	    strstr(e.err.text, "topic events-t: not acknowledged within 1 s: "),
	    "%s", e.err.text);
	(void)rd_kafka_mock_broker_set_up(e.cluster, 1);
	while (tell_batch(&e) == SECOR_RETRY)
		;
	cr_assert_geq(read_topic(&e), 2);
	end(&e);
}

/* ---- the service's own cluster ---- */

struct own {
	struct secor_cluster given;
	struct secor_pair items[4];
	int asked;
};

static int
no_token(const struct secor_cluster *cluster,
    void (*take)(void *arg, const struct secor_token *token), void *arg,
    struct secor_err *err)
{
	(void)take;
	(void)arg;
	((struct own *)cluster)->asked++;
	return secor_fail(err, SECOR_FATAL, "nobody knows you");
}

static int
some_token(const struct secor_cluster *cluster,
    void (*take)(void *arg, const struct secor_token *token), void *arg,
    struct secor_err *err)
{
	const struct secor_token token = {.size = sizeof(token),
	    .value = "t0ken",
	    .principal = "me",
	    .expires_ms = INT64_C(32503680000000)};

	(void)err;
	((struct own *)cluster)->asked++;
	take(arg, &token);
	return SECOR_OK;
}

/* Brokers as they are given with the others. */
static void
own_init(struct own *own, const struct events *e)
{
	*own = (struct own){.given = {.size = sizeof(own->given)}};
	own->items[0] = (struct secor_pair){
	    "bootstrap.servers", rd_kafka_mock_cluster_bootstraps(e->cluster)};
	own->given.properties = (struct secor_pairs){own->items, 1};
}

static void
own_login(struct own *own)
{
	own->items[1] =
	    (struct secor_pair){"security.protocol", "sasl_plaintext"};
	own->items[2] = (struct secor_pair){"sasl.mechanism", "OAUTHBEARER"};
	own->given.properties.count = 3;
}

static int
open_own(struct events *e, const struct secor_cluster *cluster)
{
	struct secor_open with = {.size = sizeof(with),
	    .conf = e->conf,
	    .host = e->plugin->host,
	    .cluster = cluster};

	return harness_open_with(e->plugin, &with, &e->self, &e->err);
}

Test(kafka, without_brokers_it_is_the_cluster_of_the_service, .timeout = 120)
{
	struct events e;
	struct own own;

	begin(&e, "brokers", "[]");
	own_init(&own, &e);
	cr_assert_eq(open_own(&e, &own.given), SECOR_OK, "%s", e.err.text);
	cr_assert_eq(tell_batch(&e), SECOR_OK, "%s", e.err.text);
	cr_assert_eq(read_topic(&e), 2);
	end(&e);
}

Test(kafka, without_brokers_and_cluster_it_does_not_open)
{
	struct events e;

	begin(&e, "brokers", "[]");
	cr_assert_eq(open_own(&e, NULL), SECOR_FATAL);
	cr_assert_not_null(strstr(e.err.text, "brokers are not given"));
	end(&e);
}

Test(kafka, token_that_nobody_gives_is_named, .timeout = 120)
{
	struct events e;
	struct own own;

	begin(&e, "brokers", "[]");
	own_init(&own, &e);
	own_login(&own);
	own.given.token = no_token;
	cr_assert_eq(open_own(&e, &own.given), SECOR_OK, "%s", e.err.text);
	cr_assert_eq(own.asked, 0);
	cr_assert_eq(tell_batch(&e), SECOR_RETRY);
	cr_assert_not_null(
	    strstr(e.err.text, "no token for the brokers: nobody knows you"),
	    "%s", e.err.text);
	cr_assert_eq(own.asked, 1);
	end(&e);
}

/* The client asks for a first one too. */
Test(kafka, token_is_fetched_once_a_handle, .timeout = 120)
{
	struct events e;
	struct own own;

	begin(&e, "brokers", "[]");
	(void)harness_set(e.plugin, e.conf, "timeout", "1s", &e.err);
	own_init(&own, &e);
	own_login(&own);
	own.given.token = some_token;
	cr_assert_eq(open_own(&e, &own.given), SECOR_OK, "%s", e.err.text);
	/* these brokers know no SASL */
	cr_assert_eq(tell_batch(&e), SECOR_RETRY);
	cr_assert_eq(own.asked, 1);
	cr_assert_eq(tell_batch(&e), SECOR_RETRY);
	cr_assert_eq(own.asked, 2);
	end(&e);
}

Test(kafka, login_of_its_own_needs_brokers_of_its_own)
{
	static const struct {
		const char *key, *value, *want;
	} rows[] = {
	    {"tls.enabled", "true", "tls.enabled: needs 'brokers': "},
	    {"sasl.mechanism", "OAUTHBEARER",
		"sasl.mechanism: needs 'brokers': "},
	    {"properties", "{ssl.ca.location: /a}",
		"properties: ssl.ca.location is not yours to set: without"},
	    {"properties", "{linger.ms: 20}", ""},
	};
	const struct plugin *plugin = harness_plugin("notifier/kafka");

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		void *conf = harness_conf(plugin, "topic", "events", NULL);

		harness_expect_complaint(
		    plugin, conf, rows[i].key, rows[i].value, rows[i].want);
	}
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
