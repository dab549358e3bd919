/*
 * spare_test.c -- staged files that are used again: by large objects only, with
 * nothing left of what was in them.
 */
#include "core/flow/spare.h"

#include "core/flow/write_file.h"
#include "tests/unit/core/flow/write_bench.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB ((size_t)1 << 20)

static struct staged *
sealed(const char *bytes, size_t len)
{
	struct staged *staged = bench_staged(&bench.owner, 0);
	struct staged_done *event;

	bench_append(staged, bytes, len, 131072);
	event = bench_seal(staged);
	cr_assert_eq(event->status, SECOR_OK, "%s", event->err.text);
	bench_assert_file(staged, event, bytes, len);
	staged_done_free(event);
	return staged;
}

/* A file of `first` bytes, then one of `second`; returns whether it is the
 * same. */
static int
is_used_again(size_t first, size_t second)
{
	char *bytes = bench_noise(first > second ? first : second);
	struct staged *staged;
	char *name;
	int same;

	bench_begin(&fake_plain, 1, 4, 64 << 20);
	staged = sealed(bytes, first);
	name = mem_text("%s", staged_file(staged));
	staged_drop(staged);
	/* other bytes than before at each place */
	staged = sealed(bytes + 1, second - 1);
	same = strcmp(name, staged_file(staged)) == 0;
	cr_assert_eq(stage_used(bench.stage), (int64_t)second - 1);
	cr_assert_eq(bench_files(), same || first < MIB ? 1 : 2);
	cr_assert_eq(
	    stage_spare(bench.stage), same || first < MIB ? 0 : (int64_t)first);
	staged_drop(staged);
	bench_end();
	free(name);
	free(bytes);
	return same;
}

Test(spare, file_is_used_again_by_a_shorter_an_equal_and_a_longer_one)
{
	cr_assert(is_used_again(3 * MIB, 2 * MIB));
	cr_assert(is_used_again(2 * MIB, 2 * MIB + 1));
	cr_assert(is_used_again(2 * MIB, 5 * MIB + 4711));
}

Test(spare, small_files_are_neither_kept_nor_spent_on)
{
	cr_assert_not(is_used_again(MIB - 1, 2 * MIB));
	cr_assert_not(is_used_again(2 * MIB, 10001));
}

Test(spare, one_that_vanished_is_made_again)
{
	char *bytes = bench_noise(3 * MIB);
	struct staged *staged;
	char *name;

	bench_begin(&fake_plain, 1, 4, 64 << 20);
	staged = sealed(bytes, 3 * MIB);
	name = mem_text("%s", staged_file(staged));
	staged_drop(staged);
	cr_assert_eq(unlink(name), 0);
	staged = sealed(bytes, 2 * MIB);
	cr_assert_eq(stage_spare(bench.stage), 0);
	cr_assert_eq(bench_files(), 1);
	staged_drop(staged);
	bench_end();
	free(name);
	free(bytes);
}

/* Many at once, closed for one another in between. */
Test(spare, files_beyond_the_limit_of_open_ones_are_used_again_too)
{
	char *bytes = bench_noise(2 * MIB);
	struct staged *all[6];

	bench_begin(&fake_plain, 1, 2, 64 << 20);
	for (int pass = 0; pass < 3; pass++) {
		for (int i = 0; i < 6; i++)
			all[i] = bench_staged(&bench.owner, 0);
		for (size_t at = 0; at + 8192 <= 2 * MIB; at += MIB / 2)
			for (int i = 0; i < 6; i++)
				bench_append(all[i], bytes + at + i,
				    MIB / 2 - 4096, 65536);
		for (int i = 0; i < 6; i++) {
			struct staged_done *event = bench_seal(all[i]);

			cr_assert_eq(event->status, SECOR_OK);
			cr_assert_eq(event->bytes, 4 * (MIB / 2 - 4096));
			staged_done_free(event);
		}
		cr_assert_eq(bench_files(), 6);
		cr_assert_eq(stage_spare(bench.stage), 0);
		for (int i = 0; i < 6; i++)
			staged_drop(all[i]);
	}
	bench_end();
	free(bytes);
}

static char *
file_of(size_t bytes)
{
	char *name = stage_name(bench.stage);
	int fd = open(name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	cr_assert_geq(fd, 0);
	cr_assert_eq(ftruncate(fd, (off_t)bytes), 0);
	(void)close(fd);
	return name;
}

Test(spare, more_than_an_eighth_of_the_room_is_not_kept)
{
	struct spares spares = {.max_bytes = 64 << 20};
	uint64_t bytes = 0;
	char *name;

	bench_begin(&fake_plain, 1, 4, 64 << 20);
	spares.stage = bench.stage;
	for (int i = 0; i < 7; i++)
		cr_assert(spares_give(&spares, file_of(MIB), MIB));
	name = file_of(MIB);
	cr_assert_not(spares_give(&spares, name, MIB));
	cr_assert_eq(unlink(name), 0);
	free(name);
	cr_assert_eq(stage_spare(bench.stage), 7 << 20);
	cr_assert_eq(stage_room(bench.stage, 64 << 20), 57 << 20);
	cr_assert_eq(bench_files(), 7);
	name = spares_take(&spares, &bytes);
	cr_assert_not_null(name);
	cr_assert_eq(bytes, MIB);
	cr_assert_eq(unlink(name), 0);
	free(name);
	stage_count_spare(bench.stage, -(int64_t)MIB);
	cr_assert_eq(spares_drop(&spares), 1);
	cr_assert_eq(spares_drop(&spares), 0);
	cr_assert_eq(bench_files(), 0);
	cr_assert_null(spares_take(&spares, &bytes));
	bench_end();
}

/* Writes 5 MiB; returns what is counted as spare while it is not finished. */
static int64_t
write_large(struct outfile *file)
{
	char *bytes = bench_noise(MIB / 8);
	struct secor_err err;

	for (int i = 0; i < 40; i++)
		cr_assert_eq(outfile_put(file, bytes, MIB / 8, &err), SECOR_OK);
	free(bytes);
	return stage_spare(bench.stage);
}

Test(spare, room_of_a_large_file_is_reserved_and_given_back)
{
	struct outfiles all = {.limit = 1};
	struct outfile file;
	struct secor_err err;
	struct stat st;

	bench_begin(&fake_plain, 1, 4, 64 << 20);
	all.stage = all.spares.stage = bench.stage;
	outfile_begin(&file, &all, 0);
	cr_assert_gt(write_large(&file), 0);
	cr_assert_eq(outfile_finish(&file, &err), SECOR_OK);
	cr_assert_eq(stage_spare(bench.stage), 0);
	cr_assert_eq(stage_used(bench.stage), 5 << 20);
	cr_assert_eq(stat(file.name, &st), 0);
	cr_assert_eq(st.st_size, 5 << 20);
	cr_assert_lt(st.st_blocks * 512, (5 << 20) + (64 << 10));
	outfile_remove(&file);
	cr_assert_eq(stage_used(bench.stage), 0);
	bench_end();
}

Test(spare, no_room_is_reserved_beyond_an_eighth_of_the_stage)
{
	struct outfiles all = {.limit = 1, .spares = {.max_bytes = 4 << 20}};
	struct outfile file;

	bench_begin(&fake_plain, 1, 4, 64 << 20);
	all.stage = all.spares.stage = bench.stage;
	outfile_begin(&file, &all, 0);
	cr_assert_eq(write_large(&file), 0);
	outfile_remove(&file);
	cr_assert_eq(stage_spare(bench.stage), 0);
	bench_end();
}
