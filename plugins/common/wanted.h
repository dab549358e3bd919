/*
 * wanted.h -- the values that are wanted of each message, as a tree of path
 * components: names, or numbers where an encoding has numbers for names.
 *
 * A path is cut at the separator (a text of any length; empty: the whole path
 * is one name). `\` before a separator or another `\` takes it literally. Each
 * path that is added gets a slot; the same path twice gets the same slot.
 */
#ifndef PLUGINS_COMMON_WANTED_H
#define PLUGINS_COMMON_WANTED_H

#include <secor/plugin.h>
#include <string.h>

#define WANTED_NO_SLOT (-1)
#define WANTED_NO_NUMBER (-1)
#define WANTED_MOST_LEVELS 64

struct wanted {
	char *name; /* NUL-ended; NULL at the root */
	size_t len;
	int64_t number; /* the name as a number, or WANTED_NO_NUMBER */
	int slot;	/* or WANTED_NO_SLOT */
	struct wanted *below, *next;
	void *use; /* the encoding's own; not touched here */
};

/* A root of its own: {.number = WANTED_NO_NUMBER, .slot = WANTED_NO_SLOT}. */
#define WANTED_ROOT                                                \
	(struct wanted)                                            \
	{                                                          \
		.number = WANTED_NO_NUMBER, .slot = WANTED_NO_SLOT \
	}

/* The slot of a path that may be new: *slots is how many there are.
 * SECOR_FATAL: not a path, or no memory. */
int wanted_add(struct wanted *root, const char *path, const char *separator,
    int *slots, int *slot, struct secor_err *err);

/* The node of a slot, or NULL. */
struct wanted *wanted_slot(struct wanted *root, int slot);

/* The syntax alone. */
int
wanted_check(const char *path, const char *separator, struct secor_err *err);

/* Frees what is below. */
void wanted_fini(struct wanted *root);

/* NULL when nobody wants that; `node` may be NULL. */
static inline const struct wanted *
wanted_name(const struct wanted *node, const char *ptr, size_t len)
{
	const struct wanted *at = node == NULL ? NULL : node->below;

	while (
	    at != NULL && (at->len != len || memcmp(at->name, ptr, len) != 0))
		at = at->next;
	return at;
}

static inline const struct wanted *
wanted_number(const struct wanted *node, int64_t number)
{
	const struct wanted *at = node == NULL ? NULL : node->below;

	while (at != NULL && (at->number != number || number < 0))
		at = at->next;
	return at;
}

#endif
