/*
 * encoder.h -- the bytes of one object from its records, as the engine makes
 * them: through the same format, fed in the same pieces.
 */
#ifndef SECOR_CLI_ENCODER_H
#define SECOR_CLI_ENCODER_H

#include "core/base/buf.h"
#include "core/config/config.h"

#include <secor/format.h>
#include <stdio.h>

struct encoder {
	struct secor_sink sink; /* first: what the format puts */
	const struct secor_format_ops *ops;
	void *self, *stream;
	const struct secor_object
	    *object;  /* of the stream; NULL: it is begun */
	int by_write; /* records go to `write`, as the engine packs them */
	struct buf encoded; /* not yet drained */
	FILE *file;	    /* NULL: only summed */
	uint64_t length;    /* of the object so far */
	uint32_t crc32c;
};

/* `file` (may be NULL) stays the caller's. Also after a failure:
 * encoder_close. */
int encoder_open(struct encoder *encoder, const struct config_use *format,
    FILE *file, struct secor_err *err);
/* Then a stream makes one object: `object` is borrowed until the end. A format
 * that splits paths hears with the first record which of them it is. */
void encoder_begin(struct encoder *encoder, const struct secor_object *object);
/* SECOR_REJECT: the format does not take this record. */
int encoder_add(struct encoder *encoder, const struct secor_record *record,
    struct secor_err *err);
int encoder_finish(struct encoder *encoder, struct secor_err *err);
void encoder_close(struct encoder *encoder);

/* Which object of its path the record goes into. Waits up to a minute for what
 * the format has to ask for; SECOR_RETRY: in vain. */
int encoder_split(struct encoder *encoder, const struct secor_record *record,
    struct secor_split *split, struct secor_err *err);

/* Whether the format takes the record; no object is begun for it. */
int encoder_try(struct encoder *encoder, const struct secor_record *record,
    struct secor_err *err);

#endif
