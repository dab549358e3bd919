/*
 * thrift_sasl.c -- see thrift_sasl.h. A length is checked before anything is
 * made room for, and room grows with what has come.
 */
#include "plugins/common/thrift_sasl.h"

#include "plugins/common/thrift_wire.h"

enum { HEAD = 5, PIECE = 65536, WORDS_MOST = 300, EMPTY_MOST = 100 };

#define NO_SASL "does it have hive.metastore.sasl.enabled?"

struct said {
	int status;
	struct text bytes;
};

/* ---- bytes ---- */

static int
receive_all(const struct thrift_sasl *sasl, uint8_t *bytes, size_t len,
    struct secor_err *err)
{
	const struct sasl_link *link = &sasl->link;
	int rc = SECOR_OK;

	while (rc == SECOR_OK && len > 0) {
		size_t n = len;

		rc = link->receive(link->self, bytes, &n, err);
		if (rc == SECOR_OK) {
			bytes += n;
			len -= n;
		}
	}
	return rc;
}

static int
receive_text(const struct thrift_sasl *sasl, uint64_t len, struct text *to,
    struct secor_err *err)
{
	uint8_t piece[PIECE];
	int rc = SECOR_OK;

	while (rc == SECOR_OK && len > 0) {
		size_t n = len > sizeof(piece) ? sizeof(piece) : (size_t)len;

		rc = receive_all(sasl, piece, n, err);
		if (rc == SECOR_OK)
			text_add(to, (const char *)piece, n);
		if (to->failed)
			return secor_fail(err, SECOR_RETRY, "out of memory");
		len -= n;
	}
	return rc;
}

static struct secor_bytes
bytes_of(const struct text *text)
{
	return (struct secor_bytes){text->ptr, text->len};
}

/* ---- the talk ---- */

static void
put_message(struct text *to, int status, struct secor_bytes bytes)
{
	char byte = (char)status;

	text_add(to, &byte, 1);
	thrift_put_bytes(to, bytes.ptr, bytes.len);
}

static int
send_text(const struct thrift_sasl *sasl, const struct text *text,
    struct secor_err *err)
{
	const struct sasl_link *link = &sasl->link;

	if (text->failed)
		return secor_fail(err, SECOR_RETRY, "out of memory");
	return link->send(link->self, text->ptr, text->len, err);
}

static int
refused(const struct said *said, struct secor_err *err)
{
	size_t len = said->bytes.len;

	if (len == 0)
		return secor_fail(
		    err, SECOR_RETRY, "the metastore refuses without a reason");
	return secor_fail(err, SECOR_RETRY, "the metastore refuses: %.*s",
	    len > WORDS_MOST ? WORDS_MOST : (int)len, said->bytes.ptr);
}

/* A message that lets the talk go on. */
static int
hear(const struct thrift_sasl *sasl, struct said *said, struct secor_err *err)
{
	uint8_t head[HEAD];
	struct wire wire = {head + 1, head + HEAD};
	uint64_t len = 0;
	int rc = receive_all(sasl, head, HEAD, err);

	if (rc != SECOR_OK)
		return rc;
	(void)wire_big(&wire, 4, &len);
	said->status = head[0];
	if (said->status < THRIFT_SASL_OK ||
	    said->status > THRIFT_SASL_COMPLETE || len > THRIFT_SASL_TALK_MOST)
		return secor_fail(
		    err, SECOR_RETRY, "what the metastore says is no SASL");
	rc = receive_text(sasl, len, &said->bytes, err);
	if (rc == SECOR_OK && (said->status == THRIFT_SASL_BAD ||
				  said->status == THRIFT_SASL_ERROR))
		rc = refused(said, err);
	return rc;
}

/* The name of the mechanism and its first words; one of them alone would be
 * waited for. */
static int
begin(const struct thrift_sasl *sasl, int *done, struct secor_err *err)
{
	const struct sasl_mechanism *mechanism = &sasl->mechanism;
	const char *name = mechanism->name;
	struct text words = {0}, all = {0};
	int rc = mechanism->step(
	    mechanism->self, (struct secor_bytes){NULL, 0}, &words, done, err);

	put_message(
	    &all, THRIFT_SASL_START, (struct secor_bytes){name, strlen(name)});
	put_message(&all, *done ? THRIFT_SASL_COMPLETE : THRIFT_SASL_OK,
	    bytes_of(&words));
	all.failed |= words.failed;
	if (rc == SECOR_OK)
		rc = send_text(sasl, &all, err);
	text_fini(&words);
	text_fini(&all);
	return rc;
}

/* Answers one message. Who was told that all is complete gets no answer. */
static int
answer(const struct thrift_sasl *sasl, const struct said *said, int *done,
    struct secor_err *err)
{
	const struct sasl_mechanism *mechanism = &sasl->mechanism;
	struct text words = {0}, all = {0};
	int rc = mechanism->step(
	    mechanism->self, bytes_of(&said->bytes), &words, done, err);

	put_message(&all, *done ? THRIFT_SASL_COMPLETE : THRIFT_SASL_OK,
	    bytes_of(&words));
	all.failed |= words.failed;
	if (rc == SECOR_OK && said->status != THRIFT_SASL_COMPLETE)
		rc = send_text(sasl, &all, err);
	else if (rc == SECOR_OK && !*done)
		rc = secor_fail(err, SECOR_RETRY,
		    "the metastore ends the talk before it has proved itself");
	text_fini(&words);
	text_fini(&all);
	return rc;
}

