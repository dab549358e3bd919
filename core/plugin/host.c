/*
 * host.c -- services for plugins: log lines under the plugin's name, counters
 * among the engine's metrics, the wall clock.
 */
#include "core/base/buf.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/metrics.h"
#include "core/plugin/plugin.h"

#include <stdlib.h>
#include <string.h>

struct host {
	struct secor_host services; /* first: plugins hold this address */
	char *name;
};

static const struct host *
own(const struct secor_host *services)
{
	return (const struct host *)services;
}

static void
host_log(const struct secor_host *services, int level, const char *event,
    const char *detail)
{
	log_line(level, event, "plugin=%s%s%s", own(services)->name,
	    detail != NULL ? " " : "", detail != NULL ? detail : "");
}

static int64_t
host_now_ms(const struct secor_host *services)
{
	(void)services;
	return clock_now_ms();
}

static struct secor_counter *
host_counter(
    const struct secor_host *services, const char *name, const char *help)
{
	char *full = mem_text("secor_%s_%s_total", own(services)->name, name);
	struct metric *metric;

	for (char *at = full; *at != '\0'; at++) {
		if (*at == '-' || *at == '/')
			*at = '_';
	}
	metric = metric_counter(full, help, NULL);
	free(full);
	return (struct secor_counter *)metric;
}

static void
host_add(struct secor_counter *counter, int64_t n)
{
	metric_add((struct metric *)counter, n);
}

struct secor_host *
host_new(const char *plugin_name)
{
	struct host *host = mem_alloc(sizeof(*host));

	host->services = (struct secor_host){
	    .size = sizeof(host->services),
	    .log = host_log,
	    .now_ms = host_now_ms,
	    .counter = host_counter,
	    .add = host_add,
	};
	host->name = mem_dup(plugin_name, strlen(plugin_name));
	return &host->services;
}

void
host_free(struct secor_host *services)
{
	struct host *host = (struct host *)services;

	if (host == NULL)
		return;
	free(host->name);
	free(host);
}
