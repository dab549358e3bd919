/*
 * accept.c -- the ABI rule: frozen head first, then as much of each structure
 * as its size says, zeroes for the rest, then the slots that must be there.
 */
#include "core/plugin/accept.h"

#include "core/base/buf.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct slot {
	size_t offset;
	const char *name; /* NULL ends the list */
};

#define SLOT(kind, m)                                      \
	{                                                  \
		offsetof(struct secor_##kind##_ops, m), #m \
	}

static const struct slot TRANSFORMER[] = {SLOT(transformer, open),
    SLOT(transformer, transform), SLOT(transformer, close), {0, NULL}};
static const struct slot PARSER[] = {
    SLOT(parser, open), SLOT(parser, parse), SLOT(parser, close), {0, NULL}};
static const struct slot PARTITIONER[] = {SLOT(partitioner, describe),
    SLOT(partitioner, open), SLOT(partitioner, route), SLOT(partitioner, close),
    {0, NULL}};
static const struct slot FORMAT[] = {SLOT(format, describe), SLOT(format, open),
    SLOT(format, close), SLOT(format, begin), SLOT(format, finish),
    SLOT(format, end), {0, NULL}};
static const struct slot STORE[] = {SLOT(store, open), SLOT(store, close),
    SLOT(store, probe), SLOT(store, put), SLOT(store, list), SLOT(store, get),
    SLOT(store, head), SLOT(store, remove), SLOT(store, url), {0, NULL}};
static const struct slot NOTIFIER[] = {
    SLOT(notifier, open), SLOT(notifier, close), {0, NULL}};
static const struct slot REPORTER[] = {SLOT(reporter, open),
    SLOT(reporter, close), SLOT(reporter, report), {0, NULL}};
static const struct slot TOKEN[] = {
    SLOT(token, open), SLOT(token, close), SLOT(token, fetch), {0, NULL}};

struct kind {
	const char *name;
	size_t size; /* of the table */
	const struct slot *required;
};

#define KIND(name) sizeof(struct secor_##name##_ops)

static const struct kind KINDS[] = {
    [SECOR_TRANSFORMER] = {"transformer", KIND(transformer), TRANSFORMER},
    [SECOR_PARSER] = {"parser", KIND(parser), PARSER},
    [SECOR_PARTITIONER] = {"partitioner", KIND(partitioner), PARTITIONER},
    [SECOR_FORMAT] = {"format", KIND(format), FORMAT},
    [SECOR_STORE] = {"store", KIND(store), STORE},
    [SECOR_NOTIFIER] = {"notifier", KIND(notifier), NOTIFIER},
    [SECOR_REPORTER] = {"reporter", KIND(reporter), REPORTER},
    [SECOR_TOKEN] = {"token", KIND(token), TOKEN},
};

static int
is_kind(int kind)
{
	return kind >= SECOR_TRANSFORMER && kind <= SECOR_TOKEN;
}

const char *
kind_name(int kind)
{
	return is_kind(kind) ? KINDS[kind].name : "unknown kind";
}

int
plugin_open(const struct plugin *plugin, const struct secor_open *with,
    void **self, struct secor_err *err)
{
	switch (plugin->desc.kind) {
	case SECOR_TRANSFORMER:
		return plugin->ops.transformer->open(with, self, err);
	case SECOR_PARSER:
		return plugin->ops.parser->open(with, self, err);
	case SECOR_PARTITIONER:
		return plugin->ops.partitioner->open(with, self, err);
	case SECOR_FORMAT:
		return plugin->ops.format->open(with, self, err);
	case SECOR_STORE:
		return plugin->ops.store->open(with, self, err);
	case SECOR_NOTIFIER:
		return plugin->ops.notifier->open(with, self, err);
	case SECOR_TOKEN:
		return plugin->ops.token->open(with, self, err);
	default:
		return plugin->ops.reporter->open(with, self, err);
	}
}

void
plugin_close(const struct plugin *plugin, void *self)
{
	switch (plugin->desc.kind) {
	case SECOR_TRANSFORMER:
		plugin->ops.transformer->close(self);
		break;
	case SECOR_PARSER:
		plugin->ops.parser->close(self);
		break;
	case SECOR_PARTITIONER:
		plugin->ops.partitioner->close(self);
		break;
	case SECOR_FORMAT:
		plugin->ops.format->close(self);
		break;
	case SECOR_STORE:
		plugin->ops.store->close(self);
		break;
	case SECOR_NOTIFIER:
		plugin->ops.notifier->close(self);
		break;
	case SECOR_TOKEN:
		plugin->ops.token->close(self);
		break;
	default:
		plugin->ops.reporter->close(self);
		break;
	}
}

struct options
plugin_options(const struct plugin *plugin)
{
	struct options opts = {plugin->desc.options, plugin->desc.option_count,
	    plugin->desc.option_size, plugin->desc.conf_size};

	return opts;
}

/* ---- descriptor ---- */

static int
check_head(
    const struct secor_plugin *theirs, const char *file, struct secor_err *err)
{
	if (theirs == NULL)
		return secor_fail(err, SECOR_FATAL,
		    "%s: secor_plugin_entry returned nothing", file);
	if (theirs->magic != SECOR_PLUGIN_MAGIC)
		return secor_fail(err, SECOR_FATAL,
		    "%s: is not a secor plugin (wrong magic): compile it with "
		    "<secor/plugin.h> and begin its descriptor with "
		    "SECOR_PLUGIN_HEAD",
		    file);
	if (theirs->major > SECOR_ABI_MAJOR ||
	    (theirs->major == SECOR_ABI_MAJOR &&
		theirs->minor > SECOR_ABI_MINOR))
		return secor_fail(err, SECOR_FATAL,
		    "%s: was made for plugin ABI %u.%u, this secor has %d.%d: "
		    "upgrade secor",
		    file, theirs->major, theirs->minor, SECOR_ABI_MAJOR,
		    SECOR_ABI_MINOR);
	if (theirs->major < SECOR_ABI_MAJOR)
		return secor_fail(err, SECOR_FATAL,
		    "%s: was made for plugin ABI %u.%u, this secor has %d.%d: "
		    "compile the plugin again with this secor's headers",
		    file, theirs->major, theirs->minor, SECOR_ABI_MAJOR,
		    SECOR_ABI_MINOR);
	return SECOR_OK;
}

static int
valid_name(const char *name)
{
	if (name == NULL || *name == '\0')
		return 0;
	for (; *name != '\0'; name++) {
		if (!islower((unsigned char)*name) &&
		    !isdigit((unsigned char)*name) && *name != '-')
			return 0;
	}
	return 1;
}

static int
check_descriptor(
    const struct secor_plugin *desc, const char *file, struct secor_err *err)
{
	/* what 1.0 had must be there: `ops` was its last member */
	if (desc->size < offsetof(struct secor_plugin, ops) + sizeof(void *))
		return secor_fail(err, SECOR_FATAL,
		    "%s: its descriptor says it has %u bytes, too few: begin "
		    "it with SECOR_PLUGIN_HEAD",
		    file, desc->size);
	if (!is_kind(desc->kind))
		return secor_fail(err, SECOR_FATAL,
		    "%s: has the unknown kind %d: use one of enum secor_kind",
		    file, desc->kind);
	if (!valid_name(desc->name))
		return secor_fail(err, SECOR_FATAL,
		    "%s: has no name of [a-z0-9-]: set `name` in its "
		    "descriptor",
		    file);
	if (desc->ops == NULL)
		return secor_fail(err, SECOR_FATAL,
		    "%s: has no table of functions: set `ops` in its "
		    "descriptor",
		    file);
	return SECOR_OK;
}

/* ---- option rows ---- */

static size_t
member_size(int type)
{
	switch (type) {
	case SECOR_TYPE_BOOL:
	case SECOR_TYPE_CHOICE:
		return sizeof(int);
	case SECOR_TYPE_STRINGS:
		return sizeof(struct secor_strings);
	case SECOR_TYPE_PAIRS:
		return sizeof(struct secor_pairs);
	case SECOR_TYPE_STRING:
	case SECOR_TYPE_PATH:
		return sizeof(char *);
	case SECOR_TYPE_DOUBLE:
	case SECOR_TYPE_PERCENT:
		return sizeof(double);
	default:
		return sizeof(int64_t);
	}
}

static const char *
row_fault(const struct options *opts, const struct secor_option *row)
{
	if (row->type < SECOR_TYPE_BOOL || row->type > SECOR_TYPE_PATH)
		return "has an unknown type";
	if (row->offset + member_size(row->type) > opts->conf_size)
		return "lies outside conf_size";
	if (row->type == SECOR_TYPE_CHOICE &&
	    (row->choices == NULL || row->choices[0] == NULL))
		return "is a choice without choices";
	if (row->help == NULL)
		return "has no help";
	if (strcmp(row->key, "use") == 0)
		return "is a key of the engine";
	return NULL;
}

/* A scratch conf of the size, one row at a time: no assertion on what others
 * wrote. */
static int
check_default(const struct options *opts, size_t i, const char *file,
    struct secor_err *err)
{
	const struct secor_option *row = options_row(opts, i);
	struct options one = {row, 1, opts->row_size, opts->conf_size};
	struct secor_err why = {""};
	void *conf;
	int rc;

	if (row->def == NULL)
		return SECOR_OK;
	conf = mem_alloc(opts->conf_size);
	rc = options_set_text(row, conf, row->def, &why);
	options_free(&one, conf);
	if (rc != SECOR_OK)
		return secor_fail(err, SECOR_FATAL,
		    "%s: the default of an option is wrong: %.500s", file,
		    why.text);
	return SECOR_OK;
}

static int
check_options(
    const struct options *opts, const char *file, struct secor_err *err)
{
	const char *fault;
	int rc = SECOR_OK;

	if (opts->count == 0)
		return SECOR_OK;
	if (opts->rows == NULL || opts->row_size < sizeof(struct secor_option))
		return secor_fail(err, SECOR_FATAL,
		    "%s: its option rows have %zu bytes, too few: give them "
		    "with SECOR_OPTIONS",
		    file, opts->row_size);
	for (size_t i = 0; i < opts->count && rc == SECOR_OK; i++) {
		const struct secor_option *row = options_row(opts, i);

		if (row->key == NULL)
			return secor_fail(err, SECOR_FATAL,
			    "%s: option row %zu has no key", file, i);
		fault = row_fault(opts, row);
		if (fault != NULL)
			return secor_fail(err, SECOR_FATAL,
			    "%s: option '%s' %s", file, row->key, fault);
		rc = check_default(opts, i, file, err);
	}
	return rc;
}

/* ---- table ---- */

static int
check_slots(
    const struct plugin *plugin, const char *file, struct secor_err *err)
{
	const struct kind *kind = &KINDS[plugin->desc.kind];
	const struct secor_format_ops *format = plugin->ops.format;

	for (const struct slot *slot = kind->required; slot->name != NULL;
	     slot++) {
		void *function;

		memcpy(&function, (const char *)plugin->ops.any + slot->offset,
		    sizeof(function));
		if (function == NULL)
			return secor_fail(err, SECOR_FATAL,
			    "%s: the %s has no '%s': set it in its struct "
			    "secor_%s_ops",
			    file, kind->name, slot->name, kind->name);
	}
	if (plugin->desc.kind == SECOR_FORMAT && format->encode == NULL &&
	    format->write == NULL)
		return secor_fail(err, SECOR_FATAL,
		    "%s: the format has neither 'encode' nor 'write': set one "
		    "in its struct secor_format_ops",
		    file);
	return SECOR_OK;
}

static void
copy_table(struct plugin *plugin)
{
	const struct kind *kind = &KINDS[plugin->desc.kind];
	uint32_t ours = (uint32_t)kind->size, theirs;
	void *table = mem_alloc(kind->size);

	memcpy(&theirs, plugin->desc.ops, sizeof(theirs));
	memcpy(table, plugin->desc.ops, theirs < ours ? theirs : ours);
	memcpy(table, &ours, sizeof(ours));
	plugin->ops.any = table;
}

int
plugin_accept(const struct secor_plugin *theirs, const char *file,
    struct plugin *plugin, struct secor_err *err)
{
	size_t size = sizeof(plugin->desc);
	struct options opts;
	int rc;

	if ((rc = check_head(theirs, file, err)) != SECOR_OK)
		return rc;
	memset(plugin, 0, sizeof(*plugin));
	memcpy(
	    &plugin->desc, theirs, theirs->size < size ? theirs->size : size);
	if ((rc = check_descriptor(&plugin->desc, file, err)) != SECOR_OK)
		return rc;
	opts = plugin_options(plugin);
	if ((rc = check_options(&opts, file, err)) != SECOR_OK)
		return rc;
	copy_table(plugin);
	if ((rc = check_slots(plugin, file, err)) != SECOR_OK) {
		plugin_fini(plugin);
		return rc;
	}
	plugin->desc.ops = plugin->ops.any;
	plugin->file = mem_dup(file, strlen(file));
	plugin->host = host_new(plugin->desc.name);
	return SECOR_OK;
}

void
plugin_fini(struct plugin *plugin)
{
	free((void *)plugin->ops.any);
	free(plugin->file);
	host_free(plugin->host);
	memset(plugin, 0, sizeof(*plugin));
}
