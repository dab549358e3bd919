/*
 * command_test.c -- a program gets the event and nothing else; what its end
 * means.
 */
#include "tests/unit/harness.h"
#include "tests/unit/plugins/notifier/event.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fixture {
	const struct plugin *plugin;
	void *conf;
	void *self;
	struct secor_err err;
};

static int
open_it(struct fixture *f, const char *script, int allow)
{
	char command[600];
	struct secor_open with = {
	    .size = sizeof(with), .allow_commands = allow};

	memset(f, 0, sizeof(*f));
	f->plugin = harness_plugin("notifier/command");
	(void)snprintf(command, sizeof(command), "[sh, -c, %s]", script);
	f->conf = harness_conf(f->plugin, "command", command, "environment",
	    "{NAME: some value}", "timeout", "1s", NULL);
	with.conf = f->conf;
	with.host = f->plugin->host;
	return harness_open_with(f->plugin, &with, &f->self, &f->err);
}

static int
tell(struct fixture *f)
{
	struct secor_event_level level = {"dt", "2026-01-01"};
	struct event_object object = event_object("dt=2026-01-01", &level, 1);
	struct secor_event_batch batch = event_batch("t", &object, 1);

	f->err.text[0] = '\0';
	return f->plugin->ops.notifier->batch_done(f->self, &batch, &f->err);
}

static void
end(struct fixture *f)
{
	harness_close(f->plugin, f->self);
	harness_conf_free(f->plugin, f->conf);
}

Test(command, runs_only_where_it_was_allowed)
{
	struct fixture f;

	cr_assert_eq(open_it(&f, "true", 0), SECOR_FATAL);
	cr_assert_not_null(strstr(f.err.text, "--allow-commands"));
	harness_conf_free(f.plugin, f.conf);
}

Test(command, program_reads_the_event_and_knows_no_other_environment)
{
	struct fixture f;
	char line[4096], script[300];
	char file[] = "/tmp/secor-command-XXXXXX";
	int fd = mkstemp(file);
	FILE *in;

	cr_assert(fd >= 0);
	(void)setenv("SECRET_OF_THE_SERVICE", "x", 1);
	(void)snprintf(
	    script, sizeof(script), "cat > %s; env | sort >> %s", file, file);
	cr_assert_eq(open_it(&f, script, 1), SECOR_OK, "%s", f.err.text);
	cr_assert_eq(tell(&f), SECOR_OK, "%s", f.err.text);
	in = fdopen(fd, "r");
	cr_assert_not_null(fgets(line, sizeof(line), in));
	cr_assert_not_null(strstr(line, "{\"event\":\"batch_done\""));
	cr_assert_not_null(strstr(line, "\"id\":\"t/3/100-350\""));
	cr_assert_not_null(fgets(line, sizeof(line), in));
	cr_assert_str_eq(line, "NAME=some value\n");
	while (fgets(line, sizeof(line), in) != NULL)
		cr_assert_null(strstr(line, "SECRET"), "%s", line);
	(void)fclose(in);
	(void)unlink(file);
	end(&f);
}

Test(command, its_end_says_what_became_of_the_event)
{
	static const struct {
		const char *script;
		int status;
		const char *text;
	} rows[] = {
	    {"exit 0", SECOR_OK, ""},
	    {"echo it is full >&2; exit 1", SECOR_RETRY,
		"sh ended with 1: it is full"},
	    {"echo never >&2; exit 65", SECOR_REJECT,
		"sh ended with 65: never"},
	    {"kill -9 $$", SECOR_RETRY, "sh was ended by signal 9"},
	    {"sleep 60", SECOR_RETRY, "sh did not end within 1 s (timeout)"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fixture f;

		cr_assert_eq(open_it(&f, rows[i].script, 1), SECOR_OK);
		cr_assert_eq(
		    tell(&f), rows[i].status, "row %zu: %s", i, f.err.text);
		cr_assert_str_eq(f.err.text, rows[i].text, "row %zu", i);
		end(&f);
	}
}

Test(command, check_names_what_is_wrong)
{
	const struct plugin *plugin = harness_plugin("notifier/command");
	void *conf = harness_conf(plugin, "command", "[]", "environment",
	    "{A-B: x, 1C: y, OK_1: z}", NULL);
	char *text = harness_check(plugin, conf);

	cr_assert_str_eq(text, "command: has no program\n"
			       "environment: 'A-B' is no name of a variable\n"
			       "environment: '1C' is no name of a variable\n");
	free(text);
	harness_conf_free(plugin, conf);
}
