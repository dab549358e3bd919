/*
 * redrive_sources.c -- which dead-letter objects there are: those of final
 * batches, by their manifests. What is not final may still be read again.
 */
#include "core/cli/redrive.h"

#include <stdlib.h>
#include <string.h>

/* One generation of one partition while its manifests pass by. */
struct finding {
	struct redrive *redrive;
	struct redrive_sources *sources;
	const struct manifest_place *place;
	struct record record;
};

static int
is_final(const struct finding *finding, const struct manifest *m)
{
	const struct record *record = &finding->record;

	return m->generation < record_generation(record->g) ||
	       (m->generation == record_generation(record->g) &&
		   m->start < record->offset);
}

static void
add(struct redrive_sources *sources, const struct manifest *m,
    const struct manifest_object *object)
{
	struct redrive_source *source;

	sources->items = mem_grow(
	    sources->items, (sources->count + 1) * sizeof(*sources->items));
	source = &sources->items[sources->count++];
	*source = (struct redrive_source){
	    .key = mem_dup(object->key, strlen(object->key)),
	    .partition = m->partition,
	    .generation = m->generation,
	    .start = m->start,
	    .end = m->end,
	    .records = object->records,
	    .bytes = object->bytes,
	    .crc32c = object->crc32c};
}

static void
refuse_manifest(const struct finding *finding, const char *key, const char *why)
{
	struct redrive_source source = {.key = mem_dup(key, strlen(key)),
	    .partition = finding->place->partition,
	    .generation = finding->place->generation,
	    .start = -1,
	    .end = -1};

	redrive_refuse(finding->redrive, &source, why);
	free(source.key);
}

static int
on_manifest(void *arg, const char *key, const struct manifest *m,
    const char *why, struct secor_err *err)
{
	const struct finding *finding = arg;
	const struct redrive *redrive = finding->redrive;

	(void)err;
	if (m == NULL) {
		refuse_manifest(finding, key, why);
		return SECOR_OK;
	}
	if (!is_final(finding, m) || m->end <= redrive->from ||
	    m->start > redrive->to)
		return SECOR_OK;
	for (size_t i = 0; i < m->object_count; i++)
		if (m->objects[i].dead_letter)
			add(finding->sources, m, &m->objects[i]);
	return SECOR_OK;
}

/* Only counted. */
static int
count_others(void *arg, const char *key, const struct manifest *m,
    const char *why, struct secor_err *err)
{
	struct redrive_sources *sources = arg;

	(void)key;
	(void)why;
	(void)err;
	for (size_t i = 0; m != NULL && i < m->object_count; i++)
		sources->other_generations += m->objects[i].dead_letter != 0;
	return SECOR_OK;
}

static int
walk(struct redrive *redrive, const struct manifest_place *place,
    struct redrive_sources *sources, struct secor_err *err)
{
	struct finding finding = {redrive, sources, place, {.offset = 0}};
	int rc;

	if (place->generation != redrive->generation)
		return manifest_walk(
		    &redrive->store, place, 0, count_others, sources, err);
	finding.record.kind = RECORD_MISSING;
	rc = group_record(&redrive->group, place->topic, place->partition,
	    &finding.record, NULL, err);
	if (rc != SECOR_OK)
		return rc;
	if (finding.record.kind == RECORD_MISSING ||
	    finding.record.kind == RECORD_FOREIGN) {
		refuse_manifest(&finding, redrive->store.prefix,
		    "the group has no record of this partition, so nobody "
		    "knows which batches are final: secor offsets show");
		return SECOR_OK;
	}
	return manifest_walk(
	    &redrive->store, place, 0, on_manifest, &finding, err);
}

int
redrive_find(struct redrive *redrive, struct redrive_sources *sources,
    struct secor_err *err)
{
	struct manifest_places places = {0};
	int rc = manifest_places(
	    &redrive->store, redrive->topic, redrive->partition, &places, err);

	for (size_t i = 0; rc == SECOR_OK && i < places.count; i++)
		rc = walk(redrive, &places.items[i], sources, err);
	manifest_places_fini(&places);
	return rc;
}

void
redrive_sources_fini(struct redrive_sources *sources)
{
	for (size_t i = 0; i < sources->count; i++)
		free(sources->items[i].key);
	free(sources->items);
	memset(sources, 0, sizeof(*sources));
}
