/*
 * json_scan_test.c -- what is one JSON object, what is found in it, and that
 * all variants of the index say the same.
 */
#include "plugins/common/json_scan.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static const enum json_simd all[] = {
    JSON_PLAIN, JSON_SSE2, JSON_AVX2, JSON_AVX512};
#define VARIANTS 4

struct fixture {
	struct json_paths paths;
	struct json_scan *scan[VARIANTS]; /* NULL: not on this machine */
};

static const char *const wanted[] = {"a", "b", "m.c", "m.n.d", "x\\.y", "m"};
#define WANTED (sizeof(wanted) / sizeof(wanted[0]))

static void
fixture_init(struct fixture *f)
{
	struct secor_err err;
	uint16_t slot;

	json_paths_init(&f->paths);
	for (size_t i = 0; i < WANTED; i++) {
		cr_assert_eq(
		    json_paths_add(&f->paths, wanted[i], &slot, &err), 0);
		cr_assert_eq(slot, i);
	}
	for (int i = 0; i < VARIANTS; i++)
		f->scan[i] = json_scan_new(&f->paths, all[i]);
	cr_assert_not_null(f->scan[0]);
}

static void
fixture_fini(struct fixture *f)
{
	for (int i = 0; i < VARIANTS; i++)
		json_scan_free(f->scan[i]);
	json_paths_fini(&f->paths);
}

/* Runs on memory of exactly that size, so that the address sanitizer sees a
 * read behind it. Checks that all variants agree; gives the last. */
static int
run(struct fixture *f, const char *text, size_t len, struct json_value **values,
    struct secor_err *err)
{
	char *exact = malloc(len + 1);
	struct secor_bytes bytes = {exact + 1, len};
	struct json_value first[WANTED];
	struct secor_err reason = {""};
	int rc = -1;

	memcpy(exact + 1, text, len);
	for (int i = 0; i < VARIANTS; i++) {
		int now;

		err->text[0] = '\0';
		if (f->scan[i] == NULL)
			continue;
		now = json_scan_run(f->scan[i], bytes, values, err);
		if (rc == -1) {
			reason = *err;
			if (now == SECOR_OK)
				memcpy(first, *values, sizeof(first));
		}
		cr_assert(rc == -1 || rc == now, "variants differ: %.*s",
		    (int)len, text);
		cr_assert_str_eq(err->text, reason.text);
		if (now == SECOR_OK)
			cr_assert_arr_eq(first, *values, sizeof(first));
		rc = now;
	}
	/* what is found is moved to the caller's text */
	for (size_t i = 0; rc == SECOR_OK && i < WANTED; i++) {
		if ((*values)[i].ptr != NULL)
			(*values)[i].ptr =
			    text + ((*values)[i].ptr - bytes.ptr);
	}
	free(exact);
	return rc;
}

static int
run_text(const char *text, struct secor_err *err)
{
	struct json_value *values;
	struct fixture f;
	int rc;

	fixture_init(&f);
	rc = run(&f, text, strlen(text), &values, err);
	fixture_fini(&f);
	return rc;
}

Test(json_scan, object_of_the_grammar_is_accepted)
{
	static const char *const good[] = {"{}", " {\t\n\r} ", "{\"a\":1}",
	    "{\"a\":-0}", "{\"a\":0.5}", "{\"a\":-12.25e+10}", "{\"a\":1E5}",
	    "{\"a\":1e-5}", "{\"a\":true,\"b\":false,\"c\":null}",
	    "{\"a\":[],\"b\":{}}", "{\"a\":[1,[2,[3,{\"b\":[]}]]],\"c\":\"\"}",
	    "{\"\":\"\"}", "{\"a\":\"}\"}", "{\"a\":\"\\\"}\"}",
	    "{\"a\":\"\\\\\"}", "{\"a\":\"\\\\\\\"\"}",
	    "{\"a\":\"\\b\\f\\n\\r\\t\\/\\u00e9\\uD834\\uDd1e\"}",
	    "{\"a\" : 1 , \"b\" : [ 1 , 2 ] }", "{\"a\":\"\xff\xfe\"}",
	    "{\"a\":\"\x7f\"}", "{\"a\":\"\\ud800\"}", "{\"a\":\"\\u0000\"}",
	    "{\"a\":123456789012345678901234567890}", "{\"a\":1e999}",
	    "{\"a\":1,\"a\":2}", "{\"a\":[true,false,null]}"};
	struct secor_err err;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		cr_expect_eq(
		    run_text(good[i], &err), 0, "%s: %s", good[i], err.text);
}

