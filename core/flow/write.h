/*
 * write.h -- writers: encoded blocks to staged files, through the format.
 *
 * The consumer thread makes a `staged` for each object, appends blocks, and
 * seals or drops it; each call puts a job on the queue of the one writer that
 * the object belongs to and returns at once. What became of a seal comes back
 * as an event on the `done` queue. I/O errors are never bad messages: they come
 * back as SECOR_RETRY and the batch is begun again.
 *
 * Codec state is made when an object is worth it: until then its encoded bytes
 * are kept as they are (in memory, or in the staged file when memory is short)
 * and run through the format at the seal, one object at a time; so ten thousand
 * open paths cost no codec state. At most `open_files` files are open at once.
 * The bytes of the sealed file do not depend on any of this.
 */
#ifndef SECOR_FLOW_WRITE_H
#define SECOR_FLOW_WRITE_H

#include "core/config/config.h"
#include "core/flow/pool.h"
#include "core/flow/stage.h"

struct writers;
struct staged;

struct writers_conf {
	int count;	    /* threads */
	int64_t open_files; /* over all writers */
	struct stage *stage;
	int64_t stage_max; /* its bytes; 0: no limit */
	struct pool *pool;
	struct queue *done; /* struct staged_done */
};

/* A seal's result, received and freed by the consumer thread. */
struct staged_done {
	struct queue_node node;
	void *owner;	/* of staged_spec; NULL: dropped in the meantime */
	int status;	/* SECOR_OK, or SECOR_RETRY / SECOR_FATAL with text */
	uint64_t bytes; /* of the file */
	uint32_t crc32c;
	struct secor_err err;
	struct staged *staged; /* write.c's */
};

struct staged_spec {
	void *owner;			 /* comes back in staged_done */
	const struct config_use *format; /* lives as long as the writers */
	struct secor_object object;	 /* copied, with its texts */
	int wants_records; /* blocks hold packed records (pack.h) for `write` */
};

struct writers *writers_new(const struct writers_conf *conf);
/* Every staged was dropped before. Waits for what is queued, ends the threads;
 * events may still lie in `done`. Accepts NULL. */
void writers_free(struct writers *writers);

/* Thread: consumer, all of these. */
struct staged *
staged_new(struct writers *writers, const struct staged_spec *spec);
/* Takes the block. Encoded blocks hold multiples of 4096 bytes, except the last
 * one before the seal. */
void staged_append(struct staged *staged, struct block *block);
/* No more appends. Exactly one staged_done comes back. */
void staged_seal(struct staged *staged);
/* Forgets it and removes its file, whatever its state; takes `staged`. An event
 * that is queued or still to come arrives with owner == NULL: the receiver
 * frees it and goes on. Its owner may be freed right after the drop. */
void staged_drop(struct staged *staged);

/* Accepts NULL. */
void staged_done_free(struct staged_done *done);

/* The file, once staged_done came with SECOR_OK; valid until the drop. */
const char *staged_file(const struct staged *staged);

/* Any thread, these three. */

/* Bytes in the file or on the way to it, as far as known now (for the policy):
 * what the format has put, and what it has not seen yet. */
uint64_t staged_bytes(const struct staged *staged);
/* Whether it failed already: its blocks are thrown away and the seal will say
 * why. Seal it now instead of collecting for nothing. */
int staged_failed(const struct staged *staged);
/* How many have failed so far: while it stays, nothing is to be looked for. */
unsigned writers_failures(const struct writers *writers);

/* Blocks queued over all writers: back-pressure. Any thread. */
size_t writers_backlog(const struct writers *writers);
/* Waits until it is below `limit`, wait_ms at most (-1: for ever). Returns
 * whether that is so. */
int writers_wait(struct writers *writers, size_t limit, int64_t wait_ms);

#endif
