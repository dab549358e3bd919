/*
 * show.c -- the values of a conf as text: for people (secrets hidden) and for
 * the fingerprint (whole).
 */
#include "core/plugin/options.h"

#include "core/base/buf.h"
#include "core/base/hash.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HIDDEN "***"

/* Whether a scalar needs quotes to come back as the same text. */
static int
is_plain(const char *text)
{
	static const char *const WORDS[] = {
	    "true", "false", "yes", "no", "on", "off", "null", "~"};
	size_t len = strlen(text);

	if (len == 0 || text[len - 1] == ' ' || text[len - 1] == ':')
		return 0;
	for (size_t i = 0; i < sizeof(WORDS) / sizeof(*WORDS); i++) {
		if (strcasecmp(WORDS[i], text) == 0)
			return 0;
	}
	if (strchr(" -?:,[]{}#&*!|>'\"%@`$", text[0]) != NULL)
		return 0;
	for (const char *at = text; *at != '\0'; at++) {
		if ((unsigned char)*at < ' ' || strchr(",[]{}\"\\$", *at))
			return 0;
	}
	return strstr(text, ": ") == NULL && strstr(text, " #") == NULL;
}

/* A YAML scalar; "$" doubles, because it is expanded when read. */
static void
put_scalar(struct buf *out, const char *text)
{
	if (is_plain(text)) {
		buf_puts(out, text);
		return;
	}
	buf_putc(out, '"');
	for (const char *at = text; *at != '\0'; at++) {
		if (*at == '"' || *at == '\\')
			buf_printf(out, "\\%c", *at);
		else if ((unsigned char)*at < ' ' || *at == 127)
			buf_printf(out, "\\x%02x", (unsigned char)*at);
		else if (*at == '$')
			buf_puts(out, "$$");
		else
			buf_putc(out, *at);
	}
	buf_putc(out, '"');
}

/* The same without name and password of a URL. */
static void
put_public(struct buf *out, const char *text)
{
	const char *scheme = strstr(text, "://");
	const char *at = scheme != NULL ? strchr(scheme, '@') : NULL;
	const char *path = scheme != NULL ? strchr(scheme + 3, '/') : NULL;
	char *safe;

	if (at == NULL || (path != NULL && path < at)) {
		put_scalar(out, text);
		return;
	}
	safe = mem_text("%.*s" HIDDEN "%s", (int)(scheme + 3 - text), text, at);
	put_scalar(out, safe);
	free(safe);
}

int
option_key_is_secret(const char *key)
{
	static const char *const PARTS[] = {"password", "passwd", "secret",
	    "token", "authorization", "cookie", "oauthbearer.config", ".pem",
	    "api-key", "api_key", "apikey", "jaas", "credential", "signature"};

	for (size_t i = 0; i < sizeof(PARTS) / sizeof(*PARTS); i++) {
		if (strcasestr(key, PARTS[i]) != NULL)
			return 1;
	}
	return 0;
}

static void
put_text(struct buf *out, const char *text, int hide)
{
	if (hide)
		buf_puts(out, "\"" HIDDEN "\"");
	else
		put_public(out, text);
}

static void
put_number(struct buf *out, const struct secor_option *row, const void *at)
{
	char text[64];

	switch (row->type) {
	case SECOR_TYPE_BOOL:
		buf_puts(out, *(const int *)at ? "true" : "false");
		break;
	case SECOR_TYPE_CHOICE:
		put_scalar(out, row->choices[*(const int *)at]);
		break;
	case SECOR_TYPE_INT:
		buf_printf(out, "%lld", (long long)*(const int64_t *)at);
		break;
	case SECOR_TYPE_SIZE:
		show_size(*(const int64_t *)at, text, sizeof(text));
		buf_puts(out, text);
		break;
	case SECOR_TYPE_DURATION:
		show_duration(*(const int64_t *)at, text, sizeof(text));
		buf_puts(out, text);
		break;
	case SECOR_TYPE_PERCENT:
		buf_printf(out, "%.15g%%", *(const double *)at * 100);
		break;
	default:
		buf_printf(out, "%.17g", *(const double *)at);
	}
}

