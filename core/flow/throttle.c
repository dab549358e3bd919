/*
 * throttle.c -- see throttle.h.
 *
 * Invariants: a partition that holds messages because of a limit is in the row,
 * and no partition is in it twice; PAUSE_RATE is set only on one that is.
 */
#include "core/flow/throttle.h"

#include "core/base/buf.h"
#include "core/base/log.h"
#include "core/flow/flow.h"
#include "core/flow/rate.h"

#include <stdlib.h>

enum {
	SHARE = 100,	    /* messages of a partition at a time */
	HELD_MIN = 8 << 20, /* bytes that may be held, at least */
	QUIET_MS = 60000,   /* nobody has waited: the limit is far again */
	BY_MESSAGES = 1,
	BY_BYTES = 2
};

struct limit {
	struct rate messages, bytes;
};

struct throttle {
	const struct config *config;
	struct part *first, **last; /* the row */
	int64_t held_max, room;	    /* bytes; what is left of them */
	unsigned by;		    /* BY_*: why somebody waits */
	int64_t served_boot_ms;
	int64_t waited_boot_ms; /* somebody had to; 0: said that it is over */
	struct metric *by_messages, *by_bytes;
	struct limit limits[]; /* [0]: the process; then overrides */
};

static struct metric *
seconds(const char *by)
{
	return metric_counter_ms("secor_throttled_seconds_total",
	    "Time in which messages waited for a limit of kafka, by which.",
	    METRIC_LABELS("by", by));
}

static int
limit_init(struct limit *limit, int64_t messages, int64_t bytes)
{
	rate_init(&limit->messages, messages);
	rate_init(&limit->bytes, bytes);
	return messages > 0 || bytes > 0;
}

struct throttle *
throttle_new(const struct config *config, int64_t queue_bytes)
{
	struct throttle *t =
	    mem_alloc(sizeof(*t) + config->topic_count * sizeof(t->limits[0]));
	int limited =
	    limit_init(&t->limits[0], config->kafka.max_messages_per_second,
		config->kafka.max_bytes_per_second);

	for (size_t i = 1; i < config->topic_count; i++)
		limited |= limit_init(&t->limits[i],
		    config->topics[i].intake.max_messages_per_second,
		    config->topics[i].intake.max_bytes_per_second);
	if (!limited) {
		free(t);
		return NULL;
	}
	t->config = config;
	t->last = &t->first;
	t->held_max = 2 * queue_bytes > HELD_MIN ? 2 * queue_bytes : HELD_MIN;
	t->room = t->held_max;
	t->by_messages = seconds("messages");
	t->by_bytes = seconds("bytes");
	return t;
}

void
throttle_free(struct throttle *throttle)
{
	free(throttle);
}

/* ---- one message ---- */

/* Of the topic's override; that of the process where it has none. */
static struct limit *
own_limit(struct throttle *t, const struct part *part)
{
	return &t->limits[part->lane->topic - t->config->topics];
}

static unsigned
who_waits(const struct limit *limit)
{
	return (rate_waits(&limit->messages) ? BY_MESSAGES : 0U) |
	       (rate_waits(&limit->bytes) ? BY_BYTES : 0U);
}

static void
take(struct limit *limit, int64_t bytes)
{
	rate_take(&limit->messages, 1);
	rate_take(&limit->bytes, bytes);
}

int
throttle_waits(struct throttle *t, const struct part *part)
{
	unsigned by = who_waits(&t->limits[0]) | who_waits(own_limit(t, part));

	t->by |= by;
	return by != 0;
}

void
throttle_take(
    struct throttle *t, const struct part *part, const struct message *message)
{
	struct limit *own = own_limit(t, part);

	take(&t->limits[0], (int64_t)message->raw.value.len);
	if (own != &t->limits[0])
		take(own, (int64_t)message->raw.value.len);
}

/* ---- the row ---- */

static void
line_up(struct throttle *t, struct part *part)
{
	part->throttled = 1;
	part->throttled_next = NULL;
	*t->last = part;
	t->last = &part->throttled_next;
}

static struct part *
step_out(struct throttle *t)
{
	struct part *part = t->first;

	t->first = part->throttled_next;
	if (t->first == NULL)
		t->last = &t->first;
	part->throttled = 0;
	return part;
}

void
throttle_hold(struct throttle *t, struct part *part, int64_t bytes)
{
	if (!part->throttled)
		line_up(t, part);
	t->room -= bytes;
	if (t->room < 0 && !(part->pause & PAUSE_RATE))
		pause_set(part, PAUSE_RATE);
}

/* How many there are, and what room they leave. */
static size_t
measure(struct throttle *t)
{
	size_t n = 0;

	t->room = t->held_max;
	for (const struct part *p = t->first; p != NULL;
	     p = p->throttled_next, n++)
		t->room -= p->held.bytes;
	return n;
}

/* Whether anything was taken in. What waits for something else too keeps its
 * place. */
static int
serve_one(struct throttle *t, struct part *part, int64_t boot_ms)
{
	int64_t before = part->next;

	if (part->state == PART_RUNNING &&
	    (part->pause & ~(unsigned)PAUSE_RATE) == 0) {
		consume_held(part, SHARE);
		if (part->state == PART_RUNNING)
			policy_part(part, boot_ms);
	}
	if (part->state == PART_RUNNING && part->held.count > 0)
		line_up(t, part);
	else if (part->pause & PAUSE_RATE)
		pause_clear(part, PAUSE_RATE);
	return part->next > before;
}

/* ---- time ---- */

static void
tell(struct throttle *t, int64_t waited_ms, int64_t boot_ms)
{
	if (t->by != 0) {
		metric_add(t->by_messages, t->by & BY_MESSAGES ? waited_ms : 0);
		metric_add(t->by_bytes, t->by & BY_BYTES ? waited_ms : 0);
		if (t->waited_boot_ms == 0)
			log_line(SECOR_INFO, "rate limit holds back", "by=%s",
			    t->by & BY_MESSAGES ? "messages" : "bytes");
		t->waited_boot_ms = boot_ms;
	} else if (t->waited_boot_ms != 0 &&
		   boot_ms - t->waited_boot_ms > QUIET_MS) {
		log_line(SECOR_INFO, "rate limit is far again", NULL);
		t->waited_boot_ms = 0;
	}
}

int
throttle_serve(struct throttle *t, int64_t boot_ms)
{
	int64_t passed_ms =
	    t->served_boot_ms == 0 ? 0 : boot_ms - t->served_boot_ms;
	int goes_on = t->first != NULL;

	tell(t, passed_ms, boot_ms);
	t->by = 0;
	t->served_boot_ms = boot_ms;
	for (size_t i = 0; i < t->config->topic_count; i++) {
		rate_pass(&t->limits[i].messages, passed_ms);
		rate_pass(&t->limits[i].bytes, passed_ms);
	}
	while (goes_on) {
		goes_on = 0;
		for (size_t n = measure(t); n > 0; n--)
			goes_on |= serve_one(t, step_out(t), boot_ms);
	}
	return measure(t) > 0;
}
