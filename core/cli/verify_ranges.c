/*
 * verify_ranges.c -- ranges and chain of every partition.
 */
#include "core/cli/verify.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One partition while its manifests pass by. */
struct walk {
	struct verify *verify;
	struct verify_topic *topic;
	const struct manifest_place *place;
	struct verify_partition sum;
	struct record record;
	int has_record;	    /* it is known, and clean, plan or halt */
	int begun;	    /* a manifest was seen */
	int64_t generation; /* of the last manifest */
	uint64_t chain;	    /* head so far */
	int64_t ahead;	    /* the last that begins at or behind the record */
};

void
verify_say(struct verify *verify, const struct verify_report *report,
    const char *fmt, ...)
{
	struct verify_report with = *report;
	char text[1400];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	with.text = text;
	if (report->found)
		verify->totals.found++;
	else
		verify->totals.notes++;
	verify->report(verify->arg, &with);
}

static struct verify_report
about(const struct walk *walk, int found, const char *kind, int64_t start,
    int64_t end)
{
	struct verify_report report = {.found = found,
	    .kind = kind,
	    .topic = walk->place->topic,
	    .partition = walk->place->partition,
	    .start = start,
	    .end = end};

	return report;
}

/* ---- one manifest ---- */

static int
is_where_it_says(
    const struct walk *walk, const char *key, const struct manifest *manifest)
{
	const struct manifest_place *place = walk->place;
	int64_t generation, start;

	return manifest_parse_key(key, &generation, &start) &&
	       manifest->start == start && manifest->generation == generation &&
	       manifest->partition == place->partition &&
	       strcmp(manifest->topic, place->topic) == 0;
}

static void
check_inside(struct walk *walk, const char *key, const struct manifest *m)
{
	struct verify_report report = about(walk, 1, "", m->start, m->end);
	uint64_t records = 0, dead = 0;

	report.key = key;
	for (size_t i = 0; i < m->object_count; i++) {
		const struct manifest_object *object = &m->objects[i];

		*(object->dead_letter ? &dead : &records) += object->records;
		if (object->first_offset < m->start ||
		    object->last_offset >= m->end) {
			report.kind = "object-range";
			verify_say(walk->verify, &report,
			    "object %.900s has offsets outside of the batch",
			    object->key);
		}
	}
	/* a gap has no output of a plan's: resolve may have kept objects */
	if (manifest_chain(m) != m->chain ||
	    (m->cut != CUT_GAP && manifest_output_hash(m) != m->output_hash)) {
		report.kind = "altered";
		verify_say(walk->verify, &report,
		    "the manifest was changed after it was written: its own "
		    "hashes differ");
	}
	if (records + m->bad + m->filtered != m->messages ||
	    (dead != 0 && dead != m->bad)) {
		report.kind = "count";
		verify_say(walk->verify, &report,
		    "%" PRIu64 " messages, but %" PRIu64 " records, %" PRIu64
		    " bad (%" PRIu64 " of them stored) and %" PRIu64
		    " filtered",
		    m->messages, records, m->bad, dead, m->filtered);
	}
}

/* The first manifest that there is. */
static void
check_begin(struct walk *walk, const char *key, const struct manifest *m)
{
	struct verify_report report =
	    about(walk, 1, "missing-before", -1, m->start);

	walk->sum.first = m->start;
	report.key = key;
	if (m->previous != 0 && !walk->verify->trimmed &&
	    walk->verify->generation < 0)
		verify_say(walk->verify, &report,
		    "the manifests before offset %" PRId64
		    " are not there any more (--trimmed when that is meant)",
		    m->start);
}

static void
check_link(struct walk *walk, const char *key, const struct manifest *m)
{
	int64_t end = walk->sum.end;
	int linked = m->previous == walk->chain;
	struct verify_report report = about(walk, 1, "hole", end, m->start);

	report.key = key;
	if (m->start > end && linked) {
		report = about(walk, 0, "skipped", end, m->start);
		walk->verify->totals.skipped += (uint64_t)(m->start - end);
		verify_say(walk->verify, &report,
		    "no messages there (transaction markers): the chain goes "
		    "on");
	} else if (m->start > end) {
		verify_say(walk->verify, &report, "offsets are in no manifest");
	} else if (m->start < end && m->generation != walk->generation) {
		report = about(walk, 0, "again", m->start, end);
		verify_say(walk->verify, &report,
		    "generation %" PRId64 " begins again: these offsets are in "
		    "generation %" PRId64 " too",
		    m->generation, walk->generation);
	} else if (m->start < end) {
		report.kind = "overlap";
		report.start = m->start;
		report.end = m->end < end ? m->end : end;
		verify_say(walk->verify, &report,
		    "offsets are in two manifests: stored twice");
	} else if (!linked) {
		report = about(walk, 1, "chain", m->start, m->end);
		report.key = key;
		verify_say(walk->verify, &report,
		    "the manifest does not follow the one before it: one of "
		    "them was replaced");
	}
}

