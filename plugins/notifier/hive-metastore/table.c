/*
 * table.c -- tables of the metastore. What it said of one is believed for a
 * minute, and not after an error.
 */
#include "plugins/notifier/hive-metastore/hive-metastore.h"

#include <ctype.h>
#include <stdlib.h>

enum { BELIEVED_MS = 60000 };

#define TOPIC "{topic}"
#define IN "org.apache.hadoop.mapred."
#define QL "org.apache.hadoop.hive.ql.io."
#define SERDE "org.apache.hadoop.hive.serde2."

const char *const HMS_STORED_AS[] = {
    "textfile", "sequencefile", "avro", "json", NULL};

/* As Hive's STORED AS has them. */
static const struct stored {
	const char *input, *output, *serde;
} STORED[] = {
    {IN "TextInputFormat", QL "HiveIgnoreKeyTextOutputFormat",
	SERDE "lazy.LazySimpleSerDe"},
    {IN "SequenceFileInputFormat", QL "HiveSequenceFileOutputFormat",
	SERDE "lazy.LazySimpleSerDe"},
    {QL "avro.AvroContainerInputFormat", QL "avro.AvroContainerOutputFormat",
	SERDE "avro.AvroSerDe"},
    {IN "TextInputFormat", QL "HiveIgnoreKeyTextOutputFormat",
	SERDE "JsonSerDe"},
};

/* ---- options ---- */

static void
check_columns(
    const struct secor_pairs *columns, const struct secor_check *check)
{
	char text[256];

	for (size_t i = 0; i < columns->count; i++) {
		const struct secor_pair *column = &columns->items[i];

		if (hive_is_name(column->key, strlen(column->key)) &&
		    column->value[0] != '\0')
			continue;
		(void)snprintf(text, sizeof(text),
		    "'%.80s: %.80s' is no column: letters, digits and '_', and "
		    "a type of Hive",
		    column->key, column->value);
		check->complain(check, "columns", text);
	}
}

void
hms_table_check(const struct hms_conf *conf, const struct secor_check *check)
{
	const char *at = conf->table_location;

	if (conf->create_table && conf->columns.count == 0)
		check->complain(check, "create_table", "needs `columns`");
	if (!conf->create_table && conf->columns.count > 0)
		check->complain(check, "columns",
		    "are for a table that is created: set "
		    "`create_table`");
	check_columns(&conf->columns, check);
	while (at != NULL && (at = strchr(at, '{')) != NULL) {
		if (strncmp(at, TOPIC, sizeof(TOPIC) - 1) != 0) {
			check->complain(check, "table_location",
			    "knows no placeholder but {topic}");
			break;
		}
		at++;
	}
}

/* ---- what is known ---- */

static struct hms_table *
table_new(const struct hms *hms, const char *table)
{
	struct hms_table *made = calloc(1, sizeof(*made));
	const char *db = strchr(table, '.') ? "" : hms->conf->database;
	struct text full = {0};
	char *at;

	text_addf(&full, "%s%s%s", db, *db != '\0' ? "." : "", table);
	if (made == NULL || full.failed) {
		free(made);
		text_fini(&full);
		return NULL;
	}
	/* the metastore has no capitals */
	for (at = full.ptr; *at != '\0'; at++)
		*at = (char)tolower((unsigned char)*at);
	made->full = full.ptr;
	return made;
}

static void
table_free(struct hms_table *table)
{
	table_fini(&table->shape);
	free(table->full);
	free(table->db);
	free(table);
}

void
hms_tables_free(struct hms *hms)
{
	struct hms_table *table;

	while ((table = hms->tables) != NULL) {
		hms->tables = table->next;
		table_free(table);
	}
}

void
hms_table_forget(struct hms_table *table)
{
	table->read_ms = 0;
}

/* The entry of a table, an empty one if it is the first time. NULL: out of
 * memory. */
static struct hms_table *
entry_of(struct hms *hms, const char *table)
{
	struct hms_table *made = table_new(hms, table), *at = hms->tables;
	char *dot;

	while (made != NULL && at != NULL && strcmp(at->full, made->full) != 0)
		at = at->next;
	if (made == NULL || at != NULL) {
		if (made != NULL)
			table_free(made);
		return at;
	}
	made->next = hms->tables;
	hms->tables = made;
	dot = strchr(made->full, '.');
	made->name = dot + 1;
	made->db = strndup(made->full, (size_t)(dot - made->full));
	return made;
}

/* ---- a new one ---- */

/* Where the table is: as configured, or the folder of the path without the
 * path. 0 when neither says. */
static int
find_location(const struct hms *hms, const struct hive_path *path,
    const char *location, struct text *found)
{
	const char *from = hms->conf->table_location, *at;
	size_t whole = strlen(location), tail = strlen(path->path);

	if (from != NULL) {
		while ((at = strstr(from, TOPIC)) != NULL) {
			text_add(found, from, (size_t)(at - from));
			text_adds(found, path->topic);
			from = at + sizeof(TOPIC) - 1;
		}
		text_adds(found, from);
		return 1;
	}
	if (whole <= tail + 1 || location[whole - tail - 1] != '/' ||
	    strcmp(location + whole - tail, path->path) != 0)
		return 0;
	text_add(found, location, whole - tail - 1);
	return 1;
}

