/*
 * engine.c -- opens everything, runs the one loop, ends everything. The calling
 * thread of engine_run is the consumer thread.
 *
 * Invariant: the loop never waits for disk or network: it waits in
 * librdkafka's queue only, and other threads wake it there.
 */
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/flow/flow.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	TICK_MS = 100,
	SLOW_TICK_MS = 1000,
	IDLE_WAIT_MS = 100,
	WRITERS_WAIT_MS = 100,
	BLOCKS_A_WRITER = 32
};

void
die(const char *why)
{
	char quoted[512];

	log_line(SECOR_ERROR, "ends at once", "reason=%s next=restart",
	    log_quote(quoted, sizeof(quoted), why));
	_exit(3);
}

/* ---- waking the loop ---- */

static void
wake(void *arg)
{
	struct engine *engine = arg;

	if (engine->queue != NULL)
		rd_kafka_queue_yield(engine->queue);
}

static void
wake_of_kafka(rd_kafka_t *rk, void *arg)
{
	(void)rk;
	wake(arg);
}

/* ---- Kafka handle ---- */

static void
on_error(rd_kafka_t *rk, int err, const char *reason, void *opaque)
{
	struct engine *engine = opaque;
	char why[512], quoted[600];

	if (err == RD_KAFKA_RESP_ERR__FATAL) {
		rd_kafka_resp_err_t fatal =
		    rd_kafka_fatal_error(rk, why, sizeof(why));

		(void)secor_fail(&engine->fatal_err, SECOR_FATAL,
		    "kafka client: %s: %s", rd_kafka_err2name(fatal), why);
		engine->fatal = 1;
		return;
	}
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
	if (set_blacklist(engine->config, conf) != SECOR_OK) {
		rd_kafka_conf_destroy(conf);
		return secor_fail(
		    err, SECOR_FATAL, "kafka.exclude is not understood");
	}
	engine->rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));
	if (engine->rk == NULL) {
		rd_kafka_conf_destroy(conf);
		return secor_fail(err, SECOR_FATAL, "kafka client: %s", why);
	}
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
	engine->sasl_user = property(engine->config, "sasl.username", "");
	engine->sasl_password = property(engine->config, "sasl.password", "");
	client_queue_limits(engine->rk, &engine->wake);
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
		die(rd_kafka_err2str(err));
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

/* Reaches the store once, and learns how long its part of a key is. */
static int
probe_store(struct engine *engine, struct secor_err *err)
{
	const struct config_use *use = &engine->config->store;
	const struct secor_store_ops *ops = use->plugin->ops.store;
	struct secor_open with = {
	    .size = sizeof(with), .conf = use->conf, .host = use->plugin->host};
	struct secor_err why = {{0}};
	char url[1024] = "";
	void *store;
	int rc = ops->open(&with, &store, &why);

	if (rc != SECOR_OK)
		return secor_fail(
		    err, rc, "store %s: %s", use->plugin->desc.name, why.text);
	if (ops->url != NULL)
		ops->url(store, "", url, sizeof(url));
	engine->key_overhead = strlen(url);
	if (ops->probe != NULL)
		rc = ops->probe(store, &why);
	ops->close(store);
	return store_answer(use, rc, &why, err);
}

static int
writer_count(const struct config *config)
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
	struct writers_conf writers = {.count = writer_count(config),
	    .open_files = config->engine.open_files,
	    .stage = engine->stage,
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
	return rc;
}

int
engine_new(const struct config *config, const struct engine_options *options,
    struct engine **engine, struct secor_err *err)
{
	struct engine *e = mem_alloc(sizeof(*e));
	int rc;

	e->config = config;
	e->options = *options;
	e->rebalances_last = &e->rebalances;
	e->commit_answers_last = &e->commit_answers;
	(void)pthread_mutex_init(&e->status_lock, NULL);
	e->staged_done = queue_new(wake, e);
	e->uploads_done = queue_new(wake, e);
	e->heard = queue_new(wake, e);
	e->answers = queue_new(wake, e);
	e->pool = pool_new(config->engine.memory);
	metrics_init(e);
	rc = stage_open(config->stage.dir, &e->stage, err);
	if (rc == SECOR_OK)
		rc = probe_store(e, err);
	if (rc == SECOR_OK)
		rc = open_kafka(e, err);
	if (rc == SECOR_OK)
		rc = open_threads(e, err);
	if (rc != SECOR_OK) {
		engine_free(e);
		return rc;
	}
	set_wake_ups(e);
	status_publish(e);
	*engine = e;
	return SECOR_OK;
}

