/*
 * json_paths.c -- see json_paths.h. Names are kept sorted by their node, so
 * that those of one object lie together. Made once, at open.
 */
#include "plugins/common/json_paths.h"

#include <stdlib.h>

#define MOST_NAMES 4096

void
json_paths_init(struct json_paths *paths)
{
	memset(paths, 0, sizeof(*paths));
}

void
json_paths_fini(struct json_paths *paths)
{
	for (unsigned i = 0; i < paths->name_count; i++)
		free((void *)(uintptr_t)paths->names[i].ptr);
	free(paths->names);
	free(paths->nodes);
	json_paths_init(paths);
}

/* Reads one name up to a dot or the end into `to` (as long as the path).
 * NULL when the path is wrong; otherwise where it stopped. */
static const char *
read_name(const char *from, char *to, size_t *len, struct secor_err *err)
{
	const char *p = from;
	size_t n = 0;

	for (; *p != '\0' && *p != '.'; p++) {
		if (*p == '\\') {
			p++;
			if (*p != '.' && *p != '\\') {
				(void)secor_fail(err, SECOR_FATAL,
				    "'\\' stands before '.' or '\\' only");
				return NULL;
			}
		}
		to[n++] = *p;
	}
	if (n == 0) {
		(void)secor_fail(err, SECOR_FATAL, "a name is empty");
		return NULL;
	}
	*len = n;
	return p;
}

static int
no_memory(struct secor_err *err)
{
	return secor_fail(err, SECOR_FATAL, "out of memory");
}

static int
grow(struct json_paths *paths)
{
	size_t names = (size_t)paths->name_count + 1;
	size_t nodes = (size_t)paths->node_count + 3;
	void *p;

	p = realloc(paths->names, names * sizeof(*paths->names));
	if (p == NULL)
		return 0;
	paths->names = p;
	p = realloc(paths->nodes, nodes * sizeof(*paths->nodes));
	if (p == NULL)
		return 0;
	paths->nodes = p;
	if (paths->node_count == 0) {
		memset(paths->nodes, 0, 2 * sizeof(*paths->nodes));
		paths->node_count = 2;
	}
	return 1;
}

/* Puts a name behind the last one of its node. */
static struct json_name *
insert_name(
    struct json_paths *paths, unsigned node, const char *ptr, size_t len)
{
	struct json_node *at = &paths->nodes[node];
	unsigned where =
	    at->count == 0 ? paths->name_count : at->first + at->count;
	struct json_name *name = &paths->names[where];

	memmove(name + 1, name,
	    (paths->name_count - where) * sizeof(*paths->names));
	for (unsigned i = 1; i < paths->node_count; i++) {
		if (i != node && paths->nodes[i].first >= where)
			paths->nodes[i].first++;
	}
	at->first = (uint16_t)(where - at->count);
	at->count++;
	at->lengths |= UINT64_C(1) << (len % 64);
	paths->name_count++;
	name->ptr = ptr;
	name->len = (uint32_t)len;
	name->node = (uint16_t)node;
	name->children = JSON_NO_NODE;
	name->slot = JSON_NO_SLOT;
	return name;
}

/* The name, found or made. */
static struct json_name *
name_of(struct json_paths *paths, unsigned node, const char *ptr, size_t len)
{
	const struct json_name *found;
	char *copy;

	found = json_paths_find(paths, node, ptr, len);
	if (found != NULL)
		return &paths->names[found - paths->names];
	copy = malloc(len);
	if (copy == NULL)
		return NULL;
	memcpy(copy, ptr, len);
	return insert_name(paths, node, copy, len);
}

static unsigned
children_of(struct json_paths *paths, struct json_name *name)
{
	if (name->children == JSON_NO_NODE) {
		struct json_node *node = &paths->nodes[paths->node_count];

		memset(node, 0, sizeof(*node));
		name->children = paths->node_count++;
	}
	return name->children;
}

static int
add_names(struct json_paths *paths, const char *path, char *room,
    uint16_t *slot, struct secor_err *err)
{
	unsigned node = JSON_ROOT;
	struct json_name *name;
	size_t len;

	for (;;) {
		path = read_name(path, room, &len, err);
		if (path == NULL)
			return SECOR_FATAL;
		if (paths->name_count == MOST_NAMES)
			return secor_fail(err, SECOR_FATAL, "too many fields");
		if (!grow(paths))
			return no_memory(err);
		name = name_of(paths, node, room, len);
		if (name == NULL)
			return no_memory(err);
		if (*path++ == '\0')
			break;
		node = children_of(paths, name);
	}
	if (name->slot == JSON_NO_SLOT)
		name->slot = paths->slot_count++;
	*slot = name->slot;
	return SECOR_OK;
}

int
json_paths_add(struct json_paths *paths, const char *path, uint16_t *slot,
    struct secor_err *err)
{
	char *room = malloc(strlen(path) + 1);
	int rc;

	if (room == NULL)
		return no_memory(err);
	rc = add_names(paths, path, room, slot, err);
	free(room);
	return rc;
}

int
json_path_check(const char *path, struct secor_err *err)
{
	struct json_paths paths;
	uint16_t slot;
	int rc;

	json_paths_init(&paths);
	rc = json_paths_add(&paths, path, &slot, err);
	json_paths_fini(&paths);
	return rc;
}
