/*
 * complaint.c -- what readers of partitions complain of, into the log. Thread:
 * consumer.
 */
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/flow/flow.h"

#include <stdio.h>
#include <string.h>

/* The same complaint once a minute. */
static int
said_lately(const char *text)
{
	static char last[256];
	static int64_t last_boot_ms;
	int64_t now = clock_boot_ms();

	if (strncmp(last, text, sizeof(last) - 1) == 0 &&
	    now - last_boot_ms < 60000)
		return 1;
	(void)snprintf(last, sizeof(last), "%s", text);
	last_boot_ms = now;
	return 0;
}

void
complaint_log(struct engine *engine, const struct complaint *complaint)
{
	char quoted[512], where[64] = "";

	if (complaint->code == RD_KAFKA_RESP_ERR__FATAL && engine_fatal(engine))
		return;
	if (said_lately(complaint->text))
		return;
	if (complaint->offset >= 0)
		(void)snprintf(where, sizeof(where),
		    " partition=%d offset=%lld", complaint->partition,
		    (long long)complaint->offset);
	log_line(complaint->code == RD_KAFKA_RESP_ERR__BAD_MSG ||
			 complaint->code ==
			     RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED
		     ? SECOR_ERROR
		     : SECOR_WARN,
	    "kafka error", "topic=%s%s code=%s text=%s%s", complaint->topic,
	    where, rd_kafka_err2name(complaint->code),
	    log_quote(quoted, sizeof(quoted), complaint->text),
	    complaint->code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART
		? " next=retry"
		: "");
}
