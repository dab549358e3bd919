/*
 * text.h -- delimited text: what the files of this plugin share.
 *
 * A file is [header delimiter] { record delimiter }, or { length record },
 * through one compressor.
 */
#ifndef SECOR_FORMAT_TEXT_H
#define SECOR_FORMAT_TEXT_H

#include <secor/format.h>

#include "plugins/common/codec.h"

#define DELIMITER_MAX 64

enum { TEXT_REJECT, TEXT_ESCAPE, TEXT_KEEP };
enum { TEXT_DELIMITER, TEXT_U32BE, TEXT_U32LE, TEXT_VARINT };
#define TEXT_PREFIX_MAX ((size_t)5)

struct text_conf {
	const char *delimiter;
	int inside;  /* TEXT_REJECT, ... */
	int framing; /* TEXT_DELIMITER, ... */
	int compression;
	int64_t level;
	const char *header;
};

/* An instance. */
struct text {
	const struct text_conf *conf;
	struct codec *codec;
	int kind; /* of compression: enum codec_kind */
	size_t delimiter_len;
	char delimiter[DELIMITER_MAX];
};

/* What an option writes with \n \t \r \0 \\ \xNN, as bytes. NULL, or what is
 * wrong with it. */
const char *
text_unescape_option(const char *option, char *bytes, size_t room, size_t *len);

/* TEXT_ESCAPE: a backslash, and the first byte of the delimiter, become \\ \n
 * \t \r or \xNN, so that the delimiter appears between records only. */
size_t text_escaped_len(const struct secor_bytes *value, char first);
void text_escape(const struct secor_bytes *value, char first, char *dst);
/* In place: the new length in *len, or SECOR_REJECT and the byte in *at. */
int text_unescape(char *bytes, size_t *len, size_t *at);

/* The length before a record, in at most TEXT_PREFIX_MAX bytes; how many. */
size_t text_prefix_put(int framing, uint64_t len, char *to);
/* Of the first n bytes (at least one); 0: there must be more. */
int text_prefix_get(int framing, const char *from, size_t n, uint64_t *len);

/* The slots of the reader. */
int text_read_begin(void *self, struct secor_source *source, void **reader,
    struct secor_err *err);
int text_read(void *reader, struct secor_read_record *record, int *more,
    struct secor_err *err);
void text_read_end(void *reader);

#endif
