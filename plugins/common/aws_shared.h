/*
 * aws_shared.h -- the key that all users of a process have together who ask
 * with the same settings, so that its source is asked once for all of them.
 *
 * A plugin has its own list of them: plugins are linked apart.
 */
#ifndef SECOR_COMMON_AWS_SHARED_H
#define SECOR_COMMON_AWS_SHARED_H

#include "plugins/common/aws_source.h"

#include <pthread.h>

struct aws_shared {
	struct aws_shared *next;
	int refs;
	struct aws_cred_conf conf; /* its settings are owned */
	/* of who is asking, and of nobody else */
	struct http *http, *direct;

	pthread_mutex_t lock; /* of all below */
	pthread_cond_t asked; /* somebody has come to an end with asking */
	int asking;	      /* somebody is */

	int has; /* a key, which the server has not refused */
	struct aws_found found;
	uint64_t turn;	    /* of that key; 0: there was none yet */
	int source;	    /* that has given it, 1 the first; 0: none has */
	int64_t renew_ms;   /* when it is due */
	int64_t not_before; /* next renewal */

	int failed;	      /* what asking has ended with last */
	struct secor_err why; /* of the last failure */
	int64_t failed_ms;    /* when that was asked */
	uint64_t failures;    /* counts them */
};

/* That of these settings; the caller has a share in it, and gives it back. */
int aws_shared_take(const struct aws_cred_conf *conf, struct aws_shared **out,
    struct secor_err *err);
void aws_shared_leave(struct aws_shared *shared); /* accepts NULL */

#endif
