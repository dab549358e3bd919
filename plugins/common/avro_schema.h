/*
 * avro_schema.h -- an Avro schema (JSON) as a graph of nodes, to walk values
 * by.
 *
 * A node is owned by its schema; named types may refer to each other and to
 * themselves, but never so that a value would have no end.
 */
#ifndef PLUGINS_COMMON_AVRO_SCHEMA_H
#define PLUGINS_COMMON_AVRO_SCHEMA_H

#include <secor/plugin.h>

enum avro_type {
	AVRO_NULL = 0,
	AVRO_BOOLEAN,
	AVRO_INT,
	AVRO_LONG,
	AVRO_FLOAT,
	AVRO_DOUBLE,
	AVRO_BYTES,
	AVRO_STRING,
	AVRO_RECORD,
	AVRO_ENUM,
	AVRO_FIXED,
	AVRO_ARRAY,
	AVRO_MAP,
	AVRO_UNION
};

enum avro_logical {
	AVRO_PLAIN = 0,
	AVRO_DATE,
	AVRO_TIMESTAMP,	     /* node->per_second since the epoch */
	AVRO_LOCAL_TIMESTAMP /* of the clock on the wall */
};

struct avro_node {
	int type;    /* enum avro_type */
	int logical; /* enum avro_logical */
	int64_t per_second;
	char *name;    /* the full one of a record, enumeration or fixed */
	uint64_t size; /* of a fixed */
	/* bytes that any value has at least; 0: all have none */
	uint64_t least;
	int measured;
	size_t count; /* fields, branches, symbols; 1 of arrays and maps */
	struct avro_node **nodes; /* of fields, branches, elements */
	char **names;		  /* of fields and symbols */
};

struct avro_schema;

/* The last text is the schema; those before it are what it refers to. SECOR_OK,
 * or SECOR_REJECT with the reason. */
int avro_schema_new(const char *const *texts, size_t count,
    struct avro_schema **out, struct secor_err *err);
void avro_schema_free(struct avro_schema *schema); /* accepts NULL */

const struct avro_node *avro_schema_root(const struct avro_schema *schema);

#endif
