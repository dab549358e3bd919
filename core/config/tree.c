/*
 * tree.c -- libyaml's document, copied into nodes that outlive it. Aliases are
 * pointers to the same node.
 */
#include "core/config/tree.h"

#include "core/base/buf.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct tree {
	struct node *nodes;
	size_t count;
};

static struct spot
spot_of(yaml_mark_t mark)
{
	struct spot spot = {(int)mark.line + 1, (int)mark.column + 1};

	return spot;
}

/* ---- syntax errors ---- */

static struct spot
spot_at(const char *bytes, size_t offset)
{
	struct spot spot = {1, 1};

	for (size_t i = 0; i < offset; i++) {
		spot.col++;
		if (bytes[i] == '\n') {
			spot.line++;
			spot.col = 1;
		}
	}
	return spot;
}

static void
complain_syntax(const yaml_parser_t *parser, const char *bytes, size_t len,
    struct diag *diag)
{
	size_t index = parser->problem_mark.index;

	if (parser->error == YAML_READER_ERROR) {
		diag_error(diag,
		    spot_at(bytes, parser->problem_offset < len
				       ? parser->problem_offset
				       : len),
		    "not YAML: %s", parser->problem);
		return;
	}
	if (index < len && bytes[index] == '\t') {
		diag_error(diag, spot_of(parser->problem_mark),
		    "not YAML: a tab; indent with blanks");
		return;
	}
	if (parser->context != NULL)
		diag_error(diag, spot_of(parser->problem_mark),
		    "not YAML: %s, %s that began at line %zu", parser->problem,
		    parser->context, parser->context_mark.line + 1);
	else
		diag_error(diag, spot_of(parser->problem_mark), "not YAML: %s",
		    parser->problem);
}

/* ---- nodes ---- */

static void
fill_pointers(struct tree *tree, struct node *to, yaml_node_t *from)
{
	yaml_node_pair_t *pair;
	size_t n;

	if (from->type == YAML_SEQUENCE_NODE) {
		n = (size_t)(from->data.sequence.items.top -
			     from->data.sequence.items.start);
		to->items = mem_alloc((n + 1) * sizeof(*to->items));
		for (size_t i = 0; i < n; i++)
			to->items[i] =
			    &tree->nodes[from->data.sequence.items.start[i] -
					 1];
		to->count = n;
		return;
	}
	n = (size_t)(from->data.mapping.pairs.top -
		     from->data.mapping.pairs.start);
	to->keys = mem_alloc((n + 1) * sizeof(*to->keys));
	to->items = mem_alloc((n + 1) * sizeof(*to->items));
	for (size_t i = 0; i < n; i++) {
		pair = &from->data.mapping.pairs.start[i];
		to->keys[i] = &tree->nodes[pair->key - 1];
		to->items[i] = &tree->nodes[pair->value - 1];
	}
	to->count = n;
}

static void
fill_node(struct tree *tree, struct node *to, yaml_node_t *from)
{
	to->spot = spot_of(from->start_mark);
	switch (from->type) {
	case YAML_SEQUENCE_NODE:
		to->kind = NODE_LIST;
		fill_pointers(tree, to, from);
		break;
	case YAML_MAPPING_NODE:
		to->kind = NODE_MAP;
		fill_pointers(tree, to, from);
		break;
	default:
		to->kind = NODE_TEXT;
		to->plain = from->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
		to->text =
		    mem_dup(from->data.scalar.value, from->data.scalar.length);
		to->torn = strlen(to->text) != from->data.scalar.length;
	}
}

static int
check_node(const struct node *node, struct diag *diag)
{
	int ok = !node->torn;

	if (node->torn)
		diag_error(diag, node->spot, "has a NUL byte in it");
	for (size_t i = 0; node->keys != NULL && i < node->count; i++) {
		if (node->keys[i]->kind == NODE_TEXT)
			continue;
		diag_error(diag, node->keys[i]->spot,
		    "%s is no key: put values with { or [ in quotes",
		    node_phrase(node->keys[i]));
		ok = 0;
	}
	return ok;
}

