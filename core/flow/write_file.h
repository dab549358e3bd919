/*
 * write_file.h -- a staged file being written: checksum, and a share of the
 * writer's buffer and of the open descriptors.
 *
 * Used by one writer thread. A file that has failed stays failed: every later
 * call says why again, so a format that overlooks an error hides nothing.
 */
#ifndef SECOR_FLOW_WRITE_FILE_H
#define SECOR_FLOW_WRITE_FILE_H

#include "core/flow/pool.h"
#include "core/flow/spare.h"

#include <secor/format.h>

struct outfile;

/* The files of one writer: at most `limit` are open, the one used longest ago
 * is closed for another. One buffer for all joins small pieces; it is flushed
 * after each block, so ten thousand files need no more than it. */
struct outfiles {
	struct stage *stage;
	struct pool *pool;
	struct block *buffer;		 /* made when first needed */
	struct outfile *filling;	 /* whose bytes are in it */
	struct outfile *newest, *oldest; /* of the open ones */
	int64_t open;
	int64_t limit; /* at least 1 */
	struct spares spares;
};

struct outfile {
	struct secor_sink sink; /* first: formats put into it */
	struct outfiles *all;
	struct outfile *newer, *older; /* while it is open */
	char *name;		       /* NULL: there is none */
	int fd;			       /* -1: closed for the moment */
	int made;		       /* was opened once */
	int why;		       /* errno of the first failure */
	const char *failed_at;	       /* "open", "write", "close"... */
	uint64_t bytes;		       /* put into it */
	uint64_t on_disk;
	uint64_t room; /* that is there already: of a spare one, or reserved */
	int as_it_comes; /* no room is reserved any more */
	uint32_t crc32c;
};

enum { OUTFILE_BUFFER = 64 * 1024 };

/* A new name in the stage; the file is made at the first byte. When it is going
 * to be `large`, a spare one is taken if there is one. */
void outfile_begin(struct outfile *file, struct outfiles *all, int large);

/* SECOR_RETRY with the cause and the fix. */
int outfile_put(
    struct outfile *file, const void *bytes, size_t len, struct secor_err *err);

/* What is in the buffer goes into the file. */
int outfile_flush(struct outfile *file, struct secor_err *err);

/* All bytes are in the file (which is there even when empty), the descriptor is
 * given back. */
int outfile_finish(struct outfile *file, struct secor_err *err);

/* Removes it, whatever its state; also one that never began (zeroed). */
void outfile_remove(struct outfile *file);

/* One that is finished and not needed any more: a spare one, or removed. */
void outfile_retire(struct outfile *file);

/* The end of the writer: every file is removed. */
void outfiles_fini(struct outfiles *all);

#endif
