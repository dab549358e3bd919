/*
 * where.c -- `secor where`: what became of one offset. Reads the store only:
 * one manifest and, where the format stores offsets, the objects of its batch
 * that may hold it.
 */
#include "core/cli/args.h"
#include "core/cli/batches.h"
#include "core/cli/cli.h"
#include "core/cli/receipts.h"
#include "core/cli/records.h"
#include "core/flow/deadletter.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: secor where FILE TOPIC PARTITION OFFSET [--json]\n"
    "Tells what became of one message: the object that holds it, or the "
    "objects that\n"
    "can (exact where the format stores offsets, and for dead letters), or why "
    "there\n"
    "is none. Exit 1 when the offset is in no batch, or was given up.\n"
    "  --json  one JSON object\n";

struct where {
	const struct config *config;
	struct manifest_store store;
	const char *topic;
	int32_t partition;
	int64_t offset;
	int json;
	int accounted; /* some generation knows what became of it */
	size_t said;
	struct buf out;
};

enum holds { HOLDS_NOT, HOLDS_MAYBE, HOLDS };

/* What one generation knows. */
struct answer {
	const struct manifest_place *place;
	const char *state;
	const char *text;
	int accounted;
	const char *key; /* of the manifest, or NULL */
	const struct manifest *manifest;
	enum holds *holds; /* by object; NULL: nothing was looked at */
	struct receipt_found redriven; /* it was a dead letter */
};

/* ---- the objects of the batch ---- */

struct looking {
	int64_t offset;
	int found;
	uint64_t without; /* records that have no offset */
};

static int
look(void *arg, const struct secor_read_record *record, const void *reader,
    struct secor_err *err)
{
	struct looking *looking = arg;

	(void)reader;
	(void)err;
	if (!record->has_offset)
		looking->without++;
	else if (record->offset == looking->offset)
		looking->found = 1;
	return SECOR_OK;
}

static int
stores_offsets(const struct config_use *format)
{
	struct secor_format_traits traits = {.size = sizeof(traits)};

	format->plugin->ops.format->describe(format->conf, &traits);
	return traits.stores_offsets;
}

/* HOLDS_MAYBE when the object is not there or does not say. */
static int
look_into(struct where *where, const struct manifest_object *object,
    enum holds *holds, struct secor_err *err)
{
	const struct config_use *format =
	    object->dead_letter
		? &deadletter_format
		: &config_topic(where->config, where->topic)->format;
	struct looking looking = {.offset = where->offset};
	struct records_file file;
	int rc;

	*holds = HOLDS_NOT;
	if (where->offset < object->first_offset ||
	    where->offset > object->last_offset)
		return SECOR_OK;
	*holds = HOLDS_MAYBE;
	if (!stores_offsets(format))
		return SECOR_OK;
	rc = records_fetch(
	    where->store.ops, where->store.self, object->key, &file, err);
	if (rc == SECOR_OK) {
		rc = records_read(
		    format, file.file, object->key, look, &looking, err);
		(void)fclose(file.file);
	}
	if (rc == SECOR_OK && looking.without == 0)
		*holds = looking.found ? HOLDS : HOLDS_NOT;
	return rc == SECOR_REJECT ? SECOR_OK : rc;
}

/* How many objects are of this kind; the last of them. */
static size_t
count_holds(const struct answer *answer, enum holds kind, size_t *which)
{
	size_t n = 0;

	for (size_t i = 0; i < answer->manifest->object_count; i++)
		if (answer->holds[i] == kind) {
			n++;
			*which = i;
		}
	return n;
}

static uint64_t
dead_letters(const struct manifest *m)
{
	uint64_t dead = 0;

	for (size_t i = 0; i < m->object_count; i++)
		if (m->objects[i].dead_letter)
			dead += m->objects[i].records;
	return dead;
}

static void
say(struct answer *answer, const char *state, int accounted, const char *text)
{
	answer->state = state;
	answer->accounted = accounted;
	answer->text = text;
}

