/*
 * why.c -- `secor why`: what is in an object and why it ends where it does,
 * from its batch's manifest and those beside it.
 */
#include "core/cli/why.h"
#include "core/cli/args.h"
#include "core/cli/batches.h"
#include "core/cli/cli.h"
#include "core/cli/records.h"
#include "core/config/layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: secor why FILE KEY [--json]\n"
    "Tells what is in an object: its batch's offsets, records, bytes, times, "
    "why the\n"
    "batch was cut, and the batches beside it. KEY is a key in the store, its "
    "url, or\n"
    "the key of a manifest. Exit 1 when no manifest lists it.\n"
    "  --json  one JSON object\n";

/* By enum cut. */
static const char *const reasons[CUT_COUNT] = {
    [CUT_NONE] = "not known",
    [CUT_SIZE] = "its objects reached batch.max_bytes",
    [CUT_AGE] = "batch.max_age had passed",
    [CUT_MINUTE] = "a minute of batch.at_minutes had come",
    [CUT_OBJECTS] = "it reached batch.max_objects",
    [CUT_MESSAGES] = "it reached batch.max_messages",
    [CUT_MEMORY] = "engine.memory was full, and this batch held most",
    [CUT_STAGE] = "the disk of stage.dir was short, and this batch held most",
    [CUT_STOP] = "the service stopped (batch.on_stop: finish)",
    [CUT_GAP] = "a gap: these offsets were gone, or given up by hand",
};

struct why {
	const struct config *config;
	struct manifest_store store;
	const char *key;
	int json;
	struct manifest_place place; /* topic is owned */
	int64_t start;
	/* what was found */
	char *manifest_key;
	struct manifest *manifest, *before, *after;
	struct batches around;
	const struct manifest_object *object; /* NULL: of the manifest */
	int is_manifest;
	uint64_t redriven; /* of a dead-letter object */
	struct why_late late;
};

/* ---- the key ---- */

static const char *
without(const char *key, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(key, prefix, len) == 0 && key[len] == '/' ? key + len + 1
								 : NULL;
}

/* Topic, partition, generation and S in a key; 0 when they are not there. */
static int
parse(struct why *why)
{
	const struct config_layout *layout = &why->config->layout;
	const char *manifest = without(why->key, layout->manifest_prefix);
	const char *dead = without(why->key, layout->dead_letter_prefix);
	const char *rest = manifest != NULL ? manifest : dead;
	const char *slash = rest == NULL ? NULL : strchr(rest, '/');

	if (rest == NULL)
		why->place.topic = layout_topic(why->config, why->key);
	else if (slash != NULL && slash != rest)
		why->place.topic = mem_dup(rest, (size_t)(slash - rest));
	if (why->place.topic == NULL)
		return 0;
	why->is_manifest = manifest != NULL;
	if (manifest != NULL) {
		why->place.partition = (int32_t)strtol(slash + 1, NULL, 10);
		return manifest_parse_key(
		    why->key, &why->place.generation, &why->start);
	}
	return verify_parse_key(why->key, &why->place.generation,
	    &why->place.partition, &why->start);
}

/* ---- the manifests ---- */

static void
find_object(struct why *why)
{
	const struct manifest *m = why->manifest;

	for (size_t i = 0; m != NULL && i < m->object_count; i++)
		if (strcmp(m->objects[i].key, why->key) == 0)
			why->object = &m->objects[i];
}

static int
find(struct why *why, struct secor_err *err)
{
	const struct manifest_store *store = &why->store;
	int rc;

	why->manifest_key = manifest_key(store->prefix, why->place.topic,
	    why->place.partition, why->place.generation, why->start);
	rc = batches_manifest(store, why->manifest_key, &why->manifest, err);
	if (rc == SECOR_OK)
		rc = batches_find(
		    store, &why->place, why->start, &why->around, err);
	if (rc == SECOR_OK)
		rc = batches_manifest(
		    store, why->around.before, &why->before, err);
	if (rc == SECOR_OK)
		rc = batches_manifest(
		    store, why->around.after, &why->after, err);
	find_object(why);
	if (rc == SECOR_OK && why->object != NULL && why->object->dead_letter)
		rc = why_redriven(
		    store, &why->place, why->start, &why->redriven, err);
	if (rc == SECOR_OK && why->object != NULL)
		rc = why_late_find(config_topic(why->config, why->place.topic),
		    why->manifest, why->before, why->object, &why->late, err);
	return rc;
}

