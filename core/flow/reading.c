/*
 * reading.c -- who reads the partitions: the own readers (fetch/) or
 * librdkafka. The same verbs for both. Thread: consumer.
 *
 * Invariant: while the own readers read, librdkafka's partitions are paused,
 * and what it reads of them all the same is let go.
 */
#include "core/base/log.h"
#include "core/flow/flow.h"

#include <string.h>

/* ---- opening ---- */

static void
wake(void *engine)
{
	engine_wake(engine);
}

static int
refused(struct engine *engine, struct secor_err *err)
{
	if (engine->config->kafka.fetch == CONFIG_FETCH_OWN)
		return secor_fail(err, SECOR_FATAL,
		    "kafka.fetch: own is not possible: %s", engine->not_own);
	return SECOR_OK;
}

int
reading_open(struct engine *engine, struct secor_err *err)
{
	const struct fetch_conf conf = {
	    engine->rk, engine->login, wake, engine};
	struct secor_err why = {""};

	if (!config_own_fetch(
		engine->config, engine->not_own, sizeof(engine->not_own)))
		return refused(engine, err);
	if (fetch_open(&conf, &engine->fetch, &why) == SECOR_OK)
		return SECOR_OK;
	(void)snprintf(
	    engine->not_own, sizeof(engine->not_own), "%.500s", why.text);
	return refused(engine, err);
}

void
reading_say(const struct engine *engine, struct buf *text)
{
	char quoted[1024];

	if (engine->fetch != NULL)
		buf_puts(text, "fetch=own");
	else
		buf_printf(text, "fetch=librdkafka why=%s",
		    log_quote(quoted, sizeof(quoted), engine->not_own));
}

static void
forget(struct part *part)
{
	part->fetch = NULL;
}

void
reading_close(struct engine *engine)
{
	fetch_close(engine->fetch);
	engine->fetch = NULL;
	part_each(&engine->parts, forget);
}

void
reading_unable(struct engine *engine, const char *why)
{
	char quoted[1024];

	(void)snprintf(engine->not_own, sizeof(engine->not_own), "%.500s", why);
	if (refused(engine, &engine->fatal_err) != SECOR_OK) {
		engine->fatal = SECOR_FATAL;
		return;
	}
	log_line(SECOR_WARN, "librdkafka reads from now on", "reason=%s",
	    log_quote(quoted, sizeof(quoted), engine->not_own));
	reading_close(engine);
	rejoin(engine, "librdkafka reads from now on");
}

/* Whoever wants own readers alone waits until they are let in. */
void
reading_refused(struct engine *engine, const char *why)
{
	if (engine->config->kafka.fetch != CONFIG_FETCH_OWN)
		reading_unable(engine, why);
}

/* ---- one partition ---- */

static void
know(struct part *part)
{
	if (part->fetch == NULL)
		part->fetch = fetch_part_new(
		    part->engine->fetch, part->topic, part->partition, part);
}

void
reading_start(struct part *part)
{
	/* whoever stops takes nothing more in */
	if (part->engine->fetch == NULL ||
	    part->engine->phase >= PHASE_STOPPING)
		return;
	know(part);
	fetch_start(part->fetch, held_end(part));
}

void
reading_recall(struct part *part, int64_t offset, int32_t epoch)
{
	if (part->engine->fetch == NULL)
		return;
	know(part);
	fetch_recall(part->fetch, offset < 0 ? 0 : offset, epoch);
}

int32_t
reading_epoch(const struct part *part, int64_t offset)
{
	return part->fetch == NULL ? -1 : fetch_epoch(part->fetch, offset);
}

void
reading_stop(struct part *part)
{
	if (part->fetch != NULL)
		fetch_stop(part->fetch);
}

static rd_kafka_topic_partition_list_t *
list_of(const struct part *part)
{
	rd_kafka_topic_partition_list_t *list =
	    rd_kafka_topic_partition_list_new(1);

	rd_kafka_topic_partition_list_add(list, part->topic, part->partition)
	    ->offset = part->next;
	return list;
}

static void
pause_librdkafka(const struct part *part, int pause)
{
	rd_kafka_topic_partition_list_t *list = list_of(part);

	if (pause)
		(void)rd_kafka_pause_partitions(part->engine->rk, list);
	else
		(void)rd_kafka_resume_partitions(part->engine->rk, list);
	rd_kafka_topic_partition_list_destroy(list);
}

void
reading_pause(struct part *part, int pause)
{
	if (part->engine->fetch == NULL)
		pause_librdkafka(part, pause);
	else if (pause)
		reading_stop(part);
	else
		reading_start(part);
}

static void
seek_librdkafka(struct part *part)
{
	rd_kafka_topic_partition_list_t *list = list_of(part);
	/* no time-out: what was fetched before is void at once */
	rd_kafka_error_t *error =
	    rd_kafka_seek_partitions(part->engine->rk, list, 0);

	rd_kafka_topic_partition_list_destroy(list);
	if (error == NULL)
		return;
	log_line(SECOR_WARN, "seek failed",
	    "topic=%s partition=%d reason=\"%s\"", part->topic, part->partition,
	    rd_kafka_error_string(error));
	rd_kafka_error_destroy(error);
	rejoin(part->engine, "a seek failed");
}

void
reading_seek(struct part *part)
{
	if (part->engine->fetch == NULL)
		seek_librdkafka(part);
	else if (!part->paused)
		reading_start(part);
}

/* ---- the assignment ---- */

void
reading_prepare(struct engine *engine)
{
	const rd_kafka_topic_partition_list_t *list = engine->assigning;

	for (int i = 0; engine->fetch != NULL && i < list->cnt; i++)
		know(part_find(&engine->parts, list->elems[i].topic,
		    list->elems[i].partition));
	if (engine->fetch != NULL)
		fetch_prepare(engine->fetch);
}

/* librdkafka keeps a pause of before; those that it never saw have none. */
void
reading_before_assign(
    struct engine *engine, rd_kafka_topic_partition_list_t *list)
{
	if (engine->fetch == NULL)
		(void)rd_kafka_resume_partitions(engine->rk, list);
}

void
reading_after_assign(
    struct engine *engine, rd_kafka_topic_partition_list_t *list)
{
	if (engine->fetch == NULL)
		return;
	(void)rd_kafka_pause_partitions(engine->rk, list);
	for (int i = 0; i < list->cnt; i++) {
		struct part *part = part_find(&engine->parts,
		    list->elems[i].topic, list->elems[i].partition);

		if (part != NULL && part->state == PART_RUNNING)
			reading_start(part);
	}
}
