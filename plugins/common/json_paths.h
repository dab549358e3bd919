/*
 * json_paths.h -- the values that are wanted of each JSON object, as a tree of
 * names: what is wanted of the scan is looked up name by name on the way.
 *
 * A path is names with dots between, `meta.created`; `\.` is a dot and `\\` a
 * backslash within a name. Each path that is added gets a slot; the same path
 * twice gets the same slot.
 */
#ifndef PLUGINS_COMMON_JSON_PATHS_H
#define PLUGINS_COMMON_JSON_PATHS_H

#include <secor/plugin.h>
#include <string.h>

#define JSON_NO_SLOT UINT16_MAX
#define JSON_NO_NODE 0
#define JSON_ROOT 1

struct json_name {
	const char *ptr;
	uint32_t len;
	uint16_t node;	   /* the object that its value may be, or none */
	uint16_t children; /* JSON_NO_NODE, or the node below */
	uint16_t slot;	   /* or JSON_NO_SLOT */
};

/* The names of one object: names[first .. first + count). */
struct json_node {
	uint64_t lengths; /* bit (len % 64) of every name */
	uint16_t first;
	uint16_t count;
};

struct json_paths {
	struct json_name *names; /* by node */
	struct json_node *nodes;
	uint16_t name_count;
	uint16_t node_count; /* the first is none, the second the root */
	uint16_t slot_count;
};

void json_paths_init(struct json_paths *paths);
void json_paths_fini(struct json_paths *paths);

/* SECOR_OK with the slot, or SECOR_FATAL: not a path, or no memory. */
int json_paths_add(struct json_paths *paths, const char *path, uint16_t *slot,
    struct secor_err *err);

/* A path's syntax alone. */
int json_path_check(const char *path, struct secor_err *err);

/* NULL when nobody wants that name of that node. */
static inline const struct json_name *
json_paths_find(
    const struct json_paths *paths, unsigned node, const char *ptr, size_t len)
{
	const struct json_node *at = &paths->nodes[node];
	const struct json_name *name = &paths->names[at->first];

	if ((at->lengths >> (len % 64) & 1) == 0 || len == 0)
		return NULL;
	for (unsigned i = 0; i < at->count; i++, name++) {
		if (name->len == len && name->ptr[0] == ptr[0] &&
		    name->ptr[len - 1] == ptr[len - 1] &&
		    memcmp(name->ptr, ptr, len) == 0)
			return name;
	}
	return NULL;
}

#endif
