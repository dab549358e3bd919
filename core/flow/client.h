/*
 * client.h -- Kafka handles as the protocol needs them (DESIGN: client rules).
 */
#ifndef SECOR_FLOW_CLIENT_H
#define SECOR_FLOW_CLIENT_H

#include "core/config/config.h"
#include "core/flow/wake.h"

#include <librdkafka/rdkafka.h>

/* Properties of the configuration plus those that the promise rests on. Log
 * lines of librdkafka go to log_line. SECOR_FATAL with librdkafka's sentence.
 * *conf: caller owns (rd_kafka_new takes it). */
int client_conf(
    const struct config *config, rd_kafka_conf_t **conf, struct secor_err *err);

/* kafka.brokers as the client wants them. Caller frees. */
char *client_brokers(const struct config_kafka *kafka);

/* What only who joins the group sets: a tool under the instance's name would
 * stand in its way. SECOR_FATAL with librdkafka's sentence. */
int client_member(
    const struct config *config, rd_kafka_conf_t *conf, struct secor_err *err);

/* How often the client tells the group that it lives. */
int64_t client_heartbeat_ms(const struct config_kafka *kafka);

/* A consumer that belongs to the group but does not join it: for reading and
 * writing records while the group is stopped, and for tools. */
int client_tool(
    const struct config *config, rd_kafka_t **rk, struct secor_err *err);

/* A handle for records and ends of logs alone; an end is behind transactions
 * that are open. */
int client_looker(
    const struct config *config, rd_kafka_t **rk, struct secor_err *err);

/* The g of this configuration's records; asks the cluster for its id.
 * SECOR_RETRY when no broker answers within timeout_ms. */
int client_g(rd_kafka_t *rk, const struct config *config, int timeout_ms,
    char g[40], struct secor_err *err);

/* Reads the group's records of the partitions of `list` (offset, metadata).
 * Waits for a coordinator that is being found, or that is loading. */
rd_kafka_resp_err_t client_committed(
    rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list, int timeout_ms);

/* Of member id and generation as the handle has them now: another number when
 * it has joined again, has left or was thrown out. */
uint64_t client_membership(rd_kafka_t *rk);

/* A property of the handle as it is in force, secrets too: caller frees. NULL:
 * not set, or empty. */
char *client_property(rd_kafka_t *rk, const char *key);
/* One that is a number; 0 where it is not set. */
int64_t client_number(rd_kafka_t *rk, const char *key);

/* Begins `wake` with the limits of the handle's queue. */
void client_queue_limits(rd_kafka_t *rk, struct wake *wake);

/* 1 when librdkafka knows fetch.queue.backoff.ms (no wake-ups are needed). */
int client_has_queue_backoff(void);

/* The leader epoch that is committed beside an offset (KIP-320), by librdkafka
 * 2.1 and later. -1: not known. */
void client_set_epoch(rd_kafka_topic_partition_t *tp, int32_t epoch);
int32_t client_epoch(const rd_kafka_topic_partition_t *tp);

#endif
