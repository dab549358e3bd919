/*
 * sections.c -- rows of the engine's own sections, one table a section.
 */
#include "core/config/sections.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define OPTIONS(rows, type)                                                  \
	{                                                                    \
		rows, COUNT(rows), sizeof(struct secor_option), sizeof(type) \
	}

enum {
	REQUIRED = SECOR_OPTION_REQUIRED,
	OUTPUT = SECOR_OPTION_OUTPUT,
	SECRET = SECOR_OPTION_SECRET,
};

static const char *const LOSSES[] = {"continue", "halt", NULL};
/* enum config_mechanism */
static const char *const MECHANISMS[] = {"none", "PLAIN", "SCRAM-SHA-256",
    "SCRAM-SHA-512", "GSSAPI", "OAUTHBEARER", "AWS_MSK_IAM", NULL};
/* enum config_fetch */
static const char *const FETCHES[] = {"auto", "own", "librdkafka", NULL};
static const char *const COMPACTED[] = {"refuse", "allow", NULL};
static const char *const AGES[] = {"oldest", "youngest", NULL};
static const char *const STOPS[] = {"drop", "finish", NULL};
static const char *const BAD[] = {"dead_letter", "skip", "halt", NULL};
static const char *const TIMES[] = {"field", "kafka", NULL};
static const char *const COMPATS[] = {"none", "secor", NULL};
static const char *const LEVELS[] = {"error", "warn", "info", "debug", NULL};

