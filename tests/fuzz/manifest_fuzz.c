/*
 * manifest_fuzz.c -- any bytes as a manifest: what is read is written and read
 * again as the same; and any lines as the keys of a store: the walk ends, finds
 * each manifest once and in order, and no other key.
 *
 * The first byte chooses: a text, or keys.
 */
#include "core/flow/manifest_walk.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/helpers/memory_store.h"

#include <inttypes.h>

#define PREFIX "_manifests"

/* ---- a text ---- */

static void
check_text(const char *text, size_t len)
{
	struct secor_err err = {""};
	struct manifest *first = NULL, *second = NULL;
	char *once, *twice;
	int rc = manifest_read(text, len, &first, &err);

	if (rc != SECOR_OK) {
		MUST(rc == SECOR_REJECT && first == NULL);
		MUST(err.text[0] != '\0');
		return;
	}
	once = manifest_write(first);
	MUST(manifest_read(once, strlen(once), &second, &err) == SECOR_OK);
	twice = manifest_write(second);
	MUST(strcmp(once, twice) == 0);
	MUST(manifest_chain(first) == manifest_chain(second));
	MUST(manifest_output_hash(first) == manifest_output_hash(second));
	free(once);
	free(twice);
	manifest_free(first);
	manifest_free(second);
}

/* ---- keys ---- */

/* Is it the name that a manifest of this place gets? */
static int
is_manifest(const char *key)
{
	size_t skip = sizeof(PREFIX);
	const char *topic = key + skip, *slash;
	int64_t generation, start;
	char *again, *name;
	long partition;
	int same;

	if (strncmp(key, PREFIX "/", skip) != 0)
		return 0;
	slash = strchr(topic, '/');
	if (slash == NULL || !manifest_parse_key(key, &generation, &start))
		return 0;
	partition = strtol(slash + 1, NULL, 10);
	if (partition < 0 || partition > INT32_MAX)
		return 0;
	name = mem_dup(topic, (size_t)(slash - topic));
	again =
	    manifest_key(PREFIX, name, (int32_t)partition, generation, start);
	same = strcmp(key, again) == 0;
	free(again);
	free(name);
	return same;
}

struct walk {
	size_t seen;
	int64_t last;
};

static int
count_one(void *arg, const char *key, const struct manifest *manifest,
    const char *why, struct secor_err *err)
{
	struct walk *walk = arg;
	int64_t generation, start;

	(void)err;
	MUST(is_manifest(key));
	MUST(manifest_parse_key(key, &generation, &start));
	MUST(start > walk->last);
	MUST(manifest == NULL && why[0] != '\0');
	walk->last = start;
	walk->seen++;
	return SECOR_OK;
}

/* Puts an empty object under each line; how many of them are manifests. */
static size_t
put_keys(const char *lines)
{
	size_t count = 0, had;

	while (*lines != '\0') {
		size_t len = strcspn(lines, "\n");
		char *key = mem_text("%s/%.*s", PREFIX, (int)len, lines);

		if (memory_store_get(key, &had) == NULL) {
			memory_store_put(key, "", 0);
			count += (size_t)is_manifest(key);
		}
		free(key);
		lines += len + (lines[len] == '\n');
	}
	return count;
}

static void
check_keys(const char *lines)
{
	struct manifest_store store = {
	    memory_store.plugin->ops.store, NULL, PREFIX};
	struct manifest_places places;
	struct secor_err err = {""};
	size_t count = put_keys(lines);
	struct walk walk = {0, -1};

	MUST(manifest_places(&store, NULL, -1, &places, &err) == SECOR_OK);
	for (size_t i = 0; i < places.count; i++) {
		walk.last = -1;
		MUST(manifest_walk(&store, &places.items[i], 0, count_one,
			 &walk, &err) == SECOR_OK);
		MUST(walk.last >= 0);
	}
	MUST(walk.seen == count);
	manifest_places_fini(&places);
	memory_store_clear();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (size == 0)
		return 0;
	text = mem_dup(data + 1, size - 1);
	if (data[0] & 1)
		check_keys(text);
	else
		check_text(text, size - 1);
	free(text);
	return 0;
}
