/*
 * one_ear.c -- see one_ear.h.
 */
#include "tests/unit/helpers/one_ear.h"

#include "core/base/log.h"
#include "tests/unit/harness.h"
#include "tests/unit/helpers/memory_store.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- a notifier ---- */

static int
ear_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	(void)err;
	*self = (void *)(uintptr_t)with->conf;
	return SECOR_OK;
}

static void
ear_close(void *self)
{
	(void)self;
}

static int
hear(void *self, const char *word, const struct secor_event_path *path,
    struct secor_err *err)
{
	struct one_ear *f = self;

	if (f->answer != SECOR_OK)
		return secor_fail(err, f->answer, "not now");
	buf_printf(&f->heard, "%s %s %s %zu/%" PRIu64 ";", word, path->path,
	    path->levels[path->level_count - 1].value, path->object_count,
	    path->total_objects);
	return SECOR_OK;
}

static int
ear_finalized(
    void *self, const struct secor_event_path *path, struct secor_err *err)
{
	return hear(self, "new", path, err);
}

static int
ear_amended(
    void *self, const struct secor_event_path *path, struct secor_err *err)
{
	return hear(self, "more", path, err);
}

static const struct secor_notifier_ops ear_ops = {
    .size = sizeof(struct secor_notifier_ops),
    .open = ear_open,
    .close = ear_close,
    .path_finalized = ear_finalized,
    .path_amended = ear_amended,
};

static char built_in[] = "(test)";

static const struct plugin ear_plugin = {
    .desc = {SECOR_PLUGIN_HEAD, .kind = SECOR_NOTIFIER, .name = "ear"},
    .file = built_in,
    .ops = {.notifier = &ear_ops},
};

/* ---- Kafka ---- */

static int
look(void *arg, const char *topic, struct view *view, struct secor_err *err)
{
	struct one_ear *f = arg;

	(void)topic;
	(void)err;
	view->asked_ms = f->now;
	view->count = 1;
	view->parts = mem_alloc(sizeof(*view->parts));
	view->parts[0].end = f->end;
	view->parts[0].record = (struct record){
	    .kind = RECORD_CLEAN, .offset = f->offset, .w = f->w};
	(void)snprintf(view->parts[0].record.g, sizeof(view->parts[0].record.g),
	    "0123456789abcdef.1");
	return SECOR_OK;
}

static void
said(void *arg, const struct finalizer_path *path)
{
	struct one_ear *f = arg;
	int64_t until = path->tally->span.until;

	if (path->failed != NULL)
		return;
	f->early += until + f->topic.finalize.delay_ms > f->w;
	f->early += until < f->last_until;
	f->last_until = until;
	f->paths = mem_grow(f->paths, (f->path_count + 1) * sizeof(char *));
	f->paths[f->path_count++] =
	    mem_dup(path->tally->path, strlen(path->tally->path));
}

void
one_ear_begin(struct one_ear *f, const char *timezone, int dry_run)
{
	struct finalizer_how how = {.config = &f->config,
	    .look = look,
	    .arg = f,
	    .dry_run = dry_run,
	    .wait = 1,
	    .said = said};
	struct secor_err err = {""};

	memset(f, 0, sizeof(*f));
	log_level_set(-1); /* the failures here are meant */
	f->plugin = harness_plugin("partitioner/date");
	f->date.plugin = f->plugin;
	f->date.conf = harness_conf(
	    f->plugin, "granularity", "hour", "timezone", timezone, NULL);
	f->router = harness_open(f->plugin, f->date.conf, NULL);
	f->ear = (struct config_use){.plugin = &ear_plugin, .conf = f};
	f->topic.partitioners = (struct config_uses){&f->date, 1};
	f->topic.finalize = (struct config_finalize){.delay_ms = EAR_HOUR / 2,
	    .lookback_ms = 3650 * EAR_DAY,
	    .interval_ms = 1000,
	    .marker = CONFIG_MARKER_JSON,
	    .marker_name = "_SUCCESS"};
	f->config.topics = &f->topic;
	f->config.topic_count = 1;
	f->config.store = memory_store;
	f->config.notifiers = (struct config_uses){&f->ear, 1};
	f->config.layout.manifest_prefix = "_manifests";
	f->config.layout.generation = 1;
	buf_puts(&f->heard, "");
	cr_assert_eq(
	    finalizer_new(&how, &f->finalizer, &err), SECOR_OK, "%s", err.text);
}

