/*
 * demo.c -- `secor demo`: the whole way on one machine with nothing set up. A
 * broker inside of the process (librdkafka's mock cluster), the service itself,
 * a local store, and the proof that each message is in exactly one object.
 */
#include "core/cli/demo.h"
#include "core/base/files.h"
#include "core/base/log.h"
#include "core/cli/args.h"
#include "core/cli/cli.h"
#include "core/flow/engine.h"

#include <inttypes.h>
#include <jansson.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
    "usage: secor demo [--count N] [--dir FOLDER]\n"
    "Starts a broker inside of this process, produces events to it, stores "
    "them with\n"
    "the service itself, prints the tree, and reads every object back to "
    "prove that\n"
    "each event is in exactly one of them.\n"
    "  --count N      events (20000; 60000 at the most)\n"
    "  --dir FOLDER   keeps what it writes there (default: a new folder that "
    "is\n"
    "                 removed at the end)\n";

enum { PARTITIONS = 4, BAD_EVERY = 4000, WAIT_SECONDS = 120 };

static const char yaml[] =
    "# written by `secor demo`\n"
    "kafka:\n"
    "  brokers: [%s]\n"
    "  group: demo\n"
    "  topics: [" DEMO_TOPIC "]\n"
    "  session_timeout: 6s\n"
    "parser: { use: json, time_field: meta.created }\n"
    "partitioner:\n"
    "  - { use: field, fields: [country] }\n"
    "  - { use: date, granularity: hour }\n"
    "format: { use: text, compression: gzip }\n"
    "stage: { dir: stage }\n"
    "batch: { max_age: 1s, max_bytes: 1MiB }\n"
    "store: { use: local, dir: data }\n"
    "bad_messages: { action: dead_letter, halt_above: 10%% }\n";

struct demo {
	int64_t count;
	const char *dir; /* of --dir */
	char *folder;
	char *file; /* the YAML */
	rd_kafka_t *producer;
	rd_kafka_mock_cluster_t *cluster;
	struct engine *engine;
	pthread_t thread;
	int64_t failed;
	int complete; /* all is stored */
};

/* ---- the embedded broker and its events ---- */

static void
on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
	struct demo *demo = opaque;

	(void)rk;
	if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR)
		demo->failed++;
}

static int
open_broker(struct demo *demo, struct secor_err *err)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char why[256];

	rd_kafka_conf_set_opaque(conf, demo);
	rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
	rd_kafka_conf_set_log_cb(conf, NULL);
	demo->producer =
	    rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
	if (demo->producer == NULL) {
		rd_kafka_conf_destroy(conf);
		return secor_fail(err, SECOR_FATAL, "kafka client: %s", why);
	}
	demo->cluster = rd_kafka_mock_cluster_new(demo->producer, 1);
	if (demo->cluster == NULL ||
	    rd_kafka_mock_topic_create(demo->cluster, DEMO_TOPIC, PARTITIONS,
		1) != RD_KAFKA_RESP_ERR_NO_ERROR)
		return secor_fail(
		    err, SECOR_FATAL, "the embedded broker does not start");
	(void)rd_kafka_brokers_add(
	    demo->producer, rd_kafka_mock_cluster_bootstraps(demo->cluster));
	return SECOR_OK;
}

/* Events of three hours, one in twenty late; one in BAD_EVERY is no JSON. */
static int
event(int64_t id, int64_t now_ms, char *dst, size_t room)
{
	static const char *const countries[] = {"de", "fr", "us"};
	int64_t at = now_ms - 3 * 3600000 + id % 3000 * 3000;

	if (id % 20 == 7)
		at -= 3600000;
	if (id % BAD_EVERY == BAD_EVERY / 2)
		return snprintf(dst, room,
		    "{\"id\":%" PRId64 ",\"meta\":{\"created\":", id);
	return snprintf(dst, room,
	    "{\"id\":%" PRId64
	    ",\"country\":\"%s\",\"meta\":{\"created\":%" PRId64
	    "},\"path\":\"/shop/item/%" PRId64 "\",\"ms\":%" PRId64 "}",
	    id, countries[id % 3], at, id * 7919 % 1000, id * 31 % 977);
}

