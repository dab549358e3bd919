/*
 * link.h -- one connection, plain or TLS, every wait with an end.
 */
#ifndef SECOR_HIVE_METASTORE_LINK_H
#define SECOR_HIVE_METASTORE_LINK_H

#include <secor/plugin.h>

struct link;

struct link_conf {
	int tls;
	const char *ca_file; /* NULL: the system's authorities */
};

/* Milliseconds of a clock that nobody sets. */
int64_t link_now_ms(void);

/* Each gives SECOR_OK or SECOR_RETRY, by the time `until_ms` of that clock.
 * (Only the look-up of a name takes as long as the system lets it.) */
int link_open(const struct link_conf *conf, const char *host, const char *port,
    int64_t until_ms, struct link **link, struct secor_err *err);
int link_send(struct link *link, const void *bytes, size_t len,
    int64_t until_ms, struct secor_err *err);
/* Some bytes, at least one. */
int link_receive(struct link *link, void *bytes, size_t *len, int64_t until_ms,
    struct secor_err *err);
void link_close(struct link *link); /* accepts NULL */

#endif
