/*
 * local.h -- objects as files under one folder.
 *
 * An object is the file `dir`/<key>. It comes into being by a rename from
 * `dir`/.tmp, so it is there whole or not at all; what a crash leaves in .tmp
 * is never listed and is cleaned by the next probe.
 */
#ifndef SECOR_STORE_LOCAL_H
#define SECOR_STORE_LOCAL_H

#include <secor/store.h>
#include <sys/types.h>

#define LOCAL_TMP ".tmp"
#define LOCAL_PATH 4096
#define LOCAL_PIECE ((size_t)256 * 1024)

struct local_conf {
	const char *dir;
	const char *mode; /* octal */
	int fsync;
};

struct local {
	const struct local_conf *conf;
	mode_t file_mode, dir_mode;
	unsigned char *piece;	 /* LOCAL_PIECE bytes */
	char synced[LOCAL_PATH]; /* folder whose ancestors are durable */
	const struct secor_host *host;
	struct secor_counter *objects, *bytes;
};

/* files.c */

/* The path of a key. SECOR_REJECT when it can be no file under the folder. */
int local_path(const struct local *local, const char *key,
    char path[LOCAL_PATH], struct secor_err *err);
/* Makes the folder of a file, and the ones above it. */
int local_parents(
    const struct local *local, const char *path, struct secor_err *err);
/* Makes the name `path` durable: its folder, and the folders above it up to
 * the one that holds `dir`. */
int
local_sync_name(struct local *local, const char *path, struct secor_err *err);
/* What errno means for the caller, with the text. */
int local_errno(struct secor_err *err, const char *doing, const char *path);

/* put.c */
int local_put(void *self, const struct secor_put *put, struct secor_err *err);
/* Writes and removes something, as a put would. */
int local_try(struct local *local, struct secor_err *err);
/* Removes what dead processes left in .tmp. */
void local_clean(struct local *local);

/* list.c */
int local_list(void *self, const char *prefix, const char *after,
    int (*each)(void *arg, const char *key, uint64_t length), void *arg,
    struct secor_err *err);

#endif
