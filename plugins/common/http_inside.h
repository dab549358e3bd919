/*
 * http_inside.h -- what http.c and http_set.c share.
 */
#ifndef SECOR_COMMON_HTTP_INSIDE_H
#define SECOR_COMMON_HTTP_INSIDE_H

#include "plugins/common/http.h"

#include <curl/curl.h>

enum http_state { HTTP_IDLE, HTTP_RUNNING, HTTP_OVER, HTTP_TOLD };

/* Clients that share connections and are driven together. */
struct http_group {
	CURLM *multi;
	struct http *members;
	size_t count, running;
};

struct http {
	CURL *easy;
	struct http_group *group;
	struct http *next;     /* of the group */
	struct http_conf conf; /* its strings are owned */
	char *body;
	size_t length, room;
	char text[CURL_ERROR_SIZE];

	/* the running request */
	enum http_state state;
	const struct http_request *request;
	struct curl_slist *headers;
	CURLcode code; /* once it is over */
	uint64_t at;
	enum http_fault fault; /* what a callback has decided */
	curl_off_t moved;      /* bytes both ways */
	int64_t moved_ms;      /* when that last grew */
	struct secor_err source;
};

/* Returns -1 when there is no memory. */
int http_set(struct http *http, const struct http_request *request);
void http_unset(struct http *http);
int http_status(const struct http *http); /* of the answer; 0: none yet */

#endif
