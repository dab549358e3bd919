/*
 * metastore.h -- a client of Hive metastores: the calls that a notifier needs.
 *
 * A call is sent to one of them; the one that answered last is asked first,
 * unless it answered that it has trouble of its own (MetaException). A
 * connection that has died while nobody used it is made anew without a word.
 */
#ifndef SECOR_HIVE_METASTORE_METASTORE_H
#define SECOR_HIVE_METASTORE_METASTORE_H

#include "plugins/common/thrift_wire.h"
#include "plugins/notifier/hive-metastore/kerberos.h"
#include "plugins/notifier/hive-metastore/line.h"

struct ms;

struct ms_conf {
	struct secor_strings uris; /* thrift://host[:port] */
	int64_t timeout_ms;	   /* a call */
	int64_t connect_ms;
	const char *user; /* whom it acts for (set_ugi), or NULL */
	int framed;
	struct kerberos_conf kerberos; /* no service: none */
	struct line_conf line;
};

/* NULL, or what is wrong with an address. */
const char *ms_uri_complaint(const char *uri);

/* What a metastore says. */
enum ms_said {
	MS_OK,
	MS_META,      /* MetaException, or an error that has no name here */
	MS_NO_OBJECT, /* NoSuchObjectException */
	MS_INVALID,   /* InvalidObjectException */
	MS_EXISTS,    /* AlreadyExistsException */
	MS_OPERATION, /* InvalidOperationException */
	MS_UNKNOWN    /* it has no such method */
};

/* Valid until the next call. */
struct ms_answer {
	enum ms_said said;
	struct wire value; /* a structure, for what returns one */
	char text[512];	   /* of the exception: its name and its words */
};

/* Opens no connection. NULL: out of memory. `conf` outlives it. */
struct ms *ms_new(const struct ms_conf *conf);
void ms_free(struct ms *ms); /* accepts NULL */

/* Each gives SECOR_OK when there is an answer, whatever it says, or
 * SECOR_RETRY. `partition` and `table` are structures of Thrift. Statistics are
 * taken from the partition: the metastore counts nothing by itself. */
int ms_get_table(struct ms *ms, const char *db, const char *table,
    struct ms_answer *answer, struct secor_err *err);
int ms_get_partition(struct ms *ms, const char *db, const char *table,
    const struct secor_strings *values, struct ms_answer *answer,
    struct secor_err *err);
int ms_add_partition(struct ms *ms, const struct text *partition,
    struct ms_answer *answer, struct secor_err *err);
int ms_alter_partition(struct ms *ms, const char *db, const char *table,
    const struct text *partition, struct ms_answer *answer,
    struct secor_err *err);
int ms_create_table(struct ms *ms, const struct text *table,
    struct ms_answer *answer, struct secor_err *err);

/* ---- what the calls are made of, apart from connections ---- */

struct ms_method {
	const char *name;
	int returns;	 /* a structure */
	uint8_t said[5]; /* by the id of the exception, from 1 */
};

enum ms_call {
	MS_SET_UGI,
	MS_GET_TABLE,
	MS_GET_TABLE_REQ,
	MS_GET_PARTITION,
	MS_ADD_PARTITION,
	MS_ALTER_PARTITION,
	MS_CREATE_TABLE,
	MS_CALLS
};

extern const struct ms_method MS_METHODS[MS_CALLS];

/* What the message answers to the call; SECOR_RETRY: it is no answer to it. */
int ms_read(enum ms_call call, int32_t sequence,
    const struct thrift_message *message, struct ms_answer *answer,
    struct secor_err *err);

#endif
