/*
 * offsets_adopt.c -- `secor offsets adopt` and `reset`: which offset it is that
 * a person chose. What becomes of it is in offsets_move.c.
 */
#include "core/base/clock.h"
#include "core/cli/cli.h"
#include "core/cli/offsets.h"

#include <stdio.h>
#include <stdlib.h>

int
offsets_adopt(struct offsets *offsets, const struct wish *wish)
{
	struct move move = {
	    .place = {offsets->config->file, wish->topic, wish->partition},
	    .aim = wish->from_manifests ? AIM_MANIFESTS
		   : wish->current	? AIM_CURRENT
					: AIM_OFFSET,
	    .number = wish->offset};

	return moves_run(offsets, wish, &move, 1);
}

/* All partitions of the topic, or the one. */
static int
make_moves(struct offsets *offsets, const struct wish *wish,
    struct move **moves, size_t *count, struct secor_err *err)
{
	int64_t now_ms = clock_now_ms();
	int32_t partitions = 0;
	int rc =
	    group_partitions(&offsets->group, wish->topic, &partitions, err);
	int32_t first = wish->partition < 0 ? 0 : wish->partition;

	if (rc != SECOR_OK)
		return rc;
	if (partitions <= first)
		return secor_fail(err, SECOR_FATAL,
		    "topic %s has %" PRId32 " partitions", wish->topic,
		    partitions);
	*count = wish->partition < 0 ? (size_t)partitions : 1;
	*moves = mem_alloc(*count * sizeof(**moves));
	for (size_t i = 0; i < *count; i++) {
		struct move *move = &(*moves)[i];

		move->place = (struct halt_place){
		    offsets->config->file, wish->topic, first + (int32_t)i};
		if (!move_aim(move, wish->to, now_ms))
			return secor_fail(err, SECOR_FATAL,
			    "--to %s: neither an offset, earliest, latest nor "
			    "a time like 2026-01-31T12:30:00Z",
			    wish->to);
	}
	return SECOR_OK;
}

int
offsets_reset(struct offsets *offsets, const struct wish *wish)
{
	struct move *moves = NULL;
	size_t count = 0;
	struct secor_err err;
	int rc = make_moves(offsets, wish, &moves, &count, &err);
	int code = rc == SECOR_OK ? moves_run(offsets, wish, moves, count)
				  : offsets_failed(rc, &err);

	free(moves);
	return code;
}
