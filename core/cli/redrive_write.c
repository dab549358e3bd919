/*
 * redrive_write.c -- one object of a plan: its dead letters are read again, by
 * their places in the file, and go the way that the plan says.
 */
#include "core/cli/put.h"
#include "core/cli/redrive.h"
#include "core/flow/deadletter_line.h"
#include "core/flow/path.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct writing {
	struct redrive *redrive;
	struct redrive_plan *plan;
	struct encoder encoder;
	struct deadletter letter;
	struct buf line;
};

static int
read_line(struct writing *writing, const struct redrive_letter *at,
    struct secor_err *err)
{
	struct buf *line = &writing->line;
	FILE *file = writing->plan->file;

	line->len = 0;
	buf_reserve(line, at->len);
	if (fseeko(file, (off_t)at->at, SEEK_SET) != 0 ||
	    fread(line->ptr, 1, at->len, file) != at->len)
		return secor_fail(err, SECOR_RETRY, "read a temporary file: %s",
		    strerror(errno));
	if (!deadletter_parse(&writing->letter, line->ptr, at->len))
		return secor_fail(err, SECOR_REJECT,
		    "byte %" PRId64 " is not a dead letter any more", at->at);
	return SECOR_OK;
}

static int
add(struct writing *writing, const struct redrive_letter *at,
    struct secor_err *err)
{
	struct secor_message message;
	struct routed routed = {.err = {{0}}};
	int rc = read_line(writing, at, err);

	if (rc != SECOR_OK)
		return rc;
	message = writing->letter.message;
	message.topic = writing->redrive->topic;
	switch (redrive_route(writing->redrive, &message, &routed)) {
	case ROUTE_OK:
		return encoder_add(&writing->encoder, &routed.record, err);
	case ROUTE_RETRY:
		return secor_fail(err, SECOR_RETRY, "offset %" PRId64 ": %s",
		    message.offset, routed.err.text);
	default:
		return secor_fail(err, SECOR_FATAL,
		    "offset %" PRId64 " was good and is bad now: a plugin is "
		    "not deterministic",
		    message.offset);
	}
}

static int
fill(struct writing *writing, size_t i, struct secor_err *err)
{
	const struct receipt *receipt = &writing->plan->receipt;
	const struct redrive_target *target = &writing->plan->targets[i];
	const struct path_name like = {.topic = receipt->topic,
	    .path = receipt->objects[i].path,
	    .partition = receipt->partition,
	    .start = receipt->start,
	    .extension = target->suffix,
	    .redrive = receipt->number};
	char *name = path_key(&like);
	const struct secor_object object = {.size = sizeof(object),
	    .partition = receipt->partition,
	    .topic = receipt->topic,
	    .start = receipt->start,
	    .name = name};
	int rc = SECOR_OK;

	encoder_begin(&writing->encoder, &object);
	for (size_t n = 0; rc == SECOR_OK && n < target->count; n++)
		rc = add(writing, &target->letters[n], err);
	if (rc == SECOR_OK)
		rc = encoder_finish(&writing->encoder, err);
	free(name);
	return rc;
}

static int
write_and_put(
    struct writing *writing, size_t i, FILE *file, struct secor_err *err)
{
	const struct redrive *redrive = writing->redrive;
	struct receipt_object *object = &writing->plan->receipt.objects[i];
	struct cli_file made = {file, 0, 0, redrive->traits.content_type};
	int rc = encoder_open(
	    &writing->encoder, &redrive->settings->format, file, err);

	if (rc == SECOR_OK)
		rc = fill(writing, i, err);
	if (rc != SECOR_OK)
		return rc;
	made.length = object->bytes = writing->encoder.length;
	made.crc32c = object->crc32c = writing->encoder.crc32c;
	return cli_put_file(&redrive->store, object->key, &made, err);
}

int
redrive_write(struct redrive *redrive, struct redrive_plan *plan, size_t i,
    struct secor_err *err)
{
	struct writing writing = {.redrive = redrive, .plan = plan};
	FILE *file = tmpfile();
	int rc;

	if (file == NULL)
		return secor_fail(err, SECOR_RETRY, "make a temporary file: %s",
		    strerror(errno));
	rc = write_and_put(&writing, i, file, err);
	encoder_close(&writing.encoder);
	deadletter_fini(&writing.letter);
	buf_fini(&writing.line);
	(void)fclose(file);
	return rc;
}
