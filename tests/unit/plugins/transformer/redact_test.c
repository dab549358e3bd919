/*
 * redact_test.c -- what is left of JSON. Hashes are those of Python's hmac.
 */
#include "tests/unit/harness.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const struct plugin *plugin;

static void
set_up(void)
{
	plugin = harness_plugin("transformer/redact");
}

TestSuite(redact, .init = set_up);

/* The value behind it, or the reason. The text has no byte behind its end. */
static const char *
redacted(const void *conf, const char *value)
{
	static char text[8192];
	void *self = harness_open(plugin, conf, NULL);
	size_t len = strlen(value);
	char *exact = malloc(len);
	struct secor_message in, out;
	struct secor_err err;
	int keep = 1;

	memcpy(exact, value, len);
	in = out = harness_message_bytes(exact, len);
	if (plugin->ops.transformer->transform(self, &in, &out, &keep, &err) ==
	    SECOR_OK)
		(void)snprintf(text, sizeof(text), "%.*s", (int)out.value.len,
		    out.value.ptr);
	else
		(void)snprintf(text, sizeof(text), "%s", err.text);
	cr_expect(keep);
	free(exact);
	harness_close(plugin, self);
	return text;
}

static const struct {
	const char *in, *out;
} rows[] = {
    {"{\"a\":1,\"x\":2}", "{\"x\":2}"},
    {"{\"x\":2,\"a\":1}", "{\"x\":2}"},
    {"{\"a\":1}", "{}"},
    {" { \"a\" : 1 , \"x\" : 2 } ", "{ \"x\" : 2 }"},
    {"{\"x\":2 , \"a\":[1,{\"b\":2}] , \"y\":3}", "{\"x\":2 , \"y\":3}"},
    {"{\"a\":1,\"a\":2,\"x\":{\"a\":3}}", "{\"x\":{\"a\":3}}"},
    {"{\"\\u0061\":1,\"x\":\"\\\"a\\\":1\"}", "{\"x\":\"\\\"a\\\":1\"}"},
    {"{\"b\":{\"c\":1,\"d\":2}}", "{\"b\":{\"d\":2}}"},
    {"{\"b\":[{\"c\":1},{\"d\":[{\"c\":1}]},[{\"c\":9}],\"c\"]}",
	"{\"b\":[{},{\"d\":[{\"c\":1}]},[{}],\"c\"]}"},
    {"{\"b\":{},\"m\":\"secret\"}", "{\"b\":{},\"m\":\"***\"}"},
    {"{\"m\":{\"k\":[1,\"]\"]},\"n\":1}", "{\"m\":\"***\",\"n\":1}"},
    {"{\"m\":null,\"h\":null}", "{\"m\":null,\"h\":null}"},
    {"{\"m\":-1.5e3}", "{\"m\":\"***\"}"},
    {"{\"x\":[ ],\"y\":[1 , 2],\"z\":{ }}",
	"{\"x\":[ ],\"y\":[1 , 2],\"z\":{ }}"},
    {"{\"h\":\"abc\"}", "{\"h\":\"9c196e32dc0175f86f4b1cb89289d661"
			"9de6bee699e4c378e68309ed97a1a6ab\"}"},
    {"{\"h\":\"\\u0061bc\"}", "{\"h\":\"9c196e32dc0175f86f4b1cb89289d661"
			      "9de6bee699e4c378e68309ed97a1a6ab\"}"},
    {"[1]", "not a JSON object: "},
    {"{\"a\":1", "not a JSON object: "},
    {"", "not a JSON object: "},
};

Test(redact, values_are_dropped_hashed_and_masked)
{
	void *conf = harness_conf(plugin, "drop", "[a, b.c]", "hash", "[h]",
	    "mask", "[m]", "secret", "key", NULL);
	char *check = harness_check(plugin, conf);

	cr_expect_str_empty(check, "%s", check);
	free(check);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *out = redacted(conf, rows[i].in);
		size_t len = strncmp(rows[i].out, "not a", 5) == 0
				 ? strlen(rows[i].out)
				 : strlen(out) + 1;

		cr_expect(strncmp(out, rows[i].out, len) == 0, "%s: %s",
		    rows[i].in, out);
	}
	harness_conf_free(plugin, conf);
}

Test(redact, hash_is_of_text_or_of_json)
{
	void *conf =
	    harness_conf(plugin, "hash", "[h]", "secret", "k\xc3\xa9y", NULL);

	cr_expect_str_eq(redacted(conf, "{\"h\": 12.50 }"),
	    "{\"h\": "
	    "\"a9d029751425e4bdc03d07d65032e48b2e340edc331b251eb93cdde0d84bc140"
	    "\" }");
	cr_expect_str_eq(redacted(conf, "{\"h\":[1, \"a\"]}"),
	    "{\"h\":"
	    "\"2184409bde880858822376f1c25b6913f61dd61fb622a1a6501d3b523abb904a"
	    "\"}");
	cr_expect_str_eq(redacted(conf, "{\"h\":\"\"}"),
	    "{\"h\":"
	    "\"c9aa0ba82c3959fb40e2be8b8e2ff5941d9964437c93114d65f2fb4b1331aff3"
	    "\"}");
	harness_conf_free(plugin, conf);
}

Test(redact, tombstone_stays)
{
	void *conf = harness_conf(plugin, "drop", "[a]", NULL);
	void *self = harness_open(plugin, conf, NULL);
	struct secor_message in = harness_message_bytes(NULL, 0), out = in;
	struct secor_err err;
	int keep = 1;

	cr_expect_eq(
	    plugin->ops.transformer->transform(self, &in, &out, &keep, &err),
	    SECOR_OK);
	cr_expect(keep && out.value.ptr == NULL);
	harness_close(plugin, self);
	harness_conf_free(plugin, conf);
}

Test(redact, deep_nesting_is_walked)
{
	enum { DEEP = 1500 };
	void *conf = harness_conf(plugin, "drop", "[a.b]", NULL);
	char text[4 * DEEP + 64] = "{\"a\":";
	size_t n = strlen(text);

	memset(text + n, '[', DEEP);
	memcpy(text + n + DEEP, "{\"b\":1}", 7);
	memset(text + n + DEEP + 7, ']', DEEP);
	text[n + 2 * DEEP + 7] = '}';
	cr_expect_not_null(strstr(redacted(conf, text), "[{}]"));
	harness_conf_free(plugin, conf);
}

Test(redact, check_complains)
{
	static const struct {
		const char *key, *value, *complaint;
	} bad[] = {
	    {"drop", "[]", "names no field to redact\n"},
	    {"hash", "[a]", "secret: is needed by hash"},
	    {"drop", "[a, a]", "drop: 'a' is named twice\n"},
	    {"mask", "[a..b]", "mask: 'a..b': "},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		void *conf =
		    harness_conf(plugin, bad[i].key, bad[i].value, NULL);
		char *check = harness_check(plugin, conf);

		cr_expect(strncmp(check, bad[i].complaint,
			      strlen(bad[i].complaint)) == 0,
		    "%s", check);
		free(check);
		harness_conf_free(plugin, conf);
	}
}
