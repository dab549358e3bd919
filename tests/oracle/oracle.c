/*
 * oracle.c -- lets Hadoop's and Hive's own code judge ours: the engine's and
 * the plugins' functions, from lines on stdin to a file or lines on stdout.
 *
 *	escape                      hex of a path value -> hex, a line each
 *	write OUT FORMAT KEY=VALUE...   "OFFSET HEX" a message -> the object OUT
 *	read FILE FORMAT KEY=VALUE...   the object -> "OFFSET HEX" a record
 *
 * Plugins come from the folder in $SECOR_PLUGINS.
 */
#include "core/base/buf.h"
#include "core/flow/path.h"
#include "core/plugin/plugin.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE = 64 * 1024 };

struct format {
	const struct plugin *plugin;
	const struct secor_format_ops *ops;
	struct options options;
	void *conf;
	void *self;
};

struct file_sink {
	struct secor_sink sink;
	FILE *file;
};

struct file_source {
	struct secor_source source;
	FILE *file;
};

static void
fail_if(int rc, const char *what, const struct secor_err *err)
{
	if (rc == SECOR_OK)
		return;
	fprintf(stderr, "%s: %s\n", what, err->text);
	exit(1);
}

static int
put_file(struct secor_sink *sink, const void *bytes, size_t len,
    struct secor_err *err)
{
	FILE *file = ((struct file_sink *)sink)->file;

	if (fwrite(bytes, 1, len, file) != len)
		return secor_fail(err, SECOR_RETRY, "fwrite failed");
	return SECOR_OK;
}

static int
get_file(struct secor_source *source, void *bytes, size_t room, size_t *got,
    struct secor_err *err)
{
	FILE *file = ((struct file_source *)source)->file;

	*got = fread(bytes, 1, room, file);
	if (ferror(file))
		return secor_fail(err, SECOR_RETRY, "fread failed");
	return SECOR_OK;
}

static FILE *
must_open(const char *path, const char *mode)
{
	FILE *file = fopen(path, mode);

	if (file == NULL) {
		perror(path);
		exit(1);
	}
	return file;
}

static unsigned
nibble(char c)
{
	return c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'a' + 10);
}

/* The bytes of a hex text; caller frees. */
static char *
unhex(const char *hex, size_t *len)
{
	size_t digits = strcspn(hex, " \n");
	char *bytes = mem_alloc(digits / 2 + 1);

	assert(digits % 2 == 0);
	for (size_t i = 0; i < digits / 2; i++)
		bytes[i] =
		    (char)(nibble(hex[2 * i]) << 4 | nibble(hex[2 * i + 1]));
	*len = digits / 2;
	return bytes;
}

static void
print_hex(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		printf("%02x", (unsigned)(unsigned char)bytes[i]);
	putchar('\n');
}

static void
format_open(struct format *format, const char *name, char **settings)
{
	struct secor_open with = {.size = sizeof(with)};
	struct secor_err err = {""};
	struct registry *registry = registry_new(getenv("SECOR_PLUGINS"), 1);

	fail_if(registry_find(
		    registry, SECOR_FORMAT, name, NULL, &format->plugin, &err),
	    name, &err);
	format->ops = format->plugin->ops.format;
	format->options = plugin_options(format->plugin);
	format->conf = options_new(&format->options);
	for (; *settings != NULL; settings++) {
		char *value = strchr(*settings, '=');
		const struct secor_option *row;

		assert(value != NULL);
		*value = '\0';
		row = options_find(&format->options, *settings);
		assert(row != NULL);
		fail_if(options_set(row, format->conf, value + 1, &err),
		    *settings, &err);
	}
	with.conf = format->conf;
	with.host = format->plugin->host;
	fail_if(format->ops->open(&with, &format->self, &err), name, &err);
}

/* One line of stdin is a message; 0 at the end. */
static int
next_message(struct secor_message *message, char **line, size_t *room)
{
	char *hex;

	if (getline(line, room, stdin) < 0)
		return 0;
	*message = (struct secor_message){.size = sizeof(*message),
	    .topic = "oracle",
	    .timestamp_ms = SECOR_NO_TIME};
	message->offset = strtoll(*line, &hex, 10);
	message->value.ptr = unhex(hex + 1, &message->value.len);
	return 1;
}

