/*
 * bind.c -- every key of a section is somebody's row, once, with a value of
 * the row's type; everything else is a complaint.
 */
#include "core/config/bind.h"

#include "core/base/buf.h"
#include "core/config/expand.h"

#include <stdlib.h>
#include <string.h>

/* A row and the structure that it is set in. */
struct place {
	const struct secor_option *row;
	void *conf;
};

/* ---- values ---- */

char *
bind_text(const struct binder *binder, const struct node *node, const char *key)
{
	struct secor_err err = {""};
	char *text = NULL;

	if (node->kind != NODE_TEXT || node_is_null(node)) {
		diag_error(binder->diag, node->spot, "%s: is %s, not a text",
		    key, node_phrase(node));
		return NULL;
	}
	if (expand_text(node->text, &text, &err) != SECOR_OK)
		diag_error(binder->diag, node->spot, "%s: %s", key, err.text);
	return text;
}

static int
may_be_file(const struct secor_option *row, const char *key)
{
	return (row->flags & SECOR_OPTION_SECRET) != 0 ||
	       (row->type == SECOR_TYPE_PAIRS && option_key_is_secret(key));
}

/* Properties of Kafka's client name files too: ssl.ca.location. */
static int
is_path(const struct secor_option *row, const char *key, const char *text)
{
	size_t len = strlen(key);

	if (row->type != SECOR_TYPE_PAIRS)
		return row->type == SECOR_TYPE_PATH;
	return len > 9 && strcmp(key + len - 9, ".location") == 0 &&
	       strcmp(text, "probe") != 0;
}

/* A scalar of a row, as it is to be set. `key` is the row's, or that of the
 * pair in a map. */
static char *
final_text(const struct binder *binder, const struct secor_option *row,
    const struct node *node, const char *key)
{
	char *text = bind_text(binder, node, key), *out = NULL;
	struct secor_err err = {""};

	if (text == NULL)
		return NULL;
	if (is_path(row, key, text)) {
		out = expand_path(text, binder->real_dir);
	} else if (may_be_file(row, key)) {
		if (expand_secret(text, binder->base_dir, &out, &err) ==
		    SECOR_OK)
			diag_secret(binder->diag, out);
		else
			diag_error(
			    binder->diag, node->spot, "%s: %s", key, err.text);
	} else {
		return text;
	}
	free(text);
	return out;
}

static void
set_scalar(const struct binder *binder, const struct place *place,
    const struct node *node)
{
	const struct secor_option *row = place->row;
	struct secor_err err = {""};
	char *text;

	if (node_is_null(node)) {
		diag_error(binder->diag, node->spot,
		    "%s: has no value; it is %s", row->key,
		    option_type_phrase(row->type));
		return;
	}
	text = final_text(binder, row, node, row->key);
	if (text == NULL)
		return;
	if (options_set_shown(row, place->conf, text,
		row->flags & SECOR_OPTION_SECRET ? "***" : node->text,
		&err) != SECOR_OK)
		diag_error(binder->diag, node->spot, "%s", err.text);
	free(text);
}

/* Lists and maps. */
static void
set_many(const struct binder *binder, const struct place *place,
    const struct node *node)
{
	const struct secor_option *row = place->row;
	const char **keys = mem_alloc((node->count + 1) * sizeof(*keys));
	char **values = mem_alloc((node->count + 1) * sizeof(*values));
	struct secor_err err = {""};
	int map = node->kind == NODE_MAP, ok = 1;

	if (row->type != (map ? SECOR_TYPE_PAIRS : SECOR_TYPE_STRINGS)) {
		diag_error(binder->diag, node->spot, "%s: is %s, not %s",
		    row->key, option_type_phrase(row->type), node_phrase(node));
		ok = 0;
	}
	if (map)
		bind_duplicates(binder, node);
	for (size_t i = 0; ok && i < node->count; i++) {
		keys[i] = map ? node->keys[i]->text : row->key;
		values[i] = final_text(binder, row, node->items[i], keys[i]);
	}
	for (size_t i = 0; i < node->count; i++)
		ok &= values[i] != NULL;
	if (ok &&
	    options_set_list(row, place->conf, map ? keys : NULL,
		(const char *const *)values, node->count, &err) != SECOR_OK)
		diag_error(binder->diag, node->spot, "%s", err.text);
	for (size_t i = 0; i < node->count; i++)
		free(values[i]);
	free(values);
	free(keys);
}

