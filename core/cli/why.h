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

/* How many dead letters of the batch redrives have stored. */
int why_redriven(const struct manifest_store *store,
    const struct manifest_place *place, int64_t start, uint64_t *redriven,
    struct secor_err *err);

#endif
