/*
 * put.c -- put BUILD STORE FILE COUNT [key=value...]: puts one file COUNT times
 * with a store plugin, as an uploader of the engine would, and prints what that
 * cost as key=value.
 */
#include "bench/tool.h"
#include "core/base/hash.h"
#include "core/plugin/plugin.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct secor_counter {
	int64_t value;
};

static void
host_log(const struct secor_host *host, int level, const char *event,
    const char *detail)
{
	(void)host;
	(void)level;
	(void)fprintf(
	    stderr, "put: %s %s\n", event, detail != NULL ? detail : "");
}

static int64_t
host_now(const struct secor_host *host)
{
	(void)host;
	return (int64_t)time(NULL) * 1000;
}

static struct secor_counter *
host_counter(const struct secor_host *host, const char *name, const char *help)
{
	static struct secor_counter all;

	(void)host;
	(void)name;
	(void)help;
	return &all;
}

static void
host_add(struct secor_counter *counter, int64_t n)
{
	counter->value += n;
}

static const struct secor_host host = {
    sizeof(host), host_log, host_now, host_counter, host_add};

static int
read_file(const struct secor_put *put, uint64_t at, void *bytes, size_t len,
    struct secor_err *err)
{
	const int *fd = put->arg;

	if (pread(*fd, bytes, len, (off_t)at) != (ssize_t)len)
		return secor_fail(err, SECOR_RETRY, "cannot read the file");
	return SECOR_OK;
}

static int
go_on(const struct secor_put *put)
{
	(void)put;
	return 1;
}

static uint32_t
checksum(int fd, uint64_t *length)
{
	static char block[65536];
	uint32_t crc = 0;
	ssize_t n;

	while ((n = read(fd, block, sizeof(block))) > 0) {
		crc = crc32c_add(crc, block, (size_t)n);
		*length += (uint64_t)n;
	}
	return crc;
}

static double
seconds(clockid_t clock)
{
	struct timespec now;

	(void)clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* getrusage() goes on from what the parent had. */
static double
most_resident_mb(void)
{
	FILE *in = fopen("/proc/self/status", "re");
	char line[256];
	double kib = 0;

	while (in != NULL && fgets(line, sizeof(line), in) != NULL)
		if (strncmp(line, "VmHWM:", 6) == 0)
			kib = strtod(line + 6, NULL);
	if (in != NULL)
		(void)fclose(in);
	return kib / 1024;
}

static void
put_all(const struct secor_store_ops *ops, void *store, int fd, int count)
{
	uint64_t length = 0;
	struct secor_put put = {.size = sizeof(put),
	    .content_type = "application/octet-stream",
	    .read_at = read_file,
	    .go_on = go_on,
	    .arg = &fd};
	struct secor_err err = {""};
	double wall, cpu;
	char key[64];

	put.crc32c = checksum(fd, &length);
	put.length = length;
	put.key = key;
	if (ops->probe(store, &err) != SECOR_OK)
		give_up("probe", err.text);
	wall = seconds(CLOCK_MONOTONIC);
	cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
	for (int i = 0; i < count; i++) {
		(void)snprintf(key, sizeof(key), "object-%d", i);
		if (ops->put(store, &put, &err) != SECOR_OK)
			give_up(key, err.text);
	}
	(void)printf("wall_s=%.3f cpu_s=%.3f bytes=%lld rss_mb=%.1f\n",
	    seconds(CLOCK_MONOTONIC) - wall,
	    seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu, (long long)length * count,
	    most_resident_mb());
}

static void
set_option(const struct options *opts, void *conf, char *text)
{
	char *equals = strchr(text, '=');
	const struct secor_option *row;
	struct secor_err err = {""};

	if (equals == NULL)
		give_up(text, "is not key=value");
	*equals = '\0';
	row = options_find(opts, text);
	if (row == NULL)
		give_up(text, "is no option");
	if (options_set_text(row, conf, equals + 1, &err) != SECOR_OK)
		give_up(text, err.text);
}

int
main(int argc, char **argv)
{
	struct secor_open with = {.size = sizeof(with), .host = &host};
	const struct plugin *plugin;
	struct secor_err err = {""};
	struct registry *registry;
	struct options opts;
	char path[4096];
	void *store = NULL;
	int fd;

	if (argc < 5)
		give_up("usage", "put BUILD STORE FILE COUNT [key=value...]");
	(void)snprintf(path, sizeof(path), "%s/plugins", argv[1]);
	registry = registry_new(path, 1);
	if (registry_find(registry, SECOR_STORE, argv[2], ".", &plugin, &err) !=
	    SECOR_OK)
		give_up(argv[2], err.text);
	opts = plugin_options(plugin);
	with.conf = options_new(&opts);
	for (int i = 5; i < argc; i++)
		set_option(&opts, (void *)(uintptr_t)with.conf, argv[i]);
	fd = open(argv[3], O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		give_up(argv[3], "cannot be opened");
	if (plugin->ops.store->open(&with, &store, &err) != SECOR_OK)
		give_up("open", err.text);
	put_all(plugin->ops.store, store, fd, atoi(argv[4]));
	plugin->ops.store->close(store);
	options_free(&opts, (void *)(uintptr_t)with.conf);
	registry_free(registry);
	(void)close(fd);
	return 0;
}
