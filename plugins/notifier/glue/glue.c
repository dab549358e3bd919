/*
 * glue.c -- registers the partitions of paths in the AWS Glue Data Catalog.
 *
 * For each path of a batch that this process has not dealt with yet (`add:
 * first_object`), and for each path that is finalized or amended, with its
 * statistics. What comes of a call:
 *
 *	created, there with the same location	the path is remembered
 *	there with another location		REJECT, nothing is changed
 *	InvalidInput, Validation		REJECT; of a call with several
 *						that one is looked for
 *	levels are not the partition keys	REJECT, with both named
 *	EntityNotFound (database, table)	`on_error`: retry or reject
 *	Throttling, OperationTimeout, internal
 *	ones, 408, 429, 5xx, no connection	repeated, then RETRY
 *	ExpiredToken, UnrecognizedClient	repeated once with new keys,
 *						then RETRY
 *	AccessDenied, wrong signature, a quota,
 *	no keys, TLS, no JSON, anything else	RETRY: a person mends it
 *	Errors[] of BatchCreatePartition	each as above, the others count
 *	UnprocessedKeys				asked for again, then RETRY
 *
 * What is rejected is tried once more with the table read anew, if it was read
 * for an earlier event. A rejected path is not remembered: its next object
 * tries again. A topic without a table is none of this plugin's business.
 */
#include "plugins/notifier/glue/glue.h"

#include <stdlib.h>
#include <string.h>

static const struct secor_option OPTIONS[] = {
    SECOR_OPTION(STRING, struct glue_conf, region, "region", NULL, 0,
	"Region of the catalog; by default AWS_REGION, AWS_DEFAULT_REGION, or "
	"the profile's."),
    SECOR_OPTION(STRING, struct glue_conf, endpoint, "endpoint", NULL, 0,
	"https://host[:port] of a server other than AWS's."),
    AWS_OPTION_ROWS(struct glue_conf, aws),
    SECOR_OPTION(STRING, struct glue_conf, catalog_id, "catalog_id", NULL, 0,
	"Catalog, by default that of the account of the keys."),
    HIVE_DATABASE_ROW(struct glue_conf, database),
    HIVE_TABLE_ROWS(struct glue_conf, table),
    SECOR_OPTION_CHOICE(struct glue_conf, on_error, "on_error", "retry",
	HIVE_ON_ERROR, 0,
	"Where the database or the table is missing: try again until somebody "
	"makes it, or log and drop."),
    SECOR_OPTION_RANGE(DURATION, struct glue_conf, timeout, "timeout", "30s",
	"1ms", "10m", 0, "For one request."),
    SECOR_OPTION_RANGE(INT, struct glue_conf, max_attempts, "max_attempts", "5",
	"1", "20", 0,
	"Attempts of a request before the engine takes over, which repeats "
	"for ever."),
    SECOR_OPTION_RANGE(DURATION, struct glue_conf, retry_delay, "retry_delay",
	"500ms", "0ms", "10s", 0,
	"Longest wait before the second attempt; then doubled up to 5 s."),
    SECOR_OPTION(PATH, struct glue_conf, ca_file, "ca_file", NULL, 0,
	"PEM file of the CAs to trust; by default AWS_CA_BUNDLE or the "
	"system's."),
};

static void
glue_check(const void *conf_, const struct secor_check *check)
{
	const struct glue_conf *conf = conf_;
	const char *id = conf->catalog_id;

	if (conf->region != NULL && !aws_is_region(conf->region))
		check->complain(check, "region", "is no region of AWS");
	if (conf->endpoint != NULL && !aws_is_endpoint(conf->endpoint))
		check->complain(check, "endpoint",
		    "must be https://host[:port] or http://host[:port]");
	aws_options_check(&conf->aws, check);
	if (id != NULL && (id[0] == '\0' || strlen(id) > 255 || !utf8_is(id)))
		check->complain(check, "catalog_id",
		    "must be the number of an account, or a catalog's name");
	hive_database_check(conf->database, check);
	hive_table_check(&conf->table, check);
}

static void
glue_close(void *self)
{
	struct glue *glue = self;

	if (glue == NULL)
		return;
	http_close(glue->http);
	aws_cred_close(glue->cred);
	glue_tables_free(glue);
	seen_free(glue->seen);
	free(glue);
}

static void
set_counters(struct glue *glue)
{
	const struct secor_host *host = glue->host;

	glue->added =
	    host->counter(host, "partitions", "Partitions added in Glue.");
	glue->updated = host->counter(
	    host, "updates", "Statistics of partitions written in Glue.");
	glue->calls = host->counter(host, "requests", "Requests sent to Glue.");
	glue->retries = host->counter(
	    host, "retries", "Requests to Glue that were sent again.");
}

static int
glue_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	struct glue *glue = calloc(1, sizeof(*glue));
	int rc;

	if (glue == NULL)
		return secor_fail(err, SECOR_FATAL, "out of memory");
	glue->conf = with->conf;
	glue->host = with->host;
	glue->seed = (uint64_t)with->host->now_ms(with->host) ^
		     (uint64_t)(uintptr_t)glue;
	set_counters(glue);
	glue->seen = hive_seen_new();
	rc = glue->seen != NULL ? glue_api_open(glue, err)
				: secor_fail(err, SECOR_FATAL, "out of memory");
	if (rc != SECOR_OK) {
		glue_close(glue);
		return rc;
	}
	*self = glue;
	return SECOR_OK;
}

static const struct secor_notifier_ops OPS = {
    .size = sizeof(OPS),
    .open = glue_open,
    .close = glue_close,
    .batch_done = glue_batch_done,
    .path_finalized = glue_path,
    .path_amended = glue_path,
};

static const struct secor_plugin PLUGIN = {
    SECOR_PLUGIN_HEAD,
    SECOR_NOTIFIER,
    "glue",
    SECOR_VERSION,
    "Registers partitions, with their statistics, in the AWS Glue Data "
    "Catalog.",
    1,
    SECOR_OPTIONS(OPTIONS),
    sizeof(struct glue_conf),
    glue_check,
    &OPS,
};

SECOR_EXPORT const struct secor_plugin *
secor_plugin_entry(void)
{
	return &PLUGIN;
}
