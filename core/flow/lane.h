/*
 * lane.h -- one override at work on the consumer thread: router, encoder,
 * names. A lane of another configuration serves plans made with that one.
 */
#ifndef SECOR_FLOW_LANE_H
#define SECOR_FLOW_LANE_H

#include "core/flow/route.h"

struct lane {
	struct lane *next;
	const struct config *config;
	const struct config_topic *topic;
	struct router *router;
	const struct secor_format_ops *format;
	void *instance; /* of the format, where this thread needs one */
	void *encoder;	/* it; NULL: the format takes many at once (`write`) */
	void *splitter; /* it; NULL: a path has one object */
	int tells_late; /* finalize.late: separate */
	int is_choosy;	/* either: objects are not those of the route alone */
	struct secor_format_traits traits;
	const char *extension;
	uint32_t looks_at;
};

/* The lane of a topic, made on first use and kept in *lanes. */
int
lane_get(struct lane **lanes, const struct config *config, const char *topic,
    size_t key_overhead, struct lane **lane, struct secor_err *err);
void lanes_free(struct lane *lanes);

#endif
