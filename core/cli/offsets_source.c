/*
 * offsets_source.c -- a file of offsets, as people and Kafka's tools write
 * them.
 */
#include "core/cli/offsets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void
trim(const char **at, size_t *len)
{
	while (*len > 0 && (**at == ' ' || **at == '\t')) {
		(*at)++;
		(*len)--;
	}
	while (*len > 0 && strchr(" \t\r", (*at)[*len - 1]) != NULL)
		(*len)--;
	if (*len >= 2 && **at == '"' && (*at)[*len - 1] == '"') {
		(*at)++;
		*len -= 2;
	}
}

/* Digits alone, up to `max`. */
static int
parse_number(const char *at, size_t len, int64_t max, int64_t *number)
{
	char text[24];
	char *end;

	if (len == 0 || len >= 20)
		return 0;
	memcpy(text, at, len);
	text[len] = '\0';
	if (text[strspn(text, "0123456789")] != '\0')
		return 0;
	*number = strtoll(text, &end, 10);
	return *number <= max;
}

/* One line in three parts; a phrase when it is something else. */
static const char *
parse_line(const char *line, size_t len, struct source_offset *one)
{
	const char *at[3], *comma;
	size_t lens[3];
	int64_t partition;

	for (int i = 0; i < 3; i++) {
		comma = memchr(line, ',', len);
		if ((comma == NULL) != (i == 2))
			return "expected topic,partition,offset";
		at[i] = line;
		lens[i] = comma == NULL ? len : (size_t)(comma - line);
		if (comma != NULL) {
			len -= lens[i] + 1;
			line = comma + 1;
		}
		trim(&at[i], &lens[i]);
	}
	if (lens[0] == 0 || lens[0] > 249)
		return "the topic is empty or too long";
	if (!parse_number(at[1], lens[1], INT32_MAX, &partition))
		return "the partition is no number";
	if (!parse_number(at[2], lens[2], INT64_MAX - 1, &one->offset))
		return "the offset is no number";
	one->topic = mem_dup(at[0], lens[0]);
	one->partition = (int32_t)partition;
	return NULL;
}

static int
is_heading(const char *line, size_t len)
{
	static const char words[] = "topic,partition,offset";

	trim(&line, &len);
	return len == sizeof(words) - 1 &&
	       strncmp(line, words, sizeof(words) - 1) == 0;
}

static int
is_empty(const char *line, size_t len)
{
	trim(&line, &len);
	return len == 0 || *line == '#';
}

static const char *
take_line(struct source *source, const char *line, size_t len)
{
	struct source_offset one;
	const char *why = parse_line(line, len, &one);

	if (why != NULL)
		return why;
	if (source_find(source, one.topic, one.partition) >= 0) {
		free(one.topic);
		return "this partition came before";
	}
	source->items = mem_grow(
	    source->items, (source->count + 1) * sizeof(*source->items));
	source->items[source->count++] = one;
	return NULL;
}

int
source_read(struct source *source, const char *text, const char *name,
    struct secor_err *err)
{
	for (size_t n = 1; *text != '\0'; n++) {
		size_t len = strcspn(text, "\n");
		const char *why = NULL;

		if (!is_empty(text, len) && !(n == 1 && is_heading(text, len)))
			why = take_line(source, text, len);
		if (why != NULL)
			return secor_fail(
			    err, SECOR_FATAL, "%s:%zu: %s", name, n, why);
		text += len + (text[len] == '\n');
	}
	return SECOR_OK;
}

int64_t
source_find(const struct source *source, const char *topic, int32_t partition)
{
	for (size_t i = 0; i < source->count; i++)
		if (source->items[i].partition == partition &&
		    strcmp(source->items[i].topic, topic) == 0)
			return source->items[i].offset;
	return -1;
}

void
source_fini(struct source *source)
{
	for (size_t i = 0; i < source->count; i++)
		free(source->items[i].topic);
	free(source->items);
	memset(source, 0, sizeof(*source));
}
