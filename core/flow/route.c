/*
 * route.c -- see route.h. Invariant: the same message gives the same path
 * whether the route was remembered or asked for, since an entry is used only
 * within the interval that the partitioners named, for the same inputs.
 */
#include "core/flow/route.h"

#include "core/base/buf.h"
#include "core/base/hash.h"
#include "core/flow/accept.h"
#include "core/flow/changers.h"
#include "core/flow/guard.h"
#include "core/flow/late.h"
#include "core/flow/path.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 4096, MAX_FIELDS = 64, FILE_NAME = 64 };

/* A remembered answer. */
struct slot {
	struct path *path; /* NULL: empty */
	int64_t time_from, time_until;
	int64_t offset_from, offset_until;
	char *inputs; /* fields, key, partition as bytes */
	size_t inputs_len, inputs_room;
};

struct step { /* a partitioner */
	const struct config_use *use;
	const struct plugin *plugin;
	void *self;
	uint32_t inputs;
	size_t field_count;
	size_t field_at[MAX_FIELDS]; /* index in the router's fields */
};

struct router {
	const struct config_topic *topic;
	size_t key_overhead;
	struct changers changers;
	void *parser;
	struct step *steps;
	size_t step_count;
	uint32_t inputs; /* SECOR_ROUTE_BY_* of all steps */
	uint32_t looks_at;
	struct secor_strings fields;
	const char *names[MAX_FIELDS];
	struct secor_bytes values[MAX_FIELDS];
	struct slot *last;
	int64_t time_width, offset_width; /* narrowest intervals seen */
	struct slot slots[SLOTS];
	struct paths paths;
	struct buf inputs_now;
	struct buf text;
	struct guard_text overflow;
	struct late *late; /* NULL: late data amends */
};

/* ---- opening ---- */

static int
field_index(
    struct router *router, const char *name, size_t *at, struct secor_err *err)
{
	size_t n = router->fields.count;

	for (*at = 0; *at < n; (*at)++)
		if (strcmp(router->names[*at], name) == 0)
			return SECOR_OK;
	if (n == MAX_FIELDS)
		return secor_fail(err, SECOR_FATAL,
		    "partitioners ask for more than %d fields", MAX_FIELDS);
	router->names[n] = name;
	router->fields.items = router->names;
	router->fields.count = n + 1;
	return SECOR_OK;
}

static int
open_step(struct router *router, const struct config_use *use,
    struct step *step, struct secor_err *err)
{
	struct secor_strings fields = {NULL, 0};
	int rc = SECOR_OK;

	step->use = use;
	step->plugin = use->plugin;
	if (use->plugin->ops.partitioner->describe != NULL)
		use->plugin->ops.partitioner->describe(
		    use->conf, &step->inputs, &fields);
	router->inputs |= step->inputs;
	for (size_t i = 0; rc == SECOR_OK && i < fields.count; i++)
		rc = i < MAX_FIELDS ? field_index(router, fields.items[i],
					  &step->field_at[i], err)
				    : SECOR_FATAL;
	step->field_count = fields.count;
	if (rc == SECOR_OK)
		rc = config_open(use, NULL, &step->self, err);
	return rc;
}

static int
open_all(struct router *router, struct secor_err *err)
{
	const struct config_topic *topic = router->topic;
	const struct config_opening how = {.fields = &router->fields,
	    .no_time = topic->time_source == CONFIG_TIME_KAFKA};
	int rc = changers_open(
	    &router->changers, &topic->transformers, &router->looks_at, err);

	router->steps =
	    mem_alloc(topic->partitioners.count * sizeof(*router->steps));
	for (size_t i = 0; rc == SECOR_OK && i < topic->partitioners.count;
	     i++) {
		rc = open_step(router, &topic->partitioners.items[i],
		    &router->steps[i], err);
		router->step_count = i + 1;
	}
	if (rc == SECOR_OK)
		rc = config_open(&topic->parser, &how, &router->parser, err);
	if (rc == SECOR_OK)
		rc = late_new(topic, SLOTS, &router->late, err);
	return rc;
}

static uint32_t
all_looks(const struct router *router)
{
	const struct config_topic *topic = router->topic;
	struct secor_format_traits traits = {.size = sizeof(traits)};
	uint32_t looks = router->looks_at;

	looks |= topic->parser.plugin->ops.parser->looks_at;
	topic->format.plugin->ops.format->describe(topic->format.conf, &traits);
	looks |= traits.looks_at;
	if (router->inputs & SECOR_ROUTE_BY_KEY)
		looks |= SECOR_LOOKS_AT_KEY;
	return looks | SECOR_LOOKS_AT_TIMESTAMP;
}

