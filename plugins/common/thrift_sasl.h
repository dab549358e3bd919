/*
 * thrift_sasl.h -- Thrift's SASL transport, on the side that connects: a talk
 * of messages (a status, four bytes of length, the bytes) until both sides are
 * content, then frames (four bytes of length, the bytes), wrapped where the
 * mechanism has agreed on that.
 *
 * The mechanism and the connection are the caller's. What comes is a stream: a
 * frame may hold a part of an answer, or several.
 */
#ifndef SECOR_COMMON_THRIFT_SASL_H
#define SECOR_COMMON_THRIFT_SASL_H

#include "plugins/common/text.h"

#include <secor/plugin.h>

enum {
	THRIFT_SASL_START = 1,
	THRIFT_SASL_OK,
	THRIFT_SASL_BAD,
	THRIFT_SASL_ERROR,
	THRIFT_SASL_COMPLETE
};

enum {
	THRIFT_SASL_TALK_MOST = 1024 * 1024, /* bytes of a message */
	THRIFT_SASL_FRAME_MOST = 16 * 1024 * 1024 + 1024
};

/* Its functions give SECOR_OK, or SECOR_RETRY and a sentence. */
struct sasl_mechanism {
	const char *name;
	void *self;
	/* Takes what the other side said (nothing at first) and appends what is
	 * said to it; *done: it needs to hear no more. */
	int (*step)(void *self, struct secor_bytes in, struct text *out,
	    int *done, struct secor_err *err);
	/* Both append; for frames, after the talk. */
	int (*wrap)(void *self, struct secor_bytes in, struct text *out,
	    struct secor_err *err);
	int (*unwrap)(void *self, struct secor_bytes in, struct text *out,
	    struct secor_err *err);
	/* How many bytes may be wrapped at once; 0: frames are not wrapped. */
	size_t (*room)(void *self);
};

/* A connection; both give SECOR_OK, or SECOR_RETRY and a sentence. */
struct sasl_link {
	void *self;
	int (*send)(
	    void *self, const void *bytes, size_t len, struct secor_err *err);
	/* Some bytes, at least one and at most *len. */
	int (*receive)(
	    void *self, void *bytes, size_t *len, struct secor_err *err);
};

struct thrift_sasl {
	struct sasl_mechanism mechanism;
	struct sasl_link link;
};

/* Each gives SECOR_OK or SECOR_RETRY; after a failure the connection is of no
 * use. */
int thrift_sasl_talk(const struct thrift_sasl *sasl, struct secor_err *err);
int thrift_sasl_send(const struct thrift_sasl *sasl, struct secor_bytes bytes,
    struct secor_err *err);
/* Appends the bytes of a frame, at least one. */
int thrift_sasl_receive(
    const struct thrift_sasl *sasl, struct text *to, struct secor_err *err);

/* What a server that wants SASL says to one who does not: 1, and its words. */
int thrift_sasl_is_refusal(struct secor_bytes said, struct secor_bytes *words);

#endif
