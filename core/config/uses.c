/*
 * uses.c -- `use: name` and the plugin's keys to a plugin with a bound conf.
 */
#include "core/base/buf.h"
#include "core/config/expand.h"
#include "core/config/parts.h"

#include <stdlib.h>
#include <string.h>

static const char *const OTHERS[] = {"use", NULL};

const struct use_section *
use_section(const char *name)
{
	const struct use_section *what = use_sections;

	while (what->name != NULL && strcmp(what->name, name) != 0)
		what++;
	return what->name != NULL ? what : NULL;
}

/* ---- check() of the plugin ---- */

struct check_arg {
	const struct binder *binder;
	const struct node *map;
	const char *section;
};

static void
on_complaint(const struct secor_check *check, const char *key, const char *text)
{
	const struct check_arg *arg = check->arg;
	size_t len = key != NULL ? strlen(key) : 0;
	const char *prefix = key != NULL ? key : arg->section;

	/* some begin with the key themselves */
	if (key != NULL && strncmp(text, key, len) == 0 && text[len] == ':')
		diag_error(
		    arg->binder->diag, node_spot(arg->map, key), "%s", text);
	else
		diag_error(arg->binder->diag, node_spot(arg->map, key),
		    "%s: %s", prefix, text);
}

static void
run_check(const struct binder *binder, const struct node *map,
    const struct config_use *use, const char *section, int no_time)
{
	struct check_arg arg = {binder, map, section};
	struct secor_check check = {
	    sizeof(check), on_complaint, &arg, no_time, use->compat};

	if (use->plugin->desc.check != NULL)
		use->plugin->desc.check(use->conf, &check);
}

/* ---- one section ---- */

/* What is bound: a section, the base that it may inherit from (or NULL), and
 * the engine's own keys in it (conf NULL: none). */
struct asked {
	const struct use_section *what;
	const struct node *map;
	const struct config_use *base;
	struct target engine;
	const int *no_time; /* or NULL; known once the section is bound */
};

/* The text of `use`, or the base's; NULL after a complaint. */
static char *
use_name(const struct binder *binder, const struct asked *asked)
{
	const struct node *use = node_get(asked->map, "use");
	const struct config_use *base = asked->base;

	if (use != NULL)
		return bind_text(binder, use, "use");
	if (base != NULL && base->use != NULL)
		return mem_dup(base->use, strlen(base->use));
	diag_error(binder->diag, asked->map->spot,
	    "%s needs 'use': the name of a plugin, or ./file.so",
	    asked->what->name);
	return NULL;
}

/* The plugin is known: its keys and the engine's. */
static void
bind_conf(const struct binder *binder, const struct asked *asked,
    struct section *section, struct config_use *use)
{
	struct target *target = &section->targets[section->target_count++];
	const struct config_use *base = asked->base;
	char *name = mem_text(
	    "%s %s", kind_name(use->plugin->desc.kind), use->plugin->desc.name);
	size_t before = binder->diag->errors;

	target->opts = plugin_options(use->plugin);
	target->inherited = base != NULL && base->plugin == use->plugin;
	target->conf = target->inherited
			   ? options_copy(&target->opts, base->conf)
			   : options_new(&target->opts);
	use->conf = target->conf;
	section->name = name;
	section->plugin = use->use;
	bind_section(binder, section, asked->map, asked->map->spot);
	if (binder->diag->errors == before)
		run_check(binder, asked->map, use, name,
		    asked->no_time != NULL && *asked->no_time);
	free(name);
}

static void
bind(const struct binder *binder, const struct asked *asked,
    struct config_use *use)
{
	struct section section = {.name = asked->what->name, .others = OTHERS};
	struct secor_err err = {""};
	int rc;

	if (asked->map->kind != NODE_MAP) {
		diag_error(binder->diag, asked->map->spot,
		    "%s: a map with 'use' (like {use: name}) is needed, not %s",
		    asked->what->name, node_phrase(asked->map));
		return;
	}
	use->use = use_name(binder, asked);
	use->compat = binder->compat;
	if (use->use == NULL)
		return;
	if (asked->engine.conf != NULL)
		section.targets[section.target_count++] = asked->engine;
	rc = registry_find(binder->registry, asked->what->kind, use->use,
	    binder->base_dir, &use->plugin, &err);
	if (rc == SECOR_OK) {
		bind_conf(binder, asked, &section, use);
		return;
	}
	if (rc != SECOR_RETRY)
		diag_error(binder->diag, node_spot(asked->map, "use"),
		    "use: %s", err.text);
	section.open = 1;
	bind_section(binder, &section, asked->map, asked->map->spot);
}

