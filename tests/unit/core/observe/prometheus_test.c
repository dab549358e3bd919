/*
 * prometheus_test.c -- core/observe/prometheus. What is printed is read back
 * by a parser of the format that shares nothing with the printer.
 */
#include "core/observe/prometheus.h"

#include "core/base/metrics.h"
#include "core/base/text.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void
expect(const char *want)
{
	struct buf buf = {0};

	buf_puts(&buf, "");
	prometheus_put(&buf);
	cr_assert_str_eq(buf.ptr, want);
	buf_fini(&buf);
}

Test(prometheus, put_without_metrics_is_empty)
{
	expect("");
}

Test(prometheus, put_says_help_and_type_once_a_name)
{
	metric_add(metric_counter("secor_objects_total", "Objects stored.",
		       METRIC_LABELS("topic", "b")),
	    2);
	metric_add(metric_counter("secor_objects_total", "Objects stored.",
		       METRIC_LABELS("topic", "a", "partition", "0")),
	    1);
	metric_set(
	    metric_gauge("secor_memory_bytes", "Memory.", NULL), 1 << 20);
	expect("# HELP secor_memory_bytes Memory.\n"
	       "# TYPE secor_memory_bytes gauge\n"
	       "secor_memory_bytes 1048576\n"
	       "# HELP secor_objects_total Objects stored.\n"
	       "# TYPE secor_objects_total counter\n"
	       "secor_objects_total{topic=\"a\",partition=\"0\"} 1\n"
	       "secor_objects_total{topic=\"b\"} 2\n");
}

Test(prometheus, put_escapes_labels_and_help)
{
	metric_set(metric_gauge("m", "One\nline \\ \"two\".",
		       METRIC_LABELS("reason", "say \"hi\\\n\"")),
	    1);
	expect("# HELP m One\\nline \\\\ \"two\".\n"
	       "# TYPE m gauge\n"
	       "m{reason=\"say \\\"hi\\\\\\n\\\"\"} 1\n");
}

Test(prometheus, put_mends_what_the_format_does_not_allow)
{
	metric_set(
	    metric_gauge("9my-plugin.x", "X.", METRIC_LABELS("a:b", "\xff")),
	    1);
	expect("# HELP _my_plugin_x X.\n"
	       "# TYPE _my_plugin_x gauge\n"
	       "_my_plugin_x{a_b=\"\xef\xbf\xbd\"} 1\n");
}

Test(prometheus, put_values_read_back_as_the_same_number)
{
	static const struct {
		int64_t value;
		const char *want;
	} rows[] = {{0, "0"}, {-1, "-0.001"}, {1500, "1.5"},
	    {1767225600123, "1767225600.123"}, {123456789, "123456.789"}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf want = {0};

		metric_set(metric_gauge_ms("t", "T.", NULL), rows[i].value);
		buf_printf(
		    &want, "# HELP t T.\n# TYPE t gauge\nt %s\n", rows[i].want);
		expect(want.ptr);
		buf_fini(&want);
	}
	metric_set(metric_gauge("big", "B.", NULL), INT64_C(9007199254740991));
	metric_hide(metric_gauge_ms("t", "T.", NULL));
	expect("# HELP big B.\n# TYPE big gauge\nbig 9007199254740991\n");
}

/* ---- a reader of the format ---- */

static int
is_name(const char *at, size_t n, const char *more)
{
	if (n == 0 || isdigit((unsigned char)at[0]))
		return 0;
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)at[i]) &&
		    strchr(more, at[i]) == NULL)
			return 0;
	return 1;
}

/* Reads {name="value",...}; returns behind it, NULL when it is not valid. */
static const char *
read_labels(const char *at)
{
	if (*at != '{')
		return at;
	do {
		size_t n = strcspn(++at, "=");

		if (!is_name(at, n, "_") || at[n] != '=' || at[n + 1] != '"')
			return NULL;
		for (at += n + 2; *at != '"'; at++)
			if (*at == '\n' || *at == '\0' ||
			    (*at == '\\' && strchr("\\\"n", *++at) == NULL))
				return NULL;
	} while (*++at == ',');
	return *at == '}' ? at + 1 : NULL;
}

/* 1 when the line is a valid sample; *name_len is its name's. */
static int
is_sample(const char *line, size_t *name_len)
{
	const char *at;
	char *end;

	*name_len = strcspn(line, "{ ");
	if (!is_name(line, *name_len, "_:"))
		return 0;
	at = read_labels(line + *name_len);
	if (at == NULL || *at++ != ' ')
		return 0;
	(void)strtod(at, &end);
	return end != at && *end == '\0';
}

/* Checks a page line by line and returns the number of samples. */
static int
check_page(char *page)
{
	char *rest = page, *line, kind[8], typed[128] = "";
	int samples = 0;

	while ((line = strsep(&rest, "\n")) != NULL && rest != NULL) {
		char name[128] = "";
		size_t n;

		if (sscanf(line, "# %7s %127s", kind, name) == 2) {
			if (strcmp(kind, "TYPE") == 0) {
				cr_assert_str_neq(name, typed, "TYPE twice");
				(void)strcpy(typed, name);
			}
			continue;
		}
		cr_assert(is_sample(line, &n), "not a sample: %s", line);
		cr_assert(strncmp(line, typed, n) == 0 && typed[n] == '\0',
		    "%s is not under its TYPE", line);
		samples++;
	}
	cr_assert_str_eq(line, "", "the last line ends with LF");
	return samples;
}

Test(prometheus, put_of_hostile_labels_is_read_by_a_parser)
{
	struct buf buf = {0};
	char text[6] = "";

	for (int i = 0; i < 2000; i++) {
		for (int k = 0; k < 5; k++)
			text[k] = (char)(1 + (i * 31 + k * 97 + i * k) % 255);
		metric_set(metric_gauge(i % 3 == 0 ? "a" : "b:c", text,
			       METRIC_LABELS("x", text, "topic", "t")),
		    i);
	}
	prometheus_put(&buf);
	cr_assert(utf8_valid(buf.ptr, buf.len));
	cr_assert_geq(check_page(buf.ptr), 255);
	buf_fini(&buf);
}
