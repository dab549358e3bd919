/*
 * grow.c -- see grow.h.
 */
#include "plugins/common/grow.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SMALLEST 256

char *
grow_room(struct grow *grow, size_t more)
{
	size_t need, room;

	assert(more <= SIZE_MAX / 4 - grow->len);
	need = grow->len + more;
	if (grow->ptr != NULL && need <= grow->room)
		return grow->ptr + grow->len;
	room = grow->room == 0 ? SMALLEST : grow->room;
	while (room < need)
		room *= 2;
	grow->ptr = realloc(grow->ptr, room);
	assert(grow->ptr != NULL);
	grow->room = room;
	return grow->ptr + grow->len;
}

void
grow_put(struct grow *grow, const void *bytes, size_t len)
{
	if (len == 0)
		return;
	memcpy(grow_room(grow, len), bytes, len);
	grow->len += len;
}

void
grow_fini(struct grow *grow)
{
	free(grow->ptr);
	*grow = (struct grow){NULL, 0, 0};
}
