/*
 * qubole.c -- adds the Hive partition of a path when its first object lands, or
 * when the path is complete, and runs what else is to be run then.
 *
 * For each path that this process has not added yet,
 *
 *	ALTER TABLE <table> ADD IF NOT EXISTS PARTITION (dt='..',hr='..')
 *
 * (or `statements`) is submitted and awaited; when the path is finalized or
 * amended, `finalized_statements` and `amended_statements`. Each is a command
 * of its own: the answer says which one failed, and nothing depends on where a
 * tool between here and Hive splits a text. What comes of one:
 *
 *	status done				the next one; then it is heard
 *	status error				`on_error`: retry or reject
 *	status cancelled or unknown		RETRY
 *	status waiting, queued, running,
 *	cancelling				it is looked at again
 *
 *	submitting: no connection, TLS, cut,
 *	too long, no JSON, no object, no id,
 *	HTTP 3xx, 401, 403, 404, 408, 429, 5xx	RETRY
 *	with Retry-After (429, 5xx)		submitted again after that
 *						time, within `timeout`
 *	HTTP 400, 422 (it is refused)		REJECT
 *
 *	looking: HTTP 404 (not known)		RETRY
 *	anything else that is no status		it is looked at again
 *	`timeout` over				it is cancelled; done
 *						meanwhile: as above, else RETRY
 *						with what was seen last
 *
 *	bare level, odd column or topic name,
 *	value that is not UTF-8			REJECT, nothing is submitted
 *
 * RETRY tells the event again and all its statements from the first one on, not
 * from the failed one: they must bear repetition anyway (a crash repeats them),
 * and each then has run after those before it, with the same totals. Only a
 * partition that was added is not added again, unless one of
 * `finalized_statements` or `amended_statements` has failed: it may be gone.
 *
 * A rejected path is not remembered: its next object tries again. The other
 * paths of its batch are added all the same. A topic without a table is none of
 * this plugin's business, and neither are levels above those that hold objects.
 */
#include "plugins/notifier/qubole/qubole.h"

#include "plugins/common/url.h"

#include <stdlib.h>
#include <string.h>

struct qubole_conf {
	const char *token;
	const char *base_url;
	struct hive_table_conf table;
	int location;
	struct secor_strings statements, finalized, amended;
	int64_t poll_interval;
	int64_t timeout;
	int64_t cancel_timeout;
	int on_error; /* see hive_on_error */
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

static const struct secor_option OPTIONS[] = {
    SECOR_OPTION(STRING, struct qubole_conf, token, "token", NULL,
	SECOR_OPTION_REQUIRED | SECOR_OPTION_SECRET, "API token."),
    SECOR_OPTION(STRING, struct qubole_conf, base_url, "base_url",
	"https://api.qubole.com/api/v1.2", 0, "Address of the API."),
    HIVE_TABLE_ROWS(struct qubole_conf, table),
    SECOR_OPTION(BOOL, struct qubole_conf, location, "location", "false", 0,
	"Name the folder of the objects in the statement (LOCATION), where the "
	"table's own folder is elsewhere."),
    SECOR_OPTION(STRINGS, struct qubole_conf, statements, "statements", NULL, 0,
	"What adds a partition, instead of ALTER TABLE {table} ADD IF NOT "
	"EXISTS PARTITION ({partition}): a list, submitted in this order."),
    SECOR_OPTION(STRINGS, struct qubole_conf, finalized, "finalized_statements",
	NULL, 0,
	"Submitted when a path is complete, such as ANALYZE TABLE {table} "
	"PARTITION ({partition}) COMPUTE STATISTICS."),
    SECOR_OPTION(STRINGS, struct qubole_conf, amended, "amended_statements",
	NULL, 0, "Submitted when late data came into a complete path."),
    SECOR_OPTION_RANGE(DURATION, struct qubole_conf, poll_interval,
	"poll_interval", "3s", "1ms", "10m", 0,
	"Between two looks at a command that has not ended."),
    SECOR_OPTION_RANGE(DURATION, struct qubole_conf, timeout, "timeout", "300s",
	"1ms", "24h", 0,
	"For one command; then it is cancelled and submitted again."),
    SECOR_OPTION_RANGE(DURATION, struct qubole_conf, cancel_timeout,
	"cancel_timeout", "10s", "0s", "1h", 0,
	"For the cancel of a command that has not ended within timeout; 0s: it "
	"is left to run."),
    SECOR_OPTION_CHOICE(struct qubole_conf, on_error, "on_error", "retry",
	HIVE_ON_ERROR, 0,
	"A command that ends in error (no such table, other columns) is tried "
	"again until somebody mends it, or logged and dropped."),
    SECOR_OPTION(PATH, struct qubole_conf, ca_file, "ca_file", NULL, 0,
	"PEM file of the authorities to trust, instead of the system's."),
};

static void
check_list(const struct secor_check *check, const char *key,
    const struct secor_strings *list, int totals)
{
	struct secor_err why;
	char text[sizeof(why) + 32];

	for (size_t i = 0; i < list->count; i++) {
		if (statement_check(list->items[i], totals, &why) == SECOR_OK)
			continue;
		(void)snprintf(
		    text, sizeof(text), "statement %zu %s", i + 1, why.text);
		check->complain(check, key, text);
	}
}

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
	check_list(check, "statements", &conf->statements,
	    conf->table.add == HIVE_ADD_FINALIZED);
	check_list(check, "finalized_statements", &conf->finalized, 1);
	check_list(check, "amended_statements", &conf->amended, 1);
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
	    .cancel_ms = conf->cancel_timeout,
	    .error_status = hive_on_error(conf->on_error),
	    .host = with->host,
	    .cancelled = with->host->counter(with->host, "cancelled",
		"Commands that had not ended in time, and were cancelled."),
	    .left = with->host->counter(with->host, "not_cancelled",
		"Commands that had not ended in time, and may still run."),
	};
	qubole->seen = hive_seen_new();
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