static char *
lower(const char *name)
{
	char *copy = strdup(name);

	for (char *at = copy; at != NULL && *at != '\0'; at++)
		*at = (char)tolower((unsigned char)*at);
	return copy;
}

/* `keys` are the caller's to free, also when one of them is NULL. */
static int
lower_keys(const struct hive_path *path, const char **keys)
{
	for (size_t i = 0; i < path->level_count; i++) {
		keys[i] = lower(path->levels[i].name);
		if (keys[i] == NULL)
			return 0;
	}
	return 1;
}

static void
write_plan(const struct hms *hms, const struct hms_table *table,
    struct table_plan *plan, struct text *to)
{
	const struct hms_conf *conf = hms->conf;
	const struct stored *stored = &STORED[conf->stored_as];

	plan->db = table->db;
	plan->name = table->name;
	plan->owner = conf->user != NULL ? conf->user : "secor";
	plan->columns = conf->columns;
	plan->input_format =
	    conf->input_format != NULL ? conf->input_format : stored->input;
	plan->output_format =
	    conf->output_format != NULL ? conf->output_format : stored->output;
	plan->serde = conf->serde != NULL ? conf->serde : stored->serde;
	plan->serde_parameters = conf->serde_parameters;
	plan->created_s = (int32_t)(hms->host->now_ms(hms->host) / 1000);
	table_write(to, plan);
}

static int
send_table(struct hms *hms, const struct hms_table *table,
    const struct hive_path *path, const struct text *bytes,
    struct secor_err *err)
{
	struct ms_answer answer;
	int rc = ms_create_table(hms->ms, bytes, &answer, err);

	if (rc != SECOR_OK || answer.said == MS_EXISTS)
		return rc;
	if (answer.said == MS_META || answer.said == MS_UNKNOWN)
		return secor_fail(err, SECOR_RETRY,
		    "the table cannot be "
		    "created: %s",
		    answer.text);
	if (answer.said != MS_OK)
		return hms_trouble(hms, answer.text, err);
	hms_log(hms, "hive table created", path, table->full);
	hms->host->add(hms->created, 1);
	return SECOR_OK;
}

static int
create(struct hms *hms, const struct hms_table *table,
    const struct hive_path *path, const char *location, struct secor_err *err)
{
	struct text place = {0}, bytes = {0};
	struct table_plan plan = {0};
	const char **keys = calloc(path->level_count + 1, sizeof(*keys));
	int rc = SECOR_OK;

	if (!find_location(hms, path, location, &place))
		rc = secor_fail(err, SECOR_REJECT,
		    "the folder of the table does not follow from %.400s: set "
		    "`table_location`",
		    location);
	else if (keys == NULL || !lower_keys(path, keys) || place.failed)
		rc = secor_fail(err, SECOR_RETRY, "out of memory");
	if (rc == SECOR_OK) {
		plan.location = place.ptr;
		plan.keys = (struct secor_strings){keys, path->level_count};
		write_plan(hms, table, &plan, &bytes);
		rc = send_table(hms, table, path, &bytes, err);
	}
	for (size_t i = 0; keys != NULL && i < path->level_count; i++)
		free((char *)(uintptr_t)keys[i]);
	free(keys);
	text_fini(&place);
	text_fini(&bytes);
	return rc;
}

/* ---- asking ---- */

/* What was in it went with it. */
static void
note_gone(struct hms *hms, struct hms_table *table)
{
	if (table->shape.bytes.ptr != NULL)
		seen_clear(hms->seen);
	table_fini(&table->shape);
}

static int
ask(struct hms *hms, struct hms_table *table, enum ms_said *said,
    struct secor_err *err)
{
	struct ms_answer answer;
	struct table_shape shape;
	int rc = ms_get_table(hms->ms, table->db, table->name, &answer, err);

	if (rc != SECOR_OK)
		return rc;
	*said = answer.said;
	if (answer.said == MS_NO_OBJECT) {
		note_gone(hms, table);
		return secor_fail(err, SECOR_OK, "%s", answer.text);
	}
	if (answer.said != MS_OK)
		return secor_fail(err, SECOR_RETRY, "%s", answer.text);
	rc = table_read(answer.value, &shape, err);
	if (rc != SECOR_OK)
		return rc;
	table_fini(&table->shape);
	table->shape = shape;
	table->read_ms = line_now_ms();
	return SECOR_OK;
}

int
hms_table_get(struct hms *hms, const struct hive_path *path,
    const char *location, struct hms_table **out, int *fresh,
    struct secor_err *err)
{
	struct hms_table *table = entry_of(hms, path->table);
	enum ms_said said = MS_OK;
	int rc;

	if (table == NULL || table->db == NULL)
		return secor_fail(err, SECOR_RETRY, "out of memory");
	*out = table;
	*fresh = table->read_ms == 0 ||
		 line_now_ms() - table->read_ms >= BELIEVED_MS;
	if (!*fresh)
		return SECOR_OK;
	table->read_ms = 0;
	rc = ask(hms, table, &said, err);
	if (rc != SECOR_OK || said == MS_OK)
		return rc;
	if (!hms->conf->create_table)
		return hms_trouble(hms, err->text, err);
	rc = create(hms, table, path, location, err);
	if (rc == SECOR_OK)
		rc = ask(hms, table, &said, err);
	if (rc == SECOR_OK && said != MS_OK)
		rc = secor_fail(
		    err, SECOR_RETRY, "the table was created and is not there");
	return rc;
}
