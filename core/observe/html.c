/*
 * html.c -- the status for people: any JSON as tables. One document without
 * scripts, links to other hosts or state; every text goes through
 * text_put_html, so a topic named <script> is a topic.
 */
#include "core/observe/page.h"
#include "core/observe/text.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 16, COLUMN_MAX = 64 };

static const char HEAD[] =
    "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
    "<meta http-equiv=\"refresh\" content=\"5\"><title>Secor</title><style>"
    "body{font:14px/1.5 system-ui,sans-serif;margin:2em;color:#222}"
    "table{border-collapse:collapse;margin:.3em 0}"
    "td,th{border:1px solid #ccc;padding:.1em .6em;text-align:left;"
    "vertical-align:top}th{background:#f4f4f4;font-weight:600}"
    ".good{color:#176b2c}.bad{color:#b00020;font-weight:600}"
    "</style></head><body>\n<h1>Secor</h1>\n";

static const char FOOT[] =
    "<p><a href=\"/metrics\">metrics</a> <a href=\"/status\">status as "
    "JSON</a> <a href=\"/health/live\">live</a> "
    "<a href=\"/health/ready\">ready</a></p>\n</body></html>\n";

static void put_any(struct buf *out, const json_t *json, int depth);

static void
put_scalar(struct buf *out, const json_t *json)
{
	char *text;

	if (json_is_string(json)) {
		text_put_html(out, json_string_value(json));
		return;
	}
	text = json_dumps(json, JSON_ENCODE_ANY | JSON_COMPACT);
	text_put_html(out, text == NULL ? "?" : text);
	free(text);
}

static void
put_object(struct buf *out, const json_t *object, int depth)
{
	const char *key;
	json_t *value;

	buf_puts(out, "<table>\n");
	json_object_foreach((json_t *)(uintptr_t)object, key, value)
	{
		buf_puts(out, "<tr><th>");
		text_put_html(out, key);
		buf_puts(out, "</th><td>");
		put_any(out, value, depth + 1);
		buf_puts(out, "</td></tr>\n");
	}
	buf_puts(out, "</table>\n");
}

/* Adds `key` unless it is there; returns the new count. */
static size_t
add_column(const char **columns, size_t count, const char *key)
{
	for (size_t k = 0; k < count; k++)
		if (strcmp(columns[k], key) == 0)
			return count;
	if (count < COLUMN_MAX)
		columns[count++] = key;
	return count;
}

/* The keys of all objects of the array, in order of appearance; 0 when one of
 * its items is no object. */
static size_t
columns_of(const json_t *array, const char **columns)
{
	size_t count = 0, i;
	json_t *item, *value;
	const char *key;

	json_array_foreach(array, i, item)
	{
		if (!json_is_object(item))
			return 0;
		json_object_foreach(item, key, value)
		{
			(void)value;
			count = add_column(columns, count, key);
		}
	}
	return count;
}

static void
put_table(struct buf *out, const json_t *array, int depth)
{
	const char *columns[COLUMN_MAX];
	size_t count = columns_of(array, columns), i;
	json_t *item;

	buf_puts(out, "<table>\n<tr>");
	for (size_t k = 0; k < count; k++) {
		buf_puts(out, "<th>");
		text_put_html(out, columns[k]);
		buf_puts(out, "</th>");
	}
	buf_puts(out, "</tr>\n");
	json_array_foreach(array, i, item)
	{
		buf_puts(out, "<tr>");
		for (size_t k = 0; k < count; k++) {
			buf_puts(out, "<td>");
			put_any(
			    out, json_object_get(item, columns[k]), depth + 1);
			buf_puts(out, "</td>");
		}
		buf_puts(out, "</tr>\n");
	}
	buf_puts(out, "</table>\n");
}

static void
put_list(struct buf *out, const json_t *array, int depth)
{
	json_t *item;
	size_t i;

	json_array_foreach(array, i, item)
	{
		if (i > 0)
			buf_puts(out, "<br>");
		put_any(out, item, depth + 1);
	}
}

static void
put_any(struct buf *out, const json_t *json, int depth)
{
	const char *columns[COLUMN_MAX];

	if (json == NULL)
		return;
	if (depth > DEPTH_MAX)
		buf_puts(out, "&hellip;");
	else if (json_is_object(json))
		put_object(out, json, depth);
	else if (json_is_array(json) && columns_of(json, columns) > 0)
		put_table(out, json, depth);
	else if (json_is_array(json))
		put_list(out, json, depth);
	else
		put_scalar(out, json);
}

void
page_html(struct buf *out, int live, int ready, const char *status_json)
{
	json_t *json = json_loads(status_json, JSON_DECODE_ANY, NULL);

	buf_puts(out, HEAD);
	buf_puts(out, live ? "<p><span class=\"good\">live</span>"
			   : "<p><span class=\"bad\">not live</span>");
	buf_puts(out, ready ? ", <span class=\"good\">ready</span></p>\n"
			    : ", <span class=\"bad\">not ready</span></p>\n");
	if (json != NULL) {
		put_any(out, json, 0);
	} else {
		buf_puts(out, "<pre>");
		text_put_html(out, status_json);
		buf_puts(out, "</pre>\n");
	}
	buf_puts(out, FOOT);
	json_decref(json);
}
