/*
 * mock_service.c -- see mock_service.h.
 */
#include "tests/unit/helpers/mock_service.h"

#include "core/base/log.h"
#include "tests/unit/harness.h"

#include <criterion/criterion.h>
#include <criterion/options.h>
#include <ftw.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif

enum { LIMIT_SECONDS = 80, IDS_MAX = 100000 };
enum { MOCK_JOBS = 12 };

static const char yaml[] =
    "kafka: { brokers: [%s], group: g, topics: [" MOCK_TOPIC "],\n"
    "         session_timeout: 6s, compacted: allow,\n"
    "         properties: { fetch.wait.max.ms: 50 } }\n"
    "parser: { use: raw, time_source: kafka }\n"
    "partitioner: { use: date, granularity: hour }\n"
    "format: { use: text }\n"
    "stage: { dir: stage }\n"
    "batch: { max_age: 100ms }\n"
    "engine: { stop_timeout: 5s, revoke_grace: 1s, writers: 1,\n"
    "          uploaders: 2 }\n"
    "store: { use: local, dir: data }\n";

/* ---- set up ---- */

int mock_fetch = CONFIG_FETCH_AUTO;

void
mock_side_by_side(void)
{
	criterion_options.jobs = MOCK_JOBS;
#ifdef __SANITIZE_ADDRESS__
	/* Criterion's own process leaks then. Tests are processes that begin
	 * anew: theirs are seen. */
	__lsan_disable();
#endif
}

static void
on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
	(void)rk;
	(void)opaque;
	cr_assert(message->err == RD_KAFKA_RESP_ERR_NO_ERROR);
}

static void
open_broker(struct mock_service *s, int partitions)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char why[256];

	rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
	rd_kafka_conf_set_log_cb(conf, NULL);
	s->producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
	cr_assert_not_null(s->producer, "%s", why);
	s->cluster = rd_kafka_mock_cluster_new(s->producer, 1);
	cr_assert_not_null(s->cluster);
	cr_assert_eq(
	    rd_kafka_mock_topic_create(s->cluster, MOCK_TOPIC, partitions, 1),
	    RD_KAFKA_RESP_ERR_NO_ERROR);
	(void)rd_kafka_brokers_add(
	    s->producer, rd_kafka_mock_cluster_bootstraps(s->cluster));
}

static void
complain(void *arg, const char *line)
{
	(void)arg;
	cr_assert_fail("%s", line);
}

