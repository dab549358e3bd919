/*
 * offset.c -- partitioner: one level of so many offsets, `offset=20000000`.
 */
#include <secor/partitioner.h>
#include <stdlib.h>
#include <string.h>

struct offset_conf {
	int64_t per_partition;
	const char *name;
};

struct offset {
	const struct offset_conf *conf;
	char text[24];
};

static const struct secor_option options[] = {
    SECOR_OPTION_RANGE(INT, struct offset_conf, per_partition, "per_partition",
	"10000000", "1", NULL, SECOR_OPTION_OUTPUT,
	"offsets in one path; its value is the first of them"),
    SECOR_OPTION(STRING, struct offset_conf, name, "name", "offset",
	SECOR_OPTION_OUTPUT, "name of the level; '' for the value alone"),
};

static void
offset_describe(
    const void *conf, uint32_t *inputs, struct secor_strings *fields)
{
	(void)conf;
	*inputs = SECOR_ROUTE_BY_OFFSET;
	*fields = (struct secor_strings){NULL, 0};
}

static int
offset_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	struct offset *offset = calloc(1, sizeof(*offset));

	if (offset == NULL)
		return secor_fail(err, SECOR_FATAL, "out of memory");
	offset->conf = with->conf;
	*self = offset;
	return SECOR_OK;
}

static int
offset_route(void *self, const struct secor_route_in *in,
    struct secor_route_out *out, struct secor_err *err)
{
	struct offset *offset = self;
	const struct offset_conf *conf = offset->conf;
	int64_t first;
	int len;

	if (in->offset < 0)
		return secor_fail(err, SECOR_REJECT, "offset is negative");
	first = in->offset - in->offset % conf->per_partition;
	len = snprintf(
	    offset->text, sizeof(offset->text), "%lld", (long long)first);
	out->level_count = 1;
	out->levels[0].name =
	    (struct secor_bytes){conf->name, strlen(conf->name)};
	out->levels[0].value = (struct secor_bytes){offset->text, (size_t)len};
	out->offset_from = first;
	out->offset_until = first > INT64_MAX - conf->per_partition
				? INT64_MAX
				: first + conf->per_partition;
	return SECOR_OK;
}

static const struct secor_partitioner_ops ops = {
    .size = sizeof(ops),
    .describe = offset_describe,
    .open = offset_open,
    .route = offset_route,
    .close = free,
};

static const struct secor_plugin plugin = {
    SECOR_PLUGIN_HEAD,
    SECOR_PARTITIONER,
    "offset",
    SECOR_VERSION,
    "one level of so many offsets of the Kafka partition",
    1,
    SECOR_OPTIONS(options),
    sizeof(struct offset_conf),
    NULL,
    &ops,
};

const struct secor_plugin *
secor_plugin_entry(void)
{
	return &plugin;
}
