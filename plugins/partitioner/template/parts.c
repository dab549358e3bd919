/*
 * parts.c -- see parts.h.
 */
#include "plugins/partitioner/template/parts.h"

#include "plugins/common/civil.h"
#include "plugins/common/json_paths.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* ---- time ---- */

static const struct {
	char directive;
	uint32_t units;
} DIRECTIVES[] = {{'Y', UNIT_YEAR}, {'y', UNIT_YEAR}, {'m', UNIT_MONTH},
    {'d', UNIT_DAY}, {'j', UNIT_DAY}, {'H', UNIT_HOUR}, {'M', UNIT_MINUTE},
    {'S', UNIT_SECOND}, {'G', UNIT_ISO_WEEK}, {'V', UNIT_ISO_WEEK}};

/* 0: there is no such directive. */
static uint32_t
units_of(char directive)
{
	for (size_t i = 0; i < sizeof(DIRECTIVES) / sizeof(DIRECTIVES[0]); i++)
		if (DIRECTIVES[i].directive == directive)
			return DIRECTIVES[i].units;
	return 0;
}

/* A week is of the year that its Thursday is in. */
static int64_t
iso_week(int64_t day, int64_t *year)
{
	int64_t thursday = floor_div(day + 3, 7) * 7;
	int month;

	civil_from_days(thursday, year, &month);
	return (thursday - days_from_civil(*year, 1, 1)) / 7 + 1;
}

static size_t
write_number(char *to, int64_t number, int width)
{
	int len = snprintf(to, TIME_ROOM, "%0*d", width, (int)number);

	return (size_t)len;
}

size_t
template_time(char directive, int64_t local_ms, char *to)
{
	int64_t day = floor_div(local_ms, MS_DAY), year;
	int64_t of_day = local_ms - day * MS_DAY;
	int month;

	civil_from_days(day, &year, &month);
	switch (directive) {
	case 'Y':
		return write_number(to, year, 4);
	case 'y':
		return write_number(to, year % 100, 2);
	case 'm':
		return write_number(to, month, 2);
	case 'd':
		return write_number(
		    to, day - days_from_civil(year, month, 1) + 1, 2);
	case 'j':
		return write_number(
		    to, day - days_from_civil(year, 1, 1) + 1, 3);
	case 'H':
		return write_number(to, of_day / MS_HOUR, 2);
	case 'M':
		return write_number(to, of_day / MS_MINUTE % 60, 2);
	case 'S':
		return write_number(to, of_day / MS_SECOND % 60, 2);
	case 'G':
		(void)iso_week(day, &year);
		return write_number(to, year, 4);
	default: /* V */
		return write_number(to, iso_week(day, &year), 2);
	}
}

/* ---- levels ---- */

static struct level *
level_now(struct template *t)
{
	return &t->levels[t->level_count - 1];
}

static struct part *
add_part(struct template *t, enum part_kind kind, struct secor_err *err)
{
	struct part *part;

	if (t->part_count == TEMPLATE_PARTS) {
		(void)secor_fail(
		    err, SECOR_FATAL, "more than %d parts", TEMPLATE_PARTS);
		return NULL;
	}
	part = &t->parts[t->part_count++];
	part->kind = kind;
	level_now(t)->count++;
	return part;
}

static int
is_empty(const struct level *level)
{
	return level->count == 0 && level->name_len == 0;
}

static int
begin_level(struct template *t, struct secor_err *err)
{
	if (t->level_count > 0 && is_empty(level_now(t)))
		return secor_fail(err, SECOR_FATAL, "a level is empty");
	if (t->level_count == SECOR_MAX_LEVELS)
		return secor_fail(
		    err, SECOR_FATAL, "more than %d levels", SECOR_MAX_LEVELS);
	t->level_count++;
	*level_now(t) = (struct level){.name = "", .first = t->part_count};
	return SECOR_OK;
}

/* What stood before the first '=' is the name. */
static int
name_level(struct template *t, struct secor_err *err)
{
	struct level *level = level_now(t);
	const struct part *part = &t->parts[level->first];

	if (level->count != 1 || part->kind != PART_LITERAL)
		return secor_fail(err, SECOR_FATAL,
		    "what stands before '=' is plain text, and not empty");
	level->name = part->text;
	level->name_len = part->len;
	level->count = 0;
	t->part_count--;
	return SECOR_OK;
}

