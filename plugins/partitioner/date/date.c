/*
 * date.c -- partitioner: levels of the event time, `dt=2014-07-21/hr=02`.
 *
 * Which levels there are is said by `granularity`; how long a path lasts
 * follows from the patterns. A local hour that occurs twice (a clock put back)
 * is one path.
 */
#include "plugins/common/calendar.h"
#include "plugins/common/civil.h"
#include "plugins/partitioner/date/pattern.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS 64
#define PARTS 3

struct date_conf {
	int granularity;
	const char *timezone;
	const char *date_name, *hour_name, *minute_name;
	const char *date_format, *hour_format, *minute_format;
};

enum { GRAIN_MONTH, GRAIN_DAY, GRAIN_HOUR, GRAIN_TEN_MINUTES, GRAIN_MINUTE };

static const char *const granularities[] = {
    "month", "day", "hour", "10-minute", "minute", NULL};

/* One of date, hour, minute as configured. */
struct part {
	const char *name_key, *format_key; /* of the options */
	const char *name, *format;
};

/* The levels of [from, until). */
struct slot {
	int64_t from, until;
	uint32_t level_count;
	struct secor_level_text levels[SECOR_MAX_LEVELS];
	char text[PARTS * PATTERN_ROOM];
};

struct date {
	const struct date_conf *conf;
	struct part parts[PARTS];
	struct pattern *patterns[PARTS];
	int part_count;
	uint32_t level_count;
	uint32_t units[SECOR_MAX_LEVELS + 1]; /* of the first n levels */
	int64_t quantum;		      /* of times that share a slot */
	struct zone *zone;
	struct slot slots[SLOTS];
	pthread_mutex_t span_lock;
	struct zone *span_zone;
};

static const struct secor_option options[] = {
    SECOR_OPTION_CHOICE(struct date_conf, granularity, "granularity", "day",
	granularities, SECOR_OPTION_OUTPUT,
	"month and day have the date level, hour two, the others three"),
    SECOR_OPTION(STRING, struct date_conf, timezone, "timezone", "UTC",
	SECOR_OPTION_OUTPUT, "time zone of the path, like Asia/Kolkata"),
    SECOR_OPTION(STRING, struct date_conf, date_name, "date_name", "dt",
	SECOR_OPTION_OUTPUT,
	"name of the date level; '' for the value alone, or what the pattern "
	"says ('yr='yyyy'/mo='MM)"),
    SECOR_OPTION(STRING, struct date_conf, date_format, "date_format", NULL,
	SECOR_OPTION_OUTPUT,
	"pattern of the date (ICU); yyyy-MM-dd, or yyyy-MM for months; a '/' "
	"begins a level"),
    SECOR_OPTION(STRING, struct date_conf, hour_name, "hour_name", "hr",
	SECOR_OPTION_OUTPUT, "name of the hour level"),
    SECOR_OPTION(STRING, struct date_conf, hour_format, "hour_format", "HH",
	SECOR_OPTION_OUTPUT, "pattern of the hour"),
    SECOR_OPTION(STRING, struct date_conf, minute_name, "minute_name", "min",
	SECOR_OPTION_OUTPUT, "name of the minute level"),
    SECOR_OPTION(STRING, struct date_conf, minute_format, "minute_format", "mm",
	SECOR_OPTION_OUTPUT, "pattern of the minute"),
};

static int
date_parts(const struct date_conf *conf, struct part *parts)
{
	static const int counts[] = {1, 1, 2, 3, 3};
	const char *format = conf->date_format;

	if (format == NULL)
		format =
		    conf->granularity == GRAIN_MONTH ? "yyyy-MM" : "yyyy-MM-dd";
	parts[0] =
	    (struct part){"date_name", "date_format", conf->date_name, format};
	parts[1] = (struct part){
	    "hour_name", "hour_format", conf->hour_name, conf->hour_format};
	parts[2] = (struct part){"minute_name", "minute_format",
	    conf->minute_name, conf->minute_format};
	return counts[conf->granularity];
}

