/*
 * levels.c -- the partitioner: the levels of the original's paths, its prefixes
 * and patterns.
 */
#include "core/cli/migrate/parsers.h"
#include "core/plugin/options.h"

#include <stdlib.h>
#include <string.h>

#define GRANULARITY "partitioner.granularity."
#define ZONE "secor.parser.timezone"
#define FIELD "message.split.field.name"
#define DELAY "partitioner.finalizer.delay.seconds"
#define PERIODS "secor.finalizer.lookback.periods"

/* ---- names ---- */

/* "dt" of "dt=", when a level can be called that; caller frees. */
static char *
level_name(const char *prefix)
{
	size_t len = strlen(prefix);

	if (len < 2 || prefix[len - 1] != '=' ||
	    strpbrk(prefix, "/\"#%'*:?\\{[]^") != NULL ||
	    strchr(prefix, '=') != prefix + len - 1)
		return NULL;
	return mem_dup(prefix, len - 1);
}

/* The prefix as a literal of a pattern, and the pattern behind it. */
static char *
joined_pattern(const char *prefix, const char *format)
{
	struct buf out = {0};

	if (*prefix == '\0')
		return mem_dup(format, strlen(format));
	buf_putc(&out, '\'');
	for (; *prefix != '\0'; prefix++) {
		if (*prefix == '\'')
			buf_putc(&out, '\'');
		buf_putc(&out, *prefix);
	}
	buf_printf(&out, "'%s", format);
	return buf_take(&out);
}

/* Letters that mean something else to ICU than to SimpleDateFormat. */
static void
look_at_pattern(struct migration *m, const char *key, const char *format)
{
	int quoted = 0;

	for (const char *at = format; *at != '\0'; at++) {
		if (*at == '\'')
			quoted = !quoted;
		else if (!quoted && *at == 'u') {
			todo(m, key,
			    "'u' was the number of the day in the week; here "
			    "it is a year: 'e' comes near");
			return;
		}
	}
}

static void
put_level(struct migration *m, const char *what, const char *usual_name,
    const char *usual_format)
{
	char *prefix_key = mem_text(GRANULARITY "%s.prefix", what);
	char *format_key = mem_text(GRANULARITY "%s.format", what);
	char *our_name = mem_text("%s_name", what);
	char *our_format = mem_text("%s_format", what);
	const char *prefix = old_text(m, prefix_key);
	const char *format = old_text(m, format_key);
	char *name = level_name(prefix);
	char *pattern = joined_pattern(name == NULL ? prefix : "", format);

	if (name == NULL || strcmp(name, usual_name) != 0)
		yaml_put(m, 4, our_name, name != NULL ? name : "");
	if (strcmp(pattern, usual_format) != 0)
		yaml_put(m, 4, our_format, pattern);
	look_at_pattern(m, format_key, format);
	free(name);
	free(pattern);
	free(our_name);
	free(our_format);
	free(prefix_key);
	free(format_key);
}

/* ---- levels ---- */

static int
depth_of(struct migration *m)
{
	if (m->parser->levels == LEVELS_DAY)
		return 1;
	if (old_flag(m, GRANULARITY "minute"))
		return 3;
	return old_flag(m, GRANULARITY "hour") ? 2 : 1;
}

/* What the original's finalizer could not do. */
static void
look_at_finalizer(struct migration *m, int depth)
{
	const char *zone = old_text(m, ZONE);
	int utc = *zone == '\0' || strcmp(zone, "UTC") == 0 ||
		  strcmp(zone, "GMT") == 0;

	if (!utc)
		warn(m, ZONE,
		    depth > 1
			? "the original's finalizer reckoned in UTC: it left "
			  "out hours and days of this zone"
			: "the original's finalizer reckoned in UTC: it left "
			  "out days when the clock changed");
	if (old_number(m, DELAY) > 2147483)
		warn(m, DELAY,
		    "so large a delay overflowed: idle partitions counted as "
		    "done at once");
}

static void
put_date(struct migration *m)
{
	static const char *const GRAINS[] = {"day", "hour", "minute"};
	const char *zone = old_text(m, ZONE);
	int depth = depth_of(m);

	buf_puts(&m->yaml, "  - use: date\n");
	yaml_raw(m, 4, "granularity", GRAINS[depth - 1]);
	if (*zone != '\0' && strcmp(zone, "UTC") != 0)
		yaml_put(m, 4, "timezone", zone);
	put_level(m, "date", "dt", "yyyy-MM-dd");
	if (depth > 1)
		put_level(m, "hour", "hr", "HH");
	if (depth > 2)
		put_level(m, "minute", "min", "mm");
	look_at_finalizer(m, depth);
}