static void
set_value(const struct binder *binder, const struct place *place,
    const struct node *node)
{
	if (node->kind == NODE_TEXT)
		set_scalar(binder, place, node);
	else
		set_many(binder, place, node);
}

/* ---- keys ---- */

/* Whether "tls.ca: a" comes beside "tls: {ca: b}". */
static int
is_within(const struct node *map, const char *key, size_t group)
{
	const char *name = map->keys[group]->text;
	size_t len = strlen(name);

	return strncmp(key, name, len) == 0 && key[len] == '.' &&
	       node_get(map->items[group], key + len + 1) != NULL;
}

static void
complain_twice(const struct binder *binder, const char *key, struct spot one,
    struct spot other)
{
	int later = one.line > other.line ||
		    (one.line == other.line && one.col > other.col);

	diag_error(binder->diag, later ? one : other,
	    "'%s' comes twice, first at line %d", key,
	    later ? other.line : one.line);
}

static void
complain_dotted(
    const struct binder *binder, const struct node *map, const struct node *key)
{
	for (size_t k = 0; k < map->count; k++)
		if (is_within(map, key->text, k))
			complain_twice(binder, key->text, key->spot,
			    node_key_spot(map->items[k],
				key->text + strlen(map->keys[k]->text) + 1));
}

void
bind_duplicates(const struct binder *binder, const struct node *map)
{
	for (size_t i = 0; i < map->count; i++) {
		if (strchr(map->keys[i]->text, '.') != NULL)
			complain_dotted(binder, map, map->keys[i]);
		for (size_t j = 0; j < i; j++) {
			if (strcmp(map->keys[i]->text, map->keys[j]->text) != 0)
				continue;
			diag_error(binder->diag, map->keys[i]->spot,
			    "'%s' comes twice, first at line %d",
			    map->keys[i]->text, map->keys[j]->spot.line);
			break;
		}
	}
}

static struct place
find_place(const struct section *section, const char *key)
{
	struct place place = {NULL, NULL};

	for (size_t i = 0; i < section->target_count; i++) {
		place.row = options_find(&section->targets[i].opts, key);
		place.conf = section->targets[i].conf;
		if (place.row != NULL)
			break;
	}
	return place;
}

/* Calls for every row of the section. */
static size_t
all_keys(const struct section *section, const char **keys, size_t room)
{
	size_t n = 0;

	for (size_t i = 0; i < section->target_count; i++) {
		const struct options *opts = &section->targets[i].opts;

		for (size_t k = 0; k < opts->count && n < room; k++)
			keys[n++] = options_row(opts, k)->key;
	}
	for (size_t i = 0;
	     section->others != NULL && section->others[i] != NULL && n < room;
	     i++)
		keys[n++] = section->others[i];
	return n;
}

enum { MOST_KEYS = 256, SHOWN_KEYS = 12 };

/* Whether rows below "key." exist: `accept_time: {past: 1d}`. */
static int
is_group(const struct section *section, const char *key)
{
	const char *keys[MOST_KEYS];
	size_t n = all_keys(section, keys, MOST_KEYS), len = strlen(key);

	for (size_t i = 0; i < n; i++) {
		if (strncmp(keys[i], key, len) == 0 && keys[i][len] == '.')
			return 1;
	}
	return 0;
}

/* Nothing is like it: what there is instead, where that is a short list. */
static void
complain_strange(const struct binder *binder, const struct section *section,
    const char *key, struct spot spot)
{
	const char *keys[MOST_KEYS];
	size_t n = all_keys(section, keys, MOST_KEYS);
	struct buf list = {0};

	for (size_t i = 0; i < n; i++)
		buf_printf(&list, "%s%s", i > 0 ? ", " : "", keys[i]);
	if (n <= SHOWN_KEYS)
		diag_error(binder->diag, spot, "%s has no key '%s'; it has %s",
		    section->name, key, list.ptr);
	else if (section->plugin != NULL) /* it may be of somebody else */
		diag_error(binder->diag, spot,
		    "%s has no key '%s'; 'secor plugins %s' has all",
		    section->name, key, section->plugin);
	else
		diag_error(binder->diag, spot,
		    "%s has no key '%s'; docs/OPTIONS.md has all",
		    section->name, key);
	buf_fini(&list);
}

