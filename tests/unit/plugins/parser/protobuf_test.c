/*
 * protobuf_test.c -- time and fields of protobuf messages, by numbers and by
 * the names of samples/event.proto, and what is none. Numbers in comments are
 * those of the original's vectors.
 */
#include "tests/unit/plugins/parser/parsing.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define SET "tests/unit/plugins/parser/samples/event.pb"
#define PLUGIN "parser/protobuf"

/* {1: "de", 2: {1: Timestamp 1405970352.123, 2: 7, 3: {2: 8}}, 3: -5 (zigzag),
 * 4: 2.5, 5: true, 6: 2^63, 7: -2, 8: 0.1, 9: 5, 10: "x" "y", 12: "raw"} */
static const char event[] =
    "0a026465 1213 0a0b08b0cfb59e0510c0a9d33a 1007 1a021008 1809 "
    "210000000000000440 2801 310000000000000080 3dfeffffff 45cdcccc3d 4805 "
    "520178 520179 6203726177";

Test(protobuf, time_is_found_by_number_without_a_descriptor)
{
	static const struct {
		const char *hex;
		int64_t ms;
	} rows[] = {
	    {"08fb8ff4d2f528", 1405970352123}, /* 124 */
	    {"08b0cfb59e05", 1405970352000},
	    {"09fb075d5a47010000", 1405970352123}, /* fixed64 */
	    {"0db067cd53", 1405970352000},	   /* fixed32 */
	    {"0a0a31343035393730333532", 1405970352000},
	    {"08ffffffffffffffffff01", -1000},
	    {"0801 0802", 2000},		       /* the last one holds */
	    {"1a03616263 13081414 2201ff 0805", 5000}, /* all else is skipped */
	    {"1b 23 0801 24 1c 0805", 5000},
	};
	struct parsing *p = parsing_open(PLUGIN, NULL, "time_field", "1", NULL);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_expect_eq(parsing_hex(p, rows[i].hex), SECOR_OK, "%s: %s",
		    rows[i].hex, p->err.text);
		cr_expect_eq(p->time_ms, rows[i].ms, "%s: %lld", rows[i].hex,
		    (long long)p->time_ms);
	}
	parsing_close(p);
}

Test(protobuf, fields_by_number_are_of_the_types_that_are_said)
{
	struct parsing *p =
	    parsing_open(PLUGIN, "1 2.2 2.3.2 3 4 9 20", "time_field", "2.1",
		"types", "{2.1: timestamp, 3: sint64, 4: double}", NULL);
	static const char *const want[] = {
	    "de", "7", "8", "-5", "2.5", "5", "(none)"};

	cr_assert_eq(parsing_hex(p, event), SECOR_OK, "%s", p->err.text);
	cr_expect_eq(p->time_ms, 1405970352123);
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		cr_expect_str_eq(parsing_field(p, i), want[i]);
	parsing_close(p);
}

Test(protobuf, fields_by_name_are_of_the_types_of_the_descriptor)
{
	struct parsing *p = parsing_open(PLUGIN,
	    "country meta.millis meta.parent.millis change score good big "
	    "small",
	    "time_field", "meta.created", "descriptor_set", SET, "message",
	    "logs.v1.Event", NULL);
	static const char *const want[] = {
	    "de", "7", "8", "-5", "2.5", "true", "9223372036854775808", "-2"};

	cr_assert_eq(parsing_hex(p, event), SECOR_OK, "%s", p->err.text);
	cr_expect_eq(p->time_ms, 1405970352123);
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		cr_expect_str_eq(parsing_field(p, i), want[i]);
	parsing_close(p);
	p = parsing_open(PLUGIN, "ratio kind raw 3 snakeCase", "descriptor_set",
	    SET, "message", ".logs.v1.Event", NULL);
	cr_assert_eq(parsing_hex(p, event), SECOR_OK, "%s", p->err.text);
	cr_expect_str_eq(parsing_field(p, 0), "0.1");
	cr_expect_str_eq(parsing_field(p, 1), "CLICK");
	cr_expect_str_eq(parsing_field(p, 2), "raw");
	cr_expect_str_eq(parsing_field(p, 3), "-5");
	cr_expect_str_eq(parsing_field(p, 4), "0");
	parsing_close(p);
}

