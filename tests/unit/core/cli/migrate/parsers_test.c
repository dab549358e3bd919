/*
 * parsers_test.c -- parsers of the original and what reads messages here.
 */
#include "tests/unit/core/cli/migrate/made.h"

#include <criterion/criterion.h>

Test(parsers, parsers_are_taken_over)
{
	static const struct vector T[] = {
	    {PARSER "OffsetMessageParser\nsecor.offsets.per.partition=50\n"
		    "secor.offsets.prefix=at=",
		"parser:\n  use: raw\n  time_source: kafka\n\npartitioner:\n"
		"  - use: offset\n    per_partition: 50\n    name: at\n",
		NULL},
	    {PARSER "OffsetMessageParser\nsecor.offsets.prefix=from-",
		"    name: \"\"\n", "'from-' does not end in '='"},
	    {PARSER "JsonMessageParser", "compat: secor",
		"landed in 1970, also where it was required"},
	    {PARSER "JsonMessageParser\nmessage.timestamp.name=a.b",
		"  time_field: \"a\\\\.b\"\n  time_missing: "
		"1970-01-01T00:00:00Z\n",
		NULL},
	    {PARSER "JsonMessageParser\nmessage.timestamp.name=a->b.c\n"
		    "message.timestamp.name.separator=->",
		"  time_field: \"a.b\\\\.c\"\n", NULL},
	    {PARSER "JsonMessageParser\nkafka.useTimestamp=true",
		"parser:\n  use: raw\n  time_source: kafka\n", NULL},
	    {PARSER "Iso8601MessageParser\nsecor.parser.timezone=IST",
		"  time_format: iso8601\n  timezone: IST\n  time_missing: "
		"reject\n  accept_time:",
		"in the zone of the JVM"},
	    {PARSER "Iso8601MessageParser\nmessage.timestamp.required=false",
		"  time_missing: 1970-01-01T00:00:00Z\n"
		"  time_invalid: 1970-01-01T00:00:00Z\n",
		NULL},
	    {PARSER "DateMessageParser\n"
		    "message.timestamp.input.pattern=yyyy-MM-dd HH:mm\n"
		    "partitioner.granularity.hour=true",
		"  time_format: yyyy-MM-dd HH:mm\n"
		"  time_missing: 1970-01-01T12:00:00Z\n"
		"  time_invalid: 1970-01-01T12:00:00Z\n",
		"hours and minutes were ignored"},
	    {PARSER "DateMessageParser\npartitioner.granularity.hour=true",
		"    granularity: day\n", "the Date parser needs a pattern"},
	    {PARSER "RegexMessageParser\n"
		    "message.timestamp.input.pattern=[(]ts\\\\(=(\\\\d+)",
		"  use: regex\n  pattern: \"[(]ts\\\\(=(?<time>\\\\d+)\"\n",
		NULL},
	    {PARSER "RegexMessageParser\n"
		    "message.timestamp.input.pattern=ts=\\\\d+",
		NULL, "has no group: every message was a bad one"},
	};

	EXPECT_ALL(T);
}

Test(parsers, parsers_of_fields_and_binary_are_taken_over)
{
	static const struct vector T[] = {
	    {PARSER "SplitByFieldMessageParser\n"
		    "message.split.field.name=type.of\n"
		    "partitioner.granularity.hour=true",
		"partitioner:\n  - use: field\n    fields: [\"type\\\\.of\"]\n "
		"   "
		"bare: true\n  - use: date\n    granularity: hour\n",
		"here they are escaped as Hive does"},
	    {PARSER "SplitByFieldMessageParser\nkafka.useTimestamp=true",
		"  use: json\n", "this parser ignored it"},
	    {PARSER "SplitByFieldMessageParser", NULL,
		"error: message.split.field.name: the parser needs it"},
	    {PARSER "MessagePackParser\nmessage.timestamp.name=ts",
		"  use: msgpack\n  time_field: ts\n", NULL},
	    {PARSER "ThriftMessageParser\nmessage.timestamp.id=6\n"
		    "secor.thrift.protocol.class=a.b.TCompactProtocol",
		"  use: thrift\n  time_field: 6\n  protocol: compact\n", NULL},
	    {PARSER "ProtobufMessageParser\n"
		    "secor.protobuf.message.class.logs=a.b.C\n"
		    "message.timestamp.name=meta.at",
		"  use: protobuf\n  time_field: meta.at\n  descriptor_set: "
		"messages.desc\n  message: a.b.C\n",
		"make a descriptor set of its .proto file"},
	    {PARSER "ProtobufMessageParser\n"
		    "secor.protobuf.message.class.logs=a.b.C\n"
		    "secor.protobuf.message.class.other=a.b.D",
		NULL, "an override for each"},
	    {PARSER "ProtobufMessageParser", "  time_field: \"1\"\n",
		"field number 1"},
	    {PARSER "AvroMessageParser\nschema.registry.url=http://r:8081",
		"  use: avro\n  time_field: timestamp\n  framing: confluent\n  "
		"registry: http://r:8081\n",
		"messages landed in 1970; here the registry is waited for"},
	    {PARSER "AvroSplitByFieldMessageParser\n"
		    "message.split.field.name=type",
		"    fields: [type]\n    names: {type: type}\n", NULL},
	    {PARSER "AvroSplitByFieldMessageParser\n"
		    "message.split.field.name=type\n"
		    "partitioner.granularity.field.prefix=kind=",
		"    names: {type: kind}\n", NULL},
	    {PARSER "DailyOffsetMessageParser",
		"  - use: date\n    granularity: day\n  - use: offset\n",
		"paths came from the clock"},
	    {PARSER "PartitionedMessageParser\n"
		    "partitioner.granularity.minute=t",
		"  time_source: kafka\n\npartitioner:\n  - use: date\n    "
		"granularity: minute\n\n",
		NULL},
	    {"secor.message.parser.class=com.example.MyParser",
		"  use: ./parser.so # instead of com.example.MyParser",
		"error: secor.message.parser.class: com.example.MyParser is a "
		"class of your own"},
	    {"secor.message.transformer.class=com.example.Mine",
		"transformers: [] # instead of com.example.Mine",
		"they were read again and again"},
	};

	EXPECT_ALL(T);
}
