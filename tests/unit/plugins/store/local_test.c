/*
 * local_test.c -- the local store in a folder of its own.
 */
#include "tests/unit/harness.h"
#include "tests/unit/plugins/store/store_help.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64];
static const struct plugin *plugin;
static const struct secor_store_ops *ops;
static void *conf, *store;
static struct secor_err err;

static void
open_store(const char *key, const char *value)
{
	conf = harness_conf(plugin, "dir", dir, key, value, NULL);
	store = harness_open(plugin, conf, NULL);
}

static void
begin(void)
{
	(void)snprintf(dir, sizeof(dir), "/tmp/secor-local-XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	plugin = harness_plugin("store/local");
	ops = plugin->ops.store;
	open_store(NULL, NULL);
}

static void
end(void)
{
	char command[128];

	harness_close(plugin, store);
	harness_conf_free(plugin, conf);
	(void)snprintf(command, sizeof(command), "rm -rf %s", dir);
	cr_assert_eq(system(command), 0);
}

TestSuite(local, .init = begin, .fini = end);

static int
put_text(const char *key, const char *text)
{
	struct source source = {.bytes = text, .go_on_left = -1};
	struct secor_put put = source_put(&source, key, strlen(text));

	return ops->put(store, &put, &err);
}

static const char *
listed(const char *prefix, const char *after)
{
	static struct heard heard;

	memset(&heard, 0, sizeof(heard));
	cr_assert_eq(ops->list(store, prefix, after, hear_key, &heard, &err),
	    SECOR_OK, "%s", err.text);
	return heard.text;
}

static const char *
in_dir(const char *name)
{
	static char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

/* How many files lie in .tmp. */
static int
leftovers(void)
{
	char command[160], line[16] = "";
	FILE *pipe;

	(void)snprintf(command, sizeof(command), "ls %s/.tmp | wc -l", dir);
	pipe = popen(command, "r");
	cr_assert_not_null(pipe);
	cr_assert_not_null(fgets(line, sizeof(line), pipe));
	(void)pclose(pipe);
	return atoi(line);
}

Test(local, put_then_get_gives_the_same_bytes)
{
	struct heard heard = {.len = 0};

	cr_assert_eq(put_text("t/dt=1/a.gz", "hello"), SECOR_OK);
	cr_assert_eq(
	    ops->get(store, "t/dt=1/a.gz", hear_piece, &heard, &err), SECOR_OK);
	cr_assert_str_eq(heard.text, "hello");
	cr_assert_eq(leftovers(), 0);
}

Test(local, put_large_object_comes_back_whole)
{
	size_t size = 3 * 256 * 1024 + 17;
	char *bytes = malloc(size);
	struct source source = {.bytes = bytes, .go_on_left = -1};
	struct secor_put put;
	struct secor_stat stat = {.size = sizeof(stat)};

	for (size_t i = 0; i < size; i++)
		bytes[i] = (char)(i * 7 + i / 255);
	put = source_put(&source, "big", size);
	cr_assert_eq(ops->put(store, &put, &err), SECOR_OK, "%s", err.text);
	cr_assert_eq(ops->head(store, "big", &stat, &err), SECOR_OK);
	cr_assert(stat.exists && stat.length == size && !stat.has_crc32c);
	cr_assert_gt(stat.modified_ms, 1000000000000);
	free(bytes);
}

Test(local, put_again_replaces_the_object)
{
	struct heard heard = {.len = 0};

	cr_assert_eq(put_text("k", "old and longer"), SECOR_OK);
	cr_assert_eq(put_text("k", "new"), SECOR_OK);
	cr_assert_eq(ops->get(store, "k", hear_piece, &heard, &err), SECOR_OK);
	cr_assert_str_eq(heard.text, "new");
}

Test(local, put_wrong_crc_stores_nothing_and_says_retry)
{
	struct source source = {.bytes = "hello", .go_on_left = -1};
	struct secor_put put = source_put(&source, "k", 5);

	put.crc32c ^= 1;
	cr_assert_eq(ops->put(store, &put, &err), SECOR_RETRY);
	cr_assert_not_null(strstr(err.text, "CRC32C"), "%s", err.text);
	cr_assert_str_eq(listed("", NULL), "");
	cr_assert_eq(leftovers(), 0);
}

Test(local, put_failing_source_keeps_the_old_object)
{
	struct source source = {.bytes = "new", .go_on_left = -1, .fails = 1};
	struct secor_put put = source_put(&source, "k", 3);
	struct heard heard = {.len = 0};

	cr_assert_eq(put_text("k", "old"), SECOR_OK);
	cr_assert_eq(ops->put(store, &put, &err), SECOR_RETRY);
	cr_assert_str_eq(err.text, "the disk says no");
	cr_assert_eq(ops->get(store, "k", hear_piece, &heard, &err), SECOR_OK);
	cr_assert_str_eq(heard.text, "old");
	cr_assert_eq(leftovers(), 0);
}

Test(local, put_no_longer_allowed_stores_nothing)
{
	struct source source = {.bytes = "x", .go_on_left = 0};
	struct secor_put put = source_put(&source, "k", 1);

	cr_assert_eq(ops->put(store, &put, &err), SECOR_RETRY);
	cr_assert_eq(source.asked, 1);
	cr_assert_str_eq(listed("", NULL), "");
	cr_assert_eq(leftovers(), 0);
}

Test(local, put_full_disk_stores_nothing_and_says_retry)
{
	struct rlimit small = {.rlim_cur = 3, .rlim_max = 3};

	/* a limit of file sizes fails a write as a full disk does */
	(void)signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	cr_assert_eq(put_text("k", "hello"), SECOR_RETRY);
	cr_assert_str_eq(listed("", NULL), "");
	cr_assert_eq(leftovers(), 0);
}

Test(local, put_hostile_keys_are_rejected)
{
	static const char *const keys[] = {"", "/a", "a/", "a//b", "../a",
	    "a/../b", "a/..", ".", "a/./b", ".tmp", ".tmp/x"};
	char longest[300];

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		cr_expect_eq(
		    put_text(keys[i], "x"), SECOR_REJECT, "'%s'", keys[i]);
	memset(longest, 'a', sizeof(longest));
	longest[255] = '\0';
	cr_expect_eq(put_text(longest, "x"), SECOR_OK, "%s", err.text);
	longest[255] = 'a';
	longest[256] = '\0';
	cr_expect_eq(put_text(longest, "x"), SECOR_REJECT);
}

Test(local, put_keys_with_odd_bytes_are_kept)
{
	cr_assert_eq(put_text("a b/c+d%20\xc3\xa9\n/...", "x"), SECOR_OK);
	cr_assert_str_eq(listed("", NULL), "a b/c+d%20\xc3\xa9\n/... ");
}

Test(local, put_under_an_object_says_what_is_in_the_way)
{
	cr_assert_eq(put_text("a", "x"), SECOR_OK);
	cr_assert_eq(put_text("a/b", "x"), SECOR_FATAL);
	cr_assert_not_null(strstr(err.text, "a file is where a folder must be"),
	    "%s", err.text);
}

Test(local, files_default_to_private)
{
	struct stat st;

	(void)umask(0);
	cr_assert_eq(put_text("d/k", "x"), SECOR_OK);
	cr_assert_eq(stat(in_dir("d/k"), &st), 0);
	cr_assert_eq(st.st_mode & 0777, 0600);
	cr_assert_eq(stat(in_dir("d"), &st), 0);
	cr_assert_eq(st.st_mode & 0777, 0700);
}

Test(local, mode_is_exact_whatever_the_umask)
{
	struct stat st;

	harness_close(plugin, store);
	harness_conf_free(plugin, conf);
	open_store("mode", "0640");
	(void)umask(0077);
	cr_assert_eq(put_text("d/k", "x"), SECOR_OK);
	cr_assert_eq(stat(in_dir("d/k"), &st), 0);
	cr_assert_eq(st.st_mode & 0777, 0640);
	cr_assert_eq(stat(in_dir("d"), &st), 0);
	cr_assert_eq(st.st_mode & 0777, 0750);
}

Test(local, list_is_in_byte_order_of_keys)
{
	static const char *const keys[] = {
	    "a/b", "a-b", "a0", "b/x/y", "b/x-", "\xc3\xa9", "B", "a/b.c/d"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strcmp(keys[i], "a/b.c/d") != 0)
			cr_assert_eq(put_text(keys[i], "x"), SECOR_OK);
	cr_assert_eq(put_text("a/b.c/d", "x"), SECOR_OK);
	cr_assert_str_eq(
	    listed("", NULL), "B a-b a/b a/b.c/d a0 b/x- b/x/y \xc3\xa9 ");
}

Test(local, list_prefix_and_after_select)
{
	static const struct {
		const char *prefix, *after, *want;
	} rows[] = {
	    {"a", NULL, "a-b a/b a/c/d a0 "},
	    {"a/", NULL, "a/b a/c/d "},
	    {"a/c", NULL, "a/c/d "},
	    {"a/c/d", NULL, "a/c/d "},
	    {"a/c/d/", NULL, ""},
	    {"", "a/b", "a/c/d a0 b/e "},
	    {"", "a/bb", "a/c/d a0 b/e "},
	    {"", "a/", "a/b a/c/d a0 b/e "},
	    {"", "a/c/d", "a0 b/e "},
	    {"a", "a0", ""},
	    {"b", "a", "b/e "},
	    {"x", NULL, ""},
	};

	cr_assert_eq(put_text("a/b", "x"), SECOR_OK);
	cr_assert_eq(put_text("a-b", "x"), SECOR_OK);
	cr_assert_eq(put_text("a0", "x"), SECOR_OK);
	cr_assert_eq(put_text("a/c/d", "x"), SECOR_OK);
	cr_assert_eq(put_text("b/e", "x"), SECOR_OK);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_expect_str_eq(listed(rows[i].prefix, rows[i].after),
		    rows[i].want, "row %zu", i);
}

Test(local, list_stops_when_told)
{
	struct heard heard = {.left = 2};

	cr_assert_eq(put_text("a/b", "x"), SECOR_OK);
	cr_assert_eq(put_text("a/c", "x"), SECOR_OK);
	cr_assert_eq(put_text("d", "x"), SECOR_OK);
	cr_assert_eq(
	    ops->list(store, "", NULL, hear_key, &heard, &err), SECOR_OK);
	cr_assert_str_eq(heard.text, "a/b a/c ");
}

Test(local, list_of_a_missing_folder_is_empty)
{
	cr_assert_eq(rmdir(dir), 0);
	cr_assert_str_eq(listed("", NULL), "");
	cr_assert_eq(put_text("k", "x"), SECOR_OK); /* which makes it */
	cr_assert_str_eq(listed("", NULL), "k ");
}

Test(local, missing_object_is_told_apart)
{
	struct secor_stat stat = {.size = sizeof(stat), .exists = 1};
	struct heard heard = {.len = 0};

	cr_assert_eq(put_text("d/k", "x"), SECOR_OK);
	cr_assert_eq(ops->head(store, "d", &stat, &err), SECOR_OK);
	cr_assert_not(stat.exists, "a folder is no object");
	cr_assert_eq(ops->head(store, "d/k/x", &stat, &err), SECOR_OK);
	cr_assert_not(stat.exists);
	cr_assert_eq(
	    ops->get(store, "d", hear_piece, &heard, &err), SECOR_REJECT);
	cr_assert_eq(
	    ops->get(store, "no", hear_piece, &heard, &err), SECOR_REJECT);
	cr_assert_eq(ops->remove(store, "no", &err), SECOR_OK);
	cr_assert_eq(ops->remove(store, "d/k", &err), SECOR_OK);
	cr_assert_str_eq(listed("", NULL), "");
}

Test(local, head_fills_no_more_than_the_caller_knows)
{
	struct secor_stat stat = {
	    .size = offsetof(struct secor_stat, crc32c), .modified_ms = -7};

	cr_assert_eq(put_text("k", "x"), SECOR_OK);
	cr_assert_eq(ops->head(store, "k", &stat, &err), SECOR_OK);
	cr_assert(stat.exists);
	cr_assert_eq(stat.modified_ms, -7);
}

Test(local, probe_cleans_what_the_dead_left_and_nothing_else)
{
	int dead, alive;

	cr_assert_eq(ops->probe(store, &err), SECOR_OK, "%s", err.text);
	dead = open(in_dir(".tmp/dead"), O_CREAT | O_WRONLY, 0600);
	alive = open(in_dir(".tmp/alive"), O_CREAT | O_WRONLY, 0600);
	cr_assert(dead >= 0 && alive >= 0);
	cr_assert_eq(close(dead), 0);
	cr_assert_eq(flock(alive, LOCK_EX), 0);
	cr_assert_str_eq(listed("", NULL), "");
	cr_assert_eq(ops->probe(store, &err), SECOR_OK, "%s", err.text);
	cr_assert_eq(leftovers(), 1);
	cr_assert_eq(access(in_dir(".tmp/alive"), F_OK), 0);
	cr_assert_eq(close(alive), 0);
}

Test(local, probe_says_when_the_folder_cannot_be)
{
	cr_assert_eq(rmdir(dir), 0);
	cr_assert_eq(symlink("/proc/secor-nowhere", dir), 0);
	cr_assert_neq(ops->probe(store, &err), SECOR_OK);
	cr_assert_not_null(strstr(err.text, dir), "%s", err.text);
}

Test(local, url_is_the_path)
{
	char url[128], want[128];

	ops->url(store, "a/b", url, sizeof(url));
	(void)snprintf(want, sizeof(want), "%s/a/b", dir);
	cr_assert_str_eq(url, want);
}

Test(local, check_names_bad_modes)
{
	static const char *const bad[] = {"0400", "abc", "0x1", "1777", "88"};
	char *said;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		cr_assert_eq(
		    harness_set(plugin, conf, "mode", bad[i], &err), SECOR_OK);
		said = harness_check(plugin, conf);
		cr_expect_eq(
		    strncmp(said, "mode: ", 6), 0, "%s: %s", bad[i], said);
		free(said);
	}
}
