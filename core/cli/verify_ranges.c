/*
 * verify_ranges.c -- ranges and chain of one partition.
 */
#include "core/cli/verify.h"

#include <stdlib.h>
#include <string.h>

/* One partition while its manifests pass by. */
struct walk {
	struct verify *verify;
	struct verify_topic *topic;
	struct verify_partition sum;
	struct record record;
	int has_record;	    /* it is known, and clean, plan or halt */
	int begun;	    /* a manifest was seen */
	int64_t generation; /* of the last manifest */
	uint64_t chain;	    /* head so far */
	int64_t ahead;	    /* the last that begins at or behind the record */
	int64_t from;	    /* what ends at or before it is not looked at */
	int64_t low;	    /* first offset in Kafka; -1: not asked */
	struct verify_span no_message; /* that the chain passes over */
	struct verify_redrives redrives;
};

static struct verify_report
about(const struct walk *walk, int found, const char *kind, int64_t start,
    int64_t end)
{
	struct verify_report report = {.found = found,
	    .kind = kind,
	    .topic = walk->sum.topic,
	    .partition = walk->sum.partition,
	    .start = start,
	    .end = end};

	return report;
}

/* ---- one manifest ---- */

static int
is_where_it_says(
    const struct walk *walk, const char *key, const struct manifest *manifest)
{
	int64_t generation, start;

	return manifest_parse_key(key, &generation, &start) &&
	       manifest->start == start && manifest->generation == generation &&
	       manifest->partition == walk->sum.partition &&
	       strcmp(manifest->topic, walk->sum.topic) == 0;
}

/* The first manifest that there is. */
static void
check_begin(struct walk *walk, const char *key, const struct manifest *m)
{
	const struct verify *verify = walk->verify;
	struct verify_report report =
	    about(walk, 1, "missing-before", -1, m->start);

	report.key = key;
	if (m->previous == 0 || verify->trimmed || verify->generation >= 0 ||
	    (walk->from > 0 && m->start <= walk->from))
		return;
	if (verify->scope.removed_before != INT64_MIN) {
		report.found = 0;
		report.kind = "removed";
		verify_say(walk->verify, &report,
		    "the manifests before offset %" PRId64
		    " are not there any more, as --removed-before says",
		    m->start);
		return;
	}
	if (walk->from > 0)
		report.start = walk->from;
	verify_say(walk->verify, &report,
	    "the manifests before offset %" PRId64
	    " are not there any more (--from, --removed-before or --trimmed "
	    "when that is meant)",
	    m->start);
}

/* Offsets that the chain passes over. */
static void
no_message(struct walk *walk, int64_t start, int64_t end)
{
	struct verify_report report = about(walk, 0, "skipped", start, end);

	walk->no_message = (struct verify_span){
	    walk->sum.topic, walk->sum.partition, start, end};
	walk->verify->totals.skipped += (uint64_t)(end - start);
	verify_say(walk->verify, &report,
	    "no messages there (transaction markers): the chain goes on");
}

/* Asks the topic. */
static int
confirm_no_message(struct walk *walk, struct secor_err *err)
{
	struct verify_span span = walk->no_message;

	walk->no_message.end = walk->no_message.start;
	if (walk->verify->log == NULL || span.start >= span.end)
		return SECOR_OK;
	return verify_confirm_span(walk->verify, &span, walk->low, err);
}

