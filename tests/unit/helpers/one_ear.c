/*
 * one_ear.c -- see one_ear.h.
 */
#include "tests/unit/helpers/one_ear.h"

#include "core/base/log.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
hear(void *arg, const char *word, const struct secor_event_path *path,
    struct secor_err *err)
{
	struct one_ear *f = arg;

	if (f->answer != SECOR_OK)
		return secor_fail(err, f->answer, "not now");
	buf_printf(&f->heard, "%s %s %s %zu/%" PRIu64 ";", word, path->path,
	    path->levels[path->level_count - 1].value, path->object_count,
	    path->total_objects);
	return SECOR_OK;
}

static int
look(void *arg, const char *topic, struct view *view, struct secor_err *err)
{
	const struct one_ear *f = arg;

	(void)topic;
	(void)err;
	hourly_look(&f->log, view);
	return SECOR_OK;
}

static void
said(void *arg, const struct finalizer_path *path)
{
	struct one_ear *f = arg;
	int64_t until = path->tally->span.until;

	if (path->failed != NULL)
		return;
	f->early += until + f->hourly.topic.finalize.delay_ms > f->log.w;
	f->early += until < f->last_until;
	f->last_until = until;
	f->paths = mem_grow(f->paths, (f->path_count + 1) * sizeof(char *));
	f->paths[f->path_count++] =
	    mem_dup(path->tally->path, strlen(path->tally->path));
}

void
one_ear_begin(struct one_ear *f, const char *timezone, int dry_run)
{
	struct finalizer_how how = {.config = &f->hourly.config,
	    .look = look,
	    .arg = f,
	    .dry_run = dry_run,
	    .wait = 1,
	    .said = said};
	struct secor_err err = {""};

	memset(f, 0, sizeof(*f));
	log_level_set(-1); /* the failures here are meant */
	hourly_begin(&f->hourly, timezone);
	f->listener = (struct listener){hear, f};
	f->ear = (struct config_use){
	    .plugin = &listener_plugin, .conf = &f->listener};
	f->hourly.config.notifiers = (struct config_uses){&f->ear, 1};
	buf_puts(&f->heard, "");
	cr_assert_eq(
	    finalizer_new(&how, &f->finalizer, &err), SECOR_OK, "%s", err.text);
}

void
one_ear_end(struct one_ear *f)
{
	finalizer_free(f->finalizer);
	hourly_end(&f->hourly);
	for (size_t i = 0; i < f->path_count; i++)
		free(f->paths[i]);
	free(f->paths);
	buf_fini(&f->heard);
}

void
one_ear_batch(struct one_ear *f, const int64_t *times, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (times[i] > f->log.w)
			f->log.w = times[i];
	hourly_batch(&f->hourly, "events", &f->log, times, count);
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
	struct finalizer_how how = {.config = &f->hourly.config,
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
