/*
 * hive_metastore_channel_test.c -- time limits of a channel, in front of a
 * server that has always something to say, and with a clock that goes on with
 * each look at it.
 */
#include "plugins/notifier/hive-metastore/channel.c"

#include <criterion/criterion.h>

static int64_t clock_ms;
static size_t at; /* what has come */

int64_t
line_now_ms(void)
{
	return clock_ms += 10;
}

int
line_open(const struct line_conf *conf, const char *host, const char *port,
    int64_t until_ms, struct line **line, struct secor_err *err)
{
	(void)conf;
	(void)host;
	(void)port;
	(void)until_ms;
	(void)err;
	*line = NULL;
	return SECOR_OK;
}

void
line_close(struct line *line)
{
	(void)line;
}

int
line_send(struct line *line, const void *bytes, size_t len, int64_t until_ms,
    struct secor_err *err)
{
	(void)line;
	(void)bytes;
	(void)len;
	(void)until_ms;
	(void)err;
	return SECOR_OK;
}

/* A frame of one byte, of which this is the next one. */
int
line_receive(struct line *line, void *bytes, size_t *len, int64_t until_ms,
    struct secor_err *err)
{
	static const uint8_t frame[] = {0, 0, 0, 1, 'x'};

	(void)line;
	(void)until_ms;
	(void)err;
	*(uint8_t *)bytes = frame[at++ % sizeof(frame)];
	*len = 1;
	return SECOR_OK;
}

int
kerberos_begin(struct kerberos *kerberos, const char *host,
    struct sasl_mechanism *mechanism, struct secor_err *err)
{
	(void)kerberos;
	(void)host;
	(void)mechanism;
	return secor_fail(err, SECOR_RETRY, "no ticket");
}

static size_t
room(void *self)
{
	(void)self;
	return 0;
}

Test(hive_metastore_channel, server_that_never_ends_has_no_more_time)
{
	for (int is_sasl = 0; is_sasl < 2; is_sasl++) {
		struct channel_to to = {.host = "h", .port = "1"};
		struct channel *channel;
		struct secor_err err = {""};
		struct text got = {0};
		int64_t until_ms = clock_ms + 1000;
		int rc, tries = 0;

		at = 0;
		cr_assert_eq(
		    channel_open(&to, until_ms, &channel, &err), SECOR_OK);
		channel->is_sasl = is_sasl;
		channel->sasl.link =
		    (struct sasl_link){channel, send_link, receive_link};
		channel->sasl.mechanism.room = room;
		do {
			rc = channel_receive(channel, &got, until_ms, &err);
		} while (rc == SECOR_OK && ++tries < 1000);
		cr_assert_eq(rc, SECOR_RETRY);
		cr_assert_str_eq(err.text, "no answer in time");
		text_fini(&got);
		channel_close(channel);
	}
}

Test(hive_metastore_channel, who_has_no_ticket_says_nothing)
{
	struct channel_to to = {
	    .kerberos = (struct kerberos *)&clock_ms, .host = "h", .port = "1"};
	struct channel *channel = NULL;
	struct secor_err err = {""};

	cr_assert_eq(
	    channel_open(&to, clock_ms + 1000, &channel, &err), SECOR_RETRY);
	cr_assert_str_eq(err.text, "no ticket");
	cr_assert_null(channel);
}
