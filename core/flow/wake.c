/*
 * wake.c -- see wake.h.
 */
#include "core/flow/wake.h"

void
wake_init(struct wake *wake, int64_t max_bytes, int64_t max_messages)
{
	wake->half_bytes = max_bytes / 2;
	wake->half_messages = max_messages / 2;
	wake->mean_bytes = 0;
	wake->above = 0;
}

/* Follows a change of size within a few arrays. */
static void
learn(struct wake *wake, int64_t messages, int64_t bytes)
{
	double mean;

	if (messages <= 0)
		return;
	mean = (double)bytes / (double)messages;
	if (wake->mean_bytes <= 0)
		wake->mean_bytes = mean;
	else
		wake->mean_bytes += (mean - wake->mean_bytes) / 4;
}

int
wake_due(struct wake *wake, int64_t messages, int64_t bytes, int64_t left)
{
	int above, due;

	learn(wake, messages, bytes);
	above = left >= wake->half_messages ||
		(double)left * wake->mean_bytes >= (double)wake->half_bytes;
	due = wake->above && !above;
	wake->above = above;
	return due;
}
