/*
 * metastore.c -- see metastore.h. A call and its answer on one connection, in
 * turn; whatever disturbs that order closes it.
 */
#include "plugins/notifier/hive-metastore/metastore.h"

#include "plugins/notifier/hive-metastore/channel.h"

#include <stdlib.h>

#define SCHEME "thrift://"
#define PORT "9083"

enum { HOST_ROOM = 256, PORT_ROOM = 8 };

struct ms {
	const struct ms_conf *conf;
	struct channel *channel;
	size_t which; /* address */
	int32_t sequence;
	struct text said;	   /* bytes of the answer so far */
	struct kerberos *kerberos; /* or NULL */
	int has_answered;	   /* on this connection */
};

/* ---- addresses ---- */

static const char *
split_uri(const char *uri, char host[HOST_ROOM], char port[PORT_ROOM])
{
	const char *end, *colon;
	size_t n;

	if (strncmp(uri, SCHEME, sizeof(SCHEME) - 1) != 0)
		return "does not begin with thrift://";
	uri += sizeof(SCHEME) - 1;
	end = *uri == '[' ? strchr(uri, ']') : uri + strcspn(uri, ":");
	if (end == NULL)
		return "has no ']'";
	if (*uri == '[')
		uri++;
	n = (size_t)(end - uri);
	colon = *end == ']' ? end + 1 : end;
	if (n == 0 || n >= HOST_ROOM || strcspn(uri, "/@ \t") < n)
		return "names no host";
	memcpy(host, uri, n);
	host[n] = '\0';
	(void)snprintf(port, PORT_ROOM, "%s", PORT);
	if (*colon == '\0')
		return NULL;
	n = strspn(colon + 1, "0123456789");
	if (*colon != ':' || n == 0 || n > 5 || colon[1 + n] != '\0' ||
	    atoi(colon + 1) < 1 || atoi(colon + 1) > 65535)
		return "is not thrift://host:port";
	(void)snprintf(port, PORT_ROOM, "%s", colon + 1);
	return NULL;
}

const char *
ms_uri_complaint(const char *uri)
{
	char host[HOST_ROOM], port[PORT_ROOM];

	return split_uri(uri, host, port);
}

/* ---- one call, one answer ---- */

static void
disconnect(struct ms *ms)
{
	channel_close(ms->channel);
	ms->channel = NULL;
}

static int
send_call(struct ms *ms, enum ms_call call, const struct text *arguments,
    int64_t until_ms, struct secor_err *err)
{
	struct text head = {0};
	int rc = SECOR_OK;

	ms->sequence = ms->sequence == INT32_MAX ? 1 : ms->sequence + 1;
	thrift_put_call(&head, MS_METHODS[call].name, ms->sequence);
	if (ms->conf->framed) {
		struct text frame = {0};

		thrift_put_i32(&frame, (int32_t)(head.len + arguments->len));
		text_add(&frame, head.ptr, head.len);
		text_fini(&head);
		head = frame;
	}
	text_add(&head, arguments->ptr, arguments->len);
	if (head.failed || arguments->failed)
		rc = secor_fail(err, SECOR_RETRY, "out of memory");
	else
		rc = channel_send(ms->channel, &head, until_ms, err);
	text_fini(&head);
	return rc;
}

/* Whether the bytes so far are an answer, and nothing is behind it. */
static enum thrift_read
look(const struct ms *ms, struct thrift_message *message)
{
	size_t head = ms->conf->framed ? 4 : 0;
	struct wire frame =
	    wire_of((struct secor_bytes){ms->said.ptr, ms->said.len});
	enum thrift_read rc;
	uint64_t size = 0;

	if (head > 0 && !wire_big(&frame, 4, &size))
		return THRIFT_SHORT;
	if (size > THRIFT_MOST)
		return THRIFT_BAD;
	rc = thrift_message(
	    (struct secor_bytes){ms->said.ptr + head, ms->said.len - head},
	    message);
	if (rc != THRIFT_WHOLE)
		return rc;
	if (head + message->length != ms->said.len ||
	    (head > 0 && size != message->length))
		return THRIFT_BAD;
	return THRIFT_WHOLE;
}

static int
no_answer(const struct ms *ms, struct secor_err *err)
{
	struct secor_bytes words;

	if (ms->kerberos == NULL &&
	    thrift_sasl_is_refusal(
		(struct secor_bytes){ms->said.ptr, ms->said.len}, &words))
		return secor_fail(err, SECOR_RETRY,
		    "the metastore wants SASL: set `kerberos.service` (it "
		    "says: %.*s)",
		    words.len > 200 ? 200 : (int)words.len, words.ptr);
	return secor_fail(
	    err, SECOR_RETRY, "the answer is not Thrift's binary protocol");
}

