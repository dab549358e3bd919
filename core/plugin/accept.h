/*
 * accept.h -- whether the engine can work with what a shared object exports.
 */
#ifndef SECOR_PLUGIN_ACCEPT_H
#define SECOR_PLUGIN_ACCEPT_H

#include "core/plugin/plugin.h"

/* Fills *plugin (descriptor and table) from what the entry returned; `file`
 * is for the sentence. SECOR_FATAL: one sentence with the fix. */
int plugin_accept(const struct secor_plugin *theirs, const char *file,
    struct plugin *plugin, struct secor_err *err);
void plugin_fini(struct plugin *plugin);

#endif
