/*
 * why.h -- between the files of `secor why`.
 */
#ifndef SECOR_CLI_WHY_H
#define SECOR_CLI_WHY_H

#include "core/cli/verify.h"

struct why_asked {
	const struct config *config;
	const struct manifest_store *store;
	const char *key;
	int json;
};

/* An object of a redrive: prints what is in it. *code is the exit code, -1: its
 * name is not that of one. */
int
why_redrive(const struct why_asked *asked, int *code, struct secor_err *err);

/* finalize.late: separate: what an object's component says, and why. */
struct why_late {
	int is_told; /* its path has the component */
	int is_late;
	/* By the configuration of now. INT64_MIN: not known, or none. */
	int64_t over_ms;   /* when its path was over */
	int64_t before_ms; /* watermark of the partition before the batch */
	int64_t behind_ms; /* and behind it */
};

/* `before`: the manifest before it, or NULL. */
int why_late_find(const struct config_topic *topic, const struct manifest *m,
    const struct manifest *before, const struct manifest_object *object,
    struct why_late *late, struct secor_err *err);
void why_late_json(struct buf *out, const struct why_late *late);
void why_late_print(const struct why_late *late);

/* How many dead letters of the batch redrives have stored. */
int why_redriven(const struct manifest_store *store,
    const struct manifest_place *place, int64_t start, uint64_t *redriven,
    struct secor_err *err);

#endif
