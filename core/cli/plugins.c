/*
 * plugins.c -- secor plugins [NAME]: what there is, and what it can be told.
 */
#include "core/base/buf.h"
#include "core/cli/cli.h"

#include <getopt.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const char USAGE[] =
    "usage: secor plugins [NAME] [--json | --markdown] [--plugin-path "
    "FOLDERS]\n"
    "\n"
    "Lists the plugins, or describes the options of one: its name, its kind\n"
    "and name (parser/json) or its file (./mine.so).\n"
    "  --json         for machines\n"
    "  --markdown     as a page; without NAME all sections too\n"
    "  --plugin-path  folders to look for plugins first, separated by ':'\n"
    "Exit: 0 good, 1 no such plugin or one that does not load.\n";

enum style { STYLE_TEXT, STYLE_JSON, STYLE_MARKDOWN };

struct wishes {
	enum style style;
	int help;
	const char *name;
};

/* One walk over the registry. */
struct walk {
	const struct wishes *wishes;
	json_t *list;
	size_t shown;
	size_t broken;
};

/* ---- text ---- */

static void
print_limits(const struct secor_option *row)
{
	for (size_t i = 0;
	     row->type == SECOR_TYPE_CHOICE && row->choices[i] != NULL; i++)
		(void)printf("%s%s", i > 0 ? "|" : "  ", row->choices[i]);
	if (row->flags & SECOR_OPTION_REQUIRED)
		(void)printf("  (required)");
	if (row->def != NULL && *row->def != '\0')
		(void)printf("  (default %s)", row->def);
	if (row->min != NULL)
		(void)printf("  (from %s)", row->min);
	if (row->max != NULL)
		(void)printf("  (up to %s)", row->max);
	if (row->flags & SECOR_OPTION_SECRET)
		(void)printf("  (secret: ${ENV} or file:PATH)");
	if (row->flags & SECOR_OPTION_OUTPUT)
		(void)printf("  (decides output)");
	if (row->flags & SECOR_OPTION_DEPRECATED)
		(void)printf("  (deprecated)");
}

static void
print_options(const struct plugin *plugin, const char *file)
{
	struct options opts = plugin_options(plugin);

	(void)printf("%s %s, version %s\n%s\nfile: %s\n",
	    kind_name(plugin->desc.kind), plugin->desc.name,
	    plugin->desc.version != NULL ? plugin->desc.version : "-",
	    plugin->desc.summary != NULL ? plugin->desc.summary : "", file);
	if (opts.count == 0)
		(void)printf("\nno options\n");
	for (size_t i = 0; i < opts.count; i++) {
		const struct secor_option *row = options_row(&opts, i);

		(void)printf("\n%s: %s", row->key,
		    row->type == SECOR_TYPE_CHOICE
			? "one of"
			: option_type_phrase(row->type));
		print_limits(row);
		(void)printf("\n    %s\n", row->help);
	}
}

static void
print_line(const struct plugin *plugin)
{
	(void)printf("%-12s %-14s %s\n", kind_name(plugin->desc.kind),
	    plugin->desc.name,
	    plugin->desc.summary != NULL ? plugin->desc.summary : "");
}

/* ---- json ---- */

static void
put(json_t *object, const char *key, const char *text)
{
	if (text != NULL)
		(void)json_object_set_new(object, key, json_string(text));
}

static json_t *
json_option(const struct secor_option *row)
{
	json_t *object = json_object();
	json_t *choices;

	put(object, "key", row->key);
	put(object, "value", option_type_phrase(row->type));
	put(object, "default", row->def);
	put(object, "min", row->min);
	put(object, "max", row->max);
	put(object, "help", row->help);
	(void)json_object_set_new(object, "required",
	    json_boolean(row->flags & SECOR_OPTION_REQUIRED));
	(void)json_object_set_new(
	    object, "secret", json_boolean(row->flags & SECOR_OPTION_SECRET));
	(void)json_object_set_new(object, "decides_output",
	    json_boolean(row->flags & SECOR_OPTION_OUTPUT));
	if (row->type != SECOR_TYPE_CHOICE)
		return object;
	choices = json_array();
	for (size_t i = 0; row->choices[i] != NULL; i++)
		(void)json_array_append_new(
		    choices, json_string(row->choices[i]));
	(void)json_object_set_new(object, "choices", choices);
	return object;
}

static json_t *
json_plugin(const struct plugin *plugin, const char *file)
{
	struct options opts = plugin_options(plugin);
	json_t *object = json_object(), *list = json_array();

	put(object, "kind", kind_name(plugin->desc.kind));
	put(object, "name", plugin->desc.name);
	put(object, "version", plugin->desc.version);
	put(object, "summary", plugin->desc.summary);
	put(object, "file", file);
	(void)json_object_set_new(object, "output_version",
	    json_integer(plugin->desc.output_version));
	for (size_t i = 0; i < opts.count; i++)
		(void)json_array_append_new(
		    list, json_option(options_row(&opts, i)));
	(void)json_object_set_new(object, "options", list);
	return object;
}

