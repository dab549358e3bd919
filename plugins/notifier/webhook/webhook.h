/*
 * webhook.h -- what the files of the plugin share: the JSON of an event.
 */
#ifndef SECOR_NOTIFIER_WEBHOOK_H
#define SECOR_NOTIFIER_WEBHOOK_H

#include "plugins/common/text.h"

#include <secor/notifier.h>

/* Each appends one JSON object, without white space, keys always in the same
 * order:
 *
 *	{"event":"batch_done","id":"<topic>/<partition>/<start>-<end>",
 *	 "sent_ms":..,"topic":..,"partition":..,"start":..,"end":..,
 *	 "messages":..,"filtered":..,"bad":..,"manifest_key":..,
 *	 "objects":[{"path":..,"levels":[{"name":..,"value":..}],"key":..,
 *	   "url":..,"records":..,"bytes":..,"first_offset":..,
 *	   "last_offset":..,"crc32c":"<8 hex digits>"}]}
 *
 *	{"event":"path_finalized" or "path_amended","id":"<topic>/<path>",
 *	 "sent_ms":..,"topic":..,"path":..,"levels":[..],"url":..,
 *	 "objects":[..]}
 *
 * The name of a bare level is "", the value of a null level null. */
void webhook_batch(
    struct text *text, const struct secor_event_batch *batch, int64_t sent_ms);
void webhook_path(struct text *text, const char *event,
    const struct secor_event_path *path, int64_t sent_ms);

#endif
