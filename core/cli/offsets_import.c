/*
 * offsets_import.c -- `secor offsets import`: partitions begin where another
 * consumer group, or a file, says that they were stored up to.
 */
#include "core/cli/cli.h"
#include "core/cli/offsets.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what is said elsewhere ---- */

static int
read_file(const char *name, struct source *source, struct secor_err *err)
{
	FILE *file = strcmp(name, "-") == 0 ? stdin : fopen(name, "r");
	struct buf text = {0};
	char piece[4096];
	size_t n;
	int rc = SECOR_OK;

	if (file == NULL)
		return secor_fail(
		    err, SECOR_FATAL, "%s: %s", name, strerror(errno));
	buf_puts(&text, "");
	while ((n = fread(piece, 1, sizeof(piece), file)) > 0)
		buf_put(&text, piece, n);
	if (ferror(file))
		rc = secor_fail(
		    err, SECOR_FATAL, "%s: %s", name, strerror(errno));
	if (file != stdin)
		(void)fclose(file);
	if (rc == SECOR_OK)
		rc = source_read(source, text.ptr, name, err);
	buf_fini(&text);
	return rc;
}

static void
add(struct source *source, const char *topic, int32_t partition, int64_t offset)
{
	size_t n = source->count++;

	source->items =
	    mem_grow(source->items, (n + 1) * sizeof(*source->items));
	source->items[n] = (struct source_offset){
	    mem_dup(topic, strlen(topic)), partition, offset};
}

/* What the other group has of the topics that this configuration takes. */
static int
read_group(struct offsets *offsets, const char *name,
    const struct group_topic *topics, size_t count, struct source *source,
    struct secor_err *err)
{
	int rc = SECOR_OK;

	for (size_t i = 0; rc == SECOR_OK && i < count; i++) {
		int64_t *at =
		    mem_alloc((size_t)topics[i].partitions * sizeof(*at));

		rc = group_offsets_of(
		    &offsets->group, name, &topics[i], at, err);
		for (int32_t p = 0; rc == SECOR_OK && p < topics[i].partitions;
		     p++)
			if (at[p] >= 0)
				add(source, topics[i].name, p, at[p]);
		free(at);
	}
	return rc;
}

/* ---- what is done of it ---- */

static int
is_wanted(const struct wish *wish, const char *topic)
{
	return wish->topic == NULL || strcmp(wish->topic, topic) == 0;
}

static size_t
count_partitions(
    const struct wish *wish, const struct group_topic *topics, size_t count)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		if (is_wanted(wish, topics[i].name))
			n += (size_t)topics[i].partitions;
	return n;
}

/* A move a partition of our topics. */
static size_t
make_moves(const struct offsets *offsets, const struct wish *wish,
    const struct group_topic *topic, const struct source *source,
    struct move *moves)
{
	size_t n = 0;

	if (!is_wanted(wish, topic->name))
		return 0;
	for (int32_t p = 0; p < topic->partitions; p++) {
		int64_t offset = source_find(source, topic->name, p);

		moves[n++] = (struct move){
		    .place = {offsets->config->file, topic->name, p},
		    .aim = offset < 0 ? AIM_NONE : AIM_OFFSET,
		    .number = offset,
		    .reason = "no offset is given (kafka.start decides)"};
	}
	return n;
}

/* Lines of partitions that are none of ours are mistakes, or of other
 * services: told, not refused. */
static void
say_strange(
    const struct source *source, const struct group_topic *topics, size_t count)
{
	for (size_t i = 0; i < source->count; i++) {
		const struct source_offset *one = &source->items[i];
		int known = 0;

		for (size_t t = 0; t < count; t++)
			known |= strcmp(topics[t].name, one->topic) == 0 &&
				 one->partition < topics[t].partitions;
		if (!known)
			(void)printf("%s/%" PRId32
				     " is none of this configuration's "
				     "partitions\n",
			    one->topic, one->partition);
	}
}

static int
nothing_there(const struct wish *wish, struct secor_err *err)
{
	return wish->from_group != NULL
		   ? secor_fail(err, SECOR_FATAL,
			 "the group %s has no offset of any of this "
			 "configuration's partitions",
			 wish->from_group)
		   : secor_fail(err, SECOR_FATAL,
			 "%s has no offset of any of this configuration's "
			 "partitions",
			 wish->from_file);
}

static int
run_moves(struct offsets *offsets, const struct wish *wish,
    const struct group_topic *topics, size_t count, const struct source *source)
{
	size_t room = count_partitions(wish, topics, count);
	struct move *moves = mem_alloc((room + 1) * sizeof(*moves));
	struct secor_err err;
	size_t n = 0, aimed = 0;
	int code;

	for (size_t i = 0; i < count; i++)
		n += make_moves(offsets, wish, &topics[i], source, moves + n);
	for (size_t i = 0; i < n; i++)
		aimed += moves[i].aim != AIM_NONE;
	say_strange(source, topics, count);
	code = aimed == 0 ? offsets_failed(nothing_there(wish, &err), &err)
			  : moves_run(offsets, wish, moves, n);
	free(moves);
	return code;
}

int
offsets_import(struct offsets *offsets, const struct wish *wish)
{
	struct group_topic *topics = NULL;
	struct source source = {NULL, 0};
	size_t count = 0;
	struct secor_err err;
	int rc = SECOR_OK;
	int code;

	if (wish->from_group != NULL &&
	    strcmp(wish->from_group, offsets->config->kafka.group) == 0)
		rc = secor_fail(&err, SECOR_FATAL,
		    "%s is this configuration's own group: secor offsets adopt",
		    wish->from_group);
	if (rc == SECOR_OK)
		rc = group_topics(&offsets->group, &topics, &count, &err);
	if (rc == SECOR_OK)
		rc = wish->from_file != NULL
			 ? read_file(wish->from_file, &source, &err)
			 : read_group(offsets, wish->from_group, topics, count,
			       &source, &err);
	code = rc == SECOR_OK ? run_moves(offsets, wish, topics, count, &source)
			      : offsets_failed(rc, &err);
	source_fini(&source);
	group_topics_free(topics, count);
	return code;
}
