/*
 * layout.c -- see layout.h.
 */
#include "core/config/layout.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define HOLE "{topic}"
#define OTHERS "*"

/* What `topics` says of a name; NULL: nothing. */
static const char *
named(const struct config_layout *layout, const char *topic)
{
	for (size_t i = 0; i < layout->topics.count; i++)
		if (strcmp(layout->topics.items[i].key, topic) == 0)
			return layout->topics.items[i].value;
	return NULL;
}

static const char *
template_of(const struct config_layout *layout)
{
	const char *others = named(layout, OTHERS);

	return others != NULL ? others : HOLE;
}

static const char *
prefix_of(const struct config_layout *layout, int alternative)
{
	const char *prefix =
	    alternative ? layout->alternative_prefix : layout->prefix;

	return prefix == NULL ? "" : prefix;
}

/* Appends the text with the topic in its hole. */
static void
fill(struct buf *out, const char *text, const char *topic)
{
	const char *hole = strstr(text, HOLE);

	if (hole == NULL) {
		buf_puts(out, text);
		return;
	}
	buf_put(out, text, (size_t)(hole - text));
	buf_puts(out, topic);
	buf_puts(out, hole + strlen(HOLE));
}

void
layout_folder(const struct config *config, const char *topic, int alternative,
    struct buf *out)
{
	const struct config_layout *layout = &config->layout;
	const char *prefix = prefix_of(layout, alternative);
	const char *folder = named(layout, topic);

	if (prefix[0] != '\0')
		buf_printf(out, "%s/", prefix);
	fill(out, folder != NULL ? folder : template_of(layout), topic);
}

size_t
layout_overhead(const struct config *config)
{
	const struct config_layout *layout = &config->layout;
	size_t prefix = 0, folder = 0;

	for (int i = 0; i < 2; i++) {
		size_t len = strlen(prefix_of(layout, i));

		if (len > 0 && len + 1 > prefix)
			prefix = len + 1;
	}
	for (size_t i = 0; i < layout->topics.count; i++) {
		size_t len = strlen(layout->topics.items[i].value);

		folder = len > folder ? len : folder;
	}
	return prefix + folder + (layout->md5_prefix ? LAYOUT_MD5 : 0);
}

/* ---- back ---- */

/* Behind "<folder>/", or NULL. */
static const char *
behind(const char *key, const char *folder)
{
	size_t len = strlen(folder);

	return strncmp(key, folder, len) == 0 && key[len] == '/' ? key + len + 1
								 : NULL;
}

static size_t
topic_bytes(const char *text)
{
	return strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWX"
			    "YZ0123456789._-");
}

/* The topic whose folder by the template the key is in. */
static char *
match_template(
    const struct config_layout *layout, const char *key, const char *template)
{
	const char *hole = strstr(template, HOLE);
	size_t before = hole == NULL ? 0 : (size_t)(hole - template);
	const char *after = hole == NULL ? "" : hole + strlen(HOLE);
	size_t tail = strcspn(after, "/"), len;
	char *topic;

	if (hole == NULL || strncmp(key, template, before) != 0)
		return NULL;
	key += before;
	len = strcspn(key, "/");
	if (len <= tail || len - tail > topic_bytes(key) ||
	    strncmp(key + len - tail, after, tail) != 0 ||
	    behind(key + len - tail, after) == NULL)
		return NULL;
	topic = mem_dup(key, len - tail);
	if (named(layout, topic) == NULL)
		return topic;
	free(topic);
	return NULL;
}

static char *
match_under(
    const struct config_layout *layout, const char *key, int alternative)
{
	const char *prefix = prefix_of(layout, alternative);

	if (prefix[0] != '\0')
		key = behind(key, prefix);
	if (key == NULL)
		return NULL;
	for (size_t i = 0; i < layout->topics.count; i++) {
		const char *topic = layout->topics.items[i].key;
		struct buf folder = {0};
		int found;

		if (strcmp(topic, OTHERS) == 0)
			continue;
		fill(&folder, layout->topics.items[i].value, topic);
		found = behind(key, folder.ptr) != NULL;
		buf_fini(&folder);
		if (found)
			return mem_dup(topic, strlen(topic));
	}
	return match_template(layout, key, template_of(layout));
}

char *
layout_topic(const struct config *config, const char *key)
{
	const struct config_layout *layout = &config->layout;
	char *topic;

	if (layout->md5_prefix) {
		if (strspn(key, "0123456789abcdef") < 4 || key[4] != '/')
			return NULL;
		key += LAYOUT_MD5;
	}
	topic = match_under(layout, key, 0);
	if (topic == NULL && layout->alternative_prefix != NULL)
		topic = match_under(layout, key, 1);
	return topic;
}

