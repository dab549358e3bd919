/*
 * notify.c -- tells a notifier of events, as the engine would: the plugin is
 * loaded by the engine's registry and called through its table.
 *
 *	notify FOLDER NAME OPTION=VALUE... <events
 *
 * A value may be JSON, a list or a map of strings.
 *
 * Each line of standard input is one finished batch,
 *
 *	{"topic": "t", "partition": 0, "start": 0, "end": 9, "objects":
 *	 [{"path": "dt=x", "url": "s3://..", "levels": [["dt", "x"], ..]}, ..]}
 *
 * or, with "event": "path_finalized" or "path_amended", one path,
 *
 *	{"event": .., "topic": "t", "path": "dt=x", "url": "s3://..",
 *	 "levels": [["dt", "x"]], "total_objects": 1, "total_records": 2,
 *	 "total_bytes": 3, "time_from": 4, "time_until": 5, "objects": [..]}
 *
 * and is answered by one line, "OK", "RETRY text" or "REJECT text".
 */
#include "core/base/buf.h"
#include "core/plugin/options.h"
#include "core/plugin/plugin.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const char *const WORDS[] = {"OK", "RETRY", "REJECT", "FATAL"};

static void
fail(const char *what, const char *why)
{
	fprintf(stderr, "%s: %s\n", what, why);
	exit(2);
}

static void
complain(const struct secor_check *check, const char *key, const char *text)
{
	(void)check;
	fail(key == NULL ? "configuration" : key, text);
}

/* A list or a map in JSON; 0 when the value is none. */
static int
set_json(const struct secor_option *row, void *conf, const char *value)
{
	enum { MOST = 64 };
	const char *keys[MOST], *values[MOST], *key;
	json_t *json = json_loads(value, 0, NULL), *item;
	size_t n = 0, i;
	struct secor_err err;

	if (json == NULL)
		return 0;
	json_array_foreach(json, i, item)
	{
		assert(n < MOST);
		values[n++] = json_string_value(item);
	}
	json_object_foreach(json, key, item)
	{
		assert(n < MOST);
		keys[n] = key;
		values[n++] = json_string_value(item);
	}
	if (options_set_list(row, conf, json_is_object(json) ? keys : NULL,
		values, n, &err) != SECOR_OK)
		fail(row->key, err.text);
	json_decref(json);
	return 1;
}

static void *
bind(const struct plugin *plugin, char **pairs)
{
	struct options opts = plugin_options(plugin);
	const struct secor_check check = {
	    .size = sizeof(check), .complain = complain};
	void *conf = options_new(&opts);
	struct secor_err err;

	for (; *pairs != NULL; pairs++) {
		char *value = strchr(*pairs, '=');
		const struct secor_option *row;

		assert(value != NULL);
		*value++ = '\0';
		row = options_find(&opts, *pairs);
		if (row == NULL)
			fail(*pairs, "no such option");
		if (set_json(row, conf, value))
			continue;
		if (options_set_text(row, conf, value, &err) != SECOR_OK)
			fail(*pairs, err.text);
	}
	if (plugin->desc.check != NULL)
		plugin->desc.check(conf, &check);
	return conf;
}

static const char *
text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text == NULL ? "" : text;
}

