/*
 * put.c -- an object comes into being: copied to .tmp, checked, synced,
 * renamed.
 *
 * If we die anywhere before the rename there is no object; after it there is
 * the whole one, and whoever repeats the put writes the same bytes over it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "local.h"
#include "plugins/common/crc32c.h"

static int
write_all(int fd, const unsigned char *bytes, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = write(fd, bytes, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		bytes += n;
		len -= (size_t)n;
	}
	return 0;
}

static int
copy(struct local *local, const struct secor_put *put, int fd, const char *path,
    struct secor_err *err)
{
	uint64_t at;
	uint32_t crc = 0;
	size_t len;
	int status;

	for (at = 0; at < put->length; at += len) {
		len = LOCAL_PIECE;
		if (put->length - at < len)
			len = (size_t)(put->length - at);
		status = put->read_at(put, at, local->piece, len, err);
		if (status != SECOR_OK)
			return status;
		crc = crc32c_more(crc, local->piece, len);
		if (write_all(fd, local->piece, len) != 0)
			return local_errno(err, "write", path);
	}
	if (crc != put->crc32c)
		return secor_fail(err, SECOR_RETRY,
		    "put %s: what was read has CRC32C %08" PRIx32
		    ", what was written had %08" PRIx32,
		    put->key, crc, put->crc32c);
	return SECOR_OK;
}

/* A random name, since other machines may write here too. The lock tells
 * `local_clean` that the file's writer lives. */
static int
open_tmp(
    struct local *local, char path[LOCAL_PATH], int *out, struct secor_err *err)
{
	int fd, status;

	(void)snprintf(
	    path, LOCAL_PATH, "%s/" LOCAL_TMP "/XXXXXX", local->conf->dir);
	status = local_parents(local, path, err);
	if (status != SECOR_OK)
		return status;
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return local_errno(err, "create", path);
	if (flock(fd, LOCK_EX | LOCK_NB) != 0 ||
	    fchmod(fd, local->file_mode) != 0) {
		status = local_errno(err, "create", path);
		(void)close(fd);
		(void)unlink(path);
		return status;
	}
	*out = fd;
	return SECOR_OK;
}

/* Closed before the rename: some file systems report a late error only here.
 * From now on a cleaner may take the file; then the rename fails. */
static int
seal(const struct local *local, int fd, const char *path, struct secor_err *err)
{
	int status = SECOR_OK;

	if (local->conf->fsync && fsync(fd) != 0)
		status = local_errno(err, "sync", path);
	if (close(fd) != 0 && status == SECOR_OK)
		status = local_errno(err, "close", path);
	return status;
}

static int
appear(struct local *local, const struct secor_put *put, const char *tmp,
    const char *path, struct secor_err *err)
{
	int status = local_parents(local, path, err);

	if (status != SECOR_OK)
		return status;
	if (put->go_on != NULL && !put->go_on(put))
		return secor_fail(err, SECOR_RETRY,
		    "put %s: stopped: no longer sure to be allowed to write",
		    put->key);
	if (rename(tmp, path) != 0)
		return local_errno(err, "rename to", path);
	if (!local->conf->fsync)
		return SECOR_OK;
	return local_sync_name(local, path, err);
}

int
local_put(void *self, const struct secor_put *put, struct secor_err *err)
{
	struct local *local = self;
	char path[LOCAL_PATH], tmp[LOCAL_PATH];
	int fd = -1, status;

	status = local_path(local, put->key, path, err);
	if (status != SECOR_OK)
		return status;
	status = open_tmp(local, tmp, &fd, err);
	if (status != SECOR_OK)
		return status;
	status = copy(local, put, fd, tmp, err);
	if (status == SECOR_OK)
		status = seal(local, fd, tmp, err);
	else
		(void)close(fd);
	if (status == SECOR_OK)
		status = appear(local, put, tmp, path, err);
	if (status != SECOR_OK)
		(void)unlink(tmp);
	if (status == SECOR_OK) {
		local->host->add(local->objects, 1);
		local->host->add(local->bytes, (int64_t)put->length);
	}
	return status;
}

static void
clean_one(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		(void)unlinkat(dir, name, 0);
	(void)close(fd);
}

/* A writer that has not locked yet, or no longer, loses its file: its rename
 * fails, and its put is repeated. */
void
local_clean(struct local *local)
{
	char path[LOCAL_PATH];
	struct dirent *entry;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "%s/" LOCAL_TMP, local->conf->dir);
	dir = opendir(path);
	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.')
			clean_one(dirfd(dir), entry->d_name);
	(void)closedir(dir);
}

/* The way of an object, but for the last rename: listings never see it. */
int
local_try(struct local *local, struct secor_err *err)
{
	char tmp[LOCAL_PATH], path[LOCAL_PATH];
	int fd = -1, status;

	status = open_tmp(local, tmp, &fd, err);
	if (status != SECOR_OK)
		return status;
	if (write_all(fd, (const unsigned char *)"secor\n", 6) != 0)
		status = local_errno(err, "write", tmp);
	if (status == SECOR_OK)
		status = seal(local, fd, tmp, err);
	else
		(void)close(fd);
	(void)snprintf(path, sizeof(path), "%.*s~", LOCAL_PATH - 2, tmp);
	if (status == SECOR_OK && rename(tmp, path) != 0)
		status = local_errno(err, "rename to", path);
	(void)unlink(status == SECOR_OK ? path : tmp);
	return status;
}
