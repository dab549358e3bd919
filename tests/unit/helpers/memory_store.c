/*
 * memory_store.c -- see memory_store.h. A sorted array under a lock.
 */
#include "tests/unit/helpers/memory_store.h"

#include "core/base/buf.h"
#include "core/base/hash.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct entry {
	char *key;
	char *bytes;
	size_t len;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct entry *entries;
static size_t entry_count;
static int failures;
static int knows_crc;
static int remove_rc;

/* Where the key is or belongs. Holds: lock. */
static size_t
position(const char *key, int *found)
{
	size_t i = 0, end = entry_count;

	while (i < end) {
		size_t middle = i + (end - i) / 2;

		if (strcmp(entries[middle].key, key) < 0)
			i = middle + 1;
		else
			end = middle;
	}
	*found = i < entry_count && strcmp(entries[i].key, key) == 0;
	return i;
}

/* Holds: lock. */
static void
drop(size_t i)
{
	free(entries[i].key);
	free(entries[i].bytes);
	memmove(&entries[i], &entries[i + 1],
	    (entry_count - i - 1) * sizeof(*entries));
	entry_count--;
}

void
memory_store_clear(void)
{
	(void)pthread_mutex_lock(&lock);
	while (entry_count > 0)
		drop(entry_count - 1);
	free(entries);
	entries = NULL;
	failures = 0;
	knows_crc = 0;
	remove_rc = SECOR_OK;
	(void)pthread_mutex_unlock(&lock);
}

void
memory_store_put(const char *key, const void *bytes, size_t len)
{
	int found;
	size_t i;

	(void)pthread_mutex_lock(&lock);
	i = position(key, &found);
	if (found)
		drop(i);
	entries = mem_grow(entries, (entry_count + 1) * sizeof(*entries));
	memmove(
	    &entries[i + 1], &entries[i], (entry_count - i) * sizeof(*entries));
	entries[i] =
	    (struct entry){mem_dup(key, strlen(key)), mem_dup(bytes, len), len};
	entry_count++;
	(void)pthread_mutex_unlock(&lock);
}

char *
memory_store_get(const char *key, size_t *len)
{
	int found;
	size_t i;
	char *bytes = NULL;

	(void)pthread_mutex_lock(&lock);
	i = position(key, &found);
	if (found) {
		bytes = entries[i].bytes;
		*len = entries[i].len;
	}
	(void)pthread_mutex_unlock(&lock);
	return bytes;
}

void
memory_store_remove(const char *key)
{
	int found;
	size_t i;

	(void)pthread_mutex_lock(&lock);
	i = position(key, &found);
	if (found)
		drop(i);
	(void)pthread_mutex_unlock(&lock);
}

void
memory_store_remove_all(const char *prefix)
{
	int found;
	size_t i;

	(void)pthread_mutex_lock(&lock);
	i = position(prefix, &found);
	while (i < entry_count &&
	       strncmp(entries[i].key, prefix, strlen(prefix)) == 0)
		drop(i);
	(void)pthread_mutex_unlock(&lock);
}

void
memory_store_fail(int n)
{
	(void)pthread_mutex_lock(&lock);
	failures = n;
	(void)pthread_mutex_unlock(&lock);
}

void
memory_store_refuse_removes(int rc)
{
	remove_rc = rc;
}

void
memory_store_knows_crc(int knows)
{
	knows_crc = knows;
}

static int
failing(struct secor_err *err)
{
	int fails;

	(void)pthread_mutex_lock(&lock);
	fails = failures > 0;
	failures -= fails;
	(void)pthread_mutex_unlock(&lock);
	return fails ? secor_fail(err, SECOR_RETRY, "memory: told to fail")
		     : SECOR_OK;
}

static int
memory_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	(void)with;
	(void)err;
	*self = mem_alloc(1);
	return SECOR_OK;
}

static int
memory_put(void *self, const struct secor_put *put, struct secor_err *err)
{
	char *bytes = mem_alloc(put->length);
	int rc = put->read_at(put, 0, bytes, put->length, err);

	(void)self;
	if (rc == SECOR_OK)
		memory_store_put(put->key, bytes, put->length);
	free(bytes);
	return rc;
}

static int
memory_list(void *self, const char *prefix, const char *after,
    int (*each)(void *arg, const char *key, uint64_t length), void *arg,
    struct secor_err *err)
{
	int rc = failing(err);
	int stop = 0, found;
	size_t i;

	(void)self;
	if (rc != SECOR_OK)
		return rc;
	(void)pthread_mutex_lock(&lock);
	i = position(
	    after != NULL && strcmp(after, prefix) > 0 ? after : prefix,
	    &found);
	if (found && after != NULL && strcmp(entries[i].key, after) == 0)
		i++;
	for (; i < entry_count && !stop &&
	       strncmp(entries[i].key, prefix, strlen(prefix)) == 0;
	     i++)
		stop = each(arg, entries[i].key, entries[i].len);
	(void)pthread_mutex_unlock(&lock);
	return SECOR_OK;
}

static int
memory_get(void *self, const char *key,
    int (*piece)(void *arg, const void *bytes, size_t len), void *arg,
    struct secor_err *err)
{
	int rc = failing(err);
	size_t len;
	char *bytes;

	(void)self;
	if (rc != SECOR_OK)
		return rc;
	bytes = memory_store_get(key, &len);
	if (bytes == NULL)
		return secor_fail(err, SECOR_REJECT, "memory: no %s", key);
	/* in two pieces, so that nobody counts on one */
	if (piece(arg, bytes, len / 2) == 0)
		(void)piece(arg, bytes + len / 2, len - len / 2);
	return SECOR_OK;
}

static int
memory_head(
    void *self, const char *key, struct secor_stat *stat, struct secor_err *err)
{
	int rc = failing(err);
	size_t len;
	char *bytes = memory_store_get(key, &len);

	(void)self;
	if (rc != SECOR_OK)
		return rc;
	stat->exists = bytes != NULL;
	if (bytes == NULL)
		return SECOR_OK;
	stat->length = len;
	stat->has_crc32c = knows_crc;
	stat->crc32c = knows_crc ? crc32c_add(0, bytes, len) : 0;
	return SECOR_OK;
}

static int
memory_remove(void *self, const char *key, struct secor_err *err)
{
	(void)self;
	if (remove_rc != SECOR_OK)
		return secor_fail(err, remove_rc, "memory: keeps %s", key);
	memory_store_remove(key);
	return SECOR_OK;
}

static void
memory_url(void *self, const char *key, char *dst, size_t room)
{
	(void)self;
	(void)snprintf(dst, room, "memory://%s", key);
}

static const struct secor_store_ops memory_ops = {
    .size = sizeof(struct secor_store_ops),
    .open = memory_open,
    .close = free,
    .put = memory_put,
    .list = memory_list,
    .get = memory_get,
    .head = memory_head,
    .remove = memory_remove,
    .url = memory_url,
};

static char built_in[] = "(test)";

static const struct plugin memory_plugin = {
    .desc = {SECOR_PLUGIN_HEAD, .kind = SECOR_STORE, .name = "memory",
	.version = "1", .summary = "objects in memory",
	.option_size = sizeof(struct secor_option), .ops = &memory_ops},
    .file = built_in,
    .ops = {.store = &memory_ops},
};

const struct config_use memory_store = {.plugin = &memory_plugin};