static int
receive(struct ms *ms, struct thrift_message *message, int64_t until_ms,
    struct secor_err *err)
{
	enum thrift_read how = THRIFT_SHORT;

	text_fini(&ms->said);
	while (how == THRIFT_SHORT) {
		int rc = channel_receive(ms->channel, &ms->said, until_ms, err);

		if (rc != SECOR_OK)
			return rc;
		if (ms->said.failed)
			return secor_fail(err, SECOR_RETRY, "out of memory");
		how = look(ms, message);
		if (how == THRIFT_SHORT && ms->said.len > THRIFT_MOST)
			how = THRIFT_BAD;
	}
	return how == THRIFT_WHOLE ? SECOR_OK : no_answer(ms, err);
}

/* Metastores that want SASL go without a word when they are told otherwise. */
static int
is_shut_out(const struct ms *ms, int64_t until_ms)
{
	return ms->kerberos == NULL && !ms->has_answered && ms->said.len == 0 &&
	       line_now_ms() < until_ms;
}

/* On the connection that there is. */
static int
exchange(struct ms *ms, enum ms_call call, const struct text *arguments,
    struct ms_answer *answer, struct secor_err *err)
{
	int64_t until_ms = line_now_ms() + ms->conf->timeout_ms;
	struct thrift_message message;
	int rc = send_call(ms, call, arguments, until_ms, err);

	if (rc == SECOR_OK) {
		rc = receive(ms, &message, until_ms, err);
		if (rc != SECOR_OK && is_shut_out(ms, until_ms))
			rc = secor_fail(err, rc,
			    "the connection ends with the first call: a "
			    "metastore with Kerberos does so "
			    "(`kerberos.service`)");
	}
	ms->has_answered = 1;
	if (rc == SECOR_OK)
		rc = ms_read(call, ms->sequence, &message, answer, err);
	if (rc != SECOR_OK)
		disconnect(ms);
	return rc;
}

/* ---- connections ---- */

/* Says whom it acts for; Kerberos has said it already. */
static int
greet(struct ms *ms, struct secor_err *err)
{
	struct text arguments = {0};
	struct ms_answer answer;
	int rc;

	if (ms->conf->user == NULL || ms->kerberos != NULL)
		return SECOR_OK;
	thrift_put_string_field(&arguments, 1, ms->conf->user);
	thrift_put_field(&arguments, THRIFT_LIST, 2);
	thrift_put_list(&arguments, THRIFT_STRING, 0);
	thrift_put_stop(&arguments);
	rc = exchange(ms, MS_SET_UGI, &arguments, &answer, err);
	text_fini(&arguments);
	if (rc == SECOR_OK && answer.said != MS_OK) {
		rc = secor_fail(err, SECOR_RETRY, "set_ugi: %s", answer.text);
		disconnect(ms);
	}
	return rc;
}

static int
connect_to(struct ms *ms, struct secor_err *err)
{
	const char *uri = ms->conf->uris.items[ms->which];
	char host[HOST_ROOM], port[PORT_ROOM];
	struct secor_err why = {""};
	struct channel_to to;
	int rc;

	if (split_uri(uri, host, port) != NULL)
		return secor_fail(err, SECOR_RETRY, "%.300s: no address", uri);
	ms->has_answered = 0;
	to = (struct channel_to){&ms->conf->line, ms->kerberos, host, port};
	rc = channel_open(
	    &to, line_now_ms() + ms->conf->connect_ms, &ms->channel, &why);
	if (rc == SECOR_OK)
		rc = greet(ms, &why);
	return rc == SECOR_OK
		   ? rc
		   : secor_fail(err, rc, "%.300s: %.600s", uri, why.text);
}

/* The first that lets itself be connected to. */
static int
connect_any(struct ms *ms, struct secor_err *err)
{
	size_t count = ms->conf->uris.count;
	int rc = SECOR_RETRY;

	for (size_t i = 0; i < count && rc != SECOR_OK; i++) {
		rc = connect_to(ms, err);
		if (rc != SECOR_OK)
			ms->which = (ms->which + 1) % count;
	}
	return rc;
}

/* The next one is asked from now on, where there is one. */
static void
leave(struct ms *ms)
{
	if (ms->conf->uris.count == 1)
		return;
	disconnect(ms);
	ms->which = (ms->which + 1) % ms->conf->uris.count;
}

/* Takes the arguments. */
static int
call_any(struct ms *ms, enum ms_call call, struct text *arguments,
    struct ms_answer *answer, struct secor_err *err)
{
	int64_t begin_ms = line_now_ms();
	struct secor_err why = {""};
	int rc = SECOR_RETRY;

