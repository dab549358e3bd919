/*
 * event_json.h -- the JSON of what notifiers hear.
 */
#ifndef SECOR_COMMON_EVENT_JSON_H
#define SECOR_COMMON_EVENT_JSON_H

#include "plugins/common/text.h"

#include <secor/notifier.h>

/* Each appends one JSON object, without white space, keys always in the same
 * order. An event that comes again has the same id, two events have not:
 *
 *	{"event":"batch_done","id":"<topic>/<partition>/<start>-<end>",
 *	 "sent_ms":..,"topic":..,"partition":..,"start":..,"end":..,
 *	 "messages":..,"filtered":..,"bad":..,"manifest_key":..,
 *	 "objects":[{"path":..,"levels":[{"name":..,"value":..}],"key":..,
 *	   "url":..,"records":..,"bytes":..,"first_offset":..,
 *	   "last_offset":..,"crc32c":"<8 hex digits>"}]}
 *
 *	{"event":"path_finalized" or "path_amended","id":"<topic>/<path>" or
 *	 "<topic>/<path>#<total_objects>","sent_ms":..,"topic":..,"path":..,"levels":[..],"url":..,
 *	 "time_from_ms":..,"time_until_ms":..,"total_objects":..,
 *	 "total_records":..,"total_bytes":..,"objects":[..]}
 *
 *	{"event":"object_stored","id":"<topic>/<key>","sent_ms":..,"topic":..,
 *	 "partition":..,"start":..,"end":..,"path":..,"levels":[..],"key":..,
 *	 "url":..,"records":..,"bytes":..,"first_offset":..,"last_offset":..,
 *	 "crc32c":..}
 *
 * The name of a bare level is "", the value of a null level null. */
void event_batch_json(
    struct text *text, const struct secor_event_batch *batch, int64_t sent_ms);
void event_path_json(struct text *text, const char *event,
    const struct secor_event_path *path, int64_t sent_ms);
/* One object of a batch. */
void event_object_json(struct text *text, const struct secor_event_batch *batch,
    const struct secor_event_object *object, int64_t sent_ms);

/* Those ids alone. */
void event_batch_id(struct text *text, const struct secor_event_batch *batch);
void event_path_id(
    struct text *text, const char *event, const struct secor_event_path *path);

#endif
