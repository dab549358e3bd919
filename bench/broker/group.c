/*
 * group.c -- the classic group protocol for one member: it joins at once, leads
 * itself, and its commits are kept with their metadata. Fencing is not played:
 * nobody else is here.
 */
#include "bench/broker/broker.h"

#include <stdlib.h>

static const char MEMBER[] = "bench-member";

static void
find_coordinator(struct broker *broker, struct buf *out)
{
	put_i16(out, 0);
	put_i32(out, 1); /* node */
	put_string(out, wire_text("127.0.0.1"));
	put_i32(out, broker->port);
}

static void
join(struct broker *broker, struct request *request, struct buf *out)
{
	struct wire *in = &request->in;
	struct wire_bytes name, metadata;

	(void)wire_string(in); /* group */
	(void)wire_i32(in);    /* session timeout */
	if (request->version >= 1)
		(void)wire_i32(in); /* rebalance timeout */
	(void)wire_string(in);	    /* member */
	(void)wire_string(in);	    /* protocol type */
	(void)wire_i32(in);	    /* protocols; the first one is taken */
	name = wire_string(in);
	metadata = wire_blob(in);
	(void)pthread_mutex_lock(&broker->lock);
	put_i16(out, 0);
	put_i32(out, ++broker->generation);
	(void)pthread_mutex_unlock(&broker->lock);
	put_string(out, name);
	put_string(out, wire_text(MEMBER)); /* leader */
	put_string(out, wire_text(MEMBER));
	put_i32(out, 1);
	put_string(out, wire_text(MEMBER));
	put_blob(out, metadata);
}

static void
sync(struct request *request, struct buf *out)
{
	struct wire *in = &request->in;
	struct wire_bytes assignment = {"", 0};
	int n;

	(void)wire_string(in); /* group */
	(void)wire_i32(in);    /* generation */
	(void)wire_string(in); /* member */
	n = wire_i32(in);
	if (n > 0) {
		(void)wire_string(in);
		assignment = wire_blob(in);
	}
	put_i16(out, 0);
	put_blob(out, assignment);
}

static int
known(const struct broker *broker, struct wire_bytes topic, int partition)
{
	return topic.len == strlen(broker->topic) &&
	       memcmp(topic.ptr, broker->topic, topic.len) == 0 &&
	       partition >= 0 && partition < broker->partitions;
}

static void
commit_one(
    struct broker *broker, struct wire *in, struct wire_bytes topic, int *err)
{
	int partition = wire_i32(in);
	int64_t offset = wire_i64(in);
	struct wire_bytes text = wire_string(in);
	struct committed *at;

	*err = known(broker, topic, partition) ? 0 : UNKNOWN_TOPIC;
	if (*err != 0 || in->bad)
		return;
	at = &broker->committed[partition];
	broker->batches += at->offset >= 0 && offset > at->offset;
	free(at->metadata);
	at->metadata = mem_dup(text.ptr == NULL ? "" : text.ptr, text.len);
	at->offset = offset;
	broker->last_commit = clock_seconds();
}

static void
commit(struct broker *broker, struct request *request, struct buf *out)
{
	struct wire *in = &request->in;
	int topics;

	(void)wire_string(in); /* group */
	(void)wire_i32(in);    /* generation */
	(void)wire_string(in); /* member */
	(void)wire_i64(in);    /* retention */
	topics = wire_i32(in);
	put_i32(out, topics);
	while (topics-- > 0 && !in->bad) {
		struct wire_bytes topic = wire_string(in);
		int n = wire_i32(in);

		put_string(out, topic);
		put_i32(out, n);
		while (n-- > 0 && !in->bad) {
			struct wire at = *in;
			int err;

			put_i32(out, wire_i32(&at));
			commit_one(broker, in, topic, &err);
			put_i16(out, err);
		}
	}
}

static void
committed_one(struct broker *broker, struct wire_bytes topic, int partition,
    struct buf *out)
{
	struct committed none = {-1, NULL};
	const struct committed *at = known(broker, topic, partition)
					 ? &broker->committed[partition]
					 : &none;

	put_i32(out, partition);
	put_i64(out, at->offset);
	put_string(out, wire_text(at->metadata == NULL ? "" : at->metadata));
	put_i16(out, 0);
}

static void
committed(struct broker *broker, struct request *request, struct buf *out)
{
	struct wire *in = &request->in;
	int topics;

	(void)wire_string(in); /* group */
	topics = wire_i32(in);
	put_i32(out, topics);
	while (topics-- > 0 && !in->bad) {
		struct wire_bytes topic = wire_string(in);
		int n = wire_i32(in);

		put_string(out, topic);
		put_i32(out, n);
		while (n-- > 0 && !in->bad)
			committed_one(broker, topic, wire_i32(in), out);
	}
}

int
group_answer(struct broker *broker, struct request *request, struct buf *out)
{
	switch (request->api) {
	case API_FIND_COORDINATOR:
		find_coordinator(broker, out);
		return 1;
	case API_JOIN_GROUP:
		join(broker, request, out);
		return 1;
	case API_SYNC_GROUP:
		sync(request, out);
		return 1;
	case API_HEARTBEAT:
	case API_LEAVE_GROUP:
		put_i16(out, 0);
		return 1;
	case API_OFFSET_COMMIT:
		(void)pthread_mutex_lock(&broker->lock);
		commit(broker, request, out);
		(void)pthread_mutex_unlock(&broker->lock);
		return 1;
	case API_OFFSET_FETCH:
		(void)pthread_mutex_lock(&broker->lock);
		committed(broker, request, out);
		(void)pthread_mutex_unlock(&broker->lock);
		return 1;
	default:
		return 0;
	}
}
