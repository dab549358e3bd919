/*
 * link_tls_test.c -- whose certificate is believed, whose is not, and what is
 * said then.
 */
#include "tests/unit/core/flow/fetch/link_side.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/secor-link-XXXXXX";
static char ca[64], other_ca[64], client[64], other[64];

static void
begin(void)
{
	cr_assert_not_null(mkdtemp(folder));
	(void)snprintf(ca, sizeof(ca), "%s/ca.pem", folder);
	(void)snprintf(other_ca, sizeof(other_ca), "%s/other.pem", folder);
	(void)snprintf(client, sizeof(client), "%s/client.pem", folder);
	(void)snprintf(other, sizeof(other), "%s/client2.pem", folder);
}

static void
end(void)
{
	(void)unlink(ca);
	(void)unlink(other_ca);
	(void)unlink(client);
	(void)unlink(other);
	(void)rmdir(folder);
}

TestSuite(link_tls, .init = begin, .fini = end);

#define TLS "security.protocol", "ssl", "ssl.ca.location", ca

enum { LARGE = 1000000 };

static void
serve_large(struct fake_broker *broker)
{
	struct buf body = {0};

	fake_broker_versions(broker, -1);
	while (fake_broker_take(broker)) {
		for (int i = 0; i < LARGE; i++)
			buf_putc(&body, (char)(i % 251));
		fake_broker_answer(broker, &body);
	}
	buf_fini(&body);
}

/* What is said is heard, and much of it comes back. */
static void
expect_speaks(struct side *side)
{
	const struct buf body = {0};
	int i = 0;

	for (int times = 0; times < 2; times++)
		cr_assert_eq(
		    link_send(side->link, API_FETCH, 11, &body, &side->err),
		    SECOR_OK);
	for (int times = 0; times < 2; times++) {
		cr_assert_eq(
		    link_receive(side->link, 60000, &side->answer, &side->err),
		    SECOR_OK, "%s", side->err.text);
		cr_assert_eq(side->answer.len, LARGE);
		for (i = 0; i < LARGE; i++)
			if (side->answer.ptr[i] != (char)(i % 251))
				break;
		cr_expect_eq(i, LARGE);
	}
}

Test(link_tls, broker_whose_authority_is_trusted_is_spoken_with)
{
	struct fake_broker broker = {.serve = serve_large,
	    .tls = fake_broker_tls("IP:127.0.0.1", ca, NULL)};
	struct side side;

	fake_broker_begin(&broker);
	cr_assert_eq(
	    side_begin(&side, NULL, TLS, NULL), SECOR_OK, "%s", side.err.text);
	cr_assert_eq(side_open(&side, &broker), SECOR_OK, "%s", side.err.text);
	expect_speaks(&side);
	side_end(&side);
	fake_broker_end(&broker);
}

Test(link_tls, authority_of_a_name_is_looked_for_in_its_file_each_time)
{
	struct fake_broker first = {.serve = serve_large,
	    .tls = fake_broker_tls("DNS:localhost", ca, NULL)};
	struct fake_broker second = {.serve = serve_large};
	struct side side;

	fake_broker_begin(&first);
	cr_assert_eq(side_begin(&side, NULL, TLS, NULL), SECOR_OK);
	cr_assert_eq(link_open(side.conf, "localhost", first.port, -1,
			 &side.link, &side.err),
	    SECOR_OK, "%s", side.err.text);
	link_close(side.link);
	second.tls = fake_broker_tls("DNS:localhost", ca, NULL);
	fake_broker_begin(&second);
	cr_assert_eq(link_open(side.conf, "localhost", second.port, -1,
			 &side.link, &side.err),
	    SECOR_OK, "%s", side.err.text);
	side_end(&side);
	fake_broker_end(&first);
	fake_broker_end(&second);
}

Test(link_tls, file_that_is_gone_is_said)
{
	struct fake_broker broker = {.serve = serve_large,
	    .tls = fake_broker_tls("IP:127.0.0.1", ca, NULL)};
	struct side side;

	fake_broker_begin(&broker);
	cr_assert_eq(side_begin(&side, NULL, TLS, NULL), SECOR_OK);
	(void)unlink(ca);
	cr_expect_eq(side_open(&side, &broker), SECOR_FATAL);
	side_expect(&side, "kafka.tls.ca: ");
	side_expect(&side, "/ca.pem: No such file or directory");
	link_conf_free(side.conf);
	side.conf = NULL;
	cr_expect_eq(
	    link_conf_new(side.rk, NULL, &side.conf, &side.err), SECOR_FATAL);
	cr_expect_null(side.conf);
	side_end(&side);
	fake_broker_end(&broker);
}

/* ---- who is not spoken with ---- */

static void
serve_versions(struct fake_broker *broker)
{
	fake_broker_versions(broker, -1);
	fake_broker_drain(broker);
}

/* To a broker whose certificate is for `name`, with one property more. */
static void
expect_open(const char *name, const char *key, const char *value, int rc,
    const char *text)
{
	struct fake_broker broker = {
	    .serve = serve_versions, .tls = fake_broker_tls(name, ca, NULL)};
	struct side side;

	SSL_CTX_free(fake_broker_tls("IP:127.0.0.1", other_ca, NULL));
	fake_broker_begin(&broker);
	cr_assert_eq(side_begin(&side, NULL, TLS, key, value, NULL), SECOR_OK);
	cr_expect_eq(side_open(&side, &broker), rc, "%s", side.err.text);
	if (text != NULL)
		side_expect(&side, text);
	side_end(&side);
	fake_broker_end(&broker);
}

