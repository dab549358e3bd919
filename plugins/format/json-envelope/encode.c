/*
 * encode.c -- a message to its line. Written and measured in one pass: what
 * does not fit is only counted.
 */
#include "plugins/common/base64.h"
#include "plugins/common/json_value.h"
#include "plugins/common/utf8.h"
#include "plugins/format/json-envelope/envelope.h"

#include <inttypes.h>
#include <string.h>

struct out {
	char *dst;
	size_t room;
	size_t len; /* may be more than `room` */
};

/* Where n bytes go, or NULL: they do not fit. */
static char *
take(struct out *out, size_t n)
{
	char *to = out->len + n <= out->room ? out->dst + out->len : NULL;

	out->len += n;
	return to;
}

static void
put(struct out *out, const char *bytes, size_t n)
{
	char *to = take(out, n);

	if (to != NULL && n > 0)
		memcpy(to, bytes, n);
}

static void
puts_of(struct out *out, const char *text)
{
	put(out, text, strlen(text));
}

static void
put_number(struct out *out, int64_t number)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%" PRId64, number);

	put(out, text, (size_t)n);
}

static void
put_escape(struct out *out, char c)
{
	static const char letters[] = "bfnrt\"\\", bytes[] = "\b\f\n\r\t\"\\";
	const char *found =
	    c == '\0' ? NULL : memchr(bytes, c, sizeof(bytes) - 1);
	char text[8] = {'\\', 0};

	if (found != NULL) {
		text[1] = letters[found - bytes];
		put(out, text, 2);
		return;
	}
	(void)snprintf(text, sizeof(text), "\\u%04x", (unsigned char)c);
	put(out, text, 6);
}

static void
put_string(struct out *out, const char *bytes, size_t len)
{
	size_t run = 0, i;

	put(out, "\"", 1);
	for (i = 0; i < len; i++) {
		char c = bytes[i];

		if ((unsigned char)c >= 0x20 && c != '"' && c != '\\')
			continue;
		put(out, bytes + run, i - run);
		put_escape(out, c);
		run = i + 1;
	}
	put(out, bytes + run, len - run);
	put(out, "\"", 1);
}

static void
put_base64(struct out *out, const struct secor_bytes *bytes)
{
	char *to;

	put(out, "\"", 1);
	to = take(out, BASE64_LEN(bytes->len));
	if (to != NULL)
		base64_put(bytes->ptr, bytes->len, to);
	put(out, "\"", 1);
}

/* As it stands, but in one line: no string of JSON holds a line feed. */
static void
put_json(struct out *out, const struct secor_bytes *bytes)
{
	char *to = take(out, bytes->len), *end;

	if (to == NULL)
		return;
	memcpy(to, bytes->ptr, bytes->len);
	for (end = to + bytes->len; to < end; to++)
		if (*to == '\n' || *to == '\r')
			*to = ' ';
}

/* `what` begins the reason. */
static int
put_bytes(struct out *out, int as, const struct secor_bytes *bytes,
    const char *what, struct secor_err *err)
{
	if (bytes->ptr == NULL) {
		puts_of(out, "null");
		return SECOR_OK;
	}
	if (as == ENVELOPE_BASE64) {
		put_base64(out, bytes);
		return SECOR_OK;
	}
	if (!utf8_are(bytes->ptr, bytes->len))
		return secor_fail(err, SECOR_REJECT, "%s is not UTF-8", what);
	if (as == ENVELOPE_STRING) {
		put_string(out, bytes->ptr, bytes->len);
		return SECOR_OK;
	}
	if (!json_value_is(bytes->ptr, bytes->len))
		return secor_fail(err, SECOR_REJECT, "%s is not JSON", what);
	put_json(out, bytes);
	return SECOR_OK;
}

static int
put_headers(struct out *out, int as, const struct secor_message *message,
    struct secor_err *err)
{
	int rc = SECOR_OK;

	puts_of(out, ",\"headers\":[");
	for (int32_t i = 0; i < message->header_count && rc == SECOR_OK; i++) {
		const struct secor_header *header = &message->headers[i];
		size_t len = strlen(header->name);

		if (!utf8_are(header->name, len))
			return secor_fail(
			    err, SECOR_REJECT, "a header's name is not UTF-8");
		puts_of(out, i == 0 ? "{\"name\":" : ",{\"name\":");
		put_string(out, header->name, len);
		puts_of(out, ",\"value\":");
		rc = put_bytes(out, as, &header->value, "a header", err);
		put(out, "}", 1);
	}
	put(out, "]", 1);
	return rc;
}

static void
put_place(struct out *out, const struct secor_message *message)
{
	static const char *const types[] = {"none", "create", "append"};
	int type = message->timestamp_type;

	puts_of(out, "{\"topic\":");
	put_string(out, message->topic, strlen(message->topic));
	puts_of(out, ",\"partition\":");
	put_number(out, message->partition);
	puts_of(out, ",\"offset\":");
	put_number(out, message->offset);
	puts_of(out, ",\"timestamp\":");
	if (message->timestamp_ms == SECOR_NO_TIME)
		puts_of(out, "null");
	else
		put_number(out, message->timestamp_ms);
	puts_of(out, ",\"timestamp_type\":\"");
	puts_of(out, types[type >= 0 && type <= 2 ? type : 0]);
	put(out, "\"", 1);
}

int
envelope_encode(void *self, const struct secor_record *record, char *dst,
    size_t room, size_t *used, struct secor_err *err)
{
	const struct envelope_conf *conf =
	    ((const struct envelope *)self)->conf;
	const struct secor_message *message = record->message;
	struct out out = {dst, room, 0};
	int rc;

	put_place(&out, message);
	puts_of(&out, ",\"key\":");
	rc = put_bytes(&out, conf->key, &message->key, "the key", err);
	if (rc == SECOR_OK)
		rc = put_headers(&out, conf->headers, message, err);
	puts_of(&out, ",\"value\":");
	if (rc == SECOR_OK)
		rc = put_bytes(
		    &out, conf->value, &message->value, "the value", err);
	if (rc != SECOR_OK)
		return rc;
	put(&out, "}\n", 2);
	*used = out.len;
	return SECOR_OK;
}
