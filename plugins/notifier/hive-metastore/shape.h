/*
 * shape.h -- the structures of a metastore: what is read of them, and new ones
 * made of old ones. A field or parameter that nobody here knows is copied.
 */
#ifndef SECOR_HIVE_METASTORE_SHAPE_H
#define SECOR_HIVE_METASTORE_SHAPE_H

#include "plugins/common/thrift_wire.h"

/* ---- a table ---- */

/* Owns a copy of what the metastore said; `sd` lies in it. */
struct table_shape {
	struct text bytes;
	struct wire sd; /* StorageDescriptor */
	char **keys;	/* names of the partition keys */
	size_t key_count;
};

/* SECOR_RETRY when the bytes are no table, or there is no memory. */
int
table_read(struct wire table, struct table_shape *shape, struct secor_err *err);
void table_fini(struct table_shape *shape);

/* What a new table is made of. */
struct table_plan {
	const char *db, *name, *owner, *location;
	struct secor_pairs columns; /* name: type */
	struct secor_strings keys;  /* strings all */
	const char *input_format, *output_format, *serde;
	struct secor_pairs serde_parameters;
	int32_t created_s; /* since the epoch */
};

void table_write(struct text *to, const struct table_plan *plan);

/* ---- a partition ---- */

/* Statistics of a path; what Hive calls them. */
struct shape_totals {
	uint64_t objects, records, bytes;
};

/* What a new one is made of. */
struct partition_plan {
	const char *db, *table, *location;
	const struct secor_strings *values;
	struct wire table_sd;		   /* its storage, but for the place */
	const struct shape_totals *totals; /* may be NULL */
};

void partition_write(struct text *to, const struct partition_plan *plan);

/* One that is there, with other statistics (unless `totals` is NULL), and at
 * another place (unless `location` is NULL). */
void partition_rewrite(struct text *to, struct wire partition,
    const char *location, const struct shape_totals *totals);

/* Where it is; appends. 0 when it does not say. */
int partition_location(struct wire partition, struct text *location);
/* 1 when it has these statistics already. */
int partition_has(struct wire partition, const struct shape_totals *totals);

/* ---- places ---- */

/* 1 when both name one folder: "file:/a//b/" is "file:///a/b", and s3, s3a and
 * s3n are one. */
int location_is_same(const char *one, const char *other);

#endif
