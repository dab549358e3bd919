/*
 * path_test.c -- names of objects. That escaping equals Hive's own code is
 * checked against it in tests/flow; these are the rules one by one.
 */
#include "core/flow/path.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static char *
escaped(const char *bytes, size_t len)
{
	struct buf out = {0};

	path_escape(&out, bytes, len);
	return buf_take(&out);
}

Test(path, escape_each_rule_gives_its_text)
{
	static const struct {
		const char *in;
		size_t len;
		const char *out;
	} rows[] = {
	    {"plain-_.~+ &@!$(),;<>|`}", 24, "plain-_.~+ &@!$(),;<>|`}"},
	    {"\"#%'*", 5, "%22%23%25%27%2A"},
	    {"/:=?\\", 5, "%2F%3A%3D%3F%5C"},
	    {"{[]^", 4, "%7B%5B%5D%5E"},
	    {"\0\x01\t\n\x1f\x7f", 6, "%00%01%09%0A%1F%7F"},
	    {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 9,
		"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
	    {"a\xff\xc3", 3, "a%FF%C3"},
	    {".", 1, "%2E"},
	    {"..", 2, "%2E%2E"},
	    {"..a", 3, "..a"},
	    {"", 0, "__HIVE_DEFAULT_PARTITION__"},
	    {NULL, 0, "__HIVE_DEFAULT_PARTITION__"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *out = escaped(rows[i].in, rows[i].len);

		cr_assert_str_eq(out, rows[i].out, "row %zu: %s", i, out);
		free(out);
	}
}

Test(path, unescape_every_byte_comes_back)
{
	char all[256];
	struct buf there = {0};
	struct buf back = {0};

	for (int i = 0; i < 256; i++)
		all[i] = (char)i;
	path_escape(&there, all, sizeof(all));
	path_unescape(&back, there.ptr, there.len);
	cr_assert_eq(back.len, sizeof(all));
	cr_assert_eq(memcmp(back.ptr, all, sizeof(all)), 0);
	buf_fini(&there);
	buf_fini(&back);
}

Test(path, unescape_malformed_stays)
{
	struct buf out = {0};

	path_unescape(&out, "%zz%4%41%", 9);
	cr_assert_str_eq(out.ptr, "%zz%4A%");
	buf_fini(&out);
}

static struct secor_level_text
level(const char *name, const char *value)
{
	struct secor_level_text text = {{name, name == NULL ? 0 : strlen(name)},
	    {value, value == NULL ? 0 : strlen(value)}};

	return text;
}

Test(path, level_with_and_without_a_name)
{
	struct secor_level_text named = level("dt", "a/b");
	struct secor_level_text bare = level(NULL, "..");
	struct secor_level_text null = level("country", NULL);
	struct buf out = {0};

	cr_assert_eq(path_level(&out, &named, NULL), SECOR_OK);
	buf_putc(&out, '/');
	cr_assert_eq(path_level(&out, &bare, NULL), SECOR_OK);
	buf_putc(&out, '/');
	cr_assert_eq(path_level(&out, &null, NULL), SECOR_OK);
	cr_assert_str_eq(
	    out.ptr, "dt=a%2Fb/%2E%2E/country=__HIVE_DEFAULT_PARTITION__");
	buf_fini(&out);
}

Test(path, level_over_255_bytes_is_rejected_and_leaves_the_buffer)
{
	char value[254 + 1] = "";
	struct secor_level_text fits = level("a", value);
	struct secor_err err;
	struct buf out = {0};

	memset(value, 'x', 254);
	fits.value.len = 253;
	cr_assert_eq(path_level(&out, &fits, &err), SECOR_OK);
	cr_assert_eq(out.len, 255);
	fits.value.len = 254;
	cr_assert_eq(path_level(&out, &fits, &err), SECOR_REJECT);
	cr_assert_str_eq(err.text, "path component too long: 256 bytes of 255");
	cr_assert_eq(out.len, 255);
	buf_fini(&out);
}

Test(path, split_gives_back_the_levels)
{
	struct secor_event_level *levels;
	size_t n = path_split(
	    "dt=2026-01-01/a%3Db/c%2Fd=__HIVE_DEFAULT_PARTITION__/v=%00",
	    &levels);

	cr_assert_eq(n, 4);
	cr_assert_str_eq(levels[0].name, "dt");
	cr_assert_str_eq(levels[0].value, "2026-01-01");
	cr_assert_str_eq(levels[1].name, "");
	cr_assert_str_eq(levels[1].value, "a=b");
	cr_assert_str_eq(levels[2].name, "c/d");
	cr_assert_null(levels[2].value);
	cr_assert_str_eq(levels[3].value, "%00");
	free(levels);
}

Test(path, split_of_nothing_is_empty)
{
	struct secor_event_level *levels;

	cr_assert_eq(path_split("", &levels), 0);
	cr_assert_null(levels);
}

Test(path, key_joins_the_parts)
{
	const struct path_name deep = {"t", "dt=1/hr=02", 3, 7, 42, ".gz", 0};
	const struct path_name flat = {"t", "", 0, 7, 42, "", 0};
	char *with = path_key(&deep);
	char *without = path_key(&flat);

	cr_assert_str_eq(with, "t/dt=1/hr=02/3_7_00000000000000000042.gz");
	cr_assert_str_eq(without, "t/0_7_00000000000000000042");
	free(with);
	free(without);
}

/* The numbers are those of the original's vectors; MD5s are its own. */
Test(path, object_key_is_where_the_layout_says)
{
	static const struct {
		struct config_layout layout;
		struct path_name name;
		const char *key;
	} rows[] = {
	    /* 174 */
	    {{.prefix = "some_parent_dir"},
		{"some_topic", "some_partition/some_other_partition", 10, 0,
		    100, "", 0},
		"some_parent_dir/some_topic/some_partition/"
		"some_other_partition/10_0_00000000000000000100"},
	    /* 181 without its doubled slash */
	    {{.prefix = "p"}, {"t", "a", 0, 7, INT64_MAX, "", 0},
		"p/t/a/0_7_09223372036854775807"},
	    {{.prefix = "", .md5_prefix = 1},
		{"t", "dt=2014-07-21", 1, 0, 5, ".gz", 0},
		"d363/t/dt=2014-07-21/1_0_00000000000000000005.gz"},
	    {{.prefix = "raw", .md5_prefix = 1},
		{"test", "offset=0", 1, 2, 0, "", 0},
		"4b69/raw/test/offset=0/1_2_00000000000000000000"},
	    {{.prefix = "", .md5_prefix = 1},
		{"some_topic", "some_partition/some_other_partition", 1, 0, 0,
		    "", 0},
		"1e28/some_topic/some_partition/some_other_partition/"
		"1_0_00000000000000000000"},
	    {{.prefix = "old",
		 .alternative_prefix = "new",
		 .alternative_from = "2014-07-21",
		 .alternative_level = "dt"},
		{"t", "dt=2014-07-20/hr=23", 1, 0, 0, "", 0},
		"old/t/dt=2014-07-20/hr=23/1_0_00000000000000000000"},
	    {{.prefix = "old",
		 .alternative_prefix = "new",
		 .alternative_from = "2014-07-21",
		 .alternative_level = "dt"},
		{"t", "dt=2014-07-21/hr=00", 1, 0, 0, "", 0},
		"new/t/dt=2014-07-21/hr=00/1_0_00000000000000000000"},
	    /* the last one of the name counts, and no other */
	    {{.prefix = "old",
		 .alternative_prefix = "new",
		 .alternative_from = "2014-07-21",
		 .alternative_level = "dt"},
		{"t", "dt=2020-01-01/dt=2014-07-20/xdt=2030-01-01", 1, 0, 0, "",
		    0},
		"old/t/dt=2020-01-01/dt=2014-07-20/xdt=2030-01-01/"
		"1_0_00000000000000000000"},
	    {{.prefix = "",
		 .alternative_prefix = "new",
		 .alternative_from = "2014-07-21",
		 .alternative_level = "day"},
		{"t", "day=2015-01-01T00", 1, 0, 0, "", 0},
		"new/t/day=2015-01-01T00/1_0_00000000000000000000"},
	    {{.prefix = "old",
		 .alternative_prefix = "new",
		 .alternative_from = "2014-07-21",
		 .alternative_level = "dt"},
		{"t", "dt=20150101", 1, 0, 0, "", 0},
		"old/t/dt=20150101/1_0_00000000000000000000"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct config config = {.layout = rows[i].layout};
		char *key = path_object_key(&config, &rows[i].name);

		cr_expect_str_eq(key, rows[i].key, "row %zu: %s", i, key);
		free(key);
	}
}

/* The original's vectors of names; the prefix is the store's business. */
Test(path, key_of_each_vector_of_the_original)
{
	static const struct {
		struct path_name name;
		const char *key;
	} rows[] = {
	    /* 174, 175: as the original; a message's offset is not looked at */
	    {{"some_topic", "some_partition/some_other_partition", 10, 0, 100,
		 "", 0},
		"some_topic/some_partition/some_other_partition/"
		"10_0_00000000000000000100"},
	    /* 178: the extension is the last thing */
	    {{"some_topic", "some_partition", 10, 0, 100, ".gz", 0},
		"some_topic/some_partition/10_0_00000000000000000100.gz"},
	    /* 181: as the original */
	    {{"t", "a", 0, 7, INT64_MAX, "", 0},
		"t/a/0_7_09223372036854775807"},
	    /* 182, 184: better: each Kafka partition has its own objects, so
	     * that no hash of offsets stands in names (two of them collided) */
	    {{"t", "a", 2, 2, 10, ".x", 0}, "t/a/2_2_00000000000000000010.x"},
	    {{"t", "a", 2, 3, 20, ".x", 0}, "t/a/2_3_00000000000000000020.x"},
	    {{"t", "a", 2, 4, 30, ".x", 0}, "t/a/2_4_00000000000000000030.x"},
	    /* 185: as the original */
	    {{"bar", "baz", 1, 1, 1, "", 0},
		"bar/baz/1_1_00000000000000000001"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *key = path_key(&rows[i].name);

		cr_expect_str_eq(key, rows[i].key);
		free(key);
	}
}

Test(path, key_of_a_redrive_says_so_and_is_read_back)
{
	const struct path_name name = {"t", "dt=1", 3, 7, 42, ".gz", 12};
	char *key = path_key(&name);
	int64_t redrive = 0;

	cr_assert_str_eq(key, "t/dt=1/redrive12_3_7_00000000000000000042.gz");
	cr_assert_str_eq(path_after_redrive(key + strlen("t/dt=1/"), &redrive),
	    "3_7_00000000000000000042.gz");
	cr_assert_eq(redrive, 12);
	cr_assert_null(path_after_redrive("redrive0_3_7", &redrive));
	cr_assert_null(path_after_redrive("redrive_3_7", &redrive));
	cr_assert_null(path_after_redrive("redrive12", &redrive));
	cr_assert_null(path_after_redrive("3_7_0", &redrive));
	free(key);
}