static void
nap_ms(long ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000};

	(void)nanosleep(&t, NULL);
}

static void
produce(struct demo *demo)
{
	int64_t now_ms = (int64_t)time(NULL) * 1000;
	char text[512];

	for (int64_t id = 0; id < demo->count; id++) {
		int len = event(id, now_ms, text, sizeof(text));

		while (rd_kafka_producev(demo->producer,
			   RD_KAFKA_V_TOPIC(DEMO_TOPIC),
			   RD_KAFKA_V_PARTITION((int32_t)(id % PARTITIONS)),
			   RD_KAFKA_V_VALUE(text, (size_t)len),
			   RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
			   RD_KAFKA_V_END) == RD_KAFKA_RESP_ERR__QUEUE_FULL)
			(void)rd_kafka_poll(demo->producer, 50);
		if (id % 1000 == 0) {
			(void)rd_kafka_poll(demo->producer, 0);
			nap_ms(150); /* so that several batches are seen */
		}
	}
	(void)rd_kafka_flush(demo->producer, 30000);
}

static json_t *
status_of(struct demo *demo)
{
	struct buf text = {0};
	json_t *status;

	engine_status(demo->engine, &text);
	status =
	    json_loadb(text.ptr == NULL ? "" : text.ptr, text.len, 0, NULL);
	buf_fini(&text);
	return status;
}

static void
wait_assigned(struct demo *demo)
{
	int assigned = 0;

	for (int i = 0; i < WAIT_SECONDS * 10 && !assigned; i++) {
		json_t *status = status_of(demo);

		assigned = json_is_true(json_object_get(status, "assigned"));
		json_decref(status);
		nap_ms(100);
	}
}

/* Offsets of all partitions that are stored. */
static int64_t
stored(struct demo *demo)
{
	json_t *status = status_of(demo);
	json_t *part;
	int64_t sum = 0;
	size_t i;

	json_array_foreach(json_object_get(status, "partitions"), i, part)
	{
		sum += json_integer_value(json_object_get(part, "committed"));
	}
	json_decref(status);
	return sum;
}

static void *
watch(void *arg)
{
	struct demo *demo = arg;

	wait_assigned(demo);
	produce(demo);
	for (int i = 0; i < WAIT_SECONDS * 10 && !demo->complete; i++) {
		demo->complete = stored(demo) == demo->count;
		nap_ms(100);
	}
	engine_stop(demo->engine);
	engine_wake(demo->engine);
	return NULL;
}

/* ---- the service ---- */

static int
write_yaml(struct demo *demo, struct secor_err *err)
{
	FILE *out;

	demo->file = mem_text("%s/demo.yaml", demo->folder);
	out = fopen(demo->file, "w");
	if (out == NULL)
		return secor_fail(
		    err, SECOR_RETRY, "%s cannot be written", demo->file);
	(void)fprintf(
	    out, yaml, rd_kafka_mock_cluster_bootstraps(demo->cluster));
	return fclose(out) == 0 ? SECOR_OK
				: secor_fail(err, SECOR_RETRY,
				      "%s cannot be written", demo->file);
}

static int
make_folder(struct demo *demo, struct secor_err *err)
{
	const char *tmp = getenv("TMPDIR");

	if (demo->dir != NULL) {
		demo->folder = mem_dup(demo->dir, strlen(demo->dir));
		return file_mkdirs(demo->folder, err);
	}
	demo->folder =
	    mem_text("%s/secor-demo-XXXXXX", tmp == NULL ? "/tmp" : tmp);
	if (mkdtemp(demo->folder) == NULL)
		return secor_fail(err, SECOR_RETRY, "no temporary folder in %s",
		    tmp == NULL ? "/tmp" : tmp);
	return SECOR_OK;
}

