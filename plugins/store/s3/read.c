/*
 * read.c -- probe, list, get, head, remove.
 */
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/common/retry.h"
#include "plugins/common/xml.h"
#include "s3.h"

#define LIST_LIMIT ((size_t)16 * 1024 * 1024)

/* ---- list ---- */

struct item {
	char *key; /* as the server wrote it */
	uint64_t length;
};

struct page {
	struct item *items;
	size_t count, room;
	int is_escaped, is_truncated, failed;
	char token[S3_KEY * 2];
};

struct listing {
	struct s3 *s3;
	const char *prefix, *after;
	int (*each)(void *arg, const char *key, uint64_t length);
	void *arg;
	char token[S3_KEY * 2];
	char last[S3_KEY + 1]; /* handed over */
	int stopped;
};

static void
clear_page(struct page *page)
{
	size_t i;

	for (i = 0; i < page->count; i++)
		free(page->items[i].key);
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
list_query(const struct listing *listing, const char *most, char *query)
{
	const char *prefix = listing->s3->prefix;
	int failed = 0;

	query[0] = '\0';
	if (listing->token[0] != '\0')
		failed |=
		    put_query(query, "continuation-token", "", listing->token);
	failed |= put_query(query, "encoding-type", "", "url");
	failed |= put_query(query, "list-type", "", "2");
	if (most != NULL)
		failed |= put_query(query, "max-keys", "", most);
	failed |= put_query(query, "prefix", prefix, listing->prefix);
	if (listing->token[0] == '\0' && listing->after != NULL)
		failed |=
		    put_query(query, "start-after", prefix, listing->after);
	return failed;
}

static int
read_page(struct listing *listing, const char *most, struct page *page,
    struct secor_err *err)
{
	char query[S3_QUERY];
	struct s3_call call = {.kind = S3_LIST,
	    .query = query,
	    .root = "ListBucketResult",
	    .limit = LIST_LIMIT};
	struct http_answer answer;
	int status;

	memset(page, 0, sizeof(*page));
	if (list_query(listing, most, query) != 0)
		return secor_fail(err, SECOR_REJECT,
		    "list %.300s: the prefix is too long", listing->prefix);
	status = s3_run(listing->s3, &call, &answer, err);
	if (status == SECOR_OK)
		status = xml_scan(
		    answer.body, answer.length, take_element, page, err);
	if (status == SECOR_OK && page->failed)
		status = secor_fail(err, SECOR_RETRY, "out of memory");
	if (status == SECOR_OK && page->is_truncated &&
	    (page->token[0] == '\0' ||
		strcmp(page->token, listing->token) == 0))
		status = secor_fail(err, SECOR_FATAL,
		    "list: the server goes on without a new token");
	return status;
}

static int
hand_over(struct listing *listing, struct item *item, int is_escaped,
    struct secor_err *err)
{
	size_t own = strlen(listing->s3->prefix);
	const char *key;

	if (is_escaped)
		unescape(item->key);
	if (strncmp(item->key, listing->s3->prefix, own) != 0)
		return SECOR_OK;
	key = item->key + own;
	if (strncmp(key, listing->prefix, strlen(listing->prefix)) != 0 ||
	    (listing->after != NULL && strcmp(key, listing->after) <= 0))
		return SECOR_OK;
	if (listing->last[0] != '\0' && strcmp(key, listing->last) <= 0)
		return secor_fail(err, SECOR_FATAL,
		    "list: the server gives %.300s after %.300s: not in byte "
		    "order",
		    key, listing->last);
	(void)snprintf(listing->last, sizeof(listing->last), "%s", key);
	listing->stopped = listing->each(listing->arg, key, item->length);
	return SECOR_OK;
}

int
s3_list(void *self, const char *prefix, const char *after,
    int (*each)(void *arg, const char *key, uint64_t length), void *arg,
    struct secor_err *err)
{
	struct listing listing = {.s3 = self,
	    .prefix = prefix != NULL ? prefix : "",
	    .after = after,
	    .each = each,
	    .arg = arg};
	struct page page;
	int status, goes_on;
	size_t i;

	do {
		status = read_page(&listing, NULL, &page, err);
		for (i = 0;
		     i < page.count && status == SECOR_OK && !listing.stopped;
		     i++)
			status = hand_over(
			    &listing, &page.items[i], page.is_escaped, err);
		memcpy(listing.token, page.token, sizeof(listing.token));
		goes_on = page.is_truncated && !listing.stopped;
		clear_page(&page);
	} while (status == SECOR_OK && goes_on);
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
	struct page page;
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

/* ---- get ---- */

struct getting {
	struct s3 *s3;
	int (*piece)(void *arg, const void *bytes, size_t len);
	void *arg;
	uint64_t delivered;
	char etag[128]; /* of the first answer */
	int is_other;
};

/* A later answer must go on with the same object. */
static int
take_object(void *arg, const void *bytes, size_t len)
{
	struct getting *getting = arg;
	const char *etag = http_header(getting->s3->http, "etag");

	if (etag == NULL)
		etag = "";
	if (getting->delivered == 0)
		(void)snprintf(
		    getting->etag, sizeof(getting->etag), "%s", etag);
	if (strcmp(etag, getting->etag) != 0) {
		getting->is_other = 1;
		return 1;
	}
	getting->delivered += len;
	return getting->piece(getting->arg, bytes, len);
}

static int
get_rest(struct getting *getting, const char *key, struct http_answer *answer,
    struct secor_err *err)
{
	char range[64];
	struct s3_call call = {.kind = S3_GET,
	    .key = key,
	    .piece = take_object,
	    .arg = getting,
	    .missing_ok = 1};
	int status;

	if (getting->delivered > 0) {
		(void)snprintf(range, sizeof(range), "bytes=%llu-",
		    (unsigned long long)getting->delivered);
		s3_header(&call, "range", range);
	}
	status = s3_run(getting->s3, &call, answer, err);
	if (status == SECOR_OK && getting->is_other)
		status = secor_fail(err, SECOR_RETRY,
		    "get %.300s: the object changed while it was read", key);
	if (status == SECOR_OK && answer->status == 404)
		status = secor_fail(err, SECOR_REJECT,
		    "get %.300s: there is no such object in bucket %s", key,
		    getting->s3->conf->bucket);
	return status;
}

int
s3_get(void *self, const char *key,
    int (*piece)(void *arg, const void *bytes, size_t len), void *arg,
    struct secor_err *err)
{
	struct s3 *s3 = self;
	struct getting getting = {.s3 = s3, .piece = piece, .arg = arg};
	struct retry retry = {.most = (int)s3->conf->max_attempts,
	    .base_ms = s3->conf->retry_delay,
	    .cap_ms = s3->conf->retry_delay * 10,
	    .seed = s3->seed++};
	struct http_answer answer;
	uint64_t before;
	int64_t wait;
	int status = s3_check_key(s3, key, err);

	if (status != SECOR_OK)
		return status;
	for (;;) {
		before = getting.delivered;
		status = get_rest(&getting, key, &answer, err);
		/* what has not begun has been repeated already */
		if (status != SECOR_RETRY || getting.delivered == before ||
		    getting.is_other)
			return status;
		wait = retry_next(&retry, 0);
		if (wait < 0 || !retry_wait(wait, NULL, NULL, NULL))
			return status;
	}
}

/* ---- head, remove ---- */

/* "AAAAAA==": four bytes. A checksum of checksums ends in "-<parts>". */
static int
read_crc(const char *text, uint32_t *crc32c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijkl"
				     "mnopqrstuvwxyz0123456789+/";
	uint64_t bits = 0;
	const char *digit;
	int i;

	if (strlen(text) != 8 || strcmp(text + 6, "==") != 0)
		return 0;
	for (i = 0; i < 6; i++) {
		digit = strchr(digits, text[i]);
		if (digit == NULL)
			return 0;
		bits = bits << 6 | (uint64_t)(digit - digits);
	}
	*crc32c = (uint32_t)(bits >> 4);
	return 1;
}

static void
read_stat(struct s3 *s3, struct secor_stat *found)
{
	const char *length = http_header(s3->http, "content-length");
	const char *modified = http_header(s3->http, "last-modified");
	const char *crc = http_header(s3->http, "x-amz-checksum-crc32c");
	time_t time = modified != NULL ? curl_getdate(modified, NULL) : -1;

	found->exists = 1;
	found->length = length != NULL ? strtoull(length, NULL, 10) : 0;
	found->modified_ms = time != -1 ? (int64_t)time * 1000 : 0;
	found->has_crc32c = crc != NULL && read_crc(crc, &found->crc32c);
}

int
s3_head(
    void *self, const char *key, struct secor_stat *stat, struct secor_err *err)
{
	struct s3 *s3 = self;
	struct s3_call call = {.kind = S3_HEAD, .key = key, .missing_ok = 1};
	struct secor_stat found = {.size = stat->size};
	struct http_answer answer;
	int status = s3_check_key(s3, key, err);

	if (status != SECOR_OK)
		return status;
	s3_header(&call, "x-amz-checksum-mode", "ENABLED");
	status = s3_run(s3, &call, &answer, err);
	if (status != SECOR_OK)
		return status;
	if (answer.status != 404)
		read_stat(s3, &found);
	memcpy(stat, &found,
	    found.size < sizeof(found) ? found.size : sizeof(found));
	return SECOR_OK;
}

int
s3_remove(void *self, const char *key, struct secor_err *err)
{
	struct s3 *s3 = self;
	struct s3_call call = {.kind = S3_DELETE, .key = key, .missing_ok = 1};
	struct http_answer answer;
	int status = s3_check_key(s3, key, err);

	return status == SECOR_OK ? s3_run(s3, &call, &answer, err) : status;
}
