/*
 * metrics.c -- a sorted list under a lock. Registering is rare, counting never
 * takes the lock.
 */
#include "core/base/metrics.h"

#include "core/base/buf.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct entry {
	struct metric metric; /* first: callers hold this address */
	struct entry *next;
	char *name;
	char *help;
	struct secor_pair *labels;
	size_t label_count;
	int type;
	int hidden;
	double scale;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct entry *entries; /* sorted by name, then labels */

static int
compare(const struct entry *entry, const char *name, const char *const *labels)
{
	int d = strcmp(entry->name, name);

	for (size_t i = 0; d == 0 && i < entry->label_count; i++) {
		if (labels == NULL || labels[2 * i] == NULL)
			return 1;
		d = strcmp(entry->labels[i].key, labels[2 * i]);
		if (d == 0)
			d = strcmp(entry->labels[i].value, labels[2 * i + 1]);
	}
	if (d == 0 && labels != NULL && labels[2 * entry->label_count] != NULL)
		return -1;
	return d;
}

static struct entry *
entry_new(const char *name, const char *help, const char *const *labels)
{
	struct entry *entry = mem_alloc(sizeof(*entry));
	size_t n = 0;

	while (labels != NULL && labels[n] != NULL)
		n++;
	entry->name = mem_dup(name, strlen(name));
	entry->help = mem_dup(help, strlen(help));
	entry->label_count = n / 2;
	entry->labels = mem_alloc((n / 2) * sizeof(*entry->labels));
	for (size_t i = 0; i < n / 2; i++) {
		entry->labels[i].key =
		    mem_dup(labels[2 * i], strlen(labels[2 * i]));
		entry->labels[i].value =
		    mem_dup(labels[2 * i + 1], strlen(labels[2 * i + 1]));
	}
	return entry;
}

static struct metric *
register_metric(int type, double scale, const char *name, const char *help,
    const char *const *labels)
{
	struct entry **at;
	struct entry *entry;
	int d = 1;

	(void)pthread_mutex_lock(&lock);
	for (at = &entries; *at != NULL; at = &(*at)->next)
		if ((d = compare(*at, name, labels)) >= 0)
			break;
	if (*at == NULL || d != 0) {
		entry = entry_new(name, help, labels);
		entry->type = type;
		entry->scale = scale;
		entry->next = *at;
		*at = entry;
	}
	entry = *at;
	entry->hidden = 0;
	(void)pthread_mutex_unlock(&lock);
	return &entry->metric;
}

struct metric *
metric_counter(const char *name, const char *help, const char *const *labels)
{
	return register_metric(SECOR_METRIC_COUNTER, 1, name, help, labels);
}

struct metric *
metric_counter_ms(const char *name, const char *help, const char *const *labels)
{
	return register_metric(SECOR_METRIC_COUNTER, 1000, name, help, labels);
}

struct metric *
metric_gauge(const char *name, const char *help, const char *const *labels)
{
	return register_metric(SECOR_METRIC_GAUGE, 1, name, help, labels);
}

struct metric *
metric_gauge_ms(const char *name, const char *help, const char *const *labels)
{
	return register_metric(SECOR_METRIC_GAUGE, 1000, name, help, labels);
}

void
metric_hide(struct metric *metric)
{
	(void)pthread_mutex_lock(&lock);
	((struct entry *)metric)->hidden = 1;
	(void)pthread_mutex_unlock(&lock);
}

void
metric_each(void (*each)(
		void *arg, const struct secor_metric *metric, const char *help),
    void *arg)
{
	(void)pthread_mutex_lock(&lock);
	for (struct entry *e = entries; e != NULL; e = e->next) {
		struct secor_metric m = {.size = sizeof(m),
		    .type = e->type,
		    .name = e->name,
		    .labels = e->labels,
		    .label_count = e->label_count,
		    .value = (double)metric_get(&e->metric) / e->scale};

		if (!e->hidden)
			each(arg, &m, e->help);
	}
	(void)pthread_mutex_unlock(&lock);
}
