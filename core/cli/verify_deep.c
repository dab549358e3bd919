/*
 * verify_deep.c -- an object read back through its format: how many records it
 * holds and, where the format stores offsets, which.
 *
 * An object whose bytes are not the manifest's is sound only when its records,
 * encoded once more, give the manifest's bytes: then it is a note.
 */
#include "core/base/hash.h"
#include "core/cli/records.h"
#include "core/cli/reencode.h"
#include "core/cli/verify.h"
#include "core/flow/deadletter.h"
#include "core/flow/path.h"

#include <stdlib.h>
#include <string.h>

/* One object while its records pass by. */
struct reading {
	struct verify_batch *batch;
	uint64_t records;
	uint64_t without; /* records that have no offset */
	int64_t first, last;
	uint64_t hash;			/* as offsets_hash of the manifest */
	uint64_t outside, doubled;	/* offsets */
	int64_t outside_at, doubled_at; /* the first of them */
};

static void
take_offset(struct reading *reading, int64_t offset)
{
	const struct manifest *m = reading->batch->manifest;

	if (offset < m->start || offset >= m->end) {
		if (reading->outside++ == 0)
			reading->outside_at = offset;
	} else if (!offset_set_add(&reading->batch->offsets, offset)) {
		if (reading->doubled++ == 0)
			reading->doubled_at = offset;
	}
	if (reading->first < 0 || offset < reading->first)
		reading->first = offset;
	if (offset > reading->last)
		reading->last = offset;
	reading->hash += hash64(&offset, sizeof(offset));
}

static int
take(void *arg, const struct secor_read_record *record, const void *reader,
    struct secor_err *err)
{
	struct reading *reading = arg;

	(void)reader;
	(void)err;
	reading->records++;
	if (record->has_offset)
		take_offset(reading, record->offset);
	else
		reading->without++;
	return SECOR_OK;
}

/* ---- what is held against the manifest ---- */

static int
differs(const struct reading *reading, const struct manifest_object *object)
{
	if (reading->outside > 0 || reading->doubled > 0)
		return 1;
	/* of what `offsets resolve` kept nobody counted the records */
	if (reading->batch->manifest->cut == CUT_GAP)
		return 0;
	return reading->records != object->records ||
	       (reading->without == 0 && reading->records > 0 &&
		   (reading->first != object->first_offset ||
		       reading->last != object->last_offset ||
		       reading->hash != object->offsets_hash));
}

static void
say_offset(struct verify *verify, const struct reading *reading,
    const struct manifest_object *object)
{
	struct verify_report report =
	    verify_about(reading->batch->manifest, 1, "outside", object->key);

	if (reading->outside > 0) {
		report.start = reading->outside_at;
		report.end = reading->outside_at + 1;
		verify_say(verify, &report,
		    "%" PRIu64 " records have offsets outside of the batch, "
		    "the first %" PRId64,
		    reading->outside, reading->outside_at);
	}
	if (reading->doubled > 0) {
		report.kind = "doubled";
		report.start = reading->doubled_at;
		report.end = reading->doubled_at + 1;
		verify_say(verify, &report,
		    "%" PRIu64 " offsets are in the objects of this batch more "
		    "than once, the first %" PRId64,
		    reading->doubled, reading->doubled_at);
	}
}

static void
say_difference(struct verify *verify, const struct reading *reading,
    const struct manifest_object *object)
{
	const struct manifest *m = reading->batch->manifest;
	struct verify_report report =
	    verify_about(m, 1, "records", object->key);

	say_offset(verify, reading, object);
	if (m->cut != CUT_GAP && reading->records != object->records)
		verify_say(verify, &report,
		    "the object holds %" PRIu64 " records, %" PRIu64
		    " were written",
		    reading->records, object->records);
	else if (reading->outside == 0 && reading->doubled == 0) {
		report.kind = "offsets";
		verify_say(verify, &report,
		    "the object holds other offsets (%" PRId64 "..%" PRId64
		    ") than were written (%" PRId64 "..%" PRId64 ")",
		    reading->first, reading->last, object->first_offset,
		    object->last_offset);
	}
}

/* ---- the name ---- */

/* What the key has behind generation, partition and S; NULL: it is not named as
 * an object of the batch. */
static const char *
ending_of(const struct manifest *m, const struct manifest_object *object)
{
	char *name = mem_text("%" PRId64 "_%" PRId32 "_%020" PRId64,
	    m->generation, m->partition, m->start);
	const char *slash = strrchr(object->key, '/');
	const char *at = slash == NULL ? object->key : slash + 1;
	size_t len = strlen(name);
	int64_t redrive;

	if (path_after_redrive(at, &redrive) != NULL)
		at = path_after_redrive(at, &redrive);
	at = strncmp(at, name, len) == 0 ? at + len : NULL;
	free(name);
	return at;
}

/* Before the extension stands the suffix of a format that splits paths. 0: the
 * name does not end as those of the configured format. */
