/*
 * config.c -- a configuration for a subcommand, complaints to stderr.
 */
#include "core/cli/cli.h"

#include <stdlib.h>

static void
complain(void *arg, const char *line)
{
	(void)arg;
	(void)fprintf(stderr, "%s\n", line);
}

struct config *
cli_config(
    const char *file, int flags, struct registry **registry, int *exit_code)
{
	struct config_how how = {.flags = flags, .complain = complain};
	struct config *config = NULL;
	int rc;

	*registry = registry_new(
	    getenv("SECOR_PLUGIN_PATH"), (flags & CONFIG_NO_LOAD) == 0);
	how.registry = *registry;
	rc = config_load(file, &how, &config);
	if (rc == SECOR_OK)
		return config;
	registry_free(*registry);
	*registry = NULL;
	*exit_code = rc == SECOR_RETRY ? CLI_ENVIRONMENT : CLI_USAGE;
	return NULL;
}
