/*
 * event_text.c -- see event_text.h.
 */
#include "plugins/common/event_text.h"

#include "plugins/common/event_hole.h"
#include "plugins/common/event_json.h"

#include <stdlib.h>
#include <string.h>

/* `plain`: never holds what means something in a URL. */
static const struct {
	const char *name;
	unsigned events;
	int plain;
} HOLES[HOLE_NONE] = {
    [HOLE_EVENT] = {"event", EVENT_ALL, 1},
    [HOLE_ID] = {"id", EVENT_ALL, 0},
    [HOLE_TOPIC] = {"topic", EVENT_ALL, 1},
    [HOLE_SENT_MS] = {"sent_ms", EVENT_ALL, 1},
    [HOLE_OBJECTS] = {"objects", EVENT_ALL, 1},
    [HOLE_RECORDS] = {"records", EVENT_ALL, 1},
    [HOLE_BYTES] = {"bytes", EVENT_ALL, 1},
    [HOLE_JSON] = {"json", EVENT_ALL, 0},
    [HOLE_PARTITION] = {"partition", EVENT_BATCH_DONE, 1},
    [HOLE_START] = {"start", EVENT_BATCH_DONE, 1},
    [HOLE_END] = {"end", EVENT_BATCH_DONE, 1},
    [HOLE_MESSAGES] = {"messages", EVENT_BATCH_DONE, 1},
    [HOLE_FILTERED] = {"filtered", EVENT_BATCH_DONE, 1},
    [HOLE_BAD] = {"bad", EVENT_BATCH_DONE, 1},
    [HOLE_MANIFEST_KEY] = {"manifest_key", EVENT_BATCH_DONE, 0},
    [HOLE_PATH] = {"path", EVENT_PATHS, 0},
    [HOLE_LEVEL] = {"level", EVENT_PATHS, 0},
    [HOLE_URL] = {"url", EVENT_PATHS, 0},
    [HOLE_TIME_FROM] = {"time_from", EVENT_PATHS, 0},
    [HOLE_TIME_UNTIL] = {"time_until", EVENT_PATHS, 0},
    [HOLE_TIME_FROM_MS] = {"time_from_ms", EVENT_PATHS, 1},
    [HOLE_TIME_UNTIL_MS] = {"time_until_ms", EVENT_PATHS, 1},
    [HOLE_TOTAL_OBJECTS] = {"total_objects", EVENT_PATHS, 1},
    [HOLE_TOTAL_RECORDS] = {"total_records", EVENT_PATHS, 1},
    [HOLE_TOTAL_BYTES] = {"total_bytes", EVENT_PATHS, 1},
};

/* ---- events ---- */

static const struct {
	unsigned event;
	const char *name;
} EVENTS[] = {{EVENT_BATCH_DONE, "batch_done"},
    {EVENT_PATH_FINALIZED, "path_finalized"},
    {EVENT_PATH_AMENDED, "path_amended"}};

const char *
event_name(unsigned event)
{
	size_t i = 0;

	while (EVENTS[i].event != event)
		i++;
	return EVENTS[i].name;
}

unsigned
event_named(const char *name)
{
	for (size_t i = 0; i < sizeof(EVENTS) / sizeof(EVENTS[0]); i++)
		if (strcmp(EVENTS[i].name, name) == 0)
			return EVENTS[i].event;
	return 0;
}

void
event_said_json(struct text *text, const struct event_said *said)
{
	if (said->batch != NULL)
		event_batch_json(text, said->batch, said->sent_ms);
	else
		event_path_json(
		    text, event_name(said->event), said->path, said->sent_ms);
}

/* ---- reading ---- */

static int
is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/* The length of the placeholder at `at`, braces included; 0: it is none. */
static size_t
hole_length(const char *at, size_t *word)
{
	const char *p = at + 1;

	if (*at != '{' || *p < 'a' || *p > 'z')
		return 0;
	while (is_word(*p))
		p++;
	*word = (size_t)(p - at) - 1;
	if (*p == ':')
		while (*p != '\0' && *p != '}' && *p != '{' && *p != '"' &&
		       (unsigned char)*p >= ' ')
			p++;
	return *p == '}' ? (size_t)(p - at) + 1 : 0;
}

static int
is_allowed(enum hole hole, const struct event_text_rules *rules)
{
	return (rules->events & ~HOLES[hole].events) == 0 &&
	       (!rules->plain_only || HOLES[hole].plain);
}

static int
complain(const char *at, size_t len, const char *why,
    const struct event_text_rules *rules, struct secor_err *err)
{
	char known[512] = "";
	size_t n = 0;

	for (int i = 0; i < HOLE_NONE; i++)
		if (is_allowed((enum hole)i, rules) && n < sizeof(known))
			n += (size_t)snprintf(known + n, sizeof(known) - n,
			    " {%s%s}", HOLES[i].name,
			    i == HOLE_LEVEL ? ":NAME" : "");
	return secor_fail(err, SECOR_FATAL, "%.*s %s; there are%s",
	    (int)(len < 80 ? len : 80), at, why, known);
}

