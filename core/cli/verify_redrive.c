/*
 * verify_redrive.c -- receipts of redrives: what they say was stored is a dead
 * letter of its batch, is stored once, and is there as it was written.
 */
#include "core/cli/records.h"
#include "core/cli/verify.h"
#include "core/flow/deadletter.h"
#include "core/flow/path.h"

#include <stdlib.h>
#include <string.h>

int
verify_parse_redrive(
    const char *key, struct receipt_name *name, int32_t *partition)
{
	const char *slash = strrchr(key, '/');
	const char *rest =
	    path_after_redrive(slash == NULL ? key : slash + 1, &name->number);

	return rest != NULL && verify_parse_key(rest, &name->generation,
				   partition, &name->start);
}

int
verify_redrives_begin(struct verify *verify, const char *topic,
    int32_t partition, struct verify_redrives *redrives, struct secor_err *err)
{
	int rc;

	redrives->place = (struct manifest_place){
	    mem_dup(topic, strlen(topic)), partition, -1};
	rc = receipts_list(
	    &verify->store, &redrives->place, 0, &redrives->receipts, err);
	redrives->looked_at = mem_alloc(redrives->receipts.count + 1);
	return rc;
}

void
verify_redrives_fini(struct verify_redrives *redrives)
{
	receipts_fini(&redrives->receipts);
	offset_set_fini(&redrives->offsets);
	free(redrives->looked_at);
	free(redrives->place.topic);
	memset(redrives, 0, sizeof(*redrives));
}

/* ---- one receipt ---- */

struct checking {
	struct verify *verify;
	struct verify_topic *topic;
	struct verify_redrives *redrives;
	const struct manifest *manifest;
	const struct receipt_file *file;
	const struct receipt *receipt;
	const struct manifest_object *dead; /* that it is of */
};

static struct verify_report
about(const struct checking *checking, const char *kind)
{
	return verify_about(checking->manifest, 1, kind, checking->file->key);
}

static void
say_offset(const struct checking *checking, const char *kind, const char *key,
    int64_t offset, const char *text)
{
	struct verify_report report = about(checking, kind);

	report.key = key;
	report.start = offset;
	report.end = offset + 1;
	verify_say(checking->verify, &report, "%s", text);
}

/* Its own hash, its dead letters, the names of its objects. */
static void
check_inside(struct checking *checking)
{
	const struct receipt *receipt = checking->receipt;
	const struct manifest *m = checking->manifest;
	struct verify_report report = about(checking, "altered");

	if (receipt_plan(receipt) != receipt->plan)
		verify_say(checking->verify, &report,
		    "the receipt was changed after it was written: its own "
		    "hash differs");
	for (size_t i = 0; i < m->object_count; i++)
		if (m->objects[i].dead_letter &&
		    strcmp(m->objects[i].key, receipt->source) == 0)
			checking->dead = &m->objects[i];
	report.kind = "receipt";
	if (checking->dead == NULL)
		verify_say(checking->verify, &report,
		    "its batch has no dead letters in %.900s", receipt->source);
	for (size_t i = 0; i < receipt->object_count; i++) {
		const struct receipt_object *object = &receipt->objects[i];
		char *name = mem_text("%s%sredrive%" PRId64 "_%" PRId64
				      "_%" PRId32 "_%020" PRId64,
		    object->path, object->path[0] == '\0' ? "" : "/",
		    receipt->number, m->generation, m->partition, m->start);
		const char *at = strstr(object->key, name);

		report.kind = "object-name";
		if (at == NULL || at == object->key || at[-1] != '/' ||
		    strchr(at + strlen(name), '/') != NULL)
			verify_say(checking->verify, &report,
			    "object %.900s is not named as its path and this "
			    "receipt say",
			    object->key);
		free(name);
	}
}

/* Each offset within the dead letters, and in no receipt yet. */
static void
check_offsets(struct checking *checking, const struct receipt_object *object)
{
	const struct offset_runs *runs = &object->offsets;
	const struct manifest_object *dead = checking->dead;
	int twice = 0;

	for (size_t i = 0; i < runs->count; i++) {
		const struct offset_run *run = &runs->items[i];

		if (dead == NULL || run->first < dead->first_offset ||
		    run->last > dead->last_offset) {
			say_offset(checking, "not-dead", object->key,
			    run->first,
			    "a redrive stored it, but it is no dead letter");
			return;
		}
		for (int64_t offset = run->first; offset <= run->last; offset++)
			if (!offset_set_add(
				&checking->redrives->offsets, offset) &&
			    twice++ == 0)
				say_offset(checking, "redriven-twice",
				    object->key, offset,
				    "stored by two redrives");
	}
}

