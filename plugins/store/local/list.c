/*
 * list.c -- the keys of the local store in byte order.
 *
 * The order of keys is not the order of names: a folder "a" stands for keys
 * that begin with "a/", which come after "a-b". So folders are sorted with
 * their slash. Only regular files and real folders count; symbolic links are
 * not followed.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "local.h"

#define STOPPED (-1)

struct entry {
	char *name; /* a folder's ends in '/' */
	uint64_t length;
};

struct entries {
	struct entry *items;
	size_t count, room;
};

struct walk {
	const char *prefix, *after;
	int (*each)(void *arg, const char *key, uint64_t length);
	void *arg;
	struct secor_err *err;
	size_t root;	       /* of path: where the key begins */
	char path[LOCAL_PATH]; /* of the folder, with its slash */
};

static void
free_entries(struct entries *entries)
{
	size_t i;

	for (i = 0; i < entries->count; i++)
		free(entries->items[i].name);
	free(entries->items);
}

static int
by_name(const void *a, const void *b)
{
	const struct entry *left = a, *right = b;

	return strcmp(left->name, right->name);
}

static int
add(struct entries *entries, const char *name, const struct stat *st)
{
	size_t room = entries->room == 0 ? 64 : entries->room * 2;
	struct entry *entry;

	if (entries->count == entries->room) {
		entry = realloc(entries->items, room * sizeof(*entry));
		if (entry == NULL)
			return -1;
		entries->items = entry;
		entries->room = room;
	}
	entry = &entries->items[entries->count];
	if (asprintf(&entry->name, S_ISDIR(st->st_mode) ? "%s/" : "%s", name) <
	    0)
		return -1;
	entry->length = (uint64_t)st->st_size;
	entries->count++;
	return 0;
}

static int
is_foreign(const struct walk *walk, const char *name)
{
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return 1;
	return walk->path[walk->root] == '\0' && strcmp(name, LOCAL_TMP) == 0;
}

/* What vanishes meanwhile is not there. */
static int
read_entries(struct walk *walk, DIR *dir, struct entries *entries)
{
	struct dirent *found;
	struct stat st;

	for (errno = 0; (found = readdir(dir)) != NULL; errno = 0) {
		if (is_foreign(walk, found->d_name))
			continue;
		if (fstatat(dirfd(dir), found->d_name, &st,
			AT_SYMLINK_NOFOLLOW) != 0) {
			if (errno != ENOENT)
				return -1;
			continue;
		}
		if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))
			continue;
		if (add(entries, found->d_name, &st) != 0)
			return -1;
	}
	return errno == 0 ? 0 : -1;
}

/* Can a key that begins with this folder be wanted? */
static int
may_hold(const struct walk *walk, const char *folder)
{
	size_t len = strlen(folder), want = strlen(walk->prefix);

	if (strncmp(folder, walk->prefix, len < want ? len : want) != 0)
		return 0;
	return walk->after == NULL || strcmp(folder, walk->after) > 0 ||
	       strncmp(folder, walk->after, len) == 0;
}

static int
offer(const struct walk *walk, const char *key, uint64_t length)
{
	if (strncmp(key, walk->prefix, strlen(walk->prefix)) != 0)
		return SECOR_OK;
	if (walk->after != NULL && strcmp(key, walk->after) <= 0)
		return SECOR_OK;
	return walk->each(walk->arg, key, length) == 0 ? SECOR_OK : STOPPED;
}

static int walk_folder(struct walk *walk);

static int
walk_entry(struct walk *walk, const struct entry *entry)
{
	size_t before = strlen(walk->path), len = strlen(entry->name);
	const char *key = walk->path + walk->root;
	int status = SECOR_OK;

	if (before + len >= sizeof(walk->path))
		return SECOR_OK; /* no key of ours is that long */
	memcpy(walk->path + before, entry->name, len + 1);
	if (entry->name[len - 1] != '/')
		status = offer(walk, key, entry->length);
	else if (may_hold(walk, key))
		status = walk_folder(walk);
	walk->path[before] = '\0';
	return status;
}

static int
walk_folder(struct walk *walk)
{
	struct entries entries = {NULL, 0, 0};
	DIR *dir = opendir(walk->path);
	int status = SECOR_OK;
	size_t i;

	if (dir == NULL)
		return errno == ENOENT
			   ? SECOR_OK
			   : local_errno(walk->err, "list", walk->path);
	if (read_entries(walk, dir, &entries) != 0)
		status = local_errno(walk->err, "list", walk->path);
	(void)closedir(dir);
	if (entries.count > 0)
		qsort(entries.items, entries.count, sizeof(entries.items[0]),
		    by_name);
	for (i = 0; i < entries.count && status == SECOR_OK; i++)
		status = walk_entry(walk, &entries.items[i]);
	free_entries(&entries);
	return status;
}

int
local_list(void *self, const char *prefix, const char *after,
    int (*each)(void *arg, const char *key, uint64_t length), void *arg,
    struct secor_err *err)
{
	const struct local *local = self;
	struct walk walk = {.prefix = prefix != NULL ? prefix : "",
	    .after = after,
	    .each = each,
	    .arg = arg,
	    .err = err};
	int n, status;

	n = snprintf(walk.path, sizeof(walk.path), "%s/", local->conf->dir);
	if (n < 0 || (size_t)n >= sizeof(walk.path))
		return secor_fail(err, SECOR_FATAL, "list: `dir` is too long");
	walk.root = (size_t)n;
	status = walk_folder(&walk);
	return status == STOPPED ? SECOR_OK : status;
}
