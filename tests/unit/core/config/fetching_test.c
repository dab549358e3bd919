/*
 * fetching_test.c -- what connections of our own may read: every property of
 * librdkafka 2.0.2 is honoured, without meaning for them, or refused by name.
 */
#include "core/config/config.h"

#include <criterion/criterion.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <string.h>

/* Of no property, one, or two. */
static struct config
config_with(struct secor_pair *pairs, size_t count)
{
	struct config config = {.file = "c.yaml"};

	config.kafka.properties.items = pairs;
	config.kafka.properties.count = count;
	return config;
}

static int
takes(const char *key, const char *value, char why[256])
{
	struct secor_pair pair = {key, value};
	struct config config = config_with(&pair, 1);

	why[0] = '\0';
	return config_own_fetch(&config, why, 256);
}

/* With security.protocol and the mechanism as properties. */
static int
takes_login(
    const char *key, const char *protocol, const char *mechanism, char why[256])
{
	struct secor_pair pairs[] = {
	    {key, mechanism}, {"security.protocol", protocol}};
	struct config config = config_with(pairs, 2);

	why[0] = '\0';
	return config_own_fetch(&config, why, 256);
}

Test(fetching, nothing_said_permits_it)
{
	struct config config = config_with(NULL, 0);
	char why[256] = "";

	cr_expect_eq(config.kafka.fetch, CONFIG_FETCH_AUTO);
	cr_expect(config_own_fetch(&config, why, sizeof(why)));
	cr_expect_str_eq(why, "");
}

Test(fetching, librdkafka_chosen_is_why)
{
	struct config config = config_with(NULL, 0);
	char why[256] = "";

	config.kafka.fetch = CONFIG_FETCH_LIBRDKAFKA;
	cr_expect_not(config_own_fetch(&config, why, sizeof(why)));
	cr_expect_str_eq(why, "kafka.fetch says so");
}

Test(fetching, mechanism_is_ours_but_for_gssapi)
{
	for (int i = CONFIG_SASL_NONE; i <= CONFIG_SASL_AWS_MSK_IAM; i++) {
		struct config config = config_with(NULL, 0);
		char why[256] = "";

		config.kafka.sasl.mechanism = i;
		cr_expect_eq(config_own_fetch(&config, why, sizeof(why)),
		    i != CONFIG_SASL_GSSAPI, "%d", i);
		cr_expect_str_eq(why, i != CONFIG_SASL_GSSAPI
					  ? ""
					  : "kafka.sasl.mechanism: GSSAPI is "
					    "librdkafka's alone");
	}
}

Test(fetching, login_by_properties_with_password_permits_it)
{
	static const char *const NAMES[] = {
	    "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"};
	char why[256];

	for (size_t i = 0; i < sizeof(NAMES) / sizeof(*NAMES); i++) {
		cr_expect(
		    takes_login("sasl.mechanism", "SASL_SSL", NAMES[i], why));
		cr_expect(takes_login(
		    "sasl.mechanisms", "sasl_plaintext", NAMES[i], why));
	}
	/* without SASL nobody looks at it */
	cr_expect(takes_login("sasl.mechanism", "ssl", "GSSAPI", why));
	cr_expect(takes("sasl.mechanism", "GSSAPI", why));
}

Test(fetching, login_by_properties_without_password_is_librdkafkas)
{
	char why[256];

	cr_expect_not(
	    takes_login("sasl.mechanisms", "SASL_SSL", "GSSAPI", why));
	cr_expect_str_eq(why,
	    "kafka.properties: sasl.mechanism GSSAPI is librdkafka's alone");
	cr_expect_not(takes("security.protocol", "sasl_ssl", why));
	cr_expect_str_eq(why,
	    "kafka.properties: sasl.mechanism GSSAPI is librdkafka's alone",
	    "its default");
	cr_expect_not(
	    takes_login("sasl.mechanism", "SASL_SSL", "OAUTHBEARER", why));
	cr_expect_str_eq(why,
	    "kafka.properties: sasl.mechanism OAUTHBEARER is librdkafka's "
	    "alone unless kafka.sasl.mechanism and the section token say it");
	cr_expect_not(
	    takes_login("sasl.mechanism", "SASL_SSL", "SCRAM-SHA-1", why));
}

