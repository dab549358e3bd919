/*
 * unescape.c -- the two passes over a value: escapes first, commas then. A
 * comma is escaped for the second, so the first one leaves its backslash; and
 * the second one has the backslash as its own escape, but only in values that
 * have a comma at all.
 */
#include "core/base/buf.h"
#include "core/cli/migrate/properties.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define REPLACEMENT 0xfffd

/* ---- escapes ---- */

static void
put_utf8(struct buf *out, unsigned code)
{
	if (code < 0x80) {
		buf_putc(out, (char)code);
		return;
	}
	if (code < 0x800) {
		buf_putc(out, (char)(0xc0 | code >> 6));
	} else if (code < 0x10000) {
		buf_putc(out, (char)(0xe0 | code >> 12));
		buf_putc(out, (char)(0x80 | (code >> 6 & 0x3f)));
	} else {
		buf_putc(out, (char)(0xf0 | code >> 18));
		buf_putc(out, (char)(0x80 | (code >> 12 & 0x3f)));
		buf_putc(out, (char)(0x80 | (code >> 6 & 0x3f)));
	}
	buf_putc(out, (char)(0x80 | (code & 0x3f)));
}

/* Four digits at `at`; -1 when they are none. */
static int
hex4(const char *at, size_t left)
{
	int code = 0;

	if (left < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		unsigned char c = (unsigned char)at[i];

		if (!isxdigit(c))
			return -1;
		code =
		    code * 16 + (isdigit(c) ? c - '0' : tolower(c) - 'a' + 10);
	}
	return code;
}

static int
is_high(int code)
{
	return code >= 0xd800 && code < 0xdc00;
}

static int
is_low(int code)
{
	return code >= 0xdc00 && code < 0xe000;
}

/* Digits behind a \u; how many bytes were taken, 0: not four digits. */
static size_t
put_unicode(struct buf *out, const char *at, size_t left)
{
	int code = hex4(at, left), low = -1;

	if (code < 0)
		return 0;
	if (is_high(code) && left >= 10 && at[4] == '\\' && at[5] == 'u')
		low = hex4(at + 6, left - 6);
	if (is_low(low)) {
		put_utf8(out, 0x10000 + ((unsigned)(code - 0xd800) << 10) +
				  (unsigned)(low - 0xdc00));
		return 10;
	}
	/* half a pair is no character, and a NUL ends texts here */
	if (code == 0 || is_high(code) || is_low(code))
		code = REPLACEMENT;
	put_utf8(out, (unsigned)code);
	return 4;
}

static void
put_escape(struct buf *out, char c)
{
	static const char NAMES[] = "rftnb", MEANS[] = "\r\f\t\n\b";
	const char *name = strchr(NAMES, c);

	if (c == ',')
		buf_puts(out, "\\,");
	else
		put_utf8(out, name != NULL ? (unsigned char)MEANS[name - NAMES]
					   : (unsigned char)c);
}

char *
property_unescape(const char *bytes, size_t len, const char **why)
{
	struct buf out = {0};

	buf_puts(&out, "");
	for (size_t i = 0; i < len; i++) {
		size_t taken;

		if (bytes[i] != '\\' || i + 1 == len) {
			put_utf8(&out, bytes[i] == '\0'
					   ? REPLACEMENT
					   : (unsigned char)bytes[i]);
			continue;
		}
		if (bytes[++i] != 'u') {
			put_escape(&out, bytes[i] == '\0' ? '?' : bytes[i]);
			continue;
		}
		taken = put_unicode(&out, bytes + i + 1, len - i - 1);
		if (taken == 0) {
			*why = "has \\u without four hexadecimal digits";
			buf_fini(&out);
			return NULL;
		}
		i += taken;
	}
	return buf_take(&out);
}

/* ---- lists ---- */

static void
add_item(char ***items, size_t *count, struct buf *item)
{
	char *text = item->ptr;
	size_t from = 0, until = item->len;

	while (from < until && (unsigned char)text[from] <= ' ')
		from++;
	while (until > from && (unsigned char)text[until - 1] <= ' ')
		until--;
	*items = mem_grow(*items, (*count + 1) * sizeof(**items));
	(*items)[(*count)++] = mem_dup(text + from, until - from);
	item->len = 0;
	buf_puts(item, "");
}

size_t
property_split(const char *value, char ***items)
{
	const char *comma = strchr(value, ',');
	struct buf item = {0};
	size_t count = 0;

	*items = NULL;
	buf_puts(&item, "");
	/* sic: one that begins with its only comma is no list */
	if (comma == NULL || comma == value) {
		*items = mem_alloc(sizeof(**items));
		(*items)[0] = mem_dup(value, strlen(value));
		buf_fini(&item);
		return 1;
	}
	for (; *value != '\0'; value++) {
		if (*value == '\\' && (value[1] == ',' || value[1] == '\\'))
			buf_putc(&item, *++value);
		else if (*value == ',')
			add_item(items, &count, &item);
		else
			buf_putc(&item, *value);
	}
	add_item(items, &count, &item);
	buf_fini(&item);
	return count;
}
