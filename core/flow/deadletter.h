/*
 * deadletter.h -- bad messages as JSON lines, kept whole. A built-in format, so
 * that a dead-letter object is an object like any other.
 *
 *	<dead letter prefix>/<topic>/<generation>_<p>_<S>.jsonl
 *	{"topic":..,"partition":..,"offset":..,"timestamp":..,"timestamp_type":..,
 *	 "headers":[{"name":..,"value":<base64>}],"key":<base64 or null>,
 *	 "value":<base64 or null>,"reason":..,"plugin":..}
 */
#ifndef SECOR_FLOW_DEADLETTER_H
#define SECOR_FLOW_DEADLETTER_H

#include "core/config/config.h"

/* Fields of the record that `encode` gets: [0] reason, [1] plugin. Headers and
 * key are read from the message. */
extern const struct config_use deadletter_format;

/* Why the record that `reader` read last was a bad message. */
const char *deadletter_reason(const void *reader);

#endif