static void
encode_one(
    struct format *format, struct buf *out, const struct secor_record *record)
{
	struct secor_err err = {""};
	size_t used = 0, room = 64;

	buf_reserve(out, room);
	fail_if(format->ops->encode(format->self, record, out->ptr + out->len,
		    room, &used, &err),
	    "encode", &err);
	if (used > room) {
		room = used;
		buf_reserve(out, room);
		fail_if(format->ops->encode(format->self, record,
			    out->ptr + out->len, room, &used, &err),
		    "encode", &err);
		assert(used == room);
	}
	out->len += used;
}

/* As the engine does: in pieces that are multiples of 4096, but the last. */
static void
drain_all(struct format *format, void *stream, const struct buf *plain,
    struct secor_sink *sink)
{
	struct secor_err err = {""};
	size_t n;

	for (size_t at = 0; at < plain->len; at += n) {
		n = plain->len - at < PIECE ? plain->len - at : PIECE;
		if (format->ops->drain != NULL)
			fail_if(format->ops->drain(
				    stream, plain->ptr + at, n, sink, &err),
			    "drain", &err);
		else
			fail_if(sink->put(sink, plain->ptr + at, n, &err),
			    "put", &err);
	}
}

static void
write_object(struct format *format, struct secor_sink *sink)
{
	struct secor_object object = {sizeof(object), 0, "oracle", 0,
	    "oracle/dt=2026-01-01/0_00000000000000000000"};
	struct secor_format_traits traits = {.size = sizeof(traits)};
	struct secor_message message;
	struct secor_record record = {.size = sizeof(record),
	    .message = &message,
	    .time_ms = SECOR_NO_TIME};
	struct secor_err err = {""};
	struct buf plain = {0};
	char *line = NULL;
	size_t room = 0;
	void *stream = NULL;

	format->ops->describe(format->conf, &traits);
	fail_if(format->ops->begin(format->self, &object, sink, &stream, &err),
	    "begin", &err);
	while (next_message(&message, &line, &room)) {
		if (traits.by_write)
			fail_if(
			    format->ops->write(stream, &record, 1, sink, &err),
			    "write", &err);
		else
			encode_one(format, &plain, &record);
		free((void *)(uintptr_t)message.value.ptr);
	}
	drain_all(format, stream, &plain, sink);
	fail_if(format->ops->finish(stream, sink, &err), "finish", &err);
	format->ops->end(stream);
	buf_fini(&plain);
	free(line);
}

static void
read_object(struct format *format, struct secor_source *source)
{
	struct secor_read_record record = {.size = sizeof(record)};
	struct secor_err err = {""};
	void *reader = NULL;
	int more = 1;

	fail_if(format->ops->read_begin(format->self, source, &reader, &err),
	    "read_begin", &err);
	for (;;) {
		fail_if(format->ops->read(reader, &record, &more, &err), "read",
		    &err);
		if (!more)
			break;
		printf("%" PRId64 " ", record.has_offset ? record.offset : -1);
		print_hex(record.value.ptr, record.value.len);
	}
	format->ops->read_end(reader);
}

static void
escape_lines(void)
{
	char *line = NULL;
	size_t room = 0;

	while (getline(&line, &room, stdin) >= 0) {
		struct buf out = {0};
		size_t len;
		char *bytes = unhex(line, &len);

		path_escape(&out, bytes, len);
		print_hex(out.ptr, out.len);
		buf_fini(&out);
		free(bytes);
	}
	free(line);
}

int
main(int argc, char **argv)
{
	struct format format;

	if (argc == 2 && strcmp(argv[1], "escape") == 0) {
		escape_lines();
		return 0;
	}
	if (argc < 4) {
		fprintf(stderr, "usage: oracle escape|write|read ...\n");
		return 2;
	}
	format_open(&format, argv[3], argv + 4);
	if (strcmp(argv[1], "write") == 0) {
		struct file_sink sink = {
		    {sizeof(sink.sink), put_file}, must_open(argv[2], "wb")};

		write_object(&format, &sink.sink);
		if (fclose(sink.file) != 0)
			return 1;
	} else {
		struct file_source source = {{sizeof(source.source), get_file},
		    must_open(argv[2], "rb")};

		read_object(&format, &source.source);
		(void)fclose(source.file);
	}
	format.ops->close(format.self);
	return 0;
}
