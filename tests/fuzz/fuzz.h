/*
 * fuzz.h -- what the fuzz targets share. A target is one function that takes
 * any bytes, aborts when something is not true, and keeps nothing from one call
 * to the next that changes what the next one does.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(what)                                                      \
	do {                                                            \
		if (!(what)) {                                          \
			(void)fprintf(stderr, "not true: %s\n", #what); \
			abort();                                        \
		}                                                       \
	} while (0)

#endif