Test(json_scan, text_that_is_no_object_is_rejected_with_its_reason)
{
	static const struct {
		const char *text;
		const char *reason;
	} bad[] = {
	    {"", "the value is empty"},
	    {" \n\t ", "the value is empty"},
	    {"null", "it does not end with '}'"},
	    {"[{}]", "it does not end with '}'"},
	    {"\"a\"", "it does not end with '}'"},
	    {"17", "it does not end with '}'"},
	    {"[1}", "'{' is missing at byte 0"},
	    {"}", "'{' is missing at byte 0"},
	    {"\xef\xbb\xbf{}", "'{' is missing at byte 0"},
	    {"{bad json", "it does not end with '}'"},
	    {"{\"a\":1405970352", "it does not end with '}'"},
	    {"{\"a\":1} trailing", "it does not end with '}'"},
	    {"{\"a\":1}{}", "nothing more is missing at byte 7"},
	    {"{\"a\":1}}", "nothing more is missing at byte 7"},
	    {"{'a':1}", "a name in quotes is missing at byte 1"},
	    {"{a:1}", "a name in quotes is missing at byte 1"},
	    {"{1:1}", "a name in quotes is missing at byte 1"},
	    {"{\"a\"}", "':' is missing at byte 4"},
	    {"{\"a\":}", "a value is missing at byte 5"},
	    {"{\"a\":1,}", "a name in quotes is missing at byte 7"},
	    {"{,}", "a name in quotes is missing at byte 1"},
	    {"{\"a\":1 \"b\":2}", "',' or '}' is missing at byte 7"},
	    {"{\"a\":1:2}", "',' or '}' is missing at byte 6"},
	    {"{\"a\":[1,]}", "a value is missing at byte 8"},
	    {"{\"a\":[,1]}", "a value is missing at byte 6"},
	    {"{\"a\":[1 2]}", "',' or ']' is missing at byte 8"},
	    {"{\"a\":[1}", "',' or ']' is missing at byte 7"},
	    {"{\"a\":{]}", "',' or '}' is missing at byte 6"},
	    {"{\"a\":[}", "',' or ']' is missing at byte 6"},
	    {"{\"a\":01}", "a number is missing at byte 5"},
	    {"{\"a\":+1}", "a value is missing at byte 5"},
	    {"{\"a\":.5}", "a value is missing at byte 5"},
	    {"{\"a\":5.}", "a number is missing at byte 5"},
	    {"{\"a\":-}", "a number is missing at byte 5"},
	    {"{\"a\":1e}", "a number is missing at byte 5"},
	    {"{\"a\":1e+}", "a number is missing at byte 5"},
	    {"{\"a\":0x10}", "a number is missing at byte 5"},
	    {"{\"a\":1a}", "a number is missing at byte 5"},
	    {"{\"a\":NaN}", "a value is missing at byte 5"},
	    {"{\"a\":True}", "a value is missing at byte 5"},
	    {"{\"a\":tru}", "a value is missing at byte 5"},
	    {"{\"a\":truex}", "a value is missing at byte 5"},
	    {"{\"a\":nul}", "a value is missing at byte 5"},
	    {"{\"a\":\\n}", "a value is missing at byte 5"},
	    {"{\"a\\\":1}", "the end of a string is missing at the end"},
	    {"{\"a\":\"}", "the end of a string is missing at the end"},
	    {"{\"a\":\"b\\\"}", "the end of a string is missing at the end"},
	    {"{\"a\":\"\\x\"}",
		"a string with JSON's escapes is missing at byte 5"},
	    {"{\"a\":\"\\u12g4\"}",
		"a string with JSON's escapes is missing at byte 5"},
	    {"{\"a\":\"\\u123\"}",
		"a string with JSON's escapes is missing at byte 5"},
	    {"{\"\\q\":1}",
		"a string with JSON's escapes is missing at byte 1"},
	    {"{\"a\":\"\n\"}", "control byte 0x0a at byte 6"},
	    {"{\"a\":\"\x01\"}", "control byte 0x01 at byte 6"},
	    {"{\"a\":\x01 1}", "control byte 0x01 at byte 5"},
	    {"{\"a\":1 \f}", "control byte 0x0c at byte 7"},
	    {"{\"a\":1\f}", "a number is missing at byte 5"},
	    {"{\"a\":1}\v", "it does not end with '}'"},
	    {"{\"a\":\"b\"\"c\"}", "',' or '}' is missing at byte 8"},
	    {"{\"a\":\"b\"c}", "',' or '}' is missing at byte 8"},
	    {"{\"a\":1\"c\"}", "',' or '}' is missing at byte 6"},
	};
	struct secor_err err;
	char want[256];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		cr_expect_eq(run_text(bad[i].text, &err), SECOR_REJECT, "%s",
		    bad[i].text);
		(void)snprintf(
		    want, sizeof(want), "not a JSON object: %s", bad[i].reason);
		cr_expect_str_eq(
		    err.text, want, "%s: %s", bad[i].text, err.text);
	}
}

