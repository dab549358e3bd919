/*
 * engine.c -- opens everything in the order in which a message meets it, and
 * ends it in the order in which nothing can miss what is gone. The loop between
 * the two is in loop.c.
 */
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/config/layout.h"
#include "core/flow/flow.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCKS_A_WRITER = 32 };

void
die(const char *why)
{
	char quoted[512];

	log_line(SECOR_ERROR, "ends at once", "reason=%s next=restart",
	    log_quote(quoted, sizeof(quoted), why));
	_exit(3);
}

/* ---- waking the loop ---- */

void
engine_wake(struct engine *engine)
{
	if (engine->queue != NULL)
		rd_kafka_queue_yield(engine->queue);
}

static void
wake(void *arg)
{
	engine_wake(arg);
}

static void
wake_of_kafka(rd_kafka_t *rk, void *arg)
{
	(void)rk;
	wake(arg);
}

/* ---- Kafka handle ---- */

void
engine_fenced(struct engine *engine)
{
	(void)secor_fail(&engine->fatal_err, SECOR_REJECT,
	    "another process has joined the group %s as kafka.instance_id '%s' "
	    "and goes on in place of this one: each process needs one of its "
	    "own",
	    engine->config->kafka.group, engine->config->kafka.instance_id);
	engine->fatal = SECOR_REJECT;
}

int
engine_fatal(struct engine *engine)
{
	int named = engine->config->kafka.instance_id != NULL;
	char why[512];
	rd_kafka_resp_err_t fatal =
	    rd_kafka_fatal_error(engine->rk, why, sizeof(why));

	if (fatal == RD_KAFKA_RESP_ERR_NO_ERROR ||
	    (fatal == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID && !named))
		return 0;
	if (fatal == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID) {
		engine_fenced(engine);
		return 1;
	}
	(void)secor_fail(&engine->fatal_err, SECOR_FATAL,
	    "kafka client: %s: %s", rd_kafka_err2name(fatal), why);
	engine->fatal = SECOR_FATAL;
	return 1;
}

void
engine_failed(struct engine *engine, const char *what)
{
	if (!engine_fatal(engine))
		die(what);
}

static void
on_error(rd_kafka_t *rk, int err, const char *reason, void *opaque)
{
	struct engine *engine = opaque;
	char quoted[600];

	(void)rk;
	if (err == RD_KAFKA_RESP_ERR__FATAL && engine_fatal(engine))
		return;
	if (err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
		engine->brokers_down = 1;
	log_line(err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN ||
			 err == RD_KAFKA_RESP_ERR__AUTHENTICATION ||
			 err == RD_KAFKA_RESP_ERR__SSL
		     ? SECOR_ERROR
		     : SECOR_WARN,
	    "kafka error", "code=%s reason=%s next=retry",
	    rd_kafka_err2name((rd_kafka_resp_err_t)err),
	    log_quote(quoted, sizeof(quoted), reason));
}

/* Exclusions as librdkafka's blacklist; internal topics unless named. */
static int
set_blacklist(const struct config *config, rd_kafka_conf_t *conf)
{
	const struct config_kafka *kafka = &config->kafka;
	struct buf list = {0};
	int internal = 0;
	int rc = SECOR_OK;

	for (size_t i = 0; i < kafka->topics.count; i++)
		internal |= strncmp(kafka->topics.items[i], "__", 2) == 0;
	if (!internal)
		buf_puts(&list, "^__");
	for (size_t i = 0; i < kafka->exclude.count; i++) {
		const char *item = kafka->exclude.items[i];

		buf_printf(&list, item[0] == '^' ? "%s%s" : "%s^%s$",
		    list.len > 0 ? "," : "", item);
	}
	if (list.len > 0 && rd_kafka_conf_set(conf, "topic.blacklist", list.ptr,
				NULL, 0) != RD_KAFKA_CONF_OK)
		rc = SECOR_FATAL;
	buf_fini(&list);
	return rc;
}

static int
open_kafka(struct engine *engine, struct secor_err *err)
{
	rd_kafka_conf_t *conf;
	char why[512];
	int rc = client_conf(engine->config, &conf, err);

	if (rc != SECOR_OK)
		return rc;
	rd_kafka_conf_set_opaque(conf, engine);
	rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
	rd_kafka_conf_set_error_cb(conf, on_error);
	rc = client_member(engine->config, conf, err);
	if (rc == SECOR_OK && set_blacklist(engine->config, conf) != SECOR_OK)
		rc = secor_fail(
		    err, SECOR_FATAL, "kafka.exclude is not understood");
	if (rc != SECOR_OK) {
		rd_kafka_conf_destroy(conf);
		return rc;
	}
	engine->rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));
	if (engine->rk == NULL) {
		rd_kafka_conf_destroy(conf);
		return secor_fail(err, SECOR_FATAL, "kafka client: %s", why);
	}
	rc = login_open(engine->config, engine->rk, &engine->login, err);
	if (rc != SECOR_OK)
		return rc;
	(void)rd_kafka_poll_set_consumer(engine->rk);
	engine->queue = rd_kafka_queue_get_consumer(engine->rk);
	engine->commit_queue = rd_kafka_queue_new(engine->rk);
	rd_kafka_queue_cb_event_enable(
	    engine->commit_queue, wake_of_kafka, engine);
	return SECOR_OK;
}