/* The last one counts, as in librdkafka. */
Test(fetching, mechanism_said_twice_is_the_last)
{
	struct secor_pair pairs[] = {{"security.protocol", "sasl_ssl"},
	    {"sasl.mechanism", "PLAIN"}, {"sasl.mechanisms", "GSSAPI"}};
	struct config config = config_with(pairs, 3);
	char why[256];

	cr_expect_not(config_own_fetch(&config, why, sizeof(why)));
	pairs[1].value = "GSSAPI";
	pairs[2].value = "PLAIN";
	cr_expect(config_own_fetch(&config, why, sizeof(why)));
}

/* ---- properties ---- */

/* Those of librdkafka that its readers alone know, of its dump. */
static const char *const THEIRS[] = {"api.version.fallback.ms",
    "api.version.request", "api.version.request.timeout.ms",
    "broker.version.fallback", "builtin.features",
    "consume.callback.max.messages", "enable.sasl.oauthbearer.unsecure.jwt",
    "enabled_events", "log.queue", "metadata.broker.list",
    "offset.store.method", "offset.store.path", "offset.store.sync.interval.ms",
    "plugin.library.paths", "sasl.oauthbearer.client.id",
    "sasl.oauthbearer.client.secret", "sasl.oauthbearer.config",
    "sasl.oauthbearer.extensions", "sasl.oauthbearer.method",
    "sasl.oauthbearer.scope", "sasl.oauthbearer.token.endpoint.url",
    "socket.max.fails", "ssl.ca.pem", "ssl.certificate.pem",
    "ssl.cipher.suites", "ssl.crl.location", "ssl.curves.list", "ssl.engine.id",
    "ssl.engine.location", "ssl.key.pem", "ssl.providers", "ssl.sigalgs.list",
    "ssl.ca.certificate.stores", "bootstrap.servers"};

static int
is_theirs(const char *key)
{
	for (size_t i = 0; i < sizeof(THEIRS) / sizeof(*THEIRS); i++)
		if (strcmp(THEIRS[i], key) == 0)
			return 1;
	return 0;
}

Test(fetching, property_of_librdkafka_alone_is_named)
{
	char why[256], expected[256];

	for (size_t i = 0; i < sizeof(THEIRS) / sizeof(*THEIRS); i++) {
		cr_expect_not(takes(THEIRS[i], "x", why), "%s", THEIRS[i]);
		(void)snprintf(expected, sizeof(expected),
		    "kafka.properties: %s is librdkafka's alone", THEIRS[i]);
		cr_expect_str_eq(why, expected);
	}
}

Test(fetching, property_that_nobody_knows_is_librdkafkas)
{
	char why[256];

	/* of later versions */
	cr_expect_not(takes("client.dns.lookup", "use_all_dns_ips", why));
	cr_expect_not(takes("fetch.queue.backoff.ms", "100", why));
	cr_expect_not(takes("sasl.oauthbearer.metadata.x", "1", why));
	/* names that only begin alike */
	cr_expect_not(takes("client.idx", "x", why));
	cr_expect_not(takes("client", "x", why));
}

/* Functions, and what no documentation names. */
static int
is_hidden(const char *key)
{
	return strchr(key, '_') != NULL || strncmp(key, "test.", 5) == 0 ||
	       strncmp(key, "client.software.", 16) == 0 ||
	       strcmp(key, "enable.sparse.connections") == 0 ||
	       strcmp(key, "metadata.request.timeout.ms") == 0;
}

/* Of whatever client this machine has; later ones know more, which nobody has
 * looked at. How many are permitted. */
