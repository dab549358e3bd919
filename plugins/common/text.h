/*
 * text.h -- text that grows, for what notifiers send.
 *
 * Running out of memory is remembered instead of reported by every call: look
 * at `failed` once, before the text is used.
 */
#ifndef SECOR_COMMON_TEXT_H
#define SECOR_COMMON_TEXT_H

#include <stddef.h>

struct text {
	char *ptr; /* NUL-ended once something was added */
	size_t len, room;
	int failed;
};

void text_add(struct text *text, const char *bytes, size_t n);
void text_adds(struct text *text, const char *string);
void text_addf(struct text *text, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* A JSON string with its quotes; NULL gives null. Bytes that are no UTF-8
 * become U+FFFD: JSON has no others. */
void text_add_json(struct text *text, const char *string);
/* What stands between those quotes. */
void text_add_json_inside(struct text *text, const char *string);

void text_fini(struct text *text);

/* Length of the UTF-8 sequence at `at`, 0 when there is none (also at NUL). */
size_t utf8_length(const char *at);
/* 1 when all of the string is UTF-8. */
int utf8_is(const char *string);

#endif
