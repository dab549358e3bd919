/*
 * json_envelope_test.c -- lines as their page says, messages that come back,
 * and bytes that a line cannot hold are bad messages.
 */
#include "tests/unit/plugins/format/object.h"

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

static const struct cut whole = {1 << 20, 1000};

static const struct plugin *
envelope(void)
{
	return harness_plugin("format/json-envelope");
}

static void
set_key(struct secor_message *message, const char *key)
{
	message->key = (struct secor_bytes){strdup(key), strlen(key)};
}

static const struct secor_header headers[] = {
    {"a", {"one", 3}}, {"b\"\n", {NULL, 0}}};

static void
assert_lines(const void *conf, const struct messages *m, const char *expected)
{
	struct grow object = {NULL, 0, 0};

	cr_assert_eq(
	    object_make(envelope(), conf, m, &whole, &object), SECOR_OK);
	grow_put(&object, "", 1);
	cr_assert_str_eq(object.ptr, expected);
	grow_fini(&object);
}

Test(json_envelope, line_holds_all_of_a_message)
{
	void *conf = harness_conf(envelope(), NULL);
	struct messages m = {NULL, 0};

	messages_text(
	    &m, " {\"id\": 123456789012345678901,\r\n\"s\":\"\\u00e9\"}");
	set_key(&m.items[0], "k\"\1\xc3\xa9");
	m.items[0].headers = headers;
	m.items[0].header_count = 2;
	m.items[0].timestamp_type = SECOR_TIMESTAMP_APPEND;
	messages_text(&m, NULL);
	m.items[1].timestamp_ms = SECOR_NO_TIME;
	m.items[1].timestamp_type = SECOR_TIMESTAMP_NONE;
	assert_lines(conf, &m,
	    "{\"topic\":\"events\",\"partition\":3,\"offset\":1000,"
	    "\"timestamp\":1405908000000,\"timestamp_type\":\"append\","
	    "\"key\":\"k\\\"\\u0001\xc3\xa9\",\"headers\":["
	    "{\"name\":\"a\",\"value\":\"one\"},"
	    "{\"name\":\"b\\\"\\n\",\"value\":null}],"
	    "\"value\": {\"id\": 123456789012345678901,  \"s\":\"\\u00e9\"}}\n"
	    "{\"topic\":\"events\",\"partition\":3,\"offset\":1001,"
	    "\"timestamp\":null,\"timestamp_type\":\"none\",\"key\":null,"
	    "\"headers\":[],\"value\":null}\n");
	messages_free(&m);
	harness_conf_free(envelope(), conf);
}

Test(json_envelope, bytes_go_as_text_or_base64)
{
	void *conf = harness_conf(envelope(), "value", "base64", "key",
	    "base64", "headers", "base64", NULL);
	struct messages m = {NULL, 0};

	messages_add(&m, "\xff\0a", 3);
	set_key(&m.items[0], "\xfe\xff");
	m.items[0].headers = headers;
	m.items[0].header_count = 1;
	assert_lines(conf, &m,
	    "{\"topic\":\"events\",\"partition\":3,\"offset\":1000,"
	    "\"timestamp\":1405908000000,\"timestamp_type\":\"create\","
	    "\"key\":\"/v8=\",\"headers\":["
	    "{\"name\":\"a\",\"value\":\"b25l\"}],\"value\":\"/wBh\"}\n");
	messages_free(&m);
	harness_conf_free(envelope(), conf);
}

Test(json_envelope, messages_come_back_in_every_way)
{
	static const char *const ways[] = {"json", "string", "base64"};

	for (size_t i = 0; i < 9; i++) {
		void *conf = harness_conf(envelope(), "value", ways[i % 3],
		    "key", ways[1 + i % 2], "headers", ways[1 + i / 6],
		    "compression", i % 2 ? "gzip" : "none", NULL);
		struct grow object = {NULL, 0, 0}, in = {NULL, 0, 0},
			    out = {NULL, 0, 0};
		struct messages m = {NULL, 0};
		struct secor_err err = {""};
		struct stored stored;

		for (size_t j = 0; j < 40; j++) {
			messages_text(&m, j % 7 == 3 ? NULL
					  : j % 2    ? "{\"a\":\"\\n\"}"
						     : "[1,2.50e3,\"x\"]");
			set_key(&m.items[j], j % 3 ? "k\t\x7f" : "");
			m.items[j].headers = headers;
			m.items[j].header_count = (int32_t)(j % 3);
		}
		cr_assert_eq(object_make(envelope(), conf, &m, &whole, &object),
		    SECOR_OK);
		stored = (struct stored){{object.ptr, object.len}, 11};
		messages_dump(&m, &in);
		cr_assert_eq(object_dump(envelope(), conf, &stored, &out, &err),
		    SECOR_OK, "%s", err.text);
		cr_assert_str_eq(out.ptr, in.ptr);
		object_same_for_any_cut(envelope(), conf, &m);
		grow_fini(&object);
		grow_fini(&in);
		grow_fini(&out);
		messages_free(&m);
		harness_conf_free(envelope(), conf);
	}
}

