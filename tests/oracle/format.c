/*
 * format.c -- a format plugin without the engine: makes and reads objects for
 * tests that judge them with other people's readers and writers, and measures.
 *
 *	format PLUGIN.so make  [key=value ...] <records >object
 *	format PLUGIN.so read  [key=value ...] <object >records
 *	format PLUGIN.so bench [key=value ...] <records
 *
 * A record is an offset (i64) and a value: a length (i32, -1: null) and bytes,
 * big-endian. Keys that are no options: `buffer`, bytes of a drain, default
 * 65536; `full=1`, records with all that a message has:
 *
 *	i64 offset, i64 timestamp, i32 its type, key, value, i32 headers,
 *	{ name, value }
 */
#include <secor/format.h>

#include <dlfcn.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define GROUP 500

struct stdio_sink {
	struct secor_sink sink;
	FILE *to; /* NULL: counted only */
	uint64_t bytes;
};

struct stdio_source {
	struct secor_source source;
	FILE *from;
};

struct host {
	const struct secor_plugin *plugin;
	const struct secor_format_ops *ops;
	void *conf;
	void *self;
	size_t buffer;
	int full;
};

struct records {
	struct secor_record *items;
	size_t count;
};

__attribute__((noreturn)) static void
die(const char *what, const char *why)
{
	(void)fprintf(stderr, "%s: %s\n", what, why);
	exit(1);
}

static void *
must(void *ptr)
{
	if (ptr == NULL)
		die("memory", "none");
	return ptr;
}

static int
sink_put(struct secor_sink *sink, const void *bytes, size_t len,
    struct secor_err *err)
{
	struct stdio_sink *s = (struct stdio_sink *)sink;

	s->bytes += len;
	if (s->to != NULL && fwrite(bytes, 1, len, s->to) != len)
		return secor_fail(err, SECOR_RETRY, "cannot write");
	return SECOR_OK;
}

static int
source_get(struct secor_source *source, void *bytes, size_t room, size_t *got,
    struct secor_err *err)
{
	FILE *from = ((struct stdio_source *)source)->from;

	*got = fread(bytes, 1, room, from);
	if (*got == 0 && ferror(from))
		return secor_fail(err, SECOR_RETRY, "cannot read");
	return SECOR_OK;
}

/* ---- the plugin ---- */

static int
choice_of(const struct secor_option *row, const char *text)
{
	for (int i = 0; row->choices[i] != NULL; i++)
		if (strcmp(row->choices[i], text) == 0)
			return i;
	die(row->key, "no such choice");
}

static void
set_option(struct host *host, const struct secor_option *row, const char *text)
{
	char *member = (char *)host->conf + row->offset;
	int64_t number;
	char *unit;
	int choice;

	switch (row->type) {
	case SECOR_TYPE_CHOICE:
		choice = choice_of(row, text);
		memcpy(member, &choice, sizeof(choice));
		break;
	case SECOR_TYPE_INT:
	case SECOR_TYPE_SIZE:
		number = strtoll(text, NULL, 10);
		memcpy(member, &number, sizeof(number));
		break;
	case SECOR_TYPE_DURATION:
		number = strtoll(text, &unit, 10) *
			 (strcmp(unit, "s") == 0 ? 1000 : 1);
		memcpy(member, &number, sizeof(number));
		break;
	case SECOR_TYPE_STRING:
	case SECOR_TYPE_PATH:
		memcpy(member, &text, sizeof(text));
		break;
	default:
		die(row->key, "a type that is not known here");
	}
}

static const struct secor_option *
row_of(const struct secor_plugin *plugin, const char *key, size_t len)
{
	for (size_t i = 0; i < plugin->option_count; i++)
		if (strlen(plugin->options[i].key) == len &&
		    memcmp(plugin->options[i].key, key, len) == 0)
			return &plugin->options[i];
	die(key, "no such option");
}

static void
set_options(struct host *host, char **args)
{
	const struct secor_plugin *plugin = host->plugin;

	host->conf = must(calloc(1, plugin->conf_size));
	for (size_t i = 0; i < plugin->option_count; i++)
		if (plugin->options[i].def != NULL)
			set_option(
			    host, &plugin->options[i], plugin->options[i].def);
	for (; *args != NULL; args++) {
		char *equals = strchr(*args, '=');

		if (equals == NULL)
			die(*args, "is not key=value");
		if (strncmp(*args, "buffer=", 7) == 0)
			host->buffer = strtoul(equals + 1, NULL, 10);
		else if (strncmp(*args, "full=", 5) == 0)
			host->full = equals[1] == '1';
		else
			set_option(host,
			    row_of(plugin, *args, (size_t)(equals - *args)),
			    equals + 1);
	}
}

