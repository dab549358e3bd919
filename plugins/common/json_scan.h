/*
 * json_scan.h -- one pass over a JSON object: is it one, and where are the
 * values that are wanted.
 *
 * What is checked: the whole grammar of RFC 8259, that the text is one object
 * and nothing else (no byte order mark, nothing behind it), nesting up to
 * JSON_DEPTH. What is not: that strings are UTF-8 (their bytes are passed on),
 * that `\u` escapes come in whole pairs (half a pair reads as U+FFFD), and the
 * size of numbers. Of a name that occurs twice in an object the last one holds,
 * also for what lies below it. Names are compared after their escapes.
 */
#ifndef PLUGINS_COMMON_JSON_SCAN_H
#define PLUGINS_COMMON_JSON_SCAN_H

#include "plugins/common/json_index.h"
#include "plugins/common/json_paths.h"

#define JSON_DEPTH 2048

enum json_kind {
	JSON_KIND_ABSENT = 0,
	JSON_KIND_STRING,
	JSON_KIND_NUMBER,
	JSON_KIND_TRUE,
	JSON_KIND_FALSE,
	JSON_KIND_NULL,
	JSON_KIND_OBJECT,
	JSON_KIND_ARRAY
};

struct json_value {
	const char *ptr; /* in the text: of a string what is between quotes */
	uint32_t len;	 /* 0 for objects and arrays */
	uint8_t kind;	 /* enum json_kind */
	uint8_t escaped; /* a string with backslashes */
};

struct json_scan;

/* Borrows `paths`, to which nothing may be added any more. NULL when the
 * machine cannot do `simd`, or without memory. */
struct json_scan *
json_scan_new(const struct json_paths *paths, enum json_simd simd);
void json_scan_free(struct json_scan *scan);

/* SECOR_OK with *values: one a slot, valid until the next run or the end of
 * the text; or SECOR_REJECT: "not a JSON object: ...". */
int json_scan_run(struct json_scan *scan, struct secor_bytes text,
    struct json_value **values, struct secor_err *err);

/* The bytes of a value of the last run: a string without its escapes (memory
 * of the scan, valid until the next run; *value then points there), a number or
 * literal as it stands. */
struct secor_bytes
json_scan_text(struct json_scan *scan, struct json_value *value);

/* "a string", "an object"... */
const char *json_kind_text(int kind);

#endif
