/*
 * registry.c -- see registry.h. Entries are the caller's thread's alone; the
 * asking thread gets an id and a question's own memory, and says when it is
 * done.
 */
#include "plugins/common/registry.h"
#include "plugins/common/registry_ask.h"
#include "plugins/common/url.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define AGAIN_MS 1000	  /* between two questions for one id */
#define RECHECK_MS 300000 /* an id that was unknown */
#define ENTRIES_MAX 4096

enum state { WANTED = 0, KNOWN, UNKNOWN, UNUSABLE };

struct entry {
	uint32_t id;
	int state;
	void *thing;	    /* KNOWN */
	int64_t next_ms;    /* not asked before that */
	int64_t unknown_ms; /* since then; 0: not at all */
	char *why;	    /* unless KNOWN */
};

struct registry {
	const struct registry_conf *conf;
	struct registry_use use;
	const struct secor_host *host;
	struct http *http;
	char *authorization;
	struct entry *entries;
	size_t count, last;
	int failing; /* it was said that it does not answer */

	/* the question that is out */
	int asking;
	pthread_t thread;
	uint32_t id;
	size_t url; /* the one that answered last */
	struct registry_answer answer;
	atomic_int done, stop;
};

static int64_t
now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_BOOTTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* ---- options ---- */

void
registry_check(
    const struct registry_conf *conf, const struct secor_check *check)
{
	for (size_t i = 0; i < conf->urls.count; i++) {
		const char *why = url_complaint(conf->urls.items[i]);

		if (why != NULL)
			check->complain(check, "registry", why);
	}
	if (conf->user != NULL && conf->token != NULL)
		check->complain(check, "registry_token",
		    "and registry_user exclude each other");
	if (conf->token != NULL && !header_value_is(conf->token))
		check->complain(
		    check, "registry_token", "is not one line of text");
}

/* ---- open and close ---- */

static char *
basic(const char *user, const char *password)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t len = strlen(user) + strlen(password) + 1, n;
	char *plain = calloc(1, len + 4);
	char *header = malloc(len * 4 / 3 + 16);

	if (plain == NULL || header == NULL) {
		free(plain);
		free(header);
		return NULL;
	}
	(void)snprintf(plain, len + 1, "%s:%s", user, password);
	n = (size_t)snprintf(header, 16, "Basic ");
	for (size_t i = 0; i < len; i += 3) {
		unsigned bits = (unsigned)(unsigned char)plain[i] << 16 |
				(unsigned)(unsigned char)plain[i + 1] << 8 |
				(unsigned char)plain[i + 2];

		header[n++] = digits[bits >> 18];
		header[n++] = digits[bits >> 12 & 63];
		header[n++] = i + 1 < len ? digits[bits >> 6 & 63] : '=';
		header[n++] = i + 2 < len ? digits[bits & 63] : '=';
	}
	header[n] = '\0';
	free(plain);
	return header;
}

static char *
authorization(const struct registry_conf *conf)
{
	size_t len;
	char *header;

	if (conf->user != NULL)
		return basic(
		    conf->user, conf->password != NULL ? conf->password : "");
	len = strlen(conf->token) + 8;
	header = malloc(len);
	if (header != NULL)
		(void)snprintf(header, len, "Bearer %s", conf->token);
	return header;
}

int
registry_open(const struct registry_conf *conf, const struct registry_use *use,
    const struct secor_host *host, struct registry **out, struct secor_err *err)
{
	struct http_conf http = {.connect_ms = conf->timeout_ms,
	    .stall_ms = conf->timeout_ms,
	    .total_ms = 2 * conf->timeout_ms,
	    .ca_file = conf->ca_file};
	struct registry *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return secor_fail(err, SECOR_FATAL, "out of memory");
	r->conf = conf;
	r->use = *use;
	r->host = host;
	r->entries = calloc(ENTRIES_MAX, sizeof(*r->entries));
	if (conf->user != NULL || conf->token != NULL)
		r->authorization = authorization(conf);
	if (r->entries == NULL ||
	    ((conf->user != NULL || conf->token != NULL) &&
		r->authorization == NULL) ||
	    http_open(&http, &r->http, err) != SECOR_OK) {
		registry_close(r);
		return secor_fail(err, SECOR_FATAL, "out of memory");
	}
	*out = r;
	return SECOR_OK;
}

static void
entry_fini(struct registry *r, struct entry *entry)
{
	if (entry->thing != NULL)
		r->use.drop(entry->thing);
	free(entry->why);
}

void
registry_close(struct registry *r)
{
	if (r == NULL)
		return;
	if (r->asking) {
		atomic_store(&r->stop, 1);
		(void)pthread_join(r->thread, NULL);
		registry_answer_fini(&r->answer);
	}
	for (size_t i = 0; i < r->count; i++)
		entry_fini(r, &r->entries[i]);
	http_close(r->http);
	free(r->authorization);
	free(r->entries);
	free(r);
}

/* ---- the asking thread ---- */

static int
go_on(void *arg)
{
	struct registry *r = arg;

	return !atomic_load(&r->stop);
}

