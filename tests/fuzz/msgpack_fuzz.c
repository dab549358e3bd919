/*
 * msgpack_fuzz.c -- any bytes as MessagePack: what our reader takes, libmsgpack
 * takes too, and both find the same at the same path.
 */
#include "plugins/parser/msgpack/read.h"

#include <msgpack.h>

#include "tests/fuzz/fuzz.h"

static const char *const paths[] = {"a", "a.b", "a.0", "1", "ts"};
#define PATHS (sizeof(paths) / sizeof(paths[0]))

static void
setup(struct finder *finder)
{
	static const struct finder_conf conf = {
	    .separator = ".", .when = {.format = "auto", .timezone = "UTC"}};
	struct secor_open with = {
	    .size = sizeof(with), .fields = {paths, PATHS}, .no_time = 1};

	MUST(finder_open(finder, &conf, &with, NULL) == SECOR_OK);
}

static int
is_key(const msgpack_object *key, const char *name, size_t len)
{
	if (key->type == MSGPACK_OBJECT_STR)
		return key->via.str.size == len &&
		       memcmp(key->via.str.ptr, name, len) == 0;
	return key->type == MSGPACK_OBJECT_POSITIVE_INTEGER && len == 1 &&
	       name[0] >= '0' && name[0] <= '9' &&
	       key->via.u64 == (uint64_t)(name[0] - '0');
}

/* What libmsgpack has at a path, or NULL. */
static const msgpack_object *
find(const msgpack_object *at, const char *path)
{
	size_t len = strcspn(path, ".");
	const msgpack_object *found = NULL;

	if (at->type == MSGPACK_OBJECT_MAP) {
		for (uint32_t i = 0; i < at->via.map.size; i++)
			if (is_key(&at->via.map.ptr[i].key, path, len))
				found = &at->via.map.ptr[i].val;
	} else if (at->type == MSGPACK_OBJECT_ARRAY && path[0] >= '0' &&
		   path[0] <= '9' &&
		   (uint32_t)(path[0] - '0') < at->via.array.size) {
		found = &at->via.array.ptr[path[0] - '0'];
	}
	if (found == NULL || path[len] == '\0')
		return found;
	return find(found, path + len + 1);
}

static void
compare(const struct scalar *ours, const msgpack_object *theirs)
{
	if (theirs == NULL) {
		MUST(ours->kind == SCALAR_ABSENT);
		return;
	}
	switch (theirs->type) {
	case MSGPACK_OBJECT_NIL:
		MUST(ours->kind == SCALAR_NULL);
		break;
	case MSGPACK_OBJECT_BOOLEAN:
		MUST(ours->kind == SCALAR_BOOL &&
		     ours->i == theirs->via.boolean);
		break;
	case MSGPACK_OBJECT_POSITIVE_INTEGER:
		MUST(ours->kind == SCALAR_UINT || ours->kind == SCALAR_INT);
		MUST(ours->u == theirs->via.u64);
		break;
	case MSGPACK_OBJECT_NEGATIVE_INTEGER:
		MUST(ours->kind == SCALAR_INT && ours->i == theirs->via.i64);
		break;
	case MSGPACK_OBJECT_FLOAT32:
	case MSGPACK_OBJECT_FLOAT64:
		MUST(ours->kind == SCALAR_FLOAT || ours->kind == SCALAR_DOUBLE);
		MUST(memcmp(&ours->d, &theirs->via.f64, 8) == 0 ||
		     ours->d != ours->d);
		break;
	case MSGPACK_OBJECT_STR:
	case MSGPACK_OBJECT_BIN:
		MUST(ours->kind == SCALAR_TEXT || ours->kind == SCALAR_BYTES);
		MUST(ours->bytes.len == theirs->via.str.size);
		MUST(ours->bytes.len == 0 ||
		     memcmp(ours->bytes.ptr, theirs->via.str.ptr,
			 ours->bytes.len) == 0);
		break;
	case MSGPACK_OBJECT_EXT:
		MUST(ours->kind == SCALAR_TIME || ours->kind == SCALAR_BAD);
		break;
	default:
		MUST(ours->kind == SCALAR_COMPOUND);
	}
}

/* libmsgpack takes counts at their word, and asks for the memory. */
static int
may_count_high(const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (data[i] == 0xdd || data[i] == 0xdf)
			return 1;
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct finder finder;
	struct secor_bytes bytes = {(const char *)data, size};
	msgpack_unpack_return rc;
	msgpack_unpacked theirs;
	size_t end = 0;
	const char *why;

	if (finder.values == NULL)
		setup(&finder);
	finder_begin(&finder);
	why = msgpack_read(&finder, bytes);
	if (why != NULL && may_count_high(data, size))
		return 0;
	msgpack_unpacked_init(&theirs);
	rc = msgpack_unpack_next(&theirs, (const char *)data, size, &end);
	if (why != NULL)
		MUST(rc != MSGPACK_UNPACK_SUCCESS || end != size);
	else
		MUST(rc != MSGPACK_UNPACK_PARSE_ERROR &&
		     rc != MSGPACK_UNPACK_CONTINUE);
	if (why == NULL && rc == MSGPACK_UNPACK_SUCCESS)
		for (size_t i = 0; i < PATHS; i++)
			compare(&finder.values[finder.field_slots[i]],
			    find(&theirs.data, paths[i]));
	msgpack_unpacked_destroy(&theirs);
	return 0;
}
