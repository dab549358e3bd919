/*
 * tree.h -- a YAML document as nodes that know their line and column.
 */
#ifndef SECOR_CONFIG_TREE_H
#define SECOR_CONFIG_TREE_H

#include "core/config/diag.h"

enum node_kind { NODE_TEXT = 0, NODE_LIST = 1, NODE_MAP = 2 };

struct node {
	int kind;
	struct spot spot;
	char *text; /* of a NODE_TEXT */
	int plain;  /* written without quotes */
	int torn;   /* a NUL byte in it: cut there */
	size_t count;
	struct node **keys; /* of a NODE_MAP; always NODE_TEXT */
	struct node **items;
};

struct tree;

/* NULL after complaints: not YAML, more than one document, a key that is no
 * text, empty, not a map. */
struct tree *tree_parse(const char *bytes, size_t len, struct diag *diag);
void tree_free(struct tree *tree);
const struct node *tree_root(const struct tree *tree);

/* The value of a key; NULL when it is not there, or `map` is NULL or no map. */
const struct node *node_get(const struct node *map, const char *key);
/* `~`, `null` or nothing. */
int node_is_null(const struct node *node);
/* "a list", for complaints. */
const char *node_phrase(const struct node *node);

/* The value of map's key (a path like "accept_time.past" too), or else the map
 * itself; key NULL: the map. */
struct spot node_spot(const struct node *map, const char *key);
/* The key itself, or else the map. */
struct spot node_key_spot(const struct node *map, const char *key);

#endif
