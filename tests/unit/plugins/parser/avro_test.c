/*
 * avro_test.c -- time and fields of Avro records, what is none, and schemas
 * that are none.
 */
#include "tests/unit/plugins/parser/parsing.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <unistd.h>

#define SCHEMA "tests/unit/plugins/parser/samples/event.avsc"
#define PLUGIN "parser/avro"
#define NONE "the value is not of its Avro schema: "

/* ts 1405970352123, "de", [7, 8], {"a": 5}, up: {ts 5, null, [], {}, null,
 * VIEW}, CLICK */
static const char event[] = "f69fe8a5eb51 02 046465 04 0e10 00 02 0261 0a 00 "
			    "02 0a 00 00 00 00 00 02";

/* A parser by a schema of its own. */
static struct parsing *
by_schema(const char *schema, const char *fields, const char *time_field)
{
	char path[] = "/tmp/avro_test.XXXXXX";
	int fd = mkstemp(path);
	struct parsing *p;

	cr_assert_geq(fd, 0);
	cr_assert_eq(
	    write(fd, schema, strlen(schema)), (ssize_t)strlen(schema));
	(void)close(fd);
	p = time_field == NULL
		? parsing_open(PLUGIN, fields, "schema_file", path, NULL)
		: parsing_open(PLUGIN, fields, "schema_file", path,
		      "time_field", time_field, NULL);
	(void)unlink(path);
	return p;
}

Test(avro, time_and_fields_are_found_by_path)
{
	struct parsing *p = parsing_open(PLUGIN,
	    "country list.1 map.a up.country up.kind kind map.b", "schema_file",
	    SCHEMA, "time_field", "ts", NULL);
	static const char *const want[] = {
	    "de", "8", "5", "(none)", "VIEW", "CLICK", "(none)"};

	cr_assert_eq(parsing_hex(p, event), SECOR_OK, "%s", p->err.text);
	cr_expect_eq(p->time_ms, 1405970352123);
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		cr_expect_str_eq(parsing_field(p, i), want[i]);
	parsing_close(p);
}

Test(avro, prefix_of_a_record_is_always_rejected)
{
	struct parsing *p =
	    parsing_open(PLUGIN, "list.0", "schema_file", SCHEMA, NULL);
	size_t len;
	unsigned char *bytes = parsing_unhex(event, &len);

	for (size_t n = 0; n < len; n++) {
		cr_expect_eq(
		    parsing_bytes(p, bytes, n), SECOR_REJECT, "%zu", n);
		cr_expect_str_eq(p->err.text, NONE "it is cut off");
	}
	free(bytes);
	parsing_close(p);
}

Test(avro, record_that_is_none_is_rejected)
{
	static const struct {
		const char *hex, *reason;
	} rows[] = {
	    {"0a 00 00 00 00 04", NONE "an enum has no such symbol"},
	    {"0a 00 00 00 00 01", NONE "an enum has no such symbol"},
	    {"0a 04 00 00 00 00", NONE "a union has no such branch"},
	    {"0a 01 00 00 00 00", NONE "a union has no such branch"},
	    {"0a 00 00 00 00 00 00", NONE "it goes on behind its end"},
	    {"0a 02 01 00 00 00", NONE "it is cut off"},
	    {"0a 02 ffffffffffffffffff01 00 00 00", NONE "it is cut off"},
	    {"0a 00 feffffffffffffffff01 00 00 00", NONE "it is cut off"},
	    {"0a 00 ffffffffffffffffff01 00 00 00 00", NONE "it is cut off"},
	    {"0a 00 03 fe01 00 00 00 00", NONE "it is cut off"},
	    {"0a 00 00 02 0261 808080808020 00 00 00",
		NONE "an int is too large"},
	    {"ffffffffffffffffffff01 00 00 00 00 00", NONE "it is cut off"},
	    {"ffffffffffffffffff01 00 00 00 00 00",
		"no time: field 'ts' is out of years 0001 to 9999"},
	};
	struct parsing *p = parsing_open(
	    PLUGIN, "list.0", "schema_file", SCHEMA, "time_field", "ts", NULL);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_expect_eq(parsing_hex(p, rows[i].hex), SECOR_REJECT, "%s",
		    rows[i].hex);
		cr_expect_str_eq(p->err.text, rows[i].reason, "%s: %s",
		    rows[i].hex, p->err.text);
	}
	cr_expect_eq(parsing_bytes(p, NULL, 0), SECOR_REJECT);
	cr_expect_str_eq(p->err.text, "the value is null");
	parsing_close(p);
}

