/*
 * channel.h -- a connection to a metastore that carries calls and answers: the
 * line as it is, or SASL upon it.
 */
#ifndef SECOR_HIVE_METASTORE_CHANNEL_H
#define SECOR_HIVE_METASTORE_CHANNEL_H

#include "plugins/notifier/hive-metastore/kerberos.h"
#include "plugins/notifier/hive-metastore/line.h"

struct channel;

/* Whom a channel leads to. `kerberos` is for one channel at a time, and NULL
 * for none. */
struct channel_to {
	const struct line_conf *line;
	struct kerberos *kerberos;
	const char *host, *port;
};

/* Each gives SECOR_OK or SECOR_RETRY by the time `until_ms`, see line.h. */
int channel_open(const struct channel_to *to, int64_t until_ms,
    struct channel **channel, struct secor_err *err);
int channel_send(struct channel *channel, const struct text *bytes,
    int64_t until_ms, struct secor_err *err);
/* Appends some bytes, at least one. */
int channel_receive(struct channel *channel, struct text *to, int64_t until_ms,
    struct secor_err *err);
void channel_close(struct channel *channel); /* accepts NULL */

#endif
