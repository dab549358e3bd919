/*
 * format.h -- records to the bytes of one object, and back for the tools.
 *
 * There are two ways in; the engine takes `encode` where there is one:
 *
 *  encode  once a record on the consumer thread, straight into the object's
 *          buffer; then `drain` (on a writer thread) turns those bytes into the
 *          file's: compression, framing. No `drain`: they are the file's.
 *  write   many records at once on a writer thread.
 *
 * Deterministic: the same records give the same bytes with the same build,
 * however they were cut into calls. The engine calls `drain` with multiples of
 * 4096 bytes (of the encoded stream of the object) except for the last call.
 */
#ifndef SECOR_FORMAT_H
#define SECOR_FORMAT_H

#include <secor/message.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Where bytes go. SECOR_OK, or SECOR_RETRY with text (disk): stop and return
 * it; the engine drops the batch and begins it again. */
struct secor_sink {
	uint32_t size;
	int (*put)(struct secor_sink *sink, const void *bytes, size_t len,
	    struct secor_err *err);
};

/* Where bytes come from: *got == 0 is the end. */
struct secor_source {
	uint32_t size;
	int (*get)(struct secor_source *source, void *bytes, size_t room,
	    size_t *got, struct secor_err *err);
};

/* What all objects of a configuration have in common. */
struct secor_format_traits {
	uint32_t size;
	uint32_t looks_at;	  /* SECOR_LOOKS_AT_* */
	const char *extension;	  /* ".gz", "", ... */
	int stores_offsets;	  /* can offsets be read back? */
	const char *content_type; /* or NULL */
	/* Bytes that a stream needs beside its buffers, for the budget. */
	size_t stream_bytes;
	/* 1: these options want `write`, though the table has `encode`. */
	int by_write;
};

/* The object that a stream makes. */
struct secor_object {
	uint32_t size;
	int32_t partition;
	const char *topic;
	int64_t start; /* S of its batch */
	/* The object's name without generation or prefix: what seeds sync
	 * markers (topic/path/partition_S, and the suffix of `split`). */
	const char *name;
	/* What `split` said of its first record; ptr == NULL: nothing. */
	struct secor_bytes hint;
};

#define SECOR_SUFFIX_MAX 32

/* Which of several objects of its path a record goes into. */
struct secor_split {
	uint32_t size;
	/* Stands in the object's name before the extension: up to
	 * SECOR_SUFFIX_MAX of letters, digits, '.' and '-'. Empty, as preset:
	 * the path's only object. */
	struct secor_bytes suffix;
	/* What the stream of that object must know: the same for the same
	 * suffix. */
	struct secor_bytes hint;
};

/* What the format does not store is not there (has_x == 0, or zero). */
struct secor_read_record {
	uint32_t size;
	int has_offset, has_key, has_timestamp;
	int64_t offset;
	int64_t timestamp_ms;
	struct secor_bytes key;	  /* ptr == NULL: a message without */
	struct secor_bytes value; /* ptr == NULL: a tombstone */
	int32_t timestamp_type;	  /* enum secor_timestamp_type */
	int32_t header_count;
	const struct secor_header *headers;
};

struct secor_format_ops {
	uint32_t size;

	/* Pure, any thread. */
	void (*describe)(const void *conf, struct secor_format_traits *traits);

	/* One instance per thread; streams and readers belong to it. */
	int (*open)(
	    const struct secor_open *with, void **self, struct secor_err *err);
	void (*close)(void *self); /* accepts NULL */

	/* encode: appends one record at dst. Returns SECOR_OK with *used, or
	 * SECOR_OK with *used > room and nothing written (the engine comes
	 * again with that much room), or SECOR_REJECT. Stateless between
	 * records. Consumer thread. NULL, or `by_write` in the traits: the
	 * engine takes `write`. */
	int (*encode)(void *self, const struct secor_record *record, char *dst,
	    size_t room, size_t *used, struct secor_err *err);

	/* A stream makes the file of one object. Writer thread. `begin` may
	 * put a header. After `finish`, or after any failure, the engine calls
	 * `end`, which frees. */
	int (*begin)(void *self, const struct secor_object *object,
	    struct secor_sink *sink, void **stream, struct secor_err *err);
	int (*drain)(void *stream, const char *bytes, size_t len,
	    struct secor_sink *sink, struct secor_err *err);
	int (*write)(void *stream, const struct secor_record *records, size_t n,
	    struct secor_sink *sink, struct secor_err *err);
	int (*finish)(
	    void *stream, struct secor_sink *sink, struct secor_err *err);
	void (*end)(void *stream); /* accepts NULL */

	/* Reading back, for tools. `read` gives SECOR_OK with *more == 0 at the
	 * end; SECOR_REJECT when the bytes are not of this format (says at
	 * which byte). Valid until the next read. */
	int (*read_begin)(void *self, struct secor_source *source,
	    void **reader, struct secor_err *err);
	int (*read)(void *reader, struct secor_read_record *record, int *more,
	    struct secor_err *err);
	void (*read_end)(void *reader); /* accepts NULL */

	/* For formats whose object can hold records of one kind only: called
	 * before `encode` or `write` gets the record. A function of the record
	 * and the options; both texts are valid until the next split. SECOR_OK;
	 * SECOR_REJECT: a bad message; SECOR_RETRY: the partition pauses and
	 * the message comes again. Must not block. Consumer thread. NULL: one
	 * object a path. */
	int (*split)(void *self, const struct secor_record *record,
	    struct secor_split *split, struct secor_err *err);
};

#ifdef __cplusplus
}
#endif
#endif
