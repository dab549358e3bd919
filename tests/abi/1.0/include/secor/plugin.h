/*
 * plugin.h -- what every plugin exports, and what the engine gives to it.
 *
 * A plugin is one shared object that exports one function,
 *
 *	const struct secor_plugin *secor_plugin_entry(void);
 *
 * (SECOR_EXPORT makes it visible). The engine opens it with dlopen(NOW|LOCAL),
 * never closes it, reads the descriptor, binds the options of the YAML section
 * to a zeroed structure of `conf_size` bytes, calls `check`, and then `open` of
 * the kind's table: once per configuration override and thread.
 *
 * ABI rule. `magic` and `major` must be equal; `minor` of the plugin must not
 * be larger than the engine's. Structures grow at their end and carry their
 * size: tables are read only up to the size that they declare, so an older
 * plugin sees newer slots as NULL. Releases freeze these headers.
 *
 *	1.0	first
 *
 * Memory. What goes in is borrowed for the call. What comes out is owned by the
 * plugin and valid until the next call on the same instance, unless the slot
 * says otherwise. Who allocates frees.
 *
 * Threads. An instance is used by one thread at a time. `check` and the
 * describing slots are pure.
 */
#ifndef SECOR_PLUGIN_H
#define SECOR_PLUGIN_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SECOR_PLUGIN_MAGIC UINT64_C(0x31524f434553) /* "SECOR1" */
#define SECOR_ABI_MAJOR 1
#define SECOR_ABI_MINOR 0

#define SECOR_EXPORT __attribute__((visibility("default")))

/* What the caller must do. */
enum secor_status {
	SECOR_OK = 0,	  /* done */
	SECOR_RETRY = 1,  /* may work later: back off and repeat */
	SECOR_REJECT = 2, /* this input never works: a bad message */
	SECOR_FATAL = 3	  /* stop: configuration or environment is wrong */
};

/* Error text of one call: lower case, names the thing and the cause. */
struct secor_err {
	char text[1024];
};

/* Sets the text (err may be NULL) and returns `status`. */
__attribute__((format(printf, 3, 4))) static inline int
secor_fail(struct secor_err *err, int status, const char *fmt, ...)
{
	va_list ap;

	if (err != NULL) {
		va_start(ap, fmt);
		(void)vsnprintf(err->text, sizeof(err->text), fmt, ap);
		va_end(ap);
	}
	return status;
}

/* Bytes of somebody else. ptr == NULL is null (absent), which is not empty. */
struct secor_bytes {
	const char *ptr;
	size_t len;
};

struct secor_strings {
	const char *const *items;
	size_t count;
};

struct secor_pair {
	const char *key;
	const char *value;
};

struct secor_pairs {
	const struct secor_pair *items;
	size_t count;
};

/* ---- options: one row a key; the engine parses, fills and documents ---- */

enum secor_option_type {
	SECOR_TYPE_BOOL = 1,	 /* int: 0 or 1 */
	SECOR_TYPE_INT = 2,	 /* int64_t */
	SECOR_TYPE_SIZE = 3,	 /* int64_t bytes: 64KiB, 1GB, 512 */
	SECOR_TYPE_DURATION = 4, /* int64_t milliseconds: 10m, 1h30m, 250ms */
	SECOR_TYPE_STRING = 5,	 /* const char *; NULL when not set */
	SECOR_TYPE_CHOICE = 6,	 /* int: index into `choices` */
	SECOR_TYPE_STRINGS =
	    7,		       /* struct secor_strings: a list, or one scalar */
	SECOR_TYPE_PAIRS = 8,  /* struct secor_pairs: a map of scalars */
	SECOR_TYPE_DOUBLE = 9, /* double */
	SECOR_TYPE_PERCENT = 10, /* double 0..1: "10%" */
	SECOR_TYPE_PATH = 11	 /* const char *: relative to the YAML file */
};

enum {
	SECOR_OPTION_REQUIRED = 1,
	SECOR_OPTION_SECRET = 2, /* never shown, may come by file: */
	SECOR_OPTION_DEPRECATED = 4,
	SECOR_OPTION_OUTPUT = 8 /* decides names or records: fingerprint */
};

struct secor_option {
	const char *key;
	int type; /* enum secor_option_type */
	uint32_t flags;
	size_t offset;	       /* of the member in the conf structure */
	const char *def;       /* default in configuration syntax or NULL */
	const char *min, *max; /* limits in configuration syntax or NULL */
	const char *const *choices; /* NULL-ended, for SECOR_TYPE_CHOICE */
	const char *help;	    /* one sentence */
};

/*
 * Rows with a checked member: a member of another type does not compile.
 *	SECOR_OPTION(STRING, struct my_conf, field, "field", NULL, 0, "help")
 */
#define SECOR_CTYPE_BOOL int
#define SECOR_CTYPE_INT int64_t
#define SECOR_CTYPE_SIZE int64_t
#define SECOR_CTYPE_DURATION int64_t
#define SECOR_CTYPE_STRING const char *
#define SECOR_CTYPE_PATH const char *
#define SECOR_CTYPE_CHOICE int
#define SECOR_CTYPE_STRINGS struct secor_strings
#define SECOR_CTYPE_PAIRS struct secor_pairs
#define SECOR_CTYPE_DOUBLE double
#define SECOR_CTYPE_PERCENT double