static int64_t
number_of(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static uint32_t
read_levels(const json_t *json, const struct secor_event_level **levels)
{
	const json_t *list = json_object_get(json, "levels");
	size_t n = json_array_size(list);
	struct secor_event_level *made = mem_alloc((n + 1) * sizeof(*made));

	for (size_t i = 0; i < n; i++) {
		const json_t *pair = json_array_get(list, i);

		made[i].name = json_string_value(json_array_get(pair, 0));
		made[i].value = json_string_value(json_array_get(pair, 1));
	}
	*levels = made;
	return (uint32_t)n;
}

static void
free_levels(const struct secor_event_level *levels)
{
	free((void *)(uintptr_t)levels);
}

static struct secor_event_object
read_object(const json_t *json)
{
	struct secor_event_object object = {
	    .size = sizeof(struct secor_event_object),
	    .key = text_of(json, "key"),
	    .url = text_of(json, "url"),
	    .path = text_of(json, "path"),
	    .records = (uint64_t)number_of(json, "records"),
	    .bytes = (uint64_t)number_of(json, "bytes"),
	    .crc32c = (uint32_t)number_of(json, "crc32c")};

	object.level_count = read_levels(json, &object.levels);
	return object;
}

static int
tell_batch(const struct secor_notifier_ops *ops, void *self, const json_t *json,
    const struct secor_event_object *objects, size_t n, struct secor_err *err)
{
	struct secor_event_batch batch = {.size = sizeof(batch),
	    .partition = (int32_t)number_of(json, "partition"),
	    .topic = text_of(json, "topic"),
	    .start = number_of(json, "start"),
	    .end = number_of(json, "end"),
	    .messages = (uint64_t)number_of(json, "messages"),
	    .objects = objects,
	    .object_count = n,
	    .manifest_key = text_of(json, "manifest_key")};

	return ops->batch_done == NULL ? SECOR_OK
				       : ops->batch_done(self, &batch, err);
}

static int
tell_path(int (*tell)(void *self, const struct secor_event_path *path,
	      struct secor_err *err),
    void *self, const json_t *json, const struct secor_event_object *objects,
    struct secor_err *err)
{
	struct secor_event_path path = {.size = sizeof(path),
	    .topic = text_of(json, "topic"),
	    .path = text_of(json, "path"),
	    .url = text_of(json, "url"),
	    .objects = objects,
	    .object_count = json_array_size(json_object_get(json, "objects")),
	    .total_objects = (uint64_t)number_of(json, "total_objects"),
	    .total_records = (uint64_t)number_of(json, "total_records"),
	    .total_bytes = (uint64_t)number_of(json, "total_bytes"),
	    .time_from = number_of(json, "time_from"),
	    .time_until = number_of(json, "time_until")};
	int rc;

	path.level_count = read_levels(json, &path.levels);
	rc = tell == NULL ? SECOR_OK : tell(self, &path, err);
	free_levels(path.levels);
	return rc;
}

static void
tell(const struct plugin *plugin, void *self, const json_t *json)
{
	const struct secor_notifier_ops *ops = plugin->ops.notifier;
	const char *event = text_of(json, "event");
	const json_t *list = json_object_get(json, "objects");
	size_t n = json_array_size(list);
	struct secor_event_object *objects =
	    mem_alloc((n + 1) * sizeof(*objects));
	struct secor_err err = {""};
	int rc;

	for (size_t i = 0; i < n; i++)
		objects[i] = read_object(json_array_get(list, i));
	if (strcmp(event, "path_finalized") == 0)
		rc = tell_path(ops->path_finalized, self, json, objects, &err);
	else if (strcmp(event, "path_amended") == 0)
		rc = tell_path(ops->path_amended, self, json, objects, &err);
	else
		rc = tell_batch(ops, self, json, objects, n, &err);
	printf("%s %s\n", WORDS[rc], rc == SECOR_OK ? "" : err.text);
	fflush(stdout);
	for (size_t i = 0; i < n; i++)
		free_levels(objects[i].levels);
	free(objects);
}

int
main(int argc, char **argv)
{
	struct secor_open with = {.size = sizeof(with)};
	const struct plugin *plugin;
	struct registry *registry;
	struct secor_err err;
	void *self, *conf;
	char *line = NULL;
	size_t room = 0;

	if (argc < 3)
		fail("usage", "notify FOLDER NAME OPTION=VALUE... <events");
	registry = registry_new(argv[1], 1);
	if (registry_find(registry, SECOR_NOTIFIER, argv[2], ".", &plugin,
		&err) != SECOR_OK)
		fail(argv[2], err.text);
	conf = bind(plugin, argv + 3);
	with.conf = conf;
	with.host = plugin->host;
	if (plugin->ops.notifier->open(&with, &self, &err) != SECOR_OK)
		fail("open", err.text);
	while (getline(&line, &room, stdin) > 0) {
		json_t *json = json_loads(line, 0, NULL);

		if (json == NULL)
			fail("event", "is no JSON");
		tell(plugin, self, json);
		json_decref(json);
	}
	plugin->ops.notifier->close(self);
	return 0;
}
