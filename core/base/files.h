/*
 * files.h -- the few things that are done to folders and files. Errors are
 * SECOR_RETRY with "what path: cause": the disk may come back.
 */
#ifndef SECOR_BASE_FILES_H
#define SECOR_BASE_FILES_H

#include <secor/plugin.h>
#include <sys/types.h>

/* Makes the folder and its parents (mode 0700 for those it makes). */
int file_mkdirs(const char *path, struct secor_err *err);

/* All n bytes, or an error. */
int file_write(int fd, const void *bytes, size_t n, const char *path,
    struct secor_err *err);
int file_pread(int fd, void *bytes, size_t n, uint64_t at, const char *path,
    struct secor_err *err);

/* The whole file, NUL-terminated, into *bytes (caller frees). At most `limit`
 * bytes, else SECOR_REJECT. */
int file_read(const char *path, size_t limit, char **bytes, size_t *n,
    struct secor_err *err);

/* Removes a folder with all that is in it. Missing is fine. */
int file_remove_tree(const char *path, struct secor_err *err);

/* 1 when group or others may write the file (or it is not a plain file or
 * folder): such code is not loaded. A group that is the owner's alone (umask
 * 002) is no other. */
int file_others_may_write(const char *path);
/* Whether the group has the user's name and no other members. */
int file_group_is_private(uid_t user, gid_t group);

/* Free bytes of the file system that holds path; -1 when not known. */
int64_t file_space_left(const char *path);

#endif