static int
put_char(struct template *t, char c, struct secor_err *err)
{
	struct level *level = level_now(t);
	struct part *part = NULL;

	if (c == '/')
		return begin_level(t, err);
	if (c == '=' && level->name_len == 0)
		return name_level(t, err);
	if (level->count > 0)
		part = &t->parts[t->part_count - 1];
	if (part == NULL || part->kind != PART_LITERAL) {
		part = add_part(t, PART_LITERAL, err);
		if (part == NULL)
			return SECOR_FATAL;
		part->text = t->text + t->text_len;
	}
	t->text[t->text_len++] = c;
	part->len++;
	return SECOR_OK;
}

/* ---- what stands in braces ---- */

static int
put_directive(struct template *t, char c, struct secor_err *err)
{
	uint32_t units = units_of(c);
	struct part *part;

	if (units == 0)
		return secor_fail(err, SECOR_FATAL,
		    "%%%c is not possible in a time: one of %%Y %%m %%d %%H "
		    "%%M "
		    "%%S %%y %%j %%G %%V %%F",
		    c);
	part = add_part(t, PART_TIME, err);
	if (part == NULL)
		return SECOR_FATAL;
	part->directive = c;
	level_now(t)->units |= units;
	t->inputs |= SECOR_ROUTE_BY_TIME;
	return SECOR_OK;
}

static int
put_format(
    struct template *t, const char *at, size_t len, struct secor_err *err)
{
	int rc = SECOR_OK;

	if (memchr(at, '%', len) == NULL)
		return secor_fail(err, SECOR_FATAL,
		    "a time needs a format, like {time:%%Y-%%m-%%d}");
	for (size_t i = 0; rc == SECOR_OK && i < len; i++) {
		if (at[i] != '%') {
			rc = put_char(t, at[i], err);
		} else if (++i == len) {
			rc = secor_fail(
			    err, SECOR_FATAL, "a time ends with '%%'");
		} else if (at[i] == '%') {
			rc = put_char(t, '%', err);
		} else if (at[i] == 'F') {
			rc = put_format(t, "%Y-%m-%d", 8, err);
		} else {
			rc = put_directive(t, at[i], err);
		}
	}
	return rc;
}

static int
put_offset(
    struct template *t, const char *at, size_t len, struct secor_err *err)
{
	char digits[20];
	struct part *part;

	if (len == 0 || len >= sizeof(digits) - 1 || at[0] == '0' ||
	    strspn(at, "0123456789") < len)
		return secor_fail(err, SECOR_FATAL,
		    "an offset says how many share a path, like "
		    "{offset:1000000}");
	memcpy(digits, at, len);
	digits[len] = '\0';
	part = add_part(t, PART_OFFSET, err);
	if (part == NULL)
		return SECOR_FATAL;
	part->per = strtoll(digits, NULL, 10);
	t->inputs |= SECOR_ROUTE_BY_OFFSET;
	return SECOR_OK;
}

/* Which field of the template has this path; a new one otherwise. */
static int
find_field(
    struct template *t, const char *path, size_t *field, struct secor_err *err)
{
	for (*field = 0; *field < t->field_count; (*field)++)
		if (strcmp(t->fields[*field], path) == 0)
			return SECOR_OK;
	if (t->field_count == TEMPLATE_FIELDS)
		return secor_fail(
		    err, SECOR_FATAL, "more than %d fields", TEMPLATE_FIELDS);
	t->fields[t->field_count] = strdup(path);
	if (t->fields[t->field_count] == NULL)
		return secor_fail(err, SECOR_FATAL, "out of memory");
	t->field_count++;
	return SECOR_OK;
}

static int
put_field(struct template *t, const char *at, size_t len, struct secor_err *err)
{
	char path[TEMPLATE_LONGEST + 1];
	struct secor_err why;
	struct part *part = add_part(t, PART_FIELD, err);

	if (part == NULL)
		return SECOR_FATAL;
	memcpy(path, at, len);
	path[len] = '\0';
	if (json_path_check(path, &why) != SECOR_OK)
		return secor_fail(
		    err, SECOR_FATAL, "field '%.200s': %.500s", path, why.text);
	return find_field(t, path, &part->field, err);
}

static int
put_plain(struct template *t, enum part_kind kind, uint32_t input,
    struct secor_err *err)
{
	t->inputs |= input;
	return add_part(t, kind, err) == NULL ? SECOR_FATAL : SECOR_OK;
}

