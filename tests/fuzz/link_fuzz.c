/*
 * link_fuzz.c -- anything that a broker may say before, while and after one
 * logs in to it, through the real socket code: it ends with a status and a
 * sentence without the password; what is believed is within bounds.
 *
 * The first byte says how we log in and how the rest is read. RAW: as it comes
 * from the socket. Else as bodies of answers, two bytes of length before each,
 * that get their length and correlation id here. CHALLENGE: no broker, but what
 * a server of SCRAM says to a nonce that is known: two lines.
 */
#include "core/flow/fetch/link_inside.h"
#include "core/flow/fetch/scram.h"
#include "core/flow/fetch/wire.h"
#include "tests/fuzz/fuzz.h"

#include <openssl/evp.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MECHANISM = 3, RAW = 4, CHALLENGE = 8, SAID_MOST = 60000 };
enum { ANSWER_MOST = 2000 };

static char client[] = "fuzz", name[] = "al=ice", word[] = "s3cret";
static char mechanisms[][16] = {"", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"};

static void
check(int rc, const struct secor_err *err)
{
	MUST(rc == SECOR_OK || rc == SECOR_RETRY || rc == SECOR_FATAL);
	MUST(memchr(err->text, '\0', sizeof(err->text)) != NULL);
	MUST(rc == SECOR_OK || err->text[0] != '\0');
}

/* ---- SCRAM ---- */

static void
hear_challenge(const char *said, size_t len)
{
	struct scram *scram =
	    scram_new(EVP_sha256(), name, word, "rOprNGfwEbeRWgbNEkqO");
	const char *line = memchr(said, '\n', len);
	size_t first = line != NULL ? (size_t)(line - said) : len;
	struct secor_err err = {""};
	struct buf out = {0};
	int rc = scram_prove(scram, said, first, &out, &err);

	check(rc, &err);
	MUST(rc != SECOR_RETRY && (rc == SECOR_OK) == (out.len > 0));
	if (rc == SECOR_OK && line != NULL)
		check(
		    scram_verify(scram, line + 1, len - first - 1, &err), &err);
	buf_fini(&out);
	scram_free(scram);
}

/* ---- a broker ---- */

static void
frame(struct buf *said, const char *at, size_t len)
{
	for (int32_t id = 0; len >= 2; id++) {
		size_t n =
		    (size_t)(unsigned char)at[0] << 8 | (unsigned char)at[1];

		at += 2;
		len -= 2;
		n = n < len ? n : len;
		wire_put_int32(said, (int32_t)n + 4);
		wire_put_int32(said, id);
		buf_put(said, at, n);
		at += n;
		len -= n;
	}
}

static void
check_versions(const struct link *link)
{
	for (int api = 0; api < LINK_APIS; api++) {
		int version = link_version(link, api, 4, 11);

		MUST(version == -1 || (version >= 4 && version <= 11));
	}
	(void)link_expired(link);
}

static void
converse(const struct link_conf *conf, int fd)
{
	struct link *link = link_new(conf, "fuzz", 9092);
	const struct buf nothing = {0};
	struct secor_err err = {""};
	struct buf answer = {0};
	int rc;

	link->fd = fd;
	rc = link_log_in(link, &err);
	check(rc, &err);
	check_versions(link);
	for (int i = 0; rc == SECOR_OK && i < 2; i++)
		rc = link_send(link, API_FETCH, 11, &nothing, &err);
	while (rc == SECOR_OK && link->waiting > 0) {
		rc = link_receive(link, 1000, &answer, &err);
		check(rc, &err);
		MUST(rc != SECOR_FATAL && answer.len <= ANSWER_MOST);
		MUST(rc == SECOR_OK || answer.len == 0);
	}
	buf_fini(&answer);
	link_close(link);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct link_conf conf = {.client_id = client,
	    .timeout_ms = 1000,
	    .receive_most = ANSWER_MOST};
	struct buf said = {0};
	int both[2];

	if (size < 1 || size > SAID_MOST)
		return 0;
	if (data[0] & CHALLENGE) {
		hear_challenge((const char *)data + 1, size - 1);
		return 0;
	}
	if ((data[0] & MECHANISM) != 0)
		conf.sasl = (struct link_sasl_conf){
		    mechanisms[data[0] & MECHANISM], name, word};
	if (data[0] & RAW)
		buf_put(&said, data + 1, size - 1);
	else
		frame(&said, (const char *)data + 1, size - 1);
	MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, both) == 0);
	/* all at once, and then it hangs up, but lets us talk */
	(void)send(both[1], said.ptr, said.len, MSG_NOSIGNAL);
	(void)shutdown(both[1], SHUT_WR);
	converse(&conf, both[0]);
	(void)close(both[1]);
	buf_fini(&said);
	return 0;
}
