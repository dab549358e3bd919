/*
 * leftovers.c -- see leftovers.h. Nothing is removed here: whoever reads the
 * list decides.
 */
#include "core/cli/migrate/leftovers.h"

#include "core/base/files.h"
#include "core/cli/args.h"
#include "core/cli/cli.h"
#include "core/cli/offsets.h"
#include "core/cli/records.h"
#include "core/cli/verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST_FILE = 256 << 20 };

struct search {
	const struct config *config;
	const struct source *source;
	const char *topic; /* the one that is listed */
	void *store;
	size_t found;
	uint64_t bytes;
};

/* ---- offsets ---- */

static int
read_file(const char *file, struct source *source, struct secor_err *err)
{
	char *text = NULL;
	size_t n;
	int rc = file_read(file, LARGEST_FILE, &text, &n, err);

	if (rc == SECOR_OK)
		rc = source_read(source, text, file, err);
	free(text);
	return rc;
}

static void
add(struct source *source, const char *topic, int32_t partition, int64_t offset)
{
	source->items = mem_grow(
	    source->items, (source->count + 1) * sizeof(*source->items));
	source->items[source->count++] = (struct source_offset){
	    mem_dup(topic, strlen(topic)), partition, offset};
}

static int
read_topic(struct group *group, const char *name,
    const struct group_topic *topic, struct source *source,
    struct secor_err *err)
{
	int64_t *at = mem_alloc((size_t)topic->partitions * sizeof(*at));
	int rc = group_offsets_of(group, name, topic, at, err);

	for (int32_t p = 0; rc == SECOR_OK && p < topic->partitions; p++)
		if (at[p] >= 0)
			add(source, topic->name, p, at[p]);
	free(at);
	return rc;
}

static int
read_group(const struct config *config, const char *name, struct source *source,
    struct secor_err *err)
{
	struct group_topic *topics = NULL;
	struct group group;
	size_t count = 0;
	int rc = group_open(config, &group, err);

	if (rc != SECOR_OK)
		return rc;
	rc = group_topics(&group, &topics, &count, err);
	for (size_t i = 0; rc == SECOR_OK && i < count; i++)
		rc = read_topic(&group, name, &topics[i], source, err);
	group_topics_free(topics, count);
	group_close(&group);
	return rc;
}

/* ---- objects ---- */

static int
look_at(void *arg, const char *key, uint64_t length)
{
	struct search *search = arg;
	int64_t generation, start, offset;
	char url[2048] = "";
	int32_t partition;

	if (!verify_parse_key(key, &generation, &partition, &start) ||
	    generation >= search->config->layout.generation)
		return 0;
	offset = source_find(search->source, search->topic, partition);
	if (offset < 0 || start < offset)
		return 0;
	search->config->store.plugin->ops.store->url(
	    search->store, key, url, sizeof(url));
	(void)printf("%s\n", url);
	search->found++;
	search->bytes += length;
	return 0;
}

static int
is_first_of_topic(const struct source *source, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (strcmp(source->items[i].topic,
			source->items[index].topic) == 0)
			return 0;
	return 1;
}

static int
search_all(struct search *search, struct secor_err *err)
{
	const struct secor_store_ops *ops =
	    search->config->store.plugin->ops.store;
	const struct records_seen seen = {look_at, search};
	int rc = cli_store(search->config, &search->store, err);

	if (rc != SECOR_OK)
		return rc;
	for (size_t i = 0; rc == SECOR_OK && i < search->source->count; i++) {
		if (!is_first_of_topic(search->source, i))
			continue;
		search->topic = search->source->items[i].topic;
		rc = records_list(search->config, ops, search->store,
		    search->topic, &seen, err);
	}
	ops->close(search->store);
	return rc;
}

static int
search_config(const struct config *config, const char *file, const char *group)
{
	struct source source = {NULL, 0};
	struct search search = {.config = config, .source = &source};
	struct secor_err err = {""};
	int rc = file != NULL ? read_file(file, &source, &err)
			      : read_group(config, group, &source, &err);

	if (rc == SECOR_OK)
		rc = search_all(&search, &err);
	if (rc == SECOR_OK)
		(void)fprintf(stderr,
		    "%zu objects (%llu bytes) at or past the committed offsets "
		    "of %zu partitions\n",
		    search.found, (unsigned long long)search.bytes,
		    source.count);
	else
		(void)fprintf(stderr, "secor migrate: %s\n", err.text);
	source_fini(&source);
	if (rc != SECOR_OK)
		return CLI_ENVIRONMENT;
	return search.found > 0 ? CLI_FOUND : CLI_OK;
}

int
leftovers(const char *yaml, const char *file, const char *group)
{
	struct registry *registry = NULL;
	int code = CLI_ENVIRONMENT;
	struct config *config = cli_config(yaml, 0, &registry, &code);

	if (config == NULL)
		return code;
	code = search_config(config, file, group);
	config_free(config);
	registry_free(registry);
	return code;
}