Test(avro, blocks_that_say_their_size_are_read_or_skipped)
{
	/* list: -2 items of 2 bytes: 7, 8; then 1 item: 9 */
	static const char hex[] = "0a 00 03 04 0e10 02 12 00 00 00 02";
	struct parsing *p =
	    parsing_open(PLUGIN, "kind", "schema_file", SCHEMA, NULL);

	cr_expect_eq(parsing_hex(p, hex), SECOR_OK, "%s", p->err.text);
	cr_expect_str_eq(parsing_field(p, 0), "CLICK");
	parsing_close(p);
	p = parsing_open(PLUGIN, "list.2 list.0", "schema_file", SCHEMA, NULL);
	cr_expect_eq(parsing_hex(p, hex), SECOR_OK, "%s", p->err.text);
	cr_expect_str_eq(parsing_field(p, 0), "9");
	cr_expect_str_eq(parsing_field(p, 1), "7");
	cr_expect_eq(
	    parsing_hex(p, "0a 00 03 06 0e10 02 12 00 00 00 02"), SECOR_REJECT);
	cr_expect_str_eq(p->err.text, NONE "a block is not as long as it says");
	parsing_close(p);
}

Test(avro, times_are_what_the_schema_calls_them)
{
	static const struct {
		const char *type, *hex;
		int64_t ms;
	} rows[] = {
	    {"\"long\"", "e09eebbc0a", 1405970352000},
	    {"\"long\"", "f69fe8a5eb51", 1405970352123},
	    {"\"int\"", "0a", 5000},
	    {"\"double\"", "3bdf07ec59f3d441", 1405970352123},
	    {"\"string\"", "28 323031342d30372d33305431303a35333a32305a",
		1406717600000},
	    {"[\"null\", \"long\"]", "02 0a", 5000},
	    {"{\"type\": \"long\", \"logicalType\": \"timestamp-millis\"}",
		"0a", 5},
	    {"{\"type\": \"long\", \"logicalType\": \"timestamp-micros\"}",
		"01", -1},
	    {"{\"type\": \"long\", \"logicalType\": \"timestamp-nanos\"}", "0a",
		0},
	    {"{\"type\": \"long\", \"logicalType\": "
	     "\"local-timestamp-millis\"}",
		"0a", 5},
	    {"{\"type\": \"int\", \"logicalType\": \"date\"}", "01", -86400000},
	    {"{\"type\": \"string\", \"logicalType\": \"timestamp-millis\"}",
		"02 35", 5000},
	    {"{\"type\": \"long\", \"logicalType\": \"unheard-of\"}", "0a",
		5000},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char schema[400];
		struct parsing *p;

		(void)snprintf(schema, sizeof(schema),
		    "{\"type\": \"record\", \"name\": \"r\", \"fields\": "
		    "[{\"name\": \"t\", \"type\": %s}]}",
		    rows[i].type);
		p = by_schema(schema, NULL, "t");
		cr_expect_eq(parsing_hex(p, rows[i].hex), SECOR_OK, "%s: %s",
		    rows[i].type, p->err.text);
		cr_expect_eq(p->time_ms, rows[i].ms, "%s: %lld", rows[i].type,
		    (long long)p->time_ms);
		parsing_close(p);
	}
}

Test(avro, values_without_a_byte_cost_nothing)
{
	/* 2^62 nulls, and records of records of nulls, doubled 40 times */
	static const char nulls[] =
	    "{\"type\": \"array\", \"items\": \"null\"}";
	char schema[8000] = "\"null\"", next[8000];
	struct parsing *p = by_schema(nulls, "x", NULL);

	cr_expect_eq(parsing_hex(p, "808080808080808080 01 00"), SECOR_OK, "%s",
	    p->err.text);
	parsing_close(p);
	for (int i = 0; i < 20; i++) {
		(void)snprintf(next, sizeof(next),
		    "{\"type\": \"record\", \"name\": \"r%d\", \"fields\": ["
		    "{\"name\": \"a\", \"type\": %.7000s}, {\"name\": \"b\", "
		    "\"type\": \"%s%d\"}]}",
		    i, schema, i == 0 ? "null" : "r", i - 1);
		if (i == 0)
			(void)snprintf(next, sizeof(next),
			    "{\"type\": \"record\", \"name\": \"r0\", "
			    "\"fields\": []}");
		memcpy(schema, next, sizeof(schema));
	}
	p = by_schema(schema, "a.a.a", NULL);
	cr_expect_eq(parsing_hex(p, ""), SECOR_REJECT);
	cr_expect_str_eq(p->err.text, "field 'a.a.a' is no single value");
	parsing_close(p);
}