/* Each server in turn until one answers. Thread: asking. */
static void *
ask(void *arg)
{
	struct registry *r = arg;
	size_t servers = r->conf->urls.count;

	for (size_t i = 0; i < servers; i++) {
		struct registry_asker asker = {.http = r->http,
		    .url = r->conf->urls.items[r->url],
		    .authorization = r->authorization,
		    .go_on = go_on,
		    .arg = r};

		if (i > 0)
			registry_answer_fini(&r->answer);
		registry_ask(&asker, r->id, &r->answer);
		if (r->answer.status != SECOR_RETRY || r->answer.unknown ||
		    !go_on(r))
			break;
		r->url = (r->url + 1) % servers;
	}
	atomic_store(&r->done, 1);
	return NULL;
}

static void
begin(struct registry *r, struct entry *entry)
{
	r->id = entry->id;
	atomic_store(&r->done, 0);
	if (pthread_create(&r->thread, NULL, ask, r) == 0)
		r->asking = 1;
	entry->next_ms = now_ms() + AGAIN_MS;
}

/* ---- entries ---- */

static struct entry *
find(struct registry *r, uint32_t id)
{
	if (r->count > 0 && r->entries[r->last].id == id)
		return &r->entries[r->last];
	for (size_t i = 0; i < r->count; i++) {
		if (r->entries[i].id == id) {
			r->last = i;
			return &r->entries[i];
		}
	}
	return NULL;
}

/* Of too many the first that is of no use is forgotten, else the first. */
static struct entry *
add(struct registry *r, uint32_t id)
{
	struct entry *entry = &r->entries[r->count];

	if (r->count < ENTRIES_MAX) {
		r->count++;
	} else {
		entry = r->entries;
		for (size_t i = 0; i < r->count; i++) {
			if (r->entries[i].state == UNKNOWN) {
				entry = &r->entries[i];
				break;
			}
		}
		entry_fini(r, entry);
	}
	memset(entry, 0, sizeof(*entry));
	entry->id = id;
	return entry;
}

static void
set_why(struct entry *entry, const char *why)
{
	free(entry->why);
	entry->why = strdup(why);
}

/* ---- answers ---- */

static void
say(struct registry *r, const char *why)
{
	char detail[1200];

	if (why != NULL && !r->failing) {
		(void)snprintf(
		    detail, sizeof(detail), "id=%u reason=\"%s\"", r->id, why);
		r->host->log(r->host, SECOR_WARN,
		    "schema registry does not answer", detail);
	} else if (why == NULL && r->failing) {
		r->host->log(
		    r->host, SECOR_INFO, "schema registry answers", NULL);
	}
	r->failing = why != NULL;
}

static void
unknown(struct registry *r, struct entry *entry, int64_t now)
{
	if (entry->unknown_ms == 0)
		entry->unknown_ms = now;
	if (now - entry->unknown_ms < r->conf->unknown_wait_ms)
		return;
	entry->state = UNKNOWN;
	entry->next_ms = now + RECHECK_MS;
}

static void
take(struct registry *r, struct entry *entry)
{
	struct registry_answer *answer = &r->answer;
	struct secor_err err = answer->err;
	int status = answer->status;

	if (status == SECOR_OK)
		status = r->use.make((const char *const *)answer->texts,
		    answer->count, &entry->thing, &err);
	say(r, status == SECOR_RETRY && !answer->unknown ? err.text : NULL);
	if (status == SECOR_OK)
		entry->state = KNOWN;
	else
		set_why(entry, err.text);
	if (status == SECOR_REJECT)
		entry->state = UNUSABLE;
	if (status == SECOR_RETRY && answer->unknown)
		unknown(r, entry, now_ms());
}

/* What has come of the question that is out. */
static void
collect(struct registry *r)
{
	struct entry *entry;

	if (!r->asking || !atomic_load(&r->done))
		return;
	(void)pthread_join(r->thread, NULL);
	r->asking = 0;
	entry = find(r, r->id);
	if (entry != NULL && entry->state != KNOWN)
		take(r, entry);
	registry_answer_fini(&r->answer);
}

static int
answer_of(const struct entry *entry, struct secor_err *err)
{
	switch (entry->state) {
	case UNKNOWN:
		return secor_fail(err, SECOR_REJECT,
		    "unknown schema: the registry has no id %u", entry->id);
	case UNUSABLE:
		return secor_fail(err, SECOR_REJECT,
		    "unusable schema: id %u: %s", entry->id,
		    entry->why != NULL ? entry->why : "");
	default:
		return secor_fail(err, SECOR_RETRY, "schema %u: %s", entry->id,
		    entry->why != NULL ? entry->why
				       : "the registry is asked for it");
	}
}

int
registry_get(
    struct registry *r, uint32_t id, void **thing, struct secor_err *err)
{
	struct entry *entry = find(r, id);

	if (entry != NULL && entry->state == KNOWN) {
		*thing = entry->thing;
		return SECOR_OK;
	}
	collect(r);
	entry = find(r, id);
	if (entry == NULL)
		entry = add(r, id);
	if (entry->state == KNOWN) {
		*thing = entry->thing;
		return SECOR_OK;
	}
	if (entry->state != UNUSABLE && !r->asking &&
	    entry->next_ms <= now_ms())
		begin(r, entry);
	return answer_of(entry, err);
}
