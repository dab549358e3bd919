/*
 * cluster.h -- the cluster that is read, for plugins with a client of their own
 * (struct secor_cluster): what the section `kafka` says of the way in, and
 * tokens by the section `token`.
 */
#ifndef SECOR_FLOW_CLUSTER_H
#define SECOR_FLOW_CLUSTER_H

#include "core/config/config.h"

#include <secor/token.h>

/* The configuration outlives it. The source of tokens is opened when the first
 * one is asked for. */
struct secor_cluster *cluster_new(const struct config *config);
/* Whoever asks for a token from now on, or waits for others who do, gets
 * SECOR_RETRY: the end waits for one fetch at the most. Any thread. */
void cluster_stop(struct secor_cluster *cluster);
/* Nobody asks for a token any more. Accepts NULL. */
void cluster_free(struct secor_cluster *cluster);

#endif
