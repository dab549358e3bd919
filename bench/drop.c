/*
 * drop.c -- store: says yes and keeps nothing, so that a measurement sees the
 * engine and its staged files but not what a store costs. Never for real use.
 */
#include <secor/store.h>

#include <stdio.h>

static int
drop_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	static char nothing;

	(void)with;
	(void)err;
	*self = &nothing;
	return SECOR_OK;
}

static void
drop_close(void *self)
{
	(void)self;
}

static int
drop_probe(void *self, struct secor_err *err)
{
	(void)self;
	(void)err;
	return SECOR_OK;
}

static int
drop_put(void *self, const struct secor_put *put, struct secor_err *err)
{
	(void)self;
	if (put->go_on != NULL && !put->go_on(put))
		return secor_fail(
		    err, SECOR_RETRY, "put %s: stopped", put->key);
	return SECOR_OK;
}

static int
drop_list(void *self, const char *prefix, const char *after,
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
drop_get(void *self, const char *key,
    int (*piece)(void *arg, const void *bytes, size_t len), void *arg,
    struct secor_err *err)
{
	(void)self;
	(void)piece;
	(void)arg;
	return secor_fail(err, SECOR_REJECT, "get %s: nothing is kept", key);
}

static int
drop_head(
    void *self, const char *key, struct secor_stat *stat, struct secor_err *err)
{
	(void)self;
	(void)key;
	(void)err;
	stat->exists = 0;
	return SECOR_OK;
}

static int
drop_remove(void *self, const char *key, struct secor_err *err)
{
	(void)self;
	(void)key;
	(void)err;
	return SECOR_OK;
}

static void
drop_url(void *self, const char *key, char *dst, size_t room)
{
	(void)self;
	(void)snprintf(dst, room, "drop:%s", key);
}

static const struct secor_store_ops ops = {
    .size = sizeof(ops),
    .open = drop_open,
    .close = drop_close,
    .probe = drop_probe,
    .put = drop_put,
    .list = drop_list,
    .get = drop_get,
    .head = drop_head,
    .remove = drop_remove,
    .url = drop_url,
};

static const struct secor_plugin plugin = {
    SECOR_PLUGIN_HEAD,
    SECOR_STORE,
    "drop",
    SECOR_VERSION,
    "keeps nothing: for measuring",
    1,
    SECOR_NO_OPTIONS,
    0,
    NULL,
    &ops,
};

const struct secor_plugin *
secor_plugin_entry(void)
{
	return &plugin;
}
