/*
 * complaint.c -- what readers of partitions complain of, into the log. Thread:
 * consumer.
 */
#include "core/base/clock.h"
#include "core/base/hash.h"
#include "core/base/log.h"
#include "core/flow/flow.h"

#include <stdio.h>
#include <string.h>

enum { MINUTE_MS = 60000, SAID_MOST = 16 };

struct said {
	uint64_t hash;
	int64_t boot_ms; /* 0: nothing yet */
};

/* Readers complain each second of each partition: the same once a minute, and
 * so many of each kind in a minute at most. */
int
complaint_is_new(const char *text, int grave, int64_t boot_ms)
{
	static struct said kinds[2][SAID_MOST];
	struct said *said = kinds[grave != 0], *oldest = said;
	uint64_t hash = hash64(text, strlen(text));

	for (int i = 0; i < SAID_MOST; i++) {
		int lately = said[i].boot_ms != 0 &&
			     boot_ms - said[i].boot_ms < MINUTE_MS;

		if (lately && said[i].hash == hash)
			return 0;
		if (said[i].boot_ms < oldest->boot_ms)
			oldest = &said[i];
	}
	if (oldest->boot_ms != 0 && boot_ms - oldest->boot_ms < MINUTE_MS)
		return 0;
	oldest->hash = hash;
	oldest->boot_ms = boot_ms;
	return 1;
}

/* Somebody must act. */
static int
is_grave(rd_kafka_resp_err_t code)
{
	return code == RD_KAFKA_RESP_ERR__BAD_MSG ||
	       code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
}

void
complaint_log(struct engine *engine, const struct complaint *complaint)
{
	char quoted[512], where[64] = "";
	int grave = is_grave(complaint->code);

	if (complaint->code == RD_KAFKA_RESP_ERR__FATAL && engine_fatal(engine))
		return;
	if (!complaint_is_new(complaint->text, grave, clock_boot_ms()))
		return;
	if (complaint->offset >= 0)
		(void)snprintf(where, sizeof(where),
		    " partition=%d offset=%lld", complaint->partition,
		    (long long)complaint->offset);
	log_line(grave ? SECOR_ERROR : SECOR_WARN, "kafka error",
	    "topic=%s%s code=%s text=%s%s", complaint->topic, where,
	    rd_kafka_err2name(complaint->code),
	    log_quote(quoted, sizeof(quoted), complaint->text),
	    complaint->code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART
		? " next=retry"
		: "");
}
