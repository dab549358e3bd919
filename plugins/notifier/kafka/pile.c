/*
 * pile.c -- messages that are put together, and settled one by one: taken, or
 * dropped for what they are.
 *
 * Brokers answer for all that came in one batch of a partition: one record that
 * a topic does not take has the others refused with it. Invariant: what is
 * dropped was refused when it was sent alone, and what is settled is not put
 * again.
 */
#include "plugins/common/event_json.h"
#include "plugins/common/event_objects.h"
#include "plugins/notifier/kafka/kafka.h"

#include <string.h>

/* ---- messages ---- */

/* What is said of a path, or of a partition where `path` is NULL. */
static void
add_key(const struct kafka *kafka, const char *topic, const char *path,
    int32_t partition, struct text *key)
{
	if (kafka->conf->key == KAFKA_BY_NONE)
		return;
	if (path != NULL &&
	    (kafka->conf->key == KAFKA_BY_PATH || partition < 0))
		text_addf(key, "%s/%s", topic, path);
	else
		text_addf(key, "%s/%d", topic, (int)partition);
}

static const void *
object_at(const struct secor_event_object *object, size_t i)
{
	while (i-- > 0)
		object = event_objects_next(object);
	return object;
}

void
pile_add_part(struct text *value, const struct event_said *said, size_t part,
    size_t parts)
{
	size_t all = said->batch != NULL ? said->batch->object_count
					 : said->path->object_count;
	size_t first = all * part / parts;
	size_t count = all * (part + 1) / parts - first;
	struct event_said some = *said;
	struct secor_event_batch batch = {.size = 0};
	struct secor_event_path path = {.size = 0};

	if (said->batch != NULL) {
		batch = *said->batch;
		batch.objects = object_at(batch.objects, first);
		batch.object_count = count;
		some.batch = &batch;
	} else {
		size_t known = said->path->size < sizeof(path)
				   ? said->path->size
				   : sizeof(path);

		memcpy(&path, said->path, known);
		path.objects = object_at(path.objects, first);
		path.object_count = count;
		some.path = &path;
	}
	event_said_json(value, &some);
	if (parts == 1 || value->failed)
		return;
	value->len--; /* the last brace */
	text_addf(value, ",\"part\":%zu,\"parts\":%zu}", part + 1, parts);
}

/* A message with its texts. */
struct made {
	struct text key, value;
	const char *event;
};

static void
make_object(const struct pile *pile, const struct secor_event_object *object,
    struct made *made)
{
	const struct secor_event_batch *batch = pile->said->batch;

	made->event = "object_stored";
	add_key(pile->kafka, batch->topic, object->path, batch->partition,
	    &made->key);
	event_object_json(&made->value, batch, object, pile->said->sent_ms);
}

static void
make_part(const struct pile *pile, size_t part, struct made *made)
{
	const struct event_said *said = pile->said;

	made->event = event_name(said->event);
	if (said->batch != NULL)
		add_key(pile->kafka, said->batch->topic, NULL,
		    said->batch->partition, &made->key);
	else
		add_key(pile->kafka, said->path->topic, said->path->path, -1,
		    &made->key);
	pile_add_part(&made->value, said, part, pile->parts);
}

/* `object`: the i-th one, where each is a message. */
static void
make(const struct pile *pile, size_t i, const struct secor_event_object *object,
    struct made *made)
{
	*made = (struct made){.event = NULL};
	if (pile->parts == 0)
		make_object(pile, object, made);
	else
		make_part(pile, i, made);
}

static int
put(const struct pile *pile, size_t i, const struct made *made,
    struct secor_err *err)
{
	const struct message message = {.topic = pile->topic,
	    .key = made->key.ptr,
	    .event = made->event,
	    .value = &made->value,
	    .sent = &pile->sent[i]};

	if (!made->key.failed && !made->value.failed)
		return producer_put(pile->kafka->producer, &message, err);
	/* those before it are answered into `sent`, which ends with this */
	(void)producer_end(pile->kafka->producer, err);
	return secor_fail(err, SECOR_RETRY, "out of memory");
}

