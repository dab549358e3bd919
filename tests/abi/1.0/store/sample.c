/*
 * sample.c -- a store that has nothing and keeps nothing: for tests that never
 * put.
 */
#include <secor/store.h>
#include <stdlib.h>
#include <string.h>

struct sample_conf {
	const char *bucket;
	const char *prefix;
	const char *secret_key;
	const char *dir;
};

#define CONF struct sample_conf
static const struct secor_option sample_options[] = {
    SECOR_OPTION(STRING, CONF, bucket, "bucket", NULL, SECOR_OPTION_REQUIRED,
	"The bucket."),
    SECOR_OPTION(STRING, CONF, prefix, "prefix", "", 0, "Before every key."),
    SECOR_OPTION(STRING, CONF, secret_key, "secret_key", NULL,
	SECOR_OPTION_SECRET, "The secret."),
    SECOR_OPTION(PATH, CONF, dir, "dir", NULL, 0, "A folder."),
};

static int
sample_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	(void)err;
	*self = (void *)with->conf;
	return SECOR_OK;
}

static void
sample_close(void *self)
{
	(void)self; /* the conf is the engine's */
}

static int
sample_probe(void *self, struct secor_err *err)
{
	(void)self;
	return secor_fail(err, SECOR_FATAL, "keeps nothing");
}

static int
sample_put(void *self, const struct secor_put *put, struct secor_err *err)
{
	(void)self;
	return secor_fail(err, SECOR_FATAL, "put %s: keeps nothing", put->key);
}

static int
sample_list(void *self, const char *prefix, const char *after,
    int (*each)(void *arg, const char *key, uint64_t length), void *arg,
    struct secor_err *err)
{
	(void)self;
	(void)prefix;
	(void)after;
	(void)each;
	(void)arg;
	(void)err;
	return SECOR_OK;
}

static int
sample_get(void *self, const char *key,
    int (*piece)(void *arg, const void *bytes, size_t len), void *arg,
    struct secor_err *err)
{
	(void)self;
	(void)piece;
	(void)arg;
	return secor_fail(err, SECOR_REJECT, "get %s: there is none", key);
}

static int
sample_head(
    void *self, const char *key, struct secor_stat *stat, struct secor_err *err)
{
	(void)self;
	(void)key;
	(void)err;
	stat->exists = 0;
	return SECOR_OK;
}

static int
sample_remove(void *self, const char *key, struct secor_err *err)
{
	(void)self;
	(void)key;
	(void)err;
	return SECOR_OK;
}

static void
sample_url(void *self, const char *key, char *dst, size_t room)
{
	(void)self;
	(void)snprintf(dst, room, "sample://%s", key);
}

static const struct secor_store_ops sample_ops = {
    .size = sizeof(sample_ops),
    .open = sample_open,
    .close = sample_close,
    .probe = sample_probe,
    .put = sample_put,
    .list = sample_list,
    .get = sample_get,
    .head = sample_head,
    .remove = sample_remove,
    .url = sample_url,
};

static const struct secor_plugin sample_plugin = {
    SECOR_PLUGIN_HEAD,
    SECOR_STORE,
    "sample",
    "1",
    "keeps nothing",
    1,
    SECOR_OPTIONS(sample_options),
    sizeof(struct sample_conf),
    NULL,
    &sample_ops,
};

const struct secor_plugin *
secor_plugin_entry(void)
{
	return &sample_plugin;
}
