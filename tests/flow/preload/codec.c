/*
 * codec.c -- the compression libraries as another version of them: the same
 * calls make other bytes, of which the same come out again. To be preloaded.
 *
 * ISA-L looks back less far, zlib has smaller tables, zstd takes the next
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
deflateInit2_(z_streamp stream, int level, int method, int bits, int memory,
    int strategy, const char *version, int size)
{
	int (*next)(z_streamp, int, int, int, int, int, const char *, int) =
	    (int (*)(z_streamp, int, int, int, int, int, const char *,
		int))dlsym(RTLD_NEXT, "deflateInit2_");

	(void)memory;
	return next(stream, level, method, bits, 3, strategy, version, size);
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