static void
fini(struct why *why)
{
	manifest_free(why->manifest);
	manifest_free(why->before);
	manifest_free(why->after);
	batches_forget(&why->around);
	free(why->manifest_key);
	free(why->place.topic);
}

static uint64_t
records_of(const struct manifest *m)
{
	uint64_t records = 0;

	for (size_t i = 0; i < m->object_count; i++)
		if (!m->objects[i].dead_letter)
			records += m->objects[i].records;
	return records;
}

/* ---- JSON ---- */

static void
json_object(struct buf *out, const struct manifest_object *object)
{
	buf_puts(out, ",\"object\":{");
	cli_json_text(out, "key", object->key);
	buf_putc(out, ',');
	cli_json_text(out, "path", object->path);
	buf_printf(out,
	    ",\"dead_letter\":%s,\"records\":%" PRIu64 ",\"bytes\":%" PRIu64
	    ",\"crc32c\":\"%08" PRIx32 "\",\"first_offset\":%" PRId64
	    ",\"last_offset\":%" PRId64,
	    object->dead_letter ? "true" : "false", object->records,
	    object->bytes, object->crc32c, object->first_offset,
	    object->last_offset);
	cli_json_time(out, "first_time",
	    object->has_times ? object->first_ms : INT64_MIN);
	cli_json_time(
	    out, "last_time", object->has_times ? object->last_ms : INT64_MIN);
	buf_putc(out, '}');
}

static void
json_neighbour(struct buf *out, const char *name, const char *key,
    const struct manifest *m, int linked)
{
	buf_printf(out, ",\"%s\":", name);
	if (m == NULL) {
		buf_puts(out, "null");
		return;
	}
	buf_puts(out, "{");
	cli_json_text(out, "manifest", key);
	buf_printf(out,
	    ",\"start\":%" PRId64 ",\"end\":%" PRId64 ",\"linked\":%s}",
	    m->start, m->end, linked ? "true" : "false");
}

static void
print_json(const struct why *why)
{
	const struct manifest *m = why->manifest;
	struct buf out = {0};

	buf_puts(&out, "{");
	cli_json_text(&out, "topic", m->topic);
	buf_printf(&out,
	    ",\"partition\":%" PRId32 ",\"generation\":%" PRId64
	    ",\"start\":%" PRId64 ",\"end\":%" PRId64 ",\"messages\":%" PRIu64
	    ",\"records\":%" PRIu64 ",\"bad\":%" PRIu64 ",\"filtered\":%" PRIu64
	    ",\"objects\":%zu,",
	    m->partition, m->generation, m->start, m->end, m->messages,
	    records_of(m), m->bad, m->filtered, m->object_count);
	cli_json_text(&out, "manifest", why->manifest_key);
	buf_putc(&out, ',');
	cli_json_text(&out, "cut", cut_name(m->cut));
	buf_putc(&out, ',');
	cli_json_text(&out, "why", reasons[m->cut]);
	cli_json_time(&out, "watermark", m->watermark);
	cli_json_time(&out, "written", m->written_ms);
	if (why->object != NULL)
		json_object(&out, why->object);
	if (why->object != NULL && why->object->dead_letter)
		buf_printf(&out, ",\"redriven\":%" PRIu64, why->redriven);
	why_late_json(&out, &why->late);
	json_neighbour(&out, "before", why->around.before, why->before,
	    why->before != NULL && why->before->chain == m->previous);
	json_neighbour(&out, "after", why->around.after, why->after,
	    why->after != NULL && why->after->previous == m->chain);
	(void)printf("%s}\n", out.ptr);
	buf_fini(&out);
}

/* ---- lines ---- */

static void
line_neighbour(const char *name, const char *key, const struct manifest *m,
    const char *otherwise)
{
	if (key == NULL)
		(void)printf("%-10s %s\n", name, otherwise);
	else if (m == NULL)
		(void)printf("%-10s %s (cannot be read)\n", name, key);
	else
		(void)printf("%-10s offsets %" PRId64 "..%" PRId64
			     ", cut by %s: %s\n",
		    name, m->start, m->end - 1, cut_name(m->cut), key);
}

