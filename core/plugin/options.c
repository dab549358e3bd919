/*
 * options.c -- sets, copies and frees the members that option rows describe.
 *
 * A conf owns every string and list in it; members that no row names stay 0.
 */
#include "core/plugin/options.h"

#include "core/base/buf.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A number of any of the numeric types, for limits. */
union number {
	int64_t whole;
	double real;
};

static void *
member(const struct secor_option *row, void *conf)
{
	return (char *)conf + row->offset;
}

const struct secor_option *
options_row(const struct options *opts, size_t i)
{
	/* an older plugin's rows are shorter: the stride is theirs */
	return (const void *)((const char *)opts->rows + i * opts->row_size);
}

const struct secor_option *
options_find(const struct options *opts, const char *key)
{
	for (size_t i = 0; i < opts->count; i++) {
		if (strcmp(options_row(opts, i)->key, key) == 0)
			return options_row(opts, i);
	}
	return NULL;
}

/* ---- lists and maps ---- */

static void
clear(const struct secor_option *row, void *conf)
{
	struct secor_strings *list = member(row, conf);
	struct secor_pairs *map = member(row, conf);
	const char **text = member(row, conf);

	switch (row->type) {
	case SECOR_TYPE_STRING:
	case SECOR_TYPE_PATH:
		free((void *)*text);
		*text = NULL;
		break;
	case SECOR_TYPE_STRINGS:
		for (size_t i = 0; i < list->count; i++)
			free((void *)list->items[i]);
		free((void *)list->items);
		*list = (struct secor_strings){0};
		break;
	case SECOR_TYPE_PAIRS:
		for (size_t i = 0; i < map->count; i++) {
			free((void *)map->items[i].key);
			free((void *)map->items[i].value);
		}
		free((void *)map->items);
		*map = (struct secor_pairs){0};
		break;
	default:
		break;
	}
}

static void
fill_list(const struct secor_option *row, void *conf, const char *const *values,
    size_t n)
{
	struct secor_strings *list = member(row, conf);
	const char **items = mem_alloc((n + 1) * sizeof(*items));

	for (size_t i = 0; i < n; i++)
		items[i] = mem_dup(values[i], strlen(values[i]));
	clear(row, conf);
	list->items = items;
	list->count = n;
}

static void
fill_map(const struct secor_option *row, void *conf, const char *const *keys,
    const char *const *values, size_t n)
{
	struct secor_pairs *map = member(row, conf);
	struct secor_pair *items = mem_alloc((n + 1) * sizeof(*items));

	for (size_t i = 0; i < n; i++) {
		items[i].key = mem_dup(keys[i], strlen(keys[i]));
		items[i].value = mem_dup(values[i], strlen(values[i]));
	}
	clear(row, conf);
	map->items = items;
	map->count = n;
}

static void
copy_map(
    const struct secor_option *row, const struct secor_pairs *from, void *to)
{
	const char **words = mem_alloc((2 * from->count + 1) * sizeof(*words));

	for (size_t i = 0; i < from->count; i++) {
		words[i] = from->items[i].key;
		words[from->count + i] = from->items[i].value;
	}
	fill_map(row, to, words, words + from->count, from->count);
	free(words);
}

int
options_set_list(const struct secor_option *row, void *conf,
    const char *const *keys, const char *const *values, size_t n,
    struct secor_err *err)
{
	if (row->type == SECOR_TYPE_STRINGS && keys == NULL)
		fill_list(row, conf, values, n);
	else if (row->type == SECOR_TYPE_PAIRS && keys != NULL)
		fill_map(row, conf, keys, values, n);
	else
		return secor_fail(err, SECOR_REJECT, "%s: is %s, not a %s",
		    row->key, option_type_phrase(row->type),
		    keys == NULL ? "list" : "map");
	return SECOR_OK;
}

/* ---- scalars ---- */

const char *
option_type_phrase(int type)
{
	static const char *const PHRASES[] = {"a value", "true or false",
	    "a whole number", "a size (like 64KiB, 200MiB or 1GB)",
	    "a duration (like 250ms, 10m or 1h30m)", "a text",
	    "one of its words", "a list", "a map", "a number",
	    "a share (like 10%)", "a path"};

	if (type < 0 || (size_t)type >= sizeof(PHRASES) / sizeof(*PHRASES))
		type = 0;
	return PHRASES[type];
}

static int
parse_real(const char *text, int percent, double *value)
{
	char *end;
	double parsed = strtod(text, &end);

	if (end == text || !isfinite(parsed))
		return SECOR_REJECT;
	if (percent && *end == '%') {
		parsed /= 100;
		end++;
	}
	if (*end != '\0')
		return SECOR_REJECT;
	*value = parsed;
	return SECOR_OK;
}

