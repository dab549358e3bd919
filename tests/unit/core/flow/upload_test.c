/*
 * upload_test.c -- attempts, fences, and what comes back.
 *
 * The store defined here does as its script says, once a put.
 */
#include "core/flow/upload.h"

#include "core/base/buf.h"
#include "core/base/files.h"
#include "core/base/hash.h"
#include "core/base/metrics.h"

#include <criterion/criterion.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LONG_AGO (-INT64_C(1000000000000))
#define FOREVER INT64_C(1000000000000)

/* ---- the store ---- */

static struct script {
	int fail_open_at; /* the n-th instance, from 1 */
	int status;	  /* of put */
	int hold;	  /* put posts `entered` and waits for `go` */
	int stubborn;	  /* put repeats until go_on says no */
	int beyond;	  /* reads more than there is */
	sem_t entered, go;
	atomic_int instances;
	atomic_int puts;   /* begun */
	atomic_int stored; /* done and found whole */
} script;

static int
fake_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	int n = atomic_fetch_add(&script.instances, 1) + 1;

	cr_assert_eq(with->conf, &script);
	if (n == script.fail_open_at) {
		atomic_fetch_sub(&script.instances, 1);
		return secor_fail(err, SECOR_FATAL, "no bucket");
	}
	*self = &script;
	return SECOR_OK;
}

static void
fake_close(void *self)
{
	cr_assert_eq(self, &script);
	atomic_fetch_sub(&script.instances, 1);
}

/* Two reads, the later half first, as a store with parts may do. */
static int
read_whole(const struct secor_put *put, struct secor_err *err)
{
	size_t len = (size_t)put->length, half = len / 2;
	char *bytes = malloc(len + 1);
	int rc = put->read_at(
	    put, half, bytes + half, len - half + (size_t)script.beyond, err);

	if (rc == SECOR_OK)
		rc = put->read_at(put, 0, bytes, half, err);
	if (rc == SECOR_OK && crc32c_add(0, bytes, len) != put->crc32c)
		rc = secor_fail(err, SECOR_FATAL, "other bytes");
	free(bytes);
	return rc;
}

static int
fake_put(void *self, const struct secor_put *put, struct secor_err *err)
{
	int rc;

	(void)self;
	atomic_fetch_add(&script.puts, 1);
	if (script.hold) {
		(void)sem_post(&script.entered);
		(void)sem_wait(&script.go);
	}
	if (script.stubborn) {
		(void)sem_post(&script.entered);
		while (put->go_on(put))
			(void)sched_yield();
	}
	if (script.status != SECOR_OK)
		return secor_fail(err, script.status, "the script says so");
	rc = read_whole(put, err);
	if (rc != SECOR_OK)
		return rc;
	if (!put->go_on(put))
		return secor_fail(err, SECOR_RETRY, "told to give up");
	atomic_fetch_add(&script.stored, 1);
	return SECOR_OK;
}

static const struct secor_store_ops ops = {
    .size = sizeof(ops),
    .open = fake_open,
    .close = fake_close,
    .put = fake_put,
};

/* ---- the bench ---- */

static struct secor_host host = {.size = sizeof(host)};
static struct plugin plugin = {.ops.store = &ops, .host = &host};
static const struct config_use use = {.plugin = &plugin, .conf = &script};
static struct fence fence;
static struct queue *done;
static struct uploaders *uploaders;
static struct ownership *ownership;

static void
begin(int count)
{
	struct secor_err err;

	atomic_store(&fence.polled_boot_ms, FOREVER);
	fence.session_timeout_ms = 45000;
	(void)sem_init(&script.entered, 0, 0);
	(void)sem_init(&script.go, 0, 0);
	done = queue_new(NULL, NULL);
	ownership = ownership_new();
	atomic_store(&ownership->epoch, 7);
	cr_assert_eq(uploaders_new(&use, count, &fence, done, &uploaders, &err),
	    SECOR_OK, "%s", err.text);
	cr_assert_eq(atomic_load(&script.instances), count);
}

static void
end(void)
{
	uploaders_free(uploaders);
	cr_assert_eq(atomic_load(&script.instances), 0);
	cr_assert_null(queue_get(done, 0));
	cr_assert_eq(atomic_load(&ownership->refs), 1);
	ownership_unref(ownership);
	queue_free(done);
}

static struct upload *
upload_of(const char *text)
{
	struct upload *upload = mem_alloc(sizeof(*upload));

	upload->owner = &script;
	upload->key = mem_text("t/dt=1/1_0_7");
	upload->bytes = mem_dup(text, strlen(text));
	upload->length = strlen(text);
	upload->crc32c = crc32c_add(0, text, strlen(text));
	upload->ownership = ownership_ref(ownership);
	upload->epoch = 7;
	return upload;
}

