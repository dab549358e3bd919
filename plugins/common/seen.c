/*
 * seen.c -- a bounded set of texts: a ring that forgets the oldest, found by a
 * table of chains. Whole texts are compared: a path that is taken for another
 * would never get its partition.
 */
#include "plugins/common/seen.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct entry {
	char *text;
	size_t next; /* in its chain: index + 1, 0 ends it */
};

struct seen {
	size_t most, oldest;
	struct entry *ring;
	size_t *chains; /* `most` of them: index + 1 of the first */
};

struct seen *
seen_new(size_t most)
{
	struct seen *seen = calloc(1, sizeof(*seen));

	if (seen == NULL)
		return NULL;
	seen->most = most;
	seen->ring = calloc(most, sizeof(*seen->ring));
	seen->chains = calloc(most, sizeof(*seen->chains));
	if (seen->ring == NULL || seen->chains == NULL) {
		seen_free(seen);
		return NULL;
	}
	return seen;
}

void
seen_free(struct seen *seen)
{
	if (seen == NULL)
		return;
	for (size_t i = 0; seen->ring != NULL && i < seen->most; i++)
		free(seen->ring[i].text);
	free(seen->ring);
	free(seen->chains);
	free(seen);
}

static size_t *
chain_of(const struct seen *seen, const char *text)
{
	uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */

	for (; *text != '\0'; text++)
		hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
	return &seen->chains[hash % seen->most];
}

int
seen_has(const struct seen *seen, const char *text)
{
	for (size_t at = *chain_of(seen, text); at != 0;
	     at = seen->ring[at - 1].next)
		if (strcmp(seen->ring[at - 1].text, text) == 0)
			return 1;
	return 0;
}

static void
forget(struct seen *seen, size_t index)
{
	struct entry *entry = &seen->ring[index];
	size_t *at;

	if (entry->text == NULL)
		return;
	for (at = chain_of(seen, entry->text); *at != index + 1;)
		at = &seen->ring[*at - 1].next;
	*at = entry->next;
	free(entry->text);
	entry->text = NULL;
}

void
seen_add(struct seen *seen, const char *text)
{
	size_t index = seen->oldest, *chain = chain_of(seen, text);
	char *copy;

	if (seen_has(seen, text))
		return;
	copy = strdup(text);
	if (copy == NULL)
		return;
	forget(seen, index);
	seen->ring[index].text = copy;
	seen->ring[index].next = *chain;
	*chain = index + 1;
	seen->oldest = (index + 1) % seen->most;
}

void
seen_forget(struct seen *seen, const char *text)
{
	size_t at = *chain_of(seen, text);

	while (at != 0 && strcmp(seen->ring[at - 1].text, text) != 0)
		at = seen->ring[at - 1].next;
	if (at != 0)
		forget(seen, at - 1);
}

void
seen_clear(struct seen *seen)
{
	for (size_t i = 0; i < seen->most; i++)
		forget(seen, i);
}
