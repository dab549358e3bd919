/*
 * store_tool.c -- one call of a store plugin, for tests against real servers.
 *
 *	store_tool BUILD s3 [key=value...] -- COMMAND ARGUMENTS
 *
 *	probe
 *	put KEY FILE		crc32c of the file unless --crc HEX
 *	list PREFIX AFTER	"-" for none; "key<TAB>length" a line
 *	get KEY			bytes to standard output
 *	head KEY		"exists length crc32c|- modified_ms"
 *	remove KEY
 *	url KEY
 *
 * --batch TEXT: of which batch a put is. --skew-ms N: the host's clock is off
 * by so much. --go-on N: go_on says yes so many times.
 *
 * Exit code: the status of the call (0 to 3); its text goes to standard error,
 * as do the plugin's log lines. Counters that are not 0 follow as "counter name
 * value".
 */
#include "core/base/hash.h"
#include "core/plugin/plugin.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST_COUNTERS = 64 };

struct secor_counter {
	char name[64];
	int64_t value;
};

static struct secor_counter counters[MOST_COUNTERS];
static int64_t skew_ms;
static int go_on_left = -1;
static const char *crc_given, *batch_given;

static void
tool_log(const struct secor_host *host, int level, const char *event,
    const char *detail)
{
	(void)host;
	fprintf(stderr, "log %d %s %s\n", level, event,
	    detail != NULL ? detail : "");
}

static int64_t
tool_now(const struct secor_host *host)
{
	(void)host;
	return (int64_t)time(NULL) * 1000 + skew_ms;
}

static struct secor_counter *
tool_counter(const struct secor_host *host, const char *name, const char *help)
{
	size_t i;

	(void)host;
	(void)help;
	for (i = 0; counters[i].name[0] != '\0'; i++)
		if (strcmp(counters[i].name, name) == 0)
			return &counters[i];
	(void)snprintf(counters[i].name, sizeof(counters[i].name), "%s", name);
	return &counters[i];
}

static void
tool_add(struct secor_counter *counter, int64_t n)
{
	counter->value += n;
}

static const struct secor_host tool_host = {
    sizeof(tool_host), tool_log, tool_now, tool_counter, tool_add};

/* ---- callbacks ---- */

static int
read_file(const struct secor_put *put, uint64_t at, void *bytes, size_t len,
    struct secor_err *err)
{
	FILE *in = put->arg;

	if (fseeko(in, (off_t)at, SEEK_SET) != 0 ||
	    fread(bytes, 1, len, in) != len)
		return secor_fail(err, SECOR_RETRY, "cannot read the file");
	return SECOR_OK;
}

static int
go_on(const struct secor_put *put)
{
	(void)put;
	return go_on_left < 0 || go_on_left-- > 0;
}

static int
print_key(void *arg, const char *key, uint64_t length)
{
	(void)arg;
	printf("%s\t%" PRIu64 "\n", key, length);
	return 0;
}

static int
print_piece(void *arg, const void *bytes, size_t len)
{
	(void)arg;
	return fwrite(bytes, 1, len, stdout) != len;
}

/* ---- commands ---- */

static int
put(const struct secor_store_ops *ops, void *store, char **args,
    struct secor_err *err)
{
	static char block[65536];
	struct secor_put what = {.size = sizeof(what),
	    .key = args[0],
	    .content_type = "application/octet-stream",
	    .read_at = read_file,
	    .go_on = go_on};
	FILE *in = fopen(args[1], "re");
	size_t len;
	int status;

	if (in == NULL)
		exit(64);
	while ((len = fread(block, 1, sizeof(block), in)) > 0) {
		what.length += len;
		what.crc32c = crc32c_add(what.crc32c, block, len);
	}
	if (crc_given != NULL)
		what.crc32c = (uint32_t)strtoul(crc_given, NULL, 16);
	what.arg = in;
	what.batch = batch_given;
	status = ops->put(store, &what, err);
	(void)fclose(in);
	return status;
}

