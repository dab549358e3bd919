/*
 * template.c -- partitioner: levels out of a text with holes,
 * `country={country}/dt={time:%Y-%m-%d}`.
 *
 * A value that is one hole is passed on as it is (null stays null); one of
 * several parts is joined. What comes from a message is never split at '/'.
 */
#include "plugins/partitioner/template/parts.h"

#include "plugins/common/civil.h"
#include "plugins/common/grow.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define NOTHING "__HIVE_DEFAULT_PARTITION__"

struct template_conf {
	const char *template;
	const char *timezone;
	int missing;
	const char *default_value;
};

enum { MISSING_REJECT, MISSING_DEFAULT };

static const char *const missing_choices[] = {"reject", "default", NULL};

struct filler {
	const struct template_conf *conf;
	const struct template *template;
	uint32_t units[SECOR_MAX_LEVELS + 1]; /* of the first n levels */
	struct zone *zone;
	struct grow text;
	pthread_mutex_t span_lock;
	struct zone *span_zone; /* Holds: span_lock */
};

static const struct secor_option options[] = {
    SECOR_OPTION(STRING, struct template_conf, template, "template", NULL,
	SECOR_OPTION_REQUIRED | SECOR_OPTION_OUTPUT,
	"levels with '/' between; {field.path}, {time:%Y-%m-%d}, "
	"{offset:1000000} (rounded down), {partition}, {key}; {field:time} for "
	"a field of such a name, {{ for a brace"),
    SECOR_OPTION(STRING, struct template_conf, timezone, "timezone", "UTC",
	SECOR_OPTION_OUTPUT, "time zone of times, like Asia/Kolkata"),
    SECOR_OPTION_CHOICE(struct template_conf, missing, "missing", "reject",
	missing_choices, SECOR_OPTION_OUTPUT,
	"a message without a field or the key is a bad one, or gets the "
	"default"),
    SECOR_OPTION(STRING, struct template_conf, default_value, "default_value",
	NULL, SECOR_OPTION_OUTPUT, "value for missing: default; else " NOTHING),
};

static void
template_check(const void *conf, const struct secor_check *check)
{
	const struct template_conf *c = conf;
	const struct template *template;
	struct secor_err err;

	if (template_of(c->template, &template, &err) != SECOR_OK)
		check->complain(check, "template", err.text);
	if (!zone_known(c->timezone))
		check->complain(
		    check, "timezone", "there is no such time zone");
	if (c->default_value != NULL && c->missing != MISSING_DEFAULT)
		check->complain(check, "default_value",
		    "does nothing without missing: default");
}

static void
template_describe(
    const void *conf, uint32_t *inputs, struct secor_strings *fields)
{
	const struct template_conf *c = conf;
	const struct template *template;

	*inputs = 0;
	*fields = (struct secor_strings){NULL, 0};
	if (template_of(c->template, &template, NULL) != SECOR_OK)
		return;
	*inputs = template->inputs;
	fields->items = (const char *const *)template->fields;
	fields->count = template->field_count;
}

static void
template_close(void *self)
{
	struct filler *filler = self;

	if (filler == NULL)
		return;
	zone_close(filler->zone);
	zone_close(filler->span_zone);
	grow_fini(&filler->text);
	(void)pthread_mutex_destroy(&filler->span_lock);
	free(filler);
}

static int
template_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	struct filler *filler = calloc(1, sizeof(*filler));

	if (filler == NULL)
		return secor_fail(err, SECOR_FATAL, "out of memory");
	filler->conf = with->conf;
	(void)pthread_mutex_init(&filler->span_lock, NULL);
	if (template_of(filler->conf->template, &filler->template, err) !=
		SECOR_OK ||
	    zone_open(filler->conf->timezone, &filler->zone, err) != SECOR_OK ||
	    zone_open(filler->conf->timezone, &filler->span_zone, err) !=
		SECOR_OK) {
		template_close(filler);
		return SECOR_FATAL;
	}
	for (size_t i = 0; i < filler->template->level_count; i++)
		filler->units[i + 1] =
		    filler->units[i] | filler->template->levels[i].units;
	*self = filler;
	return SECOR_OK;
}

/* ---- routing ---- */

/* One message on its way through the levels. */
struct filling {
	struct filler *filler;
	const struct secor_route_in *in;
	struct secor_route_out *out;
	int64_t local_ms;
	struct secor_err *err;
};

/* A field or the key; what is missing is the default, which may be null. */
static int
take_bytes(
    struct filling *filling, const struct part *part, struct secor_bytes *bytes)
{
	const struct template_conf *conf = filling->filler->conf;

	*bytes = part->kind == PART_KEY ? filling->in->key
					: filling->in->fields[part->field];
	if (bytes->ptr != NULL)
		return SECOR_OK;
	if (conf->missing == MISSING_REJECT && part->kind == PART_KEY)
		return secor_fail(filling->err, SECOR_REJECT, "key is missing");
	if (conf->missing == MISSING_REJECT)
		return secor_fail(filling->err, SECOR_REJECT,
		    "field '%s' is missing",
		    filling->filler->template->fields[part->field]);
	if (conf->default_value != NULL)
		*bytes = (struct secor_bytes){
		    conf->default_value, strlen(conf->default_value)};
	return SECOR_OK;
}

