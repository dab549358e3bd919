/*
 * group.h -- the consumer group as the tools see it: records of partitions,
 * logs, members. Reads at any time; group_commit only while the group has no
 * member.
 */
#ifndef SECOR_CLI_GROUP_H
#define SECOR_CLI_GROUP_H

#include "core/config/config.h"
#include "core/flow/login.h"
#include "core/flow/record.h"

#include <librdkafka/rdkafka.h>

enum { GROUP_TIMEOUT_MS = 15000 };

struct group {
	const struct config *config;
	rd_kafka_t *rk;
	struct login *login;
};

/* Thread: main, all of these. What fails for the want of a broker is
 * SECOR_RETRY and names the brokers. */
int group_open(
    const struct config *config, struct group *group, struct secor_err *err);
void group_close(struct group *group);

/* The record; RECORD_MISSING when there is no committed offset. `text` (may be
 * NULL) gets the metadata as it is, printable, cut at its room. */
int group_record(struct group *group, const char *topic, int32_t partition,
    struct record *record, char text[RECORD_TEXT_MAX], struct secor_err *err);

/* Commits the record as it is (clean). */
int group_commit(struct group *group, const char *topic, int32_t partition,
    const struct record *record, struct secor_err *err);

/* How many members the group has. */
int group_members(struct group *group, int *members, struct secor_err *err);

/* The member that owns a partition; host "": none does. */
struct group_member {
	char host[256], client[256];
};
int group_owner(struct group *group, const char *topic, int32_t partition,
    struct group_member *member, struct secor_err *err);

/* First offset that Kafka still has, and the one behind the last. */
int group_log(struct group *group, const char *topic, int32_t partition,
    int64_t *low, int64_t *high, struct secor_err *err);

/* The first offset whose message is of `ms` or later; -1: there is none. */
int group_offset_at(struct group *group, const char *topic, int32_t partition,
    int64_t ms, int64_t *offset, struct secor_err *err);

/* The committed messages with offsets in [start, end), in order, to `each`;
 * anything but SECOR_OK from it ends the reading and is returned. Ends early
 * where the log ends. */
struct group_span {
	const char *topic;
	int32_t partition;
	int64_t start, end;
};
typedef int (*group_message_fn)(
    void *arg, const rd_kafka_message_t *message, struct secor_err *err);
int group_messages(struct group *group, const struct group_span *span,
    group_message_fn each, void *arg, struct secor_err *err);

/* How many partitions the topic has; 0: there is no such topic. */
int group_partitions(struct group *group, const char *topic, int32_t *count,
    struct secor_err *err);

/* Every partition of every topic that the subscription takes, by name. */
struct group_topic {
	char *name;
	int32_t partitions;
};
int group_topics(struct group *group, struct group_topic **topics,
    size_t *count, struct secor_err *err);
/* What another group has committed of a topic: offsets[partition], -1 where it
 * has nothing. */
int group_offsets_of(struct group *group, const char *name,
    const struct group_topic *topic, int64_t *offsets, struct secor_err *err);
void group_topics_free(struct group_topic *topics, size_t count);

#endif
