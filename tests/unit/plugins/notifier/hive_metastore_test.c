/*
 * hive_metastore_test.c -- the notifier hive-metastore against a metastore that
 * says what it is told. (A real one judges it in the flow tests.)
 */
#include "tests/unit/plugins/notifier/event.h"
#include "tests/unit/plugins/notifier/hive_help.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define TABLE "get_table_req"
#define ADD "add_partition_with_environment_context"
#define GET "get_partition"
#define ALTER "alter_partition_with_environment_context"
#define PLACE "s3://b/t/dt=x"

#define INVALID_OBJECT 1
#define ALREADY_EXISTS 2
#define META_OF_ADD 3
#define NO_SUCH_OBJECT 2 /* of get_table and get_partition */

/* {"name": value} of the map in field `id` of a structure; NULL: not there. */
static const char *
parameter(struct wire structure, int id, const char *name)
{
	static char text[256];
	struct secor_bytes key, value;
	struct wire map;
	uint32_t n;

	cr_assert(thrift_find(structure, id, THRIFT_MAP, &map));
	cr_assert(thrift_map(&map, &n));
	for (; n > 0; n--) {
		cr_assert(
		    thrift_bytes(&map, &key) && thrift_bytes(&map, &value));
		if (key.len != strlen(name) ||
		    memcmp(key.ptr, name, key.len) != 0)
			continue;
		(void)snprintf(
		    text, sizeof(text), "%.*s", (int)value.len, value.ptr);
		return text;
	}
	return NULL;
}

static void
expect_statistics(struct wire partition)
{
	cr_assert_str_eq(parameter(partition, 7, "numFiles"), "3");
	cr_assert_str_eq(parameter(partition, 7, "numRows"), "200");
	cr_assert_str_eq(parameter(partition, 7, "totalSize"), "9000");
}

static struct wire
argument(struct hive *hive, int id)
{
	struct wire value;

	cr_assert(thrift_find(hive_arguments(hive), id, THRIFT_STRUCT, &value));
	return value;
}

Test(hive_metastore, first_object_adds_a_partition_like_its_table,
    .timeout = 120)
{
	struct wire partition, values;
	struct hive hive;
	uint32_t n;

	hive_begin(&hive, NULL);
	hive_says(&hive, HIVE_REPLY, hive_table_is("dt", NULL));
	hive_says(&hive, HIVE_REPLY, hive_partition_is(PLACE, NULL));
	cr_assert_eq(hive_object(&hive, "x"), SECOR_OK, "%s", hive.err.text);
	hive_expect(&hive, TABLE " " ADD);
	partition = argument(&hive, 1);
	cr_assert(thrift_find(partition, 1, THRIFT_LIST, &values));
	cr_assert(thrift_list(&values, THRIFT_STRING, &n) && n == 1);
	cr_assert_eq(memcmp(values.at, "\0\0\0\1x", 5), 0);
	cr_assert_str_eq(hive_string(partition, "2"), "default");
	cr_assert_str_eq(hive_string(partition, "3"), "t_t");
	cr_assert_str_eq(hive_string(partition, "6.2"), PLACE);
	cr_assert_str_eq(hive_string(partition, "6.3"), "input.format");
	cr_assert_str_eq(hive_string(partition, "6.77"), "of tomorrow");
	cr_assert_str_eq(hive_string(partition, "6.78.1"), "too");
	cr_assert_str_eq(
	    parameter(argument(&hive, 2), 1, "DO_NOT_UPDATE_STATS"), "true");
	/* known: neither table nor partition again */
	cr_assert_eq(hive_object(&hive, "x"), SECOR_OK);
	hive_expect(&hive, "");
	hive_says(&hive, HIVE_REPLY, hive_partition_is(PLACE, NULL));
	cr_assert_eq(hive_object(&hive, "y"), SECOR_OK);
	hive_expect(&hive, ADD);
	hive_end(&hive);
}

Test(hive_metastore, partition_that_is_there_is_looked_at, .timeout = 120)
{
	struct hive hive;

	hive_begin(&hive, NULL);
	hive_says(&hive, HIVE_REPLY, hive_table_is("DT", NULL));
	hive_says(&hive, HIVE_REPLY, hive_error(ALREADY_EXISTS, "is there"));
	hive_says(
	    &hive, HIVE_REPLY, hive_partition_is("s3a://b//t/dt=x/", NULL));
	cr_assert_eq(hive_object(&hive, "x"), SECOR_OK, "%s", hive.err.text);
	hive_expect(&hive, TABLE " " ADD " " GET);
	hive_end(&hive);
}

