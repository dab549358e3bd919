/*
 * framed_fuzz.c -- any bytes as a framed file. Its checksums are mended first,
 * so that what lies behind them is reached: the first byte says whether.
 */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/read.h"

#include "plugins/common/crc32c.h"
#include "plugins/format/framed/framed.h"

#include <stdlib.h>

/* Walks over lengths as the reader does. */
static void
mend(char *at, size_t len)
{
	size_t n;

	if (len < FRAMED_MARK)
		return;
	at += FRAMED_MARK;
	len -= FRAMED_MARK;
	while (len >= 4) {
		n = framed_get32(at);
		if (len < 8 || n > len - 8)
			return;
		(void)framed_put32(at + 4 + n, crc32c_more(0, at + 4, n));
		at += n + 8;
		len -= n + 8;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const struct framed_conf conf = {CODEC_NONE, 1};
	char *copy;

	if (len == 0)
		return 0;
	copy = malloc(len);
	MUST(copy != NULL);
	memcpy(copy, bytes + 1, len - 1);
	if (bytes[0] & 1)
		mend(copy, len - 1);
	fuzz_read(&conf, (const uint8_t *)copy, len - 1);
	free(copy);
	return 0;
}
