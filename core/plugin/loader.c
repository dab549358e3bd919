/*
 * loader.c -- from `use:` to an opened plugin.
 *
 * A file is opened once a process and never closed: its code may be anywhere.
 * Nothing is opened that others may write.
 */
#include "core/base/buf.h"
#include "core/base/files.h"
#include "core/plugin/accept.h"

#include <assert.h>
#include <dirent.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct entry {
	struct plugin plugin;
	struct entry *next;
};

struct registry {
	char **folders;
	size_t folder_count;
	struct entry *entries;
	int load;
};

/* ---- the folders ---- */

static void
add_folder(struct registry *registry, char *folder)
{
	size_t n = registry->folder_count;

	registry->folders =
	    mem_grow(registry->folders, (n + 1) * sizeof(char *));
	registry->folders[n] = folder;
	registry->folder_count = n + 1;
}

/* plugins/ beside the running binary. */
static void
add_own_folder(struct registry *registry)
{
	char exe[4096];
	ssize_t len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	char *slash;

	if (len <= 0)
		return;
	exe[len] = '\0';
	slash = strrchr(exe, '/');
	assert(slash != NULL);
	*slash = '\0';
	add_folder(registry, mem_text("%s/plugins", exe));
}

struct registry *
registry_new(const char *path, int load)
{
	struct registry *registry = mem_alloc(sizeof(*registry));
	char *copy, *save = NULL;

	registry->load = load;
	if (path != NULL) {
		copy = mem_dup(path, strlen(path));
		for (char *one = strtok_r(copy, ":", &save); one != NULL;
		     one = strtok_r(NULL, ":", &save))
			add_folder(registry, mem_dup(one, strlen(one)));
		free(copy);
	}
	add_own_folder(registry);
	add_folder(registry, mem_text("%s", SECOR_PREFIX "/lib/secor/plugins"));
	return registry;
}

void
registry_free(struct registry *registry)
{
	struct entry *next;

	if (registry == NULL)
		return;
	for (struct entry *entry = registry->entries; entry != NULL;
	     entry = next) {
		next = entry->next;
		plugin_fini(&entry->plugin);
		free(entry);
	}
	for (size_t i = 0; i < registry->folder_count; i++)
		free(registry->folders[i]);
	free(registry->folders);
	free(registry);
}

int
registry_loads(const struct registry *registry)
{
	return registry->load;
}

/* ---- what is in them ---- */

struct names {
	char **items;
	size_t count;
};

static void
names_free(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->items[i]);
	free(names->items);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names of all <folder>/<kind>/<name>.so, sorted. */
static void
list_names(const char *folder, int kind, struct names *names)
{
	char *path = mem_text("%s/%s", folder, kind_name(kind));
	DIR *dir = opendir(path);
	struct dirent *file;

	free(path);
	if (dir == NULL)
		return;
	while ((file = readdir(dir)) != NULL) {
		size_t len = strlen(file->d_name);

		if (len <= 3 || strcmp(file->d_name + len - 3, ".so") != 0)
			continue;
		names->items =
		    mem_grow(names->items, (names->count + 1) * sizeof(char *));
		names->items[names->count++] = mem_dup(file->d_name, len - 3);
	}
	(void)closedir(dir);
	if (names->count > 0)
		qsort(names->items, names->count, sizeof(char *), by_name);
}

/* The first <folder>/<kind>/<name>.so that is there, or NULL. */
static char *
search(const struct registry *registry, int kind, const char *name)
{
	for (size_t i = 0; i < registry->folder_count; i++) {
		char *file = mem_text(
		    "%s/%s/%s.so", registry->folders[i], kind_name(kind), name);

		if (access(file, F_OK) == 0)
			return file;
		free(file);
	}
	return NULL;
}

static int
fail_not_found(const struct registry *registry, int kind, const char *name,
    struct secor_err *err)
{
	struct names names = {0};
	const char *near;
	char *file;

