/*
 * topic.c -- what happens to the messages of one topic: the base from the
 * file's top level, an override from the base plus its own sections.
 */
#include "core/base/buf.h"
#include "core/config/parts.h"

#include <stdlib.h>
#include <string.h>

/* ---- binding ---- */

/* A section that is a map with plugins, or NULL when it is not there. The base
 * must have those that are required. */
static const struct node *
section_node(const struct binder *binder, const struct use_section *what,
    const struct node *map, const struct config_topic *base)
{
	const struct node *node = node_get(map, what->name);

	if (node != NULL && !node_is_null(node))
		return node;
	if (base == NULL && what->required)
		diag_error(binder->diag, map->spot,
		    "section '%s' is missing: %s", what->name, what->help);
	return NULL;
}

static void
bind_list(const struct binder *binder, const struct use_section *what,
    const struct node *node, const struct config_uses *base,
    struct config_uses *uses)
{
	if (node != NULL)
		uses_bind(binder, what, node, base, uses);
	else if (base != NULL)
		uses_copy(base, uses);
}

static void
bind_lists(const struct binder *binder, const struct node *map,
    const struct config_topic *base, struct config_topic *topic)
{
	const struct use_section *what = use_section("transformers");

	bind_list(binder, what, section_node(binder, what, map, base),
	    base != NULL ? &base->transformers : NULL, &topic->transformers);
	what = use_section("partitioner");
	bind_list(binder, what, section_node(binder, what, map, base),
	    base != NULL ? &base->partitioners : NULL, &topic->partitioners);
}

static void
bind_parser(const struct binder *binder, const struct node *map,
    const struct config_topic *base, struct config_topic *topic)
{
	const struct node *node =
	    section_node(binder, use_section("parser"), map, base);

	if (base != NULL)
		options_copy_into(&parser_keys, base, topic);
	else
		options_init(&parser_keys, topic);
	if (node != NULL)
		parser_bind(binder, node, base, topic);
	else if (base != NULL)
		use_copy(&base->parser, &topic->parser);
}

static void
bind_format(const struct binder *binder, const struct node *map,
    const struct config_topic *base, struct config_topic *topic)
{
	const struct use_section *what = use_section("format");
	const struct node *node = section_node(binder, what, map, base);

	if (node != NULL)
		use_bind(binder, what, node,
		    base != NULL ? &base->format : NULL, &topic->format);
	else if (base != NULL)
		use_copy(&base->format, &topic->format);
}

static void
bind_engine_sections(const struct binder *binder, const struct node *map,
    const struct config_topic *base, struct config_topic *topic)
{
	for (const struct engine_section *own = topic_sections;
	     own->name != NULL; own++) {
		void *conf = (char *)topic + own->offset;
		struct section section = {.name = own->name,
		    .targets = {{own->opts, conf, base != NULL}},
		    .target_count = 1};

		if (base != NULL)
			options_copy_into(
			    &own->opts, (const char *)base + own->offset, conf);
		else
			options_init(&own->opts, conf);
		bind_section(
		    binder, &section, node_get(map, own->name), map->spot);
	}
}

/* Sections that an override has of its own. */
static void
bind_own_sections(const struct binder *binder, const struct node *map,
    struct config_topic *topic)
{
	for (const struct engine_section *own = override_sections;
	     own->name != NULL; own++) {
		void *conf = (char *)topic + own->offset;
		struct section section = {.name = own->name,
		    .targets = {{own->opts, conf, 0}},
		    .target_count = 1};

		options_init(&own->opts, conf);
		bind_section(
		    binder, &section, node_get(map, own->name), map->spot);
	}
}

/* ---- fields ---- */

static void
add_field(struct secor_strings *fields, const char *field)
{
	const char **items = (const char **)fields->items;

	for (size_t i = 0; i < fields->count; i++) {
		if (strcmp(items[i], field) == 0)
			return;
	}
	items = mem_grow(items, (fields->count + 1) * sizeof(*items));
	items[fields->count++] = mem_dup(field, strlen(field));
	fields->items = items;
}

static void
collect_fields(struct config_topic *topic)
{
	for (size_t i = 0; i < topic->partitioners.count; i++) {
		const struct config_use *use = &topic->partitioners.items[i];
		struct secor_strings fields = {NULL, 0};
		uint32_t inputs = 0;

		if (use->conf == NULL)
			continue;
		use->plugin->ops.partitioner->describe(
		    use->conf, &inputs, &fields);
		for (size_t k = 0; k < fields.count; k++)
			add_field(&topic->fields, fields.items[k]);
	}
}

void
topic_bind(const struct binder *binder, const struct node *map,
    const struct config_topic *base, struct config_topic *topic)
{
	bind_lists(binder, map, base, topic);
	bind_parser(binder, map, base, topic);
	bind_format(binder, map, base, topic);
	bind_engine_sections(binder, map, base, topic);
	if (base != NULL)
		bind_own_sections(binder, map, topic);
	if (binder->diag->errors == 0)
		collect_fields(topic);
}

void
topic_fini(struct config_topic *topic)
{
	uses_fini(&topic->transformers);
	use_fini(&topic->parser);
	uses_fini(&topic->partitioners);
	use_fini(&topic->format);
	for (const struct engine_section *own = topic_sections;
	     own->name != NULL; own++)
		options_fini(&own->opts, (char *)topic + own->offset);
	for (const struct engine_section *own = override_sections;
	     own->name != NULL; own++)
		options_fini(&own->opts, (char *)topic + own->offset);
	for (size_t i = 0; i < topic->fields.count; i++)
		free((void *)topic->fields.items[i]);
	free((void *)topic->fields.items);
	free((void *)topic->match);
}

/* ---- trying ---- */

static void
try_open(const struct binder *binder, struct spot spot,
    const struct config_topic *topic, const struct config_use *use)
{
	struct secor_open with = {.size = sizeof(with),
	    .conf = use->conf,
	    .host = use->plugin->host,
	    .no_time = topic->time_source == CONFIG_TIME_KAFKA,
	    .compat = use->compat};
	struct secor_err err = {""};
	void *self = NULL;

	if (use->plugin->desc.kind == SECOR_PARSER)
		with.fields = topic->fields;
	if (plugin_open(use->plugin, &with, &self, &err) == SECOR_OK)
		plugin_close(use->plugin, self);
	else
		diag_error(binder->diag, spot, "%s %s: %s",
		    kind_name(use->plugin->desc.kind), use->plugin->desc.name,
		    err.text);
}

/* The section's place in the override, else in the base. */
static const struct node *
written(const struct node *root, const struct node *map, const char *name)
{
	const struct node *node = node_get(map, name);

	return node != NULL ? node : node_get(root, name);
}

static void
try_list(const struct binder *binder, const struct node *node,
    const struct config_topic *topic, const struct config_uses *uses)
{
	for (size_t i = 0; i < uses->count; i++) {
		const struct node *item =
		    node->kind == NODE_LIST ? node->items[i] : node;

		try_open(
		    binder, node_spot(item, "use"), topic, &uses->items[i]);
	}
}

void
topic_try_open(const struct binder *binder, const struct node *root,
    const struct node *map, const struct config_topic *topic)
{
	try_list(binder, written(root, map, "transformers"), topic,
	    &topic->transformers);
	try_open(binder, node_spot(written(root, map, "parser"), "use"), topic,
	    &topic->parser);
	try_list(binder, written(root, map, "partitioner"), topic,
	    &topic->partitioners);
	try_open(binder, node_spot(written(root, map, "format"), "use"), topic,
	    &topic->format);
}
