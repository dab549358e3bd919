/*
 * finder.h -- what the parsers of binary encodings share: the options about
 * time and paths, the tree of what is wanted, and how what was found becomes
 * the record's time and fields.
 *
 *	finder_begin(finder);
 *	... the decoder sets finder->values[slot] of what `finder->root` wants
 *... return finder_end(finder, message, record, fields, err);
 */
#ifndef PLUGINS_COMMON_FINDER_H
#define PLUGINS_COMMON_FINDER_H

#include "plugins/common/scalar.h"
#include "plugins/common/wanted.h"

#include <secor/parser.h>

struct finder_conf {
	const char *time_field;
	const char *separator;
	struct when_conf when;
};

/* The rows of a `struct finder_conf` that is member `m` of `type`. */
#define FINDER_ROWS(type, m, time_field_def, time_field_help)                  \
	SECOR_OPTION(STRING, type, m.time_field, "time_field", time_field_def, \
	    SECOR_OPTION_OUTPUT, time_field_help),                             \
	    WHEN_ROWS(type, m.when),                                           \
	    SECOR_OPTION(STRING, type, m.separator, "separator", ".",          \
		SECOR_OPTION_OUTPUT,                                           \
		"between the names of a path; empty: no nested paths")

struct finder {
	const struct finder_conf *conf;
	struct wanted root;
	struct scalar *values; /* by slot */
	int slots;
	int time_slot; /* WANTED_NO_SLOT: no time is looked for */

	struct when when;
	uint32_t field_count;
	int *field_slots;
	char **names;
	char (*texts)[SCALAR_ROOM]; /* of the fields */
};

void
finder_check(const struct finder_conf *conf, const struct secor_check *check);

/* SECOR_OK or SECOR_FATAL. `finder` is zeroed; close it also after a failure.
 */
int finder_open(struct finder *finder, const struct finder_conf *conf,
    const struct secor_open *with, struct secor_err *err);
void finder_close(struct finder *finder);

static inline void
finder_begin(struct finder *finder)
{
	memset(
	    finder->values, 0, (size_t)finder->slots * sizeof(*finder->values));
}

/* Forgets what was found at a node and below: the name comes again. */
void finder_forget(struct finder *finder, const struct wanted *node);

/* SECOR_OK, or SECOR_REJECT. */
int finder_end(struct finder *finder, const struct secor_message *message,
    struct secor_record *record, struct secor_bytes *fields,
    struct secor_err *err);

#endif