static void
check_link(struct walk *walk, const char *key, const struct manifest *m)
{
	int64_t end = walk->sum.end;
	int linked = m->previous == walk->chain;
	struct verify_report report = about(walk, 1, "hole", end, m->start);

	report.key = key;
	if (m->start > end && linked) {
		no_message(walk, end, m->start);
	} else if (m->start > end) {
		if (end < walk->from)
			report.start = walk->from;
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

	if (walk->sum.first < 0)
		walk->sum.first = m->start;
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

/* Not looked at, but what follows is held against it. */
static void
pass(struct walk *walk, const struct manifest *m)
{
	if (m->end > walk->sum.end || m->generation != walk->generation)
		walk->sum.end = m->end;
	walk->begun = 1;
	walk->generation = m->generation;
	walk->chain = m->chain;
}

static void
check_generation(struct walk *walk, const char *key, const struct manifest *m)
{
	struct verify_report report = verify_about(m, 1, "generation", key);

	if (walk->has_record &&
	    m->generation > record_generation(walk->record.g))
		verify_say(walk->verify, &report,
		    "generation %" PRId64
		    " is not there yet: the group is in generation %" PRId64,
		    m->generation, record_generation(walk->record.g));
}

static int
check_manifest(struct walk *walk, const char *key, const struct manifest *m,
    struct secor_err *err)
{
	struct verify *verify = walk->verify;
	struct verify_batch batch = {.manifest = m};
	int rc;

	if (walk->begun)
		check_link(walk, key, m);
	else
		check_begin(walk, key, m);
	check_generation(walk, key, m);
	verify_inside(verify, key, m);
	count(walk, m);
	pass(walk, m);
	rc = confirm_no_message(walk, err);
	if (rc == SECOR_OK)
		rc = verify_objects(verify, walk->topic, &batch, err);
	if (rc == SECOR_OK && verify->log != NULL)
		rc = verify_confirm_batch(verify, &batch, walk->low, err);
	offset_set_fini(&batch.offsets);
	if (rc == SECOR_OK)
		rc = verify_redrives_of(
		    verify, walk->topic, &walk->redrives, m, 0, err);
	return rc;
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
	if (m->end <= walk->from) {
		pass(walk, m);
		return verify_redrives_of(
		    walk->verify, walk->topic, &walk->redrives, m, 1, err);
	}
	return check_manifest(walk, key, m, err);
}

/* ---- the group's record ---- */

static int
read_record(struct walk *walk, struct record *record, struct secor_err *err)
{
	record->kind = RECORD_MISSING;
	return walk->verify->record(walk->verify->arg, walk->sum.topic,
	    walk->sum.partition, record, err);
}

static int
begin(struct walk *walk, struct secor_err *err)
{
	struct verify_report report = about(walk, 1, "record", -1, -1);
	int rc;

	walk->sum.first = walk->sum.end = walk->sum.committed = -1;
	walk->ahead = walk->low = -1;
	walk->from = verify_from(walk->verify, walk->sum.partition);
	if (walk->verify->record == NULL)
		return SECOR_OK;
	rc = read_record(walk, &walk->record, err);
	if (rc == SECOR_OK && walk->verify->log != NULL)
		rc = walk->verify->log->low(walk->verify->log->arg,
		    walk->sum.topic, walk->sum.partition, &walk->low, err);
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
		no_message(walk, end, committed);
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

/* ---- the partition ---- */

static void
add_final(struct verify_topic *topic, const struct walk *walk)
{
	struct verify_final final = {.partition = walk->sum.partition,
	    .generation = walk->generation,
	    .offset = walk->sum.end,
	    .first = walk->sum.first,
	    .has_record = walk->has_record};

	if (walk->has_record) {
		final.generation = record_generation(walk->record.g);
		final.offset = walk->record.offset;
	}
	topic->finals = mem_grow(
	    topic->finals, (topic->final_count + 1) * sizeof(*topic->finals));
	topic->finals[topic->final_count++] = final;
}

/* Every generation that has a manifest now, after the record was read. */
static int
walk_all(struct walk *walk, struct secor_err *err)
{
	struct verify *verify = walk->verify;
	struct manifest_places places = {0};
	int rc = manifest_places(
	    &verify->store, walk->sum.topic, walk->sum.partition, &places, err);

	for (size_t i = 0; rc == SECOR_OK && i < places.count; i++)
		if (verify->generation < 0 ||
		    verify->generation == places.items[i].generation)
			rc = manifest_walk(&verify->store, &places.items[i], 0,
			    on_manifest, walk, err);
	manifest_places_fini(&places);
	return rc;
}

/* Records first, then receipts, then manifests: what is newer than the former
 * is never missed in the latter. */
static int
walk_partition(struct walk *walk, struct secor_err *err)
{
	struct verify *verify = walk->verify;
	int rc = begin(walk, err);

	if (rc == SECOR_OK)
		rc = verify_redrives_begin(verify, walk->sum.topic,
		    walk->sum.partition, &walk->redrives, err);
	if (rc == SECOR_OK)
		rc = walk_all(walk, err);
	if (rc == SECOR_OK && walk->ahead >= 0)
		rc = check_ahead(walk, err);
	if (rc != SECOR_OK)
		return rc;
	if (walk->has_record)
		check_end(walk);
	rc = confirm_no_message(walk, err);
	if (rc == SECOR_OK)
		rc = verify_redrives_end(
		    verify, walk->topic, &walk->redrives, walk->sum.first, err);
	return rc;
}

int
verify_ranges(struct verify *verify, struct verify_topic *topic,
    int32_t partition, struct secor_err *err)
{
	struct walk walk = {.verify = verify,
	    .topic = topic,
	    .sum = {.topic = topic->name, .partition = partition}};
	int rc = walk_partition(&walk, err);

	verify_redrives_fini(&walk.redrives);
	if (rc != SECOR_OK)
		return rc;
	add_final(topic, &walk);
	verify->totals.partitions++;
	verify->done(verify->arg, &walk.sum);
	return SECOR_OK;
}
