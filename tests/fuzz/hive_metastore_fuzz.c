/*
 * hive_metastore_fuzz.c -- any answers of a metastore: every event ends with a
 * status and, unless it is good, a sentence; and whatever was said, what is
 * asked next is a whole call of the protocol.
 *
 * Of the plugin everything is here but its sockets (line.c) and Kerberos, in
 * whose place is a mechanism of SASL that believes everything. The first byte
 * chooses the event and the options (below), then come the answers: two bytes
 * of length each, and the bytes. None left: the connection breaks.
 */
#include "plugins/notifier/hive-metastore/hive-metastore.h"

#include "tests/fuzz/host.h"

enum {
	EVENT = 3, /* 0: batch, 1: finalized, 2: amended, 3: batch by SASL */
	CREATE = 4,
	RELOCATE = 8,
	FRAMED = 16,
	USER = 32,
	REJECT = 64,
	PIECES = 128 /* a byte at a time */
};

/* ---- line.h without a network ---- */

struct line {
	int is_open;
};

static struct {
	struct wire rest;   /* answers to come */
	struct wire answer; /* the one that is being received */
	int framed, pieces, links, calls;
	int sasl;    /* spoken */
	int talking; /* not yet in frames */
} fake;

int64_t
line_now_ms(void)
{
	return 1000;
}

int
line_open(const struct line_conf *conf, const char *host, const char *port,
    int64_t until_ms, struct line **line, struct secor_err *err)
{
	(void)conf;
	MUST(strcmp(host, "h") == 0 && strcmp(port, "9083") == 0);
	MUST(until_ms > 1000);
	if (wire_left(&fake.rest) == 0)
		return secor_fail(err, SECOR_RETRY, "refused");
	*line = calloc(1, sizeof(**line));
	MUST(*line != NULL);
	fake.links++;
	fake.talking = fake.sasl;
	return SECOR_OK;
}

void
line_close(struct line *line)
{
	fake.links -= line != NULL;
	free(line);
}

static void
check_call(const char *bytes, size_t len)
{
	struct thrift_message message;

	MUST(thrift_message((struct secor_bytes){bytes, len}, &message) ==
	     THRIFT_WHOLE);
	MUST(message.kind == THRIFT_CALL && message.length == len);
	fake.calls++;
}

/* Whole messages of the talk. */
static void
check_talk(const void *bytes, size_t len)
{
	struct wire wire = wire_of((struct secor_bytes){bytes, len});
	uint64_t status, n;

	do {
		MUST(wire_big(&wire, 1, &status) && wire_big(&wire, 4, &n));
		MUST(status == THRIFT_SASL_START || status == THRIFT_SASL_OK ||
		     status == THRIFT_SASL_COMPLETE);
		MUST(wire_take(&wire, n) != NULL);
	} while (wire_left(&wire) > 0);
}

/* A byte of the mechanism's is what wraps. */
static void
check_frame(const void *bytes, size_t len)
{
	struct wire wire = wire_of((struct secor_bytes){bytes, len});
	uint64_t n;

	MUST(wire_big(&wire, 4, &n) && n == wire_left(&wire));
	if (fake.sasl)
		MUST(wire_take(&wire, 1) != NULL);
	check_call((const char *)wire.at, wire_left(&wire));
}

int
line_send(struct line *line, const void *bytes, size_t len, int64_t until_ms,
    struct secor_err *err)
{
	uint64_t n;

	(void)line;
	(void)until_ms;
	if (fake.talking)
		check_talk(bytes, len);
	else if (fake.framed || fake.sasl)
		check_frame(bytes, len);
	else
		check_call(bytes, len);
	fake.answer = fake.rest;
	if (!wire_big(&fake.rest, 2, &n))
		return secor_fail(err, SECOR_RETRY, "broken");
	if (n > wire_left(&fake.rest))
		n = wire_left(&fake.rest);
	fake.answer.at = wire_take(&fake.rest, n);
	fake.answer.end = fake.rest.at;
	return SECOR_OK;
}

int
line_receive(struct line *line, void *bytes, size_t *len, int64_t until_ms,
    struct secor_err *err)
{
	size_t n = wire_left(&fake.answer);

	(void)line;
	(void)until_ms;
	if (n == 0)
		return secor_fail(err, SECOR_RETRY, "ended");
	if (n > *len)
		n = *len;
	if (fake.pieces)
		n = 1;
	memcpy(bytes, wire_take(&fake.answer, n), n);
	*len = n;
	return SECOR_OK;
}

/* ---- kerberos.h without a KDC ---- */

struct kerberos {
	int steps;
};

const char *
kerberos_service_complaint(const char *service)
{
	(void)service;
	return NULL;
}

struct kerberos *
kerberos_new(const struct kerberos_conf *conf)
{
	MUST(strcmp(conf->service, "hive/_HOST") == 0);
	return calloc(1, sizeof(struct kerberos));
}

void
kerberos_free(struct kerberos *kerberos)
{
	free(kerberos);
}

/* Three steps, and the third is the last. */
static int
fake_step(void *self, struct secor_bytes in, struct text *out, int *done,
    struct secor_err *err)
{
	struct kerberos *kerberos = self;