static struct tree *
tree_copy(yaml_document_t *document, struct diag *diag)
{
	struct tree *tree = mem_alloc(sizeof(*tree));
	int ok = 1;

	tree->count = (size_t)(document->nodes.top - document->nodes.start);
	tree->nodes = mem_alloc((tree->count + 1) * sizeof(*tree->nodes));
	for (size_t i = 0; i < tree->count; i++)
		fill_node(tree, &tree->nodes[i], &document->nodes.start[i]);
	for (size_t i = 0; i < tree->count; i++)
		ok &= check_node(&tree->nodes[i], diag);
	if (tree->count == 0)
		diag_error(diag, (struct spot){1, 1}, "is empty");
	else if (tree->nodes[0].kind != NODE_MAP)
		diag_error(diag, tree->nodes[0].spot,
		    "is %s, not a map of sections (kafka:, parser:, ...)",
		    node_phrase(&tree->nodes[0]));
	if (!ok || tree->count == 0 || tree->nodes[0].kind != NODE_MAP) {
		tree_free(tree);
		return NULL;
	}
	return tree;
}

/* Whether another document follows. */
static int
has_more(yaml_parser_t *parser, struct diag *diag)
{
	yaml_document_t second;
	yaml_node_t *root;
	int more;

	if (!yaml_parser_load(parser, &second))
		return 0; /* said by the caller of the first load or junk */
	root = yaml_document_get_root_node(&second);
	more = root != NULL;
	if (more)
		diag_error(diag, spot_of(root->start_mark),
		    "a second document: one file is one configuration");
	yaml_document_delete(&second);
	return more;
}

struct tree *
tree_parse(const char *bytes, size_t len, struct diag *diag)
{
	struct tree *tree = NULL;
	yaml_parser_t parser;
	yaml_document_t document;

	if (!yaml_parser_initialize(&parser))
		abort(); /* out of memory */
	yaml_parser_set_input_string(&parser, (const void *)bytes, len);
	if (!yaml_parser_load(&parser, &document)) {
		complain_syntax(&parser, bytes, len, diag);
		yaml_parser_delete(&parser);
		return NULL;
	}
	tree = tree_copy(&document, diag);
	yaml_document_delete(&document);
	if (tree != NULL && has_more(&parser, diag)) {
		tree_free(tree);
		tree = NULL;
	}
	if (tree != NULL && parser.error != YAML_NO_ERROR) {
		complain_syntax(&parser, bytes, len, diag);
		tree_free(tree);
		tree = NULL;
	}
	yaml_parser_delete(&parser);
	return tree;
}

void
tree_free(struct tree *tree)
{
	if (tree == NULL)
		return;
	for (size_t i = 0; i < tree->count; i++) {
		free(tree->nodes[i].text);
		free(tree->nodes[i].keys);
		free(tree->nodes[i].items);
	}
	free(tree->nodes);
	free(tree);
}

const struct node *
tree_root(const struct tree *tree)
{
	return &tree->nodes[0];
}

const struct node *
node_get(const struct node *map, const char *key)
{
	if (map == NULL || map->kind != NODE_MAP)
		return NULL;
	for (size_t i = 0; i < map->count; i++) {
		if (strcmp(map->keys[i]->text, key) == 0)
			return map->items[i];
	}
	return NULL;
}

int
node_is_null(const struct node *node)
{
	return node->kind == NODE_TEXT && node->plain &&
	       (*node->text == '\0' || strcmp(node->text, "~") == 0 ||
		   strcmp(node->text, "null") == 0);
}

const char *
node_phrase(const struct node *node)
{
	if (node->kind == NODE_TEXT)
		return node_is_null(node) ? "nothing" : "one value";
	return node->kind == NODE_LIST ? "a list" : "a map";
}

struct spot
node_spot(const struct node *map, const char *key)
{
	const struct node *value = key != NULL ? node_get(map, key) : NULL;
	const char *dot = key != NULL ? strchr(key, '.') : NULL;
	char *first;

	if (map == NULL)
		return (struct spot){1, 1};
	if (value != NULL)
		return value->spot;
	if (dot == NULL)
		return map->spot;
	first = mem_dup(key, (size_t)(dot - key));
	value = node_get(map, first);
	free(first);
	return value != NULL ? node_spot(value, dot + 1) : map->spot;
}

struct spot
node_key_spot(const struct node *map, const char *key)
{
	for (size_t i = 0; map != NULL && i < map->count; i++) {
		if (map->kind == NODE_MAP &&
		    strcmp(map->keys[i]->text, key) == 0)
			return map->keys[i]->spot;
	}
	return node_spot(map, NULL);
}