/* ---- is it injective ---- */

__attribute__((format(printf, 3, 4))) static int
say(struct layout_fault *fault, const char *key, const char *fmt, ...)
{
	va_list ap;

	fault->key = key;
	va_start(ap, fmt);
	(void)vsnprintf(fault->text, sizeof(fault->text), fmt, ap);
	va_end(ap);
	return 1;
}

/* A topic of which the template decides, and that is read here. */
static int
uses_template(const struct config *config, const char *text, size_t len)
{
	char topic[250];

	if (len == 0 || len >= sizeof(topic) || topic_bytes(text) < len)
		return 0;
	memcpy(topic, text, len);
	topic[len] = '\0';
	return named(&config->layout, topic) == NULL &&
	       config_wants_topic(config, topic);
}

/* One folder against another, component by component. */
struct side {
	const char *at;
	size_t len; /* of the component */
	const char *hole;
};

static void
component(struct side *side)
{
	const char *hole = strstr(side->at, HOLE);

	side->len = strcspn(side->at, "/");
	side->hole = hole != NULL && hole < side->at + side->len ? hole : NULL;
}

/* Whether some topic makes the component with the hole equal to the other. */
static int
may_fill(const struct config *config, const struct side *with,
    const struct side *plain)
{
	size_t before = (size_t)(with->hole - with->at);
	size_t after = with->len - before - strlen(HOLE);

	return plain->len > before + after &&
	       strncmp(with->at, plain->at, before) == 0 &&
	       strncmp(with->at + with->len - after,
		   plain->at + plain->len - after, after) == 0 &&
	       uses_template(
		   config, plain->at + before, plain->len - before - after);
}

static int
may_be_equal(
    const struct config *config, const struct side *a, const struct side *b)
{
	if (a->hole != NULL && b->hole != NULL)
		return 1; /* the same template, so the same topic */
	if (a->hole != NULL)
		return may_fill(config, a, b);
	if (b->hole != NULL)
		return may_fill(config, b, a);
	return a->len == b->len && strncmp(a->at, b->at, a->len) == 0;
}

/* Whether one folder may be the other, or lie in it. */
static int
may_meet(const struct config *config, const char *one, const char *other)
{
	struct side a = {.at = one}, b = {.at = other};

	for (;;) {
		component(&a);
		component(&b);
		if (!may_be_equal(config, &a, &b))
			return 0;
		if (a.at[a.len] == '\0' || b.at[b.len] == '\0')
			return 1;
		a.at += a.len + 1;
		b.at += b.len + 1;
	}
}

enum { MOST_FOLDERS = 4096 };

struct folders {
	char *items[MOST_FOLDERS];
	size_t count;
};

static void
add_folder(struct folders *folders, const struct config_layout *layout,
    int alternative, const struct secor_pair *pair)
{
	const char *prefix = prefix_of(layout, alternative);
	struct buf text = {0};

	if (prefix[0] != '\0')
		buf_printf(&text, "%s/", prefix);
	if (pair == NULL)
		buf_puts(&text, template_of(layout));
	else
		fill(&text, pair->value, pair->key);
	folders->items[folders->count++] = buf_take(&text);
}

static void
add_folders(struct folders *folders, const struct config_layout *layout)
{
	const char *const own[] = {layout->manifest_prefix,
	    layout->dead_letter_prefix, CONFIG_QUARANTINE};

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		folders->items[folders->count++] =
		    mem_dup(own[i], strlen(own[i]));
	for (int i = 0; i < (layout->alternative_prefix != NULL ? 2 : 1); i++) {
		for (size_t k = 0; k < layout->topics.count; k++)
			if (strcmp(layout->topics.items[k].key, OTHERS) != 0)
				add_folder(folders, layout, i,
				    &layout->topics.items[k]);
		add_folder(folders, layout, i, NULL);
	}
}

/* The engine's own prefixes come first: they are no folders of topics. */
static int
check_injective(const struct config *config, struct layout_fault *fault)
{
	struct folders *folders;
	int found = 0;

	if (config->layout.topics.count > MOST_FOLDERS / 2 - 8)
		return say(fault, "topics", "more than %d topics",
		    MOST_FOLDERS / 2 - 8);
	folders = mem_alloc(sizeof(*folders));
	add_folders(folders, &config->layout);
	for (size_t i = 3; !found && i < folders->count; i++)
		for (size_t k = 0; !found && k < i; k++)
			if (may_meet(
				config, folders->items[i], folders->items[k]))
				found = say(fault, "topics",
				    "objects may lie in '%.256s' and in "
				    "'%.256s', and one of them is or contains "
				    "the other",
				    folders->items[k], folders->items[i]);
	for (size_t i = 0; i < folders->count; i++)
		free(folders->items[i]);
	free(folders);
	return found;
}