Test(json_scan, null_value_is_rejected_as_null)
{
	struct json_value *values;
	struct secor_err err;
	struct fixture f;

	fixture_init(&f);
	cr_expect_eq(json_scan_run(f.scan[0], (struct secor_bytes){NULL, 0},
			 &values, &err),
	    SECOR_REJECT);
	cr_expect_str_eq(err.text, "not a JSON object: the value is null");
	fixture_fini(&f);
}

/* `want` is what is found for each of `wanted`, "-" for not there. */
static const struct {
	const char *text;
	const char *want[WANTED];
} finds[] = {
    {"{}", {"-", "-", "-", "-", "-", "-"}},
    {"{\"a\":1,\"b\":\"two\"}", {"1", "two", "-", "-", "-", "-"}},
    {"{\"b\":true,\"z\":[{\"a\":5}],\"a\":null}",
	{"null", "true", "-", "-", "-", "-"}},
    {"{\"m\":{\"n\":{\"d\":-1.5e3,\"a\":7},\"c\":false}}",
	{"-", "-", "false", "-1.5e3", "-", ""}},
    /* no path leads through a list or a scalar */
    {"{\"m\":[{\"c\":1}]}", {"-", "-", "-", "-", "-", ""}},
    {"{\"m\":\"c\"}", {"-", "-", "-", "-", "-", "c"}},
    /* a dot in a name is not a level */
    {"{\"x.y\":1,\"m.c\":2,\"x\":{\"y\":3}}", {"-", "-", "-", "-", "1", "-"}},
    /* the last one holds, with all that is below it */
    {"{\"a\":1,\"a\":2}", {"2", "-", "-", "-", "-", "-"}},
    {"{\"m\":{\"c\":1,\"n\":{\"d\":2}},\"m\":{\"c\":3}}",
	{"-", "-", "3", "-", "-", ""}},
    {"{\"m\":{\"c\":1},\"m\":5}", {"-", "-", "-", "-", "-", "5"}},
    /* names are compared without escapes */
    {"{\"\\u0061\":1,\"m\":{\"\\u0063\":2}}", {"1", "-", "2", "-", "-", ""}},
    {"{\"a\":\"x\\ty\\u00e9\\ud834\\udd1e\\ud834z\\\\\"}",
	{"x\ty\xc3\xa9\xf0\x9d\x84\x9e\xef\xbf\xbdz\\", "-", "-", "-", "-",
	    "-"}},
    {"{\"a\":\"\\\"\",\"b\":\"\\/\"}", {"\"", "/", "-", "-", "-", "-"}},
    {"{\"a\":\"\"}", {"", "-", "-", "-", "-", "-"}},
};

static void
expect_values(struct json_scan *scan, struct json_value *values,
    const char *const *want, const char *text)
{
	for (size_t i = 0; i < WANTED; i++) {
		struct secor_bytes got = {"-", 1};

		if (values[i].kind != JSON_KIND_ABSENT)
			got = json_scan_text(scan, &values[i]);
		if (got.ptr == NULL) /* an object or a list */
			got.ptr = "";
		cr_expect(got.len == strlen(want[i]) &&
			      memcmp(got.ptr, want[i], got.len) == 0,
		    "%s: %s is '%.*s'", text, wanted[i], (int)got.len, got.ptr);
	}
}

Test(json_scan, wanted_values_are_found)
{
	struct json_value *values;
	struct secor_err err;
	struct fixture f;

	fixture_init(&f);
	for (size_t i = 0; i < sizeof(finds) / sizeof(finds[0]); i++) {
		const char *text = finds[i].text;

		cr_assert_eq(run(&f, text, strlen(text), &values, &err), 0,
		    "%s: %s", text, err.text);
		cr_assert_eq(json_scan_run(f.scan[0],
				 (struct secor_bytes){text, strlen(text)},
				 &values, &err),
		    0);
		expect_values(f.scan[0], values, finds[i].want, text);
	}
	fixture_fini(&f);
}

