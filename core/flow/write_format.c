/*
 * write_format.c -- the format's side of a staged object: instances, streams
 * and their memory, bytes in.
 */
#include "core/flow/write_stream.h"

#include "core/base/buf.h"

#include <stdlib.h>

static int
codec_open(struct codec *codec, struct secor_err *err)
{
	struct secor_open with = {
	    .size = sizeof(with),
	    .conf = codec->use->conf,
	    .host = codec->use->plugin->host,
	    .compat = codec->use->compat,
	};
	struct secor_format_traits traits = {.size = sizeof(traits)};

	codec->ops = codec->use->plugin->ops.format;
	codec->ops->describe(with.conf, &traits);
	codec->cost = (int64_t)traits.stream_bytes;
	return codec->ops->open(&with, &codec->self, err);
}

/* The shop's instance of the format, opened when first asked for. */
static int
codec_get(struct write_shop *shop, const struct config_use *use,
    struct codec **codec, struct secor_err *err)
{
	struct codec *found = shop->codecs;
	int rc;

	while (found != NULL && found->use != use)
		found = found->next;
	if (found == NULL) {
		found = mem_alloc(sizeof(*found));
		found->use = use;
		rc = codec_open(found, err);
		if (rc != SECOR_OK) {
			free(found);
			return rc;
		}
		found->next = shop->codecs;
		shop->codecs = found;
	}
	*codec = found;
	return SECOR_OK;
}

void
shop_fini(struct write_shop *shop)
{
	struct codec *codec;

	while ((codec = shop->codecs) != NULL) {
		shop->codecs = codec->next;
		codec->ops->close(codec->self);
		free(codec);
	}
	if (shop->unpacked != NULL)
		unpacked_fini(shop->unpacked);
	free(shop->unpacked);
	outfiles_fini(&shop->files);
}

/* Whether so much more codec state fits. A seal needs one stream in any case.
 */
static int
count_stream(struct write_budget *budget, int64_t cost, int in_any_case)
{
	int64_t all = atomic_fetch_add(&budget->streams, cost) + cost;

	if (in_any_case || all <= pool_budget(budget->pool) / 4)
		return 1;
	atomic_fetch_sub(&budget->streams, cost);
	return 0;
}

int
stream_begin(struct write_shop *shop, struct staged *staged, int in_any_case,
    struct secor_err *err)
{
	struct pool *pool = shop->budget->pool;
	struct codec *codec;
	int rc = codec_get(shop, staged->format, &codec, err);

	if (rc != SECOR_OK ||
	    !count_stream(shop->budget, codec->cost, in_any_case))
		return rc;
	staged->state = STAGED_STREAM;
	staged->codec = codec;
	pool_count(pool, codec->cost);
	/* at the seal: it never had the bytes for a stream of its own */
	outfile_begin(&staged->out, &shop->files, !in_any_case);
	if (codec->ops->begin != NULL)
		rc = codec->ops->begin(codec->self, &staged->object,
		    &staged->out.sink, &staged->stream, err);
	return rc;
}

void
stream_end(struct write_shop *shop, struct staged *staged)
{
	struct codec *codec = staged->codec;

	if (codec == NULL)
		return;
	if (staged->stream != NULL && codec->ops->end != NULL)
		codec->ops->end(staged->stream);
	pool_count(shop->budget->pool, -codec->cost);
	atomic_fetch_sub(&shop->budget->streams, codec->cost);
	staged->stream = NULL;
	staged->codec = NULL;
}

/* All whole records; *taken tells how far. */
static int
feed_records(struct write_shop *shop, struct staged *staged, const char *bytes,
    size_t len, size_t *taken, struct secor_err *err)
{
	const struct secor_object *object = &staged->object;
	int rc = SECOR_OK;

	if (shop->unpacked == NULL)
		shop->unpacked = mem_alloc(sizeof(*shop->unpacked));
	*taken = 0;
	while (rc == SECOR_OK) {
		*taken += unpack_records(shop->unpacked, bytes + *taken,
		    len - *taken, object->topic, object->partition);
		if (shop->unpacked->count == 0)
			break;
		rc = staged->codec->ops->write(staged->stream,
		    shop->unpacked->records, shop->unpacked->count,
		    &staged->out.sink, err);
	}
	return rc;
}

int
stream_feed(struct write_shop *shop, struct staged *staged, const char *bytes,
    size_t len, size_t *taken, struct secor_err *err)
{
	const struct secor_format_ops *ops = staged->codec->ops;
	int rc;

	*taken = len;
	if (staged->wants_records)
		rc = feed_records(shop, staged, bytes, len, taken, err);
	else if (ops->drain != NULL)
		rc = ops->drain(
		    staged->stream, bytes, len, &staged->out.sink, err);
	else
		rc = outfile_put(&staged->out, bytes, len, err);
	if (rc != SECOR_OK)
		return rc;
	atomic_fetch_sub(&staged->pending, *taken);
	atomic_store(&staged->made, staged->out.bytes);
	return SECOR_OK;
}

int
stream_finish(struct staged *staged, struct secor_err *err)
{
	const struct secor_format_ops *ops = staged->codec->ops;

	if (ops->finish == NULL)
		return SECOR_OK;
	return ops->finish(staged->stream, &staged->out.sink, err);
}