static void
put_offset(struct migration *m)
{
	static const char *const KEY = "secor.offsets.prefix";
	const char *prefix = old_text(m, KEY);
	char *name = level_name(prefix);

	buf_puts(&m->yaml, "  - use: offset\n");
	yaml_number(m, 4, "per_partition",
	    old_number(m, "secor.offsets.per.partition"));
	if (name == NULL && *prefix != '\0')
		todo(m, KEY,
		    "'%s' does not end in '=': partitioner template may say "
		    "it",
		    prefix);
	if (name == NULL)
		yaml_put(m, 4, "name", "");
	else if (strcmp(name, "offset") != 0)
		yaml_put(m, 4, "name", name);
	free(name);
}

static char *
escape_dots(const char *name)
{
	struct buf out = {0};

	buf_puts(&out, "");
	for (; *name != '\0'; name++) {
		if (*name == '.' || *name == '\\')
			buf_putc(&out, '\\');
		buf_putc(&out, *name);
	}
	return buf_take(&out);
}

/* `names: {field: name}`, when the prefix is one of its own. */
static void
put_field_name(struct migration *m, const char *path, const char *field)
{
	static const char *const KEY = GRANULARITY "field.prefix";
	char *name = old_given(m, KEY) ? level_name(old_text(m, KEY))
				       : mem_dup(field, strlen(field));
	char *key = yaml_text(path), *value;

	if (name == NULL) {
		todo(m, KEY,
		    "'%s' does not end in '=': partitioner template may say "
		    "it",
		    old_text(m, KEY));
	} else {
		value = yaml_text(name);
		buf_printf(&m->yaml, "    names: {%s: %s}\n", key, value);
		free(value);
	}
	free(key);
	free(name);
}

static void
put_field(struct migration *m)
{
	const char *field = old_text(m, FIELD);
	char *path = escape_dots(field), *text = yaml_text(path);

	buf_puts(&m->yaml, "  - use: field\n");
	buf_printf(&m->yaml, "    fields: [%s]\n", text);
	if (*field == '\0')
		todo(m, FIELD, "the parser needs it: the original would stop");
	if (m->parser->levels == LEVELS_FIELD)
		yaml_raw(m, 4, "bare", "true");
	else if (*field != '\0')
		put_field_name(m, path, field);
	free(path);
	free(text);
}

void
migrate_partitioner(struct migration *m)
{
	enum old_levels levels =
	    m->parser != NULL ? m->parser->levels : LEVELS_TIME;
	static const struct old_parser unknown = {
	    .name = "?", .levels = LEVELS_TIME};
	const struct old_parser *parser = m->parser;

	if (parser == NULL)
		m->parser = &unknown;
	yaml_section(m, "partitioner");
	if (levels == LEVELS_FIELD || levels == LEVELS_NAMED_FIELD)
		put_field(m);
	if (levels != LEVELS_OFFSET)
		put_date(m);
	if (levels == LEVELS_OFFSET || levels == LEVELS_CLOCK_OFFSET)
		put_offset(m);
	yaml_gone(m, "partitioner");
	m->parser = parser;
}

/* ---- finalize ---- */

/* A program of its own in the original, and these keys stand in its own files:
 * they do not tell whether anybody ran it. */
void
migrate_finalize(struct migration *m)
{
	static const int64_t steps_ms[] = {86400000, 3600000, 60000};
	const struct old_parser *parser = m->parser;
	char text[64];

	if (parser == NULL || parser->levels == LEVELS_OFFSET ||
	    (!old_given(m, DELAY) && !old_given(m, PERIODS)))
		return;
	yaml_section(m, "finalize");
	buf_puts(&m->yaml,
	    "  # where the original's finalizer ran, take the '# ' away:\n");
	show_duration(old_number(m, DELAY) * 1000, text, sizeof(text));
	buf_printf(&m->yaml, "  # delay: %s\n", text);
	if (!old_given(m, PERIODS))
		return;
	show_duration(old_number(m, PERIODS) * steps_ms[depth_of(m) - 1], text,
	    sizeof(text));
	buf_printf(&m->yaml, "  # lookback: %s\n", text);
}