/* Digits are read eight at a time where there is room. */
Test(json_scan, numbers_of_any_length_end_where_they_end)
{
	static const char *const good[] = {"%.*s", "-%.*s", "1.%.*s", "1e%.*s",
	    "1E-%.*s", "0.5e+%.*s", "%.*s.25", "%.*se1"};
	static const char *const bad[] = {
	    "%.*s/", "%.*sa", "%.*s.", "0%.*s", "1.%.*s.1", "1e%.*sx", "%.*s-"};
	static const char digits[] = "1234567890123456789012345";
	struct json_value *values;
	struct secor_err err;
	struct fixture f;
	char number[64], text[128];

	fixture_init(&f);
	for (int n = 1; n <= 25; n++) {
		for (size_t i = 0; i < 8 + 7; i++) {
			const char *format = i < 8 ? good[i] : bad[i - 8];
			size_t len;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
			(void)sprintf(number, format, n, digits);
#pragma GCC diagnostic pop
			len = (size_t)sprintf(
			    text, "{\"a\":%s,\"p\":\"%032d\"}", number, 0);
			cr_assert_eq(run(&f, text, len, &values, &err),
			    i < 8 ? SECOR_OK : SECOR_REJECT, "%s", text);
			cr_assert(i >= 8 || values[0].len == strlen(number));
		}
	}
	fixture_fini(&f);
}

/* Moves the same object through every position in blocks and windows. */
Test(json_scan, value_at_any_position_is_found)
{
	static const char tail[] = "\",\"b\":\"q\\\"\\\\\",\"a\":12}";
	size_t room = 3 * JSON_WINDOW;
	struct json_value *values;
	struct secor_err err;
	struct fixture f;
	char *text = malloc(room);

	fixture_init(&f);
	for (size_t pad = 0; pad < room - 64; pad++) {
		size_t n = (size_t)sprintf(text, "{\"p\":\"");

		if (pad > 200 && pad % JSON_WINDOW > 100 &&
		    pad % JSON_WINDOW < JSON_WINDOW - 100)
			continue;
		memset(text + n, 'x', pad);
		n += pad;
		memcpy(text + n, tail, sizeof(tail));
		n += sizeof(tail) - 1;
		cr_assert_eq(run(&f, text, n, &values, &err), 0, "%zu: %s", pad,
		    err.text);
		cr_assert_eq(values[0].kind, JSON_KIND_NUMBER);
		cr_assert_arr_eq(values[0].ptr, "12", 2);
		cr_assert_eq(values[1].len, 5);
		cr_assert_eq(values[1].escaped, 1);
		/* and nothing of it may be missing */
		cr_assert_eq(run(&f, text, n - 1, &values, &err), SECOR_REJECT);
	}
	fixture_fini(&f);
	free(text);
}

Test(json_scan, backslashes_before_a_quote_are_counted)
{
	struct json_value *values;
	struct secor_err err;
	struct fixture f;
	char text[512];

	fixture_init(&f);
	for (size_t pad = 0; pad < 130; pad++) {
		for (size_t slashes = 0; slashes < 140; slashes++) {
			size_t n = (size_t)sprintf(text, "{\"a\":\"");
			int rc;

			memset(text + n, 'x', pad);
			memset(text + n + pad, '\\', slashes);
			n += pad + slashes;
			memcpy(text + n, "\"}", 2);
			rc = run(&f, text, n + 2, &values, &err);
			cr_assert_eq(
			    rc, slashes % 2 == 0 ? SECOR_OK : SECOR_REJECT);
		}
	}
	fixture_fini(&f);
}

Test(json_scan, nesting_has_a_limit)
{
	struct json_value *values;
	struct secor_err err;
	struct fixture f;
	char *text = malloc(6 * JSON_DEPTH + 64);

	fixture_init(&f);
	for (size_t levels = JSON_DEPTH - 1; levels <= JSON_DEPTH; levels++) {
		size_t n = (size_t)sprintf(text, "{\"a\":");

		memset(text + n, '[', levels);
		memset(text + n + levels, ']', levels);
		n += 2 * levels;
		text[n++] = '}';
		cr_expect_eq(run(&f, text, n, &values, &err),
		    levels < JSON_DEPTH ? SECOR_OK : SECOR_REJECT);
	}
	cr_expect_str_eq(err.text, "not a JSON object: less than 2048 levels "
				   "is missing at byte 2052");
	fixture_fini(&f);
	free(text);
}