/* ---- events of other threads ---- */

static void
answer(struct engine *engine, struct inquiry *inquiry)
{
	if (inquiry->kind == INQUIRY_PING) {
		commit_pinged(engine, inquiry->status == SECOR_OK);
	} else if (inquiry->kind == INQUIRY_ENDS) {
		status_ends(engine, inquiry);
	} else if (inquiry->kind == INQUIRY_RANGE) {
		if (inquiry->epoch == inquiry->part->epoch)
			consume_range(inquiry->part, inquiry);
	} else if (inquiry->kind == INQUIRY_OPEN) {
		assign_answer(engine, inquiry);
	} else if (inquiry->epoch == inquiry->part->epoch) {
		if (inquiry->status == SECOR_OK)
			advance_read_back(inquiry->part, &inquiry->record);
		else
			inquiry->part->inquiring = 0;
	}
	inquiry_free(inquiry);
}

static void
hear(struct engine *engine, struct notify_heard *heard)
{
	struct part *part =
	    part_find(&engine->parts, heard->topic, heard->partition);

	if (part != NULL && heard->heard > part->heard) {
		part->heard = heard->heard;
		step_reached("notified");
	}
	free(heard);
}

#define EACH(queue, type, var)                                       \
	for (struct queue_node *node = queue_get_all(queue), *after; \
	     node != NULL; node = after)                             \
		for (type *var = (after = node->next, (type *)node); \
		     var != NULL; var = NULL)

static void
serve_events(struct engine *engine)
{
	commit_serve(engine);
	EACH(engine->staged_done, struct staged_done, staged)
	{
		advance_staged(engine, staged);
	}
	EACH(engine->uploads_done, struct upload, upload)
	{
		advance_upload(engine, upload);
	}
	EACH(engine->heard, struct notify_heard, heard)
	{
		hear(engine, heard);
	}
	EACH(engine->answers, struct inquiry, inquiry)
	{
		answer(engine, inquiry);
	}
}

/* ---- time ---- */

static void
tick_part(struct part *part)
{
	int64_t now = part->engine->tick_boot_ms;

	if (part->state == PART_OPENING)
		assign_tick(part, now);
	if (part->state == PART_AWAY || part->state == PART_OPENING)
		return;
	commit_tick(part, now);
	advance_tick(part, now);
	if (part->state == PART_RUNNING && part->engine->phase == PHASE_RUNNING)
		policy_part(part, now);
}

static void
tick(struct engine *engine, int64_t boot_ms)
{
	if (boot_ms - engine->tick_boot_ms < TICK_MS)
		return;
	engine->tick_boot_ms = boot_ms;
	part_each(&engine->parts, tick_part);
	policy_budget(engine, boot_ms);
	if (boot_ms - engine->slow_tick_boot_ms < SLOW_TICK_MS)
		return;
	engine->slow_tick_boot_ms = boot_ms;
	status_ask_ends(engine);
	status_publish(engine);
}

/* ---- stopping ---- */

void
engine_stop(struct engine *engine)
{
	if (atomic_fetch_add(&engine->stop_asked, 1) > 0)
		_exit(3);
}

static void
stop_part(struct part *part)
{
	struct batch *cur = part->cur;

	if (part->state != PART_RUNNING)
		return;
	if (cur != NULL && cur->messages > 0 && !cur->replay &&
	    part->lane->topic->batch.on_stop == CONFIG_STOP_FINISH) {
		cut_batch(part, CUT_STOP);
		return;
	}
	batch_drop(cur);
	part->cur = NULL;
	if (part->past != NULL && part->past->state < BATCH_PLANNING &&
	    part->lane->topic->batch.on_stop == CONFIG_STOP_DROP) {
		batch_drop(part->past);
		part->past = NULL;
	}
}

/* What still collects gets no more messages: only what is cut is waited for,
 * also of an assignment that came meanwhile. */
static void
count_busy(struct part *part)
{
	int committing =
	    part->committing || part->want_commit || halt_due(part);
	int cut = part->cur != NULL && part->cur->state == BATCH_CUT;

	if ((part->state == PART_RUNNING &&
		(part->past != NULL || cut || committing)) ||
	    (part->state == PART_HALTED && committing))
		part->engine->busy_now++;
}

