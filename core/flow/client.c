/*
 * client.c -- see client.h. Invariant: what the promise rests on is set last,
 * so no property of the user can undo it (config refuses to try).
 */
#include "core/flow/client.h"

#include "core/base/buf.h"
#include "core/base/clock.h"
#include "core/base/hash.h"
#include "core/base/log.h"
#include "core/flow/login.h"
#include "core/flow/record.h"
#include "core/plugin/options.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#define TIMER_SLACK_NS 1000000ul

static const struct secor_pair fixed[] = {
    {"enable.auto.commit", "false"},
    {"enable.auto.offset.store", "false"},
    {"auto.offset.reset", "error"},
    {"isolation.level", "read_committed"},
    {"check.crcs", "true"},
    {"enable.partition.eof", "true"},
    {"partition.assignment.strategy", "range,roundrobin"},
    {"allow.auto.create.topics", "false"},
};

/* Ours unless the user says otherwise. fetch.max.bytes follows: the bytes of
 * the queue, or message.max.bytes where that is more. */
static const struct secor_pair defaults[] = {
    {"socket.timeout.ms", "10000"},
    {"socket.keepalive.enable", "true"},
    {"log.connection.close", "false"},
    {"queued.min.messages", "10000"},
    {"queued.max.messages.kbytes", "2048"},
    {"max.partition.fetch.bytes", "262144"},
    {"topic.metadata.refresh.interval.ms", "60000"},
    {"statistics.interval.ms", "0"},
};

static void
on_log(const rd_kafka_t *rk, int level, const char *fac, const char *text)
{
	char quoted[1024];

	(void)rk;
	log_line(level <= 3   ? SECOR_WARN
		 : level == 4 ? SECOR_INFO
			      : SECOR_DEBUG,
	    "librdkafka", "facility=%s text=%s", fac,
	    log_quote(quoted, sizeof(quoted), text));
}

static int
set(rd_kafka_conf_t *conf, const char *key, const char *value,
    struct secor_err *err)
{
	char why[512];

	if (rd_kafka_conf_set(conf, key, value, why, sizeof(why)) ==
	    RD_KAFKA_CONF_OK)
		return SECOR_OK;
	return secor_fail(err, SECOR_FATAL, "kafka property %s: %s", key, why);
}

static int
set_all(rd_kafka_conf_t *conf, const struct secor_pair *pairs, size_t n,
    struct secor_err *err)
{
	int rc = SECOR_OK;

	for (size_t i = 0; rc == SECOR_OK && i < n; i++)
		rc = set(conf, pairs[i].key, pairs[i].value, err);
	return rc;
}

char *
client_brokers(const struct config_kafka *kafka)
{
	const struct secor_strings *list = &kafka->brokers;
	struct buf out = {0};

	for (size_t i = 0; i < list->count; i++)
		buf_printf(&out, "%s%s", i > 0 ? "," : "", list->items[i]);
	return buf_take(&out);
}

static int
set_ms(
    rd_kafka_conf_t *conf, const char *key, int64_t ms, struct secor_err *err)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%lld", (long long)ms);
	return set(conf, key, text, err);
}

/* librdkafka's main thread waits for whole milliseconds, rounded down, and
 * spins until its timer is due: nearly 1 ms each time, three times a second,
 * for ever. Where the system may wake it that much later, it does not. */
static rd_kafka_resp_err_t
on_thread_start(
    rd_kafka_t *rk, rd_kafka_thread_type_t type, const char *name, void *opaque)
{
	(void)rk;
	(void)name;
	(void)opaque;
	if (type == RD_KAFKA_THREAD_MAIN)
		(void)prctl(PR_SET_TIMERSLACK, TIMER_SLACK_NS, 0, 0, 0);
	return RD_KAFKA_RESP_ERR_NO_ERROR;
}

static rd_kafka_resp_err_t
on_new(rd_kafka_t *rk, const rd_kafka_conf_t *conf, void *opaque, char *why,
    size_t room)
{
	(void)conf;
	(void)opaque;
	(void)why;
	(void)room;
	return rd_kafka_interceptor_add_on_thread_start(
	    rk, "secor", on_thread_start, NULL);
}

int
client_has_queue_backoff(void)
{
	return rd_kafka_version() >= 0x02020000;
}

