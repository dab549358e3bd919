/*
 * routing.c -- see routing.h.
 */
#include "core/cli/routing.h"

#include "core/cli/args.h"
#include "core/config/layout.h"

#include <string.h>
#include <time.h>

#define RETRY_NAP_MS 50
#define RETRY_FOR_MS 20000

size_t
routing_overhead(const struct config *config)
{
	const struct secor_store_ops *ops = config->store.plugin->ops.store;
	char url[1024] = "";
	void *store;

	if (cli_store(config, &store, NULL) != SECOR_OK)
		return layout_overhead(config);
	if (ops->url != NULL)
		ops->url(store, "", url, sizeof(url));
	ops->close(store);
	return strlen(url) + layout_overhead(config);
}

enum route_outcome
routing_route(struct router *router, const struct secor_message *message,
    struct routed *routed)
{
	static const struct timespec nap = {0, RETRY_NAP_MS * 1000000L};
	enum route_outcome outcome = router_route(router, message, routed);

	for (int64_t waited = 0;
	     outcome == ROUTE_RETRY && waited < RETRY_FOR_MS;
	     waited += RETRY_NAP_MS) {
		(void)nanosleep(&nap, NULL);
		outcome = router_route(router, message, routed);
	}
	return outcome;
}
