/*
 * codec_names.c -- what codecs are called: in options, in names of files.
 */
#include "plugins/common/codec.h"

const char *const codec_choices[] = {"none", "gzip", "deflate", "zstd", "lz4",
    "hadoop-lz4", "snappy", "hadoop-snappy", "bzip2", NULL};

const char *
codec_extension(int kind)
{
	static const char *const extensions[] = {"", ".gz", ".deflate", ".zst",
	    ".lz4", ".lz4", ".sz", ".snappy", ".bz2"};

	return extensions[kind];
}

const char *
codec_content_type(int kind, const char *plain)
{
	static const char *const types[] = {NULL, "application/gzip",
	    "application/zlib", "application/zstd", "application/x-lz4",
	    "application/octet-stream", "application/x-snappy-framed",
	    "application/octet-stream", "application/x-bzip2"};

	return kind == CODEC_NONE ? plain : types[kind];
}