static struct upload *
received(void)
{
	return (struct upload *)queue_get(done, -1);
}

static struct upload *
put(struct upload *upload)
{
	uploader_put(uploaders, upload);
	cr_assert_eq(received(), upload);
	return upload;
}

static int64_t
count_of(const char *result)
{
	return metric_get(metric_counter(
	    "secor_uploads_total", "", METRIC_LABELS("result", result)));
}

/* ---- what comes back ---- */

Test(upload, put_of_bytes_stores_them)
{
	struct upload *upload;

	begin(1);
	upload = put(upload_of("hello"));
	cr_assert_eq(upload->status, SECOR_OK, "%s", upload->err.text);
	cr_assert_eq(upload->owner, &script);
	cr_assert_eq(upload->tries, 1);
	cr_assert_not(upload->fenced);
	cr_assert_eq(atomic_load(&script.stored), 1);
	cr_assert_eq(count_of("ok"), 1);
	cr_assert_eq(
	    metric_get(metric_counter("secor_upload_bytes_total", "", NULL)),
	    5);
	upload_free(upload);
	end();
}

/* A staged file of `text`; the bytes are dropped. */
static struct upload *
upload_of_file(const char *text, const char *written)
{
	struct upload *upload = upload_of(text);
	char name[] = "/tmp/upload_test.XXXXXX";
	int fd = mkstemp(name);

	cr_assert_geq(fd, 0);
	cr_assert_eq(
	    file_write(fd, written, strlen(written), name, NULL), SECOR_OK);
	(void)close(fd);
	free(upload->bytes);
	upload->bytes = NULL;
	upload->file = mem_dup(name, strlen(name));
	return upload;
}

Test(upload, put_of_a_file_stores_its_bytes)
{
	struct upload *upload;

	begin(1);
	upload = put(upload_of_file("hello, file", "hello, file"));
	cr_assert_eq(upload->status, SECOR_OK, "%s", upload->err.text);
	cr_assert_eq(atomic_load(&script.stored), 1);
	(void)unlink(upload->file);
	upload_free(upload);
	end();
}

Test(upload, put_of_a_file_that_is_gone_is_unreadable)
{
	struct upload *upload;

	begin(1);
	upload = upload_of_file("hello", "hello");
	(void)unlink(upload->file);
	(void)put(upload);
	cr_assert_eq(upload->status, SECOR_RETRY);
	cr_assert(upload->unreadable);
	cr_assert_not(upload->fenced);
	cr_assert_not_null(strstr(upload->err.text, upload->file));
	cr_assert_eq(atomic_load(&script.puts), 0);
	upload_free(upload);
	end();
}

Test(upload, put_of_a_file_that_is_shorter_is_unreadable)
{
	struct upload *upload;

	begin(1);
	upload = put(upload_of_file("hello", "hell"));
	cr_assert_eq(upload->status, SECOR_RETRY);
	cr_assert(upload->unreadable);
	(void)unlink(upload->file);
	upload_free(upload);
	end();
}

Test(upload, store_that_reads_beyond_the_end_is_stopped)
{
	struct upload *upload;

	begin(1);
	script.beyond = 1;
	upload = put(upload_of("hello"));
	cr_assert_eq(upload->status, SECOR_RETRY);
	cr_assert_not(upload->unreadable);
	cr_assert_not_null(
	    strstr(upload->err.text, "has 5 bytes"), "%s", upload->err.text);
	upload_free(upload);
	end();
}

Test(upload, failing_store_answers_with_its_status_and_text)
{
	static const struct {
		int status, answer;
		const char *result, *text;
	} rows[] = {
	    {SECOR_RETRY, SECOR_RETRY, "retry", "the script says so"},
	    {SECOR_REJECT, SECOR_REJECT, "reject", "the script says so"},
	    {SECOR_FATAL, SECOR_FATAL, "fatal", "the script says so"},
	    {-1, SECOR_FATAL, "fatal",
		"put t/dt=1/1_0_7: the store's plugin answers -1, which is no "
		"status"},
	};
	struct upload *upload;

	begin(1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t before = count_of(rows[i].result);

		script.status = rows[i].status;
		upload = put(upload_of("hello"));
		cr_assert_eq(upload->status, rows[i].answer);
		cr_assert_str_eq(upload->err.text, rows[i].text);
		cr_assert_not(upload->fenced);
		cr_assert_eq(count_of(rows[i].result), before + 1);
		upload_free(upload);
	}
	end();
}

Test(upload, second_attempt_forgets_the_first)
{
	struct upload *upload;

	begin(1);
	script.status = SECOR_RETRY;
	upload = put(upload_of("hello"));
	cr_assert_eq(upload->status, SECOR_RETRY);
	script.status = SECOR_OK;
	(void)put(upload);
	cr_assert_eq(upload->status, SECOR_OK);
	cr_assert_eq(upload->tries, 2);
	cr_assert_str_empty(upload->err.text);
	cr_assert_eq(
	    metric_get(metric_counter("secor_upload_retries_total", "", NULL)),
	    1);
	upload_free(upload);
	end();
}

