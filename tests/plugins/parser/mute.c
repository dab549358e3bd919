/*
 * mute.c -- a shared object without secor_plugin_entry.
 */
#include <secor/parser.h>

SECOR_EXPORT int mute_answer(void);

int
mute_answer(void)
{
	return 42;
}
