/*
 * shape.c -- see shape.h. Numbers are ids of hive_metastore.thrift.
 */
#include "plugins/notifier/hive-metastore/shape.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
	FIELD_NAME = 1, /* FieldSchema */
	FIELD_TYPE = 2,

	SERDE_LIB = 2, /* SerDeInfo */
	SERDE_PARAMETERS = 3,

	SD_COLS = 1, /* StorageDescriptor */
	SD_LOCATION = 2,
	SD_INPUT = 3,
	SD_OUTPUT = 4,
	SD_COMPRESSED = 5,
	SD_BUCKETS = 6,
	SD_SERDE = 7,
	SD_BUCKET_COLS = 8,
	SD_SORT_COLS = 9,
	SD_PARAMETERS = 10,

	TABLE_NAME = 1,
	TABLE_DB = 2,
	TABLE_OWNER = 3,
	TABLE_CREATED = 4,
	TABLE_ACCESSED = 5,
	TABLE_SD = 7,
	TABLE_KEYS = 8,
	TABLE_PARAMETERS = 9,
	TABLE_TYPE = 12,

	PART_VALUES = 1, /* Partition */
	PART_DB = 2,
	PART_TABLE = 3,
	PART_CREATED = 4,
	PART_ACCESSED = 5,
	PART_SD = 6,
	PART_PARAMETERS = 7
};

/* ---- reading a table ---- */

static char *
copy_name(struct wire column)
{
	struct secor_bytes name;
	struct wire value;
	char *copy;

	if (!thrift_find(column, FIELD_NAME, THRIFT_STRING, &value) ||
	    !thrift_bytes(&value, &name))
		return NULL;
	copy = malloc(name.len + 1);
	if (copy == NULL)
		return NULL;
	memcpy(copy, name.ptr, name.len);
	copy[name.len] = '\0';
	return copy;
}

static int
read_keys(struct table_shape *shape, struct wire list)
{
	uint32_t count;

	if (!thrift_list(&list, THRIFT_STRUCT, &count) ||
	    count > wire_left(&list))
		return 0;
	shape->keys = calloc((size_t)count + 1, sizeof(*shape->keys));
	if (shape->keys == NULL)
		return 0;
	for (uint32_t i = 0; i < count; i++) {
		struct wire column = list;

		if (thrift_skip(&list, THRIFT_STRUCT) != THRIFT_WHOLE)
			return 0;
		column.end = list.at;
		shape->keys[i] = copy_name(column);
		if (shape->keys[i] == NULL)
			return 0;
		shape->key_count++;
	}
	return 1;
}

int
table_read(struct wire table, struct table_shape *shape, struct secor_err *err)
{
	struct wire whole, keys;

	memset(shape, 0, sizeof(*shape));
	text_add(&shape->bytes, (const char *)table.at, wire_left(&table));
	if (shape->bytes.failed)
		return secor_fail(err, SECOR_RETRY, "out of memory");
	whole =
	    wire_of((struct secor_bytes){shape->bytes.ptr, shape->bytes.len});
	if (thrift_find(whole, TABLE_SD, THRIFT_STRUCT, &shape->sd) &&
	    thrift_find(whole, TABLE_KEYS, THRIFT_LIST, &keys) &&
	    read_keys(shape, keys))
		return SECOR_OK;
	table_fini(shape);
	return secor_fail(err, SECOR_RETRY,
	    "the table's description has no storage or no partition keys");
}

void
table_fini(struct table_shape *shape)
{
	for (size_t i = 0; i < shape->key_count; i++)
		free(shape->keys[i]);
	free(shape->keys);
	text_fini(&shape->bytes);
	memset(shape, 0, sizeof(*shape));
}

/* ---- writing a table ---- */

static void
put_column(struct text *to, const char *name, const char *type)
{
	thrift_put_string_field(to, FIELD_NAME, name);
	thrift_put_string_field(to, FIELD_TYPE, type);
	thrift_put_stop(to);
}

static void
put_empty_list(struct text *to, int id, enum thrift_type of)
{
	thrift_put_field(to, THRIFT_LIST, id);
	thrift_put_list(to, of, 0);
}

static void
put_serde(struct text *to, const struct table_plan *plan)
{
	const struct secor_pairs *parameters = &plan->serde_parameters;

	thrift_put_field(to, THRIFT_STRUCT, SD_SERDE);
	thrift_put_string_field(to, SERDE_LIB, plan->serde);
	thrift_put_field(to, THRIFT_MAP, SERDE_PARAMETERS);
	thrift_put_map(to, parameters->count);
	for (size_t i = 0; i < parameters->count; i++) {
		thrift_put_string(to, parameters->items[i].key);
		thrift_put_string(to, parameters->items[i].value);
	}
	thrift_put_stop(to);
}