/* The receipt's objects as a manifest's. */
static int
check_objects(struct checking *checking, struct secor_err *err)
{
	const struct receipt *receipt = checking->receipt;
	struct manifest like = *checking->manifest;
	struct verify_batch batch = {
	    .manifest = &like, .redrive = receipt->number};
	int rc;

	like.fingerprint = receipt->fingerprint;
	like.written_ms = receipt->written_ms;
	like.cut = CUT_NONE;
	like.object_count = receipt->object_count;
	like.objects =
	    mem_alloc((receipt->object_count + 1) * sizeof(*like.objects));
	for (size_t i = 0; i < receipt->object_count; i++) {
		const struct receipt_object *from = &receipt->objects[i];
		const struct offset_runs *runs = &from->offsets;

		like.objects[i] = (struct manifest_object){.key = from->key,
		    .path = from->path,
		    .records = runs->offsets,
		    .bytes = from->bytes,
		    .crc32c = from->crc32c,
		    .first_offset = runs->items[0].first,
		    .last_offset = runs->items[runs->count - 1].last};
		/* not of offsets that were found to be none of the batch's */
		if (like.objects[i].first_offset >= like.start &&
		    like.objects[i].last_offset < like.end)
			like.objects[i].offsets_hash = offset_runs_hash(runs);
	}
	rc = verify_objects(checking->verify, checking->topic, &batch, err);
	offset_set_fini(&batch.offsets);
	free(like.objects);
	return rc;
}

/* Its objects are nobody's finding. */
static int
know(struct checking *checking, struct secor_err *err)
{
	struct receipt *receipt = NULL;
	struct secor_err why;
	int rc = receipts_get(&checking->verify->store,
	    &checking->redrives->place, checking->file, &receipt, &why);

	if (rc == SECOR_RETRY || rc == SECOR_FATAL)
		return secor_fail(err, rc, "%s", why.text);
	for (size_t i = 0; rc == SECOR_OK && i < receipt->object_count; i++)
		verify_known(checking->topic, receipt->objects[i].key);
	receipt_free(receipt);
	return SECOR_OK;
}

static int
check_done(struct checking *checking, struct secor_err *err)
{
	struct verify_report report = about(checking, "receipt");
	struct receipt *receipt = NULL;
	struct secor_err why;
	int rc = receipts_get(&checking->verify->store,
	    &checking->redrives->place, checking->file, &receipt, &why);

	if (rc == SECOR_REJECT) {
		verify_say(checking->verify, &report, "%.1000s", why.text);
		return SECOR_OK;
	}
	if (rc != SECOR_OK)
		return secor_fail(err, rc, "%s", why.text);
	checking->receipt = receipt;
	checking->dead = NULL;
	check_inside(checking);
	for (size_t i = 0; i < receipt->object_count; i++)
		check_offsets(checking, &receipt->objects[i]);
	rc = check_objects(checking, err);
	receipt_free(receipt);
	return rc;
}

static int
check_open(struct checking *checking, struct secor_err *err)
{
	struct verify_report report = about(checking, "not-final");

	report.found = 0;
	verify_say(checking->verify, &report,
	    "a redrive of its dead letters is under way, or was killed: secor "
	    "redrive finishes it");
	return know(checking, err);
}

/* ---- the dead letters themselves ---- */

static int
take_dead(void *arg, const struct secor_read_record *record, const void *reader,
    struct secor_err *err)
{
	(void)reader;
	(void)err;
	if (record->has_offset && record->offset >= 0)
		(void)offset_set_add(arg, record->offset);
	return SECOR_OK;
}

/* Dead letters that are gone or damaged are a finding of their own. */
static int
check_dead(struct checking *checking, const struct manifest_object *object,
    struct secor_err *err)
{
	const struct manifest *m = checking->manifest;
	const struct offset_set *redriven = &checking->redrives->offsets;
	struct offset_set dead = {0};
	struct records_file file;
	struct secor_err why;
	int rc = records_fetch(checking->verify->store.ops,
	    checking->verify->store.self, object->key, &file, &why);

