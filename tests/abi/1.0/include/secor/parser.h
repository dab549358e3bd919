/*
 * parser.h -- message to record: its event time and the fields asked for.
 * Deterministic, does not block; no clock, no look-ups that can fail soft.
 */
#ifndef SECOR_PARSER_H
#define SECOR_PARSER_H

#include <secor/message.h>

#ifdef __cplusplus
extern "C" {
#endif

struct secor_parser_ops {
	uint32_t size;
	uint32_t looks_at; /* SECOR_LOOKS_AT_* */

	/* `with->fields` are the field paths that partitioners and others ask
	 * for. SECOR_FATAL with a sentence when one can never be found. May
	 * block. */
	int (*open)(
	    const struct secor_open *with, void **self, struct secor_err *err);

	/* Fills record->time_ms and fields[0..field_count); both are preset to
	 * "not there". Field bytes are borrowed from the message or from the
	 * instance (valid until its next parse). With `no_time` the
	 * engine ignores time_ms.
	 * SECOR_REJECT: a bad message; the text is its reason, it must be a
	 * function of the message only, and begin with a constant phrase.
	 * SECOR_RETRY: the partition pauses and the message comes again.
	 * Consumer thread; no malloc on the hot path, please. */
	int (*parse)(void *self, const struct secor_message *message,
	    struct secor_record *record, struct secor_bytes *fields,
	    struct secor_err *err);

	void (*close)(void *self); /* accepts NULL */
};

#ifdef __cplusplus
}
#endif
#endif
