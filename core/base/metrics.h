/*
 * metrics.h -- numbers that people look at. Registered once, then lock-free.
 *
 * Names are Prometheus names (`secor_objects_total`); labels are fixed pairs.
 * The same name and labels give the same metric. Metrics live as long as the
 * process. Any thread.
 */
#ifndef SECOR_BASE_METRICS_H
#define SECOR_BASE_METRICS_H

#include <secor/reporter.h>
#include <stdatomic.h>
#include <stdint.h>

struct metric {
	_Atomic int64_t value; /* fixed point: value / scale */
};

/* `labels` is a list of name, value, ..., NULL (copied). `help` is one
 * sentence. Times are kept in ms and shown in seconds by the _ms ones. */
struct metric *
metric_counter(const char *name, const char *help, const char *const *labels);
struct metric *metric_counter_ms(
    const char *name, const char *help, const char *const *labels);
struct metric *
metric_gauge(const char *name, const char *help, const char *const *labels);
struct metric *
metric_gauge_ms(const char *name, const char *help, const char *const *labels);

/* For the labels: METRIC_LABELS("topic", t, "partition", p) */
#define METRIC_LABELS(...) ((const char *const[]){__VA_ARGS__, NULL})

static inline void
metric_add(struct metric *metric, int64_t n)
{
	atomic_fetch_add_explicit(&metric->value, n, memory_order_relaxed);
}

static inline void
metric_set(struct metric *metric, int64_t value)
{
	atomic_store_explicit(&metric->value, value, memory_order_relaxed);
}

static inline int64_t
metric_get(const struct metric *metric)
{
	return atomic_load_explicit(&metric->value, memory_order_relaxed);
}

/* Takes a gauge of a partition that went away out of the export. */
void metric_hide(struct metric *metric);

/* Calls `each` for every metric, those of one name together, names in byte
 * order. `help` is that of the name. */
void metric_each(void (*each)(void *arg, const struct secor_metric *metric,
		     const char *help),
    void *arg);

#endif
