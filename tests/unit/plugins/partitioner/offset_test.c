/*
 * offset_test.c -- paths of offsets, and for which they hold. The number in
 * the comment is that of the original's vector.
 */
#include "tests/unit/harness.h"

#include <criterion/criterion.h>
#include <string.h>

static const struct plugin *plugin;

static int
route(void *self, int64_t offset, struct secor_route_out *out)
{
	struct secor_route_in in = {
	    .size = sizeof(in), .time_ms = SECOR_NO_TIME, .offset = offset};
	struct secor_err err;

	memset(out, 0, sizeof(*out));
	return plugin->ops.partitioner->route(self, &in, out, &err);
}

Test(offset, path_is_the_first_offset_of_its_range)
{
	static const struct {
		const char *per;
		int64_t offset;
		const char *value;
		int64_t from, until;
	} rows[] = {
	    {"10", 0, "0", 0, 10}, /* 148 */
	    {"10", 9, "0", 0, 10},
	    {"10", 10, "10", 10, 20},
	    {"10", 25, "20", 20, 30},
	    {"10", 99, "90", 90, 100},
	    {"10", 100, "100", 100, 110},
	    {"10000000", 23456789, "20000000", 20000000, 30000000},
	    {"1", INT64_MAX, "9223372036854775807", INT64_MAX, INT64_MAX},
	    {"10", INT64_MAX, "9223372036854775800", INT64_MAX - 7, INT64_MAX},
	};

	plugin = harness_plugin("partitioner/offset");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		void *conf =
		    harness_conf(plugin, "per_partition", rows[i].per, NULL);
		void *self = harness_open(plugin, conf, NULL);
		struct secor_route_out out;

		cr_assert_eq(route(self, rows[i].offset, &out), SECOR_OK);
		cr_expect_eq(out.level_count, 1);
		cr_expect_arr_eq(out.levels[0].name.ptr, "offset", 6);
		cr_expect(out.levels[0].value.len == strlen(rows[i].value) &&
			      memcmp(out.levels[0].value.ptr, rows[i].value,
				  out.levels[0].value.len) == 0,
		    "%s", out.levels[0].value.ptr);
		cr_expect_eq(out.offset_from, rows[i].from);
		cr_expect_eq(out.offset_until, rows[i].until);
		harness_close(plugin, self);
		harness_conf_free(plugin, conf);
	}
}

Test(offset, negative_offset_is_rejected)
{
	struct secor_route_out out;
	void *conf, *self;

	plugin = harness_plugin("partitioner/offset");
	conf = harness_conf(plugin, NULL);
	self = harness_open(plugin, conf, NULL);
	cr_expect_eq(route(self, -1, &out), SECOR_REJECT);
	harness_close(plugin, self);
	harness_conf_free(plugin, conf);
}

Test(offset, looks_at_offsets_only)
{
	struct secor_strings fields = {NULL, 7};
	struct secor_err err;
	uint32_t inputs = 0;
	void *conf;

	plugin = harness_plugin("partitioner/offset");
	conf = harness_conf(plugin, NULL);
	plugin->ops.partitioner->describe(conf, &inputs, &fields);
	cr_expect_eq(inputs, SECOR_ROUTE_BY_OFFSET);
	cr_expect_eq(fields.count, 0);
	cr_expect_null(plugin->ops.partitioner->span);
	cr_expect_eq(harness_set(plugin, conf, "per_partition", "0", &err),
	    SECOR_REJECT);
	harness_conf_free(plugin, conf);
}
