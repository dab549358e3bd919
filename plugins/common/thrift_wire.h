/*
 * thrift_wire.h -- as much of Thrift's binary protocol (strict) as a client of
 * a metastore needs: writing onto a text, and slices of what somebody else
 * wrote.
 *
 * Structures are kept as bytes. Whoever changes one copies the fields that it
 * does not know, so a newer metastore loses nothing.
 */
#ifndef SECOR_COMMON_THRIFT_WIRE_H
#define SECOR_COMMON_THRIFT_WIRE_H

#include "plugins/common/text.h"
#include "plugins/common/wire.h"

enum thrift_type {
	THRIFT_STOP = 0,
	THRIFT_BOOL = 2,
	THRIFT_BYTE = 3,
	THRIFT_DOUBLE = 4,
	THRIFT_I16 = 6,
	THRIFT_I32 = 8,
	THRIFT_I64 = 10,
	THRIFT_STRING = 11,
	THRIFT_STRUCT = 12,
	THRIFT_MAP = 13,
	THRIFT_SET = 14,
	THRIFT_LIST = 15
};

enum { THRIFT_CALL = 1, THRIFT_REPLY = 2, THRIFT_EXCEPTION = 3 };

enum {
	THRIFT_MOST = 16 * 1024 * 1024, /* bytes of an answer */
	THRIFT_DEEPEST = 24		/* structures and lists within others */
};

/* ---- writing ---- */

void thrift_put_field(struct text *to, enum thrift_type type, int id);
void thrift_put_stop(struct text *to);
void thrift_put_bool(struct text *to, int value);
void thrift_put_i32(struct text *to, int32_t value);
void thrift_put_bytes(struct text *to, const void *bytes, size_t len);
void thrift_put_string(struct text *to, const char *string);
void thrift_put_list(struct text *to, enum thrift_type of, size_t count);
void thrift_put_map(struct text *to, size_t count); /* of strings */
void thrift_put_raw(struct text *to, struct wire bytes);
/* A field and its value. */
void thrift_put_string_field(struct text *to, int id, const char *string);
void thrift_put_call(struct text *to, const char *method, int32_t sequence);

/* ---- reading ---- */

enum thrift_read {
	THRIFT_WHOLE, /* the cursor stands behind it */
	THRIFT_SHORT, /* more bytes are needed */
	THRIFT_BAD    /* no more bytes will mend it */
};

/* Goes past a value of a type. Whatever the bytes are, it ends: nothing is
 * deeper than THRIFT_DEEPEST or larger than THRIFT_MOST. */
enum thrift_read thrift_skip(struct wire *wire, int type);

struct thrift_message {
	int kind; /* THRIFT_CALL and so on */
	struct secor_bytes method;
	int32_t sequence;
	struct wire body; /* a structure, checked to its end */
	size_t length;	  /* of all of it */
};

/* Reads a message from the start of the bytes. */
enum thrift_read
thrift_message(struct secor_bytes bytes, struct thrift_message *message);

struct thrift_field {
	int type, id;
	struct wire whole; /* with its head */
	struct wire value;
};

/* The next field of a structure: 1, or 0 at its end and where it is broken. */
int thrift_next(struct wire *structure, struct thrift_field *field);

/* The value of a field of a structure: 1, or 0 when there is none of the type.
 */
int thrift_find(struct wire structure, int id, int type, struct wire *value);

/* What a value is, in a slice of its type; 0 when it is broken. */
int thrift_bytes(struct wire *value, struct secor_bytes *bytes);
int thrift_list(struct wire *value, int of, uint32_t *count);
int thrift_map(struct wire *value, uint32_t *count); /* of strings */

#endif
