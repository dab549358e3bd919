/*
 * write_stream.c -- where the encoded bytes of an object are until its file is
 * whole.
 *
 * Whether an object is held, spilled or streamed depends on memory and on
 * timing; what the format sees does not: the same bytes in the same order, cut
 * at multiples of 4096.
 */
#include "core/flow/write_stream.h"

#include "core/base/buf.h"
#include "core/base/files.h"
#include "core/base/hash.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	HOLD_BYTES = 128 * 1024, /* of one object; larger is worth a stream */
	PASS_BYTES = 64 * 1024,	 /* worth a write, once there is a file */
	READ_BYTES = 256 * 1024	 /* of a raw file at a time */
};

/* ---- held blocks ---- */

static void
link_holder(struct write_shop *shop, struct staged *staged)
{
	staged->holder_before = shop->holder_last;
	staged->holder_after = NULL;
	*(shop->holder_last != NULL ? &shop->holder_last->holder_after
				    : &shop->holder_first) = staged;
	shop->holder_last = staged;
}

static void
unlink_holder(struct write_shop *shop, struct staged *staged)
{
	*(staged->holder_before != NULL ? &staged->holder_before->holder_after
					: &shop->holder_first) =
	    staged->holder_after;
	*(staged->holder_after != NULL ? &staged->holder_after->holder_before
				       : &shop->holder_last) =
	    staged->holder_before;
}

static void
hold(struct write_shop *shop, struct staged *staged, struct block *block)
{
	if (staged->held == NULL)
		link_holder(shop, staged);
	block->node.next = NULL;
	*staged->held_last = &block->node;
	staged->held_last = &block->node.next;
	staged->held_bytes += (int64_t)block->room;
	shop->held += (int64_t)block->room;
}

/* The first held block, which the caller puts back; or NULL. */
static struct block *
unhold(struct write_shop *shop, struct staged *staged)
{
	struct block *block = (struct block *)staged->held;

	if (block == NULL)
		return NULL;
	staged->held = block->node.next;
	if (staged->held == NULL) {
		staged->held_last = &staged->held;
		unlink_holder(shop, staged);
	}
	staged->held_bytes -= (int64_t)block->room;
	shop->held -= (int64_t)block->room;
	return block;
}

static int
feed_block(struct write_shop *shop, struct staged *staged,
    const struct block *block, struct secor_err *err)
{
	size_t taken;
	int rc =
	    stream_feed(shop, staged, block->data, block->len, &taken, err);

	assert(rc != SECOR_OK || taken == block->len);
	return rc;
}

/* What is held goes where the state says: to the format or to the raw file. */
static int
pass_held(struct write_shop *shop, struct staged *staged, struct secor_err *err)
{
	struct outfile *to =
	    staged->state == STAGED_RAW ? &staged->raw : &staged->out;
	struct block *block;
	int rc = SECOR_OK;

	while (rc == SECOR_OK && (block = unhold(shop, staged)) != NULL) {
		rc = to == &staged->raw
			 ? outfile_put(to, block->data, block->len, err)
			 : feed_block(shop, staged, block, err);
		pool_put(block);
	}
	return rc == SECOR_OK ? outfile_flush(to, err) : rc;
}

/* Out of memory: HELD -> STREAM when there is room for a stream, else RAW. */
static int
move_on(struct write_shop *shop, struct staged *staged, struct secor_err *err)
{
	int rc = SECOR_OK;

	if (staged->state == STAGED_HELD)
		rc = stream_begin(shop, staged, 0, err);
	if (rc != SECOR_OK)
		return rc;
	if (staged->state == STAGED_HELD) {
		staged->state = STAGED_RAW;
		outfile_begin(&staged->raw, &shop->files, 0);
	}
	return pass_held(shop, staged, err);
}

/* ---- the raw file, at the seal ---- */

/* Takes `taken` bytes away from the front; a block that is full of one record
 * is changed for a larger one. */
static struct block *
keep_rest(struct block *block, size_t taken)
{
	struct block *larger;

	block->len -= taken;
	if (block->len < block->room) {
		memmove(block->data, block->data + taken, block->len);
		return block;
	}
	larger = pool_get(block->pool, 2 * block->room);
	memcpy(larger->data, block->data, block->len);
	larger->len = block->len;
	pool_put(block);
	return larger;
}

/* Reads on behind what is in the block. */
static int
read_more(struct staged *staged, int fd, uint64_t at, struct block *block,
    struct secor_err *err)
{
	uint64_t left = staged->raw.bytes - at;
	size_t n = block->room - block->len;
	int rc;

	if (n > left)
		n = (size_t)left;
	rc = file_pread(
	    fd, block->data + block->len, n, at, staged->raw.name, err);
	if (rc == SECOR_OK)
		block->len += n;
	return rc;
}

static int
replay_fd(struct write_shop *shop, struct staged *staged, int fd,
    struct secor_err *err)
{
	struct block *block = pool_get(shop->budget->pool, READ_BYTES);
	uint32_t crc32c = 0;
	uint64_t at = 0;
	int rc = SECOR_OK;

