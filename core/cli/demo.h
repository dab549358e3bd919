/*
 * demo.h -- the parts of `secor demo`.
 */
#ifndef SECOR_CLI_DEMO_H
#define SECOR_CLI_DEMO_H

#include "core/config/config.h"

#define DEMO_TOPIC "events"

/* What was found by reading every object back. */
struct demo_proof {
	int64_t objects, dead_letters;
	int64_t once, lost, doubled, strange;
};

/* Lists the store, reads every object of DEMO_TOPIC and its dead letters
 * through their formats, and counts the ids [0, count). Prints the tree. */
int demo_prove(const struct config *config, int64_t count,
    struct demo_proof *proof, struct secor_err *err);

#endif