static int
serve(struct demo *demo, const struct config *config, struct secor_err *err)
{
	struct engine_options options = {.finish_plans_with = NULL};
	int rc = engine_new(config, &options, &demo->engine, err);

	if (rc != SECOR_OK)
		return rc;
	if (pthread_create(&demo->thread, NULL, watch, demo) != 0)
		abort();
	rc = engine_run(demo->engine, err);
	(void)pthread_join(demo->thread, NULL);
	engine_free(demo->engine);
	return rc;
}

static int
tell(const struct demo *demo, const struct demo_proof *proof)
{
	int good = proof->lost == 0 && proof->doubled == 0 &&
		   proof->strange == 0 && proof->once == demo->count;

	printf("\n%" PRId64 " events produced; read back from %" PRId64
	       " objects and %" PRId64 " dead-letter objects:\n",
	    demo->count, proof->objects, proof->dead_letters);
	printf("  %" PRId64 " in exactly one object, %" PRId64 " lost, %" PRId64
	       " doubled\n",
	    proof->once, proof->lost, proof->doubled);
	printf("%s\n", good ? "PROVED: each message is in exactly one object."
			    : "FAILED: this must not happen.");
	return good ? CLI_OK : CLI_FOUND;
}

static int
prove(struct demo *demo, const struct config *config)
{
	char name[] = "verify";
	char *verify[] = {name, demo->file, NULL};
	struct demo_proof proof;
	struct secor_err err;
	int code;

	printf("\nWhat is in the store:\n");
	if (demo_prove(config, demo->count, &proof, &err) != SECOR_OK) {
		(void)fprintf(stderr, "secor: %s\n", err.text);
		return CLI_FOUND;
	}
	code = tell(demo, &proof);
	printf("\nAnd `secor verify`, from manifests and committed offsets:\n");
	(void)fflush(stdout);
	if (cli_verify(2, verify) != CLI_OK)
		code = CLI_FOUND;
	return code;
}

static int
run(struct demo *demo)
{
	struct registry *registry = NULL;
	struct config *config = NULL;
	struct secor_err err = {{0}};
	int code = CLI_ENVIRONMENT;
	int rc = open_broker(demo, &err);

	if (rc == SECOR_OK)
		rc = make_folder(demo, &err);
	if (rc == SECOR_OK)
		rc = write_yaml(demo, &err);
	if (rc == SECOR_OK) {
		config = cli_config(demo->file, 0, &registry, &code);
		if (config != NULL) {
			log_level_set(config->engine.log_level);
			rc = serve(demo, config, &err);
		}
	}
	if (rc != SECOR_OK)
		(void)fprintf(stderr, "secor: %s\n", err.text);
	else if (config != NULL && (!demo->complete || demo->failed > 0))
		(void)fprintf(stderr,
		    "secor: not all events were stored "
		    "within %d s\n",
		    WAIT_SECONDS);
	else if (config != NULL)
		code = prove(demo, config);
	config_free(config);
	registry_free(registry);
	return code;
}

int
cli_demo(int argc, char **argv)
{
	struct demo demo = {.count = 20000};
	const struct cli_option options[] = {
	    {"count", CLI_NUMBER, &demo.count},
	    {"dir", CLI_TEXT, &demo.dir},
	};
	const struct cli_table table = {
	    usage, options, sizeof(options) / sizeof(options[0]), 0, 0};
	struct cli_words words;
	int code = cli_args(argc, argv, &table, &words);

	if (code >= 0)
		return code;
	free(words.items);
	if (demo.count < 1 || demo.count > 60000) {
		(void)fputs(usage, stderr);
		return CLI_USAGE;
	}
	code = run(&demo);
	if (demo.cluster != NULL)
		rd_kafka_mock_cluster_destroy(demo.cluster);
	if (demo.producer != NULL)
		rd_kafka_destroy(demo.producer);
	if (demo.dir == NULL && demo.folder != NULL)
		(void)file_remove_tree(demo.folder, NULL);
	free(demo.folder);
	free(demo.file);
	return code;
}
