/*
 * codec_fuzz.c -- any bytes as a stream of the codec that the first byte says:
 * all of it comes out, or it is refused at a byte, whatever the room.
 */
#include "tests/fuzz/fuzz.h"

#include "plugins/common/codec.h"

#define MOST ((size_t)1 << 24)

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct codec_reader *reader = NULL;
	struct grow out = {NULL, 0, 0};
	struct secor_bytes in = {(const char *)bytes + 1, len - 1};
	struct secor_err err = {""};
	int rc;

	if (len == 0)
		return 0;
	rc =
	    codec_read_begin(1 + bytes[0] % CODEC_DEFLATE, NULL, &reader, &err);
	MUST(rc == SECOR_OK);
	rc = codec_unpack(reader, &in, &out, MOST, &err);
	MUST(rc == SECOR_OK || rc == SECOR_REJECT);
	MUST(rc == SECOR_OK || err.text[0] != '\0');
	codec_read_end(reader);
	grow_fini(&out);
	return 0;
}
