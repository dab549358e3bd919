/*
 * filter.c -- transformer: keeps or drops messages by one condition on their
 * value, key, offset, a header, or a field of JSON.
 *
 * A message without the header or field, or with a null key, fulfils no
 * condition. A function of the message and the options alone: samples are by
 * hash.
 */
#define PCRE2_CODE_UNIT_WIDTH 8

#include "plugins/common/json_scan.h"
#include "plugins/common/murmur.h"

#include <pcre2.h>
#include <secor/transformer.h>
#include <stdlib.h>
#include <string.h>

struct filter_conf {
	int action;
	int of;
	const char *field, *header;
	const char *pattern;
	struct secor_strings equals;
	int exists;
	double sample;
};

enum { ACTION_DROP, ACTION_KEEP };
enum { OF_VALUE, OF_KEY, OF_FIELD, OF_HEADER, OF_OFFSET };
enum { MATCH_LIMIT = 1000000 };

static const char *const actions[] = {"drop", "keep", NULL};
static const char *const sources[] = {
    "value", "key", "field", "header", "offset", NULL};

struct filter {
	const struct filter_conf *conf;
	pcre2_code *code;
	pcre2_match_data *found;
	pcre2_match_context *limits;
	struct json_paths paths;
	struct json_scan *scan;
	uint16_t slot;
	char digits[24]; /* of the offset */
};

static const struct secor_option options[] = {
    SECOR_OPTION_CHOICE(struct filter_conf, action, "action", "drop", actions,
	SECOR_OPTION_OUTPUT,
	"what becomes of messages that fulfil the condition; keep drops all "
	"others"),
    SECOR_OPTION_CHOICE(struct filter_conf, of, "of", "value", sources,
	SECOR_OPTION_OUTPUT, "what the condition is on"),
    SECOR_OPTION(STRING, struct filter_conf, field, "field", NULL,
	SECOR_OPTION_OUTPUT,
	"path of the JSON field, with of: field; a value that is no JSON "
	"object makes a bad message"),
    SECOR_OPTION(STRING, struct filter_conf, header, "header", NULL,
	SECOR_OPTION_OUTPUT,
	"name of the header, with of: header; the last of that name counts"),
    SECOR_OPTION(STRING, struct filter_conf, pattern, "pattern", NULL,
	SECOR_OPTION_OUTPUT,
	"condition: a regular expression (PCRE2) is found in the bytes"),
    SECOR_OPTION(STRINGS, struct filter_conf, equals, "equals", "[]",
	SECOR_OPTION_OUTPUT, "condition: the bytes are one of these texts"),
    SECOR_OPTION(BOOL, struct filter_conf, exists, "exists", "false",
	SECOR_OPTION_OUTPUT, "condition: it is there, and not null"),
    SECOR_OPTION(PERCENT, struct filter_conf, sample, "sample", "0%",
	SECOR_OPTION_OUTPUT,
	"condition: the murmur2 hash of the bytes (of an offset: its digits) "
	"is below this share of 2^31, so equal ones are alike"),
};

static int
filter_conditions(const struct filter_conf *c)
{
	return (c->pattern != NULL) + (c->equals.count > 0) + c->exists +
	       (c->sample > 0);
}

static pcre2_code *
filter_compile(const char *pattern, struct secor_err *err)
{
	PCRE2_UCHAR text[256];
	PCRE2_SIZE at = 0;
	int number = 0;
	pcre2_code *code =
	    pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
		PCRE2_NEVER_BACKSLASH_C | PCRE2_NEVER_UTF, &number, &at, NULL);

	if (code != NULL)
		return code;
	(void)pcre2_get_error_message(number, text, sizeof(text));
	(void)secor_fail(err, SECOR_FATAL, "%s (at character %zu)",
	    (const char *)text, at + 1);
	return NULL;
}

