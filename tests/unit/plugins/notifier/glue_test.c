/*
 * glue_test.c -- the glue notifier against a server that answers as told: what
 * it sends, and what it makes of answers that no sound server gives.
 * (Signatures and requests are judged by AWS's model in the flow tests.)
 */
#include "tests/unit/harness.h"
#include "tests/unit/plugins/common/aws_help.h"
#include "tests/unit/plugins/common/script.h"
#include "tests/unit/plugins/notifier/event.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define OK_JSON(text)                       \
	{                                   \
		.status = 200, .body = text \
	}
#define NO_JSON(code)                                                       \
	{                                                                   \
		.status = 400, .body = "{\"__type\":\"" code "\",\"message" \
				       "\":\"no\"}"                         \
	}
#define TABLE                                                              \
	OK_JSON("{\"Table\":{\"Name\":\"t\",\"PartitionKeys\":[{\"Name\":" \
		"\"DT\"}],\"StorageDescriptor\":{\"Novel\":[1.5],"         \
		"\"Location\":\"s3://b\"}}}")
#define CREATED OK_JSON("{}")
#define THERE                                                     \
	OK_JSON("{\"Errors\":[{\"PartitionValues\":[\"a\"],\"Err" \
		"orDetail\":{\"ErrorCode\":\"AlreadyExistsExcept" \
		"ion\"}}]}")
#define FOUND(more)                                                    \
	OK_JSON("{\"Partitions\":[{\"Values\":[\"a\"],\"DatabaseNa"    \
		"me\":\"d\",\"TableName\":\"t\",\"CreationTime\":1.5," \
		"\"StorageDescriptor\":{\"Location\":"                 \
		"\"s3://b/raw/t/dt=2026-01-01/\"}" more "}]}")
#define FOLDER "s3://b/raw/t/dt=2026-01-01"
#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static struct {
	const struct plugin *plugin;
	struct script *script;
	void *conf, *self;
	struct secor_err err;
} t;

static void
begin(void)
{
	aws_begin();
	memset(&t, 0, sizeof(t));
	t.plugin = harness_plugin("notifier/glue");
}

static void
fini(void)
{
	harness_close(t.plugin, t.self);
	harness_conf_free(t.plugin, t.conf);
	if (t.script != NULL)
		script_stop(t.script);
	aws_end();
}

TestSuite(glue, .init = begin, .fini = fini, .timeout = 120);

static void
serve(const struct script_step *steps, size_t n, const char *key,
    const char *value)
{
	t.script = script_start(steps, n);
	t.conf = harness_conf(t.plugin, "endpoint", script_url(t.script),
	    "region", "eu-west-1", "access_key", "AKID", "secret_key", "s3cr3t",
	    "database", "d", "table", "{topic}", "retry_delay", "0ms",
	    "max_attempts", "2", key, value, NULL);
	t.self = harness_open(t.plugin, t.conf, NULL);
}

static int
tell_level(const char *name, const char *value)
{
	const struct secor_event_level level = {name, value};
	struct event_object object = event_object("dt=2026-01-01", &level, 1);
	struct secor_event_batch batch = event_batch("t", &object, 1);

	return t.plugin->ops.notifier->batch_done(t.self, &batch, &t.err);
}

static int
finalize(uint64_t records)
{
	const struct secor_event_level level = {"dt", "a"};
	struct event_object object = event_object("dt=2026-01-01", &level, 1);
	struct secor_event_path path = event_path("dt=2026-01-01", &level, 1);

	path.objects = &object.object;
	path.object_count = 1;
	path.total_objects = 2;
	path.total_records = records;
	path.total_bytes = UINT64_MAX;
	return t.plugin->ops.notifier->path_finalized(t.self, &path, &t.err);
}

static void
expect_text(const char *part)
{
	cr_expect_not_null(
	    strstr(t.err.text, part), "'%s' lacks '%s'", t.err.text, part);
}

/* The request's body is this JSON. */
static void
expect_body(size_t which, const char *want)
{
	const char *request = script_request(t.script, which);
	json_t *got = json_loads(
	    script_body(t.script, which), JSON_REJECT_DUPLICATES, NULL);
	json_t *right = json_loads(want, 0, NULL);

	cr_assert_not_null(right, "%s", want);
	cr_expect(json_equal(got, right), "%s\n%s", want, request);
	json_decref(got);
	json_decref(right);
}

