/*
 * offsets_adopt.c -- `secor offsets adopt`: a partition goes on at an offset
 * that a person chose. Offsets that are passed over get a gap manifest; offsets
 * that are stored already are never stored again under the same names.
 */
#include "core/cli/cli.h"
#include "core/cli/offsets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is known before anything is done. */
struct known {
	struct record found; /* the group's record */
	struct ranges ranges;
	int has_base;
	struct record base; /* clean: up to where things are accounted for */
	int64_t low, high;  /* of the log */
	struct stored unfinished;
	int64_t target;
};

static int
is_ours(const struct offsets *offsets, const struct record *record)
{
	return (record->kind == RECORD_CLEAN || record->kind == RECORD_PLAN ||
		   record->kind == RECORD_HALT) &&
	       record_same_family(record->g, offsets->g);
}

/* The record, or the last manifest where that is further on. */
static void
find_base(const struct offsets *offsets, struct known *known)
{
	const struct range *last = ranges_last(&known->ranges, INT64_MAX);
	struct record *base = &known->base;

	base->w = INT64_MIN;
	if (is_ours(offsets, &known->found)) {
		*base = known->found;
		known->has_base = 1;
	}
	if (last != NULL && (!known->has_base || last->end > base->offset)) {
		base->offset = last->end;
		base->m = last->chain;
		base->w = last->watermark;
		base->q = known->has_base ? base->q : last->end;
		known->has_base = 1;
	}
	base->kind = RECORD_CLEAN;
	memcpy(base->g, offsets->g, sizeof(base->g));
}

static int
look(struct offsets *offsets, const struct wish *wish, struct known *known,
    struct secor_err *err)
{
	int rc = group_must_be_empty(&offsets->group, err);

	if (rc == SECOR_OK)
		rc = group_log(&offsets->group, wish->topic, wish->partition,
		    &known->low, &known->high, err);
	if (rc == SECOR_OK)
		rc = group_record(&offsets->group, wish->topic, wish->partition,
		    &known->found, NULL, err);
	if (rc == SECOR_OK)
		rc = ranges_read(
		    offsets, wish->topic, wish->partition, &known->ranges, err);
	if (rc == SECOR_OK)
		find_base(offsets, known);
	return rc;
}

static int
find_target(const struct wish *wish, struct known *known, struct secor_err *err)
{
	const struct range *last = ranges_last(&known->ranges, INT64_MAX);

	if (wish->offset >= 0) {
		known->target = wish->offset;
	} else if (wish->from_manifests) {
		if (last == NULL)
			return secor_fail(err, SECOR_FATAL,
			    "there is no manifest of %s/%" PRId32
			    ": --offset N or --current",
			    wish->topic, wish->partition);
		known->target = last->end;
	} else {
		if (known->found.kind == RECORD_MISSING)
			return secor_fail(err, SECOR_FATAL,
			    "the group has no offset of %s/%" PRId32
			    ": --offset N or --from-manifests",
			    wish->topic, wish->partition);
		known->target = known->found.offset;
	}
	if (known->target > known->high)
		return secor_fail(err, SECOR_FATAL,
		    "offset %" PRId64 " is beyond the end of the log (%" PRId64
		    ")",
		    known->target, known->high);
	return SECOR_OK;
}

/* An open plan whose batch has no manifest: part of it may be stored. */
static int
check_plan(const struct offsets *offsets, const struct wish *wish,
    const struct known *known, struct secor_err *err)
{
	if (known->found.kind != RECORD_PLAN ||
	    !is_ours(offsets, &known->found) ||
	    known->base.offset > known->found.offset)
		return SECOR_OK;
	return secor_fail(err, SECOR_FATAL,
	    "a plan to store offsets %" PRId64 "..%" PRId64
	    " is open, and part of it may be stored: secor offsets resolve "
	    "%s %s %" PRId32,
	    known->found.offset, known->found.e - 1, offsets->config->file,
	    wish->topic, wish->partition);
}

/* Going back: the same names must not be written again. */
static int
check_back(const struct offsets *offsets, const struct known *known,
    struct secor_err *err)
{
	int64_t generation = offsets->config->layout.generation;
	int64_t highest = -1;

