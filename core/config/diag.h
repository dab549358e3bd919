/*
 * diag.h -- collects the complaints about one file, so that all of them come
 * out in one run, in the order of the file.
 */
#ifndef SECOR_CONFIG_DIAG_H
#define SECOR_CONFIG_DIAG_H

#include "core/config/config.h"

/* Where in the file; {0, 0}: the file as a whole. */
struct spot {
	int line, col;
};

struct complaint {
	struct spot spot;
	char *text; /* "error: ..." */
};

struct diag {
	const char *file;
	struct complaint *items;
	size_t count;
	size_t errors;
	char **secrets; /* never shown */
	size_t secret_count;
};

__attribute__((format(printf, 3, 4))) void
diag_error(struct diag *diag, struct spot spot, const char *fmt, ...);
__attribute__((format(printf, 3, 4))) void
diag_warning(struct diag *diag, struct spot spot, const char *fmt, ...);

/* The text comes out as *** from now on, whoever complains. */
void diag_secret(struct diag *diag, const char *text);

/* Passes every complaint on, once each. */
void diag_report(struct diag *diag, config_complain_fn complain, void *arg);
void diag_fini(struct diag *diag);

#endif