	while (rc == SECOR_OK && at < staged->raw.bytes) {
		size_t had = block->len, taken = 0;

		if (atomic_load(&staged->dropped))
			rc = secor_fail(err, SECOR_RETRY, "dropped");
		else
			rc = read_more(staged, fd, at, block, err);
		if (rc != SECOR_OK)
			break;
		at += block->len - had;
		crc32c =
		    crc32c_add(crc32c, block->data + had, block->len - had);
		rc = stream_feed(
		    shop, staged, block->data, block->len, &taken, err);
		block = keep_rest(block, taken);
	}
	if (rc == SECOR_OK && (crc32c != staged->raw.crc32c || block->len > 0))
		rc = secor_fail(err, SECOR_RETRY,
		    "%s: read other bytes than were written: the disk of "
		    "stage.dir has a fault",
		    staged->raw.name);
	pool_put(block);
	return rc;
}

/* The raw file through the format. Its descriptor comes on top of the share of
 * open files: one a writer. */
static int
replay_raw(
    struct write_shop *shop, struct staged *staged, struct secor_err *err)
{
	int fd = open(staged->raw.name, O_RDONLY | O_CLOEXEC);
	int rc;

	if (fd < 0)
		return secor_fail(err, SECOR_RETRY, "open %s: %s",
		    staged->raw.name, strerror(errno));
	rc = replay_fd(shop, staged, fd, err);
	(void)close(fd);
	outfile_remove(&staged->raw);
	return rc;
}

/* HELD or RAW -> STREAM with all that is in the raw file. */
static int
catch_up(struct write_shop *shop, struct staged *staged, struct secor_err *err)
{
	int was = staged->state;
	int rc =
	    was == STAGED_RAW ? outfile_finish(&staged->raw, err) : SECOR_OK;

	if (rc == SECOR_OK)
		rc = stream_begin(shop, staged, 1, err);
	if (rc == SECOR_OK && was == STAGED_RAW)
		rc = replay_raw(shop, staged, err);
	return rc;
}

static int
seal(struct write_shop *shop, struct staged *staged, struct secor_err *err)
{
	int rc = SECOR_OK;

	if (staged->state != STAGED_STREAM)
		rc = catch_up(shop, staged, err);
	if (rc == SECOR_OK)
		rc = pass_held(shop, staged, err);
	if (rc == SECOR_OK)
		rc = stream_finish(staged, err);
	if (rc == SECOR_OK)
		rc = outfile_finish(&staged->out, err);
	return rc;
}

/* ---- what the writer calls ---- */

static void
give_back(struct write_shop *shop, struct staged *staged)
{
	struct block *block;

	stream_end(shop, staged);
	while ((block = unhold(shop, staged)) != NULL)
		pool_put(block);
	outfile_remove(&staged->raw);
	outfile_remove(&staged->out);
}

/* The first error counts. Its disk space is wanted now, not at the drop. */
static void
fail(struct write_shop *shop, struct staged *staged, int status,
    const struct secor_err *err)
{
	give_back(shop, staged);
	staged->state = STAGED_FAILED;
	staged->status = status == SECOR_RETRY ? SECOR_RETRY : SECOR_FATAL;
	staged->why = mem_text("%s: %s", staged->object.name, err->text);
	atomic_store(&staged->failed, 1);
	atomic_fetch_add(&shop->budget->failures, 1);
}

static int
is_over(const struct staged *staged)
{
	return staged->state == STAGED_FAILED || atomic_load(&staged->dropped);
}

static void
move_on_or_fail(struct write_shop *shop, struct staged *staged)
{
	struct secor_err err = {""};
	int rc = move_on(shop, staged, &err);

	if (rc != SECOR_OK)
		fail(shop, staged, rc, &err);
}

void
stream_take(struct write_shop *shop, struct staged *staged, struct block *block)
{
	if (is_over(staged)) {
		pool_put(block);
		return;
	}
	hold(shop, staged, block);
	if (staged->held_bytes >=
	    (staged->state == STAGED_HELD ? HOLD_BYTES : PASS_BYTES))
		move_on_or_fail(shop, staged);
	/* whoever waits longest has most: a file is opened for more than the
	 * one block that came last */
	while (shop->held > shop->held_limit)
		move_on_or_fail(shop, shop->holder_first);
}

void
stream_seal(struct write_shop *shop, struct staged *staged)
{
	struct secor_err err = {""};
	int rc;

	if (is_over(staged))
		return;
	rc = seal(shop, staged, &err);
	if (rc != SECOR_OK) {
		fail(shop, staged, rc, &err);
		return;
	}
	stream_end(shop, staged);
	staged->state = STAGED_SEALED;
	atomic_store(&staged->made, staged->out.bytes);
}

void
stream_drop(struct write_shop *shop, struct staged *staged)
{
	if (staged->state == STAGED_SEALED)
		outfile_retire(&staged->out);
	give_back(shop, staged);
	free(staged->why);
	staged->why = NULL;
}
