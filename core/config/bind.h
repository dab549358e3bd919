/*
 * bind.h -- a section of the file into the structures that option rows
 * describe. A section may feed several structures: the plugin's and the
 * engine's own keys beside it.
 */
#ifndef SECOR_CONFIG_BIND_H
#define SECOR_CONFIG_BIND_H

#include "core/config/tree.h"

struct binder {
	struct diag *diag;
	struct registry *registry;
	const char *base_dir; /* folder of the file, as it was given */
	const char *real_dir; /* the same, absolute: what paths become */
	int load;	      /* plugins are opened */
	int compat;	      /* the file's, once it is known */
};

/* One structure of a section. It holds defaults, or the values inherited. */
struct target {
	struct options opts;
	void *conf;
	int inherited; /* required keys may be missing: the base has them */
};

enum { MOST_TARGETS = 2 };

struct section {
	const char *name;   /* for complaints: "batch", "store s3" */
	const char *plugin; /* as 'use' names it; NULL: none */
	struct target targets[MOST_TARGETS];
	size_t target_count;
	/* Further keys that somebody else reads: "use". NULL-ended or NULL. */
	const char *const *others;
	/* Rows are not known (--no-load): unknown keys pass. */
	int open;
};

/* Sets what the map has, complains about the rest: unknown, twice, wrong,
 * missing. `map` may be NULL (no section) or null: then only what is required
 * is looked at, and complained about at `where`. */
void bind_section(const struct binder *binder, const struct section *section,
    const struct node *map, struct spot where);

/* One text, expanded; NULL after a complaint. Caller frees. */
char *bind_text(
    const struct binder *binder, const struct node *node, const char *key);

/* Whether a key comes twice in the map (complained). */
void bind_duplicates(const struct binder *binder, const struct node *map);

#endif
