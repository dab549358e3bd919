/*
 * read.h -- any bytes as a file of the format that is linked: read to the end,
 * or refused at a byte.
 */
#ifndef TESTS_FUZZ_READ_H
#define TESTS_FUZZ_READ_H

#include <stddef.h>
#include <stdint.h>

/* `conf` is the plugin's; NULL: its reader needs no instance. */
void fuzz_read(const void *conf, const uint8_t *bytes, size_t len);

#endif