static const char *
property(const struct config *config, const char *key, const char *otherwise)
{
	const struct secor_pairs *pairs = &config->kafka.properties;

	for (size_t i = 0; i < pairs->count; i++)
		if (strcmp(pairs->items[i].key, key) == 0)
			return pairs->items[i].value;
	return otherwise;
}

static void
set_wake_ups(struct engine *engine)
{
	const struct config_sasl *sasl = &engine->config->kafka.sasl;

	engine->sasl_user = sasl->username != NULL
				? sasl->username
				: property(engine->config, "sasl.username", "");
	engine->sasl_password =
	    sasl->password != NULL
		? sasl->password
		: property(engine->config, "sasl.password", "");
	client_queue_limits(engine->rk, &engine->wake);
	engine->throttle =
	    throttle_new(engine->config, 2 * engine->wake.half_bytes);
}

const char *
engine_folder(const struct engine *engine)
{
	return stage_folder(engine->stage);
}

void
engine_subscribe(struct engine *engine)
{
	const struct secor_strings *topics = &engine->config->kafka.topics;
	rd_kafka_topic_partition_list_t *list =
	    rd_kafka_topic_partition_list_new((int)topics->count);
	rd_kafka_resp_err_t err;

	for (size_t i = 0; i < topics->count; i++)
		(void)rd_kafka_topic_partition_list_add(
		    list, topics->items[i], RD_KAFKA_PARTITION_UA);
	err = rd_kafka_subscribe(engine->rk, list);
	rd_kafka_topic_partition_list_destroy(list);
	if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
		engine_failed(engine, rd_kafka_err2str(err));
}

/* ---- opening ---- */

/* A store that is away for now does not keep the service from starting: puts
 * are repeated anyway. */
static int
store_answer(const struct config_use *use, int rc, const struct secor_err *why,
    struct secor_err *err)
{
	const char *name = use->plugin->desc.name;
	char quoted[1200];

	if (rc == SECOR_OK)
		return SECOR_OK;
	if (rc != SECOR_RETRY)
		return secor_fail(err, rc, "store %s: %s", name, why->text);
	log_line(SECOR_ERROR, "store not reachable",
	    "store=%s reason=%s next=retry", name,
	    log_quote(quoted, sizeof(quoted), why->text));
	return SECOR_OK;
}

/* Reaches the store once, and learns how long its part of a key is. The caller
 * closes the instance, if there is one. */
static int
probe_store(struct engine *engine, void **probed, struct secor_err *err)
{
	const struct config_use *use = &engine->config->store;
	const struct secor_store_ops *ops = use->plugin->ops.store;
	struct secor_open with = {.size = sizeof(with),
	    .conf = use->conf,
	    .host = use->plugin->host,
	    .compat = use->compat};
	struct secor_err why = {{0}};
	char url[1024] = "";
	void *store;
	int rc = ops->open(&with, &store, &why);

	if (rc != SECOR_OK)
		return secor_fail(
		    err, rc, "store %s: %s", use->plugin->desc.name, why.text);
	if (ops->url != NULL)
		ops->url(store, "", url, sizeof(url));
	engine->key_overhead = strlen(url) + layout_overhead(engine->config);
	if (ops->probe != NULL)
		rc = ops->probe(store, &why);
	*probed = store;
	return store_answer(use, rc, &why, err);
}

int
engine_writers(const struct config *config)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (config->engine.writers > 0)
		return (int)config->engine.writers;
	return cores > 2 ? (int)cores - 1 : 1;
}

