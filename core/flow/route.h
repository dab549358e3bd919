/*
 * route.h -- message to record to path: transformers, parser, partitioners.
 *
 * A router stands for one override and belongs to one thread. Routes are
 * remembered with the interval in which they hold; partitioners are asked only
 * on a miss. Nothing here looks at a clock.
 */
#ifndef SECOR_FLOW_ROUTE_H
#define SECOR_FLOW_ROUTE_H

#include "core/config/config.h"
#include "core/flow/paths.h"

struct router;

enum route_outcome {
	ROUTE_OK = 0,
	ROUTE_FILTERED, /* a transformer dropped it */
	ROUTE_BAD,	/* err has the reason, plugin its giver */
	ROUTE_RETRY	/* the same message must come again */
};

struct routed {
	struct secor_record record;
	struct secor_message message; /* after the transformers */
	struct path *path;	      /* borrowed: until the next call */
	int late;		      /* batch_place's, where late is told */
	const char *plugin;	      /* who rejected */
	struct secor_err err;
};

/* Opens the plugins of `topic`. `key_overhead`: bytes that the store adds to
 * keys (bucket, prefix). SECOR_FATAL with a sentence. */
int router_new(const struct config_topic *topic, size_t key_overhead,
    struct router **router, struct secor_err *err);
void router_free(struct router *router); /* accepts NULL */

/* SECOR_LOOKS_AT_* of transformers, parser, partitioners, format. */
uint32_t router_looks_at(const struct router *router);

/* Names of the fields in routed.record.fields. */
const struct secor_strings *router_fields(const struct router *router);

/* One message. What comes out is valid until the next call. */
enum route_outcome router_route(struct router *router,
    const struct secor_message *message, struct routed *out);

/* finalize.late: separate (late.h). Its paths are those of messages that come
 * in time; the two below are for such routers alone. */
int router_tells_late(const struct router *router);

/* Whether the message of the last ROUTE_OK is late when the clock of its
 * partition stands there; and where the clock stands once it is accepted. */
int router_late(
    struct router *router, int64_t clock_ms, const struct routed *routed);
int64_t router_clock(
    const struct router *router, int64_t clock_ms, const struct routed *routed);

/* The path of late ones; the same where they amend. Borrowed as above. */
struct path *router_late_path(struct router *router, struct path *path);

/* The table that its paths live in. */
struct paths *router_paths(struct router *router);

#endif
