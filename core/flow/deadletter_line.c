/*
 * deadletter_line.c -- see deadletter_line.h. All bytes of a line share one
 * buffer, which moves while it grows: places are kept until all are in it.
 */
#include "core/flow/deadletter_line.h"

#include "core/base/text.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* Bytes within the buffer. */
struct place {
	size_t at, len;
	int null;
};

/* The first complaint is enough: readers go on after it. */
struct parsing {
	struct deadletter *letter;
	const json_t *json;
	int failed;
};

static struct place
keep(struct parsing *parsing, const char *text, size_t len)
{
	struct buf *bytes = &parsing->letter->bytes;
	struct place place = {bytes->len, len, 0};

	buf_put(bytes, text, len);
	buf_putc(bytes, '\0');
	return place;
}

/* Base64, or null. */
static struct place
keep_bytes(struct parsing *parsing, const json_t *json)
{
	struct buf *bytes = &parsing->letter->bytes;
	struct place place = {bytes->len, 0, 1};

	if (json_is_null(json))
		return place;
	if (!json_is_string(json) ||
	    !base64_decode(
		bytes, json_string_value(json), json_string_length(json)))
		parsing->failed = 1;
	place.len = bytes->len - place.at;
	place.null = 0;
	buf_putc(bytes, '\0');
	return place;
}

/* Text that may be absent. */
static struct place
keep_text(struct parsing *parsing, const char *name)
{
	const json_t *json = json_object_get(parsing->json, name);

	if (json == NULL)
		return keep(parsing, "", 0);
	if (!json_is_string(json))
		parsing->failed = 1;
	return keep(parsing, json_string_value(json), json_string_length(json));
}

static struct secor_bytes
slice(const struct deadletter *letter, const struct place *place)
{
	struct secor_bytes bytes = {NULL, 0};

	if (!place->null)
		bytes = (struct secor_bytes){
		    letter->bytes.ptr + place->at, place->len};
	return bytes;
}

/* A name is C text to Kafka's client, so there is no NUL in it. */
static struct place
keep_name(struct parsing *parsing, const json_t *header)
{
	const json_t *name = json_object_get(header, "name");
	struct place place;

	if (json_is_string(name))
		place = keep(
		    parsing, json_string_value(name), json_string_length(name));
	else
		place =
		    keep_bytes(parsing, json_object_get(header, "name_base64"));
	if (place.null ||
	    (!parsing->failed && memchr(parsing->letter->bytes.ptr + place.at,
				     '\0', place.len) != NULL))
		parsing->failed = 1;
	return place;
}

static void
parse_headers(struct parsing *parsing, const json_t *list)
{
	struct deadletter *letter = parsing->letter;
	size_t count = json_array_size(list);
	struct place *places = mem_alloc((2 * count + 1) * sizeof(*places));

	if ((list != NULL && !json_is_array(list)) || count > INT32_MAX)
		parsing->failed = 1;
	for (size_t i = 0; !parsing->failed && i < count; i++) {
		const json_t *header = json_array_get(list, i);

		places[2 * i] = keep_name(parsing, header);
		places[2 * i + 1] =
		    keep_bytes(parsing, json_object_get(header, "value"));
	}
	if (count > letter->header_room) {
		letter->header_room = count;
		letter->headers =
		    mem_grow(letter->headers, count * sizeof(*letter->headers));
	}
	for (size_t i = 0; !parsing->failed && i < count; i++)
		letter->headers[i] =
		    (struct secor_header){letter->bytes.ptr + places[2 * i].at,
			slice(letter, &places[2 * i + 1])};
	letter->message.headers = letter->headers;
	letter->message.header_count = (int32_t)count;
	free(places);
}

static int32_t
type_of(const json_t *json)
{
	const char *text = json_is_string(json) ? json_string_value(json) : "";

	if (strcmp(text, "create") == 0)
		return SECOR_TIMESTAMP_CREATE;
	return strcmp(text, "append") == 0 ? SECOR_TIMESTAMP_APPEND
					   : SECOR_TIMESTAMP_NONE;
}

static void
parse_numbers(struct parsing *parsing)
{
	struct secor_message *message = &parsing->letter->message;
	const json_t *offset = json_object_get(parsing->json, "offset");
	const json_t *time = json_object_get(parsing->json, "timestamp");
	const json_t *partition = json_object_get(parsing->json, "partition");
	json_int_t number = json_integer_value(partition);

	if (!json_is_integer(offset) || json_integer_value(offset) < 0 ||
	    !(json_is_integer(time) || json_is_null(time)) || number < 0 ||
	    number > INT32_MAX ||
	    (partition != NULL && !json_is_integer(partition)))
		parsing->failed = 1;
	message->offset = json_integer_value(offset);
	message->timestamp_ms =
	    json_is_integer(time) ? json_integer_value(time) : SECOR_NO_TIME;
	message->timestamp_type =
	    type_of(json_object_get(parsing->json, "timestamp_type"));
	message->partition = partition == NULL ? -1 : (int32_t)number;
}

static void
parse(struct parsing *parsing)
{
	struct deadletter *letter = parsing->letter;
	const json_t *json = parsing->json;
	struct place topic = keep_text(parsing, "topic");
	struct place reason = keep_text(parsing, "reason");
	struct place key = keep_bytes(parsing, json_object_get(json, "key"));
	struct place value =
	    keep_bytes(parsing, json_object_get(json, "value"));

	letter->message.size = sizeof(letter->message);
	parse_numbers(parsing);
	parse_headers(parsing, json_object_get(json, "headers"));
	letter->message.topic = letter->bytes.ptr + topic.at;
	letter->reason = letter->bytes.ptr + reason.at;
	letter->message.key = slice(letter, &key);
	letter->message.value = slice(letter, &value);
}

int
deadletter_parse(struct deadletter *letter, const char *line, size_t len)
{
	json_t *json = json_loadb(line, len, JSON_ALLOW_NUL, NULL);
	struct parsing parsing = {letter, json, !json_is_object(json)};

	letter->bytes.len = 0;
	if (!parsing.failed)
		parse(&parsing);
	json_decref(json);
	return !parsing.failed;
}

void
deadletter_fini(struct deadletter *letter)
{
	buf_fini(&letter->bytes);
	free(letter->headers);
	memset(letter, 0, sizeof(*letter));
}