static void
count(struct walk *walk, const struct manifest *m)
{
	struct verify_totals *totals = &walk->verify->totals;
	struct verify_report report = about(walk, 0, "gap", m->start, m->end);

	walk->sum.manifests++;
	walk->sum.messages += m->messages;
	totals->manifests++;
	totals->messages += m->messages;
	totals->bad += m->bad;
	totals->filtered += m->filtered;
	if (m->cut != CUT_GAP)
		return;
	totals->lost += (uint64_t)(m->end - m->start);
	verify_say(walk->verify, &report,
	    "a recorded gap: these offsets were gone, or given up by hand");
}

/* At or behind the record. What an older generation has is final: the group
 * went over to a newer one. */
static int
is_open(const struct walk *walk, const struct manifest *m)
{
	return walk->has_record && m->start >= walk->record.offset &&
	       m->generation >= record_generation(walk->record.g);
}

static int
on_manifest(void *arg, const char *key, const struct manifest *m,
    const char *why, struct secor_err *err)
{
	struct walk *walk = arg;
	struct verify_report report = about(walk, 1, "manifest", -1, -1);

	report.key = key;
	if (m == NULL) {
		verify_say(walk->verify, &report, "%.1000s", why);
		return SECOR_OK;
	}
	if (!is_where_it_says(walk, key, m)) {
		verify_say(walk->verify, &report,
		    "the manifest says that it is %.200s/%" PRId32
		    " generation %" PRId64 " offset %" PRId64,
		    m->topic, m->partition, m->generation, m->start);
		return SECOR_OK;
	}
	if (is_open(walk, m)) {
		walk->ahead = m->start;
		return SECOR_OK;
	}
	if (walk->begun)
		check_link(walk, key, m);
	else
		check_begin(walk, key, m);
	check_inside(walk, key, m);
	count(walk, m);
	if (m->end > walk->sum.end || m->generation != walk->generation)
		walk->sum.end = m->end;
	walk->begun = 1;
	walk->generation = m->generation;
	walk->chain = m->chain;
	return verify_objects(walk->verify, walk->topic, m, err);
}

/* ---- the group's record ---- */

static int
read_record(struct walk *walk, struct record *record, struct secor_err *err)
{
	record->kind = RECORD_MISSING;
	return walk->verify->record(walk->verify->arg, walk->place->topic,
	    walk->place->partition, record, err);
}

static int
begin(struct walk *walk, struct secor_err *err)
{
	struct verify_report report = about(walk, 1, "record", -1, -1);
	int rc;

	walk->sum.topic = walk->place->topic;
	walk->sum.partition = walk->place->partition;
	walk->sum.first = walk->sum.end = walk->sum.committed = -1;
	walk->ahead = -1;
	if (walk->verify->record == NULL)
		return SECOR_OK;
	rc = read_record(walk, &walk->record, err);
	if (rc != SECOR_OK)
		return rc;
	if (walk->record.kind == RECORD_MISSING)
		verify_say(walk->verify, &report,
		    "the group has no committed offset here, but manifests "
		    "exist");
	else if (walk->record.kind == RECORD_FOREIGN)
		verify_say(walk->verify, &report,
		    "the group's offset %" PRId64 " is not a record of secor's",
		    walk->record.offset);
	else
		walk->has_record = 1;
	if (walk->has_record)
		walk->sum.committed = walk->record.offset;
	return SECOR_OK;
}

/* A manifest at or behind the record: the batch of a plan, or of later ones
 * while the service goes on. */
static int
check_ahead(struct walk *walk, struct secor_err *err)
{
	struct record now;
	struct verify_report report = about(walk, 0, "not-final", -1, -1);
	int rc = read_record(walk, &now, err);

	if (rc != SECOR_OK)
		return rc;
	report.start = walk->ahead;
	if (now.offset > walk->ahead ||
	    (now.offset == walk->ahead && now.kind == RECORD_PLAN)) {
		verify_say(
		    walk->verify, &report, "a batch that is not final yet");
		return SECOR_OK;
	}
	report.found = 1;
	report.kind = "ahead";
	verify_say(walk->verify, &report,
	    "a manifest begins at offset %" PRId64
	    ", but the group's offset is %" PRId64 ": it was set back",
	    walk->ahead, now.offset);
	return SECOR_OK;
}

