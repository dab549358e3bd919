/*
 * service.c -- see service.h.
 */
#include "core/flow/final/service.h"

#include "core/base/buf.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/metrics.h"
#include "core/flow/final/finalizer.h"
#include "core/flow/final/look.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LOOK_MS = 60000 }; /* without a task */

/* A topic of this process. Holds: lock, but for the thread's own members. */
struct task {
	struct task *next;
	char *topic;
	int gone; /* another process has it: the thread ends the task */
	/* the thread's */
	int64_t next_boot_ms;
	int failing;	/* the last look failed */
	int32_t holder; /* said last */
	int said;
};

struct final_service {
	const struct config *config;
	struct look *look;
	struct finalizer *finalizer;
	struct metric *failures;
	pthread_t thread;
	int started;
	pthread_mutex_t lock;
	pthread_cond_t moved;
	int stopping;	      /* Holds: lock */
	int answered;	      /* Holds: lock; a notifier has */
	int64_t turn_boot_ms; /* the thread's: when notifiers are told again */
	struct task *tasks;   /* Holds: lock; freed by the thread */
};

int
final_wanted(const struct config *config)
{
	for (size_t i = 0; i < config->topic_count; i++)
		if (config->topics[i].finalize.delay_ms >= 0)
			return 1;
	return 0;
}

/* ---- the thread ---- */

static void
note_look(struct final_service *service, struct task *task, int rc,
    const struct secor_err *err)
{
	char quoted[1200];

	if (rc != SECOR_OK)
		metric_add(service->failures, 1);
	if (rc != SECOR_OK && !task->failing)
		log_line(SECOR_WARN, "finalizer waits",
		    "topic=%s reason=%s next=retry", task->topic,
		    log_quote(quoted, sizeof(quoted), err->text));
	if (rc == SECOR_OK && task->failing)
		log_line(
		    SECOR_INFO, "finalizer goes on", "topic=%s", task->topic);
	task->failing = rc != SECOR_OK;
}

/* A line when somebody else holds the topic back than before. */
static void
note_holder(struct task *task, const struct watermark *mark)
{
	if (task->said && mark->holder == task->holder)
		return;
	if (mark->holder >= 0)
		log_line(SECOR_DEBUG, "topic is held back",
		    "topic=%s partition=%d why=\"%s\"", task->topic,
		    (int)mark->holder, mark->why);
	task->said = 1;
	task->holder = mark->holder;
}

static void
look_at_task(struct final_service *service, struct task *task)
{
	const struct config_topic *topic =
	    config_topic(service->config, task->topic);
	struct finalizer_pass pass;
	struct secor_err err = {{0}};
	int rc = finalizer_run(service->finalizer, task->topic, &pass, &err);

	note_look(service, task, rc, &err);
	if (rc == SECOR_OK)
		note_holder(task, &pass.watermark);
	task->next_boot_ms = clock_boot_ms() + topic->finalize.interval_ms;
}

/* The task that is due, or NULL and how long until one is. Those that are gone
 * end here. Holds: lock. */
static struct task *
find_due(struct final_service *service, int64_t *wait_ms)
{
	int64_t now = clock_boot_ms();
	struct task *due = NULL;

	*wait_ms = LOOK_MS;
	for (struct task **at = &service->tasks; *at != NULL;) {
		struct task *task = *at;

		if (task->gone) {
			*at = task->next;
			finalizer_forget(service->finalizer, task->topic);
			free(task->topic);
			free(task);
			continue;
		}
		if (task->next_boot_ms - now < *wait_ms) {
			*wait_ms = task->next_boot_ms - now;
			due = *wait_ms <= 0 ? task : NULL;
		}
		at = &task->next;
	}
	return due;
}

/* How long until something is to be done: *due becomes a task that is, 0 when
 * there is one, or notifiers are to be told. Holds: lock. */
static int64_t
find_work(struct final_service *service, struct task **due)
{
	int64_t until_turn = service->turn_boot_ms - clock_boot_ms();
	int64_t wait_ms;

	*due = find_due(service, &wait_ms);
	if (*due != NULL || service->answered || until_turn <= 0)
		return 0;
	return until_turn < wait_ms ? until_turn : wait_ms;
}