static void
put_offset(struct filling *filling, const struct part *part)
{
	struct secor_route_out *out = filling->out;
	int64_t offset = filling->in->offset;
	int64_t first = offset - offset % part->per;
	int64_t until =
	    first > INT64_MAX - part->per ? INT64_MAX : first + part->per;
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%lld", (long long)first);

	if (first > out->offset_from)
		out->offset_from = first;
	if (until < out->offset_until)
		out->offset_until = until;
	grow_put(&filling->filler->text, digits, (size_t)len);
}

static int
put_part(struct filling *filling, const struct part *part)
{
	struct grow *text = &filling->filler->text;
	struct secor_bytes bytes;
	char *to;
	int rc, len;

	switch (part->kind) {
	case PART_LITERAL:
		grow_put(text, part->text, part->len);
		return SECOR_OK;
	case PART_TIME:
		to = grow_room(text, TIME_ROOM);
		text->len +=
		    template_time(part->directive, filling->local_ms, to);
		return SECOR_OK;
	case PART_OFFSET:
		put_offset(filling, part);
		return SECOR_OK;
	case PART_PARTITION:
		to = grow_room(text, 16);
		len = snprintf(to, 16, "%d", (int)filling->in->partition);
		text->len += (size_t)len;
		return SECOR_OK;
	default:
		rc = take_bytes(filling, part, &bytes);
		if (rc == SECOR_OK && bytes.ptr == NULL)
			bytes = (struct secor_bytes){NOTHING, strlen(NOTHING)};
		if (rc == SECOR_OK)
			grow_put(text, bytes.ptr, bytes.len);
		return rc;
	}
}

static int
is_one_hole(const struct template *t, const struct level *level)
{
	const struct part *part = &t->parts[level->first];

	return level->count == 1 &&
	       (part->kind == PART_FIELD || part->kind == PART_KEY);
}

/* Joined values are offsets into the text as long as it still moves. */
static int
fill_levels(struct filling *filling, size_t *at)
{
	const struct template *t = filling->filler->template;
	int rc = SECOR_OK;

	for (size_t i = 0; rc == SECOR_OK && i < t->level_count; i++) {
		const struct level *level = &t->levels[i];
		struct secor_level_text *to = &filling->out->levels[i];

		to->name = (struct secor_bytes){level->name, level->name_len};
		at[i] = filling->filler->text.len;
		if (is_one_hole(t, level)) {
			rc = take_bytes(
			    filling, &t->parts[level->first], &to->value);
			continue;
		}
		for (size_t k = 0; rc == SECOR_OK && k < level->count; k++)
			rc = put_part(filling, &t->parts[level->first + k]);
		to->value.len = filling->filler->text.len - at[i];
	}
	return rc;
}

static int
template_route(void *self, const struct secor_route_in *in,
    struct secor_route_out *out, struct secor_err *err)
{
	struct filler *filler = self;
	const struct template *t = filler->template;
	struct filling filling = {filler, in, out, 0, err};
	size_t at[SECOR_MAX_LEVELS];
	int64_t time = in->time_ms;
	int timed = (t->inputs & SECOR_ROUTE_BY_TIME) != 0;
	int rc;

	if (timed && (time < TIME_FIRST_MS || time > TIME_LAST_MS))
		return secor_fail(err, SECOR_REJECT,
		    "time is out of years 0001 to 9999: %lld ms",
		    (long long)time);
	if (timed) {
		filling.local_ms =
		    time + zone_span_at(filler->zone, time).offset;
		calendar_interval(filler->zone, filler->units[t->level_count],
		    time, &out->time_from, &out->time_until);
	}
	filler->text.len = 0;
	rc = fill_levels(&filling, at);
	if (rc != SECOR_OK)
		return rc;
	for (size_t i = 0; i < t->level_count; i++)
		if (!is_one_hole(t, &t->levels[i]) &&
		    out->levels[i].value.len > 0)
			out->levels[i].value.ptr = filler->text.ptr + at[i];
	out->level_count = (uint32_t)t->level_count;
	return SECOR_OK;
}

static int
template_span(
    void *self, int64_t time_ms, uint32_t levels, int64_t *from, int64_t *until)
{
	struct filler *filler = self;

	if (levels > filler->template->level_count)
		levels = (uint32_t)filler->template->level_count;
	if (time_ms < TIME_FIRST_MS || time_ms > TIME_LAST_MS)
		return SECOR_REJECT;
	(void)pthread_mutex_lock(&filler->span_lock);
	calendar_interval(
	    filler->span_zone, filler->units[levels], time_ms, from, until);
	(void)pthread_mutex_unlock(&filler->span_lock);
	return SECOR_OK;
}

static const struct secor_partitioner_ops ops = {
    .size = sizeof(ops),
    .describe = template_describe,
    .open = template_open,
    .route = template_route,
    .span = template_span,
    .close = template_close,
};

static const struct secor_plugin plugin = {
    SECOR_PLUGIN_HEAD,
    SECOR_PARTITIONER,
    "template",
    SECOR_VERSION,
    "levels out of a text with fields, times, offsets, partition and key",
    1,
    SECOR_OPTIONS(options),
    sizeof(struct template_conf),
    template_check,
    &ops,
};

const struct secor_plugin *
secor_plugin_entry(void)
{
	return &plugin;
}
