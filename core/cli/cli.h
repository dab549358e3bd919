/*
 * cli.h -- one function a subcommand, and what they share.
 *
 * Exit codes: 0 ok, 1 found what it looks for (loss, duplicate, invalid),
 * 2 usage or configuration, 3 environment.
 */
#ifndef SECOR_CLI_CLI_H
#define SECOR_CLI_CLI_H

#include "core/config/config.h"

enum { CLI_OK = 0, CLI_FOUND = 1, CLI_USAGE = 2, CLI_ENVIRONMENT = 3 };

/* argv[0] is the subcommand. Returns the exit code. */
int cli_run(int argc, char **argv);
int cli_check(int argc, char **argv);
int cli_plugins(int argc, char **argv);
int cli_try(int argc, char **argv);
int cli_demo(int argc, char **argv);
int cli_produce(int argc, char **argv);
int cli_print(int argc, char **argv);
int cli_verify(int argc, char **argv);
int cli_where(int argc, char **argv);
int cli_why(int argc, char **argv);
int cli_redrive(int argc, char **argv);
int cli_finalize(int argc, char **argv);
int cli_offsets(int argc, char **argv);
int cli_migrate(int argc, char **argv);

/* Loads a configuration, complaints to stderr. NULL after complaints;
 * *exit_code is then CLI_USAGE or CLI_ENVIRONMENT. The registry comes out too
 * and is freed by the caller after the config. */
struct config *cli_config(
    const char *file, int flags, struct registry **registry, int *exit_code);

#endif
