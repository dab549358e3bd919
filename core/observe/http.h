/*
 * http.h -- the HTTP server behind `http.listen`: metrics, health, status.
 *
 * It reads and tells; nothing can be changed through it, and it knows neither
 * users nor TLS, so it listens where the configuration says and nowhere else.
 */
#ifndef SECOR_OBSERVE_HTTP_H
#define SECOR_OBSERVE_HTTP_H

#include "core/observe/page.h"

#include <secor/plugin.h>

struct observe;

enum { OBSERVE_LIVE_LIMIT_MS = 60000, OBSERVE_PORTS = 20 };

/* Listens at "host:port", "[v6]:port" or ":port" (every address) on a thread of
 * its own and logs "http listens". A port that is taken (another process on the
 * same file) gives way to the next free one of OBSERVE_PORTS; port 0 is any.
 * `source` is copied; live_limit_ms is the age of a heartbeat that is too old.
 * SECOR_FATAL with a sentence when it cannot. */
int observe_start(const char *listen, const struct observe_source *source,
    int64_t live_limit_ms, struct observe **observe, struct secor_err *err);

/* "127.0.0.1:9999": where it listens. */
const char *observe_address(const struct observe *observe);

/* Ends the thread: no slot of the source is called afterwards. Accepts NULL. */
void observe_stop(struct observe *observe);

#endif
