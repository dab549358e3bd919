/*
 * main.c -- picks the subcommand. `secor FILE` is `secor run FILE`.
 */
#include "core/cli/cli.h"
#include "core/plugin/options.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
};

static int version(int argc, char **argv);

static const struct command commands[] = {
    {"run", cli_run, "the service: persist topics as FILE says"},
    {"check", cli_check, "validate a configuration"},
    {"plugins", cli_plugins, "list plugins and their options"},
    {"try", cli_try, "show what becomes of messages from standard input"},
    {"demo", cli_demo, "the whole way on an embedded broker, with the proof"},
    {"produce", cli_produce, "write test messages to a topic"},
    {"print", cli_print, "show the records of objects"},
    {"verify", cli_verify, "account for every offset"},
    {"where", cli_where, "find the object that holds a message"},
    {"why", cli_why, "tell what is in an object, and why it ends there"},
    {"finalize", cli_finalize, "mark paths that are over, tell notifiers"},
    {"offsets", cli_offsets, "show, adopt, reset, import or resolve records"},
    {"redrive", cli_redrive, "store dead letters that are good now"},
    {"migrate", cli_migrate,
	"a property file of the Secor in Java as a configuration"},
    {"version", version, "print the versions of it and of librdkafka"},
};

static int
version(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	(void)printf(
	    "secor " SECOR_VERSION "\nlibrdkafka %s\n", rd_kafka_version_str());
#ifdef SECOR_TEST_NO_PLAN
	(void)puts("built for tests, without the plan step: it loses and "
		   "doubles messages");
#endif
	return CLI_OK;
}

static void
usage(FILE *out)
{
	(void)fputs("usage: secor COMMAND ...\n       secor FILE\n\n", out);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		(void)fprintf(
		    out, "  %-9s %s\n", commands[i].name, commands[i].help);
	(void)fputs("\n`secor COMMAND --help` tells more.\n", out);
}

static void
complain(const char *name, const char *nor)
{
	enum { COUNT = sizeof(commands) / sizeof(commands[0]) };
	const char *names[COUNT], *near;

	for (size_t i = 0; i < COUNT; i++)
		names[i] = commands[i].name;
	near = nearest_word(name, names, COUNT);
	(void)fprintf(stderr, "secor: no command %s'%s'", nor, name);
	if (near != NULL)
		(void)fprintf(stderr, "; did you mean '%s'?", near);
	(void)fputs("\n", stderr);
}

int
main(int argc, char **argv)
{
	char *run_argv[] = {argv[0], argc > 1 ? argv[1] : NULL, NULL};
	const char *name = argc > 1 ? argv[1] : "";

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i].name, name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 ||
	    strcmp(name, "help") == 0) {
		usage(stdout);
		return CLI_OK;
	}
	if (strcmp(name, "--version") == 0)
		return version(argc, argv);
	if (argc == 2 && name[0] != '-' &&
	    (strpbrk(name, "./") != NULL || access(name, F_OK) == 0))
		return cli_run(2, run_argv);
	if (argc > 1)
		complain(
		    name, argc == 2 && name[0] != '-' ? "and no file " : "");
	usage(stderr);
	return CLI_USAGE;
}
