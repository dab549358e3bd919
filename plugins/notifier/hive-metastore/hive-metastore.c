/*
 * hive-metastore.c -- keeps the partitions of a Hive metastore, in its own
 * protocol. With the first object of a path (`add: first_object`) or when the
 * path is complete, its partition is added; when it is complete, and when data
 * came late, the partition gets numFiles, numRows and totalSize of the path.
 *
 *	partition is there, same location	heard; what differs is altered
 *	partition is there, other location	REJECT, or altered: `relocate`
 *	table is not there			created, or `on_error`
 *	levels are not the table's keys		REJECT
 *	InvalidObject, a value against the
 *	metastore's own whitelist		REJECT
 *	bare level, odd name, not UTF-8, a
 *	name over 767 characters		REJECT, nothing is asked
 *	MetaException, no connection, TLS,
 *	`timeout` over, an answer that is none	RETRY
 *
 * Everything may be done twice: a partition that was added is found, and what
 * it has already is not altered. A rejected path does not hold up the others of
 * its batch. A path whose objects lie in deeper levels is no partition, and a
 * topic without a table none of this plugin's business.
 */
#include "plugins/notifier/hive-metastore/hive-metastore.h"

#include <stdlib.h>

#define CONF struct hms_conf

/* by kerberos_protection */
static const char *const PROTECTIONS[] = {
    "any", "authentication", "integrity", "privacy", NULL};

static const struct secor_option OPTIONS[] = {
    SECOR_OPTION(STRINGS, CONF, uris, "uris", NULL, SECOR_OPTION_REQUIRED,
	"Addresses, thrift://host:port; the next one is asked when one does "
	"not answer."),
    HIVE_DATABASE_ROW(CONF, database),
    HIVE_TABLE_ROWS(CONF, table),
    SECOR_OPTION_CHOICE(CONF, on_error, "on_error", "retry", HIVE_ON_ERROR, 0,
	"A table that is not there, or cannot be created as it is described, "
	"is asked for until somebody mends it, or the event is logged and "
	"dropped."),
    SECOR_OPTION(BOOL, CONF, relocate, "relocate", "false", 0,
	"A partition that is there with another location is moved to the "
	"path's folder; else the event is refused."),
    SECOR_OPTION(PAIRS, CONF, location_schemes, "location_schemes", "{}", 0,
	"How locations begin for Hive, by how the store's addresses do, such "
	"as {s3: s3a}."),
    SECOR_OPTION_RANGE(DURATION, CONF, timeout, "timeout", "60s", "100ms", "1h",
	0, "For one call."),
    SECOR_OPTION_RANGE(DURATION, CONF, connect_timeout, "connect_timeout",
	"10s", "100ms", "10m", 0,
	"To connect, TLS and Kerberos included; what the KDC takes is as "
	"krb5.conf has it."),
    SECOR_OPTION(STRING, CONF, user, "user", NULL, 0,
	"Whom the metastore takes the service for (set_ugi, not with "
	"Kerberos), and owner of tables that are created."),
    SECOR_OPTION(BOOL, CONF, framed, "framed", "false", 0,
	"Framed transport, as the metastore has it "
	"(hive.metastore.thrift.framed.transport.enabled)."),
    SECOR_OPTION(BOOL, CONF, tls, "tls", "false", 0,
	"TLS, as the metastore has it (hive.metastore.use.SSL)."),
    SECOR_OPTION(PATH, CONF, ca_file, "ca_file", NULL, 0,
	"PEM file of the authorities to trust, instead of the system's."),
    SECOR_OPTION(STRING, CONF, kerberos.service, "kerberos.service", NULL, 0,
	"The metastore's principal (hive.metastore.kerberos.principal), such "
	"as "
	"hive/_HOST@EXAMPLE.COM, _HOST being that of the address; with it "
	"Kerberos is spoken (hive.metastore.sasl.enabled)."),
    SECOR_OPTION(STRING, CONF, kerberos.principal, "kerberos.principal", NULL,
	0, "Who this service is, such as secor@EXAMPLE.COM."),
    SECOR_OPTION(PATH, CONF, kerberos.keytab, "kerberos.keytab", NULL, 0,
	"File of its keys, which others must not read; tickets are got and "
	"renewed by it, in memory. Without one the ticket is that of the "
	"environment (KRB5CCNAME), and somebody else's care."),
    SECOR_OPTION_CHOICE(CONF, kerberos.protection, "kerberos.protection", "any",
	PROTECTIONS, 0,
	"What calls are under, as the metastore has it "
	"(hadoop.rpc.protection); any: the most that it offers."),
    SECOR_OPTION(BOOL, CONF, create_table, "create_table", "false", 0,
	"Create the table when it is not there: external, of `columns`, "
	"partitioned by the names of the path's levels."),
    SECOR_OPTION(PAIRS, CONF, columns, "columns", "{}", 0,
	"Columns of a table that is created, name: type of Hive, in order."),
    SECOR_OPTION(STRING, CONF, table_location, "table_location", NULL, 0,
	"Its folder, where that is not the folder of the topic; {topic} stands "
	"for the topic."),
    SECOR_OPTION_CHOICE(CONF, stored_as, "stored_as", "json", HMS_STORED_AS, 0,
	"Input format, output format and SerDe of it, as Hive's STORED AS."),
    SECOR_OPTION(STRING, CONF, input_format, "input_format", NULL, 0,
	"Class, instead of that of `stored_as`."),
    SECOR_OPTION(STRING, CONF, output_format, "output_format", NULL, 0,
	"Class, instead of that of `stored_as`."),
    SECOR_OPTION(STRING, CONF, serde, "serde", NULL, 0,
	"Class, instead of that of `stored_as`."),
    SECOR_OPTION(PAIRS, CONF, serde_parameters, "serde_parameters", "{}", 0,
	"Properties of the SerDe, such as {field.delim: \"|\"}."),
};

