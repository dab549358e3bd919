/*
 * input.c -- see input.h.
 */
#include "plugins/format/sequencefile/input.h"

#include "plugins/format/sequencefile/sequencefile.h"

#include <inttypes.h>
#include <string.h>

static int
fill(struct input *input, struct secor_err *err)
{
	size_t got = 0;
	int rc;

	if (input->next < input->len)
		return SECOR_OK;
	rc = input->source->get(
	    input->source, input->room, sizeof(input->room), &got, err);
	if (rc != SECOR_OK)
		return rc;
	input->next = 0;
	input->len = got;
	return SECOR_OK;
}

int
input_ended(struct input *input, int *ended, struct secor_err *err)
{
	int rc = fill(input, err);

	if (rc == SECOR_OK)
		*ended = input->next == input->len;
	return rc;
}

/* The next bytes, at most n of them, where they lie. */
static int
borrow(struct input *input, size_t n, struct secor_bytes *part,
    struct secor_err *err)
{
	int rc = fill(input, err);

	if (rc != SECOR_OK)
		return rc;
	part->ptr = input->room + input->next;
	part->len = input->len - input->next < n ? input->len - input->next : n;
	if (part->len == 0)
		return secor_fail(err, SECOR_REJECT,
		    "byte %" PRIu64 ": the file ends, wanted %zu more",
		    input->at, n);
	input->next += part->len;
	input->at += part->len;
	return SECOR_OK;
}

int
input_take(struct input *input, void *to, size_t n, struct secor_err *err)
{
	struct secor_bytes part;
	char *dst = to;
	int rc;

	for (; n > 0; n -= part.len, dst += part.len) {
		rc = borrow(input, n, &part, err);
		if (rc != SECOR_OK)
			return rc;
		memcpy(dst, part.ptr, part.len);
	}
	return SECOR_OK;
}

int
input_grow(
    struct input *input, struct grow *to, size_t n, struct secor_err *err)
{
	struct secor_bytes part;
	int rc;

	for (; n > 0; n -= part.len) {
		rc = borrow(input, n, &part, err);
		if (rc != SECOR_OK)
			return rc;
		grow_put(to, part.ptr, part.len);
	}
	return SECOR_OK;
}

int
input_u32(struct input *input, uint32_t *value, struct secor_err *err)
{
	char bytes[4];
	int rc = input_take(input, bytes, sizeof(bytes), err);

	if (rc == SECOR_OK)
		*value = seq_get32(bytes);
	return rc;
}

int
input_count(
    struct input *input, const char *what, size_t *value, struct secor_err *err)
{
	uint64_t at = input->at;
	char bytes[SEQ_VINT_MAX];
	int64_t number = 0;
	size_t n = 0;
	int rc;

	do {
		rc = input_take(input, bytes + n, 1, err);
		if (rc != SECOR_OK)
			return rc;
		n++;
	} while (seq_vint_get(bytes, n, &number) == 0);
	if (number < 0 || (uint64_t)number > SEQ_MAX)
		return secor_fail(err, SECOR_REJECT,
		    "byte %" PRIu64 ": %s of %" PRId64, at, what, number);
	*value = (size_t)number;
	return SECOR_OK;
}
