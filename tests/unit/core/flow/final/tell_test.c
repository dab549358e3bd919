/*
 * tell_test.c -- the room in a notifier's queue, by paths and by objects.
 */
#include "core/flow/final/tell.h"

#include "core/base/log.h"
#include "tests/unit/helpers/listener.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* A notifier that hears finalized paths alone, when it is let. */
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static int
hear(void *arg, const char *word, const struct secor_event_path *path,
    struct secor_err *err)
{
	(void)arg;
	(void)word;
	(void)pthread_mutex_lock(&gate);
	(void)pthread_mutex_unlock(&gate);
	return path->total_objects == 0
		   ? SECOR_OK
		   : secor_fail(err, SECOR_FATAL, "not now");
}

static const struct listener gated = {.hear = hear};

struct fixture {
	struct secor_notifier_ops ops;
	struct plugin plugin;
	struct config_use ear;
	struct config config;
	struct tellers *tellers;
};

static void
begin(struct fixture *f)
{
	struct secor_err err = {""};

	memset(f, 0, sizeof(*f));
	f->ops = *listener_plugin.ops.notifier;
	f->ops.path_amended = NULL;
	f->plugin = listener_plugin;
	f->plugin.ops.notifier = &f->ops;
	f->ear = (struct config_use){.plugin = &f->plugin, .conf = &gated};
	f->config.notifiers = (struct config_uses){&f->ear, 1};
	cr_assert_eq(tellers_new(&f->config, NULL, NULL, &f->tellers, &err),
	    SECOR_OK, "%s", err.text);
}

struct path {
	struct secor_event_path path;
	struct news news;
	struct hearing hearing;
};

static void
offer(struct fixture *f, struct path *path, size_t objects)
{
	memset(path, 0, sizeof(*path));
	path->path.object_count = objects;
	path->news.path = &path->path;
	path->hearing.news = &path->news;
	tellers_offer(f->tellers, &path->hearing);
}

Test(tell, queue_is_bounded_by_objects_and_takes_one_path_of_any_size)
{
	struct fixture f;
	struct path big, small;

	begin(&f);
	(void)pthread_mutex_lock(&gate);
	cr_assert(tellers_fits(f.tellers, 0, TELL_OBJECTS * 10));
	offer(&f, &big, TELL_OBJECTS * 10);
	cr_assert(tellers_open(f.tellers));
	cr_assert_not(tellers_fits(f.tellers, 0, 1));
	cr_assert_not(tellers_open(f.tellers));
	cr_assert_not(tellers_roomy(f.tellers));
	(void)pthread_mutex_unlock(&gate);
	cr_assert_eq(tellers_answer(f.tellers, 1), &big.hearing);
	cr_assert_eq(big.hearing.state, HEARING_HEARD);
	cr_assert(tellers_roomy(f.tellers));
	cr_assert_not(tellers_roomy(f.tellers), "said once");
	cr_assert(tellers_fits(f.tellers, 0, 1));
	offer(&f, &small, 1);
	cr_assert(tellers_fits(f.tellers, 0, TELL_OBJECTS - 1));
	cr_assert_eq(tellers_answer(f.tellers, 1), &small.hearing);
	cr_assert_null(tellers_answer(f.tellers, 0));
	tellers_free(f.tellers);
}

Test(tell, full_queue_has_room_when_half_of_it_is_empty)
{
	static struct path paths[TELL_PATHS];
	struct fixture f;
	size_t taken = 0;

	begin(&f);
	for (size_t i = 0; i < TELL_PATHS; i++) {
		cr_assert(tellers_fits(f.tellers, 0, 1));
		offer(&f, &paths[i], 1);
	}
	cr_assert_not(tellers_fits(f.tellers, 0, 1));
	while (!tellers_roomy(f.tellers)) {
		cr_assert_not(tellers_open(f.tellers));
		cr_assert_eq(
		    tellers_answer(f.tellers, 1), &paths[taken].hearing);
		taken++;
	}
	cr_assert_eq(taken, TELL_PATHS / 2);
	cr_assert(tellers_fits(f.tellers, 0, 1));
	tellers_free(f.tellers);
}

Test(tell, answers_that_are_no_are_due_again_with_the_name_of_who_said_it)
{
	struct fixture f;
	struct path path;

	begin(&f);
	(void)pthread_mutex_lock(&gate);
	offer(&f, &path, 1);
	path.path.total_objects = 1; /* it has not been read yet */
	(void)pthread_mutex_unlock(&gate);
	cr_assert_eq(tellers_answer(f.tellers, 1), &path.hearing);
	cr_assert_eq(path.hearing.state, HEARING_DUE);
	cr_assert_str_eq(path.hearing.why, "notifier ear: not now");
	free(path.hearing.why);
	path.hearing.why = NULL;
	atomic_store(&path.news.dropped, 1);
	tellers_offer(f.tellers, &path.hearing);
	cr_assert_eq(tellers_answer(f.tellers, 1), &path.hearing);
	cr_assert_eq(path.hearing.state, HEARING_DUE);
	cr_assert_null(path.hearing.why, "it was not told");
	tellers_free(f.tellers);
}

Test(tell, slot_that_is_missing_is_no_wish_to_hear)
{
	struct fixture f;

	begin(&f);
	cr_assert(tellers_wants(f.tellers, 0, 0));
	cr_assert_not(tellers_wants(f.tellers, 0, 1));
	tellers_free(f.tellers);
}
