/*
 * values.c -- durations, sizes and switches in configuration syntax, and the
 * guess at what a mistyped word should have been.
 */
#include "core/plugin/options.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct unit {
	const char *name;
	int64_t factor;
};

/* From large to small: a duration names each unit once, in this order. */
static const struct unit DURATIONS[] = {{"w", 7 * 86400000LL},
    {"d", 86400000LL}, {"h", 3600000LL}, {"m", 60000LL}, {"s", 1000LL},
    {"ms", 1LL}};

static const struct unit SIZES[] = {{"", 1}, {"B", 1}, {"KiB", 1LL << 10},
    {"MiB", 1LL << 20}, {"GiB", 1LL << 30}, {"TiB", 1LL << 40}, {"kB", 1000LL},
    {"KB", 1000LL}, {"MB", 1000000LL}, {"GB", 1000000000LL},
    {"TB", 1000000000000LL}};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Digits at *text into *n; moves *text behind them. 0 when there are none or
 * too many. */
static int
take_number(const char **text, int64_t *n)
{
	int64_t value = 0;
	const char *at = *text;

	if (!isdigit((unsigned char)*at))
		return 0;
	for (; isdigit((unsigned char)*at); at++) {
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, *at - '0', &value))
			return 0;
	}
	*text = at;
	*n = value;
	return 1;
}

/* The letters at *text as a unit behind `after`; its index or -1. */
static int
take_unit(const char **text, int after)
{
	size_t len = 0;

	while (isalpha((unsigned char)(*text)[len]))
		len++;
	for (int i = after + 1; i < (int)COUNT(DURATIONS); i++) {
		if (strlen(DURATIONS[i].name) == len &&
		    strncmp(DURATIONS[i].name, *text, len) == 0) {
			*text += len;
			return i;
		}
	}
	return -1;
}

int
parse_duration(const char *text, int64_t *ms)
{
	int64_t total = 0, n;
	int unit = -1;

	if (strcmp(text, "0") == 0 || strcmp(text, "unlimited") == 0) {
		*ms = *text == '0' ? 0 : -1;
		return SECOR_OK;
	}
	do {
		if (!take_number(&text, &n) ||
		    (unit = take_unit(&text, unit)) < 0)
			return SECOR_REJECT;
		if (__builtin_mul_overflow(n, DURATIONS[unit].factor, &n) ||
		    __builtin_add_overflow(total, n, &total))
			return SECOR_REJECT;
	} while (*text != '\0');
	*ms = total;
	return SECOR_OK;
}

int
parse_size(const char *text, int64_t *bytes)
{
	int64_t n;

	if (!take_number(&text, &n))
		return SECOR_REJECT;
	while (*text == ' ')
		text++;
	for (size_t i = 0; i < COUNT(SIZES); i++) {
		if (strcmp(SIZES[i].name, text) != 0)
			continue;
		if (__builtin_mul_overflow(n, SIZES[i].factor, &n))
			return SECOR_REJECT;
		*bytes = n;
		return SECOR_OK;
	}
	return SECOR_REJECT;
}

int
parse_bool(const char *text, int *value)
{
	static const char *const WORDS[] = {
	    "false", "true", "no", "yes", "off", "on"};

	for (size_t i = 0; i < COUNT(WORDS); i++) {
		if (strcasecmp(WORDS[i], text) == 0) {
			*value = (int)(i % 2);
			return SECOR_OK;
		}
	}
	return SECOR_REJECT;
}

void
show_duration(int64_t ms, char *dst, size_t room)
{
	size_t at = 0;

	if (ms <= 0) {
		(void)snprintf(dst, room, "%s", ms == 0 ? "0" : "unlimited");
		return;
	}
	for (size_t i = 0; i < COUNT(DURATIONS) && at < room; i++) {
		if (ms < DURATIONS[i].factor)
			continue;
		at += (size_t)snprintf(dst + at, room - at, "%lld%s",
		    (long long)(ms / DURATIONS[i].factor), DURATIONS[i].name);
		ms %= DURATIONS[i].factor;
	}
}

void
show_size(int64_t bytes, char *dst, size_t room)
{
	static const char *const UNITS[] = {"", "KiB", "MiB", "GiB", "TiB"};
	size_t unit = 0;

	while (bytes != 0 && bytes % 1024 == 0 && unit + 1 < COUNT(UNITS)) {
		bytes /= 1024;
		unit++;
	}
	(void)snprintf(dst, room, "%lld%s", (long long)bytes, UNITS[unit]);
}

/* '-' and '_' and the case of letters are one and the same here. */
static char
fold(char c)
{
	return c == '-' ? '_' : (char)tolower((unsigned char)c);
}

static size_t
min3(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;

	return least < c ? least : c;
}

/* Insertions, deletions, changes and swaps of neighbours that lead from a to
 * b, or a large number for words too long to be worth it. */
static size_t
distance(const char *a, const char *b)
{
	enum { LONGEST = 48 };
	size_t d[LONGEST + 1][LONGEST + 1];
	size_t la = strlen(a), lb = strlen(b);

	if (la > LONGEST || lb > LONGEST)
		return SIZE_MAX;
	for (size_t i = 0; i <= la; i++)
		d[i][0] = i;
	for (size_t j = 0; j <= lb; j++)
		d[0][j] = j;
	for (size_t i = 1; i <= la; i++) {
		for (size_t j = 1; j <= lb; j++) {
			size_t same = fold(a[i - 1]) == fold(b[j - 1]) ? 0 : 1;

			d[i][j] = min3(d[i - 1][j] + 1, d[i][j - 1] + 1,
			    d[i - 1][j - 1] + same);
			if (i > 1 && j > 1 &&
			    fold(a[i - 1]) == fold(b[j - 2]) &&
			    fold(a[i - 2]) == fold(b[j - 1]) &&
			    d[i - 2][j - 2] + 1 < d[i][j])
				d[i][j] = d[i - 2][j - 2] + 1;
		}
	}
	return d[la][lb];
}

const char *
nearest_word(const char *word, const char *const *words, size_t n)
{
	size_t limit = strlen(word) / 3 > 0 ? strlen(word) / 3 : 1;
	const char *nearest = NULL;

	for (size_t i = 0; i < n; i++) {
		size_t d = distance(word, words[i]);

		/* a word that has nothing in common is no suggestion */
		if (d > limit || d >= strlen(words[i]))
			continue;
		nearest = words[i];
		limit = d > 0 ? d - 1 : 0;
		if (d == 0)
			break;
	}
	return nearest;
}
