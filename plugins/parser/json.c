/*
 * json.c -- parser: time and fields of a message that is one JSON object.
 *
 * One pass over the text (plugins/common/json_scan.h says what is checked). The
 * last of equal names holds; null is "not there"; strings come without their
 * escapes, numbers and literals as they stand.
 */
#include "plugins/common/json_scan.h"
#include "plugins/common/when.h"

#include <secor/parser.h>
#include <stdlib.h>

struct json_conf {
	const char *time_field;
	struct when_conf when;
};

struct json {
	const struct json_conf *conf;
	struct json_paths paths;
	struct json_scan *scan;
	struct when when;
	uint16_t time_slot; /* JSON_NO_SLOT: no time is looked for */
	uint16_t field_count;
	uint16_t *slots; /* of the fields */
	char **names;
};

static const struct secor_option options[] = {
    SECOR_OPTION(STRING, struct json_conf, time_field, "time_field", NULL,
	SECOR_OPTION_OUTPUT,
	"path of the event time, like meta.created (a dot in a name: \\.)"),
    WHEN_ROWS(struct json_conf, when),
};

static void
json_check(const void *conf, const struct secor_check *check)
{
	const struct json_conf *c = conf;
	struct secor_err err;

	when_check(&c->when, check);
	if (check->no_time)
		return;
	if (c->time_field == NULL)
		check->complain(
		    check, "time_field", "is needed (or time_source: kafka)");
	else if (json_path_check(c->time_field, &err) != SECOR_OK)
		check->complain(check, "time_field", err.text);
}

static void
json_close(void *self)
{
	struct json *json = self;

	if (json == NULL)
		return;
	for (uint16_t i = 0; json->names != NULL && i < json->field_count; i++)
		free(json->names[i]);
	free(json->names);
	free(json->slots);
	json_scan_free(json->scan);
	json_paths_fini(&json->paths);
	when_close(&json->when);
	free(json);
}

static int
json_add_path(
    struct json *json, const char *path, uint16_t *slot, struct secor_err *err)
{
	struct secor_err why;

	if (json_paths_add(&json->paths, path, slot, &why) != SECOR_OK)
		return secor_fail(
		    err, SECOR_FATAL, "field '%s': %s", path, why.text);
	return SECOR_OK;
}

static int
json_add_fields(struct json *json, const struct secor_strings *fields,
    struct secor_err *err)
{
	json->slots = calloc(fields->count + 1, sizeof(*json->slots));
	json->names = calloc(fields->count + 1, sizeof(*json->names));
	if (json->slots == NULL || json->names == NULL)
		return secor_fail(err, SECOR_FATAL, "out of memory");
	for (size_t i = 0; i < fields->count; i++) {
		if (json_add_path(json, fields->items[i], &json->slots[i],
			err) != SECOR_OK)
			return SECOR_FATAL;
		json->names[i] = strdup(fields->items[i]);
		if (json->names[i] == NULL)
			return secor_fail(err, SECOR_FATAL, "out of memory");
		json->field_count++;
	}
	return SECOR_OK;
}

static int
json_set_up(
    struct json *json, const struct secor_open *with, struct secor_err *err)
{
	json->time_slot = JSON_NO_SLOT;
	json->when.noun = "field";
	json->when.name = json->conf->time_field;
	if (when_open(&json->when, &json->conf->when, with, err) != SECOR_OK)
		return SECOR_FATAL;
	if (!with->no_time) {
		if (json->conf->time_field == NULL)
			return secor_fail(
			    err, SECOR_FATAL, "time_field is needed");
		if (json_add_path(json, json->conf->time_field,
			&json->time_slot, err) != SECOR_OK)
			return SECOR_FATAL;
	}
	if (json_add_fields(json, &with->fields, err) != SECOR_OK)
		return SECOR_FATAL;
	json->scan = json_scan_new(&json->paths, JSON_BEST);
	if (json->scan == NULL)
		return secor_fail(err, SECOR_FATAL, "out of memory");
	return SECOR_OK;
}

static int
json_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	struct json *json = calloc(1, sizeof(*json));

	if (json == NULL)
		return secor_fail(err, SECOR_FATAL, "out of memory");
	json->conf = with->conf;
	json_paths_init(&json->paths);
	if (json_set_up(json, with, err) != SECOR_OK) {
		json_close(json);
		return SECOR_FATAL;
	}
	*self = json;
	return SECOR_OK;
}

/* As when_find would, without its detour; 0: it has to say why not. */
static inline int
json_plain_time(
    struct json *json, int kind, struct secor_bytes text, int64_t *ms)
{
	if (kind == JSON_KIND_STRING)
		return when_parse(&json->when, text, ms) == NULL;
	return json->when.format <= WHEN_NANOS && !json->when.compat &&
	       when_number(json->when.format, text, ms) == NULL;
}

static int
json_find_time(struct json *json, struct json_value *found,
    const struct secor_message *message, int64_t *ms, struct secor_err *err)
{
	struct when_value value = {WHEN_IS_OTHER, {NULL}};

	switch (found->kind) {
	case JSON_KIND_STRING:
	case JSON_KIND_NUMBER:
		value.kind = found->kind == JSON_KIND_STRING ? WHEN_IS_TEXT
							     : WHEN_IS_NUMBER;
		value.text = json_scan_text(json->scan, found);
		if (json_plain_time(json, found->kind, value.text, ms))
			return SECOR_OK;
		break;
	case JSON_KIND_ABSENT:
	case JSON_KIND_NULL:
		value.kind = WHEN_IS_MISSING; /* fallthrough */
	default:
		value.phrase = json_kind_text(found->kind);
	}
	return when_find(&json->when, &value, message, ms, err);
}

static int
json_parse(void *self, const struct secor_message *message,
    struct secor_record *record, struct secor_bytes *fields,
    struct secor_err *err)
{
	struct json *json = self;
	struct json_value *values;

	if (json_scan_run(json->scan, message->value, &values, err) != SECOR_OK)
		return SECOR_REJECT;
	for (uint16_t i = 0; i < json->field_count; i++) {
		struct json_value *value = &values[json->slots[i]];

		if (value->kind == JSON_KIND_OBJECT ||
		    value->kind == JSON_KIND_ARRAY)
			return secor_fail(err, SECOR_REJECT, "field '%s' is %s",
			    json->names[i], json_kind_text(value->kind));
		if (value->kind != JSON_KIND_ABSENT &&
		    value->kind != JSON_KIND_NULL)
			fields[i] = json_scan_text(json->scan, value);
	}
	if (json->time_slot == JSON_NO_SLOT)
		return SECOR_OK;
	return json_find_time(
	    json, &values[json->time_slot], message, &record->time_ms, err);
}

static const struct secor_parser_ops ops = {
    .size = sizeof(ops),
    .open = json_open,
    .parse = json_parse,
    .close = json_close,
};

static const struct secor_plugin plugin = {
    SECOR_PLUGIN_HEAD,
    SECOR_PARSER,
    "json",
    SECOR_VERSION,
    "time and fields of JSON objects, by path",
    1,
    SECOR_OPTIONS(options),
    sizeof(struct json_conf),
    json_check,
    &ops,
};

const struct secor_plugin *
secor_plugin_entry(void)
{
	return &plugin;
}
