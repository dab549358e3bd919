/*
 * qubole.h -- what the files of the plugin share.
 */
#ifndef SECOR_NOTIFIER_QUBOLE_H
#define SECOR_NOTIFIER_QUBOLE_H

#include "plugins/common/http.h"
#include "plugins/common/text.h"

#include <secor/notifier.h>

/* ---- hive.c: names and values of others inside HiveQL ---- */

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

#endif
