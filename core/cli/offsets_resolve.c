/*
 * offsets_resolve.c -- `secor offsets resolve`: a plan that cannot be repeated.
 * Says what of it is stored and what each way out costs; does one of them.
 */
#include "core/base/hash.h"
#include "core/cli/cli.h"
#include "core/cli/offsets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN_KEYS = 20 };

struct open_plan {
	struct halt_place place;
	struct record record;
	int64_t generation;
	int64_t low, high;
	struct stored stored;
	struct manifest
	    *manifest; /* the batch is whole: only the commit lacks */
};

/* The plan's own, or the gap of an earlier resolve that did not come to its
 * commit. */
static int
fits(const struct record *plan, const struct manifest *manifest)
{
	if (manifest->cut == CUT_GAP && manifest->end == plan->e &&
	    manifest->previous == plan->m)
		return 1;
	return manifest->end == plan->e &&
	       manifest->messages == (uint64_t)plan->n &&
	       manifest->input_hash == plan->i &&
	       manifest->output_hash == plan->o &&
	       manifest->fingerprint == plan->f;
}

static int
find_manifest(struct offsets *offsets, const struct wish *wish,
    struct open_plan *plan, struct secor_err *err)
{
	const struct manifest_store *store = &offsets->store;
	char *key = manifest_key(store->prefix, wish->topic, wish->partition,
	    plan->generation, plan->record.offset);
	struct secor_stat stat = {.size = sizeof(stat)};
	int rc = store->ops->head(store->self, key, &stat, err);

	if (rc == SECOR_OK && stat.exists)
		rc = manifest_get(
		    store->ops, store->self, key, &plan->manifest, err);
	if (rc == SECOR_OK && plan->manifest != NULL &&
	    !fits(&plan->record, plan->manifest))
		rc = secor_fail(err, SECOR_FATAL,
		    "%s is not the manifest of this plan: somebody else wrote "
		    "under these names",
		    key);
	free(key);
	return rc;
}

static int
look(struct offsets *offsets, const struct wish *wish, struct open_plan *plan,
    struct secor_err *err)
{
	struct record *record = &plan->record;
	int rc = SECOR_OK;

	/* only to look, nobody has to let go of it */
	if (wish->again || wish->as_stored || wish->skip_plan)
		rc = offsets_take(offsets, wish, &plan->place, err);

	if (rc == SECOR_OK)
		rc = group_record(&offsets->group, wish->topic, wish->partition,
		    record, NULL, err);
	if (rc == SECOR_OK && (record->kind != RECORD_PLAN ||
				  !record_same_family(record->g, offsets->g)))
		return secor_fail(err, SECOR_FATAL,
		    "%s/%" PRId32
		    " has no open plan of this configuration: secor offsets "
		    "show, and adopt",
		    wish->topic, wish->partition);
	if (rc == SECOR_OK)
		rc = group_log(&offsets->group, wish->topic, wish->partition,
		    &plan->low, &plan->high, err);
	plan->generation = record_generation(record->g);
	plan->stored.generation = plan->generation;
	plan->stored.from = record->offset;
	plan->stored.until = record->offset + 1;
	if (rc == SECOR_OK)
		rc = stored_find(offsets, &plan->place, &plan->stored, err);
	if (rc == SECOR_OK)
		rc = find_manifest(offsets, wish, plan, err);
	return rc;
}

/* ---- what it says ---- */

static void
explain_stored(const struct open_plan *plan)
{
	const struct stored *stored = &plan->stored;

	(void)printf("stored of it: %zu objects, %" PRIu64 " bytes\n",
	    stored->count, stored->bytes);
	for (size_t i = 0; i < stored->count && i < SHOWN_KEYS; i++)
		(void)printf("  %s (%" PRIu64 " bytes)\n", stored->keys[i],
		    stored->lengths[i]);
	if (stored->count > SHOWN_KEYS)
		(void)printf("  and %zu more\n", stored->count - SHOWN_KEYS);
}

