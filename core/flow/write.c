/*
 * write.c -- the writer threads and the consumer's side of a staged object.
 *
 * A staged object belongs to the writer of its jobs; only its atomics, and
 * `done` with what the consumer keeps, are looked at from the consumer. Jobs of
 * one object are done in order, so the job that drops it is the last to know
 * it.
 */
#include "core/flow/write.h"

#include "core/base/buf.h"
#include "core/base/clock.h"
#include "core/flow/write_stream.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct writer {
	struct writers *all;
	pthread_t thread;
	struct queue *jobs;
	struct write_shop shop;
};

struct writers {
	struct write_budget budget;
	struct queue *done;
	int count;
	int next;	      /* consumer: who gets the next object */
	atomic_size_t live;   /* staged objects */
	atomic_size_t queued; /* blocks */
	pthread_mutex_t lock;
	pthread_cond_t less; /* `queued` shrank */
	int waiting;	     /* Holds: lock */
	size_t waited_for;   /* Holds: lock; the largest limit of these */
	struct writer writer[];
};

/* ---- writer threads ---- */

static void
one_block_less(struct writers *all)
{
	size_t before;

	(void)pthread_mutex_lock(&all->lock);
	before = atomic_fetch_sub(&all->queued, 1);
	if (all->waiting > 0 && before - 1 < all->waited_for)
		(void)pthread_cond_broadcast(&all->less);
	(void)pthread_mutex_unlock(&all->lock);
}

static void
answer(struct writer *writer, struct staged *staged)
{
	struct staged_done *done = staged->done;

	done->status = SECOR_OK;
	if (staged->state == STAGED_SEALED) {
		done->bytes = staged->out.bytes;
		done->crc32c = staged->out.crc32c;
	} else if (staged->state == STAGED_FAILED) {
		done->status =
		    secor_fail(&done->err, staged->status, "%s", staged->why);
	} else {
		done->status = secor_fail(&done->err, SECOR_RETRY, "dropped");
	}
	queue_put(writer->all->done, &done->node);
}

static void
staged_free(struct staged *staged)
{
	free((char *)(uintptr_t)staged->object.topic);
	free((char *)(uintptr_t)staged->object.name);
	free((char *)(uintptr_t)staged->object.hint.ptr);
	free(staged);
}

static void
do_job(struct writer *writer, struct job *job)
{
	struct staged *staged = job->staged;

	switch (job->kind) {
	case JOB_BLOCK:
		stream_take(&writer->shop, staged, job->block);
		free(job);
		one_block_less(writer->all);
		break;
	case JOB_SEAL:
		stream_seal(&writer->shop, staged);
		answer(writer, staged);
		break;
	case JOB_DROP:
		stream_drop(&writer->shop, staged);
		staged_free(staged);
		atomic_fetch_sub(&writer->all->live, 1);
		break;
	}
}

static void *
writer_run(void *arg)
{
	struct writer *writer = arg;
	struct queue_node *node;

	while ((node = queue_get(writer->jobs, -1)) != NULL)
		do_job(writer, (struct job *)node);
	shop_fini(&writer->shop);
	return NULL;
}

/* ---- set-up ---- */

static void
writer_start(
    struct writers *all, struct writer *writer, const struct writers_conf *conf)
{
	char name[16];
	int rc;

	writer->all = all;
	writer->jobs = queue_new(NULL, NULL);
	writer->shop.budget = &all->budget;
	writer->shop.held_limit = pool_budget(conf->pool) / 4 / conf->count;
	writer->shop.files.stage = conf->stage;
	writer->shop.files.spares.stage = conf->stage;
	writer->shop.files.spares.max_bytes = conf->stage_max;
	writer->shop.files.pool = conf->pool;
	writer->shop.files.limit = conf->open_files / conf->count;
	if (writer->shop.files.limit < 1)
		writer->shop.files.limit = 1;
	rc = pthread_create(&writer->thread, NULL, writer_run, writer);
	assert(rc == 0);
	(void)snprintf(name, sizeof(name), "writer-%d",
	    (int)(writer - all->writer) % 1000);
	(void)pthread_setname_np(writer->thread, name);
}

struct writers *
writers_new(const struct writers_conf *conf)
{
	struct writers *all;

	assert(conf->count > 0);
	all = mem_alloc(
	    sizeof(*all) + (size_t)conf->count * sizeof(all->writer[0]));
	all->budget.pool = conf->pool;
	all->done = conf->done;
	all->count = conf->count;
	(void)pthread_mutex_init(&all->lock, NULL);
	clock_cond_init(&all->less);
	for (int i = 0; i < all->count; i++)
		writer_start(all, &all->writer[i], conf);
	return all;
}