Test(link_tls, broker_of_another_authority_is_not_trusted)
{
	expect_open("IP:127.0.0.1", "ssl.ca.location", other_ca, SECOR_FATAL,
	    "TLS: its certificate is not trusted (");
}

Test(link_tls, broker_of_another_name_is_not_trusted)
{
	expect_open("DNS:elsewhere", "client.id", "x", SECOR_FATAL,
	    "TLS: its certificate is for another name (");
	expect_open("IP:127.0.0.2", "client.id", "x", SECOR_FATAL,
	    "TLS: its certificate is for another name (");
}

Test(link_tls, name_is_not_looked_at_where_the_configuration_says_so)
{
	expect_open("DNS:elsewhere", "ssl.endpoint.identification.algorithm",
	    "none", SECOR_OK, NULL);
}

Test(link_tls, certificate_is_not_looked_at_where_the_configuration_says_so)
{
	expect_open("DNS:elsewhere", "enable.ssl.certificate.verification",
	    "false", SECOR_OK, NULL);
}

Test(link_tls, version_before_1_2_is_not_spoken)
{
	struct fake_broker broker = {.serve = serve_versions,
	    .tls = fake_broker_tls("IP:127.0.0.1", ca, NULL)};
	struct side side;

	SSL_CTX_set_security_level(broker.tls, 0);
	(void)SSL_CTX_set_min_proto_version(broker.tls, TLS1_VERSION);
	(void)SSL_CTX_set_max_proto_version(broker.tls, TLS1_1_VERSION);
	fake_broker_begin(&broker);
	cr_assert_eq(side_begin(&side, NULL, TLS, NULL), SECOR_OK);
	cr_expect_eq(side_open(&side, &broker), SECOR_FATAL);
	side_expect(&side, "TLS: ");
	side_end(&side);
	fake_broker_end(&broker);
}

/* ---- clients' certificates ---- */

/* `file`: what the client shows. */
static void
expect_client(const char *file, int version, int rc, const char *text)
{
	struct fake_broker broker = {.serve = serve_versions};
	struct side side;

	SSL_CTX_free(fake_broker_tls("IP:127.0.0.1", other_ca, other));
	broker.tls = fake_broker_tls("IP:127.0.0.1", ca, client);
	(void)SSL_CTX_set_max_proto_version(broker.tls, version);
	fake_broker_begin(&broker);
	if (file != NULL)
		cr_assert_eq(
		    side_begin(&side, NULL, TLS, "ssl.certificate.location",
			file, "ssl.key.location", file, NULL),
		    SECOR_OK, "%s", side.err.text);
	else
		cr_assert_eq(side_begin(&side, NULL, TLS, NULL), SECOR_OK);
	cr_expect_eq(side_open(&side, &broker), rc, "%s", side.err.text);
	if (text != NULL)
		side_expect(&side, text);
	side_end(&side);
	fake_broker_end(&broker);
}

Test(link_tls, client_shows_its_certificate)
{
	expect_client(client, TLS1_2_VERSION, SECOR_OK, NULL);
	expect_client(client, TLS1_3_VERSION, SECOR_OK, NULL);
}

Test(link_tls, client_without_a_certificate_hears_that_one_is_wanted)
{
	expect_client(NULL, TLS1_2_VERSION, SECOR_FATAL,
	    "is kafka.tls.certificate missing?");
	expect_client(NULL, TLS1_3_VERSION, SECOR_FATAL,
	    "is kafka.tls.certificate missing?");
}

Test(link_tls, client_that_is_not_trusted_hears_so)
{
	expect_client(other, TLS1_2_VERSION, SECOR_FATAL,
	    "it does not trust the client's certificate");
	expect_client(other, TLS1_3_VERSION, SECOR_FATAL,
	    "it does not trust the client's certificate");
}

/* ---- who speaks no TLS ---- */

static void
serve_http(struct fake_broker *broker)
{
	char hello[64];

	(void)read(broker->fd, hello, sizeof(hello));
	fake_broker_write(broker, "HTTP/1.1 400 Bad Request\r\n", 26);
	fake_broker_drain(broker);
}

static void
serve_end(struct fake_broker *broker)
{
	char hello[4096];

	(void)read(broker->fd, hello, sizeof(hello));
}

static void
serve_silence(struct fake_broker *broker)
{
	fake_broker_drain(broker);
}

static void
expect_plain(void (*serve)(struct fake_broker *broker), int stopped, int rc,
    const char *text)
{
	struct fake_broker broker = {.serve = serve};
	struct side side;

	SSL_CTX_free(fake_broker_tls("IP:127.0.0.1", ca, NULL));
	fake_broker_begin(&broker);
	cr_assert_eq(side_begin(&side, NULL, TLS, NULL), SECOR_OK);
	if (stopped)
		cr_assert_eq(write(side.stop[1], "x", 1), 1);
	cr_expect_eq(side_open(&side, &broker), rc, "%s", side.err.text);
	side_expect(&side, text);
	side_end(&side);
	fake_broker_end(&broker);
}

Test(link_tls, port_without_tls_is_said)
{
	expect_plain(serve_http, 0, SECOR_FATAL, "is it the right port?");
	expect_plain(serve_end, 0, SECOR_RETRY, "does this port speak TLS?");
}

Test(link_tls, stop_breaks_off_a_handshake)
{
	expect_plain(serve_silence, 1, SECOR_RETRY, "broken off");
}
