/*
 * hive_table.h -- which Hive table a topic has, and what may be a partition of
 * it: what the notifiers that write to a catalogue share.
 */
#ifndef SECOR_COMMON_HIVE_TABLE_H
#define SECOR_COMMON_HIVE_TABLE_H

#include "plugins/common/text.h"

#include <secor/notifier.h>

/* When a partition is added. */
enum hive_add {
	HIVE_ADD_FIRST_OBJECT = 0, /* a finished batch has one in the path */
	HIVE_ADD_FINALIZED = 1	   /* the path is complete */
};

struct hive_table_conf {
	const char *table;	   /* template, or NULL */
	struct secor_pairs tables; /* before the template */
	int add;		   /* enum hive_add */
};

extern const char *const HIVE_ADD_CHOICES[];

/* The rows of these options; `m` is the member of `type` that holds them. */
#define HIVE_TABLE_ROWS(type, m)                                               \
	SECOR_OPTION(STRING, type, m.table, "table", NULL, 0,                  \
	    "Hive table of a topic, such as logs_{topic} or "                  \
	    "db.logs_{topic}."),                                               \
	    SECOR_OPTION(PAIRS, type, m.tables, "tables", NULL, 0,             \
		"Tables of single topics (topic: table), before `table`. A "   \
		"topic with neither is left alone."),                          \
	    SECOR_OPTION_CHOICE(type, m.add, "add", "first_object",            \
		HIVE_ADD_CHOICES, 0,                                           \
		"When the partition of a path is added: as soon as its first " \
		"object is there, or when the path is complete (needs "        \
		"`finalize`).")

/* Tables that are named without a database are in this one. */
#define HIVE_DATABASE_ROW(type, m)                              \
	SECOR_OPTION(STRING, type, m, "database", "default", 0, \
	    "Database of tables that are named without one.")

void hive_database_check(const char *database, const struct secor_check *check);

/* `on_error`, by the index of what was chosen. */
extern const char *const HIVE_ON_ERROR[];
int hive_on_error(int chosen); /* SECOR_RETRY or SECOR_REJECT */

/* Complains of the options: no table at all, or names that Hive has not. */
void hive_table_check(
    const struct hive_table_conf *conf, const struct secor_check *check);

/* Appends the table of a topic, "name" or "database.name"; nothing (but a NUL)
 * when it has none. SECOR_REJECT when the topic cannot be part of a name. */
int hive_table_of(const struct hive_table_conf *conf, const char *topic,
    struct text *table, struct secor_err *err);

/* Letters, digits and '_': what Hive takes as a name of a column or table. */
int hive_is_name(const char *text, size_t len);

/* SECOR_REJECT with a sentence when a level of a path cannot be a column with
 * its value: it has no name, an odd one, or bytes that are not UTF-8. */
int hive_level_check(const struct secor_event_level *level, const char *path,
    struct secor_err *err);

#endif
