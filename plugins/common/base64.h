/*
 * base64.h -- base64 with `+`, `/` and padding (RFC 4648, 4).
 */
#ifndef SECOR_COMMON_BASE64_H
#define SECOR_COMMON_BASE64_H

#include <stddef.h>

#define BASE64_LEN(n) (((n) + 2) / 3 * 4)

/* BASE64_LEN(len) bytes at `to`. */
void base64_put(const char *bytes, size_t len, char *to);
/* At most len / 4 * 3 bytes at `to`: how many in *made. 0: it is none. */
int base64_get(const char *text, size_t len, char *to, size_t *made);

#endif
