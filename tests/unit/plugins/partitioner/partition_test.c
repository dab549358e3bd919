/*
 * partition_test.c -- the Kafka partition as a level.
 */
#include "tests/unit/harness.h"

#include <criterion/criterion.h>
#include <string.h>

Test(partition, value_is_the_number)
{
	const struct plugin *plugin = harness_plugin("partitioner/partition");
	void *conf = harness_conf(plugin, "name", "kp", NULL);
	void *self = harness_open(plugin, conf, NULL);
	struct secor_route_in in = {.size = sizeof(in), .partition = INT32_MAX};
	struct secor_route_out out = {.size = sizeof(out)};
	struct secor_strings fields;
	struct secor_err err;
	uint32_t inputs;

	cr_assert_eq(
	    plugin->ops.partitioner->route(self, &in, &out, &err), SECOR_OK);
	cr_assert_eq(out.level_count, 1);
	cr_expect_arr_eq(out.levels[0].name.ptr, "kp", 2);
	cr_assert_eq(out.levels[0].value.len, 10);
	cr_expect_arr_eq(out.levels[0].value.ptr, "2147483647", 10);
	plugin->ops.partitioner->describe(conf, &inputs, &fields);
	cr_expect_eq(inputs, SECOR_ROUTE_BY_PARTITION);
	cr_expect_eq(fields.count, 0);
	harness_close(plugin, self);
	harness_conf_free(plugin, conf);
}
