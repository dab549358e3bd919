/*
 * properties_test.c -- property files as commons-configuration 1.10 reads them.
 */
#include "core/cli/migrate/properties.h"

#include "tests/unit/core/cli/migrate/memory_files.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* "key=item|item" a line, in order; and behind it what was said. */
static char *
outcome(const struct memory_file *files, const struct secor_strings *defines)
{
	struct memory_files memory = {.files = files};
	struct properties properties;
	struct buf out = {0};

	buf_puts(&out, "");
	cr_assert_eq(
	    memory_files_read(&memory, &properties, defines), SECOR_OK);
	for (size_t i = 0; i < properties.count; i++) {
		const struct property *one = &properties.items[i];

		buf_printf(&out, "%s=", one->key);
		for (size_t k = 0; k < one->count; k++)
			buf_printf(
			    &out, "%s%s", k > 0 ? "|" : "", one->items[k]);
		buf_putc(&out, '\n');
	}
	buf_puts(&out, memory.said.ptr);
	buf_fini(&memory.said);
	properties_free(&properties);
	return buf_take(&out);
}

static void
expect(const struct memory_file *files, const char *wanted)
{
	char *got = outcome(files, NULL);

	cr_expect_str_eq(got, wanted, "%s\n--- wanted\n%s--- got\n%s",
	    files[0].text, wanted, got);
	free(got);
}

struct vector {
	const char *text, *wanted;
};

static void
expect_all(const struct vector *vectors, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct memory_file files[] = {
		    {"/f", vectors[i].text}, {NULL, NULL}};

		expect(files, vectors[i].wanted);
	}
}

#define EXPECT_ALL(vectors) \
	expect_all(vectors, sizeof(vectors) / sizeof(*(vectors)))

Test(properties, lines_give_keys_and_values)
{
	static const struct vector T[] = {
	    {"", ""},
	    {"a=b", "a=b\n"},
	    {"a = b \n  c:d\ne f\n", "a=b\nc=d\ne=f\n"},
	    {"a\t=\t b c ", "a=b c\n"},
	    {"a == b", "a== b\n"},
	    {"a:=b", "a==b\n"},
	    {"key", "key=\n"},
	    {"key=", "key=\n"},
	    {"# a=1\n  ! b=2\n\nc=3", "c=3\n"},
	    {"a=1 # no comment", "a=1 # no comment\n"},
	    {"a=1\r\nb=2\rc=3", "a=1\nb=2\nc=3\n"},
	    /* continued: blanks of the next line are cut, comments left out */
	    {"a=1\\\n   2\\\n# not this\n\n  3\nb=4", "a=123\nb=4\n"},
	    {"a=1 \\\n 2", "a=1 2\n"},
	    {"a=1\\\\\nb=2", "a=1\\\nb=2\n"},
	    {"a=1\\\\\\\n2", "a=1\\2\n"},
	    /* keys */
	    {"a\\ b=c", "a b=c\n"},
	    {"a\\=b=c", "a=b=c\n"},
	    {"a\\:b:c", "a:b=c\n"},
	    {"a.*=b", "a.*=b\n"},
	};

	EXPECT_ALL(T);
}

Test(properties, escapes_are_decoded)
{
	static const struct vector T[] = {
	    {"a=\\n\\t\\r\\f\\b|", "a=\n\t\r\f\b|\n"},
	    {"a=\\\"\\'\\x\\\\", "a=\"'x\\\n"},
	    {"a=\\u0041\\u00e9\\u20ac", "a=A\303\251\342\202\254\n"},
	    {"a=\\ud83d\\ude00", "a=\360\237\230\200\n"},
	    {"a=\\ud83d-\\u0000", "a=\357\277\275-\357\277\275\n"},
	    {"a=(\\\\d+)", "a=(\\d+)\n"},
	};

	EXPECT_ALL(T);
}