/* `at` is a placeholder of so many bytes, its word of `word`. */
static int
read_hole(const char *at, size_t len, size_t word,
    const struct event_text_rules *rules, enum hole *hole,
    struct secor_err *err)
{
	int named = at[word + 1] == ':';
	int i = 0;

	while (i < HOLE_NONE && (strlen(HOLES[i].name) != word ||
				    memcmp(HOLES[i].name, at + 1, word) != 0))
		i++;
	*hole = (enum hole)i;
	if (i == HOLE_NONE)
		return complain(at, len, "is no placeholder", rules, err);
	if (i == HOLE_LEVEL && len < word + 4)
		return complain(
		    at, len, "names no level, as {level:dt} does", rules, err);
	if (i != HOLE_LEVEL && named)
		return complain(at, len, "takes no name", rules, err);
	for (size_t k = 0; k < sizeof(EVENTS) / sizeof(EVENTS[0]); k++) {
		char why[80];

		if ((rules->events & EVENTS[k].event & ~HOLES[i].events) == 0)
			continue;
		(void)snprintf(why, sizeof(why),
		    "is not known of %s, which `events` holds", EVENTS[k].name);
		return complain(at, len, why, rules, err);
	}
	if (!is_allowed(*hole, rules))
		return complain(at, len, "is not possible here", rules, err);
	return SECOR_OK;
}

/* Between double quotes behind this byte? `before` is the byte's own. */
static int
quotes_after(const char *source, const char *at, int before)
{
	size_t slashes = 0;

	if (*at != '"')
		return before;
	while (
	    before && at - slashes > source && at[-1 - (long)slashes] == '\\')
		slashes++;
	return slashes % 2 != 0 ? before : !before;
}

static struct part *
next_part(struct event_text *text)
{
	return &text->parts[text->count++];
}

static void
put_literal(struct event_text *text, const char *at, size_t len)
{
	struct part *last =
	    text->count > 0 ? &text->parts[text->count - 1] : NULL;

	if (last != NULL && last->literal != NULL &&
	    last->literal + last->len == at)
		last->len += len;
	else
		*next_part(text) = (struct part){.literal = at, .len = len};
}

static int
put_hole(struct event_text *text, enum hole hole, const char *name, size_t len,
    int quoted)
{
	struct part *part = next_part(text);

	*part = (struct part){.hole = hole, .quoted = quoted};
	if (hole != HOLE_LEVEL)
		return 1;
	part->name = strndup(name, len);
	return part->name != NULL;
}

static int
read_all(struct event_text *text, const struct event_text_rules *rules,
    struct secor_err *err)
{
	const char *at = text->source;
	enum hole hole = HOLE_NONE;
	int quoted = 0;
	size_t len, word = 0;

	while (*at != '\0') {
		if (*at == '{' && (len = hole_length(at + 1, &word)) > 0) {
			put_literal(text, at + 1, len); /* {{topic} */
			at += len + 1;
		} else if ((len = hole_length(at, &word)) == 0) {
			quoted = quotes_after(text->source, at, quoted);
			put_literal(text, at++, 1);
		} else {
			if (read_hole(at, len, word, rules, &hole, err) !=
			    SECOR_OK)
				return SECOR_FATAL;
			/* behind "{level:" up to "}" */
			if (!put_hole(text, hole, at + word + 2,
				len > word + 3 ? len - word - 3 : 0, quoted))
				return secor_fail(
				    err, SECOR_FATAL, "out of memory");
			at += len;
		}
	}
	return SECOR_OK;
}

int
event_text_new(const char *source, const struct event_text_rules *rules,
    struct event_text **made, struct secor_err *err)
{
	struct event_text *text = calloc(1, sizeof(*text));
	size_t most = 1; /* parts: each brace begins two at most */
	int rc = SECOR_FATAL;

	for (const char *at = source; *at != '\0'; at++)
		most += *at == '{' ? 2 : 0;
	if (text != NULL) {
		text->source = strdup(source);
		text->parts = calloc(most, sizeof(*text->parts));
	}
	if (text == NULL || text->source == NULL || text->parts == NULL)
		(void)secor_fail(err, SECOR_FATAL, "out of memory");
	else
		rc = read_all(text, rules, err);
	if (rc == SECOR_OK)
		*made = text;
	else
		event_text_free(text);
	return rc;
}

void
event_text_free(struct event_text *text)
{
	if (text == NULL)
		return;
	for (size_t i = 0; i < text->count; i++)
		free(text->parts[i].name);
	free(text->parts);
	free(text->source);
	free(text);
}

int
event_text_is_fixed(const struct event_text *text)
{
	for (size_t i = 0; i < text->count; i++)
		if (text->parts[i].literal == NULL)
			return 0;
	return 1;
}
