/*
 * event_objects.h -- the objects of an event, one after the other. They say
 * their size, which is the stride: a newer engine's are larger than those that
 * a plugin knows.
 */
#ifndef SECOR_COMMON_EVENT_OBJECTS_H
#define SECOR_COMMON_EVENT_OBJECTS_H

#include <secor/notifier.h>

/* The one behind it; behind the last one it must not be looked at. */
static inline const struct secor_event_object *
event_objects_next(const struct secor_event_object *object)
{
	return (const void *)((const char *)object + object->size);
}

#endif
