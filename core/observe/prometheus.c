/*
 * prometheus.c -- see prometheus.h. metric_each gives those of one name
 * together, so HELP and TYPE are due when the name changes.
 */
#include "core/observe/prometheus.h"

#include "core/base/metrics.h"
#include "core/observe/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct page {
	struct buf *out;
	const char *name; /* of the last metric; metrics are never freed */
};

static void
put_name(struct buf *out, const char *name, int colon)
{
	for (const char *at = name; *at != '\0'; at++) {
		char c = *at;
		int letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		int digit = c >= '0' && c <= '9' && at != name;

		buf_putc(out, letter || digit || c == '_' || (colon && c == ':')
				  ? c
				  : '_');
	}
}

/* The shortest of two forms that reads back as the same number. */
static void
put_value(struct buf *out, double value)
{
	char text[40];

	if (isnan(value)) {
		buf_puts(out, "NaN");
		return;
	}
	if (isinf(value)) {
		buf_puts(out, value > 0 ? "+Inf" : "-Inf");
		return;
	}
	(void)snprintf(text, sizeof(text), "%.15g", value);
	if (strtod(text, NULL) < value || strtod(text, NULL) > value)
		(void)snprintf(text, sizeof(text), "%.17g", value);
	buf_puts(out, text);
}

static void
put_head(struct buf *out, const struct secor_metric *metric, const char *help)
{
	buf_puts(out, "# HELP ");
	put_name(out, metric->name, 1);
	buf_putc(out, ' ');
	text_put_help(out, help);
	buf_puts(out, "\n# TYPE ");
	put_name(out, metric->name, 1);
	buf_puts(out,
	    metric->type == SECOR_METRIC_COUNTER ? " counter\n" : " gauge\n");
}

static void
put_metric(void *arg, const struct secor_metric *metric, const char *help)
{
	struct page *page = arg;
	struct buf *out = page->out;

	if (page->name == NULL || strcmp(page->name, metric->name) != 0)
		put_head(out, metric, help);
	page->name = metric->name;
	put_name(out, metric->name, 1);
	for (size_t i = 0; i < metric->label_count; i++) {
		buf_putc(out, i == 0 ? '{' : ',');
		put_name(out, metric->labels[i].key, 0);
		buf_puts(out, "=\"");
		text_put_label(out, metric->labels[i].value);
		buf_putc(out, '"');
	}
	if (metric->label_count > 0)
		buf_putc(out, '}');
	buf_putc(out, ' ');
	put_value(out, metric->value);
	buf_putc(out, '\n');
}

void
prometheus_put(struct buf *out)
{
	struct page page = {.out = out};

	metric_each(put_metric, &page);
}