Test(properties, commas_make_lists)
{
	static const struct vector T[] = {
	    {"a=b,c , d", "a=b|c|d\n"},
	    {"a=b,,c,", "a=b||c|\n"},
	    {"a=b\\,c", "a=b,c\n"},
	    {"a=b\\,c,d", "a=b,c|d\n"},
	    {"a=,b", "a=,b\n"},
	    {"a=,", "a=,\n"},
	    /* four backslashes are two, and where there is a comma one */
	    {"a=\\\\\\\\d", "a=\\\\d\n"},
	    {"a=\\\\\\\\d,x", "a=\\d|x\n"},
	    {"a=x\\\\,y", "a=x,y\n"},
	};

	EXPECT_ALL(T);
}

Test(properties, oddities_are_told)
{
	static const struct vector T[] = {
	    {"a=1\nb=2\\\n",
		"a=1\n/f:2: warning: the file ends with a backslash: this "
		"definition is lost\n"},
	    {"\na=\\u12g4\nb=1",
		"b=1\n/f:2: error: a has \\u without four hexadecimal "
		"digits\n"},
	    {"a=\\u12",
		"/f:1: error: a has \\u without four hexadecimal digits\n"},
	    {"a=\xc3\xa9",
		"a=\303\203\302\251\n/f:1: warning: a: bytes beyond ASCII are "
		"read as ISO-8859-1, not as UTF-8\n"},
	};

	EXPECT_ALL(T);
}

Test(properties, key_again_first_definition_counts)
{
	static const struct vector T[] = {
	    {"a=1\nb=x\na=2\nb=x\n",
		"a=1|2\nb=x|x\n/f:3: warning: a is set again, without effect: "
		"the first definition counts (/f:1)\n"},
	};

	EXPECT_ALL(T);
}

Test(properties, include_is_read_in_place_and_comes_first)
{
	const struct memory_file files[] = {
	    {"/d/top", "include = base\nhour=true\nnew=1\n"},
	    {"/d/base", "hour=false\nbase=1\n"}, {NULL, NULL}};

	expect(files, "hour=false|true\nbase=1\nnew=1\n"
		      "/d/top:2: warning: hour is set again, without effect: "
		      "the first definition counts (/d/base:1)\n");
}

Test(properties, includes_are_found_where_the_original_looks)
{
	const struct memory_file files[] = {
	    {"/d/top", "where=sub\nInclude=${where}/one, /abs ,lib\n"},
	    {"/d/sub/one", "one=1\ninclude=beside\ninclude=fromtop\n"},
	    {"/d/sub/beside", "beside=1\n"}, {"/d/fromtop", "fromtop=1\n"},
	    {"/abs", "abs=1\n"}, {"/classpath/lib", "lib=1\n"}, {NULL, NULL}};

	expect(files, "where=sub\none=1\nbeside=1\nfromtop=1\nabs=1\nlib=1\n");
}

Test(properties, include_missing_is_an_error)
{
	const struct memory_file files[] = {
	    {"/d/top", "a=1\ninclude=nowhere\nb=2\n"}, {NULL, NULL}};

	expect(files, "a=1\nb=2\n/d/top:2: error: include nowhere: there is "
		      "no such file (--path names further folders)\n");
}

Test(properties, include_of_itself_is_an_error)
{
	const struct memory_file files[] = {{"/d/a", "include=b\na=1\n"},
	    {"/d/b", "include=a\nb=1\n"}, {NULL, NULL}};

	expect(files,
	    "b=1\na=1\n/d/b:1: error: include /d/a: it includes itself\n");
}

Test(properties, includes_without_end_are_an_error)
{
	/* 2^30 files, if nothing stopped it */
	struct memory_file files[32] = {{NULL, NULL}};
	char *got;

	for (int i = 0; i < 30; i++) {
		files[i].path = mem_text("/d/%d", i);
		files[i].text =
		    mem_text("include=%d\ninclude=%d\n", i + 1, i + 1);
	}
	files[30] = (struct memory_file){mem_text("/d/30"), mem_text("a=1")};
	got = outcome(files, NULL);
	cr_expect_not_null(strstr(got, "more than 256 files"));
	free(got);
	for (int i = 0; i <= 30; i++) {
		free((char *)files[i].path);
		free((char *)files[i].text);
	}
}

