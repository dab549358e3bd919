/*
 * table.c -- tables as GetTable tells them: where partitions take their storage
 * descriptor from, and by what they are partitioned. They are kept for ten
 * minutes, and read again at once when something does not fit.
 */
#include "plugins/notifier/glue/glue.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define KEPT_MS INT64_C(600000)

static void
table_free(struct glue_table *table)
{
	if (table == NULL)
		return;
	json_decref(table->storage);
	json_decref(table->keys);
	free(table->database);
	free(table->name);
	free(table);
}

static struct glue_table *
table_new(const struct glue *glue, const char *name)
{
	struct glue_table *table = calloc(1, sizeof(*table));
	struct text full = {0};
	const char *dot = strchr(name, '.');

	if (dot == NULL)
		text_addf(&full, "%s.", glue->conf->database);
	text_adds(&full, name);
	if (table == NULL || full.failed) {
		text_fini(&full);
		free(table);
		return NULL;
	}
	table->name = full.ptr;
	table->database = strndup(table->name, strcspn(table->name, "."));
	table->table = strchr(table->name, '.') + 1;
	if (table->database == NULL) {
		table_free(table);
		return NULL;
	}
	return table;
}

void
glue_tables_free(struct glue *glue)
{
	struct glue_table *table;

	while ((table = glue->tables) != NULL) {
		glue->tables = table->next;
		table_free(table);
	}
}

json_t *
glue_request(const struct glue *glue, const struct glue_table *table)
{
	return json_pack("{s:s*, s:s, s:s}", "CatalogId",
	    glue->conf->catalog_id, "DatabaseName", table->database,
	    "TableName", table->table);
}

/* ---- GetTable ---- */

static int
take(struct glue_table *table, const json_t *told, struct secor_err *err)
{
	const json_t *target = json_object_get(told, "TargetTable");
	json_t *storage = json_object_get(told, "StorageDescriptor");
	json_t *keys = json_object_get(told, "PartitionKeys");
	const char *database =
	    json_string_value(json_object_get(target, "DatabaseName"));
	const char *name = json_string_value(json_object_get(target, "Name"));

	if (target != NULL)
		return secor_fail(err, SECOR_RETRY,
		    "is a link to %.100s.%.100s: name that table",
		    database != NULL ? database : "?",
		    name != NULL ? name : "?");
	if (!json_is_object(storage) || (keys != NULL && !json_is_array(keys)))
		return secor_fail(err, SECOR_RETRY,
		    "GetTable: the answer has no Table with a "
		    "StorageDescriptor");
	table->storage = json_incref(storage);
	table->keys = keys != NULL ? json_incref(keys) : json_array();
	return SECOR_OK;
}

static int
read_table(struct glue *glue, struct glue_table *table,
    enum glue_verdict *verdict, struct secor_err *err)
{
	json_t *request =
	    json_pack("{s:s*, s:s, s:s}", "CatalogId", glue->conf->catalog_id,
		"DatabaseName", table->database, "Name", table->table);
	json_t *answer;
	int rc = glue_call(glue, "GetTable", request, &answer, verdict, err);

	if (rc != SECOR_OK)
		return rc;
	rc = take(table, json_object_get(answer, "Table"), err);
	json_decref(answer);
	table->read_ms = glue->host->now_ms(glue->host);
	table->round = glue->round;
	return rc;
}

/* ---- the cache ---- */

static struct glue_table **
find(struct glue *glue, const struct glue_table *like)
{
	struct glue_table **at = &glue->tables;

	while (*at != NULL && strcmp((*at)->name, like->name) != 0)
		at = &(*at)->next;
	return at;
}

static void
drop(struct glue_table **at)
{
	struct glue_table *old = *at;

	*at = old->next;
	table_free(old);
}

static int
is_young(const struct glue *glue, const struct glue_table *table)
{
	int64_t age = glue->host->now_ms(glue->host) - table->read_ms;

	return age >= 0 && age < KEPT_MS;
}

int
glue_table_get(struct glue *glue, const char *name, struct glue_table **table,
    struct secor_err *err)
{
	struct glue_table *made = table_new(glue, name), **at;
	enum glue_verdict verdict = GLUE_AGAIN;
	int was_known, rc;

	if (made == NULL)
		return secor_fail(err, SECOR_RETRY, "out of memory");
	at = find(glue, made);
	if (*at != NULL && is_young(glue, *at)) {
		table_free(made);
		*table = *at;
		return SECOR_OK;
	}
	was_known = *at != NULL;
	if (was_known)
		drop(at);
	rc = read_table(glue, made, &verdict, err);
	if (rc != SECOR_OK) {
		glue->gone |= was_known && verdict == GLUE_MISSING;
		table_free(made);
		return rc;
	}
	made->next = glue->tables;
	glue->tables = *table = made;
	return SECOR_OK;
}

int
glue_table_again(
    struct glue *glue, struct glue_table **table, struct secor_err *err)
{
	struct glue_table *old = *table;
	char *name;
	int rc;

	if (old->round == glue->round)
		return SECOR_OK;
	*table = NULL;
	name = strdup(old->name);
	if (name == NULL)
		return secor_fail(err, SECOR_RETRY, "out of memory");
	drop(find(glue, old));
	rc = glue_table_get(glue, name, table, err);
	free(name);
	return rc;
}

void
glue_table_forget(struct glue *glue, const char *name)
{
	struct glue_table *like = table_new(glue, name), **at;

	if (like == NULL)
		return;
	at = find(glue, like);
	if (*at != NULL)
		drop(at);
	table_free(like);
}

/* ---- partition keys ---- */

static const char *
key_name(const struct glue_table *table, size_t i)
{
	const char *name = json_string_value(
	    json_object_get(json_array_get(table->keys, i), "Name"));

	return name != NULL ? name : "?";
}

int
glue_table_check(const struct glue_table *table,
    const struct secor_event_object *object, struct secor_err *err)
{
	size_t n = json_array_size(table->keys);
	struct text keys = {0}, levels = {0};
	int same = n == object->level_count;
	int rc;

	for (size_t i = 0; same && i < n; i++)
		same =
		    strcasecmp(key_name(table, i), object->levels[i].name) == 0;
	if (same)
		return SECOR_OK;
	for (size_t i = 0; i < n; i++)
		text_addf(&keys, "%s%s", i > 0 ? ", " : "", key_name(table, i));
	for (size_t i = 0; i < object->level_count; i++)
		text_addf(
		    &levels, "%s%s", i > 0 ? ", " : "", object->levels[i].name);
	rc = secor_fail(err, SECOR_REJECT,
	    "the table is partitioned by (%.200s), the path by (%.200s)",
	    n > 0 && !keys.failed ? keys.ptr : "",
	    object->level_count > 0 && !levels.failed ? levels.ptr : "");
	text_fini(&keys);
	text_fini(&levels);
	return rc;
}
