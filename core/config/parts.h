/*
 * parts.h -- the steps of config_load. Each complains through the binder and
 * goes on.
 */
#ifndef SECOR_CONFIG_PARTS_H
#define SECOR_CONFIG_PARTS_H

#include "core/config/bind.h"
#include "core/config/sections.h"

#include <regex.h>
#include <sys/types.h>

/* A name, or a regular expression (POSIX extended, as librdkafka's). */
struct topic_pattern {
	const char *name;
	regex_t regex;
	int is_regex;
};

struct topic_patterns {
	struct topic_pattern *items;
	size_t count;
};

/* struct config and what only this folder needs. */
struct whole {
	struct config config; /* first: callers hold this address */
	char *file;
	struct topic_patterns topics;
	struct topic_patterns exclude;
	void **matches; /* pcre2_code of each override; [0] is not used */
};

/* topic.c: the sections of one topic, from the root or from an override (then
 * `base` is given and what is missing comes from it). */
void topic_bind(const struct binder *binder, const struct node *map,
    const struct config_topic *base, struct config_topic *topic);
void topic_fini(struct config_topic *topic);
/* Opens and closes what needs nothing outside. */
void topic_try_open(const struct binder *binder, const struct node *root,
    const struct node *map, const struct config_topic *topic);

/* uses.c: one plugin section, or a list of them. `base` may be NULL. The
 * engine's keys beside a parser's lie in its topic. */
void use_bind(const struct binder *binder, const struct use_section *what,
    const struct node *node, const struct config_use *base,
    struct config_use *use);
void parser_bind(const struct binder *binder, const struct node *node,
    const struct config_topic *base, struct config_topic *topic);
void uses_bind(const struct binder *binder, const struct use_section *what,
    const struct node *node, const struct config_uses *base,
    struct config_uses *uses);
void use_copy(const struct config_use *from, struct config_use *to);
void uses_copy(const struct config_uses *from, struct config_uses *to);
void use_fini(struct config_use *use);
void uses_fini(struct config_uses *uses);
const struct use_section *use_section(const char *name);

/* match.c: patterns and overrides' regular expressions. */
void patterns_compile(const struct binder *binder, const struct node *node,
    const char *key, const struct secor_strings *texts,
    struct topic_patterns *patterns);
void patterns_fini(struct topic_patterns *patterns);
void *match_compile(
    const struct binder *binder, const struct node *node, const char *regex);
void match_free(void *code);
int match_takes(const void *code, const char *topic);

/* rules.c and kafka_rules.c: what no row can say alone. */
void rules_check(const struct binder *binder, const struct node *root,
    const struct whole *whole);
void rules_check_topic(const struct binder *binder, const struct node *root,
    const struct node *map, const struct config_topic *topic);
void kafka_rules_check(const struct binder *binder, const struct node *root,
    const struct config *config);

/* kafka_security.c: TLS, SASL, and where tokens come from. */
/* What is said of `tls` or `sasl`: `tls: {ca: ..}` or the first `tls.ca: ..`;
 * NULL: nothing. */
const struct node *security_node(const struct node *kafka, const char *group);
void security_defaults(const struct node *kafka, struct config_kafka *conf);
void token_bind(const struct binder *binder, const struct node *root,
    struct config *config);
void kafka_security_check(const struct binder *binder, const struct node *root,
    const struct config *config);
/* The key of tls or sasl that says what librdkafka's property would say again;
 * NULL when none does. */
const char *
kafka_security_row(const struct config *config, const char *property);

/* reading.c: start, limits, membership; fills `start` of every topic. */
void reading_check(const struct binder *binder, const struct node *root,
    struct config *config);

/* fetching.c: whether fetch: own is possible. */
void fetching_check(const struct binder *binder, const struct node *root,
    const struct config *config);

/* Whether Kafka takes it as a topic's or an instance's name. */
int config_is_kafka_name(const char *name);

/* The client properties that are refused, for the page. */
void kafka_rules_each(
    void (*each)(void *arg, const char *property, const char *why), void *arg);

/* late.c: the key of `finalize` that is wrong with late: separate, and why;
 * NULL: none. `load`: plugins may be asked. */
const char *
late_fault(const struct config_topic *topic, int load, struct secor_err *why);

/* fingerprint.c */
uint64_t
fingerprint_of(const struct config *config, const struct config_topic *topic);

#endif
