/*
 * link_side.h -- our side of a connection to a fake broker, and what is needed
 * for it.
 */
#ifndef TESTS_UNIT_LINK_SIDE_H
#define TESTS_UNIT_LINK_SIDE_H

#include "tests/unit/core/flow/fetch/fake_broker.h"

struct side {
	rd_kafka_t *rk;
	struct link_conf *conf;
	struct link *link;
	struct secor_err err;
	struct buf answer;
	int stop[2];
};

/* With these properties besides: key, value, ..., NULL. What link_conf_new()
 * says. */
__attribute__((sentinel)) int
side_begin(struct side *side, struct login *login, ...);
int side_open(struct side *side, const struct fake_broker *broker);
void side_end(struct side *side);

/* The complaint has this in it, and the broker's name. */
void side_expect(const struct side *side, const char *part);

#endif
