/*
 * glue.h -- what the files of the plugin share.
 *
 *	glue.c		options, instance
 *	event.c		what is made of an event
 *	api.c		one signed call, repeated when that helps
 *	errors.c	what a code of the service means
 *	table.c		tables, as GetTable tells them
 *	partition.c	partitions: created, looked at, their statistics
 */
#ifndef SECOR_NOTIFIER_GLUE_H
#define SECOR_NOTIFIER_GLUE_H

#include "plugins/common/aws_options.h"
#include "plugins/common/hive_event.h"
#include "plugins/common/http.h"

#include <jansson.h>
#include <secor/notifier.h>

struct glue_conf {
	const char *region, *endpoint;
	struct aws_options aws;
	const char *catalog_id, *database;
	struct hive_table_conf table;
	int on_error; /* see hive_on_error */
	int64_t timeout;
	int64_t max_attempts, retry_delay;
	const char *ca_file;
};

struct glue {
	const struct glue_conf *conf;
	const struct secor_host *host;
	struct http *http;
	struct aws_cred *cred;
	char region[64];
	char origin[320];
	uint64_t seed;	      /* of jitter */
	char access_key[130]; /* of the last call, for people */
	char key_source[64];
	struct glue_table *tables;
	uint64_t round; /* counts events */
	int gone;	/* a table that was known is not there */
	struct seen *seen;
	struct secor_counter *added, *updated, *calls, *retries;
};

/* ---- event.c ---- */

int glue_batch_done(
    void *self, const struct secor_event_batch *batch, struct secor_err *err);
/* Finalized or amended. */
int glue_path(
    void *self, const struct secor_event_path *path, struct secor_err *err);

/* ---- errors.c ---- */

enum glue_verdict {
	GLUE_AGAIN,   /* the same call may work in a moment */
	GLUE_RENEW,   /* with other keys it may work at once */
	GLUE_LATER,   /* when something has changed, by itself or by a person */
	GLUE_REFUSED, /* never */
	GLUE_MISSING, /* no such database, table or partition */
	GLUE_EXISTS   /* the partition is there */
};

/* Of a code without its name space; HTTP status 0: it is one partition's. */
enum glue_verdict glue_judge(const char *code, int status);
/* What the engine hears of it. */
int glue_status(const struct glue *glue, enum glue_verdict verdict);
/* A copy of text of the service that is one printable line. */
void glue_line(const char *text, char *dst, size_t room);

/* ---- api.c ---- */

int glue_api_open(struct glue *glue, struct secor_err *err);

/* Takes `request`. SECOR_OK: *answer is an object, the caller's. Otherwise
 * *verdict says what the service means, where it said something at all. */
int glue_call(struct glue *glue, const char *operation, json_t *request,
    json_t **answer, enum glue_verdict *verdict, struct secor_err *err);

/* ---- table.c ---- */

struct glue_table {
	struct glue_table *next;
	char *name; /* database.table */
	char *database;
	const char *table; /* in name */
	json_t *storage;   /* StorageDescriptor */
	json_t *keys;	   /* PartitionKeys */
	int64_t read_ms;
	uint64_t round; /* in which it was read */
};

/* From the cache, or by GetTable. `name` as options say it. */
int glue_table_get(struct glue *glue, const char *name,
    struct glue_table **table, struct secor_err *err);
/* Reads it again, unless it was read for this very event: then *table stays.
 * When that fails *table is NULL. */
int glue_table_again(
    struct glue *glue, struct glue_table **table, struct secor_err *err);
/* It is read before it is used. `name` as options say it. */
void glue_table_forget(struct glue *glue, const char *name);
void glue_tables_free(struct glue *glue);
/* The members that every request about it has. */
json_t *glue_request(const struct glue *glue, const struct glue_table *table);

/* SECOR_REJECT, with both named, when the levels are not its partition keys. */
int glue_table_check(const struct glue_table *table,
    const struct secor_event_object *object, struct secor_err *err);

/* ---- partition.c ---- */

#define GLUE_CHUNK 100	   /* partitions of a call at most */
#define GLUE_LOCATION 2057 /* bytes, with NUL, that Glue takes */

struct glue_sums {
	uint64_t objects, records, bytes;
};

enum glue_state {
	GLUE_TODO,
	GLUE_THERE,  /* somebody has created it: to be looked at */
	GLUE_DONE,   /* created, or there as it should be */
	GLUE_FAILED, /* `status` says how */
};

/* A partition that must be there. */
struct glue_want {
	const struct secor_event_object *object; /* one that lies in it */
	char location[GLUE_LOCATION];		 /* its folder */
	enum glue_state state;
	int status;
	char why[512];
};

/* What is to be done, in one table, with at most GLUE_CHUNK partitions. */
struct glue_job {
	struct glue *glue;
	const struct glue_table *table;
	struct glue_want *wants;
	size_t count;
	const struct glue_sums *sums; /* NULL: not known */
};

/* Creates what is not there, compares locations of what is, and sees to it that
 * it has these statistics. Those that are GLUE_TODO end GLUE_DONE or
 * GLUE_FAILED. */
void glue_register(const struct glue_job *job);

#endif
