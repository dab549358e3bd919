/*
 * kafka_cluster_test.c -- the notifier kafka in the service's own cluster.
 */
#include "tests/unit/plugins/notifier/kafka_help.h"

#include <criterion/criterion.h>
#include <secor/token.h>
#include <string.h>

struct own {
	struct secor_cluster given;
	struct secor_pair items[4];
	int asked;
};

static int
no_token(const struct secor_cluster *cluster,
    void (*take)(void *arg, const struct secor_token *token), void *arg,
    struct secor_err *err)
{
	(void)take;
	(void)arg;
	((struct own *)cluster)->asked++;
	return secor_fail(err, SECOR_FATAL, "nobody knows you");
}

static int
some_token(const struct secor_cluster *cluster,
    void (*take)(void *arg, const struct secor_token *token), void *arg,
    struct secor_err *err)
{
	const struct secor_token token = {.size = sizeof(token),
	    .value = "t0ken",
	    .principal = "me",
	    .expires_ms = INT64_C(32503680000000)};

	(void)err;
	((struct own *)cluster)->asked++;
	take(arg, &token);
	return SECOR_OK;
}

/* Brokers as they are given with the others. */
static void
own_init(struct own *own, const struct events *e)
{
	*own = (struct own){.given = {.size = sizeof(own->given)}};
	own->items[0] = (struct secor_pair){
	    "bootstrap.servers", rd_kafka_mock_cluster_bootstraps(e->cluster)};
	own->given.properties = (struct secor_pairs){own->items, 1};
}

static void
own_login(struct own *own)
{
	own->items[1] =
	    (struct secor_pair){"security.protocol", "sasl_plaintext"};
	own->items[2] = (struct secor_pair){"sasl.mechanism", "OAUTHBEARER"};
	own->given.properties.count = 3;
}

static int
open_own(struct events *e, const struct secor_cluster *cluster)
{
	struct secor_open with = {.size = sizeof(with),
	    .conf = e->conf,
	    .host = e->plugin->host,
	    .cluster = cluster};

	return harness_open_with(e->plugin, &with, &e->self, &e->err);
}

Test(kafka_cluster, without_brokers_it_is_the_cluster_of_the_service,
    .timeout = 120)
{
	struct events e;
	struct own own;

	events_begin(&e, "brokers", "[]");
	own_init(&own, &e);
	cr_assert_eq(open_own(&e, &own.given), SECOR_OK, "%s", e.err.text);
	cr_assert_eq(events_batch(&e), SECOR_OK, "%s", e.err.text);
	cr_assert_eq(events_read(&e), 2);
	events_end(&e);
}

Test(kafka_cluster, without_brokers_and_cluster_it_does_not_open)
{
	struct events e;

	events_begin(&e, "brokers", "[]");
	cr_assert_eq(open_own(&e, NULL), SECOR_FATAL);
	cr_assert_not_null(strstr(e.err.text, "brokers are not given"));
	events_end(&e);
}

Test(kafka_cluster, token_that_nobody_gives_is_named, .timeout = 120)
{
	struct events e;
	struct own own;

	events_begin(&e, "brokers", "[]");
	own_init(&own, &e);
	own_login(&own);
	own.given.token = no_token;
	cr_assert_eq(open_own(&e, &own.given), SECOR_OK, "%s", e.err.text);
	cr_assert_eq(own.asked, 0);
	cr_assert_eq(events_batch(&e), SECOR_RETRY);
	cr_assert_not_null(
	    strstr(e.err.text, "no token for the brokers: nobody knows you"),
	    "%s", e.err.text);
	cr_assert_eq(own.asked, 1);
	events_end(&e);
}

/* The client asks for a first one too. */
Test(kafka_cluster, token_is_fetched_once_a_handle, .timeout = 120)
{
	struct events e;
	struct own own;

	events_begin(&e, "brokers", "[]");
	(void)harness_set(e.plugin, e.conf, "timeout", "1s", &e.err);
	own_init(&own, &e);
	own_login(&own);
	own.given.token = some_token;
	cr_assert_eq(open_own(&e, &own.given), SECOR_OK, "%s", e.err.text);
	/* these brokers know no SASL */
	cr_assert_eq(events_batch(&e), SECOR_RETRY);
	cr_assert_eq(own.asked, 1);
	cr_assert_eq(events_batch(&e), SECOR_RETRY);
	cr_assert_eq(own.asked, 2);
	events_end(&e);
}

Test(kafka_cluster, login_of_its_own_needs_brokers_of_its_own)
{
	static const struct {
		const char *key, *value, *want;
	} rows[] = {
	    {"tls.enabled", "true", "tls.enabled: needs 'brokers': "},
	    {"sasl.mechanism", "OAUTHBEARER",
		"sasl.mechanism: needs 'brokers': "},
	    {"properties", "{ssl.ca.location: /a}",
		"properties: ssl.ca.location is not yours to set: without"},
	    {"properties", "{linger.ms: 20}", ""},
	};
	const struct plugin *plugin = harness_plugin("notifier/kafka");

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		void *conf = harness_conf(plugin, "topic", "events", NULL);

		harness_expect_complaint(
		    plugin, conf, rows[i].key, rows[i].value, rows[i].want);
	}
}
