/*
 * channel.c -- see channel.h.
 */
#include "plugins/notifier/hive-metastore/channel.h"

#include <stdlib.h>

enum { PIECE = 65536 };

struct channel {
	struct line *line;
	int is_sasl;
	struct thrift_sasl sasl;
	int64_t until_ms; /* of what runs through it */
};

static int
send_link(void *self, const void *bytes, size_t len, struct secor_err *err)
{
	struct channel *channel = self;

	return line_send(channel->line, bytes, len, channel->until_ms, err);
}

static int
receive_link(void *self, void *bytes, size_t *len, struct secor_err *err)
{
	struct channel *channel = self;

	/* the line looks at the clock when it has to wait */
	if (line_now_ms() >= channel->until_ms)
		return secor_fail(err, SECOR_RETRY, "no answer in time");
	return line_receive(channel->line, bytes, len, channel->until_ms, err);
}

/* The ticket is found before anything is said. */
static int
log_in(struct channel *channel, struct kerberos *kerberos, const char *host,
    struct secor_err *err)
{
	struct thrift_sasl *sasl = &channel->sasl;
	int rc = kerberos_begin(kerberos, host, &sasl->mechanism, err);

	channel->is_sasl = 1;
	sasl->link = (struct sasl_link){channel, send_link, receive_link};
	return rc == SECOR_OK ? thrift_sasl_talk(sasl, err) : rc;
}

int
channel_open(const struct channel_to *to, int64_t until_ms,
    struct channel **out, struct secor_err *err)
{
	struct channel *channel = calloc(1, sizeof(*channel));
	int rc;

	if (channel == NULL)
		return secor_fail(err, SECOR_RETRY, "out of memory");
	channel->until_ms = until_ms;
	rc = line_open(
	    to->line, to->host, to->port, until_ms, &channel->line, err);
	if (rc == SECOR_OK && to->kerberos != NULL)
		rc = log_in(channel, to->kerberos, to->host, err);
	if (rc == SECOR_OK)
		*out = channel;
	else
		channel_close(channel);
	return rc;
}

void
channel_close(struct channel *channel)
{
	if (channel == NULL)
		return;
	line_close(channel->line);
	free(channel);
}

int
channel_send(struct channel *channel, const struct text *bytes,
    int64_t until_ms, struct secor_err *err)
{
	channel->until_ms = until_ms;
	if (!channel->is_sasl)
		return send_link(channel, bytes->ptr, bytes->len, err);
	return thrift_sasl_send(
	    &channel->sasl, (struct secor_bytes){bytes->ptr, bytes->len}, err);
}

int
channel_receive(struct channel *channel, struct text *to, int64_t until_ms,
    struct secor_err *err)
{
	char piece[PIECE];
	size_t n = sizeof(piece);
	int rc;

	channel->until_ms = until_ms;
	if (channel->is_sasl)
		return thrift_sasl_receive(&channel->sasl, to, err);
	rc = receive_link(channel, piece, &n, err);
	if (rc == SECOR_OK)
		text_add(to, piece, n);
	return rc;
}