static void
put_storage(struct text *to, const struct table_plan *plan)
{
	thrift_put_field(to, THRIFT_STRUCT, TABLE_SD);
	thrift_put_field(to, THRIFT_LIST, SD_COLS);
	thrift_put_list(to, THRIFT_STRUCT, plan->columns.count);
	for (size_t i = 0; i < plan->columns.count; i++)
		put_column(to, plan->columns.items[i].key,
		    plan->columns.items[i].value);
	thrift_put_string_field(to, SD_LOCATION, plan->location);
	thrift_put_string_field(to, SD_INPUT, plan->input_format);
	thrift_put_string_field(to, SD_OUTPUT, plan->output_format);
	thrift_put_field(to, THRIFT_BOOL, SD_COMPRESSED);
	thrift_put_bool(to, 0);
	thrift_put_field(to, THRIFT_I32, SD_BUCKETS);
	thrift_put_i32(to, -1);
	put_serde(to, plan);
	put_empty_list(to, SD_BUCKET_COLS, THRIFT_STRING);
	put_empty_list(to, SD_SORT_COLS, THRIFT_STRUCT);
	thrift_put_field(to, THRIFT_MAP, SD_PARAMETERS);
	thrift_put_map(to, 0);
	thrift_put_stop(to);
}

void
table_write(struct text *to, const struct table_plan *plan)
{
	thrift_put_string_field(to, TABLE_NAME, plan->name);
	thrift_put_string_field(to, TABLE_DB, plan->db);
	thrift_put_string_field(to, TABLE_OWNER, plan->owner);
	thrift_put_field(to, THRIFT_I32, TABLE_CREATED);
	thrift_put_i32(to, plan->created_s);
	put_storage(to, plan);
	thrift_put_field(to, THRIFT_LIST, TABLE_KEYS);
	thrift_put_list(to, THRIFT_STRUCT, plan->keys.count);
	for (size_t i = 0; i < plan->keys.count; i++)
		put_column(to, plan->keys.items[i], "string");
	thrift_put_field(to, THRIFT_MAP, TABLE_PARAMETERS);
	thrift_put_map(to, 1);
	thrift_put_string(to, "EXTERNAL");
	thrift_put_string(to, "TRUE");
	thrift_put_string_field(to, TABLE_TYPE, "EXTERNAL_TABLE");
	thrift_put_stop(to);
}

/* ---- statistics ---- */

enum { STATISTICS = 3 };

struct statistic {
	const char *name;
	char value[24];
};

static void
statistics(
    const struct shape_totals *totals, struct statistic found[STATISTICS])
{
	const uint64_t values[STATISTICS] = {
	    totals->objects, totals->records, totals->bytes};
	static const char *const names[STATISTICS] = {
	    "numFiles", "numRows", "totalSize"};

	for (size_t i = 0; i < STATISTICS; i++) {
		found[i].name = names[i];
		(void)snprintf(found[i].value, sizeof(found[i].value),
		    "%" PRIu64, values[i]);
	}
}

static int
is_text(struct secor_bytes bytes, const char *text)
{
	return bytes.len == strlen(text) &&
	       memcmp(bytes.ptr, text, bytes.len) == 0;
}

static const struct statistic *
among(const struct statistic *all, struct secor_bytes name)
{
	for (size_t i = 0; i < STATISTICS; i++)
		if (is_text(name, all[i].name))
			return &all[i];
	return NULL;
}

/* The next entry of a map of strings. */
static int
next_pair(struct wire *map, struct secor_bytes *key, struct secor_bytes *value)
{
	return thrift_bytes(map, key) && thrift_bytes(map, value);
}

/* The parameters that are there, without those of ours, then ours. */
static void
put_parameters(
    struct text *to, struct wire map, const struct shape_totals *totals)
{
	struct statistic ours[STATISTICS];
	struct secor_bytes key, value;
	struct text kept = {0};
	uint32_t count = 0;
	size_t n = 0;

	statistics(totals, ours);
	if (!thrift_map(&map, &count))
		count = 0;
	for (uint32_t i = 0; i < count && next_pair(&map, &key, &value); i++) {
		if (among(ours, key) != NULL)
			continue;
		thrift_put_bytes(&kept, key.ptr, key.len);
		thrift_put_bytes(&kept, value.ptr, value.len);
		n++;
	}
	thrift_put_field(to, THRIFT_MAP, PART_PARAMETERS);
	thrift_put_map(to, n + STATISTICS);
	text_add(to, kept.ptr, kept.len);
	for (size_t i = 0; i < STATISTICS; i++) {
		thrift_put_string(to, ours[i].name);
		thrift_put_string(to, ours[i].value);
	}
	to->failed |= kept.failed;
	text_fini(&kept);
}

