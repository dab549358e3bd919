/*
 * parts_server.h -- an S3 server that takes one upload in parts after the
 * other, over many connections at once, and misbehaves as planned.
 *
 * What it has taken is told by a log of words in the order in which requests
 * were whole: C (create), P<number> (a part), x<number> (a part that broke
 * off), F (complete), A (abort).
 */
#ifndef TESTS_UNIT_PARTS_SERVER_H
#define TESTS_UNIT_PARTS_SERVER_H

#include <stddef.h>

enum { PARTS_MOST = 16 };

enum parts_how {
	PARTS_FINE = 0,
	PARTS_SLOW_DOWN, /* 503 */
	PARTS_DENIED,	 /* 403 */
	PARTS_CUT,	 /* resets in the middle of the body */
	PARTS_HANG	 /* takes it whole and says nothing */
};

struct parts_plan {
	/* No answer to a part before so many of them are here at once; those
	 * that wait are then answered from the highest number down. */
	size_t hold;
	int never; /* parts that are fine are never answered at all */
	struct {
		int part, times;
		enum parts_how how;
	} rules[2];
	const char *expired; /* requests with this access key are, once held */
	/* What is signed at this time is refused as skewed: before, and once
	 * parts were held. */
	const char *skewed[2];
};

struct parts_server;

struct parts_server *parts_start(const struct parts_plan *plan);
void parts_stop(struct parts_server *server);
void parts_free(struct parts_server *server); /* after parts_stop */
const char *parts_url(const struct parts_server *server);
/* Parts that are here whole and not answered. */
size_t parts_held(struct parts_server *server);
size_t parts_connections(struct parts_server *server);
size_t parts_most_at_once(struct parts_server *server);

/* ---- after parts_stop ---- */

const char *parts_log(struct parts_server *server);
/* The last body of a part, and its length; NULL: none was whole. */
const char *parts_body(struct parts_server *server, int part, size_t *len);
/* Head and body of the request that completed, NUL-ended, or NULL. */
const char *parts_complete(struct parts_server *server);

#endif
