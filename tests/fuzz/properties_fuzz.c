/*
 * properties_fuzz.c -- any bytes as property files: read to their end, and made
 * into a configuration with remarks. Files are parted by lines `--- name`, so
 * that they include each other.
 */
#include "core/base/buf.h"
#include "core/cli/migrate/migration.h"
#include "tests/fuzz/fuzz.h"

#include <ctype.h>

struct input {
	const char *bytes;
	size_t len;
};

/* The part that begins with "--- path\n"; the first has no name. */
static int
load(
    void *arg, const char *path, char **bytes, size_t *n, struct secor_err *err)
{
	const struct input *input = arg;
	const char *at = input->bytes, *end = at + input->len;
	size_t len = strlen(path);
	int found = strcmp(path, "first") == 0;

	while (at < end) {
		const char *next = memmem(at, (size_t)(end - at), "\n--- ", 5);
		const char *stop = next != NULL ? next + 1 : end;

		if (found) {
			*n = (size_t)(stop - at);
			*bytes = mem_dup(at, *n);
			return SECOR_OK;
		}
		if (next == NULL)
			break;
		at = next + 5;
		if ((size_t)(end - at) > len && memcmp(at, path, len) == 0 &&
		    at[len] == '\n') {
			at += len + 1;
			found = 1;
		}
	}
	if (found || len == 0 || (input->len == 0 && found)) {
		*n = 0;
		*bytes = mem_dup("", 0);
		return SECOR_OK;
	}
	return secor_fail(err, SECOR_RETRY, "%s: not here", path);
}

static void
hear(void *arg, enum property_level level, const struct property_place *place,
    const char *text)
{
	(void)arg;
	MUST(level == PROPERTY_ERROR || level == PROPERTY_WARNING);
	MUST(place->file != NULL && *text != '\0');
}

static void
hear_remark(void *arg, enum remark remark, const struct property_place *place,
    const char *text)
{
	size_t *todo = arg;

	MUST(place == NULL || place->file != NULL);
	MUST(*text != '\0');
	*todo += remark == REMARK_TODO;
}

static void
hear_line(void *arg, const char *text)
{
	(void)arg;
	MUST(*text != '\0');
}

static void
check(const struct properties *properties)
{
	for (size_t i = 0; i < properties->count; i++) {
		const struct property *one = &properties->items[i];

		MUST(one->count > 0 && one->items != NULL);
		MUST(properties_find(properties, one->key) != NULL);
		for (size_t k = 0; k < one->count; k++)
			MUST(one->items[k] != NULL &&
			     strlen(one->items[k]) <= (1 << 20));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {(const char *)data, size};
	const struct secor_strings none = {NULL, 0};
	struct properties_how how = {.load = load, .say = hear, .arg = &input};
	struct properties properties;
	struct migration m = {.properties = &properties, .say = hear_remark};
	size_t todo = 0;
	char *yaml;

	MUST(properties_read(&properties, "first", &none, &how, NULL) ==
	     SECOR_OK);
	check(&properties);
	m.arg = &todo;
	yaml = migrate(&m);
	MUST(strstr(yaml, "\nkafka:\n") != NULL);
	MUST(strstr(yaml, "\nstore:\n") != NULL);
	MUST(m.todo == todo);
	takeover(&m, "FILE", hear_line, NULL);
	free(yaml);
	properties_free(&properties);
	return 0;
}
