/*
 * properties.h -- property files under the rules of commons-configuration 1.10,
 * which the original reads its settings with. They are not those of Java's own
 * properties:
 *
 *   - of a key that comes again the first definition counts; as a list, it is
 *     the items of all of them;
 *   - an unescaped comma makes a list, of which a single value is the first;
 *   - `include` (in any case, a list too) is read in place;
 *   - `${key}` is the first definition of another key, `${sys:x}` a -D of the
 *     command line, `${env:X}` the environment; what is not known stays;
 *   - bytes are ISO-8859-1; \uXXXX and the short escapes are decoded; blanks
 *     around keys and values are cut; a backslash at the end of a line
 *     continues it, also over comments; at the end of the file it loses it.
 *
 * Everything that is odd is told, and reading goes on.
 */
#ifndef SECOR_CLI_MIGRATE_PROPERTIES_H
#define SECOR_CLI_MIGRATE_PROPERTIES_H

#include <secor/plugin.h>

struct property_place {
	const char *file; /* "-D" for the command line */
	int line;
};

/* A key, with its first definition's place. */
struct property {
	char *key;
	struct property_place place;
	char **raw;   /* of the first definition, then of later ones */
	char **items; /* the same, interpolated */
	size_t count; /* at least 1 */
};

struct properties {
	struct property *items; /* in order of their first definitions */
	size_t count;
	struct property *defines; /* of -D; they win */
	size_t define_count;
	char **files; /* names, for places */
	size_t file_count;
};

enum property_level {
	PROPERTY_ERROR,	 /* the original would not have started */
	PROPERTY_WARNING /* it did something that is easily overlooked */
};

struct properties_how {
	/* Where includes are looked for, after the including file's folder and
	 * that of the first file: the class path. */
	const char *const *folders;
	size_t folder_count;
	/* Another way to get a file than the disk; or NULL. */
	int (*load)(void *arg, const char *path, char **bytes, size_t *n,
	    struct secor_err *err);
	void (*say)(void *arg, enum property_level level,
	    const struct property_place *place, const char *text);
	void *arg;
};

/* Reads `file` and what it includes, with `defines` ("key=value") over it.
 * SECOR_OK, or SECOR_RETRY when `file` itself cannot be read; errors in it are
 * said. The caller calls properties_free in both cases. */
int properties_read(struct properties *properties, const char *file,
    const struct secor_strings *defines, const struct properties_how *how,
    struct secor_err *err);
void properties_free(struct properties *properties);

/* NULL when there is none. */
const struct property *
properties_find(const struct properties *properties, const char *key);
/* The first item, interpolated; NULL when there is none. */
const char *
properties_get(const struct properties *properties, const char *key);

/* ---- between the files of this folder ---- */

/* interpolate.c: `text` with its variables; caller frees. SECOR_REJECT with a
 * sentence for a loop, or for more than 64 KiB. *open is set to the first
 * variable that is not known (caller frees), or stays. */
int properties_interpolate(const struct properties *properties,
    const char *text, char **out, char **open, struct secor_err *err);

/* unescape.c: a value or key with its escapes decoded, as UTF-8; a comma that
 * is escaped keeps its backslash for the splitting. NULL with a phrase in *why
 * for a \u that is none. */
char *property_unescape(const char *bytes, size_t len, const char **why);
/* A value in items, blanks around them cut; their number. Caller frees both. */
size_t property_split(const char *value, char ***items);

#endif
