/*
 * finder.c -- see finder.h.
 */
#include "plugins/common/finder.h"

#include <stdlib.h>

void
finder_check(const struct finder_conf *conf, const struct secor_check *check)
{
	struct secor_err err;

	if (check->no_time)
		return;
	when_check(&conf->when, check);
	if (conf->time_field == NULL)
		check->complain(
		    check, "time_field", "is needed (or time_source: kafka)");
	else if (wanted_check(conf->time_field, conf->separator, &err) !=
		 SECOR_OK)
		check->complain(check, "time_field", err.text);
}

static int
add(struct finder *finder, const char *path, int *slot, struct secor_err *err)
{
	struct secor_err why;

	if (wanted_add(&finder->root, path, finder->conf->separator,
		&finder->slots, slot, &why) != SECOR_OK)
		return secor_fail(
		    err, SECOR_FATAL, "field '%s': %s", path, why.text);
	return SECOR_OK;
}

static int
add_fields(struct finder *finder, const struct secor_strings *fields,
    struct secor_err *err)
{
	size_t n = fields->count + 1;

	finder->field_slots = calloc(n, sizeof(*finder->field_slots));
	finder->names = calloc(n, sizeof(*finder->names));
	finder->texts = calloc(n, sizeof(*finder->texts));
	if (finder->field_slots == NULL || finder->names == NULL ||
	    finder->texts == NULL)
		return secor_fail(err, SECOR_FATAL, "out of memory");
	for (size_t i = 0; i < fields->count; i++) {
		if (add(finder, fields->items[i], &finder->field_slots[i],
			err) != SECOR_OK)
			return SECOR_FATAL;
		finder->names[i] = strdup(fields->items[i]);
		if (finder->names[i] == NULL)
			return secor_fail(err, SECOR_FATAL, "out of memory");
		finder->field_count++;
	}
	return SECOR_OK;
}

int
finder_open(struct finder *finder, const struct finder_conf *conf,
    const struct secor_open *with, struct secor_err *err)
{
	finder->conf = conf;
	finder->root = WANTED_ROOT;
	finder->time_slot = WANTED_NO_SLOT;
	if (when_open(&finder->when, &conf->when, with, err) != SECOR_OK)
		return SECOR_FATAL;
	finder->when.noun = "field";
	finder->when.name = conf->time_field;
	if (!with->no_time && conf->time_field == NULL)
		return secor_fail(err, SECOR_FATAL, "time_field is not set");
	if (!with->no_time &&
	    add(finder, conf->time_field, &finder->time_slot, err) != SECOR_OK)
		return SECOR_FATAL;
	if (add_fields(finder, &with->fields, err) != SECOR_OK)
		return SECOR_FATAL;
	finder->values =
	    calloc((size_t)finder->slots + 1, sizeof(*finder->values));
	if (finder->values == NULL)
		return secor_fail(err, SECOR_FATAL, "out of memory");
	return SECOR_OK;
}

void
finder_close(struct finder *finder)
{
	for (uint32_t i = 0; i < finder->field_count; i++)
		free(finder->names[i]);
	free(finder->names);
	free(finder->texts);
	free(finder->field_slots);
	free(finder->values);
	wanted_fini(&finder->root);
	when_close(&finder->when);
	memset(finder, 0, sizeof(*finder));
}

void
finder_forget(struct finder *finder, const struct wanted *node)
{
	if (node->slot != WANTED_NO_SLOT)
		finder->values[node->slot].kind = SCALAR_ABSENT;
	for (node = node->below; node != NULL; node = node->next)
		finder_forget(finder, node);
}

static int
find_time(struct finder *finder, const struct secor_message *message,
    int64_t *ms, struct secor_err *err)
{
	char room[SCALAR_ROOM];
	struct when_value value = scalar_when(
	    &finder->values[finder->time_slot], finder->when.zone, room);

	return when_find(&finder->when, &value, message, ms, err);
}

int
finder_end(struct finder *finder, const struct secor_message *message,
    struct secor_record *record, struct secor_bytes *fields,
    struct secor_err *err)
{
	for (uint32_t i = 0; i < finder->field_count; i++) {
		const struct scalar *value =
		    &finder->values[finder->field_slots[i]];
		const char *why;

		if (!scalar_is_there(value))
			continue;
		why = scalar_to_text(value, finder->texts[i], &fields[i]);
		if (why != NULL)
			return secor_fail(err, SECOR_REJECT, "field '%s' is %s",
			    finder->names[i], why);
	}
	if (finder->time_slot == WANTED_NO_SLOT)
		return SECOR_OK;
	return find_time(finder, message, &record->time_ms, err);
}