/* No object has it. */
static void
judge_none(struct answer *answer)
{
	const struct manifest *m = answer->manifest;
	uint64_t width = (uint64_t)(m->end - m->start);
	int left_out = m->filtered > 0 || m->bad > dead_letters(m);

	if (m->cut == CUT_GAP)
		say(answer, "gap", 0,
		    "a recorded gap: the offset was gone, or given up by hand");
	else if (!left_out)
		say(answer, "no-message", 1,
		    "there is no message (a transaction's marker, aborted or "
		    "compacted away)");
	else if (m->messages == width)
		say(answer, "filtered", 1,
		    "the message was filtered or skipped");
	else
		say(answer, "no-record", 1,
		    "the message was filtered or skipped, or there is none");
}

static void
judge(struct answer *answer)
{
	const struct manifest *m = answer->manifest;
	uint64_t width = (uint64_t)(m->end - m->start);
	int everywhere = m->messages == width && m->filtered == 0 &&
			 m->bad == dead_letters(m);
	size_t which = 0;
	size_t maybe = count_holds(answer, HOLDS_MAYBE, &which);

	/* only one can have it, and some object must */
	if (maybe == 1 && everywhere && count_holds(answer, HOLDS, &which) == 0)
		answer->holds[which] = HOLDS;
	if (count_holds(answer, HOLDS, &which) > 0 &&
	    m->objects[which].dead_letter)
		say(answer, "dead-letter", 1, "a bad message, kept whole");
	else if (count_holds(answer, HOLDS, &which) > 0)
		say(answer, "stored", 1, "this object holds it");
	else if (maybe == 0)
		judge_none(answer);
	else if (everywhere)
		say(answer, "one-of", 1, "one of these objects holds it");
	else
		say(answer, "one-of", 1,
		    "one of these objects holds it, unless it was filtered or "
		    "is no message");
}

/* ---- around the batch ---- */

/* The offset is behind the batch that begins before it. */
static int
judge_between(struct where *where, struct answer *answer,
    const struct batches *around, struct secor_err *err)
{
	const struct manifest *before = answer->manifest;
	struct manifest *after;
	int rc = batches_manifest(&where->store, around->after, &after, err);

	if (rc != SECOR_OK)
		return rc;
	if (around->after == NULL)
		say(answer, "not-stored", 0,
		    "no batch has it: the last one ends before it");
	else if (before == NULL && after != NULL && after->previous == 0)
		say(answer, "before-first", 0,
		    "the first batch begins behind it");
	else if (before == NULL)
		say(answer, "removed", 0,
		    "the manifests before the first that is left are gone");
	else if (after != NULL && after->previous == before->chain)
		say(answer, "no-message", 1,
		    "there is no message: the chain passes over it "
		    "(transaction markers)");
	else
		say(answer, "hole", 0,
		    "no manifest has it, though later ones exist: secor "
		    "verify tells more");
	manifest_free(after);
	return SECOR_OK;
}

/* A dead letter may be stored since, and be gone. */
static int
look_for_redrive(
    struct where *where, struct answer *answer, struct secor_err *err)
{
	struct secor_err why;
	int rc = receipts_holding(&where->store, answer->place,
	    answer->manifest->start, where->offset, &answer->redriven, &why);

	if (rc == SECOR_REJECT)
		say(answer, "dead-letter", 1,
		    "a bad message, kept whole; a receipt of a redrive cannot "
		    "be read, secor verify tells more");
	else if (rc != SECOR_OK)
		return secor_fail(err, rc, "%s", why.text);
	if (answer->redriven.object != NULL)
		say(answer, "redriven", 1,
		    "it was a bad message; a redrive stored it since");
	return SECOR_OK;
}

static int
judge_batch(struct where *where, struct answer *answer, struct secor_err *err)
{
	const struct manifest *m = answer->manifest;
	int rc = SECOR_OK;

	answer->holds = mem_alloc((m->object_count + 1) * sizeof(enum holds));
	for (size_t i = 0; rc == SECOR_OK && i < m->object_count; i++)
		rc = look_into(where, &m->objects[i], &answer->holds[i], err);
	if (rc == SECOR_OK)
		judge(answer);
	for (size_t i = 0; rc == SECOR_OK && answer->redriven.object == NULL &&
			   i < m->object_count;
	     i++)
		if (m->objects[i].dead_letter && answer->holds[i] != HOLDS_NOT)
			rc = look_for_redrive(where, answer, err);
	return rc;
}

