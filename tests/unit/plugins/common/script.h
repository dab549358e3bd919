/*
 * script.h -- an HTTP server in a thread that answers as it is told, one step a
 * request, and keeps what it was asked.
 *
 *	static const struct script_step steps[] = {
 *	    {.status = 500}, {.status = 200, .body = "ok"}};
 *	struct script *script = script_start(steps, 2);
 *	... script_url(script) ...
 *	cr_assert_eq(script_count(script), 2);
 *	script_stop(script);
 *
 * A request that no step is left for finds its connection closed.
 */
#ifndef TESTS_UNIT_SCRIPT_H
#define TESTS_UNIT_SCRIPT_H

#include <stddef.h>

enum script_how {
	SCRIPT_ANSWER = 0,
	SCRIPT_RESET,	  /* reads the head and `reads` bytes, then resets */
	SCRIPT_STALL,	  /* reads all and answers nothing */
	SCRIPT_TRUNCATE,  /* promises 10 bytes more than it sends */
	SCRIPT_CHUNK_CUT, /* chunked, and ends in the middle */
	SCRIPT_LATE_RESET /* reads all, resets instead of an answer */
};

struct script_step {
	int status;
	const char *headers; /* each ended by \r\n, or NULL */
	const char *body;    /* or NULL */
	enum script_how how;
	size_t reads;
	int closes; /* the connection, after the answer, without saying so */
};

struct script;

struct script *script_start(const struct script_step *steps, size_t count);
void script_stop(struct script *script);

/* "http://127.0.0.1:<port>" */
const char *script_url(const struct script *script);
size_t script_count(struct script *script); /* of requests so far */
size_t script_connections(struct script *script);
/* Head and body of a request as they came, NUL-ended. */
const char *script_request(struct script *script, size_t which);
const char *script_body(struct script *script, size_t which);
/* "name: value" is among its headers (name as sent by the client). */
int script_has(struct script *script, size_t which, const char *line);

#endif