Test(json_envelope, what_a_line_cannot_hold_is_a_bad_message)
{
	static const struct {
		const char *way, *value, *reason;
	} rows[] = {{"json", "{\"a\":1", "the value is not JSON"},
	    {"json", "", "the value is not JSON"},
	    {"json", "\"\xff\"", "the value is not UTF-8"},
	    {"string", "\xc3", "the value is not UTF-8"}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		void *conf =
		    harness_conf(envelope(), "value", rows[i].way, NULL);
		void *self = harness_open(envelope(), conf, NULL);
		struct secor_message m = harness_message(rows[i].value);
		struct secor_record record = {
		    .size = sizeof(record), .message = &m};
		struct secor_err err = {""};
		char room[1000];
		size_t used = 0;

		cr_assert_eq(envelope()->ops.format->encode(self, &record, room,
				 sizeof(room), &used, &err),
		    SECOR_REJECT);
		cr_assert_str_eq(err.text, rows[i].reason);
		harness_close(envelope(), self);
		harness_conf_free(envelope(), conf);
	}
}

Test(json_envelope, line_that_is_none_is_refused)
{
	static const struct {
		const char *line, *said;
	} rows[] = {{"[]\n", "byte 0: not a JSON object"},
	    {"{}", "byte 2: no delimiter"}, {"\n", "byte 0: not a JSON object"},
	    {"{}\n{\"a\":}\n", "byte 3: not a JSON object"},
	    {"{\"offset\":\"1\"}\n", "byte 0: member \"offset\""},
	    {"{\"offset\":99999999999999999999}\n",
		"byte 0: member \"offset\""},
	    {"{\"timestamp\":1.5}\n", "byte 0: member \"timestamp\""},
	    {"{\"timestamp_type\":1}\n", "byte 0: member \"timestamp_type\""},
	    {"{\"key\":1}\n", "byte 0: member \"key\""},
	    {"{\"headers\":{}}\n", "byte 0: member \"headers\""},
	    {"{\"headers\":[1]}\n", "byte 0: member \"headers\""},
	    {"{\"headers\":[{\"name\":2}]}\n", "byte 0: member \"headers\""}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		void *conf = harness_conf(envelope(), NULL);
		struct stored stored = {
		    {rows[i].line, strlen(rows[i].line)}, 1000};
		struct messages read = {NULL, 0};
		struct secor_err err = {""};

		cr_assert_eq(
		    object_read(envelope(), conf, &stored, &read, &err),
		    SECOR_REJECT, "%s", rows[i].line);
		cr_assert(
		    strncmp(err.text, rows[i].said, strlen(rows[i].said)) == 0,
		    "%s", err.text);
		messages_free(&read);
		harness_conf_free(envelope(), conf);
	}
}

Test(json_envelope, members_of_any_order_and_others_are_read)
{
	static const char text[] =
	    " { \"x\" : [ {} ] , \"value\" : {\"a\":1} ,\n\"offset\":7,"
	    "\"headers\" : [ ] , \"key\":\"\\u00e9\"}|";
	void *conf = harness_conf(envelope(), NULL);
	struct stored stored = {{text, sizeof(text) - 1}, 3};
	struct grow out = {NULL, 0, 0};
	char line[sizeof(text)];

	memcpy(line, text, sizeof(text));
	*strchr(line, '\n') = ' ';
	line[0] = '{';
	line[1] = ' ';
	line[sizeof(text) - 2] = '\n';
	stored.bytes.ptr = line;
	cr_assert_eq(
	    object_dump(envelope(), conf, &stored, &out, NULL), SECOR_OK);
	cr_assert(
	    strstr(out.ptr, "type=0 key=\\xc3\\xa9 value={\"a\":1}") != NULL,
	    "%s", out.ptr);
	grow_fini(&out);
	harness_conf_free(envelope(), conf);
}
