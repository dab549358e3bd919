/*
 * made.h -- what properties in memory become.
 */
#ifndef TESTS_UNIT_CLI_MIGRATE_MADE_H
#define TESTS_UNIT_CLI_MIGRATE_MADE_H

#include "core/base/buf.h"
#include "core/cli/migrate/properties.h"

#include <stdlib.h>

struct made {
	char *yaml;
	struct buf remarks; /* "error|warning|note: text", a line each */
	struct buf steps;
	size_t todo;
};

/* With every plugin there. */
void make(const struct properties *properties, struct made *made);
void make_text(const char *text, struct made *made);
void made_fini(struct made *made);

struct vector {
	const char *text;   /* properties */
	const char *yaml;   /* what is in the YAML, or NULL */
	const char *remark; /* what is in the remarks, or NULL */
};

/* Asserts it for each. */
void made_expect(const struct vector *vectors, size_t count);

#define EXPECT_ALL(vectors) \
	made_expect(vectors, sizeof(vectors) / sizeof(*(vectors)))

#define PARSER "secor.message.parser.class=com.pinterest.secor.parser."
#define FACTORY "secor.file.reader.writer.factory=com.pinterest.secor.io.impl."
#define MANAGER "secor.upload.manager.class=com.pinterest.secor.uploader."
#define HADOOP_CODEC "secor.compression.codec=org.apache.hadoop.io.compress."
#define CONSUMER "kafka.new.consumer."

#endif
