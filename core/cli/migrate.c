/*
 * migrate.c -- secor migrate PROPERTIES: a property file of the Secor in Java
 * as YAML on standard output, remarks on standard error.
 */
#include "core/cli/args.h"
#include "core/cli/cli.h"
#include "core/cli/migrate/leftovers.h"
#include "core/cli/migrate/migration.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char USAGE[] =
    "usage: secor migrate PROPERTIES [-D KEY=VALUE]... [options]\n"
    "       secor migrate --leftovers FILE OFFSETS|--from-group G\n"
    "\n"
    "Makes a configuration of a property file of the Secor in Java, read "
    "under\n"
    "its own rules, with what it includes. The YAML goes to standard output,\n"
    "remarks to standard error: errors are what somebody must do before it\n"
    "runs, warnings are traps that the old set-up was in. At the end it says\n"
    "how to take over the offsets (docs/MIGRATE.md).\n"
    "  -D KEY=VALUE    over the file, as the original's command line had it\n"
    "  --path FOLDERS  where includes may lie too (its class path), by ':'\n"
    "  --output FILE   the YAML goes there, which must not exist\n"
    "  --plugin-path   folders to look for plugins first, separated by ':'\n"
    "\n"
    "  --leftovers     lists objects in the store of FILE that the old "
    "service\n"
    "                  put and did not commit: at or past the offsets in "
    "OFFSETS\n"
    "                  (lines topic,partition,offset) or of the old group G\n"
    "\n"
    "Exit: 0 good, 1 something is to be done by hand (or there are "
    "leftovers),\n"
    "2 usage, or a property file that the original would refuse, 3 a file or\n"
    "the environment.\n";

enum { MOST_DEFINES = 256, MOST_FOLDERS = 64 };

/* ---- remarks ---- */

struct told {
	const char *file;
	size_t errors; /* of the property file */
};

static void
say_line(
    const struct property_place *place, const char *level, const char *text)
{
	if (place != NULL && place->line > 0)
		(void)fprintf(stderr, "%s:%d: ", place->file, place->line);
	else if (place != NULL)
		(void)fprintf(stderr, "%s: ", place->file);
	(void)fprintf(stderr, "%s: %s\n", level, text);
}

static void
say_property(void *arg, enum property_level level,
    const struct property_place *place, const char *text)
{
	struct told *told = arg;

	told->errors += level == PROPERTY_ERROR;
	say_line(place, level == PROPERTY_ERROR ? "error" : "warning", text);
}

static void
say_remark(void *arg, enum remark remark, const struct property_place *place,
    const char *text)
{
	static const char *const LEVELS[] = {"error", "warning", "note"};
	const struct told *told = arg;
	struct property_place whole = {told->file, 0};

	say_line(place != NULL ? place : &whole, LEVELS[remark], text);
}

static void
say_step(void *arg, const char *text)
{
	(void)arg;
	(void)fprintf(stderr, "%s\n", text);
}

/* ---- the command line ---- */

struct ask {
	const char *defines[MOST_DEFINES];
	size_t define_count;
	const char *folders[MOST_FOLDERS];
	size_t folder_count;
	const char *path, *output, *plugins, *leftovers, *group;
};

static int
wrong(const char *text)
{
	(void)fprintf(
	    stderr, "secor migrate: %s (secor migrate --help)\n", text);
	return CLI_USAGE;
}

/* Takes the -D out of argv, which cli_args does not know. -1: fine. */
static int
take_defines(int *argc, char **argv, struct ask *ask)
{
	int to = 1;

	for (int i = 1; i < *argc; i++) {
		const char *text = argv[i] + 2;

		if (strncmp(argv[i], "-D", 2) != 0) {
			argv[to++] = argv[i];
			continue;
		}
		if (*text == '\0' && i + 1 < *argc)
			text = argv[++i];
		if (*text == '=' || strchr(text, '=') == NULL)
			return wrong("-D is followed by KEY=VALUE");
		if (ask->define_count == MOST_DEFINES)
			return wrong("so many -D");
		ask->defines[ask->define_count++] = text;
	}
	*argc = to;
	return -1;
}

