/*
 * offsets_move.c -- partitions go on at offsets that a person chose: what
 * adopt, reset and import have in common. Offsets that are passed over get a
 * gap manifest; offsets that are stored already are never stored again under
 * the same names.
 */
#include "core/base/clock.h"
#include "core/cli/args.h"
#include "core/cli/cli.h"
#include "core/cli/offsets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
move_aim(struct move *move, const char *text, int64_t now_ms)
{
	char *end;

	move->aim = AIM_OFFSET;
	if (text[0] != '\0' && text[strspn(text, "0123456789")] == '\0') {
		move->number = strtoll(text, &end, 10);
		return move->number < INT64_MAX;
	}
	if (strcmp(text, "earliest") == 0)
		move->aim = AIM_EARLIEST;
	else if (strcmp(text, "latest") == 0)
		move->aim = AIM_LATEST;
	else if (cli_parse_time(text, now_ms, &move->number))
		move->aim = AIM_TIME;
	else
		return 0;
	return 1;
}

/* ---- what is known before anything is done ---- */

static int
is_ours(const struct offsets *offsets, const struct record *record)
{
	return (record->kind == RECORD_CLEAN || record->kind == RECORD_PLAN ||
		   record->kind == RECORD_HALT) &&
	       record_same_family(record->g, offsets->g);
}

/* The record, or the last manifest where that is further on. */
static void
find_base(const struct offsets *offsets, struct move *move)
{
	const struct range *last = ranges_last(&move->ranges, INT64_MAX);
	struct record *base = &move->base;

	base->w = INT64_MIN;
	if (is_ours(offsets, &move->found)) {
		*base = move->found;
		move->has_base = 1;
	}
	if (last != NULL && (!move->has_base || last->end > base->offset)) {
		base->offset = last->end;
		base->m = last->chain;
		base->w = last->watermark;
		base->q = move->has_base ? base->q : last->end;
		move->has_base = 1;
	}
	base->kind = RECORD_CLEAN;
	memcpy(base->g, offsets->g, sizeof(base->g));
}

static int
look(struct offsets *offsets, struct move *move, struct secor_err *err)
{
	const struct halt_place *place = &move->place;
	int rc = group_log(&offsets->group, place->topic, place->partition,
	    &move->low, &move->high, err);

	if (rc == SECOR_OK)
		rc = group_record(&offsets->group, place->topic,
		    place->partition, &move->found, NULL, err);
	if (rc == SECOR_OK)
		rc = ranges_read(offsets, place, &move->ranges, err);
	if (rc == SECOR_OK)
		find_base(offsets, move);
	return rc;
}

static int
aim_at_manifests(struct move *move, struct secor_err *err)
{
	const struct range *last = ranges_last(&move->ranges, INT64_MAX);

	if (last == NULL)
		return secor_fail(err, SECOR_FATAL,
		    "there is no manifest of %s/%" PRId32
		    ": --offset N or --current",
		    move->place.topic, move->place.partition);
	move->target = last->end;
	return SECOR_OK;
}

static int
aim_at_current(struct move *move, struct secor_err *err)
{
	if (move->found.kind == RECORD_MISSING)
		return secor_fail(err, SECOR_FATAL,
		    "the group has no offset of %s/%" PRId32
		    ": --offset N or --from-manifests",
		    move->place.topic, move->place.partition);
	move->target = move->found.offset;
	return SECOR_OK;
}

static int
find_target(struct offsets *offsets, struct move *move, struct secor_err *err)
{
	const struct halt_place *place = &move->place;
	int rc = SECOR_OK;

	switch (move->aim) {
	case AIM_OFFSET:
		move->target = move->number;
		break;
	case AIM_TIME:
		rc = group_offset_at(&offsets->group, place->topic,
		    place->partition, move->number, &move->target, err);
		if (rc == SECOR_OK && move->target < 0) /* none so late */
			move->target = move->high;
		break;
	case AIM_EARLIEST:
		move->target = move->low;
		break;
	case AIM_LATEST:
		move->target = move->high;
		break;
	case AIM_CURRENT:
		return aim_at_current(move, err);
	case AIM_MANIFESTS:
		return aim_at_manifests(move, err);
	case AIM_NONE:
		break;
	}
	return rc;
}

/* ---- what is in the way ---- */

static int
check_log(const struct move *move, struct secor_err *err)
{
	if (move->target <= move->high)
		return SECOR_OK;
	return secor_fail(err, SECOR_FATAL,
	    "offset %" PRId64 " is beyond the end of the log (%" PRId64
	    ") of %s/%" PRId32
	    ": where the log was cut or the topic created again, raise "
	    "layout.generation first, then --offset with one that it has",
	    move->target, move->high, move->place.topic, move->place.partition);
}

