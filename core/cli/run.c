/*
 * run.c -- `secor run FILE`: the service. The main thread is the consumer
 * thread; signals only ask for a stop.
 */
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/cli/cli.h"
#include "core/flow/crash.h"
#include "core/flow/engine.h"
#include "core/flow/step.h"
#include "core/observe/control.h"
#include "core/observe/http.h"
#include "core/observe/report.h"

#include <getopt.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
    "usage: secor run [options] FILE\n"
    "\n"
    "Persists Kafka topics as FILE says, until SIGTERM.\n"
    "\n"
    "  --assume-new               a partition without committed offset is "
    "new,\n"
    "                             when the store cannot be listed\n"
    "  --finish-plans-with FILE   finish open plans of this older\n"
    "                             configuration with it\n"
    "  --allow-commands           notifiers may run programs (command)\n"
    "  --log-level LEVEL          error, warn, info or debug\n";

struct run_options {
	struct engine_options engine;
	const char *file;
	const char *old_file;
	int log_level;
	int allow_commands;
};

static struct engine *running;
static pthread_mutex_t running_lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic int64_t stop_asked_boot_ms; /* 0: not yet */
static sem_t stop_asked;

/* Async-signal-safe. */
static void
ask_stop(void)
{
	int64_t never = 0;

	if (atomic_compare_exchange_strong(
		&stop_asked_boot_ms, &never, clock_boot_ms()))
		(void)sem_post(&stop_asked);
}

static void
on_signal(int signo)
{
	(void)signo;
	if (running == NULL)
		_exit(0);
	engine_stop(running);
	ask_stop();
}

static void
catch_signals(void)
{
	struct sigaction action;

	(void)sem_init(&stop_asked, 0, 0);
	memset(&action, 0, sizeof(action));
	action.sa_handler = on_signal;
	(void)sigaction(SIGTERM, &action, NULL);
	(void)sigaction(SIGINT, &action, NULL);
	action.sa_handler = SIG_IGN;
	(void)sigaction(SIGPIPE, &action, NULL);
	(void)sigaction(SIGXFSZ, &action, NULL);
}

static int
level_of(const char *name)
{
	static const char *const names[] = {"error", "warn", "info", "debug"};

	for (int i = 0; i < 4; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -1;
}

static int
read_options(int argc, char **argv, struct run_options *options)
{
	static const struct option longs[] = {{"assume-new", 0, NULL, 'n'},
	    {"allow-commands", 0, NULL, 'c'},
	    {"finish-plans-with", 1, NULL, 'f'}, {"log-level", 1, NULL, 'l'},
	    {"help", 0, NULL, 'h'}, {NULL, 0, NULL, 0}};
	int c;

	options->log_level = -1;
	while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		if (c == 'n')
			options->engine.assume_new = 1;
		else if (c == 'c')
			options->allow_commands = 1;
		else if (c == 'f')
			options->old_file = optarg;
		else if (c == 'l' &&
			 (options->log_level = level_of(optarg)) >= 0)
			continue;
		else if (c == 'h')
			return -1;
		else
			return 0;
	}
	if (argc - optind != 1)
		return 0;
	options->file = argv[optind];
	return 1;
}

/* ---- the end ---- */

/* A plugin may hang for as long as its own time-out allows, or for ever, which
 * is not ours: stop_timeout after the signal the process ends with what is left
 * open, also when the consumer thread hangs in a parser. All that counts is in
 * Kafka and in the store, and what a notifier has not heard comes again. */
struct guard {
	int64_t stop_timeout_ms;
	_Atomic int code;
};

/* It may wait for messages. */
static void
wake_running(void)
{
	(void)pthread_mutex_lock(&running_lock);
	if (running != NULL)
		engine_wake(running);
	(void)pthread_mutex_unlock(&running_lock);
}

static void *
guard_run(void *arg)
{
	struct guard *guard = arg;
	int64_t left;

	while (sem_wait(&stop_asked) != 0)
		; /* a signal came to this thread */
	wake_running();
	while ((left = atomic_load(&stop_asked_boot_ms) +
		       guard->stop_timeout_ms - clock_boot_ms()) > 0) {
		struct timespec wait = {left / 1000, left % 1000 * 1000000};

		(void)nanosleep(&wait, NULL);
	}
	log_line(SECOR_WARN, "stop_timeout is over, ends at once", "code=%d",
	    atomic_load(&guard->code));
	_exit(atomic_load(&guard->code));
}

