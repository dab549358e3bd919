/*
 * stage.c -- see stage.h.
 *
 * A subfolder belongs to whoever holds the flock on its .lock; the kernel gives
 * it up when the process dies, however it dies. Claiming and wiping happen
 * under the lock on stage.dir's own .lock, so a folder is never seen between
 * its making and its locking.
 */
#include "core/flow/stage.h"

#include "core/base/buf.h"
#include "core/base/files.h"
#include "core/base/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define RESERVE_MAX ((int64_t)1 << 30)

struct stage {
	char *folder;
	int lock_fd;
	_Atomic uint64_t serial;
	_Atomic int64_t used, spare;
};

static int
refused(struct secor_err *err, const char *what, const char *path)
{
	const char *fix = errno == ENOSPC || errno == EDQUOT
			      ? "free space on that disk"
			      : "name a folder that this user can write";

	return secor_fail(err, SECOR_FATAL, "stage: %s %s: %s: %s (stage.dir)",
	    what, path, strerror(errno), fix);
}

/* `operation` is of flock(2). -1 with errno when it cannot be opened or
 * locked. */
static int
open_locked(const char *path, int flags, int operation)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);
	int rc;

	if (fd < 0)
		return -1;
	do
		rc = flock(fd, operation);
	while (rc != 0 && errno == EINTR);
	if (rc != 0) {
		int why = errno;

		(void)close(fd);
		errno = why;
		return -1;
	}
	return fd;
}

/* "<digits>-<digits>" */
static int
is_ours(const char *name)
{
	size_t pid = strspn(name, "0123456789");
	size_t n;

	if (pid == 0 || name[pid] != '-')
		return 0;
	n = strspn(name + pid + 1, "0123456789");
	return n > 0 && name[pid + 1 + n] == '\0';
}

/* Wipes the subfolder unless somebody holds its lock. Without a .lock its owner
 * died before it made one. Holds: lock of stage.dir. */
static void
wipe_if_dead(const char *path)
{
	struct secor_err err;
	char quoted[512];
	char *lock = mem_text("%s/.lock", path);
	int fd = open_locked(lock, O_RDWR, LOCK_EX | LOCK_NB);

	free(lock);
	if (fd < 0 && errno == EWOULDBLOCK)
		return;
	if (fd < 0 && errno != ENOENT)
		log_line(SECOR_WARN, "stage folder left alone",
		    "folder=%s reason=\"%s\"",
		    log_quote(quoted, sizeof(quoted), path), strerror(errno));
	else if (file_remove_tree(path, &err) != SECOR_OK)
		log_line(SECOR_WARN, "stage folder not wiped", "reason=%s",
		    log_quote(quoted, sizeof(quoted), err.text));
	else
		log_line(SECOR_INFO, "stage folder of a dead process wiped",
		    "folder=%s", log_quote(quoted, sizeof(quoted), path));
	if (fd >= 0)
		(void)close(fd);
}

/* Holds: lock of stage.dir. */
static int
wipe_dead(const char *dir, struct secor_err *err)
{
	DIR *list = opendir(dir);
	struct dirent *entry;

	if (list == NULL)
		return refused(err, "read folder", dir);
	while ((entry = readdir(list)) != NULL) {
		char *path;

		if (!is_ours(entry->d_name))
			continue;
		path = mem_text("%s/%s", dir, entry->d_name);
		wipe_if_dead(path);
		free(path);
	}
	(void)closedir(list);
	return SECOR_OK;
}

/* The first <pid>-<n> that is free: another process may have the same pid in
 * another container. Holds: lock of stage.dir. */
static int
make_folder(const char *dir, char **folder, struct secor_err *err)
{
	for (unsigned n = 0;; n++) {
		char *path = mem_text("%s/%ld-%u", dir, (long)getpid(), n);
		int rc;

		if (mkdir(path, 0700) == 0) {
			*folder = path;
			return SECOR_OK;
		}
		rc = errno == EEXIST ? SECOR_OK
				     : refused(err, "make folder", path);
		free(path);
		if (rc != SECOR_OK)
			return rc;
	}
}

/* The pid in it is for people, and shows that files can be written. Holds: lock
 * of stage.dir. */