int
partition_has(struct wire partition, const struct shape_totals *totals)
{
	struct statistic ours[STATISTICS];
	struct secor_bytes key, value;
	uint32_t count = 0;
	struct wire map;
	int same = 0;

	statistics(totals, ours);
	if (!thrift_find(partition, PART_PARAMETERS, THRIFT_MAP, &map) ||
	    !thrift_map(&map, &count))
		return 0;
	for (uint32_t i = 0; i < count && next_pair(&map, &key, &value); i++) {
		const struct statistic *one = among(ours, key);

		same += one != NULL && is_text(value, one->value);
	}
	return same == STATISTICS;
}

/* ---- partitions ---- */

static void
put_storage_at(struct text *to, struct wire sd, const char *location)
{
	struct thrift_field field;

	thrift_put_field(to, THRIFT_STRUCT, PART_SD);
	while (thrift_next(&sd, &field))
		if (field.id != SD_LOCATION)
			thrift_put_raw(to, field.whole);
	thrift_put_string_field(to, SD_LOCATION, location);
	thrift_put_stop(to);
}

void
partition_write(struct text *to, const struct partition_plan *plan)
{
	const struct secor_strings *values = plan->values;

	thrift_put_field(to, THRIFT_LIST, PART_VALUES);
	thrift_put_list(to, THRIFT_STRING, values->count);
	for (size_t i = 0; i < values->count; i++)
		thrift_put_string(to, values->items[i]);
	thrift_put_string_field(to, PART_DB, plan->db);
	thrift_put_string_field(to, PART_TABLE, plan->table);
	thrift_put_field(to, THRIFT_I32, PART_CREATED);
	thrift_put_i32(to, 0); /* the metastore looks at its clock */
	thrift_put_field(to, THRIFT_I32, PART_ACCESSED);
	thrift_put_i32(to, 0);
	put_storage_at(to, plan->table_sd, plan->location);
	if (plan->totals != NULL) {
		put_parameters(to, (struct wire){NULL, NULL}, plan->totals);
	} else {
		thrift_put_field(to, THRIFT_MAP, PART_PARAMETERS);
		thrift_put_map(to, 0);
	}
	thrift_put_stop(to);
}

void
partition_rewrite(struct text *to, struct wire partition, const char *location,
    const struct shape_totals *totals)
{
	struct wire parameters = {NULL, NULL};
	struct thrift_field field;

	while (thrift_next(&partition, &field)) {
		if (field.id == PART_PARAMETERS && field.type == THRIFT_MAP &&
		    totals != NULL)
			parameters = field.value;
		else if (field.id == PART_SD && field.type == THRIFT_STRUCT &&
			 location != NULL)
			put_storage_at(to, field.value, location);
		else
			thrift_put_raw(to, field.whole);
	}
	if (totals != NULL)
		put_parameters(to, parameters, totals);
	thrift_put_stop(to);
}

int
partition_location(struct wire partition, struct text *location)
{
	struct secor_bytes bytes;
	struct wire sd, value;

	if (!thrift_find(partition, PART_SD, THRIFT_STRUCT, &sd) ||
	    !thrift_find(sd, SD_LOCATION, THRIFT_STRING, &value) ||
	    !thrift_bytes(&value, &bytes))
		return 0;
	text_add(location, bytes.ptr, bytes.len);
	return 1;
}

/* ---- places ---- */

struct place {
	const char *scheme;
	size_t scheme_len;
	const char *at; /* of the rest */
};

static struct place
place_of(const char *location)
{
	size_t n = strcspn(location, ":/");
	struct place place = {location, 0, location};

	if (n == 0 || location[n] != ':')
		return place;
	place.scheme_len = n;
	place.at = location + n + 1;
	if (n == 3 && (memcmp(location, "s3a", 3) == 0 ||
			  memcmp(location, "s3n", 3) == 0))
		place.scheme_len = 2;
	if (strncmp(place.at, "///", 3) == 0) /* a host without a name */
		place.at += 2;
	return place;
}

/* The next byte, runs of '/' as one, none at the end. */
static char
next_byte(const char **at)
{
	char c = **at;

	if (c == '/') {
		*at += strspn(*at, "/");
		return **at == '\0' ? '\0' : '/';
	}
	if (c != '\0')
		++*at;
	return c;
}

int
location_is_same(const char *one, const char *other)
{
	struct place a = place_of(one), b = place_of(other);
	char c;

	if (a.scheme_len != b.scheme_len ||
	    memcmp(a.scheme, b.scheme, a.scheme_len) != 0)
		return 0;
	do {
		c = next_byte(&a.at);
		if (c != next_byte(&b.at))
			return 0;
	} while (c != '\0');
	return 1;
}
