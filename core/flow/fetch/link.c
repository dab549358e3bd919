/*
 * link.c -- see link.h: requests out, answers in. Invariant: answers come in
 * the order of the requests, each with the correlation id of its own; else the
 * connection is of no use any more.
 */
#include "core/flow/fetch/link_inside.h"

#include "core/base/clock.h"
#include "core/flow/fetch/wire.h"

#include <assert.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	HEAD = 8, /* length and correlation id */
	REQUEST_MOST = 1 << 30,
	UNSUPPORTED_VERSION = 35
};

/* All complaints name the broker. */
static int
told(const struct link *link, int rc, const struct secor_err *why,
    struct secor_err *err)
{
	if (rc == SECOR_OK)
		return SECOR_OK;
	return secor_fail(err, rc, "broker %s: %.900s", link->name, why->text);
}

/* ---- one request, one answer ---- */

static int32_t
after(int32_t id)
{
	return id == INT32_MAX ? 0 : id + 1;
}

static int
put(struct link *link, int api, int version, const struct buf *body,
    struct secor_err *err)
{
	const char *client = link->conf->client_id;
	struct buf *out = &link->out;

	assert(body->len < REQUEST_MOST);
	out->len = 0;
	/* at once: a copy left behind by growing may hold a password */
	buf_reserve(
	    out, body->len + 64 + (client != NULL ? strlen(client) : 0));
	wire_put_int32(out, 0);
	wire_put_int16(out, (int16_t)api);
	wire_put_int16(out, (int16_t)version);
	wire_put_int32(out, link->sent);
	wire_put_string(out, client);
	buf_put(out, body->ptr, body->len);
	wire_set_int32(out, 0, (int32_t)(out->len - 4));
	link->sent = after(link->sent);
	link->waiting++;
	return link_write(link, out->ptr, out->len, err);
}

/* The length of the body that follows. */
static int
check_head(struct link *link, const char head[HEAD], size_t *len,
    struct secor_err *err)
{
	struct wire wire = {head, head + HEAD, 0};
	int32_t size = wire_int32(&wire);
	int32_t id = wire_int32(&wire);

	/* an alert (21) of version 3.x */
	if (head[0] == 21 && head[1] == 3)
		return secor_fail(err, SECOR_FATAL,
		    "it answers in TLS: is kafka.tls missing?");
	if (size < 4 || size - 4 > link->conf->receive_most)
		return secor_fail(err, SECOR_RETRY,
		    "an answer of %ld bytes (receive.message.max.bytes is %d)",
		    (long)size, link->conf->receive_most);
	if (id != link->answered)
		return secor_fail(err, SECOR_RETRY,
		    "an answer to request %ld came, not to %ld", (long)id,
		    (long)link->answered);
	*len = (size_t)size - 4;
	return SECOR_OK;
}

static int
take(struct link *link, struct buf *answer, struct secor_err *err)
{
	char head[HEAD];
	size_t len = 0;
	int rc = link_read(link, head, sizeof(head), err);

	answer->len = 0;
	if (rc == SECOR_OK)
		rc = check_head(link, head, &len, err);
	if (rc != SECOR_OK)
		return rc;
	/* not grown: what it held would be copied */
	if (answer->room <= len)
		buf_fini(answer);
	buf_reserve(answer, len);
	rc = link_read(link, answer->ptr, len, err);
	if (rc != SECOR_OK)
		return rc;
	answer->len = len;
	answer->ptr[len] = '\0';
	link->answered = after(link->answered);
	link->waiting--;
	return SECOR_OK;
}

int
link_ask(struct link *link, int api, int version, const struct buf *body,
    struct buf *answer, struct secor_err *err)
{
	int rc = put(link, api, version, body, err);

	return rc == SECOR_OK ? take(link, answer, err) : rc;
}

/* Once it is open there is but one thing to do: begin anew. */
static int
broken(const struct link *link, int rc, const struct secor_err *why,
    struct secor_err *err)
{
	return told(link, rc == SECOR_OK ? rc : SECOR_RETRY, why, err);
}

int
link_send(struct link *link, int api, int version, const struct buf *body,
    struct secor_err *err)
{
	struct secor_err why = {""};

	link->idle_ms = link->conf->timeout_ms;
	link->until_ms = clock_boot_ms() + link->idle_ms;
	return broken(link, put(link, api, version, body, &why), &why, err);
}