static void
explain(const struct wish *wish, const struct open_plan *plan)
{
	const struct record *record = &plan->record;

	(void)printf("%s/%" PRId32 ": a plan to store offsets %" PRId64
		     "..%" PRId64 ", %" PRId64 " messages (cut: %s)\n",
	    wish->topic, wish->partition, record->offset, record->e - 1,
	    record->n, cut_name(record->c));
	(void)printf("the log has offsets %" PRId64 "..%" PRId64 "\n",
	    plan->low, plan->high - 1);
	explain_stored(plan);
	if (plan->manifest != NULL) {
		(void)printf("its manifest is there: %s\n"
			     "  --as-stored   goes on at %" PRId64
			     "; costs nothing more\n",
		    plan->manifest->cut == CUT_GAP
			? "an earlier resolve was interrupted"
			: "every object is stored",
		    record->e);
		return;
	}
	(void)printf("ways on:\n");
	if (plan->low <= record->offset)
		(void)printf(
		    "  run NEW --finish-plans-with OLD   when only the "
		    "configuration changed; costs nothing\n");
	(void)printf("  --again       removes these objects and reads from "
		     "%" PRId64 " again; ",
	    record->offset);
	if (plan->low <= record->offset)
		(void)printf("loses nothing\n");
	else
		(void)printf("loses offsets %" PRId64 "..%" PRId64
			     ", which Kafka no longer has\n",
		    record->offset,
		    (plan->low < record->e ? plan->low : record->e) - 1);
	(void)printf(
	    "  --as-stored   keeps these objects, gives up what is not "
	    "in them, goes on at %" PRId64 "\n"
	    "  --skip-plan   removes these objects, gives up all "
	    "%" PRId64 " messages, goes on at %" PRId64 "\n"
	    "  --quarantine  with --again or --skip-plan: copies these objects "
	    "to " CONFIG_QUARANTINE "/ first\n",
	    record->e, record->n, record->e);
}

/* ---- --as-stored ---- */

struct summing {
	uint64_t length;
	uint32_t crc32c;
};

static int
sum_piece(void *arg, const void *bytes, size_t len)
{
	struct summing *sum = arg;

	sum->length += len;
	sum->crc32c = crc32c_add(sum->crc32c, bytes, len);
	return 0;
}

static int
is_data(const char *key, const char *topic)
{
	size_t len = strlen(topic);

	return strncmp(key, topic, len) == 0 && key[len] == '/';
}

/* <topic>/<path>/<file>: the path; "" for dead letters and for none. */
static char *
path_in(const char *key, const char *topic)
{
	size_t skip = strlen(topic) + 1;
	const char *slash = strrchr(key, '/');

	if (!is_data(key, topic) || slash < key + skip)
		return mem_dup("", 0);
	return mem_dup(key + skip, (size_t)(slash - key) - skip);
}

/* How many records are in it is not known here: the manifest is of a gap, and
 * says 0. */
static int
describe(struct offsets *offsets, const struct wish *wish,
    const struct open_plan *plan, size_t i, struct manifest_object *object,
    struct secor_err *err)
{
	const struct manifest_store *store = &offsets->store;
	const char *key = plan->stored.keys[i];
	struct summing sum = {0, 0};
	int rc = store->ops->get(store->self, key, sum_piece, &sum, err);

	if (rc != SECOR_OK)
		return rc;
	object->key = mem_dup(key, strlen(key));
	object->path = path_in(key, wish->topic);
	object->dead_letter = !is_data(key, wish->topic);
	object->bytes = sum.length;
	object->crc32c = sum.crc32c;
	object->first_offset = plan->record.offset;
	object->last_offset = plan->record.e - 1;
	return SECOR_OK;
}

static int
by_key(const void *left, const void *right)
{
	const struct manifest_object *a = left;
	const struct manifest_object *b = right;

	return strcmp(a->key, b->key);
}