static void
line_object(const struct why *why)
{
	const struct manifest_object *object = why->object;
	char url[2048] = "", from[40], until[40];

	if (object == NULL)
		return;
	if (why->store.ops->url != NULL)
		why->store.ops->url(
		    why->store.self, object->key, url, sizeof(url));
	(void)printf("object     %s\n", url[0] == '\0' ? object->key : url);
	(void)printf("holds      %" PRIu64 " %s of offsets %" PRId64
		     "..%" PRId64 ", %" PRIu64 " bytes, CRC32C %08" PRIx32 "\n",
	    object->records, object->dead_letter ? "bad messages" : "records",
	    object->first_offset, object->last_offset, object->bytes,
	    object->crc32c);
	if (object->has_times)
		(void)printf("times      %s to %s\n",
		    cli_time(object->first_ms, from),
		    cli_time(object->last_ms, until));
	why_late_print(&why->late);
	if (why->redriven > 0)
		(void)printf("redriven   %" PRIu64
			     " of them are stored since (secor redrive)\n",
		    why->redriven);
}

static void
print_lines(const struct why *why)
{
	const struct manifest *m = why->manifest;
	char time[40];

	line_object(why);
	(void)printf("batch      %s/%" PRId32 " offsets %" PRId64 "..%" PRId64
		     ", generation %" PRId64 ": %s\n",
	    m->topic, m->partition, m->start, m->end - 1, m->generation,
	    why->manifest_key);
	(void)printf("messages   %" PRIu64 ": %" PRIu64
		     " records in %zu objects, %" PRIu64 " bad, %" PRIu64
		     " filtered\n",
	    m->messages, records_of(m), m->object_count, m->bad, m->filtered);
	(void)printf("cut        %s: %s\n", cut_name(m->cut), reasons[m->cut]);
	(void)printf("event time up to %s (of the partition so far)\n",
	    cli_time(m->watermark, time));
	(void)printf("written    %s\n", cli_time(m->written_ms, time));
	line_neighbour("before", why->around.before, why->before,
	    m->previous == 0 ? "nothing: it is the first"
			     : "nothing any more: older manifests are gone");
	line_neighbour(
	    "after", why->around.after, why->after, "nothing: it is the last");
}

/* ---- the command ---- */

static int
answer(const struct why *why)
{
	if (why->manifest == NULL ||
	    (why->object == NULL && !why->is_manifest)) {
		(void)fprintf(stderr,
		    "secor why: %s: %s (%s); of a batch that is being stored, "
		    "or it does not belong there: secor verify tells\n",
		    why->key,
		    why->manifest == NULL ? "its batch has no manifest"
					  : "no manifest lists it",
		    why->manifest_key);
		return CLI_FOUND;
	}
	if (why->json)
		print_json(why);
	else
		print_lines(why);
	return CLI_OK;
}

static int
run(struct why *why, const char *word)
{
	struct secor_err err;
	int rc = cli_store(why->config, &why->store.self, &err);
	int code = CLI_ENVIRONMENT;
	int redrive = -1;

	why->store.ops = why->config->store.plugin->ops.store;
	why->store.prefix = why->config->layout.manifest_prefix;
	if (rc == SECOR_OK) {
		why->key = records_key(why->store.ops, why->store.self, word);
		rc = why_redrive(&(struct why_asked){why->config, &why->store,
				     why->key, why->json},
		    &redrive, &err);
	}
	if (rc == SECOR_OK && redrive >= 0) {
		code = redrive;
	} else if (rc == SECOR_OK && !parse(why)) {
		(void)fprintf(stderr,
		    "secor why: %s: not the key of an object or a manifest\n",
		    word);
		code = CLI_FOUND;
	} else {
		if (rc == SECOR_OK)
			rc = find(why, &err);
		if (rc == SECOR_OK)
			code = answer(why);
		else
			(void)fprintf(stderr, "secor why: %s\n", err.text);
	}
	if (why->store.self != NULL)
		why->store.ops->close(why->store.self);
	return code;
}

int
cli_why(int argc, char **argv)
{
	struct why why = {0};
	const struct cli_option options[] = {{"json", CLI_FLAG, &why.json}};
	const struct cli_table table = {usage, options, 1, 2, 2};
	struct cli_words words;
	struct registry *registry;
	struct config *config;
	int rc = cli_args(argc, argv, &table, &words);

	if (rc >= 0)
		return rc;
	config = cli_config(words.items[0], 0, &registry, &rc);
	if (config != NULL) {
		why.config = config;
		rc = run(&why, words.items[1]);
		fini(&why);
		config_free(config);
		registry_free(registry);
	}
	free(words.items);
	return rc;
}
