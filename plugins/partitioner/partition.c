/*
 * partition.c -- partitioner: the Kafka partition as a level, `partition=7`.
 */
#include <secor/partitioner.h>
#include <stdlib.h>
#include <string.h>

struct partition_conf {
	const char *name;
};

struct partition {
	const struct partition_conf *conf;
	char text[16];
};

static const struct secor_option options[] = {
    SECOR_OPTION(STRING, struct partition_conf, name, "name", "partition",
	SECOR_OPTION_OUTPUT, "name of the level; '' for the value alone"),
};

static void
partition_describe(
    const void *conf, uint32_t *inputs, struct secor_strings *fields)
{
	(void)conf;
	*inputs = SECOR_ROUTE_BY_PARTITION;
	*fields = (struct secor_strings){NULL, 0};
}

static int
partition_open(
    const struct secor_open *with, void **self, struct secor_err *err)
{
	struct partition *partition = calloc(1, sizeof(*partition));

	if (partition == NULL)
		return secor_fail(err, SECOR_FATAL, "out of memory");
	partition->conf = with->conf;
	*self = partition;
	return SECOR_OK;
}

static int
partition_route(void *self, const struct secor_route_in *in,
    struct secor_route_out *out, struct secor_err *err)
{
	struct partition *partition = self;
	const char *name = partition->conf->name;
	int len = snprintf(
	    partition->text, sizeof(partition->text), "%d", (int)in->partition);

	(void)err;
	out->level_count = 1;
	out->levels[0].name = (struct secor_bytes){name, strlen(name)};
	out->levels[0].value =
	    (struct secor_bytes){partition->text, (size_t)len};
	return SECOR_OK;
}

static const struct secor_partitioner_ops ops = {
    .size = sizeof(ops),
    .describe = partition_describe,
    .open = partition_open,
    .route = partition_route,
    .close = free,
};

static const struct secor_plugin plugin = {
    SECOR_PLUGIN_HEAD,
    SECOR_PARTITIONER,
    "partition",
    SECOR_VERSION,
    "one level of the Kafka partition",
    1,
    SECOR_OPTIONS(options),
    sizeof(struct partition_conf),
    NULL,
    &ops,
};

const struct secor_plugin *
secor_plugin_entry(void)
{
	return &plugin;
}
