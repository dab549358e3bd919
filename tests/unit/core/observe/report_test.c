/*
 * report_test.c -- core/observe/report, with reporters made here and one that
 * the loader loads.
 */
#include "core/observe/report.h"

#include "core/base/buf.h"
#include "core/base/files.h"
#include "core/base/log.h"
#include "core/base/metrics.h"
#include "tests/unit/harness.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What a fake reporter is told to do, and what it saw. */
struct fake {
	pthread_mutex_t lock;
	pthread_cond_t called;
	int calls;
	int answer;
	int hang; /* blocks in report while set */
	int opened, closed;
	int64_t now_ms;
	double value; /* of the metric "n_total" */
};

static int
fake_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	struct fake *fake = (struct fake *)(uintptr_t)with->conf;

	if (fake->answer == SECOR_FATAL)
		return secor_fail(err, SECOR_FATAL, "no such host");
	fake->opened++;
	*self = fake;
	return SECOR_OK;
}

static void
fake_close(void *self)
{
	((struct fake *)self)->closed++;
}

static int
fake_report(void *self, int64_t now_ms, const struct secor_metric *metrics,
    size_t count, struct secor_err *err)
{
	struct fake *fake = self;
	int rc;

	(void)pthread_mutex_lock(&fake->lock);
	fake->calls++;
	fake->now_ms = now_ms;
	for (size_t i = 0; i < count; i++)
		if (strcmp(metrics[i].name, "n_total") == 0)
			fake->value = metrics[i].value;
	(void)pthread_cond_broadcast(&fake->called);
	while (fake->hang)
		(void)pthread_cond_wait(&fake->called, &fake->lock);
	rc = fake->answer;
	(void)pthread_mutex_unlock(&fake->lock);
	return rc == SECOR_OK ? rc : secor_fail(err, rc, "line one\nline two");
}

static const struct secor_reporter_ops OPS = {.size = sizeof(OPS),
    .open = fake_open,
    .close = fake_close,
    .report = fake_report};
static const struct plugin PLUGIN = {
    .desc = {.name = "fake"}, .ops = {.reporter = &OPS}};

static struct fake a = {
    PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0, 0, 0, 0, 0, 0};
static struct fake b = {
    PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0, 0, 0, 0, 0, 0};
static struct config_use items[] = {
    {.plugin = &PLUGIN, .conf = &a}, {.plugin = &PLUGIN, .conf = &b}};
static const struct config_uses uses = {items, 2};

static void
wait_calls(struct fake *fake, int calls)
{
	(void)pthread_mutex_lock(&fake->lock);
	while (fake->calls < calls)
		(void)pthread_cond_wait(&fake->called, &fake->lock);
	(void)pthread_mutex_unlock(&fake->lock);
}

static struct report *
begin(void)
{
	struct report *report = NULL;

	cr_assert_eq(report_open(&uses, &report, NULL), SECOR_OK);
	return report;
}

Test(report, once_gives_every_reporter_all_metrics)
{
	struct report *report = begin();

	metric_add(metric_counter("n_total", "N.", NULL), 3);
	for (int i = 0; i < 200; i++)
		(void)metric_gauge("m", "M.",
		    METRIC_LABELS("i", (const char[]){(char)('A' + i / 20),
					   (char)('a' + i % 20), 0}));
	report_once(report, 4711);
	cr_assert_eq(a.calls, 1);
	cr_assert_eq(b.calls, 1);
	cr_assert_eq(a.now_ms, 4711);
	cr_assert_float_eq(b.value, 3, 0);
	report_close(report, 0);
	cr_assert_eq(a.closed, 1);
	cr_assert_eq(b.closed, 1);
}

Test(report, open_that_fails_names_the_reporter_and_closes_the_others)
{
	struct report *report = NULL;
	struct secor_err err = {""};

	b.answer = SECOR_FATAL;
	cr_assert_eq(report_open(&uses, &report, &err), SECOR_FATAL);
	cr_assert_str_eq(err.text, "reporter fake: no such host");
	cr_assert_null(report);
	cr_assert_eq(a.opened, 1);
	cr_assert_eq(a.closed, 1);
	cr_assert_eq(b.closed, 0);
}