/* ---- output ---- */

static void
url_of(const struct where *where, const char *key, char *dst, size_t room)
{
	dst[0] = '\0';
	if (where->store.ops->url != NULL)
		where->store.ops->url(where->store.self, key, dst, room);
}

static void
json_objects(struct where *where, const struct answer *answer)
{
	struct buf *out = &where->out;
	const char *comma = "";
	char url[2048];

	buf_puts(out, ",\"objects\":[");
	for (size_t i = 0;
	     answer->holds != NULL && i < answer->manifest->object_count; i++) {
		const struct manifest_object *object =
		    &answer->manifest->objects[i];

		if (answer->holds[i] == HOLDS_NOT)
			continue;
		buf_printf(out, "%s{", comma);
		comma = ",";
		cli_json_text(out, "key", object->key);
		url_of(where, object->key, url, sizeof(url));
		buf_putc(out, ',');
		cli_json_text(out, "url", url);
		buf_printf(out, ",\"dead_letter\":%s,\"exact\":%s}",
		    object->dead_letter ? "true" : "false",
		    answer->holds[i] == HOLDS ? "true" : "false");
	}
	if (answer->redriven.object != NULL) {
		buf_printf(out, "%s{", comma);
		cli_json_text(out, "key", answer->redriven.object->key);
		url_of(where, answer->redriven.object->key, url, sizeof(url));
		buf_putc(out, ',');
		cli_json_text(out, "url", url);
		buf_printf(out,
		    ",\"dead_letter\":false,\"exact\":true,\"redrive\":%" PRId64
		    "}",
		    answer->redriven.receipt->number);
	}
	buf_puts(out, "]");
}

static void
json_answer(struct where *where, const struct answer *answer)
{
	struct buf *out = &where->out;
	const struct manifest *m = answer->manifest;

	buf_printf(out, "%s{\"generation\":%" PRId64 ",",
	    where->said > 0 ? "," : "", answer->place->generation);
	cli_json_text(out, "state", answer->state);
	buf_putc(out, ',');
	cli_json_text(out, "text", answer->text);
	buf_putc(out, ',');
	cli_json_text(out, "manifest", answer->key);
	if (m != NULL)
		buf_printf(out,
		    ",\"start\":%" PRId64 ",\"end\":%" PRId64 ",\"cut\":\"%s\"",
		    m->start, m->end, cut_name(m->cut));
	json_objects(where, answer);
	buf_puts(out, "}");
}

static void
line_answer(struct where *where, const struct answer *answer)
{
	struct buf *out = &where->out;
	const struct manifest *m = answer->manifest;
	char url[2048];

	buf_printf(out, "%s/%" PRId32 " offset %" PRId64 ": %s (%s)\n",
	    where->topic, where->partition, where->offset, answer->text,
	    answer->state);
	for (size_t i = 0; answer->holds != NULL && i < m->object_count; i++) {
		if (answer->holds[i] == HOLDS_NOT)
			continue;
		url_of(where, m->objects[i].key, url, sizeof(url));
		buf_printf(out, "  %s %s\n",
		    answer->holds[i] == HOLDS ? "in    " : "maybe ", url);
	}
	if (answer->redriven.object != NULL) {
		url_of(where, answer->redriven.object->key, url, sizeof(url));
		buf_printf(out, "  since  %s\n", url);
	}
	if (m != NULL)
		buf_printf(out,
		    "  batch  %" PRId64 "..%" PRId64 " generation %" PRId64
		    " %s\n",
		    m->start, m->end - 1, m->generation, answer->key);
}

static void
put_answer(struct where *where, const struct answer *answer)
{
	if (where->json)
		json_answer(where, answer);
	else
		line_answer(where, answer);
	where->accounted |= answer->accounted;
	where->said++;
}

/* ---- the command ---- */

static int
ask_generation(struct where *where, const struct manifest_place *place,
    struct secor_err *err)
{
	struct answer answer = {.place = place};
	struct manifest *manifest = NULL;
	struct batches around;
	int rc =
	    batches_find(&where->store, place, where->offset, &around, err);

