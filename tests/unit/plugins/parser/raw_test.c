/*
 * raw_test.c -- everything is taken as it is; time must be Kafka's.
 */
#include "tests/unit/harness.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static int
open_raw(int no_time, size_t fields, void **self, struct secor_err *err)
{
	static const char *const names[] = {"country"};
	const struct plugin *raw = harness_plugin("parser/raw");
	struct secor_open with = {.size = sizeof(with),
	    .host = raw->host,
	    .fields = {names, fields},
	    .no_time = no_time};

	return harness_open_with(raw, &with, self, err);
}

Test(raw, any_value_is_taken)
{
	static const char *const values[] = {NULL, "", "{\"a\":1}", "\xff"};
	const struct plugin *raw = harness_plugin("parser/raw");
	struct secor_err err;
	void *self = NULL;

	cr_assert_eq(open_raw(1, 0, &self, &err), SECOR_OK, "%s", err.text);
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct secor_message message = harness_message(values[i]);
		struct secor_record record = {.size = sizeof(record),
		    .message = &message,
		    .time_ms = SECOR_NO_TIME};

		cr_expect_eq(
		    raw->ops.parser->parse(self, &message, &record, NULL, &err),
		    SECOR_OK);
		cr_expect_eq(record.time_ms, SECOR_NO_TIME);
	}
	harness_close(raw, self);
}

Test(raw, own_time_is_complained_about)
{
	const struct plugin *raw = harness_plugin("parser/raw");
	void *conf = harness_conf(raw, NULL);
	char *text = harness_check(raw, conf);
	struct secor_err err;
	void *self = NULL;

	cr_expect_str_eq(text, "raw finds no time in messages: add "
			       "time_source: kafka\n");
	free(text);
	text = harness_check_no_time(raw, conf);
	cr_expect_str_eq(text, "");
	free(text);
	harness_conf_free(raw, conf);
	cr_expect_eq(open_raw(0, 0, &self, &err), SECOR_FATAL);
}

Test(raw, field_that_is_asked_for_is_fatal)
{
	struct secor_err err;
	void *self = NULL;

	cr_expect_eq(open_raw(1, 1, &self, &err), SECOR_FATAL);
	cr_expect_str_eq(err.text,
	    "field 'country': raw finds no fields (json and regex do)");
}
