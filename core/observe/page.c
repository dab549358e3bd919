/*
 * page.c -- see page.h.
 */
#include "core/observe/page.h"

#include "core/observe/prometheus.h"

#include <string.h>

#define JSON "application/json"

/* What a page is made from. */
struct asked {
	const struct observe_source *source;
	int64_t now_boot_ms;
	int64_t limit_ms;
};

static int
is_live(const struct asked *asked, int64_t *age_ms)
{
	const struct observe_source *source = asked->source;
	int64_t last = 0;

	if (source->heartbeat_boot_ms != NULL)
		last = source->heartbeat_boot_ms(source->arg);
	*age_ms = last == 0 || last > asked->now_boot_ms
		      ? 0
		      : asked->now_boot_ms - last;
	return *age_ms < asked->limit_ms;
}

static int
is_ready(const struct asked *asked, struct buf *reasons)
{
	const struct observe_source *source = asked->source;
	size_t before = reasons->len;
	int ready =
	    source->ready == NULL || source->ready(source->arg, reasons);

	if (reasons->len == before)
		buf_puts(reasons, "[]");
	return ready;
}

static void
put_status(const struct asked *asked, struct buf *out)
{
	const struct observe_source *source = asked->source;
	size_t before = out->len;

	if (source->status != NULL)
		source->status(source->arg, out);
	if (out->len == before)
		buf_puts(out, "{}");
}

static void
make_metrics(const struct asked *asked, struct page *page)
{
	(void)asked;
	page->content_type = PROMETHEUS_CONTENT_TYPE;
	prometheus_put(&page->body);
}

static void
make_live(const struct asked *asked, struct page *page)
{
	int64_t age_ms;
	int live = is_live(asked, &age_ms);

	page->status = live ? 200 : 503;
	buf_printf(&page->body,
	    "{\"live\":%s,\"heartbeat_age_ms\":%lld,\"limit_ms\":%lld}\n",
	    live ? "true" : "false", (long long)age_ms,
	    (long long)asked->limit_ms);
}

static void
make_ready(const struct asked *asked, struct page *page)
{
	struct buf reasons = {0};
	int ready = is_ready(asked, &reasons);

	page->status = ready ? 200 : 503;
	buf_printf(&page->body, "{\"ready\":%s,\"reasons\":%s}\n",
	    ready ? "true" : "false", reasons.ptr);
	buf_fini(&reasons);
}

static void
make_status(const struct asked *asked, struct page *page)
{
	put_status(asked, &page->body);
	buf_putc(&page->body, '\n');
}

static void
make_root(const struct asked *asked, struct page *page)
{
	struct buf status = {0}, reasons = {0};
	int64_t age_ms;

	page->content_type = "text/html; charset=utf-8";
	put_status(asked, &status);
	page_html(&page->body, is_live(asked, &age_ms),
	    is_ready(asked, &reasons), status.ptr);
	buf_fini(&reasons);
	buf_fini(&status);
}

static const struct {
	const char *path;
	void (*make)(const struct asked *asked, struct page *page);
} ROUTES[] = {
    {"/", make_root},
    {"/metrics", make_metrics},
    {"/health/live", make_live},
    {"/health/ready", make_ready},
    {"/status", make_status},
};

void
page_make(const struct observe_source *source, const char *path,
    int64_t now_boot_ms, int64_t limit_ms, struct page *page)
{
	const struct asked asked = {source, now_boot_ms, limit_ms};

	*page = (struct page){.status = 200, .content_type = JSON};
	buf_puts(&page->body, "");
	for (size_t i = 0; i < sizeof(ROUTES) / sizeof(ROUTES[0]); i++)
		if (strcmp(path, ROUTES[i].path) == 0) {
			ROUTES[i].make(&asked, page);
			return;
		}
	page->status = 404;
	page->content_type = "text/plain; charset=utf-8";
	buf_puts(&page->body,
	    "not found; there are / /metrics /health/live /health/ready "
	    "/status\n");
}
