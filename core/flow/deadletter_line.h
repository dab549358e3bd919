/*
 * deadletter_line.h -- one line of a dead-letter object back into the message
 * that it was: what `print` shows, and what `redrive` sends through the
 * configuration again.
 */
#ifndef SECOR_FLOW_DEADLETTER_LINE_H
#define SECOR_FLOW_DEADLETTER_LINE_H

#include "core/base/buf.h"

#include <secor/message.h>

/* Zeroed: nothing parsed yet. What `message` points to lives here. */
struct deadletter {
	struct secor_message message;
	const char *reason;
	struct buf bytes; /* topic, reason, key, value, headers */
	struct secor_header *headers;
	size_t header_room;
};

/* A line without its LF. 0: it is no dead letter, and nothing in `letter`
 * counts. Topic and partition that the line does not have are "" and -1. Bytes
 * are valid until the next call. */
int deadletter_parse(struct deadletter *letter, const char *line, size_t len);
void deadletter_fini(struct deadletter *letter);

#endif
