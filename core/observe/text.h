/*
 * text.h -- text of others inside HTML and Prometheus lines. Whatever
 * goes in, the output is valid UTF-8 and cannot end what it stands in.
 */
#ifndef SECOR_OBSERVE_TEXT_H
#define SECOR_OBSERVE_TEXT_H

#include "core/base/buf.h"

/* Appends with what differs: quotes, '&', '<', '>' as HTML entities. */
void text_put_html(struct buf *out, const char *text);

/* Inside the quotes of a Prometheus label value. */
void text_put_label(struct buf *out, const char *text);

/* Behind # HELP name. */
void text_put_help(struct buf *out, const char *text);

#endif
