/*
 * verify_topics.c -- which topics and partitions are looked at: those with
 * manifests, and those that should have some.
 */
#include "core/cli/verify.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* ---- what is said ---- */

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

struct verify_report
verify_about(const struct manifest *manifest, int found, const char *kind,
    const char *key)
{
	struct verify_report report = {.found = found,
	    .kind = kind,
	    .topic = manifest->topic,
	    .partition = manifest->partition,
	    .key = key,
	    .start = manifest->start,
	    .end = manifest->end};

	return report;
}

/* ---- partitions ---- */

static int
has_partition(const struct manifest_place *places, size_t n, int32_t partition)
{
	for (size_t i = 0; i < n; i++)
		if (places[i].partition == partition)
			return 1;
	return 0;
}

/* A partition without a manifest: its record knows whether it had one. While
 * the service runs, its first may have come since they were listed. */
static int
check_empty(struct verify *verify, struct verify_topic *topic,
    int32_t partition, struct secor_err *err)
{
	struct manifest_places places = {0};
	struct record record = {.kind = RECORD_MISSING};
	struct verify_report report = {.found = 1,
	    .kind = "missing-before",
	    .topic = topic->name,
	    .partition = partition,
	    .start = -1};
	int rc =
	    verify->record(verify->arg, topic->name, partition, &record, err);
	int none;

	if (rc != SECOR_OK || record.kind == RECORD_MISSING ||
	    record.kind == RECORD_FOREIGN || record.m == 0 || verify->trimmed ||
	    verify->scope.removed_before != INT64_MIN ||
	    verify_from(verify, partition) >= record.offset)
		return rc;
	rc = manifest_places(
	    &verify->store, topic->name, partition, &places, err);
	none = places.count == 0;
	manifest_places_fini(&places);
	if (rc != SECOR_OK)
		return rc;
	if (!none)
		return verify_ranges(verify, topic, partition, err);
	report.end = record.offset;
	verify_say(verify, &report,
	    "there were manifests before offset %" PRId64
	    ", and none is there any more",
	    record.offset);
	return SECOR_OK;
}

/* The partitions of a topic that have no place: places[0..n) are all. */
static int
check_the_empty(struct verify *verify, struct verify_topic *topic,
    const struct manifest_place *places, size_t n, struct secor_err *err)
{
	int32_t count = 0;
	int rc =
	    verify->partitions == NULL || verify->record == NULL ||
		    verify->generation >= 0
		? SECOR_OK
		: verify->partitions(verify->arg, topic->name, &count, err);

	for (int32_t p = 0; rc == SECOR_OK && p < count; p++)
		if ((verify->partition < 0 || verify->partition == p) &&
		    !has_partition(places, n, p))
			rc = check_empty(verify, topic, p, err);
	return rc;
}

/* ---- topics ---- */

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
			rc = verify_ranges(verify, &topic, partition, err);
	}
	if (rc == SECOR_OK)
		rc = check_the_empty(verify, &topic, places, n, err);
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
	int rc =
	    manifest_places(&verify->store, verify->topic, -1, &places, err);

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
