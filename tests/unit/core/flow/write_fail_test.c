/*
 * write_fail_test.c -- failing formats and disks, and drops in any state.
 */
#include "tests/unit/core/flow/write_bench.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* ---- failures ---- */

static void
fails(int *at, int status, int answer, const char *text, size_t len)
{
	char *bytes = bench_noise(len);
	struct staged *staged;
	struct staged_done *event;

	*at = status;
	bench_begin(&fake_frames, 1, 4, 64 << 20);
	staged = bench_staged(&bench.owner, 0);
	bench_append(staged, bytes, len, 4096);
	bench_append(staged, bytes, 4096, 4096);
	event = bench_seal(staged);
	cr_assert_eq(event->status, answer);
	cr_assert_str_eq(event->err.text, text);
	cr_assert(staged_failed(staged));
	cr_expect_eq(writers_failures(bench.writers), 1);
	cr_assert_eq(bench_files(), 0);
	staged_done_free(event);
	staged_drop(staged);
	bench_end();
	*at = SECOR_OK;
	free(bytes);
}

Test(write_fail, failing_format_answers_the_seal_with_its_first_error)
{
	size_t small = 4096, large = 1 << 20;

	for (size_t len = small; len <= large; len += large - small) {
		fails(&fake.fail_open, SECOR_FATAL, SECOR_FATAL,
		    "t/p/3_0: open failed", len);
		fails(&fake.fail_begin, SECOR_RETRY, SECOR_RETRY,
		    "t/p/3_0: begin failed", len);
		fails(&fake.fail_feed, SECOR_RETRY, SECOR_RETRY,
		    "t/p/3_0: drain failed", len);
		/* nobody can reject a message as late as this */
		fails(&fake.fail_feed, SECOR_REJECT, SECOR_FATAL,
		    "t/p/3_0: drain failed", len);
		fails(&fake.fail_finish, SECOR_FATAL, SECOR_FATAL,
		    "t/p/3_0: finish failed", len);
	}
}

static void
disk_full(const struct secor_format_ops *ops, size_t stream_bytes)
{
	struct rlimit limit = {100000, RLIM_INFINITY};
	char *bytes = bench_noise(1 << 20);
	struct staged *large, *small;
	struct staged_done *event;

	fake.stream_bytes = stream_bytes;
	(void)signal(SIGXFSZ, SIG_IGN);
	bench_begin(ops, 1, 4, 8 << 20);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	cr_expect_eq(writers_failures(bench.writers), 0);
	large = bench_staged(&bench.owner, 0);
	small = bench_staged(&bench.owner, 0);
	bench_append(large, bytes, 1 << 20, 65536);
	bench_settle();
	cr_assert(staged_failed(large));
	cr_assert_eq(stage_used(bench.stage), 0, "its space is not given back");
	bench_append(large, bytes, 8192, 4096);
	bench_append(small, bytes, 8192, 4096);
	event = bench_seal(large);
	cr_assert_eq(event->status, SECOR_RETRY);
	cr_assert_not_null(
	    strstr(event->err.text, "File too large"), "%s", event->err.text);
	cr_assert_not_null(strstr(event->err.text, bench.dir));
	staged_done_free(event);
	event = bench_seal(small);
	cr_assert_eq(event->status, SECOR_OK, "%s", event->err.text);
	staged_done_free(event);
	staged_drop(large);
	staged_drop(small);
	bench_end();
	free(bytes);
}

Test(write_fail, plain_format_on_a_full_disk_is_a_retry_that_names_the_file)
{
	disk_full(&fake_plain, 0);
}

Test(write_fail, stream_on_a_full_disk_is_a_retry_that_names_the_file)
{
	disk_full(&fake_frames, 0);
}

Test(write_fail, raw_bytes_on_a_full_disk_are_a_retry_that_names_the_file)
{
	disk_full(&fake_frames, 1 << 30);
}

/* Reopening must not begin a vanished file again in its middle. */
Test(write_fail, file_that_vanishes_while_closed_is_a_retry)
{
	char *bytes = bench_noise(1 << 20);
	struct staged *first, *second;
	struct staged_done *event;
	char *path;

	bench_begin(&fake_plain, 1, 1, 64 << 20);
	path = mem_text("%s/%ld-0/0", bench.dir, (long)getpid());
	first = bench_staged(&bench.owner, 0);
	second = bench_staged(&bench.owner, 0);
	bench_append(first, bytes, 1 << 20, 65536);
	bench_append(second, bytes, 1 << 20, 65536);
	bench_settle();
	cr_assert_eq(unlink(path), 0);
	bench_append(first, bytes, 1 << 20, 65536);
	event = bench_seal(first);
	cr_assert_eq(event->status, SECOR_RETRY);
	cr_assert_not_null(
	    strstr(event->err.text, "No such file"), "%s", event->err.text);
	staged_done_free(event);
	staged_drop(first);
	staged_drop(second);
	bench_end();
	free(path);
	free(bytes);
}

Test(write_fail, raw_file_that_was_changed_is_a_retry)
{
	char *bytes = bench_noise(1 << 20);
	struct staged *staged;
	struct staged_done *event;
	char *path;
	FILE *file;

	fake.stream_bytes = 1 << 30;
	bench_begin(&fake_frames, 1, 1, 64 << 20);
	path = mem_text("%s/%ld-0/0", bench.dir, (long)getpid());
	staged = bench_staged(&bench.owner, 0);
	bench_append(staged, bytes, 1 << 20, 65536);
	bench_settle();
	file = fopen(path, "r+");
	cr_assert_not_null(file);
	(void)fseek(file, 500000, SEEK_SET);
	(void)fputc(~bytes[500000], file);
	(void)fclose(file);
	event = bench_seal(staged);
	cr_assert_eq(event->status, SECOR_RETRY);
	cr_assert_not_null(
	    strstr(event->err.text, "other bytes"), "%s", event->err.text);
	staged_done_free(event);
	staged_drop(staged);
	bench_end();
	free(path);
	free(bytes);
}

/* ---- drops ---- */

static void
drops(size_t stream_bytes, size_t len, int seal, int receive)
{
	char *bytes = bench_noise(len);
	struct staged *staged;

	fake.stream_bytes = stream_bytes;
	bench_begin(&fake_frames, 1, 4, 8 << 20);
	staged = bench_staged(&bench.owner, 0);
	bench_append(staged, bytes, len, 4096);
	if (seal)
		staged_seal(staged);
	if (receive)
		staged_done_free(
		    (struct staged_done *)queue_get(bench.done, -1));
	staged_drop(staged);
	bench_end(); /* sees that no event has an owner */
	free(bytes);
}

Test(write_fail, drop_in_any_state_leaves_nothing)
{
	static const size_t streams[] = {0, 1 << 30};
	static const size_t sizes[] = {0, 4096, 1 << 20};

	for (int i = 0; i < 6; i++)
		for (int sealed_too = 0; sealed_too < 3; sealed_too++)
			drops(streams[i % 2], sizes[i / 2], sealed_too > 0,
			    sealed_too > 1);
}

Test(write_fail, drop_with_its_event_in_the_queue_takes_the_owner_away)
{
	struct staged *staged;
	struct staged_done *event;

	bench_begin(&fake_plain, 1, 4, 8 << 20);
	staged = bench_staged(&bench.owner, 0);
	event = bench_seal(staged);
	cr_assert_eq(event->owner, &bench.owner);
	queue_put_first(bench.done, &event->node);
	staged_drop(staged);
	event = (struct staged_done *)queue_get(bench.done, -1);
	cr_assert_null(event->owner);
	staged_done_free(event);
	bench_end();
}