#define KAFKA struct config_kafka
static const struct secor_option KAFKA_ROWS[] = {
    SECOR_OPTION(STRINGS, KAFKA, brokers, "brokers", NULL, REQUIRED,
	"Brokers to begin with, host:port."),
    SECOR_OPTION(STRING, KAFKA, group, "group", NULL, REQUIRED,
	"Consumer group that this service owns; nobody else may commit in it."),
    SECOR_OPTION(STRINGS, KAFKA, topics, "topics", NULL, REQUIRED,
	"Topics by name, or by regular expression when it begins with ^."),
    SECOR_OPTION(STRINGS, KAFKA, exclude, "exclude", "[]", 0,
	"Topics to leave out, names or regular expressions."),
    SECOR_OPTION(STRING, KAFKA, start, "start", "earliest", 0,
	"Where the group begins at its first start: `earliest`, `latest`, at "
	"the first message of a time (`2026-01-31T08:00:00Z`, a date, ms since "
	"1970) or of so long ago (`-6h`); topics and partitions that appear "
	"later begin at their beginning."),
    SECOR_OPTION_RANGE(INT, KAFKA, max_messages_per_second,
	"max_messages_per_second", "0", "0", "1000000000", 0,
	"Messages that this process takes in a second at most; 0: any number."),
    SECOR_OPTION_RANGE(SIZE, KAFKA, max_bytes_per_second,
	"max_bytes_per_second", "0", "0", "1TiB", 0,
	"Bytes of values that this process takes in a second at most; 0: any "
	"number."),
    SECOR_OPTION(STRING, KAFKA, instance_id, "instance_id", NULL, 0,
	"Name of this process in the group (static membership), another one "
	"for each, like ${HOSTNAME}: who starts again within session_timeout "
	"gets its partitions back and the others notice nothing."),
    SECOR_OPTION(STRING, KAFKA, rack, "rack", NULL, 0,
	"Where this process is, as the brokers' broker.rack says it: it reads "
	"from a replica in the same place where the brokers allow it."),
    SECOR_OPTION_CHOICE(KAFKA, on_data_loss, "on_data_loss", "continue", LOSSES,
	0,
	"When Kafka deleted messages before they were read: record the gap, "
	"raise the alarm and go on, or halt the partition."),
    SECOR_OPTION_CHOICE(KAFKA, compacted, "compacted", "refuse", COMPACTED, 0,
	"Whether compacted topics are read: a replay of them may differ, which "
	"halts the partition."),
    SECOR_OPTION_CHOICE(KAFKA, fetch, "fetch", "auto", FETCHES, 0,
	"Who reads the partitions: connections of secor's own (own), which are "
	"faster, librdkafka, or the former where the rest of this section "
	"permits it (auto; docs/KAFKA.md)."),
    SECOR_OPTION(PERCENT, KAFKA, retention_alarm, "retention_alarm", "25%", 0,
	"Warns when less than this is left of a topic's retention.ms or "
	"retention.bytes before Kafka may delete what is not stored yet; 0%: "
	"never."),
    SECOR_OPTION_RANGE(DURATION, KAFKA, session_timeout_ms, "session_timeout",
	"45s", "1s", "30m", 0,
	"After this long without a heartbeat another process takes over."),
    SECOR_OPTION_RANGE(DURATION, KAFKA, max_poll_interval_ms,
	"max_poll_interval", "5m", "10s", "24h", 0,
	"How long a rebalance waits for a process that does not answer."),
    SECOR_OPTION(BOOL, KAFKA, tls.enabled, "tls.enabled", "false", 0,
	"TLS to the brokers; true when another key of tls is given."),
    SECOR_OPTION(PATH, KAFKA, tls.ca, "tls.ca", NULL, 0,
	"PEM file of the authorities to trust, instead of the system's."),
    SECOR_OPTION(PATH, KAFKA, tls.certificate, "tls.certificate", NULL, 0,
	"PEM file of the client's certificate and its chain, where brokers ask "
	"for one."),
    SECOR_OPTION(PATH, KAFKA, tls.key, "tls.key", NULL, 0,
	"PEM file of its private key, which others must not read."),
    SECOR_OPTION(STRING, KAFKA, tls.key_password, "tls.key_password", NULL,
	SECRET, "Password of the private key."),
    SECOR_OPTION(PATH, KAFKA, tls.keystore, "tls.keystore", NULL, 0,
	"PKCS#12 file of certificate and key together, instead of those two."),
    SECOR_OPTION(STRING, KAFKA, tls.keystore_password, "tls.keystore_password",
	NULL, SECRET, "Password of the keystore."),
    SECOR_OPTION(BOOL, KAFKA, tls.verify_hostname, "tls.verify_hostname",
	"true", 0,
	"Whether the broker's certificate must name the host that was asked "
	"for."),
    SECOR_OPTION_CHOICE(KAFKA, sasl.mechanism, "sasl.mechanism", "none",
	MECHANISMS, 0,
	"How this service says who it is. OAUTHBEARER takes its tokens from "
	"the "
	"section token; AWS_MSK_IAM is OAUTHBEARER with {use: msk-iam}."),
    SECOR_OPTION(STRING, KAFKA, sasl.username, "sasl.username", NULL, 0,
	"User of PLAIN and SCRAM."),
    SECOR_OPTION(STRING, KAFKA, sasl.password, "sasl.password", NULL, SECRET,
	"The user's password."),
    SECOR_OPTION(STRING, KAFKA, sasl.service, "sasl.service", NULL, 0,
	"Kerberos: first part of the brokers' principals (librdkafka's: "
	"kafka)."),
    SECOR_OPTION(STRING, KAFKA, sasl.principal, "sasl.principal", NULL, 0,
	"Kerberos: who this service is, such as secor@EXAMPLE.COM."),
    SECOR_OPTION(PATH, KAFKA, sasl.keytab, "sasl.keytab", NULL, 0,
	"Kerberos: file of its keys, which others must not read; kinit renews "
	"the ticket by it. Without one the ticket is somebody else's care."),
    SECOR_OPTION(PAIRS, KAFKA, properties, "properties", "{}", 0,
	"Further properties of librdkafka, such as its buffers. Secrets may be "
	"file:PATH."),
};

#define INTAKE struct config_intake
static const struct secor_option INTAKE_ROWS[] = {
    SECOR_OPTION(STRING, INTAKE, start, "start", NULL, 0,
	"As kafka.start, for these topics."),
    SECOR_OPTION_RANGE(INT, INTAKE, max_messages_per_second,
	"max_messages_per_second", "0", "0", "1000000000", 0,
	"Messages of these topics together that this process takes in a second "
	"at most, besides the limit of the whole process; 0: any number."),
    SECOR_OPTION_RANGE(SIZE, INTAKE, max_bytes_per_second,
	"max_bytes_per_second", "0", "0", "1TiB", 0,
	"The same in bytes of values."),
};

#define STAGE struct config_stage
static const struct secor_option STAGE_ROWS[] = {
    SECOR_OPTION(PATH, STAGE, dir, "dir", NULL, 0,
	"Folder for files before they are uploaded; default $STATE_DIRECTORY, "
	"else $XDG_STATE_HOME/secor or ~/.local/state/secor."),
    SECOR_OPTION_RANGE(SIZE, STAGE, max_bytes, "max_bytes", "0", "0", NULL, 0,
	"Disk space to use at most; 0 is what the disk has, less a reserve."),
};

