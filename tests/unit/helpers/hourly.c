/*
 * hourly.c -- see hourly.h.
 */
#include "tests/unit/helpers/hourly.h"

#include "core/base/buf.h"
#include "core/flow/manifest.h"
#include "tests/unit/harness.h"
#include "tests/unit/helpers/memory_store.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 10 };

void
hourly_begin(struct hourly *hourly, const char *timezone)
{
	struct config *config = &hourly->config;

	memset(hourly, 0, sizeof(*hourly));
	hourly->date.plugin = harness_plugin("partitioner/date");
	hourly->date.conf = harness_conf(hourly->date.plugin, "granularity",
	    "hour", "timezone", timezone, NULL);
	hourly->router =
	    harness_open(hourly->date.plugin, hourly->date.conf, NULL);
	hourly->topic.partitioners = (struct config_uses){&hourly->date, 1};
	hourly->topic.finalize =
	    (struct config_finalize){.delay_ms = HOUR_MS / 2,
		.lookback_ms = 3650 * DAY_MS,
		.interval_ms = 1000,
		.marker = CONFIG_MARKER_JSON,
		.marker_name = "_SUCCESS"};
	config->topics = &hourly->topic;
	config->topic_count = 1;
	config->store = memory_store;
	config->layout.manifest_prefix = "_manifests";
	config->layout.generation = 1;
}

void
hourly_end(struct hourly *hourly)
{
	harness_close(hourly->date.plugin, hourly->router);
	harness_conf_free(hourly->date.plugin, (void *)hourly->date.conf);
	memory_store_clear();
}

char *
hourly_path(const struct hourly *hourly, int64_t ms)
{
	struct secor_route_in in = {.size = sizeof(in), .time_ms = ms};
	struct secor_route_out out = {.size = sizeof(out)};
	struct secor_err err;

	cr_assert_eq(hourly->date.plugin->ops.partitioner->route(
			 hourly->router, &in, &out, &err),
	    SECOR_OK);
	return mem_text("dt=%.*s/hr=%.*s", (int)out.levels[0].value.len,
	    out.levels[0].value.ptr, (int)out.levels[1].value.len,
	    out.levels[1].value.ptr);
}

static struct manifest_object
object_of(const struct hourly *hourly, const char *topic, int64_t start,
    size_t i, int64_t ms)
{
	struct manifest_object object = {.path = hourly_path(hourly, ms),
	    .records = 1,
	    .bytes = 10,
	    .first_offset = start + (int64_t)i % BATCH,
	    .last_offset = start + (int64_t)i % BATCH,
	    .has_times = 1,
	    .first_ms = ms,
	    .last_ms = ms};

	object.key =
	    mem_text("%s/%s/1_0_%020" PRId64, topic, object.path, start);
	return object;
}

void
hourly_batch(const struct hourly *hourly, const char *topic,
    struct hourly_log *log, const int64_t *times, size_t count)
{
	char *name = mem_dup(topic, strlen(topic));
	struct manifest manifest = {.topic = name,
	    .generation = 1,
	    .start = log->offset,
	    .end = log->offset + BATCH,
	    .cut = CUT_AGE,
	    .watermark = log->w,
	    .objects = mem_alloc(count * sizeof(*manifest.objects)),
	    .object_count = count};
	char *key = manifest_key("_manifests", topic, 0, 1, log->offset);
	char *text;

	for (size_t i = 0; i < count; i++)
		manifest.objects[i] =
		    object_of(hourly, topic, log->offset, i, times[i]);
	text = manifest_write(&manifest);
	memory_store_put(key, text, strlen(text));
	for (size_t i = 0; i < count; i++) {
		free(manifest.objects[i].path);
		free(manifest.objects[i].key);
	}
	free(manifest.objects);
	free(name);
	free(text);
	free(key);
	log->offset += BATCH;
}

void
hourly_look(const struct hourly_log *log, struct view *view)
{
	struct record record = {
	    .kind = RECORD_CLEAN, .offset = log->offset, .w = log->w};

	(void)snprintf(record.g, sizeof(record.g), "0123456789abcdef.1");
	view->asked_ms = log->w + DAY_MS;
	view->count = 1;
	view->parts = mem_alloc(sizeof(*view->parts));
	view->parts[0].end = log->offset + 1;
	view->parts[0].record = record;
}