static void
date_check(const void *conf, const struct secor_check *check)
{
	const struct date_conf *c = conf;
	struct pattern_levels levels;
	struct part parts[PARTS];
	struct secor_err err;
	uint32_t count = 0, units = 0;
	int n = date_parts(c, parts);

	if (!zone_known(c->timezone))
		check->complain(
		    check, "timezone", "there is no such time zone");
	for (int i = 0; i < n; i++) {
		if (pattern_levels(parts[i].format, &levels, &err) != SECOR_OK)
			check->complain(check, parts[i].format_key, err.text);
		count += levels.count;
		for (uint32_t l = 0; l < levels.count; l++)
			units |= levels.units[l];
	}
	if (count > SECOR_MAX_LEVELS)
		check->complain(check, NULL, "more than 8 levels");
	if (c->granularity == GRAIN_TEN_MINUTES && (units & UNIT_OFFSET) != 0)
		check->complain(check, "granularity",
		    "10-minute does not go with the offset (Z, O, X, x) in a "
		    "pattern");
}

static void
date_describe(const void *conf, uint32_t *inputs, struct secor_strings *fields)
{
	(void)conf;
	*inputs = SECOR_ROUTE_BY_TIME;
	*fields = (struct secor_strings){NULL, 0};
}

static void
date_close(void *self)
{
	struct date *date = self;

	if (date == NULL)
		return;
	for (int i = 0; i < PARTS; i++)
		pattern_close(date->patterns[i]);
	zone_close(date->zone);
	zone_close(date->span_zone);
	(void)pthread_mutex_destroy(&date->span_lock);
	free(date);
}

/* units[n]: everything that the first n levels depend on. */
static void
date_add_units(struct date *date, const struct pattern_levels *levels)
{
	for (uint32_t i = 0; i < levels->count; i++) {
		uint32_t units = levels->units[i];

		if (date->conf->granularity == GRAIN_TEN_MINUTES &&
		    (units & (UNIT_MINUTE | UNIT_SECOND)) != 0)
			units =
			    (units & ~(uint32_t)(UNIT_MINUTE | UNIT_SECOND)) |
			    UNIT_TEN_MINUTES;
		date->units[date->level_count + 1] =
		    date->units[date->level_count] | units;
		date->level_count++;
	}
}

static int
date_open_parts(struct date *date, struct secor_err *err)
{
	int ten = date->conf->granularity == GRAIN_TEN_MINUTES;
	struct pattern_levels levels;
	struct secor_err why;

	date->part_count = date_parts(date->conf, date->parts);
	for (int i = 0; i < date->part_count; i++) {
		const struct part *part = &date->parts[i];

		if (pattern_levels(part->format, &levels, &why) != SECOR_OK)
			return secor_fail(err, SECOR_FATAL, "%s: %s",
			    part->format_key, why.text);
		if (date->level_count + levels.count > SECOR_MAX_LEVELS)
			return secor_fail(
			    err, SECOR_FATAL, "more than 8 levels");
		date_add_units(date, &levels);
		/* ten minutes: local time is rounded, then written down */
		if (pattern_open(part->format,
			ten ? "GMT" : date->conf->timezone, &date->patterns[i],
			err) != SECOR_OK)
			return SECOR_FATAL;
	}
	return SECOR_OK;
}

/* Times that share a slot are mostly of one path: offsets from UTC are
 * multiples of a quarter of an hour. */
static int64_t
date_quantum(uint32_t units)
{
	if ((units & UNIT_SECOND) != 0)
		return MS_SECOND;
	if ((units & UNIT_MINUTE) != 0)
		return MS_MINUTE;
	return (units & UNIT_TEN_MINUTES) != 0 ? 5 * MS_MINUTE : 15 * MS_MINUTE;
}

static int
date_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	struct date *date = calloc(1, sizeof(*date));

	if (date == NULL)
		return secor_fail(err, SECOR_FATAL, "out of memory");
	date->conf = with->conf;
	(void)pthread_mutex_init(&date->span_lock, NULL);
	if (zone_open(date->conf->timezone, &date->zone, err) != SECOR_OK ||
	    zone_open(date->conf->timezone, &date->span_zone, err) !=
		SECOR_OK ||
	    date_open_parts(date, err) != SECOR_OK) {
		date_close(date);
		return SECOR_FATAL;
	}
	date->quantum = date_quantum(date->units[date->level_count]);
	*self = date;
	return SECOR_OK;
}

/* One level out of `text`: `name` says its name, else what stands before '='.
 */
