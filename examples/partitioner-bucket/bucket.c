/* bucket.c -- a partitioner: records of the same key in the same folder, one of
 * `buckets`. */
#include <secor/partitioner.h>
#include <stdlib.h>

struct bucket_conf {
	int64_t buckets;
};

static const struct secor_option bucket_options[] = {
    SECOR_OPTION_RANGE(INT, struct bucket_conf, buckets, "buckets", "16", "1",
	"1000", SECOR_OPTION_OUTPUT, "How many folders."),
};

struct bucket {
	uint32_t buckets;
	char name[8]; /* valid until the next route */
};

static void
bucket_describe(
    const void *conf, uint32_t *inputs, struct secor_strings *fields)
{
	(void)conf;
	(void)fields; /* none */
	*inputs = SECOR_ROUTE_BY_KEY;
}

static int
bucket_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	const struct bucket_conf *conf = with->conf;
	struct bucket *bucket = calloc(1, sizeof(*bucket));

	if (bucket == NULL)
		return secor_fail(err, SECOR_FATAL, "out of memory");
	bucket->buckets = (uint32_t)conf->buckets;
	*self = bucket;
	return SECOR_OK;
}

static int
bucket_route(void *self, const struct secor_route_in *in,
    struct secor_route_out *out, struct secor_err *err)
{
	struct bucket *bucket = self;
	uint32_t hash = 2166136261; /* FNV-1a; it decides names: for ever */
	int len;

	(void)err; /* every key has a bucket, the missing one too */
	for (size_t i = 0; i < in->key.len; i++)
		hash = (hash ^ (unsigned char)in->key.ptr[i]) * 16777619;
	len = snprintf(bucket->name, sizeof(bucket->name), "%03u",
	    (unsigned)(hash % bucket->buckets));
	out->level_count = 1;
	out->levels[0].name = (struct secor_bytes){"bucket", 6};
	out->levels[0].value = (struct secor_bytes){bucket->name, (size_t)len};
	return SECOR_OK;
}

static const struct secor_partitioner_ops bucket_ops = {
    .size = sizeof(bucket_ops),
    .describe = bucket_describe,
    .open = bucket_open,
    .route = bucket_route,
    .close = free,
};

static const struct secor_plugin bucket_plugin = {SECOR_PLUGIN_HEAD,
    SECOR_PARTITIONER, "bucket", "1.0", "one level, by a hash of the key", 1,
    SECOR_OPTIONS(bucket_options), sizeof(struct bucket_conf), NULL,
    &bucket_ops};

const struct secor_plugin *
secor_plugin_entry(void)
{
	return &bucket_plugin;
}