static int
suffix_of(const struct verify *verify, const struct manifest *m,
    const struct manifest_object *object, struct secor_bytes *suffix)
{
	const struct config_use *format =
	    &config_topic(verify->config, m->topic)->format;
	const struct secor_format_ops *ops = format->plugin->ops.format;
	struct secor_format_traits traits = {.size = sizeof(traits)};
	const char *want = verify->config->layout.extension;
	const char *is = ending_of(m, object);
	size_t len, all;

	*suffix = (struct secor_bytes){"", 0};
	if (object->dead_letter || is == NULL)
		return 1;
	ops->describe(format->conf, &traits);
	if (want == NULL)
		want = traits.extension == NULL ? "" : traits.extension;
	len = strlen(want);
	all = strlen(is);
	if (all < len || strcmp(is + all - len, want) != 0)
		return 0;
	*suffix = (struct secor_bytes){is, all - len};
	return all == len ||
	       (ops->split != NULL && all - len <= SECOR_SUFFIX_MAX);
}

/* The object's name as sync markers are made of: without generation, prefix or
 * extension. Caller frees. */
static char *
name_of(const struct verify *verify, const struct verify_batch *batch,
    const struct manifest_object *object)
{
	const struct manifest *m = batch->manifest;
	struct path_name name = {.topic = m->topic,
	    .path = object->path,
	    .partition = m->partition,
	    .start = m->start,
	    .redrive = batch->redrive};
	struct secor_bytes suffix;
	char *ending, *key;

	(void)suffix_of(verify, m, object, &suffix);
	name.extension = ending = mem_dup(suffix.ptr, suffix.len);
	key = path_key(&name);
	free(ending);
	return key;
}

/* ---- bytes ---- */

static int
has_same_records(const struct verify *verify, const struct verify_batch *batch,
    const struct manifest_object *object, const struct verify_bytes *bytes)
{
	const struct manifest *m = batch->manifest;
	const struct config_use *format =
	    &config_topic(verify->config, m->topic)->format;
	char *name = name_of(verify, batch, object);
	const struct secor_object like = {.size = sizeof(like),
	    .partition = m->partition,
	    .topic = m->topic,
	    .start = m->start,
	    .name = name};
	struct reencoded made = {0, 0};
	struct secor_err why;
	int rc;

	rewind(bytes->file);
	rc = reencode(format, &like, bytes->file, &made, &why);
	free(name);
	return rc == SECOR_OK && made.length == object->bytes &&
	       made.crc32c == object->crc32c;
}

/* `whole`: it was read, and counts and offsets are the manifest's. */
static void
check_bytes(struct verify *verify, const struct verify_batch *batch,
    const struct manifest_object *object, const struct verify_bytes *bytes,
    int whole)
{
	struct verify_report report =
	    verify_about(batch->manifest, 0, "other-bytes", object->key);

	if (bytes->length == object->bytes && bytes->crc32c == object->crc32c)
		return;
	if (whole && !object->dead_letter &&
	    has_same_records(verify, batch, object, bytes))
		verify_say(verify, &report,
		    "other bytes with the same records: encoded once more "
		    "they are those of the manifest");
	else
		(void)verify_say_bytes(verify, batch, object, bytes);
}

/* ---- the object ---- */

static void
say_not_read(struct verify *verify, const struct verify_batch *batch,
    const struct manifest_object *object)
{
	struct verify_report report =
	    verify_about(batch->manifest, 0, "not-read", object->key);

	verify_say(verify, &report,
	    "written under another configuration: not read back");
}

/* The same bytes as then, but the configuration is another one now. */
static int
is_old(const struct verify *verify, const struct manifest *m,
    const struct manifest_object *object, const struct verify_bytes *bytes)
{
	return !object->dead_letter &&
	       m->fingerprint !=
		   config_topic(verify->config, m->topic)->fingerprint &&
	       bytes->length == object->bytes &&
	       bytes->crc32c == object->crc32c;
}

static void
say_read(struct verify *verify, const struct reading *reading,
    const struct manifest_object *object, const struct secor_err *why)
{
	struct verify_report report = verify_about(
	    reading->batch->manifest, 1, "unreadable", object->key);

	if (why != NULL)
		verify_say(verify, &report, "it cannot be read back: %.900s",
		    why->text);
	else
		say_difference(verify, reading, object);
}

int
verify_read_back(struct verify *verify, struct verify_batch *batch,
    const struct manifest_object *object, const struct verify_bytes *bytes,
    struct secor_err *err)
{
	const struct manifest *m = batch->manifest;
	const struct config_use *format =
	    object->dead_letter
		? &deadletter_format
		: &config_topic(verify->config, m->topic)->format;
	struct reading reading = {.batch = batch, .first = -1, .last = -1};
	struct secor_err why = {{0}};
	struct secor_bytes suffix;
	int rc, bad;

	if (!suffix_of(verify, m, object, &suffix)) {
		batch->complete = 0;
		say_not_read(verify, batch, object);
		(void)verify_say_bytes(verify, batch, object, bytes);
		return SECOR_OK;
	}
	rc = records_read(
	    format, bytes->file, object->key, take, &reading, &why);
	if (rc != SECOR_OK && rc != SECOR_REJECT)
		return secor_fail(err, rc, "%s", why.text);
	verify->totals.read += reading.records;
	bad = rc != SECOR_OK || differs(&reading, object);
	if (bad || reading.without > 0)
		batch->complete = 0;
	if (bad && is_old(verify, m, object, bytes)) {
		say_not_read(verify, batch, object);
		return SECOR_OK;
	}
	if (bad)
		say_read(
		    verify, &reading, object, rc != SECOR_OK ? &why : NULL);
	check_bytes(verify, batch, object, bytes, !bad);
	return SECOR_OK;
}
