/*
 * load_test.c -- every file of tests/config/bad complains exactly as its
 * .expected says; those of tests/config/good do not complain at all.
 *
 * Plugins are the samples of tests/plugins: their options never change.
 */
#include "core/base/buf.h"
#include "core/base/files.h"
#include "core/config/config.h"
#include "tests/unit/harness.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define BAD "tests/config/bad"
#define SECRETS "tests/config/secrets"

struct name {
	char text[256];
};

static struct registry *
samples(void)
{
	char *folder = mem_text("%s/tests/plugins", harness_build());
	struct registry *registry = registry_new(folder, 1);

	free(folder);
	return registry;
}

static void
set_environment(void)
{
	cr_assert_eq(setenv("SECOR_TEST_TOKEN", "hunter2-hunter2", 1), 0);
	cr_assert_eq(setenv("SECOR_TEST_SHORT", "sesame", 1), 0);
	cr_assert_eq(unsetenv("SECOR_TEST_NOT_SET"), 0);
	cr_assert_eq(unsetenv("STATE_DIRECTORY"), 0);
	cr_assert_eq(setenv("XDG_STATE_HOME", "/var/lib/state", 1), 0);
	/* a checkout does not keep these */
	cr_assert_eq(chmod(SECRETS "/good.txt", 0600), 0);
	cr_assert_eq(chmod(SECRETS "/empty.txt", 0600), 0);
	cr_assert_eq(chmod(SECRETS "/open.txt", 0644), 0);
}

TestSuite(load, .init = set_environment);

static void
note(void *arg, const char *line)
{
	buf_printf(arg, "%s\n", line);
}

static int
load(const char *file, struct registry *registry, int flags, struct buf *lines,
    struct config **config)
{
	struct config_how how = {registry, flags, note, lines};

	return config_load(file, &how, config);
}

/* Paths come out absolute: takes this checkout's place out, in place. */
static char *
without_top(char *text)
{
	char *real = realpath(".", NULL), *top = mem_text("%s/", real), *at;

	while ((at = strstr(text, top)) != NULL)
		memmove(at, at + strlen(top), strlen(at + strlen(top)) + 1);
	free(top);
	free(real);
	return text;
}

/* What is said about the file; the configuration comes out if asked for. */
static char *
complaints(const char *file, struct registry *registry, struct config **config)
{
	struct config *own = NULL;
	struct buf lines = {0};
	int rc;

	buf_puts(&lines, "");
	rc = load(file, registry, CONFIG_TRY_OPEN, &lines,
	    config != NULL ? config : &own);
	config_free(own);
	if (rc != SECOR_OK)
		cr_assert_gt(lines.len, 0, "%s: refused in silence", file);
	return without_top(buf_take(&lines));
}

static int
is_yaml(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > 5 && strcmp(entry->d_name + len - 5, ".yaml") == 0;
}

ParameterizedTestParameters(load, bad_file_complains_exactly)
{
	struct dirent **found;
	int n = scandir(BAD, &found, is_yaml, alphasort);
	struct name *names;

	if (n < 0)
		abort(); /* not run from the top of the tree */
	names = cr_calloc((size_t)n + 1, sizeof(*names));
	for (int i = 0; i < n; i++) {
		(void)snprintf(names[i].text, sizeof(names[i].text), "%s",
		    found[i]->d_name);
		free(found[i]);
	}
	free(found);
	return cr_make_param_array(struct name, names, (size_t)n);
}

ParameterizedTest(struct name *name, load, bad_file_complains_exactly)
{
	struct registry *registry = samples();
	char *file = mem_text(BAD "/%s", name->text);
	char *expected_file =
	    mem_text("%.*s.expected", (int)(strlen(file) - 5), file);
	char *expected = NULL, *said;
	struct secor_err err = {""};
	size_t n;

	cr_assert_eq(file_read(expected_file, 1 << 20, &expected, &n, &err),
	    SECOR_OK, "%s", err.text);
	said = complaints(file, registry, NULL);
	cr_expect_str_eq(said, expected, "%s\n--- expected\n%s--- said\n%s",
	    file, expected, said);
	cr_expect_null(strstr(said, "hunter2"));
	cr_expect_null(strstr(said, "sesame"));
	free(said);
	free(expected);
	free(expected_file);
	free(file);
	registry_free(registry);
}