static int
parse_int(const char *text, int64_t *value)
{
	char *end;
	long long parsed;

	errno = 0;
	parsed = strtoll(text, &end, 10);
	if (end == text || *end != '\0' || errno != 0)
		return SECOR_REJECT;
	*value = parsed;
	return SECOR_OK;
}

static int
is_real(const struct secor_option *row)
{
	return row->type == SECOR_TYPE_DOUBLE ||
	       row->type == SECOR_TYPE_PERCENT;
}

static int
parse_number(
    const struct secor_option *row, const char *text, union number *number)
{
	switch (row->type) {
	case SECOR_TYPE_INT:
		return parse_int(text, &number->whole);
	case SECOR_TYPE_SIZE:
		return parse_size(text, &number->whole);
	case SECOR_TYPE_DURATION:
		return parse_duration(text, &number->whole);
	case SECOR_TYPE_DOUBLE:
		return parse_real(text, 0, &number->real);
	default:
		return parse_real(text, 1, &number->real);
	}
}

/* -1 when `number` is below `limit`, 1 when above. */
static int
compare(const struct secor_option *row, union number number, const char *limit)
{
	union number edge = {0};
	int rc = parse_number(row, limit, &edge);

	assert(rc == SECOR_OK); /* a limit that the author mistyped */
	if (is_real(row))
		return (number.real > edge.real) - (number.real < edge.real);
	return (number.whole > edge.whole) - (number.whole < edge.whole);
}

/* The limits that a row has without saying so. */
static const char *
lower_limit(const struct secor_option *row)
{
	if (row->min != NULL)
		return row->min;
	return row->type == SECOR_TYPE_DURATION ||
		       row->type == SECOR_TYPE_PERCENT
		   ? "0"
		   : NULL;
}

static const char *
upper_limit(const struct secor_option *row)
{
	if (row->max != NULL)
		return row->max;
	return row->type == SECOR_TYPE_PERCENT ? "100%" : NULL;
}

static int
set_number(const struct secor_option *row, void *conf, const char *text,
    const char *shown, struct secor_err *err)
{
	const char *min = lower_limit(row), *max = upper_limit(row);
	union number number = {0};

	if (parse_number(row, text, &number) != SECOR_OK)
		return secor_fail(err, SECOR_REJECT, "%s: '%s' is not %s",
		    row->key, shown, option_type_phrase(row->type));
	if (min != NULL && compare(row, number, min) < 0)
		return secor_fail(err, SECOR_REJECT,
		    "%s: %s is less than %s, the least allowed", row->key,
		    shown, min);
	if (max != NULL && compare(row, number, max) > 0)
		return secor_fail(err, SECOR_REJECT,
		    "%s: %s is more than %s, the most allowed", row->key, shown,
		    max);
	if (is_real(row))
		*(double *)member(row, conf) = number.real;
	else
		*(int64_t *)member(row, conf) = number.whole;
	return SECOR_OK;
}

static int
set_choice(const struct secor_option *row, void *conf, const char *text,
    const char *shown, struct secor_err *err)
{
	struct buf words = {0};
	const char *near;
	size_t n;

	for (n = 0; row->choices[n] != NULL; n++) {
		if (strcmp(row->choices[n], text) == 0) {
			*(int *)member(row, conf) = (int)n;
			buf_fini(&words);
			return SECOR_OK;
		}
		buf_printf(&words, "%s%s", n > 0 ? ", " : "", row->choices[n]);
	}
	near = nearest_word(text, row->choices, n);
	(void)secor_fail(err, SECOR_REJECT, "%s: '%s' is not one of %s%s%s%s",
	    row->key, shown, words.ptr, near != NULL ? "; did you mean '" : "",
	    near != NULL ? near : "", near != NULL ? "'?" : "");
	buf_fini(&words);
	return SECOR_REJECT;
}

int
options_set(const struct secor_option *row, void *conf, const char *text,
    struct secor_err *err)
{
	return options_set_shown(row, conf, text, text, err);
}

int
options_set_shown(const struct secor_option *row, void *conf, const char *text,
    const char *shown, struct secor_err *err)
{
	const char **string = member(row, conf);

	switch (row->type) {
	case SECOR_TYPE_STRING:
	case SECOR_TYPE_PATH:
		text = mem_dup(text, strlen(text));
		clear(row, conf);
		*string = text;
		return SECOR_OK;
	case SECOR_TYPE_STRINGS:
		fill_list(row, conf, &text, 1);
		return SECOR_OK;
	case SECOR_TYPE_PAIRS:
		return secor_fail(err, SECOR_REJECT,
		    "%s: is a map (like {key: value}), not one value",
		    row->key);
	case SECOR_TYPE_BOOL:
		if (parse_bool(text, member(row, conf)) != SECOR_OK)
			return secor_fail(err, SECOR_REJECT,
			    "%s: '%s' is not true or false", row->key, shown);
		return SECOR_OK;
	case SECOR_TYPE_CHOICE:
		return set_choice(row, conf, text, shown, err);
	default:
		return set_number(row, conf, text, shown, err);
	}
}