/* An open plan whose batch has no manifest: part of it may be stored. */
static int
check_plan(const struct offsets *offsets, const struct move *move,
    struct secor_err *err)
{
	const struct record *found = &move->found;

	if (found->kind != RECORD_PLAN || !is_ours(offsets, found) ||
	    move->base.offset > found->offset)
		return SECOR_OK;
	return secor_fail(err, SECOR_FATAL,
	    "a plan to store offsets %" PRId64 "..%" PRId64
	    " is open, and part of it may be stored: secor offsets resolve "
	    "%s %s %" PRId32,
	    found->offset, found->e - 1, move->place.file, move->place.topic,
	    move->place.partition);
}

/* Going back: the same names must not be written again. */
static int
check_back(const struct offsets *offsets, const struct move *move,
    struct secor_err *err)
{
	int64_t generation = offsets->config->layout.generation;
	int64_t highest = -1, end = -1;

	for (size_t i = 0; i < move->ranges.count; i++) {
		const struct range *range = &move->ranges.items[i];

		if (range->end <= move->target)
			continue;
		end = range->end > end ? range->end : end;
		if (range->generation > highest)
			highest = range->generation;
	}
	if (highest < generation)
		return SECOR_OK;
	return secor_fail(err, SECOR_FATAL,
	    "%s/%" PRId32 ": offsets %" PRId64 "..%" PRId64
	    " are stored in generation %" PRId64
	    ", and would be stored again under the same names: set "
	    "layout.generation (`layout: { generation: %" PRId64
	    " }`) in %s, so that no object is written over, and run this "
	    "again: these offsets are then stored twice, once in each "
	    "generation",
	    move->place.topic, move->place.partition, move->target, end - 1,
	    highest, highest + 1, move->place.file);
}

static int
check_unfinished(struct offsets *offsets, const struct wish *wish,
    struct move *move, struct secor_err *err)
{
	struct stored *unfinished = &move->unfinished;
	int rc;

	unfinished->generation = offsets->config->layout.generation;
	unfinished->from = move->target;
	unfinished->until = INT64_MAX;
	rc = stored_find(offsets, &move->place, unfinished, err);
	if (rc != SECOR_OK || unfinished->count == 0 ||
	    wish->remove_unfinished || wish->quarantine)
		return rc;
	return secor_fail(err, SECOR_FATAL,
	    "%zu objects of batches at or behind offset %" PRId64
	    " are stored and were never final, the first %.300s: their "
	    "messages would be there twice; --remove-unfinished removes them, "
	    "with --quarantine after they were copied, or raise "
	    "layout.generation and leave them to a person",
	    unfinished->count, move->target, unfinished->keys[0]);
}

static int
check_record(
    const struct wish *wish, const struct move *move, struct secor_err *err)
{
	int imports = wish->from_group != NULL || wish->from_file != NULL;

	if (!imports || wish->replace || move->found.kind == RECORD_MISSING)
		return SECOR_OK;
	return secor_fail(err, SECOR_FATAL,
	    "%s/%" PRId32 " has a record at offset %" PRId64
	    " already: --replace puts another in its place",
	    move->place.topic, move->place.partition, move->found.offset);
}

static int
check(struct offsets *offsets, const struct wish *wish, struct move *move,
    struct secor_err *err)
{
	int rc = look(offsets, move, err);

	if (rc == SECOR_OK)
		rc = check_record(wish, move, err);
	if (rc == SECOR_OK)
		rc = find_target(offsets, move, err);
	if (rc == SECOR_OK)
		rc = check_log(move, err);
	if (rc == SECOR_OK)
		rc = check_plan(offsets, move, err);
	if (rc == SECOR_OK)
		rc = check_back(offsets, move, err);
	if (rc == SECOR_OK)
		rc = check_unfinished(offsets, wish, move, err);
	return rc;
}

/* ---- what it says ---- */

static int
is_stored(const struct move *move)
{
	for (size_t i = 0; i < move->ranges.count; i++)
		if (move->ranges.items[i].end > move->target)
			return 1;
	return 0;
}

static void
explain_way(const struct move *move)
{
	int64_t target = move->target;
	int64_t base = move->base.offset;

	if (!move->has_base)
		(void)printf("  nothing is known of offsets before it: they "
			     "are taken as done\n");
	else if (target > base)
		(void)printf("  skipped: offsets %" PRId64 "..%" PRId64
			     ", %" PRId64 " messages at most, will be stored "
			     "nowhere; a gap manifest says so\n",
		    base, target - 1, target - base);
	else if (target == base)
		(void)printf("  nothing is skipped, nothing doubled\n");
	else if (is_stored(move))
		(void)printf("  doubled: offsets %" PRId64 "..%" PRId64
			     " are stored already and will be stored again, in "
			     "this generation\n",
		    target, base - 1);
	else
		(void)printf("  offsets %" PRId64 "..%" PRId64
			     ", which no manifest has, will be read too\n",
		    target, base - 1);
}

