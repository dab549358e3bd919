/*
 * descriptor.c -- see descriptor.h. Numbers of fields are those of
 * google/protobuf/descriptor.proto.
 */
#include "plugins/parser/protobuf/descriptor.h"

#include <errno.h>
#include <stdlib.h>

#define FILE_MAX (64 * 1024 * 1024)
#define LABEL_REPEATED 3

enum { FILE_PACKAGE = 2, FILE_MESSAGE = 4, FILE_ENUM = 5, FILE_SYNTAX = 12 };
enum {
	MESSAGE_NAME = 1,
	MESSAGE_FIELD = 2,
	MESSAGE_NESTED = 3,
	MESSAGE_ENUM = 4
};

/* A message or an enumeration that was found by its full name. */
struct found {
	struct secor_bytes bytes;
	int proto3;
	int64_t index[DESCRIPTOR_LEVELS];
	int levels;
};

struct field {
	struct secor_bytes name, json_name, type_name, instead;
	uint32_t number;
	uint64_t label, type;
	int of_oneof, optional;
};

static int
same(struct secor_bytes a, const char *text, size_t len)
{
	return a.len == len && (len == 0 || memcmp(a.ptr, text, len) == 0);
}

/* The last field of that number; null when there is none. */
static struct secor_bytes
bytes_of(struct secor_bytes message, uint32_t number)
{
	struct wire wire = wire_of(message);
	struct secor_bytes bytes = {NULL, 0};
	struct protobuf_item item;
	const char *why;

	while (protobuf_next(&wire, &item, &why))
		if (item.number == number && item.encoding == 2)
			bytes = item.bytes;
	return bytes;
}

/* Where the rest of a full name goes on behind `first`, or NULL. */
static const char *
behind(const char *name, struct secor_bytes first)
{
	if (first.len == 0)
		return name;
	if (strncmp(name, first.ptr, first.len) != 0 || name[first.len] != '.')
		return NULL;
	return name + first.len + 1;
}

/* ---- messages and enumerations by name ---- */

/* Looks for a message (`wanted_enum`: or an enumeration) among those that are
 * field `messages` (`enums`) of `in`. */
static int
find_in(struct secor_bytes in, int file, int wanted_enum, const char *name,
    struct found *found)
{
	uint32_t messages = file ? FILE_MESSAGE : MESSAGE_NESTED;
	uint32_t enums = file ? FILE_ENUM : MESSAGE_ENUM;
	int level = found->levels++;
	struct wire wire = wire_of(in);
	struct protobuf_item item;
	int64_t at = -1;
	const char *why;

	while (level < DESCRIPTOR_LEVELS && protobuf_next(&wire, &item, &why)) {
		struct secor_bytes first;
		const char *rest;

		if (item.encoding != 2 ||
		    (item.number != messages && item.number != enums))
			continue;
		at += item.number == messages;
		found->index[level] = at;
		first = bytes_of(item.bytes, MESSAGE_NAME);
		if (same(first, name, strlen(name)) &&
		    (item.number == enums) == wanted_enum) {
			found->bytes = item.bytes;
			return 1;
		}
		rest = first.len > 0 ? behind(name, first) : NULL;
		if (item.number == messages && rest != NULL &&
		    find_in(item.bytes, 0, wanted_enum, rest, found))
			return 1;
	}
	found->levels--;
	return 0;
}

/* By its full name, with or without a dot in front. */
static int
find(const struct descriptor *d, int wanted_enum, const char *name,
    struct found *found)
{
	struct wire wire = wire_of((struct secor_bytes){d->bytes, d->len});
	struct protobuf_item item;
	const char *why;

	name += name[0] == '.';
	while (protobuf_next(&wire, &item, &why)) {
		const char *rest;

		if (item.number != 1 || item.encoding != 2)
			continue;
		rest = behind(name, bytes_of(item.bytes, FILE_PACKAGE));
		memset(found, 0, sizeof(*found));
		if (rest != NULL &&
		    find_in(item.bytes, 1, wanted_enum, rest, found)) {
			found->proto3 = same(
			    bytes_of(item.bytes, FILE_SYNTAX), "proto3", 6);
			return 1;
		}
	}
	return 0;
}

