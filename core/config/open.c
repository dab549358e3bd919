/*
 * open.c -- instances of the plugins that a configuration names (see config.h).
 */
#include "core/config/config.h"

int
config_open(const struct config_use *use, const struct config_opening *how,
    void **self, struct secor_err *err)
{
	const struct plugin *plugin = use->plugin;
	struct secor_open with = {.size = sizeof(with),
	    .conf = use->conf,
	    .host = plugin->host,
	    .compat = use->compat};
	struct secor_err why = {{0}};

	if (how != NULL) {
		if (how->fields != NULL)
			with.fields = *how->fields;
		with.no_time = how->no_time;
		with.allow_commands = how->allow_commands;
		with.cluster = how->cluster;
	}
	if (plugin_open(plugin, &with, self, &why) == SECOR_OK)
		return SECOR_OK;
	return secor_fail(err, SECOR_FATAL, "%s %s (%s) does not open: %s",
	    kind_name(plugin->desc.kind), plugin->desc.name, plugin->file,
	    why.text);
}