	if (rc == SECOR_OK) {
		rc = records_read(&deadletter_format, file.file, object->key,
		    take_dead, &dead, &why);
		(void)fclose(file.file);
	}
	for (int64_t at = m->start; rc == SECOR_OK && at < m->end; at++) {
		at = offset_set_next(redriven, at, m->end, 1);
		if (at < m->end && !offset_set_has(&dead, at)) {
			say_offset(checking, "not-dead", object->key, at,
			    "a redrive stored it, but it is no dead letter");
			break;
		}
	}
	offset_set_fini(&dead);
	return rc == SECOR_OK || rc == SECOR_REJECT
		   ? SECOR_OK
		   : secor_fail(err, rc, "%s", why.text);
}

/* ---- a batch, and what is left over ---- */

static int
check_file(struct checking *checking, size_t i, struct secor_err *err)
{
	const struct receipts *receipts = &checking->redrives->receipts;

	checking->file = &receipts->items[i];
	if (checking->file->name.kind == RECEIPT_DONE)
		return check_done(checking, err);
	if (receipts_is_open(receipts, i))
		return check_open(checking, err);
	return SECOR_OK;
}

/* The first of the batch, in their order. */
static size_t
first_of(const struct receipts *receipts, const struct manifest *m)
{
	size_t from = 0, until = receipts->count;

	while (from < until) {
		size_t middle = from + (until - from) / 2;
		const struct receipt_name *name = &receipts->items[middle].name;

		if (name->generation < m->generation ||
		    (name->generation == m->generation &&
			name->start < m->start))
			from = middle + 1;
		else
			until = middle;
	}
	return from;
}

int
verify_redrives_of(struct verify *verify, struct verify_topic *topic,
    struct verify_redrives *redrives, const struct manifest *m, int passed,
    struct secor_err *err)
{
	struct checking checking = {.verify = verify,
	    .topic = topic,
	    .redrives = redrives,
	    .manifest = m};
	int rc = SECOR_OK;

	offset_set_fini(&redrives->offsets);
	for (size_t i = first_of(&redrives->receipts, m);
	     rc == SECOR_OK && i < redrives->receipts.count; i++) {
		const struct receipt_name *name =
		    &redrives->receipts.items[i].name;

		if (name->generation != m->generation ||
		    name->start != m->start)
			break;
		redrives->looked_at[i] = 1;
		if (!passed)
			rc = check_file(&checking, i, err);
	}
	if (redrives->offsets.count == 0 || verify->quick)
		return rc;
	for (size_t i = 0; rc == SECOR_OK && i < m->object_count; i++)
		if (m->objects[i].dead_letter)
			rc = check_dead(&checking, &m->objects[i], err);
	return rc;
}

int
verify_redrives_end(struct verify *verify, struct verify_topic *topic,
    struct verify_redrives *redrives, int64_t first, struct secor_err *err)
{
	struct checking checking = {
	    .verify = verify, .topic = topic, .redrives = redrives};
	int may_be_gone =
	    verify->trimmed || verify->scope.removed_before != INT64_MIN;
	int rc = SECOR_OK;

	for (size_t i = 0; rc == SECOR_OK && i < redrives->receipts.count;
	     i++) {
		const struct receipt_file *file = &redrives->receipts.items[i];
		struct verify_report report = {.found = 1,
		    .kind = "receipt",
		    .topic = topic->name,
		    .partition = redrives->place.partition,
		    .key = file->key,
		    .start = file->name.start,
		    .end = -1};

		if (redrives->looked_at[i] ||
		    (verify->generation >= 0 &&
			verify->generation != file->name.generation))
			continue;
		checking.file = file;
		if (file->name.kind != RECEIPT_CLAIM)
			rc = know(&checking, err);
		if (file->name.start >=
			verify_from(verify, redrives->place.partition) &&
		    (!may_be_gone || (first >= 0 && file->name.start >= first)))
			verify_say(verify, &report,
			    "the batch whose dead letters it is of has no "
			    "final manifest");
	}
	return rc;
}
