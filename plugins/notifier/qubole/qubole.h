/*
 * qubole.h -- what the files of the plugin share.
 */
#ifndef SECOR_NOTIFIER_QUBOLE_H
#define SECOR_NOTIFIER_QUBOLE_H

#include "plugins/common/http.h"
#include "plugins/common/text.h"

#include <secor/notifier.h>

/* ---- hive.c: names and values of others inside HiveQL ---- */

/* Letters, digits and '_': what Hive takes as a name of a column or table. */
int hive_is_name(const char *text, size_t len);

/* NULL, or what is wrong with a table ("name" or "database.name"). In a
 * template "{topic}" stands for a name. */
const char *hive_table_complaint(const char *table, int is_template);

/* The template with the topic in it. SECOR_REJECT when that is no name. */
int hive_table(struct text *text, const char *template_, const char *topic,
    struct secor_err *err);

/* Appends "ALTER TABLE <table> ADD IF NOT EXISTS PARTITION (dt='..',..)", and
 * LOCATION with the folder of the object when `location`, or when a value takes
 * escapes (hive.c says why). SECOR_REJECT with a sentence when the path's
 * levels are no Hive partition. */
int hive_add_partition(struct text *sql, const char *table,
    const struct secor_event_object *object, int location,
    struct secor_err *err);

/* ---- command.c: one command of the service ---- */

struct command_conf {
	const char *base_url; /* .../api/v1.2 */
	const char *token;
	int64_t poll_ms;
	int64_t timeout_ms; /* for the whole command */
	int error_status;   /* what a command that ends in error gives */
};

/* Submits the HiveQL and waits until it has ended. */
int command_run(struct http *http, const struct command_conf *conf,
    const char *sql, struct secor_err *err);

/* ---- seen.c: the last paths that were added ---- */

struct seen;

/* Remembers `most` texts, then forgets the oldest. NULL: out of memory. */
struct seen *seen_new(size_t most);
void seen_free(struct seen *seen); /* accepts NULL */
int seen_has(const struct seen *seen, const char *text);
/* Not remembering (out of memory) is allowed: a partition is added again. */
void seen_add(struct seen *seen, const char *text);

#endif
