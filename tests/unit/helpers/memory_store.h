/*
 * memory_store.h -- a store in memory, for tests of what uses stores. Every
 * instance sees the same objects.
 */
#ifndef TESTS_MEMORY_STORE_H
#define TESTS_MEMORY_STORE_H

#include "core/config/config.h"

extern const struct config_use memory_store;

/* Empties it. */
void memory_store_clear(void);
void memory_store_put(const char *key, const void *bytes, size_t len);
/* The object's bytes or NULL; they may be changed in place. */
char *memory_store_get(const char *key, size_t *len);
void memory_store_remove(const char *key);
/* All keys that begin with this. */
void memory_store_remove_all(const char *prefix);
/* The next n lists, gets and heads fail with SECOR_RETRY. */
void memory_store_fail(int n);
/* What removes through the plugin answer from now on. */
void memory_store_refuse_removes(int rc);
/* Whether heads know the CRC32C. */
void memory_store_knows_crc(int knows);

#endif