/* The first answer tells who speaks no SASL: it waits for more, or goes. */
static int
hear_first(
    const struct thrift_sasl *sasl, struct said *said, struct secor_err *err)
{
	struct secor_err why = {""};
	int rc = hear(sasl, said, &why);

	if (rc == SECOR_OK)
		return rc;
	return secor_fail(err, rc, "%.600s%s", why.text,
	    said->status == THRIFT_SASL_BAD || said->status == THRIFT_SASL_ERROR
		? ""
		: " (" NO_SASL ")");
}

int
thrift_sasl_talk(const struct thrift_sasl *sasl, struct secor_err *err)
{
	struct said said = {0};
	int done = 0, rc = begin(sasl, &done, err);

	if (rc == SECOR_OK)
		rc = hear_first(sasl, &said, err);
	while (rc == SECOR_OK && !done) {
		rc = answer(sasl, &said, &done, err);
		if (rc == SECOR_OK && said.status != THRIFT_SASL_COMPLETE) {
			text_fini(&said.bytes);
			rc = hear(sasl, &said, err);
		}
	}
	if (rc == SECOR_OK && said.status != THRIFT_SASL_COMPLETE)
		rc = secor_fail(
		    err, SECOR_RETRY, "the metastore goes on when all is said");
	text_fini(&said.bytes);
	return rc;
}

/* ---- frames ---- */

static int
send_frame(const struct thrift_sasl *sasl, struct secor_bytes bytes, int wrap,
    struct secor_err *err)
{
	const struct sasl_mechanism *mechanism = &sasl->mechanism;
	struct text wrapped = {0}, frame = {0};
	int rc = SECOR_OK;

	if (wrap)
		rc = mechanism->wrap(mechanism->self, bytes, &wrapped, err);
	thrift_put_bytes(&frame, wrap ? wrapped.ptr : bytes.ptr,
	    wrap ? wrapped.len : bytes.len);
	frame.failed |= wrapped.failed;
	if (rc == SECOR_OK)
		rc = send_text(sasl, &frame, err);
	text_fini(&wrapped);
	text_fini(&frame);
	return rc;
}

int
thrift_sasl_send(const struct thrift_sasl *sasl, struct secor_bytes bytes,
    struct secor_err *err)
{
	size_t room = sasl->mechanism.room(sasl->mechanism.self);
	int rc = SECOR_OK;

	if (room == 0)
		return send_frame(sasl, bytes, 0, err);
	while (rc == SECOR_OK && bytes.len > 0) {
		size_t n = bytes.len > room ? room : bytes.len;

		rc = send_frame(
		    sasl, (struct secor_bytes){bytes.ptr, n}, 1, err);
		bytes.ptr += n;
		bytes.len -= n;
	}
	return rc;
}

static int
receive_frame(
    const struct thrift_sasl *sasl, struct text *to, struct secor_err *err)
{
	uint8_t head[4];
	struct wire wire = {head, head + sizeof(head)};
	uint64_t len = 0;
	int rc = receive_all(sasl, head, sizeof(head), err);

	if (rc != SECOR_OK)
		return rc;
	(void)wire_big(&wire, 4, &len);
	if (len > THRIFT_SASL_FRAME_MOST)
		return secor_fail(
		    err, SECOR_RETRY, "the answer is not in frames of SASL");
	return receive_text(sasl, len, to, err);
}

static int
receive_any(
    const struct thrift_sasl *sasl, struct text *to, struct secor_err *err)
{
	const struct sasl_mechanism *mechanism = &sasl->mechanism;
	struct text wrapped = {0};
	int rc;

	if (mechanism->room(mechanism->self) == 0)
		return receive_frame(sasl, to, err);
	rc = receive_frame(sasl, &wrapped, err);
	if (rc == SECOR_OK)
		rc = mechanism->unwrap(
		    mechanism->self, bytes_of(&wrapped), to, err);
	text_fini(&wrapped);
	return rc;
}

int
thrift_sasl_receive(
    const struct thrift_sasl *sasl, struct text *to, struct secor_err *err)
{
	size_t before = to->len;
	int rc = SECOR_OK;

	for (int i = 0; rc == SECOR_OK && to->len == before; i++) {
		if (to->failed)
			return secor_fail(err, SECOR_RETRY, "out of memory");
		if (i == EMPTY_MOST)
			return secor_fail(err, SECOR_RETRY,
			    "the answer is nothing but frames without bytes");
		rc = receive_any(sasl, to, err);
	}
	return rc;
}

/* ---- who was not spoken to in SASL ---- */

int
thrift_sasl_is_refusal(struct secor_bytes said, struct secor_bytes *words)
{
	struct wire wire = wire_of(said);
	uint64_t status, len;

	if (!wire_big(&wire, 1, &status) || !wire_big(&wire, 4, &len) ||
	    (status != THRIFT_SASL_BAD && status != THRIFT_SASL_ERROR) ||
	    len == 0 || len > THRIFT_SASL_TALK_MOST)
		return 0;
	*words = (struct secor_bytes){(const char *)wire.at,
	    wire_left(&wire) < len ? wire_left(&wire) : (size_t)len};
	return 1;
}
