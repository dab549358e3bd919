/*
 * text.h -- text of others inside JSON, HTML and Prometheus lines. Whatever
 * goes in, the output is valid UTF-8 and cannot end what it stands in.
 */
#ifndef SECOR_OBSERVE_TEXT_H
#define SECOR_OBSERVE_TEXT_H

#include "core/base/buf.h"

/* Length of the UTF-8 sequence at `text` (NUL-terminated), 0 when its first
 * byte begins none: overlong forms, surrogates and cut ones are none. */
size_t text_utf8(const char *text);

/* Appends with what differs: quotes, '&', '<', '>' as HTML entities. */
void text_put_html(struct buf *out, const char *text);

/* A JSON string with its quotes; NULL gives null. */
void text_put_json(struct buf *out, const char *text);

/* Inside the quotes of a Prometheus label value. */
void text_put_label(struct buf *out, const char *text);

/* Behind # HELP name. */
void text_put_help(struct buf *out, const char *text);

#endif