static void
made_fini(struct made *made)
{
	text_fini(&made->key);
	text_fini(&made->value);
}

/* ---- settling ---- */

static size_t
with_fate(const struct pile *pile, int fate)
{
	size_t n = 0;

	for (size_t i = 0; i < pile->count; i++)
		n += pile->sent[i].fate == fate;
	return n;
}

size_t
pile_dropped(const struct pile *pile)
{
	return with_fate(pile, MESSAGE_DROPPED);
}

static int
is_settled(const struct sent *sent)
{
	return sent->fate == MESSAGE_TAKEN || sent->fate == MESSAGE_DROPPED;
}

static int
is_doubtful(const struct sent *sent)
{
	return sent->fate == MESSAGE_TOO_LARGE || sent->fate == MESSAGE_REFUSED;
}

/* It was alone, and is refused: it never comes again. */
static void
drop(const struct pile *pile, size_t i, const struct made *made)
{
	const struct secor_host *host = pile->kafka->host;
	const char *key = made->key.ptr;
	struct text detail = {0};
	char reason[256];

	producer_reason(pile->kafka->producer, &pile->sent[i], made->value.len,
	    reason, sizeof(reason));
	pile->sent[i].fate = MESSAGE_DROPPED;
	if (pile->why[0] == '\0')
		(void)snprintf(pile->why, sizeof(pile->kafka->kept.why),
		    "%s %.240s: %s", made->event, key != NULL ? key : "",
		    reason);
	text_addf(&detail, "topic=%s event=%s key=", pile->topic, made->event);
	text_add_json(&detail, key);
	text_adds(&detail, " reason=");
	text_add_json(&detail, reason);
	if (!detail.failed)
		host->log(host, SECOR_ERROR, "event dropped", detail.ptr);
	host->add(pile->kafka->refused, 1);
	text_fini(&detail);
}

/* Waits for this one alone. */
static int
settle(const struct pile *pile, size_t i, const struct made *made,
    struct secor_err *err)
{
	int rc = producer_end(pile->kafka->producer, err);

	if (rc == SECOR_OK && is_doubtful(&pile->sent[i]))
		drop(pile, i, made);
	return rc;
}

/* What is not settled, all together; or what is in doubt, each apart. */
static int
put_each(const struct pile *pile, int apart, struct secor_err *err)
{
	const struct secor_event_object *object =
	    pile->parts == 0 ? pile->said->batch->objects : NULL;
	int rc = SECOR_OK;

	for (size_t i = 0; rc == SECOR_OK && i < pile->count; i++) {
		const struct sent *sent = &pile->sent[i];
		struct made made;

		if (apart ? is_doubtful(sent) : !is_settled(sent)) {
			make(pile, i, object, &made);
			rc = put(pile, i, &made, err);
			if (rc == SECOR_OK && apart)
				rc = settle(pile, i, &made, err);
			made_fini(&made);
		}
		if (object != NULL)
			object = event_objects_next(object);
	}
	return rc;
}

/* Less at a time may be taken: smaller batches, or smaller parts. */
static int
can_shrink(const struct pile *pile)
{
	size_t large = with_fate(pile, MESSAGE_TOO_LARGE);
	const struct event_said *said = pile->said;
	size_t objects = said->batch != NULL ? said->batch->object_count
					     : said->path->object_count;

	return (large > 1 ||
		   (large == 1 && pile->parts > 0 && pile->parts < objects)) &&
	       producer_shrink(pile->kafka->producer);
}

int
pile_put(struct pile *pile, int *smaller, struct secor_err *err)
{
	size_t before = with_fate(pile, MESSAGE_TAKEN);
	int rc = put_each(pile, 0, err);

	if (rc == SECOR_OK)
		rc = producer_end(pile->kafka->producer, err);
	*smaller = rc == SECOR_OK && can_shrink(pile);
	if (rc == SECOR_OK && !*smaller)
		rc = put_each(pile, 1, err);
	pile->kafka->host->add(pile->kafka->written,
	    (int64_t)(with_fate(pile, MESSAGE_TAKEN) - before));
	return rc;
}
