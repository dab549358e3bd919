/*
 * spare.c -- see spare.h.
 */
#include "core/flow/spare.h"

#include "core/base/buf.h"

#include <stdlib.h>
#include <unistd.h>

#define SPARE_MIN (UINT64_C(1) << 20)
#define SPARE_MAX (INT64_C(512) << 20) /* over all writers */

struct spare {
	struct spare *next;
	char *name;
	uint64_t bytes;
};

int
spares_count(struct spares *spares, int64_t bytes)
{
	struct stage *stage = spares->stage;
	int64_t limit = stage_room(stage, spares->max_bytes) / 8;

	if (limit > SPARE_MAX)
		limit = SPARE_MAX;
	stage_count_spare(stage, bytes);
	if (stage_spare(stage) <= limit)
		return 1;
	stage_count_spare(stage, -bytes);
	return 0;
}

int
spares_give(struct spares *spares, char *name, uint64_t bytes)
{
	struct spare *spare;

	if (bytes < SPARE_MIN || !spares_count(spares, (int64_t)bytes))
		return 0;
	spare = mem_alloc(sizeof(*spare));
	spare->name = name;
	spare->bytes = bytes;
	spare->next = spares->first;
	spares->first = spare;
	return 1;
}

char *
spares_take(struct spares *spares, uint64_t *bytes)
{
	struct spare *spare = spares->first;
	char *name;

	if (spare == NULL)
		return NULL;
	spares->first = spare->next;
	name = spare->name;
	*bytes = spare->bytes;
	free(spare);
	return name;
}

int
spares_drop(struct spares *spares)
{
	int any = spares->first != NULL;
	uint64_t bytes;
	char *name;

	while ((name = spares_take(spares, &bytes)) != NULL) {
		(void)unlink(name);
		stage_count_spare(spares->stage, -(int64_t)bytes);
		free(name);
	}
	return any;
}
