/*
 * tell.c -- the messages of an event: where they go, in how many parts, and
 * what of them comes again.
 *
 * A batch that comes again, and was told in part, goes on where it stopped:
 * messages of its objects that are settled are not put again. First its
 * objects, then the batch itself.
 */
#include "plugins/notifier/kafka/kafka.h"

#include <stdlib.h>
#include <string.h>

/* ---- topics ---- */

/* Where events about this topic go. */
static int
name_topic(const struct kafka *kafka, const char *about,
    char name[KAFKA_LONGEST_TOPIC + 1], struct secor_err *err)
{
	const char *at = kafka->conf->topic, *hole;
	struct text text = {0};
	int rc = SECOR_OK;

	while ((hole = strstr(at, KAFKA_TOPIC)) != NULL) {
		text_add(&text, at, (size_t)(hole - at));
		text_adds(&text, about);
		at = hole + sizeof(KAFKA_TOPIC) - 1;
	}
	text_adds(&text, at);
	if (text.failed)
		rc = secor_fail(err, SECOR_RETRY, "out of memory");
	else if (text.len > KAFKA_LONGEST_TOPIC)
		rc = secor_fail(err, SECOR_REJECT,
		    "%.260s is no name of a topic: longer than 249 bytes",
		    text.ptr);
	else
		memcpy(name, text.ptr, text.len + 1);
	text_fini(&text);
	return rc;
}

/* ---- objects ---- */

void
kept_clear(struct kept *kept)
{
	free(kept->manifest);
	free(kept->sent);
	*kept = (struct kept){.manifest = NULL};
}

/* What is known of the objects of this batch; nothing, when it is new. */
static int
keep(struct kept *kept, const struct secor_event_batch *batch)
{
	if (kept->manifest != NULL && kept->count == batch->object_count &&
	    strcmp(kept->manifest, batch->manifest_key) == 0)
		return 1;
	kept_clear(kept);
	kept->manifest = strdup(batch->manifest_key);
	kept->sent = calloc(batch->object_count + 1, sizeof(*kept->sent));
	kept->count = batch->object_count;
	if (kept->manifest != NULL && kept->sent != NULL)
		return 1;
	kept_clear(kept);
	return 0;
}

/* What all messages of an event share. */
struct told {
	struct kafka *kafka;
	const struct event_said *said;
	const char *topic;	  /* where they go */
	size_t messages, dropped; /* of them */
	char why[512];		  /* of the first that was dropped */
};

static int
put_objects(struct told *told, struct secor_err *err)
{
	struct kept *kept = &told->kafka->kept;
	struct pile pile = {.kafka = told->kafka,
	    .said = told->said,
	    .topic = told->topic,
	    .count = kept->count,
	    .sent = kept->sent,
	    .why = kept->why};
	int rc, smaller;

	do {
		rc = pile_put(&pile, &smaller, err);
	} while (smaller);
	told->messages += pile.count;
	told->dropped += pile_dropped(&pile);
	memcpy(told->why, kept->why, sizeof(told->why));
	return rc;
}

/* ---- the event itself, in parts ---- */

/* Whether no share of several objects is larger than that. */
static int
fits(const struct event_said *said, size_t count, size_t parts, size_t room)
{
	int all = 1;

	for (size_t i = 0; all && i < parts; i++) {
		struct text value = {0};

		if (count * (i + 1) / parts - count * i / parts < 2)
			continue;
		pile_add_part(&value, said, i, parts);
		all = value.failed || value.len <= room;
		text_fini(&value);
	}
	return all;
}

/* How many parts an event of so many objects needs, so that none is larger than
 * `room`, if it has more than one. */
static size_t
parts_of(const struct event_said *said, size_t count, size_t room)
{
	struct text whole = {0};
	size_t parts;

	event_said_json(&whole, said);
	parts = whole.len <= room ? 1 : 2 * (whole.len / room + 1);
	text_fini(&whole);
	/* objects differ in size, and large ones may lie side by side */
	while (parts > 1 && parts < count && !fits(said, count, parts, room))
		parts *= 2;
	if (parts > count)
		parts = count;
	return parts > 0 ? parts : 1;
}

static int
put_parts(struct told *told, int *smaller, struct secor_err *err)
{
	const struct event_said *said = told->said;
	size_t count = said->batch != NULL ? said->batch->object_count
					   : said->path->object_count;
	size_t parts =
	    parts_of(said, count, producer_room(told->kafka->producer));
	struct pile pile = {.kafka = told->kafka,
	    .said = said,
	    .topic = told->topic,
	    .count = parts,
	    .parts = parts,
	    .sent = calloc(parts, sizeof(struct sent)),
	    .why = told->why};
	int rc;

	*smaller = 0;
	if (pile.sent == NULL)
		return secor_fail(err, SECOR_RETRY, "out of memory");
	rc = pile_put(&pile, smaller, err);
	if (!*smaller) {
		told->messages += pile.count;
		told->dropped += pile_dropped(&pile);
	}
	free(pile.sent);
	return rc;
}

/* ---- events ---- */

static int
tell_all(struct told *told, struct secor_err *err)
{
	const struct secor_event_batch *batch = told->said->batch;
	unsigned events = told->kafka->events;
	int rc = SECOR_OK, smaller = 1;

	if (batch != NULL && (events & KAFKA_TELL_OBJECT) != 0)
		rc = keep(&told->kafka->kept, batch)
			 ? put_objects(told, err)
			 : secor_fail(err, SECOR_RETRY, "out of memory");
	if ((events & (batch != NULL ? KAFKA_TELL_BATCH : KAFKA_TELL_PATH)) !=
	    0)
		while (rc == SECOR_OK && smaller)
			rc = put_parts(told, &smaller, err);
	return rc;
}

int
kafka_tell(struct kafka *kafka, struct event_said *said, struct secor_err *err)
{
	const char *about =
	    said->batch != NULL ? said->batch->topic : said->path->topic;
	char topic[KAFKA_LONGEST_TOPIC + 1];
	struct told told = {.kafka = kafka, .said = said, .topic = topic};
	int rc;

	if ((kafka->events &
		(said->batch != NULL ? KAFKA_TELL_OBJECT | KAFKA_TELL_BATCH
				     : KAFKA_TELL_PATH)) == 0)
		return SECOR_OK;
	rc = name_topic(kafka, about, topic, err);
	if (rc != SECOR_OK)
		return rc;
	said->sent_ms = kafka->host->now_ms(kafka->host);
	rc = tell_all(&told, err);
	if (rc == SECOR_OK && told.dropped > 0)
		rc = secor_fail(err, SECOR_REJECT,
		    "topic %s does not take %zu of %zu messages: %s", topic,
		    told.dropped, told.messages, told.why);
	if (rc != SECOR_RETRY && said->batch != NULL)
		kept_clear(&kafka->kept);
	return rc;
}
