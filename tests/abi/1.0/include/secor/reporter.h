/*
 * reporter.h -- pushes the metrics elsewhere. Prometheus is built in.
 */
#ifndef SECOR_REPORTER_H
#define SECOR_REPORTER_H

#include <secor/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

enum secor_metric_type {
	SECOR_METRIC_COUNTER = 1, /* only grows */
	SECOR_METRIC_GAUGE = 2
};

struct secor_metric {
	uint32_t size;
	int type;
	const char *name; /* secor_objects_total */
	const struct secor_pair *labels;
	size_t label_count;
	double value;
};

struct secor_reporter_ops {
	uint32_t size;

	int (*open)(
	    const struct secor_open *with, void **self, struct secor_err *err);
	void (*close)(void *self); /* accepts NULL */

	/* All metrics, every `interval` of the section. Own thread; may block
	 * for as long as it likes: the flow does not wait. A failure is logged
	 * once until it works again. */
	int (*report)(void *self, int64_t now_ms,
	    const struct secor_metric *metrics, size_t count,
	    struct secor_err *err);
};

#ifdef __cplusplus
}
#endif
#endif
