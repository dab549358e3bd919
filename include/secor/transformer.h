/*
 * transformer.h -- message to message, or none. `transformers:` is a chain.
 * Deterministic: a function of the message and the options only. Topic,
 * partition and offset of the result are ignored: they cannot change.
 */
#ifndef SECOR_TRANSFORMER_H
#define SECOR_TRANSFORMER_H

#include <secor/message.h>

#ifdef __cplusplus
extern "C" {
#endif

struct secor_transformer_ops {
	uint32_t size;
	uint32_t looks_at; /* SECOR_LOOKS_AT_* */

	/* Makes an instance. SECOR_FATAL with a sentence, or SECOR_OK. May
	 * block. */
	int (*open)(
	    const struct secor_open *with, void **self, struct secor_err *err);

	/* Fills `out` (preset to a copy of `in`) or sets *keep to 0: the
	 * message is counted as filtered. SECOR_REJECT: a bad message.
	 * SECOR_RETRY: the partition pauses and the same message comes again.
	 * Consumer thread; must not block. */
	int (*transform)(void *self, const struct secor_message *in,
	    struct secor_message *out, int *keep, struct secor_err *err);

	void (*close)(void *self); /* accepts NULL */

	/* SECOR_LOOKS_AT_* beyond `looks_at`, as a function of the
	 * options. Pure, any thread. NULL: nothing. */
	uint32_t (*looks)(const void *conf);
};

#ifdef __cplusplus
}
#endif
#endif