#define BATCH struct config_batch
static const struct secor_option BATCH_ROWS[] = {
    SECOR_OPTION_RANGE(SIZE, BATCH, max_bytes, "max_bytes", "200MiB", "0", NULL,
	0,
	"A batch ends when its staged files together have this size; 0: not by "
	"size."),
    SECOR_OPTION_RANGE(DURATION, BATCH, max_age_ms, "max_age", "1h", "0", NULL,
	0, "A batch ends at this age; 0: not by age."),
    SECOR_OPTION_CHOICE(BATCH, age_of, "age_of", "oldest", AGES, 0,
	"Whether max_age counts from the first or from the latest new file of "
	"the batch."),
    SECOR_OPTION_RANGE(INT, BATCH, max_objects, "max_objects", "10000", "0",
	"1000000", 0,
	"A batch ends when it has this many objects (looked at every 1,000 "
	"messages); 0: not by objects."),
    SECOR_OPTION_RANGE(INT, BATCH, max_messages, "max_messages", "0", "0", NULL,
	0,
	"A batch ends after this many messages (looked at every 1,000); 0: "
	"not by messages."),
    SECOR_OPTION(STRINGS, BATCH, at_minutes, "at_minutes", "[]", 0,
	"A batch ends at these minutes of each hour, 0 to 59."),
    SECOR_OPTION_CHOICE(BATCH, on_stop, "on_stop", "drop", STOPS, 0,
	"What a stop does with unfinished batches: drop (the next start reads "
	"them again) or finish."),
};

#define BAD_MESSAGES struct config_bad_messages
static const struct secor_option BAD_ROWS[] = {
    SECOR_OPTION_CHOICE(BAD_MESSAGES, action, "action", "dead_letter", BAD,
	OUTPUT,
	"A message that cannot be parsed or placed goes to a dead-letter "
	"object, is only counted, or halts the partition."),
    SECOR_OPTION(PERCENT, BAD_MESSAGES, halt_above, "halt_above", "10%", 0,
	"A partition halts when more than this share is bad of its latest "
	"messages (window), or of a batch with 10 bad ones; 100%: never."),
    SECOR_OPTION_RANGE(INT, BAD_MESSAGES, window, "window", "2000", "100",
	"100000000", 0,
	"How many of the latest messages of a partition halt_above looks at, "
	"between half of it and all of it, from 100 on."),
};

static const char *const MARKERS[] = {"json", "empty", NULL};
static const char *const LATE[] = {"amend", "separate", NULL};

#define FINALIZE struct config_finalize
static const struct secor_option FINALIZE_ROWS[] = {
    SECOR_OPTION_RANGE(DURATION, FINALIZE, delay_ms, "delay", "unlimited",
	"unlimited", NULL, 0,
	"A path is over when the topic's watermark is this much behind its "
	"end; unlimited: no path is finalized."),
    SECOR_OPTION_RANGE(DURATION, FINALIZE, lookback_ms, "lookback", "10d", "1h",
	NULL, 0,
	"A path that ended longer ago is not finalized for the first time."),
    SECOR_OPTION_RANGE(DURATION, FINALIZE, interval_ms, "interval", "1m", "1s",
	"1d", 0, "How often `run` looks for paths that are over."),
    SECOR_OPTION_CHOICE(FINALIZE, marker, "marker", "json", MARKERS, 0,
	"What the marker holds: range, objects, records and bytes of the path, "
	"or nothing."),
    SECOR_OPTION(STRING, FINALIZE, marker_name, "marker_name", "_SUCCESS", 0,
	"Name of the marker in the path's folder; it begins with '_' or '.', "
	"so that readers leave it out."),
    SECOR_OPTION_CHOICE(FINALIZE, late, "late", "amend", LATE, OUTPUT,
	"A message whose path is over when it comes goes into the path all the "
	"same (amend), or paths begin with late=false or late=true and it goes "
	"to the latter, which is never finalized (separate; then delay is a "
	"part of what decides paths)."),
    SECOR_OPTION(STRING, FINALIZE, late_name, "late_name", "late", OUTPUT,
	"Name of that component, with late: separate."),
};

