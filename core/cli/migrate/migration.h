/*
 * migration.h -- what the sections of the YAML file are made with: the old
 * keys, the text that grows, and remarks. Each section has its function; they
 * are called in the order of the flow.
 */
#ifndef SECOR_CLI_MIGRATE_MIGRATION_H
#define SECOR_CLI_MIGRATE_MIGRATION_H

#include "core/base/buf.h"
#include "core/cli/migrate/keys.h"
#include "core/cli/migrate/properties.h"
#include "core/plugin/plugin.h"

enum remark {
	REMARK_TODO,	/* the file does not run before somebody acts */
	REMARK_WARNING, /* a trap that the old set-up was in */
	REMARK_NOTE	/* done in another way here */
};

/* What the parser of the original comes to; parsers.c. */
struct old_parser;

struct migration {
	const struct properties *properties;
	struct registry *registry; /* or NULL: everything is there */
	void (*say)(void *arg, enum remark remark,
	    const struct property_place *place, const char *text);
	void *arg;

	struct buf yaml;
	const char *section;		 /* the one that grows */
	size_t todo;			 /* remarks of that kind */
	const struct old_parser *parser; /* NULL: of somebody's own */
	char *group, *new_group;
	int64_t generation; /* the new one */
};

/* The YAML file for the properties; caller frees. m->properties, registry, say
 * and arg are set, the rest is zero. */
char *migrate(struct migration *m);

/* ---- old keys ---- */

/* The value, or the original's default, or "". */
const char *old_text(const struct migration *m, const char *key);
/* Whether it is given and not empty. */
int old_given(const struct migration *m, const char *key);
/* A wrong value is a remark, and the default counts. */
int64_t old_number(struct migration *m, const char *key);
int old_flag(struct migration *m, const char *key);
/* The name of a class without its package and one of these endings (NULL-ended;
 * caller frees), or NULL when it is not in the package. */
char *old_class(
    const char *class_name, const char *package, const char *const *endings);

/* ---- remarks, at the place of a key (NULL: none) ---- */

void todo(struct migration *m, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void warn(struct migration *m, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void note(struct migration *m, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- YAML ---- */

/* A scalar with quotes where it needs them; caller frees. */
char *yaml_text(const char *text);
void yaml_section(struct migration *m, const char *name);
/* "<indent>key: value", the value as it is, or quoted where it must be. */
void
yaml_raw(struct migration *m, int indent, const char *key, const char *value);
void
yaml_put(struct migration *m, int indent, const char *key, const char *value);
void
yaml_number(struct migration *m, int indent, const char *key, int64_t value);
/* `key: ${NAME}`, and what is to be put there. */
void yaml_secret(struct migration *m, int indent, const char *key,
    const char *name, const char *old_key);
/* Every row that has a target in the section and a value. */
void yaml_rows(struct migration *m, const char *section, int indent);
/* A comment for each given key of the section that has no meaning here; begins
 * the section when there is one and nothing else was in it. */
void yaml_gone(struct migration *m, const char *section);

/* ---- what is there ---- */

/* 1, or 0 after a TODO that names it. `key` is the one that asks for it. */
int
need_plugin(struct migration *m, int kind, const char *name, const char *key);
/* Whether the plugin loads and has the option; nothing is said. */
int
has_option(struct migration *m, int kind, const char *name, const char *option);

/* ---- sections ---- */

void migrate_kafka(struct migration *m);
void migrate_security(struct migration *m); /* kafka.tls, kafka.sasl */
void migrate_transformers(struct migration *m);
void migrate_parser(struct migration *m);
void migrate_partitioner(struct migration *m);
void migrate_format(struct migration *m);
/* Where the schemas of Avro values are, for the section that is open. */
void migrate_avro_schema(struct migration *m);
void migrate_stage(struct migration *m);
void migrate_batch(struct migration *m);
void migrate_store(struct migration *m);
void migrate_bad_messages(struct migration *m);
void migrate_notifiers(struct migration *m);
void migrate_finalize(struct migration *m);
void migrate_layout(struct migration *m);
void migrate_http(struct migration *m);
void migrate_reporters(struct migration *m);
void migrate_engine(struct migration *m);
void migrate_overrides(struct migration *m);

/* parsers.c: which parser it is (m->parser), and whether times and fields are
 * read from the payload. */
void old_parser_find(struct migration *m);
int old_parser_reads_payload(const struct migration *m);
/* `compat: secor` keeps the original's paths. */
int old_parser_needs_compat(const struct migration *m);

/* regex.c: a regular expression of Java that matches all of a topic, as POSIX
 * has it ("^...$"); NULL when it cannot be said. Caller frees. */
char *regex_posix(const char *java);
/* "(?!X).*" is all topics but those that begin as X says: that one, "^(X)";
 * NULL for anything else. Caller frees. */
char *regex_excluded(const char *java);

/* The end of names of objects that the original made; "" when they have none.
 * Caller frees. */
char *old_extension(struct migration *m);
/* The path above the topics, without '/' around it; caller frees. */
char *old_prefix(const struct migration *m);
/* Whether it is part of the layout, not of the store: an MD5 comes before it,
 * or another takes its place from a date on. */
int old_prefix_in_layout(const struct migration *m);
/* Where objects lie, with a '/' behind it ("s3://logs/raw/"), for people.
 * Caller frees. */
char *old_base(const struct migration *m);

/* takeover.c: how the new service begins where the old one ended, line by line.
 * `yaml` is the file's name. */
void takeover(const struct migration *m, const char *yaml,
    void (*line)(void *arg, const char *text), void *arg);

#endif