	if (rc != SECOR_OK)
		return rc;
	answer.key = around.at;
	rc = batches_manifest(&where->store, around.at, &manifest, err);
	answer.manifest = manifest;
	if (rc == SECOR_OK && around.at != NULL && manifest == NULL)
		say(&answer, "broken-manifest", 0,
		    "the manifest of its batch cannot be read");
	else if (rc == SECOR_OK && manifest != NULL &&
		 where->offset < manifest->end)
		rc = judge_batch(where, &answer, err);
	else if (rc == SECOR_OK)
		rc = judge_between(where, &answer, &around, err);
	if (rc == SECOR_OK)
		put_answer(where, &answer);
	free(answer.holds);
	receipt_free(answer.redriven.receipt);
	manifest_free(manifest);
	batches_forget(&around);
	return rc;
}

static int
ask(struct where *where, struct secor_err *err)
{
	struct manifest_places places = {0};
	int rc = manifest_places(
	    &where->store, where->topic, where->partition, &places, err);

	for (size_t i = 0; rc == SECOR_OK && i < places.count; i++)
		rc = ask_generation(where, &places.items[i], err);
	manifest_places_fini(&places);
	return rc;
}

static void
print(const struct where *where)
{
	struct buf head = {0};

	if (!where->json && where->said == 0)
		(void)printf("%s/%" PRId32
			     " has no manifest: nothing of it is stored\n",
		    where->topic, where->partition);
	if (where->json) {
		buf_puts(&head, "{");
		cli_json_text(&head, "topic", where->topic);
		(void)printf("%s,\"partition\":%" PRId32 ",\"offset\":%" PRId64
			     ",\"generations\":[",
		    head.ptr, where->partition, where->offset);
	}
	(void)fputs(where->out.ptr == NULL ? "" : where->out.ptr, stdout);
	if (where->json)
		(void)puts("]}");
	buf_fini(&head);
}

static int
run(struct where *where)
{
	struct secor_err err;
	int rc = cli_store(where->config, &where->store.self, &err);

	where->store.ops = where->config->store.plugin->ops.store;
	where->store.prefix = where->config->layout.manifest_prefix;
	if (rc == SECOR_OK)
		rc = ask(where, &err);
	if (where->store.self != NULL)
		where->store.ops->close(where->store.self);
	if (rc != SECOR_OK) {
		(void)fprintf(stderr, "secor where: %s\n", err.text);
		return CLI_ENVIRONMENT;
	}
	print(where);
	return where->accounted ? CLI_OK : CLI_FOUND;
}

/* A whole number; -1 when it is not one, or over `most`. */
static int64_t
number(const char *text, int64_t most)
{
	char *end;
	int64_t value;

	errno = 0;
	value = strtoll(text, &end, 10);
	return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0 &&
		       value <= most
		   ? value
		   : -1;
}

static int
load_and_run(struct where *where, char **words)
{
	struct registry *registry;
	struct config *config;
	int64_t partition = number(words[2], INT32_MAX);
	int rc;

	where->topic = words[1];
	where->offset = number(words[3], INT64_MAX - 1);
	if (partition < 0 || where->offset < 0) {
		(void)fprintf(stderr,
		    "secor where: '%s' is not %s (secor where --help)\n",
		    partition < 0 ? words[2] : words[3],
		    partition < 0 ? "a partition" : "an offset");
		return CLI_USAGE;
	}
	where->partition = (int32_t)partition;
	config = cli_config(words[0], 0, &registry, &rc);
	if (config == NULL)
		return rc;
	where->config = config;
	rc = run(where);
	config_free(config);
	registry_free(registry);
	return rc;
}

int
cli_where(int argc, char **argv)
{
	struct where where = {0};
	const struct cli_option options[] = {{"json", CLI_FLAG, &where.json}};
	const struct cli_table table = {usage, options, 1, 4, 4};
	struct cli_words words;
	int rc = cli_args(argc, argv, &table, &words);

	if (rc >= 0)
		return rc;
	rc = load_and_run(&where, words.items);
	free(words.items);
	buf_fini(&where.out);
	return rc;
}