Test(avro, nesting_of_values_has_a_limit)
{
	enum { DEEP = 100 };
	unsigned char bytes[2 * DEEP];
	struct parsing *p =
	    by_schema("{\"type\": \"record\", \"name\": \"r\", \"fields\": "
		      "[{\"name\": \"up\", \"type\": [\"null\", \"r\"]}]}",
		NULL, NULL);

	memset(bytes, 2, sizeof(bytes));
	bytes[31] = 0;
	cr_expect_eq(parsing_bytes(p, bytes, 32), SECOR_OK, "%s", p->err.text);
	cr_expect_eq(parsing_bytes(p, bytes + 32, DEEP), SECOR_REJECT);
	cr_expect_str_eq(p->err.text, NONE "it is nested too deep");
	parsing_close(p);
}

Test(avro, schema_that_is_none_is_refused)
{
	static const struct {
		const char *schema, *why;
	} rows[] = {
	    {"{\"type\": \"recrd\"}", "there is no type 'recrd'"},
	    {"{\"name\": \"x\"}", "there is no 'type'"},
	    {"[]", "a union is 'empty'"},
	    {"5", "a type is 'no text, list or object'"},
	    {"{\"type\": \"record\", \"name\": \"r\"}",
		"there are no fields in record 'r'"},
	    {"{\"type\": \"record\", \"name\": \"r\", \"fields\": [{}]}",
		"a field has no name or type in record 'r'"},
	    {"{\"type\": \"record\", \"name\": \"r\", \"fields\": [{\"name\": "
	     "\"a\", \"type\": \"r\"}]}",
		"record 'r' contains itself"},
	    {"{\"type\": \"enum\", \"name\": \"e\", \"symbols\": [1]}",
		"a symbol is no text in enum 'e'"},
	    {"{\"type\": \"enum\", \"name\": \"e\", \"symbols\": []}",
		"there are no symbols in enum 'e'"},
	    {"{\"type\": \"fixed\", \"name\": \"f\", \"size\": -1}",
		"there is no size in fixed 'f'"},
	    {"{\"type\": \"fixed\", \"size\": 1}",
		"there is no name in 'fixed'"},
	    {"[{\"type\": \"fixed\", \"name\": \"f\", \"size\": 1}, {\"type\": "
	     "\"fixed\", \"name\": \"f\", \"size\": 1}]",
		"a type comes twice: 'f'"},
	    {"{\"type\": \"array\"}",
		"there are no items or values in 'array'"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char path[] = "/tmp/avro_test.XXXXXX";
		struct secor_err err;
		int fd = mkstemp(path);

		cr_assert_eq(write(fd, rows[i].schema, strlen(rows[i].schema)),
		    (ssize_t)strlen(rows[i].schema));
		(void)close(fd);
		err = parsing_refused(PLUGIN, NULL, "schema_file", path, NULL);
		cr_expect_str_eq(
		    strchr(err.text, ' ') + 1, rows[i].why, "%s", err.text);
		(void)unlink(path);
	}
	cr_expect_str_eq(
	    parsing_refused(PLUGIN, NULL, "schema_file", "/nowhere", NULL).text,
	    "/nowhere: No such file or directory");
}

Test(avro, frame_names_the_schema_of_the_file)
{
	struct parsing *p = parsing_open(PLUGIN, "kind", "schema_file", SCHEMA,
	    "framing", "confluent", "schema_id", "7", NULL);

	cr_expect_eq(parsing_hex(p, "00 00000007 0a 00 00 00 00 02"), SECOR_OK,
	    "%s", p->err.text);
	cr_expect_str_eq(parsing_field(p, 0), "CLICK");
	cr_expect_eq(parsing_hex(p, "00 00000008 0a"), SECOR_REJECT);
	cr_expect_str_eq(p->err.text, "unknown schema: id 8 is not 7");
	cr_expect_eq(parsing_hex(p, "7b 22"), SECOR_REJECT);
	cr_expect_str_eq(
	    p->err.text, "the value has no frame: its first byte is not 0");
	parsing_close(p);
}

Test(avro, options_that_contradict_are_complained_about)
{
	static const struct {
		const char *key, *value, *key2, *value2, *complaint;
	} rows[] = {
	    {"time_field", "t", "framing", "none",
		"schema_file: is needed (or framing: confluent and "
		"registry)\n"},
	    {"registry", "http://x", "framing", "none",
		"registry: does nothing without framing: confluent\n"},
	    {"schema_file", "x", "schema_id", "5",
		"schema_id: does nothing without framing: confluent and "
		"schema_file\n"},
	};
	const struct plugin *plugin = harness_plugin(PLUGIN);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		void *conf = harness_conf(plugin, rows[i].key, rows[i].value,
		    rows[i].key2, rows[i].value2, NULL);
		char *complaints = harness_check_no_time(plugin, conf);

		cr_expect_str_eq(complaints, rows[i].complaint);
		free(complaints);
		harness_conf_free(plugin, conf);
	}
}