/* ---- the rest ---- */

static const char *
text_fault(const char *text)
{
	size_t len = strlen(text);

	if (len == 0 || len > 512)
		return "has not 1 to 512 bytes";
	if (text[0] == '/' || text[len - 1] == '/' ||
	    strstr(text, "//") != NULL)
		return "begins or ends with '/', or has an empty folder in it";
	for (const char *at = text; *at != '\0';) {
		size_t part = strcspn(at, "/");

		if (strspn(at, ".") >= part)
			return "has a folder of dots in it";
		at += part + (at[part] == '/');
	}
	for (; *text != '\0'; text++)
		if ((unsigned char)*text <= ' ' || *text == 127)
			return "has blanks or control bytes in it";
	return NULL;
}

/* How many holes; -1: braces that are none. */
static int
holes(const char *text)
{
	int count = 0;

	for (; (text = strpbrk(text, "{}")) != NULL; text += strlen(HOLE)) {
		if (strncmp(text, HOLE, strlen(HOLE)) != 0)
			return -1;
		count++;
	}
	return count;
}

static int
check_topics(const struct config_layout *layout, struct layout_fault *fault)
{
	for (size_t i = 0; i < layout->topics.count; i++) {
		const struct secor_pair *pair = &layout->topics.items[i];
		int all = strcmp(pair->key, OTHERS) == 0;
		const char *why = text_fault(pair->value);

		if (!all && (topic_bytes(pair->key) != strlen(pair->key) ||
				pair->key[0] == '\0'))
			return say(fault, "topics",
			    "'%.256s' is no topic (and not '*')", pair->key);
		if (why != NULL)
			return say(
			    fault, "topics", "'%.512s' %s", pair->value, why);
		if (holes(pair->value) < all || holes(pair->value) > 1)
			return say(fault, "topics",
			    "'%.512s': %s " HOLE " once, and no other braces",
			    pair->value,
			    all ? "a folder for all topics has"
				: "a folder may have");
	}
	return 0;
}

int
layout_begins_with_date(const char *text)
{
	static const char shape[] = "dddd-dd-dd";

	for (size_t i = 0; shape[i] != '\0'; i++)
		if (shape[i] == 'd' ? text[i] < '0' || text[i] > '9'
				    : text[i] != '-')
			return 0;
	return 1;
}

static int
check_alternative(
    const struct config_layout *layout, struct layout_fault *fault)
{
	const char *from = layout->alternative_from;

	if (layout->alternative_prefix == NULL && from == NULL)
		return 0;
	if (from == NULL)
		return say(fault, "alternative_prefix",
		    "needs alternative_from: the first date");
	if (layout->alternative_prefix == NULL)
		return say(
		    fault, "alternative_from", "needs alternative_prefix");
	if (strlen(from) != LAYOUT_DATE || !layout_begins_with_date(from))
		return say(fault, "alternative_from",
		    "'%.64s' is no date like 2026-01-31", from);
	if (strcmp(layout->alternative_prefix, prefix_of(layout, 0)) == 0)
		return say(
		    fault, "alternative_prefix", "is the same as prefix");
	return 0;
}

static int
begins_with_hex(const char *prefix)
{
	return strspn(prefix, "0123456789abcdef") >= 4 &&
	       (prefix[4] == '/' || prefix[4] == '\0');
}

int
layout_check(const struct config *config, struct layout_fault *fault)
{
	const struct config_layout *layout = &config->layout;
	const char *const prefixes[] = {"prefix", "alternative_prefix"};

	for (int i = 0; i < 2; i++) {
		const char *prefix = prefix_of(layout, i);
		const char *why = prefix[0] == '\0' ? NULL : text_fault(prefix);

		if (why == NULL && strpbrk(prefix, "{}") != NULL)
			why = "has braces in it";
		if (why != NULL)
			return say(
			    fault, prefixes[i], "'%.512s' %s", prefix, why);
	}
	if (layout->md5_prefix && begins_with_hex(layout->manifest_prefix))
		return say(fault, "manifest_prefix",
		    "may be one of those of md5_prefix");
	if (layout->md5_prefix && begins_with_hex(layout->dead_letter_prefix))
		return say(fault, "dead_letter_prefix",
		    "may be one of those of md5_prefix");
	return check_alternative(layout, fault) ||
	       check_topics(layout, fault) || check_injective(config, fault);
}
