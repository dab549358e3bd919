/*
 * main.c -- picks the subcommand. `secor FILE` is `secor run FILE`.
 */
#include <stdio.h>

int
main(void)
{
	(void)puts("secor " SECOR_VERSION);
	return 0;
}
