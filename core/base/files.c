/*
 * files.c -- see files.h.
 */
#include "core/base/files.h"

#include "core/base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static int
failed(struct secor_err *err, const char *what, const char *path)
{
	return secor_fail(
	    err, SECOR_RETRY, "%s %s: %s", what, path, strerror(errno));
}

/* 1 when it is a folder afterwards; else errno says why. */
static int
make_folder(const char *path)
{
	struct stat st;

	if (mkdir(path, 0700) == 0)
		return 1;
	if (errno != EEXIST || stat(path, &st) != 0)
		return 0;
	errno = ENOTDIR;
	return S_ISDIR(st.st_mode);
}

int
file_mkdirs(const char *path, struct secor_err *err)
{
	char *copy;
	int rc = SECOR_OK;

	if (path[0] == '\0')
		return secor_fail(err, SECOR_RETRY, "make folder: empty path");
	copy = mem_dup(path, strlen(path));
	for (char *at = copy + 1;; at++) {
		char c = *at;

		if (c != '/' && c != '\0')
			continue;
		*at = '\0';
		if (!make_folder(copy)) {
			rc = failed(err, "make folder", copy);
			break;
		}
		if (c == '\0')
			break;
		*at = c;
	}
	free(copy);
	return rc;
}

int
file_write(int fd, const void *bytes, size_t n, const char *path,
    struct secor_err *err)
{
	const char *at = bytes;

	while (n > 0) {
		ssize_t done = write(fd, at, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return failed(err, "write", path);
		at += done;
		n -= (size_t)done;
	}
	return SECOR_OK;
}

int
file_pread(int fd, void *bytes, size_t n, uint64_t at, const char *path,
    struct secor_err *err)
{
	char *to = bytes;

	while (n > 0) {
		ssize_t done = pread(fd, to, n, (off_t)at);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return failed(err, "read", path);
		if (done == 0)
			return secor_fail(err, SECOR_RETRY,
			    "read %s: file is shorter than it was", path);
		to += done;
		at += (uint64_t)done;
		n -= (size_t)done;
	}
	return SECOR_OK;
}

int
file_read(const char *path, size_t limit, char **bytes, size_t *n,
    struct secor_err *err)
{
	struct buf buf = {0};
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t done;
	int cause;

	if (fd < 0)
		return failed(err, "open", path);
	do {
		buf_reserve(&buf, 65536);
		done = read(fd, buf.ptr + buf.len, buf.room - buf.len - 1);
		if (done > 0)
			buf.len += (size_t)done;
	} while (
	    (done > 0 && buf.len <= limit) || (done < 0 && errno == EINTR));
	cause = errno;
	(void)close(fd);
	errno = cause;
	if (done < 0 || buf.len > limit) {
		int rc = done < 0
			     ? failed(err, "read", path)
			     : secor_fail(err, SECOR_REJECT,
				   "%s is larger than %zu bytes", path, limit);

		buf_fini(&buf);
		return rc;
	}
	*n = buf.len;
	*bytes = buf_take(&buf);
	return SECOR_OK;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

int
file_remove_tree(const char *path, struct secor_err *err)
{
	if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0 &&
	    errno != ENOENT)
		return failed(err, "remove", path);
	return SECOR_OK;
}

int
file_group_is_private(uid_t user, gid_t group)
{
	struct passwd user_entry, *found_user = NULL;
	struct group group_entry, *found_group = NULL;
	char user_text[1024], group_text[4096];

	(void)getpwuid_r(
	    user, &user_entry, user_text, sizeof(user_text), &found_user);
	(void)getgrgid_r(
	    group, &group_entry, group_text, sizeof(group_text), &found_group);
	if (found_user == NULL || found_group == NULL ||
	    strcmp(found_user->pw_name, found_group->gr_name) != 0)
		return 0;
	for (char **name = found_group->gr_mem; *name != NULL; name++) {
		if (strcmp(*name, found_user->pw_name) != 0)
			return 0;
	}
	return 1;
}

int
file_others_may_write(const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return 0; /* whoever opens it says why */
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return 1;
	if ((st.st_mode & S_IWGRP) != 0 &&
	    !file_group_is_private(st.st_uid, st.st_gid))
		return 1;
	return (st.st_mode & S_IWOTH) != 0;
}

int64_t
file_space_left(const char *path)
{
	struct statvfs st;

	if (statvfs(path, &st) != 0)
		return -1;
	return (int64_t)(st.f_bavail * st.f_frsize);
}
