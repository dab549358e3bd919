/*
 * webhook_test.c -- the webhook against a server that answers as told.
 */
#include "tests/unit/harness.h"
#include "tests/unit/plugins/common/script.h"
#include "tests/unit/plugins/notifier/event.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

static const struct secor_event_level LEVELS[] = {
    {"dt", "2026-01-01"}, {"", "bare \"x\"\n"}, {"c", NULL}};

/* A notifier at the server, with one more option. */
struct hook {
	const struct plugin *plugin;
	struct script *script;
	void *conf, *self;
	struct secor_err err;
};

static void
begin(struct hook *hook, const struct script_step *steps, size_t n,
    const char *key, const char *value)
{
	memset(hook, 0, sizeof(*hook));
	hook->plugin = harness_plugin("notifier/webhook");
	hook->script = script_start(steps, n);
	hook->conf = harness_conf(
	    hook->plugin, "url", script_url(hook->script), key, value, NULL);
	hook->self = harness_open(hook->plugin, hook->conf, NULL);
}

static int
tell(struct hook *hook)
{
	struct event_object objects[] = {
	    event_object("dt=2026-01-01/bare/c=x", LEVELS, 3),
	    event_object("", NULL, 0)};
	struct secor_event_batch batch = event_batch("t", objects, 2);

	return hook->plugin->ops.notifier->batch_done(
	    hook->self, &batch, &hook->err);
}

static void
end(struct hook *hook)
{
	harness_close(hook->plugin, hook->self);
	harness_conf_free(hook->plugin, hook->conf);
	script_stop(hook->script);
}

static const char *
body_of(struct hook *hook, size_t which)
{
	return script_body(hook->script, which);
}

Test(webhook, batch_is_posted_as_json, .timeout = 120)
{
	static const struct script_step steps[] = {{.status = 200}};
	struct hook hook;
	json_t *got, *want;

	begin(&hook, steps, 1, NULL, NULL);
	cr_assert_eq(tell(&hook), SECOR_OK, "%s", hook.err.text);
	cr_assert_eq(strncmp(script_request(hook.script, 0), "POST / ", 7), 0);
	cr_assert(script_has(hook.script, 0, "Content-Type: application/json"));
	got = json_loads(body_of(&hook, 0), JSON_REJECT_DUPLICATES, NULL);
	cr_assert_not_null(got, "%s", body_of(&hook, 0));
	cr_assert_gt(json_integer_value(json_object_get(got, "sent_ms")), 0);
	(void)json_object_del(got, "sent_ms");
	want = json_pack(
	    "{s:s,s:s,s:s,s:i,s:i,s:i,s:i,s:i,s:i,s:s,"
	    "s:[{s:s,s:[{s:s,s:s},{s:s,s:s},{s:s,s:n}],s:s,s:s,s:i,s:I,"
	    "s:i,s:i,s:s},{s:s,s:[],s:s,s:s,s:i,s:I,s:i,s:i,s:s}]}",
	    "event", "batch_done", "id", "t/3/100-350", "topic", "t",
	    "partition", 3, "start", 100, "end", 350, "messages", 250,
	    "filtered", 2, "bad", 1, "manifest_key",
	    "_manifests/t/3/1_100.json", "objects", "path",
	    "dt=2026-01-01/bare/c=x", "levels", "name", "dt", "value",
	    "2026-01-01", "name", "", "value", "bare \"x\"\n", "name", "c",
	    "value", "key", "raw/t/dt=2026-01-01/1_3_00000000000000000100.gz",
	    "url", "s3://b/raw/t/dt=2026-01-01/1_3_00000000000000000100.gz",
	    "records", 250, "bytes", (json_int_t)5000000000, "first_offset",
	    100, "last_offset", 349, "crc32c", "00c0ffee", "path", "", "levels",
	    "key", "raw/t/dt=2026-01-01/1_3_00000000000000000100.gz", "url",
	    "s3://b/raw/t/dt=2026-01-01/1_3_00000000000000000100.gz", "records",
	    250, "bytes", (json_int_t)5000000000, "first_offset", 100,
	    "last_offset", 349, "crc32c", "00c0ffee");
	cr_assert_not_null(want);
	cr_assert(json_equal(got, want), "%s", body_of(&hook, 0));
	json_decref(got);
	json_decref(want);
	end(&hook);
}

