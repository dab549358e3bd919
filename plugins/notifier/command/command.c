/*
 * command.c -- runs a program for each event, which reads it as JSON from its
 * standard input. No shell, no environment but a path and what is configured,
 * and only where the service was started with --allow-commands.
 *
 *	exit 0			heard
 *	exit 65 (EX_DATAERR)	REJECT: this event will never be welcome
 *	anything else		RETRY: it comes again
 */
#include "plugins/common/event_json.h"
#include "plugins/common/run.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum { MOST_OUTPUT = 65536, REFUSED = 65 };

struct command_conf {
	struct secor_strings command;
	struct secor_pairs environment;
	int64_t timeout;
};

struct command {
	const struct command_conf *conf;
	const struct secor_host *host;
	char **words;
	char **environment;
};

static const struct secor_option OPTIONS[] = {
    SECOR_OPTION(STRINGS, struct command_conf, command, "command", NULL,
	SECOR_OPTION_REQUIRED,
	"Program and its arguments, a list; no shell reads it."),
    SECOR_OPTION(PAIRS, struct command_conf, environment, "environment", NULL,
	SECOR_OPTION_SECRET,
	"Its environment, beside a PATH of the system's folders; never "
	"shown."),
    SECOR_OPTION_RANGE(DURATION, struct command_conf, timeout, "timeout", "1m",
	"1s", "1d", 0, "It is killed when it takes longer, and runs again."),
};

static int
is_name(const char *text)
{
	if (!isalpha((unsigned char)*text) && *text != '_')
		return 0;
	for (; *text != '\0'; text++)
		if (!isalnum((unsigned char)*text) && *text != '_')
			return 0;
	return 1;
}

static void
command_check(const void *conf_, const struct secor_check *check)
{
	const struct command_conf *conf = conf_;
	char text[200];

	if (conf->command.count == 0 || conf->command.items[0][0] == '\0')
		check->complain(check, "command", "has no program");
	for (size_t i = 0; i < conf->environment.count; i++) {
		const char *name = conf->environment.items[i].key;

		if (is_name(name))
			continue;
		(void)snprintf(text, sizeof(text),
		    "'%.80s' is no name of a variable", name);
		check->complain(check, "environment", text);
	}
}

/* ---- instance ---- */

static void
command_close(void *self)
{
	struct command *command = self;

	if (command == NULL)
		return;
	for (size_t i = 0;
	     command->environment != NULL && command->environment[i] != NULL;
	     i++)
		free(command->environment[i]);
	free(command->environment);
	free(command->words);
	free(command);
}

static char *
variable(const char *name, const char *value)
{
	struct text text = {0};

	text_addf(&text, "%s=%s", name, value);
	if (!text.failed)
		return text.ptr;
	text_fini(&text);
	return NULL;
}

/* 0 when there is no memory. */
static int
fill(struct command *command)
{
	const struct command_conf *conf = command->conf;
	size_t n = 0;

	command->words = calloc(conf->command.count + 1, sizeof(char *));
	command->environment =
	    calloc(conf->environment.count + 2, sizeof(char *));
	if (command->words == NULL || command->environment == NULL)
		return 0;
	for (size_t i = 0; i < conf->command.count; i++)
		command->words[i] = (char *)(uintptr_t)conf->command.items[i];
	command->environment[n++] =
	    variable("PATH", "/usr/local/bin:/usr/bin:/bin");
	for (size_t i = 0;
	     command->environment[n - 1] != NULL && i < conf->environment.count;
	     i++)
		command->environment[n++] =
		    variable(conf->environment.items[i].key,
			conf->environment.items[i].value);
	return command->environment[n - 1] != NULL;
}

static int
command_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	struct command *command;

	if (with->size < sizeof(*with) || !with->allow_commands)
		return secor_fail(err, SECOR_FATAL,
		    "programs run only where the command line says so: secor "
		    "run --allow-commands FILE");
	command = calloc(1, sizeof(*command));
	if (command == NULL)
		return secor_fail(err, SECOR_FATAL, "out of memory");
	command->conf = with->conf;
	command->host = with->host;
	if (!fill(command)) {
		command_close(command);
		return secor_fail(err, SECOR_FATAL, "out of memory");
	}
	*self = command;
	return SECOR_OK;
}