int
router_new(const struct config_topic *topic, size_t key_overhead,
    struct router **router, struct secor_err *err)
{
	struct router *made = mem_alloc(sizeof(*made));
	int rc;

	made->topic = topic;
	made->key_overhead = key_overhead;
	made->time_width = made->offset_width = INT64_MAX;
	rc = open_all(made, err);
	if (rc != SECOR_OK) {
		router_free(made);
		return rc;
	}
	made->looks_at = all_looks(made);
	*router = made;
	return SECOR_OK;
}

void
router_free(struct router *router)
{
	if (router == NULL)
		return;
	for (size_t i = 0; i < SLOTS; i++) {
		paths_unref(&router->paths, router->slots[i].path);
		free(router->slots[i].inputs);
	}
	changers_close(&router->changers);
	for (size_t i = 0; i < router->step_count; i++)
		if (router->steps[i].self != NULL)
			router->steps[i].plugin->ops.partitioner->close(
			    router->steps[i].self);
	if (router->parser != NULL)
		router->topic->parser.plugin->ops.parser->close(router->parser);
	free(router->steps);
	buf_fini(&router->inputs_now);
	buf_fini(&router->text);
	buf_fini(&router->overflow.text);
	late_free(router->late);
	free(router);
}

struct paths *
router_paths(struct router *router)
{
	return &router->paths;
}

uint32_t
router_looks_at(const struct router *router)
{
	return router->looks_at;
}

const struct secor_strings *
router_fields(const struct router *router)
{
	return &router->fields;
}

/* ---- routing ---- */

static void
put_slice(struct buf *buf, const struct secor_bytes *bytes)
{
	uint32_t len = bytes->ptr == NULL ? UINT32_MAX : (uint32_t)bytes->len;

	buf_put(buf, &len, sizeof(len));
	if (bytes->ptr != NULL)
		buf_put(buf, bytes->ptr, bytes->len);
}

/* What the partitioners look at beside time and offset, as bytes. */
static void
gather(struct router *router, const struct routed *out)
{
	struct buf *now = &router->inputs_now;

	now->len = 0;
	for (size_t i = 0; i < router->fields.count; i++)
		put_slice(now, &router->values[i]);
	if (router->inputs & SECOR_ROUTE_BY_KEY)
		put_slice(now, &out->message.key);
	if (router->inputs & SECOR_ROUTE_BY_PARTITION)
		buf_put(now, &out->message.partition, sizeof(int32_t));
}

static int
holds(const struct slot *slot, const struct buf *inputs, int64_t time_ms,
    int64_t offset)
{
	return slot->path != NULL && time_ms >= slot->time_from &&
	       time_ms < slot->time_until && offset >= slot->offset_from &&
	       offset < slot->offset_until && slot->inputs_len == inputs->len &&
	       (inputs->len == 0 ||
		   memcmp(slot->inputs, inputs->ptr, inputs->len) == 0);
}

static struct slot *
slot_for(struct router *router, int64_t time_ms, int64_t offset)
{
	const struct buf *inputs = &router->inputs_now;
	uint64_t h = inputs->len == 0 ? 0 : hash64(inputs->ptr, inputs->len);

	h += (uint64_t)(time_ms / router->time_width) * 0x9e3779b97f4a7c15u;
	h += (uint64_t)(offset / router->offset_width) * 0xc2b2ae3d27d4eb4fu;
	return &router->slots[(h ^ h >> 32) % SLOTS];
}

/* The narrowest interval seen is what buckets are made of. */
static void
narrow(int64_t *width, int64_t from, int64_t until)
{
	uint64_t wide = (uint64_t)until - (uint64_t)from;

	if (wide > 0 && wide < (uint64_t)*width)
		*width = (int64_t)wide;
}

