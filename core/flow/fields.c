/*
 * fields.c -- see fields.h.
 */
#include "core/flow/fields.h"

#include "core/base/text.h"

#include <string.h>

json_t *
fields_load(
    const char *text, size_t len, const char *what, struct secor_err *err)
{
	json_error_t why;
	json_t *json = json_loadb(
	    text, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &why);

	if (json == NULL)
		(void)secor_fail(err, SECOR_REJECT, "not a %s: line %d: %.200s",
		    what, why.line, why.text);
	return json;
}

void
fields_fail(struct fields *fields, const char *name, const char *why)
{
	if (!fields->failed)
		(void)secor_fail(fields->err, SECOR_REJECT, "%s: '%s' %s",
		    fields->what, name, why);
	fields->failed = 1;
}

int64_t
fields_int(struct fields *fields, const char *name, int64_t min, int64_t max)
{
	const json_t *value = json_object_get(fields->from, name);
	int64_t number = json_integer_value(value);

	if (!json_is_integer(value) || number < min || number > max) {
		fields_fail(
		    fields, name, "is missing or not a number in range");
		return min;
	}
	return number;
}

uint64_t
fields_count(struct fields *fields, const char *name)
{
	return (uint64_t)fields_int(fields, name, 0, INT64_MAX);
}

const char *
fields_text(struct fields *fields, const char *name)
{
	const json_t *value = json_object_get(fields->from, name);

	if (!json_is_string(value) ||
	    strlen(json_string_value(value)) != json_string_length(value)) {
		fields_fail(fields, name, "is missing or not text");
		return "";
	}
	return json_string_value(value);
}

uint64_t
fields_hex(struct fields *fields, const char *name, size_t digits)
{
	const char *text = fields_text(fields, name);
	uint64_t number = 0;

	if (strlen(text) != digits) {
		fields_fail(fields, name, "is not a hash in hex");
		return 0;
	}
	for (; *text != '\0'; text++) {
		if (hex_digit(*text) < 0)
			fields_fail(fields, name, "is not a hash in hex");
		number = number << 4 | (uint64_t)(hex_digit(*text) & 15);
	}
	return number;
}

int
fields_plain_key(const char *key)
{
	if (key[0] == '\0' || strlen(key) > 4096)
		return 0;
	for (;;) {
		size_t len = strcspn(key, "/");

		if (len == 0 || strspn(key, ".") == len)
			return 0;
		if (key[len] == '\0')
			return 1;
		key += len + 1;
	}
}
