/*
 * input.h -- the bytes of a file with their position. What a length in the file
 * promises is only allocated as it arrives.
 */
#ifndef SECOR_FORMAT_SEQUENCEFILE_INPUT_H
#define SECOR_FORMAT_SEQUENCEFILE_INPUT_H

#include <secor/format.h>

#include "plugins/common/grow.h"

struct input {
	struct secor_source *source;
	uint64_t at; /* of the next byte */
	size_t next, len;
	char room[65536];
};

/* SECOR_OK with *ended: there is no further byte. */
int input_ended(struct input *input, int *ended, struct secor_err *err);
/* The next n bytes, or SECOR_REJECT: the file ends before. */
int input_take(struct input *input, void *to, size_t n, struct secor_err *err);
int input_grow(
    struct input *input, struct grow *to, size_t n, struct secor_err *err);
int input_u32(struct input *input, uint32_t *value, struct secor_err *err);
/* A vint from 0 to SEQ_MAX; `what` it counts. */
int input_count(struct input *input, const char *what, size_t *value,
    struct secor_err *err);

#endif
