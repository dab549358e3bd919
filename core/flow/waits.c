/*
 * waits.c -- what partitions wait for now, as metric and in the status
 * document. Thread: consumer.
 *
 * It only looks: who waits, says so in the log when it begins and when it is
 * over.
 */
#include "core/base/log.h"
#include "core/flow/flow.h"

#include <jansson.h>

static const char *const wait_names[WAIT_COUNT] = {
    [WAIT_STORE] = "store",
    [WAIT_COMMIT] = "commit",
    [WAIT_PLUGIN] = "plugin",
    [WAIT_STAGE] = "stage",
    [WAIT_BUDGET] = "budget",
    [WAIT_RATE] = "rate",
};

void
waits_init(struct engine *engine)
{
	for (int i = 0; i < WAIT_COUNT; i++)
		engine->waits[i] = metric_gauge("secor_partitions_waiting",
		    "Partitions that wait for a neighbour, by which.",
		    METRIC_LABELS("for", wait_names[i]));
}

static int
waits_for(const struct part *part, enum wait wait)
{
	switch (wait) {
	case WAIT_STORE: /* it has refused a put, and taken none since */
		if (part->state == PART_OPENING) /* or lists nothing */
			return inquirer_store_waits(part->engine->inquirer);
		return part->past != NULL && part->past->refused_boot_ms != 0;
	case WAIT_COMMIT: /* unclear answers */
		return part->committing && part->commit_tries > 0;
	case WAIT_PLUGIN:
		return (part->pause & PAUSE_RETRY) != 0;
	case WAIT_STAGE: /* staged files failed */
		return (part->pause & PAUSE_DISK) != 0;
	case WAIT_BUDGET: /* memory, room in the stage, writers */
		return (part->pause & PAUSE_FULL) != 0;
	case WAIT_RATE: /* kafka.max_..._per_second */
		return part->throttled;
	case WAIT_COUNT:
		break;
	}
	return 0;
}

void
waits_count(struct part *part)
{
	for (int i = 0; i < WAIT_COUNT; i++)
		part->engine->waits_now[i] += waits_for(part, (enum wait)i);
}

void
waits_publish(struct engine *engine)
{
	for (int i = 0; i < WAIT_COUNT; i++) {
		metric_set(engine->waits[i], engine->waits_now[i]);
		engine->waits_now[i] = 0;
	}
}

static void
goes_on(const struct part *part, const char *what, int64_t start)
{
	log_line(SECOR_INFO, what, "topic=%s partition=%d start=%lld",
	    part->topic, part->partition, (long long)start);
}

void
waits_over(struct part *part, int64_t start)
{
	if (part->said_store_boot_ms != 0)
		goes_on(part, "store goes on", start);
	if (part->stage_tries > 0)
		goes_on(part, "stage goes on", start);
	part->said_store_boot_ms = 0;
	part->stage_tries = 0;
}

void
waits_describe(const struct part *part, void *json)
{
	json_t *list = json_array(), *one = json;

	for (int i = 0; i < WAIT_COUNT; i++)
		if (waits_for(part, (enum wait)i))
			(void)json_array_append_new(
			    list, json_string(wait_names[i]));
	if (json_array_size(list) > 0)
		(void)json_object_set(one, "waits_for", list);
	json_decref(list);
}
