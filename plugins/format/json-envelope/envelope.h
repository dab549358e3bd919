/*
 * envelope.h -- messages as JSON lines: what the files of this plugin share.
 *
 *	{"topic":"t","partition":0,"offset":7,"timestamp":1405908000000,
 *	 "timestamp_type":"create","key":"k",
 *	 "headers":[{"name":"a","value":"b"}],"value":...}
 *
 * in one line with a line feed behind it. What is not there is null; a
 * tombstone's value is.
 */
#ifndef SECOR_FORMAT_JSON_ENVELOPE_H
#define SECOR_FORMAT_JSON_ENVELOPE_H

#include <secor/format.h>

#include "plugins/common/codec.h"

/* How bytes are written; one order with the choices. */
enum envelope_as { ENVELOPE_JSON, ENVELOPE_STRING, ENVELOPE_BASE64 };

struct envelope_conf {
	int value, key, headers; /* enum envelope_as */
	int compression;
	int64_t level;
};

/* An instance. */
struct envelope {
	const struct envelope_conf *conf;
	struct codec *codec;
};

int envelope_encode(void *self, const struct secor_record *record, char *dst,
    size_t room, size_t *used, struct secor_err *err);

/* The slots of the reader. */
int envelope_read_begin(void *self, struct secor_source *source, void **reader,
    struct secor_err *err);
int envelope_read(void *reader, struct secor_read_record *record, int *more,
    struct secor_err *err);
void envelope_read_end(void *reader);

#endif
