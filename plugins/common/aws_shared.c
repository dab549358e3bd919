/*
 * aws_shared.c -- who has the same settings, and when the last of them is gone.
 */
#include "plugins/common/aws_shared.h"

#include <stdlib.h>
#include <string.h>

static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;
static struct aws_shared *list; /* under list_lock, with all `refs` */

/* ---- settings ---- */

#define SETTING(name) offsetof(struct aws_cred_conf, name)

/* All that decides which key it is and whom it comes from. */
static const size_t texts[] = {SETTING(access_key), SETTING(secret_key),
    SETTING(session_token), SETTING(profile), SETTING(sts_endpoint),
    SETTING(region), SETTING(ca_file), SETTING(proxy), SETTING(no_proxy),
    SETTING(role_session_name), SETTING(credential_process)};
static const size_t lists[] = {SETTING(roles), SETTING(external_ids)};

#define TEXTS (sizeof(texts) / sizeof(texts[0]))
#define LISTS (sizeof(lists) / sizeof(lists[0]))

static const char *
text_at(const struct aws_cred_conf *conf, size_t i)
{
	return *(const char *const *)((const char *)conf + texts[i]);
}

static void
set_text(struct aws_cred_conf *conf, size_t i, const char *text)
{
	*(const char **)((char *)conf + texts[i]) = text;
}

static struct secor_strings *
list_at(const struct aws_cred_conf *conf, size_t i)
{
	return (struct secor_strings *)((uintptr_t)conf + lists[i]);
}

static int
same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static int
same_list(const struct secor_strings *a, const struct secor_strings *b)
{
	size_t i;

	if (a->count != b->count)
		return 0;
	for (i = 0; i < a->count; i++)
		if (strcmp(a->items[i], b->items[i]) != 0)
			return 0;
	return 1;
}

static int
same(const struct aws_cred_conf *a, const struct aws_cred_conf *b)
{
	size_t i;

	for (i = 0; i < TEXTS; i++)
		if (!same_text(text_at(a, i), text_at(b, i)))
			return 0;
	for (i = 0; i < LISTS; i++)
		if (!same_list(list_at(a, i), list_at(b, i)))
			return 0;
	return a->role_duration_ms == b->role_duration_ms &&
	       a->process_ms == b->process_ms;
}

static void
clear_list(struct secor_strings *strings)
{
	size_t i;

	for (i = 0; i < strings->count; i++)
		aws_wipe(strings->items[i]);
	free((void *)(uintptr_t)strings->items);
}

/* Returns -1 when there is no memory; what was copied can be cleared. */
static int
copy_list(const struct secor_strings *from, struct secor_strings *to)
{
	const char **items;

	*to = (struct secor_strings){NULL, 0};
	if (from->count == 0)
		return 0;
	items = calloc(from->count, sizeof(*items));
	to->items = items;
	if (items == NULL)
		return -1;
	for (; to->count < from->count; to->count++) {
		items[to->count] = strdup(from->items[to->count]);
		if (items[to->count] == NULL)
			return -1;
	}
	return 0;
}

static int
copy(const struct aws_cred_conf *from, struct aws_cred_conf *to)
{
	const char *text;
	int failed = 0;
	size_t i;

	*to = (struct aws_cred_conf){.role_duration_ms = from->role_duration_ms,
	    .process_ms = from->process_ms};
	for (i = 0; i < TEXTS; i++) {
		text = text_at(from, i);
		set_text(to, i, text != NULL ? strdup(text) : NULL);
		failed |= text != NULL && text_at(to, i) == NULL;
	}
	for (i = 0; i < LISTS; i++)
		failed |= copy_list(list_at(from, i), list_at(to, i)) != 0;
	return failed ? -1 : 0;
}

/* ---- its life ---- */

static void
end(struct aws_shared *shared)
{
	size_t i;

	http_close(shared->http);
	http_close(shared->direct);
	aws_found_clear(&shared->found);
	for (i = 0; i < TEXTS; i++)
		aws_wipe(text_at(&shared->conf, i));
	for (i = 0; i < LISTS; i++)
		clear_list(list_at(&shared->conf, i));
	(void)pthread_cond_destroy(&shared->asked);
	(void)pthread_mutex_destroy(&shared->lock);
	free(shared);
}

static int
begin(const struct aws_cred_conf *conf, struct aws_shared **out,
    struct secor_err *err)
{
	struct http_conf usual = {.ca_file = conf->ca_file,
	    .proxy = conf->proxy,
	    .no_proxy = conf->no_proxy,
	    .connect_ms = 5000,
	    .total_ms = 20000};
	struct http_conf near = {
	    .proxy = "", .connect_ms = 1000, .total_ms = 3000};
	struct aws_shared *shared = calloc(1, sizeof(*shared));
	int status;

	if (shared == NULL)
		return secor_fail(err, SECOR_RETRY, "out of memory");
	(void)pthread_mutex_init(&shared->lock, NULL);
	(void)pthread_cond_init(&shared->asked, NULL);
	status = copy(conf, &shared->conf) == 0
		     ? http_open(&usual, &shared->http, err)
		     : secor_fail(err, SECOR_RETRY, "out of memory");
	if (status == SECOR_OK)
		status = http_open(&near, &shared->direct, err);
	if (status != SECOR_OK)
		end(shared);
	else
		*out = shared;
	return status;
}

int
aws_shared_take(const struct aws_cred_conf *conf, struct aws_shared **out,
    struct secor_err *err)
{
	struct aws_shared *at;
	int status = SECOR_OK;

	(void)pthread_mutex_lock(&list_lock);
	for (at = list; at != NULL && !same(&at->conf, conf);)
		at = at->next;
	if (at == NULL) {
		status = begin(conf, &at, err);
		if (status == SECOR_OK) {
			at->next = list;
			list = at;
		}
	}
	if (status == SECOR_OK) {
		at->refs++;
		*out = at;
	}
	(void)pthread_mutex_unlock(&list_lock);
	return status;
}

void
aws_shared_leave(struct aws_shared *shared)
{
	struct aws_shared **at = &list;
	int last;

	if (shared == NULL)
		return;
	(void)pthread_mutex_lock(&list_lock);
	last = --shared->refs == 0;
	if (last) {
		while (*at != shared)
			at = &(*at)->next;
		*at = shared->next;
	}
	(void)pthread_mutex_unlock(&list_lock);
	if (last)
		end(shared);
}