static int
keep_stored(struct offsets *offsets, const struct wish *wish,
    const struct open_plan *plan, struct record *next, struct secor_err *err)
{
	struct manifest *kept = mem_alloc(sizeof(*kept));
	int rc = SECOR_OK;

	kept->topic = mem_dup(wish->topic, strlen(wish->topic));
	kept->partition = wish->partition;
	kept->generation = plan->generation;
	kept->start = plan->record.offset;
	kept->end = plan->record.e;
	kept->fingerprint = plan->record.f;
	kept->cut = CUT_GAP;
	kept->watermark = plan->record.w;
	kept->previous = plan->record.m;
	kept->object_count = plan->stored.count;
	kept->objects = mem_alloc(kept->object_count * sizeof(*kept->objects));
	for (size_t i = 0; rc == SECOR_OK && i < kept->object_count; i++)
		rc = describe(offsets, wish, plan, i, &kept->objects[i], err);
	if (rc == SECOR_OK && kept->object_count > 0)
		qsort(kept->objects, kept->object_count, sizeof(*kept->objects),
		    by_key);
	if (rc == SECOR_OK)
		rc = manifest_store_put(offsets, kept, err);
	if (rc == SECOR_OK) {
		next->offset = kept->end;
		next->m = kept->chain;
	}
	manifest_free(kept);
	return rc;
}

/* ---- what it does ---- */

static int
carry_out(struct offsets *offsets, const struct wish *wish,
    const struct open_plan *plan, struct record *next, struct secor_err *err)
{
	int rc = SECOR_OK;

	*next = plan->record;
	next->kind = RECORD_CLEAN;
	if (wish->quarantine)
		rc = stored_copy(offsets, &plan->stored, err);
	if (rc == SECOR_OK && plan->manifest == NULL)
		rc = offsets_fence(offsets, &plan->place, next, err);
	if (rc != SECOR_OK)
		return rc;
	if (plan->manifest != NULL) {
		next->offset = plan->manifest->end;
		next->m = plan->manifest->chain;
		next->w = plan->manifest->watermark;
	} else if (wish->as_stored) {
		rc = keep_stored(offsets, wish, plan, next, err);
	} else {
		rc = stored_remove(offsets, &plan->stored, err);
		if (rc == SECOR_OK && wish->skip_plan)
			rc = gap_put(
			    offsets, &plan->place, plan->record.e, next, err);
	}
	if (rc != SECOR_OK)
		return rc;
	return offsets_commit(offsets, &plan->place, next, err);
}

static int
choose(struct offsets *offsets, const struct wish *wish,
    const struct open_plan *plan, struct secor_err *err)
{
	struct record next;
	int code, rc;

	if (!wish->skip_plan && !wish->as_stored && !wish->again)
		return CLI_FOUND;
	if (plan->manifest != NULL && !wish->as_stored) {
		(void)secor_fail(err, SECOR_FATAL,
		    "the plan's manifest is there: --as-stored");
		return offsets_failed(SECOR_FATAL, err);
	}
	code = offsets_ask(wish, "Go on?");
	if (code >= 0)
		return code;
	rc = carry_out(offsets, wish, plan, &next, err);
	return rc == SECOR_OK ? CLI_OK : offsets_failed(rc, err);
}

int
offsets_resolve(struct offsets *offsets, const struct wish *wish)
{
	struct open_plan plan = {
	    .place = {offsets->config->file, wish->topic, wish->partition}};
	struct secor_err err;
	int rc = look(offsets, wish, &plan, &err);
	int code;

	if (rc != SECOR_OK) {
		code = offsets_failed(rc, &err);
	} else {
		explain(wish, &plan);
		code = choose(offsets, wish, &plan, &err);
	}
	stored_fini(&plan.stored);
	manifest_free(plan.manifest);
	return code;
}