static void
check_end(struct walk *walk)
{
	int64_t end = walk->sum.end;
	int64_t committed = walk->record.offset;
	struct verify_report report = about(walk, 1, "hole", end, committed);
	int linked = walk->record.m == walk->chain;

	if (!walk->begun)
		return;
	if (committed > end && linked) {
		report.found = 0;
		report.kind = "skipped";
		walk->verify->totals.skipped += (uint64_t)(committed - end);
		verify_say(walk->verify, &report,
		    "no messages there (transaction markers): the chain goes "
		    "on");
	} else if (committed > end) {
		verify_say(walk->verify, &report, "offsets are in no manifest");
	} else if (committed < end) {
		report.kind = "inside";
		report.start = committed;
		report.end = end;
		verify_say(walk->verify, &report,
		    "the group's offset lies inside of a stored batch");
	} else if (!linked) {
		report.kind = "chain";
		report.start = committed;
		report.end = -1;
		verify_say(walk->verify, &report,
		    "the last manifest is not the one that the group's record "
		    "follows");
	}
	if (walk->record.kind == RECORD_HALT) {
		report = about(walk, 0, "halted", committed, -1);
		verify_say(walk->verify, &report, "halted: %s",
		    halt_name(walk->record.r));
	}
}

/* ---- partitions, topics ---- */

static void
add_final(struct verify_topic *topic, const struct walk *walk)
{
	struct verify_final final = {.partition = walk->sum.partition,
	    .generation = walk->generation,
	    .offset = walk->sum.end};

	if (walk->has_record) {
		final.generation = record_generation(walk->record.g);
		final.offset = walk->record.offset;
	}
	topic->finals = mem_grow(
	    topic->finals, (topic->final_count + 1) * sizeof(*topic->finals));
	topic->finals[topic->final_count++] = final;
}

/* All generations of one partition: places[0..n). */
static int
check_partition(struct verify *verify, struct verify_topic *topic,
    const struct manifest_place *places, size_t n, struct secor_err *err)
{
	struct walk walk = {
	    .verify = verify, .topic = topic, .place = &places[0]};
	int rc = begin(&walk, err);

	for (size_t i = 0; rc == SECOR_OK && i < n; i++) {
		walk.place = &places[i];
		if (verify->generation < 0 ||
		    verify->generation == places[i].generation)
			rc = manifest_walk(&verify->store, &places[i], 0,
			    on_manifest, &walk, err);
	}
	if (rc == SECOR_OK && walk.ahead >= 0)
		rc = check_ahead(&walk, err);
	if (rc != SECOR_OK)
		return rc;
	if (walk.has_record)
		check_end(&walk);
	add_final(topic, &walk);
	verify->totals.partitions++;
	verify->done(verify->arg, &walk.sum);
	return SECOR_OK;
}

static void
topic_fini(struct verify_topic *topic)
{
	free(topic->keys.items);
	free(topic->finals);
}

/* The places of one topic: places[0..n), maybe none. */
static int
check_topic(struct verify *verify, const char *name,
    const struct manifest_place *places, size_t n, struct secor_err *err)
{
	struct verify_topic topic = {.name = name};
	int rc = SECOR_OK;

	for (size_t i = 0, next; rc == SECOR_OK && i < n; i = next) {
		int32_t partition = places[i].partition;

		for (next = i; next < n; next++)
			if (places[next].partition != partition)
				break;
		if (verify->partition < 0 || verify->partition == partition)
			rc = check_partition(
			    verify, &topic, &places[i], next - i, err);
	}
	if (rc == SECOR_OK)
		rc = verify_strangers(verify, &topic, err);
	topic_fini(&topic);
	return rc;
}

static int
has_place(const struct manifest_places *places, const char *topic)
{
	for (size_t i = 0; i < places->count; i++)
		if (strcmp(places->items[i].topic, topic) == 0)
			return 1;
	return 0;
}

/* Topics that are named, but have no manifest: their folders may hold objects
 * all the same. */
static int
check_without_manifests(struct verify *verify,
    const struct manifest_places *places, struct secor_err *err)
{
	const struct secor_strings *named = &verify->config->kafka.topics;
	int rc = SECOR_OK;

	if (verify->topic != NULL)
		return has_place(places, verify->topic)
			   ? SECOR_OK
			   : check_topic(verify, verify->topic, NULL, 0, err);
	for (size_t i = 0; rc == SECOR_OK && i < named->count; i++)
		if (named->items[i][0] != '^' &&
		    !has_place(places, named->items[i]))
			rc = check_topic(verify, named->items[i], NULL, 0, err);
	return rc;
}

int
verify_run(struct verify *verify, struct secor_err *err)
{
	struct manifest_places places = {0};
	int rc = manifest_places(&verify->store, verify->topic, &places, err);

	for (size_t i = 0, next; rc == SECOR_OK && i < places.count; i = next) {
		const char *topic = places.items[i].topic;

		for (next = i; next < places.count; next++)
			if (strcmp(places.items[next].topic, topic) != 0)
				break;
		rc =
		    check_topic(verify, topic, &places.items[i], next - i, err);
	}
	if (rc == SECOR_OK)
		rc = check_without_manifests(verify, &places, err);
	manifest_places_fini(&places);
	return rc;
}
