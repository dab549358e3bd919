/*
 * write_file.h -- a staged file being written: buffer, checksum, and a share of
 * the open descriptors.
 *
 * Used by one writer thread. A file that has failed stays failed: every later
 * call says why again, so a format that overlooks an error hides nothing.
 */
#ifndef SECOR_FLOW_WRITE_FILE_H
#define SECOR_FLOW_WRITE_FILE_H

#include "core/flow/pool.h"
#include "core/flow/stage.h"

#include <secor/format.h>

struct outfile;

/* The files of one writer: at most `limit` are open, the one used longest ago
 * is closed for another. */
struct outfiles {
	struct stage *stage;
	struct outfile *newest, *oldest; /* of the open ones */
	int64_t open;
	int64_t limit; /* at least 1 */
};

struct outfile {
	struct secor_sink sink; /* first: formats put into it */
	struct outfiles *all;
	struct outfile *newer, *older; /* while it is open */
	char *name;		       /* NULL: there is none */
	int fd;			       /* -1: closed for the moment */
	int made;		       /* was opened once */
	int why;		       /* errno of the first failure */
	const char *failed_at;	       /* "open", "write", "close" */
	struct block *buffer;	       /* NULL: bytes go straight on */
	uint64_t bytes;		       /* put into it */
	uint64_t on_disk;
	uint32_t crc32c;
};

enum { OUTFILE_BUFFER = 64 * 1024 };

/* A new name in the stage; the file is made at the first byte. With `pool` it
 * gets a buffer of OUTFILE_BUFFER. */
void
outfile_begin(struct outfile *file, struct outfiles *all, struct pool *pool);

/* SECOR_RETRY with the cause and the fix. */
int outfile_put(
    struct outfile *file, const void *bytes, size_t len, struct secor_err *err);

/* All bytes are in the file (which is there even when empty), buffer and
 * descriptor are given back. More may be put. */
int outfile_finish(struct outfile *file, struct secor_err *err);

/* Removes it, whatever its state; also one that never began (zeroed). */
void outfile_remove(struct outfile *file);

#endif
