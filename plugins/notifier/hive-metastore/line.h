/*
 * line.h -- one connection, plain or TLS, every wait with an end.
 */
#ifndef SECOR_HIVE_METASTORE_LINE_H
#define SECOR_HIVE_METASTORE_LINE_H

#include <secor/plugin.h>

struct line;

struct line_conf {
	int tls;
	const char *ca_file; /* NULL: the system's authorities */
};

/* Milliseconds of a clock that nobody sets. */
int64_t line_now_ms(void);

/* Each gives SECOR_OK or SECOR_RETRY, by the time `until_ms` of that clock.
 * (Only the look-up of a name takes as long as the system lets it.) */
int line_open(const struct line_conf *conf, const char *host, const char *port,
    int64_t until_ms, struct line **line, struct secor_err *err);
int line_send(struct line *line, const void *bytes, size_t len,
    int64_t until_ms, struct secor_err *err);
/* Some bytes, at least one. */
int line_receive(struct line *line, void *bytes, size_t *len, int64_t until_ms,
    struct secor_err *err);
void line_close(struct line *line); /* accepts NULL */

#endif
