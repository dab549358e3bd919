/*
 * codec.c -- the compression libraries as another version of them: the same
 * calls make other bytes, of which the same come out again. To be preloaded.
 *
 * ISA-L looks back less far, zlib is content sooner, zstd takes the next
 * level.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <isa-l/igzip_lib.h>
#include <zlib.h>
#include <zstd.h>

void
isal_deflate_init(struct isal_zstream *stream)
{
	void (*next)(struct isal_zstream *) = (void (*)(
	    struct isal_zstream *))dlsym(RTLD_NEXT, "isal_deflate_init");

	next(stream);
	stream->hist_bits = 10;
}

int
deflateSetHeader(z_streamp stream, gz_headerp header)
{
	int (*next)(z_streamp, gz_headerp) = (int (*)(
	    z_streamp, gz_headerp))dlsym(RTLD_NEXT, "deflateSetHeader");
	int rc = next(stream, header);

	return rc == Z_OK ? deflateTune(stream, 1, 1, 8, 1) : rc;
}

/* Forgets how the stream was tuned. */
int
deflateReset(z_streamp stream)
{
	int (*next)(z_streamp) =
	    (int (*)(z_streamp))dlsym(RTLD_NEXT, "deflateReset");
	int rc = next(stream);

	return rc == Z_OK ? deflateTune(stream, 1, 1, 8, 1) : rc;
}

size_t
ZSTD_CCtx_setParameter(ZSTD_CCtx *context, ZSTD_cParameter parameter, int value)
{
	size_t (*next)(ZSTD_CCtx *, ZSTD_cParameter, int) =
	    (size_t(*)(ZSTD_CCtx *, ZSTD_cParameter, int))dlsym(
		RTLD_NEXT, "ZSTD_CCtx_setParameter");

	if (parameter == ZSTD_c_compressionLevel)
		value++;
	return next(context, parameter, value);
}
