/*
 * json_value.h -- one JSON value of any kind: is it one, and where does it end.
 * The grammar of RFC 8259; nesting up to JSON_VALUE_DEPTH; strings are not
 * looked at for UTF-8.
 */
#ifndef SECOR_COMMON_JSON_VALUE_H
#define SECOR_COMMON_JSON_VALUE_H

#include <stddef.h>

#define JSON_VALUE_DEPTH 1024

/* Behind white space. */
const char *json_space_end(const char *p, const char *end);
/* Behind the value (string) that begins at p; NULL: it is none, or cut. */
const char *json_value_end(const char *p, const char *end);
const char *json_string_end(const char *p, const char *end);
/* All of it is one value, with white space around or not. */
int json_value_is(const char *text, size_t len);

#endif
