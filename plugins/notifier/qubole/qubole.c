/*
 * qubole.c -- adds the Hive partition of a path when its first object lands.
 *
 * For each path of a batch that this process has not added yet:
 *
 *	ALTER TABLE <table> ADD IF NOT EXISTS PARTITION (dt='..',hr='..')
 *
 * is submitted and awaited. What comes of it:
 *
 *	status done				the path is remembered
 *	status error				`on_error`: retry or reject
 *	status cancelled, `timeout` over	RETRY: submitted again
 *	no connection, TLS, 401, 403, 404,
 *	408, 429, 5xx, 3xx, no JSON, no id	RETRY
 *	400, 422 (the statement is refused)	REJECT
 *	bare level, odd column or topic name,
 *	value that is not UTF-8			REJECT, nothing is submitted
 *
 * A rejected path is not remembered: its next object tries again. The other
 * paths of its batch are added all the same. A topic without a table is none of
 * this plugin's business.
 */
#include "plugins/notifier/qubole/qubole.h"

#include "plugins/common/hive_table.h"
#include "plugins/common/seen.h"
#include "plugins/common/url.h"

#include <stdlib.h>
#include <string.h>

enum { PATHS_REMEMBERED = 16384 };

struct qubole_conf {
	const char *token;
	const char *base_url;
	struct hive_table_conf table;
	int location;
	int64_t poll_interval;
	int64_t timeout;
	int on_error; /* index into ON_ERROR */
	const char *ca_file;
};

struct qubole {
	const struct qubole_conf *conf;
	const struct secor_host *host;
	struct command_conf command;
	struct http *http;
	struct seen *seen;
	struct secor_counter *added;
};

static const char *const ON_ERROR[] = {"retry", "reject", NULL};

static const struct secor_option OPTIONS[] = {
    SECOR_OPTION(STRING, struct qubole_conf, token, "token", NULL,
	SECOR_OPTION_REQUIRED | SECOR_OPTION_SECRET, "API token."),
    SECOR_OPTION(STRING, struct qubole_conf, base_url, "base_url",
	"https://api.qubole.com/api/v1.2", 0, "Address of the API."),
    HIVE_TABLE_ROWS(struct qubole_conf, table),
    SECOR_OPTION(BOOL, struct qubole_conf, location, "location", "false", 0,
	"Name the folder of the objects in the statement (LOCATION), where the "
	"table's own folder is elsewhere."),
    SECOR_OPTION_RANGE(DURATION, struct qubole_conf, poll_interval,
	"poll_interval", "3s", "1ms", "10m", 0,
	"Between two looks at a command that has not ended."),
    SECOR_OPTION_RANGE(DURATION, struct qubole_conf, timeout, "timeout", "300s",
	"1ms", "24h", 0, "For one command; then it is submitted again."),
    SECOR_OPTION_CHOICE(struct qubole_conf, on_error, "on_error", "retry",
	ON_ERROR, 0,
	"A command that ends in error (no such table, other columns) is tried "
	"again until somebody mends it, or logged and dropped."),
    SECOR_OPTION(PATH, struct qubole_conf, ca_file, "ca_file", NULL, 0,
	"PEM file of the authorities to trust, instead of the system's."),
};

static void
qubole_check(const void *conf_, const struct secor_check *check)
{
	const struct qubole_conf *conf = conf_;
	const char *why = url_complaint(conf->base_url);

	if (why != NULL)
		check->complain(check, "base_url", why);
	if (conf->token != NULL &&
	    (conf->token[0] == '\0' || !header_value_is(conf->token)))
		check->complain(
		    check, "token", "is empty or has a control byte");
	hive_table_check(&conf->table, check);
}

static void
qubole_close(void *self)
{
	struct qubole *qubole = self;

	if (qubole == NULL)
		return;
	http_close(qubole->http);
	seen_free(qubole->seen);
	free(qubole);
}