static void
host_open(struct host *host, const char *file, char **args)
{
	const struct secor_plugin *(*entry)(void);
	void *so = dlopen(file, RTLD_NOW | RTLD_LOCAL);
	struct secor_open with = {.size = sizeof(with)};
	struct secor_err err = {""};
	void *symbol;

	if (so == NULL)
		die(file, dlerror());
	symbol = must(dlsym(so, "secor_plugin_entry"));
	memcpy(&entry, &symbol, sizeof(entry));
	host->plugin = entry();
	host->ops = host->plugin->ops;
	host->buffer = 65536;
	set_options(host, args);
	with.conf = host->conf;
	if (host->ops->open(&with, &host->self, &err) != SECOR_OK)
		die(file, err.text);
}

/* ---- records ---- */

static void
get(void *to, size_t len)
{
	if (fread(to, 1, len, stdin) != len)
		die("records", "end too early");
}

static int64_t
get64(void)
{
	uint64_t value;

	get(&value, sizeof(value));
	return (int64_t)be64toh(value);
}

static int32_t
get32(void)
{
	uint32_t value;

	get(&value, sizeof(value));
	return (int32_t)be32toh(value);
}

static struct secor_bytes
get_bytes(void)
{
	int32_t len = get32();
	char *bytes;

	if (len < 0)
		return (struct secor_bytes){NULL, 0};
	bytes = must(calloc(1, (size_t)len + 1));
	get(bytes, (size_t)len);
	return (struct secor_bytes){bytes, (size_t)len};
}

static void
get_rest(struct secor_message *message)
{
	struct secor_header *headers;

	message->timestamp_ms = get64();
	message->timestamp_type = get32();
	message->key = get_bytes();
	message->value = get_bytes();
	message->header_count = get32();
	headers =
	    must(calloc((size_t)message->header_count + 1, sizeof(*headers)));
	for (int32_t i = 0; i < message->header_count; i++) {
		headers[i].name = get_bytes().ptr;
		headers[i].value = get_bytes();
	}
	message->headers = headers;
}

static int
read_record(const struct host *host, struct secor_record *record)
{
	struct secor_message *message = must(calloc(1, sizeof(*message)));
	int first = getchar();

	if (first == EOF) {
		free(message);
		return 0;
	}
	(void)ungetc(first, stdin);
	message->size = sizeof(*message);
	message->topic = "events";
	message->offset = get64();
	if (host->full)
		get_rest(message);
	else
		message->value = get_bytes();
	*record =
	    (struct secor_record){.size = sizeof(*record), .message = message};
	return 1;
}

static void
read_records(const struct host *host, struct records *all)
{
	size_t room = 0;

	do {
		if (all->count == room) {
			room = room * 2 + 1024;
			all->items = must(
			    realloc(all->items, room * sizeof(*all->items)));
		}
	} while (read_record(host, &all->items[all->count]) && ++all->count);
}

static void
put64(int64_t value)
{
	uint64_t bits = htobe64((uint64_t)value);

	(void)fwrite(&bits, sizeof(bits), 1, stdout);
}

static void
put32(int32_t value)
{
	uint32_t bits = htobe32((uint32_t)value);

	(void)fwrite(&bits, sizeof(bits), 1, stdout);
}

static void
put_bytes(const struct secor_bytes *bytes)
{
	put32(bytes->ptr == NULL ? -1 : (int32_t)bytes->len);
	if (bytes->len > 0)
		(void)fwrite(bytes->ptr, 1, bytes->len, stdout);
}

static void
give_record(const struct host *host, const struct secor_read_record *record)
{
	put64(record->has_offset ? record->offset : -1);
	if (!host->full) {
		put_bytes(&record->value);
		return;
	}
	put64(record->has_timestamp ? record->timestamp_ms : SECOR_NO_TIME);
	put32(record->timestamp_type);
	put_bytes(&record->key);
	put_bytes(&record->value);
	put32(record->header_count);
	for (int32_t i = 0; i < record->header_count; i++) {
		const struct secor_header *header = &record->headers[i];
		struct secor_bytes name = {header->name, strlen(header->name)};

		put_bytes(&name);
		put_bytes(&header->value);
	}
}

/* ---- the ways through a format ---- */

struct plain {
	char *ptr;
	size_t len, room;
};

static void
encode(const struct host *host, const struct secor_record *record,
    struct plain *plain)
{
	struct secor_err err = {""};
	size_t used = 0, room;

	for (;;) {
		room = plain->room - plain->len;
		if (host->ops->encode(host->self, record,
			plain->ptr + plain->len, room, &used, &err) != SECOR_OK)
			die("encode", err.text);
		if (used <= room)
			break;
		plain->room = plain->room * 2 + used;
		plain->ptr = must(realloc(plain->ptr, plain->room));
	}
	plain->len += used;
}

static void
begin(const struct host *host, struct stdio_sink *sink, void **stream)
{
	struct secor_object object = {.size = sizeof(object),
	    .topic = "events",
	    .name = "events/dt=2026-01-01/0_00000000000000000000"};
	struct secor_err err = {""};

	if (host->ops->begin(host->self, &object, &sink->sink, stream, &err) !=
	    SECOR_OK)
		die("begin", err.text);
}

