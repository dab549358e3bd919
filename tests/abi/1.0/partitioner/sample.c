/*
 * sample.c -- a partitioner: one level from one field.
 */
#include <secor/partitioner.h>
#include <stdlib.h>

struct sample_conf {
	struct secor_strings fields;
	const char *level;
};

static const struct secor_option sample_options[] = {
    SECOR_OPTION(STRINGS, struct sample_conf, fields, "fields", NULL,
	SECOR_OPTION_REQUIRED | SECOR_OPTION_OUTPUT, "Fields."),
    SECOR_OPTION(STRING, struct sample_conf, level, "level", "sample",
	SECOR_OPTION_OUTPUT, "Name of the level."),
};

static void
sample_describe(const void *arg, uint32_t *inputs, struct secor_strings *fields)
{
	const struct sample_conf *conf = arg;

	*inputs = 0;
	*fields = conf->fields;
}

static int
sample_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	(void)err;
	*self = (void *)with->conf;
	return SECOR_OK;
}

static int
sample_route(void *self, const struct secor_route_in *in,
    struct secor_route_out *out, struct secor_err *err)
{
	(void)self;
	(void)err;
	out->level_count = 1;
	out->levels[0].value = in->fields[0];
	return SECOR_OK;
}

static void
sample_close(void *self)
{
	(void)self; /* the conf is the engine's */
}

static const struct secor_partitioner_ops sample_ops = {
    .size = sizeof(sample_ops),
    .describe = sample_describe,
    .open = sample_open,
    .route = sample_route,
    .close = sample_close,
};

static const struct secor_plugin sample_plugin = {
    SECOR_PLUGIN_HEAD,
    SECOR_PARTITIONER,
    "sample",
    "1",
    "one level from one field",
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