static int
head(const struct secor_store_ops *ops, void *store, const char *key,
    struct secor_err *err)
{
	struct secor_stat stat = {.size = sizeof(stat)};
	char crc[16] = "-";
	int status = ops->head(store, key, &stat, err);

	if (status != SECOR_OK)
		return status;
	if (stat.has_crc32c)
		(void)snprintf(crc, sizeof(crc), "%08" PRIx32, stat.crc32c);
	printf("%d %" PRIu64 " %s %" PRId64 "\n", stat.exists, stat.length, crc,
	    stat.modified_ms);
	return status;
}

static const char *
or_null(const char *text)
{
	return strcmp(text, "-") == 0 ? NULL : text;
}

static int
run(const struct secor_store_ops *ops, void *store, char **args,
    struct secor_err *err)
{
	const char *what = args[0];
	char url[2048];

	if (strcmp(what, "probe") == 0)
		return ops->probe(store, err);
	if (strcmp(what, "put") == 0)
		return put(ops, store, args + 1, err);
	if (strcmp(what, "list") == 0)
		return ops->list(store, or_null(args[1]) ? args[1] : "",
		    or_null(args[2]), print_key, NULL, err);
	if (strcmp(what, "get") == 0)
		return ops->get(store, args[1], print_piece, NULL, err);
	if (strcmp(what, "head") == 0)
		return head(ops, store, args[1], err);
	if (strcmp(what, "remove") == 0)
		return ops->remove(store, args[1], err);
	ops->url(store, args[1], url, sizeof(url));
	printf("%s\n", url);
	return SECOR_OK;
}

static void
set_option(const struct plugin *plugin, void *conf, char *text)
{
	struct options opts = plugin_options(plugin);
	char *equals = strchr(text, '=');
	const struct secor_option *row;
	struct secor_err err = {""};

	*equals = '\0';
	row = options_find(&opts, text);
	if (row == NULL ||
	    options_set_text(row, conf, equals + 1, &err) != SECOR_OK) {
		fprintf(stderr, "option %s: %s\n", text, err.text);
		exit(64);
	}
}

/* What lies before the command; returns where the command begins. */
static char **
take_options(const struct plugin *plugin, void *conf, char **args)
{
	for (; strcmp(*args, "--") != 0; args++) {
		if (strcmp(*args, "--skew-ms") == 0)
			skew_ms = strtoll(*++args, NULL, 10);
		else if (strcmp(*args, "--go-on") == 0)
			go_on_left = (int)strtol(*++args, NULL, 10);
		else if (strcmp(*args, "--crc") == 0)
			crc_given = *++args;
		else if (strcmp(*args, "--batch") == 0)
			batch_given = *++args;
		else
			set_option(plugin, conf, *args);
	}
	return args + 1;
}

int
main(int argc, char **argv)
{
	struct secor_open with = {.size = sizeof(with), .host = &tool_host};
	const struct plugin *plugin;
	struct secor_err err = {""};
	struct registry *registry;
	char path[4096], **command;
	void *conf, *store = NULL;
	int status;

	if (argc < 5)
		return 64;
	(void)snprintf(path, sizeof(path), "%s/plugins", argv[1]);
	registry = registry_new(path, 1);
	status =
	    registry_find(registry, SECOR_STORE, argv[2], ".", &plugin, &err);
	if (status == SECOR_OK) {
		struct options opts = plugin_options(plugin);

		conf = options_new(&opts);
		command = take_options(plugin, conf, argv + 3);
		with.conf = conf;
		status = plugin->ops.store->open(&with, &store, &err);
		if (status == SECOR_OK)
			status = run(plugin->ops.store, store, command, &err);
		plugin->ops.store->close(store);
		options_free(&opts, conf);
	}
	registry_free(registry);
	if (status != SECOR_OK)
		fprintf(stderr, "%s\n", err.text);
	for (size_t i = 0; counters[i].name[0] != '\0'; i++)
		if (counters[i].value != 0)
			fprintf(stderr, "counter %s %" PRId64 "\n",
			    counters[i].name, counters[i].value);
	return status;
}
