/*
 * hive_bodies.c -- what a metastore says, see hive_help.h.
 */
#include "tests/unit/plugins/notifier/hive_help.h"

#include <stdlib.h>

struct text
hive_void(void)
{
	struct text body = {0};

	thrift_put_stop(&body);
	return body;
}

struct text
hive_error(int id, const char *words)
{
	struct text body = {0};

	thrift_put_field(&body, THRIFT_STRUCT, id);
	thrift_put_string_field(&body, 1, words);
	thrift_put_stop(&body);
	thrift_put_stop(&body);
	return body;
}

/* A StorageDescriptor with fields that nobody knows, before and behind. */
static void
put_storage(struct text *to, const char *location)
{
	thrift_put_string_field(to, 77, "of tomorrow");
	thrift_put_string_field(to, 3, "input.format");
	thrift_put_string_field(to, 2, location);
	thrift_put_field(to, THRIFT_STRUCT, 78);
	thrift_put_string_field(to, 1, "too");
	thrift_put_stop(to);
	thrift_put_stop(to);
}

struct text
hive_table_is(const char *key, ...)
{
	struct text body = {0}, keys = {0};
	size_t n = 0;
	va_list ap;

	va_start(ap, key);
	for (; key != NULL; key = va_arg(ap, const char *), n++) {
		thrift_put_string_field(&keys, 1, key);
		thrift_put_string_field(&keys, 2, "string");
		thrift_put_stop(&keys);
	}
	va_end(ap);
	thrift_put_field(&body, THRIFT_STRUCT, 0);
	thrift_put_field(&body, THRIFT_STRUCT, 1);
	thrift_put_field(&body, THRIFT_STRUCT, 7);
	put_storage(&body, "s3://b/t");
	thrift_put_field(&body, THRIFT_LIST, 8);
	thrift_put_list(&body, THRIFT_STRUCT, n);
	text_add(&body, keys.ptr, keys.len);
	for (int i = 0; i < 3; i++)
		thrift_put_stop(&body);
	text_fini(&keys);
	return body;
}

struct text
hive_partition_is(const char *location, const char *rows)
{
	struct text body = {0};

	thrift_put_field(&body, THRIFT_STRUCT, 0);
	thrift_put_field(&body, THRIFT_I32, 4);
	thrift_put_i32(&body, 1234567);
	thrift_put_field(&body, THRIFT_STRUCT, 6);
	put_storage(&body, location);
	thrift_put_field(&body, THRIFT_MAP, 7);
	thrift_put_map(&body, rows != NULL ? 4 : 1);
	thrift_put_string(&body, "of");
	thrift_put_string(&body, "others");
	if (rows != NULL) {
		thrift_put_string(&body, "numRows");
		thrift_put_string(&body, rows);
		thrift_put_string(&body, "numFiles");
		thrift_put_string(&body, "3");
		thrift_put_string(&body, "totalSize");
		thrift_put_string(&body, "9000");
	}
	thrift_put_string_field(&body, 99, "unknown");
	thrift_put_stop(&body);
	thrift_put_stop(&body);
	return body;
}

const char *
hive_string(struct wire structure, const char *fields)
{
	static char text[1024];
	struct secor_bytes bytes;
	char *end;
	long id;

	(void)snprintf(text, sizeof(text), "(none)");
	for (;; fields = end + 1) {
		id = strtol(fields, &end, 10);
		if (*end == '\0')
			break;
		if (!thrift_find(structure, (int)id, THRIFT_STRUCT, &structure))
			return text;
	}
	if (thrift_find(structure, (int)id, THRIFT_STRING, &structure) &&
	    thrift_bytes(&structure, &bytes))
		(void)snprintf(
		    text, sizeof(text), "%.*s", (int)bytes.len, bytes.ptr);
	return text;
}