int
link_receive(struct link *link, int64_t timeout_ms, struct buf *answer,
    struct secor_err *err)
{
	struct secor_err why = {""};

	assert(link->waiting > 0);
	link->idle_ms = timeout_ms;
	link->until_ms = clock_boot_ms() + timeout_ms;
	return broken(link, take(link, answer, &why), &why, err);
}

/* ---- versions ---- */

static int
read_versions(
    struct link *link, const struct buf *answer, struct secor_err *err)
{
	struct wire wire = {answer->ptr, answer->ptr + answer->len, 0};
	int16_t error = wire_int16(&wire);
	int32_t count;

	if (error == UNSUPPORTED_VERSION)
		return secor_fail(err, SECOR_FATAL,
		    "it does not take ApiVersions version 0: too new for this "
		    "client, or no Kafka");
	if (error != 0)
		return secor_fail(err, SECOR_RETRY,
		    "it answers ApiVersions with error %d", error);
	count = wire_count(&wire, 6);
	for (int32_t i = 0; i < count; i++) {
		int api = wire_int16(&wire);
		int least = wire_int16(&wire), most = wire_int16(&wire);

		if (!wire.bad && api >= 0 && api < LINK_APIS) {
			link->versions[api].least = least;
			link->versions[api].most = most;
		}
	}
	if (wire.bad)
		return secor_fail(err, SECOR_RETRY,
		    "it answers ApiVersions with what is no answer");
	return SECOR_OK;
}

static int
ask_versions(struct link *link, struct secor_err *err)
{
	const struct buf nothing = {0};
	struct secor_err why = {""};
	struct buf answer = {0};
	int rc = link_ask(link, API_VERSIONS, 0, &nothing, &answer, &why);

	if (rc == SECOR_OK)
		rc = read_versions(link, &answer, err);
	else if (link->ssl == NULL && strcmp(why.text, LINK_ENDED) == 0)
		(void)secor_fail(err, rc,
		    "it hung up when it was asked for its versions: does this "
		    "port want TLS, or a client that it knows?");
	else
		*err = why;
	buf_fini(&answer);
	return rc;
}

int
link_version(const struct link *link, int api, int least, int most)
{
	assert(api >= 0 && api < LINK_APIS);
	if (least < link->versions[api].least)
		least = link->versions[api].least;
	if (most > link->versions[api].most)
		most = link->versions[api].most;
	return least <= most ? most : -1;
}

/* ---- from beginning to end ---- */

struct link *
link_new(const struct link_conf *conf, const char *host, int port)
{
	struct link *link = mem_alloc(sizeof(*link));

	link->conf = conf;
	link->name = mem_text("%s:%d", host, port);
	link->fd = link->stop_fd = -1;
	link->until_ms = clock_boot_ms() + conf->timeout_ms;
	for (int i = 0; i < LINK_APIS; i++)
		link->versions[i].most = -1;
	return link;
}

int
link_log_in(struct link *link, struct secor_err *err)
{
	int rc = ask_versions(link, err);

	if (rc == SECOR_OK && link->conf->sasl.mechanism != NULL)
		rc = link_sasl_open(link, err);
	return rc;
}

static int
begin(struct link *link, const char *host, int port, struct secor_err *err)
{
	int rc = link_socket_open(link, host, port, err);

	if (rc == SECOR_OK && link->conf->tls.on)
		rc = link_tls_open(link, host, err);
	return rc == SECOR_OK ? link_log_in(link, err) : rc;
}

int
link_open(const struct link_conf *conf, const char *host, int port, int stop_fd,
    struct link **out, struct secor_err *err)
{
	struct link *link = link_new(conf, host, port);
	struct secor_err why = {""};
	int rc;

	link->stop_fd = stop_fd;
	rc = told(link, begin(link, host, port, &why), &why, err);
	if (rc == SECOR_OK)
		*out = link;
	else
		link_close(link);
	return rc;
}

int
link_expired(const struct link *link)
{
	return link->expires_ms != 0 && clock_boot_ms() >= link->expires_ms;
}

void
link_close(struct link *link)
{
	if (link == NULL)
		return;
	SSL_free(link->ssl);
	if (link->fd >= 0)
		(void)close(link->fd);
	buf_fini(&link->out);
	free(link->name);
	free(link);
}
