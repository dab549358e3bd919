/*
 * expand.h -- what a value of the file stands for: ${ENV}, secret files,
 * relative paths. The structure of the file is never changed by a value.
 */
#ifndef SECOR_CONFIG_EXPAND_H
#define SECOR_CONFIG_EXPAND_H

#include "core/plugin/plugin.h"

/* ${NAME}, ${NAME:-default} (also when NAME is empty), $$. A lone $ stays. The
 * caller frees *out. SECOR_REJECT with text. */
int expand_text(const char *raw, char **out, struct secor_err *err);

/* For options that are secret: "file:PATH" is the file's content without the
 * newline at its end. Others must not read it. Anything else is a copy. */
int expand_secret(
    const char *text, const char *base_dir, char **out, struct secor_err *err);

/* A file that holds a secret must not be read or changed by others:
 * SECOR_REJECT with text, also when it is not there. */
int secret_file_check(const char *path, struct secor_err *err);

/* The path as seen from the YAML file's folder. */
char *expand_path(const char *path, const char *base_dir);

#endif
