/*
 * demo_proof.c -- reads back what the demo stored and counts message ids. It
 * believes neither manifests nor offsets.
 */
#include "core/base/buf.h"
#include "core/cli/args.h"
#include "core/cli/demo.h"
#include "core/flow/deadletter.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct proving {
	const struct config *config;
	const struct secor_store_ops *ops;
	void *store;
	int64_t count;
	unsigned char *seen; /* by id, up to 255 times */
	struct demo_proof *proof;
	char **keys;
	size_t key_count, key_room;
	struct secor_err *err;
};

static int
keep_key(void *arg, const char *key, uint64_t length)
{
	struct proving *proving = arg;

	(void)length;
	if (proving->key_count == proving->key_room) {
		proving->key_room =
		    proving->key_room == 0 ? 64 : proving->key_room * 2;
		proving->keys =
		    mem_grow(proving->keys, proving->key_room * sizeof(char *));
	}
	proving->keys[proving->key_count++] = mem_dup(key, strlen(key));
	return 0;
}

static int
keep_bytes(void *arg, const void *bytes, size_t len)
{
	buf_put(arg, bytes, len);
	return 0;
}

/* ---- one object ---- */

struct from_memory {
	struct secor_source source;
	const struct buf *bytes;
	size_t at;
};

static int
get(struct secor_source *source, void *bytes, size_t room, size_t *got,
    struct secor_err *err)
{
	struct from_memory *from = (struct from_memory *)source;
	size_t left = from->bytes->len - from->at;

	(void)err;
	*got = left < room ? left : room;
	memcpy(bytes, from->bytes->ptr + from->at, *got);
	from->at += *got;
	return SECOR_OK;
}

/* Every message of the demo, good or bad, has "id":N in it. */
static void
count_id(struct proving *proving, const struct secor_bytes *value)
{
	static const char mark[] = "\"id\":";
	const char *at = memmem(value->ptr, value->len, mark, sizeof(mark) - 1);
	int64_t id = -1;

	if (at != NULL)
		id = strtoll(at + sizeof(mark) - 1, NULL, 10);
	if (id < 0 || id >= proving->count)
		proving->proof->strange++;
	else if (proving->seen[id] < 255)
		proving->seen[id]++;
}

static int
read_records(struct proving *proving, const struct secor_format_ops *format,
    void *self, struct secor_source *source)
{
	struct secor_read_record record = {.size = sizeof(record)};
	void *reader;
	int more = 1;
	int rc = format->read_begin(self, source, &reader, proving->err);

	if (rc != SECOR_OK)
		return rc;
	while ((rc = format->read(reader, &record, &more, proving->err)) ==
		   SECOR_OK &&
	       more)
		count_id(proving, &record.value);
	format->read_end(reader);
	return rc;
}

static int
read_object(
    struct proving *proving, const struct config_use *use, const char *key)
{
	const struct secor_format_ops *format = use->plugin->ops.format;
	struct secor_open with = {
	    .size = sizeof(with), .conf = use->conf, .host = use->plugin->host};
	struct buf bytes = {0};
	struct from_memory from = {
	    {sizeof(struct secor_source), get}, &bytes, 0};
	void *self = NULL;
	int rc = proving->ops->get(
	    proving->store, key, keep_bytes, &bytes, proving->err);

	if (rc == SECOR_OK)
		rc = format->open(&with, &self, proving->err);
	if (rc == SECOR_OK) {
		rc = read_records(proving, format, self, &from.source);
		format->close(self);
	}
	buf_fini(&bytes);
	return rc;
}

/* ---- the tree ---- */

/* Prints `key` below the key before it: folders that both have once. */
static void
show(const char *before, const char *key)
{
	size_t same = 0;
	int depth = 0;

	for (size_t i = 0; key[i] != '\0' && key[i] == before[i]; i++)
		if (key[i] == '/')
			same = i + 1;
	for (size_t i = 0; i < same; i++)
		depth += key[i] == '/';
	for (const char *at = key + same; *at != '\0'; depth++) {
		size_t n = strcspn(at, "/");

		printf("  %*s%.*s%s\n", depth * 2, "", (int)n, at,
		    at[n] == '/' ? "/" : "");
		at += n + (at[n] == '/');
	}
}

static int
read_all(struct proving *proving)
{
	const char *dead = proving->config->layout.dead_letter_prefix;
	int rc = SECOR_OK;

	for (size_t i = 0; rc == SECOR_OK && i < proving->key_count; i++) {
		const char *key = proving->keys[i];

		show(i == 0 ? "" : proving->keys[i - 1], key);
		if (strncmp(key, DEMO_TOPIC "/", sizeof(DEMO_TOPIC)) == 0) {
			proving->proof->objects++;
			rc = read_object(proving,
			    &config_topic(proving->config, DEMO_TOPIC)->format,
			    key);
		} else if (strncmp(key, dead, strlen(dead)) == 0) {
			proving->proof->dead_letters++;
			rc = read_object(proving, &deadletter_format, key);
		}
	}
	return rc;
}

static void
sum(struct proving *proving)
{
	for (int64_t i = 0; i < proving->count; i++) {
		proving->proof->lost += proving->seen[i] == 0;
		proving->proof->once += proving->seen[i] == 1;
		proving->proof->doubled += proving->seen[i] > 1;
	}
}

int
demo_prove(const struct config *config, int64_t count, struct demo_proof *proof,
    struct secor_err *err)
{
	struct proving proving = {.config = config,
	    .ops = config->store.plugin->ops.store,
	    .count = count,
	    .proof = proof,
	    .err = err};
	int rc = cli_store(config, &proving.store, err);

	if (rc != SECOR_OK)
		return rc;
	memset(proof, 0, sizeof(*proof));
	proving.seen = mem_alloc((size_t)count);
	rc =
	    proving.ops->list(proving.store, "", NULL, keep_key, &proving, err);
	if (rc == SECOR_OK)
		rc = read_all(&proving);
	if (rc == SECOR_OK)
		sum(&proving);
	for (size_t i = 0; i < proving.key_count; i++)
		free(proving.keys[i]);
	free(proving.keys);
	free(proving.seen);
	proving.ops->close(proving.store);
	return rc;
}