/* ---- fences ---- */

static void
assert_fenced(struct upload *upload, const char *why)
{
	cr_assert_eq(upload->status, SECOR_RETRY);
	cr_assert(upload->fenced);
	cr_assert_not_null(
	    strstr(upload->err.text, why), "%s", upload->err.text);
	cr_assert_eq(atomic_load(&script.stored), 0);
	cr_assert_eq(count_of("fenced"), 1);
	upload_free(upload);
	end();
}

Test(upload, other_epoch_makes_no_request)
{
	begin(1);
	atomic_store(&ownership->epoch, 8);
	struct upload *upload = put(upload_of("hello"));

	cr_assert_eq(atomic_load(&script.puts), 0);
	assert_fenced(upload, "taken away");
}

Test(upload, stale_poll_makes_no_request)
{
	begin(1);
	atomic_store(&fence.polled_boot_ms, LONG_AGO);
	struct upload *upload = put(upload_of("hello"));

	cr_assert_eq(atomic_load(&script.puts), 0);
	assert_fenced(upload, "no poll for");
}

/* The owner is gone while the store prepares its request. */
Test(upload, epoch_that_changes_on_the_way_stops_the_request)
{
	struct upload *upload;

	script.hold = 1;
	begin(1);
	upload = upload_of("hello");
	uploader_put(uploaders, upload);
	(void)sem_wait(&script.entered);
	atomic_store(&ownership->epoch, 8);
	(void)sem_post(&script.go);
	cr_assert_eq(received(), upload);
	assert_fenced(upload, "told to give up");
}

Test(upload, poll_that_grows_stale_on_the_way_stops_the_request)
{
	struct upload *upload;

	script.hold = 1;
	begin(1);
	upload = upload_of("hello");
	uploader_put(uploaders, upload);
	(void)sem_wait(&script.entered);
	atomic_store(&fence.polled_boot_ms, LONG_AGO);
	(void)sem_post(&script.go);
	cr_assert_eq(received(), upload);
	assert_fenced(upload, "told to give up");
}

/* The epoch lives as long as the last attempt, not as the partition. */
Test(upload, ownership_outlives_its_partition)
{
	struct ownership *mine = ownership_new();
	struct upload *upload;

	script.hold = 1;
	begin(1);
	upload = upload_of("hello");
	ownership_unref(upload->ownership);
	upload->ownership = ownership_ref(mine);
	upload->epoch = 0;
	uploader_put(uploaders, upload);
	(void)sem_wait(&script.entered);
	atomic_store(&mine->epoch, 1);
	ownership_unref(mine);
	(void)sem_post(&script.go);
	cr_assert_eq(received(), upload);
	assert_fenced(upload, "told to give up");
}

/* ---- start and stop ---- */

Test(upload, store_that_does_not_open_fails_the_start_and_closes_the_others)
{
	struct uploaders *none = NULL;
	struct secor_err err;

	script.fail_open_at = 3;
	done = queue_new(NULL, NULL);
	cr_assert_eq(
	    uploaders_new(&use, 4, &fence, done, &none, &err), SECOR_FATAL);
	cr_assert_null(none);
	cr_assert_str_eq(err.text, "no bucket");
	cr_assert_eq(atomic_load(&script.instances), 0);
	queue_free(done);
}

Test(upload, free_brings_back_what_runs_and_what_is_queued)
{
	begin(2);
	script.stubborn = 1;
	for (int i = 0; i < 5; i++)
		uploader_put(uploaders, upload_of("hello"));
	for (int i = 0; i < 2; i++)
		(void)sem_wait(&script.entered);
	uploaders_free(uploaders);
	uploaders = NULL;
	cr_assert_eq(atomic_load(&script.puts), 2);
	cr_assert_eq(queue_length(done), 5);
	for (int i = 0; i < 5; i++) {
		struct upload *upload = received();

		cr_assert_eq(upload->status, SECOR_RETRY);
		cr_assert(upload->fenced);
		upload_free(upload);
	}
	end();
	uploaders_free(NULL);
	upload_free(NULL);
	ownership_unref(NULL);
}

Test(upload, many_uploads_over_four_threads_all_come_back)
{
	begin(4);
	for (int i = 0; i < 1000; i++)
		uploader_put(uploaders, upload_of("one of many"));
	for (int i = 0; i < 1000; i++) {
		struct upload *upload = received();

		cr_assert_eq(upload->status, SECOR_OK);
		upload_free(upload);
	}
	cr_assert_eq(atomic_load(&script.stored), 1000);
	end();
}