void
client_set_epoch(rd_kafka_topic_partition_t *tp, int32_t epoch)
{
	void (*put)(rd_kafka_topic_partition_t *, int32_t);

	*(void **)&put =
	    dlsym(RTLD_DEFAULT, "rd_kafka_topic_partition_set_leader_epoch");
	if (put != NULL)
		put(tp, epoch);
}

int32_t
client_epoch(const rd_kafka_topic_partition_t *tp)
{
	int32_t (*get)(const rd_kafka_topic_partition_t *);

	*(void **)&get =
	    dlsym(RTLD_DEFAULT, "rd_kafka_topic_partition_get_leader_epoch");
	return get == NULL ? -1 : get(tp);
}

char *
client_property(rd_kafka_t *rk, const char *key)
{
	const rd_kafka_conf_t *conf = rd_kafka_conf(rk);
	size_t size = 0;
	char *value;

	if (rd_kafka_conf_get(conf, key, NULL, &size) != RD_KAFKA_CONF_OK ||
	    size <= 1)
		return NULL;
	value = mem_alloc(size);
	if (rd_kafka_conf_get(conf, key, value, &size) == RD_KAFKA_CONF_OK)
		return value;
	free(value);
	return NULL;
}

int64_t
client_number(rd_kafka_t *rk, const char *key)
{
	char *value = client_property(rk, key);
	int64_t n = value != NULL ? strtoll(value, NULL, 10) : 0;

	free(value);
	return n;
}

void
client_queue_limits(rd_kafka_t *rk, struct wake *wake)
{
	wake_init(wake, client_number(rk, "queued.max.messages.kbytes") * 1024,
	    client_number(rk, "queued.min.messages"));
}

static int
set_security(rd_kafka_conf_t *conf, const struct config_kafka *kafka,
    struct secor_err *err)
{
	struct config_security list[CONFIG_SECURITY_MOST];
	size_t n = config_kafka_security(kafka, list);
	int rc = SECOR_OK;

	for (size_t i = 0; rc == SECOR_OK && i < n; i++)
		rc = set(
		    conf, list[i].property.key, list[i].property.value, err);
	return rc;
}

int64_t
client_heartbeat_ms(const struct config_kafka *kafka)
{
	int64_t ms = kafka->session_timeout_ms / 15;

	return ms < 100 ? 100 : ms;
}

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static int
fill(rd_kafka_conf_t *conf, const struct config_kafka *k, const char *brokers,
    struct secor_err *err)
{
	int rc = set_all(conf, defaults, COUNT(defaults), err);

	if (rc == SECOR_OK && client_has_queue_backoff())
		rc = set(conf, "fetch.queue.backoff.ms", "1", err);
	if (rc == SECOR_OK)
		rc = set(conf, "client.id", "secor", err);
	if (rc == SECOR_OK)
		rc = set_all(
		    conf, k->properties.items, k->properties.count, err);
	if (rc == SECOR_OK)
		rc = set_security(conf, k, err);
	if (rc == SECOR_OK)
		rc = set_all(conf, fixed, COUNT(fixed), err);
	if (rc == SECOR_OK)
		rc = set(conf, "bootstrap.servers", brokers, err);
	if (rc == SECOR_OK)
		rc = set(conf, "group.id", k->group, err);
	if (rc == SECOR_OK && k->rack != NULL)
		rc = set(conf, "client.rack", k->rack, err);
	if (rc == SECOR_OK)
		rc = set_ms(
		    conf, "session.timeout.ms", k->session_timeout_ms, err);
	if (rc == SECOR_OK)
		rc = set_ms(
		    conf, "heartbeat.interval.ms", client_heartbeat_ms(k), err);
	if (rc == SECOR_OK)
		rc = set_ms(
		    conf, "max.poll.interval.ms", k->max_poll_interval_ms, err);
	return rc;
}

int
client_conf(
    const struct config *config, rd_kafka_conf_t **conf, struct secor_err *err)
{
	rd_kafka_conf_t *made = rd_kafka_conf_new();
	char *brokers = client_brokers(&config->kafka);
	int rc = fill(made, &config->kafka, brokers, err);

	free(brokers);
	rd_kafka_conf_set_log_cb(made, on_log);
	login_conf(config, made);
	(void)rd_kafka_conf_interceptor_add_on_new(made, "secor", on_new, NULL);
	if (rc == SECOR_OK)
		*conf = made;
	else
		rd_kafka_conf_destroy(made);
	return rc;
}

