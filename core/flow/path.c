/*
 * path.c -- see path.h.
 */
#include "core/flow/path.h"

#include "core/base/text.h"
#include "core/config/layout.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_PARTITION "__HIVE_DEFAULT_PARTITION__"

static int
must_escape(unsigned char c)
{
	return c < 0x20 || c == 0x7f || strchr("\"#%'*/:=?\\{[]^", c) != NULL;
}

static int
is_dots(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i] != '.')
			return 0;
	return 1;
}

static void
escape_byte(struct buf *out, char c)
{
	buf_printf(out, "%%%02X", (unsigned)(unsigned char)c);
}

void
path_escape(struct buf *out, const char *bytes, size_t len)
{
	int dots = is_dots(bytes, len);

	if (bytes == NULL || len == 0) {
		buf_puts(out, DEFAULT_PARTITION);
		return;
	}
	for (size_t at = 0; at < len;) {
		size_t n = utf8_char(bytes + at, len - at);

		if (n > 1)
			buf_put(out, bytes + at, n);
		else if (n == 0 || dots ||
			 must_escape((unsigned char)bytes[at]))
			escape_byte(out, bytes[at]);
		else
			buf_putc(out, bytes[at]);
		at += n == 0 ? 1 : n;
	}
}

int
path_level(struct buf *out, const struct secor_level_text *level,
    struct secor_err *err)
{
	size_t before = out->len;
	size_t len;

	if (level->name.len > 0) {
		path_escape(out, level->name.ptr, level->name.len);
		buf_putc(out, '=');
	}
	path_escape(out, level->value.ptr, level->value.len);
	len = out->len - before;
	if (len <= PATH_COMPONENT_MAX)
		return SECOR_OK;
	out->len = before;
	out->ptr[before] = '\0';
	return secor_fail(err, SECOR_REJECT,
	    "path component too long: %zu bytes of %d", len,
	    PATH_COMPONENT_MAX);
}

static int
escaped_byte(const char *at, size_t left, char *byte)
{
	int high, low;

	if (left < 3 || at[0] != '%')
		return 0;
	high = hex_digit(at[1]);
	low = hex_digit(at[2]);
	if (high < 0 || low < 0)
		return 0;
	*byte = (char)(high << 4 | low);
	return 1;
}

static void
unescape(struct buf *out, const char *bytes, size_t len, int keep_nul)
{
	for (size_t at = 0; at < len; at++) {
		char c = bytes[at];

		if (escaped_byte(bytes + at, len - at, &c) &&
		    !(c == '\0' && keep_nul))
			at += 2;
		else
			c = bytes[at];
		buf_putc(out, c);
	}
}

void
path_unescape(struct buf *out, const char *bytes, size_t len)
{
	unescape(out, bytes, len, 0);
}

static size_t
count_levels(const char *path)
{
	size_t n = path[0] != '\0';

	for (const char *at = path; *at != '\0'; at++)
		n += *at == '/';
	return n;
}

/* Appends one component's name and value, each with its NUL. Where they begin
 * goes out as offsets: the buffer still moves. */
static void
split_component(struct buf *text, const char *part, size_t len, size_t at[2])
{
	const char *equals = memchr(part, '=', len);
	size_t name = equals == NULL ? 0 : (size_t)(equals - part);
	const char *value = equals == NULL ? part : equals + 1;
	size_t value_len = len - (size_t)(value - part);

	at[0] = text->len;
	unescape(text, part, name, 1);
	buf_putc(text, '\0');
	at[1] = SIZE_MAX;
	if (value_len == strlen(DEFAULT_PARTITION) &&
	    memcmp(value, DEFAULT_PARTITION, value_len) == 0)
		return;
	at[1] = text->len;
	unescape(text, value, value_len, 1);
	buf_putc(text, '\0');
}

size_t
path_split(const char *path, struct secor_event_level **levels)
{
	size_t count = count_levels(path);
	size_t(*at)[2] = mem_alloc((count + 1) * sizeof(*at));
	struct buf text = {0};
	char *block;

	*levels = NULL;
	for (size_t i = 0; i < count; i++) {
		size_t len = strcspn(path, "/");

		split_component(&text, path, len, at[i]);
		path += len + (path[len] == '/');
	}
	if (count > 0) {
		*levels = mem_alloc(count * sizeof(**levels) + text.len);
		block = (char *)(*levels + count);
		memcpy(block, text.ptr, text.len);
		for (size_t i = 0; i < count; i++) {
			(*levels)[i].name = block + at[i][0];
			(*levels)[i].value =
			    at[i][1] == SIZE_MAX ? NULL : block + at[i][1];
		}
	}
	buf_fini(&text);
	free(at);
	return count;
}

char *
path_key(const struct path_name *name)
{
	char redrive[PATH_REDRIVE_MAX + 20] = "";

	if (name->redrive > 0)
		(void)snprintf(redrive, sizeof(redrive), "redrive%" PRId64 "_",
		    name->redrive);
	return mem_text("%s/%s%s%s%" PRId64 "_%" PRId32 "_%020" PRId64 "%s",
	    name->topic, name->path, name->path[0] == '\0' ? "" : "/", redrive,
	    name->generation, name->partition, name->start, name->extension);
}

const char *
path_after_redrive(const char *name, int64_t *redrive)
{
	static const char word[] = "redrive";
	char *end;

	if (strncmp(name, word, sizeof(word) - 1) != 0)
		return NULL;
	name += sizeof(word) - 1;
	if (name[0] < '1' || name[0] > '9')
		return NULL;
	*redrive = strtoll(name, &end, 10);
	return *end == '_' ? end + 1 : NULL;
}

/* ---- layout ---- */

/* The value of the last level of this name, or NULL. */
static const char *
level_value(const char *path, const char *name)
{
	size_t len = strlen(name);
	const char *value = NULL;

	for (const char *at = path; *at != '\0';) {
		size_t part = strcspn(at, "/");

		if (part > len && strncmp(at, name, len) == 0 && at[len] == '=')
			value = at + len + 1;
		at += part + (at[part] == '/');
	}
	return value;
}

static int
is_alternative(const struct config_layout *layout, const char *path)
{
	const char *value;

	if (layout->alternative_prefix == NULL)
		return 0;
	value = level_value(path, layout->alternative_level);
	return value != NULL && layout_begins_with_date(value) &&
	       strncmp(value, layout->alternative_from, LAYOUT_DATE) >= 0;
}

/* "d363/" of "t/dt=2014-07-21". */
static void
put_md5(struct buf *out, const struct path_name *name)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	char *text = mem_text("%s%s%s", name->topic,
	    name->path[0] == '\0' ? "" : "/", name->path);

	if (EVP_Digest(text, strlen(text), digest, NULL, EVP_md5(), NULL) != 1)
		abort(); /* no such digest in this OpenSSL: no key at all */
	buf_printf(out, "%02x%02x/", digest[0], digest[1]);
	free(text);
}

char *
path_object_key(const struct config *config, const struct path_name *name)
{
	struct path_name within = *name;
	struct buf folder = {0};
	char *key;

	if (config->layout.md5_prefix)
		put_md5(&folder, name);
	layout_folder(config, name->topic,
	    is_alternative(&config->layout, name->path), &folder);
	within.topic = folder.ptr;
	key = path_key(&within);
	buf_fini(&folder);
	return key;
}
