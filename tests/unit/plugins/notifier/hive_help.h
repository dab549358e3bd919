/*
 * hive_help.h -- a metastore in a thread that says what it is told, one step a
 * call, and keeps what it was asked; and the notifier in front of it.
 *
 *	struct hive hive;
 *
 *	hive_begin(&hive, "user", "me", NULL);
 *	hive_says(&hive, HIVE_REPLY, body)	the result of the next call
 *	hive_object(&hive, "x")			an object in dt=x is stored
 *	hive_expect(&hive, "get_table_req add_partition_with_...")
 *	hive_end(&hive)
 *
 * A call that no step is left for finds its connection closed.
 */
#ifndef TESTS_UNIT_HIVE_HELP_H
#define TESTS_UNIT_HIVE_HELP_H

#include "plugins/common/thrift_wire.h"
#include "tests/unit/harness.h"
#include "tests/unit/plugins/notifier/hive_tls.h"

#include <secor/notifier.h>

enum hive_how {
	HIVE_REPLY,	/* the body as the result */
	HIVE_EXCEPTION, /* the body as a TApplicationException */
	HIVE_RAW,	/* the body alone, whatever it is, then the end */
	HIVE_CLOSE,	/* ends the connection after the call has come */
	HIVE_HANG	/* says nothing until the client goes */
};

struct hive_server;

struct hive {
	const struct plugin *plugin;
	struct hive_server *server;
	void *conf, *self;
	struct secor_err err;
};

/* Options as harness_conf has them, NULL-ended; table t_{topic}. */
__attribute__((sentinel)) void hive_begin(struct hive *hive, ...);
void hive_end(struct hive *hive);
int hive_port(const struct hive *hive);
/* Its plugin is opened anew, to ask the server of `first` and then its own. */
void hive_comes_second(struct hive *hive, const struct hive *first);

/* Takes the body. */
void hive_says(struct hive *hive, enum hive_how how, struct text body);
/* After this answer the connection ends without a word. */
void hive_then_ends(struct hive *hive);
/* Waits until there is no connection. */
void hive_gone(struct hive *hive);
void hive_frames(struct hive *hive);
/* TLS from here on; takes the context. */
void hive_tls(struct hive *hive, SSL_CTX *context);

/* The methods that were called since the last time, one space between. */
void hive_expect(struct hive *hive, const char *methods);
/* The arguments of the last call so far. */
struct wire hive_arguments(struct hive *hive);
void hive_text(const struct hive *hive, const char *part); /* in the error */

/* Events of topic "t": the path is dt=<value> in s3://b/t. */
int hive_object(struct hive *hive, const char *value);
int hive_path(struct hive *hive, const char *value); /* 3 objects, 200, 9000 */

/* ---- what a metastore says; each makes a body ---- */

struct text hive_void(void);
struct text hive_error(int id, const char *words); /* the exception's field */
/* A table with these keys, as get_table_req gives it. */
__attribute__((sentinel)) struct text hive_table_is(const char *key, ...);
/* A partition at this place; `rows`: its numRows, or NULL. It has a parameter
 * and fields that nobody knows. */
struct text hive_partition_is(const char *location, const char *rows);

/* "a.b.c" of fields in structures: the last is a string. NUL-ended, valid until
 * the next call; "(none)" when it is not there. */
const char *hive_string(struct wire structure, const char *fields);

#endif