/* Lines on standard error while `report` answers as told. */
static int
lines_of(struct report *report, const int *answers, size_t n)
{
	int fds[2], real = dup(STDERR_FILENO), lines = 0;
	char c;

	cr_assert_eq(pipe(fds), 0);
	(void)dup2(fds[1], STDERR_FILENO);
	(void)close(fds[1]);
	for (size_t i = 0; i < n; i++) {
		a.answer = answers[i];
		report_once(report, 0);
	}
	(void)dup2(real, STDERR_FILENO);
	(void)close(real);
	while (read(fds[0], &c, 1) == 1)
		lines += c == '\n';
	(void)close(fds[0]);
	return lines;
}

Test(report, failure_is_told_once_until_it_works_again)
{
	static const int answers[] = {SECOR_RETRY, SECOR_REJECT, SECOR_RETRY,
	    SECOR_OK, SECOR_OK, SECOR_RETRY, SECOR_RETRY};
	struct report *report = begin();

	/* failed, works again, failed */
	cr_assert_eq(lines_of(report, answers, 7), 3);
	cr_assert_eq(b.calls, 7); /* the other one goes on */
	report_close(report, 0);
}

Test(report, threads_report_again_and_again_and_once_at_the_end, .timeout = 120)
{
	struct report *report = begin();
	struct metric *n = metric_counter("n_total", "N.", NULL);

	cr_assert_eq(report_start(report, NULL), SECOR_OK);
	wait_calls(&a, 3);
	wait_calls(&b, 3);
	metric_add(n, 42);
	report_close(report, 50000);
	cr_assert_float_eq(a.value, 42, 0);
	cr_assert_float_eq(b.value, 42, 0);
	cr_assert_eq(a.closed, 1);
}

Test(report, close_does_not_wait_for_the_interval, .timeout = 120)
{
	struct report *report;

	items[0].interval_ms = items[1].interval_ms = 3600000;
	report = begin();
	cr_assert_eq(report_start(report, NULL), SECOR_OK);
	wait_calls(&a, 1);
	wait_calls(&b, 1);
	report_close(report, 50000);
	cr_assert_eq(a.calls, 2);
}

Test(report, one_that_hangs_holds_up_neither_the_other_nor_the_end,
    .timeout = 120)
{
	struct report *report = begin();

	log_level_set(SECOR_ERROR);
	a.hang = 1;
	cr_assert_eq(report_start(report, NULL), SECOR_OK);
	wait_calls(&a, 1);
	wait_calls(&b, 5);
	report_close(report, 100);
	cr_assert_eq(a.calls, 1);
	cr_assert_eq(a.closed, 0);
	cr_assert_eq(b.closed, 1);
}

Test(report, close_accepts_null)
{
	report_close(NULL, 0);
}

/* A plugin that was compiled alone gets metrics through the loader. */
Test(report, loaded_reporter_hears_the_metrics)
{
	char dir[] = "/tmp/secor-report-XXXXXX";
	char *folder = mem_text("%s/tests/plugins", harness_build());
	struct registry *registry = registry_new(folder, 1);
	struct config_use use = {.conf = NULL};
	const struct config_uses one = {&use, 1};
	struct report *report = NULL;
	struct secor_err err = {""};
	char *file, *text;
	void *conf;
	size_t n;

	cr_assert_not_null(mkdtemp(dir));
	file = mem_text("%s/lines", dir);
	cr_assert_eq(registry_find(registry, SECOR_REPORTER, "lines", ".",
			 &use.plugin, &err),
	    SECOR_OK, "%s", err.text);
	use.conf = conf = harness_conf(use.plugin, "file", file, NULL);
	cr_assert_eq(report_open(&one, &report, &err), SECOR_OK);
	metric_add(metric_counter("n_total", "N.", NULL), 3);
	metric_set(metric_gauge_ms("lag_seconds", "L.",
		       METRIC_LABELS("topic", "t", "partition", "0")),
	    1500);
	report_once(report, 4711);
	cr_assert_eq(file_read(file, 1000, &text, &n, &err), SECOR_OK);
	cr_assert_str_eq(text,
	    "now 4711\nlag_seconds{topic=t,partition=0} 1.5\n"
	    "n_total{} 3\n");
	report_close(report, 0);
	harness_conf_free(use.plugin, conf);
	registry_free(registry);
	(void)file_remove_tree(dir, NULL);
	free(text);
	free(file);
	free(folder);
}
