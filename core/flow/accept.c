/*
 * accept.c -- see accept.h.
 */
#include "core/flow/accept.h"

#include <inttypes.h>

int
accept_time(const struct config_topic *topic, int64_t time_ms, int64_t kafka_ms,
    struct secor_err *err)
{
	int64_t future_ms = topic->accept_future_ms;
	int64_t past_ms = topic->accept_past_ms;

	if (kafka_ms == SECOR_NO_TIME || time_ms == SECOR_NO_TIME)
		return SECOR_OK;
	if (time_ms > kafka_ms && future_ms >= 0 &&
	    time_ms - kafka_ms > future_ms)
		return secor_fail(err, SECOR_REJECT,
		    "time is too far in the future: %" PRId64
		    " ms after the Kafka timestamp (accept_time.future)",
		    time_ms - kafka_ms);
	if (time_ms < kafka_ms && past_ms >= 0 && kafka_ms - time_ms > past_ms)
		return secor_fail(err, SECOR_REJECT,
		    "time is too far in the past: %" PRId64
		    " ms before the Kafka timestamp (accept_time.past)",
		    kafka_ms - time_ms);
	return SECOR_OK;
}