Test(glue, partition_takes_the_tables_descriptor_and_its_own_folder)
{
	static const struct script_step steps[] = {TABLE, CREATED};

	serve(steps, 2, "catalog_id", "123");
	cr_assert_eq(tell_level("dt", "a"), SECOR_OK, "%s", t.err.text);
	cr_assert_eq(script_count(t.script), 2);
	cr_expect_eq(strncmp(script_request(t.script, 0), "POST / HTTP/1.1\r\n",
			 strlen("POST / HTTP/1.1\r\n")),
	    0);
	cr_expect(script_has(t.script, 0, "x-amz-target: AWSGlue.GetTable"));
	cr_expect(script_has(
	    t.script, 0, "content-type: application/x-amz-json-1.1"));
	expect_body(
	    0, "{\"CatalogId\":\"123\",\"DatabaseName\":\"d\",\"Name\":\"t\"}");
	cr_expect(script_has(
	    t.script, 1, "x-amz-target: AWSGlue.BatchCreatePartition"));
	expect_body(1,
	    "{\"CatalogId\":\"123\",\"DatabaseName\":\"d\",\"TableName\":\"t\","
	    "\"PartitionInputList\":[{\"Values\":[\"a\"],\"Parameters\":{},"
	    "\"StorageDescriptor\":{\"Novel\":[1.5],\"Location\":\"" FOLDER
	    "\"}}]}");
}

Test(glue, null_and_empty_values_are_the_default_partition)
{
	static const struct script_step steps[] = {TABLE, CREATED};

	serve(steps, 2, NULL, NULL);
	cr_assert_eq(tell_level("dt", NULL), SECOR_OK, "%s", t.err.text);
	cr_expect_not_null(strstr(script_request(t.script, 1),
	    "\"Values\":[\"__HIVE_DEFAULT_PARTITION__\"]"));
}

Test(glue, statistics_are_written_and_the_rest_goes_back_as_it_came)
{
	static const struct script_step steps[] = {TABLE, THERE,
	    FOUND(",\"Novel\":{\"x\":null},\"LastAccessTime\":1.25,"
		  "\"Parameters\":{\"owner\":\"me\",\"numRows\":\"1\"}"),
	    CREATED};

	serve(steps, 4, NULL, NULL);
	cr_assert_eq(finalize(7), SECOR_OK, "%s", t.err.text);
	cr_expect(
	    script_has(t.script, 3, "x-amz-target: AWSGlue.UpdatePartition"));
	expect_body(3,
	    "{\"DatabaseName\":\"d\",\"TableName\":\"t\","
	    "\"PartitionValueList\":[\"a\"],\"PartitionInput\":{"
	    "\"Values\":[\"a\"],\"Novel\":{\"x\":null},"
	    "\"LastAccessTime\":1.25,\"StorageDescriptor\":{\"Location\":"
	    "\"" FOLDER "/\"},\"Parameters\":{\"owner\":\"me\","
	    "\"numRows\":\"7\",\"recordCount\":\"7\",\"numFiles\":\"2\","
	    "\"objectCount\":\"2\",\"sizeKey\":\"18446744073709551615\","
	    "\"totalSize\":\"18446744073709551615\"}}}");
}

Test(glue, statistics_that_are_right_are_not_written)
{
	static const struct script_step steps[] = {TABLE, THERE,
	    FOUND(",\"Parameters\":{\"numRows\":\"7\",\"recordCount\":\"7\","
		  "\"numFiles\":\"2\",\"objectCount\":\"2\","
		  "\"sizeKey\":\"18446744073709551615\","
		  "\"totalSize\":\"18446744073709551615\"}")};

	serve(steps, 3, NULL, NULL);
	cr_assert_eq(finalize(7), SECOR_OK, "%s", t.err.text);
	cr_expect_eq(script_count(t.script), 3);
}

