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
#include "plugins/common/url.h"

#include <stdlib.h>
#include <string.h>

enum { PATHS_REMEMBERED = 16384 };

struct qubole_conf {
	const char *token;
	const char *base_url;
	const char *table;
	struct secor_pairs tables;
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
    SECOR_OPTION(STRING, struct qubole_conf, table, "table", NULL, 0,
	"Hive table of a topic, such as logs_{topic} or db.logs_{topic}."),
    SECOR_OPTION(PAIRS, struct qubole_conf, tables, "tables", NULL, 0,
	"Tables of single topics (topic: table), before `table`. A topic with "
	"neither is left alone."),
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
	char text[256];

	if (why != NULL)
		check->complain(check, "base_url", why);
	if (conf->token != NULL &&
	    (conf->token[0] == '\0' || !header_value_is(conf->token)))
		check->complain(
		    check, "token", "is empty or has a control byte");
	if (conf->table == NULL && conf->tables.count == 0)
		check->complain(check, NULL, "needs `table` or `tables`");
	why = conf->table != NULL ? hive_table_complaint(conf->table, 1) : NULL;
	if (why != NULL)
		check->complain(check, "table", why);
	for (size_t i = 0; i < conf->tables.count; i++) {
		const char *table = conf->tables.items[i].value;

		why = hive_table_complaint(table, 0);
		if (why == NULL)
			continue;
		(void)snprintf(text, sizeof(text), "'%.100s' %s", table, why);
		check->complain(check, "tables", text);
	}
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

/* The table of a topic, or an empty text when it has none. */
static int
table_of(const struct qubole_conf *conf, const char *topic, struct text *table,
    struct secor_err *err)
{
	text_adds(table, "");
	for (size_t i = 0; i < conf->tables.count; i++)
		if (strcmp(conf->tables.items[i].key, topic) == 0) {
			text_adds(table, conf->tables.items[i].value);
			return SECOR_OK;
		}
	return conf->table == NULL ? SECOR_OK
				   : hive_table(table, conf->table, topic, err);
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
qubole_batch_done(
    void *self, const struct secor_event_batch *batch, struct secor_err *err)
{
	struct qubole *qubole = self;
	const char *at = (const char *)batch->objects;
	struct secor_err why = {""};
	struct text table = {0};
	int worst = table_of(qubole->conf, batch->topic, &table, err);
	size_t n = worst == SECOR_OK && table.len > 0 ? batch->object_count : 0;

	if (worst == SECOR_OK && table.failed)
		worst = secor_fail(err, SECOR_RETRY, "out of memory");
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

static const struct secor_notifier_ops OPS = {
    .size = sizeof(OPS),
    .open = qubole_open,
    .close = qubole_close,
    .batch_done = qubole_batch_done,
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
