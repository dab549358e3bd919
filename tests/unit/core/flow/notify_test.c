/*
 * notify_test.c -- notifiers hear every batch in order, from the queue or from
 * the manifests. Notifiers here write down what they hear; a gate holds them.
 */
#include "core/flow/notify.h"

#include "core/base/buf.h"
#include "core/base/log.h"
#include "core/flow/notify_impl.h"
#include "tests/unit/helpers/memory_store.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* One notifier under test; `conf` of its use. */
struct ear {
	pthread_mutex_t lock;
	pthread_cond_t moved;
	struct buf heard; /* "topic/partition start-end;" */
	int calls;
	int open;	/* the gate */
	int answers[4]; /* of the first calls, then SECOR_OK */
	int always_retry;
	int deaf; /* does not open */
};

static int
ear_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	if (((const struct ear *)with->conf)->deaf)
		return secor_fail(err, SECOR_FATAL, "deaf");
	*self = (void *)(uintptr_t)with->conf;
	return SECOR_OK;
}

static void
ear_close(void *self)
{
	(void)self;
}

static int
ear_batch(
    void *self, const struct secor_event_batch *batch, struct secor_err *err)
{
	struct ear *ear = self;
	int status;

	(void)pthread_mutex_lock(&ear->lock);
	ear->calls++;
	(void)pthread_cond_broadcast(&ear->moved);
	while (!ear->open)
		(void)pthread_cond_wait(&ear->moved, &ear->lock);
	status = ear->calls <= 4 ? ear->answers[ear->calls - 1] : SECOR_OK;
	if (ear->always_retry)
		status = SECOR_RETRY;
	if (status == SECOR_OK) {
		buf_printf(&ear->heard, "%s/%" PRId32 " %" PRId64 "-%" PRId64,
		    batch->topic, batch->partition, batch->start, batch->end);
		for (size_t i = 0; i < batch->object_count; i++)
			buf_printf(&ear->heard, " %s %s=%s",
			    batch->objects[i].url,
			    batch->objects[i].levels[0].name,
			    batch->objects[i].levels[0].value);
		buf_putc(&ear->heard, ';');
	}
	(void)pthread_mutex_unlock(&ear->lock);
	return status == SECOR_OK ? SECOR_OK
				  : secor_fail(err, status, "ear says no");
}

static const struct secor_notifier_ops ear_ops = {
    .size = sizeof(struct secor_notifier_ops),
    .open = ear_open,
    .close = ear_close,
    .batch_done = ear_batch,
};

static char built_in[] = "(test)";

static const struct plugin ear_plugin = {
    .desc = {SECOR_PLUGIN_HEAD, .kind = SECOR_NOTIFIER, .name = "ear"},
    .file = built_in,
    .ops = {.notifier = &ear_ops},
};

struct fixture {
	struct ear ears[2];
	struct config_use uses[2];
	struct config config;
	struct queue *done;
	struct notifiers *notifiers;
};

static struct fixture *
begin(size_t count)
{
	struct fixture *f = mem_alloc(sizeof(*f));

	log_level_set(-1); /* the failures here are meant */
	for (size_t i = 0; i < 2; i++) {
		(void)pthread_mutex_init(&f->ears[i].lock, NULL);
		(void)pthread_cond_init(&f->ears[i].moved, NULL);
		f->ears[i].open = 1;
		f->uses[i] = (struct config_use){
		    .plugin = &ear_plugin, .conf = &f->ears[i]};
	}
	f->config.store = memory_store;
	f->config.notifiers = (struct config_uses){f->uses, count};
	f->config.layout.manifest_prefix = "_manifests";
	f->config.layout.generation = 1;
	f->done = queue_new(NULL, NULL);
	return f;
}

static void
run(struct fixture *f)
{
	struct secor_err err;

	cr_assert_eq(notifiers_new(&f->config, f->done, &f->notifiers, &err),
	    SECOR_OK, "%s", err.text);
}

static void
end(struct fixture *f)
{
	struct queue_node *node;

	notifiers_free(f->notifiers);
	while ((node = queue_get(f->done, 0)) != NULL)
		free(node);
	queue_free(f->done);
	for (size_t i = 0; i < 2; i++)
		buf_fini(&f->ears[i].heard);
	free(f);
	memory_store_clear();
}

