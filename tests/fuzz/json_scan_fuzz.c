/*
 * json_scan_fuzz.c -- the scanner against jansson: the same texts are objects,
 * and the same values are in them; and its variants against each other.
 *
 * Jansson refuses more, on purpose: what is not UTF-8, half surrogate pairs,
 * NUL in names, numbers beyond a double, and scalars at level 2049; and it
 * reads over a NUL byte as if it were not there. In these cases only the
 * sanitizers and the variants speak.
 */
#include "plugins/common/json_scan.h"

#include "tests/fuzz/fuzz.h"

#include <jansson.h>

#define SLOTS 5
#define VARIANTS 4

static const char *const paths[SLOTS] = {"a", "b", "m.c", "m.n.d", "m"};
static const char *const names[SLOTS][4] = {
    {"a"}, {"b"}, {"m", "c"}, {"m", "n", "d"}, {"m"}};

/* The value of a slot as jansson sees it, or NULL. */
static const json_t *
look_up(const json_t *object, int slot)
{
	for (int i = 0; names[slot][i] != NULL && object != NULL; i++)
		object = json_object_get(object, names[slot][i]);
	return object;
}

static int
kind_of(const json_t *value)
{
	if (value == NULL)
		return JSON_KIND_ABSENT;
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return JSON_KIND_OBJECT;
	case JSON_ARRAY:
		return JSON_KIND_ARRAY;
	case JSON_STRING:
		return JSON_KIND_STRING;
	case JSON_INTEGER:
	case JSON_REAL:
		return JSON_KIND_NUMBER;
	case JSON_TRUE:
		return JSON_KIND_TRUE;
	case JSON_FALSE:
		return JSON_KIND_FALSE;
	default:
		return JSON_KIND_NULL;
	}
}

static double
number_of(struct secor_bytes text)
{
	/* not strndup: it looks for a NUL behind the text under ASan */
	char *copy = calloc(1, text.len + 1);
	double value;

	MUST(copy != NULL);
	memcpy(copy, text.ptr, text.len);
	value = strtod(copy, NULL);
	free(copy);
	return value;
}

static void
compare_values(
    struct json_scan *scan, struct json_value *values, const json_t *theirs)
{
	for (int i = 0; i < SLOTS; i++) {
		const json_t *value = look_up(theirs, i);
		struct secor_bytes text;

		MUST(values[i].kind == kind_of(value));
		if (values[i].kind == JSON_KIND_ABSENT)
			continue;
		text = json_scan_text(scan, &values[i]);
		if (values[i].kind == JSON_KIND_STRING)
			MUST(text.len == json_string_length(value) &&
			     memcmp(text.ptr, json_string_value(value),
				 text.len) == 0);
		if (values[i].kind == JSON_KIND_NUMBER)
			MUST(number_of(text) == json_number_value(value));
	}
}

/* Is there `\uD8..` to `\uDF..`? Jansson has no code of its own for it. */
static int
has_surrogates(const uint8_t *data, size_t size)
{
	for (size_t i = 0; i + 3 < size; i++) {
		if (data[i] == '\\' && data[i + 1] == 'u' &&
		    (data[i + 2] | 0x20) == 'd' && data[i + 3] >= '8')
			return 1;
	}
	return 0;
}

static int
excepted(const json_error_t *error, const uint8_t *data, size_t size)
{
	switch (json_error_code(error)) {
	case json_error_invalid_utf8:
	case json_error_null_byte_in_key:
	case json_error_numeric_overflow:
	case json_error_stack_overflow:
		return 1;
	default:
		return has_surrogates(data, size);
	}
}

static void
compare(const uint8_t *data, size_t size, struct json_scan *scan, int rc,
    struct json_value *values)
{
	json_error_t error;
	json_t *theirs = json_loadb((const char *)data, size,
	    JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &error);

	if (theirs == NULL)
		MUST(rc != SECOR_OK || excepted(&error, data, size));
	else if (json_is_object(theirs) && memchr(data, 0, size) == NULL)
		MUST(rc == SECOR_OK);
	else if (json_is_object(theirs))
		MUST(rc == SECOR_REJECT);
	else
		MUST(rc == SECOR_REJECT);
	if (theirs != NULL && rc == SECOR_OK)
		compare_values(scan, values, theirs);
	json_decref(theirs);
}

static struct json_scan **
scanners(void)
{
	static struct json_scan *scan[VARIANTS];
	static struct json_paths tree;
	uint16_t slot;

	if (scan[0] != NULL)
		return scan;
	json_paths_init(&tree);
	for (int i = 0; i < SLOTS; i++) {
		MUST(json_paths_add(&tree, paths[i], &slot, NULL) == SECOR_OK);
		MUST(slot == i);
	}
	for (int i = 0; i < VARIANTS; i++)
		scan[i] =
		    json_scan_new(&tree, (enum json_simd)(JSON_PLAIN + i));
	MUST(scan[0] != NULL);
	return scan;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_scan **scan = scanners();
	struct secor_bytes text = {(const char *)data, size};
	struct json_value *values = NULL, *first = NULL;
	struct secor_err err, reason;
	int rc = json_scan_run(scan[0], text, &first, &reason);

	for (int i = 1; i < VARIANTS; i++) {
		if (scan[i] == NULL) /* not on this machine */
			continue;
		MUST(json_scan_run(scan[i], text, &values, &err) == rc);
		if (rc == SECOR_OK)
			MUST(memcmp(values, first, SLOTS * sizeof(*values)) ==
			     0);
		else
			MUST(strcmp(err.text, reason.text) == 0);
	}
	compare(data, size, scan[0], rc, first);
	return 0;
}
