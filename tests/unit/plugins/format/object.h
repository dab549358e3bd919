/*
 * object.h -- objects in unit tests: made through a format as the engine does
 * it, and read back.
 */
#ifndef TESTS_UNIT_PLUGINS_FORMAT_OBJECT_H
#define TESTS_UNIT_PLUGINS_FORMAT_OBJECT_H

#include "plugins/common/grow.h"
#include "tests/unit/harness.h"

struct messages {
	struct secor_message *items;
	size_t count;
};

/* Appends a message with the next offset; NULL is a null value. The bytes are
 * copied. */
void messages_add(struct messages *messages, const void *value, size_t len);
void messages_text(struct messages *messages, const char *value);
void messages_free(struct messages *messages);

/* How the engine cuts: buffers of `buffer` bytes (drained by whole multiples of
 * 4096) for encode, groups of `group` records for write. */
struct cut {
	size_t buffer;
	size_t group;
};

/* SECOR_OK, or what a slot answered. */
int object_make(const struct plugin *plugin, const void *conf,
    const struct messages *messages, const struct cut *cut,
    struct grow *object);

/* An object as its source gives it: in pieces. */
struct stored {
	struct secor_bytes bytes;
	size_t piece;
};

/* Reads it all. The records are appended to `read`, offsets as far as the
 * format has them (else -1). */
int object_read(const struct plugin *plugin, const void *conf,
    const struct stored *object, struct messages *read, struct secor_err *err);

/* All that messages, or the records of an object, are, as text: a line each,
 * NUL-ended. */
void messages_dump(const struct messages *messages, struct grow *text);
int object_dump(const struct plugin *plugin, const void *conf,
    const struct stored *object, struct grow *text, struct secor_err *err);

/* Makes, reads back with pieces of several sizes and asserts that the same
 * values (null as empty) come back, with offsets where the format has them. */
void object_round_trip(const struct plugin *plugin, const void *conf,
    const struct messages *messages);

/* Asserts that several cuts give the same bytes. */
void object_same_for_any_cut(const struct plugin *plugin, const void *conf,
    const struct messages *messages);

/* Asserts that a sink that fails at its n-th put, whichever, ends the object
 * with SECOR_RETRY and that the next object of the instance is whole. */
void object_passes_failures_on(const struct plugin *plugin, const void *conf,
    const struct messages *messages);

#endif
