/*
 * write_test.c -- from blocks to files, whatever way they take, within limits.
 */
#include "tests/unit/core/flow/write_bench.h"

#include "core/flow/pack.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the ways of an object ---- */

static const struct way {
	const char *name;
	size_t stream_bytes;
	int64_t budget;
	size_t len;
} ways[] = {
    {"nothing", 1000, 64 << 20, 0},
    {"held until the seal", 1000, 64 << 20, 10001},
    {"streamed", 1000, 64 << 20, 1000001},
    {"raw, for want of memory", 64 << 20, 1 << 20, 1000001},
    {"a whole number of pages", 64 << 20, 1 << 20, 1 << 20},
    {"hardly any memory", 1000, 1000, 300000},
};
enum { WAYS = sizeof(ways) / sizeof(ways[0]) };

static void
codec_way(const struct way *way, size_t cut)
{
	char *bytes = bench_noise(way->len);
	struct buf want = {0};
	struct staged *staged;
	struct staged_done *event;

	fake.stream_bytes = way->stream_bytes;
	bench_begin(&fake_frames, 1, 4, way->budget);
	staged = bench_staged(&bench.owner, 0);
	bench_append(staged, bytes, way->len, cut);
	event = bench_seal(staged);
	bench_frames_of(&want, bytes, way->len);
	cr_assert_eq(event->owner, &bench.owner);
	bench_assert_file(staged, event, want.ptr, want.len);
	cr_assert_eq(bench_files(), 1, "%s leaves a second file", way->name);
	cr_assert_eq(stage_used(bench.stage), (int64_t)want.len);
	staged_done_free(event);
	staged_drop(staged);
	bench_end();
	buf_fini(&want);
	free(bytes);
}

Test(write, codec_gives_the_same_bytes_whatever_the_way_and_the_cut)
{
	for (size_t i = 0; i < WAYS; i++) {
		codec_way(&ways[i], 4096);
		codec_way(&ways[i], 12288);
		codec_way(&ways[i], 65536);
		codec_way(&ways[i], 2 << 20);
	}
}

Test(write, plain_format_gives_the_bytes_as_they_are)
{
	char *bytes = bench_noise(700001);
	struct staged *staged;
	struct staged_done *event;
	struct stat st;

	bench_begin(&fake_plain, 1, 4, 64 << 20);
	staged = bench_staged(&bench.owner, 0);
	bench_append(staged, bytes, 700001, 32768);
	cr_assert_eq(staged_bytes(staged), 700001);
	event = bench_seal(staged);
	bench_assert_file(staged, event, bytes, 700001);
	cr_assert_eq(stat(staged_file(staged), &st), 0);
	cr_assert_eq(st.st_mode & 07777, 0600);
	staged_done_free(event);
	staged_drop(staged);
	bench_end();
	free(bytes);
}

/* ---- records ---- */

static void
append_records(struct staged *staged, struct buf *want, const char *value,
    size_t step, size_t records)
{
	struct block *block = pool_get(bench.pool, 16384);

	for (size_t i = 0; i < records; i++) {
		struct secor_message m = {
		    .offset = (int64_t)i, .value = {value, i * step % 900000}};
		struct secor_record r = {.message = &m};
		size_t used;

		pack_record(&r, 0, block->data + block->len,
		    block->room - block->len, &used);
		if (used > block->room - block->len) {
			staged_append(staged, block);
			block =
			    pool_get(bench.pool, used > 16384 ? used : 16384);
			pack_record(&r, 0, block->data, block->room, &used);
		}
		block->len += used;
		buf_printf(want, "t-3@%zu:%zu ", i, m.value.len);
		buf_put(want, value, m.value.len);
	}
	staged_append(staged, block);
}

static void
record_way(int64_t budget, size_t step, size_t records)
{
	char *value = bench_noise(900000);
	struct buf want = {0};
	struct staged *staged;
	struct staged_done *event;
	uint64_t total = records;

	bench_begin(&fake_lines, 1, 4, budget);
	staged = bench_staged(&bench.owner, 1);
	buf_puts(&want, "t/p/3_0\n");
	append_records(staged, &want, value, step, records);
	buf_put(&want, "", 1); /* the empty frame of fake_finish */
	buf_put(&want, &total, sizeof(total));
	event = bench_seal(staged);
	bench_assert_file(staged, event, want.ptr, want.len);
	staged_done_free(event);
	staged_drop(staged);
	bench_end();
	buf_fini(&want);
	free(value);
}

Test(write, records_come_to_the_format_whatever_the_way)
{
	record_way(64 << 20, 1, 100);  /* held */
	record_way(64 << 20, 3, 2000); /* streamed */
	record_way(1000, 3, 2000);     /* raw */
	record_way(1000, 299993, 30);  /* raw, longer than what is read */
}

/* ---- limits ---- */

enum { MANY = 10000, ROUNDS = 3 };

