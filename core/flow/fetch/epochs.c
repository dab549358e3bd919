/*
 * epochs.c -- see epochs.h. Believed as a whole, as request.c.
 */
#include "core/flow/fetch/epochs.h"

#include <string.h>

enum {
	REPLICA_NONE = -1, /* a consumer */
	NO_EPOCH = -1,	   /* of the leader that is asked */
	/* The least that these can take in an answer. */
	TOPIC_LEAST = 2 + 4,
	PARTITION_LEAST = 2 + 4 + 4 + 8
};

/* From `from` on, those of one topic. Returns where the next topic begins. */
static size_t
write_topic(
    const struct epoch_ask *asks, size_t count, size_t from, struct buf *body)
{
	size_t until = from, count_at;

	wire_put_string(body, asks[from].topic);
	count_at = body->len;
	wire_put_int32(body, 0);
	for (;
	     until < count && strcmp(asks[until].topic, asks[from].topic) == 0;
	     until++) {
		wire_put_int32(body, asks[until].partition);
		wire_put_int32(body, NO_EPOCH);
		wire_put_int32(body, asks[until].epoch);
	}
	wire_set_int32(body, count_at, (int32_t)(until - from));
	return until;
}

void
epochs_write(
    int version, const struct epoch_ask *asks, size_t count, struct buf *body)
{
	size_t count_at;
	int32_t topics = 0;

	if (version >= 3)
		wire_put_int32(body, REPLICA_NONE);
	count_at = body->len;
	wire_put_int32(body, 0);
	for (size_t i = 0; i < count; topics++)
		i = write_topic(asks, count, i, body);
	wire_set_int32(body, count_at, topics);
}

static void
read_end(struct wire *in, struct wire_bytes topic, struct epoch_end *end)
{
	end->topic = topic;
	end->error = wire_int16(in);
	end->partition = wire_int32(in);
	end->epoch = wire_int32(in);
	end->end = wire_int64(in);
}

int
epochs_read(struct epoch_end *ends, size_t room, size_t *count,
    const char *answer, size_t len, struct secor_err *err)
{
	struct wire in = {answer, answer + len, 0};
	int32_t topics;
	size_t n = 0;

	wire_skip(&in, 4); /* throttle time */
	topics = wire_count(&in, TOPIC_LEAST);
	for (; topics > 0 && !in.bad; topics--) {
		struct wire_bytes topic = wire_string(&in);
		int32_t parts = wire_count(&in, PARTITION_LEAST);

		if ((size_t)parts > room - n)
			in.bad = 1;
		for (; parts > 0 && !in.bad; parts--)
			read_end(&in, topic, &ends[n++]);
	}
	*count = 0;
	if (in.bad || in.at != in.end)
		return secor_fail(err, SECOR_REJECT,
		    "%zu bytes are no answer to OffsetForLeaderEpoch", len);
	*count = n;
	return SECOR_OK;
}
