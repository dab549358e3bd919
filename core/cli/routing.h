/*
 * routing.h -- the engine's own router for the tools: what they say of a
 * message is what the service would do with it.
 */
#ifndef SECOR_CLI_ROUTING_H
#define SECOR_CLI_ROUTING_H

#include "core/flow/route.h"

/* What store and layout add to keys: long paths are bad messages. A store that
 * does not open here adds nothing. */
size_t routing_overhead(const struct config *config);

/* router_route; a plugin that says RETRY is asked again, as the service does,
 * for a while. */
enum route_outcome routing_route(struct router *router,
    const struct secor_message *message, struct routed *routed);

#endif
