/*
 * verify_manifest.c -- what one manifest says, held against itself.
 */
#include "core/cli/verify.h"

#include <stdlib.h>
#include <string.h>

/* Whether the key ends as path and batch say, that of dead letters in a folder
 * of theirs. Which one, and which the topic's, may have been another when it
 * was written; the output hash holds the whole key. */
static int
is_in_place(const struct manifest *m, const struct manifest_object *object)
{
	char *name = mem_text("%s%s%s%s/%" PRId64 "_%" PRId32 "_%020" PRId64,
	    object->dead_letter ? "/" : "", object->dead_letter ? m->topic : "",
	    object->path[0] == '\0' ? "" : "/", object->path, m->generation,
	    m->partition, m->start);
	size_t len = strlen(name);
	const char *at = object->key;
	const char *found = NULL;

	while ((at = strstr(at, name)) != NULL) {
		found = at;
		at++;
	}
	free(name);
	return found != NULL && strchr(found + len, '/') == NULL;
}

static void
check_object(struct verify *verify, const char *key, const struct manifest *m,
    const struct manifest_object *object)
{
	struct verify_report report = verify_about(m, 1, "object-range", key);

	if (object->first_offset < m->start || object->last_offset >= m->end ||
	    object->first_offset > object->last_offset)
		verify_say(verify, &report,
		    "object %.900s has offsets outside of the batch",
		    object->key);
	report.kind = "object-name";
	if (!is_in_place(m, object))
		verify_say(verify, &report,
		    "object %.900s is not named as its path and this batch "
		    "say",
		    object->key);
}

/* The counts must fit: each message is in one place. */
static void
check_counts(struct verify *verify, const char *key, const struct manifest *m)
{
	struct verify_report report = verify_about(m, 1, "count", key);
	uint64_t records = 0, dead = 0;

	for (size_t i = 0; i < m->object_count; i++)
		*(m->objects[i].dead_letter ? &dead : &records) +=
		    m->objects[i].records;
	if (records + m->bad + m->filtered != m->messages ||
	    (dead != 0 && dead != m->bad))
		verify_say(verify, &report,
		    "%" PRIu64 " messages, but %" PRIu64 " records, %" PRIu64
		    " bad (%" PRIu64 " of them stored) and %" PRIu64
		    " filtered",
		    m->messages, records, m->bad, dead, m->filtered);
	else if (m->messages > (uint64_t)(m->end - m->start))
		verify_say(verify, &report,
		    "%" PRIu64 " messages of %" PRId64 " offsets", m->messages,
		    m->end - m->start);
}

void
verify_inside(struct verify *verify, const char *key, const struct manifest *m)
{
	struct verify_report report = verify_about(m, 1, "altered", key);

	for (size_t i = 0; i < m->object_count; i++)
		check_object(verify, key, m, &m->objects[i]);
	/* a gap has no output of a plan's: resolve may have kept objects */
	if (manifest_chain(m) != m->chain ||
	    (m->cut != CUT_GAP && manifest_output_hash(m) != m->output_hash))
		verify_say(verify, &report,
		    "the manifest was changed after it was written: its own "
		    "hashes differ");
	check_counts(verify, key, m);
}
