/*
 * metrics_test.c -- core/base/metrics. (Criterion gives each test a process,
 * so each begins without metrics.)
 */
#include "core/base/metrics.h"

#include "core/base/buf.h"

#include <criterion/criterion.h>
#include <pthread.h>

static void
print_one(void *arg, const struct secor_metric *metric, const char *help)
{
	struct buf *buf = arg;

	cr_assert_eq(metric->size, sizeof(*metric));
	buf_printf(buf, "%s", metric->name);
	for (size_t i = 0; i < metric->label_count; i++)
		buf_printf(buf, ",%s=%s", metric->labels[i].key,
		    metric->labels[i].value);
	buf_printf(buf, " %c %g %s\n",
	    metric->type == SECOR_METRIC_COUNTER ? 'c' : 'g', metric->value,
	    help);
}

static void
expect(const char *want)
{
	struct buf buf = {0};

	buf_puts(&buf, "");
	metric_each(print_one, &buf);
	cr_assert_str_eq(buf.ptr, want);
	buf_fini(&buf);
}

Test(metrics, each_without_metrics_calls_nothing)
{
	expect("");
}

Test(metrics, counter_registered_twice_is_the_same_one)
{
	struct metric *a = metric_counter("a_total", "A.", NULL);

	metric_add(a, 2);
	metric_add(metric_counter("a_total", "A.", NULL), 3);
	cr_assert_eq(metric_get(a), 5);
	expect("a_total c 5 A.\n");
}

Test(metrics, each_passes_names_in_order_and_those_of_one_name_together)
{
	metric_set(metric_gauge("b", "B.", METRIC_LABELS("t", "y")), 1);
	metric_set(metric_counter("c", "C.", NULL), 2);
	metric_set(metric_gauge("b", "B.", METRIC_LABELS("t", "x")), 3);
	metric_set(metric_gauge("a", "A.", NULL), 4);
	metric_set(metric_gauge("b", "B.", NULL), 5);
	metric_set(
	    metric_gauge("b", "B.", METRIC_LABELS("t", "x", "u", "1")), 6);
	expect("a g 4 A.\n"
	       "b g 5 B.\n"
	       "b,t=x g 3 B.\n"
	       "b,t=x,u=1 g 6 B.\n"
	       "b,t=y g 1 B.\n"
	       "c c 2 C.\n");
}

Test(metrics, labels_that_differ_in_value_only_are_two_metrics)
{
	struct metric *x = metric_counter("a", "A.", METRIC_LABELS("t", "x"));
	struct metric *y = metric_counter("a", "A.", METRIC_LABELS("t", "y"));

	cr_assert_neq(x, y);
	cr_assert_eq(x, metric_counter("a", "A.", METRIC_LABELS("t", "x")));
}

Test(metrics, labels_are_copied)
{
	char name[] = "topic", value[] = "one";

	metric_set(metric_gauge("a", "A.", METRIC_LABELS(name, value)), 1);
	name[0] = value[0] = '?';
	expect("a,topic=one g 1 A.\n");
}

Test(metrics, gauge_in_ms_is_shown_in_seconds)
{
	metric_set(metric_gauge_ms("age_seconds", "Age.", NULL), 1500);
	expect("age_seconds g 1.5 Age.\n");
}

Test(metrics, hide_takes_one_out_and_registering_shows_it_again)
{
	struct metric *x = metric_gauge("a", "A.", METRIC_LABELS("p", "0"));

	metric_set(metric_gauge("a", "A.", METRIC_LABELS("p", "1")), 2);
	metric_set(x, 1);
	metric_hide(x);
	expect("a,p=1 g 2 A.\n");
	cr_assert_eq(metric_gauge("a", "A.", METRIC_LABELS("p", "0")), x);
	expect("a,p=0 g 1 A.\na,p=1 g 2 A.\n");
}

static void *
count(void *arg)
{
	(void)arg;
	for (int i = 0; i < 10000; i++)
		metric_add(metric_counter("n_total", "N.", NULL), 1);
	return NULL;
}

Test(metrics, adding_from_threads_loses_nothing)
{
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, count, NULL), 0);
	for (int i = 0; i < 4; i++)
		(void)pthread_join(threads[i], NULL);
	cr_assert_eq(metric_get(metric_counter("n_total", "N.", NULL)), 40000);
}