#define LAYOUT struct config_layout
static const struct secor_option LAYOUT_ROWS[] = {
    SECOR_OPTION_RANGE(INT, LAYOUT, generation, "generation", "1", "0",
	"999999999", OUTPUT,
	"Number in every object's name; a new one is a new output."),
    SECOR_OPTION(STRING, LAYOUT, manifest_prefix, "manifest_prefix",
	"_manifests", OUTPUT, "Where manifests go, beside the topics."),
    SECOR_OPTION(STRING, LAYOUT, dead_letter_prefix, "dead_letter_prefix",
	"_dead_letters", OUTPUT, "Where dead letters go, beside the topics."),
    SECOR_OPTION(STRING, LAYOUT, extension, "extension", NULL, OUTPUT,
	"End of every object's name, instead of the format's."),
    SECOR_OPTION(STRING, LAYOUT, prefix, "prefix", "", OUTPUT,
	"Folder of all topics, below the store's own prefix; manifests and "
	"dead letters stay beside it."),
    SECOR_OPTION(PAIRS, LAYOUT, topics, "topics", "{}", OUTPUT,
	"Folders of topics by name, like {billing: finance/billing}, and of "
	"all "
	"others by '*', like 'logs/{topic}'; a topic's own name otherwise."),
    SECOR_OPTION(BOOL, LAYOUT, md5_prefix, "md5_prefix", "false", OUTPUT,
	"Keys begin with the first 4 hex digits of the MD5 of <topic>/<path>, "
	"so that requests spread over the bucket's partitions."),
    SECOR_OPTION(STRING, LAYOUT, alternative_prefix, "alternative_prefix", NULL,
	OUTPUT, "Instead of prefix for paths of alternative_from and later."),
    SECOR_OPTION(STRING, LAYOUT, alternative_from, "alternative_from", NULL,
	OUTPUT,
	"First date of alternative_prefix, like 2026-01-31; a path without a "
	"date stays under prefix."),
    SECOR_OPTION(STRING, LAYOUT, alternative_level, "alternative_level", "dt",
	OUTPUT,
	"Level that is looked at for alternative_from, the last of this name; "
	"its value begins with yyyy-MM-dd."),
};

#define ENGINE struct config_engine
static const struct secor_option ENGINE_ROWS[] = {
    SECOR_OPTION_RANGE(SIZE, ENGINE, memory, "memory", "256MiB", "16MiB", NULL,
	0, "Budget of buffers, queues and compressors together."),
    SECOR_OPTION_RANGE(INT, ENGINE, writers, "writers", "0", "0", "256", 0,
	"Threads that compress and write; 0 is one less than the cores."),
    SECOR_OPTION_RANGE(INT, ENGINE, uploaders, "uploaders", "4", "1", "256", 0,
	"Objects that are uploaded at the same time."),
    SECOR_OPTION_RANGE(INT, ENGINE, open_files, "open_files", "1024", "8",
	"1000000", 0, "Staged files that are open at the same time."),
    SECOR_OPTION_RANGE(DURATION, ENGINE, stop_timeout_ms, "stop_timeout", "30s",
	"1s", NULL, 0, "A stop takes no longer than this."),
    SECOR_OPTION_RANGE(DURATION, ENGINE, revoke_grace_ms, "revoke_grace", "10s",
	"0", NULL, 0,
	"How long uploads that have begun may go on when a partition moves "
	"away."),
    SECOR_OPTION_CHOICE(ENGINE, log_level, "log_level", "info", LEVELS, 0,
	"Log lines above this level are dropped."),
};

#define HTTP struct config_http
static const struct secor_option HTTP_ROWS[] = {
    SECOR_OPTION(STRING, HTTP, listen, "listen", "", 0,
	"host:port of /metrics, /health and the status page; empty: none."),
};

#define CONFIG struct config
static const struct secor_option FILE_ROWS[] = {
    SECOR_OPTION_CHOICE(CONFIG, compat, "compat", "none", COMPATS, OUTPUT,
	"secor: where they differ, paths and objects are those of the Secor in "
	"Java, oddities included (docs/MIGRATE.md); none: ours."),
};

#define TOPIC struct config_topic
static const struct secor_option PARSER_ROWS[] = {
    SECOR_OPTION_CHOICE(TOPIC, time_source, "time_source", "field", TIMES,
	OUTPUT, "Event time: what the parser finds, or Kafka's timestamp."),
    SECOR_OPTION_RANGE(DURATION, TOPIC, accept_past_ms, "accept_time.past",
	"unlimited", "unlimited", NULL, OUTPUT,
	"An event time this much before Kafka's timestamp makes the message a "
	"bad one."),
    SECOR_OPTION_RANGE(DURATION, TOPIC, accept_future_ms, "accept_time.future",
	"1d", "unlimited", NULL, OUTPUT,
	"An event time this much after Kafka's timestamp makes the message a "
	"bad one."),
};

