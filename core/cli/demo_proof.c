/*
 * demo_proof.c -- reads back what the demo stored and counts message ids. It
 * believes neither manifests nor offsets.
 */
#include "core/base/buf.h"
#include "core/cli/args.h"
#include "core/cli/demo.h"
#include "core/cli/records.h"
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

/* ---- one object ---- */

/* Every message of the demo, good or bad, has "id":N in it. */
static int
count_id(void *arg, const struct secor_read_record *record, const void *reader,
    struct secor_err *err)
{
	static const char mark[] = "\"id\":";
	struct proving *proving = arg;
	const struct secor_bytes *value = &record->value;
	const char *at = memmem(value->ptr, value->len, mark, sizeof(mark) - 1);
	int64_t id = -1;

	(void)reader;
	(void)err;
	if (at != NULL)
		id = strtoll(at + sizeof(mark) - 1, NULL, 10);
	if (id < 0 || id >= proving->count)
		proving->proof->strange++;
	else if (proving->seen[id] < 255)
		proving->seen[id]++;
	return SECOR_OK;
}

static int
read_object(
    struct proving *proving, const struct config_use *format, const char *key)
{
	struct records_file file;
	int rc = records_fetch(
	    proving->ops, proving->store, key, &file, proving->err);

	if (rc != SECOR_OK)
		return rc;
	rc = records_read(
	    format, file.file, key, count_id, proving, proving->err);
	(void)fclose(file.file);
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