static void
complain_unknown(const struct binder *binder, const struct section *section,
    const char *key, struct spot spot)
{
	const char *keys[MOST_KEYS];
	size_t n = all_keys(section, keys, MOST_KEYS);
	const char *near = nearest_word(key, keys, n);

	if (near != NULL)
		diag_error(binder->diag, spot,
		    "%s has no key '%s'; did you mean '%s'?", section->name,
		    key, near);
	else if (n == 0)
		diag_error(binder->diag, spot, "%s has no keys, not '%s'",
		    section->name, key);
	else
		complain_strange(binder, section, key, spot);
}

static int
is_other(const struct section *section, const char *key)
{
	for (size_t i = 0;
	     section->others != NULL && section->others[i] != NULL; i++) {
		if (strcmp(section->others[i], key) == 0)
			return 1;
	}
	return 0;
}

static void bind_keys(const struct binder *binder,
    const struct section *section, const struct node *map, const char *prefix);

/* `tls: {}` of a plugin looks as if it were on. The engine's own sections say
 * more of theirs. */
static void
bind_group(const struct binder *binder, const struct section *section,
    const struct node *value, const char *full)
{
	if (value->kind != NODE_MAP)
		diag_error(binder->diag, value->spot, "%s: is a map, not %s",
		    full, node_phrase(value));
	else if (value->count == 0 && section->plugin != NULL)
		diag_error(binder->diag, value->spot,
		    "%s: is empty; give it a key ('secor plugins %s' has all), "
		    "or leave it out",
		    full, section->plugin);
	else
		bind_keys(binder, section, value, full);
}

static void
bind_key(const struct binder *binder, const struct section *section,
    const struct node *key, const struct node *value, const char *prefix)
{
	char *full = mem_text("%s%s", prefix, key->text);
	struct place place = find_place(section, full);

	if (place.row != NULL) {
		if (place.row->flags & SECOR_OPTION_DEPRECATED)
			diag_warning(binder->diag, key->spot,
			    "'%s' is deprecated: %s", full, place.row->help);
		set_value(binder, &place, value);
	} else if (is_group(section, full)) {
		bind_group(binder, section, value, full);
	} else if (!section->open && !is_other(section, full)) {
		complain_unknown(binder, section, full, key->spot);
	}
	free(full);
}

/* The keys of the map that come first count: a second one is complained. */
static void
bind_keys(const struct binder *binder, const struct section *section,
    const struct node *map, const char *prefix)
{
	char *dotted =
	    *prefix != '\0' ? mem_text("%s.", prefix) : mem_dup("", 0);

	bind_duplicates(binder, map);
	for (size_t i = 0; i < map->count; i++) {
		if (node_get(map, map->keys[i]->text) == map->items[i])
			bind_key(binder, section, map->keys[i], map->items[i],
			    dotted);
	}
	free(dotted);
}

/* Also when it is mistyped: one complaint is enough. */
static int
is_given(const struct section *section, const struct node *map, const char *key)
{
	if (node_get(map, key) != NULL)
		return 1;
	for (size_t i = 0; map != NULL && i < map->count; i++) {
		const char *theirs = map->keys[i]->text;

		if (find_place(section, theirs).row == NULL &&
		    !is_other(section, theirs) &&
		    nearest_word(theirs, &key, 1) != NULL)
			return 1;
	}
	return 0;
}

static void
require(const struct binder *binder, const struct section *section,
    const struct node *map, struct spot where)
{
	for (size_t i = 0; i < section->target_count; i++) {
		const struct target *target = &section->targets[i];

		for (size_t k = 0; k < target->opts.count; k++) {
			const struct secor_option *row =
			    options_row(&target->opts, k);

			if ((row->flags & SECOR_OPTION_REQUIRED) == 0 ||
			    target->inherited ||
			    is_given(section, map, row->key))
				continue;
			diag_error(binder->diag, where, "%s needs '%s': %s",
			    section->name, row->key, row->help);
		}
	}
}

void
bind_section(const struct binder *binder, const struct section *section,
    const struct node *map, struct spot where)
{
	if (map != NULL && node_is_null(map))
		map = NULL; /* every key of it is commented out */
	if (map != NULL && map->kind != NODE_MAP) {
		diag_error(binder->diag, map->spot,
		    "%s is a map of keys, not %s", section->name,
		    node_phrase(map));
		return;
	}
	if (map != NULL)
		bind_keys(binder, section, map, "");
	require(binder, section, map, where);
}
