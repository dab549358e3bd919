/*
 * telling.c -- see telling.h. Invariant: `pending` hearings are in queues, and
 * as long as there is one nothing of what they read changes.
 */
#include "core/flow/final/telling.h"

#include "core/base/buf.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/flow/fields.h"
#include "core/flow/put.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- lists ---- */

static void
append(struct tellings *list, struct telling *telling)
{
	telling->list = list;
	telling->next = NULL;
	telling->before = list->last;
	if (list->last != NULL)
		list->last->next = telling;
	else
		list->first = telling;
	list->last = telling;
}

static void
take_out(struct telling *telling)
{
	struct tellings *list = telling->list;

	if (telling->next != NULL)
		telling->next->before = telling->before;
	else
		list->last = telling->before;
	if (telling->before != NULL)
		telling->before->next = telling->next;
	else
		list->first = telling->next;
}

/* ---- to the store ---- */

static char *
marker_key(const struct telling_with *with, const struct entry *entry)
{
	return mem_text("%s/%s", entry->folder, with->how->marker_name);
}

static int
put_marker(const struct telling_with *with, const struct entry *entry,
    const struct tally *sum, struct secor_err *err)
{
	int whole = with->how->marker == CONFIG_MARKER_JSON;
	char *key = marker_key(with, entry);
	char *text = whole ? tally_marker(sum) : mem_text("%s", "");
	int rc = store_put_text(
	    with->store, key, text, whole ? "application/json" : NULL, err);

	free(text);
	free(key);
	return rc;
}

static int
put_tally(const struct telling_with *with, const char *key,
    const struct tally *sum, struct secor_err *err)
{
	char *text = tally_write(sum);
	int rc =
	    store_put_text(with->store, key, text, "application/json", err);

	free(text);
	return rc;
}

/* A marker that cannot be read is not ours. */
static int
counts_less(const struct buf *text, const struct tally *tally)
{
	struct secor_err ignored;
	json_t *json = fields_load(text->ptr, text->len, "marker", &ignored);
	const json_t *objects = json_object_get(json, "objects");
	int less =
	    json_is_integer(json_object_get(json, "secor_success")) &&
	    json_is_integer(objects) &&
	    (uint64_t)json_integer_value(objects) < tally->totals.objects;

	json_decref(json);
	return less;
}

int
telling_mend(const struct telling_with *with, const struct entry *entry,
    const struct tally *tally, struct secor_err *err)
{
	char *key = marker_key(with, entry);
	struct buf text = {0};
	int rc = store_get_text(with->store, key, TALLY_BYTES_MAX, &text, err);
	int is_none = rc == SECOR_REJECT && text.len == 0;
	int is_older = rc == SECOR_OK &&
		       with->how->marker == CONFIG_MARKER_JSON &&
		       counts_less(&text, tally);

	buf_fini(&text);
	free(key);
	if (rc == SECOR_RETRY)
		return rc;
	if (!is_none && !is_older) /* nor does who may not look */
		return SECOR_OK;
	rc = put_marker(with, entry, tally, err);
	if (rc == SECOR_OK)
		log_line(SECOR_INFO, "marker written again",
		    "topic=%s path=%s there_was=%s", tally->topic, tally->path,
		    is_none ? "none" : "older");
	return rc;
}

/* Another process has told the path meanwhile, with more in it than we knew of
 * or the same. Our marker may have come behind its own. */
static int
take_over(const struct telling_with *with, struct telling *telling,
    struct tally *stored, struct secor_err *err)
{
	int rc = put_marker(with, telling->entry, stored, err);

	if (rc != SECOR_OK) {
		tally_fini(stored);
		return rc;
	}
	tally_fini(&telling->sum);
	telling->sum = *stored;
	return SECOR_OK;
}

int
telling_end(const struct telling_with *with, struct telling *telling,
    int *stale, struct secor_err *err)
{
	const struct tally *sum = &telling->sum;
	char *key = tally_key(
	    with->store->prefix, sum->topic, sum->generation, sum->path);
	struct tally stored;
	int found;
	int rc = tally_get(with->store, key, &stored, &found, err);

	*stale = 0;
	if (rc == SECOR_OK && found && tally_covers(&stored, sum)) {
		rc = take_over(with, telling, &stored, err);
	} else if (rc == SECOR_OK) {
		*stale = found && !tally_covers(sum, &stored);
		if (found)
			tally_fini(&stored);
		if (!*stale)
			rc = put_tally(with, key, sum, err);
	}
	free(key);
	return rc;
}

/* ---- beginning ---- */

/* What is told from now on. */
static int
fix(const struct telling_with *with, const struct entry *entry,
    struct tally *sum, struct secor_err *err)
{
	int rc;

	ledger_sum(with->ledger, entry, sum);
	sum->written_ms = clock_now_ms();
	rc = put_marker(with, entry, sum, err);
	if (rc != SECOR_OK)
		tally_fini(sum);
	return rc;
}

static void
hearings_init(struct telling *telling, struct tellers *tellers)
{
	for (size_t i = 0; i < telling->count; i++) {
		struct hearing *hearing = &telling->hearings[i];

		hearing->telling = telling;
		hearing->news = &telling->news;
		hearing->notifier = i;
		if (tellers_wants(tellers, i, telling->news.amended)) {
			tellers_wait(tellers, i, 1);
			continue;
		}
		hearing->state = HEARING_HEARD;
		telling->heard++;
	}
}

int
telling_begin(const struct telling_with *with, struct entry *entry,
    struct tellings *list, struct secor_err *err)
{
	size_t count = tellers_count(with->tellers);
	struct telling *made;
	struct tally sum;
	int rc = fix(with, entry, &sum, err);

