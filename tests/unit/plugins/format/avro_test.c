/*
 * avro_test.c -- container files: records that come back, bytes that do not
 * depend on how the engine cut them, options that exclude one another.
 */
#include "tests/unit/plugins/format/object.h"

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char file[] = "/tmp/avro-test-XXXXXX";

static const struct plugin *
avro(void)
{
	return harness_plugin("format/avro");
}

static void
with_schema(const char *text)
{
	int fd = mkstemp(file);

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	(void)close(fd);
}

static void
strings(struct messages *m, size_t n)
{
	char value[64];

	for (size_t i = 0; i < n; i++) {
		int len = snprintf(value + 1, 60, "line %zu", i * i);

		value[0] = (char)(2 * len);
		messages_add(m, value, (size_t)len + 1);
	}
}

Test(avro, records_come_back_in_every_codec)
{
	static const char *const codecs[] = {
	    "null", "deflate", "snappy", "zstandard", "bzip2"};

	with_schema("\"string\"");
	for (size_t i = 0; i < 5; i++) {
		void *conf = harness_conf(avro(), "schema_file", file, "codec",
		    codecs[i], "block_size", "5000", NULL);
		struct messages m = {NULL, 0};

		strings(&m, 3000);
		object_round_trip(avro(), conf, &m);
		object_same_for_any_cut(avro(), conf, &m);
		object_passes_failures_on(avro(), conf, &m);
		messages_free(&m);
		harness_conf_free(avro(), conf);
	}
	(void)unlink(file);
}

Test(avro, file_that_was_cut_or_changed_is_refused)
{
	static const struct cut whole = {1 << 20, 100};
	void *conf;
	struct messages m = {NULL, 0}, turned = {NULL, 0};
	struct grow object = {NULL, 0, 0};
	struct stored stored;

	with_schema("\"string\"");
	conf =
	    harness_conf(avro(), "schema_file", file, "codec", "snappy", NULL);
	strings(&m, 30);
	cr_assert_eq(object_make(avro(), conf, &m, &whole, &object), SECOR_OK);
	for (size_t len = 0; len < object.len; len++) {
		struct stored part = {{object.ptr, len}, 1000};
		struct messages read = {NULL, 0};
		struct secor_err err = {""};
		int rc = object_read(avro(), conf, &part, &read, &err);

		/* behind the header a file may end */
		cr_assert(rc == SECOR_REJECT || read.count == 0, "%zu", len);
		cr_assert(rc == SECOR_OK || strstr(err.text, "byte ") != NULL);
		messages_free(&read);
	}
	object.ptr[object.len - 1] ^= 1;
	stored = (struct stored){{object.ptr, object.len}, 1000};
	cr_assert_eq(
	    object_read(avro(), conf, &stored, &turned, NULL), SECOR_REJECT);
	messages_free(&turned);
	grow_fini(&object);
	messages_free(&m);
	harness_conf_free(avro(), conf);
	(void)unlink(file);
}

Test(avro, schema_that_is_none_does_not_open)
{
	struct secor_err err = {""};
	struct secor_open with = {.size = sizeof(with)};
	void *self = NULL, *conf;

	with_schema("{\"type\": \"strung\"}");
	conf = harness_conf(avro(), "schema_file", file, NULL);
	with.conf = conf;
	cr_assert_eq(
	    harness_open_with(avro(), &with, &self, &err), SECOR_FATAL);
	cr_assert(strstr(err.text, "is no Avro schema: there is no type "
				   "'strung'") != NULL,
	    "%s", err.text);
	(void)unlink(file);
	cr_assert_eq(
	    harness_open_with(avro(), &with, &self, &err), SECOR_FATAL);
	cr_assert(strncmp(err.text, "open /tmp/", 10) == 0, "%s", err.text);
	harness_conf_free(avro(), conf);
}

Test(avro, options_that_exclude_one_another_are_refused)
{
	static const struct {
		const char *options[7];
		const char *said; /* NULL: nothing */
	} checks[] = {
	    {{"schema_file", "x", NULL}, NULL},
	    {{"schema_file", "x", "framing", "confluent", NULL},
		"schema_id: `framing: confluent` needs"},
	    {{"schema_file", "x", "schema_id", "3", NULL},
		"schema_id: it has a meaning"},
	    {{NULL}, "schema_file: is needed"},
	    {{"schema_file", "x", "registry", "http://r", "schema_id", "3",
		 NULL},
		"schema_file: and registry exclude"},
	    {{"registry", "http://r", "framing", "confluent", NULL}, NULL},
	    {{"registry", "http://r", "schema_id", "3", NULL}, NULL},
	    {{"registry", "http://r", NULL},
		"schema_id: bare values do not tell"},
	    {{"registry", "r", "schema_id", "3", NULL}, "registry: "},
	};

	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		const char *const *o = checks[i].options;
		void *conf = harness_conf(
		    avro(), o[0], o[1], o[2], o[3], o[4], o[5], NULL);
		char *said = harness_check(avro(), conf);

		if (checks[i].said == NULL)
			cr_expect_str_empty(said, "row %zu: %s", i, said);
		else
			cr_expect(strstr(said, checks[i].said) != NULL,
			    "row %zu: %s", i, said);
		free(said);
		harness_conf_free(avro(), conf);
	}
}
