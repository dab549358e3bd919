/*
 * files.c -- names, folders and durability of the local store.
 *
 * A name is durable when every folder between it and `dir` has been synced. A
 * folder that is found may have been made by a process that died before it
 * synced it, so being there proves nothing: the whole chain is synced for the
 * first object of each folder.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "local.h"

int
local_errno(struct secor_err *err, const char *doing, const char *path)
{
	int status, code = errno;
	const char *fix = "";

	switch (code) {
	case ENAMETOOLONG:
	case EILSEQ:
	case EINVAL:
		status = SECOR_REJECT;
		break;
	case EACCES:
	case EPERM:
	case EROFS:
		status = SECOR_FATAL;
		fix = " (the service's user must be able to write there)";
		break;
	case ENOTDIR:
	case EISDIR:
	case ELOOP:
		status = SECOR_FATAL;
		fix = " (a file is where a folder must be, or the reverse)";
		break;
	default: /* full disk, I/O error, no descriptors: may pass */
		status = SECOR_RETRY;
	}
	return secor_fail(
	    err, status, "%s %s: %s%s", doing, path, strerror(code), fix);
}

static const char *
component_fault(const char *name, size_t len)
{
	if (len == 0)
		return "has an empty component";
	if (len > NAME_MAX)
		return "has a component of more than 255 bytes";
	if ((len == 1 && name[0] == '.') ||
	    (len == 2 && name[0] == '.' && name[1] == '.'))
		return "has a component `.` or `..`";
	return NULL;
}

static const char *
key_fault(const char *key)
{
	const char *at = key, *fault;
	size_t len = strcspn(at, "/");

	if (len == strlen(LOCAL_TMP) && strncmp(at, LOCAL_TMP, len) == 0)
		return "is under `.tmp`, which is the store's own";
	for (;;) {
		fault = component_fault(at, len);
		if (fault != NULL || at[len] == '\0')
			return fault;
		at += len + 1;
		len = strcspn(at, "/");
	}
}

int
local_path(const struct local *local, const char *key, char path[LOCAL_PATH],
    struct secor_err *err)
{
	const char *fault = key_fault(key);
	int n;

	if (fault != NULL)
		return secor_fail(
		    err, SECOR_REJECT, "key %.300s: %s", key, fault);
	n = snprintf(path, LOCAL_PATH, "%s/%s", local->conf->dir, key);
	if (n < 0 || n >= LOCAL_PATH)
		return secor_fail(err, SECOR_REJECT,
		    "key %.300s: the path would have more than %d bytes", key,
		    LOCAL_PATH - 1);
	return SECOR_OK;
}

static int
make_dir(const struct local *local, const char *path)
{
	if (mkdir(path, local->dir_mode) != 0)
		return errno == EEXIST ? 0 : -1;
	return chmod(path, local->dir_mode); /* whatever the umask is */
}

int
local_parents(
    const struct local *local, const char *path, struct secor_err *err)
{
	char part[LOCAL_PATH];
	char *slash;

	(void)snprintf(part, sizeof(part), "%s", path);
	slash = strrchr(part, '/');
	if (slash == NULL || slash == part)
		return SECOR_OK;
	*slash = '\0';
	/* mostly it is there */
	if (mkdir(part, local->dir_mode) == 0)
		return chmod(part, local->dir_mode) == 0
			   ? SECOR_OK
			   : local_errno(err, "make folder", part);
	if (errno == EEXIST)
		return SECOR_OK;
	if (errno != ENOENT)
		return local_errno(err, "make folder", part);
	for (slash = strchr(part + 1, '/'); slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (make_dir(local, part) != 0)
			return local_errno(err, "make folder", part);
		*slash = '/';
	}
	if (make_dir(local, part) != 0)
		return local_errno(err, "make folder", part);
	return SECOR_OK;
}

static int
sync_dir(const char *path, struct secor_err *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int status = SECOR_OK;

	if (fd < 0)
		return local_errno(err, "sync folder", path);
	if (fsync(fd) != 0)
		status = local_errno(err, "sync folder", path);
	(void)close(fd);
	return status;
}

int
local_sync_name(struct local *local, const char *path, struct secor_err *err)
{
	size_t root = strlen(local->conf->dir);
	char part[LOCAL_PATH], first[LOCAL_PATH];
	char *slash;
	int status, known;

	(void)snprintf(part, sizeof(part), "%s", path);
	slash = strrchr(part, '/');
	*slash = '\0';
	(void)snprintf(first, sizeof(first), "%s", part);
	known = strcmp(first, local->synced) == 0;
	for (;;) {
		status = sync_dir(part[0] != '\0' ? part : "/", err);
		slash = strrchr(part, '/');
		if (status != SECOR_OK || known || strlen(part) < root ||
		    slash == NULL)
			break;
		*slash = '\0';
	}
	if (status == SECOR_OK)
		(void)snprintf(
		    local->synced, sizeof(local->synced), "%s", first);
	return status;
}