void
mock_open(struct mock_service *s, int partitions)
{
	struct config_how how = {.complain = complain};
	char *plugins = mem_text("%s/plugins", harness_build());
	char *file;
	FILE *out;

	memset(s, 0, sizeof(*s));
	log_level_set(getenv("MOCK_LOG") != NULL ? SECOR_DEBUG : -1);
	open_broker(s, partitions);
	s->folder = mem_text("/tmp/secor-mock-XXXXXX");
	cr_assert_not_null(mkdtemp(s->folder));
	file = mem_text("%s/secor.yaml", s->folder);
	out = fopen(file, "w");
	cr_assert_not_null(out);
	(void)fprintf(out, yaml, rd_kafka_mock_cluster_bootstraps(s->cluster));
	cr_assert_eq(fclose(out), 0);
	s->registry = registry_new(plugins, 1);
	how.registry = s->registry;
	cr_assert_eq(config_load(file, &how, &s->config), SECOR_OK);
	s->config->kafka.fetch = mock_fetch;
	free(file);
	free(plugins);
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void
mock_close(struct mock_service *s)
{
	cr_assert_not(s->running);
	config_free(s->config);
	registry_free(s->registry);
	rd_kafka_mock_cluster_destroy(s->cluster);
	rd_kafka_destroy(s->producer);
	(void)nftw(s->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(s->folder);
}

/* ---- waiting ---- */

static void
nap(int64_t *waited_ms, const char *what)
{
	struct timespec t = {0, 10 * 1000000};

	cr_assert_lt(*waited_ms, LIMIT_SECONDS * 1000, "no %s", what);
	(void)nanosleep(&t, NULL);
	*waited_ms += 10;
}

static json_t *
status(struct mock_service *s)
{
	struct buf text = {0};
	json_t *all;

	engine_status(s->engine, &text);
	all = json_loadb(text.ptr == NULL ? "" : text.ptr, text.len, 0, NULL);
	buf_fini(&text);
	return all;
}

/* Whether the partition's status has the text, or the number, under the key. */
static int
shows(struct mock_service *s, int32_t partition, const char *key,
    const char *text, int64_t number)
{
	json_t *all = status(s);
	json_t *one;
	size_t i;
	int yes = 0;

	json_array_foreach(json_object_get(all, "partitions"), i, one)
	{
		json_t *value = json_object_get(one, key);

		if (json_integer_value(json_object_get(one, "partition")) !=
		    partition)
			continue;
		if (text != NULL)
			yes = json_is_string(value) &&
			      strcmp(json_string_value(value), text) == 0;
		else
			yes = json_integer_value(value) == number;
	}
	json_decref(all);
	return yes;
}

void
mock_wait_done(struct mock_service *s, int32_t partition)
{
	int64_t waited_ms = 0;

	while (!shows(s, partition, "committed", NULL, s->ends[partition]) ||
	       !shows(s, partition, "state", "idle", 0))
		nap(&waited_ms, "end of the partition");
}

void
mock_wait_state(struct mock_service *s, int32_t partition, const char *key,
    const char *text)
{
	int64_t waited_ms = 0;

	while (!shows(s, partition, key, text, 0))
		nap(&waited_ms, text);
}

void
mock_wait_away(struct mock_service *s, int32_t partition)
{
	int64_t waited_ms = 0;

	while (shows(s, partition, "partition", NULL, partition))
		nap(&waited_ms, "loss of the partition");
}

void
mock_wait_metric(const struct metric *metric, int64_t at_least)
{
	int64_t waited_ms = 0;

	while (metric_get(metric) < at_least)
		nap(&waited_ms, "metric");
}

/* ---- running ---- */

static void *
run(void *arg)
{
	struct mock_service *s = arg;

	s->rc = engine_run(s->engine, &s->err);
	return NULL;
}

void
mock_start(struct mock_service *s)
{
	struct engine_options options = {.finish_plans_with = NULL};
	int64_t waited_ms = 0;
	json_t *all;
	int assigned = 0;

	cr_assert_eq(engine_new(s->config, &options, &s->engine, &s->err),
	    SECOR_OK, "%s", s->err.text);
	cr_assert_eq(pthread_create(&s->thread, NULL, run, s), 0);
	s->running = 1;
	while (!assigned) {
		all = status(s);
		assigned = json_is_true(json_object_get(all, "assigned"));
		json_decref(all);
		nap(&waited_ms, "assignment");
	}
}

void
mock_stop(struct mock_service *s)
{
	engine_stop(s->engine);
	cr_assert_eq(pthread_join(s->thread, NULL), 0);
	s->running = 0;
	engine_free(s->engine);
	s->engine = NULL;
}

void
mock_produce(struct mock_service *s, int32_t partition, int count)
{
	for (int i = 0; i < count; i++) {
		char text[24];
		int n = snprintf(
		    text, sizeof(text), "%lld", (long long)s->produced++);

		cr_assert_eq(
		    rd_kafka_producev(s->producer, RD_KAFKA_V_TOPIC(MOCK_TOPIC),
			RD_KAFKA_V_PARTITION(partition),
			RD_KAFKA_V_VALUE(text, (size_t)n),
			RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
			RD_KAFKA_V_END),
		    RD_KAFKA_RESP_ERR_NO_ERROR);
	}
	cr_assert_eq(
	    rd_kafka_flush(s->producer, 20000), RD_KAFKA_RESP_ERR_NO_ERROR);
	s->ends[partition] += count;
}

/* ---- reading back ---- */

static unsigned char counts[IDS_MAX];

static int
count_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	char line[64];
	FILE *in;

	(void)st;
	(void)ftw;
	if (type != FTW_F || strstr(path, "/data/" MOCK_TOPIC "/") == NULL)
		return 0;
	in = fopen(path, "r");
	cr_assert_not_null(in);
	while (fgets(line, sizeof(line), in) != NULL) {
		long id = strtol(line, NULL, 10);

		cr_assert(id >= 0 && id < IDS_MAX);
		counts[id]++;
	}
	(void)fclose(in);
	return 0;
}

void
mock_exactly_once(const struct mock_service *s)
{
	memset(counts, 0, sizeof(counts));
	cr_assert_eq(nftw(s->folder, count_one, 16, FTW_PHYS), 0);
	for (int64_t id = 0; id < IDS_MAX; id++)
		cr_assert_eq(counts[id], id < s->produced, "id %lld: %d times",
		    (long long)id, counts[id]);
}

/* ---- whole tests ---- */

void
mock_begin(struct mock_service *s, int partitions)
{
	mock_open(s, partitions);
	mock_start(s);
	for (int32_t p = 0; p < partitions; p++) {
		mock_produce(s, p, 10);
		mock_wait_done(s, p);
	}
}

void
mock_end(struct mock_service *s)
{
	mock_stop(s);
	cr_assert_eq(s->rc, SECOR_OK, "%s", s->err.text);
	mock_exactly_once(s);
	mock_close(s);
}