Test(hive_metastore, partition_that_is_elsewhere_is_refused, .timeout = 120)
{
	struct hive hive;

	hive_begin(&hive, NULL);
	hive_says(&hive, HIVE_REPLY, hive_table_is("dt", NULL));
	hive_says(&hive, HIVE_REPLY, hive_partition_is("s3://b/u/dt=x", NULL));
	cr_assert_eq(hive_path(&hive, "x"), SECOR_REJECT);
	hive_text(&hive, "table t_t, path dt=x: the partition is there with "
			 "location s3://b/u/dt=x, its objects are in " PLACE);
	hive_expect(&hive, TABLE " " GET);
	hive_end(&hive);
}

Test(hive_metastore, partition_that_is_elsewhere_is_moved_when_told,
    .timeout = 120)
{
	struct wire partition;
	struct hive hive;

	hive_begin(&hive, "relocate", "true", "location_schemes",
	    "{gs: x, s3: s3a}", NULL);
	hive_says(&hive, HIVE_REPLY, hive_table_is("dt", NULL));
	hive_says(&hive, HIVE_REPLY, hive_error(ALREADY_EXISTS, "is there"));
	hive_says(&hive, HIVE_REPLY, hive_partition_is("s3://b/u/dt=x", "7"));
	hive_says(&hive, HIVE_REPLY, hive_void());
	cr_assert_eq(hive_object(&hive, "x"), SECOR_OK, "%s", hive.err.text);
	hive_expect(&hive, TABLE " " ADD " " GET " " ALTER);
	partition = argument(&hive, 3);
	cr_assert_str_eq(hive_string(partition, "6.2"), "s3a://b/t/dt=x");
	cr_assert_str_eq(hive_string(partition, "6.77"), "of tomorrow");
	cr_assert_str_eq(parameter(partition, 7, "numRows"), "7");
	hive_end(&hive);
}

Test(hive_metastore, statistics_leave_the_rest_as_it_is, .timeout = 120)
{
	struct wire partition, created;
	struct hive hive;

	hive_begin(&hive, NULL);
	hive_says(&hive, HIVE_REPLY, hive_table_is("dt", NULL));
	hive_says(&hive, HIVE_REPLY, hive_partition_is(PLACE, "7"));
	hive_says(&hive, HIVE_REPLY, hive_void());
	cr_assert_eq(hive_path(&hive, "x"), SECOR_OK, "%s", hive.err.text);
	hive_expect(&hive, TABLE " " GET " " ALTER);
	partition = argument(&hive, 3);
	expect_statistics(partition);
	cr_assert_str_eq(parameter(partition, 7, "of"), "others");
	cr_assert_str_eq(hive_string(partition, "99"), "unknown");
	cr_assert_str_eq(hive_string(partition, "6.2"), PLACE);
	cr_assert_str_eq(hive_string(partition, "6.78.1"), "too");
	cr_assert(thrift_find(partition, 4, THRIFT_I32, &created));
	cr_assert_eq(memcmp(created.at, "\0\x12\xd6\x87", 4), 0);
	cr_assert_str_eq(
	    parameter(argument(&hive, 4), 1, "DO_NOT_UPDATE_STATS"), "true");
	/* what it has already is not altered */
	hive_says(&hive, HIVE_REPLY, hive_partition_is(PLACE, "200"));
	cr_assert_eq(hive_path(&hive, "x"), SECOR_OK);
	hive_expect(&hive, GET);
	hive_end(&hive);
}

Test(hive_metastore, path_whose_partition_lacks_is_added_with_statistics,
    .timeout = 120)
{
	struct hive hive;

	hive_begin(&hive, "add", "finalized", NULL);
	cr_assert_eq(hive_object(&hive, "x"), SECOR_OK);
	hive_says(&hive, HIVE_REPLY, hive_table_is("dt", NULL));
	hive_says(&hive, HIVE_REPLY, hive_error(NO_SUCH_OBJECT, "no"));
	hive_says(&hive, HIVE_REPLY, hive_partition_is(PLACE, NULL));
	cr_assert_eq(hive_path(&hive, "x"), SECOR_OK, "%s", hive.err.text);
	hive_expect(&hive, TABLE " " GET " " ADD);
	expect_statistics(argument(&hive, 1));
	hive_end(&hive);
}

Test(hive_metastore, partition_that_comes_and_goes_is_tried_again,
    .timeout = 120)
{
	struct hive hive;

	hive_begin(&hive, NULL);
	hive_says(&hive, HIVE_REPLY, hive_table_is("dt", NULL));
	for (int i = 0; i < 2; i++) {
		hive_says(&hive, HIVE_REPLY, hive_error(NO_SUCH_OBJECT, "no"));
		hive_says(&hive, HIVE_REPLY, hive_error(ALREADY_EXISTS, "yes"));
	}
	cr_assert_eq(hive_path(&hive, "x"), SECOR_RETRY);
	hive_text(&hive, "comes and goes");
	hive_end(&hive);
}

