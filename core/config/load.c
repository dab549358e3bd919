/*
 * load.c -- config_load: read, parse, bind, check, in that order; each step
 * goes on after complaints as far as it makes sense.
 */
#include "core/base/buf.h"
#include "core/base/files.h"
#include "core/config/expand.h"
#include "core/config/parts.h"

#include <stdlib.h>
#include <string.h>

enum { LARGEST_FILE = 4 << 20 };

/* ---- the file's top level ---- */

static void
check_top(const struct binder *binder, const struct node *root)
{
	size_t n = 0;

	while (section_names[n] != NULL)
		n++;
	bind_duplicates(binder, root);
	for (size_t i = 0; i < root->count; i++) {
		const char *key = root->keys[i]->text, *near;
		size_t k = 0;

		while (k < n && strcmp(section_names[k], key) != 0)
			k++;
		if (k < n)
			continue;
		near = nearest_word(key, section_names, n);
		diag_error(binder->diag, root->keys[i]->spot,
		    near != NULL ? "no section '%s'; did you mean '%s'?"
				 : "no section '%s'",
		    key, near);
	}
}

static void
bind_config_sections(
    const struct binder *binder, const struct node *root, struct config *config)
{
	for (const struct engine_section *own = config_sections;
	     own->name != NULL; own++) {
		void *conf = (char *)config + own->offset;
		const struct node *map = node_get(root, own->name);
		struct section section = {.name = own->name,
		    .targets = {{own->opts, conf, 0}},
		    .target_count = 1};

		options_init(&own->opts, conf);
		bind_section(binder, &section, map,
		    map != NULL ? map->spot : root->spot);
	}
}

/* `compat`: what every plugin of the file is told. */
static void
bind_compat(
    struct binder *binder, const struct node *root, struct config *config)
{
	const struct secor_option *row = options_row(&file_keys, 0);
	const struct node *node = node_get(root, row->key);
	struct secor_err err = {""};
	char *text;

	options_init(&file_keys, config);
	if (node == NULL)
		return;
	text = bind_text(binder, node, row->key);
	if (text != NULL && options_set(row, config, text, &err) != SECOR_OK)
		diag_error(binder->diag, node->spot, "%s", err.text);
	free(text);
	binder->compat = config->compat;
}

/* Where a systemd unit says, else a folder of the user's. */
static void
default_stage(const struct binder *binder, const struct node *root,
    struct config_stage *stage)
{
	const char *dir = getenv("STATE_DIRECTORY");
	const char *state = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");

	if (stage->dir != NULL)
		return;
	if (dir != NULL && *dir == '/')
		stage->dir = mem_dup(dir, strcspn(dir, ":"));
	else if (state != NULL && *state == '/')
		stage->dir = mem_text("%s/secor", state);
	else if (home != NULL && *home == '/')
		stage->dir = mem_text("%s/.local/state/secor", home);
	else
		diag_error(binder->diag, node_spot(root, "stage"),
		    "stage needs 'dir': neither STATE_DIRECTORY nor HOME is "
		    "set");
}

static void
bind_plugins(
    const struct binder *binder, const struct node *root, struct config *config)
{
	const struct use_section *store = use_section("store");
	const struct node *node = node_get(root, store->name);

	if (node == NULL || node_is_null(node))
		diag_error(binder->diag, root->spot,
		    "section '%s' is missing: %s", store->name, store->help);
	else
		use_bind(binder, store, node, NULL, &config->store);
	token_bind(binder, root, config);
	node = node_get(root, "notifiers");
	if (node != NULL && !node_is_null(node))
		uses_bind(binder, use_section("notifiers"), node, NULL,
		    &config->notifiers);
	node = node_get(root, "reporters");
	if (node != NULL && !node_is_null(node))
		uses_bind(binder, use_section("reporters"), node, NULL,
		    &config->reporters);
}

/* ---- overrides ---- */

static const char *const OVERRIDABLE[] = {"match", "transformers", "parser",
    "partitioner", "format", "batch", "bad_messages", "finalize", "kafka",
    NULL};

static void
check_override_keys(const struct binder *binder, const struct node *map)
{
	struct section section = {.name = "an override", .others = OVERRIDABLE};

	bind_section(binder, &section, map, map->spot);
	if (map->count == 1)
		diag_warning(
		    binder->diag, map->spot, "this override changes nothing");
}

static void
bind_override(const struct binder *binder, const struct node *map,
    struct whole *whole, size_t i)
{
	struct config_topic *topic = &whole->config.topics[i];
	const struct node *match = node_get(map, "match");

	if (map->kind != NODE_MAP) {
		diag_error(binder->diag, map->spot,
		    "an override is a map with 'match', not %s",
		    node_phrase(map));
		return;
	}
	check_override_keys(binder, map);
	topic_bind(binder, map, &whole->config.topics[0], topic);
	if (match == NULL) {
		diag_error(binder->diag, map->spot,
		    "an override needs 'match': a regular expression for "
		    "topics");
		return;
	}
	topic->match = bind_text(binder, match, "match");
	if (topic->match != NULL)
		whole->matches[i] = match_compile(binder, match, topic->match);
}