static void
remember(struct router *router, const struct secor_route_out *all,
    const struct routed *out)
{
	const struct buf *inputs = &router->inputs_now;
	struct slot *slot;

	narrow(&router->time_width, all->time_from, all->time_until);
	narrow(&router->offset_width, all->offset_from, all->offset_until);
	slot = slot_for(router, out->record.time_ms, out->message.offset);
	paths_ref(out->path);
	paths_unref(&router->paths, slot->path);
	slot->path = out->path;
	slot->time_from = all->time_from;
	slot->time_until = all->time_until;
	slot->offset_from = all->offset_from;
	slot->offset_until = all->offset_until;
	if (slot->inputs_room < inputs->len) {
		slot->inputs = mem_grow(slot->inputs, inputs->len);
		slot->inputs_room = inputs->len;
	}
	if (inputs->len > 0)
		memcpy(slot->inputs, inputs->ptr, inputs->len);
	slot->inputs_len = inputs->len;
	router->last = slot;
	if (router->late != NULL)
		late_remember(router->late, (size_t)(slot - router->slots),
		    out->path, out->record.time_ms);
}

static int
ask_step(struct router *router, const struct step *step,
    const struct routed *out, struct secor_route_out *part,
    struct secor_err *err)
{
	struct secor_bytes fields[MAX_FIELDS];
	struct secor_route_in in = {.size = sizeof(in),
	    .partition = out->message.partition,
	    .time_ms = out->record.time_ms,
	    .offset = out->message.offset,
	    .key = out->message.key,
	    .fields = fields,
	    .field_count = step->field_count};

	for (size_t i = 0; i < step->field_count; i++)
		fields[i] = router->values[step->field_at[i]];
	memset(part, 0, sizeof(*part));
	part->size = sizeof(*part);
	part->time_from = part->offset_from = INT64_MIN;
	part->time_until = part->offset_until = INT64_MAX;
	if ((step->inputs & SECOR_ROUTE_BY_TIME) && in.time_ms == SECOR_NO_TIME)
		return secor_fail(err, SECOR_REJECT,
		    "no time: the parser gave none and the partitioner needs "
		    "one");
	return step->plugin->ops.partitioner->route(step->self, &in, part, err);
}

#define NARROW_FROM(a, b) ((a) = (a) > (b) ? (a) : (b))
#define NARROW_UNTIL(a, b) ((a) = (a) < (b) ? (a) : (b))

/* Appends the levels of one partitioner and narrows the interval. */
static int
join(struct router *router, struct secor_route_out *all,
    const struct secor_route_out *part, struct secor_err *err)
{
	for (uint32_t i = 0; i < part->level_count; i++) {
		int rc;

		if (all->level_count == SECOR_MAX_LEVELS)
			return secor_fail(err, SECOR_REJECT,
			    "path has more than %d levels", SECOR_MAX_LEVELS);
		if (router->text.len > 0)
			buf_putc(&router->text, '/');
		rc = path_level(&router->text, &part->levels[i], err);
		if (rc != SECOR_OK)
			return rc;
		all->levels[all->level_count++] = part->levels[i];
	}
	NARROW_FROM(all->time_from, part->time_from);
	NARROW_UNTIL(all->time_until, part->time_until);
	NARROW_FROM(all->offset_from, part->offset_from);
	NARROW_UNTIL(all->offset_until, part->offset_until);
	return SECOR_OK;
}

static enum route_outcome
outcome_of(int status)
{
	return status == SECOR_RETRY ? ROUTE_RETRY : ROUTE_BAD;
}

static int
too_long(
    const struct router *router, const struct buf *text, struct routed *out)
{
	if (text->len + strlen(out->message.topic) + FILE_NAME +
		router->key_overhead <=
	    PATH_KEY_MAX)
		return 0;
	out->plugin = "layout";
	(void)secor_fail(&out->err, SECOR_REJECT,
	    "key is too long: a path of %zu bytes", text->len);
	return 1;
}

/* Gives the path its overflow path, unless it is that itself. */
static int
guard(struct router *router, const struct guarded *guarded,
    const struct secor_route_out *all, struct routed *out)
{
	struct guard_text *to = &router->overflow;
	struct path *path = out->path, *overflow;

	out->plugin = guarded->use->plugin->desc.name;
	if (guard_replace(guarded, all, to, &out->err) != SECOR_OK ||
	    too_long(router, &to->text, out))
		return SECOR_REJECT;
	overflow =
	    paths_get(&router->paths, &to->text, to->levels, all->level_count);
	if (overflow == path)
		return SECOR_OK;
	path->most = (size_t)guarded->use->max_values;
	path->value_hash = to->value_hash;
	path->overflow = paths_ref(overflow);
	return SECOR_OK;
}