/* Waits for something to do; 0 when it is to stop. */
static int
next_work(struct final_service *service, struct task **due)
{
	int go_on;
	int64_t wait_ms;

	(void)pthread_mutex_lock(&service->lock);
	while (!service->stopping && (wait_ms = find_work(service, due)) > 0) {
		struct timespec until = clock_after(wait_ms);

		(void)pthread_cond_timedwait(
		    &service->moved, &service->lock, &until);
	}
	go_on = !service->stopping;
	service->answered = 0;
	(void)pthread_mutex_unlock(&service->lock);
	return go_on;
}

/* A notifier has answered. Thread: the notifier's. */
static void
wake(void *arg)
{
	struct final_service *service = arg;

	(void)pthread_mutex_lock(&service->lock);
	service->answered = 1;
	(void)pthread_cond_signal(&service->moved);
	(void)pthread_mutex_unlock(&service->lock);
}

static int
look_for(void *arg, const char *topic, struct view *view, struct secor_err *err)
{
	struct final_service *service = arg;

	return look_at(service->look, topic, view, err);
}

static void *
run(void *arg)
{
	struct final_service *service = arg;
	struct task *task;

	while (next_work(service, &task)) {
		if (task != NULL)
			look_at_task(service, task);
		service->turn_boot_ms =
		    finalizer_turn(service->finalizer, clock_boot_ms());
	}
	return NULL;
}

/* ---- from outside ---- */

int
final_service_new(const struct config *config, struct final_service **service,
    struct secor_err *err)
{
	struct final_service *made = mem_alloc(sizeof(*made));
	struct finalizer_how how = {
	    .config = config, .look = look_for, .arg = made, .wake = wake};
	int rc;

	made->config = config;
	(void)pthread_mutex_init(&made->lock, NULL);
	clock_cond_init(&made->moved);
	made->failures = metric_counter("secor_finalizer_failures_total",
	    "Looks at a topic that failed: Kafka or the store did not answer.",
	    NULL);
	rc = look_new(config, &made->look, err);
	if (rc == SECOR_OK)
		rc = finalizer_new(&how, &made->finalizer, err);
	if (rc == SECOR_OK &&
	    pthread_create(&made->thread, NULL, run, made) != 0)
		rc =
		    secor_fail(err, SECOR_FATAL, "no thread for the finalizer");
	if (rc != SECOR_OK) {
		final_service_free(made);
		return rc;
	}
	made->started = 1;
	*service = made;
	return SECOR_OK;
}

void
final_service_free(struct final_service *service)
{
	if (service == NULL)
		return;
	(void)pthread_mutex_lock(&service->lock);
	service->stopping = 1;
	(void)pthread_cond_broadcast(&service->moved);
	(void)pthread_mutex_unlock(&service->lock);
	if (service->finalizer != NULL)
		finalizer_stop(service->finalizer);
	if (service->started)
		(void)pthread_join(service->thread, NULL);
	while (service->tasks != NULL) {
		struct task *task = service->tasks;

		service->tasks = task->next;
		free(task->topic);
		free(task);
	}
	finalizer_free(service->finalizer);
	look_free(service->look);
	(void)pthread_cond_destroy(&service->moved);
	(void)pthread_mutex_destroy(&service->lock);
	free(service);
}

static int
has(const char *const *topics, size_t count, const char *topic)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(topics[i], topic) == 0)
			return 1;
	return 0;
}

/* Holds: lock. */
static struct task *
task_of(struct final_service *service, const char *topic)
{
	for (struct task *task = service->tasks; task != NULL;
	     task = task->next)
		if (!task->gone && strcmp(task->topic, topic) == 0)
			return task;
	return NULL;
}

void
final_service_topics(
    struct final_service *service, const char *const *topics, size_t count)
{
	int moved = 0;

	(void)pthread_mutex_lock(&service->lock);
	for (struct task *task = service->tasks; task != NULL;
	     task = task->next)
		if (!task->gone && !has(topics, count, task->topic))
			task->gone = moved = 1;
	for (size_t i = 0; i < count; i++) {
		struct task *task;

		if (task_of(service, topics[i]) != NULL ||
		    config_topic(service->config, topics[i])
			    ->finalize.delay_ms < 0)
			continue;
		task = mem_alloc(sizeof(*task));
		task->topic = mem_dup(topics[i], strlen(topics[i]));
		task->next = service->tasks;
		service->tasks = task;
		moved = 1;
	}
	if (moved)
		(void)pthread_cond_signal(&service->moved);
	(void)pthread_mutex_unlock(&service->lock);
}
