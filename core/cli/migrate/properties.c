/*
 * properties.c -- see properties.h: lines, keys and includes.
 */
#include "core/base/files.h"
#include "core/cli/migrate/lines.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { LARGEST_FILE = 4 << 20, DEEPEST = 32, MOST_FILES = 256 };

struct reading {
	struct properties *properties;
	const struct properties_how *how;
	const char *first; /* the file that was asked for */
	const char *stack[DEEPEST];
	size_t depth;
	size_t opened;
};

static void say(const struct reading *reading, enum property_level level,
    const struct property_place *place, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

static void
say(const struct reading *reading, enum property_level level,
    const struct property_place *place, const char *fmt, ...)
{
	struct buf text = {0};
	char piece[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(piece, sizeof(piece), fmt, ap);
	va_end(ap);
	buf_puts(&text, piece);
	reading->how->say(reading->how->arg, level, place, text.ptr);
	buf_fini(&text);
}

/* ---- definitions ---- */

static struct property *
find(struct property *list, size_t count, const char *key)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i].key, key) == 0)
			return &list[i];
	return NULL;
}

static void
add_items(struct property *property, char **items, size_t n)
{
	property->raw = mem_grow(
	    property->raw, (property->count + n) * sizeof(*property->raw));
	memcpy(property->raw + property->count, items, n * sizeof(*items));
	property->count += n;
}

/* That it comes again; nothing is said when it makes no difference. */
static void
say_shadowed(const struct reading *reading, const struct property *first,
    const struct property_place *place, const char *value)
{
	if (strcmp(first->raw[0], value) == 0 && first->count == 1)
		return;
	say(reading, PROPERTY_WARNING, place,
	    "%s is set again, without effect: the first definition counts "
	    "(%s:%d)",
	    first->key, first->place.file, first->place.line);
}

/* Takes key. */
static void
define(const struct reading *reading, const struct property_place *place,
    char *key, const char *value)
{
	struct properties *all = reading->properties;
	struct property *property = find(all->items, all->count, key);
	char **items;
	size_t n = property_split(value, &items);

	if (property != NULL) {
		say_shadowed(reading, property, place, items[0]);
		free(key);
	} else {
		all->items = mem_grow(
		    all->items, (all->count + 1) * sizeof(*all->items));
		property = &all->items[all->count++];
		*property = (struct property){.key = key, .place = *place};
	}
	add_items(property, items, n);
	free(items);
}

/* ---- includes ---- */

static int
read_file(struct reading *reading, const char *path, struct secor_err *err);

static char *
beside(const char *file, const char *name)
{
	const char *slash = strrchr(file, '/');

	if (*name == '/' || slash == NULL)
		return mem_dup(name, strlen(name));
	return mem_text("%.*s/%s", (int)(slash - file), file, name);
}

static int
is_there(const struct reading *reading, const char *path)
{
	struct secor_err err;
	char *bytes = NULL;
	size_t n;
	int rc;

	if (reading->how->load == NULL)
		return access(path, F_OK) == 0;
	rc = reading->how->load(reading->how->arg, path, &bytes, &n, &err);
	free(bytes);
	return rc == SECOR_OK;
}

/* The file that is meant, or NULL; caller frees. */
static char *
locate(const struct reading *reading, const char *name)
{
	const struct properties_how *how = reading->how;
	char *path;

	if (strncmp(name, "file:", 5) == 0)
		name += 5;
	path = beside(reading->stack[reading->depth - 1], name);
	if (is_there(reading, path))
		return path;
	free(path);
	path = beside(reading->first, name);
	for (size_t i = 0; i < how->folder_count && !is_there(reading, path);
	     i++) {
		free(path);
		path = mem_text("%s/%s", how->folders[i], name);
	}
	if (is_there(reading, path))
		return path;
	free(path);
	return NULL;
}

static void
include_one(struct reading *reading, const struct property_place *place,
    const char *name)
{
	struct secor_err err;
	char *path = locate(reading, name);

	if (path == NULL)
		say(reading, PROPERTY_ERROR, place,
		    "include %s: there is no such file (--path names further "
		    "folders)",
		    name);
	else if (read_file(reading, path, &err) != SECOR_OK)
		say(reading, PROPERTY_ERROR, place, "include %s", err.text);
	free(path);
}

static void
include(struct reading *reading, const struct property_place *place,
    const char *value)
{
	char *copy = mem_dup(value, strlen(value)), *rest = copy, *one;

	while ((one = strsep(&rest, ",")) != NULL) {
		struct secor_err err;
		char *name = NULL, *open = NULL;

		one += strspn(one, " \t");
		one[strcspn(one, " \t")] = '\0';
		if (*one == '\0')
			continue;
		if (properties_interpolate(reading->properties, one, &name,
			&open, &err) != SECOR_OK)
			say(reading, PROPERTY_ERROR, place, "include: %s",
			    err.text);
		else
			include_one(reading, place, name);
		free(name);
		free(open);
	}
	free(copy);
}

/* ---- lines ---- */

static void
say_bytes(const struct reading *reading, const struct property_place *place,
    const char *key, const char *value, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)value[i] < 0x80)
			continue;
		say(reading, PROPERTY_WARNING, place,
		    "%s: bytes beyond ASCII are read as ISO-8859-1, not as "
		    "UTF-8",
		    key);
		return;
	}
}