static struct secor_level_text
date_level(const char *name, struct secor_bytes text)
{
	const char *equals = memchr(text.ptr, '=', text.len);
	struct secor_level_text level = {{NULL, 0}, text};

	if (name != NULL && name[0] != '\0') {
		level.name = (struct secor_bytes){name, strlen(name)};
	} else if (equals != NULL && equals > text.ptr) {
		level.name.ptr = text.ptr;
		level.name.len = (size_t)(equals - text.ptr);
		level.value.ptr = equals + 1;
		level.value.len = text.len - level.name.len - 1;
	}
	return level;
}

/* The levels of one part, cut at '/'. */
static void
date_cut_part(struct slot *slot, const char *name, struct secor_bytes text)
{
	for (;;) {
		const char *slash = memchr(text.ptr, '/', text.len);
		struct secor_bytes first = text;

		if (slash != NULL)
			first.len = (size_t)(slash - text.ptr);
		slot->levels[slot->level_count++] = date_level(name, first);
		if (slash == NULL)
			return;
		name = NULL; /* it is that of the first */
		text.ptr += first.len + 1;
		text.len -= first.len + 1;
	}
}

static int
date_fill(struct date *date, struct slot *slot, int64_t time_ms,
    struct secor_err *err)
{
	char *to = slot->text;

	slot->until = slot->from; /* nothing, if we fail */
	slot->level_count = 0;
	if (date->conf->granularity == GRAIN_TEN_MINUTES) {
		int64_t local =
		    time_ms + zone_span_at(date->zone, time_ms).offset;

		time_ms = floor_div(local, 10 * MS_MINUTE) * 10 * MS_MINUTE;
	}
	for (int i = 0; i < date->part_count; i++) {
		int len = pattern_format(date->patterns[i], time_ms, to);

		if (len < 0)
			return secor_fail(err, SECOR_REJECT,
			    "time does not fit the pattern: '%s'",
			    date->parts[i].format);
		date_cut_part(slot, date->parts[i].name,
		    (struct secor_bytes){to, (size_t)len});
		to += len;
	}
	return SECOR_OK;
}

static int
date_route(void *self, const struct secor_route_in *in,
    struct secor_route_out *out, struct secor_err *err)
{
	struct date *date = self;
	int64_t time = in->time_ms;
	struct slot *slot;

	if (time < TIME_FIRST_MS || time > TIME_LAST_MS)
		return secor_fail(err, SECOR_REJECT,
		    "time is out of years 0001 to 9999: %lld ms",
		    (long long)time);
	slot = &date->slots[(uint64_t)floor_div(time, date->quantum) % SLOTS];
	if (time < slot->from || time >= slot->until) {
		if (date_fill(date, slot, time, err) != SECOR_OK)
			return SECOR_REJECT;
		calendar_interval(date->zone, date->units[date->level_count],
		    time, &slot->from, &slot->until);
	}
	out->level_count = slot->level_count;
	memcpy(out->levels, slot->levels,
	    slot->level_count * sizeof(slot->levels[0]));
	out->time_from = slot->from;
	out->time_until = slot->until;
	return SECOR_OK;
}

static int
date_span(
    void *self, int64_t time_ms, uint32_t levels, int64_t *from, int64_t *until)
{
	struct date *date = self;

	if (levels > date->level_count)
		levels = date->level_count;
	if (time_ms < TIME_FIRST_MS || time_ms > TIME_LAST_MS)
		return SECOR_REJECT;
	(void)pthread_mutex_lock(&date->span_lock);
	calendar_interval(
	    date->span_zone, date->units[levels], time_ms, from, until);
	(void)pthread_mutex_unlock(&date->span_lock);
	return SECOR_OK;
}

static const struct secor_partitioner_ops ops = {
    .size = sizeof(ops),
    .describe = date_describe,
    .open = date_open,
    .route = date_route,
    .span = date_span,
    .close = date_close,
};

static const struct secor_plugin plugin = {
    SECOR_PLUGIN_HEAD,
    SECOR_PARTITIONER,
    "date",
    SECOR_VERSION,
    "levels of the event time, in any time zone",
    1,
    SECOR_OPTIONS(options),
    sizeof(struct date_conf),
    date_check,
    &ops,
};

const struct secor_plugin *
secor_plugin_entry(void)
{
	return &plugin;
}