static void
put_list(struct buf *out, const struct secor_strings *list, int hide)
{
	buf_putc(out, '[');
	for (size_t i = 0; i < list->count; i++) {
		buf_puts(out, i > 0 ? ", " : "");
		put_text(out, list->items[i], hide);
	}
	buf_putc(out, ']');
}

static void
put_map(struct buf *out, const struct secor_pairs *map, int hide)
{
	buf_putc(out, '{');
	for (size_t i = 0; i < map->count; i++) {
		const struct secor_pair *pair = &map->items[i];

		buf_puts(out, i > 0 ? ", " : "");
		put_scalar(out, pair->key);
		buf_puts(out, ": ");
		put_text(
		    out, pair->value, hide || option_key_is_secret(pair->key));
	}
	buf_putc(out, '}');
}

char *
options_show(const struct secor_option *row, const void *conf)
{
	const void *at = (const char *)conf + row->offset;
	int hide = (row->flags & SECOR_OPTION_SECRET) != 0;
	const char *const *text = at;
	struct buf out = {0};

	switch (row->type) {
	case SECOR_TYPE_STRING:
	case SECOR_TYPE_PATH:
		if (*text == NULL)
			return NULL;
		put_text(&out, *text, hide);
		break;
	case SECOR_TYPE_STRINGS:
		put_list(&out, at, hide);
		break;
	case SECOR_TYPE_PAIRS:
		put_map(&out, at, hide);
		break;
	default:
		if (hide)
			buf_puts(&out, "\"" HIDDEN "\"");
		else
			put_number(&out, row, at);
	}
	return buf_take(&out);
}

/* ---- fingerprint ---- */

static uint64_t
hash_value(uint64_t sofar, const struct secor_option *row, const void *conf)
{
	const void *at = (const char *)conf + row->offset;
	const struct secor_strings *list = at;
	const struct secor_pairs *map = at;
	struct buf text = {0};

	switch (row->type) {
	case SECOR_TYPE_STRING:
	case SECOR_TYPE_PATH:
		return hash64_add_text(sofar, *(const char *const *)at);
	case SECOR_TYPE_STRINGS:
		sofar = hash64_add_int(sofar, (int64_t)list->count);
		for (size_t i = 0; i < list->count; i++)
			sofar = hash64_add_text(sofar, list->items[i]);
		return sofar;
	case SECOR_TYPE_PAIRS:
		sofar = hash64_add_int(sofar, (int64_t)map->count);
		for (size_t i = 0; i < map->count; i++) {
			sofar = hash64_add_text(sofar, map->items[i].key);
			sofar = hash64_add_text(sofar, map->items[i].value);
		}
		return sofar;
	default:
		put_number(&text, row, at);
		sofar = hash64_add_text(sofar, text.ptr);
		buf_fini(&text);
		return sofar;
	}
}

static int
by_key(const void *a, const void *b)
{
	const struct secor_option *const *x = a, *const *y = b;

	return strcmp((*x)->key, (*y)->key);
}

uint64_t
options_output_hash(const struct options *opts, const void *conf)
{
	const struct secor_option **rows =
	    mem_alloc((opts->count + 1) * sizeof(*rows));
	void *unset = options_new(opts);
	uint64_t hash = 0;
	size_t n = 0;

	for (size_t i = 0; i < opts->count; i++) {
		const struct secor_option *row = options_row(opts, i);

		if ((row->flags & SECOR_OPTION_OUTPUT) &&
		    hash_value(0, row, conf) != hash_value(0, row, unset))
			rows[n++] = row;
	}
	qsort(rows, n, sizeof(*rows), by_key);
	for (size_t i = 0; i < n; i++) {
		hash = hash64_add_text(hash, rows[i]->key);
		hash = hash_value(hash, rows[i], conf);
	}
	options_free(opts, unset);
	free(rows);
	return hash;
}
