/*
 * hash.c -- partitioner: one level of so many buckets, `bucket=7`.
 *
 * The bucket is the rest of hash / buckets. Both hashes are those that Kafka's
 * producers choose partitions by: with `buckets` equal to the partitions of a
 * topic, the bucket of a key is the partition that such a producer gives it.
 */
#include "plugins/common/murmur.h"

#include <secor/partitioner.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

struct hash_conf {
	struct secor_strings fields;
	int64_t buckets;
	int function;
	int missing;
	const char *name;
};

enum { HASH_MURMUR2, HASH_CRC32 };
enum { MISSING_REJECT, MISSING_DEFAULT };

static const char *const functions[] = {"murmur2", "crc32", NULL};
static const char *const missing_choices[] = {"reject", "default", NULL};

struct hash {
	const struct hash_conf *conf;
	char *joined; /* values of several fields */
	size_t room;
	char text[24];
};

static const struct secor_option options[] = {
    SECOR_OPTION_RANGE(INT, struct hash_conf, buckets, "buckets", NULL, "1",
	"1000000", SECOR_OPTION_REQUIRED | SECOR_OPTION_OUTPUT,
	"how many there are, numbered from 0"),
    SECOR_OPTION(STRINGS, struct hash_conf, fields, "fields", "[]",
	SECOR_OPTION_OUTPUT,
	"paths of the fields that are hashed, several with a zero byte "
	"between; none: the message's key"),
    SECOR_OPTION_CHOICE(struct hash_conf, function, "function", "murmur2",
	functions, SECOR_OPTION_OUTPUT,
	"murmur2 as Java's producers hash keys (without its sign bit), or "
	"crc32 as librdkafka's consistent partitioner does"),
    SECOR_OPTION_CHOICE(struct hash_conf, missing, "missing", "reject",
	missing_choices, SECOR_OPTION_OUTPUT,
	"a message without the field or key is a bad one, or its bucket is "
	"__HIVE_DEFAULT_PARTITION__"),
    SECOR_OPTION(STRING, struct hash_conf, name, "name", "bucket",
	SECOR_OPTION_OUTPUT, "name of the level; '' for the value alone"),
};

static void
hash_check(const void *conf, const struct secor_check *check)
{
	const struct hash_conf *c = conf;

	if (c->fields.count > SECOR_MAX_LEVELS)
		check->complain(check, "fields", "more than 8");
}

static void
hash_describe(const void *conf, uint32_t *inputs, struct secor_strings *fields)
{
	const struct hash_conf *c = conf;

	*inputs = c->fields.count == 0 ? SECOR_ROUTE_BY_KEY : 0;
	*fields = c->fields;
}

static void
hash_close(void *self)
{
	struct hash *hash = self;

	if (hash == NULL)
		return;
	free(hash->joined);
	free(hash);
}

static int
hash_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	struct hash *hash = calloc(1, sizeof(*hash));

	if (hash == NULL)
		return secor_fail(err, SECOR_FATAL, "out of memory");
	hash->conf = with->conf;
	*self = hash;
	return SECOR_OK;
}

/* What is hashed; ptr NULL: something of it is missing (its name goes out). */
static int
hash_input(struct hash *hash, const struct secor_route_in *in,
    struct secor_bytes *input, const char **lacks)
{
	size_t count = hash->conf->fields.count, need = 0, at = 0;

	*input = count == 0 ? in->key : in->fields[0];
	for (size_t i = 0; i < count; i++) {
		if (in->fields[i].ptr == NULL) {
			*lacks = hash->conf->fields.items[i];
			input->ptr = NULL;
			return SECOR_OK;
		}
		need += in->fields[i].len + 1;
	}
	if (count <= 1)
		return SECOR_OK;
	if (need > hash->room) {
		free(hash->joined);
		hash->joined = malloc(need);
		hash->room = hash->joined == NULL ? 0 : need;
		if (hash->joined == NULL)
			return SECOR_FATAL;
	}
	for (size_t i = 0; i < count; i++) {
		memcpy(hash->joined + at, in->fields[i].ptr, in->fields[i].len);
		at += in->fields[i].len;
		hash->joined[at++] = '\0';
	}
	*input = (struct secor_bytes){hash->joined, at - 1};
	return SECOR_OK;
}

static int64_t
hash_bucket(const struct hash_conf *conf, const struct secor_bytes *input)
{
	if (conf->function == HASH_CRC32)
		return (int64_t)crc32_z(
			   0, (const Bytef *)input->ptr, input->len) %
		       conf->buckets;
	return murmur2(input->ptr, input->len) % conf->buckets;
}

static int
hash_route(void *self, const struct secor_route_in *in,
    struct secor_route_out *out, struct secor_err *err)
{
	struct hash *hash = self;
	const struct hash_conf *conf = hash->conf;
	struct secor_bytes input;
	const char *lacks = NULL;
	int len;

	if (hash_input(hash, in, &input, &lacks) != SECOR_OK)
		return secor_fail(err, SECOR_RETRY, "out of memory");
	if (input.ptr == NULL && conf->missing == MISSING_REJECT) {
		if (lacks == NULL)
			return secor_fail(err, SECOR_REJECT, "key is missing");
		return secor_fail(
		    err, SECOR_REJECT, "field '%s' is missing", lacks);
	}
	out->level_count = 1;
	out->levels[0].name =
	    (struct secor_bytes){conf->name, strlen(conf->name)};
	if (input.ptr == NULL)
		return SECOR_OK;
	len = snprintf(hash->text, sizeof(hash->text), "%lld",
	    (long long)hash_bucket(conf, &input));
	out->levels[0].value = (struct secor_bytes){hash->text, (size_t)len};
	return SECOR_OK;
}

static const struct secor_partitioner_ops ops = {
    .size = sizeof(ops),
    .describe = hash_describe,
    .open = hash_open,
    .route = hash_route,
    .close = hash_close,
};

static const struct secor_plugin plugin = {
    SECOR_PLUGIN_HEAD,
    SECOR_PARTITIONER,
    "hash",
    SECOR_VERSION,
    "one level of so many buckets, by the hash of fields or of the key",
    1,
    SECOR_OPTIONS(options),
    sizeof(struct hash_conf),
    hash_check,
    &ops,
};

const struct secor_plugin *
secor_plugin_entry(void)
{
	return &plugin;
}