int
client_member(
    const struct config *config, rd_kafka_conf_t *conf, struct secor_err *err)
{
	const char *id = config->kafka.instance_id;

	return id == NULL ? SECOR_OK : set(conf, "group.instance.id", id, err);
}

static int
new_handle(rd_kafka_conf_t *conf, rd_kafka_t **rk, struct secor_err *err)
{
	char why[512];

	*rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));
	if (*rk != NULL)
		return SECOR_OK;
	rd_kafka_conf_destroy(conf);
	return secor_fail(err, SECOR_FATAL, "kafka client: %s", why);
}

/* A handle with one more property. */
static int
new_tool(const struct config *config, const struct secor_pair *more,
    rd_kafka_t **rk, struct secor_err *err)
{
	rd_kafka_conf_t *conf;
	int rc = client_conf(config, &conf, err);

	if (rc != SECOR_OK)
		return rc;
	rc = set(conf, more->key, more->value, err);
	if (rc == SECOR_OK)
		return new_handle(conf, rk, err);
	rd_kafka_conf_destroy(conf);
	return rc;
}

int
client_tool(const struct config *config, rd_kafka_t **rk, struct secor_err *err)
{
	/* a tool reads spans: the next one waits for the fetch that hangs at
	 * the log's end */
	static const struct secor_pair soon = {"fetch.wait.max.ms", "50"};
	int rc = new_tool(config, &soon, rk, err);

	if (rc == SECOR_OK)
		(void)rd_kafka_poll_set_consumer(*rk);
	return rc;
}

int
client_looker(
    const struct config *config, rd_kafka_t **rk, struct secor_err *err)
{
	static const struct secor_pair all = {
	    "isolation.level", "read_uncommitted"};

	return new_tool(config, &all, rk, err);
}

static uint64_t
store_id(const struct config_use *store)
{
	const struct secor_plugin *d = &store->plugin->desc;
	const struct options opts = {
	    d->options, d->option_count, d->option_size, d->conf_size};

	return hash64_add_text(
	    options_output_hash(&opts, store->conf), d->name);
}

int
client_g(rd_kafka_t *rk, const struct config *config, int timeout_ms,
    char g[40], struct secor_err *err)
{
	char *cluster = rd_kafka_clusterid(rk, timeout_ms);

	if (cluster == NULL)
		return secor_fail(err, SECOR_RETRY,
		    "no broker of %s answers: is kafka.brokers right and the "
		    "broker up?",
		    config->kafka.brokers.items[0]);
	record_g(g, cluster, config->kafka.group, store_id(&config->store),
	    config->layout.generation);
	rd_kafka_mem_free(rk, cluster);
	return SECOR_OK;
}

uint64_t
client_membership(rd_kafka_t *rk)
{
	rd_kafka_consumer_group_metadata_t *group =
	    rd_kafka_consumer_group_metadata(rk);
	rd_kafka_error_t *error;
	void *bytes;
	size_t n;
	uint64_t hash = 0;

	if (group == NULL)
		return 0;
	error = rd_kafka_consumer_group_metadata_write(group, &bytes, &n);
	if (error == NULL) {
		hash = hash64(bytes, n);
		rd_kafka_mem_free(rk, bytes);
	} else {
		rd_kafka_error_destroy(error);
	}
	rd_kafka_consumer_group_metadata_destroy(group);
	return hash;
}

static int
is_moving(rd_kafka_resp_err_t why)
{
	return why == RD_KAFKA_RESP_ERR_NOT_COORDINATOR ||
	       why == RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE ||
	       why == RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS;
}

rd_kafka_resp_err_t
client_committed(
    rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list, int timeout_ms)
{
	const struct timespec nap = {0, 200 * 1000000};
	int64_t until = clock_boot_ms() + timeout_ms;
	rd_kafka_resp_err_t why;

	for (;;) {
		why = rd_kafka_committed(rk, list, timeout_ms);
		for (int i = 0;
		     why == RD_KAFKA_RESP_ERR_NO_ERROR && i < list->cnt; i++)
			why = list->elems[i].err;
		if (!is_moving(why) || clock_boot_ms() > until)
			return why;
		for (int i = 0; i < list->cnt; i++) {
			list->elems[i].err = RD_KAFKA_RESP_ERR_NO_ERROR;
			list->elems[i].offset = RD_KAFKA_OFFSET_INVALID;
		}
		(void)nanosleep(&nap, NULL);
	}
}
