/*
 * records.h -- the records of an object through its format: what print, demo,
 * where and verify --deep read. An object of the store comes over a nameless
 * file, so its size does not matter; one record is in memory at a time.
 */
#ifndef SECOR_CLI_RECORDS_H
#define SECOR_CLI_RECORDS_H

#include "core/config/config.h"

#include <secor/format.h>
#include <secor/store.h>

#include <stdio.h>

/* The bytes of an object, and what they sum to. */
struct records_file {
	FILE *file; /* at its beginning; caller closes */
	uint64_t length;
	uint32_t crc32c;
};

/* Fetches an object. SECOR_REJECT: there is none; SECOR_RETRY: the store or the
 * disk. On failure there is no file. */
int records_fetch(const struct secor_store_ops *ops, void *store,
    const char *key, struct records_file *file, struct secor_err *err);

/* Gets one record, borrowed for the call; `reader` is for deadletter_reason.
 * Anything but SECOR_OK ends the reading and is returned. */
typedef int (*records_each_fn)(void *arg,
    const struct secor_read_record *record, const void *reader,
    struct secor_err *err);

/* Reads a file from where it stands to its end. SECOR_REJECT: the bytes are not
 * of this format, or it cannot be read back. `name` is for complaints. */
int records_read(const struct config_use *format, FILE *file, const char *name,
    records_each_fn each, void *arg, struct secor_err *err);

/* Who gets the keys of a listing: != 0 ends it. */
struct records_seen {
	int (*each)(void *arg, const char *key, uint64_t length);
	void *arg;
};

/* 1 when the key is one of a dead-letter object. */
int records_is_dead_letter(const struct config *config, const char *key);

/* The topic in a key or in a local path: of the first folder that the layout
 * gives to a topic of the subscription. Caller frees; NULL: none. */
char *records_topic(const struct config *config, const char *key);

/* The format that the key's object has: of dead letters, or of its topic. */
const struct config_use *
records_format(const struct config *config, const char *topic, const char *key);

/* Keys of the topic's objects and of its dead letters, wherever the layout puts
 * them. As the store's own list, but in several runs; with layout.md5_prefix it
 * takes a walk over everything. */
int records_list(const struct config *config, const struct secor_store_ops *ops,
    void *store, const char *topic, const struct records_seen *seen,
    struct secor_err *err);

/* The key of a url of this store; other text as it is. */
const char *
records_key(const struct secor_store_ops *ops, void *store, const char *word);

#endif
