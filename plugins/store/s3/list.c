/*
 * list.c -- the keys of a bucket, and the probe, which begins with a list.
 */
#include <stdlib.h>
#include <string.h>

#include "plugins/common/xml.h"
#include "s3.h"

#define LIST_LIMIT ((size_t)16 * 1024 * 1024)

struct item {
	char *key; /* as the server wrote it */
	uint64_t length;
};

struct page {
	struct item *items;
	size_t count, room;
	int is_escaped, is_truncated, failed; /* of the last answer */
	char token[S3_KEY * 2];
};

struct listing {
	struct s3 *s3;
	const char *prefix, *after;
	int (*each)(void *arg, const char *key, uint64_t length);
	void *arg;
	int is_sorted;	       /* by us: the server's order is not trusted */
	char last[S3_KEY + 1]; /* handed over */
	int stopped;
};

static void
drop_items(struct page *page)
{
	size_t i;

	for (i = 0; i < page->count; i++)
		free(page->items[i].key);
	page->count = 0;
}

static void
clear_page(struct page *page)
{
	drop_items(page);
	free(page->items);
	memset(page, 0, sizeof(*page));
}

static int
add_key(struct page *page, const char *key)
{
	size_t room = page->room == 0 ? 1024 : page->room * 2;
	struct item *items;

	if (page->count == page->room) {
		items = realloc(page->items, room * sizeof(*items));
		if (items == NULL)
			return -1;
		page->items = items;
		page->room = room;
	}
	page->items[page->count].length = 0;
	page->items[page->count].key = strdup(key);
	return page->items[page->count].key != NULL ? (int)page->count++ : -1;
}

static int
take_element(void *arg, const char *path, const char *text)
{
	struct page *page = arg;
	const char *name = path + strlen("ListBucketResult/");

	if (text == NULL || strncmp(path, "ListBucketResult/", 17) != 0)
		return 0;
	if (strcmp(name, "Contents/Key") == 0)
		page->failed |= add_key(page, text) < 0;
	else if (strcmp(name, "Contents/Size") == 0 && page->count > 0)
		page->items[page->count - 1].length = strtoull(text, NULL, 10);
	else if (strcmp(name, "EncodingType") == 0)
		page->is_escaped = strcmp(text, "url") == 0;
	else if (strcmp(name, "IsTruncated") == 0)
		page->is_truncated = strcmp(text, "true") == 0;
	else if (strcmp(name, "NextContinuationToken") == 0)
		(void)snprintf(page->token, sizeof(page->token), "%s", text);
	return page->failed;
}

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* In place. Some servers write a blank as '+', all write '+' as %2B. */
static void
unescape(char *key)
{
	char *to = key;

	for (; *key != '\0'; key++) {
		if (*key == '%' && hex(key[1]) >= 0 && hex(key[2]) >= 0) {
			*to++ = (char)(hex(key[1]) * 16 + hex(key[2]));
			key += 2;
		} else {
			*to++ = *key == '+' ? ' ' : *key;
		}
	}
	*to = '\0';
}

static int
put_query(char *query, const char *name, const char *prefix, const char *value)
{
	char raw[S3_KEY * 2 + 1];
	size_t len = strlen(query);

	(void)snprintf(raw, sizeof(raw), "%s%s", prefix, value);
	len += (size_t)snprintf(
	    query + len, S3_QUERY - len, "%s%s=", len > 0 ? "&" : "", name);
	if (len >= S3_QUERY)
		return -1;
	return sigv4_escape(raw, 0, query + len, S3_QUERY - len) <
		       S3_QUERY - len
		   ? 0
		   : -1;
}

/* In the order of names, as the signature wants it. */
static int
list_query(const struct listing *listing, const char *token, const char *most,
    char *query)
{
	const char *prefix = listing->s3->prefix;
	int failed = 0;

	query[0] = '\0';
	if (token[0] != '\0')
		failed |= put_query(query, "continuation-token", "", token);
	failed |= put_query(query, "encoding-type", "", "url");
	failed |= put_query(query, "list-type", "", "2");
	if (most != NULL)
		failed |= put_query(query, "max-keys", "", most);
	failed |= put_query(query, "prefix", prefix, listing->prefix);
	if (token[0] == '\0' && listing->after != NULL && !listing->is_sorted)
		failed |=
		    put_query(query, "start-after", prefix, listing->after);
	return failed;
}

/* Adds the next answer's keys to the page. */
static int
read_page(struct listing *listing, const char *most, struct page *page,
    struct secor_err *err)
{
	char query[S3_QUERY], token[sizeof(page->token)];
	struct s3_call call = {.kind = S3_LIST,
	    .query = query,
	    .root = "ListBucketResult",
	    .limit = LIST_LIMIT};
	struct http_answer answer;
	size_t i, before = page->count;
	int status;

