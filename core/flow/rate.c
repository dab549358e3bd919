/* rate.c -- see rate.h. */
#include "core/flow/rate.h"

void
rate_init(struct rate *rate, int64_t per_second)
{
	rate->per_second = per_second;
	rate->level = per_second * 1000;
}

void
rate_pass(struct rate *rate, int64_t ms)
{
	int64_t missing = rate->per_second * 1000 - rate->level;

	if (rate->per_second == 0 || ms <= 0)
		return;
	if (ms >= missing / rate->per_second + 1) /* no overflow */
		rate->level += missing;
	else
		rate->level += ms * rate->per_second;
	if (rate->level > rate->per_second * 1000)
		rate->level = rate->per_second * 1000;
}