/* ---- fields ---- */

static void
read_field(struct secor_bytes bytes, struct field *f)
{
	struct wire wire = wire_of(bytes);
	struct protobuf_item item;
	const char *why;

	memset(f, 0, sizeof(*f));
	while (protobuf_next(&wire, &item, &why)) {
		switch (item.number << 3 | item.encoding) {
		case 1 << 3 | 2:
			f->name = item.bytes;
			break;
		case 3 << 3:
			f->number = (uint32_t)item.bits;
			break;
		case 4 << 3:
			f->label = item.bits;
			break;
		case 5 << 3:
			f->type = item.bits;
			break;
		case 6 << 3 | 2:
			f->type_name = item.bytes;
			break;
		case 7 << 3 | 2:
			f->instead = item.bytes;
			break;
		case 9 << 3:
			f->of_oneof = 1;
			break;
		case 10 << 3 | 2:
			f->json_name = item.bytes;
			break;
		case 17 << 3:
			f->optional = item.bits != 0;
			break;
		default:
			break;
		}
	}
}

/* By its name, its name in JSON, or its number. */
static int
find_field(
    const struct found *message, const struct wanted *node, struct field *f)
{
	struct wire wire = wire_of(message->bytes);
	struct protobuf_item item;
	const char *why;

	while (protobuf_next(&wire, &item, &why)) {
		if (item.number != MESSAGE_FIELD || item.encoding != 2)
			continue;
		read_field(item.bytes, f);
		if (same(f->name, node->name, node->len) ||
		    same(f->json_name, node->name, node->len) ||
		    (node->number > 0 && (int64_t)f->number == node->number))
			return 1;
	}
	return 0;
}

/* A NUL-ended copy of a type's name. */
static int
find_type(const struct descriptor *d, int wanted_enum, const struct field *f,
    struct found *found)
{
	char *name = strndup(
	    f->type_name.ptr == NULL ? "" : f->type_name.ptr, f->type_name.len);
	int there = name != NULL && find(d, wanted_enum, name, found);

	free(name);
	return there;
}

/* Of an enumeration of proto3: that of 0. */
static struct secor_bytes
first_name(struct secor_bytes values)
{
	struct wire wire = wire_of(values);
	struct protobuf_item item;
	const char *why;

	while (protobuf_next(&wire, &item, &why))
		if (item.number == 2 && item.encoding == 2)
			return bytes_of(item.bytes, 1);
	return (struct secor_bytes){"0", 1};
}

/* What a field without presence of its own is when it is not on the wire. */
static struct secor_bytes
instead_of(const struct found *message, const struct field *f,
    const struct protobuf_field *use)
{
	static const struct secor_bytes zero = {"0", 1}, no = {"false", 5},
					empty = {"", 0}, none = {NULL, 0};

	if (f->instead.ptr != NULL)
		return f->instead;
	if (!message->proto3 || f->of_oneof || f->optional)
		return none;
	switch (f->type) {
	case PB_MESSAGE:
	case PB_GROUP:
		return none;
	case PB_BOOL:
		return no;
	case PB_STRING:
	case PB_BYTES:
		return empty;
	case PB_ENUM:
		return first_name(use->values);
	default:
		return zero;
	}
}

static int resolve(const struct descriptor *d, const struct found *message,
    struct wanted *root, struct secor_err *err);

static int
resolve_below(const struct descriptor *d, const struct field *f,
    struct wanted *node, struct secor_err *err)
{
	struct found found;

	if (node->below == NULL)
		return SECOR_OK;
	if (f->type != PB_MESSAGE && f->type != PB_GROUP)
		return secor_fail(err, SECOR_FATAL,
		    "field '%s' is no message: '%s' cannot be in it",
		    node->name, node->below->name);
	if (!find_type(d, 0, f, &found))
		return secor_fail(err, SECOR_FATAL,
		    "the type %.*s of field '%s' is not in the descriptor set "
		    "(protoc --include_imports)",
		    (int)f->type_name.len, f->type_name.ptr, node->name);
	return resolve(d, &found, node, err);
}