/* The base and its overrides, by the index of their topic. */
static void
bind_topics(
    const struct binder *binder, const struct node *root, struct whole *whole)
{
	const struct node *list = node_get(root, "overrides");
	size_t n = 0;

	if (list != NULL && node_is_null(list))
		list = NULL;
	if (list != NULL && list->kind != NODE_LIST)
		diag_error(binder->diag, list->spot,
		    "overrides is a list of maps with 'match', not %s",
		    node_phrase(list));
	else if (list != NULL)
		n = list->count;
	whole->config.topic_count = n + 1;
	whole->config.topics =
	    mem_alloc((n + 1) * sizeof(*whole->config.topics));
	whole->matches = mem_alloc((n + 1) * sizeof(*whole->matches));
	topic_bind(binder, root, NULL, &whole->config.topics[0]);
	for (size_t i = 1; i <= n; i++)
		bind_override(binder, list->items[i - 1], whole, i);
}

/* ---- all together ---- */

static void
check_all(const struct binder *binder, const struct node *root,
    struct whole *whole, int flags)
{
	struct config *config = &whole->config;
	const struct node *list = node_get(root, "overrides");

	patterns_compile(binder, node_get(root, "kafka"), "topics",
	    &config->kafka.topics, &whole->topics);
	patterns_compile(binder, node_get(root, "kafka"), "exclude",
	    &config->kafka.exclude, &whole->exclude);
	reading_check(binder, root, config);
	fetching_check(binder, root, config);
	rules_check(binder, root, whole);
	for (size_t i = 0; i < config->topic_count; i++) {
		const struct node *map = i == 0 ? root : list->items[i - 1];
		struct config_topic *topic = &config->topics[i];

		rules_check_topic(binder, root, map, topic);
		if (binder->diag->errors > 0 || !binder->load)
			continue;
		topic->fingerprint = fingerprint_of(config, topic);
		if (flags & CONFIG_TRY_OPEN)
			topic_try_open(binder, root, map, topic);
	}
}

static struct whole *
whole_new(const char *file)
{
	struct whole *whole = mem_alloc(sizeof(*whole));

	whole->file = mem_dup(file, strlen(file));
	whole->config.file = whole->file;
	return whole;
}

void
config_free(struct config *config)
{
	struct whole *whole = (struct whole *)config;

	if (config == NULL)
		return;
	for (const struct engine_section *own = config_sections;
	     own->name != NULL; own++)
		options_fini(&own->opts, (char *)config + own->offset);
	for (size_t i = 0; i < config->topic_count; i++) {
		topic_fini(&config->topics[i]);
		match_free(whole->matches[i]);
	}
	free(config->topics);
	free(whole->matches);
	use_fini(&config->token);
	use_fini(&config->store);
	uses_fini(&config->notifiers);
	uses_fini(&config->reporters);
	patterns_fini(&whole->topics);
	patterns_fini(&whole->exclude);
	free(whole->file);
	free(whole);
}

static char *
folder_of(const char *file)
{
	const char *slash = strrchr(file, '/');

	if (slash == NULL)
		return mem_dup(".", 1);
	return slash == file ? mem_dup("/", 1)
			     : mem_dup(file, (size_t)(slash - file));
}

static struct config *
load(struct binder *binder, const char *file, const char *bytes, size_t len,
    int flags)
{
	struct tree *tree = tree_parse(bytes, len, binder->diag);
	struct whole *whole;
	const struct node *root;

	if (tree == NULL)
		return NULL;
	root = tree_root(tree);
	whole = whole_new(file);
	check_top(binder, root);
	bind_compat(binder, root, &whole->config);
	bind_config_sections(binder, root, &whole->config);
	security_defaults(node_get(root, "kafka"), &whole->config.kafka);
	default_stage(binder, root, &whole->config.stage);
	bind_plugins(binder, root, &whole->config);
	bind_topics(binder, root, whole);
	check_all(binder, root, whole, flags);
	tree_free(tree);
	if (binder->diag->errors > 0) {
		config_free(&whole->config);
		return NULL;
	}
	return &whole->config;
}

int
config_load(
    const char *file, const struct config_how *how, struct config **config)
{
	struct diag diag = {.file = file};
	char *folder = folder_of(file), *real = realpath(folder, NULL);
	struct binder binder = {&diag, how->registry, folder,
	    real != NULL ? real : folder,
	    (how->flags & CONFIG_NO_LOAD) == 0 && registry_loads(how->registry),
	    SECOR_COMPAT_NONE};
	struct secor_err err = {""};
	struct config *loaded = NULL;
	char *bytes = NULL;
	size_t len;
	int rc;

	rc = file_read(file, LARGEST_FILE, &bytes, &len, &err);
	if (rc != SECOR_OK) {
		diag_error(&diag, (struct spot){0, 0}, "%s", err.text);
	} else {
		loaded = load(&binder, file, bytes, len, how->flags);
		rc = loaded != NULL ? SECOR_OK : SECOR_REJECT;
	}
	diag_report(&diag, how->complain, how->arg);
	diag_fini(&diag);
	free(bytes);
	free(folder);
	free(real);
	if (rc == SECOR_OK)
		*config = loaded;
	return rc;
}