/* ---- the walk ---- */

/* "json", "parser/json"; NULL takes all. */
static int
is_asked(const struct wishes *wishes, const char *kind, const char *name)
{
	size_t len = strlen(kind);

	if (wishes->name == NULL || strcmp(wishes->name, name) == 0)
		return 1;
	return strncmp(wishes->name, kind, len) == 0 &&
	       wishes->name[len] == '/' &&
	       strcmp(wishes->name + len + 1, name) == 0;
}

static void
show_one(struct walk *walk, const struct plugin *plugin, const char *file)
{
	char *text;

	walk->shown++;
	if (walk->wishes->style == STYLE_JSON) {
		(void)json_array_append_new(
		    walk->list, json_plugin(plugin, file));
	} else if (walk->wishes->style == STYLE_MARKDOWN) {
		text = config_plugin_markdown(plugin);
		(void)fputs(text, stdout);
		free(text);
	} else if (walk->wishes->name != NULL) {
		(void)printf("%s", walk->shown > 1 ? "\n" : "");
		print_options(plugin, file);
	} else {
		print_line(plugin);
	}
}

static void
visit(void *arg, const struct plugin *plugin, const char *file,
    const char *why_not)
{
	struct walk *walk = arg;

	if (plugin == NULL) {
		if (walk->wishes->name == NULL ||
		    strstr(file, walk->wishes->name) != NULL)
			(void)fprintf(stderr, "%s\n", why_not);
		walk->broken++;
		return;
	}
	if (is_asked(
		walk->wishes, kind_name(plugin->desc.kind), plugin->desc.name))
		show_one(walk, plugin, file);
}

static int
show_file(struct walk *walk, struct registry *registry)
{
	const struct plugin *plugin;
	struct secor_err err = {""};

	if (registry_find(registry, 0, walk->wishes->name, ".", &plugin,
		&err) != SECOR_OK) {
		(void)fprintf(stderr, "secor: %s\n", err.text);
		return CLI_FOUND;
	}
	show_one(walk, plugin, plugin->file);
	return CLI_OK;
}

static int
show(struct walk *walk, struct registry *registry)
{
	const char *name = walk->wishes->name;
	size_t len = name != NULL ? strlen(name) : 0;
	char *text;

	if (len > 3 && strcmp(name + len - 3, ".so") == 0)
		return show_file(walk, registry);
	if (name == NULL && walk->wishes->style == STYLE_MARKDOWN) {
		text = config_markdown(registry);
		(void)fputs(text, stdout);
		free(text);
		return CLI_OK;
	}
	registry_each(registry, visit, walk);
	if (name != NULL && walk->shown == 0) {
		(void)fprintf(stderr,
		    "secor: no plugin '%s'; `secor plugins` lists them\n",
		    name);
		return CLI_FOUND;
	}
	return walk->broken > 0 && name == NULL ? CLI_FOUND : CLI_OK;
}

/* 0 when the command line is wrong. */
static int
read_wishes(int argc, char **argv, struct wishes *wishes)
{
	static const struct option LONG[] = {{"json", no_argument, NULL, 'j'},
	    {"markdown", no_argument, NULL, 'm'},
	    {"plugin-path", required_argument, NULL, 'p'},
	    {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	int c;

	optind = 0;
	while ((c = getopt_long(argc, argv, "h", LONG, NULL)) != -1) {
		switch (c) {
		case 'j':
			wishes->style = STYLE_JSON;
			break;
		case 'm':
			wishes->style = STYLE_MARKDOWN;
			break;
		case 'p':
			(void)setenv("SECOR_PLUGIN_PATH", optarg, 1);
			break;
		case 'h':
			wishes->help = 1;
			return 1;
		default:
			return 0;
		}
	}
	wishes->name = optind < argc ? argv[optind] : NULL;
	return optind >= argc - 1;
}

int
cli_plugins(int argc, char **argv)
{
	struct wishes wishes = {0};
	struct walk walk = {.wishes = &wishes};
	struct registry *registry;
	int code;

	if (!read_wishes(argc, argv, &wishes) || wishes.help) {
		(void)fputs(USAGE, wishes.help ? stdout : stderr);
		return wishes.help ? CLI_OK : CLI_USAGE;
	}
	registry = registry_new(getenv("SECOR_PLUGIN_PATH"), 1);
	walk.list = json_array();
	code = show(&walk, registry);
	if (wishes.style == STYLE_JSON && code == CLI_OK) {
		(void)json_dumpf(walk.list, stdout, JSON_INDENT(2));
		(void)putchar('\n');
	}
	json_decref(walk.list);
	registry_free(registry);
	return code;
}
