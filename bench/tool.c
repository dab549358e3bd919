/*
 * tool.c -- see tool.h.
 */
#include "bench/tool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

void
give_up(const char *what, const char *why)
{
	(void)fprintf(
	    stderr, "%s: %s: %s\n", program_invocation_short_name, what, why);
	exit(1);
}

const char *
env(const char *name)
{
	const char *value = getenv(name);

	if (value == NULL)
		give_up(name, "is not set: run me under the broker");
	return value;
}
