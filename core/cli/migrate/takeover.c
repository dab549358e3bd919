/*
 * takeover.c -- from the last offset of the old service to the first of the new
 * one, in the order of what is to be done.
 */
#include "core/cli/migrate/migration.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct steps {
	const struct migration *m;
	const char *yaml;
	void (*line)(void *arg, const char *text);
	void *arg;
	int number;
};

static void put(const struct steps *steps, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
put(const struct steps *steps, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	steps->line(steps->arg, text);
}

static int
in_zookeeper(const struct migration *m)
{
	return strcmp(old_text(m, "kafka.offsets.storage"), "kafka") != 0;
}

static int
is_dual(const struct migration *m)
{
	return strcmp(old_text(m, "kafka.dual.commit.enabled"), "false") != 0;
}

/* The path of a key without '/' at its end, from the root. */
static char *
folder(const char *path)
{
	size_t len;

	path += strspn(path, "/");
	len = strlen(path);
	while (len > 0 && path[len - 1] == '/')
		len--;
	return mem_text("%s%.*s", len > 0 ? "/" : "", (int)len, path);
}

static void
tell_zookeeper(struct steps *steps)
{
	const struct migration *m = steps->m;
	const char *group = old_text(m, "secor.kafka.group");
	char *root = folder(old_text(m, "kafka.zookeeper.path"));

	put(steps,
	    "%d. The committed offsets are in ZooKeeper, at "
	    "%s/consumers/%s/offsets/TOPIC/PARTITION. Export them as lines "
	    "topic,partition,offset to offsets.csv (docs/MIGRATE.md has a "
	    "loop). A node that holds an address instead of a number was never "
	    "committed: leave it out. Then:",
	    steps->number++, root, group);
	put(steps, "       secor offsets import %s --from-file offsets.csv",
	    steps->yaml);
	free(root);
}

static void
tell_group(struct steps *steps)
{
	const char *group = old_text(steps->m, "secor.kafka.group");

	put(steps, "%d. The committed offsets are in Kafka, in the group %s:",
	    steps->number++, group);
	put(steps, "       secor offsets import %s --from-group %s",
	    steps->yaml, group);
	if (is_dual(steps->m))
		put(steps,
		    "   ZooKeeper has them too; where the two differ, the "
		    "larger one is right, for it was committed after its "
		    "objects were stored.");
}

static void
tell_leftovers(struct steps *steps)
{
	const struct migration *m = steps->m;
	char *base = old_base(m);

	put(steps,
	    "%d. An upload that the old service did not commit may have left "
	    "objects. Their messages are stored again. They are those below "
	    "%sTOPIC/ called %lld_PARTITION_OFFSET, where OFFSET is the "
	    "committed one of that partition or larger. Once the offsets are "
	    "taken over:",
	    steps->number++, base, (long long)m->generation - 1);
	if (in_zookeeper(m))
		put(steps, "       secor migrate --leftovers %s offsets.csv",
		    steps->yaml);
	else
		put(steps,
		    "       secor migrate --leftovers %s --from-group %s",
		    steps->yaml, old_text(m, "secor.kafka.group"));
	put(steps,
	    "   lists them; remove them before anybody counts them twice. "
	    "Duplicates from earlier crashes of the old service have smaller "
	    "offsets and cannot be told by their names.");
	free(base);
}

void
takeover(const struct migration *m, const char *yaml,
    void (*line)(void *arg, const char *text), void *arg)
{
	struct steps steps = {m, yaml, line, arg, 1};

	put(&steps, "To take over:");
	put(&steps, "%d. secor check %s, and secor try with some messages.",
	    steps.number++, yaml);
	put(&steps,
	    "%d. Stop every process of the old service, and wait for their "
	    "end: what they upload later would be stored twice.",
	    steps.number++);
	if (in_zookeeper(m))
		tell_zookeeper(&steps);
	else
		tell_group(&steps);
	tell_leftovers(&steps);
	put(&steps, "%d. secor run %s", steps.number++, yaml);
	put(&steps,
	    "   The old group's offsets stay as they are. The way back is to "
	    "start the old service again; what the new one has stored by then "
	    "is stored twice.");
}
