/*
 * paths.c -- see paths.h. Thread: that of the router.
 */
#include "core/flow/paths.h"

#include "core/base/hash.h"

#include <stdlib.h>
#include <string.h>

struct path *
paths_ref(struct path *path)
{
	path->refs++;
	return path;
}

void
paths_unref(struct paths *paths, struct path *path)
{
	struct path **at;

	if (path == NULL || --path->refs > 0)
		return;
	at = &paths->buckets[path->hash % PATHS_BUCKETS];
	while (*at != path)
		at = &(*at)->next;
	*at = path->next;
	paths_unref(paths, path->overflow);
	paths_unref(paths, path->late);
	free(path->text);
	free(path->bytes);
	free(path->suffix);
	free(path->hint);
	free(path);
}

static void
copy_levels(struct path *path, const struct secor_level_text *levels)
{
	struct buf bytes = {0};
	size_t at = 0;

	for (size_t i = 0; i < path->level_count; i++) {
		buf_put(&bytes, levels[i].name.ptr, levels[i].name.len);
		buf_putc(&bytes, '\0');
		buf_put(&bytes, levels[i].value.ptr, levels[i].value.len);
		buf_putc(&bytes, '\0');
	}
	path->bytes = buf_take(&bytes);
	for (size_t i = 0; i < path->level_count; i++) {
		path->levels[i] = levels[i];
		path->levels[i].name.ptr = path->bytes + at;
		at += levels[i].name.len + 1;
		if (levels[i].value.ptr != NULL)
			path->levels[i].value.ptr = path->bytes + at;
		at += levels[i].value.len + 1;
	}
}

static struct path **
bucket_of(struct paths *paths, uint64_t hash)
{
	return &paths->buckets[hash % PATHS_BUCKETS];
}

static struct path *
find(struct paths *paths, uint64_t hash, const struct secor_bytes *text,
    const struct secor_bytes *suffix)
{
	struct path *path;

	for (path = *bucket_of(paths, hash); path != NULL; path = path->next)
		if (path->hash == hash && path->len == text->len &&
		    memcmp(path->text, text->ptr, text->len) == 0 &&
		    strlen(path->suffix) == suffix->len &&
		    memcmp(path->suffix, suffix->ptr, suffix->len) == 0)
			return path;
	return NULL;
}

static struct path *
add(struct paths *paths, uint64_t hash, const struct secor_bytes *text,
    const struct secor_bytes *suffix)
{
	struct path **bucket = bucket_of(paths, hash);
	struct path *path = mem_alloc(sizeof(*path));

	path->hash = hash;
	path->len = text->len;
	path->text = mem_dup(text->ptr, text->len);
	path->suffix = mem_dup(suffix->ptr, suffix->len);
	path->next = *bucket;
	*bucket = path;
	return path;
}

struct path *
paths_get(struct paths *paths, const struct buf *text,
    const struct secor_level_text *levels, size_t level_count)
{
	const struct secor_bytes bytes = {text->ptr, text->len};
	const struct secor_bytes none = {"", 0};
	uint64_t hash = hash64(text->ptr, text->len);
	struct path *path = find(paths, hash, &bytes, &none);

	if (path != NULL)
		return path;
	path = add(paths, hash, &bytes, &none);
	path->level_count = level_count;
	copy_levels(path, levels);
	return path;
}

struct path *
paths_split(
    struct paths *paths, struct path *path, const struct secor_split *split)
{
	const struct secor_bytes text = {path->text, path->len};
	uint64_t hash;
	struct path *part;

	if (split->suffix.len == 0)
		return path;
	hash = hash64_add(path->hash, split->suffix.ptr, split->suffix.len);
	part = find(paths, hash, &text, &split->suffix);
	if (part != NULL)
		return part;
	part = add(paths, hash, &text, &split->suffix);
	part->hint = mem_dup(split->hint.ptr, split->hint.len);
	part->hint_len = split->hint.len;
	return part;
}