static void
filter_check_source(
    const struct filter_conf *c, const struct secor_check *check)
{
	struct secor_err err;

	if ((c->of == OF_FIELD) != (c->field != NULL))
		check->complain(
		    check, "field", "goes with of: field, and it with this");
	if ((c->of == OF_HEADER) != (c->header != NULL))
		check->complain(
		    check, "header", "goes with of: header, and it with this");
	if (c->field != NULL && json_path_check(c->field, &err) != SECOR_OK)
		check->complain(check, "field", err.text);
}

static void
filter_check(const void *conf, const struct secor_check *check)
{
	const struct filter_conf *c = conf;
	struct secor_err err;
	pcre2_code *code;

	filter_check_source(c, check);
	if (filter_conditions(c) != 1)
		check->complain(check, NULL,
		    "needs one condition: pattern, equals, exists or sample");
	if (c->pattern == NULL)
		return;
	code = filter_compile(c->pattern, &err);
	if (code == NULL)
		check->complain(check, "pattern", err.text);
	pcre2_code_free(code);
}

static uint32_t
filter_looks(const void *conf)
{
	const struct filter_conf *c = conf;

	if (c->of == OF_HEADER)
		return SECOR_LOOKS_AT_HEADERS;
	return c->of == OF_KEY ? SECOR_LOOKS_AT_KEY : 0;
}

static void
filter_close(void *self)
{
	struct filter *filter = self;

	if (filter == NULL)
		return;
	pcre2_match_data_free(filter->found);
	pcre2_match_context_free(filter->limits);
	pcre2_code_free(filter->code);
	json_scan_free(filter->scan);
	json_paths_fini(&filter->paths);
	free(filter);
}

static int
filter_open_pattern(struct filter *filter, struct secor_err *err)
{
	filter->code = filter_compile(filter->conf->pattern, err);
	if (filter->code == NULL)
		return SECOR_FATAL;
	filter->found =
	    pcre2_match_data_create_from_pattern(filter->code, NULL);
	filter->limits = pcre2_match_context_create(NULL);
	if (filter->found == NULL || filter->limits == NULL)
		return secor_fail(err, SECOR_FATAL, "out of memory");
	(void)pcre2_set_match_limit(filter->limits, MATCH_LIMIT);
	(void)pcre2_jit_compile(filter->code, PCRE2_JIT_COMPLETE);
	return SECOR_OK;
}

static int
filter_open_field(struct filter *filter, struct secor_err *err)
{
	if (json_paths_add(&filter->paths, filter->conf->field, &filter->slot,
		err) != SECOR_OK)
		return SECOR_FATAL;
	filter->scan = json_scan_new(&filter->paths, JSON_BEST);
	if (filter->scan == NULL)
		return secor_fail(err, SECOR_FATAL, "out of memory");
	return SECOR_OK;
}

static int
filter_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	struct filter *filter = calloc(1, sizeof(*filter));
	int rc = SECOR_OK;

	if (filter == NULL)
		return secor_fail(err, SECOR_FATAL, "out of memory");
	filter->conf = with->conf;
	json_paths_init(&filter->paths);
	if (filter->conf->pattern != NULL)
		rc = filter_open_pattern(filter, err);
	if (rc == SECOR_OK && filter->conf->of == OF_FIELD)
		rc = filter_open_field(filter, err);
	if (rc != SECOR_OK) {
		filter_close(filter);
		return rc;
	}
	*self = filter;
	return SECOR_OK;
}

static struct secor_bytes
filter_header(const struct filter *filter, const struct secor_message *message)
{
	struct secor_bytes value = {NULL, 0};

	for (int32_t i = 0; i < message->header_count; i++)
		if (strcmp(message->headers[i].name, filter->conf->header) == 0)
			value = message->headers[i].value;
	return value;
}

static int
filter_field(struct filter *filter, struct secor_bytes text,
    struct secor_bytes *bytes, struct secor_err *err)
{
	struct json_value *values, *value;