/* ---- statements ---- */

#define ADD "ALTER TABLE {table} ADD IF NOT EXISTS PARTITION ({partition})"

static int
add_built_in(struct qubole *qubole, const struct hive_path *subject,
    struct secor_err *err)
{
	struct text sql = {0};
	int what = 0, rc = SECOR_OK;

	if (!qubole->conf->location)
		rc = statement_add(&sql, ADD, subject, &what, err);
	if (rc == SECOR_OK &&
	    (qubole->conf->location || (what & STATEMENT_ELSEWHERE) != 0)) {
		text_fini(&sql);
		sql = (struct text){0};
		rc = statement_add(
		    &sql, ADD " LOCATION {location}", subject, &what, err);
	}
	if (rc == SECOR_OK)
		rc = command_run(qubole->http, &qubole->command, sql.ptr, err);
	text_fini(&sql);
	return rc;
}

/* Who adds a partition that Hive would look for elsewhere must say where. */
static int
run_one(struct qubole *qubole, const char *template_,
    const struct hive_path *subject, int *what, struct secor_err *err)
{
	struct text sql = {0};
	int rc = statement_add(&sql, template_, subject, what, err);

	if (rc == SECOR_OK && *what == STATEMENT_ELSEWHERE)
		rc = secor_fail(err, SECOR_REJECT,
		    "Hive would not find path '%.300s' by its values: the "
		    "statement must say LOCATION {location}",
		    subject->path);
	if (rc == SECOR_OK)
		rc = command_run(qubole->http, &qubole->command, sql.ptr, err);
	text_fini(&sql);
	return rc;
}

/* `what`: STATEMENT_LOCATION when the partition is there already. */
static int
run_list(struct qubole *qubole, const struct secor_strings *list, int what,
    const struct hive_path *subject, struct secor_err *err)
{
	struct secor_err why = {""};

	for (size_t i = 0; i < list->count; i++) {
		int rc = run_one(qubole, list->items[i], subject, &what, &why);

		if (rc != SECOR_OK)
			return secor_fail(
			    err, rc, "statement %zu: %.800s", i + 1, why.text);
	}
	return SECOR_OK;
}

static int
add_partition(
    void *self, const struct hive_path *subject, struct secor_err *err)
{
	struct qubole *qubole = self;
	const struct secor_strings *list = &qubole->conf->statements;
	int rc;

	if (hive_seen_has(qubole->seen, subject->topic, subject->path))
		return SECOR_OK;
	rc = list->count > 0 ? run_list(qubole, list, 0, subject, err)
			     : add_built_in(qubole, subject, err);
	if (rc != SECOR_OK)
		return rc;
	hive_seen_add(qubole->seen, subject->topic, subject->path);
	tell(qubole, subject->table, subject->path);
	return SECOR_OK;
}

/* ---- events ---- */

static int
qubole_batch_done(
    void *self, const struct secor_event_batch *batch, struct secor_err *err)
{
	struct qubole *qubole = self;

	return hive_each_object(
	    &qubole->conf->table, batch, add_partition, qubole, err);
}

/* A path that is complete, and what is to be run then. */
struct complete {
	struct qubole *qubole;
	const struct secor_strings *list;
};

/* Its partition may not be there yet: objects are told of by another thread, or
 * `add` waits for this. */
static int
complete_path(
    void *self, const struct hive_path *subject, struct secor_err *err)
{
	struct complete *complete = self;
	int rc = add_partition(complete->qubole, subject, err);

	if (rc != SECOR_OK)
		return rc;
	rc = run_list(
	    complete->qubole, complete->list, STATEMENT_LOCATION, subject, err);
	/* it may be what failed: somebody has dropped it */
	if (rc != SECOR_OK)
		hive_seen_forget(
		    complete->qubole->seen, subject->topic, subject->path);
	return rc;
}

static int
hear_path(struct qubole *qubole, const struct secor_event_path *path,
    const struct secor_strings *list, struct secor_err *err)
{
	struct complete complete = {qubole, list};

	if (qubole->conf->table.add != HIVE_ADD_FINALIZED && list->count == 0)
		return SECOR_OK;
	return hive_whole_path(
	    &qubole->conf->table, path, complete_path, &complete, err);
}

static int
qubole_path_finalized(
    void *self, const struct secor_event_path *path, struct secor_err *err)
{
	struct qubole *qubole = self;

	return hear_path(qubole, path, &qubole->conf->finalized, err);
}

static int
qubole_path_amended(
    void *self, const struct secor_event_path *path, struct secor_err *err)
{
	struct qubole *qubole = self;

	return hear_path(qubole, path, &qubole->conf->amended, err);
}

static const struct secor_notifier_ops OPS = {
    .size = sizeof(OPS),
    .open = qubole_open,
    .close = qubole_close,
    .batch_done = qubole_batch_done,
    .path_finalized = qubole_path_finalized,
    .path_amended = qubole_path_amended,
};

static const struct secor_plugin PLUGIN = {
    SECOR_PLUGIN_HEAD,
    SECOR_NOTIFIER,
    "qubole",
    SECOR_VERSION,
    "Adds the Hive partition of a path when its first object lands or when "
    "the path is complete, by commands of Qubole.",
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