void
writers_free(struct writers *all)
{
	if (all == NULL)
		return;
	for (int i = 0; i < all->count; i++)
		queue_close(all->writer[i].jobs);
	for (int i = 0; i < all->count; i++) {
		(void)pthread_join(all->writer[i].thread, NULL);
		queue_free(all->writer[i].jobs);
	}
	assert(atomic_load(&all->live) == 0);
	(void)pthread_cond_destroy(&all->less);
	(void)pthread_mutex_destroy(&all->lock);
	free(all);
}

/* ---- staged objects. Thread: consumer ---- */

struct staged *
staged_new(struct writers *all, const struct staged_spec *spec)
{
	struct staged *staged = mem_alloc(sizeof(*staged));
	const struct secor_object *object = &spec->object;

	staged->owner = spec->owner;
	staged->format = spec->format;
	staged->wants_records = spec->wants_records;
	staged->object = *object;
	staged->object.size = sizeof(*object);
	staged->object.topic = mem_dup(object->topic, strlen(object->topic));
	staged->object.name = mem_dup(object->name, strlen(object->name));
	if (object->hint.ptr != NULL)
		staged->object.hint.ptr =
		    mem_dup(object->hint.ptr, object->hint.len);
	staged->held_last = &staged->held;
	staged->seal_job.kind = JOB_SEAL;
	staged->seal_job.staged = staged;
	staged->drop_job.kind = JOB_DROP;
	staged->drop_job.staged = staged;
	staged->writer = &all->writer[all->next];
	all->next = (all->next + 1) % all->count;
	atomic_fetch_add(&all->live, 1);
	return staged;
}

void
staged_append(struct staged *staged, struct block *block)
{
	struct job *job;

	assert(!staged->sealed);
	assert(staged->wants_records || !staged->ragged);
	if (block->len == 0) {
		pool_put(block);
		return;
	}
	staged->ragged = block->len % 4096 != 0;
	job = mem_alloc(sizeof(*job));
	job->kind = JOB_BLOCK;
	job->staged = staged;
	job->block = block;
	atomic_fetch_add(&staged->pending, block->len);
	atomic_fetch_add(&staged->writer->all->queued, 1);
	queue_put(staged->writer->jobs, &job->node);
}

void
staged_seal(struct staged *staged)
{
	assert(!staged->sealed);
	staged->sealed = 1;
	staged->done = mem_alloc(sizeof(*staged->done));
	staged->done->owner = staged->owner;
	staged->done->staged = staged;
	queue_put(staged->writer->jobs, &staged->seal_job.node);
}

void
staged_drop(struct staged *staged)
{
	if (staged->done != NULL) {
		staged->done->owner = NULL;
		staged->done->staged = NULL;
	}
	atomic_store(&staged->dropped, 1);
	queue_put(staged->writer->jobs, &staged->drop_job.node);
}

void
staged_done_free(struct staged_done *done)
{
	if (done == NULL)
		return;
	if (done->staged != NULL)
		done->staged->done = NULL;
	free(done);
}

const char *
staged_file(const struct staged *staged)
{
	return staged->out.name;
}

uint64_t
staged_bytes(const struct staged *staged)
{
	return atomic_load(&staged->pending) + atomic_load(&staged->made);
}

int
staged_failed(const struct staged *staged)
{
	return atomic_load(&staged->failed);
}

unsigned
writers_failures(const struct writers *all)
{
	return atomic_load(&all->budget.failures);
}

/* ---- back-pressure. Any thread ---- */

size_t
writers_backlog(const struct writers *all)
{
	return atomic_load_explicit(&all->queued, memory_order_relaxed);
}

int
writers_wait(struct writers *all, size_t limit, int64_t wait_ms)
{
	struct timespec until = clock_after(wait_ms < 0 ? 0 : wait_ms);
	int below, rc = 0;

	(void)pthread_mutex_lock(&all->lock);
	if (all->waiting++ == 0 || all->waited_for < limit)
		all->waited_for = limit;
	while (!(below = atomic_load(&all->queued) < limit) && rc == 0)
		rc = wait_ms < 0 ? pthread_cond_wait(&all->less, &all->lock)
				 : pthread_cond_timedwait(
				       &all->less, &all->lock, &until);
	all->waiting--;
	(void)pthread_mutex_unlock(&all->lock);
	return below;
}
