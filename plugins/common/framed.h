/*
 * framed.h -- the frame that serializers of schema registries put in front of a
 * value: a zero byte and the schema's id, four bytes with the highest first.
 */
#ifndef PLUGINS_COMMON_FRAMED_H
#define PLUGINS_COMMON_FRAMED_H

#include "plugins/common/wire.h"

#define FRAMED_NONE 0
#define FRAMED_CONFLUENT 1

/* The choices of an option: none, confluent. */
#define FRAMED_CHOICES "none", "confluent", NULL

/* NULL with *id, and the cursor behind the frame; or a constant phrase. */
static inline const char *
framed_open(struct wire *wire, uint32_t *id)
{
	uint64_t magic, number;

	if (!wire_big(wire, 1, &magic))
		return "the value has no frame: it is empty";
	if (magic != 0)
		return "the value has no frame: its first byte is not 0";
	if (!wire_big(wire, 4, &number))
		return "the value has no frame: it is cut off";
	*id = (uint32_t)number;
	return NULL;
}

#endif