Test(load, bad_files_are_many)
{
	struct dirent **found;
	int n = scandir(BAD, &found, is_yaml, alphasort);

	cr_expect_geq(n, 40);
	for (int i = 0; i < n; i++)
		free(found[i]);
	free(found);
}

Test(load, good_file_does_not_complain)
{
	struct registry *registry = samples();
	struct config *config = NULL;
	char *said =
	    complaints("tests/config/good/plain.yaml", registry, &config);

	cr_expect_str_eq(said, "");
	cr_assert_not_null(config);
	cr_expect_str_eq(config->kafka.group, "logs");
	cr_expect_str_eq(config->stage.dir, "/var/lib/state/secor");
	cr_expect_eq(config->topics[0].batch.max_bytes, 200 << 20);
	cr_expect_eq(config->topics[0].batch.max_age_ms, 3600000);
	cr_expect_eq(config->topics[0].batch.max_objects, 10000);
	cr_expect_eq(config->topics[0].accept_past_ms, -1);
	cr_expect_eq(config->topics[0].accept_future_ms, 86400000);
	cr_expect_float_eq(config->topics[0].bad.halt_above, 0.1, 1e-9);
	cr_expect_eq(config->engine.uploaders, 4);
	cr_expect_eq(config->layout.generation, 1);
	cr_expect_neq(config->topics[0].fingerprint, 0);
	free(said);
	config_free(config);
	registry_free(registry);
}

Test(load, compat_is_told_to_every_plugin)
{
	struct registry *registry = samples();
	struct config *config = NULL;
	char *said =
	    complaints("tests/config/good/compat.yaml", registry, &config);

	cr_expect_str_eq(said, "");
	cr_assert_not_null(config);
	cr_expect_eq(config->compat, SECOR_COMPAT_SECOR);
	cr_expect_eq(config->store.compat, SECOR_COMPAT_SECOR);
	for (size_t i = 0; i < config->topic_count; i++) {
		const struct config_topic *topic = &config->topics[i];

		cr_expect_eq(
		    topic->transformers.items[0].compat, SECOR_COMPAT_SECOR);
		cr_expect_eq(topic->parser.compat, SECOR_COMPAT_SECOR);
		cr_expect_eq(
		    topic->partitioners.items[0].compat, SECOR_COMPAT_SECOR);
		cr_expect_eq(topic->format.compat, SECOR_COMPAT_SECOR);
	}
	free(said);
	config_free(config);
	registry_free(registry);
}

/* "key=value" of all that librdkafka is told about TLS and SASL. */
static char *
security(const struct config *config)
{
	struct config_security list[CONFIG_SECURITY_MOST];
	size_t n = config_kafka_security(&config->kafka, list);
	struct buf out = {0};

	buf_puts(&out, "");
	for (size_t i = 0; i < n; i++)
		buf_printf(&out, "%s=%s\n", list[i].property.key,
		    list[i].property.value);
	return buf_take(&out);
}

Test(load, tls_and_sasl_become_properties)
{
	struct registry *registry = samples();
	struct config *config = NULL;
	char *said = complaints(
		 "tests/config/good/security.yaml", registry, &config),
	     *properties;

	cr_expect_str_eq(said, "");
	cr_assert_not_null(config);
	properties = security(config);
	cr_expect_str_eq(properties,
	    "security.protocol=sasl_ssl\n"
	    "ssl.endpoint.identification.algorithm=none\n"
	    "sasl.mechanism=SCRAM-SHA-256\n"
	    "sasl.username=secor\n"
	    "sasl.password=correct horse battery\n");
	free(properties);
	free(said);
	config_free(config);
	registry_free(registry);
}

Test(load, keys_with_dots_are_those_of_the_map)
{
	struct registry *registry = samples();
	struct config *config = NULL;
	char *said =
		 complaints("tests/config/good/dotted.yaml", registry, &config),
	     *properties;

	cr_expect_str_eq(said, "");
	cr_assert_not_null(config);
	properties = security(config);
	cr_expect_str_eq(properties,
	    "security.protocol=ssl\n"
	    "ssl.endpoint.identification.algorithm=none\n");
	free(properties);
	free(said);
	config_free(config);
	registry_free(registry);
}