Test(properties, variables_stand_for_first_definitions)
{
	static const struct vector T[] = {
	    {"a=${b}/${c}\nb=1\nb=2\nc=x,y\n",
		"a=1/x\nb=1|2\nc=x|y\n/f:3: warning: b is set again, without "
		"effect: the first definition counts (/f:2)\n"},
	    {"a=$${a}\nb=${a\nc=a$\nd=$ 1\n", "a=${a}\nb=${a\nc=a$\nd=$ 1\n"},
	    {"a=${b2}",
		"a=${b2}\n/f:1: warning: a: ${b2} is not known here and stays "
		"as it is\n"},
	    {"a=${}",
		"a=${}\n/f:1: warning: a: ${} is not known here and stays as "
		"it is\n"},
	};

	EXPECT_ALL(T);
}

Test(properties, variable_of_itself_is_an_error)
{
	static const struct vector T[] = {
	    {"a=${b}\nb=-${a}\nc=ok\n",
		"a=${b}\nb=-${a}\nc=ok\n"
		"/f:1: error: a: ${b} stands for itself in the end\n"
		"/f:2: error: b: ${a} stands for itself in the end\n"},
	};

	EXPECT_ALL(T);
}

Test(properties, variables_that_explode_are_an_error)
{
	struct memory_file files[] = {{"/f", NULL}, {NULL, NULL}};
	struct buf text = {0};
	char *got;

	buf_puts(&text, "v0=xxxxxxxxxx\n");
	for (int i = 1; i < 40; i++)
		buf_printf(&text, "v%d=${v%d}${v%d}\n", i, i - 1, i - 1);
	files[0].text = text.ptr;
	got = outcome(files, NULL);
	cr_expect_not_null(strstr(got, "longer than 64 KiB"));
	free(got);
	buf_fini(&text);
}

Test(properties, environment_and_system_properties_are_variables)
{
	static const char *const D[] = {"x=1", "y=2"};
	const struct secor_strings defines = {D, 2};
	const struct memory_file files[] = {
	    {"/f", "a=${env:SECOR_TEST_VALUE}\nb=${sys:x}\nc=${y}\ny=3\n"},
	    {NULL, NULL}};
	char *got;

	cr_assert_eq(setenv("SECOR_TEST_VALUE", "from outside", 1), 0);
	got = outcome(files, &defines);
	cr_expect_str_eq(got, "a=from outside\nb=1\nc=2\ny=3\n");
	free(got);
}

Test(properties, defines_win_and_are_split_again)
{
	static const char *const D[] = {"a=x,y", "b=${c}", "a=z,w", "d"};
	const struct secor_strings defines = {D, 4};
	const struct memory_file files[] = {{"/f", "a=1\nc=2\n"}, {NULL, NULL}};
	struct memory_files memory = {.files = files};
	struct properties properties;

	cr_assert_eq(
	    memory_files_read(&memory, &properties, &defines), SECOR_OK);
	cr_expect_str_eq(properties_get(&properties, "a"), "z");
	cr_expect_str_eq(properties_get(&properties, "b"), "2");
	cr_expect_str_eq(properties_get(&properties, "c"), "2");
	cr_expect_str_eq(properties_get(&properties, "d"), "");
	cr_expect_null(properties_get(&properties, "e"));
	cr_expect_eq(properties_find(&properties, "a")->count, 2);
	properties_free(&properties);
	buf_fini(&memory.said);
}

Test(properties, file_missing_is_told_by_status)
{
	const struct properties_how how = {.say = NULL};
	const struct secor_strings none = {NULL, 0};
	struct properties properties;
	struct secor_err err;

	cr_expect_eq(properties_read(&properties, "/nowhere/x.properties",
			 &none, &how, &err),
	    SECOR_RETRY);
	cr_expect_not_null(strstr(err.text, "/nowhere/x.properties"));
	properties_free(&properties);
}
