/*
 * write_stream.h -- one staged object on its way from encoded blocks to a file.
 * Thread: its writer, all of these.
 *
 *	HELD    blocks lie in memory, no file, no stream
 *	RAW     encoded bytes lie in a file of their own: no memory for a stream
 *	STREAM  the format makes the file
 *		(in both the last blocks may still lie in memory)
 *	SEALED  the file is whole
 *	FAILED  everything was given back; `why` is the first error
 *
 *	HELD -> STREAM -> SEALED, HELD -> RAW -> STREAM -> SEALED, any -> FAILED
 */
#ifndef SECOR_FLOW_WRITE_STREAM_H
#define SECOR_FLOW_WRITE_STREAM_H

#include "core/flow/pack.h"
#include "core/flow/write.h"
#include "core/flow/write_file.h"

#include <stdatomic.h>

enum staged_state {
	STAGED_HELD,
	STAGED_RAW,
	STAGED_STREAM,
	STAGED_SEALED,
	STAGED_FAILED
};

/* An instance of a format: one a writer and configuration. */
struct codec {
	struct codec *next;
	const struct config_use *use;
	const struct secor_format_ops *ops;
	int64_t cost; /* bytes of a stream */
	void *self;
};

/* What all writers share. */
struct write_budget {
	struct pool *pool;
	_Atomic int64_t streams; /* of codec state */
	atomic_uint failures;	 /* of objects */
};

/* What the objects of one writer share. */
struct write_shop {
	struct write_budget *budget;
	struct outfiles files;
	int64_t held; /* bytes of blocks that wait in memory */
	int64_t held_limit;
	struct staged *holder_first, *holder_last; /* by their first block */
	struct codec *codecs;
	struct unpacked *unpacked; /* made when first needed */
};

enum job_kind { JOB_BLOCK, JOB_SEAL, JOB_DROP };

struct job {
	struct queue_node node;
	int kind; /* enum job_kind */
	struct staged *staged;
	struct block *block;
};

struct staged {
	/* of the consumer */
	void *owner;
	struct staged_done *done; /* from the seal to its receipt */
	int ragged;		  /* the last block was no multiple of 4096 */
	int sealed;
	struct job seal_job, drop_job;
	struct writer *writer;

	/* of nobody: constant */
	const struct config_use *format;
	struct secor_object object; /* with its own strings */
	int wants_records;

	/* of both */
	_Atomic uint64_t pending; /* bytes that the format has not seen */
	_Atomic uint64_t made;	  /* bytes that it has put */
	atomic_int dropped;
	atomic_int failed;

	/* of the writer */
	int state; /* enum staged_state */
	struct queue_node *held, **held_last;
	int64_t held_bytes;
	struct staged *holder_before, *holder_after; /* while it holds any */
	struct outfile raw;			     /* RAW, until the seal */
	struct outfile out;
	struct codec *codec; /* STREAM */
	void *stream;
	int status; /* FAILED */
	char *why;
};

/* Takes the block: holds it, spills it, or runs it through the format; may do
 * the same for blocks of other objects, to keep memory in its limit. */
void stream_take(
    struct write_shop *shop, struct staged *staged, struct block *block);
/* Makes the file whole: SEALED or FAILED. */
void stream_seal(struct write_shop *shop, struct staged *staged);
/* Gives everything back and removes its files; a whole one may be kept as a
 * spare. */
void stream_drop(struct write_shop *shop, struct staged *staged);

/* ---- the format's side (write_format.c) ---- */

/* STREAM from now on. Not `in_any_case` and no memory for codec state: SECOR_OK
 * and the state stays as it is. A seal needs one stream in any case. */
int stream_begin(struct write_shop *shop, struct staged *staged,
    int in_any_case, struct secor_err *err);

/* Bytes of the object; *taken is all of them, or all whole packed records. */
int stream_feed(struct write_shop *shop, struct staged *staged,
    const char *bytes, size_t len, size_t *taken, struct secor_err *err);

int stream_finish(struct staged *staged, struct secor_err *err);

/* Frees the codec's state, not the file. */
void stream_end(struct write_shop *shop, struct staged *staged);

/* The end of the writer: every staged is gone. */
void shop_fini(struct write_shop *shop);

#endif