Test(protobuf, field_that_was_not_sent_is_its_default_unless_it_has_presence)
{
	struct parsing *p = parsing_open(PLUGIN,
	    "country change good kind maybe text_id meta.millis", "time_field",
	    "wide", "time_missing", "kafka", "descriptor_set", SET, "message",
	    "logs.v1.Event", NULL);
	static const char *const want[] = {
	    "", "0", "false", "VIEW", "(none)", "(none)", "(none)"};

	cr_assert_eq(parsing_hex(p, ""), SECOR_OK, "%s", p->err.text);
	cr_expect_eq(p->time_ms, 1405908000000); /* Kafka's, not 1970 */
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		cr_expect_str_eq(parsing_field(p, i), want[i], "%zu", i);
	cr_assert_eq(parsing_hex(p, "1200 8801 05"), SECOR_OK);
	cr_expect_eq(p->time_ms, 5000);
	cr_expect_str_eq(parsing_field(p, 6), "0");
	parsing_close(p);
}

Test(protobuf, message_that_is_none_is_rejected)
{
	static const struct {
		const char *hex, *reason;
	} rows[] = {
	    {"", "no time: field '1' is absent"},
	    {"08", "the value is no protobuf message: it is cut off"},
	    {"0880", "the value is no protobuf message: it is cut off"},
	    {"08ffffffffffffffffffff01",
		"the value is no protobuf message: it is cut off"},
	    {"0900", "the value is no protobuf message: it is cut off"},
	    {"12ffffffffffffffff7f",
		"the value is no protobuf message: it is cut off"},
	    {"00", "the value is no protobuf message: a field has no number"},
	    {"f8ffffffff7f 01",
		"the value is no protobuf message: a field has no number"},
	    {"0e", "the value is no protobuf message: an encoding is unknown"},
	    {"0f", "the value is no protobuf message: an encoding is unknown"},
	    {"1c", "the value is no protobuf message: a group has a wrong end"},
	    {"1b 24",
		"the value is no protobuf message: a group has a wrong end"},
	    {"1b 08", "the value is no protobuf message: it is cut off"},
	    {"1b", "the value is no protobuf message: it is cut off"},
	    {"0a03616263",
		"no time: field '1' is neither a number nor ISO-8601"},
	    {"7b22", "the value is no protobuf message: it is cut off"},
	};
	struct parsing *p = parsing_open(PLUGIN, NULL, "time_field", "1", NULL);

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

Test(protobuf, groups_are_skipped_to_a_depth)
{
	enum { DEEP = 64 };
	unsigned char bytes[2 * (DEEP + 1)];
	struct parsing *p = parsing_open(PLUGIN, NULL, NULL);

	memset(bytes, 0x1b, DEEP);
	memset(bytes + DEEP, 0x1c, DEEP);
	cr_expect_eq(parsing_bytes(p, bytes, 2 * (size_t)DEEP), SECOR_OK);
	memset(bytes, 0x1b, DEEP + 1);
	memset(bytes + DEEP + 1, 0x1c, DEEP + 1);
	cr_expect_eq(parsing_bytes(p, bytes, sizeof(bytes)), SECOR_REJECT);
	cr_expect_str_eq(p->err.text,
	    "the value is no protobuf message: it is nested too deep");
	parsing_close(p);
}

Test(protobuf, field_of_another_encoding_is_unknown)
{
	struct parsing *p = parsing_open(PLUGIN, "country", "descriptor_set",
	    SET, "message", "logs.v1.Event", NULL);

	cr_expect_eq(parsing_hex(p, "0a0178 0805"), SECOR_OK);
	cr_expect_str_eq(parsing_field(p, 0), "x");
	cr_expect_eq(parsing_hex(p, "0a02c328"), SECOR_REJECT);
	cr_expect_str_eq(p->err.text, "field 'country' is not UTF-8");
	parsing_close(p);
}

Test(protobuf, timestamp_beyond_its_limits_is_rejected)
{
	static const struct {
		const char *hex, *reason;
	} rows[] = {
	    {"12060a0410ffffff7f",
		"the value is no protobuf message: it is cut off"},
	    {"12080a061080a8d6b907", "no time: field 'meta.created' is a "
				     "timestamp of too many nanoseconds"},
	    {"120c0a0a08ffffffffffffffff7f", "no time: field 'meta.created' is "
					     "out of years 0001 to 9999"},
	};
	struct parsing *p =
	    parsing_open(PLUGIN, NULL, "time_field", "meta.created",
		"descriptor_set", SET, "message", "logs.v1.Event", NULL);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_expect_eq(parsing_hex(p, rows[i].hex), SECOR_REJECT, "%s",
		    rows[i].hex);
		cr_expect_str_eq(p->err.text, rows[i].reason, "%s: %s",
		    rows[i].hex, p->err.text);
	}
	parsing_close(p);
}

