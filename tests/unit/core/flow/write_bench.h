/*
 * write_bench.h -- writers with a stage, a pool and a fake format around them.
 */
#ifndef TESTS_FLOW_WRITE_BENCH_H
#define TESTS_FLOW_WRITE_BENCH_H

#include "core/base/buf.h"
#include "core/flow/write.h"
#include "tests/unit/core/flow/fake_format.h"

struct bench {
	char dir[32];
	struct stage *stage;
	struct pool *pool;
	struct queue *done;
	struct writers *writers;
	int owner; /* its address */
};

extern struct bench bench;
extern struct script fake; /* of the format */

void bench_begin(const struct secor_format_ops *ops, int count,
    int64_t open_files, int64_t budget);
/* Nothing may be left: no memory, file, stream, instance, or event with an
 * owner. */
void bench_end(void);

struct staged *bench_staged(void *of, int wants_records);
/* The bytes in blocks of `cut`. */
void
bench_append(struct staged *staged, const char *bytes, size_t len, size_t cut);
/* Seals and waits; the caller frees. */
struct staged_done *bench_seal(struct staged *staged);
/* What the writers have been given is done. */
void bench_settle(void);

char *bench_noise(size_t len);
/* The file that `frames` has to make of the bytes. */
void bench_frames_of(struct buf *buf, const char *bytes, size_t len);

void bench_assert_file(const struct staged *staged,
    const struct staged_done *of, const char *bytes, size_t len);
size_t bench_count_files(const char *path);
size_t bench_files(void); /* in the stage */

#endif
