/*
 * part.c -- the ledger's table of partitions. Thread: consumer, all of it.
 */
#include "core/flow/part.h"

#include "core/base/hash.h"
#include "core/base/log.h"
#include "core/flow/flow.h"

#include <stdlib.h>
#include <string.h>

static size_t
bucket_of(const char *topic, int32_t partition)
{
	return hash64_seed(topic, strlen(topic), (uint64_t)partition) %
	       PART_BUCKETS;
}

struct part *
part_find(struct part_table *table, const char *topic, int32_t partition)
{
	struct part *part = table->buckets[bucket_of(topic, partition)];

	while (part != NULL && (part->partition != partition ||
				   strcmp(part->topic, topic) != 0))
		part = part->chained;
	return part;
}

struct part *
part_get(struct engine *engine, const char *topic, int32_t partition)
{
	struct part_table *table = &engine->parts;
	struct part *part = part_find(table, topic, partition);
	struct part **bucket;

	if (part != NULL)
		return part;
	part = mem_alloc(sizeof(*part));
	part->engine = engine;
	(void)snprintf(part->topic, sizeof(part->topic), "%s", topic);
	part->partition = partition;
	part->ownership = ownership_new();
	part->eof = -1;
	part->last_minute = -1;
	bucket = &table->buckets[bucket_of(topic, partition)];
	part->chained = *bucket;
	*bucket = part;
	table->count++;
	metrics_part(part);
	return part;
}

void
part_each(struct part_table *table, void (*each)(struct part *part))
{
	for (size_t i = 0; i < PART_BUCKETS; i++)
		for (struct part *p = table->buckets[i]; p != NULL;
		     p = p->chained)
			each(p);
}

static void
part_free(struct part *part)
{
	held_free(part);
	ownership_unref(part->ownership);
	free(part->metrics);
	free(part->expiry);
	free(part);
}

void
part_table_free(struct part_table *table)
{
	for (size_t i = 0; i < PART_BUCKETS; i++)
		while (table->buckets[i] != NULL) {
			struct part *part = table->buckets[i];

			table->buckets[i] = part->chained;
			part_free(part);
		}
}

void
part_new_epoch(struct part *part)
{
	part->epoch++;
	atomic_store(&part->ownership->epoch, part->epoch);
	part->committing = 0;
	part->commit_again_boot_ms = 0;
	part->inquiring = 0;
	part->inquire_again_boot_ms = 0;
	part->want_commit = 0;
	part->older_reads = 0;
	part->halt_next = HALT_NONE; /* whoever reads on finds it again */
}

void
part_drop_cur(struct part *part)
{
	batch_drop(part->cur);
	part->cur = NULL;
	held_free(part);
	part->skip_array = part->engine->array_serial;
	part->eof = -1;
}

void
part_drop_batches(struct part *part)
{
	part_drop_cur(part);
	batch_drop(part->past);
	part->past = NULL;
}

void
part_begin_again(struct part *part)
{
	part_drop_batches(part);
	part->next = part->record.offset;
	part->pause &=
	    ~(unsigned)(PAUSE_CUT | PAUSE_RETRY | PAUSE_HALT | PAUSE_RATE);
	part->halt_next = HALT_NONE;
	if (part->record.kind != RECORD_PLAN)
		return;
	if (part->record.c == CUT_GAP)
		die("a gap could not be recorded");
	part->cur = batch_new(part, part->plan_lane, part->record.offset);
	part->cur->replay = 1;
	part->cur->plan = part->record;
	part->pause &= ~(unsigned)PAUSE_FULL; /* as pause_full() */
	part->cur->planned = !part->committing && !part->want_commit;
}

void
part_seek(struct part *part)
{
	/* resume first: it would set its own position */
	pause_clear(part, PAUSE_DISK);
	reading_seek(part);
}

void
part_sync(struct part *part)
{
	if (part->state == PART_RUNNING && part->pause != 0)
		pause_set(part, part->pause);
	if (part->state == PART_RUNNING && part->engine->full)
		pause_full(part);
}

void
part_fence(struct part *part)
{
	if (part->state == PART_AWAY)
		return;
	part_new_epoch(part);
	part_drop_batches(part);
	reading_stop(part);
	part->state = PART_AWAY;
	part->pause = 0;
	part->paused = 0;
	part->halt = HALT_NONE;
}
