/*
 * json_envelope_fuzz.c -- any bytes as JSON envelopes. The first byte says how
 * values, keys and headers are written.
 */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/read.h"

#include "plugins/format/json-envelope/envelope.h"

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct envelope_conf conf = {0, 0, 0, CODEC_NONE, 1};

	if (len == 0)
		return 0;
	conf.value = bytes[0] % 3;
	conf.key = bytes[0] / 3 % 3;
	conf.headers = bytes[0] / 9 % 3;
	fuzz_read(&conf, bytes + 1, len - 1);
	return 0;
}
