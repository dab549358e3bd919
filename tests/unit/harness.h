/*
 * harness.h -- plugins in unit tests: loaded as the engine loads them, options
 * bound as the engine binds them, a real host.
 *
 *	const struct plugin *json = harness_plugin("parser/json");
 *	void *conf = harness_conf(json, "time_field", "ts", NULL);
 *	void *parser = harness_open(json, conf, "meta.id", "country", NULL);
 *	struct secor_message m = harness_message("{\"ts\": 1}");
 *	...
 *	harness_close(json, parser);
 *	harness_conf_free(json, conf);
 *
 * What fails is a failed Criterion assertion. Plugins are those of $SECOR_BUILD
 * (default: the variant that the test binary belongs to).
 */
#ifndef TESTS_UNIT_HARNESS_H
#define TESTS_UNIT_HARNESS_H

#include "core/plugin/plugin.h"

/* build/<variant>, absolute; for files below it. */
const char *harness_build(void);

/* "parser/json", opened once a process. Never NULL. */
const struct plugin *harness_plugin(const char *kind_and_name);

/* Defaults, then key, value, ..., NULL in configuration syntax: "[a, b]" for
 * lists, "{k: v}" for maps. */
__attribute__((sentinel)) void *harness_conf(const struct plugin *plugin, ...);
void harness_conf_free(const struct plugin *plugin, void *conf);

/* What options_set says of one value: SECOR_OK or SECOR_REJECT with text. */
int harness_set(const struct plugin *plugin, void *conf, const char *key,
    const char *value, struct secor_err *err);

/* The complaints of the plugin's `check`, one "key: text" a line ("" when
 * there are none); the caller frees. */
char *harness_check(const struct plugin *plugin, const void *conf);
char *harness_check_no_time(const struct plugin *plugin, const void *conf);
/* The complaints begin with `want`, or there are none when it is "", once the
 * option has this value. Takes conf. */
void harness_expect_complaint(const struct plugin *plugin, void *conf,
    const char *key, const char *value, const char *want);

/* An instance, with the fields that are asked for (parsers), NULL-ended. */
__attribute__((sentinel)) void *
harness_open(const struct plugin *plugin, const void *conf, ...);
/* The same with full control; returns the status. */
int harness_open_with(const struct plugin *plugin,
    const struct secor_open *with, void **self, struct secor_err *err);
void harness_close(const struct plugin *plugin, void *self);

/* A message of topic "events", partition 3, offset 42, Kafka time
 * 2014-07-21T02:00:00Z (1405908000000), null key, no headers. */
struct secor_message harness_message(const char *value);
struct secor_message harness_message_bytes(const void *value, size_t len);

#endif