void
one_ear_end(struct one_ear *f)
{
	finalizer_free(f->finalizer);
	harness_close(f->plugin, f->router);
	harness_conf_free(f->plugin, (void *)f->date.conf);
	for (size_t i = 0; i < f->path_count; i++)
		free(f->paths[i]);
	free(f->paths);
	buf_fini(&f->heard);
	memory_store_clear();
}

/* ---- batches ---- */

char *
one_ear_path(struct one_ear *f, int64_t ms)
{
	struct secor_route_in in = {.size = sizeof(in), .time_ms = ms};
	struct secor_route_out out = {.size = sizeof(out)};
	struct secor_err err;

	cr_assert_eq(
	    f->plugin->ops.partitioner->route(f->router, &in, &out, &err),
	    SECOR_OK);
	return mem_text("dt=%.*s/hr=%.*s", (int)out.levels[0].value.len,
	    out.levels[0].value.ptr, (int)out.levels[1].value.len,
	    out.levels[1].value.ptr);
}

void
one_ear_batch(struct one_ear *f, const int64_t *times, size_t count)
{
	struct manifest_object objects[4];
	char topic[] = "events";
	struct manifest manifest = {.topic = topic,
	    .generation = 1,
	    .start = f->offset,
	    .end = f->offset + 10,
	    .cut = CUT_AGE,
	    .objects = objects,
	    .object_count = count};
	char *key = manifest_key("_manifests", "events", 0, 1, f->offset);
	char *text;

	for (size_t i = 0; i < count; i++) {
		objects[i] =
		    (struct manifest_object){.path = one_ear_path(f, times[i]),
			.records = 1,
			.bytes = 10,
			.first_offset = f->offset + (int64_t)i,
			.last_offset = f->offset + (int64_t)i,
			.has_times = 1,
			.first_ms = times[i],
			.last_ms = times[i]};
		objects[i].key = mem_text(
		    "events/%s/1_0_%020" PRId64, objects[i].path, f->offset);
		if (times[i] > f->w)
			f->w = times[i];
	}
	manifest.watermark = f->w;
	text = manifest_write(&manifest);
	memory_store_put(key, text, strlen(text));
	for (size_t i = 0; i < count; i++) {
		free(objects[i].path);
		free(objects[i].key);
	}
	free(text);
	free(key);
	f->offset += 10;
	f->end = f->offset + 1; /* it lags by a message */
	f->now = f->w + EAR_DAY;
}

struct finalizer_pass
one_ear_run(struct one_ear *f)
{
	struct finalizer_pass pass;
	struct secor_err err = {""};

	cr_assert_eq(finalizer_run(f->finalizer, "events", &pass, &err),
	    SECOR_OK, "%s", err.text);
	return pass;
}

void
one_ear_begin_again(struct one_ear *f)
{
	struct finalizer_how how = {.config = &f->config,
	    .look = look,
	    .wait = 1,
	    .arg = f,
	    .said = said};
	struct secor_err err;

	finalizer_free(f->finalizer);
	cr_assert_eq(finalizer_new(&how, &f->finalizer, &err), SECOR_OK);
	f->last_until = 0;
}

void
one_ear_expect(struct one_ear *f, const char *text)
{
	cr_assert_str_eq(f->heard.ptr, text);
	f->heard.len = 0;
	buf_puts(&f->heard, "");
}
