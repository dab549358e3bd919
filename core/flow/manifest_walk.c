/*
 * manifest_walk.c -- see manifest_walk.h. Never asks the store for anything
 * while it lists: names are taken a thousand at a time, then read.
 */
#include "core/flow/manifest_walk.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES_AT_ONCE = 1000 };

/* ---- places ---- */

/* A key's parts; topic is borrowed from the key. */
struct parts {
	const char *topic;
	size_t topic_len;
	int32_t partition;
	int64_t generation;
};

static int
parse(const char *key, const char *prefix, struct parts *parts)
{
	size_t skip = strlen(prefix) + 1;
	const char *slash;
	char *end;
	int64_t start;
	long partition;

	parts->topic = key + skip;
	slash = strchr(parts->topic, '/');
	if (slash == NULL || slash[1] < '0' || slash[1] > '9' ||
	    (slash[1] == '0' && slash[2] != '/'))
		return 0;
	parts->topic_len = (size_t)(slash - parts->topic);
	partition = strtol(slash + 1, &end, 10);
	if (*end != '/' || partition > INT32_MAX)
		return 0;
	parts->partition = (int32_t)partition;
	return manifest_parse_name(end + 1, &parts->generation, &start);
}

struct finding {
	const char *prefix;
	char *key; /* the first that is a manifest's */
};

static int
take_first(void *arg, const char *key, uint64_t length)
{
	struct finding *finding = arg;
	struct parts parts;

	(void)length;
	if (!parse(key, finding->prefix, &parts))
		return 0;
	finding->key = mem_dup(key, strlen(key));
	return 1;
}

static int
by_place(const void *left, const void *right)
{
	const struct manifest_place *a = left;
	const struct manifest_place *b = right;
	int topics = strcmp(a->topic, b->topic);

	if (topics != 0)
		return topics;
	if (a->partition != b->partition)
		return a->partition < b->partition ? -1 : 1;
	return (a->generation > b->generation) -
	       (a->generation < b->generation);
}

static void
add_place(struct manifest_places *places, const struct parts *parts)
{
	struct manifest_place *place;

	places->items = mem_grow(
	    places->items, (places->count + 1) * sizeof(*places->items));
	place = &places->items[places->count++];
	place->topic = mem_dup(parts->topic, parts->topic_len);
	place->partition = parts->partition;
	place->generation = parts->generation;
}

/* What sorts behind every manifest of the place. */
static char *
behind(const char *prefix, const struct manifest_place *place)
{
	return mem_text("%s/%s/%" PRId32 "/%" PRId64 "_~", prefix, place->topic,
	    place->partition, place->generation);
}

static char *
folder_of(const char *prefix, const char *topic, int32_t partition)
{
	if (topic == NULL)
		return mem_text("%s/", prefix);
	if (partition < 0)
		return mem_text("%s/%s/", prefix, topic);
	return manifest_folder(prefix, topic, partition);
}

int
manifest_places(const struct manifest_store *store, const char *topic,
    int32_t partition, struct manifest_places *places, struct secor_err *err)
{
	struct manifest_places made = {0};
	char *folder = folder_of(store->prefix, topic, partition);
	char *after = NULL;
	int rc;

	for (;;) {
		struct finding finding = {store->prefix, NULL};
		struct parts parts;

		rc = store->ops->list(
		    store->self, folder, after, take_first, &finding, err);
		free(after);
		after = NULL;
		if (rc != SECOR_OK || finding.key == NULL)
			break;
		(void)parse(finding.key, store->prefix, &parts);
		add_place(&made, &parts);
		after = behind(store->prefix, &made.items[made.count - 1]);
		free(finding.key);
	}
	free(folder);
	if (rc != SECOR_OK) {
		manifest_places_fini(&made);
		return rc;
	}
	if (made.count > 0)
		qsort(made.items, made.count, sizeof(*made.items), by_place);
	*places = made;
	return SECOR_OK;
}

void
manifest_places_fini(struct manifest_places *places)
{
	for (size_t i = 0; i < places->count; i++)
		free(places->items[i].topic);
	free(places->items);
	memset(places, 0, sizeof(*places));
}

/* ---- one place ---- */

struct names {
	size_t folder; /* bytes of a key before its name */
	char *keys[NAMES_AT_ONCE];
	size_t count;
};

static int
take_name(void *arg, const char *key, uint64_t length)
{
	struct names *names = arg;
	int64_t generation, start;

	(void)length;
	if (manifest_parse_name(key + names->folder, &generation, &start))
		names->keys[names->count++] = mem_dup(key, strlen(key));
	return names->count == NAMES_AT_ONCE;
}

static int
read_one(const struct manifest_store *store, const char *key,
    manifest_each_fn each, void *arg, struct secor_err *err)
{
	struct manifest *manifest = NULL;
	struct secor_err why = {{0}};
	int rc = manifest_get(store->ops, store->self, key, &manifest, &why);

	if (rc != SECOR_OK && rc != SECOR_REJECT)
		return secor_fail(err, rc, "%s", why.text);
	rc = each(arg, key, manifest, why.text, err);
	manifest_free(manifest);
	return rc;
}

int
manifest_walk(const struct manifest_store *store,
    const struct manifest_place *place, int64_t from, manifest_each_fn each,
    void *arg, struct secor_err *err)
{
	char *folder =
	    manifest_folder(store->prefix, place->topic, place->partition);
	char *prefix = mem_text("%s%" PRId64 "_", folder, place->generation);
	char *after = from <= 0
			  ? NULL
			  : manifest_key(store->prefix, place->topic,
				place->partition, place->generation, from - 1);
	struct names *names = mem_alloc(sizeof(*names));
	size_t got;
	int rc;

	names->folder = strlen(folder);
	do {
		names->count = 0;
		rc = store->ops->list(
		    store->self, prefix, after, take_name, names, err);
		got = names->count;
		for (size_t i = 0; i < got; i++) {
			if (rc == SECOR_OK)
				rc = read_one(
				    store, names->keys[i], each, arg, err);
			free(after);
			after = names->keys[i];
		}
	} while (rc == SECOR_OK && got == NAMES_AT_ONCE);
	free(after);
	free(names);
	free(prefix);
	free(folder);
	return rc;
}