static int
lock_folder(struct stage *stage, struct secor_err *err)
{
	char *path = mem_text("%s/.lock", stage->folder);
	char pid[32];
	int len = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
	int rc = SECOR_OK;

	stage->lock_fd =
	    open_locked(path, O_RDWR | O_CREAT | O_EXCL, LOCK_EX | LOCK_NB);
	if (stage->lock_fd < 0)
		rc = refused(err, "lock", path);
	else if (write(stage->lock_fd, pid, (size_t)len) != len)
		rc = refused(err, "write", path);
	free(path);
	return rc;
}

/* Holds: lock of stage.dir. */
static int
claim(struct stage *stage, const char *dir, struct secor_err *err)
{
	int rc = wipe_dead(dir, err); /* first: it gives space back */

	if (rc == SECOR_OK)
		rc = make_folder(dir, &stage->folder, err);
	if (rc == SECOR_OK)
		rc = lock_folder(stage, err);
	return rc;
}

int
stage_open(const char *dir, struct stage **stage, struct secor_err *err)
{
	struct stage *opened;
	struct secor_err why;
	char *path;
	int fd, rc;

	if (file_mkdirs(dir, &why) != SECOR_OK)
		return secor_fail(err, SECOR_FATAL,
		    "stage: %.700s: name a folder that this user can write "
		    "(stage.dir)",
		    why.text);
	path = mem_text("%s/.lock", dir);
	fd = open_locked(path, O_RDWR | O_CREAT, LOCK_EX);
	rc = fd < 0 ? refused(err, "lock", path) : SECOR_OK;
	free(path);
	if (rc != SECOR_OK)
		return rc;
	opened = mem_alloc(sizeof(*opened));
	opened->lock_fd = -1;
	rc = claim(opened, dir, err);
	(void)close(fd);
	if (rc == SECOR_OK)
		*stage = opened;
	else
		stage_close(opened);
	return rc;
}

void
stage_close(struct stage *stage)
{
	struct secor_err err;
	char quoted[512];

	if (stage == NULL)
		return;
	if (stage->folder != NULL &&
	    file_remove_tree(stage->folder, &err) != SECOR_OK)
		log_line(SECOR_WARN, "stage folder not removed", "reason=%s",
		    log_quote(quoted, sizeof(quoted), err.text));
	if (stage->lock_fd >= 0)
		(void)close(stage->lock_fd);
	free(stage->folder);
	free(stage);
}

const char *
stage_folder(const struct stage *stage)
{
	return stage->folder;
}

char *
stage_name(struct stage *stage)
{
	return mem_text("%s/%llu", stage->folder,
	    (unsigned long long)atomic_fetch_add(&stage->serial, 1));
}

/* Bytes of the disk that may be used; INT64_MAX when it does not tell. */
static int64_t
disk_room(const char *folder)
{
	struct statvfs st;
	int64_t reserve;

	if (statvfs(folder, &st) != 0)
		return INT64_MAX;
	reserve = (int64_t)(st.f_blocks * st.f_frsize / 20);
	if (reserve > RESERVE_MAX)
		reserve = RESERVE_MAX;
	return (int64_t)(st.f_bavail * st.f_frsize) - reserve;
}

int64_t
stage_room(const struct stage *stage, int64_t max_bytes)
{
	int64_t room = disk_room(stage->folder), spare = stage_spare(stage);

	/* spare files go when the disk is full; the limit counts them */
	if (room < INT64_MAX - spare)
		room += spare;
	if (max_bytes > 0 && max_bytes - stage_used(stage) - spare < room)
		room = max_bytes - stage_used(stage) - spare;
	return room < 0 ? 0 : room;
}

void
stage_count(struct stage *stage, int64_t bytes)
{
	atomic_fetch_add(&stage->used, bytes);
}

int64_t
stage_used(const struct stage *stage)
{
	return atomic_load(&stage->used);
}

void
stage_count_spare(struct stage *stage, int64_t bytes)
{
	atomic_fetch_add(&stage->spare, bytes);
}

int64_t
stage_spare(const struct stage *stage)
{
	return atomic_load(&stage->spare);
}
