/*
 * kafka_login_test.c -- a plugin logs in to Kafka by the same keys as the
 * service, and tells librdkafka the same.
 */
#include "plugins/common/kafka_login.h"

#include "core/config/config.h"

#include <criterion/criterion.h>
#include <string.h>

static void
expect_same(const struct config_kafka *core, const struct kafka_login *login)
{
	struct config_security want[CONFIG_SECURITY_MOST];
	struct secor_pair got[KAFKA_LOGIN_MOST];
	size_t n = config_kafka_security(core, want);

	cr_assert_eq(kafka_login_properties(login, got), n);
	for (size_t i = 0; i < n; i++) {
		cr_assert_str_eq(got[i].key, want[i].property.key);
		cr_assert_str_eq(got[i].value, want[i].property.value);
	}
}

Test(kafka_login, properties_are_those_of_the_service)
{
	for (int mechanism = 0; mechanism <= CONFIG_SASL_OAUTHBEARER;
	     mechanism++)
		for (int bits = 0; bits < 16; bits++) {
			struct config_kafka core = {0};
			struct kafka_login login = {0};

			core.sasl.mechanism = login.sasl.mechanism = mechanism;
			core.tls.verify_hostname = login.tls.verify_hostname =
			    (bits & 1) == 0;
			core.tls.ca = login.tls.ca = bits & 2 ? "ca" : NULL;
			core.tls.certificate = login.tls.certificate =
			    bits & 4 ? "cert" : NULL;
			core.tls.key = login.tls.key = core.tls.certificate;
			core.tls.key_password = login.tls.key_password =
			    core.tls.certificate;
			core.tls.keystore = login.tls.keystore =
			    bits & 8 ? "ks" : NULL;
			core.tls.keystore_password =
			    login.tls.keystore_password = core.tls.keystore;
			core.sasl.username = login.sasl.username = "u";
			core.sasl.password = login.sasl.password = "p";
			core.sasl.service = login.sasl.service = "s";
			core.sasl.principal = login.sasl.principal = "pr";
			core.sasl.keytab = login.sasl.keytab =
			    bits & 8 ? "kt" : NULL;
			/* the engine sets it when another key is given */
			core.tls.enabled = kafka_login_is_tls(&login);
			cr_assert_eq(core.tls.enabled, bits != 0);
			expect_same(&core, &login);
		}
}

Test(kafka_login, tls_alone_is_enough)
{
	struct config_kafka core = {
	    .tls = {.enabled = 1, .verify_hostname = 1}};
	struct kafka_login login = {
	    .tls = {.enabled = 1, .verify_hostname = 1}};

	expect_same(&core, &login);
	core.tls.enabled = login.tls.enabled = 0;
	expect_same(&core, &login);
}