	*bytes = (struct secor_bytes){NULL, 0};
	if (json_scan_run(filter->scan, text, &values, err) != SECOR_OK)
		return SECOR_REJECT;
	value = &values[filter->slot];
	if (value->kind == JSON_KIND_OBJECT || value->kind == JSON_KIND_ARRAY)
		*bytes = (struct secor_bytes){"", 0}; /* it is there */
	else if (value->kind != JSON_KIND_ABSENT &&
		 value->kind != JSON_KIND_NULL)
		*bytes = json_scan_text(filter->scan, value);
	return SECOR_OK;
}

/* What the condition is on; ptr NULL: it is not there. */
static int
filter_bytes(struct filter *filter, const struct secor_message *in,
    struct secor_bytes *bytes, struct secor_err *err)
{
	int len;

	switch (filter->conf->of) {
	case OF_VALUE:
		*bytes = in->value;
		return SECOR_OK;
	case OF_KEY:
		*bytes = in->key;
		return SECOR_OK;
	case OF_HEADER:
		*bytes = filter_header(filter, in);
		return SECOR_OK;
	case OF_FIELD:
		return filter_field(filter, in->value, bytes, err);
	default:
		len = snprintf(filter->digits, sizeof(filter->digits), "%lld",
		    (long long)in->offset);
		*bytes = (struct secor_bytes){filter->digits, (size_t)len};
		return SECOR_OK;
	}
}

static int
filter_equals(const struct secor_strings *texts, struct secor_bytes bytes)
{
	for (size_t i = 0; i < texts->count; i++)
		if (strlen(texts->items[i]) == bytes.len &&
		    memcmp(texts->items[i], bytes.ptr, bytes.len) == 0)
			return 1;
	return 0;
}

static int
filter_matches(const struct filter *filter, struct secor_bytes bytes,
    int *matches, struct secor_err *err)
{
	int rc = pcre2_match(filter->code, (PCRE2_SPTR)bytes.ptr, bytes.len, 0,
	    0, filter->found, filter->limits);

	if (rc < 0 && rc != PCRE2_ERROR_NOMATCH)
		return secor_fail(err, SECOR_REJECT,
		    "the pattern takes too long: it gave up");
	*matches = rc >= 0;
	return SECOR_OK;
}

static int
filter_transform(void *self, const struct secor_message *in,
    struct secor_message *out, int *keep, struct secor_err *err)
{
	struct filter *filter = self;
	const struct filter_conf *conf = filter->conf;
	struct secor_bytes bytes;
	int fulfilled = 0;
	int rc = filter_bytes(filter, in, &bytes, err);

	(void)out;
	if (rc != SECOR_OK)
		return rc;
	if (bytes.ptr == NULL)
		fulfilled = 0;
	else if (conf->exists)
		fulfilled = 1;
	else if (conf->sample > 0)
		fulfilled =
		    murmur2(bytes.ptr, bytes.len) < conf->sample * 2147483648.0;
	else if (conf->pattern == NULL)
		fulfilled = filter_equals(&conf->equals, bytes);
	else
		rc = filter_matches(filter, bytes, &fulfilled, err);
	*keep = fulfilled == (conf->action == ACTION_KEEP);
	return rc;
}

static const struct secor_transformer_ops ops = {
    .size = sizeof(ops),
    .open = filter_open,
    .transform = filter_transform,
    .close = filter_close,
    .looks = filter_looks,
};

static const struct secor_plugin plugin = {
    SECOR_PLUGIN_HEAD,
    SECOR_TRANSFORMER,
    "filter",
    SECOR_VERSION,
    "keeps or drops messages by value, key, field, header, or a sample",
    1,
    SECOR_OPTIONS(options),
    sizeof(struct filter_conf),
    filter_check,
    &ops,
};

const struct secor_plugin *
secor_plugin_entry(void)
{
	return &plugin;
}