static void
drain(const struct host *host, void *stream, const struct plain *plain,
    struct stdio_sink *sink)
{
	struct secor_err err = {""};
	size_t at, n;

	for (at = 0; at < plain->len; at += n) {
		n = plain->len - at < host->buffer ? plain->len - at
						   : host->buffer;
		if (host->ops->drain(stream, plain->ptr + at, n, &sink->sink,
			&err) != SECOR_OK)
			die("drain", err.text);
	}
}

static void
write_all(const struct host *host, void *stream, const struct records *all,
    struct stdio_sink *sink)
{
	struct secor_err err = {""};
	size_t at, n;

	for (at = 0; at < all->count; at += n) {
		n = all->count - at < GROUP ? all->count - at : GROUP;
		if (host->ops->write(stream, all->items + at, n, &sink->sink,
			&err) != SECOR_OK)
			die("write", err.text);
	}
}

static int
by_write(const struct host *host)
{
	struct secor_format_traits traits = {.size = sizeof(traits)};

	host->ops->describe(host->conf, &traits);
	return traits.by_write || host->ops->encode == NULL;
}

static void
make(const struct host *host)
{
	struct stdio_sink sink = {{sizeof(sink.sink), sink_put}, stdout, 0};
	struct records all = {NULL, 0};
	struct plain plain = {NULL, 0, 0};
	struct secor_err err = {""};
	void *stream = NULL;

	read_records(host, &all);
	begin(host, &sink, &stream);
	if (by_write(host)) {
		write_all(host, stream, &all, &sink);
	} else {
		for (size_t i = 0; i < all.count; i++)
			encode(host, &all.items[i], &plain);
		drain(host, stream, &plain, &sink);
	}
	if (host->ops->finish(stream, &sink.sink, &err) != SECOR_OK)
		die("finish", err.text);
	host->ops->end(stream);
}

static void
read_back(const struct host *host)
{
	struct stdio_source source = {
	    {sizeof(source.source), source_get}, stdin};
	struct secor_read_record record = {.size = sizeof(record)};
	struct secor_err err = {""};
	void *reader = NULL;
	int more = 0;

	if (host->ops->read_begin(host->self, &source.source, &reader, &err) !=
	    SECOR_OK)
		die("read", err.text);
	for (;;) {
		if (host->ops->read(reader, &record, &more, &err) != SECOR_OK)
			die("read", err.text);
		if (!more)
			break;
		give_record(host, &record);
	}
	host->ops->read_end(reader);
}

/* ---- measuring: CPU time of this thread ---- */

static double
cpu_seconds(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
bench(struct host *host)
{
	struct stdio_sink sink = {{sizeof(sink.sink), sink_put}, NULL, 0};
	struct records all = {NULL, 0};
	struct plain plain = {NULL, 0, 0};
	struct secor_err err = {""};
	double begun, encoding = 0, draining = 0, plain_bytes = 0;
	size_t messages = 0;
	void *stream = NULL;

	read_records(host, &all);
	if (all.count == 0)
		die("bench", "no records");
	while (encoding + draining < 2) {
		begin(host, &sink, &stream);
		plain.len = 0;
		begun = cpu_seconds();
		for (size_t i = 0; i < all.count && !by_write(host); i++)
			encode(host, &all.items[i], &plain);
		encoding += messages > 0 ? cpu_seconds() - begun : 0;
		begun = cpu_seconds();
		if (by_write(host))
			write_all(host, stream, &all, &sink);
		drain(host, stream, &plain, &sink);
		if (host->ops->finish(stream, &sink.sink, &err) != SECOR_OK)
			die("finish", err.text);
		host->ops->end(stream);
		draining += cpu_seconds() - begun;
		messages += all.count;
		for (size_t i = 0; i < all.count; i++)
			plain_bytes += (double)all.items[i].message->value.len;
	}
	printf("encode %.1f ns a message, drain %.0f MB/s, ratio %.2f\n",
	    encoding * 1e9 / (double)(messages - all.count + 1),
	    plain_bytes / draining / 1e6, plain_bytes / (double)sink.bytes);
}

int
main(int argc, char **argv)
{
	struct host host;

	if (argc < 3)
		die("usage", "format PLUGIN.so make|read|bench [key=value...]");
	memset(&host, 0, sizeof(host));
	host_open(&host, argv[1], argv + 3);
	if (strcmp(argv[2], "make") == 0)
		make(&host);
	else if (strcmp(argv[2], "read") == 0)
		read_back(&host);
	else
		bench(&host);
	host.ops->close(host.self);
	free(host.conf);
	if (fflush(stdout) != 0)
		die("stdout", "cannot write");
	return 0;
}
