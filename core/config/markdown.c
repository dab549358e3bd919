/*
 * markdown.c -- docs/OPTIONS.md, from the same rows that bind the file.
 */
#include "core/base/buf.h"
#include "core/config/parts.h"

#include <stdlib.h>
#include <string.h>

static const char *
type_word(int type)
{
	static const char *const WORDS[] = {"", "true or false", "number",
	    "size", "duration", "text", "", "list", "map", "number", "share",
	    "path"};

	return WORDS[type];
}

/* The text with '|' kept from ending the cell. */
static void
put_cell(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '|')
			buf_putc(out, '\\');
		buf_putc(out, *text);
	}
}

/* The authors of plugins write sentences in their own ways. */
static void
put_sentence(struct buf *out, const char *text)
{
	size_t from = out->len;

	put_cell(out, text);
	if (out->len > from && out->ptr[from] >= 'a' && out->ptr[from] <= 'z')
		out->ptr[from] = (char)(out->ptr[from] - 'a' + 'A');
	if (out->len > from && out->ptr[out->len - 1] != '.')
		buf_putc(out, '.');
}

static void
put_type(struct buf *out, const struct secor_option *row)
{
	if (row->type != SECOR_TYPE_CHOICE)
		buf_puts(out, type_word(row->type));
	for (size_t i = 0;
	     row->type == SECOR_TYPE_CHOICE && row->choices[i] != NULL; i++)
		buf_printf(out, "%s`%s`", i > 0 ? ", " : "", row->choices[i]);
	if (row->min != NULL && row->max != NULL)
		buf_printf(out, ", %s to %s", row->min, row->max);
	else if (row->min != NULL && strcmp(row->min, "unlimited") == 0)
		buf_puts(out, " or `unlimited`");
	else if (row->min != NULL && strcmp(row->min, "0") != 0)
		buf_printf(out, ", at least %s", row->min);
	else if (row->max != NULL)
		buf_printf(out, ", at most %s", row->max);
}

static void
put_row(struct buf *out, const struct secor_option *row)
{
	buf_printf(out, "| `%s` | ", row->key);
	put_type(out, row);
	buf_puts(out, " | ");
	if (row->flags & SECOR_OPTION_REQUIRED)
		buf_puts(out, "**required**");
	else if (row->def != NULL && *row->def != '\0') {
		buf_putc(out, '`');
		put_cell(out, row->def);
		buf_putc(out, '`');
	}
	buf_puts(out, " | ");
	put_sentence(out, row->help);
	if (row->flags & SECOR_OPTION_SECRET)
		buf_puts(out, " Secret: `${ENV}` or `file:PATH`.");
	if (row->flags & SECOR_OPTION_OUTPUT)
		buf_puts(out, " \u2020");
	if (row->flags & SECOR_OPTION_DEPRECATED)
		buf_puts(out, " Deprecated.");
	buf_puts(out, " |\n");
}

static void
put_table(struct buf *out, const struct options *opts)
{
	if (opts->count == 0) {
		buf_puts(out, "No options.\n\n");
		return;
	}
	buf_puts(out, "| key | value | default | what it does |\n"
		      "|---|---|---|---|\n");
	for (size_t i = 0; i < opts->count; i++)
		put_row(out, options_row(opts, i));
	buf_putc(out, '\n');
}

static const struct engine_section *
engine_section(const char *name)
{
	const struct engine_section *own = config_sections;

	while (own->name != NULL && strcmp(own->name, name) != 0)
		own++;
	if (own->name != NULL)
		return own;
	for (own = topic_sections; own->name != NULL; own++) {
		if (strcmp(own->name, name) == 0)
			return own;
	}
	return NULL;
}

static void
put_refusal(void *arg, const char *property, const char *why)
{
	buf_printf(arg, "| `%s` | ", property);
	put_sentence(arg, why);
	buf_puts(arg, " |\n");
}

/* Behind the kafka section's table. */
static void
put_refusals(struct buf *out)
{
	buf_puts(out,
	    "Every property of librdkafka's consumer may stand in "
	    "`properties`, checked by name and value, except those that would "
	    "break the promise:\n\n"
	    "| property | why it is refused |\n|---|---|\n");
	kafka_rules_each(put_refusal, out);
	buf_putc(out, '\n');
}

