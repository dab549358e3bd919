/*
 * interpolate.c -- `${name}` in values, as commons-lang's StrSubstitutor does
 * it: what a variable stands for is looked through again; `$${` is a plain
 * `${`; no variables in names of variables, and no defaults.
 */
#include "core/base/buf.h"
#include "core/cli/migrate/properties.h"

#include <stdlib.h>
#include <string.h>

enum { LARGEST = 64 << 10, DEEPEST = 64, MOST_STEPS = 10000 };

struct looked {
	const struct properties *properties;
	const char *names[DEEPEST]; /* of variables that are being expanded */
	size_t lens[DEEPEST];
	size_t depth;
	size_t steps;
	struct buf out;
	char **open;
	struct secor_err *err;
};

static int expand(struct looked *looked, const char *text);

static const struct property *
find_define(const struct properties *properties, const char *key, size_t len)
{
	/* of the same -D twice the last counts */
	for (size_t i = properties->define_count; i-- > 0;) {
		const struct property *one = &properties->defines[i];

		if (strlen(one->key) == len && memcmp(one->key, key, len) == 0)
			return one;
	}
	return NULL;
}

static const struct property *
find(const struct properties *properties, const char *key, size_t len)
{
	const struct property *found = find_define(properties, key, len);

	for (size_t i = 0; found == NULL && i < properties->count; i++) {
		const struct property *one = &properties->items[i];

		if (strlen(one->key) == len && memcmp(one->key, key, len) == 0)
			found = one;
	}
	return found;
}

const struct property *
properties_find(const struct properties *properties, const char *key)
{
	return find(properties, key, strlen(key));
}

const char *
properties_get(const struct properties *properties, const char *key)
{
	const struct property *found = properties_find(properties, key);

	return found != NULL ? found->items[0] : NULL;
}

/* What the name stands for, or NULL. */
static const char *
value_of(const struct properties *properties, const char *name, size_t len)
{
	const struct property *found = NULL;
	char *variable;
	const char *value;

	if (len > 4 && memcmp(name, "env:", 4) == 0) {
		variable = mem_dup(name + 4, len - 4);
		value = getenv(variable);
		free(variable);
		if (value != NULL)
			return value;
	}
	if (len > 4 && memcmp(name, "sys:", 4) == 0)
		found = find_define(properties, name + 4, len - 4);
	if (found == NULL)
		found = find(properties, name, len);
	return found != NULL ? found->raw[0] : NULL;
}

static int
loops(const struct looked *looked, const char *name, size_t len)
{
	for (size_t i = 0; i < looked->depth; i++)
		if (looked->lens[i] == len &&
		    memcmp(looked->names[i], name, len) == 0)
			return 1;
	return 0;
}

static int
expand_name(struct looked *looked, const char *name, size_t len)
{
	const char *value = value_of(looked->properties, name, len);
	int rc;

	if (value == NULL) {
		if (*looked->open == NULL)
			*looked->open = mem_dup(name, len);
		buf_printf(&looked->out, "${%.*s}", (int)len, name);
		return SECOR_OK;
	}
	if (loops(looked, name, len) || looked->depth == DEEPEST)
		return secor_fail(looked->err, SECOR_REJECT,
		    "${%.*s} stands for itself in the end", (int)len, name);
	looked->names[looked->depth] = name;
	looked->lens[looked->depth++] = len;
	rc = expand(looked, value);
	looked->depth--;
	return rc;
}

static int
expand(struct looked *looked, const char *text)
{
	int rc = SECOR_OK;

	while (rc == SECOR_OK && *text != '\0') {
		const char *end = NULL;

		if (looked->out.len > LARGEST || ++looked->steps > MOST_STEPS)
			return secor_fail(looked->err, SECOR_REJECT,
			    "its variables make it longer than 64 KiB");
		if (strncmp(text, "$${", 3) == 0) {
			buf_puts(&looked->out, "${");
			text += 3;
			continue;
		}
		if (text[0] == '$' && text[1] == '{')
			end = strchr(text + 2, '}');
		if (end != NULL) {
			rc = expand_name(
			    looked, text + 2, (size_t)(end - text - 2));
			text = end + 1;
		} else {
			size_t n = 1 + strcspn(text + 1, "$");

			buf_put(&looked->out, text, n);
			text += n;
		}
	}
	return rc;
}

int
properties_interpolate(const struct properties *properties, const char *text,
    char **out, char **open, struct secor_err *err)
{
	struct looked looked = {
	    .properties = properties, .open = open, .err = err};
	int rc;

	buf_puts(&looked.out, "");
	rc = expand(&looked, text);
	if (rc == SECOR_OK)
		*out = buf_take(&looked.out);
	buf_fini(&looked.out);
	return rc;
}