Test(glue, path_of_an_older_engine_has_no_statistics)
{
	static const struct script_step steps[] = {TABLE, CREATED};
	const struct secor_event_level level = {"dt", "a"};
	struct event_object object = event_object("dt=2026-01-01", &level, 1);
	struct secor_event_path path = event_path("dt=2026-01-01", &level, 1);

	path.size = offsetof(struct secor_event_path, total_objects);
	path.objects = &object.object;
	path.object_count = 1;
	serve(steps, 2, NULL, NULL);
	cr_assert_eq(
	    t.plugin->ops.notifier->path_finalized(t.self, &path, &t.err),
	    SECOR_OK, "%s", t.err.text);
	cr_expect_not_null(
	    strstr(script_request(t.script, 1), "\"Parameters\":{}"));
}

/* Two topics in one table: the second one's objects lie elsewhere. */
Test(glue, same_path_of_another_topic_is_not_known)
{
	/* and once more by the table as it is now */
	static const struct script_step steps[] = {
	    TABLE, CREATED, THERE, FOUND(""), TABLE, THERE, FOUND("")};
	const struct secor_event_level level = {"dt", "a"};
	struct event_object object = event_object("dt=2026-01-01", &level, 1);
	struct secor_event_batch batch = event_batch("other", &object, 1);

	serve(steps, 7, "tables", "{t: one, other: one}");
	cr_assert_eq(tell_level("dt", "a"), SECOR_OK, "%s", t.err.text);
	object.object.url = "s3://b/raw/other/dt=2026-01-01/1_0.gz";
	cr_expect_eq(t.plugin->ops.notifier->batch_done(t.self, &batch, &t.err),
	    SECOR_REJECT);
	expect_text("another location: " FOLDER);
}

/* A table that went: what is known of it, and of its partitions, is not true
 * of the next one of its name. */
Test(glue, nothing_is_known_of_a_table_that_went)
{
	static const struct script_step steps[] = {
	    TABLE, CREATED, NO_JSON("EntityNotFoundException"), TABLE, CREATED};
	const struct secor_event_level level = {"dt", "b"};
	struct event_object object = event_object("dt=2026-01-02", &level, 1);
	struct secor_event_batch batch = event_batch("t", &object, 1);

	serve(steps, 5, NULL, NULL);
	cr_assert_eq(tell_level("dt", "a"), SECOR_OK, "%s", t.err.text);
	cr_assert_eq(t.plugin->ops.notifier->batch_done(t.self, &batch, &t.err),
	    SECOR_RETRY);
	cr_assert_eq(tell_level("dt", "a"), SECOR_OK, "%s", t.err.text);
	cr_assert_eq(script_count(t.script), 5);
	cr_expect(script_has(t.script, 3, "x-amz-target: AWSGlue.GetTable"));
}

/* Answers that no sound server gives: the event comes again. */
Test(glue, garbage_is_told_again)
{
	static const struct {
		struct script_step step;
		const char *want;
	} rows[] = {
	    {OK_JSON(""), "no JSON object"},
	    {OK_JSON("[]"), "no JSON object"},
	    {OK_JSON("{\"Table\":1}"), "StorageDescriptor"},
	    {OK_JSON("{\"Table\":{\"StorageDescriptor\":[]}}"),
		"StorageDescriptor"},
	    {OK_JSON("{\"Table\":{\"StorageDescriptor\":{},"
		     "\"PartitionKeys\":{}}}"),
		"StorageDescriptor"},
	    {OK_JSON("{\"Table\":{\"TargetTable\":{\"DatabaseName\":\"x\","
		     "\"Name\":\"y\"}}}"),
		"is a link to x.y"},
	    {{.status = 400, .body = "{\"__type\":7}"}, "HTTP 400"},
	    {{.status = 400, .body = "{\"__type\":\"a#Odd:http://x\"}"},
		"HTTP 400 Odd"},
	    {{.status = 400, .headers = "x-amzn-ErrorType: Odd:http://x\r\n"},
		"HTTP 400 Odd"},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		serve(&rows[i].step, 1, NULL, NULL);
		cr_expect_eq(tell_level("dt", "a"), SECOR_RETRY);
		expect_text(rows[i].want);
		fini();
		begin();
	}
}

