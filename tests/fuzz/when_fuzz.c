/*
 * when_fuzz.c -- text to a time: in the years that count, or refused with a
 * phrase and nothing touched. The first byte chooses the format, from 0xc0 on
 * as the original reads it.
 */
#include "plugins/common/civil.h"
#include "plugins/common/when.h"

#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct zone *zone;
	struct when when = {.format = WHEN_AUTO};
	struct secor_bytes text = {(const char *)data, size};
	int64_t ms = INT64_MIN;
	const char *why;

	if (zone == NULL &&
	    zone_open("America/New_York", &zone, NULL) != SECOR_OK)
		abort();
	when.zone = zone;
	if (size > 0) {
		when.format = data[0] % (WHEN_ISO8601 + 1);
		when.compat = data[0] >= 0xc0;
		text.ptr++;
		text.len--;
	}
	why = when_parse(&when, text, &ms);
	if (why == NULL ? ms < TIME_FIRST_MS || ms > TIME_LAST_MS
			: ms != INT64_MIN)
		abort();
	return 0;
}