static void
explain(const struct wish *wish, const struct move *move)
{
	if (move->aim == AIM_NONE) {
		(void)printf("%s/%" PRId32 " is left alone: %s\n",
		    move->place.topic, move->place.partition, move->reason);
		return;
	}
	(void)printf("%s/%" PRId32 " will go on at offset %" PRId64
		     " (the log has %" PRId64 "..%" PRId64 ")\n",
	    move->place.topic, move->place.partition, move->target, move->low,
	    move->high - 1);
	explain_way(move);
	if (move->target < move->low)
		(void)printf("  the log begins at %" PRId64
			     ": what is before it is lost "
			     "(kafka.on_data_loss)\n",
		    move->low);
	if (move->unfinished.count > 0)
		(void)printf("  removed: %zu objects of unfinished batches "
			     "(%" PRIu64 " bytes)%s\n",
		    move->unfinished.count, move->unfinished.bytes,
		    wish->quarantine ? ", after a copy was made" : "");
}

/* ---- what it does ---- */

/* Nobody may store anything meanwhile. */
static int
fence(struct offsets *offsets, const struct move *move, struct secor_err *err)
{
	struct record at = move->base;

	if (!move->has_base)
		at.offset = at.q = move->target;
	return offsets_fence(offsets, &move->place, &at, err);
}

static int
clear(struct offsets *offsets, const struct wish *wish, struct move *move,
    struct secor_err *err)
{
	int gap = move->has_base && move->target > move->base.offset;
	int rc = SECOR_OK;

	if (move->unfinished.count > 0 && wish->quarantine)
		rc = stored_copy(offsets, &move->unfinished, err);
	if (rc == SECOR_OK && (gap || move->unfinished.count > 0))
		rc = fence(offsets, move, err);
	if (rc == SECOR_OK)
		rc = stored_remove(offsets, &move->unfinished, err);
	if (rc == SECOR_OK && gap)
		rc = gap_put(
		    offsets, &move->place, move->target, &move->base, err);
	return rc;
}

/* The clean record at the target, after the gap manifest where one is due. */
static int
carry_out(struct offsets *offsets, const struct wish *wish, struct move *move,
    struct secor_err *err)
{
	struct record *record = &move->base;
	int rc = clear(offsets, wish, move, err);

	if (rc != SECOR_OK)
		return rc;
	if (!move->has_base || move->target < record->offset) {
		const struct range *before =
		    ranges_last(&move->ranges, move->target);

		record->offset = record->q = move->target;
		record->m = before == NULL ? 0 : before->chain;
		record->w = before == NULL ? INT64_MIN : before->watermark;
	}
	return offsets_commit(offsets, &move->place, record, err);
}

/* ---- all of them ---- */

/* Every complaint is told; the exit code, -1 when there is none. */
static int
check_all(struct offsets *offsets, const struct wish *wish, struct move *moves,
    size_t count)
{
	int code = -1;

	for (size_t i = 0; i < count; i++) {
		struct secor_err err;
		int rc;

		if (moves[i].aim == AIM_NONE)
			continue;
		rc = offsets_take(offsets, wish, &moves[i].place, &err);
		if (rc == SECOR_OK)
			rc = check(offsets, wish, &moves[i], &err);
		if (rc != SECOR_OK)
			code = offsets_failed(rc, &err);
		if (rc == SECOR_RETRY)
			break;
	}
	if (code >= 0 && count > 1)
		(void)fprintf(stderr, "secor offsets: nothing was done\n");
	return code;
}

static int
carry_out_all(struct offsets *offsets, const struct wish *wish,
    struct move *moves, size_t count)
{
	struct secor_err err;

	for (size_t i = 0; i < count; i++) {
		int rc = moves[i].aim == AIM_NONE
			     ? SECOR_OK
			     : carry_out(offsets, wish, &moves[i], &err);

		if (rc != SECOR_OK)
			return offsets_failed(rc, &err);
	}
	return CLI_OK;
}

int
moves_run(struct offsets *offsets, const struct wish *wish, struct move *moves,
    size_t count)
{
	int code = check_all(offsets, wish, moves, count);

	for (size_t i = 0; code < 0 && i < count; i++)
		explain(wish, &moves[i]);
	if (code < 0)
		code = offsets_ask(wish, "Go on?");
	if (code < 0)
		code = carry_out_all(offsets, wish, moves, count);
	for (size_t i = 0; i < count; i++) {
		ranges_fini(&moves[i].ranges);
		stored_fini(&moves[i].unfinished);
	}
	return code;
}
