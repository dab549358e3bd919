/*
 * layout_test.c -- folders of topics, back to the topic, and which maps are
 * refused.
 */
#include "core/config/layout.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What config_load says of a file with this layout: the configuration, or NULL
 * and the first complaint in `said`. */
static char said[2048];

static void
note(void *arg, const char *line)
{
	const char *text = strstr(line, "error: ");

	(void)arg;
	if (said[0] == '\0')
		(void)snprintf(
		    said, sizeof(said), "%s", text == NULL ? line : text + 7);
}

static struct config *
load(const char *topics, const char *layout, struct registry **registry)
{
	char path[] = "/tmp/layout_test.XXXXXX";
	struct config_how how = {.flags = CONFIG_NO_LOAD, .complain = note};
	struct config *config = NULL;
	int fd = mkstemp(path);
	FILE *file;

	cr_assert_geq(fd, 0);
	file = fdopen(fd, "w");
	cr_assert_not_null(file);
	(void)fprintf(file,
	    "kafka: {brokers: [b:1], group: g, topics: %s}\n"
	    "parser: {use: json}\npartitioner: {use: date}\n"
	    "format: {use: text}\nstore: {use: local}\n"
	    "stage: {dir: /tmp}\nlayout: %s\n",
	    topics, layout);
	(void)fclose(file);
	*registry = registry_new(NULL, 0);
	how.registry = *registry;
	said[0] = '\0';
	(void)config_load(path, &how, &config);
	(void)unlink(path);
	return config;
}

Test(layout, folder_of_each_topic_and_back)
{
	static const struct {
		const char *layout, *topic, *folder, *alternative;
	} rows[] = {
	    {"{}", "events", "events", "events"},
	    {"{prefix: raw/a}", "events", "raw/a/events", "events"},
	    {"{topics: {billing: finance/invoices}}", "billing",
		"finance/invoices", "finance/invoices"},
	    {"{topics: {billing: finance/invoices}}", "events", "events",
		"events"},
	    {"{topics: {'*': 'logs/t-{topic}.d/x'}}", "a.b", "logs/t-a.b.d/x",
		"logs/t-a.b.d/x"},
	    {"{prefix: p, alternative_prefix: q/r, alternative_from: "
	     "2020-01-01, topics: {'*': 'l/{topic}', e: '{topic}-e'}}",
		"e", "p/e-e", "q/r/e-e"},
	    {"{prefix: p, alternative_prefix: q/r, alternative_from: "
	     "2020-01-01, topics: {'*': 'l/{topic}', e: '{topic}-e'}}",
		"x", "p/l/x", "q/r/l/x"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct registry *registry;
		struct config *config = load("['^(events|billing|a.b|e|x)$']",
		    rows[i].layout, &registry);
		const char *want[] = {rows[i].folder, rows[i].alternative};

		cr_assert_not_null(config, "%s: %s", rows[i].layout, said);
		for (int k = 0; k < 2; k++) {
			int has = config->layout.alternative_prefix != NULL;
			struct buf folder = {0};
			char *topic;

			layout_folder(config, rows[i].topic, k, &folder);
			cr_expect_str_eq(folder.ptr, want[k], "row %zu", i);
			buf_puts(&folder, "/dt=2026-01-01/1_0_1");
			topic = layout_topic(config, folder.ptr);
			if (k == 0 || has)
				cr_expect_str_eq(topic, rows[i].topic,
				    "row %zu: %s", i, folder.ptr);
			cr_expect_leq(strlen(want[k]),
			    strlen(rows[i].topic) + layout_overhead(config));
			free(topic);
			buf_fini(&folder);
		}
		config_free(config);
		registry_free(registry);
	}
}

Test(layout, keys_of_nobody_have_no_topic)
{
	struct registry *registry;
	struct config *config = load("['^.*']",
	    "{prefix: raw, md5_prefix: true, topics: {b: 'f/b', '*': "
	    "'l/{topic}'}}",
	    &registry);
	static const char *const keys[] = {"raw/l/x/1", "d36g/raw/l/x/1",
	    "d363/l/x/1", "d363/raw/x/1", "d363/raw/l/x", "d363/raw/l/b/1",
	    "d363/raw/l/a b/1", "d363/raw/l//1", "d36", ""};
	char *topic;

	cr_assert_not_null(config, "%s", said);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		topic = layout_topic(config, keys[i]);
		cr_expect_null(topic, "%s: %s", keys[i], topic);
	}
	topic = layout_topic(config, "d363/raw/f/b/dt=1/1_0_1");
	cr_expect_str_eq(topic, "b");
	free(topic);
	config_free(config);
	registry_free(registry);
}