Test(glue, garbage_about_partitions_is_told_again)
{
	static const struct {
		struct script_step created, found;
		const char *want;
	} rows[] = {
	    {OK_JSON("{\"Errors\":7}"), CREATED, "not asked for"},
	    {OK_JSON("{\"Errors\":[7]}"), CREATED, "not asked for"},
	    {OK_JSON("{\"Errors\":[{\"PartitionValues\":[\"b\"]}]}"), CREATED,
		"not asked for"},
	    {OK_JSON("{\"Errors\":[{\"PartitionValues\":[\"a\"]}]}"), CREATED,
		"BatchCreatePartition: ?"},
	    {THERE, CREATED, "does not tell"},
	    {THERE, OK_JSON("{\"Partitions\":{}}"), "does not tell"},
	    {THERE, OK_JSON("{\"Partitions\":[{\"Values\":[1]}]}"),
		"does not tell"},
	    {THERE, NO_JSON("OddException"), "BatchGetPartition: HTTP 400 Odd"},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct script_step steps[] = {
		    TABLE, rows[i].created, rows[i].found};

		serve(steps, 3, NULL, NULL);
		cr_expect_eq(
		    tell_level("dt", "a"), SECOR_RETRY, "%s", rows[i].want);
		expect_text(rows[i].want);
		fini();
		begin();
	}
}

Test(glue, partition_without_a_location_is_rejected)
{
	static const struct script_step steps[] = {
	    TABLE, THERE, OK_JSON("{\"Partitions\":[{\"Values\":[\"a\"]}]}")};

	serve(steps, 3, NULL, NULL);
	cr_expect_eq(tell_level("dt", "a"), SECOR_REJECT);
	expect_text("another location: no location, not " FOLDER);
}

Test(glue, no_connection_is_told_again_after_the_attempts)
{
	static const struct script_step steps[] = {
	    {.how = SCRIPT_LATE_RESET}, {.how = SCRIPT_LATE_RESET}};

	serve(steps, 2, NULL, NULL);
	cr_expect_eq(tell_level("dt", "a"), SECOR_RETRY);
	expect_text("127.0.0.1");
	cr_expect_eq(script_count(t.script), 2);
}

Test(glue, no_keys_are_told_again)
{
	t.conf = harness_conf(t.plugin, "region", "eu-west-1", "endpoint",
	    "http://127.0.0.1:9", "table", "t", NULL);
	t.self = harness_open(t.plugin, t.conf, NULL);
	cr_expect_eq(tell_level("dt", "a"), SECOR_RETRY);
	expect_text("credentials");
}

Test(glue, region_that_nobody_knows_ends_open)
{
	struct secor_open with = {.size = sizeof(with), .host = t.plugin->host};

	t.conf = harness_conf(t.plugin, "table", "t", NULL);
	with.conf = t.conf;
	cr_expect_eq(
	    harness_open_with(t.plugin, &with, &t.self, &t.err), SECOR_FATAL);
	expect_text("set region, or AWS_REGION");
	(void)setenv("AWS_REGION", "eu/west", 1);
	cr_expect_eq(
	    harness_open_with(t.plugin, &with, &t.self, &t.err), SECOR_FATAL);
	expect_text("'eu/west' is no region");
}

Test(glue, check_names_what_is_wrong)
{
	char *said;

	t.conf = harness_conf(t.plugin, "region", "Europe", "endpoint",
	    "ftp://x", "access_key", "A", "catalog_id", "", "database", "a.b",
	    "table", "x-{topic}", "tables", "{t: a.b.c}", NULL);
	said = harness_check(t.plugin, t.conf);
	cr_expect_str_eq(said,
	    "region: is no region of AWS\n"
	    "endpoint: must be https://host[:port] or http://host[:port]\n"
	    "secret_key: is missing beside access_key\n"
	    "catalog_id: must be the number of an account, or a catalog's "
	    "name\n"
	    "database: is no database: letters, digits and '_'\n"
	    "table: is no Hive table: letters, digits, '_' and one '.' behind "
	    "the database\n"
	    "tables: 'a.b.c' is no Hive table: letters, digits, '_' and one "
	    "'.' behind the database\n");
	free(said);
}
