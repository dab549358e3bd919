/*
 * format.c -- a format plugin without the engine: makes and reads objects for
 * tests that judge them with other people's readers and writers, and measures.
 *
 *	format PLUGIN.so make  [key=value ...] <records >object
 *	format PLUGIN.so read  [key=value ...] <object >records
 *	format PLUGIN.so bench [key=value ...] <records
 *
 * A record is an offset (i64), a length (i32, -1: null) and bytes, big-endian.
 * The key `buffer` is no option: bytes of a drain, default 65536.
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
	case SECOR_TYPE_STRING:
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

static int
read_record(struct secor_record *record)
{
	struct secor_message *message = must(calloc(1, sizeof(*message)));
	uint64_t offset;
	uint32_t len;
	char *bytes;

	if (fread(&offset, sizeof(offset), 1, stdin) != 1) {
		free(message);
		return 0;
	}
	if (fread(&len, sizeof(len), 1, stdin) != 1)
		die("records", "end too early");
	len = be32toh(len);
	message->offset = (int64_t)be64toh(offset);
	message->topic = "events";
	if (len != UINT32_MAX) {
		bytes = must(malloc((size_t)len + 1));
		if (fread(bytes, 1, len, stdin) != len)
			die("records", "end too early");
		message->value = (struct secor_bytes){bytes, len};
	}
	*record =
	    (struct secor_record){.size = sizeof(*record), .message = message};
	return 1;
}

static void
read_records(struct records *all)
{
	size_t room = 0;

	do {
		if (all->count == room) {
			room = room * 2 + 1024;
			all->items = must(
			    realloc(all->items, room * sizeof(*all->items)));
		}
	} while (read_record(&all->items[all->count]) && ++all->count);
}

static void
give_record(const struct secor_read_record *record)
{
	uint64_t offset =
	    htobe64((uint64_t)(record->has_offset ? record->offset : -1));
	uint32_t len = htobe32((uint32_t)record->value.len);

	(void)fwrite(&offset, sizeof(offset), 1, stdout);
	(void)fwrite(&len, sizeof(len), 1, stdout);
	(void)fwrite(record->value.ptr, 1, record->value.len, stdout);
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
	struct secor_object object = {sizeof(object), 0, "events", 0,
	    "events/dt=2026-01-01/0_00000000000000000000"};
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

	read_records(&all);
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
		give_record(&record);
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

	read_records(&all);
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
