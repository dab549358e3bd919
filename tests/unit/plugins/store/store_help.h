/*
 * store_help.h -- puts from memory, and what a store's callbacks hand over.
 */
#ifndef TESTS_UNIT_STORE_HELP_H
#define TESTS_UNIT_STORE_HELP_H

#include <secor/store.h>

struct source {
	const char *bytes;
	int fails;	   /* read_at: this many times SECOR_RETRY */
	uint64_t fails_at; /* read_at behind it: SECOR_RETRY; 0: nowhere */
	int go_on_left;	   /* go_on: so many times yes; -1: always */
	int asked;	   /* go_on: how often */
	int reads;
};

/* A put of `length` bytes of `source` under its true CRC32C. */
struct secor_put
source_put(struct source *source, const char *key, size_t length);

/* Collects keys as "a b c ", or bytes of pieces. */
struct heard {
	char text[8192];
	size_t len;
	int left; /* stops after so many; 0: never */
};

int hear_key(void *arg, const char *key, uint64_t length);
int hear_piece(void *arg, const void *bytes, size_t len);

#endif
