/*
 * hive_metastore_answers_test.c -- the notifier hive-metastore against servers
 * that are none, or die: an error every time, and the next call works.
 */
#include "tests/unit/plugins/notifier/hive_help.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <unistd.h>

#define TABLE "get_table_req"
#define ADD "add_partition_with_environment_context"

static struct text
raw(const char *bytes, size_t len)
{
	struct text text = {0};

	text_add(&text, bytes, len);
	return text;
}

#define RAW(bytes) raw(bytes, sizeof(bytes) - 1)

#define REPLY "\x80\1\0\2\0\0\0\x0dget_table_req\0\0\0\1"
#define FIELD "\x0c\0\0"

Test(hive_metastore_answers, what_is_no_answer_is_tried_again, .timeout = 120)
{
	static const struct {
		const char *what;
		struct secor_bytes bytes;
		const char *text;
	} rows[] = {
#define ROW(what, bytes, text) {what, {bytes, sizeof(bytes) - 1}, text}
	    ROW("nothing", "", "a metastore with Kerberos does so"),
	    ROW("HTTP", "HTTP/1.1 400 Bad Request\r\n\r\n", "is not Thrift's"),
	    ROW("cut", REPLY "\x0c\0", "the connection has ended"),
	    ROW("a string of 2 GiB", REPLY FIELD "\x0b\0\1\x7f\xff\xff\xff",
		"is not Thrift's"),
	    ROW("a list of 2^32 - 1", REPLY FIELD "\x0f\0\1\2\xff\xff\xff\xff",
		"is not Thrift's"),
	    ROW("behind the end", REPLY "\0\0", "is not Thrift's"),
	    ROW("an unknown type", REPLY "\x7f\0\0\0", "is not Thrift's"),
	    ROW("empty", REPLY "\0", "the answer to get_table_req is empty"),
	    ROW("a number", REPLY "\x08\0\0\0\0\0\0\0", "is of type 8"),
	    ROW("no table in it", REPLY FIELD "\0\0", "has no table in it"),
	    ROW("a table of nothing", REPLY FIELD "\x0c\0\1\0\0\0",
		"no storage or no partition keys"),
	    ROW("keys that are numbers",
		REPLY FIELD "\x0c\0\1\x0c\0\7\0\x0f\0\x08\2\0\0\0\1\1\0\0\0",
		"no storage or no partition keys"),
	    ROW("a key without a name",
		REPLY FIELD "\x0c\0\1\x0c\0\7\0\x0f\0\x08\x0c\0\0\0\1\0\0\0\0",
		"no storage or no partition keys"),
	    ROW("another exception", REPLY "\x0c\0\x09\0\0",
		"MetaException: no reason given"),
	    ROW("another method", "\x80\1\0\2\0\0\0\1x\0\0\0\1\0",
		"is not to get_table_req"),
	    ROW("another call", "\x80\1\0\2\0\0\0\x0dget_table_req\0\0\0\2\0",
		"is not to get_table_req"),
	    ROW("a call", "\x80\1\0\1\0\0\0\x0dget_table_req\0\0\0\1\0",
		"is of kind 1"),
	    ROW("an exception of Thrift",
		"\x80\1\0\3\0\0\0\x0dget_table_req\0\0\0\1"
		"\x0b\0\1\0\0\0\2no\x08\0\2\0\0\0\6\0",
		"TApplicationException: no"),
	    ROW("SASL", "\4\0\0\0\2no",
		"the metastore wants SASL: set `kerberos.service` (it says: "
		"no)"),
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct hive hive;

		hive_begin(&hive, NULL);
		hive_says(
		    &hive, HIVE_RAW, raw(rows[i].bytes.ptr, rows[i].bytes.len));
		cr_assert_eq(
		    hive_object(&hive, "x"), SECOR_RETRY, "%s", rows[i].what);
		cr_assert_not_null(strstr(hive.err.text, rows[i].text),
		    "%s: '%s'", rows[i].what, hive.err.text);
		hive_says(&hive, HIVE_REPLY, hive_table_is("dt", NULL));
		hive_says(&hive, HIVE_REPLY, hive_partition_is("p", NULL));
		cr_assert_eq(hive_object(&hive, "x"), SECOR_OK, "%s: %s",
		    rows[i].what, hive.err.text);
		hive_end(&hive);
	}
}

Test(hive_metastore_answers, metastore_of_an_older_hive_is_asked_as_it_knows,
    .timeout = 120)
{
	struct text table = hive_table_is("dt", NULL);
	struct hive hive;

	hive_begin(&hive, NULL);
	hive_says(&hive, HIVE_EXCEPTION, RAW("\x08\0\2\0\0\0\1\0"));
	/* without the structure around it */
	memmove(table.ptr + 3, table.ptr + 6, table.len - 6);
	table.len -= 4;
	hive_says(&hive, HIVE_REPLY, table);
	hive_says(&hive, HIVE_REPLY, hive_partition_is("p", NULL));
	cr_assert_eq(hive_object(&hive, "x"), SECOR_OK, "%s", hive.err.text);
	hive_expect(&hive, TABLE " get_table " ADD);
	hive_end(&hive);
}

