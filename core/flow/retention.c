/*
 * retention.c -- see retention.h.
 */
#include "core/flow/retention.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define GROWTH_S 300.0 /* how far back a rate looks */
#define EVER_MS (INT64_C(1000) * RETENTION_FAR_MS)

/* -1: no limit, or nothing that is understood. */
static int64_t
limit_of(const char *text)
{
	char *end;
	long long value;

	if (text == NULL || *text == '\0')
		return -1;
	errno = 0;
	value = strtoll(text, &end, 10);
	return errno != 0 || *end != '\0' || value < 0 ? -1 : value;
}

void
retention_read(struct retention *retention, const char *policy, const char *ms,
    const char *bytes)
{
	int deletes = policy == NULL || strstr(policy, "delete") != NULL;

	retention->ms = deletes ? limit_of(ms) : -1;
	retention->bytes = deletes ? limit_of(bytes) : -1;
	if (retention->ms > EVER_MS)
		retention->ms = -1;
}

int
retention_by_time(const struct retention *retention, int64_t time_ms,
    int64_t now_ms, struct retention_left *left)
{
	int64_t age = time_ms < now_ms ? now_ms - time_ms : 0;

	if (retention->ms < 0)
		return 0;
	left->ms = age < retention->ms ? retention->ms - age : 0;
	left->share =
	    retention->ms == 0 ? 0 : (double)left->ms / (double)retention->ms;
	return 1;
}

int
retention_by_bytes(const struct retention *retention, double waiting,
    double bytes_s, struct retention_left *left)
{
	double limit = (double)retention->bytes;
	double room = waiting < limit ? limit - waiting : 0;
	double far_s = (double)RETENTION_FAR_MS / 1000;

	if (retention->bytes < 0)
		return 0;
	left->share = limit > 0 ? room / limit : 0;
	if (room > bytes_s * far_s)
		left->ms = RETENTION_FAR_MS;
	else
		left->ms = room > 0 ? (int64_t)(room / bytes_s * 1000) : 0;
	return 1;
}

int
retention_alarm(int raised, double share, double limit)
{
	double until = limit * 1.1;

	if (until > 1)
		until = 1;
	return raised ? limit > 0 && share < until : share < limit;
}

void
growth_see(struct growth *growth, int64_t end, int64_t boot_ms)
{
	double seconds = (double)(boot_ms - growth->boot_ms) / 1000;
	double keep = GROWTH_S / (GROWTH_S + seconds);

	if (growth->boot_ms != 0 && boot_ms <= growth->boot_ms)
		return;
	if (growth->boot_ms != 0 && end >= growth->end) {
		growth->offsets =
		    growth->offsets * keep + (double)(end - growth->end);
		growth->seconds = growth->seconds * keep + seconds;
	}
	growth->end = end;
	growth->boot_ms = boot_ms;
}

double
growth_rate(const struct growth *growth)
{
	return growth->seconds > 0 ? growth->offsets / growth->seconds : 0;
}
