/*
 * write_file.c -- see write_file.h.
 */
#include "core/flow/write_file.h"

#include "core/base/buf.h"
#include "core/base/hash.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *
fix_for(int why)
{
	switch (why) {
	case ENOSPC:
		return "stage is full: free space on its disk or set "
		       "stage.max_bytes below what it has";
	case EDQUOT:
		return "stage is full: raise the quota or set stage.max_bytes "
		       "below it";
	case EFBIG:
		return "the file is larger than the system allows: raise the "
		       "limit or lower batch.max_bytes";
	case EMFILE:
	case ENFILE:
		return "raise the limit of open files or lower "
		       "engine.open_files";
	case ENOENT:
		return "somebody removed the folder of the stage while it was "
		       "in use";
	default:
		return "the disk of stage.dir has a fault";
	}
}

static int
say(const struct outfile *file, struct secor_err *err)
{
	return secor_fail(err, SECOR_RETRY, "%s: %s %s: %s", fix_for(file->why),
	    file->failed_at, file->name, strerror(file->why));
}

static void
failed(struct outfile *file, const char *what, int why)
{
	if (file->why != 0)
		return;
	file->why = why;
	file->failed_at = what;
}

/* ---- open files, by last use ---- */

static void
unlink_open(struct outfile *file)
{
	struct outfiles *all = file->all;

	*(file->newer != NULL ? &file->newer->older : &all->newest) =
	    file->older;
	*(file->older != NULL ? &file->older->newer : &all->oldest) =
	    file->newer;
	file->newer = file->older = NULL;
	all->open--;
}

static void
link_newest(struct outfile *file)
{
	struct outfiles *all = file->all;

	file->older = all->newest;
	*(all->newest != NULL ? &all->newest->newer : &all->oldest) = file;
	all->newest = file;
	all->open++;
}

static void
close_now(struct outfile *file)
{
	if (file->fd < 0)
		return;
	unlink_open(file);
	/* some file systems tell only now that the disk is full */
	if (close(file->fd) != 0 && errno != EINTR)
		failed(file, "close", errno);
	file->fd = -1;
}

static int
open_now(struct outfile *file)
{
	struct outfiles *all = file->all;
	int flags = O_WRONLY | O_APPEND | O_CLOEXEC;

	if (file->fd >= 0) {
		if (all->newest != file) {
			unlink_open(file);
			link_newest(file);
		}
		return 0;
	}
	while (all->open >= all->limit)
		close_now(all->oldest);
	/* a file that vanished is not begun again in its middle */
	flags |= file->made ? 0 : O_CREAT | O_EXCL;
	file->fd = open(file->name, flags, 0600);
	if (file->fd < 0) {
		failed(file, "open", errno);
		return -1;
	}
	file->made = 1;
	link_newest(file);
	return 0;
}

/* ---- bytes ---- */

static void
write_all(struct outfile *file, const char *at, size_t n)
{
	if (file->why != 0 || open_now(file) != 0)
		return;
	while (n > 0) {
		ssize_t done = write(file->fd, at, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0) {
			failed(file, "write", done < 0 ? errno : EIO);
			return;
		}
		at += done;
		n -= (size_t)done;
		file->on_disk += (uint64_t)done;
		stage_count(file->all->stage, (int64_t)done);
	}
}

static void
flush(struct outfiles *all)
{
	struct outfile *file = all->filling;

	if (file == NULL)
		return;
	all->filling = NULL;
	write_all(file, all->buffer->data, all->buffer->len);
	all->buffer->len = 0;
}

static void
fill(struct outfile *file, const void *bytes, size_t len)
{
	struct outfiles *all = file->all;

	if (all->buffer == NULL)
		all->buffer = pool_get(all->pool, OUTFILE_BUFFER);
	all->filling = file;
	memcpy(all->buffer->data + all->buffer->len, bytes, len);
	all->buffer->len += len;
}

static int
sink_put(struct secor_sink *sink, const void *bytes, size_t len,
    struct secor_err *err)
{
	return outfile_put((struct outfile *)sink, bytes, len, err);
}

void
outfile_begin(struct outfile *file, struct outfiles *all)
{
	*file = (struct outfile){
	    .sink = {.size = sizeof(file->sink), .put = sink_put},
	    .all = all,
	    .name = stage_name(all->stage),
	    .fd = -1,
	};
}

int
outfile_put(
    struct outfile *file, const void *bytes, size_t len, struct secor_err *err)
{
	struct outfiles *all = file->all;

	if (all->filling != NULL &&
	    (all->filling != file || all->buffer->len + len > OUTFILE_BUFFER))
		flush(all);
	if (len >= OUTFILE_BUFFER)
		write_all(file, bytes, len);
	else if (len > 0)
		fill(file, bytes, len);
	if (file->why != 0)
		return say(file, err);
	file->crc32c = crc32c_add(file->crc32c, bytes, len);
	file->bytes += len;
	return SECOR_OK;
}

int
outfile_flush(struct outfile *file, struct secor_err *err)
{
	if (file->all->filling == file)
		flush(file->all);
	return file->why != 0 ? say(file, err) : SECOR_OK;
}

int
outfile_finish(struct outfile *file, struct secor_err *err)
{
	int rc = outfile_flush(file, err);

	if (rc != SECOR_OK)
		return rc;
	if (!file->made)
		(void)open_now(file);
	close_now(file);
	if (file->why != 0)
		return say(file, err);
	assert(file->on_disk == file->bytes);
	return SECOR_OK;
}

void
outfile_remove(struct outfile *file)
{
	struct outfiles *all = file->all;

	if (file->name == NULL)
		return;
	if (all->filling == file) {
		all->filling = NULL;
		all->buffer->len = 0;
	}
	close_now(file);
	(void)unlink(file->name);
	stage_count(all->stage, -(int64_t)file->on_disk);
	free(file->name);
	memset(file, 0, sizeof(*file));
}

void
outfiles_fini(struct outfiles *all)
{
	assert(all->filling == NULL && all->open == 0);
	pool_put(all->buffer);
	all->buffer = NULL;
}
