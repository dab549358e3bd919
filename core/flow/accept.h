/*
 * accept.h -- accept_time: how far an event time may be from Kafka's timestamp.
 */
#ifndef SECOR_FLOW_ACCEPT_H
#define SECOR_FLOW_ACCEPT_H

#include "core/config/config.h"

/* SECOR_OK, or SECOR_REJECT with the reason. A time that is not known fits. */
int accept_time(const struct config_topic *topic, int64_t time_ms,
    int64_t kafka_ms, struct secor_err *err);

#endif
