/*
 * hash_test.c -- buckets. The hashes of murmur2 are those that Kafka's own
 * tests ask for (its Utils.murmur2), those of crc32 zlib's check value.
 */
#include "plugins/common/murmur.h"
#include "tests/unit/harness.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const struct plugin *plugin;

static void
set_up(void)
{
	plugin = harness_plugin("partitioner/hash");
}

TestSuite(hash, .init = set_up);

Test(hash, murmur2_is_that_of_kafka)
{
	static const struct {
		const char *text;
		int32_t hash;
	} rows[] = {
	    {"21", -973932308},
	    {"foobar", -790332482},
	    {"a-little-bit-long-string", -985981536},
	    {"a-little-bit-longer-string", -1486304829},
	    {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
	    {"abc", 479470107},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_expect_eq(murmur2(rows[i].text, strlen(rows[i].text)),
		    (uint32_t)rows[i].hash & INT32_MAX, "%s", rows[i].text);
}

static struct secor_bytes
bytes(const char *text)
{
	return (struct secor_bytes){text, text == NULL ? 0 : strlen(text)};
}

/* The value of the level, "-" for null, or the reason. */
static const char *
bucket(const void *conf, const char *key, const char *first, const char *second)
{
	static char text[1100];
	struct secor_bytes fields[2] = {bytes(first), bytes(second)};
	struct secor_route_in in = {.size = sizeof(in),
	    .key = bytes(key),
	    .fields = fields,
	    .field_count = 2};
	struct secor_route_out out = {.size = sizeof(out)};
	void *self = harness_open(plugin, conf, NULL);
	struct secor_err err;

	if (plugin->ops.partitioner->route(self, &in, &out, &err) != SECOR_OK)
		(void)snprintf(text, sizeof(text), "%s", err.text);
	else if (out.levels[0].value.ptr == NULL)
		(void)snprintf(text, sizeof(text), "-");
	else
		(void)snprintf(text, sizeof(text), "%.*s=%.*s",
		    (int)out.levels[0].name.len, out.levels[0].name.ptr,
		    (int)out.levels[0].value.len, out.levels[0].value.ptr);
	harness_close(plugin, self);
	return text;
}

Test(hash, bucket_of_key_is_the_rest)
{
	void *conf = harness_conf(plugin, "buckets", "16", NULL);

	/* (479470107 & 0x7fffffff) % 16, (-973932308 & 0x7fffffff) % 16 */
	cr_expect_str_eq(bucket(conf, "abc", NULL, NULL), "bucket=11");
	cr_expect_str_eq(bucket(conf, "21", NULL, NULL), "bucket=12");
	cr_expect_str_eq(bucket(conf, NULL, NULL, NULL), "key is missing");
	harness_conf_free(plugin, conf);
}

Test(hash, crc32_is_that_of_zlib)
{
	void *conf = harness_conf(plugin, "buckets", "1000000", "function",
	    "crc32", "name", "b", NULL);

	/* 0xcbf43926 = 3421780262 */
	cr_expect_str_eq(bucket(conf, "123456789", NULL, NULL), "b=780262");
	cr_expect_str_eq(bucket(conf, "", NULL, NULL), "b=0");
	harness_conf_free(plugin, conf);
}

Test(hash, several_fields_have_a_zero_byte_between)
{
	void *conf = harness_conf(plugin, "buckets", "1000000", "function",
	    "crc32", "fields", "[a, b.c]", NULL);

	/* zlib.crc32(b"x\0yz"), b"xy\0z" */
	cr_expect_str_eq(bucket(conf, NULL, "x", "yz"), "bucket=817394");
	cr_expect_str_eq(bucket(conf, NULL, "xy", "z"), "bucket=890450");
	cr_expect_str_eq(
	    bucket(conf, NULL, "xy", NULL), "field 'b.c' is missing");
	harness_conf_free(plugin, conf);
}

Test(hash, missing_may_be_the_default)
{
	void *conf = harness_conf(
	    plugin, "buckets", "4", "missing", "default", "fields", "a", NULL);

	cr_expect_str_eq(bucket(conf, NULL, NULL, NULL), "-");
	cr_expect_str_neq(bucket(conf, NULL, "", NULL), "-");
	harness_conf_free(plugin, conf);
}

Test(hash, looks_at_the_key_or_at_fields)
{
	struct secor_strings fields;
	uint32_t inputs = 9;
	struct secor_err err;
	void *conf = harness_conf(plugin, "buckets", "4", NULL);

	plugin->ops.partitioner->describe(conf, &inputs, &fields);
	cr_expect_eq(inputs, SECOR_ROUTE_BY_KEY);
	cr_expect_eq(fields.count, 0);
	cr_expect_eq(
	    harness_set(plugin, conf, "buckets", "0", &err), SECOR_REJECT);
	harness_conf_free(plugin, conf);
	conf = harness_conf(plugin, "buckets", "4", "fields", "[a]", NULL);
	plugin->ops.partitioner->describe(conf, &inputs, &fields);
	cr_expect_eq(inputs, 0);
	cr_expect_eq(fields.count, 1);
	harness_conf_free(plugin, conf);
}
