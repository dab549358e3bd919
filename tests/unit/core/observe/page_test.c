/*
 * page_test.c -- core/observe/page and html.
 */
#include "core/observe/page.h"

#include "core/base/metrics.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <string.h>

enum { NOW = 1000000, LIMIT = 60000 };

struct told {
	int64_t heartbeat;
	const char *reasons; /* NULL: ready */
	const char *status;
};

static int64_t
heartbeat(void *arg)
{
	return ((struct told *)arg)->heartbeat;
}

static int
ready(void *arg, struct buf *reasons)
{
	const struct told *told = arg;

	if (told->reasons == NULL)
		return 1;
	buf_puts(reasons, told->reasons);
	return 0;
}

static void
status(void *arg, struct buf *json)
{
	buf_puts(json, ((struct told *)arg)->status);
}

static struct page
get(const struct told *told, const char *path)
{
	const struct observe_source source = {
	    (void *)(uintptr_t)told, heartbeat, ready, status};
	struct page page;

	page_make(&source, path, NOW, LIMIT, &page);
	return page;
}

static void
expect(const struct told *told, const char *path, int code, const char *body)
{
	struct page page = get(told, path);

	cr_assert_eq(page.status, code, "%s", page.body.ptr);
	cr_assert_str_eq(page.body.ptr, body);
	buf_fini(&page.body);
}

Test(page, live_is_the_age_of_the_heartbeat)
{
	static const struct {
		int64_t heartbeat;
		int code;
		const char *body;
	} rows[] = {
	    {NOW - 5, 200,
		"{\"live\":true,\"heartbeat_age_ms\":5,\"limit_ms\":60000}\n"},
	    {NOW - LIMIT + 1, 200,
		"{\"live\":true,\"heartbeat_age_ms\":59999,"
		"\"limit_ms\":60000}\n"},
	    {NOW - LIMIT, 503,
		"{\"live\":false,\"heartbeat_age_ms\":60000,"
		"\"limit_ms\":60000}\n"},
	    {0, 200, /* not begun */
		"{\"live\":true,\"heartbeat_age_ms\":0,\"limit_ms\":60000}\n"},
	    {NOW + 3, 200, /* beaten since the clock was read */
		"{\"live\":true,\"heartbeat_age_ms\":0,\"limit_ms\":60000}\n"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct told told = {rows[i].heartbeat, NULL, "{}"};

		expect(&told, "/health/live", rows[i].code, rows[i].body);
	}
}

Test(page, ready_says_why_not)
{
	const struct told yes = {NOW, NULL, "{}"};
	const struct told no = {NOW, "[\"partition t/0 is halted\"]", "{}"};

	expect(&yes, "/health/ready", 200, "{\"ready\":true,\"reasons\":[]}\n");
	expect(&no, "/health/ready", 503,
	    "{\"ready\":false,\"reasons\":[\"partition t/0 is halted\"]}\n");
}

Test(page, source_without_slots_is_live_and_ready)
{
	const struct observe_source source = {0};
	struct page page;

	page_make(&source, "/health/ready", NOW, LIMIT, &page);
	cr_assert_eq(page.status, 200);
	buf_fini(&page.body);
	page_make(&source, "/health/live", NOW, LIMIT, &page);
	cr_assert_eq(page.status, 200);
	buf_fini(&page.body);
	page_make(&source, "/status", NOW, LIMIT, &page);
	cr_assert_str_eq(page.body.ptr, "{}\n");
	buf_fini(&page.body);
}

Test(page, metrics_come_with_the_type_of_the_format)
{
	const struct told told = {NOW, NULL, "{}"};
	struct page page;

	metric_set(metric_gauge("x", "X.", NULL), 7);
	page = get(&told, "/metrics");
	cr_assert_str_eq(
	    page.content_type, "text/plain; version=0.0.4; charset=utf-8");
	cr_assert_str_eq(page.body.ptr, "# HELP x X.\n# TYPE x gauge\nx 7\n");
	buf_fini(&page.body);
}

Test(page, status_is_what_the_engine_tells)
{
	const struct told told = {NOW, NULL, "{\"a\":[1]}"};
	struct page page = get(&told, "/status");

	cr_assert_str_eq(page.content_type, "application/json");
	cr_assert_str_eq(page.body.ptr, "{\"a\":[1]}\n");
	buf_fini(&page.body);
}

Test(page, unknown_paths_are_not_found)
{
	static const char *const paths[] = {
	    "", "/x", "/metrics/", "/../status", "/health", "//"};
	const struct told told = {NOW, NULL, "{}"};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct page page = get(&told, paths[i]);

		cr_assert_eq(page.status, 404, "%s", paths[i]);
		buf_fini(&page.body);
	}
}

static void
expect_html(const char *status_json, const char *part)
{
	struct buf out = {0};

	page_html(&out, 1, 0, status_json);
	cr_assert_not_null(strstr(out.ptr, part), "%s", out.ptr);
	cr_assert_not_null(strstr(out.ptr, "not ready"));
	cr_assert_not_null(strstr(out.ptr, "</body></html>\n"));
	buf_fini(&out);
}

Test(page, html_shows_any_json_as_tables)
{
	expect_html("{\"version\":\"0.1\",\"n\":3,\"none\":null}",
	    "<tr><th>version</th><td>0.1</td></tr>\n"
	    "<tr><th>n</th><td>3</td></tr>\n"
	    "<tr><th>none</th><td>null</td></tr>\n");
	expect_html("[{\"p\":0,\"s\":\"ok\"},{\"p\":1,\"why\":true}]",
	    "<tr><th>p</th><th>s</th><th>why</th></tr>\n"
	    "<tr><td>0</td><td>ok</td><td></td></tr>\n"
	    "<tr><td>1</td><td></td><td>true</td></tr>\n");
	expect_html("[1,\"two\",[3]]", "1<br>two<br>3");
	expect_html("[]", "</p>\n");
}

Test(page, html_of_markup_in_keys_and_values_stays_text)
{
	struct buf out = {0};

	page_html(&out, 1, 1,
	    "{\"<script>k</script>\":\"<img src=x onerror=y>\","
	    "\"t\":[{\"<b>\":\"\\u0000\"}]}");
	cr_assert_null(strstr(out.ptr, "<script>"));
	cr_assert_null(strstr(out.ptr, "<img"));
	cr_assert_null(strstr(out.ptr, "<b>"));
	buf_fini(&out);
	expect_html("{\"<k>\":\"<v>\"}",
	    "<tr><th>&lt;k&gt;</th><td>&lt;v&gt;</td></tr>");
}

Test(page, html_of_what_is_no_json_shows_it_escaped)
{
	expect_html("{\"cut\":<", "<pre>{&quot;cut&quot;:&lt;</pre>");
}

Test(page, html_of_very_deep_json_ends)
{
	struct buf deep = {0};

	for (int i = 0; i < 500; i++)
		buf_putc(&deep, '[');
	for (int i = 0; i < 500; i++)
		buf_putc(&deep, ']');
	expect_html(deep.ptr, "&hellip;");
	buf_fini(&deep);
}
