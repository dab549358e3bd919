/*
 * local.c -- the store on a folder: options, probe, and reading back.
 *
 * `remove` leaves empty folders where they are: taking them away would race
 * with a put that has just made them.
 */
#include "local.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct secor_option options[] = {
    SECOR_OPTION(PATH, struct local_conf, dir, "dir", NULL,
	SECOR_OPTION_REQUIRED | SECOR_OPTION_OUTPUT,
	"Folder of the objects; made when missing."),
    SECOR_OPTION(STRING, struct local_conf, mode, "mode", "0600", 0,
	"Permissions of files, octal; folders get x where files get r."),
    SECOR_OPTION(BOOL, struct local_conf, fsync, "fsync", "true", 0,
	"Sync files and folders before an object counts as stored; without "
	"it a power failure can lose objects whose offsets are committed."),
};

/* -1: not octal, or nobody could read it back. */
static long
parse_mode(const char *text)
{
	char *end;
	long mode = strtol(text, &end, 8);

	if (end == text || *end != '\0' || mode < 0 || mode > 0777 ||
	    (mode & 0600) != 0600)
		return -1;
	return mode;
}

static void
local_check(const void *conf, const struct secor_check *check)
{
	const struct local_conf *local = conf;

	if (local->mode != NULL && parse_mode(local->mode) < 0)
		check->complain(check, "mode",
		    "must be octal, at most 0777, and let the owner read and "
		    "write: 0600, 0640, 0644");
	if (local->dir != NULL && strlen(local->dir) > LOCAL_PATH / 2)
		check->complain(check, "dir", "is too long");
}

static void
local_close(void *self)
{
	struct local *local = self;

	if (local == NULL)
		return;
	free(local->piece);
	free(local);
}

static int
local_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	struct local *local = calloc(1, sizeof(*local));

	if (local == NULL)
		return secor_fail(err, SECOR_RETRY, "out of memory");
	local->piece = malloc(LOCAL_PIECE);
	if (local->piece == NULL) {
		local_close(local);
		return secor_fail(err, SECOR_RETRY, "out of memory");
	}
	local->conf = with->conf;
	local->host = with->host;
	local->file_mode = (mode_t)parse_mode(local->conf->mode);
	local->dir_mode = local->file_mode | 0100;
	if (local->file_mode & 0040)
		local->dir_mode |= 0010;
	if (local->file_mode & 0004)
		local->dir_mode |= 0001;
	local->objects = with->host->counter(
	    with->host, "objects", "Objects stored in the folder.");
	local->bytes = with->host->counter(
	    with->host, "bytes", "Bytes of objects stored in the folder.");
	*self = local;
	return SECOR_OK;
}

static int
local_remove(void *self, const char *key, struct secor_err *err)
{
	struct local *local = self;
	char path[LOCAL_PATH];
	int status = local_path(local, key, path, err);

	if (status != SECOR_OK)
		return status;
	if (unlink(path) != 0)
		return errno == ENOENT || errno == ENOTDIR
			   ? SECOR_OK
			   : local_errno(err, "remove", path);
	return local->conf->fsync ? local_sync_name(local, path, err)
				  : SECOR_OK;
}

static int
local_probe(void *self, struct secor_err *err)
{
	struct local *local = self;
	int status = local_try(local, err);

	if (status == SECOR_OK)
		local_clean(local);
	return status;
}

static int
read_pieces(struct local *local, int fd, const char *path,
    int (*piece)(void *arg, const void *bytes, size_t len), void *arg,
    struct secor_err *err)
{
	ssize_t n;

	for (;;) {
		n = read(fd, local->piece, LOCAL_PIECE);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return local_errno(err, "read", path);
		if (n == 0 || piece(arg, local->piece, (size_t)n) != 0)
			return SECOR_OK;
	}
}

static int
local_get(void *self, const char *key,
    int (*piece)(void *arg, const void *bytes, size_t len), void *arg,
    struct secor_err *err)
{
	struct local *local = self;
	char path[LOCAL_PATH];
	struct stat st;
	int fd, status = local_path(local, key, path, err);

	if (status != SECOR_OK)
		return status;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 && errno != ENOENT && errno != ENOTDIR)
		return local_errno(err, "open", path);
	if (fd >= 0 && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))) {
		(void)close(fd);
		fd = -1;
	}
	if (fd < 0)
		return secor_fail(
		    err, SECOR_REJECT, "get %s: there is no such object", key);
	status = read_pieces(local, fd, path, piece, arg, err);
	(void)close(fd);
	return status;
}

static int
local_head(void *self, const char *key, struct secor_stat *stat_out,
    struct secor_err *err)
{
	struct local *local = self;
	struct secor_stat found = {.size = sizeof(found)};
	char path[LOCAL_PATH];
	struct stat st;
	int status = local_path(local, key, path, err);

	if (status != SECOR_OK)
		return status;
	if (stat(path, &st) == 0) {
		if (S_ISREG(st.st_mode)) {
			found.exists = 1;
			found.length = (uint64_t)st.st_size;
			found.modified_ms = st.st_mtim.tv_sec * 1000 +
					    st.st_mtim.tv_nsec / 1000000;
		}
	} else if (errno != ENOENT && errno != ENOTDIR) {
		return local_errno(err, "look at", path);
	}
	found.size = stat_out->size;
	memcpy(stat_out, &found,
	    found.size < sizeof(found) ? found.size : sizeof(found));
	return SECOR_OK;
}

static void
local_url(void *self, const char *key, char *dst, size_t room)
{
	const struct local *local = self;

	(void)snprintf(dst, room, "%s/%s", local->conf->dir, key);
}

static const struct secor_store_ops ops = {
    .size = sizeof(ops),
    .open = local_open,
    .close = local_close,
    .probe = local_probe,
    .put = local_put,
    .list = local_list,
    .get = local_get,
    .head = local_head,
    .remove = local_remove,
    .url = local_url,
};

static const struct secor_plugin plugin = {
    SECOR_PLUGIN_HEAD,
    SECOR_STORE,
    "local",
    SECOR_VERSION,
    "objects as files under a folder",
    1,
    SECOR_OPTIONS(options),
    sizeof(struct local_conf),
    local_check,
    &ops,
};

const struct secor_plugin *
secor_plugin_entry(void)
{
	return &plugin;
}
