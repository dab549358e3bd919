/*
 * records.c -- see records.h.
 */
#include "core/cli/records.h"

#include "core/base/buf.h"
#include "core/config/layout.h"

#include "core/base/buf.h"
#include "core/base/hash.h"
#include "core/flow/deadletter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- from the store into a file ---- */

static int
keep_piece(void *arg, const void *bytes, size_t len)
{
	struct records_file *into = arg;

	into->length += len;
	into->crc32c = crc32c_add(into->crc32c, bytes, len);
	return fwrite(bytes, 1, len, into->file) != len;
}

int
records_fetch(const struct secor_store_ops *ops, void *store, const char *key,
    struct records_file *file, struct secor_err *err)
{
	struct records_file made = {tmpfile(), 0, 0};
	int rc;

	if (made.file == NULL)
		return secor_fail(err, SECOR_RETRY, "make a temporary file: %s",
		    strerror(errno));
	rc = ops->get(store, key, keep_piece, &made, err);
	if (rc == SECOR_OK && (fflush(made.file) != 0 || ferror(made.file)))
		rc = secor_fail(err, SECOR_RETRY, "write a temporary file: %s",
		    strerror(errno));
	if (rc != SECOR_OK) {
		(void)fclose(made.file);
		return rc;
	}
	rewind(made.file);
	*file = made;
	return SECOR_OK;
}

/* ---- from the file to records ---- */

struct file_source {
	struct secor_source source;
	FILE *file;
	const char *name;
};

static int
file_get(struct secor_source *source, void *bytes, size_t room, size_t *got,
    struct secor_err *err)
{
	struct file_source *from = (struct file_source *)source;

	*got = fread(bytes, 1, room, from->file);
	if (*got == 0 && ferror(from->file))
		return secor_fail(err, SECOR_RETRY, "read %s: %s", from->name,
		    strerror(errno));
	return SECOR_OK;
}

/* Who takes the records. */
struct taker {
	records_each_fn each;
	void *arg;
};

static int
read_all(const struct secor_format_ops *ops, void *reader,
    const struct taker *taker, struct secor_err *err)
{
	for (;;) {
		struct secor_read_record record = {.size = sizeof(record)};
		int more = 0;
		int rc = ops->read(reader, &record, &more, err);

		if (rc == SECOR_OK && more)
			rc = taker->each(taker->arg, &record, reader, err);
		if (rc != SECOR_OK || !more)
			return rc;
	}
}

int
records_read(const struct config_use *format, FILE *file, const char *name,
    records_each_fn each, void *arg, struct secor_err *err)
{
	const struct secor_format_ops *ops = format->plugin->ops.format;
	struct file_source from = {{sizeof(from.source), file_get}, file, name};
	struct secor_open with = {.size = sizeof(with),
	    .conf = format->conf,
	    .host = format->plugin->host,
	    .compat = format->compat};
	const struct taker taker = {each, arg};
	void *self = NULL;
	void *reader = NULL;
	int rc;

	if (ops->read_begin == NULL)
		return secor_fail(err, SECOR_REJECT,
		    "format %s cannot be read back", format->plugin->desc.name);
	rc = ops->open(&with, &self, err);
	if (rc != SECOR_OK)
		return rc;
	rc = ops->read_begin(self, &from.source, &reader, err);
	if (rc == SECOR_OK)
		rc = read_all(ops, reader, &taker, err);
	ops->read_end(reader);
	ops->close(self);
	return rc;
}

/* ---- which format ---- */

int
records_is_dead_letter(const struct config *config, const char *key)
{
	char *folder = mem_text("/%s/", config->layout.dead_letter_prefix);
	int found = strncmp(key, folder + 1, strlen(folder + 1)) == 0 ||
		    strstr(key, folder) != NULL;

	free(folder);
	return found;
}

char *
records_topic(const struct config *config, const char *key)
{
	while (*key != '\0') {
		char *topic = layout_topic(config, key);

		if (topic != NULL && config_wants_topic(config, topic))
			return topic;
		free(topic);
		key += strcspn(key, "/");
		key += *key == '/';
	}
	return NULL;
}

/* ---- all of a topic ---- */

struct sifting {
	const struct config *config;
	const char *topic;
	const struct records_seen *seen;
	int ended;
};

static int
pass_on(void *arg, const char *key, uint64_t length)
{
	struct sifting *sifting = arg;

	sifting->ended = sifting->seen->each(sifting->seen->arg, key, length);
	return sifting->ended;
}

static int
sift(void *arg, const char *key, uint64_t length)
{
	struct sifting *sifting = arg;
	char *topic = layout_topic(sifting->config, key);
	int ours = topic != NULL && strcmp(topic, sifting->topic) == 0;

	free(topic);
	return ours ? pass_on(arg, key, length) : 0;
}

int
records_list(const struct config *config, const struct secor_store_ops *ops,
    void *store, const char *topic, const struct records_seen *seen,
    struct secor_err *err)
{
	const struct config_layout *layout = &config->layout;
	struct sifting sifting = {config, topic, seen, 0};
	char *dead = mem_text("%s/%s/", layout->dead_letter_prefix, topic);
	int folders = layout->alternative_prefix != NULL ? 2 : 1;
	int rc = SECOR_OK;

	if (layout->md5_prefix) {
		folders = 0;
		rc = ops->list(store, "", NULL, sift, &sifting, err);
	}
	for (int i = 0; rc == SECOR_OK && !sifting.ended && i < folders; i++) {
		struct buf folder = {0};

		layout_folder(config, topic, i, &folder);
		buf_putc(&folder, '/');
		rc = ops->list(store, folder.ptr, NULL, pass_on, &sifting, err);
		buf_fini(&folder);
	}
	if (rc == SECOR_OK && !sifting.ended)
		rc = ops->list(store, dead, NULL, pass_on, &sifting, err);
	free(dead);
	return rc;
}

/* ---- names ---- */

const struct config_use *
records_format(const struct config *config, const char *topic, const char *key)
{
	if (records_is_dead_letter(config, key))
		return &deadletter_format;
	return &config_topic(config, topic)->format;
}

const char *
records_key(const struct secor_store_ops *ops, void *store, const char *word)
{
	char root[2048] = "";

	if (ops->url != NULL)
		ops->url(store, "", root, sizeof(root));
	if (root[0] != '\0' && strncmp(word, root, strlen(root)) == 0)
		return word + strlen(root);
	return word;
}