/* Whether the section names the same plugin as its base, or none. */
static int
same_use(const struct node *node, const struct config_use *base)
{
	const struct node *use = node_get(node, "use");

	return base != NULL && base->use != NULL &&
	       (use == NULL || use->kind != NODE_TEXT ||
		   strcmp(use->text, base->use) == 0);
}

void
use_bind(const struct binder *binder, const struct use_section *what,
    const struct node *node, const struct config_use *base,
    struct config_use *use)
{
	struct asked asked = {.what = what, .map = node, .base = base};

	if (what->kind == SECOR_REPORTER) {
		options_init(&reporter_keys, use);
		asked.engine.opts = reporter_keys;
		asked.engine.conf = use;
	}
	if (what->kind == SECOR_PARTITIONER) {
		if (same_use(node, base))
			options_copy_into(&partitioner_keys, base, use);
		else
			options_init(&partitioner_keys, use);
		asked.engine.opts = partitioner_keys;
		asked.engine.conf = use;
	}
	bind(binder, &asked, use);
}

void
parser_bind(const struct binder *binder, const struct node *node,
    const struct config_topic *base, struct config_topic *topic)
{
	struct asked asked = {.what = use_section("parser"),
	    .map = node,
	    .base = base != NULL ? &base->parser : NULL,
	    .engine = {parser_keys, topic, base != NULL},
	    .no_time = &topic->time_source}; /* CONFIG_TIME_KAFKA is 1 */

	bind(binder, &asked, &topic->parser);
}

/* ---- lists ---- */

void
uses_bind(const struct binder *binder, const struct use_section *what,
    const struct node *node, const struct config_uses *base,
    struct config_uses *uses)
{
	const struct node *const *items = (const struct node *const *)&node;
	size_t n = 1;

	if (node->kind == NODE_LIST) {
		items = (const struct node *const *)node->items;
		n = node->count;
	}
	uses->items = mem_alloc((n + 1) * sizeof(*uses->items));
	uses->count = n;
	for (size_t i = 0; i < n; i++) {
		/* item by item: only lists of the same length are alike */
		int alike = base != NULL && base->count == n;

		use_bind(binder, what, items[i], alike ? &base->items[i] : NULL,
		    &uses->items[i]);
	}
	if (n == 0 && what->required)
		diag_error(binder->diag, node->spot,
		    "%s is empty: at least one is needed", what->name);
}

void
use_copy(const struct config_use *from, struct config_use *to)
{
	struct options opts;

	*to = *from;
	to->use =
	    from->use != NULL ? mem_dup(from->use, strlen(from->use)) : NULL;
	if (from->overflow_value != NULL)
		to->overflow_value =
		    mem_dup(from->overflow_value, strlen(from->overflow_value));
	if (from->conf == NULL)
		return;
	opts = plugin_options(from->plugin);
	to->conf = options_copy(&opts, from->conf);
}

void
uses_copy(const struct config_uses *from, struct config_uses *to)
{
	to->items = mem_alloc((from->count + 1) * sizeof(*to->items));
	to->count = from->count;
	for (size_t i = 0; i < from->count; i++)
		use_copy(&from->items[i], &to->items[i]);
}

void
use_fini(struct config_use *use)
{
	struct options opts;

	if (use->conf != NULL) {
		opts = plugin_options(use->plugin);
		options_free(&opts, (void *)use->conf);
	}
	free((void *)use->use);
	free((void *)use->overflow_value);
	memset(use, 0, sizeof(*use));
}

void
uses_fini(struct config_uses *uses)
{
	for (size_t i = 0; i < uses->count; i++)
		use_fini(&uses->items[i]);
	free(uses->items);
	memset(uses, 0, sizeof(*uses));
}
