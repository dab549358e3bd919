/*
 * fields.h -- typed members of a JSON object that somebody else may have
 * written, and the first complaint: who reads goes on after one, so that no
 * checks are needed between them.
 */
#ifndef SECOR_FLOW_FIELDS_H
#define SECOR_FLOW_FIELDS_H

#include <secor/plugin.h>

#include <jansson.h>

struct fields {
	const json_t *from;
	const char *what; /* "manifest", "object"... */
	struct secor_err *err;
	int failed;
};

/* The text as JSON; NULL after SECOR_REJECT's sentence "not a <what>: ...".
 * The caller gives it back with json_decref. */
json_t *fields_load(
    const char *text, size_t len, const char *what, struct secor_err *err);

void fields_fail(struct fields *fields, const char *name, const char *why);

/* `min` after a complaint. */
int64_t
fields_int(struct fields *fields, const char *name, int64_t min, int64_t max);
uint64_t fields_count(struct fields *fields, const char *name);
/* Without NUL in it; "" after a complaint. Borrowed from the JSON. */
const char *fields_text(struct fields *fields, const char *name);
uint64_t fields_hex(struct fields *fields, const char *name, size_t digits);

/* A key that a store may be asked for: relative, no "." or ".." component. */
int fields_plain_key(const char *key);

#endif
