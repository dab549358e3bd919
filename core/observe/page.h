/*
 * page.h -- what each address of the HTTP server answers. No sockets here.
 *
 *	/metrics	Prometheus text
 *	/health/live	200 while the consumer thread moves, else 503
 *	/health/ready	200 while data flow to the store, else 503 with reasons
 *	/status		JSON, as the engine tells it
 *	/		the same for people
 */
#ifndef SECOR_OBSERVE_PAGE_H
#define SECOR_OBSERVE_PAGE_H

#include "core/base/buf.h"

#include <stdint.h>

/* What the engine tells. Called on the server's thread, at any time between
 * observe_start and observe_stop; must not block for long. A NULL slot is
 * "nothing to say": live, ready, {}. */
struct observe_source {
	void *arg;
	/* clock_boot_ms() of the consumer thread's last turn; 0: it has not
	 * begun (which is alive: the start may wait for a broker). */
	int64_t (*heartbeat_boot_ms)(void *arg);
	/* 1, or 0 after appending the reasons: a JSON array of sentences or
	 * objects. */
	int (*ready)(void *arg, struct buf *reasons_json);
	/* Appends one JSON object. The page for people shows whatever is in
	 * it: objects and arrays of objects become tables. */
	void (*status)(void *arg, struct buf *json);
};

struct page {
	int status; /* of HTTP */
	const char *content_type;
	struct buf body; /* the caller's: buf_fini */
};

/* `now_boot_ms` and `limit_ms` decide /health/live. */
void page_make(const struct observe_source *source, const char *path,
    int64_t now_boot_ms, int64_t limit_ms, struct page *page);

/* The page for people: `status_json` as HTML. Text that is no JSON is shown as
 * it is. */
void page_html(struct buf *out, int live, int ready, const char *status_json);

#endif
