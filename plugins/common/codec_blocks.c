/*
 * codec_blocks.c -- see codec_blocks.h.
 */
#include "plugins/common/codec_blocks.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Moves what `out` holds to where there is room. Returns whether all of it
 * went. */
static int
give(struct grow *out, size_t *given, struct codec_io *io)
{
	size_t left = out->len - *given;
	size_t n = left < io->out_len ? left : io->out_len;

	if (n > 0) {
		memcpy(io->out, out->ptr + *given, n);
		io->out += n;
		io->out_len -= n;
		*given += n;
	}
	if (n < left)
		return 0;
	out->len = 0;
	*given = 0;
	return 1;
}

/* Fills `in` up to `want` bytes. Returns whether they are there. */
static int
gather(struct grow *in, size_t want, struct codec_io *io)
{
	size_t lacks = want - in->len;
	size_t n = lacks < io->in_len ? lacks : io->in_len;

	grow_put(in, io->in, n);
	io->in += n;
	io->in_len -= n;
	return n == lacks;
}

struct codec_blocks *
codec_blocks_new(const struct codec_blocks_rule *rule, int level)
{
	struct codec_blocks *blocks = calloc(1, sizeof(*blocks));

	assert(blocks != NULL);
	blocks->rule = rule;
	blocks->level = level;
	return blocks;
}

void
codec_blocks_reset(void *state)
{
	struct codec_blocks *blocks = state;

	blocks->in.len = blocks->out.len = blocks->given = 0;
	blocks->count = 0;
	blocks->begun = blocks->ended = 0;
}

void
codec_blocks_free(void *state)
{
	struct codec_blocks *blocks = state;

	grow_fini(&blocks->in);
	grow_fini(&blocks->out);
	free(blocks);
}

static int
begin_once(struct codec_blocks *blocks)
{
	int begun = blocks->begun;

	blocks->begun = 1;
	return begun || blocks->rule->begin == NULL
		   ? 0
		   : blocks->rule->begin(blocks);
}

static int
one_block(struct codec_blocks *blocks, const char *bytes, size_t len)
{
	int rc = blocks->rule->block(blocks, bytes, len);

	blocks->count++;
	return rc;
}

/* One block, if there is one; else keeps what there is of it. */
static int
take(struct codec_blocks *blocks, struct codec_io *io)
{
	size_t size = blocks->rule->size;
	int rc;

	if (blocks->in.len == 0 && io->in_len >= size) {
		rc = one_block(blocks, io->in, size);
		io->in += size;
		io->in_len -= size;
		return rc;
	}
	if (!gather(&blocks->in, size, io))
		return 0;
	rc = one_block(blocks, blocks->in.ptr, size);
	blocks->in.len = 0;
	return rc;
}

static int
end_once(struct codec_blocks *blocks)
{
	int rc = 0;

	if (blocks->in.len > 0)
		rc = one_block(blocks, blocks->in.ptr, blocks->in.len);
	blocks->in.len = 0;
	if (rc == 0 && blocks->rule->end != NULL)
		rc = blocks->rule->end(blocks);
	blocks->ended = 1;
	return rc;
}

int
codec_blocks_step(void *state, struct codec_io *io, int last, int *done)
{
	struct codec_blocks *blocks = state;
	int rc = begin_once(blocks);

	*done = 0;
	while (rc == 0) {
		if (!give(&blocks->out, &blocks->given, io))
			return 0;
		if (blocks->ended || (io->in_len == 0 && !last)) {
			*done = 1;
			return 0;
		}
		rc = io->in_len > 0 ? take(blocks, io) : end_once(blocks);
	}
	return rc;
}

/* ---- reading ---- */

struct codec_units *
codec_units_new(codec_unit_fn unit, size_t head)
{
	struct codec_units *units = calloc(1, sizeof(*units));

	if (units == NULL)
		return NULL;
	units->unit = unit;
	units->head = head;
	codec_units_reset(units);
	return units;
}

void
codec_units_reset(void *state)
{
	struct codec_units *units = state;

	units->in.len = units->out.len = units->given = 0;
	units->need = units->head;
	units->phase = units->begun = 0;
	units->type = units->left = 0;
}

void
codec_units_free(void *state)
{
	struct codec_units *units = state;

	if (units == NULL)
		return;
	grow_fini(&units->in);
	grow_fini(&units->out);
	free(units);
}

static int
may_end(const struct codec_units *units)
{
	return units->begun && units->phase == 0 && units->in.len == 0;
}

const char *
codec_units_step(void *state, struct codec_io *io, int *inside)
{
	struct codec_units *units = state;
	const char *wrong;

	*inside = 1;
	while (give(&units->out, &units->given, io)) {
		if (!gather(&units->in, units->need, io)) {
			*inside = !may_end(units);
			return NULL;
		}
		(void)grow_room(&units->in, 1); /* so that there is a pointer */
		wrong = units->unit(units, units->in.ptr, units->need);
		units->in.len = 0;
		if (wrong != NULL)
			return wrong;
		units->begun = 1;
		if (units->need > CODEC_BLOCK_MAX)
			return "a piece that is too large";
	}
	return NULL;
}
