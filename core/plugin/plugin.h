/*
 * plugin.h -- finding, opening and describing plugins.
 *
 * A plugin is found by `use: name` (plugin path: the folders given, then
 * plugins/ beside the binary, then PREFIX/lib/secor/plugins; the file is
 * <kind>/<name>.so) or by `use: ./file.so` (relative to the YAML file). It is
 * opened once a process and never closed.
 */
#ifndef SECOR_PLUGIN_PLUGIN_H
#define SECOR_PLUGIN_PLUGIN_H

#include "core/plugin/options.h"

#include <secor/format.h>
#include <secor/notifier.h>
#include <secor/parser.h>
#include <secor/partitioner.h>
#include <secor/reporter.h>
#include <secor/store.h>
#include <secor/token.h>
#include <secor/transformer.h>

/* One opened plugin. `desc` and the table are complete copies: what an older
 * plugin does not have is NULL or 0. Lives as long as the registry. */
struct plugin {
	struct secor_plugin desc;
	char *file; /* the .so; "(built in)" for the engine's own */
	struct secor_host *host;
	union {
		const void *any;
		const struct secor_transformer_ops *transformer;
		const struct secor_parser_ops *parser;
		const struct secor_partitioner_ops *partitioner;
		const struct secor_format_ops *format;
		const struct secor_store_ops *store;
		const struct secor_notifier_ops *notifier;
		const struct secor_reporter_ops *reporter;
		const struct secor_token_ops *token;
	} ops;
};

/* The rows of a plugin's section. */
struct options plugin_options(const struct plugin *plugin);

/* An instance, by the table of its kind; as `open` there says. */
int plugin_open(const struct plugin *plugin, const struct secor_open *with,
    void **self, struct secor_err *err);
void plugin_close(const struct plugin *plugin, void *self);

struct registry;

/* `path` is a colon-separated list of folders or NULL. `load` == 0: nothing is
 * opened, every find fails with SECOR_RETRY "not looked at (--no-load)". */
struct registry *registry_new(const char *path, int load);
void registry_free(struct registry *registry);
/* Whether it opens plugins. */
int registry_loads(const struct registry *registry);

/* The plugin of `kind` (0: any, for files only) that `use` names; `base_dir` is
 * the folder of the YAML file. SECOR_FATAL with one sentence that names the
 * file and the fix: not found (with the nearest name), writable by others,
 * wrong magic, version, kind, missing slot. Not thread-safe: set-up only. */
int registry_find(struct registry *registry, int kind, const char *use,
    const char *base_dir, const struct plugin **plugin, struct secor_err *err);

/* Every plugin in the folders of the path, by kind and name; those that do not
 * load are passed with plugin == NULL and the reason. */
void registry_each(struct registry *registry,
    void (*each)(void *arg, const struct plugin *plugin, const char *file,
	const char *why_not),
    void *arg);

/* "parser" for SECOR_PARSER; also the YAML section's word. */
const char *kind_name(int kind);

/* Services for a plugin (or a test) under this name. */
struct secor_host *host_new(const char *plugin_name);
void host_free(struct secor_host *host);

#endif
