/*
 * config.h -- the configuration as the engine sees it: checked, bound, whole.
 *
 * config_load reports every complaint of a file in one run; what it returns is
 * complete and never changes. Sections and keys: docs/OPTIONS.md.
 */
#ifndef SECOR_CONFIG_CONFIG_H
#define SECOR_CONFIG_CONFIG_H

#include "core/plugin/plugin.h"

enum config_start_kind {
	CONFIG_START_EARLIEST = 0,
	CONFIG_START_LATEST = 1,
	CONFIG_START_TIME = 2, /* the first message of this time or later */
	CONFIG_START_AGO = 3   /* the same, so long before the start */
};
/* Where a partition begins that has no record at the group's first start. */
struct config_start {
	int kind; /* enum config_start_kind */
	int64_t ms;
};

enum config_loss { CONFIG_LOSS_CONTINUE = 0, CONFIG_LOSS_HALT = 1 };
/* Who reads the partitions. */
enum config_fetch {
	CONFIG_FETCH_AUTO = 0, /* ourselves where config_own_fetch() */
	CONFIG_FETCH_OWN = 1,
	CONFIG_FETCH_LIBRDKAFKA = 2
};
enum config_compacted {
	CONFIG_COMPACTED_REFUSE = 0,
	CONFIG_COMPACTED_ALLOW = 1
};
enum config_age { CONFIG_AGE_OLDEST = 0, CONFIG_AGE_YOUNGEST = 1 };
enum config_stop { CONFIG_STOP_DROP = 0, CONFIG_STOP_FINISH = 1 };
enum config_bad {
	CONFIG_BAD_DEAD_LETTER = 0,
	CONFIG_BAD_SKIP = 1,
	CONFIG_BAD_HALT = 2
};
enum config_time_source { CONFIG_TIME_FIELD = 0, CONFIG_TIME_KAFKA = 1 };

/* How the client says who it is. */
enum config_mechanism {
	CONFIG_SASL_NONE = 0,
	CONFIG_SASL_PLAIN,
	CONFIG_SASL_SCRAM_256,
	CONFIG_SASL_SCRAM_512,
	CONFIG_SASL_GSSAPI,
	CONFIG_SASL_OAUTHBEARER, /* `token` is set */
	CONFIG_SASL_AWS_MSK_IAM	 /* the same, on the wire too */
};

/* A plugin with its bound options. */
struct config_use {
	const struct plugin *plugin; /* NULL with CONFIG_NO_LOAD */
	const void *conf;
	const char *use;     /* as written */
	int64_t interval_ms; /* reporters */
	/* Partitioners: so many values of its levels a batch; 0: any. Those
	 * that come later in it have this value. */
	int64_t max_values;
	const char *overflow_value;
	int compat; /* enum secor_compat: the file's */
};

struct config_uses {
	struct config_use *items;
	size_t count;
};

/* Each may be NULL. */
struct config_tls {
	int enabled; /* set when any other is */
	const char *ca;
	const char *certificate, *key, *key_password;
	const char *keystore, *keystore_password;
	int verify_hostname;
};

struct config_sasl {
	int mechanism; /* enum config_mechanism */
	const char *username, *password;
	const char *service, *principal, *keytab;
};

struct config_kafka {
	struct secor_strings brokers;
	const char *group;	      /* no default */
	struct secor_strings topics;  /* "^..." is a regex */
	struct secor_strings exclude; /* names or "^..." */
	const char *start;	      /* as written: see config_topic */
	/* Of this process; 0: any number. */
	int64_t max_messages_per_second;
	int64_t max_bytes_per_second; /* of values */
	const char *instance_id;      /* static membership, or NULL */
	const char *rack;	      /* or NULL */
	int on_data_loss;	      /* enum config_loss */
	int compacted;		      /* enum config_compacted */
	int fetch;		      /* enum config_fetch */
	double retention_alarm;	      /* 0..1 of the retention; 0: none */
	int64_t session_timeout_ms;
	int64_t max_poll_interval_ms;
	struct config_tls tls;
	struct config_sasl sasl;
	struct secor_pairs properties; /* checked: none breaks the promise */
};

/* The section `kafka` of an override. */
struct config_intake {
	const char *start; /* as written; NULL: the base's */
	/* Of all topics of the override together, in this process; 0: any
	 * number. */
	int64_t max_messages_per_second;
	int64_t max_bytes_per_second;
};

struct config_stage {
	const char *dir;
	int64_t max_bytes; /* of disk; 0: what the disk has, less a reserve */
};

/* When a batch of one Kafka partition ends. 0 or empty: not by this. */
struct config_batch {
	int64_t max_bytes;
	int64_t max_age_ms;
	int age_of; /* enum config_age: of the oldest or youngest file */
	int64_t max_objects;
	int64_t max_messages;
	struct secor_strings at_minutes; /* "0".."59", each once an hour */
	int on_stop;			 /* enum config_stop */
};

struct config_bad_messages {
	int action;	   /* enum config_bad */
	double halt_above; /* 0..1; 1: never */
	int64_t window;	   /* messages that it looks at */
};

/* Where `secor offsets` keeps what it would remove; no topic has this name. */
#define CONFIG_QUARANTINE "_quarantine"

struct config_layout {
	int64_t generation;
	const char *manifest_prefix;	/* "_manifests" */
	const char *dead_letter_prefix; /* "_dead_letters" */
	const char *extension;		/* instead of the format's, or NULL */
	const char *prefix;		/* above the topics; "": none */
	struct secor_pairs topics;	/* topic, or "*", to its folder */
	int md5_prefix;
	const char *alternative_prefix; /* NULL: none */
	const char *alternative_from;	/* "2026-01-31" */
	const char *alternative_level;	/* "dt" */
};

