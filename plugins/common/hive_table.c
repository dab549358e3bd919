/*
 * hive_table.c -- see hive_table.h.
 */
#include "plugins/common/hive_table.h"

#include <stdio.h>
#include <string.h>

#define TOPIC "{topic}"

const char *const HIVE_ADD_CHOICES[] = {"first_object", "finalized", NULL};

const char *const HIVE_ON_ERROR[] = {"retry", "reject", NULL};

int
hive_on_error(int chosen)
{
	return chosen == 0 ? SECOR_RETRY : SECOR_REJECT;
}

int
hive_is_name(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!((text[i] >= 'a' && text[i] <= 'z') ||
			(text[i] >= 'A' && text[i] <= 'Z') ||
			(text[i] >= '0' && text[i] <= '9') || text[i] == '_'))
			return 0;
	return len > 0;
}

/* NULL, or what is wrong with a table. In a template "{topic}" stands for a
 * name. */
static const char *
complaint(const char *table, int is_template)
{
	const char *at = table;
	int dots = 0;
	size_t n = 0;

	for (; *at != '\0'; at++) {
		if (is_template && strncmp(at, TOPIC, sizeof(TOPIC) - 1) == 0) {
			at += sizeof(TOPIC) - 2;
			n++;
		} else if (*at == '.' && n > 0 && dots++ == 0) {
			n = 0;
		} else if (hive_is_name(at, 1)) {
			n++;
		} else if (*at == '{' && is_template) {
			return "knows no placeholder but {topic}";
		} else {
			return "is no Hive table: letters, digits, '_' and one "
			       "'.' behind the database";
		}
	}
	return n > 0 ? NULL : "is no Hive table: a name is empty";
}

void
hive_table_check(
    const struct hive_table_conf *conf, const struct secor_check *check)
{
	const char *why;
	char text[256];

	if (conf->table == NULL && conf->tables.count == 0)
		check->complain(check, NULL, "needs `table` or `tables`");
	why = conf->table != NULL ? complaint(conf->table, 1) : NULL;
	if (why != NULL)
		check->complain(check, "table", why);
	for (size_t i = 0; i < conf->tables.count; i++) {
		const char *table = conf->tables.items[i].value;

		why = complaint(table, 0);
		if (why == NULL)
			continue;
		(void)snprintf(text, sizeof(text), "'%.100s' %s", table, why);
		check->complain(check, "tables", text);
	}
}

void
hive_database_check(const char *database, const struct secor_check *check)
{
	if (!hive_is_name(database, strlen(database)))
		check->complain(check, "database",
		    "is no database: letters, digits and '_'");
}

static int
fill_template(struct text *table, const char *template_, const char *topic,
    struct secor_err *err)
{
	const char *at;

	while ((at = strstr(template_, TOPIC)) != NULL) {
		/* a '.' in it would make a database of a part of it */
		if (!hive_is_name(topic, strlen(topic)))
			return secor_fail(err, SECOR_REJECT,
			    "topic '%.250s' cannot be part of a Hive table's "
			    "name: name its table under `tables`",
			    topic);
		text_add(table, template_, (size_t)(at - template_));
		text_adds(table, topic);
		template_ = at + sizeof(TOPIC) - 1;
	}
	text_adds(table, template_);
	return SECOR_OK;
}

int
hive_table_of(const struct hive_table_conf *conf, const char *topic,
    struct text *table, struct secor_err *err)
{
	int rc = SECOR_OK;

	text_adds(table, "");
	for (size_t i = 0; i < conf->tables.count; i++)
		if (strcmp(conf->tables.items[i].key, topic) == 0) {
			text_adds(table, conf->tables.items[i].value);
			goto out;
		}
	if (conf->table != NULL)
		rc = fill_template(table, conf->table, topic, err);
out:
	if (rc == SECOR_OK && table->failed)
		rc = secor_fail(err, SECOR_RETRY, "out of memory");
	return rc;
}

int
hive_level_check(const struct secor_event_level *level, const char *path,
    struct secor_err *err)
{
	if (level->name == NULL || level->name[0] == '\0')
		return secor_fail(err, SECOR_REJECT,
		    "path '%.300s' has a level without a name, so it is no "
		    "Hive partition: let the partitioner write name=value",
		    path);
	if (!hive_is_name(level->name, strlen(level->name)))
		return secor_fail(err, SECOR_REJECT,
		    "level '%.100s' of path '%.300s' is no Hive column: "
		    "letters, digits and '_' only",
		    level->name, path);
	if (level->value != NULL && !utf8_is(level->value))
		return secor_fail(err, SECOR_REJECT,
		    "the value of level '%.100s' of path '%.300s' is not UTF-8",
		    level->name, path);
	return SECOR_OK;
}