/* "name" or "name:..."; *arg_len goes down to what is behind ':'. */
static int
is_named(const char *at, size_t len, const char *name, size_t *arg)
{
	size_t n = strlen(name);

	if (len < n || strncmp(at, name, n) != 0 || (len > n && at[n] != ':'))
		return 0;
	*arg = len > n ? n + 1 : n;
	return 1;
}

static int
put_braces(
    struct template *t, const char *at, size_t len, struct secor_err *err)
{
	size_t arg;

	if (is_named(at, len, "time", &arg))
		return put_format(t, at + arg, len - arg, err);
	if (is_named(at, len, "offset", &arg))
		return put_offset(t, at + arg, len - arg, err);
	if (is_named(at, len, "field", &arg))
		return put_field(t, at + arg, len - arg, err);
	if (is_named(at, len, "key", &arg) && arg == len)
		return put_plain(t, PART_KEY, SECOR_ROUTE_BY_KEY, err);
	if (is_named(at, len, "partition", &arg) && arg == len)
		return put_plain(
		    t, PART_PARTITION, SECOR_ROUTE_BY_PARTITION, err);
	if (is_named(at, len, "topic", &arg))
		return secor_fail(err, SECOR_FATAL,
		    "'{topic}' is not possible: the topic is the folder above "
		    "the path (layout)");
	return put_field(t, at, len, err);
}

/* ---- all of it ---- */

static int
read_template(struct template *t, const char *p, struct secor_err *err)
{
	int rc = begin_level(t, err);

	while (rc == SECOR_OK && *p != '\0') {
		const char *end = *p == '{' ? strchr(p, '}') : NULL;

		if ((*p == '{' || *p == '}') && p[1] == *p) {
			rc = put_char(t, *p, err);
			p += 2;
		} else if (*p == '}' || (*p == '{' && end == NULL)) {
			return secor_fail(err, SECOR_FATAL,
			    "a brace has no other (one that is meant is "
			    "written twice)");
		} else if (*p == '{') {
			rc = put_braces(t, p + 1, (size_t)(end - p - 1), err);
			p = end + 1;
		} else {
			rc = put_char(t, *p++, err);
		}
	}
	if (rc == SECOR_OK && is_empty(level_now(t)))
		return secor_fail(err, SECOR_FATAL, "a level is empty");
	return rc;
}

/* Readers keep one of two levels of the same name only. */
static int
check_names(const struct template *t, struct secor_err *err)
{
	for (size_t i = 0; i < t->level_count; i++) {
		const struct level *a = &t->levels[i];

		for (size_t k = 0; k < i; k++) {
			const struct level *b = &t->levels[k];

			if (a->name_len > 0 && a->name_len == b->name_len &&
			    memcmp(a->name, b->name, a->name_len) == 0)
				return secor_fail(err, SECOR_FATAL,
				    "two levels have the name '%.*s'",
				    (int)a->name_len, a->name);
		}
	}
	return SECOR_OK;
}

static void
template_free(struct template *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->field_count; i++)
		free(t->fields[i]);
	free(t->source);
	free(t);
}

static int
parse(const char *source, struct template **out, struct secor_err *err)
{
	struct template *t;

	if (strlen(source) > TEMPLATE_LONGEST)
		return secor_fail(
		    err, SECOR_FATAL, "longer than %d bytes", TEMPLATE_LONGEST);
	t = calloc(1, sizeof(*t));
	if (t != NULL)
		t->source = strdup(source);
	if (t == NULL || t->source == NULL) {
		template_free(t);
		return secor_fail(err, SECOR_FATAL, "out of memory");
	}
	if (read_template(t, source, err) != SECOR_OK ||
	    check_names(t, err) != SECOR_OK) {
		template_free(t);
		return SECOR_FATAL;
	}
	*out = t;
	return SECOR_OK;
}

static pthread_mutex_t known_lock = PTHREAD_MUTEX_INITIALIZER;
static struct template *known; /* Holds: known_lock */

int
template_of(
    const char *source, const struct template **out, struct secor_err *err)
{
	struct template *t;
	int rc = SECOR_OK;

	(void)pthread_mutex_lock(&known_lock);
	for (t = known; t != NULL && strcmp(t->source, source) != 0;)
		t = t->next;
	if (t == NULL) {
		rc = parse(source, &t, err);
		if (rc == SECOR_OK) {
			t->next = known;
			known = t;
		}
	}
	(void)pthread_mutex_unlock(&known_lock);
	if (rc == SECOR_OK)
		*out = t;
	return rc;
}