static size_t
each_of_dump(const char **dump, size_t n)
{
	int later = rd_kafka_version() > 0x020002ff;
	char why[256], expected[256];
	size_t permitted = 0;

	for (size_t i = 0; i + 1 < n; i += 2) {
		if (takes(dump[i], "x", why)) {
			permitted++;
			cr_expect_not(is_theirs(dump[i]), "%s", dump[i]);
			continue;
		}
		cr_expect(later || is_theirs(dump[i]) || is_hidden(dump[i]),
		    "%s", dump[i]);
		(void)snprintf(expected, sizeof(expected),
		    "kafka.properties: %s is librdkafka's alone", dump[i]);
		cr_expect_str_eq(why, expected);
	}
	return permitted;
}

Test(fetching, every_other_property_permits_it)
{
	rd_kafka_conf_t *client = rd_kafka_conf_new();
	rd_kafka_topic_conf_t *topic = rd_kafka_topic_conf_new();
	size_t n;
	const char **dump = rd_kafka_conf_dump(client, &n);

	cr_expect_geq(each_of_dump(dump, n), 70);
	rd_kafka_conf_dump_free(dump, n);
	dump = rd_kafka_topic_conf_dump(topic, &n);
	cr_expect_geq(each_of_dump(dump, n), 8);
	rd_kafka_conf_dump_free(dump, n);
	rd_kafka_conf_destroy(client);
	rd_kafka_topic_conf_destroy(topic);
}

/* Those that a dump leaves out: they have no value, or another name. */
Test(fetching, property_that_readers_take_permits_it)
{
	static const char *const OURS[] = {"broker.address.family",
	    "check.crcs", "client.id", "client.rack",
	    "enable.ssl.certificate.verification", "fetch.error.backoff.ms",
	    "fetch.max.bytes", "fetch.message.max.bytes", "fetch.min.bytes",
	    "fetch.wait.max.ms", "max.partition.fetch.bytes",
	    "queued.max.messages.kbytes", "receive.message.max.bytes",
	    "reconnect.backoff.max.ms", "reconnect.backoff.ms",
	    "sasl.mechanism", "sasl.mechanisms", "sasl.password",
	    "sasl.username", "security.protocol",
	    "socket.connection.setup.timeout.ms", "socket.keepalive.enable",
	    "socket.nagle.disable", "socket.receive.buffer.bytes",
	    "socket.send.buffer.bytes", "socket.timeout.ms", "ssl.ca.location",
	    "ssl.certificate.location", "ssl.endpoint.identification.algorithm",
	    "ssl.key.location", "ssl.key.password", "ssl.keystore.location",
	    "ssl.keystore.password"};
	char why[256];

	for (size_t i = 0; i < sizeof(OURS) / sizeof(*OURS); i++)
		cr_expect(takes(OURS[i], "x", why), "%s: %s", OURS[i], why);
}

Test(fetching, property_that_has_no_meaning_for_reading_permits_it)
{
	static const char *const NONE[] = {"acks", "debug", "group.id",
	    "group.instance.id", "heartbeat.interval.ms", "linger.ms",
	    "log_level", "metadata.max.age.ms", "partition.assignment.strategy",
	    "queued.min.messages", "session.timeout.ms",
	    "statistics.interval.ms", "topic.blacklist", "transactional.id",
	    "sasl.kerberos.keytab", "max.in.flight", "batch.size"};
	char why[256];

	for (size_t i = 0; i < sizeof(NONE) / sizeof(*NONE); i++)
		cr_expect(takes(NONE[i], "x", why), "%s: %s", NONE[i], why);
}

Test(fetching, second_of_two_properties_is_looked_at)
{
	struct secor_pair pairs[] = {
	    {"client.id", "us"}, {"ssl.crl.location", "/x"}};
	struct config config = config_with(pairs, 2);
	char why[256];

	cr_expect_not(config_own_fetch(&config, why, sizeof(why)));
	cr_expect_str_eq(
	    why, "kafka.properties: ssl.crl.location is librdkafka's alone");
}

Test(fetching, reason_fits_the_room)
{
	struct secor_pair pair = {"ssl.crl.location", "/x"};
	struct config config = config_with(&pair, 1);
	char why[8];

	cr_expect_not(config_own_fetch(&config, why, sizeof(why)));
	cr_expect_str_eq(why, "kafka.p");
}
