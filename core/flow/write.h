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
	struct pool *pool;
	struct queue *done; /* struct staged_done */
};

/* A seal's result; the receiver frees it (staged_done_free). */
struct staged_done {
	struct queue_node node;
	void *owner;	/* of staged_spec */
	int status;	/* SECOR_OK, or SECOR_RETRY / SECOR_FATAL with text */
	uint64_t bytes; /* of the file */
	uint32_t crc32c;
	struct secor_err err;
};

struct staged_spec {
	void *owner;			 /* comes back in staged_done */
	const struct config_use *format; /* lives as long as the writers */
	struct secor_object object;	 /* copied */
	int wants_records; /* blocks hold packed records (pack.h) for `write` */
};

struct writers *writers_new(const struct writers_conf *conf);
/* Waits for what is queued, ends the threads. */
void writers_free(struct writers *writers);

/* Thread: consumer, all of these. */
struct staged *
staged_new(struct writers *writers, const struct staged_spec *spec);
/* Takes the block. */
void staged_append(struct staged *staged, struct block *block);
/* No more appends. Exactly one staged_done comes back. */
void staged_seal(struct staged *staged);
/* Forgets it and removes its file, whatever its state; takes `staged`. No
 * event comes after one that is already in the `done` queue: the receiver
 * checks its owner. */
void staged_drop(struct staged *staged);

/* The sealed file; valid until the drop. */
const char *staged_file(const struct staged *staged);
/* Bytes in the file or on the way to it, as far as known now (for the policy).
 * Any thread. */
uint64_t staged_bytes(const struct staged *staged);

/* Blocks queued over all writers: back-pressure. Any thread. */
size_t writers_backlog(const struct writers *writers);
/* Waits until it is below `limit`, wait_ms at most. */
int writers_wait(struct writers *writers, size_t limit, int64_t wait_ms);

#endif