static struct guard *
guard_start(const struct config *config)
{
	static struct guard guard;
	pthread_t thread;

	guard.stop_timeout_ms = config->engine.stop_timeout_ms;
	if (pthread_create(&thread, NULL, guard_run, &guard) == 0)
		(void)pthread_detach(thread);
	return &guard;
}

/* The service is over, asked or not: the rest ends within stop_timeout. */
static void
guard_end(struct guard *guard, int code)
{
	atomic_store(&guard->code, code);
	ask_stop();
}

/* ---- the service with its windows ---- */

/* Without it the service runs all the same. */
static struct control *
listen_for_people(struct engine *engine)
{
	const struct control_source source = {
	    engine, engine_hold, engine_hold_end};
	struct control *control = NULL;
	struct secor_err err;
	char quoted[1200];

	if (control_start(engine_folder(engine), &source, &control, &err) !=
	    SECOR_OK)
		log_line(SECOR_WARN, "control does not listen",
		    "reason=%s what=\"'secor offsets' needs the group "
		    "stopped\"",
		    log_quote(quoted, sizeof(quoted), err.text));
	return control;
}

static int
serve(const struct config *config, const struct engine_options *options)
{
	struct observe_source source = {
	    NULL, engine_heartbeat_boot_ms, engine_ready, engine_status};
	struct observe *observe = NULL;
	struct report *report = NULL;
	struct control *control = NULL;
	struct engine *engine = NULL;
	struct guard *guard = guard_start(config);
	struct secor_err err = {{0}};
	int code, fenced = 0, rc = engine_new(config, options, &engine, &err);

	if (rc == SECOR_OK && config->http.listen != NULL &&
	    config->http.listen[0] != '\0') {
		source.arg = engine;
		rc = observe_start(config->http.listen, &source,
		    OBSERVE_LIVE_LIMIT_MS, &observe, &err);
	}
	if (rc == SECOR_OK && config->reporters.count > 0)
		rc = report_open(&config->reporters, &report, &err);
	if (rc == SECOR_OK && report != NULL)
		rc = report_start(report, &err);
	if (rc == SECOR_OK) {
		control = listen_for_people(engine);
		running = engine;
		rc = engine_run(engine, &err);
		fenced = rc == SECOR_REJECT; /* a restart does not mend it */
	}
	if (rc != SECOR_OK) {
		char quoted[1200];

		log_line(SECOR_ERROR, "cannot run", "reason=%s",
		    log_quote(quoted, sizeof(quoted), err.text));
	}
	code = rc == SECOR_OK ? CLI_OK : fenced ? CLI_USAGE : CLI_ENVIRONMENT;
	guard_end(guard, code);
	control_stop(control);
	report_close(report, 2000);
	observe_stop(observe);
	(void)pthread_mutex_lock(&running_lock);
	running = NULL;
	(void)pthread_mutex_unlock(&running_lock);
	engine_free(engine);
	return code;
}

int
cli_run(int argc, char **argv)
{
	struct run_options options = {.file = NULL};
	struct registry *registry = NULL, *old_registry = NULL;
	struct config *config, *old = NULL;
	int code = CLI_OK;
	int ok = read_options(argc, argv, &options);

	if (ok <= 0) {
		(void)fputs(usage, ok < 0 ? stdout : stderr);
		return ok < 0 ? CLI_OK : CLI_USAGE;
	}
	if (step_init() != 0) {
		(void)fputs("secor: SECOR_STOP_AT names no step\n", stderr);
		return CLI_USAGE;
	}
	crash_init();
	catch_signals();
	config = cli_config(options.file, 0, &registry, &code);
	if (config != NULL)
		config->allow_commands = options.allow_commands;
	if (config != NULL && options.old_file != NULL)
		old = cli_config(options.old_file, 0, &old_registry, &code);
	if (config != NULL && (old != NULL || options.old_file == NULL)) {
		log_level_set(options.log_level >= 0
				  ? options.log_level
				  : config->engine.log_level);
		options.engine.finish_plans_with = old;
		code = serve(config, &options.engine);
	}
	config_free(old);
	config_free(config);
	registry_free(old_registry);
	registry_free(registry);
	return code;
}