	for (size_t i = 0; i < registry->folder_count; i++)
		list_names(registry->folders[i], kind, &names);
	near =
	    nearest_word(name, (const char *const *)names.items, names.count);
	if (near != NULL) {
		(void)secor_fail(err, SECOR_FATAL,
		    "no %s '%s'; did you mean '%s'?", kind_name(kind), name,
		    near);
		names_free(&names);
		return SECOR_FATAL;
	}
	names_free(&names);
	for (int other = SECOR_TRANSFORMER; other <= SECOR_TOKEN; other++) {
		file = search(registry, other, name);
		if (file == NULL)
			continue;
		free(file);
		return secor_fail(err, SECOR_FATAL,
		    "no %s '%s'; there is a %s of this name", kind_name(kind),
		    name, kind_name(other));
	}
	return secor_fail(err, SECOR_FATAL,
	    "no %s '%s'; `secor plugins` lists what there is, a file of your "
	    "own is `use: ./file.so`",
	    kind_name(kind), name);
}

/* ---- opening ---- */

static int
check_trust(const char *file, struct secor_err *err)
{
	const char *slash = strrchr(file, '/');
	char *folder = slash > file ? mem_dup(file, (size_t)(slash - file))
				    : mem_dup("/", 1);
	int rc = SECOR_OK;

	if (file_others_may_write(file))
		rc = secor_fail(err, SECOR_FATAL,
		    "%s: others may write it, so it is not loaded: chmod go-w "
		    "%s",
		    file, file);
	else if (file_others_may_write(folder))
		rc = secor_fail(err, SECOR_FATAL,
		    "%s: others may write its folder, so it is not loaded: "
		    "chmod go-w %s",
		    file, folder);
	free(folder);
	return rc;
}

/* The linker's words name the trouble; this says what mends it. */
static const char *
mend(const char *why)
{
	const char *symbol = strstr(why, "undefined symbol: ");

	if (symbol != NULL) {
		symbol += strlen("undefined symbol: ");
		if (strncmp(symbol, "_Z", 2) == 0 ||
		    strncmp(symbol, "__gxx_", 6) == 0 ||
		    strncmp(symbol, "__cxa_", 6) == 0)
			return ": link it with c++ instead of cc";
		return ": link the library that has it (-l..., or LIBS.x in "
		       "its Makefile)";
	}
	if (strstr(why, "ELF header") != NULL ||
	    strstr(why, "file too short") != NULL ||
	    strstr(why, "file data") != NULL)
		return ": it is no shared object (cc -shared -fPIC)";
	return "";
}

static int
open_file(const char *file, struct plugin *plugin, struct secor_err *err)
{
	const struct secor_plugin *(*entry)(void);
	void *handle, *symbol;
	int rc;

	if (access(file, R_OK) != 0)
		return secor_fail(err, SECOR_FATAL, "%s: %m", file);
	if ((rc = check_trust(file, err)) != SECOR_OK)
		return rc;
	handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);
	if (handle == NULL) {
		const char *why = dlerror();
		size_t len = strlen(file);

		/* the linker's text begins with the file most of the time */
		if (strncmp(why, file, len) == 0 && why[len] == ':')
			why += len + 1 + (why[len + 1] == ' ');
		return secor_fail(err, SECOR_FATAL,
		    "%s: the system cannot load it: %s%s", file, why,
		    mend(why));
	}
	symbol = dlsym(handle, "secor_plugin_entry");
	if (symbol == NULL)
		return secor_fail(err, SECOR_FATAL,
		    "%s: is not a secor plugin: it does not export "
		    "secor_plugin_entry (mark the function SECOR_EXPORT)",
		    file);
	memcpy(&entry, &symbol, sizeof(entry));
	return plugin_accept(entry(), file, plugin, err);
}