Test(hive_metastore, table_that_is_not_there_is_waited_for, .timeout = 120)
{
	struct hive hive;

	hive_begin(&hive, NULL);
	hive_says(&hive, HIVE_REPLY, hive_error(NO_SUCH_OBJECT, "no t_t"));
	cr_assert_eq(hive_object(&hive, "x"), SECOR_RETRY);
	hive_text(&hive, "NoSuchObjectException: no t_t");
	hive_end(&hive);
	hive_begin(&hive, "on_error", "reject", NULL);
	hive_says(&hive, HIVE_REPLY, hive_error(NO_SUCH_OBJECT, "no t_t"));
	cr_assert_eq(hive_object(&hive, "x"), SECOR_REJECT);
	hive_end(&hive);
}

Test(hive_metastore, table_that_is_not_there_is_created_when_told,
    .timeout = 120)
{
	struct wire table, list;
	struct hive hive;
	uint32_t n;

	hive_begin(&hive, "create_table", "true", "columns",
	    "{z: int, a: array<int>}", "table", "Db.T_{topic}", "user", "me",
	    NULL);
	hive_says(&hive, HIVE_REPLY, hive_void());
	hive_says(&hive, HIVE_REPLY, hive_error(NO_SUCH_OBJECT, "no t_t"));
	hive_says(&hive, HIVE_REPLY, hive_void());
	hive_says(&hive, HIVE_REPLY, hive_table_is("dt", NULL));
	hive_says(&hive, HIVE_CLOSE, (struct text){0});
	cr_assert_eq(hive_object(&hive, "x"), SECOR_RETRY);
	hive_expect(
	    &hive, "set_ugi " TABLE " create_table " TABLE " " ADD " set_ugi");
	hive_end(&hive);

	hive_begin(&hive, "create_table", "true", "columns", "{z: int, a: b}",
	    "table", "Db.T_{topic}", "stored_as", "avro", NULL);
	hive_says(&hive, HIVE_REPLY, hive_error(NO_SUCH_OBJECT, "no t_t"));
	hive_says(&hive, HIVE_REPLY, hive_error(2, "b is no type"));
	cr_assert_eq(hive_object(&hive, "x"), SECOR_RETRY);
	hive_text(&hive, "InvalidObjectException: b is no type");
	table = argument(&hive, 1);
	cr_assert_str_eq(hive_string(table, "1"), "t_t");
	cr_assert_str_eq(hive_string(table, "2"), "db");
	cr_assert_str_eq(hive_string(table, "7.2"), "s3://b/t");
	cr_assert_str_eq(hive_string(table, "7.7.2"),
	    "org.apache.hadoop.hive.serde2.avro.AvroSerDe");
	cr_assert_str_eq(parameter(table, 9, "EXTERNAL"), "TRUE");
	cr_assert(thrift_find(table, 7, THRIFT_STRUCT, &table));
	cr_assert(thrift_find(table, 1, THRIFT_LIST, &list));
	cr_assert(thrift_list(&list, THRIFT_STRUCT, &n) && n == 2);
	cr_assert_str_eq(hive_string(list, "1"), "z");
	hive_end(&hive);
}

Test(hive_metastore, object_that_the_metastore_finds_invalid_is_refused,
    .timeout = 120)
{
	struct hive hive;

	hive_begin(&hive, NULL);
	hive_says(&hive, HIVE_REPLY, hive_table_is("dt", NULL));
	hive_says(&hive, HIVE_REPLY, hive_error(INVALID_OBJECT, "bad"));
	cr_assert_eq(hive_object(&hive, "x"), SECOR_REJECT);
	hive_text(&hive, "InvalidObjectException: bad");
	hive_expect(&hive, TABLE " " ADD);
	/* by a description that is kept it may be the table that has gone */
	hive_says(&hive, HIVE_REPLY, hive_error(INVALID_OBJECT, "bad"));
	hive_says(&hive, HIVE_REPLY, hive_error(NO_SUCH_OBJECT, "no t_t"));
	cr_assert_eq(hive_object(&hive, "y"), SECOR_RETRY);
	hive_expect(&hive, ADD " " TABLE);
	hive_end(&hive);
}

Test(hive_metastore, trouble_of_the_metastore_is_waited_out, .timeout = 120)
{
	struct hive hive;

	hive_begin(&hive, "on_error", "reject", NULL);
	hive_says(&hive, HIVE_REPLY, hive_table_is("dt", NULL));
	hive_says(&hive, HIVE_REPLY, hive_error(META_OF_ADD, "no database"));
	cr_assert_eq(hive_object(&hive, "x"), SECOR_RETRY);
	hive_text(&hive, "MetaException: no database");
	hive_expect(&hive, TABLE " " ADD);
	hive_says(&hive, HIVE_REPLY, hive_table_is("dt", NULL));
	hive_says(&hive, HIVE_REPLY,
	    hive_error(META_OF_ADD,
		"Partition value 'x' contains a character not matched by "
		"whitelist pattern '[a-z]'."));
	cr_assert_eq(hive_object(&hive, "x"), SECOR_REJECT);
	hive_expect(&hive, TABLE " " ADD);
	hive_end(&hive);
}

