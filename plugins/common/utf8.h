/*
 * utf8.h -- whether bytes are UTF-8: shortest forms, no surrogates, up to
 * U+10FFFF (RFC 3629). NUL is a character like others.
 */
#ifndef SECOR_COMMON_UTF8_H
#define SECOR_COMMON_UTF8_H

#include <stddef.h>

int utf8_are(const char *bytes, size_t len);

#endif
