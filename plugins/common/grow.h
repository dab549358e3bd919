/*
 * grow.h -- bytes that grow, for plugins. Out of memory aborts: a crash loses
 * nothing, since offsets are committed only after objects are durable.
 */
#ifndef SECOR_COMMON_GROW_H
#define SECOR_COMMON_GROW_H

#include <stddef.h>

struct grow {
	char *ptr;
	size_t len;
	size_t room;
};

/* Room for `more` bytes behind `len`: where they go. */
char *grow_room(struct grow *grow, size_t more);
void grow_put(struct grow *grow, const void *bytes, size_t len);
void grow_fini(struct grow *grow);

#endif