static int
resolve_node(const struct descriptor *d, const struct found *message,
    struct wanted *node, struct secor_err *err)
{
	static const char timestamp[] = ".google.protobuf.Timestamp";
	struct protobuf_field *use;
	struct secor_bytes name;
	struct found found;
	struct field f;

	name = bytes_of(message->bytes, MESSAGE_NAME);
	if (!find_field(message, node, &f))
		return secor_fail(err, SECOR_FATAL,
		    "message %.*s has no field '%s'", (int)name.len, name.ptr,
		    node->name);
	if (f.label == LABEL_REPEATED)
		return secor_fail(err, SECOR_FATAL,
		    "field '%s' of message %.*s is repeated: it has no single "
		    "value",
		    node->name, (int)name.len, name.ptr);
	use = calloc(1, sizeof(*use));
	if (use == NULL)
		return secor_fail(err, SECOR_FATAL, "out of memory");
	node->use = use;
	node->number = f.number;
	use->type = (int)f.type;
	if (same(f.type_name, timestamp, sizeof(timestamp) - 1))
		use->type = PB_TIMESTAMP;
	if (f.type == PB_ENUM && find_type(d, 1, &f, &found))
		use->values = found.bytes;
	use->instead = instead_of(message, &f, use);
	return resolve_below(d, &f, node, err);
}

static int
resolve(const struct descriptor *d, const struct found *message,
    struct wanted *root, struct secor_err *err)
{
	struct secor_bytes name = bytes_of(message->bytes, MESSAGE_NAME);

	for (struct wanted *at = root->below; at != NULL; at = at->next) {
		const struct wanted *twin = root->below;

		if (resolve_node(d, message, at, err) != SECOR_OK)
			return SECOR_FATAL;
		while (twin != at && twin->number != at->number)
			twin = twin->next;
		if (twin != at)
			return secor_fail(err, SECOR_FATAL,
			    "field '%s' of message %.*s is asked for as '%s' "
			    "too",
			    at->name, (int)name.len, name.ptr, twin->name);
	}
	return SECOR_OK;
}

/* ---- the file ---- */

static int
read_file(struct descriptor *d, const char *path, struct secor_err *err)
{
	FILE *file = fopen(path, "rbe");
	size_t got;

	if (file == NULL)
		return secor_fail(
		    err, SECOR_FATAL, "%s: %s", path, strerror(errno));
	d->bytes = malloc(FILE_MAX + 1);
	got = d->bytes == NULL ? 0 : fread(d->bytes, 1, FILE_MAX + 1, file);
	d->len = got;
	(void)fclose(file);
	if (got == 0 || got > FILE_MAX)
		return secor_fail(err, SECOR_FATAL,
		    "%s: is empty, cannot be read or is over 64 MiB", path);
	return SECOR_OK;
}

static int
check_file(const struct descriptor *d, const char *path, struct secor_err *err)
{
	struct wire wire = wire_of((struct secor_bytes){d->bytes, d->len});
	struct protobuf_item item;
	const char *why;

	while (protobuf_next(&wire, &item, &why))
		continue;
	if (why != NULL)
		return secor_fail(err, SECOR_FATAL,
		    "%s is no descriptor set (protoc --descriptor_set_out)",
		    path);
	return SECOR_OK;
}

int
descriptor_open(struct descriptor *d, const char *file, const char *message,
    struct wanted *root, struct secor_err *err)
{
	struct found found;

	if (read_file(d, file, err) != SECOR_OK ||
	    check_file(d, file, err) != SECOR_OK)
		return SECOR_FATAL;
	if (!find(d, 0, message, &found))
		return secor_fail(err, SECOR_FATAL,
		    "%s has no message '%s' (its full name, like "
		    "logs.v1.Event)",
		    file, message);
	memcpy(d->index, found.index, sizeof(d->index));
	d->levels = found.levels;
	return resolve(d, &found, root, err);
}

void
descriptor_close(struct descriptor *d)
{
	free(d->bytes);
	d->bytes = NULL;
}
