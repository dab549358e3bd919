/*
 * paths_test.c -- paths are kept once; those of a format that splits them, once
 * a suffix.
 */
#include "core/flow/paths.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static struct path *
get(struct paths *paths, const char *text)
{
	struct buf buf = {0};
	struct path *path;

	buf_puts(&buf, text);
	path = paths_get(paths, &buf, NULL, 0);
	buf_fini(&buf);
	return path;
}

static struct path *
part(struct paths *paths, struct path *path, const char *suffix)
{
	const struct secor_split split = {
	    .size = sizeof(split),
	    .suffix = {suffix, strlen(suffix)},
	    .hint = {"hint", 4},
	};

	return paths_split(paths, path, &split);
}

Test(paths, part_of_a_path_is_kept_once_a_suffix)
{
	struct paths *paths = mem_alloc(sizeof(*paths));
	struct path *a = paths_ref(get(paths, "dt=1"));
	struct path *b = paths_ref(get(paths, "dt=2"));
	struct path *a7 = paths_ref(part(paths, a, ".id7"));
	struct path *a8 = paths_ref(part(paths, a, ".id8"));
	struct path *b7 = paths_ref(part(paths, b, ".id7"));

	cr_expect_eq(part(paths, a, ""), a);
	cr_expect_eq(part(paths, a, ".id7"), a7);
	cr_expect_eq(get(paths, "dt=1"), a);
	cr_expect(a7 != a8 && a7 != b7 && a7 != a);
	cr_expect_str_eq(a7->text, "dt=1");
	cr_expect_str_eq(a7->suffix, ".id7");
	cr_expect_str_eq(a->suffix, "");
	cr_expect_eq(a7->hint_len, 4);
	cr_expect_null(a->hint);
	paths_unref(paths, a);
	cr_expect_eq(part(paths, b, ".id7"), b7);
	paths_unref(paths, a7);
	paths_unref(paths, a8);
	paths_unref(paths, b7);
	paths_unref(paths, b);
	for (size_t i = 0; i < PATHS_BUCKETS; i++)
		cr_expect_null(paths->buckets[i]);
	free(paths);
}

Test(paths, part_that_is_forgotten_comes_again_with_its_hint)
{
	struct paths *paths = mem_alloc(sizeof(*paths));
	struct path *path = paths_ref(get(paths, ""));
	struct path *once = paths_ref(part(paths, path, ".id1"));

	paths_unref(paths, once);
	once = paths_ref(part(paths, path, ".id1"));
	cr_expect_eq(memcmp(once->hint, "hint", 4), 0);
	paths_unref(paths, once);
	paths_unref(paths, path);
	free(paths);
}