/* ---- whole structures ---- */

static char *
trim(char *text)
{
	size_t len;

	text += strspn(text, " ");
	len = strlen(text);
	while (len > 0 && text[len - 1] == ' ')
		text[--len] = '\0';
	return text;
}

enum { MOST_ITEMS = 64 };

/* Splits "a, b" or "k: v, k: v" in place. The number of items. */
static size_t
split_items(char *inside, int map, const char **keys, const char **values)
{
	size_t n = 0;
	char *save = NULL;

	for (char *item = strtok_r(inside, ",", &save); item != NULL;
	     item = strtok_r(NULL, ",", &save)) {
		char *colon = map ? strstr(item, ": ") : NULL;

		assert(n < MOST_ITEMS && (!map || colon != NULL));
		if (colon != NULL)
			*colon = '\0';
		keys[n] = trim(item);
		values[n++] = trim(colon != NULL ? colon + 2 : item);
	}
	return n;
}

int
options_set_text(const struct secor_option *row, void *conf, const char *text,
    struct secor_err *err)
{
	const char *keys[MOST_ITEMS], *values[MOST_ITEMS];
	size_t len = strlen(text);
	int map = row->type == SECOR_TYPE_PAIRS;
	char *inside;
	size_t n;
	int rc;

	if (!map && row->type != SECOR_TYPE_STRINGS)
		return options_set(row, conf, text, err);
	if (len < 2 || text[0] != (map ? '{' : '[') ||
	    text[len - 1] != (map ? '}' : ']'))
		return options_set(row, conf, text, err);
	inside = mem_dup(text + 1, len - 2);
	n = *trim(inside) == '\0' ? 0 : split_items(inside, map, keys, values);
	rc = options_set_list(row, conf, map ? keys : NULL, values, n, err);
	free(inside);
	return rc;
}

static void *
conf_alloc(const struct options *opts)
{
	return mem_alloc(opts->conf_size > 0 ? opts->conf_size : 1);
}

void
options_init(const struct options *opts, void *conf)
{
	for (size_t i = 0; i < opts->count; i++) {
		const struct secor_option *row = options_row(opts, i);

		if (row->def != NULL &&
		    options_set_text(row, conf, row->def, NULL) != SECOR_OK)
			assert(!"the default of an option does not parse");
	}
}

void *
options_new(const struct options *opts)
{
	void *conf = conf_alloc(opts);

	options_init(opts, conf);
	return conf;
}

static size_t
scalar_size(int type)
{
	switch (type) {
	case SECOR_TYPE_BOOL:
	case SECOR_TYPE_CHOICE:
		return sizeof(int);
	case SECOR_TYPE_DOUBLE:
	case SECOR_TYPE_PERCENT:
		return sizeof(double);
	default:
		return sizeof(int64_t);
	}
}

static void
copy_member(const struct secor_option *row, const void *from, void *to)
{
	const void *source = (const char *)from + row->offset;
	const struct secor_strings *list = source;
	const struct secor_pairs *map = source;
	const char *const *text = source;

	switch (row->type) {
	case SECOR_TYPE_STRING:
	case SECOR_TYPE_PATH:
		if (*text != NULL)
			(void)options_set(row, to, *text, NULL);
		break;
	case SECOR_TYPE_STRINGS:
		fill_list(row, to, list->items, list->count);
		break;
	case SECOR_TYPE_PAIRS:
		copy_map(row, map, to);
		break;
	default:
		memcpy(member(row, to), source, scalar_size(row->type));
	}
}

void
options_copy_into(const struct options *opts, const void *from, void *to)
{
	for (size_t i = 0; i < opts->count; i++)
		copy_member(options_row(opts, i), from, to);
}

void *
options_copy(const struct options *opts, const void *conf)
{
	void *copy = conf_alloc(opts);

	options_copy_into(opts, conf, copy);
	return copy;
}

void
options_fini(const struct options *opts, void *conf)
{
	for (size_t i = 0; i < opts->count; i++)
		clear(options_row(opts, i), conf);
}

void
options_free(const struct options *opts, void *conf)
{
	if (conf == NULL)
		return;
	options_fini(opts, conf);
	free(conf);
}
