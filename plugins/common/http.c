/*
 * http.c -- HTTP requests for plugins, on libcurl.
 *
 * One easy handle a client, one multi handle a group of clients: it keeps their
 * connections, and drives whatever has been begun while anybody waits.
 */
#include "plugins/common/http_inside.h"
#include "plugins/common/http_words.h"
#include "plugins/common/monotonic.h"
#include "plugins/common/sigpipe.h"

#include <assert.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define KEPT 5 /* connections of a group at least, as curl's own */
#define LOOK_MS 1000

static pthread_once_t global_once = PTHREAD_ONCE_INIT;

static void
global_init(void)
{
	assert(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
}

int64_t
http_now_ms(void)
{
	return monotonic_ms();
}

/* ---- groups ---- */

/* Made when it is needed: many a client is never used. */
static int
group_add(struct http_group *group, CURL *easy)
{
	if (group->multi == NULL)
		group->multi = curl_multi_init();
	if (group->multi == NULL)
		return -1;
	(void)curl_multi_setopt(group->multi, CURLMOPT_MAXCONNECTS,
	    (long)(group->count > KEPT ? group->count : KEPT));
	if (curl_multi_add_handle(group->multi, easy) != CURLM_OK)
		return -1;
	group->running++;
	return 0;
}

static void
group_join(struct http_group *group, struct http *http)
{
	http->group = group;
	http->next = group->members;
	group->members = http;
	group->count++;
}

static void
group_part(struct http_group *group, struct http *http)
{
	struct http **at = &group->members;

	while (*at != http)
		at = &(*at)->next;
	*at = http->next;
	if (--group->count > 0)
		return;
	if (group->multi != NULL)
		(void)curl_multi_cleanup(group->multi);
	free(group);
}

/* ---- clients ---- */

static int
copy_text(const char *from, const char **to)
{
	if (from == NULL)
		return 0;
	*to = strdup(from);
	return *to == NULL ? -1 : 0;
}

static int
open_in(struct http_group *group, const struct http_conf *conf,
    struct http **out, struct secor_err *err)
{
	struct http *http = calloc(1, sizeof(*http));

	if (http == NULL)
		return secor_fail(err, SECOR_RETRY, "http: out of memory");
	http->conf.connect_ms = conf->connect_ms > 0 ? conf->connect_ms : 10000;
	http->conf.stall_ms = conf->stall_ms > 0 ? conf->stall_ms : 60000;
	http->conf.total_ms = conf->total_ms;
	http->easy = curl_easy_init();
	if (group == NULL)
		group = calloc(1, sizeof(*group));
	if (group != NULL)
		group_join(group, http);
	if (http->easy == NULL || group == NULL ||
	    copy_text(conf->ca_file, &http->conf.ca_file) != 0 ||
	    copy_text(conf->proxy, &http->conf.proxy) != 0 ||
	    copy_text(conf->no_proxy, &http->conf.no_proxy) != 0 ||
	    copy_text(conf->user_agent != NULL ? conf->user_agent : "secor",
		&http->conf.user_agent) != 0) {
		http_close(http);
		return secor_fail(err, SECOR_RETRY, "http: out of memory");
	}
	*out = http;
	return SECOR_OK;
}

int
http_open(
    const struct http_conf *conf, struct http **out, struct secor_err *err)
{
	(void)pthread_once(&global_once, global_init);
	return open_in(NULL, conf, out, err);
}

int
http_open_beside(
    const struct http *other, struct http **out, struct secor_err *err)
{
	return open_in(other->group, &other->conf, out, err);
}

void
http_close(struct http *http)
{
	if (http == NULL)
		return;
	http_drop(http);
	if (http->easy != NULL)
		curl_easy_cleanup(http->easy);
	if (http->group != NULL)
		group_part(http->group, http);
	free((void *)(uintptr_t)http->conf.ca_file);
	free((void *)(uintptr_t)http->conf.proxy);
	free((void *)(uintptr_t)http->conf.no_proxy);
	free((void *)(uintptr_t)http->conf.user_agent);
	free(http->body);
	free(http);
}

const char *
http_header(struct http *http, const char *name)
{
	struct curl_header *header;

	if (curl_easy_header(http->easy, name, 0, CURLH_HEADER, -1, &header) !=
	    CURLHE_OK)
		return NULL;
	return header->value;
}

/* ---- driving ---- */

static void
settle(struct http *http, CURLcode code)
{
	(void)curl_multi_remove_handle(http->group->multi, http->easy);
	http->group->running--;
	http->code = code;
	http->state = HTTP_OVER;
}

/* curl itself is at its end (no memory): so is all that runs. */
static void
settle_all(struct http_group *group)
{
	struct http *http;

	for (http = group->members; http != NULL; http = http->next)
		if (http->state == HTTP_RUNNING)
			settle(http, CURLE_OUT_OF_MEMORY);
}

static void
drive(struct http_group *group)
{
	sigset_t before;
	int hidden, ignored;
	CURLMsg *said;
	char *of;

	if (group->multi == NULL)
		return;
	hidden = sigpipe_hide(&before);
	if (curl_multi_perform(group->multi, &ignored) != CURLM_OK)
		settle_all(group);
	while ((said = curl_multi_info_read(group->multi, &ignored)) != NULL) {
		CURLcode code = said->data.result;

		(void)curl_easy_getinfo(
		    said->easy_handle, CURLINFO_PRIVATE, &of);
		settle((struct http *)(void *)of, code);
	}
	if (hidden)
		sigpipe_show(&before);
}

static void
rest(struct http_group *group, int64_t ms)
{
	int most = (int)(ms < LOOK_MS ? ms : LOOK_MS);

	if (group->multi == NULL)
		(void)poll(NULL, 0, most);
	else if (curl_multi_poll(group->multi, NULL, 0, most, NULL) != CURLM_OK)
		settle_all(group);
}

void
http_begin(struct http *http, const struct http_request *request)
{
	assert(http->state == HTTP_IDLE);
	http->request = request;
	http->at = 0;
	http->length = 0;
	http->fault = HTTP_WHOLE;
	http->moved = 0;
	http->moved_ms = http_now_ms();
	http->text[0] = http->source.text[0] = '\0';
	if (http->body != NULL)
		http->body[0] = '\0';
	http->state = HTTP_OVER;
	http->code = CURLE_OUT_OF_MEMORY;
	if (http_set(http, request) == 0 &&
	    group_add(http->group, http->easy) == 0)
		http->state = HTTP_RUNNING;
}

void
http_drive(struct http *any)
{
	if (any->group->running > 0)
		drive(any->group);
}

struct http *
http_wait(struct http *any, int64_t ms)
{
	struct http_group *group = any->group;
	int64_t end = http_now_ms() + ms, left;
	struct http *http;

	for (;;) {
		drive(group);
		for (http = group->members; http != NULL; http = http->next)
			if (http->state == HTTP_OVER) {
				http->state = HTTP_TOLD;
				return http;
			}
		left = end - http_now_ms();
		if (left <= 0)
			return NULL;
		rest(group, left);
	}
}

int
http_end(struct http *http, struct http_answer *answer, struct secor_err *err)
{
	const char *url = http->request->url, *why = http->text;

	assert(http->state == HTTP_OVER || http->state == HTTP_TOLD);
	http->state = HTTP_IDLE;
	http_unset(http);
	answer->status = http_status(http);
	answer->body = http->body != NULL ? http->body : "";
	answer->length = http->length;
	answer->fault =
	    http->fault != HTTP_WHOLE ? http->fault : http_fault_of(http->code);
	if (answer->fault == HTTP_WHOLE || answer->fault == HTTP_ENDED)
		return SECOR_OK;
	if (http->source.text[0] != '\0')
		why = http->source.text;
	return http_complain(url, http->code, answer->fault, why, err);
}

void
http_drop(struct http *http)
{
	sigset_t before;
	int hidden;

	if (http->state == HTTP_RUNNING) {
		hidden = sigpipe_hide(&before);
		settle(http, CURLE_ABORTED_BY_CALLBACK);
		if (hidden)
			sigpipe_show(&before);
	}
	if (http->state != HTTP_IDLE)
		http_unset(http);
	http->state = HTTP_IDLE;
}

int
http_run(struct http *http, const struct http_request *request,
    struct http_answer *answer, struct secor_err *err)
{
	http_begin(http, request);
	for (;;) {
		drive(http->group);
		if (http->state != HTTP_RUNNING)
			return http_end(http, answer, err);
		rest(http->group, LOOK_MS);
	}
}
