/*
 * cluster_test.c -- the way into the cluster that is read, as plugins get it.
 */
#include "core/flow/cluster.h"

#include "core/base/clock.h"

#include <criterion/criterion.h>
#include <string.h>

static struct fake {
	int opened, closed, asked, answer;
	int64_t life_ms;
} fake;

static int
fake_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	(void)err;
	cr_assert_null(with->cluster);
	fake.opened++;
	*self = &fake;
	return SECOR_OK;
}

static void
fake_close(void *self)
{
	cr_assert_eq(self, &fake);
	fake.closed++;
}

static int
fake_fetch(void *self, struct secor_token *token, struct secor_err *err)
{
	cr_assert_eq(self, &fake);
	fake.asked++;
	token->value = "t0ken";
	token->expires_ms = clock_now_ms() + fake.life_ms;
	return fake.answer == SECOR_OK
		   ? SECOR_OK
		   : secor_fail(err, fake.answer, "not you");
}

static struct secor_token_ops ops = {.size = sizeof(ops),
    .open = fake_open,
    .close = fake_close,
    .fetch = fake_fetch};
static struct plugin plugin = {
    .desc = {.name = "fake", .kind = SECOR_TOKEN}, .ops = {.token = &ops}};
static const char *const brokers[] = {"a:1", "b:2"};
static const struct secor_pair properties[] = {
    {"fetch.min.bytes", "7"},
    {"client.id", "me"},
    {"ssl.cipher.suites", "x"},
    {"broker.address.family", "v4"},
    {"enable.sasl.oauthbearer.unsecure.jwt", "false"},
};

static struct config
config_of(int mechanism)
{
	return (struct config){.kafka = {.brokers = {brokers, 2},
				   .properties = {properties, 5},
				   .tls = {.enabled = 1, .ca = "/ca.pem"},
				   .sasl = {.mechanism = mechanism,
				       .username = "bob",
				       .password = "secret"}}};
}

static const char *
value_of(const struct secor_cluster *cluster, const char *key)
{
	for (size_t i = 0; i < cluster->properties.count; i++)
		if (strcmp(cluster->properties.items[i].key, key) == 0)
			return cluster->properties.items[i].value;
	return "";
}

Test(cluster, way_in_is_that_of_the_service)
{
	const struct config config = config_of(CONFIG_SASL_SCRAM_512);
	struct secor_cluster *cluster = cluster_new(&config);

	cr_expect_str_eq(value_of(cluster, "bootstrap.servers"), "a:1,b:2");
	cr_expect_str_eq(value_of(cluster, "security.protocol"), "sasl_ssl");
	cr_expect_str_eq(value_of(cluster, "sasl.mechanism"), "SCRAM-SHA-512");
	cr_expect_str_eq(value_of(cluster, "sasl.username"), "bob");
	cr_expect_str_eq(value_of(cluster, "sasl.password"), "secret");
	cr_expect_str_eq(value_of(cluster, "ssl.ca.location"), "/ca.pem");
	cr_expect_str_eq(value_of(cluster, "ssl.cipher.suites"), "x");
	cr_expect_str_eq(value_of(cluster, "broker.address.family"), "v4");
	cr_expect_str_eq(
	    value_of(cluster, "enable.sasl.oauthbearer.unsecure.jwt"), "false");
	cr_expect_str_eq(value_of(cluster, "fetch.min.bytes"), "");
	cr_expect_str_eq(value_of(cluster, "client.id"), "");
	cr_expect_null(cluster->token);
	cluster_free(cluster);
}

static void
keep(void *arg, const struct secor_token *token)
{
	(void)strcpy(arg, token->value);
}

static int
ask(const struct secor_cluster *cluster, char value[16], struct secor_err *err)
{
	value[0] = '\0';
	return cluster->token(cluster, keep, value, err);
}

Test(cluster, tokens_are_those_of_the_source)
{
	struct config config = config_of(CONFIG_SASL_AWS_MSK_IAM);
	struct secor_cluster *cluster;
	struct secor_err err = {""};
	char value[16];

	config.token = (struct config_use){.plugin = &plugin};
	fake = (struct fake){.life_ms = 60000};
	cluster = cluster_new(&config);
	cr_expect_str_eq(value_of(cluster, "sasl.mechanism"), "OAUTHBEARER");
	cr_expect_eq(fake.opened, 0);
	for (int i = 1; i <= 2; i++) {
		cr_expect_eq(ask(cluster, value, &err), SECOR_OK);
		cr_expect_str_eq(value, "t0ken");
		cr_expect_eq(fake.asked, i);
	}
	fake.answer = SECOR_RETRY;
	cr_expect_eq(ask(cluster, value, &err), SECOR_RETRY);
	cr_expect_str_eq(value, "");
	cr_expect_str_eq(err.text, "not you");
	fake.answer = SECOR_OK;
	fake.life_ms = 0;
	cr_expect_eq(ask(cluster, value, &err), SECOR_FATAL);
	cr_expect_str_eq(value, "");
	cr_expect_eq(fake.opened, 1);
	cluster_free(cluster);
	cr_expect_eq(fake.closed, 1);
}

Test(cluster, source_that_is_not_asked_is_not_opened)
{
	struct config config = config_of(CONFIG_SASL_OAUTHBEARER);

	config.token = (struct config_use){.plugin = &plugin};
	fake = (struct fake){.life_ms = 60000};
	cluster_free(cluster_new(&config));
	cr_expect_eq(fake.opened, 0);
	cr_expect_eq(fake.closed, 0);
}

Test(cluster, who_waits_at_a_stop_does_not_ask)
{
	struct config config = config_of(CONFIG_SASL_OAUTHBEARER);
	struct secor_cluster *cluster;
	struct secor_err err = {""};
	char value[16];

	config.token = (struct config_use){.plugin = &plugin};
	fake = (struct fake){.life_ms = 60000};
	cluster = cluster_new(&config);
	cr_expect_eq(ask(cluster, value, &err), SECOR_OK);
	cluster_stop(cluster);
	cr_expect_eq(ask(cluster, value, &err), SECOR_RETRY);
	cr_expect_str_eq(value, "");
	cr_expect_eq(fake.asked, 1);
	cluster_free(cluster);
	cr_expect_eq(fake.closed, 1);
}