static void
leave(struct engine *engine)
{
	rd_kafka_error_t *error;

	status_publish(engine); /* what a reporter's last snapshot tells */
	engine->phase = PHASE_LEAVING;
	error = rd_kafka_consumer_close_queue(engine->rk, engine->queue);
	if (error != NULL)
		rd_kafka_error_destroy(error);
}

/* Returns 1 when the loop is over. */
static int
stop_serve(struct engine *engine, int64_t boot_ms)
{
	if (engine->phase == PHASE_RUNNING ||
	    engine->phase == PHASE_REJOINING) {
		if (atomic_load(&engine->stop_asked) == 0)
			return 0;
		log_line(SECOR_INFO, "stopping", NULL);
		engine->phase = PHASE_STOPPING;
		engine->stop_until_boot_ms =
		    boot_ms + engine->config->engine.stop_timeout_ms;
		part_each(&engine->parts, stop_part);
	}
	if (engine->phase == PHASE_STOPPING) {
		engine->busy_now = 0;
		part_each(&engine->parts, count_busy);
		if (engine->busy_now > 0 &&
		    boot_ms < engine->stop_until_boot_ms - 1000)
			return 0;
		leave(engine);
	}
	return rd_kafka_consumer_closed(engine->rk) ||
	       boot_ms >= engine->stop_until_boot_ms;
}

/* ---- the loop ---- */

/* Learns g before the first assignment; waits for brokers without an end, and
 * says so. */
static int
learn_g(struct engine *engine)
{
	struct secor_err err;
	int said = 0;

	while (atomic_load(&engine->stop_asked) == 0) {
		if (client_g(engine->rk, engine->config, 2000, engine->g,
			&err) == SECOR_OK) {
			engine->unreachable = 0;
			return 1;
		}
		engine->unreachable = 1;
		status_publish(engine);
		if (said++ % 15 == 0)
			log_line(SECOR_ERROR, "kafka not reachable",
			    "reason=\"%s\" next=retry", err.text);
		(void)rd_kafka_poll(engine->rk, 0);
		atomic_store(&engine->heartbeat_boot_ms, clock_boot_ms());
	}
	return 0;
}

/* A short wait is cheaper than a pause, which throws the queue away. Where the
 * writers hang, it ends, the backlog grows and tick() pauses the partitions. */
static void
let_writers_catch_up(struct engine *engine)
{
	if (writers_backlog(engine->writers) >= engine->backlog_limit)
		(void)writers_wait(engine->writers, engine->backlog_limit / 2,
		    WRITERS_WAIT_MS);
}

int
engine_run(struct engine *engine, struct secor_err *err)
{
	if (!learn_g(engine))
		return SECOR_OK;
	log_line(SECOR_INFO, "joins the group", "group=%s g=%s writers=%d",
	    engine->config->kafka.group, engine->g,
	    writer_count(engine->config));
	engine_subscribe(engine);
	for (;;) {
		int64_t now = clock_boot_ms();

		serve_events(engine);
		rebalance_serve(engine, now);
		tick(engine, now);
		if (engine->fatal) {
			*err = engine->fatal_err;
			return SECOR_FATAL;
		}
		if (stop_serve(engine, now))
			break;
		let_writers_catch_up(engine);
		consume(engine, IDLE_WAIT_MS);
	}
	log_line(SECOR_INFO, "stopped", NULL);
	return SECOR_OK;
}

/* ---- the end ---- */

/* Events of a ledger that is dropped: they only free what they hold. */
static void
serve_leftovers(struct engine *engine)
{
	EACH(engine->staged_done, struct staged_done, staged)
	{
		advance_staged(engine, staged);
	}
	EACH(engine->uploads_done, struct upload, upload)
	{
		advance_upload(engine, upload);
	}
	EACH(engine->heard, struct notify_heard, heard)
	{
		free(heard);
	}
	EACH(engine->answers, struct inquiry, inquiry)
	{
		inquiry_free(inquiry);
	}
	while (engine->commit_answers != NULL) {
		struct commit_answer *next = engine->commit_answers->next;

		free(engine->commit_answers);
		engine->commit_answers = next;
	}
}

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
	part_each(&engine->parts, drop_all);
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
	if (engine->rk != NULL)
		rd_kafka_destroy_flags(
		    engine->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
	part_table_free(&engine->parts);
	free(engine->headers);
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
	free(engine);
}
