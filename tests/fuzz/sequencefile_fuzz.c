/*
 * sequencefile_fuzz.c -- any bytes as a SequenceFile.
 */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/read.h"

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	fuzz_read(NULL, bytes, len);
	return 0;
}
