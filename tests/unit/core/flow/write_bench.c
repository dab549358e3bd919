/*
 * write_bench.c -- see write_bench.h.
 */
#include "tests/unit/core/flow/write_bench.h"

#include "core/base/files.h"
#include "core/base/hash.h"
#include "core/base/log.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct bench bench;
struct script fake;

static struct secor_host host = {.size = sizeof(host)};
static struct plugin plugin;
static struct config_use use = {.plugin = &plugin, .conf = &fake};

void
bench_begin(const struct secor_format_ops *ops, int count, int64_t open_files,
    int64_t budget)
{
	struct writers_conf conf = {.count = count, .open_files = open_files};
	struct secor_err err;

	log_level_set(SECOR_ERROR);
	plugin.ops.format = ops;
	plugin.host = &host;
	strcpy(bench.dir, "/tmp/write_test.XXXXXX");
	cr_assert_not_null(mkdtemp(bench.dir));
	cr_assert_eq(stage_open(bench.dir, &bench.stage, &err), SECOR_OK, "%s",
	    err.text);
	conf.stage = bench.stage;
	conf.pool = bench.pool = pool_new(budget);
	conf.done = bench.done = queue_new(NULL, NULL);
	bench.writers = writers_new(&conf);
}

/* Nothing may be left: no memory, no file, no stream, no event. */
void
bench_end(void)
{
	struct queue_node *node;

	writers_free(bench.writers);
	while ((node = queue_get(bench.done, 0)) != NULL) {
		cr_assert_null(((struct staged_done *)node)->owner);
		staged_done_free((struct staged_done *)node);
	}
	cr_assert_eq(pool_used(bench.pool), 0);
	cr_assert_eq(stage_used(bench.stage), 0);
	cr_assert_eq(stage_spare(bench.stage), 0);
	cr_assert_eq(atomic_load(&fake.streams), 0);
	cr_assert_eq(atomic_load(&fake.instances), 0);
	queue_free(bench.done);
	pool_free(bench.pool);
	stage_close(bench.stage);
	cr_assert_eq(file_remove_tree(bench.dir, NULL), SECOR_OK);
}

struct staged *
bench_staged(void *of, int wants_records)
{
	struct staged_spec spec = {
	    .owner = of,
	    .format = &use,
	    .object = {.partition = 3, .topic = "t", .name = "t/p/3_0"},
	    .wants_records = wants_records,
	};

	return staged_new(bench.writers, &spec);
}

void
bench_append(struct staged *staged, const char *bytes, size_t len, size_t cut)
{
	while (len > 0) {
		size_t n = len < cut ? len : cut;
		struct block *block = pool_get(bench.pool, n);

		memcpy(block->data, bytes, n);
		block->len = n;
		staged_append(staged, block);
		bytes += n;
		len -= n;
	}
}

struct staged_done *
bench_seal(struct staged *staged)
{
	staged_seal(staged);
	return (struct staged_done *)queue_get(bench.done, -1);
}

void
bench_settle(void)
{
	cr_assert(writers_wait(bench.writers, 1, -1));
}

char *
bench_noise(size_t len)
{
	char *bytes = malloc(len + 1);
	uint32_t x = 12345;

	for (size_t i = 0; i < len; i++) {
		x = x * 1664525 + 1013904223;
		bytes[i] = (char)(x >> 24);
	}
	return bytes;
}

void
bench_frames_of(struct buf *buf, const char *bytes, size_t len)
{
	uint64_t total = len;

	buf_puts(buf, "t/p/3_0\n");
	for (size_t at = 0; at <= len; at += 1000) {
		size_t n = len - at < 1000 ? len - at : 1000;
		unsigned char sum = 0;

		for (size_t i = 0; i < n; i++)
			sum = (unsigned char)(sum * 31 +
					      (unsigned char)bytes[at + i]);
		buf_put(buf, &sum, 1);
		buf_put(buf, bytes + at, n);
	}
	buf_put(buf, &total, sizeof(total));
}

void
bench_assert_file(const struct staged *staged, const struct staged_done *of,
    const char *bytes, size_t len)
{
	struct secor_err err;
	char *read = NULL;
	size_t n = 0;

	cr_assert_eq(of->status, SECOR_OK, "%s", of->err.text);
	cr_assert_eq(file_read(staged_file(staged), len + 1, &read, &n, &err),
	    SECOR_OK, "%s", err.text);
	cr_assert_eq(n, len, "%zu bytes instead of %zu", n, len);
	cr_assert(len == 0 || memcmp(read, bytes, len) == 0);
	cr_assert_eq(of->bytes, len);
	cr_assert_eq(of->crc32c, crc32c_add(0, bytes, len));
	cr_assert_eq(staged_bytes(staged), len);
	free(read);
}

size_t
bench_count_files(const char *path)
{
	DIR *list = opendir(path);
	const struct dirent *entry;
	size_t n = 0;

	while ((entry = readdir(list)) != NULL)
		n += entry->d_name[0] != '.';
	(void)closedir(list);
	return n;
}

size_t
bench_files(void)
{
	char *folder = mem_text("%s/%ld-0", bench.dir, (long)getpid());
	size_t n = bench_count_files(folder);

	free(folder);
	return n;
}
