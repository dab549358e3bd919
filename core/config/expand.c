/*
 * expand.c -- see expand.h. No text here ever quotes what came out.
 */
#include "core/config/expand.h"

#include "core/base/buf.h"
#include "core/base/files.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { LARGEST_SECRET = 64 * 1024 };

static int
valid_name(const char *name)
{
	if (*name == '\0' || isdigit((unsigned char)*name))
		return 0;
	for (; *name != '\0'; name++) {
		if (!isalnum((unsigned char)*name) && *name != '_')
			return 0;
	}
	return 1;
}

/* `inside` is what stands between ${ and }. */
static int
put_variable(struct buf *out, char *inside, struct secor_err *err)
{
	char *fallback = strstr(inside, ":-");
	const char *value;

	if (fallback != NULL) {
		*fallback = '\0';
		fallback += 2;
	}
	if (!valid_name(inside))
		return secor_fail(err, SECOR_REJECT,
		    "'${%s}' names no environment variable; a plain $ before "
		    "{ is written $$",
		    inside);
	value = getenv(inside);
	if (fallback != NULL && (value == NULL || *value == '\0'))
		value = fallback;
	if (value == NULL)
		return secor_fail(err, SECOR_REJECT,
		    "environment variable '%s' is not set (a default is "
		    "written ${%s:-default})",
		    inside, inside);
	buf_puts(out, value);
	return SECOR_OK;
}

int
expand_text(const char *raw, char **out, struct secor_err *err)
{
	struct buf text = {0};
	int rc = SECOR_OK;

	buf_puts(&text, "");
	while (*raw != '\0' && rc == SECOR_OK) {
		const char *end;
		char *inside;

		if (raw[0] != '$' || (raw[1] != '$' && raw[1] != '{')) {
			buf_putc(&text, *raw++);
			continue;
		}
		if (raw[1] == '$') {
			buf_putc(&text, '$');
			raw += 2;
			continue;
		}
		end = strchr(raw, '}');
		if (end == NULL) {
			rc = secor_fail(err, SECOR_REJECT,
			    "'${' has no '}' (a plain ${ is written $${)");
			break;
		}
		inside = mem_dup(raw + 2, (size_t)(end - raw - 2));
		rc = put_variable(&text, inside, err);
		free(inside);
		raw = end + 1;
	}
	if (rc != SECOR_OK) {
		buf_fini(&text);
		return rc;
	}
	*out = buf_take(&text);
	return SECOR_OK;
}

char *
expand_path(const char *path, const char *base_dir)
{
	if (path[0] == '/' || strcmp(base_dir, ".") == 0)
		return mem_dup(path, strlen(path));
	while (strncmp(path, "./", 2) == 0)
		path += 2;
	return mem_text("%s/%s", base_dir, path);
}

int
secret_file_check(const char *path, struct secor_err *err)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return secor_fail(err, SECOR_REJECT, "%s: %m", path);
	if (!S_ISREG(st.st_mode))
		return secor_fail(
		    err, SECOR_REJECT, "%s: is not a plain file", path);
	if ((st.st_mode & (S_IRWXO | S_IWGRP)) != 0)
		return secor_fail(err, SECOR_REJECT,
		    "%s: others may read or change this secret: chmod 600 %s",
		    path, path);
	return SECOR_OK;
}

static int
read_secret(const char *path, char **out, struct secor_err *err)
{
	struct secor_err why = {""};
	char *bytes;
	size_t n;
	int rc = secret_file_check(path, err);

	if (rc != SECOR_OK)
		return rc;
	rc = file_read(path, LARGEST_SECRET, &bytes, &n, &why);
	if (rc != SECOR_OK)
		return secor_fail(err, SECOR_REJECT, "%s", why.text);
	if (memchr(bytes, '\0', n) != NULL) {
		free(bytes);
		return secor_fail(
		    err, SECOR_REJECT, "%s: has a NUL byte in it", path);
	}
	while (n > 0 && (bytes[n - 1] == '\n' || bytes[n - 1] == '\r'))
		bytes[--n] = '\0';
	if (n == 0) {
		free(bytes);
		return secor_fail(err, SECOR_REJECT, "%s: is empty", path);
	}
	*out = bytes;
	return SECOR_OK;
}

int
expand_secret(
    const char *text, const char *base_dir, char **out, struct secor_err *err)
{
	char *path;
	int rc;

	if (strncmp(text, "file:", 5) != 0) {
		*out = mem_dup(text, strlen(text));
		return SECOR_OK;
	}
	path = expand_path(text + 5, base_dir);
	rc = read_secret(path, out, err);
	free(path);
	return rc;
}
