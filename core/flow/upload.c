/*
 * upload.c -- threads that take uploads off one queue.
 *
 * Whatever happens, an upload comes back exactly once for each uploader_put. No
 * request is made without a fresh look at the fences.
 */
#include "core/flow/upload.h"

#include "core/base/buf.h"
#include "core/base/clock.h"
#include "core/base/files.h"
#include "core/base/metrics.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum result { OK, RETRY, REJECT, FATAL, FENCED, RESULTS };

struct upload_metrics {
	struct metric *results[RESULTS];
	struct metric *bytes;
	struct metric *seconds;
	struct metric *count;
	struct metric *retries;
};

struct uploader {
	struct uploaders *all;
	pthread_t thread;
	void *store; /* instance */
};

struct uploaders {
	const struct secor_store_ops *ops;
	const struct fence *fence;
	struct queue *jobs;
	struct queue *done;
	struct upload_metrics metrics;
	atomic_int ending;
	int count; /* that have an instance */
	struct uploader uploader[];
};

/* ---- ownership ---- */

struct ownership *
ownership_new(void)
{
	struct ownership *ownership = mem_alloc(sizeof(*ownership));

	atomic_store(&ownership->refs, 1);
	return ownership;
}

struct ownership *
ownership_ref(struct ownership *ownership)
{
	atomic_fetch_add(&ownership->refs, 1);
	return ownership;
}

void
ownership_unref(struct ownership *ownership)
{
	if (ownership != NULL && atomic_fetch_sub(&ownership->refs, 1) == 1)
		free(ownership);
}

void
upload_free(struct upload *upload)
{
	if (upload == NULL)
		return;
	ownership_unref(upload->ownership);
	free(upload->key);
	free(upload->file);
	free(upload->bytes);
	free(upload->batch);
	free(upload);
}

/* ---- one attempt ---- */

struct attempt {
	struct secor_put put;
	struct uploaders *all;
	struct upload *upload;
	int fd; /* of the staged file, or -1 */
};

/* SECOR_OK, or SECOR_RETRY with the fence that says no. */
static int
look_at_fences(const struct attempt *attempt, struct secor_err *err)
{
	const struct upload *upload = attempt->upload;
	const struct fence *fence = attempt->all->fence;
	int64_t silent_ms;

	if (atomic_load(&attempt->all->ending))
		return secor_fail(
		    err, SECOR_RETRY, "put %s: stopping", upload->key);
	if (atomic_load(&upload->ownership->epoch) != upload->epoch)
		return secor_fail(err, SECOR_RETRY,
		    "put %s: its partition was taken away", upload->key);
	silent_ms = clock_boot_ms() - atomic_load(&fence->polled_boot_ms);
	if (silent_ms > fence->session_timeout_ms)
		return secor_fail(err, SECOR_RETRY,
		    "put %s: no poll for %lld ms, longer than the session "
		    "timeout",
		    upload->key, (long long)silent_ms);
	return SECOR_OK;
}

static int
go_on(const struct secor_put *put)
{
	const struct attempt *attempt = put->arg;

	if (look_at_fences(attempt, NULL) == SECOR_OK)
		return 1;
	attempt->upload->fenced = 1;
	return 0;
}

static int
read_at(const struct secor_put *put, uint64_t at, void *bytes, size_t len,
    struct secor_err *err)
{
	const struct attempt *attempt = put->arg;
	struct upload *upload = attempt->upload;
	int rc;

	if (at > put->length || len > put->length - at)
		return secor_fail(err, SECOR_RETRY,
		    "%s has %llu bytes; %zu were asked for at %llu", put->key,
		    (unsigned long long)put->length, len,
		    (unsigned long long)at);
	if (attempt->fd < 0) {
		memcpy(bytes, upload->bytes + at, len);
		return SECOR_OK;
	}
	rc = file_pread(attempt->fd, bytes, len, at, upload->file, err);
	if (rc != SECOR_OK)
		upload->unreadable = 1;
	return rc;
}

static int
open_staged(struct attempt *attempt, struct secor_err *err)
{
	struct upload *upload = attempt->upload;

	if (upload->file == NULL)
		return SECOR_OK;
	attempt->fd = open(upload->file, O_RDONLY | O_CLOEXEC);
	if (attempt->fd >= 0)
		return SECOR_OK;
	upload->unreadable = 1;
	return secor_fail(
	    err, SECOR_RETRY, "open %s: %s", upload->file, strerror(errno));
}

static int
put_once(struct attempt *attempt, void *store, struct secor_err *err)
{
	int rc = look_at_fences(attempt, err);

	if (rc != SECOR_OK) {
		attempt->upload->fenced = 1;
		return rc;
	}
	rc = open_staged(attempt, err);
	if (rc == SECOR_OK)
		rc = attempt->all->ops->put(store, &attempt->put, err);
	if (attempt->fd >= 0)
		(void)close(attempt->fd);
	if (rc < SECOR_OK || rc > SECOR_FATAL)
		return secor_fail(err, SECOR_FATAL,
		    "put %s: the store's plugin answers %d, which is no status",
		    attempt->upload->key, rc);
	return rc;
}

/* ---- threads ---- */