/* Bytes that make trouble, at random: the same answer from all variants. */
Test(json_scan, variants_agree_on_random_bytes)
{
	static const char bytes[] = "\"\"\"\\\\{}[]:,  \n\t1e-.tfn\x01\x80xa";
	struct json_value *values;
	struct secor_err err;
	uint64_t seed = 88172645463325252u;
	struct fixture f;
	char text[256];

	fixture_init(&f);
	for (int round = 0; round < 30000; round++) {
		size_t n = 1;

		text[0] = '{';
		for (size_t len = seed % 190; n < len; n++) {
			seed ^= seed << 13;
			seed ^= seed >> 7;
			seed ^= seed << 17;
			text[n] = bytes[(seed >> 33) % (sizeof(bytes) - 1)];
		}
		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		text[n++] = '}';
		(void)run(&f, text, n, &values, &err);
	}
	fixture_fini(&f);
}

static unsigned
draw(unsigned below)
{
	static uint64_t seed = 88172645463325252u;

	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed >> 33) % below;
}

/* An object as they mostly are, on the whole right; some are longer than a
 * window of the index. */
static size_t
usual_object(char *text, size_t room)
{
	static const char *const members[] = {"\"a\":\"x\"", "\"b\":-1.5e3",
	    "\"status\":200", "\"id\":\"0f\"", "\"ok\":true", "\"n\": null",
	    "\"m\":{\"c\":1,\"z\":\"\",\"n\":{\"d\":\"y\"}}",
	    "\"l\":[1,\"2\",{}]", "\"x.y\":7", "\"\":0", "\"a\":{}",
	    "\"long name here\":\"{},:\""};
	size_t n = 0;

	text[n++] = '{';
	if (draw(20) == 0) {
		n += (size_t)snprintf(text + n, room - n, "\"pad\":\"%*s\",",
		    4000 + draw(200), "");
	}
	for (unsigned i = 0, count = 1 + draw(20); i < count; i++)
		n += (size_t)snprintf(text + n, room - n, "%s%s",
		    i > 0 ? "," : "",
		    members[draw(sizeof(members) / sizeof(members[0]))]);
	text[n++] = '}';
	return n;
}

Test(json_scan, variants_agree_on_usual_objects_with_a_byte_changed)
{
	static const char bytes[] = "\"\\{}[]:,  \n\t10e-.tfnx\x01";
	static char text[8192];
	struct json_value *values;
	struct secor_err err;
	struct fixture f;
	int good = 0, bad = 0;

	fixture_init(&f);
	for (int round = 0; round < 30000; round++) {
		size_t n = usual_object(text, sizeof(text));

		if (draw(3) > 0)
			text[1 + draw((unsigned)n - 1)] =
			    bytes[draw(sizeof(bytes) - 1)];
		if (run(&f, text, n, &values, &err) == SECOR_OK)
			good++;
		else
			bad++;
	}
	cr_assert(good > 5000 && bad > 5000, "%d good, %d bad", good, bad);
	fixture_fini(&f);
}

Test(json_scan, escaped_values_fit_in_the_scratch)
{
	static const char text[] = "{\"a\":\"\\u0041\\u0042\",\"b\":\"\\n\\n\","
				   "\"m\":{\"c\":\"\\t\"}}";
	struct json_value *values;
	struct secor_bytes a, b, c, again;
	struct secor_err err;
	struct fixture f;

	fixture_init(&f);
	cr_assert_eq(
	    json_scan_run(f.scan[0], (struct secor_bytes){text, strlen(text)},
		&values, &err),
	    0);
	a = json_scan_text(f.scan[0], &values[0]);
	b = json_scan_text(f.scan[0], &values[1]);
	c = json_scan_text(f.scan[0], &values[2]);
	again = json_scan_text(f.scan[0], &values[0]);
	cr_expect_eq(again.ptr, a.ptr);
	cr_expect(a.len == 2 && memcmp(a.ptr, "AB", 2) == 0);
	cr_expect(b.len == 2 && memcmp(b.ptr, "\n\n", 2) == 0);
	cr_expect(c.len == 1 && memcmp(c.ptr, "\t", 1) == 0);
	fixture_fini(&f);
}

Test(json_scan, paths_with_bad_syntax_are_refused)
{
	static const char *const bad[] = {
	    "", ".", "a.", ".a", "a..b", "a\\b", "a\\"};
	struct secor_err err;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect_eq(
		    json_path_check(bad[i], &err), SECOR_FATAL, "%s", bad[i]);
	cr_expect_eq(json_path_check("a\\.b\\\\.c", &err), SECOR_OK);
}
