/*
 * event_fill.c -- fills the placeholders of a text (event_text.h).
 */
#include "plugins/common/event_hole.h"
#include "plugins/common/event_json.h"
#include "plugins/common/event_objects.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#define NULL_LEVEL "__HIVE_DEFAULT_PARTITION__"

struct sums {
	uint64_t objects, records, bytes;
};

static struct sums
sum_of(const struct event_said *said)
{
	const struct secor_event_object *object =
	    said->batch != NULL ? said->batch->objects : said->path->objects;
	size_t count = said->batch != NULL ? said->batch->object_count
					   : said->path->object_count;
	struct sums sums = {.objects = count};

	for (size_t i = 0; i < count; i++) {
		sums.records += object->records;
		sums.bytes += object->bytes;
		object = event_objects_next(object);
	}
	return sums;
}

static int64_t
number_of_batch(enum hole hole, const struct secor_event_batch *batch)
{
	switch (hole) {
	case HOLE_PARTITION:
		return batch->partition;
	case HOLE_START:
		return batch->start;
	case HOLE_END:
		return batch->end;
	case HOLE_MESSAGES:
		return (int64_t)batch->messages;
	case HOLE_FILTERED:
		return (int64_t)batch->filtered;
	default: /* HOLE_BAD */
		return (int64_t)batch->bad;
	}
}

static int64_t
number_of_path(enum hole hole, const struct secor_event_path *path)
{
	if (path->size < sizeof(*path))
		return 0; /* an older engine did not count */
	switch (hole) {
	case HOLE_TIME_FROM:
	case HOLE_TIME_FROM_MS:
		return path->time_from;
	case HOLE_TIME_UNTIL:
	case HOLE_TIME_UNTIL_MS:
		return path->time_until;
	case HOLE_TOTAL_OBJECTS:
		return (int64_t)path->total_objects;
	case HOLE_TOTAL_RECORDS:
		return (int64_t)path->total_records;
	default: /* HOLE_TOTAL_BYTES */
		return (int64_t)path->total_bytes;
	}
}

static int64_t
number_of(enum hole hole, const struct event_said *said)
{
	switch (hole) {
	case HOLE_SENT_MS:
		return said->sent_ms;
	case HOLE_OBJECTS:
		return (int64_t)sum_of(said).objects;
	case HOLE_RECORDS:
		return (int64_t)sum_of(said).records;
	case HOLE_BYTES:
		return (int64_t)sum_of(said).bytes;
	default:
		return said->batch != NULL ? number_of_batch(hole, said->batch)
					   : number_of_path(hole, said->path);
	}
}

static const char *
level_of(const struct secor_event_path *path, const char *name)
{
	for (uint32_t i = 0; i < path->level_count; i++) {
		const struct secor_event_level *level = &path->levels[i];

		if (strcmp(level->name, name) == 0)
			return level->value == NULL ? NULL_LEVEL : level->value;
	}
	return NULL;
}

static void
add_time(struct text *to, int64_t ms)
{
	time_t seconds = (time_t)(ms / 1000);
	char iso[40] = "";
	struct tm tm;

	if (gmtime_r(&seconds, &tm) != NULL)
		(void)strftime(iso, sizeof(iso), "%Y-%m-%dT%H:%M:%SZ", &tm);
	text_adds(to, iso);
}

static void
add_id(struct text *text, const struct event_said *said)
{
	if (said->batch != NULL)
		event_batch_id(text, said->batch);
	else
		event_path_id(text, event_name(said->event), said->path);
}

/* Those that are put together; `made` holds the value. */
static void
make_value(struct text *made, enum hole hole, const struct event_said *said)
{
	if (hole == HOLE_JSON)
		event_said_json(made, said);
	else if (hole == HOLE_ID)
		add_id(made, said);
	else if (hole == HOLE_TIME_FROM || hole == HOLE_TIME_UNTIL)
		add_time(made, number_of(hole, said));
	else
		text_addf(made, "%" PRId64, number_of(hole, said));
}

static void
fill(struct text *to, const struct part *part, const struct event_said *said,
    event_write_fn *write)
{
	enum event_value kind = EVENT_WORD;
	const char *value = NULL;
	struct text made = {0};

	switch (part->hole) {
	case HOLE_EVENT:
		value = event_name(said->event);
		break;
	case HOLE_TOPIC:
		value = said->batch != NULL ? said->batch->topic
					    : said->path->topic;
		break;
	case HOLE_MANIFEST_KEY:
		value = said->batch->manifest_key;
		break;
	case HOLE_PATH:
		value = said->path->path;
		break;
	case HOLE_URL:
		value = said->path->url;
		break;
	case HOLE_LEVEL:
		value = level_of(said->path, part->name);
		break;
	default:
		if (part->hole == HOLE_JSON)
			kind = EVENT_JSON;
		else if (part->hole != HOLE_ID &&
			 part->hole != HOLE_TIME_FROM &&
			 part->hole != HOLE_TIME_UNTIL)
			kind = EVENT_NUMBER;
		make_value(&made, part->hole, said);
		value = made.ptr;
	}
	write(to, kind, value, part->quoted);
	to->failed |= made.failed;
	text_fini(&made);
}

void
event_text_add(struct text *to, const struct event_text *text,
    const struct event_said *said, event_write_fn *write)
{
	text_adds(to, "");
	for (size_t i = 0; i < text->count; i++) {
		const struct part *part = &text->parts[i];

		if (part->literal != NULL)
			text_add(to, part->literal, part->len);
		else
			fill(to, part, said, write);
	}
}