#define USE struct config_use
static const struct secor_option REPORTER_ROWS[] = {
    SECOR_OPTION_RANGE(DURATION, USE, interval_ms, "interval", "10s", "1s",
	NULL, 0, "How often the metrics are pushed."),
};

const struct options file_keys = OPTIONS(FILE_ROWS, CONFIG);
static const struct secor_option PARTITIONER_ROWS[] = {
    SECOR_OPTION_RANGE(INT, USE, max_values, "max_values", "0", "0", "100000",
	OUTPUT,
	"So many different values of this partitioner have a path of their own "
	"in one batch, the first in the order of offsets; 0: any number. Not "
	"with times and offsets."),
    SECOR_OPTION(STRING, USE, overflow_value, "overflow_value", "__OVERFLOW__",
	OUTPUT, "The value of those that come later, with max_values."),
};

const struct options parser_keys = OPTIONS(PARSER_ROWS, TOPIC);
const struct options reporter_keys = OPTIONS(REPORTER_ROWS, USE);
const struct options partitioner_keys = OPTIONS(PARTITIONER_ROWS, USE);

#define IN_CONFIG(m) offsetof(struct config, m)
#define IN_TOPIC(m) offsetof(struct config_topic, m)

const struct engine_section config_sections[] = {
    {"kafka", "What is read.", IN_CONFIG(kafka), OPTIONS(KAFKA_ROWS, KAFKA)},
    {"stage", "Where files lie before they are uploaded.", IN_CONFIG(stage),
	OPTIONS(STAGE_ROWS, STAGE)},
    {"layout", "Names of objects.", IN_CONFIG(layout),
	OPTIONS(LAYOUT_ROWS, LAYOUT)},
    {"http", "Metrics, health and the status page.", IN_CONFIG(http),
	OPTIONS(HTTP_ROWS, HTTP)},
    {"engine", "Threads, memory, stopping, log.", IN_CONFIG(engine),
	OPTIONS(ENGINE_ROWS, ENGINE)},
    {NULL, NULL, 0, {NULL, 0, 0, 0}},
};

const struct engine_section topic_sections[] = {
    {"batch", "When a batch of one Kafka partition ends.", IN_TOPIC(batch),
	OPTIONS(BATCH_ROWS, BATCH)},
    {"bad_messages", "What becomes of a message that cannot be stored.",
	IN_TOPIC(bad), OPTIONS(BAD_ROWS, BAD_MESSAGES)},
    {"finalize", "When a path is over, and what says so.", IN_TOPIC(finalize),
	OPTIONS(FINALIZE_ROWS, FINALIZE)},
    {NULL, NULL, 0, {NULL, 0, 0, 0}},
};

const struct engine_section override_sections[] = {
    {"kafka", "What is read of these topics.", IN_TOPIC(intake),
	OPTIONS(INTAKE_ROWS, INTAKE)},
    {NULL, NULL, 0, {NULL, 0, 0, 0}},
};

const struct use_section use_sections[] = {
    {"token", SECOR_TOKEN, 0, 0,
	"Where tokens for brokers come from, with kafka.sasl.mechanism "
	"OAUTHBEARER."},
    {"transformers", SECOR_TRANSFORMER, 1, 0,
	"Change or drop messages before they are parsed."},
    {"parser", SECOR_PARSER, 0, 1, "Finds the event time and fields."},
    {"partitioner", SECOR_PARTITIONER, 1, 1,
	"Levels of the output path: one, or a list that is joined."},
    {"format", SECOR_FORMAT, 0, 1, "The bytes of an object."},
    {"store", SECOR_STORE, 0, 1, "Where objects go."},
    {"notifiers", SECOR_NOTIFIER, 1, 0, "Who hears of finished batches."},
    {"reporters", SECOR_REPORTER, 1, 0, "Where metrics are pushed to."},
    {NULL, 0, 0, 0, NULL},
};

const char *const section_names[] = {"compat", "kafka", "token", "transformers",
    "parser", "partitioner", "format", "stage", "batch", "store",
    "bad_messages", "finalize", "notifiers", "layout", "http", "reporters",
    "engine", "overrides", NULL};