static void
read_property(struct reading *reading, const struct property_place *place,
    const char *line, size_t len)
{
	size_t keys = line_key(line, len), from = line_value(line, len, keys);
	const char *why = NULL;
	char *key = property_unescape(line, keys, &why), *value = NULL;

	if (key != NULL)
		value = property_unescape(line + from, len - from, &why);
	if (value == NULL) {
		say(reading, PROPERTY_ERROR, place, "%.*s %s",
		    (int)(keys < 100 ? keys : 100), line, why);
		free(key);
		return;
	}
	say_bytes(reading, place, key, line + from, len - from);
	if (strcasecmp(key, "include") == 0) {
		include(reading, place, value);
		free(key);
	} else {
		define(reading, place, key, value);
	}
	free(value);
}

/* ---- files ---- */

static int
load(const struct reading *reading, const char *path, char **bytes, size_t *n,
    struct secor_err *err)
{
	if (reading->how->load != NULL)
		return reading->how->load(
		    reading->how->arg, path, bytes, n, err);
	return file_read(path, LARGEST_FILE, bytes, n, err);
}

static const char *
keep_name(struct properties *properties, const char *path)
{
	properties->files = mem_grow(properties->files,
	    (properties->file_count + 1) * sizeof(*properties->files));
	return properties->files[properties->file_count++] =
		   mem_dup(path, strlen(path));
}

static void
read_bytes(struct reading *reading, struct cursor *cursor)
{
	struct buf line = {0};
	int lost;

	buf_puts(&line, "");
	while (line_next(cursor, &line, &lost))
		read_property(reading, &cursor->place, line.ptr, line.len);
	if (lost)
		say(reading, PROPERTY_WARNING, &cursor->place,
		    "the file ends with a backslash: this definition is lost");
	buf_fini(&line);
}

static int
read_file(struct reading *reading, const char *path, struct secor_err *err)
{
	struct cursor cursor = {NULL, NULL, {NULL, 0}, 1};
	char *bytes = NULL;
	size_t n = 0;
	int rc;

	for (size_t i = 0; i < reading->depth; i++)
		if (strcmp(reading->stack[i], path) == 0)
			return secor_fail(
			    err, SECOR_REJECT, "%s: it includes itself", path);
	if (reading->depth == DEEPEST || reading->opened == MOST_FILES)
		return secor_fail(err, SECOR_REJECT,
		    "%s: more than %d files, or %d in each other", path,
		    MOST_FILES, DEEPEST);
	rc = load(reading, path, &bytes, &n, err);
	if (rc != SECOR_OK)
		return rc;
	reading->opened++;
	cursor.at = bytes;
	cursor.end = bytes + n;
	cursor.place.file = keep_name(reading->properties, path);
	reading->stack[reading->depth++] = cursor.place.file;
	read_bytes(reading, &cursor);
	reading->depth--;
	free(bytes);
	return SECOR_OK;
}

/* ---- all together ---- */

static void
define_all(struct properties *all, const struct secor_strings *defines)
{
	static const struct property_place PLACE = {"-D", 0};

	all->defines = mem_alloc((defines->count + 1) * sizeof(*all->defines));
	for (size_t i = 0; i < defines->count; i++) {
		const char *text = defines->items[i];
		size_t len = strcspn(text, "=");
		struct property *one = &all->defines[all->define_count++];
		char **items;
		size_t n = property_split(
		    text[len] == '=' ? text + len + 1 : "", &items);

		*one = (struct property){
		    .key = mem_dup(text, len), .place = PLACE};
		add_items(one, items, n);
		free(items);
	}
}

static void
interpolate(const struct reading *reading, struct property *property)
{
	property->items = mem_alloc(property->count * sizeof(char *));
	for (size_t i = 0; i < property->count; i++) {
		const char *raw = property->raw[i];
		char *open = NULL;
		struct secor_err err;

		if (properties_interpolate(reading->properties, raw,
			&property->items[i], &open, &err) != SECOR_OK) {
			say(reading, PROPERTY_ERROR, &property->place, "%s: %s",
			    property->key, err.text);
			property->items[i] = mem_dup(raw, strlen(raw));
		}
		if (open != NULL)
			say(reading, PROPERTY_WARNING, &property->place,
			    "%s: ${%s} is not known here and stays as it is",
			    property->key, open);
		free(open);
	}
}

int
properties_read(struct properties *properties, const char *file,
    const struct secor_strings *defines, const struct properties_how *how,
    struct secor_err *err)
{
	struct reading reading = {
	    .properties = properties, .how = how, .first = file};
	int rc;

	memset(properties, 0, sizeof(*properties));
	define_all(properties, defines);
	rc = read_file(&reading, file, err);
	for (size_t i = 0; i < properties->count; i++)
		interpolate(&reading, &properties->items[i]);
	for (size_t i = 0; i < properties->define_count; i++)
		interpolate(&reading, &properties->defines[i]);
	return rc;
}

static void
free_list(struct property *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < list[i].count; k++) {
			free(list[i].raw[k]);
			if (list[i].items != NULL)
				free(list[i].items[k]);
		}
		free(list[i].raw);
		free(list[i].items);
		free(list[i].key);
	}
	free(list);
}

void
properties_free(struct properties *properties)
{
	free_list(properties->items, properties->count);
	free_list(properties->defines, properties->define_count);
	for (size_t i = 0; i < properties->file_count; i++)
		free(properties->files[i]);
	free(properties->files);
	memset(properties, 0, sizeof(*properties));
}
