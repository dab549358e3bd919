/*
 * event.h -- events for the tests of notifiers.
 */
#ifndef TESTS_UNIT_NOTIFIER_EVENT_H
#define TESTS_UNIT_NOTIFIER_EVENT_H

#include <secor/notifier.h>

/* An object as a newer engine makes it: larger than this header's. */
struct event_object {
	struct secor_event_object object;
	char newer[24];
};

/* The object of `path`; key and url follow from it. Borrows everything. */
struct event_object event_object(const char *path,
    const struct secor_event_level *levels, uint32_t level_count);

/* Offsets [100, 350) of partition 3 of `topic`, stored as these objects. */
struct secor_event_batch event_batch(
    const char *topic, const struct event_object *objects, size_t count);

/* A path of topic "t" in the first hour of 2026, in all 7 objects of 9000
 * records; without the objects that are new. */
struct secor_event_path event_path(const char *path,
    const struct secor_event_level *levels, uint32_t level_count);

#endif