Test(webhook, answer_decides_what_the_engine_does, .timeout = 120)
{
	static const struct {
		int status, want;
		const char *text;
	} rows[] = {
	    {200, SECOR_OK, ""},
	    {202, SECOR_OK, ""},
	    {204, SECOR_OK, ""},
	    {301, SECOR_RETRY, "HTTP 301: redirects are not followed"},
	    {400, SECOR_REJECT, "HTTP 400: no such topic"},
	    {404, SECOR_REJECT, "HTTP 404: no such topic"},
	    {408, SECOR_RETRY, "HTTP 408: no such topic"},
	    {410, SECOR_REJECT, "HTTP 410"},
	    {425, SECOR_RETRY, "HTTP 425"},
	    {429, SECOR_RETRY, "HTTP 429"},
	    {500, SECOR_RETRY, "HTTP 500: no such topic"},
	    {503, SECOR_RETRY, "HTTP 503"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct script_step step = {.status = rows[i].status,
		    .headers = "Location: /there\r\n",
		    .body = rows[i].status == 204
				? NULL
				: "no such topic\r\nand more"};
		struct hook hook;

		begin(&hook, &step, 1, NULL, NULL);
		cr_assert_eq(tell(&hook), rows[i].want, "HTTP %d: %s",
		    rows[i].status, hook.err.text);
		cr_assert_not_null(strstr(hook.err.text, rows[i].text),
		    "HTTP %d: %s", rows[i].status, hook.err.text);
		cr_assert_null(strstr(hook.err.text, "and more"));
		end(&hook);
	}
}

Test(webhook, connection_that_fails_is_retried, .timeout = 120)
{
	static const struct script_step steps[] = {
	    {.how = SCRIPT_LATE_RESET}, {.how = SCRIPT_STALL}, {.status = 200}};
	struct hook hook;

	begin(&hook, steps, 3, "timeout", "200ms");
	cr_assert_eq(tell(&hook), SECOR_RETRY);
	cr_assert_eq(tell(&hook), SECOR_RETRY);
	cr_assert_eq(tell(&hook), SECOR_OK, "%s", hook.err.text);
	end(&hook);
}

Test(webhook, server_that_is_not_there_is_retried, .timeout = 120)
{
	static const struct script_step steps[] = {{.status = 200}};
	struct hook hook;

	begin(&hook, steps, 1, NULL, NULL);
	script_stop(hook.script);
	cr_assert_eq(tell(&hook), SECOR_RETRY);
	cr_assert_not_null(strstr(hook.err.text, "127.0.0.1"));
	hook.script = script_start(steps, 1); /* for end() */
	end(&hook);
}

Test(webhook, secret_signs_the_body, .timeout = 120)
{
	static const struct script_step steps[] = {{.status = 200}};
	unsigned char mac[EVP_MAX_MD_SIZE];
	char line[128] = "X-Secor-Signature: sha256=";
	struct hook hook;
	const char *body;
	unsigned n;
	json_t *json;

	begin(&hook, steps, 1, "secret", "s3cret");
	cr_assert_eq(tell(&hook), SECOR_OK, "%s", hook.err.text);
	body = body_of(&hook, 0);
	(void)HMAC(EVP_sha256(), "s3cret", 6, (const unsigned char *)body,
	    strlen(body), mac, &n);
	for (unsigned i = 0; i < n; i++)
		(void)snprintf(line + strlen(line), 3, "%02x", mac[i]);
	cr_assert(script_has(hook.script, 0, line), "%s\n%s", line,
	    script_request(hook.script, 0));
	json = json_loads(body, 0, NULL);
	(void)snprintf(line, sizeof(line), "X-Secor-Timestamp: %lld",
	    (long long)json_integer_value(json_object_get(json, "sent_ms")));
	cr_assert(script_has(hook.script, 0, line), "%s", line);
	cr_assert_null(strstr(script_request(hook.script, 0), "s3cret"));
	json_decref(json);
	end(&hook);
}

Test(webhook, without_secret_there_is_no_signature, .timeout = 120)
{
	static const struct script_step steps[] = {{.status = 200}};
	struct hook hook;

	begin(&hook, steps, 1, NULL, NULL);
	(void)tell(&hook);
	cr_assert_null(strstr(script_request(hook.script, 0), "X-Secor-"));
	end(&hook);
}

Test(webhook, method_and_headers_are_as_configured, .timeout = 120)
{
	static const struct script_step steps[] = {
	    {.status = 200}, {.status = 200}};
	struct hook hook;

	begin(&hook, steps, 2, "headers",
	    "{Authorization: Bearer abc, X-Tenant: t1}");
	cr_assert_eq(harness_set(hook.plugin, hook.conf, "method", "PUT", NULL),
	    SECOR_OK);
	cr_assert_eq(tell(&hook), SECOR_OK, "%s", hook.err.text);
	cr_assert_eq(tell(&hook), SECOR_OK, "%s", hook.err.text);
	for (size_t i = 0; i < 2; i++) {
		cr_assert_eq(
		    strncmp(script_request(hook.script, i), "PUT / ", 6), 0);
		cr_assert(
		    script_has(hook.script, i, "Authorization: Bearer abc"));
		cr_assert(script_has(hook.script, i, "X-Tenant: t1"));
	}
	cr_assert_eq(script_connections(hook.script), 1);
	end(&hook);
}

Test(webhook, path_events_carry_their_name, .timeout = 120)
{
	static const struct script_step steps[] = {
	    {.status = 200}, {.status = 200}};
	const struct secor_event_path path =
	    event_path("dt=2026-01-01", LEVELS, 1);
	const struct secor_notifier_ops *ops;
	struct hook hook;

	begin(&hook, steps, 2, NULL, NULL);
	ops = hook.plugin->ops.notifier;
	cr_assert_eq(
	    ops->path_finalized(hook.self, &path, &hook.err), SECOR_OK);
	cr_assert_eq(ops->path_amended(hook.self, &path, &hook.err), SECOR_OK);
	cr_assert_not_null(strstr(body_of(&hook, 0),
	    "{\"event\":\"path_finalized\",\"id\":\"t/dt=2026-01-01\","));
	cr_assert_not_null(
	    strstr(body_of(&hook, 1), "\"event\":\"path_amended\""));
	end(&hook);
}

/* With a body of its own, told of a path whose fields are of somebody else. */
static void
tell_hostile(struct hook *hook, const char *topic)
{
	static const struct secor_event_level levels[] = {
	    {"dt", "x\"}, {\"y\": 1}\r\n"}};
	struct secor_event_path path =
	    event_path("dt=x%22}, {%22y%22%3A 1}%0D%0A", levels, 1);

	path.topic = topic;
	path.total_records = 12;
	cr_assert_eq(hook->plugin->ops.notifier->path_finalized(
			 hook->self, &path, &hook->err),
	    SECOR_OK, "%s", hook->err.text);
}

Test(webhook, body_url_and_headers_are_filled, .timeout = 120)
{
	static const struct script_step steps[] = {{.status = 200}};
	static const char REQUEST[] =
	    "POST /in/t.1?p=dt%3Dx%2522%7D%2C%20%7B%2522y%2522%253A%201%7D"
	    "%250D%250A&d=x%22%7D%2C%20%7B%22y%22%3A%201%7D%0D%0A HTTP";
	struct hook hook;
	char url[200];
	json_t *json;

	begin(&hook, steps, 1, "events", "[path_finalized]");
	harness_close(hook.plugin, hook.self);
	(void)snprintf(url, sizeof(url), "%s/in/{topic}?p={path}&d={level:dt}",
	    script_url(hook.script));
	(void)harness_set(hook.plugin, hook.conf, "url", url, NULL);
	(void)harness_set(hook.plugin, hook.conf, "headers",
	    "{X-Level: {level:dt}, X-Id: {id}}", NULL);
	(void)harness_set(hook.plugin, hook.conf, "body",
	    "{\"text\": \"{topic}: {level:dt}\", \"n\": {total_records}}",
	    NULL);
	hook.self = harness_open(hook.plugin, hook.conf, NULL);
	tell_hostile(&hook, "t.1");
	cr_assert_eq(
	    strncmp(script_request(hook.script, 0), REQUEST, strlen(REQUEST)),
	    0, "%s", script_request(hook.script, 0));
	cr_assert(
	    script_has(hook.script, 0, "X-Level: x\"}, {\"y\": 1}%0D%0A"));
	json = json_loads(body_of(&hook, 0), JSON_REJECT_DUPLICATES, NULL);
	cr_assert_not_null(json, "%s", body_of(&hook, 0));
	cr_assert_eq(json_object_size(json), 2);
	cr_assert_str_eq(json_string_value(json_object_get(json, "text")),
	    "t.1: x\"}, {\"y\": 1}\r\n");
	cr_assert_eq(json_integer_value(json_object_get(json, "n")), 12);
	json_decref(json);
	end(&hook);
}

Test(webhook, own_body_is_signed_with_its_time, .timeout = 120)
{
	static const struct script_step steps[] = {{.status = 200}};
	char line[128] = "X-Secor-Signature: ts-sha256=", stamped[64];
	unsigned char mac[EVP_MAX_MD_SIZE];
	const char *stamp;
	struct hook hook;
	unsigned n;

	begin(&hook, steps, 1, "secret", "s3cret");
	harness_close(hook.plugin, hook.self);
	(void)harness_set(
	    hook.plugin, hook.conf, "body", "{\"t\": {topic}}", NULL);
	hook.self = harness_open(hook.plugin, hook.conf, NULL);
	cr_assert_eq(tell(&hook), SECOR_OK, "%s", hook.err.text);
	cr_assert_str_eq(body_of(&hook, 0), "{\"t\": \"t\"}");
	stamp = strstr(script_request(hook.script, 0), "X-Secor-Timestamp: ");
	cr_assert_not_null(stamp);
	(void)snprintf(stamped, sizeof(stamped), "%.13s.%s", stamp + 19,
	    body_of(&hook, 0));
	(void)HMAC(EVP_sha256(), "s3cret", 6, (const unsigned char *)stamped,
	    strlen(stamped), mac, &n);
	for (unsigned i = 0; i < n; i++)
		(void)snprintf(line + strlen(line), 3, "%02x", mac[i]);
	cr_assert(script_has(hook.script, 0, line), "%s\n%s", line,
	    script_request(hook.script, 0));
	end(&hook);
}

Test(webhook, events_that_are_not_wanted_are_heard_at_once, .timeout = 120)
{
	static const struct script_step steps[] = {
	    {.status = 200}, {.status = 500}};
	struct hook hook;

	begin(&hook, steps, 2, "events", "[path_finalized]");
	cr_assert_eq(tell(&hook), SECOR_OK, "%s", hook.err.text);
	tell_hostile(&hook, "t");
	cr_assert_not_null(
	    strstr(body_of(&hook, 0), "\"event\":\"path_finalized\""));
	end(&hook);
}

Test(webhook, check_complains_of_every_mistake)
{
	static const struct {
		const char *key, *value, *want;
	} rows[] = {
	    {"url", "http://host/path?x=1", ""},
	    {"url", "https://host:8443", ""},
	    {"url", "ftp://host/",
		"url: begins with neither http:// nor https://\n"},
	    {"url", "host/path",
		"url: begins with neither http:// nor https://\n"},
	    {"url", "http:///path", "url: names no host\n"},
	    {"url", "http://:80/", "url: names no host\n"},
	    {"url", "http://u:p@host/",
		"url: holds a user or password, which would be shown\n"},
	    {"url", "http://host/a b",
		"url: has a blank or control byte; write it as %XX\n"},
	    {"secret", "",
		"secret: is empty; leave it out to send no signature\n"},
	    {"headers", "{X-Fine: a}", ""},
	    {"headers", "{bad name: a}",
		"headers: 'bad name' is no header name\n"},
	    {"headers", "{Host: a}", "headers: Host is set by the plugin\n"},
	    {"headers", "{Content-Type: a}",
		"headers: Content-Type is the option `content_type`\n"},
	    {"headers", "{X-Id: {id}}", ""},
	    {"url", "http://h/{topic}/{event}/{objects}?id={id}", ""},
	    {"url", "http://{topic}/",
		"url: the host takes no placeholder: events go where the "
		"configuration says\n"},
	    {"content_type", "json",
		"content_type: is no content type, like application/json\n"},
	    {"content_type", "text/plain",
		"content_type: needs `body`: the event itself is JSON\n"},
	    {"events", "[]", "events: is empty: nothing is told\n"},
	    {"events", "[batch_done, paths]",
		"events: 'paths' is none of batch_done, path_finalized, "
		"path_amended\n"},
	    {"body", "{\"conf\": {json}, \"t\": \"{topic}\"}", ""},
	    {"body", "{\"conf\": {json}",
		"body: is no JSON once it is filled: line 1"},
	    {"body", "hello {topic}",
		"body: is no JSON once it is filled: line 1"},
	    {"body", "{\"x\": \"{tpoic}\"}",
		"body: {tpoic} is no placeholder; there are {event} {id}"},
	    {"body", "{\"x\": \"{path}\"}",
		"body: {path} is not known of batch_done, which `events` "
		"holds"},
	    {"url", "http://h/{id}", "url: {id} is not possible here"},
	    {"headers", "{X-Id: {ip}}", "headers: {ip} is no placeholder"},
	    {"headers", "{content-LENGTH: 1, x-secor-y: 2}",
		"headers: content-LENGTH is set by the plugin\n"
		"headers: x-secor-y is set by the plugin\n"},
	    {"headers", "{X-A: \"a\nX-B: b\"}",
		"headers: the value of X-A has a control byte\n"},
	};
	const struct plugin *plugin = harness_plugin("notifier/webhook");

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		void *conf = harness_conf(plugin, "url", "http://host/", NULL);

		/* some go on with a list of placeholders */
		harness_expect_complaint(
		    plugin, conf, rows[i].key, rows[i].value, rows[i].want);
	}
}