enum config_marker { CONFIG_MARKER_JSON = 0, CONFIG_MARKER_EMPTY = 1 };

/* What becomes of messages whose path is over when they come. */
enum config_late { CONFIG_LATE_AMEND = 0, CONFIG_LATE_SEPARATE = 1 };

/* When a path is over, and what says so. */
struct config_finalize {
	int64_t delay_ms; /* -1: no path ever is */
	int64_t lookback_ms;
	int64_t interval_ms;
	int marker;		 /* enum config_marker */
	const char *marker_name; /* "_SUCCESS" */
	int late;		 /* enum config_late */
	const char *late_name;	 /* "late": name of the component */
};

struct config_engine {
	int64_t memory;	 /* budget over buffers, queues, codec state */
	int64_t writers; /* 0: cores - 1, at least 1 */
	int64_t uploaders;
	int64_t open_files; /* staged files open at once */
	int64_t stop_timeout_ms;
	int64_t revoke_grace_ms;
	int log_level;
};

struct config_http {
	const char *listen; /* "127.0.0.1:9999"; empty: none */
};

/* What happens to the messages of one topic: the base, or an override. */
struct config_topic {
	const char *match; /* the override's regex; NULL: the base */
	struct config_uses transformers;
	struct config_use parser;
	int time_source;	/* enum config_time_source */
	int64_t accept_past_ms; /* -1: unlimited */
	int64_t accept_future_ms;
	struct config_uses partitioners;
	struct config_use format;
	struct config_batch batch;
	struct config_bad_messages bad;
	struct config_finalize finalize;
	struct config_start start;
	struct config_intake intake; /* overrides alone */
	struct secor_strings fields; /* that the partitioners ask of the parser,
				      * each once, in their order */
	/* Decides names and records of the output; in every plan. */
	uint64_t fingerprint;
};

struct config {
	const char *file;
	int compat; /* enum secor_compat */
	/* Of the command line: notifiers may run programs. */
	int allow_commands;
	struct config_kafka kafka;
	struct config_stage stage;
	struct config_layout layout;
	struct config_engine engine;
	struct config_http http;
	struct config_use token; /* plugin NULL: none is asked for */
	struct config_use store;
	struct config_uses notifiers;
	struct config_uses reporters;
	struct config_topic *topics; /* [0] is the base, then overrides */
	size_t topic_count;
};

/* Where complaints go, in order of the file. level: "error" or "warning";
 * line "FILE:LINE:COL: error: text" is complete. */
typedef void (*config_complain_fn)(void *arg, const char *line);

enum {
	CONFIG_NO_LOAD = 1, /* plugins are not opened: check --no-load */
	/* Also opens and closes what needs nothing outside: transformers,
	 * parsers (with the fields asked of them), partitioners, formats. */
	CONFIG_TRY_OPEN = 2
};

/* How a file is read. The registry must outlive the configuration. */
struct config_how {
	struct registry *registry;
	int flags; /* CONFIG_NO_LOAD | CONFIG_TRY_OPEN */
	config_complain_fn complain;
	void *arg;
};

/* Reads and checks `file`. Relative paths in it are relative to its folder and
 * come out absolute. SECOR_OK with *config (caller: config_free), or
 * SECOR_REJECT after at least one complaint, or SECOR_RETRY when the file
 * cannot be read (complained too). */
int config_load(
    const char *file, const struct config_how *how, struct config **config);
void config_free(struct config *config);

/* The effective settings of a topic: the first override that matches, or the
 * base. Never NULL. Any thread. */
const struct config_topic *
config_topic(const struct config *config, const char *topic);

/* What `tls` and `sasl` are to librdkafka. `row` is the key that says it, as
 * in "tls.ca". How many; they live as long as the configuration. */
enum { CONFIG_SECURITY_MOST = 16 };
struct config_security {
	struct secor_pair property;
	const char *row;
};
size_t config_kafka_security(const struct config_kafka *kafka,
    struct config_security list[CONFIG_SECURITY_MOST]);

/* Whether connections of our own may read: the file does not say otherwise and
 * asks for nothing that they cannot do. Else 0 with why, which names the key.
 * Always 1 with CONFIG_FETCH_OWN, which is not loaded otherwise. */
int config_own_fetch(const struct config *config, char *why, size_t room);

/* Whether any topic begins elsewhere than at its beginning. */
int config_starts_somewhere(const struct config *config);

/* Whether the subscription takes the topic: named or matched, not excluded,
 * internal ones (__*) only when named. Any thread. */
int config_wants_topic(const struct config *config, const char *topic);

/* "host:port", ":port" or "[v6]:port" in two. SECOR_REJECT with text. */
int config_address(const char *text, char *host, size_t room, int *port,
    struct secor_err *err);

/* What an instance gets beside its options; zeroed is right for most. */
struct config_opening {
	const struct secor_strings *fields; /* of a parser; NULL: none */
	int no_time;			    /* of a parser */
	int allow_commands;
	const struct secor_cluster *cluster; /* of a notifier */
};

/* An instance of a transformer, parser, partitioner, format, store or notifier;
 * its table's `close` ends it. `how` may be NULL. SECOR_FATAL with a sentence
 * that names kind, plugin and file. */
int config_open(const struct config_use *use, const struct config_opening *how,
    void **self, struct secor_err *err);

/* The effective configuration as YAML, secrets hidden; caller frees. */
char *config_show(const struct config *config);

/* docs/OPTIONS.md: every section, then every plugin that loads. */
char *config_markdown(struct registry *registry);
/* The same of one plugin. */
char *config_plugin_markdown(const struct plugin *plugin);

#endif
