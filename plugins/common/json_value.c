/*
 * json_value.c -- see json_value.h. No recursion: what is open is a bit each.
 */
#include "plugins/common/json_value.h"

#include "plugins/common/json_text.h"

#include <assert.h>

/* What is open: objects are set bits. */
struct nest {
	size_t depth;
	uint64_t objects[JSON_VALUE_DEPTH / 64];
};

const char *
json_space_end(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
		p++;
	return p;
}

const char *
json_string_end(const char *p, const char *end)
{
	const char *begin = p + 1;
	int escaped = 0;

	if (p >= end || *p != '"')
		return NULL;
	for (p = begin; p < end && *p != '"'; p++) {
		if ((unsigned char)*p < 0x20)
			return NULL;
		if (*p == '\\') {
			escaped = 1;
			if (++p == end)
				return NULL;
		}
	}
	if (p == end ||
	    (escaped && !json_escapes_good(begin, (size_t)(p - begin))))
		return NULL;
	return p + 1;
}

static const char *
word_end(const char *p, const char *end, const char *word)
{
	size_t n = strlen(word);

	return (size_t)(end - p) >= n && memcmp(p, word, n) == 0 ? p + n : NULL;
}

static const char *
digits_end(const char *p, const char *end)
{
	while (p < end && json_digit(*p))
		p++;
	return p;
}

/* Unlike json_number_end: nothing needs to stand behind it. */
static const char *
number_end(const char *p, const char *end)
{
	const char *digits;

	p += *p == '-';
	digits = p;
	p = digits_end(p, end);
	if (p == digits || (*digits == '0' && p - digits > 1))
		return NULL;
	if (p < end && *p == '.') {
		digits = p + 1;
		p = digits_end(digits, end);
		if (p == digits)
			return NULL;
	}
	if (p < end && (*p == 'e' || *p == 'E')) {
		p++;
		p += p < end && (*p == '+' || *p == '-');
		digits = p;
		p = digits_end(digits, end);
		if (p == digits)
			return NULL;
	}
	return p;
}

/* A value that holds no others. */
static const char *
scalar_end(const char *p, const char *end)
{
	switch (*p) {
	case '"':
		return json_string_end(p, end);
	case 't':
		return word_end(p, end, "true");
	case 'f':
		return word_end(p, end, "false");
	case 'n':
		return word_end(p, end, "null");
	default:
		return number_end(p, end);
	}
}

static int
in_object(const struct nest *nest)
{
	size_t top = nest->depth - 1;

	return (int)(nest->objects[top / 64] >> (top % 64) & 1);
}

static int
push(struct nest *nest, int object)
{
	size_t top = nest->depth++;

	if (top == JSON_VALUE_DEPTH)
		return 0;
	nest->objects[top / 64] &= ~(UINT64_C(1) << (top % 64));
	nest->objects[top / 64] |= (uint64_t)object << (top % 64);
	return 1;
}

/* A name and its colon: behind them, where the value begins. */
static const char *
name_end(const char *p, const char *end)
{
	p = json_string_end(json_space_end(p, end), end);
	if (p == NULL)
		return NULL;
	p = json_space_end(p, end);
	return p < end && *p == ':' ? json_space_end(p + 1, end) : NULL;
}

/* Behind a value: what is closed, then a comma and where the next value begins.
 * *done: nothing is open any more. */
static const char *
after_value(struct nest *nest, const char *p, const char *end, int *done)
{
	while (nest->depth > 0) {
		const char *q = json_space_end(p, end);

		if (q == end)
			return NULL;
		if (*q == ',')
			return in_object(nest) ? name_end(q + 1, end)
					       : json_space_end(q + 1, end);
		if (*q != (in_object(nest) ? '}' : ']'))
			return NULL;
		nest->depth--;
		p = q + 1;
	}
	*done = 1;
	return p;
}

const char *
json_value_end(const char *p, const char *end)
{
	struct nest nest = {0, {0}};
	int done = 0;

	while (p != NULL && !done) {
		if (p >= end)
			return NULL;
		if (*p == '{' || *p == '[') {
			int object = *p == '{';
			const char *q = json_space_end(p + 1, end);

			if (!push(&nest, object) || q == end)
				return NULL;
			if (*q == (object ? '}' : ']'))
				p = after_value(&nest, q, end, &done);
			else
				p = object ? name_end(q, end) : q;
			continue;
		}
		p = scalar_end(p, end);
		if (p != NULL)
			p = after_value(&nest, p, end, &done);
	}
	return p;
}

int
json_value_is(const char *text, size_t len)
{
	const char *end = text + len;
	const char *p;

	if (len == 0)
		return 0;
	p = json_value_end(json_space_end(text, end), end);
	return p != NULL && json_space_end(p, end) == end;
}
