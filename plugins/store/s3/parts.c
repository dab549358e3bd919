/*
 * parts.c -- the parts of an upload, several at once on the thread of the put.
 *
 * They are begun in their order, so that the checksum of the whole grows along,
 * and end in any. Each is repeated by itself, from its own first byte, and the
 * others go on meanwhile. When one has failed for good, or the put may not go
 * on, the rest is broken off before anybody hears of it: an abort is sent
 * behind the last byte of every part (what the kernel has of one may arrive
 * later).
 */
#include <stdlib.h>
#include <string.h>

#include "s3.h"

#define LOOK_MS 500 /* how often a part that waits asks to go on */

enum flight_state { FREE, FLYING, WAITING };

/* A part on its way. */
struct flight {
	enum flight_state state;
	struct s3_call call;
	struct s3_sums sums;
	struct http *http;
	size_t index;
	char query[3 * 1024 + 64];

	/* WAITING: why, since when it may be sent again */
	int status;
	struct secor_err why;
	int64_t due_ms;
};

struct fleet {
	struct s3_upload *up;
	size_t next, landed; /* parts */
	size_t count;
	struct flight flights[S3_MOST_PARALLEL];
};

/* ---- one part ---- */

/* It is sent again when it is due, or has failed for good. */
static int
hold_flight(struct flight *flight, const struct s3_judgement *judged,
    struct secor_err *err)
{
	if (judged->verdict == S3_GIVE_UP)
		return secor_fail(err, judged->status, "%s", flight->why.text);
	flight->state = WAITING;
	flight->status = judged->status;
	flight->due_ms = http_now_ms() + judged->wait_ms;
	return SECOR_OK;
}

static int
send_flight(struct flight *flight, struct secor_err *err)
{
	struct s3_judgement judged = s3_send(&flight->call, &flight->why);

	flight->state = FLYING;
	return judged.verdict == S3_DONE ? SECOR_OK
					 : hold_flight(flight, &judged, err);
}

static int
launch(struct s3_upload *up, struct flight *flight, size_t index,
    struct secor_err *err)
{
	struct s3_sums *sums = &flight->sums;
	struct s3_call *call = &flight->call;
	int status;

	memset(sums, 0, sizeof(*sums));
	sums->at = index * up->part_size;
	sums->length = up->put->length - sums->at;
	if (sums->length > up->part_size)
		sums->length = up->part_size;
	sums->whole = up->crc32c;
	status = s3_sum(up->s3, up->put, sums, err);
	if (status != SECOR_OK)
		return status;
	up->crc32c = sums->whole;
	flight->index = index;
	(void)snprintf(flight->query, sizeof(flight->query),
	    "partNumber=%zu&uploadId=%s", index + 1, up->escaped);
	*call = (struct s3_call){.kind = S3_PART,
	    .key = up->put->key,
	    .query = flight->query,
	    .put = up->put,
	    .reads = 1,
	    .at = sums->at,
	    .length = sums->length,
	    .crc32c = sums->crc32c,
	    .sha256 = sums->sha256};
	s3_customer_headers(up->s3, call);
	s3_check_headers(up->s3, call, sums);
	s3_ready(up->s3, call, flight->http);
	return send_flight(flight, err);
}

static int
land(struct fleet *fleet, struct flight *flight, struct secor_err *err)
{
	struct s3_upload *up = fleet->up;
	struct s3_part *part = &up->parts[flight->index];
	struct http_answer answer = {.status = 0};
	struct s3_judgement judged =
	    s3_hear(&flight->call, &answer, &flight->why);

	flight->state = FREE;
	if (judged.verdict != S3_DONE)
		return hold_flight(flight, &judged, err);
	judged.status =
	    s3_check_answer(up->s3, &flight->call, &flight->sums, &flight->why);
	if (judged.status != SECOR_OK)
		return secor_fail(err, judged.status, "%s", flight->why.text);
	(void)snprintf(part->etag, sizeof(part->etag), "%s",
	    http_header(flight->http, "etag"));
	memcpy(part->crc_text, flight->sums.crc_text, S3_CRC);
	fleet->landed++;
	return SECOR_OK;
}

/* ---- all of them ---- */

/* Not on after one that could not be sent, which may have taken long: those
 * that are under way come first, and whether the put may go on. */
static int
launch_all(struct fleet *fleet, struct secor_err *err)
{
	int64_t now = http_now_ms();
	struct flight *flight = fleet->flights;
	int status;

	for (; flight < fleet->flights + fleet->count; flight++) {
		if (flight->state == WAITING && flight->due_ms <= now)
			status = send_flight(flight, err);
		else if (flight->state == FREE &&
			 fleet->next < fleet->up->count)
			status = launch(fleet->up, flight, fleet->next++, err);
		else
			continue;
		if (status != SECOR_OK || flight->state == WAITING)
			return status;
	}
	return SECOR_OK;
}

/* The one that waits and may be sent next, or NULL. */
static struct flight *
next_due(struct fleet *fleet)
{
	struct flight *flight = fleet->flights, *next = NULL;

	for (; flight < fleet->flights + fleet->count; flight++)
		if (flight->state == WAITING &&
		    (next == NULL || flight->due_ms < next->due_ms))
			next = flight;
	return next;
}

/* Waits until a part is over, or one may be sent again. */
static int
land_one(struct fleet *fleet, struct secor_err *err)
{
	struct flight *flight = fleet->flights, *due = next_due(fleet);
	int64_t wait = due != NULL ? due->due_ms - http_now_ms() : LOOK_MS;
	struct http *http;

	if (due != NULL && !s3_may_go_on(&due->call))
		return secor_fail(err, due->status, "%s", due->why.text);
	if (wait > LOOK_MS)
		wait = LOOK_MS;
	http = http_wait(fleet->up->s3->http, wait);
	if (http == NULL)
		return SECOR_OK;
	while (flight->http != http)
		flight++;
	return land(fleet, flight, err);
}

/* The store's own client is the first of them: it has nothing else to do. */
static int
open_all(struct fleet *fleet, struct secor_err *err)
{
	struct s3 *s3 = fleet->up->s3;
	size_t i;
	int status = SECOR_OK;

	fleet->flights[0].http = s3->http;
	for (i = 1; i < fleet->count && status == SECOR_OK; i++) {
		if (s3->beside[i - 1] == NULL)
			status =
			    http_open_beside(s3->http, &s3->beside[i - 1], err);
		fleet->flights[i].http = s3->beside[i - 1];
	}
	return status;
}

int
s3_put_parts(struct s3_upload *up, struct secor_err *err)
{
	struct fleet *fleet = calloc(1, sizeof(*fleet));
	size_t i;
	int status;

	if (fleet == NULL)
		return secor_fail(err, SECOR_RETRY, "out of memory");
	fleet->up = up;
	fleet->count = (size_t)up->s3->conf->parallel_parts;
	if (fleet->count > up->count)
		fleet->count = up->count;
	status = open_all(fleet, err);
	while (status == SECOR_OK && fleet->landed < up->count) {
		status = launch_all(fleet, err);
		if (status == SECOR_OK)
			status = land_one(fleet, err);
	}
	for (i = 0; i < fleet->count; i++)
		s3_drop(&fleet->flights[i].call);
	free(fleet);
	return status;
}
