/*
 * avro_join.c -- see avro_join.h. A named type is written once, with its name
 * and namespace in full; where it comes again, and within itself, its full name
 * stands.
 */
#include "plugins/common/avro_join.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 128

struct joiner {
	json_t *definitions; /* by full name */
	json_t *written;     /* full names */
	int depth;
};

static json_t *write_type(struct joiner *j, json_t *type, const char *space);

static int
is_named(const json_t *type)
{
	const char *word = json_string_value(json_object_get(type, "type"));

	return word != NULL &&
	       (strcmp(word, "record") == 0 || strcmp(word, "error") == 0 ||
		   strcmp(word, "enum") == 0 || strcmp(word, "fixed") == 0);
}

/* To be freed. */
static char *
full_name(const char *name, const char *space)
{
	size_t room = strlen(name) + strlen(space) + 2;
	char *full = malloc(room);

	if (full == NULL)
		return NULL;
	(void)snprintf(full, room, "%s%s%s",
	    strchr(name, '.') == NULL ? space : "",
	    strchr(name, '.') == NULL && space[0] != '\0' ? "." : "", name);
	return full;
}

static char *
name_of(const json_t *type, const char *space)
{
	const char *name = json_string_value(json_object_get(type, "name"));
	const char *own = json_string_value(json_object_get(type, "namespace"));

	return full_name(name == NULL ? "" : name, own == NULL ? space : own);
}

/* What stands before the last dot; to be freed. */
static char *
space_of(const char *full)
{
	const char *dot = strrchr(full, '.');

	return strndup(full, dot == NULL ? 0 : (size_t)(dot - full));
}

/* ---- what is defined in a text ---- */

static void define(struct joiner *j, json_t *type, const char *space);

static void
define_fields(struct joiner *j, const json_t *fields, const char *space)
{
	json_t *field;
	size_t i;

	json_array_foreach(fields, i, field)
	{
		define(j, json_object_get(field, "type"), space);
	}
}

static void
define_named(struct joiner *j, json_t *type, const char *space)
{
	char *full = name_of(type, space);
	char *inner = full == NULL ? NULL : space_of(full);

	if (inner != NULL) {
		(void)json_object_set(j->definitions, full, type);
		define_fields(j, json_object_get(type, "fields"), inner);
	}
	free(inner);
	free(full);
}

static void
define(struct joiner *j, json_t *type, const char *space)
{
	json_t *branch;
	size_t i;

	if (j->depth == DEPTH_MAX)
		return;
	j->depth++;
	json_array_foreach(type, i, branch)
	{
		define(j, branch, space);
	}
	if (is_named(type)) {
		define_named(j, type, space);
	} else if (json_is_object(type)) {
		define(j, json_object_get(type, "items"), space);
		define(j, json_object_get(type, "values"), space);
		define(j, json_object_get(type, "type"), space);
	}
	j->depth--;
}

/* ---- writing ---- */

static void
write_member(
    struct joiner *j, json_t *copy, const char *member, const char *space)
{
	json_t *type = json_object_get(copy, member);

	if (type != NULL)
		(void)json_object_set_new(
		    copy, member, write_type(j, type, space));
}

static json_t *
write_fields(struct joiner *j, const json_t *fields, const char *space)
{
	json_t *all = json_array(), *field;
	size_t i;

	json_array_foreach(fields, i, field)
	{
		json_t *copy = json_copy(field);

		write_member(j, copy, "type", space);
		(void)json_array_append_new(all, copy);
	}
	return all;
}

static json_t *
write_named(struct joiner *j, const json_t *type, const char *full)
{
	char *space = space_of(full);
	const char *dot = strrchr(full, '.');
	json_t *fields = json_object_get(type, "fields"), *copy;

	if (space == NULL)
		return NULL;
	if (json_object_get(j->written, full) != NULL) {
		free(space);
		return json_string(full);
	}
	(void)json_object_set_new(j->written, full, json_true());
	copy = json_copy((json_t *)(uintptr_t)type);
	(void)json_object_set_new(
	    copy, "name", json_string(dot == NULL ? full : dot + 1));
	(void)json_object_set_new(copy, "namespace", json_string(space));
	if (fields != NULL)
		(void)json_object_set_new(
		    copy, "fields", write_fields(j, fields, space));
	free(space);
	return copy;
}

/* A word: a simple type, or the name of one that may have to be written here.
 */
static json_t *
write_word(struct joiner *j, const char *word, const char *space)
{
	char *full = full_name(word, space);
	const json_t *found;
	json_t *made;

	if (full == NULL)
		return NULL;
	found = json_object_get(j->definitions, full);
	if (found == NULL) {
		free(full);
		full = strdup(word);
		found =
		    full == NULL ? NULL : json_object_get(j->definitions, word);
	}
	made = found == NULL ? json_string(word) : write_named(j, found, full);
	free(full);
	return made;
}

static json_t *
write_object(struct joiner *j, const json_t *type, const char *space)
{
	json_t *made;

	if (is_named(type)) {
		char *full = name_of(type, space);

		made = full == NULL ? NULL : write_named(j, type, full);
		free(full);
		return made;
	}
	made = json_copy((json_t *)(uintptr_t)type);
	write_member(j, made, "items", space);
	write_member(j, made, "values", space);
	write_member(j, made, "type", space);
	return made;
}

static json_t *
write_branches(struct joiner *j, json_t *type, const char *space)
{
	json_t *all = json_array(), *branch;
	size_t i;

	json_array_foreach(type, i, branch)
	{
		(void)json_array_append_new(all, write_type(j, branch, space));
	}
	return all;
}

static json_t *
write_type(struct joiner *j, json_t *type, const char *space)
{
	json_t *made;

	if (j->depth == DEPTH_MAX)
		return NULL;
	j->depth++;
	if (json_is_string(type))
		made = write_word(j, json_string_value(type), space);
	else if (json_is_array(type))
		made = write_branches(j, type, space);
	else
		made = write_object(j, type, space);
	j->depth--;
	return made;
}

/* ---- whole ---- */

static char *
join(struct joiner *j, json_t *const *types, size_t count)
{
	json_t *made;
	char *text;

	for (size_t i = 0; i < count; i++)
		define(j, types[i], "");
	made = write_type(j, types[count - 1], "");
	text = made == NULL ? NULL
			    : json_dumps(made, JSON_COMPACT | JSON_ENCODE_ANY);
	json_decref(made);
	return text;
}

int
avro_join(
    const char *const *texts, size_t count, char **text, struct secor_err *err)
{
	struct joiner j = {json_object(), json_object(), 0};
	json_t **types = calloc(count, sizeof(json_t *));
	char *made = NULL;
	int good = types != NULL && j.definitions != NULL && j.written != NULL;

	if (count == 1)
		made = strdup(texts[0]);
	for (size_t i = 0; count > 1 && good && i < count; i++) {
		types[i] = json_loads(texts[i], JSON_DECODE_ANY, NULL);
		good = types[i] != NULL;
	}
	if (count > 1 && good)
		made = join(&j, types, count);
	for (size_t i = 0; types != NULL && i < count; i++)
		json_decref(types[i]);
	free(types);
	json_decref(j.definitions);
	json_decref(j.written);
	if (made == NULL)
		return secor_fail(err, SECOR_REJECT,
		    "what the schema refers to cannot be joined with it");
	*text = made;
	return SECOR_OK;
}