Test(hive_metastore_answers, connection_that_died_at_rest_is_made_anew,
    .timeout = 120)
{
	struct hive hive;

	hive_begin(&hive, "user", "me", NULL);
	hive_says(&hive, HIVE_REPLY, hive_void());
	hive_says(&hive, HIVE_REPLY, hive_table_is("dt", NULL));
	hive_says(&hive, HIVE_REPLY, hive_partition_is("p", NULL));
	hive_then_ends(&hive);
	cr_assert_eq(hive_object(&hive, "x"), SECOR_OK, "%s", hive.err.text);
	hive_expect(&hive, "set_ugi " TABLE " " ADD);
	hive_says(&hive, HIVE_REPLY, hive_void());
	hive_says(&hive, HIVE_REPLY, hive_partition_is("p", NULL));
	cr_assert_eq(hive_object(&hive, "y"), SECOR_OK, "%s", hive.err.text);
	hive_expect(&hive, "set_ugi " ADD);
	hive_end(&hive);
}

Test(hive_metastore_answers, user_that_is_refused_is_said, .timeout = 120)
{
	struct hive hive;

	hive_begin(&hive, "user", "me", NULL);
	hive_says(&hive, HIVE_REPLY, hive_error(1, "who is that"));
	cr_assert_eq(hive_object(&hive, "x"), SECOR_RETRY);
	cr_assert_not_null(
	    strstr(hive.err.text, "set_ugi: MetaException: who is that"));
	hive_end(&hive);
}

Test(hive_metastore_answers, metastore_that_hangs_is_left_in_time,
    .timeout = 120)
{
	struct hive hive;

	hive_begin(&hive, "timeout", "100ms", NULL);
	hive_says(&hive, HIVE_HANG, (struct text){0});
	cr_assert_eq(hive_object(&hive, "x"), SECOR_RETRY);
	cr_assert_not_null(
	    strstr(hive.err.text, "no answer in time"), "%s", hive.err.text);
	hive_end(&hive);
}

Test(hive_metastore_answers, next_metastore_is_asked_when_one_is_not_there,
    .timeout = 120)
{
	struct hive hive, gone;

	hive_begin(&gone, NULL);
	hive_begin(&hive, NULL);
	hive_comes_second(&hive, &gone);
	hive_end(&gone); /* nobody listens there now */
	hive_says(&hive, HIVE_REPLY, hive_table_is("dt", NULL));
	hive_says(&hive, HIVE_REPLY, hive_partition_is("p", NULL));
	cr_assert_eq(hive_object(&hive, "x"), SECOR_OK, "%s", hive.err.text);
	hive_expect(&hive, TABLE " " ADD);
	hive_end(&hive);
}

Test(hive_metastore_answers, frames_are_spoken_when_told, .timeout = 120)
{
	struct hive hive;

	hive_begin(&hive, "framed", "true", NULL);
	hive_frames(&hive);
	hive_says(&hive, HIVE_REPLY, hive_table_is("dt", NULL));
	hive_says(&hive, HIVE_REPLY, hive_partition_is("p", NULL));
	cr_assert_eq(hive_object(&hive, "x"), SECOR_OK, "%s", hive.err.text);
	hive_expect(&hive, TABLE " " ADD);
	hive_end(&hive);
}

Test(hive_metastore_answers, tls_is_spoken_with_who_is_vouched_for,
    .timeout = 120)
{
	static const struct {
		const char *name;
		int trusted;
		const char *text; /* NULL: it works */
	} rows[] = {
	    {"IP:127.0.0.1", 1, NULL},
	    {"IP:127.0.0.2", 1, "TLS: IP address mismatch"},
	    {"DNS:localhost", 1, "TLS: IP address mismatch"},
	    {"IP:127.0.0.1", 0, "TLS: self-signed certificate"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char mine[] = "/tmp/hive-tls-XXXXXX",
		     other[] = "/tmp/hive-tls-XXXXXX";
		struct hive hive;
		int rc;

		(void)close(mkstemp(mine));
		(void)close(mkstemp(other));
		SSL_CTX_free(hive_tls_new("DNS:other", other));
		hive_begin(&hive, "tls", "true", "ca_file",
		    rows[i].trusted ? mine : other, NULL);
		hive_tls(&hive, hive_tls_new(rows[i].name, mine));
		hive_says(&hive, HIVE_REPLY, hive_table_is("dt", NULL));
		hive_says(&hive, HIVE_REPLY, hive_partition_is("p", NULL));
		rc = hive_object(&hive, "x");
		cr_assert_eq(rc, rows[i].text == NULL ? SECOR_OK : SECOR_RETRY,
		    "%s: %s", rows[i].name, hive.err.text);
		if (rows[i].text != NULL)
			hive_text(&hive, rows[i].text);
		hive_expect(&hive, rows[i].text == NULL ? TABLE " " ADD : "");
		hive_end(&hive);
		(void)unlink(mine);
		(void)unlink(other);
	}
}

Test(hive_metastore_answers, authorities_that_cannot_be_read_are_an_error,
    .timeout = 120)
{
	struct hive hive;

	hive_begin(&hive, "tls", "true", "ca_file", "/nowhere", NULL);
	cr_assert_eq(hive_object(&hive, "x"), SECOR_RETRY);
	hive_text(&hive, "TLS: the authorities cannot be read: /nowhere");
	hive_end(&hive);
}