Test(protobuf, frame_of_a_registry_is_taken_off_and_its_index_looked_at)
{
	static const struct {
		const char *message, *hex, *reason; /* NULL: good */
	} rows[] = {
	    {"logs.v1.Event", "00 00000007 02 02 0a0178", NULL},
	    {"logs.v1.Other", "00 00000007 00", NULL},
	    {"logs.v1.Other.Inner", "00 00000007 04 00 00", NULL},
	    {"logs.v1.Event", "00 00000007 00 0a0178",
		"the value is another message of its schema"},
	    {"logs.v1.Event", "00 00000007 04 02 00 0a0178",
		"the value is another message of its schema"},
	    {"logs.v1.Event", "01 00000007 02 02",
		"the value has no frame: its first byte is not 0"},
	    {"logs.v1.Event", "", "the value has no frame: it is empty"},
	    {"logs.v1.Event", "00 0000",
		"the value has no frame: it is cut off"},
	    {"logs.v1.Event", "00 00000007",
		"the value has no frame: its message index is cut off"},
	    {"logs.v1.Event", "00 00000007 02",
		"the value has no frame: its message index is cut off"},
	    {"logs.v1.Event", "00 00000007 fe ff ff ff ff ff ff ff ff 01",
		"the value has no frame: its message index is cut off"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct parsing *p =
		    parsing_open(PLUGIN, NULL, "descriptor_set", SET, "message",
			rows[i].message, "framing", "confluent", NULL);
		int want = rows[i].reason == NULL ? SECOR_OK : SECOR_REJECT;

		cr_expect_eq(parsing_hex(p, rows[i].hex), want, "%s: %s",
		    rows[i].hex, p->err.text);
		if (rows[i].reason != NULL)
			cr_expect_str_eq(p->err.text, rows[i].reason);
		parsing_close(p);
	}
}

Test(protobuf, paths_that_cannot_be_found_are_refused)
{
	static const struct {
		const char *field, *message, *why;
	} rows[] = {
	    {"nope", "logs.v1.Event", "message Event has no field 'nope'"},
	    {"tags", "logs.v1.Event",
		"field 'tags' of message Event is "
		"repeated: it has no single value"},
	    {"counts", "logs.v1.Event",
		"field 'counts' of message Event is "
		"repeated: it has no single value"},
	    {"raw 12", "logs.v1.Event",
		"field '12' of message Event is asked for as 'raw' too"},
	    {"country.x", "logs.v1.Event",
		"field 'country' is no message: 'x' "
		"cannot be in it"},
	    {"x", "Event",
		SET " has no message 'Event' (its full name, like "
		    "logs.v1.Event)"},
	    {"x", "logs.v1.Event.Kind",
		SET " has no message "
		    "'logs.v1.Event.Kind' (its full "
		    "name, like logs.v1.Event)"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct secor_err err = parsing_refused(PLUGIN, rows[i].field,
		    "descriptor_set", SET, "message", rows[i].message, NULL);

		cr_expect_str_eq(err.text, rows[i].why);
	}
	cr_expect_str_eq(parsing_refused(PLUGIN, "country", NULL).text,
	    "protobuf finds fields by their numbers, like 2.1; names need a "
	    "descriptor_set");
}

Test(protobuf, file_that_is_no_descriptor_set_is_refused)
{
	cr_expect_str_eq(parsing_refused(PLUGIN, NULL, "descriptor_set",
			     "/nowhere", "message", "x", NULL)
			     .text,
	    "/nowhere: No such file or directory");
	cr_expect_str_eq(parsing_refused(PLUGIN, NULL, "descriptor_set",
			     "README.md", "message", "x", NULL)
			     .text,
	    "README.md is no descriptor set (protoc --descriptor_set_out)");
}

Test(protobuf, options_that_contradict_are_complained_about)
{
	static const struct {
		const char *key, *value, *complaint;
	} rows[] = {
	    {"message", "x",
		"message: does nothing without a descriptor_set\n"},
	    {"descriptor_set", "x",
		"message: is needed with a descriptor_set\n"},
	    {"time_field", "ts",
		"time_field: is a path of names, which need a "
		"descriptor_set\n"},
	    {"types", "{'1': long}",
		"types: are double, float, int64, uint64, int32, uint32, "
		"sint64, sint32, fixed64, fixed32, sfixed64, sfixed32, bool, "
		"string, bytes or timestamp\n"},
	};
	const struct plugin *plugin = harness_plugin(PLUGIN);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		void *conf =
		    harness_conf(plugin, rows[i].key, rows[i].value, NULL);
		char *complaints = harness_check(plugin, conf);

		cr_expect_str_eq(complaints, rows[i].complaint);
		free(complaints);
		harness_conf_free(plugin, conf);
	}
}
