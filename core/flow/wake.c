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

static int
is_above(const struct wake *wake, int64_t messages, double bytes)
{
	return messages >= wake->half_messages ||
	       bytes >= (double)wake->half_bytes;
}

int
wake_due(struct wake *wake, int64_t messages, int64_t bytes, int64_t left)
{
	double left_bytes;
	int was_above, above;

	learn(wake, messages, bytes);
	left_bytes = (double)left * wake->mean_bytes;
	above = is_above(wake, left, left_bytes);
	/* it may have been filled and emptied between two calls */
	was_above = wake->above ||
		    is_above(wake, left + messages, left_bytes + (double)bytes);
	wake->above = above;
	return was_above && !above;
}

size_t
wake_take(const struct wake *wake, size_t most)
{
	double fits = (double)wake->half_bytes / 2 / (wake->mean_bytes + 1);

	if (fits >= (double)most)
		return most;
	return fits < 1 ? 1 : (size_t)fits;
}
