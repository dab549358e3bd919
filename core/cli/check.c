/*
 * check.c -- secor check FILE: every complaint of a configuration, or "ok".
 */
#include "core/cli/cli.h"

#include <getopt.h>
#include <stdlib.h>

static const char USAGE[] =
    "usage: secor check FILE [--show] [--no-load] [--plugin-path FOLDERS]\n"
    "\n"
    "Checks a configuration and prints every complaint with its place.\n"
    "  --show         print the effective configuration, secrets hidden\n"
    "  --no-load      run no plugin code; plugins' options go unchecked\n"
    "  --plugin-path  folders to look for plugins first, separated by ':'\n"
    "                 (also $SECOR_PLUGIN_PATH)\n"
    "Exit: 0 good, 2 complaints, 3 the file cannot be read.\n";

struct wishes {
	int show;
	int no_load;
	int help;
	const char *file;
};

static int
usage(FILE *to, int code)
{
	(void)fputs(USAGE, to);
	return code;
}

/* 0 when the command line is wrong (said). */
static int
read_wishes(int argc, char **argv, struct wishes *wishes)
{
	static const struct option LONG[] = {{"show", no_argument, NULL, 's'},
	    {"no-load", no_argument, NULL, 'n'},
	    {"plugin-path", required_argument, NULL, 'p'},
	    {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	int c;

	optind = 0;
	while ((c = getopt_long(argc, argv, "h", LONG, NULL)) != -1) {
		switch (c) {
		case 's':
			wishes->show = 1;
			break;
		case 'n':
			wishes->no_load = 1;
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
	if (optind != argc - 1)
		return 0;
	wishes->file = argv[optind];
	return 1;
}

int
cli_check(int argc, char **argv)
{
	struct wishes wishes = {0};
	struct registry *registry;
	struct config *config;
	int code = CLI_OK;
	char *text;

	if (!read_wishes(argc, argv, &wishes))
		return usage(stderr, CLI_USAGE);
	if (wishes.help)
		return usage(stdout, CLI_OK);
	config = cli_config(wishes.file,
	    wishes.no_load ? CONFIG_NO_LOAD : CONFIG_TRY_OPEN, &registry,
	    &code);
	if (config == NULL)
		return code;
	if (wishes.show) {
		text = config_show(config);
		(void)fputs(text, stdout);
		free(text);
	} else {
		(void)printf("%s: ok%s\n", wishes.file,
		    wishes.no_load ? " (plugins' options not checked)" : "");
	}
	config_free(config);
	registry_free(registry);
	return CLI_OK;
}
