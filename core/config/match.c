/*
 * match.c -- which topics are taken, and which override is a topic's.
 *
 * Topics are matched as librdkafka matches them (POSIX extended): both see the
 * same subscription. Overrides are this program's alone: PCRE2.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "core/base/buf.h"
#include "core/config/parts.h"

#include <assert.h>
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

/* ---- patterns of topics ---- */

int
config_is_kafka_name(const char *name)
{
	static const char *const GOOD = "abcdefghijklmnopqrstuvwxyz"
					"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
					"0123456789._-";
	size_t len = strlen(name);

	return len > 0 && len <= 249 && strspn(name, GOOD) == len &&
	       strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

/* \d and friends are no POSIX: the client would take them for letters. */
static const char *
foreign_part(const char *regex)
{
	for (const char *at = regex; *at != '\0'; at++) {
		if (at[0] == '(' && at[1] == '?')
			return "(?";
		if (at[0] != '\\')
			continue;
		at++;
		if (*at == 'd')
			return "\\d";
		if (*at == 'D')
			return "\\D";
		if (*at == '\0')
			break;
	}
	return NULL;
}

static void
compile_one(const struct binder *binder, struct spot spot, const char *key,
    struct topic_pattern *pattern)
{
	const char *foreign = foreign_part(pattern->name);
	char why[256];
	int rc;

	if (foreign != NULL) {
		diag_error(binder->diag, spot,
		    "%s: '%s' has %s, which Kafka's client does not know "
		    "(POSIX extended regular expressions): write [0-9], (a|b)",
		    key, pattern->name, foreign);
		return;
	}
	rc = regcomp(&pattern->regex, pattern->name, REG_EXTENDED | REG_NOSUB);
	if (rc == 0) {
		pattern->is_regex = 1;
		return;
	}
	(void)regerror(rc, &pattern->regex, why, sizeof(why));
	diag_error(binder->diag, spot, "%s: '%s' is no regular expression: %s",
	    key, pattern->name, why);
}

void
patterns_compile(const struct binder *binder, const struct node *node,
    const char *key, const struct secor_strings *texts,
    struct topic_patterns *patterns)
{
	const struct node *list = node_get(node, key);

	patterns->items =
	    mem_alloc((texts->count + 1) * sizeof(*patterns->items));
	patterns->count = texts->count;
	for (size_t i = 0; i < texts->count; i++) {
		struct spot spot = list == NULL ? node_spot(node, key)
				   : list->kind == NODE_LIST
				       ? list->items[i]->spot
				       : list->spot;

		patterns->items[i].name = texts->items[i];
		if (texts->items[i][0] == '^')
			compile_one(binder, spot, key, &patterns->items[i]);
		else if (!config_is_kafka_name(texts->items[i]))
			diag_error(binder->diag, spot,
			    "%s: '%s' is no topic name (letters, digits, . _ "
			    "-); a regular expression begins with ^",
			    key, texts->items[i]);
	}
}

void
patterns_fini(struct topic_patterns *patterns)
{
	for (size_t i = 0; i < patterns->count; i++) {
		if (patterns->items[i].is_regex)
			regfree(&patterns->items[i].regex);
	}
	free(patterns->items);
}

enum taken { TAKEN_NOT = 0, TAKEN_BY_REGEX = 1, TAKEN_BY_NAME = 2 };

static enum taken
patterns_take(const struct topic_patterns *patterns, const char *topic)
{
	enum taken taken = TAKEN_NOT;

	for (size_t i = 0; i < patterns->count; i++) {
		const struct topic_pattern *one = &patterns->items[i];

		if (strcmp(one->name, topic) == 0)
			return TAKEN_BY_NAME;
		if (one->is_regex &&
		    regexec(&one->regex, topic, 0, NULL, 0) == 0)
			taken = TAKEN_BY_REGEX;
	}
	return taken;
}

/* The first folder of a prefix is the topic's own? Then its objects would lie
 * among manifests. */
static int
is_reserved(const char *prefix, const char *topic)
{
	size_t len = strcspn(prefix, "/");

	return strlen(topic) == len && strncmp(prefix, topic, len) == 0;
}

int
config_wants_topic(const struct config *config, const char *topic)
{
	const struct whole *whole = (const struct whole *)config;
	enum taken taken = patterns_take(&whole->topics, topic);

	if (taken == TAKEN_NOT || patterns_take(&whole->exclude, topic))
		return 0;
	if (is_reserved(config->layout.manifest_prefix, topic) ||
	    is_reserved(config->layout.dead_letter_prefix, topic) ||
	    is_reserved(CONFIG_QUARANTINE, topic))
		return 0;
	return taken == TAKEN_BY_NAME || strncmp(topic, "__", 2) != 0;
}

/* ---- overrides ---- */

void *
match_compile(
    const struct binder *binder, const struct node *node, const char *regex)
{
	PCRE2_UCHAR why[256];
	PCRE2_SIZE at;
	pcre2_code *code;
	int number;

	code = pcre2_compile(
	    (PCRE2_SPTR)regex, strlen(regex), 0, &number, &at, NULL);
	if (code == NULL) {
		(void)pcre2_get_error_message(number, why, sizeof(why));
		diag_error(binder->diag, node->spot,
		    "match: '%s' is no regular expression: %s (at character "
		    "%zu)",
		    node->text, (const char *)why, (size_t)at + 1);
	}
	return code;
}

void
match_free(void *code)
{
	pcre2_code_free(code);
}

int
match_takes(const void *code, const char *topic)
{
	pcre2_match_data *data = pcre2_match_data_create(1, NULL);
	int rc;

	assert(data != NULL);
	rc = pcre2_match(
	    code, (PCRE2_SPTR)topic, strlen(topic), 0, 0, data, NULL);
	pcre2_match_data_free(data);
	return rc >= 0;
}

const struct config_topic *
config_topic(const struct config *config, const char *topic)
{
	const struct whole *whole = (const struct whole *)config;

	for (size_t i = 1; i < config->topic_count; i++) {
		if (match_takes(whole->matches[i], topic))
			return &config->topics[i];
	}
	return &config->topics[0];
}