#ifdef __cplusplus
} /* extern "C" */
template <class A, class B> struct secor_same_type;
template <class A> struct secor_same_type<A, A> {
	char yes;
};
extern "C" {
#define SECOR_MEMBER(T, type, m) \
	(offsetof(type, m) +     \
	    0 * sizeof(secor_same_type<decltype(((type *)nullptr)->m), T>))
#else
#define SECOR_MEMBER(T, type, m) _Generic(((type *)0)->m, T : offsetof(type, m))
#endif

#define SECOR_OPTION_FULL(                                                    \
    kind, type, m, key, def, min, max, choices, flags, help)                  \
	{                                                                     \
		key, SECOR_TYPE_##kind, flags,                                \
		    SECOR_MEMBER(SECOR_CTYPE_##kind, type, m), def, min, max, \
		    choices, help                                             \
	}
#define SECOR_OPTION(kind, type, m, key, def, flags, help) \
	SECOR_OPTION_FULL(                                 \
	    kind, type, m, key, def, NULL, NULL, NULL, flags, help)
#define SECOR_OPTION_RANGE(kind, type, m, key, def, min, max, flags, help) \
	SECOR_OPTION_FULL(kind, type, m, key, def, min, max, NULL, flags, help)
#define SECOR_OPTION_CHOICE(type, m, key, def, choices, flags, help) \
	SECOR_OPTION_FULL(                                           \
	    CHOICE, type, m, key, def, NULL, NULL, choices, flags, help)

/* ---- what the engine gives ---- */

enum secor_level {
	SECOR_ERROR = 0, /* somebody must act */
	SECOR_WARN = 1,	 /* degraded and handled */
	SECOR_INFO = 2,	 /* life cycle */
	SECOR_DEBUG = 3
};

struct secor_counter; /* the engine's */

/* Services, valid as long as the process lives. Any thread. */
struct secor_host {
	uint32_t size;
	/* One line: the event is a constant phrase, `detail` is
	 * "key=value key=value" or NULL. No payloads, no secrets. */
	void (*log)(const struct secor_host *host, int level, const char *event,
	    const char *detail);
	/* Milliseconds since the epoch. Not for what decides output. */
	int64_t (*now_ms)(const struct secor_host *host);
	/* A counter by name (`[a-z_]+`, shown as secor_<plugin>_<name>_total);
	 * the same name gives the same counter. Never NULL. */
	struct secor_counter *(*counter)(
	    const struct secor_host *host, const char *name, const char *help);
	void (*add)(struct secor_counter *counter, int64_t n);
};

/* `compat` of the configuration: whose answers are given where they differ. */
enum secor_compat {
	SECOR_COMPAT_NONE = 0,
	/* Paths and objects as the Secor in Java made them, oddities included:
	 * whoever moves from it keeps one layout. */
	SECOR_COMPAT_SECOR = 1
};

struct secor_cluster; /* token.h */

/* What `open` of every kind gets. Borrowed for the call, except `host` and
 * `conf`, which outlive the instance. */
struct secor_open {
	uint32_t size;
	const void *conf; /* the bound options */
	const struct secor_host *host;
	/* Parsers: the fields that are asked for, each a path like
	 * "meta.created". Other kinds: none. */
	struct secor_strings fields;
	/* Parsers: 1 when `time_source: kafka` is set. Do not look for a time,
	 * and reject nothing for the want of one. */
	int no_time;
	int compat; /* enum secor_compat */
	/* Whoever started the process lets plugins run programs. */
	int allow_commands;
	/* Notifiers: the Kafka cluster that is read; it outlives the instance.
	 * Other kinds: NULL. */
	const struct secor_cluster *cluster;
};

/* Complaints of `check` go to the option that they are about (key, or NULL for
 * the whole section). Repeatable: every complaint in one run. */
struct secor_check {
	uint32_t size;
	void (*complain)(
	    const struct secor_check *check, const char *key, const char *text);
	void *arg;   /* the engine's */
	int no_time; /* as in secor_open */
	int compat;
};

enum secor_kind {
	SECOR_TRANSFORMER = 1,
	SECOR_PARSER = 2,
	SECOR_PARTITIONER = 3,
	SECOR_FORMAT = 4,
	SECOR_STORE = 5,
	SECOR_NOTIFIER = 6,
	SECOR_REPORTER = 7,
	SECOR_TOKEN = 8
};

struct secor_plugin {
	uint64_t magic; /* these four never move */
	uint32_t major;
	uint32_t minor;
	uint32_t size; /* sizeof(struct secor_plugin) */

	int kind;	     /* enum secor_kind */
	const char *name;    /* [a-z0-9-]+, as in `use: name` */
	const char *version; /* free text */
	const char *summary; /* one sentence */

	/* Part of the fingerprint: bump it when the same messages would come
	 * out under another name or with other records. Not per release. */
	uint32_t output_version;

	uint32_t option_size; /* sizeof(struct secor_option) */
	const struct secor_option *options;
	size_t option_count;
	size_t conf_size;

	/* Pure: no I/O. NULL: nothing beyond the rows. */
	void (*check)(const void *conf, const struct secor_check *check);

	const void *ops; /* the table of the kind; begins with its size */
};

#define SECOR_PLUGIN_HEAD                                     \
	SECOR_PLUGIN_MAGIC, SECOR_ABI_MAJOR, SECOR_ABI_MINOR, \
	    (uint32_t)sizeof(struct secor_plugin)
#define SECOR_OPTIONS(rows)                          \
	(uint32_t)sizeof(struct secor_option), rows, \
	    sizeof(rows) / sizeof((rows)[0])
#define SECOR_NO_OPTIONS (uint32_t)sizeof(struct secor_option), NULL, 0

SECOR_EXPORT const struct secor_plugin *secor_plugin_entry(void);

#ifdef __cplusplus
}
#endif
#endif