Test(load, token_has_a_plugin)
{
	struct registry *registry = samples();
	struct config *config = NULL;
	char *said =
		 complaints("tests/config/good/token.yaml", registry, &config),
	     *properties, *shown;

	cr_expect_str_eq(said, "");
	cr_assert_not_null(config);
	cr_assert_not_null(config->token.plugin);
	cr_expect_str_eq(config->token.plugin->desc.name, "sample");
	properties = security(config);
	cr_expect_str_eq(properties,
	    "security.protocol=sasl_ssl\n"
	    "ssl.endpoint.identification.algorithm=https\n"
	    "sasl.mechanism=OAUTHBEARER\n");
	shown = config_show(config);
	cr_expect_not_null(strstr(shown, "token:\n  use: sample\n"));
	cr_expect_not_null(strstr(shown, "secret: \"***\""));
	cr_expect_null(strstr(shown, "hunter2"));
	free(shown);
	free(properties);
	free(said);
	config_free(config);
	registry_free(registry);
}

static struct config *
load_everything(struct registry *registry)
{
	struct config *config = NULL;
	char *said =
	    complaints("tests/config/good/everything.yaml", registry, &config);

	cr_expect_str_eq(said, "");
	cr_assert_not_null(config);
	free(said);
	return config;
}

Test(load, override_inherits_what_it_does_not_set)
{
	struct registry *registry = samples();
	struct config *config = load_everything(registry);
	const struct config_topic *base = config_topic(config, "access.eu");
	const struct config_topic *billing = config_topic(config, "billing.eu");
	const struct plugin *parser = billing->parser.plugin;
	struct options opts = plugin_options(parser);
	char *depth, *names;

	cr_assert_eq(base, &config->topics[0]);
	cr_assert_eq(billing, &config->topics[1]);
	depth =
	    options_show(options_find(&opts, "depth"), billing->parser.conf);
	names =
	    options_show(options_find(&opts, "names"), billing->parser.conf);
	cr_expect_str_eq(depth, "9");
	cr_expect_str_eq(names, "[a, b, \"c, d\"]");
	cr_expect_eq(billing->time_source, CONFIG_TIME_FIELD);
	cr_expect_eq(billing->accept_past_ms, 864000000);
	cr_expect_eq(billing->batch.max_age_ms, 300000);
	cr_expect_eq(billing->batch.max_messages, 1000000);
	cr_expect_eq(billing->batch.at_minutes.count, 2);
	cr_expect_eq(billing->partitioners.count, 1);
	free(depth);
	free(names);
	config_free(config);
	registry_free(registry);
}

Test(load, override_list_replaces_the_list)
{
	struct registry *registry = samples();
	struct config *config = load_everything(registry);
	const struct config_topic *audit = config_topic(config, "audit");

	cr_assert_eq(audit, &config->topics[2]);
	cr_expect_eq(audit->transformers.count, 0);
	cr_expect_eq(audit->partitioners.count, 2);
	cr_assert_eq(audit->fields.count, 3);
	cr_expect_str_eq(audit->fields.items[0], "user");
	cr_expect_str_eq(audit->fields.items[2], "country");
	cr_expect_eq(audit->bad.action, CONFIG_BAD_HALT);
	cr_expect_float_eq(audit->bad.halt_above, 0.025, 1e-9);
	config_free(config);
	registry_free(registry);
}

Test(load, fingerprints_differ_between_topics_that_differ)
{
	struct registry *registry = samples();
	struct config *config = load_everything(registry);
	struct config *again = load_everything(registry);

	cr_expect_neq(
	    config->topics[0].fingerprint, config->topics[1].fingerprint);
	cr_expect_neq(
	    config->topics[1].fingerprint, config->topics[2].fingerprint);
	for (size_t i = 0; i < 3; i++)
		cr_expect_eq(config->topics[i].fingerprint,
		    again->topics[i].fingerprint);
	config_free(again);
	config_free(config);
	registry_free(registry);
}

Test(load, topics_wanted_table)
{
	static const struct {
		const char *topic;
		int wanted;
	} T[] = {{"access.web", 1}, {"access.test.web", 0}, {"billing.eu", 1},
	    {"billing.us", 0}, {"audit", 1}, {"audits", 0}, {"", 0},
	    {"my.access.web", 0}, {"__consumer_offsets", 0}, {"_manifests", 0}};
	struct registry *registry = samples();
	struct config *config = load_everything(registry);

	for (size_t i = 0; i < sizeof(T) / sizeof(*T); i++)
		cr_expect_eq(config_wants_topic(config, T[i].topic),
		    T[i].wanted, "%s", T[i].topic);
	config_free(config);
	registry_free(registry);
}

