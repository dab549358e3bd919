/*
 * show.c -- the effective configuration as YAML, secrets hidden.
 */
#include "core/base/buf.h"
#include "core/config/parts.h"

#include <stdlib.h>
#include <string.h>

/* "key: value" of every row; rows "group.key" under "group:". `indent` blanks
 * before each line. */
static void
put_rows(
    struct buf *out, const struct options *opts, const void *conf, int indent)
{
	char group[64] = "";

	for (size_t i = 0; i < opts->count; i++) {
		const struct secor_option *row = options_row(opts, i);
		const char *dot = strchr(row->key, '.');
		char *value = options_show(row, conf);
		size_t len = dot != NULL ? (size_t)(dot - row->key) : 0;

		if (value == NULL)
			continue;
		if (dot != NULL && (strlen(group) != len ||
				       strncmp(group, row->key, len) != 0)) {
			(void)snprintf(
			    group, sizeof(group), "%.*s", (int)len, row->key);
			buf_printf(out, "%*s%s:\n", indent, "", group);
		}
		buf_printf(out, "%*s%s: %s\n", indent + (dot != NULL ? 2 : 0),
		    "", dot != NULL ? dot + 1 : row->key, value);
		free(value);
	}
}

/* The lines behind `use:` at this indent. */
static void
put_use(struct buf *out, const struct config_use *use, int indent)
{
	struct options opts;

	buf_printf(out, "use: %s\n",
	    use->plugin != NULL && strchr(use->use, '/') != NULL
		? use->plugin->file
		: use->use);
	if (use->plugin == NULL) {
		buf_printf(out, "%*s# not looked at: --no-load\n", indent, "");
		return;
	}
	opts = plugin_options(use->plugin);
	put_rows(out, &opts, use->conf, indent);
	if (use->plugin->desc.kind == SECOR_REPORTER)
		put_rows(out, &reporter_keys, use, indent);
	if (use->plugin->desc.kind == SECOR_PARTITIONER && use->max_values > 0)
		put_rows(out, &partitioner_keys, use, indent);
}

static void
put_uses(struct buf *out, const char *name, const struct config_uses *uses,
    int indent)
{
	if (uses->count == 0) {
		buf_printf(out, "%*s%s: []\n", indent, "", name);
		return;
	}
	buf_printf(out, "%*s%s:\n", indent, "", name);
	for (size_t i = 0; i < uses->count; i++) {
		buf_printf(out, "%*s- ", indent + 2, "");
		put_use(out, &uses->items[i], indent + 4);
	}
}

static void
put_one(
    struct buf *out, const char *name, const struct config_use *use, int indent)
{
	buf_printf(out, "%*s%s:\n%*s", indent, "", name, indent + 2, "");
	put_use(out, use, indent + 2);
}

static void
put_topic(struct buf *out, const struct config_topic *topic, int indent)
{
	put_uses(out, "transformers", &topic->transformers, indent);
	put_one(out, "parser", &topic->parser, indent);
	put_rows(out, &parser_keys, topic, indent + 2);
	put_uses(out, "partitioner", &topic->partitioners, indent);
	put_one(out, "format", &topic->format, indent);
	for (const struct engine_section *own = topic_sections;
	     own->name != NULL; own++) {
		buf_printf(out, "%*s%s:\n", indent, "", own->name);
		put_rows(out, &own->opts, (const char *)topic + own->offset,
		    indent + 2);
	}
}

static void
put_own(struct buf *out, const struct config_topic *topic, int indent)
{
	for (const struct engine_section *own = override_sections;
	     own->name != NULL; own++) {
		buf_printf(out, "%*s%s:\n", indent, "", own->name);
		put_rows(out, &own->opts, (const char *)topic + own->offset,
		    indent + 2);
	}
}

static void
put_match(struct buf *out, const char *match)
{
	static const struct secor_option row = {
	    .key = "match", .type = SECOR_TYPE_STRING, .offset = 0};
	char *text = options_show(&row, &match);

	buf_printf(out, "  - match: %s\n", text);
	free(text);
}

char *
config_show(const struct config *config)
{
	struct buf out = {0};

	put_rows(&out, &file_keys, config, 0);
	for (const struct engine_section *own = config_sections;
	     own->name != NULL; own++) {
		buf_printf(&out, "%s:\n", own->name);
		put_rows(
		    &out, &own->opts, (const char *)config + own->offset, 2);
	}
	put_topic(&out, &config->topics[0], 0);
	if (config->token.use != NULL)
		put_one(&out, "token", &config->token, 0);
	put_one(&out, "store", &config->store, 0);
	put_uses(&out, "notifiers", &config->notifiers, 0);
	put_uses(&out, "reporters", &config->reporters, 0);
	if (config->topic_count > 1)
		buf_puts(&out, "overrides:\n");
	for (size_t i = 1; i < config->topic_count; i++) {
		put_match(&out, config->topics[i].match);
		put_topic(&out, &config->topics[i], 4);
		put_own(&out, &config->topics[i], 4);
	}
	return buf_take(&out);
}
