/*
 * sample.c -- a format: values one after the other.
 */
#include <secor/format.h>
#include <stdlib.h>
#include <string.h>

struct sample_conf {
	int64_t level;
	const char *delimiter;
};

static const struct secor_option sample_options[] = {
    SECOR_OPTION_RANGE(INT, struct sample_conf, level, "level", "6", "1", "9",
	0, "How hard to compress."),
    SECOR_OPTION(STRING, struct sample_conf, delimiter, "delimiter", ",",
	SECOR_OPTION_OUTPUT, "Between records."),
};

static void
sample_describe(const void *conf, struct secor_format_traits *traits)
{
	(void)conf;
	traits->extension = "";
}

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
sample_encode(void *self, const struct secor_record *record, char *dst,
    size_t room, size_t *used, struct secor_err *err)
{
	const struct secor_bytes *value = &record->message->value;

	(void)self;
	(void)err;
	*used = value->len;
	if (value->len > 0 && value->len <= room)
		memcpy(dst, value->ptr, value->len);
	return SECOR_OK;
}

static int
sample_begin(void *self, const struct secor_object *object,
    struct secor_sink *sink, void **stream, struct secor_err *err)
{
	(void)object;
	(void)sink;
	(void)err;
	*stream = self;
	return SECOR_OK;
}

static int
sample_finish(void *stream, struct secor_sink *sink, struct secor_err *err)
{
	(void)stream;
	(void)sink;
	(void)err;
	return SECOR_OK;
}

static const struct secor_format_ops sample_ops = {
    .size = sizeof(sample_ops),
    .describe = sample_describe,
    .open = sample_open,
    .close = sample_close,
    .encode = sample_encode,
    .begin = sample_begin,
    .finish = sample_finish,
    .end = sample_close,
};

static const struct secor_plugin sample_plugin = {
    SECOR_PLUGIN_HEAD,
    SECOR_FORMAT,
    "sample",
    "1",
    "values one after the other",
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