Test(load, secrets_and_environment_come_in)
{
	struct registry *registry = samples();
	struct config *config = load_everything(registry);
	const struct secor_pairs *properties = &config->kafka.properties;
	const struct config_use *notifier = &config->notifiers.items[0];
	struct options opts = plugin_options(notifier->plugin);
	const struct secor_option *row = options_find(&opts, "headers");
	const struct secor_pairs *headers =
	    (const void *)((const char *)notifier->conf + row->offset);

	cr_assert_eq(properties->count, 2);
	cr_expect_str_eq(properties->items[1].value, "correct horse battery");
	cr_assert_eq(headers->count, 2);
	cr_expect_str_eq(headers->items[0].value, "hunter2-hunter2");
	cr_expect_str_eq(headers->items[1].value, "plain");
	config_free(config);
	registry_free(registry);
}

/* ---- show ---- */

Test(load, show_is_as_written_and_hides_secrets)
{
	struct registry *registry = samples();
	struct config *config = load_everything(registry);
	char *shown = without_top(config_show(config)), *expected;
	struct secor_err err = {""};
	size_t n;

	cr_assert_eq(file_read("tests/config/good/everything.shown", 1 << 20,
			 &expected, &n, &err),
	    SECOR_OK, "%s", err.text);
	cr_expect_str_eq(shown, expected);
	cr_expect_null(strstr(shown, "hunter2"));
	cr_expect_null(strstr(shown, "horse"));
	cr_expect_null(strstr(shown, "user:pw"));
	free(expected);
	free(shown);
	config_free(config);
	registry_free(registry);
}

Test(load, no_load_looks_at_the_engines_keys_only)
{
	struct registry *registry = registry_new(NULL, 0);
	struct config *config = NULL;
	struct buf lines = {0};

	cr_expect_eq(load("tests/config/bad/plugin_unknown.yaml", registry,
			 CONFIG_NO_LOAD, &lines, &config),
	    SECOR_OK);
	config_free(config);
	config = NULL;
	cr_expect_eq(load("tests/config/bad/batch_minutes.yaml", registry,
			 CONFIG_NO_LOAD, &lines, &config),
	    SECOR_REJECT);
	cr_expect_not_null(strstr(lines.ptr, "'60' is no minute"));
	buf_fini(&lines);
	registry_free(registry);
}

Test(load, missing_file_is_the_environments_fault)
{
	struct registry *registry = registry_new(NULL, 0);
	struct config *config = NULL;
	struct buf lines = {0};

	cr_expect_eq(load("tests/config/none.yaml", registry, CONFIG_NO_LOAD,
			 &lines, &config),
	    SECOR_RETRY);
	cr_expect_str_eq(lines.ptr, "tests/config/none.yaml: error: open "
				    "tests/config/none.yaml: No such file or "
				    "directory\n");
	buf_fini(&lines);
	registry_free(registry);
}

/* ---- addresses ---- */

Test(load, address_table)
{
	static const struct {
		const char *text, *host;
		int port;
	} T[] = {{"127.0.0.1:9999", "127.0.0.1", 9999}, {":80", "", 80},
	    {"[::1]:0", "::1", 0}, {"host:65535", "host", 65535},
	    {"host", NULL, 0}, {"host:", NULL, 0}, {"host:-1", NULL, 0},
	    {"host:65536", NULL, 0}, {"::1:80", NULL, 0}, {"a:1:2", NULL, 0},
	    {"http://a:1", NULL, 0}, {"", NULL, 0}};

	for (size_t i = 0; i < sizeof(T) / sizeof(*T); i++) {
		char host[64] = "untouched";
		struct secor_err err = {""};
		int port = -1;
		int rc =
		    config_address(T[i].text, host, sizeof(host), &port, &err);

		cr_expect_eq(
		    rc, T[i].host ? SECOR_OK : SECOR_REJECT, "%s", T[i].text);
		cr_expect_str_eq(host, T[i].host ? T[i].host : "untouched");
		cr_expect_eq(port, T[i].host ? T[i].port : -1);
	}
}
