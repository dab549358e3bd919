/*
 * s3_help.c -- see s3_help.h.
 */
#include "tests/unit/plugins/store/s3_help.h"

struct s3_under_test t;

static void
note_log(const struct secor_host *host, int level, const char *event,
    const char *detail)
{
	size_t len = strlen(t.logged);

	(void)host;
	(void)level;
	(void)snprintf(t.logged + len, sizeof(t.logged) - len, "%s %s\n", event,
	    detail != NULL ? detail : "");
}

static int64_t
tell_now(const struct secor_host *host)
{
	(void)host;
	return t.now;
}

static struct secor_counter *
give_counter(const struct secor_host *host, const char *name, const char *help)
{
	(void)host;
	(void)name;
	(void)help;
	return (struct secor_counter *)&t;
}

static void
add_nothing(struct secor_counter *counter, int64_t n)
{
	(void)counter;
	(void)n;
}

const struct secor_host s3_host = {
    sizeof(s3_host), note_log, tell_now, give_counter, add_nothing};

void
s3_set(const char *key, const char *value)
{
	cr_assert_eq(harness_set(t.plugin, t.conf, key, value, &t.err),
	    SECOR_OK, "%s", t.err.text);
}

void
s3_begin(void)
{
	t.now = 1770091506000;
	(void)setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
	(void)setenv("HOME", "/nonexistent", 1);
	(void)unsetenv("AWS_REGION");
	(void)unsetenv("AWS_DEFAULT_REGION");
	(void)setenv("no_proxy", "127.0.0.1,localhost,.localhost", 1);
	t.plugin = harness_plugin("store/s3");
	t.ops = t.plugin->ops.store;
	t.conf = harness_conf(t.plugin, "bucket", "logs", "prefix", "raw/",
	    "access_key", "AKID", "secret_key", "verysecret", "retry_delay",
	    "0ms", "stall_timeout", "300ms", NULL);
}

void
s3_end(void)
{
	t.ops->close(t.store);
	if (t.script != NULL)
		script_stop(t.script);
	harness_conf_free(t.plugin, t.conf);
}

void
s3_play(const struct script_step *steps, size_t count)
{
	struct secor_open with = {
	    .size = sizeof(with), .conf = t.conf, .host = &s3_host};

	t.script = script_start(steps, count);
	s3_set("endpoint", script_url(t.script));
	cr_assert_eq(t.ops->open(&with, &t.store, &t.err), SECOR_OK);
}

int
s3_put_text(const char *key, const char *text)
{
	struct source source = {.bytes = text, .go_on_left = -1};
	struct secor_put put = source_put(&source, key, strlen(text));

	t.err.text[0] = '\0';
	return t.ops->put(t.store, &put, &t.err);
}

int
s3_begins(size_t which, const char *line)
{
	const char *text = script_request(t.script, which);

	return strncmp(text, line, strlen(line)) == 0;
}