/* ---- events ---- */

/* The first line of what it has said, printable. */
static void
first_line(const char *said, char *dst, size_t room)
{
	size_t n = 0;

	for (; *said != '\0' && *said != '\n' && n + 1 < room; said++)
		dst[n++] = (unsigned char)*said < ' ' ? ' ' : *said;
	dst[n] = '\0';
}

static int
judge(const struct command *command, const struct run_result *result,
    struct secor_err *err)
{
	const char *program = command->words[0];
	char line[300];
	int how = result->how;

	first_line(result->bytes, line, sizeof(line));
	if (result->end == RUN_TOO_LONG)
		return secor_fail(err, SECOR_RETRY,
		    "%.200s did not end within %lld s (timeout)", program,
		    (long long)(command->conf->timeout / 1000));
	if (result->end == RUN_TOO_MUCH)
		return secor_fail(err, SECOR_RETRY,
		    "%.200s says more than 64 KiB on its error output: %s",
		    program, line);
	if (WIFSIGNALED(how))
		return secor_fail(err, SECOR_RETRY,
		    "%.200s was ended by signal %d%s%s", program, WTERMSIG(how),
		    *line != '\0' ? ": " : "", line);
	if (how == 0)
		return SECOR_OK;
	return secor_fail(err,
	    WEXITSTATUS(how) == REFUSED ? SECOR_REJECT : SECOR_RETRY,
	    "%.200s ended with %d%s%s", program, WEXITSTATUS(how),
	    *line != '\0' ? ": " : "", line);
}

/* Takes the text. */
static int
tell(struct command *command, struct text *event, struct secor_err *err)
{
	struct run run = {.words = command->words,
	    .environment = command->environment,
	    .output = 2,
	    .most = MOST_OUTPUT,
	    .limit_ms = command->conf->timeout};
	struct run_result result = {0};
	int rc;

	text_adds(event, "\n");
	run.input = event->ptr;
	run.input_len = event->len;
	rc = event->failed ? secor_fail(err, SECOR_RETRY, "out of memory")
			   : run_program(&run, &result, err);
	if (rc == SECOR_OK)
		rc = judge(command, &result, err);
	else
		rc = SECOR_RETRY; /* FATAL too: a person mends it, then it
				     is heard */
	free(result.bytes);
	text_fini(event);
	return rc;
}

static int
command_batch_done(
    void *self, const struct secor_event_batch *batch, struct secor_err *err)
{
	struct command *command = self;
	struct text event = {0};

	event_batch_json(&event, batch, command->host->now_ms(command->host));
	return tell(command, &event, err);
}

static int
tell_path(struct command *command, const char *word,
    const struct secor_event_path *path, struct secor_err *err)
{
	struct text event = {0};

	event_path_json(
	    &event, word, path, command->host->now_ms(command->host));
	return tell(command, &event, err);
}

static int
command_path_finalized(
    void *self, const struct secor_event_path *path, struct secor_err *err)
{
	return tell_path(self, "path_finalized", path, err);
}

static int
command_path_amended(
    void *self, const struct secor_event_path *path, struct secor_err *err)
{
	return tell_path(self, "path_amended", path, err);
}

static const struct secor_notifier_ops OPS = {
    .size = sizeof(OPS),
    .open = command_open,
    .close = command_close,
    .batch_done = command_batch_done,
    .path_finalized = command_path_finalized,
    .path_amended = command_path_amended,
};

static const struct secor_plugin PLUGIN = {
    SECOR_PLUGIN_HEAD,
    SECOR_NOTIFIER,
    "command",
    SECOR_VERSION,
    "Runs a program for each event, which reads it as JSON.",
    1,
    SECOR_OPTIONS(OPTIONS),
    sizeof(struct command_conf),
    command_check,
    &OPS,
};

SECOR_EXPORT const struct secor_plugin *
secor_plugin_entry(void)
{
	return &PLUGIN;
}
