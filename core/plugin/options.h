/*
 * options.h -- option rows: text to typed members, defaults, limits, hash.
 * The same code serves plugins and the engine's own sections.
 */
#ifndef SECOR_PLUGIN_OPTIONS_H
#define SECOR_PLUGIN_OPTIONS_H

#include <secor/plugin.h>

/* A table of rows and the size of the structure that they describe. */
struct options {
	const struct secor_option *rows;
	size_t count;
	size_t row_size; /* stride */
	size_t conf_size;
};

const struct secor_option *options_row(const struct options *opts, size_t i);
/* NULL when there is no such key. */
const struct secor_option *
options_find(const struct options *opts, const char *key);

/* A conf with all defaults, owned by the caller (options_free). The defaults
 * must parse (asserted). */
void *options_new(const struct options *opts);
/* Deep copy: begins an override from the base. */
void *options_copy(const struct options *opts, const void *conf);
void options_free(const struct options *opts, void *conf);

/* The same for storage of others, which must be zeroed. */
void options_init(const struct options *opts, void *conf);
void options_copy_into(const struct options *opts, const void *from, void *to);
void options_fini(const struct options *opts, void *conf);

/* Sets a scalar, or the items of a list or map row (keys == NULL for a list).
 * Replaces what was there. SECOR_REJECT with what is wrong with the value, in
 * one phrase that begins with the key: "max_age: '5x' is not a duration (like
 * 10m or 1h30m)". */
int options_set(const struct secor_option *row, void *conf, const char *text,
    struct secor_err *err);
/* The same; complaints quote `shown` instead (what was written, before the
 * environment or a secret came in). */
int options_set_shown(const struct secor_option *row, void *conf,
    const char *text, const char *shown, struct secor_err *err);
int options_set_list(const struct secor_option *row, void *conf,
    const char *const *keys, const char *const *values, size_t n,
    struct secor_err *err);

/* Configuration syntax as in defaults and tests: lists as "[a, b]", maps as
 * "{k: v}", without quoting; anything else as options_set. */
int options_set_text(const struct secor_option *row, void *conf,
    const char *text, struct secor_err *err);

/* The value in configuration syntax (never a secret's: "***"), caller frees;
 * NULL when not set. Lists: YAML flow style. */
char *options_show(const struct secor_option *row, const void *conf);

/* Whether the key of a map (a Kafka property, a header) names a secret. */
int option_key_is_secret(const char *key);

/* Hash of the rows marked OUTPUT that are not at their default: keys and
 * values, in byte order of keys. So a row that a later version brings changes
 * nothing for who does not set it. */
uint64_t options_output_hash(const struct options *opts, const void *conf);

/* "a duration (like 250ms, 10m or 1h30m)", for complaints and pages. */
const char *option_type_phrase(int type);

/* Values in configuration syntax. */
/* 10m, 1h30m, 250ms, 0; "unlimited" is -1: allowed by rows whose min is that */
int parse_duration(const char *text, int64_t *ms);
int parse_size(const char *text, int64_t *bytes); /* 200MiB, 1GB, 512 */
int parse_bool(const char *text, int *value);	  /* true false yes no on off */
void show_duration(int64_t ms, char *dst, size_t room);
void show_size(int64_t bytes, char *dst, size_t room);

/* The nearest of n words to `word`, or NULL when none is near. */
const char *nearest_word(const char *word, const char *const *words, size_t n);

#endif