Test(hive_metastore, path_of_other_levels_is_refused, .timeout = 120)
{
	static const struct secor_event_level levels[][2] = {
	    {{"", "x"}, {"hr", "1"}}, {{"a-b", "x"}, {"hr", "1"}},
	    {{"dt", "\xff"}, {"hr", "1"}}};
	struct hive hive;

	hive_begin(&hive, NULL);
	hive_says(&hive, HIVE_REPLY, hive_table_is("dt", "hr", NULL));
	cr_assert_eq(hive_object(&hive, "x"), SECOR_REJECT);
	hive_text(&hive, "the levels of path 'dt=x' are not the table's "
			 "partition keys (dt/hr)");
	hive_expect(&hive, TABLE);
	for (size_t i = 0; i < 3; i++) {
		struct event_object object = event_object("p", levels[i], 2);
		struct secor_event_batch batch = event_batch("t", &object, 1);

		cr_assert_eq(hive.plugin->ops.notifier->batch_done(
				 hive.self, &batch, &hive.err),
		    SECOR_REJECT);
	}
	hive_expect(&hive, "");
	hive_end(&hive);
	hive_begin(&hive, NULL);
	hive_says(&hive, HIVE_REPLY, hive_table_is(NULL, NULL));
	cr_assert_eq(hive_object(&hive, "x"), SECOR_REJECT);
	hive_text(&hive, "it has none");
	hive_end(&hive);
}

Test(hive_metastore, name_that_no_metastore_keeps_is_refused, .timeout = 120)
{
	char value[800];
	struct hive hive;

	memset(value, 'x', sizeof(value));
	hive_begin(&hive, NULL);
	value[765] = '\0';
	cr_assert_eq(hive_object(&hive, value), SECOR_REJECT);
	hive_text(&hive, "over 767 characters");
	hive_expect(&hive, "");
	hive_end(&hive);
}

Test(hive_metastore, levels_above_the_objects_are_no_partition, .timeout = 120)
{
	static const struct secor_event_level levels[] = {
	    {"dt", "x"}, {"hr", "1"}};
	struct event_object object = event_object("dt=x/hr=1", levels, 2);
	struct secor_event_path day = event_path("dt=x", levels, 1);
	struct hive hive;

	day.url = PLACE;
	day.objects = &object.object;
	day.object_count = 1;
	hive_begin(&hive, NULL);
	cr_assert_eq(hive.plugin->ops.notifier->path_finalized(
			 hive.self, &day, &hive.err),
	    SECOR_OK);
	cr_assert_eq(
	    hive.plugin->ops.notifier->path_amended(hive.self, &day, &hive.err),
	    SECOR_OK);
	hive_expect(&hive, "");
	hive_end(&hive);
}

Test(hive_metastore, options_that_cannot_be_are_complained_of)
{
	static const char *const rows[][3] = {
	    {"uris", "[http://h:1]", "uris: 'http://h:1' does not begin"},
	    {"uris", "[thrift://:1]", "uris: 'thrift://:1' names no host"},
	    {"uris", "[thrift://h:0]", "is not thrift://host:port"},
	    {"uris", "[thrift://h:65536]", "is not thrift://host:port"},
	    {"uris", "[thrift://h:1/x]", "is not thrift://host:port"},
	    {"uris", "[thrift://[::1]", "has no ']'"},
	    {"uris", "[thrift://h, thrift://[::1]:1, thrift://a.b:2]", ""},
	    {"database", "a-b", "database: is no database"},
	    {"ca_file", "/x", "ca_file: is for `tls`"},
	    {"create_table", "true", "create_table: needs `columns`"},
	    {"columns", "{a: int}", "columns: are for a table that is created"},
	    {"columns", "{a-b: int}", "columns: 'a-b: int' is no column"},
	    {"table_location", "s3://{x}", "table_location: knows no"},
	    {"table", "a.b.c", "table: is no Hive table"},
	};
	const struct plugin *plugin = harness_plugin("notifier/hive-metastore");

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		void *conf = harness_conf(plugin, "uris", "thrift://h", "table",
		    "t", rows[i][0], rows[i][1], NULL);
		char *said = harness_check(plugin, conf);

		cr_assert_not_null(
		    strstr(said, rows[i][2]), "%s: '%s'", rows[i][1], said);
		cr_assert_eq(*said == '\0', *rows[i][2] == '\0', "%s", said);
		free(said);
		harness_conf_free(plugin, conf);
	}
}