static struct manifest *
batch_of(const char *topic, int32_t partition, int64_t start, int64_t until)
{
	struct manifest *manifest = mem_alloc(sizeof(*manifest));

	manifest->topic = mem_dup(topic, strlen(topic));
	manifest->partition = partition;
	manifest->generation = 1;
	manifest->start = start;
	manifest->end = until;
	manifest->cut = CUT_SIZE;
	return manifest;
}

static void
store_batch(int64_t generation, int64_t start, int64_t until)
{
	struct manifest *manifest = batch_of("t", 0, start, until);
	char *key = manifest_key("_manifests", "t", 0, generation, start);
	char *text;

	manifest->generation = generation;
	text = manifest_write(manifest);
	memory_store_put(key, text, strlen(text));
	free(text);
	free(key);
	manifest_free(manifest);
}

/* Waits until all have heard of partition 0 up to `heard`. */
static void
wait_heard(struct fixture *f, int64_t heard)
{
	for (;;) {
		struct notify_heard *event =
		    (struct notify_heard *)queue_get(f->done, 20000);
		int64_t now = event == NULL ? -1 : event->heard;

		cr_assert_not_null(event, "not heard up to %" PRId64, heard);
		free(event);
		if (now >= heard)
			return;
	}
}

static void
wait_calls(struct ear *ear, int calls)
{
	(void)pthread_mutex_lock(&ear->lock);
	while (ear->calls < calls)
		(void)pthread_cond_wait(&ear->moved, &ear->lock);
	(void)pthread_mutex_unlock(&ear->lock);
}

static void
open_gate(struct ear *ear)
{
	(void)pthread_mutex_lock(&ear->lock);
	ear->open = 1;
	(void)pthread_cond_broadcast(&ear->moved);
	(void)pthread_mutex_unlock(&ear->lock);
}

Test(notify, batch_without_notifiers_is_heard_at_once)
{
	struct fixture *f = begin(0);
	struct notify_heard *event;

	run(f);
	notify_batch(f->notifiers, batch_of("t", 4, 10, 20));
	event = (struct notify_heard *)queue_get(f->done, 0);
	cr_assert_not_null(event);
	cr_assert_str_eq(event->topic, "t");
	cr_assert(event->partition == 4 && event->heard == 20);
	free(event);
	end(f);
}

Test(notify, one_that_does_not_open_is_named)
{
	struct fixture *f = begin(2);
	struct secor_err err;

	f->ears[1].deaf = 1;
	cr_assert_eq(notifiers_new(&f->config, f->done, &f->notifiers, &err),
	    SECOR_FATAL);
	cr_assert_str_eq(err.text, "notifier ear ((test)) does not open: deaf");
	end(f);
}

Test(notify, batches_are_told_in_order_with_their_objects)
{
	struct fixture *f = begin(1);
	struct manifest *first = batch_of("t", 0, 10, 20);

	first->objects = mem_alloc(2 * sizeof(*first->objects));
	first->object_count = 2;
	first->objects[0].key = mem_dup("dead", 4);
	first->objects[0].path = mem_dup("", 0);
	first->objects[0].dead_letter = 1;
	first->objects[1].key = mem_dup("t/a", 3);
	first->objects[1].path = mem_dup("dt=a%2Fb", 8);
	run(f);
	notify_batch(f->notifiers, first);
	notify_batch(f->notifiers, batch_of("t", 0, 25, 30));
	wait_heard(f, 30);
	cr_assert_str_eq(
	    f->ears[0].heard.ptr, "t/0 10-20 memory://t/a dt=a/b;t/0 25-30;");
	end(f);
}

Test(notify, catch_up_reads_the_manifests_of_the_generation)
{
	struct fixture *f = begin(1);

	store_batch(0, 10, 20);
	store_batch(1, 10, 20);
	store_batch(1, 20, 25);
	store_batch(1, 30, 40);
	store_batch(1, 40, 50);
	run(f);
	notify_catch_up(f->notifiers, "t", 0, 20, 40);
	notify_batch(f->notifiers, batch_of("t", 0, 40, 50));
	wait_heard(f, 50);
	cr_assert_str_eq(
	    f->ears[0].heard.ptr, "t/0 20-25;t/0 30-40;t/0 40-50;");
	end(f);
}

