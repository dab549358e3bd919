/*
 * kafka.c -- brokers, group, topics, where reading begins; and whatever of the
 * consumer's settings means something to librdkafka.
 */
#include "core/cli/migrate/migration.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CONSUMER "kafka.new.consumer."

static int
is_legacy(const struct migration *m)
{
	return strstr(old_text(m, "kafka.message.iterator.className"),
		   "Legacy") != NULL;
}

/* ---- brokers, group ---- */

static void
put_brokers(struct migration *m)
{
	static const char *const KEY = "kafka.seed.broker.host";
	const struct property *hosts = properties_find(m->properties, KEY);
	int64_t port = old_number(m, "kafka.seed.broker.port");
	size_t n = 0;

	buf_puts(&m->yaml, "  brokers: [");
	for (size_t i = 0; hosts != NULL && i < hosts->count; i++) {
		char *broker, *text;

		if (*hosts->items[i] == '\0')
			continue;
		broker = mem_text("%s:%lld", hosts->items[i], (long long)port);
		text = yaml_text(broker);
		buf_printf(&m->yaml, "%s%s", n++ > 0 ? ", " : "", text);
		free(text);
		free(broker);
	}
	buf_puts(&m->yaml, "]\n");
	if (n == 0)
		todo(m, KEY, "no broker is given: write them to kafka.brokers");
	if (n > 1)
		warn(m, KEY, "of a list the original used the first one alone");
}

/* A group of its own: the old offsets stay where they are, for the way back. */
static void
put_group(struct migration *m)
{
	static const char *const KEY = "secor.kafka.group";

	m->group = mem_text("%s", old_text(m, KEY));
	if (*m->group == '\0')
		todo(m, KEY, "no group is given: write one to kafka.group");
	m->new_group = *m->group == '\0' ? mem_dup("", 0)
					 : mem_text("%s-g%lld", m->group,
					       (long long)m->generation);
	yaml_put(m, 2, "group", m->new_group);
}

/* ---- topics ---- */

/* An item of a list of topics; 0 when the regex cannot be said. */
static int
put_regex(struct migration *m, const char *list, const char *java)
{
	char *posix = regex_posix(java), *text;

	if (posix == NULL)
		return 0;
	text = yaml_text(posix);
	buf_printf(&m->yaml, "  %s: [%s]\n", list, text);
	free(text);
	free(posix);
	return 1;
}

static void
put_names(struct migration *m, const struct property *list)
{
	buf_puts(&m->yaml, "  topics: [");
	for (size_t i = 0; i < list->count; i++) {
		char *text = yaml_text(list->items[i]);

		buf_printf(&m->yaml, "%s%s", i > 0 ? ", " : "", text);
		free(text);
	}
	buf_puts(&m->yaml, "]\n");
}

static void
put_filter(struct migration *m)
{
	static const char *const KEY = "secor.kafka.topic_filter";
	const char *filter = old_text(m, KEY);
	char *excluded = regex_excluded(filter), *text;

	if (excluded != NULL) {
		text = yaml_text(excluded);
		buf_puts(&m->yaml, "  topics: [^.*]\n");
		yaml_raw(m, 2, "exclude", text);
		free(text);
		free(excluded);
		return;
	}
	if (*filter == '\0')
		filter = ".*";
	if (put_regex(m, "topics", filter))
		return;
	buf_puts(&m->yaml, "  topics: []\n");
	todo(m, KEY,
	    "'%s' has no equal in POSIX regular expressions, which Kafka's "
	    "client has: write kafka.topics and kafka.exclude",
	    filter);
}