	if (ms->channel != NULL)
		rc = exchange(ms, call, arguments, answer, &why);
	/* what was kept may have died since; but what hangs, hangs */
	if (rc != SECOR_OK && line_now_ms() - begin_ms < ms->conf->timeout_ms) {
		rc = connect_any(ms, err);
		if (rc != SECOR_OK)
			goto out;
		rc = exchange(ms, call, arguments, answer, &why);
	}
	if (rc != SECOR_OK)
		rc = secor_fail(err, rc, "%.300s: %s: %.500s",
		    ms->conf->uris.items[ms->which], MS_METHODS[call].name,
		    why.text);
	if (rc != SECOR_OK || answer->said == MS_META)
		leave(ms); /* another may do better */
out:
	text_fini(arguments);
	return rc;
}

struct ms *
ms_new(const struct ms_conf *conf)
{
	struct ms *ms = calloc(1, sizeof(*ms));

	if (ms == NULL)
		return NULL;
	ms->conf = conf;
	if (conf->kerberos.service != NULL) {
		ms->kerberos = kerberos_new(&conf->kerberos);
		if (ms->kerberos == NULL) {
			free(ms);
			return NULL;
		}
	}
	return ms;
}

void
ms_free(struct ms *ms)
{
	if (ms == NULL)
		return;
	disconnect(ms);
	kerberos_free(ms->kerberos);
	text_fini(&ms->said);
	free(ms);
}

/* ---- calls ---- */

static void
put_struct(struct text *to, int id, const struct text *bytes)
{
	thrift_put_field(to, THRIFT_STRUCT, id);
	text_add(to, bytes->ptr, bytes->len);
	to->failed |= bytes->failed;
}

/* The statistics are ours: it would count them by listing the folder. */
static void
put_context(struct text *to, int id)
{
	thrift_put_field(to, THRIFT_STRUCT, id);
	thrift_put_field(to, THRIFT_MAP, 1);
	thrift_put_map(to, 1);
	thrift_put_string(to, "DO_NOT_UPDATE_STATS");
	thrift_put_string(to, "true");
	thrift_put_stop(to);
}

static void
put_names(struct text *to, const char *db, const char *table)
{
	thrift_put_string_field(to, 1, db);
	thrift_put_string_field(to, 2, table);
}

/* Hive 4 has no get_table any more, and Hive 2.1 no get_table_req yet. */
int
ms_get_table(struct ms *ms, const char *db, const char *table,
    struct ms_answer *answer, struct secor_err *err)
{
	struct text arguments = {0};
	int rc;

	thrift_put_field(&arguments, THRIFT_STRUCT, 1);
	put_names(&arguments, db, table);
	thrift_put_stop(&arguments);
	thrift_put_stop(&arguments);
	rc = call_any(ms, MS_GET_TABLE_REQ, &arguments, answer, err);
	if (rc != SECOR_OK)
		return rc;
	if (answer->said == MS_UNKNOWN) {
		put_names(&arguments, db, table);
		thrift_put_stop(&arguments);
		return call_any(ms, MS_GET_TABLE, &arguments, answer, err);
	}
	if (answer->said == MS_OK &&
	    !thrift_find(answer->value, 1, THRIFT_STRUCT, &answer->value))
		return secor_fail(
		    err, SECOR_RETRY, "the answer has no table in it");
	return SECOR_OK;
}

int
ms_get_partition(struct ms *ms, const char *db, const char *table,
    const struct secor_strings *values, struct ms_answer *answer,
    struct secor_err *err)
{
	struct text arguments = {0};

	put_names(&arguments, db, table);
	thrift_put_field(&arguments, THRIFT_LIST, 3);
	thrift_put_list(&arguments, THRIFT_STRING, values->count);
	for (size_t i = 0; i < values->count; i++)
		thrift_put_string(&arguments, values->items[i]);
	thrift_put_stop(&arguments);
	return call_any(ms, MS_GET_PARTITION, &arguments, answer, err);
}

int
ms_add_partition(struct ms *ms, const struct text *partition,
    struct ms_answer *answer, struct secor_err *err)
{
	struct text arguments = {0};

	put_struct(&arguments, 1, partition);
	put_context(&arguments, 2);
	thrift_put_stop(&arguments);
	return call_any(ms, MS_ADD_PARTITION, &arguments, answer, err);
}

int
ms_alter_partition(struct ms *ms, const char *db, const char *table,
    const struct text *partition, struct ms_answer *answer,
    struct secor_err *err)
{
	struct text arguments = {0};

	put_names(&arguments, db, table);
	put_struct(&arguments, 3, partition);
	put_context(&arguments, 4);
	thrift_put_stop(&arguments);
	return call_any(ms, MS_ALTER_PARTITION, &arguments, answer, err);
}

int
ms_create_table(struct ms *ms, const struct text *table,
    struct ms_answer *answer, struct secor_err *err)
{
	struct text arguments = {0};

	put_struct(&arguments, 1, table);
	thrift_put_stop(&arguments);
	return call_any(ms, MS_CREATE_TABLE, &arguments, answer, err);
}
