/*
 * prometheus.h -- the metrics as Prometheus text (exposition format 0.0.4).
 */
#ifndef SECOR_OBSERVE_PROMETHEUS_H
#define SECOR_OBSERVE_PROMETHEUS_H

#include "core/base/buf.h"

#define PROMETHEUS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* Appends every metric that is not hidden; HELP and TYPE once a name. What the
 * format does not allow is mended, because a scraper that stumbles over one
 * byte drops all of it: odd bytes of names become '_', bytes that are not UTF-8
 * become U+FFFD. Any thread. */
void prometheus_put(struct buf *out);

#endif
