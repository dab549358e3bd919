/*
 * listener.h -- a notifier whose events of paths go to a function of the test.
 */
#ifndef TESTS_LISTENER_H
#define TESTS_LISTENER_H

#include "core/config/config.h"

/* Conf of the use. `word`: "new" (finalized) or "more" (amended). */
struct listener {
	int (*hear)(void *arg, const char *word,
	    const struct secor_event_path *path, struct secor_err *err);
	void *arg;
};

/* Its name is "ear". */
extern const struct plugin listener_plugin;

#endif
