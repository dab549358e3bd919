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

enum { RESERVE_FROM = 1 << 20, RESERVE_MAX = 8 << 20 };

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

/* Room that this file did not use is gone. */
static void
forget_room(struct outfile *file)
{
	if (file->room > file->on_disk)
		stage_count_spare(file->all->stage,
		    (int64_t)file->on_disk - (int64_t)file->room);
	file->room = 0;
}

static int
open_by_name(struct outfile *file)
{
	int flags = O_WRONLY | O_CLOEXEC;
	int fd;

	if (!file->made && file->room > 0) {
		fd = open(file->name, flags);
		if (fd >= 0)
			return fd;
		forget_room(file); /* somebody removed it */
	}
	/* a file that vanished is not begun again in its middle */
	flags |= file->made ? 0 : O_CREAT | O_EXCL;
	return open(file->name, flags, 0600);
}

static int
open_now(struct outfile *file)
{
	struct outfiles *all = file->all;

	if (file->fd >= 0) {
		if (all->newest != file) {
			unlink_open(file);
			link_newest(file);
		}
		return 0;
	}
	while (all->open >= all->limit)
		close_now(all->oldest);
	file->fd = open_by_name(file);
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
count_written(struct outfile *file, size_t n)
{
	uint64_t left =
	    file->room > file->on_disk ? file->room - file->on_disk : 0;

	file->on_disk += n;
	stage_count(file->all->stage, (int64_t)n);
	if (left > 0)
		stage_count_spare(
		    file->all->stage, -(int64_t)(left < n ? left : n));
}

/* EINTR, or a disk that is full while spare files lie on it. */
static int
may_go_on(struct outfile *file, int why)
{
	return why == EINTR || ((why == ENOSPC || why == EDQUOT) &&
				   spares_drop(&file->all->spares));
}

/* Room of a large file is asked for some MiB at a time, as far as spare files
 * may take room too: page by page costs more than the writing. Whoever refuses
 * it will refuse the write too if it has to. */
static void
reserve(struct outfile *file, size_t n)
{
	uint64_t have = file->room > file->on_disk ? file->room : file->on_disk;
	uint64_t end = file->on_disk + n;
	uint64_t more =
	    file->on_disk / 2 < RESERVE_MAX ? file->on_disk / 2 : RESERVE_MAX;
	int64_t bytes = (int64_t)(end + more - have);

	if (file->as_it_comes || file->on_disk < RESERVE_FROM || end <= have)
		return;
	file->as_it_comes = 1;
	if (!spares_count(&file->all->spares, bytes))
		return;
	if (fallocate(file->fd, FALLOC_FL_KEEP_SIZE, (off_t)have,
		(off_t)bytes) != 0) {
		stage_count_spare(file->all->stage, -bytes);
		return;
	}
	file->as_it_comes = 0;
	file->room = end + more;
}

static void
write_all(struct outfile *file, const char *at, size_t n)
{
	if (file->why != 0 || open_now(file) != 0)
		return;
	reserve(file, n);
	while (n > 0) {
		ssize_t done = pwrite(file->fd, at, n, (off_t)file->on_disk);

		if (done < 0 && may_go_on(file, errno))
			continue;
		if (done <= 0) {
			failed(file, "write", done < 0 ? errno : EIO);
			return;
		}
		at += done;
		n -= (size_t)done;
		count_written(file, (size_t)done);
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
outfile_begin(struct outfile *file, struct outfiles *all, int large)
{
	*file = (struct outfile){
	    .sink = {.size = sizeof(file->sink), .put = sink_put},
	    .all = all,
	    .fd = -1,
	};
	if (large)
		file->name = spares_take(&all->spares, &file->room);
	if (file->name == NULL)
		file->name = stage_name(all->stage);
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

/* The rest of what was there before must not follow what is there now. */
static void
cut_off(struct outfile *file)
{
	if (file->room <= file->on_disk || open_now(file) != 0)
		return;
	if (ftruncate(file->fd, (off_t)file->on_disk) != 0)
		failed(file, "truncate", errno);
	else
		forget_room(file);
}

int
outfile_finish(struct outfile *file, struct secor_err *err)
{
	int rc = outfile_flush(file, err);

	if (rc != SECOR_OK)
		return rc;
	if (!file->made)
		(void)open_now(file);
	cut_off(file);
	close_now(file);
	if (file->why != 0)
		return say(file, err);
	assert(file->on_disk == file->bytes);
	return SECOR_OK;
}

/* Ends it; the file itself is removed unless somebody else has it now. */
static void
part_with(struct outfile *file, int kept)
{
	if (!kept) {
		(void)unlink(file->name);
		free(file->name);
	}
	forget_room(file);
	memset(file, 0, sizeof(*file));
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
	stage_count(all->stage, -(int64_t)file->on_disk);
	part_with(file, 0);
}

void
outfile_retire(struct outfile *file)
{
	struct outfiles *all = file->all;

	assert(file->fd < 0 && file->room <= file->on_disk);
	stage_count(all->stage, -(int64_t)file->on_disk);
	part_with(file, spares_give(&all->spares, file->name, file->on_disk));
}

void
outfiles_fini(struct outfiles *all)
{
	assert(all->filling == NULL && all->open == 0);
	(void)spares_drop(&all->spares);
	pool_put(all->buffer);
	all->buffer = NULL;
}
