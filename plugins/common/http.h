/*
 * http.h -- HTTP requests for plugins, on libcurl.
 *
 * A client keeps its connections, so one client a thread and use it for all
 * requests; more of them beside it run requests at once on the same thread. It
 * follows no redirect, keeps no cookie, retries nothing (except
 * that a request which finds its kept connection dead is sent again on a new
 * one, after go_on has been asked), and always verifies TLS.
 */
#ifndef SECOR_COMMON_HTTP_H
#define SECOR_COMMON_HTTP_H

#include <secor/plugin.h>

struct http;

struct http_conf {
	int64_t connect_ms;	/* to connect, TLS included; 0: 10 s */
	int64_t stall_ms;	/* give up when nothing moves; 0: 60 s */
	int64_t total_ms;	/* for a whole request; 0: no limit */
	const char *ca_file;	/* PEM; NULL: the system's */
	const char *proxy;	/* NULL: as the environment says; "": none */
	const char *no_proxy;	/* hosts, by commas; NULL: the environment's */
	const char *user_agent; /* NULL: "secor" */
};

struct http_request {
	const char *method; /* GET, HEAD, PUT, POST, DELETE */
	const char *url;    /* already escaped */
	const struct secor_pair *headers;
	size_t header_count;

	/* The body of PUT and POST: `length` bytes from memory, or from
	 * `read` when that is set (bytes [at, at + len), may be asked again
	 * from 0; anything but SECOR_OK ends the request). */
	const void *body;
	uint64_t length;
	int (*read)(void *arg, uint64_t at, void *bytes, size_t len,
	    struct secor_err *err);

	/* The body of a 2xx answer in pieces, instead of into memory; returns
	 * non-zero to stop. */
	int (*write)(void *arg, const void *bytes, size_t len);
	size_t limit; /* of an answer in memory; 0: 1 MiB */

	/* Asked right before the request is sent, before each piece of its
	 * body, and about once a second: 0 ends it. NULL: never asked. */
	int (*go_on)(void *arg);
	void *arg;	  /* of read, write and go_on */
	int64_t total_ms; /* instead of the client's; 0: the client's */
};

enum http_fault {
	HTTP_WHOLE = 0, /* the answer came, whatever its status */
	HTTP_ENDED,	/* `write` stopped it: taken as wanted */
	HTTP_CONNECT,	/* name, refused, no route */
	HTTP_TLS,	/* certificate or handshake */
	HTTP_TIMEOUT,	/* connect, stall or whole */
	HTTP_BROKEN,	/* reset, truncated, not HTTP */
	HTTP_SOURCE,	/* `read` failed; the text is its own */
	HTTP_STOPPED,	/* go_on said no */
	HTTP_LIMIT,	/* the answer is larger than `limit` */
	HTTP_USAGE	/* a URL or CA file that cannot be used */
};

struct http_answer {
	int status;	  /* 0: none came */
	const char *body; /* NUL-ended; until the next request. Never NULL */
	size_t length;	  /* of an answer that is no 2xx: at most 64 KiB */
	enum http_fault fault;
};

int http_open(
    const struct http_conf *conf, struct http **out, struct secor_err *err);
void http_close(struct http *http); /* accepts NULL */

/* SECOR_OK: answer->status is what the server said (look at it!), or `write`
 * stopped it. SECOR_RETRY: no whole answer. SECOR_FATAL: only a person can mend
 * it (TLS verification, CA file, URL). Texts begin with the host; the URL's
 * path and query, which may hold secrets, are not in them. */
int http_run(struct http *http, const struct http_request *request,
    struct http_answer *answer, struct secor_err *err);

/* ---- several at once ---- */

/* One more client with the settings of `other`, for requests beside its: they
 * share connections, and one thread. */
int http_open_beside(
    const struct http *other, struct http **out, struct secor_err *err);

/* Begins a request, which goes on while its client or one beside it waits, runs
 * or drives. It, and what it points to, is borrowed until http_end or
 * http_drop; one at a time for each client. */
void http_begin(struct http *http, const struct http_request *request);
/* Until one that was begun is over, or `ms` have passed: that client, each time
 * another one, whose http_end then has the answer; or NULL. Sleeps when there
 * is none. */
struct http *http_wait(struct http *any, int64_t ms);
/* Lets them go on without waiting. */
void http_drive(struct http *any);
/* Of one that is over: as http_run. */
int
http_end(struct http *http, struct http_answer *answer, struct secor_err *err);
/* Breaks it off, at once: its connection is closed unless it was over. */
void http_drop(struct http *http);
/* The clock of http_wait: monotonic. */
int64_t http_now_ms(void);

/* A header of the last answer, or NULL. Until the next request. */
const char *http_header(struct http *http, const char *name);

#endif
