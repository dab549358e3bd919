/*
 * avro_join.h -- one schema text of several: what a schema refers to stands
 * where it is met first, so that the text needs no other beside it.
 */
#ifndef PLUGINS_COMMON_AVRO_JOIN_H
#define PLUGINS_COMMON_AVRO_JOIN_H

#include <secor/plugin.h>

/* The last text is the schema, those before it are what it refers to; each has
 * been compiled (avro_schema.h). SECOR_OK with *text, which the caller frees:
 * the same text where there is one, else JSON; or SECOR_REJECT. */
int avro_join(
    const char *const *texts, size_t count, char **text, struct secor_err *err);

#endif
