/*
 * config_fuzz.c -- any bytes as a configuration: taken, or refused with at
 * least one complaint. What is taken can be shown, and what is shown is taken
 * again and means the same.
 *
 * No plugin is opened: the registry here has one made up plugin a kind, which
 * has a row of every type. Its names are `sample` and, where a key is required,
 * `strict`.
 */
#include "core/base/buf.h"
#include "core/config/config.h"
#include "tests/fuzz/fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

/* ---- plugins ---- */

struct sample_conf {
	int flag, choice;
	int64_t number, size, duration;
	const char *text, *path, *secret;
	struct secor_strings list;
	struct secor_pairs map;
	double real, percent;
};

static const char *const choices[] = {"one", "two", "three", NULL};

#define ROW(kind, member, def, flags)                                       \
	SECOR_OPTION(kind, struct sample_conf, member, #member, def, flags, \
	    "Some " #member ".")

static const struct secor_option rows[] = {
    ROW(STRING, text, NULL, SECOR_OPTION_OUTPUT),
    ROW(BOOL, flag, "true", SECOR_OPTION_OUTPUT),
    SECOR_OPTION_CHOICE(struct sample_conf, choice, "choice", "two", choices,
	SECOR_OPTION_OUTPUT, "One of three."),
    SECOR_OPTION_RANGE(INT, struct sample_conf, number, "number", "3", "-5",
	"1000", SECOR_OPTION_OUTPUT, "A number."),
    SECOR_OPTION_RANGE(SIZE, struct sample_conf, size, "group.size", "64KiB",
	"1KiB", NULL, SECOR_OPTION_OUTPUT, "A size."),
    SECOR_OPTION(DURATION, struct sample_conf, duration, "group.duration",
	"10m", SECOR_OPTION_OUTPUT, "A duration."),
    ROW(PATH, path, NULL, 0),
    ROW(STRING, secret, NULL, SECOR_OPTION_SECRET),
    ROW(STRINGS, list, NULL, SECOR_OPTION_OUTPUT),
    ROW(PAIRS, map, NULL, SECOR_OPTION_OUTPUT),
    SECOR_OPTION_RANGE(DOUBLE, struct sample_conf, real, "real", "0.5", "-1",
	"1e6", SECOR_OPTION_DEPRECATED | SECOR_OPTION_OUTPUT, "A fraction."),
    ROW(PERCENT, percent, "10%", SECOR_OPTION_OUTPUT),
};

static const struct secor_option strict_rows[] = {
    ROW(STRING, text, NULL, SECOR_OPTION_REQUIRED | SECOR_OPTION_OUTPUT),
};

static void
check_sample(const void *arg, const struct secor_check *check)
{
	const struct sample_conf *conf = arg;

	if (conf->text != NULL && strcmp(conf->text, "wrong") == 0)
		check->complain(check, "text", "text: is wrong");
	if (conf->number == 13)
		check->complain(check, NULL, "has bad luck");
}

static void
describe(const void *arg, uint32_t *inputs, struct secor_strings *fields)
{
	const struct sample_conf *conf = arg;

	*inputs = 0;
	*fields = conf->list;
}

static const struct secor_partitioner_ops partitioner = {
    .size = sizeof(partitioner), .describe = describe};
static char no_file[] = "/nowhere/sample.so";

static struct plugin *
plugin_of(int kind, int strict)
{
	static struct plugin made[SECOR_REPORTER + 1][2];
	struct plugin *plugin = &made[kind][strict];

	if (plugin->file != NULL)
		return plugin;
	plugin->file = no_file;
	plugin->desc = (struct secor_plugin){SECOR_PLUGIN_HEAD, kind,
	    strict ? "strict" : "sample", "1", "made up", 1,
	    SECOR_OPTIONS(rows), sizeof(struct sample_conf), check_sample,
	    NULL};
	if (strict) {
		plugin->desc.options = strict_rows;
		plugin->desc.option_count = 1;
	}
	if (kind == SECOR_PARTITIONER)
		plugin->ops.partitioner = &partitioner;
	return plugin;
}

int
registry_loads(const struct registry *registry)
{
	(void)registry;
	return 1;
}

int
registry_find(struct registry *registry, int kind, const char *use,
    const char *base_dir, const struct plugin **plugin, struct secor_err *err)
{
	(void)registry;
	(void)base_dir;
	MUST(kind >= SECOR_TRANSFORMER && kind <= SECOR_REPORTER);
	if (strcmp(use, "sample") != 0 && strcmp(use, "strict") != 0)
		return secor_fail(
		    err, SECOR_FATAL, "no %s '%s'", kind_name(kind), use);
	*plugin = plugin_of(kind, use[1] == 't');
	return SECOR_OK;
}

/* ---- files ---- */

/* A file in memory; its folder has no other. */
static const char *
file_with(int *fd, const void *bytes, size_t len)
{
	static char path[64];

	if (*fd < 0)
		*fd = memfd_create("fuzz", 0);
	MUST(*fd >= 0);
	MUST(ftruncate(*fd, 0) == 0);
	MUST(pwrite(*fd, bytes, len, 0) == (ssize_t)len);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", *fd);
	return path;
}

struct heard {
	size_t errors, lines;
};

static void
hear(void *arg, const char *line)
{
	struct heard *heard = arg;

	MUST(strncmp(line, "/proc/self/fd/", 14) == 0);
	MUST(strstr(line, ": error: ") != NULL ||
	     strstr(line, ": warning: ") != NULL);
	heard->lines++;
	heard->errors += strstr(line, ": error: ") != NULL;
}

static struct config *
load(const void *bytes, size_t len, int flags)
{
	static int fd = -1;
	struct heard heard = {0, 0};
	struct config_how how = {NULL, flags, hear, &heard};
	struct config *config = NULL;
	int rc = config_load(file_with(&fd, bytes, len), &how, &config);

	MUST(rc == SECOR_OK || rc == SECOR_REJECT);
	MUST((rc == SECOR_OK) == (config != NULL));
	MUST(rc == SECOR_OK || heard.errors > 0);
	return config;
}

static void
check_again(const struct config *config)
{
	char *shown = config_show(config), *again;
	struct config *second = load(shown, strlen(shown), 0);

	MUST(second != NULL);
	again = config_show(second);
	MUST(strcmp(shown, again) == 0);
	MUST(second->topic_count == config->topic_count);
	for (size_t i = 0; i < config->topic_count; i++)
		MUST(second->topics[i].fingerprint ==
		     config->topics[i].fingerprint);
	free(shown);
	free(again);
	config_free(second);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config *config = load(data, size, 0);

	if (config != NULL) {
		MUST(config_topic(config, "a.topic") != NULL);
		(void)config_wants_topic(config, "a.topic");
		check_again(config);
	}
	config_free(config);
	config_free(load(data, size, CONFIG_NO_LOAD));
	return 0;
}