static const struct plugin *
find_opened(const struct registry *registry, const char *file)
{
	for (struct entry *entry = registry->entries; entry != NULL;
	     entry = entry->next) {
		if (strcmp(entry->plugin.file, file) == 0)
			return &entry->plugin;
	}
	return NULL;
}

static int
open_once(struct registry *registry, const char *file,
    const struct plugin **plugin, struct secor_err *err)
{
	struct entry *entry;
	int rc;

	*plugin = find_opened(registry, file);
	if (*plugin != NULL)
		return SECOR_OK;
	entry = mem_alloc(sizeof(*entry));
	rc = open_file(file, &entry->plugin, err);
	if (rc != SECOR_OK) {
		free(entry);
		return rc;
	}
	entry->next = registry->entries;
	registry->entries = entry;
	*plugin = &entry->plugin;
	return SECOR_OK;
}

static char *
own_file(const char *use, const char *base_dir)
{
	if (use[0] == '/')
		return mem_dup(use, strlen(use));
	while (strncmp(use, "./", 2) == 0)
		use += 2;
	return mem_text("%s/%s", base_dir != NULL ? base_dir : ".", use);
}

int
registry_find(struct registry *registry, int kind, const char *use,
    const char *base_dir, const struct plugin **plugin, struct secor_err *err)
{
	const struct plugin *found = NULL;
	size_t len = strlen(use);
	char *file;
	int rc;

	if (!registry->load)
		return secor_fail(err, SECOR_RETRY,
		    "%s '%s' was not looked at (--no-load)", kind_name(kind),
		    use);
	if (strchr(use, '/') != NULL)
		file = own_file(use, base_dir);
	else if (len > 3 && strcmp(use + len - 3, ".so") == 0)
		return secor_fail(err, SECOR_FATAL,
		    "no %s '%s'; a file is written with its folder: use: ./%s",
		    kind_name(kind), use, use);
	else if ((file = search(registry, kind, use)) == NULL)
		return fail_not_found(registry, kind, use, err);
	rc = open_once(registry, file, &found, err);
	if (rc == SECOR_OK && kind != 0 && found->desc.kind != kind)
		rc = secor_fail(err, SECOR_FATAL,
		    "%s: is a %s, not a %s: name it in that section", file,
		    kind_name(found->desc.kind), kind_name(kind));
	if (rc == SECOR_OK)
		*plugin = found;
	free(file);
	return rc;
}

static int
seen_before(
    const struct registry *registry, size_t folder, int kind, const char *name)
{
	char *first = search(registry, kind, name);
	char *this = mem_text(
	    "%s/%s/%s.so", registry->folders[folder], kind_name(kind), name);
	int seen = first == NULL || strcmp(first, this) != 0;

	free(first);
	free(this);
	return seen;
}

static void
each_of(struct registry *registry, size_t folder, int kind,
    void (*each)(void *arg, const struct plugin *plugin, const char *file,
	const char *why_not),
    void *arg)
{
	struct names names = {0};

	list_names(registry->folders[folder], kind, &names);
	for (size_t i = 0; i < names.count; i++) {
		const struct plugin *plugin = NULL;
		struct secor_err err = {""};
		char *file;

		if (seen_before(registry, folder, kind, names.items[i]))
			continue; /* an earlier folder comes first */
		file = search(registry, kind, names.items[i]);
		if (registry_find(registry, kind, names.items[i], NULL, &plugin,
			&err) == SECOR_OK)
			each(arg, plugin, file, NULL);
		else
			each(arg, NULL, file, err.text);
		free(file);
	}
	names_free(&names);
}

void
registry_each(struct registry *registry,
    void (*each)(void *arg, const struct plugin *plugin, const char *file,
	const char *why_not),
    void *arg)
{
	for (int kind = SECOR_TRANSFORMER; kind <= SECOR_TOKEN; kind++) {
		for (size_t i = 0; i < registry->folder_count; i++)
			each_of(registry, i, kind, each, arg);
	}
}