static void
append_round(struct staged **objects, int round, size_t fds)
{
	char page[4096];

	for (int i = 0; i < MANY; i++) {
		memset(page, 'a' + (i + round) % 26, sizeof(page));
		bench_append(objects[i], page, sizeof(page), sizeof(page));
		if (i % 100 != 0)
			continue;
		cr_assert(writers_wait(bench.writers, 64, -1));
		cr_assert_leq(bench_count_files("/proc/self/fd"), fds + 64);
		cr_assert_lt(pool_used(bench.pool), pool_budget(bench.pool));
	}
}

static void
assert_many(
    struct staged *staged, const struct staged_done *event, int i, int framed)
{
	char bytes[4096 * ROUNDS];
	struct buf want = {0};

	for (int round = 0; round < ROUNDS; round++)
		memset(bytes + 4096 * round, 'a' + (i + round) % 26, 4096);
	if (framed)
		bench_frames_of(&want, bytes, sizeof(bytes));
	else
		buf_put(&want, bytes, sizeof(bytes));
	bench_assert_file(staged, event, want.ptr, want.len);
	buf_fini(&want);
}

static void
many(const struct secor_format_ops *ops)
{
	struct staged **objects = calloc(MANY, sizeof(*objects));
	size_t fds;

	bench_begin(ops, 2, 64, 4 << 20);
	fds = bench_count_files("/proc/self/fd");
	for (int i = 0; i < MANY; i++)
		objects[i] = bench_staged(&objects[i], 0);
	for (int round = 0; round < ROUNDS; round++)
		append_round(objects, round, fds);
	for (int i = 0; i < MANY; i++)
		staged_seal(objects[i]);
	for (int i = 0; i < MANY; i++) {
		struct staged_done *event =
		    (struct staged_done *)queue_get(bench.done, -1);
		struct staged **of = event->owner;

		assert_many(
		    *of, event, (int)(of - objects), ops == &fake_frames);
		staged_done_free(event);
		staged_drop(*of);
	}
	bench_end();
	free(objects);
}

/* 4 MiB would hold a tenth of the first round. */
Test(write, ten_thousand_objects_stay_in_the_budget_and_the_file_limit)
{
	many(&fake_plain);
}

Test(write, ten_thousand_streams_stay_in_the_budget_and_the_file_limit)
{
	fake.stream_bytes = 100000;
	many(&fake_frames);
}

/* 256 KiB may be held: the third is one too many, the first has to go. */
Test(write, object_that_waits_longest_makes_room)
{
	static const size_t sizes[] = {80 * 1024, 96 * 1024, 112 * 1024};
	char *bytes = bench_noise(sizes[2]);
	struct staged *objects[3];
	struct stat st;
	char *path;

	bench_begin(&fake_plain, 1, 64, 1 << 20);
	path = mem_text("%s/%ld-0/0", bench.dir, (long)getpid());
	for (int i = 0; i < 3; i++) {
		objects[i] = bench_staged(NULL, 0);
		bench_append(objects[i], bytes, sizes[i], 16384);
	}
	bench_settle();
	cr_assert_eq(bench_files(), 1);
	cr_assert_eq(stat(path, &st), 0);
	cr_assert_eq((size_t)st.st_size, sizes[0]);
	for (int i = 0; i < 3; i++)
		staged_drop(objects[i]);
	bench_end();
	free(path);
	free(bytes);
}

Test(write, streams_beyond_a_quarter_of_the_budget_are_not_begun)
{
	struct staged *objects[16];
	char *bytes = bench_noise(256 * 1024);
	struct staged_done *event;

	fake.stream_bytes = 1 << 20;
	bench_begin(&fake_frames, 1, 64, 16 << 20);
	for (int i = 0; i < 16; i++) {
		objects[i] = bench_staged(NULL, 0);
		bench_append(objects[i], bytes, 256 * 1024, 65536);
		bench_settle();
	}
	cr_assert_eq(atomic_load(&fake.streams), 4);
	cr_assert_eq(bench_files(), 16);
	for (int i = 0; i < 16; i++) {
		event = bench_seal(objects[i]);
		cr_assert_eq(event->status, SECOR_OK);
		staged_done_free(event);
		staged_drop(objects[i]);
	}
	bench_end();
	free(bytes);
}

/* ---- back-pressure ---- */

Test(write, backlog_of_a_busy_writer_is_counted_and_can_be_waited_for)
{
	char *bytes = bench_noise(1 << 20);
	struct staged *staged;

	fake.hold = 1;
	(void)sem_init(&fake.entered, 0, 0);
	(void)sem_init(&fake.go, 0, 0);
	bench_begin(&fake_frames, 1, 4, 64 << 20);
	staged = bench_staged(&bench.owner, 0);
	bench_append(
	    staged, bytes, 131072, 131072); /* goes to the format at once */
	(void)sem_wait(&fake.entered);
	bench_append(staged, bytes, 40960, 4096);
	cr_assert_eq(writers_backlog(bench.writers), 11);
	cr_assert_not(writers_wait(bench.writers, 11, 0));
	cr_assert(writers_wait(bench.writers, 12, 0));
	for (int i = 0; i < 11; i++)
		(void)sem_post(&fake.go);
	bench_settle();
	cr_assert_eq(writers_backlog(bench.writers), 0);
	staged_drop(staged);
	bench_end();
	free(bytes);
}