static const struct {
	const char *topics, *layout;
	const char *complaint; /* its beginning; NULL: none */
} maps[] = {
    {"[a, b]", "{topics: {a: x, b: x}}", "topics: objects may lie"},
    {"[a, b]", "{topics: {a: x, b: x/y}}", "topics: objects may lie"},
    {"[a, b]", "{topics: {a: x/y, b: x}}", "topics: objects may lie"},
    {"[a, b]", "{topics: {a: x/y, b: x/z}}", NULL},
    {"[a, b]", "{topics: {a: xy, b: x}}", NULL},
    /* against all others */
    {"[a, b]", "{topics: {a: b}}", "topics: objects may lie"},
    {"[a, b]", "{topics: {a: c}}", NULL},
    {"['^.*']", "{topics: {a: c}}", "topics: objects may lie"},
    {"['^.*']", "{topics: {a: c, c: d/c, d: a/c}}", NULL},
    {"['^.*']", "{topics: {a: b, b: a}}", NULL},
    {"['^.*']", "{topics: {a: a/x}}", NULL},
    {"['^.*']", "{topics: {a: b/x}}", "topics: objects may lie"},
    {"['^.*']", "{topics: {'*': 'l/{topic}', a: l}}",
	"topics: objects may lie"},
    {"['^.*']", "{topics: {'*': 'l/{topic}', a: l/b}}",
	"topics: objects may lie"},
    {"['^.*']", "{topics: {'*': 'l/{topic}', a: l/a}}", NULL},
    {"['^.*']", "{topics: {'*': 'l/t-{topic}', a: l/u-b}}", NULL},
    {"['^.*']", "{topics: {'*': 'l/t-{topic}', a: l/t-b/c}}",
	"topics: objects may lie"},
    {"['^.*']", "{topics: {'*': 'l/{topic}/x', a: l/b/y}}", NULL},
    {"['^.*']", "{topics: {'*': 'l/{topic}', a: 'l/b=c'}}", NULL},
    /* against the engine's own */
    {"[a]", "{topics: {a: _manifests}}", "topics: objects may lie"},
    {"[a]", "{topics: {a: _manifests/a}}", "topics: objects may lie"},
    {"[a]", "{topics: {a: _quarantine}}", "topics: objects may lie"},
    {"[a]", "{prefix: _dead_letters}", "topics: objects may lie"},
    {"['^.*']", "{prefix: x, manifest_prefix: x/m}", "topics: objects may lie"},
    {"[a]", "{prefix: x, manifest_prefix: x/m}", NULL},
    /* prefixes against each other */
    {"['^.*']",
	"{prefix: x, alternative_prefix: x/y, alternative_from: "
	"2020-01-01}",
	"topics: objects may lie"},
    {"[a]",
	"{prefix: x, alternative_prefix: x/y, alternative_from: "
	"2020-01-01}",
	NULL},
    {"[a]",
	"{prefix: x, alternative_prefix: x, alternative_from: "
	"2020-01-01}",
	"alternative_prefix: is the same as prefix"},
    {"[a]", "{alternative_prefix: x}",
	"alternative_prefix: needs alternative_from"},
    {"[a]", "{alternative_from: 2020-01-01}",
	"alternative_from: needs alternative_prefix"},
    {"[a]", "{alternative_prefix: x, alternative_from: 2020-1-1}",
	"alternative_from: '2020-1-1' is no date"},
    /* texts */
    {"[a]", "{prefix: /x}", "prefix: '/x' begins or ends"},
    {"[a]", "{prefix: 'x/../y'}", "prefix: 'x/../y' has a folder of"},
    {"[a]", "{prefix: '{topic}'}", "prefix: '{topic}' has braces"},
    {"[a]", "{topics: {'*': x}}", "topics: 'x': a folder for all"},
    {"[a]", "{topics: {'*': '{topic}{topic}'}}",
	"topics: '{topic}{topic}': a folder for all"},
    {"[a]", "{topics: {'*': '{x}'}}", "topics: '{x}': a folder"},
    {"[a]", "{topics: {a: '{x}'}}", "topics: '{x}': a folder may"},
    {"[a]", "{topics: {'^a': x}}", "topics: '^a' is no topic"},
    {"[a]", "{topics: {a: ''}}", "topics: '' has not 1 to"},
    {"[a]", "{md5_prefix: true, manifest_prefix: abcd/x}",
	"manifest_prefix: may be one of those of md5_prefix"},
    {"[a]", "{md5_prefix: true, dead_letter_prefix: 0123}",
	"dead_letter_prefix: may be one of those of md5_prefix"},
};

Test(layout, maps_that_are_not_injective_are_refused)
{
	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
		const char *want = maps[i].complaint;
		struct registry *registry;
		struct config *config =
		    load(maps[i].topics, maps[i].layout, &registry);

		if (want == NULL)
			cr_expect_not_null(
			    config, "%s: %s", maps[i].layout, said);
		else
			cr_expect(config == NULL &&
				      strncmp(said, want, strlen(want)) == 0,
			    "%s: %s", maps[i].layout, said);
		config_free(config);
		registry_free(registry);
	}
}