static void
split_folders(struct ask *ask, char *path)
{
	char *one;

	while ((one = strsep(&path, ":")) != NULL)
		if (*one != '\0' && ask->folder_count < MOST_FOLDERS)
			ask->folders[ask->folder_count++] = one;
}

/* ---- output ---- */

static int
put_yaml(const char *yaml, const char *output)
{
	FILE *out = output != NULL ? fopen(output, "wx") : stdout;
	int bad;

	if (out == NULL) {
		(void)fprintf(
		    stderr, "secor migrate: %s: %s\n", output, strerror(errno));
		return CLI_ENVIRONMENT;
	}
	(void)fputs(yaml, out);
	bad = fflush(out);
	if (output != NULL)
		bad |= fclose(out);
	if (bad == 0)
		return CLI_OK;
	(void)fprintf(stderr, "secor migrate: %s: %s\n",
	    output != NULL ? output : "standard output", strerror(errno));
	return CLI_ENVIRONMENT;
}

static int
make(const struct ask *ask, const struct properties *properties,
    struct told *told)
{
	struct migration m = {.properties = properties,
	    .registry = registry_new(getenv("SECOR_PLUGIN_PATH"), 1),
	    .say = say_remark,
	    .arg = told};
	char *yaml = migrate(&m);
	int code = put_yaml(yaml, ask->output);

	if (code == CLI_OK) {
		takeover(&m, ask->output != NULL ? ask->output : "FILE",
		    say_step, NULL);
		code = m.todo > 0 ? CLI_FOUND : CLI_OK;
	}
	registry_free(m.registry);
	free(yaml);
	return code;
}

static int
run(const struct ask *ask, const char *file)
{
	struct secor_strings defines = {ask->defines, ask->define_count};
	struct told told = {file, 0};
	struct properties_how how = {.folders = ask->folders,
	    .folder_count = ask->folder_count,
	    .say = say_property,
	    .arg = &told};
	struct properties properties;
	struct secor_err err = {""};
	int code;

	if (properties_read(&properties, file, &defines, &how, &err) !=
	    SECOR_OK) {
		(void)fprintf(stderr, "secor migrate: %s\n", err.text);
		code = CLI_ENVIRONMENT;
	} else if (told.errors > 0) {
		code = CLI_USAGE;
	} else {
		code = make(ask, &properties, &told);
	}
	properties_free(&properties);
	return code;
}

static int
answer(const struct ask *ask, const struct cli_words *words)
{
	char *path;
	int code;

	if (ask->plugins != NULL)
		(void)setenv("SECOR_PLUGIN_PATH", ask->plugins, 1);
	if (ask->leftovers != NULL) {
		if ((ask->group != NULL) == (words->count == 1))
			return wrong("--leftovers needs a file of offsets, or "
				     "--from-group");
		return leftovers(ask->leftovers,
		    words->count == 1 ? words->items[0] : NULL, ask->group);
	}
	if (words->count != 1 || ask->group != NULL)
		return wrong("one property file is needed");
	path = mem_text("%s", ask->path != NULL ? ask->path : "");
	{
		struct ask whole = *ask;

		split_folders(&whole, path);
		code = run(&whole, words->items[0]);
	}
	free(path);
	return code;
}

int
cli_migrate(int argc, char **argv)
{
	struct ask ask = {.define_count = 0};
	const struct cli_option options[] = {{"path", CLI_TEXT, &ask.path},
	    {"output", CLI_TEXT, &ask.output},
	    {"plugin-path", CLI_TEXT, &ask.plugins},
	    {"leftovers", CLI_TEXT, &ask.leftovers},
	    {"from-group", CLI_TEXT, &ask.group}};
	const struct cli_table table = {
	    USAGE, options, sizeof(options) / sizeof(*options), 0, 1};
	struct cli_words words = {NULL, 0};
	int code = take_defines(&argc, argv, &ask);

	if (code < 0)
		code = cli_args(argc, argv, &table, &words);
	if (code < 0)
		code = answer(&ask, &words);
	free(words.items);
	return code;
}