static void
count_attempt(const struct upload_metrics *metrics, const struct upload *upload)
{
	metric_add(
	    metrics->results[upload->fenced ? FENCED : upload->status], 1);
	metric_add(metrics->seconds, upload->took_ms);
	metric_add(metrics->count, 1);
	if (upload->tries > 1)
		metric_add(metrics->retries, 1);
	if (upload->status == SECOR_OK)
		metric_add(metrics->bytes, (int64_t)upload->length);
}

static void
upload_run(const struct uploader *uploader, struct upload *upload)
{
	struct uploaders *all = uploader->all;
	struct attempt attempt = {
	    .put = {.size = sizeof(attempt.put),
		.key = upload->key,
		.length = upload->length,
		.crc32c = upload->crc32c,
		.content_type = upload->content_type,
		.batch = upload->batch,
		.read_at = read_at,
		.go_on = go_on},
	    .all = all,
	    .upload = upload,
	    .fd = -1,
	};
	int64_t begin_ms = clock_boot_ms();

	attempt.put.arg = &attempt;
	upload->fenced = upload->unreadable = 0;
	upload->err.text[0] = '\0';
	upload->tries++;
	upload->status = put_once(&attempt, uploader->store, &upload->err);
	if (upload->status == SECOR_OK) /* whatever was said on the way */
		upload->fenced = upload->unreadable = 0;
	if (upload->fenced)
		upload->status = SECOR_RETRY;
	upload->took_ms = clock_boot_ms() - begin_ms;
	count_attempt(&all->metrics, upload);
	queue_put(all->done, &upload->node);
}

static void *
uploader_run(void *arg)
{
	const struct uploader *uploader = arg;
	struct queue_node *node;

	while ((node = queue_get(uploader->all->jobs, -1)) != NULL)
		upload_run(uploader, (struct upload *)node);
	return NULL;
}

/* ---- set-up ---- */

static void
register_metrics(struct upload_metrics *metrics)
{
	static const char *const results[RESULTS] = {
	    "ok", "retry", "reject", "fatal", "fenced"};

	for (int i = 0; i < RESULTS; i++)
		metrics->results[i] = metric_counter("secor_uploads_total",
		    "Attempts to put an object, by what became of them.",
		    METRIC_LABELS("result", results[i]));
	metrics->bytes = metric_counter("secor_upload_bytes_total",
	    "Bytes of objects that the store has taken.", NULL);
	metrics->seconds = metric_counter_ms("secor_upload_seconds_sum",
	    "Time that attempts to put an object took.", NULL);
	metrics->count = metric_counter(
	    "secor_upload_seconds_count", "Attempts to put an object.", NULL);
	metrics->retries = metric_counter("secor_upload_retries_total",
	    "Attempts to put an object that were not its first.", NULL);
}

/* Instances are opened before the threads run, so that errors have somebody to
 * tell. */
static int
open_stores(struct uploaders *all, const struct config_use *store, int count,
    struct secor_err *err)
{
	struct secor_open with = {
	    .size = sizeof(with),
	    .conf = store->conf,
	    .host = store->plugin->host,
	    .compat = store->compat,
	};

	for (; all->count < count; all->count++) {
		struct uploader *uploader = &all->uploader[all->count];
		int rc = all->ops->open(&with, &uploader->store, err);

		if (rc != SECOR_OK)
			return rc;
		uploader->all = all;
	}
	return SECOR_OK;
}

static void
close_stores(struct uploaders *all)
{
	while (all->count > 0)
		all->ops->close(all->uploader[--all->count].store);
}

static void
uploader_start(struct uploader *uploader)
{
	char name[16];
	int rc =
	    pthread_create(&uploader->thread, NULL, uploader_run, uploader);

	assert(rc == 0);
	(void)snprintf(name, sizeof(name), "uploader-%d",
	    (int)(uploader - uploader->all->uploader) % 1000);
	(void)pthread_setname_np(uploader->thread, name);
}

int
uploaders_new(const struct config_use *store, int count,
    const struct fence *fence, struct queue *done, struct uploaders **uploaders,
    struct secor_err *err)
{
	struct uploaders *all;
	int rc;

	assert(count > 0);
	all =
	    mem_alloc(sizeof(*all) + (size_t)count * sizeof(all->uploader[0]));
	all->ops = store->plugin->ops.store;
	all->fence = fence;
	all->done = done;
	rc = open_stores(all, store, count, err);
	if (rc != SECOR_OK) {
		close_stores(all);
		free(all);
		return rc;
	}
	all->jobs = queue_new(NULL, NULL);
	register_metrics(&all->metrics);
	for (int i = 0; i < count; i++)
		uploader_start(&all->uploader[i]);
	*uploaders = all;
	return SECOR_OK;
}

void
uploaders_free(struct uploaders *all)
{
	if (all == NULL)
		return;
	atomic_store(&all->ending, 1);
	queue_close(all->jobs);
	for (int i = 0; i < all->count; i++)
		(void)pthread_join(all->uploader[i].thread, NULL);
	close_stores(all);
	queue_free(all->jobs);
	free(all);
}

void
uploader_put(struct uploaders *all, struct upload *upload)
{
	assert(upload->ownership != NULL);
	assert((upload->file == NULL) != (upload->bytes == NULL));
	queue_put(all->jobs, &upload->node);
}
