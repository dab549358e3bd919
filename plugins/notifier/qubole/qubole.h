/*
 * qubole.h -- what the files of the plugin share.
 */
#ifndef SECOR_NOTIFIER_QUBOLE_H
#define SECOR_NOTIFIER_QUBOLE_H

#include "plugins/common/hive_event.h"
#include "plugins/common/http.h"

/* ---- hive.c: names and values of others inside HiveQL ---- */

/* Each appends. A table is "name" or "database.name". */
void hive_add_table(struct text *sql, const char *table);
void hive_add_name(struct text *sql, const char *name, size_t len);
/* A literal with its quotes; 1 when it took escapes. */
int hive_add_literal(struct text *sql, const char *value);
/* As a literal, or that of Hive's default partition when it is null. */
int hive_add_value(struct text *sql, const struct secor_event_level *level);
/* 1 when the path is what Hive calls the folder of the partition by itself. */
int hive_is_folder(
    const char *path, const struct secor_event_level *levels, uint32_t count);

/* ---- statement.c: one statement of a template ---- */

/* SECOR_REJECT with a phrase when a template is none. `totals`: it will be
 * filled by the event of a path, whose numbers are known. */
int statement_check(const char *template_, int totals, struct secor_err *err);

/* What went into a statement. */
enum {
	/* {partition}, and Hive may look for its objects elsewhere: a value
	   took escapes, or the folder is not named as Hive would name it */
	STATEMENT_ELSEWHERE = 1,
	STATEMENT_LOCATION = 2 /* {location} */
};

/* Appends the statement, and adds to *what. SECOR_REJECT when a value cannot be
 * in a statement. */
int statement_add(struct text *sql, const char *template_,
    const struct hive_path *subject, int *what, struct secor_err *err);

/* ---- command.c: one command of the service ---- */

struct command_conf {
	const char *base_url; /* .../api/v1.2 */
	const char *token;
	int64_t poll_ms;
	int64_t timeout_ms; /* for the whole command */
	int64_t cancel_ms;  /* to end it after that; 0: it is left to run */
	int error_status;   /* what a command that ends in error gives */
	const struct secor_host *host;
	struct secor_counter *cancelled, *left;
};

/* Submits the HiveQL and waits until it has ended. */
int command_run(struct http *http, const struct command_conf *conf,
    const char *sql, struct secor_err *err);

#endif
