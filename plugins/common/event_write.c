/*
 * event_write.c -- values of events, as the text around them must have them.
 * Invariant: no value ends the string, the field or the line that it is in.
 */
#include "plugins/common/event_text.h"

#include <string.h>
#include <strings.h>

static const char *
or_empty(const char *value)
{
	return value == NULL ? "" : value;
}

void
event_write_json(
    struct text *to, enum event_value kind, const char *value, int quoted)
{
	if (quoted)
		text_add_json_inside(to, or_empty(value));
	else if (kind == EVENT_WORD)
		text_add_json(to, value);
	else
		text_adds(to, value == NULL ? "null" : value);
}

static int
is_unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("-._~", c) != NULL);
}

void
event_write_url(
    struct text *to, enum event_value kind, const char *value, int quoted)
{
	(void)kind;
	(void)quoted;
	for (value = or_empty(value); *value != '\0'; value++)
		if (is_unreserved(*value))
			text_add(to, value, 1);
		else
			text_addf(to, "%%%02X", (unsigned char)*value);
}

void
event_write_xml(
    struct text *to, enum event_value kind, const char *value, int quoted)
{
	(void)kind;
	(void)quoted;
	for (value = or_empty(value); *value != '\0';) {
		size_t n = utf8_length(value);
		unsigned char c = (unsigned char)*value;

		if (n == 0 || (c < ' ' && c != '\t' && c != '\n' && c != '\r'))
			text_adds(to, "\xef\xbf\xbd"); /* XML has no such */
		else if (c < ' ' || strchr("&<>\"'", c) != NULL)
			text_addf(to, "&#%d;", c);
		else
			text_add(to, value, n);
		value += n == 0 ? 1 : n;
	}
}

void
event_write_plain(
    struct text *to, enum event_value kind, const char *value, int quoted)
{
	(void)kind;
	for (value = or_empty(value); *value != '\0'; value++) {
		unsigned char c = (unsigned char)*value;

		if (c == '\n')
			text_adds(to, "\\n");
		else if (c < ' ' || c == 0x7f)
			text_addf(to, "\\x%02x", c);
		else if (quoted && (c == '"' || c == '\\'))
			text_addf(to, "\\%c", c);
		else
			text_add(to, value, 1);
	}
}

void
event_write_header(
    struct text *to, enum event_value kind, const char *value, int quoted)
{
	(void)kind;
	(void)quoted;
	for (value = or_empty(value); *value != '\0'; value++)
		if (*value >= ' ' && *value < 0x7f)
			text_add(to, value, 1);
		else
			text_addf(to, "%%%02X", (unsigned char)*value);
}

/* 1 when the subtype is `name` or ends with "+name". */
static int
is_kind(const char *type, size_t len, const char *name)
{
	size_t n = strlen(name);

	return len > n && strncasecmp(type + len - n, name, n) == 0 &&
	       (type[len - n - 1] == '/' || type[len - n - 1] == '+');
}

int
event_content_is_json(const char *content_type)
{
	return is_kind(content_type, strcspn(content_type, "; \t"), "json");
}

event_write_fn *
event_write_for(const char *content_type)
{
	static const char *const JSON[] = {
	    "json", "x-ndjson", "ndjson", "jsonl", "x-jsonlines", "json-seq"};
	size_t len = strcspn(content_type, "; \t");

	for (size_t i = 0; i < sizeof(JSON) / sizeof(JSON[0]); i++)
		if (is_kind(content_type, len, JSON[i]))
			return event_write_json;
	if (is_kind(content_type, len, "x-www-form-urlencoded"))
		return event_write_url;
	if (is_kind(content_type, len, "xml") ||
	    is_kind(content_type, len, "html"))
		return event_write_xml;
	return event_write_plain;
}
