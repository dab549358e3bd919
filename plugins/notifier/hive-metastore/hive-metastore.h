/*
 * hive-metastore.h -- what the files of the plugin share.
 */
#ifndef SECOR_NOTIFIER_HIVE_METASTORE_H
#define SECOR_NOTIFIER_HIVE_METASTORE_H

#include "plugins/common/hive_event.h"
#include "plugins/notifier/hive-metastore/metastore.h"
#include "plugins/notifier/hive-metastore/shape.h"

struct hms_conf {
	struct secor_strings uris;
	const char *database;
	struct hive_table_conf table;
	int on_error; /* see hive_on_error */
	int relocate;
	struct secor_pairs location_schemes;
	int64_t timeout, connect_timeout;
	const char *user;
	int framed, tls;
	const char *ca_file;
	struct kerberos_conf kerberos;

	int create_table;
	struct secor_pairs columns;
	const char *table_location;
	int stored_as; /* index into STORED_AS */
	const char *input_format, *output_format, *serde;
	struct secor_pairs serde_parameters;
};

/* A table as the metastore described it last. */
struct hms_table {
	struct hms_table *next;
	char *full; /* database.name */
	char *db;
	const char *name; /* in `full` */
	struct table_shape shape;
	int64_t read_ms; /* 0: not now */
};

struct hms {
	const struct hms_conf *conf;
	const struct secor_host *host;
	struct ms_conf ms_conf;
	struct ms *ms;
	struct hms_table *tables;
	struct seen *seen; /* partitions that are there */
	struct secor_counter *added, *altered, *created;
};

/* ---- table.c: tables, known and new ---- */

extern const char *const HMS_STORED_AS[];

/* Complains of the options that a new table is made by. */
void
hms_table_check(const struct hms_conf *conf, const struct secor_check *check);

/* The table of a path: it was asked for lately, or it is now, or it is made.
 * *fresh: now. */
int hms_table_get(struct hms *hms, const struct hive_path *path,
    const char *location, struct hms_table **table, int *fresh,
    struct secor_err *err);
/* It is asked for anew. */
void hms_table_forget(struct hms_table *table);
void hms_tables_free(struct hms *hms);

/* ---- partition.c: one path ---- */

/* The partition is there, at its place, with its statistics: what is lacking is
 * mended. `self` is a struct hms. */
int hms_keep(void *self, const struct hive_path *path, struct secor_err *err);

/* An answer that nobody can mend but a person: RETRY or REJECT as on_error
 * says. */
int hms_trouble(const struct hms *hms, const char *said, struct secor_err *err);
void hms_log(const struct hms *hms, const char *event,
    const struct hive_path *path, const char *more);

#endif
