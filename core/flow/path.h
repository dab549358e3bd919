/*
 * path.h -- object keys: levels escaped as Hive does, and the names.
 *
 *	<topic>/<path>/<generation>_<kafka partition>_<S, 20 digits><extension>
 *
 * What `secor redrive` made of dead letters has "redrive<n>_" before it.
 */
#ifndef SECOR_FLOW_PATH_H
#define SECOR_FLOW_PATH_H

#include "core/base/buf.h"
#include "core/config/config.h"

#include <secor/notifier.h>
#include <secor/partitioner.h>

enum { PATH_COMPONENT_MAX = 255, PATH_KEY_MAX = 1024 };

/* Appends as Hive's FileUtils.escapePathName does: control bytes, DEL and
 * " # % ' * / : = ? \ { [ ] ^ as %XX, other bytes as they are. Beyond Hive: a
 * value of dots only is escaped, and bytes that are not UTF-8 are (a key is
 * text to S3 and to JSON). NULL and empty give __HIVE_DEFAULT_PARTITION__. */
void path_escape(struct buf *out, const char *bytes, size_t len);

/* Appends "name=value" (or "value") of one level. SECOR_REJECT when it is over
 * 255 bytes: the message is a bad one. */
int path_level(struct buf *out, const struct secor_level_text *level,
    struct secor_err *err);

/* The inverse for one component: unescaped bytes into out. */
void path_unescape(struct buf *out, const char *bytes, size_t len);

/* The levels of an escaped path, unescaped (only %00 stays as it is: values are
 * C strings); a null value is NULL. Their number; *levels is one block that the
 * caller frees with free(), NULL when there are none. */
size_t path_split(const char *path, struct secor_event_level **levels);

/* What a key is made of. Zeroed members are left out where they can be. */
struct path_name {
	const char *topic;
	const char *path; /* escaped; "": none */
	int64_t generation;
	int32_t partition;
	int64_t start;
	const char *extension;
	int64_t redrive; /* number of the receipt; 0: of the batch itself */
};

enum { PATH_REDRIVE_MAX = 15 }; /* bytes of "redrive<n>_" at most */

/* Reads "redrive<n>_" at the beginning of a file's name: what follows it, or
 * NULL. */
const char *path_after_redrive(const char *name, int64_t *redrive);

/* The key; caller frees. */
char *path_key(const struct path_name *name);

/* The same where the layout puts it: below the folder of the topic, under the
 * alternative prefix from its date on, behind the MD5 of <topic>/<path>. */
char *
path_object_key(const struct config *config, const struct path_name *name);

#endif
