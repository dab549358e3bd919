/*
 * wanted.c -- see wanted.h. Made once, at open.
 */
#include "plugins/common/wanted.h"

#include <stdlib.h>

static int
starts_with(const char *text, const char *with, size_t len)
{
	return len > 0 && strncmp(text, with, len) == 0;
}

/* Reads one name into `to` (as long as the path). Where it stopped: at a
 * separator or the end; NULL: not a path. */
static const char *
read_name(const char *from, const char *separator, char *to, size_t *len,
    struct secor_err *err)
{
	size_t cut = strlen(separator), n = 0;
	const char *p = from;

	while (*p != '\0' && !starts_with(p, separator, cut)) {
		if (cut > 0 && *p == '\\') {
			if (p[1] != '\\' &&
			    !starts_with(p + 1, separator, cut)) {
				(void)secor_fail(err, SECOR_FATAL,
				    "'\\' stands before '%s' or '\\' only",
				    separator);
				return NULL;
			}
			p++;
		}
		to[n++] = *p++;
	}
	if (n == 0) {
		(void)secor_fail(err, SECOR_FATAL, "a name is empty");
		return NULL;
	}
	to[n] = '\0';
	*len = n;
	return p;
}

/* "12" is 12; "", "+1", "012" and what is over 2^31 are no numbers. */
static int64_t
number_of(const char *name, size_t len)
{
	int64_t number = 0;

	if (len > 10 || (len > 1 && name[0] == '0'))
		return WANTED_NO_NUMBER;
	for (size_t i = 0; i < len; i++) {
		if (name[i] < '0' || name[i] > '9')
			return WANTED_NO_NUMBER;
		number = number * 10 + (name[i] - '0');
	}
	return number <= INT32_MAX ? number : WANTED_NO_NUMBER;
}

/* The node of a name, found or made; NULL: no memory. */
static struct wanted *
node_of(struct wanted *above, const char *name, size_t len)
{
	struct wanted **end = &above->below, *node;

	for (; *end != NULL; end = &(*end)->next) {
		if ((*end)->len == len && memcmp((*end)->name, name, len) == 0)
			return *end;
	}
	node = calloc(1, sizeof(*node));
	if (node == NULL)
		return NULL;
	node->name = strdup(name);
	if (node->name == NULL) {
		free(node);
		return NULL;
	}
	node->len = len;
	node->number = number_of(name, len);
	node->slot = WANTED_NO_SLOT;
	*end = node;
	return node;
}

/* Walks the path's names; with `node` NULL it only looks at the syntax. */
static int
walk(struct wanted **node, const char *path, const char *separator, char *room,
    struct secor_err *err)
{
	size_t len;

	for (int level = 0;; level++) {
		if (level == WANTED_MOST_LEVELS)
			return secor_fail(err, SECOR_FATAL,
			    "more than %d names", WANTED_MOST_LEVELS);
		path = read_name(path, separator, room, &len, err);
		if (path == NULL)
			return SECOR_FATAL;
		if (node != NULL) {
			*node = node_of(*node, room, len);
			if (*node == NULL)
				return secor_fail(
				    err, SECOR_FATAL, "out of memory");
		}
		if (*path == '\0')
			return SECOR_OK;
		path += strlen(separator);
	}
}

int
wanted_add(struct wanted *root, const char *path, const char *separator,
    int *slots, int *slot, struct secor_err *err)
{
	char *room = malloc(strlen(path) + 1);
	struct wanted *node = root;
	int rc;

	if (room == NULL)
		return secor_fail(err, SECOR_FATAL, "out of memory");
	rc = walk(&node, path, separator, room, err);
	free(room);
	if (rc != SECOR_OK)
		return rc;
	if (node->slot == WANTED_NO_SLOT)
		node->slot = (*slots)++;
	*slot = node->slot;
	return SECOR_OK;
}

struct wanted *
wanted_slot(struct wanted *root, int slot)
{
	for (struct wanted *at = root->below; at != NULL; at = at->next) {
		struct wanted *found =
		    at->slot == slot ? at : wanted_slot(at, slot);

		if (found != NULL)
			return found;
	}
	return NULL;
}

int
wanted_check(const char *path, const char *separator, struct secor_err *err)
{
	char *room = malloc(strlen(path) + 1);
	int rc;

	if (room == NULL)
		return secor_fail(err, SECOR_FATAL, "out of memory");
	rc = walk(NULL, path, separator, room, err);
	free(room);
	return rc;
}

void
wanted_fini(struct wanted *root)
{
	struct wanted *at = root->below;

	while (at != NULL) {
		struct wanted *next = at->next;

		wanted_fini(at);
		free(at->name);
		free(at);
		at = next;
	}
	root->below = NULL;
}
