/*
 * partitioner.h -- record to levels of the output path. `partitioner:` is a
 * list; the levels of all are joined in order.
 *
 * Pure: a function of what it says it looks at, and of the options. The engine
 * remembers the answer for as long as it holds, and asks only on a miss.
 */
#ifndef SECOR_PARTITIONER_H
#define SECOR_PARTITIONER_H

#include <secor/message.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SECOR_MAX_LEVELS 8

/* What a partitioner looks at. */
enum {
	SECOR_ROUTE_BY_TIME = 1,
	SECOR_ROUTE_BY_OFFSET = 2,
	SECOR_ROUTE_BY_KEY = 4,
	SECOR_ROUTE_BY_PARTITION = 8
	/* and the fields of `fields` */
};

struct secor_route_in {
	uint32_t size;
	int32_t partition;
	int64_t time_ms; /* never SECOR_NO_TIME when BY_TIME was said */
	int64_t offset;
	struct secor_bytes key;
	const struct secor_bytes *fields; /* those of `fields`, in order */
	size_t field_count;
};

/* One level: `name=value`, or `value` alone when name is NULL or empty. The
 * engine escapes both as Hive does; a null or empty value becomes
 * __HIVE_DEFAULT_PARTITION__. A value is never split at '/'. */
struct secor_level_text {
	struct secor_bytes name;
	struct secor_bytes value;
};

struct secor_route_out {
	uint32_t size;
	uint32_t level_count;
	struct secor_level_text levels[SECOR_MAX_LEVELS];
	/* The answer holds for these times and offsets (with the same fields,
	 * key and partition); preset to everything. [from, until) */
	int64_t time_from, time_until;
	int64_t offset_from, offset_until;
};

struct secor_partitioner_ops {
	uint32_t size;

	/* What it looks at, as a function of the options: SECOR_ROUTE_BY_* in
	 * *inputs and the paths of fields in *fields (memory of the conf).
	 * Pure, any thread. */
	void (*describe)(
	    const void *conf, uint32_t *inputs, struct secor_strings *fields);

	int (*open)(
	    const struct secor_open *with, void **self, struct secor_err *err);

	/* SECOR_OK or SECOR_REJECT (a bad message, with the reason). Text is
	 * valid until the next call. Consumer thread; must not block. */
	int (*route)(void *self, const struct secor_route_in *in,
	    struct secor_route_out *out, struct secor_err *err);

	/* For the finalizer; NULL where levels do not follow time. The span of
	 * time [*from, *until) in which the first `levels` levels are those of
	 * `time_ms`. Any thread. */
	int (*span)(void *self, int64_t time_ms, uint32_t levels, int64_t *from,
	    int64_t *until);

	void (*close)(void *self); /* accepts NULL */
};

#ifdef __cplusplus
}
#endif
#endif
