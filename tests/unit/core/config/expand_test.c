/*
 * expand_test.c -- environment variables, secret files, paths.
 */
#include "core/config/expand.h"

#include "core/base/buf.h"
#include "core/base/files.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void
set_environment(void)
{
	cr_assert_eq(setenv("SECOR_T_A", "alpha", 1), 0);
	cr_assert_eq(setenv("SECOR_T_EMPTY", "", 1), 0);
	cr_assert_eq(setenv("SECOR_T_ODD", "${SECOR_T_A}$$: [", 1), 0);
	cr_assert_eq(unsetenv("SECOR_T_NONE"), 0);
}

TestSuite(expand, .init = set_environment);

Test(expand, text_table)
{
	static const struct {
		const char *raw, *out; /* NULL: refused */
	} T[] = {{"", ""}, {"plain", "plain"}, {"${SECOR_T_A}", "alpha"},
	    {"<${SECOR_T_A}>${SECOR_T_A}", "<alpha>alpha"},
	    {"${SECOR_T_EMPTY}", ""}, {"${SECOR_T_EMPTY:-x}", "x"},
	    {"${SECOR_T_NONE:-x y}", "x y"}, {"${SECOR_T_NONE:-}", ""},
	    {"${SECOR_T_A:-x}", "alpha"}, {"$$", "$"}, {"$${A}", "${A}"},
	    {"a$", "a$"}, {"^a$b", "^a$b"}, {"$1", "$1"},
	    /* what comes out is not looked at again */
	    {"${SECOR_T_ODD}", "${SECOR_T_A}$$: ["}, {"${SECOR_T_NONE}", NULL},
	    {"${", NULL}, {"${}", NULL}, {"${A B}", NULL}, {"${9}", NULL},
	    {"${:-x}", NULL}, {"${SECOR_T_A", NULL}};

	for (size_t i = 0; i < sizeof(T) / sizeof(*T); i++) {
		struct secor_err err = {""};
		char *out = NULL;
		int rc = expand_text(T[i].raw, &out, &err);

		cr_expect_eq(
		    rc, T[i].out ? SECOR_OK : SECOR_REJECT, "%s", T[i].raw);
		if (T[i].out != NULL)
			cr_expect_str_eq(out, T[i].out);
		else
			cr_expect(out == NULL && err.text[0] != '\0');
		free(out);
	}
}

Test(expand, path_table)
{
	static const struct {
		const char *path, *base, *out;
	} T[] = {{"/a/b", "conf", "/a/b"}, {"a", "conf", "conf/a"},
	    {"./a", "conf", "conf/a"}, {"../a", "/etc", "/etc/../a"},
	    {"a", ".", "a"}, {"", "conf", "conf/"}};

	for (size_t i = 0; i < sizeof(T) / sizeof(*T); i++) {
		char *out = expand_path(T[i].path, T[i].base);

		cr_expect_str_eq(out, T[i].out);
		free(out);
	}
}

/* ---- secrets ---- */

static char dir[] = "/tmp/expand_test.XXXXXX";

static void
make_dir(void)
{
	cr_assert_not_null(mkdtemp(dir));
}

static void
remove_dir(void)
{
	(void)file_remove_tree(dir, NULL);
}

static void
write_secret(const char *bytes, size_t n, mode_t mode)
{
	char *path = mem_text("%s/s", dir);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, bytes, n), (ssize_t)n);
	cr_assert_eq(fchmod(fd, mode), 0);
	cr_assert_eq(close(fd), 0);
	free(path);
}

Test(expand, secret_that_is_no_file_is_a_copy)
{
	char *out = NULL;

	cr_expect_eq(expand_secret("hunter2", ".", &out, NULL), SECOR_OK);
	cr_expect_str_eq(out, "hunter2");
	free(out);
}

Test(expand, secret_file_loses_the_newline_at_its_end_only, .init = make_dir,
    .fini = remove_dir)
{
	char *out = NULL;

	write_secret(" a\nb \r\n", 7, 0400);
	cr_expect_eq(expand_secret("file:s", dir, &out, NULL), SECOR_OK);
	cr_expect_str_eq(out, " a\nb ");
	free(out);
}

Test(expand, secret_file_is_refused_for_its_mode_or_bytes, .init = make_dir,
    .fini = remove_dir)
{
	static const struct {
		const char *bytes;
		size_t n;
		mode_t mode;
		int rc;
	} T[] = {{"a", 1, 0600, SECOR_OK}, {"a", 1, 0640, SECOR_OK},
	    {"a", 1, 0644, SECOR_REJECT}, {"a", 1, 0660, SECOR_REJECT},
	    {"a", 1, 0602, SECOR_REJECT}, {"a", 1, 0601, SECOR_REJECT},
	    {"", 0, 0600, SECOR_REJECT}, {"\n", 1, 0600, SECOR_REJECT},
	    {"a\0b", 3, 0600, SECOR_REJECT}};

	for (size_t i = 0; i < sizeof(T) / sizeof(*T); i++) {
		struct secor_err err = {""};
		char *out = NULL;

		write_secret(T[i].bytes, T[i].n, T[i].mode);
		cr_expect_eq(expand_secret("file:./s", dir, &out, &err),
		    T[i].rc, "row %zu: %s", i, err.text);
		cr_expect(T[i].rc == SECOR_OK || out == NULL);
		free(out);
	}
}
