/*
 * keys.h -- every key that the original reads, ships or documents: one row
 * each.
 */
#ifndef SECOR_CLI_MIGRATE_KEYS_H
#define SECOR_CLI_MIGRATE_KEYS_H

#include <stddef.h>
#include <stdint.h>

enum key_type { KEY_TEXT, KEY_INT, KEY_BOOL, KEY_DOUBLE };

enum key_unit {
	UNIT_NONE, /* as it is */
	UNIT_MS,   /* a duration */
	UNIT_S,
	UNIT_BYTES
};

enum {
	KEY_SECRET = 1,
	/* The last version of the original does not start without it. */
	KEY_NEEDED = 2,
	/* Nothing ever read it: a mistake of its documents. */
	KEY_UNREAD = 4,
	/* The row stands for all keys that begin so: one a topic. */
	KEY_BEGINS = 8
};

/* What becomes of a key. With a target: `target: value` in the section. With
 * a reason: a comment in the section, it has no meaning any more. With neither:
 * the code of its section knows. */
struct key_row {
	const char *key;
	int type; /* enum key_type */
	int unit; /* enum key_unit */
	uint32_t flags;
	const char *def; /* the original's; NULL: none */
	const char *section;
	const char *target;
	const char *why;
};

extern const struct key_row key_rows[];
extern const size_t key_row_count;

/* The row of a key, by its whole name or as one of many; or NULL. */
const struct key_row *key_row(const char *key);

/* The nearest key that is read; NULL when none is near. */
const char *key_near(const char *key);

#endif