	memcpy(token, page->token, sizeof(token));
	if (list_query(listing, token, most, query) != 0)
		return secor_fail(err, SECOR_REJECT,
		    "list %.300s: the prefix is too long", listing->prefix);
	status = s3_run(listing->s3, &call, &answer, err);
	page->is_escaped = page->is_truncated = 0;
	page->token[0] = '\0';
	if (status == SECOR_OK)
		status = xml_scan(
		    answer.body, answer.length, take_element, page, err);
	if (status == SECOR_OK && page->failed)
		status = secor_fail(err, SECOR_RETRY, "out of memory");
	if (status == SECOR_OK && page->is_truncated &&
	    (page->token[0] == '\0' || strcmp(page->token, token) == 0))
		status = secor_fail(err, SECOR_FATAL,
		    "list: the server goes on without a new token");
	for (i = before; i < page->count && page->is_escaped; i++)
		unescape(page->items[i].key);
	return status;
}

static int
hand_over(
    struct listing *listing, const struct item *item, struct secor_err *err)
{
	size_t own = strlen(listing->s3->prefix);
	const char *key;

	if (strncmp(item->key, listing->s3->prefix, own) != 0)
		return SECOR_OK;
	key = item->key + own;
	if (strncmp(key, listing->prefix, strlen(listing->prefix)) != 0 ||
	    (listing->after != NULL && strcmp(key, listing->after) <= 0))
		return SECOR_OK;
	if (strlen(key) > S3_KEY)
		return secor_fail(err, SECOR_FATAL,
		    "list: a key of %zu bytes: is %s an S3 server?",
		    strlen(key), listing->s3->origin);
	/* on two pages, when something was put meanwhile */
	if (listing->is_sorted && strcmp(key, listing->last) == 0)
		return SECOR_OK;
	if (listing->last[0] != '\0' && strcmp(key, listing->last) <= 0)
		return secor_fail(err, SECOR_FATAL,
		    "list: the server gives %.300s after %.300s, which is not "
		    "the order of bytes: set `listing: sorted`",
		    key, listing->last);
	(void)snprintf(listing->last, sizeof(listing->last), "%s", key);
	listing->stopped = listing->each(listing->arg, key, item->length);
	return SECOR_OK;
}

static int
by_key(const void *a, const void *b)
{
	const struct item *left = a, *right = b;

	return strcmp(left->key, right->key);
}

static int
hand_over_all(struct listing *listing, struct page *page, struct secor_err *err)
{
	int status = SECOR_OK;
	size_t i;

	if (listing->is_sorted && page->count > 0)
		qsort(page->items, page->count, sizeof(page->items[0]), by_key);
	for (i = 0; i < page->count && status == SECOR_OK; i++) {
		if (listing->stopped)
			break;
		status = hand_over(listing, &page->items[i], err);
	}
	drop_items(page);
	return status;
}

/* S3 lists in the order of bytes. Servers over a file system often list in that
 * of folders, and take start-after likewise: from them all keys are taken
 * first. */
static int
must_sort(const struct s3_conf *conf)
{
	return conf->listing == S3_LIST_SORTED ||
	       (conf->listing == S3_LIST_AUTO && conf->endpoint != NULL);
}

int
s3_list(void *self, const char *prefix, const char *after,
    int (*each)(void *arg, const char *key, uint64_t length), void *arg,
    struct secor_err *err)
{
	struct s3 *s3 = self;
	struct listing listing = {.s3 = s3,
	    .prefix = prefix != NULL ? prefix : "",
	    .after = after,
	    .each = each,
	    .arg = arg,
	    .is_sorted = must_sort(s3->conf)};
	struct page page = {.count = 0};
	int status;

	do {
		status = read_page(&listing, NULL, &page, err);
		if (status == SECOR_OK &&
		    !(listing.is_sorted && page.is_truncated))
			status = hand_over_all(&listing, &page, err);
	} while (status == SECOR_OK && page.is_truncated && !listing.stopped);
	clear_page(&page);
	return status;
}

/* ---- probe ---- */

/* Who may write but not list is fine: the engine lists only where a person has
 * not decided otherwise. Whether one may write is tried by an upload that is
 * never completed. */
int
s3_probe(void *self, struct secor_err *err)
{
	struct s3 *s3 = self;
	struct listing listing = {.s3 = s3, .prefix = ""};
	struct secor_put put = {.size = sizeof(put), .key = ".secor-probe"};
	struct page page = {.count = 0};
	char upload[1024];
	int status = read_page(&listing, "1", &page, err);

	clear_page(&page);
	if (status == SECOR_FATAL &&
	    strstr(err->text, "AccessDenied") != NULL) {
		s3->host->log(s3->host, SECOR_WARN,
		    "S3 bucket may not be listed", s3->conf->bucket);
		status = SECOR_OK;
	}
	if (status == SECOR_OK)
		status = s3_create(s3, &put, upload, sizeof(upload), err);
	if (status != SECOR_OK)
		return status;
	if (s3_abort(s3, put.key, upload, NULL) != SECOR_OK)
		s3->host->log(s3->host, SECOR_WARN,
		    "S3 uploads may not be aborted", s3->conf->bucket);
	return SECOR_OK;
}
