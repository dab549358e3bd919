/*
 * statement.c -- statements of HiveQL by template.
 *
 * Invariant: what is filled in stays what it is, a name, a literal or a number.
 * A literal brings its own quotes, so in a template it stands outside of them;
 * only numbers may stand inside. `check` reads the templates with the same
 * scanner that fills them, which follows Hive's lexer: quotes of three kinds,
 * escapes in two of them. Comments and ';' are refused, since the tools between
 * here and Hive do not agree where they end.
 */
#include "plugins/common/event_objects.h"
#include "plugins/notifier/qubole/qubole.h"

#include <inttypes.h>
#include <string.h>

enum kind {
	TEXT,
	TABLE,
	PARTITION,
	LOCATION,
	TOPIC,
	PATH,
	LEVEL,
	OBJECTS, /* numbers from here on: of the event's objects */
	RECORDS,
	BYTES,
	TOTAL_OBJECTS, /* of the path */
	TOTAL_RECORDS,
	TOTAL_BYTES
};

static const struct {
	const char *name;
	enum kind kind;
} NAMES[] = {{"table", TABLE}, {"partition", PARTITION}, {"location", LOCATION},
    {"topic", TOPIC}, {"path", PATH}, {"objects", OBJECTS},
    {"records", RECORDS}, {"bytes", BYTES}, {"total_objects", TOTAL_OBJECTS},
    {"total_records", TOTAL_RECORDS}, {"total_bytes", TOTAL_BYTES}};

struct scan {
	const char *at;
	char quote;  /* that it is in, or 0 */
	char before; /* the byte before `at` */
};

struct part {
	enum kind kind;
	const char *at; /* TEXT: as it is; LEVEL: the name */
	size_t len;
};

/* ---- reading a template ---- */

/* Touching one of these, a literal or a name would be another one. */
static int
is_sticky(char c)
{
	return c != '\0' && (hive_is_name(&c, 1) || strchr("'\"`$\\{", c));
}

static int
find_name(const char *name, size_t len, struct part *part)
{
	if (len > 6 && memcmp(name, "level:", 6) == 0) {
		*part = (struct part){LEVEL, name + 6, len - 6};
		return 1;
	}
	for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++)
		if (strlen(NAMES[i].name) == len &&
		    memcmp(NAMES[i].name, name, len) == 0) {
			*part = (struct part){NAMES[i].kind, name, len};
			return 1;
		}
	return 0;
}

/* At a '{'. */
static int
next_placeholder(struct scan *scan, struct part *part, struct secor_err *err)
{
	const char *name = scan->at + 1, *end = strchr(name, '}');
	int len = end == NULL ? 0 : (int)(end - name);

	if (end == NULL || !find_name(name, (size_t)len, part))
		return secor_fail(err, SECOR_REJECT,
		    "knows no placeholder '{%.*s'; a brace inside a literal is "
		    "\\{",
		    end == NULL ? 20 : len + 1, name);
	if (part->kind < OBJECTS && scan->quote != 0)
		return secor_fail(err, SECOR_REJECT,
		    "{%.*s} stands inside quotes: it brings its own", len,
		    name);
	if (part->kind < OBJECTS &&
	    (is_sticky(scan->before) || is_sticky(end[1])))
		return secor_fail(err, SECOR_REJECT,
		    "{%.*s} touches what is beside it: it is a whole name or "
		    "literal",
		    len, name);
	scan->before = '}';
	scan->at = end + 1;
	return SECOR_OK;
}

/* NULL, or what is wrong with the byte outside of quotes. */
static const char *
odd_byte(const char *at)
{
	if (*at == '\\')
		return "has a backslash outside of quotes";
	if ((at[0] == '-' && at[1] == '-') ||
	    (at[0] == '/' && at[1] == '*' && at[2] != '+'))
		return "has a comment: put it into the YAML";
	return NULL;
}

/* Bytes up to the next placeholder or the end. */
static int
next_text(struct scan *scan, struct part *part, struct secor_err *err)
{
	const char *begin = scan->at, *why = NULL;

	for (; *scan->at != '\0' && *scan->at != '{'; scan->at++) {
		char c = *scan->at;

		if (c == ';')
			return secor_fail(err, SECOR_REJECT,
			    "has a ';': one statement an item of the list, and "
			    "\\; inside a literal");
		if (scan->quote == 0 && (why = odd_byte(scan->at)) != NULL)
			return secor_fail(err, SECOR_REJECT, "%s", why);
		if (scan->quote == 0 && (c == '\'' || c == '"' || c == '`'))
			scan->quote = c;
		else if (c == scan->quote)
			scan->quote = 0;
		else if (c == '\\' && scan->quote != '`' && scan->at[1] != '\0')
			scan->at++;
		scan->before = *scan->at;
	}
	*part = (struct part){TEXT, begin, (size_t)(scan->at - begin)};
	return SECOR_OK;
}

/* SECOR_OK with *more 0 at the end. */
static int
next_part(
    struct scan *scan, struct part *part, int *more, struct secor_err *err)
{
	*more = *scan->at != '\0';
	if (*scan->at == '{')
		return next_placeholder(scan, part, err);
	if (*more)
		return next_text(scan, part, err);
	if (scan->quote != 0)
		return secor_fail(
		    err, SECOR_REJECT, "ends inside %c", scan->quote);
	return SECOR_OK;
}

