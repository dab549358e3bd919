/*
 * text.h -- UTF-8, base64, hex and JSON strings. No state, any thread.
 */
#ifndef SECOR_BASE_TEXT_H
#define SECOR_BASE_TEXT_H

#include "core/base/buf.h"

#include <stdint.h>

/* Bytes of the well-formed UTF-8 character at `at` (no surrogates, no overlong
 * forms); 0 when there is none. */
size_t utf8_char(const char *at, size_t left);
int utf8_valid(const char *text, size_t len);

/* Appends. The decoder takes padded text only; it returns 0 and leaves `out`
 * as it was when `text` is not base64. */
void base64_encode(struct buf *out, const void *bytes, size_t len);
int base64_decode(struct buf *out, const char *text, size_t len);

int hex_digit(char c); /* its value, or -1 */
/* Appends; 0 and `out` as it was when `text` is not pairs of hex digits. */
int hex_decode(struct buf *out, const char *text, size_t len);

/* Appends a JSON string with its quotes; bytes that are not UTF-8 become
 * U+FFFD. */
void json_put_string(struct buf *out, const char *text, size_t len);

#endif