static int
qubole_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	const struct qubole_conf *conf = with->conf;
	const struct http_conf http = {.ca_file = conf->ca_file};
	struct qubole *qubole = calloc(1, sizeof(*qubole));
	int rc;

	if (qubole == NULL)
		return secor_fail(err, SECOR_FATAL, "out of memory");
	qubole->conf = conf;
	qubole->host = with->host;
	qubole->command = (struct command_conf){
	    .base_url = conf->base_url,
	    .token = conf->token,
	    .poll_ms = conf->poll_interval,
	    .timeout_ms = conf->timeout,
	    .error_status = conf->on_error == 0 ? SECOR_RETRY : SECOR_REJECT,
	};
	qubole->seen = seen_new(PATHS_REMEMBERED);
	qubole->added = with->host->counter(
	    with->host, "partitions", "Hive partitions added.");
	rc = qubole->seen == NULL
		 ? secor_fail(err, SECOR_FATAL, "out of memory")
		 : http_open(&http, &qubole->http, err);
	if (rc != SECOR_OK) {
		qubole_close(qubole);
		return rc;
	}
	*self = qubole;
	return SECOR_OK;
}

static void
tell(const struct qubole *qubole, const char *table, const char *path)
{
	struct text detail = {0};

	text_addf(&detail, "table=%s path=", table);
	text_add_json(&detail, path);
	if (!detail.failed)
		qubole->host->log(qubole->host, SECOR_INFO,
		    "hive partition added", detail.ptr);
	qubole->host->add(qubole->added, 1);
	text_fini(&detail);
}

static int
add_path(struct qubole *qubole, const char *table,
    const struct secor_event_object *object, struct secor_err *err)
{
	struct text sql = {0}, key = {0};
	int rc = SECOR_OK;

	if (object->level_count == 0)
		return SECOR_OK; /* lies in the table's own folder */
	text_addf(&key, "%s/%s", table, object->path);
	if (key.failed || !seen_has(qubole->seen, key.ptr)) {
		rc = hive_add_partition(
		    &sql, table, object, qubole->conf->location, err);
		if (rc == SECOR_OK && (sql.failed || key.failed))
			rc = secor_fail(err, SECOR_RETRY, "out of memory");
		if (rc == SECOR_OK)
			rc = command_run(
			    qubole->http, &qubole->command, sql.ptr, err);
		if (rc == SECOR_OK) {
			seen_add(qubole->seen, key.ptr);
			tell(qubole, table, object->path);
		}
	}
	text_fini(&sql);
	text_fini(&key);
	return rc;
}

static int
add_paths(struct qubole *qubole, const char *topic,
    const struct secor_event_object *objects, size_t count,
    struct secor_err *err)
{
	const char *at = (const char *)objects;
	struct secor_err why = {""};
	struct text table = {0};
	int worst = hive_table_of(&qubole->conf->table, topic, &table, err);
	size_t n = worst == SECOR_OK && table.len > 0 ? count : 0;

	for (size_t i = 0; i < n && worst != SECOR_RETRY; i++) {
		/* objects say their size, which is the stride: a newer engine's
		   are larger */
		const struct secor_event_object *object = (const void *)at;
		int rc = add_path(qubole, table.ptr, object, &why);

		if (rc == SECOR_RETRY || (rc != SECOR_OK && worst == SECOR_OK))
			worst =
			    secor_fail(err, rc, "table %s, path %.300s: %.500s",
				table.ptr, object->path, why.text);
		at += object->size;
	}
	text_fini(&table);
	return worst;
}

static int
qubole_batch_done(
    void *self, const struct secor_event_batch *batch, struct secor_err *err)
{
	struct qubole *qubole = self;

	return qubole->conf->table.add == HIVE_ADD_FIRST_OBJECT
		   ? add_paths(qubole, batch->topic, batch->objects,
			 batch->object_count, err)
		   : SECOR_OK;
}

static int
qubole_path_finalized(
    void *self, const struct secor_event_path *path, struct secor_err *err)
{
	struct qubole *qubole = self;

	return qubole->conf->table.add == HIVE_ADD_FINALIZED &&
		       event_path_is_whole(path)
		   ? add_paths(qubole, path->topic, path->objects, 1, err)
		   : SECOR_OK;
}

static const struct secor_notifier_ops OPS = {
    .size = sizeof(OPS),
    .open = qubole_open,
    .close = qubole_close,
    .batch_done = qubole_batch_done,
    .path_finalized = qubole_path_finalized,
};

static const struct secor_plugin PLUGIN = {
    SECOR_PLUGIN_HEAD,
    SECOR_NOTIFIER,
    "qubole",
    SECOR_VERSION,
    "Adds the Hive partition of a path when its first object lands.",
    1,
    SECOR_OPTIONS(OPTIONS),
    sizeof(struct qubole_conf),
    qubole_check,
    &OPS,
};

SECOR_EXPORT const struct secor_plugin *
secor_plugin_entry(void)
{
	return &PLUGIN;
}