	for (size_t i = 0; i < known->ranges.count; i++)
		if (known->ranges.items[i].end > known->target &&
		    known->ranges.items[i].generation > highest)
			highest = known->ranges.items[i].generation;
	if (highest < generation)
		return SECOR_OK;
	return secor_fail(err, SECOR_FATAL,
	    "offsets from %" PRId64 " on are stored in generation %" PRId64
	    ": set layout.generation to %" PRId64
	    " first, so that no object is written over",
	    known->target, highest, highest + 1);
}

static int
check(struct offsets *offsets, const struct wish *wish, struct known *known,
    struct secor_err *err)
{
	int rc = find_target(wish, known, err);

	if (rc == SECOR_OK)
		rc = check_plan(offsets, wish, known, err);
	if (rc == SECOR_OK)
		rc = check_back(offsets, known, err);
	known->unfinished.generation = offsets->config->layout.generation;
	known->unfinished.from = known->target;
	known->unfinished.until = INT64_MAX;
	if (rc == SECOR_OK)
		rc = stored_find(offsets, wish, &known->unfinished, err);
	if (rc != SECOR_OK || known->unfinished.count == 0 ||
	    wish->remove_unfinished)
		return rc;
	return secor_fail(err, SECOR_FATAL,
	    "%zu objects of batches at or behind offset %" PRId64
	    " are stored and were never final, the first %.300s: their "
	    "messages would be there twice; --remove-unfinished removes them, "
	    "or raise layout.generation and leave them to a person",
	    known->unfinished.count, known->target, known->unfinished.keys[0]);
}

static void
explain(const struct wish *wish, const struct known *known)
{
	int64_t target = known->target;
	int64_t base = known->base.offset;

	(void)printf("%s/%" PRId32 " will go on at offset %" PRId64
		     " (the log has %" PRId64 "..%" PRId64 ")\n",
	    wish->topic, wish->partition, target, known->low, known->high - 1);
	if (!known->has_base)
		(void)printf("  nothing is known of offsets before it: they "
			     "are taken as done\n");
	else if (target > base)
		(void)printf("  skipped: offsets %" PRId64 "..%" PRId64
			     " will be stored nowhere; a gap manifest says "
			     "so\n",
		    base, target - 1);
	else if (target < base)
		(void)printf("  doubled: offsets %" PRId64 "..%" PRId64
			     " are stored already and will be stored again, in "
			     "this generation\n",
		    target, base - 1);
	else
		(void)printf("  nothing is skipped, nothing doubled\n");
	if (target < known->low)
		(void)printf("  the log begins at %" PRId64
			     ": what is before it is lost "
			     "(kafka.on_data_loss)\n",
		    known->low);
	if (known->unfinished.count > 0)
		(void)printf("  removed: %zu objects of unfinished batches "
			     "(%" PRIu64 " bytes)\n",
		    known->unfinished.count, known->unfinished.bytes);
}

/* The clean record at the target, after the gap manifest where one is due. */
static int
carry_out(struct offsets *offsets, const struct wish *wish, struct known *known,
    struct secor_err *err)
{
	struct record *record = &known->base;
	int rc = stored_remove(offsets, &known->unfinished, err);

	if (rc != SECOR_OK)
		return rc;
	if (!known->has_base || known->target < record->offset) {
		const struct range *before =
		    ranges_last(&known->ranges, known->target);

		record->offset = record->q = known->target;
		record->m = before == NULL ? 0 : before->chain;
		record->w = before == NULL ? INT64_MIN : before->watermark;
	} else if (known->target > record->offset) {
		rc = gap_put(offsets, wish, known->target, record, err);
	}
	if (rc != SECOR_OK)
		return rc;
	return group_commit(
	    &offsets->group, wish->topic, wish->partition, record, err);
}

int
offsets_adopt(struct offsets *offsets, const struct wish *wish)
{
	struct known known = {.target = -1};
	struct secor_err err;
	int rc = look(offsets, wish, &known, &err);
	int code = CLI_OK;

	if (rc == SECOR_OK)
		rc = check(offsets, wish, &known, &err);
	if (rc == SECOR_OK) {
		explain(wish, &known);
		if (!offsets_ask(wish, "Go on?"))
			code = CLI_FOUND;
		else
			rc = carry_out(offsets, wish, &known, &err);
	}
	if (rc != SECOR_OK)
		code = offsets_failed(rc, &err);
	else if (code == CLI_OK)
		(void)printf("committed: %s/%" PRId32 " is clean at %" PRId64
			     "\n",
		    wish->topic, wish->partition, known.target);
	ranges_fini(&known.ranges);
	stored_fini(&known.unfinished);
	return code;
}
