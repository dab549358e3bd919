/*
 * held.c -- messages that a RETRY or a limit kept back, in order. Thread:
 * consumer.
 */
#include "core/flow/flow.h"

#include <stdlib.h>
#include <string.h>

enum { HELD_COST = 256 }; /* of a message beside its bytes */

void
held_free(struct part *part)
{
	struct held *held = &part->held;

	for (; held->at < held->count; held->at++)
		message_free(held->items[held->at]);
	free(held->items);
	memset(held, 0, sizeof(*held));
}

static int64_t
cost_of(const struct message *message)
{
	return (int64_t)(message->raw.value.len + message->raw.key.len) +
	       HELD_COST;
}

void
held_put(struct part *part, const struct message *message, int limited)
{
	struct held *held = &part->held;

	if (held->count == held->room && held->at > held->room / 2) {
		held->count -= held->at;
		memmove(held->items, held->items + held->at,
		    held->count * sizeof(*held->items));
		held->at = 0;
	}
	if (held->count == held->room) {
		held->room = held->room == 0 ? 64 : held->room * 2;
		held->items =
		    mem_grow(held->items, held->room * sizeof(*held->items));
	}
	held->items[held->count++] = message_keep(message);
	held->bytes += cost_of(message);
	if (part->throttled || limited)
		throttle_hold(part->engine->throttle, part, cost_of(message));
}

void
held_drop_first(struct part *part)
{
	struct held *held = &part->held;
	struct message *message = held->items[held->at++];

	held->bytes -= cost_of(message);
	message_free(message);
}

int64_t
held_end(const struct part *part)
{
	const struct held *held = &part->held;

	if (held->at == held->count)
		return part->next;
	return held->items[held->count - 1]->raw.offset + 1;
}
