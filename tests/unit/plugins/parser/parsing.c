/*
 * parsing.c -- see parsing.h.
 */
#include "tests/unit/plugins/parser/parsing.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static void
split(struct parsing *p, const char *fields)
{
	p->names = strdup(fields == NULL ? "" : fields);
	for (char *name = strtok(p->names, " "); name != NULL;
	     name = strtok(NULL, " ")) {
		cr_assert_lt(p->field_count, PARSING_FIELDS);
		p->items[p->field_count++] = name;
	}
}

/* Defaults and options; 1 when one of them is the time's. */
static int
configure(struct parsing *p, va_list ap)
{
	int timed = 0;
	const char *key;

	p->conf = harness_conf(p->plugin, NULL);
	while ((key = va_arg(ap, const char *)) != NULL) {
		const char *value = va_arg(ap, const char *);

		timed |= strcmp(key, "time_field") == 0;
		cr_assert_eq(
		    harness_set(p->plugin, p->conf, key, value, &p->err),
		    SECOR_OK, "%s", p->err.text);
	}
	return timed;
}

static int
open_with(struct parsing *p, int timed)
{
	struct secor_open with = {.size = sizeof(with),
	    .conf = p->conf,
	    .host = p->plugin->host,
	    .fields = {p->items, p->field_count},
	    .no_time = !timed};

	return harness_open_with(p->plugin, &with, &p->self, &p->err);
}

static struct parsing *
begin(const char *plugin, const char *fields)
{
	struct parsing *p = calloc(1, sizeof(*p));

	cr_assert_not_null(p);
	p->plugin = harness_plugin(plugin);
	split(p, fields);
	return p;
}

struct parsing *
parsing_open(const char *plugin, const char *fields, ...)
{
	struct parsing *p = begin(plugin, fields);
	char *complaints;
	int timed;
	va_list ap;

	va_start(ap, fields);
	timed = configure(p, ap);
	va_end(ap);
	complaints = timed ? harness_check(p->plugin, p->conf)
			   : harness_check_no_time(p->plugin, p->conf);
	cr_assert_str_eq(complaints, "");
	free(complaints);
	cr_assert_eq(open_with(p, timed), SECOR_OK, "%s", p->err.text);
	return p;
}

void
parsing_close(struct parsing *p)
{
	harness_close(p->plugin, p->self);
	harness_conf_free(p->plugin, p->conf);
	free(p->bytes);
	free(p->names);
	free(p);
}

struct secor_err
parsing_refused(const char *plugin, const char *fields, ...)
{
	struct parsing *p = begin(plugin, fields);
	struct secor_err err;
	int timed;
	va_list ap;

	va_start(ap, fields);
	timed = configure(p, ap);
	va_end(ap);
	cr_assert_eq(open_with(p, timed), SECOR_FATAL);
	err = p->err;
	parsing_close(p);
	return err;
}

int
parsing_bytes(struct parsing *p, const void *bytes, size_t len)
{
	struct secor_message message = harness_message_bytes(NULL, len);
	struct secor_record record = {.size = sizeof(record),
	    .field_count = (uint32_t)p->field_count,
	    .message = &message,
	    .time_ms = SECOR_NO_TIME,
	    .fields = p->fields};
	int rc;

	free(p->bytes);
	p->bytes = bytes == NULL ? NULL : malloc(len > 0 ? len : 1);
	if (len > 0)
		memcpy(p->bytes, bytes, len);
	message.value.ptr = (const char *)p->bytes;
	memset(p->fields, 0, sizeof(p->fields));
	p->err.text[0] = '\0';
	rc = p->plugin->ops.parser->parse(
	    p->self, &message, &record, p->fields, &p->err);
	p->time_ms = record.time_ms;
	return rc;
}

int
parsing_text(struct parsing *p, const char *text)
{
	return parsing_bytes(p, text, text != NULL ? strlen(text) : 0);
}

static int
digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	cr_assert(c >= 'a' && c <= 'f', "'%c' is no hex", c);
	return c - 'a' + 10;
}

unsigned char *
parsing_unhex(const char *hex, size_t *len)
{
	unsigned char *bytes = malloc(strlen(hex) / 2 + 1);

	cr_assert_not_null(bytes);
	*len = 0;
	while (*hex != '\0') {
		if (*hex == ' ') {
			hex++;
			continue;
		}
		bytes[(*len)++] =
		    (unsigned char)(digit(hex[0]) << 4 | digit(hex[1]));
		hex += 2;
	}
	return bytes;
}

int
parsing_hex(struct parsing *p, const char *hex)
{
	size_t len;
	unsigned char *bytes = parsing_unhex(hex, &len);
	int rc = parsing_bytes(p, bytes, len);

	free(bytes);
	return rc;
}

const char *
parsing_field(struct parsing *p, size_t i)
{
	if (p->fields[i].ptr == NULL)
		return "(none)";
	(void)snprintf(p->texts[i], sizeof(p->texts[i]), "%.*s",
	    (int)p->fields[i].len, p->fields[i].ptr);
	return p->texts[i];
}

int
parsing_field_is(const struct parsing *p, size_t i, const char *want)
{
	const struct secor_bytes *got = &p->fields[i];

	if (want == NULL)
		return got->ptr == NULL;
	return got->ptr != NULL && got->len == strlen(want) &&
	       memcmp(got->ptr, want, got->len) == 0;
}
