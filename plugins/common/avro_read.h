/*
 * avro_read.h -- what is wanted of one Avro value, by its writer's schema.
 *
 * The whole value is walked. Nothing is allocated; counts are never believed
 * beyond the bytes that are there, depth has a limit. Of a union the branch
 * that is there counts, as if it stood there alone. Names of a path are fields
 * and keys of maps, numbers are places in arrays.
 */
#ifndef PLUGINS_COMMON_AVRO_READ_H
#define PLUGINS_COMMON_AVRO_READ_H

#include "plugins/common/avro_schema.h"
#include "plugins/common/finder.h"
#include "plugins/common/wire.h"

/* NULL with the cursor behind the value, or a constant phrase: why it is none.
 * `finder` NULL: nothing is wanted, the value is skipped. */
const char *avro_read(
    const struct avro_node *node, struct finder *finder, struct wire *wire);

#endif
