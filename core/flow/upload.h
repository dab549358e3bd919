/*
 * upload.h -- uploaders: whole objects to the store, each attempt fenced.
 *
 * A fence is what an attempt asks right before a request: the ownership epoch
 * is unchanged, and the consumer thread polled within the session timeout
 * (CLOCK_BOOTTIME: also after a SIGSTOP). An attempt that fails comes back; the
 * consumer decides when to try again. Nothing is logged here: whoever decides
 * does.
 */
#ifndef SECOR_FLOW_UPLOAD_H
#define SECOR_FLOW_UPLOAD_H

#include "core/base/queue.h"
#include "core/config/config.h"

#include <stdatomic.h>

struct fence {
	_Atomic int64_t polled_boot_ms; /* consumer: at each poll */
	int64_t session_timeout_ms;
};

/* One put; job and event in one. Owned by the uploaders between uploader_put
 * and its arrival in `done`. */
struct upload {
	struct queue_node node;
	void *owner; /* the caller's */
	char *key;   /* freed by upload_free, as are `bytes` and `batch` */
	char *file;  /* staged file (copied name), or NULL: bytes */
	char *bytes;
	uint64_t length;
	uint32_t crc32c;
	const char *content_type;
	char *batch;		     /* as in secor_put, or NULL */
	struct ownership *ownership; /* a reference of its own; never NULL */
	uint64_t epoch; /* of the ownership when it was submitted */
	int tries;	/* attempts so far: the uploaders count */
	/* the answer to the last attempt */
	int status;	/* SECOR_OK, RETRY, REJECT, FATAL; text unless OK */
	int fenced;	/* RETRY because a fence said no: never try again */
	int unreadable; /* RETRY because the staged file cannot be read: it
			 * does not help to try again, collect the batch anew */
	int64_t took_ms;
	struct secor_err err;
};

/* The epoch of one partition, shared with attempts that are still running when
 * the partition is gone. */
struct ownership {
	_Atomic uint64_t epoch;
	_Atomic int refs;
};

struct ownership *ownership_new(void);
struct ownership *ownership_ref(struct ownership *ownership);
void ownership_unref(struct ownership *ownership); /* accepts NULL */

struct uploaders;

/* The store's status when an instance does not open. `fence` and `done` outlive
 * it; `done` gets every upload back. */
int uploaders_new(const struct config_use *store, int count,
    const struct fence *fence, struct queue *done, struct uploaders **uploaders,
    struct secor_err *err);
/* Attempts that run are told to give up (go_on) and waited for; what is queued
 * comes back fenced. All are in `done` afterwards. Accepts NULL. */
void uploaders_free(struct uploaders *uploaders);

/* Takes `upload` until it is in `done`. Thread: consumer. */
void uploader_put(struct uploaders *uploaders, struct upload *upload);

void upload_free(struct upload *upload); /* accepts NULL */

#endif