static int
open_threads(struct engine *engine, struct secor_err *err)
{
	const struct config *config = engine->config;
	struct writers_conf writers = {.count = engine_writers(config),
	    .open_files = config->engine.open_files,
	    .stage = engine->stage,
	    .stage_max = config->stage.max_bytes,
	    .pool = engine->pool,
	    .done = engine->staged_done};
	int rc;

	engine->writers = writers_new(&writers);
	engine->backlog_limit = BLOCKS_A_WRITER * (size_t)writers.count;
	engine->fence.session_timeout_ms = config->kafka.session_timeout_ms;
	atomic_store(&engine->fence.polled_boot_ms, clock_boot_ms());
	rc = uploaders_new(&config->store, (int)config->engine.uploaders,
	    &engine->fence, engine->uploads_done, &engine->uploaders, err);
	if (rc == SECOR_OK)
		rc = notifiers_new(
		    config, engine->heard, &engine->notifiers, err);
	if (rc == SECOR_OK)
		rc = inquirer_new(engine->rk, config, engine->answers,
		    &engine->inquirer, err);
	if (rc == SECOR_OK && final_wanted(config))
		rc = final_service_new(config, &engine->finals, err);
	return rc;
}

int
engine_new(const struct config *config, const struct engine_options *options,
    struct engine **engine, struct secor_err *err)
{
	struct engine *e = mem_alloc(sizeof(*e));
	void *probed = NULL;
	int rc;

	e->config = config;
	e->options = *options;
	e->rebalances_last = &e->rebalances;
	e->commit_answers_last = &e->commit_answers;
	(void)pthread_mutex_init(&e->status_lock, NULL);
	(void)pthread_mutex_init(&e->hold_lock, NULL);
	(void)pthread_cond_init(&e->hold_answered, NULL);
	e->staged_done = queue_new(wake, e);
	e->uploads_done = queue_new(wake, e);
	e->heard = queue_new(wake, e);
	e->answers = queue_new(wake, e);
	e->pool = pool_new(config->engine.memory);
	metrics_init(e);
	rc = stage_open(config->stage.dir, &e->stage, err);
	if (rc == SECOR_OK)
		rc = probe_store(e, &probed, err);
	if (rc == SECOR_OK)
		rc = open_kafka(e, err);
	if (rc == SECOR_OK)
		rc = open_threads(e, err);
	if (rc == SECOR_OK)
		rc = reading_open(e, err);
	/* not before there are others: what instances share begins once */
	if (probed != NULL)
		config->store.plugin->ops.store->close(probed);
	if (rc != SECOR_OK) {
		engine_free(e);
		return rc;
	}
	set_wake_ups(e);
	status_publish(e);
	*engine = e;
	return SECOR_OK;
}

/* ---- the end ---- */

static void
drop_all(struct part *part)
{
	part_new_epoch(part);
	part_drop_batches(part);
}

void
engine_free(struct engine *engine)
{
	if (engine == NULL)
		return;
	reading_close(engine);
	part_each(&engine->parts, drop_all);
	final_service_free(engine->finals);
	inquirer_free(engine->inquirer);
	notifiers_free(engine->notifiers);
	uploaders_free(engine->uploaders);
	/* what was out has come back now: dropped batches free themselves */
	serve_leftovers(engine);
	writers_free(engine->writers);
	serve_leftovers(engine);
	if (engine->queue != NULL) {
		rd_kafka_queue_cb_event_enable(
		    engine->commit_queue, NULL, NULL);
		rd_kafka_queue_destroy(engine->commit_queue);
		rd_kafka_queue_destroy(engine->queue);
	}
	engine->queue = NULL;
	login_close(engine->login);
	if (engine->rk != NULL)
		rd_kafka_destroy_flags(
		    engine->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
	part_table_free(&engine->parts);
	throttle_free(engine->throttle);
	expire_free(engine);
	free(engine->headers);
	buf_fini(&engine->header_names);
	lanes_free(engine->lanes);
	lanes_free(engine->old_lanes);
	stage_close(engine->stage);
	pool_free(engine->pool);
	queue_free(engine->staged_done);
	queue_free(engine->uploads_done);
	queue_free(engine->heard);
	queue_free(engine->answers);
	buf_fini(&engine->status);
	buf_fini(&engine->reasons);
	(void)pthread_mutex_destroy(&engine->status_lock);
	(void)pthread_mutex_destroy(&engine->hold_lock);
	(void)pthread_cond_destroy(&engine->hold_answered);
	free(engine);
}