struct page {
	struct buf *out;
	int kind;
};

static void
put_plugin(void *arg, const struct plugin *plugin, const char *file,
    const char *why_not)
{
	const struct page *page = arg;
	struct options opts;

	(void)file;
	(void)why_not; /* only those that load are described */
	if (plugin == NULL || plugin->desc.kind != page->kind)
		return;
	buf_printf(page->out, "### `use: %s`\n\n", plugin->desc.name);
	put_sentence(page->out,
	    plugin->desc.summary != NULL ? plugin->desc.summary : "");
	buf_puts(page->out, "\n\n");
	opts = plugin_options(plugin);
	put_table(page->out, &opts);
}

static void
put_plugins(
    struct buf *out, struct registry *registry, const struct use_section *what)
{
	struct page page = {out, what->kind};

	buf_printf(out, "## %s\n\n%s %s\n\n", what->name, what->help,
	    what->many ? "One, or a list; each with `use:`."
		       : "One, with `use:`.");
	if (what->kind == SECOR_PARSER)
		put_table(out, &parser_keys);
	if (what->kind == SECOR_REPORTER)
		put_table(out, &reporter_keys);
	if (what->kind == SECOR_PARTITIONER)
		put_table(out, &partitioner_keys);
	registry_each(registry, put_plugin, &page);
}

char *
config_plugin_markdown(const struct plugin *plugin)
{
	struct buf out = {0};
	struct page page = {&out, plugin->desc.kind};

	put_plugin(&page, plugin, plugin->file, NULL);
	return buf_take(&out);
}

char *
config_markdown(struct registry *registry)
{
	struct buf out = {0};

	buf_puts(&out,
	    "# Options\n\n"
	    "Written by `make docs` from the tables that the program itself "
	    "uses; do not edit.\n\n"
	    "One YAML file, its sections in the order of the flow. Durations "
	    "are `250ms`, `10m`, `1h30m`; sizes `512`, `64KiB`, `200MiB`, "
	    "`1GB`; shares `10%`. `${NAME}` and `${NAME:-default}` in a value "
	    "are environment variables, `$$` is a dollar sign. Paths are "
	    "relative to the file. A key `a.b` is written `a: {b: ...}`.\n\n"
	    "Keys with \u2020 decide names or records of the output: changed "
	    "in the middle of a batch, they halt its partition until `secor "
	    "run NEW --finish-plans-with OLD` has finished it. In `store` they "
	    "say where the output is: with another value all partitions halt "
	    "until `secor offsets adopt`.\n\n");
	for (size_t i = 0; section_names[i] != NULL; i++) {
		const struct engine_section *own =
		    engine_section(section_names[i]);
		const struct use_section *what = use_section(section_names[i]);

		if (own != NULL) {
			buf_printf(
			    &out, "## %s\n\n%s\n\n", own->name, own->help);
			put_table(&out, &own->opts);
			if (strcmp(own->name, "kafka") == 0)
				put_refusals(&out);
		} else if (what != NULL) {
			put_plugins(&out, registry, what);
		} else if (strcmp(section_names[i], "compat") == 0) {
			buf_puts(&out, "## compat\n\nOf the whole file, "
				       "without a section.\n\n");
			put_table(&out, &file_keys);
		}
	}
	buf_puts(&out,
	    "## overrides\n\n"
	    "A list; the first whose `match` (a regular expression, PCRE2) "
	    "matches the topic counts. Beside `match` it may have "
	    "`transformers`, `parser`, `partitioner`, `format`, `batch`, "
	    "`bad_messages`, `finalize`, `kafka`. A section with the same "
	    "plugin as the "
	    "base keeps "
	    "the keys that it does not set; another `use` begins from "
	    "defaults. `kafka` takes nothing over from the base:\n\n");
	for (const struct engine_section *own = override_sections;
	     own->name != NULL; own++)
		put_table(&out, &own->opts);
	out.ptr[--out.len] = '\0'; /* one line ends the page */
	return buf_take(&out);
}