Test(notify, catch_up_survives_a_store_that_fails)
{
	struct fixture *f = begin(1);

	store_batch(1, 10, 20);
	memory_store_fail(1);
	run(f);
	notify_catch_up(f->notifiers, "t", 0, 0, 20);
	wait_heard(f, 20);
	cr_assert_str_eq(f->ears[0].heard.ptr, "t/0 10-20;");
	end(f);
}

Test(notify, overflow_is_read_from_the_manifests_in_order)
{
	struct fixture *f = begin(1);
	struct buf expected = {0};

	f->ears[0].open = 0;
	run(f);
	notify_batch(f->notifiers, batch_of("t", 0, 0, 1));
	wait_calls(&f->ears[0], 1);
	for (int64_t i = 1; i < 1200; i++) {
		store_batch(1, i, i + 1);
		notify_batch(f->notifiers, batch_of("t", 0, i, i + 1));
	}
	open_gate(&f->ears[0]);
	wait_heard(f, 1200);
	for (int i = 0; i < 1200; i++)
		buf_printf(&expected, "t/0 %d-%d;", i, i + 1);
	cr_assert_str_eq(f->ears[0].heard.ptr, expected.ptr);
	buf_fini(&expected);
	end(f);
}

Test(notify, retry_tells_the_same_batch_again)
{
	struct fixture *f = begin(1);

	f->ears[0].answers[0] = SECOR_RETRY;
	run(f);
	notify_batch(f->notifiers, batch_of("t", 0, 0, 1));
	notify_batch(f->notifiers, batch_of("t", 0, 1, 2));
	wait_heard(f, 2);
	cr_assert_str_eq(f->ears[0].heard.ptr, "t/0 0-1;t/0 1-2;");
	cr_assert_eq(f->ears[0].calls, 3);
	end(f);
}

Test(notify, reject_drops_the_batch_and_goes_on)
{
	struct fixture *f = begin(1);

	f->ears[0].answers[0] = SECOR_REJECT;
	run(f);
	notify_batch(f->notifiers, batch_of("t", 0, 0, 1));
	notify_batch(f->notifiers, batch_of("t", 0, 1, 2));
	wait_heard(f, 2);
	cr_assert_str_eq(f->ears[0].heard.ptr, "t/0 1-2;");
	end(f);
}

Test(notify, one_that_fails_stalls_no_other_and_holds_heard_back)
{
	struct fixture *f = begin(2);

	f->ears[0].always_retry = 1;
	run(f);
	for (int64_t i = 0; i < 5; i++)
		notify_batch(f->notifiers, batch_of("t", 0, i, i + 1));
	wait_calls(&f->ears[1], 5);
	wait_calls(&f->ears[0], 1);
	cr_assert_null(queue_get(f->done, 0));
	end(f);
}

Test(notify, forget_leaves_what_is_queued_to_the_next_owner)
{
	struct fixture *f = begin(1);

	f->ears[0].open = 0;
	run(f);
	notify_batch(f->notifiers, batch_of("u", 0, 0, 1));
	wait_calls(&f->ears[0], 1);
	notify_batch(f->notifiers, batch_of("t", 0, 0, 1));
	notify_batch(f->notifiers, batch_of("u", 0, 1, 2));
	notify_forget(f->notifiers, "t", 0);
	open_gate(&f->ears[0]);
	wait_heard(f, 2);
	cr_assert_str_eq(f->ears[0].heard.ptr, "u/0 0-1;u/0 1-2;");
	end(f);
}

Test(notify, backoff_doubles_to_a_minute_with_jitter)
{
	cr_assert_eq(notify_backoff_ms(0, 0), 500);
	cr_assert_eq(notify_backoff_ms(0, 500), 1000);
	cr_assert_eq(notify_backoff_ms(3, 0), 4000);
	cr_assert_eq(notify_backoff_ms(5, 16000), 32000);
	cr_assert_eq(notify_backoff_ms(6, 0), 30000);
	cr_assert_eq(notify_backoff_ms(1000, 30000), 60000);
	for (unsigned r = 0; r < 5000; r += 7)
		cr_assert(notify_backoff_ms(1, r) >= 1000 &&
			  notify_backoff_ms(1, r) <= 2000);
}