	if (rc != SECOR_OK)
		return rc;
	made = mem_alloc(sizeof(*made) + count * sizeof(*made->hearings));
	made->sum = sum;
	made->covers = entry->fresh_count;
	made->since_ms = sum.written_ms;
	made->news.amended = entry->state == ENTRY_SETTLED;
	made->count = count;
	made->entry = entry;
	entry->telling = made;
	append(list, made);
	hearings_init(made, with->tellers);
	return SECOR_OK;
}

int
telling_renew(const struct telling_with *with, struct telling *telling,
    struct secor_err *err)
{
	struct tally sum;
	int rc;

	if (telling->told || telling->pending > 0 ||
	    telling->entry->fresh_count == telling->covers)
		return SECOR_OK;
	rc = fix(with, telling->entry, &sum, err);
	if (rc != SECOR_OK)
		return rc;
	tally_fini(&telling->sum);
	telling->sum = sum;
	telling->covers = telling->entry->fresh_count;
	return SECOR_OK;
}

/* ---- telling ---- */

static void
need_event(const struct telling_with *with, struct telling *telling)
{
	if (telling->event != NULL)
		return;
	telling->event = path_event_new(
	    with->store, telling->entry, telling->covers, &telling->sum);
	telling->news.path = &telling->event->path;
}

static void
drop_event(struct telling *telling)
{
	path_event_free(telling->event);
	telling->event = NULL;
	telling->news.path = NULL;
}

size_t
telling_offer(const struct telling_with *with, struct telling *telling,
    int64_t now_boot_ms)
{
	size_t left = 0;

	for (size_t i = 0; i < telling->count; i++) {
		struct hearing *hearing = &telling->hearings[i];

		if (hearing->state != HEARING_DUE ||
		    hearing->again_boot_ms > now_boot_ms)
			continue;
		if (!tellers_fits(with->tellers, i, telling->covers)) {
			left++;
			continue;
		}
		need_event(with, telling);
		telling->pending++;
		tellers_offer(with->tellers, hearing);
	}
	return left;
}

int64_t
telling_again(const struct telling *telling)
{
	int64_t again = INT64_MAX;

	for (size_t i = 0; i < telling->count; i++) {
		const struct hearing *hearing = &telling->hearings[i];

		if (hearing->state == HEARING_DUE && hearing->tries > 0 &&
		    hearing->again_boot_ms < again)
			again = hearing->again_boot_ms;
	}
	return again;
}

int
telling_rests(const struct telling *telling, int64_t now_boot_ms)
{
	int64_t again = telling_again(telling);

	return telling->pending == 0 && again > now_boot_ms &&
	       again != INT64_MAX;
}

void
telling_since(const struct telling *telling, int64_t *since_ms)
{
	for (size_t i = 0; i < telling->count; i++)
		if (telling->hearings[i].state != HEARING_HEARD &&
		    (since_ms[i] == 0 || telling->since_ms < since_ms[i]))
			since_ms[i] = telling->since_ms;
}

int
telling_is_heard(const struct telling *telling)
{
	return telling->heard == telling->count;
}

static int
failed(struct telling *telling, struct hearing *hearing, int64_t again_boot_ms,
    struct secor_err *why)
{
	(void)secor_fail(why, SECOR_RETRY, "%s", hearing->why);
	hearing->tries++;
	hearing->again_boot_ms = again_boot_ms;
	if (telling->why == NULL)
		telling->why = hearing->why;
	else
		free(hearing->why);
	hearing->why = NULL;
	return SECOR_RETRY;
}

/* Nobody reads the event any more when the last one has answered. */
static void
give_back(struct telling *telling)
{
	assert(telling->pending > 0);
	if (--telling->pending == 0)
		drop_event(telling);
}

int
telling_answered(struct tellers *tellers, struct hearing *hearing,
    int64_t again_boot_ms, struct secor_err *why)
{
	struct telling *telling = hearing->telling;

	give_back(telling);
	if (hearing->why != NULL)
		return failed(telling, hearing, again_boot_ms, why);
	if (hearing->state != HEARING_HEARD)
		return SECOR_OK; /* it was not told */
	telling->heard++;
	telling->told = 1;
	tellers_wait(tellers, hearing->notifier, -1);
	return SECOR_OK;
}

void
telling_reported(struct telling *telling)
{
	free(telling->why);
	telling->why = NULL;
}

/* ---- ending ---- */

void
telling_free(struct telling *telling)
{
	take_out(telling);
	drop_event(telling);
	for (size_t i = 0; i < telling->count; i++)
		free(telling->hearings[i].why);
	free(telling->why);
	tally_fini(&telling->sum);
	free(telling);
}

void
telling_settled(struct telling *telling)
{
	assert(telling->pending == 0 && telling_is_heard(telling));
	telling->entry->telling = NULL;
	telling_free(telling);
}

void
telling_lost(struct telling *telling)
{
	give_back(telling);
	if (telling->pending == 0)
		telling_free(telling);
}

void
telling_drop(
    struct tellers *tellers, struct telling *telling, struct tellings *dropped)
{
	for (size_t i = 0; i < telling->count; i++)
		if (telling->hearings[i].state != HEARING_HEARD)
			tellers_wait(tellers, i, -1);
	telling->entry->telling = NULL;
	telling->entry = NULL;
	if (telling->pending == 0) {
		telling_free(telling);
		return;
	}
	atomic_store(&telling->news.dropped, 1);
	take_out(telling);
	append(dropped, telling);
}