/* A miss: asks every partitioner. */
static enum route_outcome
ask(struct router *router, struct routed *out)
{
	struct secor_route_out all = {.size = sizeof(all),
	    .time_from = INT64_MIN,
	    .time_until = INT64_MAX,
	    .offset_from = INT64_MIN,
	    .offset_until = INT64_MAX};
	struct secor_route_out part;
	struct guarded guarded = {NULL, 0, 0};

	router->text.len = 0;
	if (router->late != NULL)
		late_begin(router->late, &router->text, &all);
	for (size_t i = 0; i < router->step_count; i++) {
		const struct step *step = &router->steps[i];
		int rc = ask_step(router, step, out, &part, &out->err);

		if (rc == SECOR_OK)
			rc = join(router, &all, &part, &out->err);
		if (step->use->max_values > 0)
			guarded = (struct guarded){step->use,
			    all.level_count - part.level_count,
			    all.level_count};
		if (rc != SECOR_OK) {
			out->plugin = step->plugin->desc.name;
			return outcome_of(rc);
		}
	}
	if (too_long(router, &router->text, out))
		return ROUTE_BAD;
	if (router->text.len == 0)
		buf_puts(&router->text, "");
	out->path = paths_get(
	    &router->paths, &router->text, all.levels, all.level_count);
	if (guarded.use != NULL && out->path->overflow == NULL &&
	    guard(router, &guarded, &all, out) != SECOR_OK) {
		paths_unref(&router->paths, paths_ref(out->path)); /* if new */
		return ROUTE_BAD;
	}
	assert(out->record.time_ms == SECOR_NO_TIME ||
	       (out->record.time_ms >= all.time_from &&
		   out->record.time_ms < all.time_until));
	remember(router, &all, out);
	return ROUTE_OK;
}

static enum route_outcome
find_path(struct router *router, struct routed *out)
{
	int64_t time_ms = out->record.time_ms;
	int64_t offset = out->message.offset;
	struct slot *slot = router->last;

	gather(router, out);
	if (slot == NULL || !holds(slot, &router->inputs_now, time_ms, offset))
		slot = slot_for(router, time_ms, offset);
	if (!holds(slot, &router->inputs_now, time_ms, offset))
		return ask(router, out);
	router->last = slot;
	out->path = slot->path;
	return ROUTE_OK;
}

static enum route_outcome
change(struct router *router, struct routed *out)
{
	int keep;
	int rc = changers_run(
	    &router->changers, &out->message, &keep, &out->plugin, &out->err);

	if (rc != SECOR_OK)
		return outcome_of(rc);
	return keep ? ROUTE_OK : ROUTE_FILTERED;
}

static enum route_outcome
parse(struct router *router, struct routed *out)
{
	const struct config_use *use = &router->topic->parser;
	struct secor_record *record = &out->record;
	int rc;

	record->size = sizeof(*record);
	record->field_count = (uint32_t)router->fields.count;
	record->message = &out->message;
	record->time_ms = SECOR_NO_TIME;
	record->fields = router->values;
	if (router->fields.count > 0)
		memset(router->values, 0,
		    router->fields.count * sizeof(router->values[0]));
	out->plugin = use->plugin->desc.name;
	rc = use->plugin->ops.parser->parse(
	    router->parser, &out->message, record, router->values, &out->err);
	if (rc != SECOR_OK)
		return outcome_of(rc);
	if (router->topic->time_source == CONFIG_TIME_KAFKA)
		record->time_ms = out->message.timestamp_ms;
	return accept_time(router->topic, record->time_ms,
		   out->message.timestamp_ms, &out->err) == SECOR_OK
		   ? ROUTE_OK
		   : ROUTE_BAD;
}

enum route_outcome
router_route(struct router *router, const struct secor_message *message,
    struct routed *out)
{
	enum route_outcome outcome = ROUTE_OK;

	out->message = *message;
	out->path = NULL;
	if (router->changers.count > 0)
		outcome = change(router, out);
	if (outcome == ROUTE_OK)
		outcome = parse(router, out);
	if (outcome == ROUTE_OK)
		outcome = find_path(router, out);
	return outcome;
}

/* ---- late ---- */

int
router_tells_late(const struct router *router)
{
	return router->late != NULL;
}

int
router_late(
    struct router *router, int64_t clock_ms, const struct routed *routed)
{
	return late_is(router->late, (size_t)(router->last - router->slots),
	    clock_ms, &routed->message);
}

int64_t
router_clock(
    const struct router *router, int64_t clock_ms, const struct routed *routed)
{
	return late_clock(router->late, clock_ms, &routed->record);
}

struct path *
router_late_path(struct router *router, struct path *path)
{
	return router->late == NULL
		   ? path
		   : late_twin(router->late, &router->paths, path);
}
