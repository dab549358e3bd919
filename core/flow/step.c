/*
 * step.c -- see step.h.
 */
#include "core/flow/step.h"

#include "core/base/log.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

const char *const step_names[] = {"assigned", "opened", "first-message", "cut",
    "sealed", "read-back", "plan-sent", "plan-acked", "mark-done", "put-begin",
    "put-done", "puts-done", "manifest-begin", "manifest-done", "final-sent",
    "final-acked", "files-deleted", "notified", "replay-cut", "recommit-sent",
    "recommit-acked", "revoked", "gap-planned",
    /* of `secor redrive` */
    "redrive-claimed", "redrive-planned", "redrive-put-begin",
    "redrive-put-done", "redrive-puts-done", "redrive-pointed", "redrive-done",
    "redrive-ended", "abandon-begun", "abandon-objects", NULL};

static const char *wanted;
static size_t wanted_len;
static atomic_int left = 1;

int
step_init(void)
{
	const char *text = getenv("SECOR_STOP_AT");
	const char *colon;

	if (text == NULL || *text == '\0')
		return 0;
	colon = strchr(text, ':');
	wanted_len = colon == NULL ? strlen(text) : (size_t)(colon - text);
	if (colon != NULL)
		atomic_store(&left, atoi(colon + 1));
	for (size_t i = 0; step_names[i] != NULL; i++)
		if (strlen(step_names[i]) == wanted_len &&
		    strncmp(step_names[i], text, wanted_len) == 0)
			wanted = step_names[i];
	return wanted == NULL;
}

void
step_reached(const char *name)
{
	if (wanted == NULL || strcmp(name, wanted) != 0)
		return;
	if (atomic_fetch_sub(&left, 1) != 1)
		return;
	log_line(SECOR_WARN, "stopped at step", "step=%s", name);
	(void)raise(SIGSTOP);
}
