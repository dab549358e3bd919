/*
 * files_test.c -- core/base/files, in a folder of its own for each test.
 */
#include "core/base/files.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64];
static char path[256];

static void
begin(void)
{
	(void)snprintf(dir, sizeof(dir), "/tmp/secor-files-XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
}

static void
end(void)
{
	cr_assert_eq(file_remove_tree(dir, NULL), SECOR_OK);
}

static const char *
in_dir(const char *name)
{
	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void
write_file(const char *name, const char *bytes, mode_t mode)
{
	int fd = open(in_dir(name), O_CREAT | O_WRONLY | O_TRUNC, 0600);

	cr_assert_geq(fd, 0);
	cr_assert_eq(
	    file_write(fd, bytes, strlen(bytes), path, NULL), SECOR_OK);
	cr_assert_eq(fchmod(fd, mode), 0);
	(void)close(fd);
}

TestSuite(files, .init = begin, .fini = end);

Test(files, mkdirs_makes_parents_for_the_owner_only)
{
	struct stat st;

	cr_assert_eq(file_mkdirs(in_dir("a/b/c"), NULL), SECOR_OK);
	cr_assert_eq(stat(in_dir("a/b/c"), &st), 0);
	cr_assert_eq(st.st_mode & 0777, 0700);
	cr_assert_eq(file_mkdirs(in_dir("a/b/c"), NULL), SECOR_OK);
	cr_assert_eq(file_mkdirs(in_dir("a/b/d/"), NULL), SECOR_OK);
	cr_assert_eq(stat(in_dir("a/b/d"), &st), 0);
}

Test(files, mkdirs_over_a_file_says_so)
{
	struct secor_err err = {""};

	write_file("plain", "", 0600);
	cr_assert_eq(file_mkdirs(in_dir("plain"), &err), SECOR_RETRY);
	cr_assert_not_null(strstr(err.text, "plain: "), "%s", err.text);
	cr_assert_eq(file_mkdirs(in_dir("plain/below"), &err), SECOR_RETRY);
}

Test(files, mkdirs_of_an_empty_path_fails)
{
	struct secor_err err = {""};

	cr_assert_eq(file_mkdirs("", &err), SECOR_RETRY);
	cr_assert_neq(err.text[0], '\0');
}

Test(files, read_gives_the_whole_file_nul_terminated)
{
	char *bytes;
	size_t n;

	write_file("f", "hello\nworld", 0600);
	cr_assert_eq(file_read(in_dir("f"), 100, &bytes, &n, NULL), SECOR_OK);
	cr_assert_eq(n, 11);
	cr_assert_str_eq(bytes, "hello\nworld");
	free(bytes);
}

Test(files, read_at_the_limit_works_and_one_more_is_rejected)
{
	struct secor_err err = {""};
	char *bytes = NULL;
	size_t n;

	write_file("f", "12345", 0600);
	cr_assert_eq(file_read(in_dir("f"), 5, &bytes, &n, NULL), SECOR_OK);
	free(bytes);
	bytes = NULL;
	cr_assert_eq(file_read(in_dir("f"), 4, &bytes, &n, &err), SECOR_REJECT);
	cr_assert_null(bytes);
	cr_assert_not_null(strstr(err.text, "larger than 4 bytes"));
}

Test(files, read_of_a_large_file_and_an_empty_one)
{
	size_t want = 300001, n;
	char *big = malloc(want + 1), *bytes;

	memset(big, 'x', want);
	big[want] = '\0';
	write_file("big", big, 0600);
	cr_assert_eq(
	    file_read(in_dir("big"), want, &bytes, &n, NULL), SECOR_OK);
	cr_assert_eq(n, want);
	cr_assert_str_eq(bytes, big);
	free(bytes);
	free(big);
	write_file("empty", "", 0600);
	cr_assert_eq(file_read(in_dir("empty"), 0, &bytes, &n, NULL), SECOR_OK);
	cr_assert_eq(n, 0);
	cr_assert_str_eq(bytes, "");
	free(bytes);
}

Test(files, read_of_what_is_not_there_names_path_and_cause)
{
	struct secor_err err = {""};
	char *bytes;
	size_t n;

	cr_assert_eq(
	    file_read(in_dir("none"), 5, &bytes, &n, &err), SECOR_RETRY);
	cr_assert_not_null(strstr(err.text, "/none: No such file"));
	cr_assert_eq(file_read(dir, 5, &bytes, &n, &err), SECOR_RETRY);
	cr_assert_not_null(strstr(err.text, "directory"), "%s", err.text);
}

Test(files, pread_past_the_end_is_an_error_and_not_fewer_bytes)
{
	struct secor_err err = {""};
	char bytes[8];
	int fd;

	write_file("f", "0123456789", 0600);
	fd = open(in_dir("f"), O_RDONLY);
	cr_assert_eq(file_pread(fd, bytes, 4, 6, path, &err), SECOR_OK);
	cr_assert_arr_eq(bytes, "6789", 4);
	cr_assert_eq(file_pread(fd, bytes, 5, 6, path, &err), SECOR_RETRY);
	cr_assert_not_null(strstr(err.text, "shorter"), "%s", err.text);
	(void)close(fd);
}

Test(files, write_to_a_closed_descriptor_names_the_path)
{
	struct secor_err err = {""};

	cr_assert_eq(file_write(-1, "x", 1, "some/file", &err), SECOR_RETRY);
	cr_assert_not_null(strstr(err.text, "write some/file: "));
}

Test(files, remove_tree_takes_deep_folders_and_leaves_link_targets)
{
	char deep[200] = "tree";
	struct stat st;

	for (int i = 0; i < 40; i++)
		(void)strcat(deep, "/d");
	cr_assert_eq(file_mkdirs(in_dir(deep), NULL), SECOR_OK);
	write_file("tree/file", "x", 0400);
	write_file("kept", "x", 0600);
	cr_assert_eq(symlink("../kept", in_dir("tree/link")), 0);
	cr_assert_eq(file_remove_tree(in_dir("tree"), NULL), SECOR_OK);
	cr_assert_neq(stat(in_dir("tree"), &st), 0);
	cr_assert_eq(stat(in_dir("kept"), &st), 0);
	cr_assert_eq(file_remove_tree(in_dir("tree"), NULL), SECOR_OK);
}

Test(files, others_may_write_looks_at_group_and_world)
{
	static const struct {
		mode_t mode;
		int want;
	} rows[] = {{0600, 0}, {0644, 0}, {0755, 0}, {0602, 1}, {0777, 1}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		write_file("f", "", rows[i].mode);
		cr_assert_eq(file_others_may_write(in_dir("f")), rows[i].want,
		    "mode %o", rows[i].mode);
	}
	write_file("f", "", 0660);
	cr_assert_eq(file_others_may_write(in_dir("f")),
	    !file_group_is_private(getuid(), getgid()));
	cr_assert_eq(file_others_may_write(dir), 0);
	cr_assert_eq(file_others_may_write("/dev/null"), 1);
	cr_assert_eq(file_others_may_write(in_dir("none")), 0);
}

Test(files, group_is_private_when_it_is_the_users_alone)
{
	cr_assert_eq(file_group_is_private(0, 0), 1); /* root, root */
	cr_assert_eq(file_group_is_private(0, 1), 0); /* root, daemon */
	cr_assert_eq(file_group_is_private(0, 987654), 0);
	cr_assert_eq(file_group_is_private(987654, 0), 0);
}

Test(files, space_left_of_a_missing_path_is_not_known)
{
	cr_assert_gt(file_space_left(dir), 0);
	cr_assert_eq(file_space_left(in_dir("none")), -1);
}
