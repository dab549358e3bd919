/*
 * hive_metastore_kerberos_test.c -- the notifier hive-metastore with Kerberos,
 * as far as it comes without a KDC: options, and tickets that are not there.
 */
#include "tests/unit/plugins/notifier/hive_help.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SERVICE "kerberos.service"
#define PRINCIPAL "kerberos.principal"
#define KEYTAB "kerberos.keytab"

Test(hive_metastore_kerberos, options_that_cannot_be_are_complained_of)
{
	static const char *const rows[][5] = {
	    {SERVICE, "hive/_HOST@E.COM", "user", "u", ""},
	    {SERVICE, "hive/h.example.com", PRINCIPAL, "secor", ""},
	    {SERVICE, "hive", "user", "u", "'hive' is not service/host@REALM"},
	    {SERVICE, "hive@E.COM", "user", "u", "is not service/host@REALM"},
	    {SERVICE, "/h@E.COM", "user", "u", "is not service/host@REALM"},
	    {SERVICE, "hive/@E.COM", "user", "u", "is not service/host@REALM"},
	    {SERVICE, "hive/h@", "user", "u", "has no realm behind its '@'"},
	    {SERVICE, "hive/a/b@E", "user", "u", "has bytes that no such"},
	    {SERVICE, "hi ve/b@E", "user", "u", "has bytes that no such"},
	    {PRINCIPAL, "secor", "user", "u", "needs `kerberos.service`"},
	    {KEYTAB, "/k", PRINCIPAL, "s", "needs `kerberos.service`"},
	    {"kerberos.protection", "privacy", "user", "u",
		"needs `kerberos.service`"},
	    {SERVICE, "hive/h@E", KEYTAB, "/k", "needs `kerberos.principal`"},
	    {SERVICE, "hive/h@E", "framed", "true", "is not for Kerberos"},
	};
	const struct plugin *plugin = harness_plugin("notifier/hive-metastore");

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		void *conf = harness_conf(plugin, "uris", "thrift://h", "table",
		    "t", rows[i][0], rows[i][1], rows[i][2], rows[i][3], NULL);
		char *said = harness_check(plugin, conf);

		cr_assert_not_null(
		    strstr(said, rows[i][4]), "%s: '%s'", rows[i][1], said);
		cr_assert_eq(*said == '\0', *rows[i][4] == '\0', "%s", said);
		free(said);
		harness_conf_free(plugin, conf);
	}
}

Test(hive_metastore_kerberos, service_that_is_too_long_is_complained_of)
{
	const struct plugin *plugin = harness_plugin("notifier/hive-metastore");
	char name[400];
	void *conf;

	memset(name, 'h', sizeof(name));
	memcpy(name, "hive/", 5);
	name[sizeof(name) - 1] = '\0';
	conf = harness_conf(plugin, "uris", "thrift://h", "table", "t", NULL);
	harness_expect_complaint(
	    plugin, conf, SERVICE, name, "kerberos.service: 'hive/hhh");
}

/* A realm whose KDC does not answer, and no ticket. */
static void
no_ticket(char conf[])
{
	static const char text[] = "[libdefaults]\n default_realm = E.COM\n"
				   "[realms]\n E.COM = {\n"
				   "  kdc = tcp/127.0.0.1:1\n }\n";
	int fd = mkstemp(conf);

	cr_assert_geq(fd, 0);
	cr_assert_eq(
	    write(fd, text, sizeof(text) - 1), (ssize_t)sizeof(text) - 1);
	(void)close(fd);
	(void)setenv("KRB5_CONFIG", conf, 1);
	(void)setenv("KRB5CCNAME", "FILE:/nowhere/tickets", 1);
	(void)unsetenv("KRB5_CLIENT_KTNAME");
}

Test(hive_metastore_kerberos, ticket_that_is_not_there_is_said, .timeout = 120)
{
	char krb5_conf[] = "/tmp/secor-krb5-XXXXXX";
	char empty[] = "/tmp/secor-keytab-XXXXXX";
	const struct {
		const char *keytab, *text;
	} rows[] = {
	    {NULL, "no ticket: No Kerberos credentials available"},
	    {"/nowhere/keytab",
		"Kerberos: keytab /nowhere/keytab: Key table file "
		"'/nowhere/keytab' not found"},
	    {"/", "Kerberos: keytab /: "},
	    {empty, "Kerberos: keytab /tmp/secor-keytab-"},
	};
	int fd = mkstemp(empty);

	cr_assert_geq(fd, 0);
	(void)close(fd);
	no_ticket(krb5_conf);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct hive hive;

		hive_begin(&hive, SERVICE, "hive/_HOST@E.COM",
		    rows[i].keytab != NULL ? PRINCIPAL : "user", "secor",
		    rows[i].keytab != NULL ? KEYTAB : NULL, rows[i].keytab,
		    NULL);
		cr_assert_eq(hive_object(&hive, "x"), SECOR_RETRY);
		hive_text(&hive, rows[i].text);
		hive_expect(&hive, "");
		hive_end(&hive);
	}
	(void)unlink(krb5_conf);
	(void)unlink(empty);
}
