/*
 * event_text.h -- texts with placeholders, {topic}, that an event fills.
 *
 * A placeholder is '{', a word, perhaps ':' and a name, '}'; any other brace
 * stands for itself, so JSON is written as it is: {"conf": {json}}. `{{topic}`
 * writes "{topic}". How a value is written is the caller's, so that none breaks
 * out of what is around it.
 */
#ifndef SECOR_COMMON_EVENT_TEXT_H
#define SECOR_COMMON_EVENT_TEXT_H

#include "plugins/common/text.h"

#include <secor/notifier.h>

enum {
	EVENT_BATCH_DONE = 1,
	EVENT_PATH_FINALIZED = 2,
	EVENT_PATH_AMENDED = 4,
	EVENT_PATHS = EVENT_PATH_FINALIZED | EVENT_PATH_AMENDED,
	EVENT_ALL = EVENT_BATCH_DONE | EVENT_PATHS
};

/* "batch_done", "path_finalized", "path_amended". */
const char *event_name(unsigned event);
/* The event of that name; 0: there is none. */
unsigned event_named(const char *name);

/* What happened: one of the two pointers is set. */
struct event_said {
	unsigned event; /* one of EVENT_* */
	const struct secor_event_batch *batch;
	const struct secor_event_path *path;
	int64_t sent_ms;
};

/* All of it, as event_json.h has it. */
void event_said_json(struct text *text, const struct event_said *said);

enum event_value {
	EVENT_NUMBER, /* digits, perhaps a '-' before them */
	EVENT_WORD,   /* any text; NULL is null */
	EVENT_JSON    /* a JSON object */
};

/* Appends a value; `quoted` when it stands between double quotes. */
typedef void event_write_fn(
    struct text *to, enum event_value kind, const char *value, int quoted);

/* In JSON: outside of a string a value is a string of its own, or null. */
event_write_fn event_write_json;
/* In application/x-www-form-urlencoded, and in the path or query of a URL. */
event_write_fn event_write_url;
/* In XML, HTML: text and attributes. */
event_write_fn event_write_xml;
/* In other texts: control bytes become escapes like \n, and so do '"' and '\'
 * between quotes. */
event_write_fn event_write_plain;
/* In an HTTP header: other than printable ASCII becomes %XX. */
event_write_fn event_write_header;

/* The one that fits a Content-Type; lines of JSON are JSON here. */
event_write_fn *event_write_for(const char *content_type);
/* Whether a text of this Content-Type is one JSON value. */
int event_content_is_json(const char *content_type);

struct event_text_rules {
	unsigned events; /* EVENT_* that may come */
	int plain_only;	 /* names and numbers without '/', '?', '&' alone */
};

struct event_text;

/* SECOR_FATAL: a placeholder that does not exist, or that an event of
 * `rules->events` does not have; the text names it and those that there are. */
int event_text_new(const char *source, const struct event_text_rules *rules,
    struct event_text **made, struct secor_err *err);
void event_text_free(struct event_text *text); /* accepts NULL */

/* 1 when there is no placeholder in it. */
int event_text_is_fixed(const struct event_text *text);

/* Appends the text, filled. */
void event_text_add(struct text *to, const struct event_text *text,
    const struct event_said *said, event_write_fn *write);

#endif
