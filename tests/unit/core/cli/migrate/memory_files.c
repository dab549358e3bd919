#include "tests/unit/core/cli/migrate/memory_files.h"

#include <string.h>

static int
load(
    void *arg, const char *path, char **bytes, size_t *n, struct secor_err *err)
{
	const struct memory_files *memory = arg;

	for (const struct memory_file *one = memory->files; one->path != NULL;
	     one++) {
		if (strcmp(one->path, path) != 0)
			continue;
		*n = strlen(one->text);
		*bytes = mem_dup(one->text, *n);
		return SECOR_OK;
	}
	return secor_fail(err, SECOR_RETRY, "%s: not here", path);
}

static void
say(void *arg, enum property_level level, const struct property_place *place,
    const char *text)
{
	struct memory_files *memory = arg;

	buf_printf(&memory->said, "%s:%d: %s: %s\n", place->file, place->line,
	    level == PROPERTY_ERROR ? "error" : "warning", text);
}

int
memory_files_read(struct memory_files *memory, struct properties *out,
    const struct secor_strings *defines)
{
	static const char *const FOLDERS[] = {"/classpath"};
	const struct secor_strings none = {NULL, 0};
	struct properties_how how = {.folders = FOLDERS,
	    .folder_count = 1,
	    .load = load,
	    .say = say,
	    .arg = memory};

	buf_puts(&memory->said, "");
	return properties_read(out, memory->files[0].path,
	    defines != NULL ? defines : &none, &how, NULL);
}