int
statement_check(const char *template_, int totals, struct secor_err *err)
{
	struct scan scan = {.at = template_};
	struct part part;
	int more, rc;

	if (template_[strspn(template_, " \t\r\n")] == '\0')
		return secor_fail(err, SECOR_REJECT, "is empty");
	while ((rc = next_part(&scan, &part, &more, err)) == SECOR_OK && more)
		if (part.kind >= OBJECTS && !totals)
			return secor_fail(err, SECOR_REJECT,
			    "{%.*s} is known of a path that is complete, not "
			    "of its first object",
			    (int)part.len, part.at);
	return rc;
}

/* ---- filling it ---- */

static int
add_partition(struct text *sql, const struct hive_path *subject, int *what,
    struct secor_err *err)
{
	for (uint32_t i = 0; i < subject->level_count; i++) {
		const struct secor_event_level *level = &subject->levels[i];

		if (hive_level_check(level, subject->path, err) != SECOR_OK)
			return SECOR_REJECT;
		text_adds(sql, i == 0 ? "" : ",");
		hive_add_name(sql, level->name, strlen(level->name));
		text_adds(sql, "=");
		if (hive_add_value(sql, level))
			*what |= STATEMENT_ELSEWHERE;
	}
	if (!hive_is_folder(
		subject->path, subject->levels, subject->level_count))
		*what |= STATEMENT_ELSEWHERE;
	return SECOR_OK;
}

static int
add_level(struct text *sql, const struct hive_path *subject,
    const struct part *part, struct secor_err *err)
{
	for (uint32_t i = 0; i < subject->level_count; i++) {
		const struct secor_event_level *level = &subject->levels[i];

		if (level->name == NULL || strlen(level->name) != part->len ||
		    memcmp(level->name, part->at, part->len) != 0)
			continue;
		if (hive_level_check(level, subject->path, err) != SECOR_OK)
			return SECOR_REJECT;
		(void)hive_add_value(sql, level);
		return SECOR_OK;
	}
	return secor_fail(err, SECOR_REJECT, "path '%.300s' has no level %.*s",
	    subject->path, (int)part->len, part->at);
}

static int
add_text(struct text *sql, const char *what, const char *value,
    const struct hive_path *subject, struct secor_err *err)
{
	if (!utf8_is(value))
		return secor_fail(err, SECOR_REJECT,
		    "the %s of %.300s is not UTF-8", what, subject->path);
	(void)hive_add_literal(sql, value);
	return SECOR_OK;
}

static uint64_t
sum_of(const struct secor_event_path *path, enum kind kind)
{
	const struct secor_event_object *object = path->objects;
	uint64_t sum = 0;

	for (size_t i = 0; i < path->object_count; i++) {
		sum += kind == OBJECTS	 ? 1
		       : kind == RECORDS ? object->records
					 : object->bytes;
		object = event_objects_next(object);
	}
	return sum;
}

static int
add_number(struct text *sql, const struct hive_path *subject, enum kind kind,
    struct secor_err *err)
{
	const struct secor_event_path *path = subject->event;

	if (path == NULL || path->size < sizeof(*path))
		return secor_fail(err, SECOR_REJECT,
		    "the totals of path '%.300s' are not known", subject->path);
	text_addf(sql, "%" PRIu64,
	    kind == TOTAL_OBJECTS   ? path->total_objects
	    : kind == TOTAL_RECORDS ? path->total_records
	    : kind == TOTAL_BYTES   ? path->total_bytes
				    : sum_of(path, kind));
	return SECOR_OK;
}

static int
add_part(struct text *sql, const struct part *part,
    const struct hive_path *subject, int *what, struct secor_err *err)
{
	switch (part->kind) {
	case TEXT:
		text_add(sql, part->at, part->len);
		return SECOR_OK;
	case TABLE:
		hive_add_table(sql, subject->table);
		return SECOR_OK;
	case PARTITION:
		return add_partition(sql, subject, what, err);
	case LOCATION:
		*what |= STATEMENT_LOCATION;
		return add_text(sql, "folder", subject->folder, subject, err);
	case TOPIC:
		return add_text(sql, "topic", subject->topic, subject, err);
	case PATH:
		return add_text(sql, "path", subject->path, subject, err);
	case LEVEL:
		return add_level(sql, subject, part, err);
	default:
		return add_number(sql, subject, part->kind, err);
	}
}

int
statement_add(struct text *sql, const char *template_,
    const struct hive_path *subject, int *what, struct secor_err *err)
{
	struct scan scan = {.at = template_};
	struct part part;
	int more, rc;

	while ((rc = next_part(&scan, &part, &more, err)) == SECOR_OK && more) {
		rc = add_part(sql, &part, subject, what, err);
		if (rc != SECOR_OK)
			return rc;
	}
	if (rc == SECOR_OK && sql->failed)
		return secor_fail(err, SECOR_RETRY, "out of memory");
	return rc;
}
