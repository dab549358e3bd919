/*
 * store.h -- whole objects by key: put, list, get, head, delete.
 *
 * A put is atomic (a reader sees the old object or the new one, whole) and
 * idempotent. Keys are relative paths with '/' and never begin with one; what
 * `bucket`, `prefix` and `dir` add is the store's own.
 */
#ifndef SECOR_STORE_H
#define SECOR_STORE_H

#include <secor/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

struct secor_put {
	uint32_t size;
	const char *key;
	uint64_t length;
	uint32_t crc32c;	  /* of the whole, Castagnoli */
	const char *content_type; /* or NULL */

	/* Bytes [at, at + len): may be read more than once. SECOR_OK with all
	 * len bytes, or SECOR_RETRY (disk). */
	int (*read_at)(const struct secor_put *put, uint64_t at, void *bytes,
	    size_t len, struct secor_err *err);
	void *arg; /* the engine's */

	/* Asked right before each request that makes the object visible, and
	 * between retries: 0 means give up at once (another process may own the
	 * partition by now): return SECOR_RETRY. */
	int (*go_on)(const struct secor_put *put);

	/* NULL: whatever is at the key may be written over. Else the batch that
	 * it is of, the same text for each put of the same records, whose bytes
	 * may differ all the same (another build): a store that can tell writes
	 * over nothing but what was put with this text. Printable, without
	 * blanks, at most 127 bytes. */
	const char *batch;
};

struct secor_stat {
	uint32_t size;
	int exists;
	uint64_t length;
	int has_crc32c; /* the store knows it by itself */
	uint32_t crc32c;
	int64_t modified_ms; /* 0: not known */
};

struct secor_store_ops {
	uint32_t size;

	/* Makes an instance (one a thread). Does not have to reach the store:
	 * see `probe`. */
	int (*open)(
	    const struct secor_open *with, void **self, struct secor_err *err);
	void (*close)(void *self); /* accepts NULL */

	/* Reaches the store with the given credentials: once at the start of
	 * the service. SECOR_FATAL when only a person can mend it (missing
	 * bucket, refused key, wrong region, clock skew), SECOR_RETRY when it
	 * may pass; the sentence names thing and fix. */
	int (*probe)(void *self, struct secor_err *err);

	/* Blocks; own short retries with jitter are its business. SECOR_RETRY:
	 * the engine repeats later, for ever. SECOR_REJECT: this key can never
	 * be stored. SECOR_FATAL: only a person can mend it; the engine says so
	 * loudly and repeats all the same. Uploader threads. */
	int (*put)(
	    void *self, const struct secor_put *put, struct secor_err *err);

	/* Calls `each` for every key that begins with `prefix` and is greater
	 * than `after` (may be NULL), in byte order, until it returns non-zero
	 * (then SECOR_OK). */
	int (*list)(void *self, const char *prefix, const char *after,
	    int (*each)(void *arg, const char *key, uint64_t length), void *arg,
	    struct secor_err *err);

	/* The whole object, in pieces. SECOR_REJECT: there is none. `piece`
	 * returns non-zero to stop (then SECOR_OK). */
	int (*get)(void *self, const char *key,
	    int (*piece)(void *arg, const void *bytes, size_t len), void *arg,
	    struct secor_err *err);

	/* A missing object is SECOR_OK with exists == 0. */
	int (*head)(void *self, const char *key, struct secor_stat *stat,
	    struct secor_err *err);

	/* A missing object is no error. */
	int (*remove)(void *self, const char *key, struct secor_err *err);

	/* "s3://bucket/prefix/key" or "/dir/key", for people. Into dst,
	 * truncated at room. */
	void (*url)(void *self, const char *key, char *dst, size_t room);
};

#ifdef __cplusplus
}
#endif
#endif