static void
check_kerberos(const struct hms_conf *conf, const struct secor_check *check)
{
	const struct kerberos_conf *kerberos = &conf->kerberos;
	const char *why;
	char text[512];

	if (kerberos->service == NULL) {
		if (kerberos->principal != NULL || kerberos->keytab != NULL ||
		    kerberos->protection != KERBEROS_ANY)
			check->complain(check, "kerberos",
			    "needs `kerberos.service`, the metastore's "
			    "principal");
		return;
	}
	why = kerberos_service_complaint(kerberos->service);
	if (why != NULL) {
		(void)snprintf(
		    text, sizeof(text), "'%.200s' %s", kerberos->service, why);
		check->complain(check, "kerberos.service", text);
	}
	if (kerberos->keytab != NULL && kerberos->principal == NULL)
		check->complain(check, "kerberos.keytab",
		    "needs `kerberos.principal`: whose keys are they?");
	if (conf->framed)
		check->complain(check, "framed",
		    "is not for Kerberos: a metastore has one of them");
}

static void
hms_check(const void *conf_, const struct secor_check *check)
{
	const struct hms_conf *conf = conf_;
	char text[512];

	for (size_t i = 0; i < conf->uris.count; i++) {
		const char *uri = conf->uris.items[i];
		const char *why = ms_uri_complaint(uri);

		if (why == NULL)
			continue;
		(void)snprintf(text, sizeof(text), "'%.200s' %s", uri, why);
		check->complain(check, "uris", text);
	}
	if (conf->uris.count == 0)
		check->complain(check, "uris", "names no metastore");
	hive_database_check(conf->database, check);
	if (conf->ca_file != NULL && !conf->tls)
		check->complain(check, "ca_file", "is for `tls`");
	check_kerberos(conf, check);
	hive_table_check(&conf->table, check);
	hms_table_check(conf, check);
}

static void
hms_close(void *self)
{
	struct hms *hms = self;

	if (hms == NULL)
		return;
	ms_free(hms->ms);
	hms_tables_free(hms);
	seen_free(hms->seen);
	free(hms);
}

static int
hms_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	const struct hms_conf *conf = with->conf;
	const struct secor_host *host = with->host;
	struct hms *hms = calloc(1, sizeof(*hms));

	if (hms == NULL)
		return secor_fail(err, SECOR_FATAL, "out of memory");
	hms->conf = conf;
	hms->host = host;
	hms->ms_conf = (struct ms_conf){.uris = conf->uris,
	    .timeout_ms = conf->timeout,
	    .connect_ms = conf->connect_timeout,
	    .user = conf->user,
	    .framed = conf->framed,
	    .kerberos = conf->kerberos,
	    .line = {.tls = conf->tls, .ca_file = conf->ca_file}};
	hms->ms = ms_new(&hms->ms_conf);
	hms->seen = hive_seen_new();
	hms->added =
	    host->counter(host, "partitions", "Hive partitions added.");
	hms->altered = host->counter(host, "alterations",
	    "Hive partitions that got other statistics or another location.");
	hms->created = host->counter(host, "tables", "Hive tables created.");
	if (hms->ms == NULL || hms->seen == NULL) {
		hms_close(hms);
		return secor_fail(err, SECOR_FATAL, "out of memory");
	}
	*self = hms;
	return SECOR_OK;
}

static int
hms_batch_done(
    void *self, const struct secor_event_batch *batch, struct secor_err *err)
{
	struct hms *hms = self;

	return hive_each_object(&hms->conf->table, batch, hms_keep, hms, err);
}

/* Finalized or amended: what the partition should be is the same. */
static int
hms_path(
    void *self, const struct secor_event_path *event, struct secor_err *err)
{
	struct hms *hms = self;

	return hive_whole_path(&hms->conf->table, event, hms_keep, hms, err);
}

static const struct secor_notifier_ops OPS = {
    .size = sizeof(OPS),
    .open = hms_open,
    .close = hms_close,
    .batch_done = hms_batch_done,
    .path_finalized = hms_path,
    .path_amended = hms_path,
};

static const struct secor_plugin PLUGIN = {
    SECOR_PLUGIN_HEAD,
    SECOR_NOTIFIER,
    "hive-metastore",
    SECOR_VERSION,
    "Keeps the partitions of Hive tables and their statistics, straight in the "
    "metastore.",
    1,
    SECOR_OPTIONS(OPTIONS),
    sizeof(struct hms_conf),
    hms_check,
    &OPS,
};

SECOR_EXPORT const struct secor_plugin *
secor_plugin_entry(void)
{
	return &PLUGIN;
}