static void
put_blacklist(struct migration *m)
{
	static const char *const KEY = "secor.kafka.topic_blacklist";
	const char *list = old_text(m, KEY);
	char *posix;

	if (*list == '\0')
		return;
	if (is_legacy(m)) {
		if (!put_regex(m, "exclude", list))
			todo(m, KEY,
			    "'%s' has no equal in POSIX: write "
			    "kafka.exclude",
			    list);
		return;
	}
	posix = regex_posix(list);
	warn(m, KEY,
	    "the original ignored this: topics that match were stored; "
	    "kafka.exclude leaves them out");
	buf_printf(&m->yaml, "  # exclude: ['%s'] was ignored\n",
	    posix != NULL ? posix : list);
	free(posix);
}

static void
put_topics(struct migration *m)
{
	const struct property *list =
	    properties_find(m->properties, CONSUMER "topic.list");

	if (list != NULL && *list->items[0] != '\0' && !is_legacy(m))
		put_names(m, list);
	else
		put_filter(m);
	put_blacklist(m);
}

/* ---- where reading begins, what is read ---- */

static void
put_start(struct migration *m)
{
	const char *key = is_legacy(m) ? "kafka.consumer.auto.offset.reset"
				       : CONSUMER "auto.offset.reset";
	const char *reset = old_text(m, key);
	int latest =
	    strcmp(reset, "latest") == 0 || strcmp(reset, "largest") == 0;

	yaml_raw(m, 2, "start", latest ? "latest" : "earliest");
	if (latest)
		warn(m, key,
		    "the original began new partitions at their end too, and "
		    "so lost their first messages; here 'start' counts at the "
		    "first start alone");
}

static void
look_at_isolation(struct migration *m)
{
	static const char *const KEY = CONSUMER "isolation.level";

	if (strcmp(old_text(m, KEY), "read_committed") != 0)
		warn(m, KEY,
		    "the original stored the messages of aborted "
		    "transactions too; here only committed ones are read");
}

static void
look_at_assignor(struct migration *m)
{
	static const char *const KEY =
	    CONSUMER "partition.assignment.strategy.class";
	const char *class_name = old_text(m, KEY);

	if (*class_name == '\0')
		return;
	if (strstr(class_name, "Cooperative") != NULL)
		warn(m, KEY,
		    "with a cooperative assignor the original forgot the "
		    "offsets of partitions that it kept; range is used here");
	buf_printf(&m->yaml,
	    "  # %s = %s: range, roundrobin by "
	    "properties\n",
	    KEY, class_name);
}

static void
look_at_offsets(struct migration *m)
{
	static const char *const KEY = "kafka.offsets.storage";
	int kafka = strcmp(old_text(m, KEY), "kafka") == 0;
	int dual = strcmp(old_text(m, "kafka.dual.commit.enabled"), "false");

	if (kafka && !dual && is_legacy(m))
		warn(m, KEY,
		    "the original means to refuse this with its legacy "
		    "iterator, and may not: offsets may be committed nowhere");
	else if (kafka && !dual)
		warn(m, KEY,
		    "a commit that failed was not told, and what it covered "
		    "was stored again under other names");
	else if (kafka)
		warn(m, "kafka.dual.commit.enabled",
		    "offsets are in Kafka and in ZooKeeper, and a crash "
		    "between the two leaves them apart: the larger one is "
		    "right");
}

static void
put_client(struct migration *m)
{
	size_t before;

	migrate_security(m);
	buf_puts(&m->yaml, "  properties:\n");
	before = m->yaml.len;
	yaml_rows(m, "properties", 4);
	if (m->yaml.len > before)
		return;
	m->yaml.len = before - strlen("  properties:\n");
	m->yaml.ptr[m->yaml.len] = '\0';
}

void
migrate_kafka(struct migration *m)
{
	m->generation = old_number(m, "secor.generation") + 1;
	yaml_section(m, "kafka");
	put_brokers(m);
	put_group(m);
	put_topics(m);
	put_start(m);
	yaml_rows(m, "kafka", 2);
	put_client(m);
	look_at_assignor(m);
	look_at_isolation(m);
	look_at_offsets(m);
	yaml_gone(m, "kafka");
}
