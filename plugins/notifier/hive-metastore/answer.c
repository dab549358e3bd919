/*
 * answer.c -- what the answers of a metastore mean.
 */
#include "plugins/notifier/hive-metastore/metastore.h"

#define CONTEXT "_with_environment_context"

const struct ms_method MS_METHODS[MS_CALLS] = {
    [MS_SET_UGI] = {"set_ugi", 0, {MS_META}},
    [MS_GET_TABLE] = {"get_table", 1, {MS_META, MS_NO_OBJECT}},
    [MS_GET_TABLE_REQ] = {"get_table_req", 1, {MS_META, MS_NO_OBJECT}},
    [MS_GET_PARTITION] = {"get_partition", 1, {MS_META, MS_NO_OBJECT}},
    [MS_ADD_PARTITION] = {"add_partition" CONTEXT, 1,
	{MS_INVALID, MS_EXISTS, MS_META}},
    [MS_ALTER_PARTITION] = {"alter_partition" CONTEXT, 0,
	{MS_OPERATION, MS_META}},
    [MS_CREATE_TABLE] = {"create_table", 0,
	{MS_EXISTS, MS_INVALID, MS_META, MS_NO_OBJECT}},
};

static const char *const NAMES[] = {
    [MS_OK] = "",
    [MS_META] = "MetaException",
    [MS_NO_OBJECT] = "NoSuchObjectException",
    [MS_INVALID] = "InvalidObjectException",
    [MS_EXISTS] = "AlreadyExistsException",
    [MS_OPERATION] = "InvalidOperationException",
    [MS_UNKNOWN] = "TApplicationException",
};

/* All exceptions of Hive, and Thrift's own, have their words in field 1. */
static void
set_text(struct ms_answer *answer, const char *name, struct wire exception)
{
	struct secor_bytes words = {"no reason given", 15};
	struct wire value;

	if (thrift_find(exception, 1, THRIFT_STRING, &value))
		(void)thrift_bytes(&value, &words);
	(void)snprintf(answer->text, sizeof(answer->text), "%s: %.*s", name,
	    words.len > 400 ? 400 : (int)words.len, words.ptr);
}

/* TApplicationException has its type in field 2. */
static int
is_unknown(struct wire exception)
{
	struct wire value;
	uint64_t type;

	return thrift_find(exception, 2, THRIFT_I32, &value) &&
	       wire_big(&value, 4, &type) && type == 1;
}

/* The result of a call: a structure with one field, or none for void. */
static int
read_result(const struct ms_method *method, struct wire result,
    struct ms_answer *answer, struct secor_err *err)
{
	struct thrift_field field;

	if (!thrift_next(&result, &field)) {
		if (method->returns)
			return secor_fail(err, SECOR_RETRY,
			    "the answer to %s is empty", method->name);
		answer->said = MS_OK;
		return SECOR_OK;
	}
	if (field.type != THRIFT_STRUCT && !(field.id == 0 && !method->returns))
		return secor_fail(err, SECOR_RETRY,
		    "the answer to %s is of type %d", method->name, field.type);
	answer->value = field.value;
	if (field.id == 0) {
		answer->said = MS_OK;
		return SECOR_OK;
	}
	answer->said = MS_META;
	if (field.id >= 1 && field.id <= (int)sizeof(method->said) &&
	    method->said[field.id - 1] != MS_OK)
		answer->said = (enum ms_said)method->said[field.id - 1];
	set_text(answer, NAMES[answer->said], field.value);
	return SECOR_OK;
}

int
ms_read(enum ms_call call, int32_t sequence,
    const struct thrift_message *message, struct ms_answer *answer,
    struct secor_err *err)
{
	const struct ms_method *method = &MS_METHODS[call];

	memset(answer, 0, sizeof(*answer));
	if (message->sequence != sequence ||
	    message->method.len != strlen(method->name) ||
	    memcmp(message->method.ptr, method->name, message->method.len) != 0)
		return secor_fail(
		    err, SECOR_RETRY, "the answer is not to %s", method->name);
	switch (message->kind) {
	case THRIFT_REPLY:
		return read_result(method, message->body, answer, err);
	case THRIFT_EXCEPTION:
		answer->said = is_unknown(message->body) ? MS_UNKNOWN : MS_META;
		set_text(answer, NAMES[MS_UNKNOWN], message->body);
		return SECOR_OK;
	default:
		return secor_fail(err, SECOR_RETRY,
		    "the answer to %s is of kind %d", method->name,
		    message->kind);
	}
}