	MUST(kerberos->steps < 3);
	if (kerberos->steps > 0 && in.len == 1)
		return secor_fail(err, SECOR_RETRY, "no such token");
	text_add(out, "token", 5);
	*done = ++kerberos->steps == 3;
	fake.talking = 1;
	return SECOR_OK;
}

static int
fake_wrap(
    void *self, struct secor_bytes in, struct text *out, struct secor_err *err)
{
	(void)self;
	(void)err;
	fake.talking = 0;
	text_add(out, "w", 1);
	text_add(out, in.ptr, in.len);
	return SECOR_OK;
}

static int
fake_unwrap(
    void *self, struct secor_bytes in, struct text *out, struct secor_err *err)
{
	(void)self;
	if (in.len == 0 || in.ptr[0] != 'w')
		return secor_fail(err, SECOR_RETRY, "not wrapped");
	text_add(out, in.ptr + 1, in.len - 1);
	return SECOR_OK;
}

static size_t
fake_room(void *self)
{
	(void)self;
	return 65536;
}

int
kerberos_begin(struct kerberos *kerberos, const char *host,
    struct sasl_mechanism *mechanism, struct secor_err *err)
{
	(void)err;
	MUST(strcmp(host, "h") == 0);
	kerberos->steps = 0;
	*mechanism = (struct sasl_mechanism){
	    "GSSAPI", kerberos, fake_step, fake_wrap, fake_unwrap, fake_room};
	return SECOR_OK;
}

/* ---- the host ---- */

static void
host_log(const struct secor_host *host, int level, const char *event,
    const char *detail)
{
	(void)host;
	MUST(level == SECOR_INFO && event != NULL && detail != NULL);
}

static void
host_add(struct secor_counter *counter, int64_t n)
{
	MUST(counter != NULL && n == 1);
}

static const struct secor_host host = {
    sizeof(host), host_log, host_now, host_counter, host_add};

/* ---- together ---- */

static const char *const uris[] = {"thrift://h"};
static const struct secor_pair columns[] = {{"a", "int"}, {"b", "string"}};
static const struct secor_event_level levels[] = {{"dt", "x'y"}, {"hr", NULL}};

#define PATH "dt=x%27y/hr=__HIVE_DEFAULT_PARTITION__"

static struct hms_conf
conf_of(unsigned bits)
{
	struct hms_conf conf = {.uris = {uris, 1},
	    .database = "default",
	    .table = {.table = "t_{topic}"},
	    .on_error = bits & REJECT ? 1 : 0,
	    .relocate = bits & RELOCATE ? 1 : 0,
	    .timeout = 60000,
	    .connect_timeout = 10000,
	    .user = bits & USER ? "me" : NULL,
	    .framed = bits & FRAMED && (bits & EVENT) != EVENT ? 1 : 0,
	    .kerberos.service = (bits & EVENT) == EVENT ? "hive/_HOST" : NULL,
	    .create_table = bits & CREATE ? 1 : 0,
	    .columns = {columns, 2}};

	return conf;
}

static int
tell(const struct secor_notifier_ops *ops, void *self, unsigned bits,
    struct secor_err *err)
{
	struct secor_event_object object = {.size = sizeof(object),
	    .level_count = 2,
	    .levels = levels,
	    .url = "s3://b/t/" PATH "/1_0_0.gz",
	    .path = PATH};
	struct secor_event_batch batch = {.size = sizeof(batch),
	    .topic = "t",
	    .objects = &object,
	    .object_count = 1};
	struct secor_event_path path = {.size = sizeof(path),
	    .level_count = 2,
	    .levels = levels,
	    .topic = "t",
	    .path = PATH,
	    .url = "s3://b/t/" PATH,
	    .objects = &object,
	    .object_count = 1,
	    .total_objects = 3,
	    .total_records = 200,
	    .total_bytes = 9000};

	switch (bits & EVENT) {
	case 1:
		return ops->path_finalized(self, &path, err);
	case 2:
		return ops->path_amended(self, &path, err);
	default:
		return ops->batch_done(self, &batch, err);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct secor_notifier_ops *ops = secor_plugin_entry()->ops;
	struct secor_open with = {.size = sizeof(with), .host = &host};
	struct hms_conf conf;
	void *self = NULL;

	if (size < 1)
		return 0;
	conf = conf_of(data[0]);
	memset(&fake, 0, sizeof(fake));
	fake.framed = conf.framed;
	fake.sasl = conf.kerberos.service != NULL;
	fake.pieces = (data[0] & PIECES) != 0;
	fake.rest =
	    wire_of((struct secor_bytes){(const char *)data + 1, size - 1});
	with.conf = &conf;
	MUST(ops->open(&with, &self, NULL) == SECOR_OK);
	/* twice: what the first has left behind is part of it */
	for (int i = 0; i < 2; i++) {
		struct secor_err err = {""};
		int rc = tell(ops, self, data[0], &err);

		MUST(rc == SECOR_OK || rc == SECOR_RETRY || rc == SECOR_REJECT);
		MUST(rc == SECOR_OK || err.text[0] != '\0');
		MUST(memchr(err.text, '\0', sizeof(err.text)) != NULL);
		MUST(fake.links >= 0 && fake.links <= 1);
	}
	ops->close(self);
	MUST(fake.links == 0);
	return 0;
}
