/*
 * redrive_drive.c -- claim, plan, objects, receipt of one batch's dead letters.
 * See redrive.h for the order, and for what a crash between them leaves.
 */
#include "core/base/clock.h"
#include "core/cli/redrive.h"
#include "core/flow/put.h"
#include "core/flow/redriven.h"
#include "core/flow/step.h"

#include <inttypes.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

enum { TRIES = 5 };

struct driving {
	struct redrive *redrive;
	const struct redrive_source *source;
	struct manifest_place place;
	char *folder;
	/* as it was listed last */
	struct receipts receipts;
	struct offset_set settled;
	int64_t number;			 /* of the next receipt */
	const struct receipt_file *open; /* a plan without a receipt */
	int again; /* others were quicker: look once more */
};

/* ---- what there is ---- */

static void
forget(struct driving *driving)
{
	receipts_fini(&driving->receipts);
	offset_set_fini(&driving->settled);
	driving->open = NULL;
}

/* Adds the offsets of one receipt. */
static int
settle(struct driving *driving, const struct receipt_file *file,
    struct secor_err *err)
{
	const struct redrive_source *source = driving->source;
	struct receipt *receipt = NULL;
	int rc = receipts_get(
	    &driving->redrive->store, &driving->place, file, &receipt, err);

	for (size_t i = 0; rc == SECOR_OK && i < receipt->object_count; i++) {
		const struct offset_runs *runs = &receipt->objects[i].offsets;

		for (size_t r = 0; rc == SECOR_OK && r < runs->count; r++) {
			if (runs->items[r].first < source->start ||
			    runs->items[r].last >= source->end)
				rc = secor_fail(err, SECOR_REJECT,
				    "%s: it has offsets outside of the batch",
				    file->key);
			for (int64_t offset = runs->items[r].first;
			     rc == SECOR_OK && offset <= runs->items[r].last;
			     offset++)
				(void)offset_set_add(&driving->settled, offset);
		}
	}
	receipt_free(receipt);
	return rc;
}

static int
look(struct driving *driving, struct secor_err *err)
{
	int rc;

	forget(driving);
	driving->again = 0;
	driving->number = 1;
	rc = receipts_list(&driving->redrive->store, &driving->place,
	    driving->source->start, &driving->receipts, err);
	for (size_t i = 0; rc == SECOR_OK && i < driving->receipts.count; i++) {
		const struct receipt_file *file = &driving->receipts.items[i];

		if (file->name.kind == RECEIPT_DONE) {
			driving->number = file->name.number + 1;
			rc = settle(driving, file, err);
		} else if (receipts_is_open(&driving->receipts, i)) {
			if (driving->open != NULL)
				return secor_fail(err, SECOR_REJECT,
				    "it has two plans, %s and %s: --abandon",
				    driving->open->key, file->key);
			driving->open = file;
		} else if (file->name.kind == RECEIPT_PLAN &&
			   !driving->redrive->dry) {
			/* followed, but for this */
			rc = redrive_remove(driving->redrive, file, err);
		}
	}
	return rc;
}

/* ---- objects and receipt ---- */

static int
exists(const struct driving *driving, const char *key, int *is,
    struct secor_err *err)
{
	const struct manifest_store *store = &driving->redrive->store;
	struct secor_stat stat = {.size = sizeof(stat)};
	int rc = store->ops->head(store->self, key, &stat, err);

	*is = stat.exists;
	return rc;
}

static char *
key_of(const struct driving *driving, const struct receipt *receipt,
    enum receipt_kind kind, uint64_t nonce)
{
	const struct receipt_name name = {.kind = kind,
	    .generation = receipt->generation,
	    .start = receipt->start,
	    .number = receipt->number,
	    .plan = receipt->plan,
	    .nonce = nonce};

	return receipt_key(driving->folder, &name);
}

/* The plan must still be there: somebody may have abandoned it, or, with the
 * same plan, have been quicker (`again`). */
static int
is_wanted(struct driving *driving, const struct receipt *receipt,
    struct secor_err *err)
{
	char *plan = key_of(driving, receipt, RECEIPT_PLAN, 0);
	char *done = key_of(driving, receipt, RECEIPT_DONE, 0);
	int is = 0;
	int rc = exists(driving, plan, &is, err);

	if (rc == SECOR_OK && !is) {
		rc = exists(driving, done, &driving->again, err);
		if (rc == SECOR_OK && !driving->again)
			rc = secor_fail(err, SECOR_REJECT,
			    "its plan was abandoned meanwhile: %s", plan);
	}
	free(plan);
	free(done);
	return rc;
}

static int
put_receipt(struct driving *driving, struct receipt *receipt, int done,
    struct secor_err *err)
{
	char *key =
	    key_of(driving, receipt, done ? RECEIPT_DONE : RECEIPT_PLAN, 0);
	char *text;
	int rc;

	receipt->done = done;
	receipt->written_ms = clock_now_ms();
	text = receipt_write(receipt);
	rc = store_put_text(
	    &driving->redrive->store, key, text, "application/json", err);
	free(text);
	free(key);
	return rc;
}

int
redrive_remove(struct redrive *redrive, const struct receipt_file *file,
    struct secor_err *err)
{
	return redrive->store.ops->remove(redrive->store.self, file->key, err);
}

/* Claims of this plan, and every plan that a receipt makes void. */
static int
tidy(struct driving *driving, const struct receipt *receipt,
    struct secor_err *err)
{
	int rc;

	forget(driving);
	rc = receipts_list(&driving->redrive->store, &driving->place,
	    driving->source->start, &driving->receipts, err);
	for (size_t i = 0; rc == SECOR_OK && i < driving->receipts.count; i++) {
		const struct receipt_file *file = &driving->receipts.items[i];
		const struct receipt_name *name = &file->name;

		if ((name->kind == RECEIPT_CLAIM &&
			name->plan == receipt->plan) ||
		    (name->kind == RECEIPT_PLAN &&
			!receipts_is_open(&driving->receipts, i)))
			rc = redrive_remove(driving->redrive, file, err);
	}
	return rc;
}

/* The plan is put. */
static int
follow(
    struct driving *driving, struct redrive_plan *plan, struct secor_err *err)
{
	struct receipt *receipt = &plan->receipt;
	int rc = SECOR_OK;

	for (size_t i = 0; rc == SECOR_OK && i < receipt->object_count; i++) {
		step_reached("redrive-put-begin");
		rc = is_wanted(driving, receipt, err);
		if (rc != SECOR_OK || driving->again)
			return rc;
		rc = redrive_write(driving->redrive, plan, i, err);
		step_reached("redrive-put-done");
	}
	step_reached("redrive-puts-done");
	if (rc == SECOR_OK)
		rc = redriven_put(&driving->redrive->store, receipt, err);
	step_reached("redrive-pointed");
	/* right before it: with the plan the objects may be gone. Pointers
	 * stay: others may have put the same */
	if (rc == SECOR_OK)
		rc = is_wanted(driving, receipt, err);
	if (rc != SECOR_OK || driving->again)
		return rc;
	rc = put_receipt(driving, receipt, 1, err);
	step_reached("redrive-done");
	if (rc == SECOR_OK)
		rc = tidy(driving, receipt, err);
	step_reached("redrive-ended");
	return rc;
}

static void
say(struct driving *driving, const char *state, const struct redrive_plan *plan)
{
	const struct redrive_said said = {
	    .state = state, .receipt = &plan->receipt, .sums = &plan->sums};

	redrive_say(driving->redrive, driving->source, &said);
}

/* ---- a plan that an earlier run left ---- */

/* What the plan's objects hold, and nothing else. */
static void
set_of(const struct receipt *receipt, const struct redrive_source *source,
    struct offset_set *set)
{
	for (size_t i = 0; i < receipt->object_count; i++) {
		const struct offset_runs *runs = &receipt->objects[i].offsets;

		for (size_t r = 0; r < runs->count; r++)
			for (int64_t offset = runs->items[r].first;
			     offset <= runs->items[r].last &&
			     offset < source->end;
			     offset++)
				(void)offset_set_add(set, offset);
	}
}

static int
check_same(const struct driving *driving, const struct receipt *planned,
    const struct redrive_plan *plan, struct secor_err *err)
{
	uint64_t now = driving->redrive->settings->fingerprint;

	if (planned->fingerprint != now)
		return secor_fail(err, SECOR_REJECT,
		    "a redrive of it was begun under another configuration "
		    "(fingerprint %016" PRIx64 ", now %016" PRIx64
		    "): finish it with that one, or take it back with "
		    "--abandon: %s",
		    planned->fingerprint, now, driving->open->key);
	if (plan->receipt.plan == planned->plan)
		return SECOR_OK;
	return secor_fail(err, SECOR_REJECT,
	    "a redrive of it was begun, and its dead letters %s: take it back "
	    "with --abandon: %s",
	    plan->sums.gone > 0 ? "are gone"
				: "go other ways now, or are not the same",
	    driving->open->key);
}

static int
finish(struct driving *driving, struct secor_err *err)
{
	struct redrive *redrive = driving->redrive;
	struct receipt *planned = NULL;
	struct offset_set only = {0};
	struct redrive_choice choice = {&driving->settled, &only, 0};
	struct redrive_plan plan = {.file = NULL};
	int rc = receipts_get(
	    &redrive->store, &driving->place, driving->open, &planned, err);

	if (rc != SECOR_OK)
		return rc;
	set_of(planned, driving->source, &only);
	choice.number = planned->number;
	if (planned->fingerprint == redrive->settings->fingerprint)
		rc = redrive_plan_make(
		    redrive, driving->source, &choice, &plan, err);
	if (rc == SECOR_OK)
		rc = check_same(driving, planned, &plan, err);
	plan.sums.left_out = 0; /* they are looked at next */
	plan.sums.before = 0;
	plan.sums.letters = plan.sums.stored;
	if (rc == SECOR_OK && !redrive->dry)
		rc = follow(driving, &plan, err);
	if (rc == SECOR_OK && !driving->again) {
		say(driving, "finished", &plan);
		driving->again = !redrive->dry;
	}
	redrive_plan_fini(&plan);
	offset_set_fini(&only);
	receipt_free(planned);
	return rc;
}

/* ---- a plan of this run ---- */

/* Whoever plans something else and is at work, too, has put his claim before he
 * looked, as we did: one of us sees the other's. Claims are listed first: who
 * takes his away has put his plan. */
static int
look_for_others(struct driving *driving, const struct receipt *receipt,
    struct secor_err *err)
{
	const char *claim = NULL;
	struct receipts claims;
	int rc = receipts_list(&driving->redrive->store, &driving->place,
	    driving->source->start, &claims, err);

	if (rc != SECOR_OK)
		return rc;
	rc = look(driving, err);
	for (size_t i = 0; i < claims.count; i++)
		if (claims.items[i].name.kind == RECEIPT_CLAIM &&
		    claims.items[i].name.plan != receipt->plan)
			claim = claims.items[i].key;
	if (rc == SECOR_OK && driving->number == receipt->number &&
	    (driving->open == NULL ||
		driving->open->name.plan == receipt->plan)) {
		if (claim != NULL)
			rc = secor_fail(err, SECOR_REJECT,
			    "another redrive is at work on it: run this again "
			    "when it has ended. When none runs, it was killed: "
			    "--abandon, then again: %s",
			    claim);
	} else if (rc == SECOR_OK) {
		driving->again = 1;
	}
	receipts_fini(&claims);
	return rc;
}

/* Puts the plan, if nobody else plans anything; `again` when somebody did. */
static int
commit(
    struct driving *driving, struct redrive_plan *plan, struct secor_err *err)
{
	const struct manifest_store *store = &driving->redrive->store;
	struct receipt *receipt = &plan->receipt;
	struct secor_err why;
	uint64_t nonce = 0;
	char *claim;
	int rc, gone;

	if (RAND_bytes((unsigned char *)&nonce, sizeof(nonce)) != 1)
		return secor_fail(err, SECOR_FATAL, "no random number");
	claim = key_of(driving, receipt, RECEIPT_CLAIM, nonce);
	rc = store_put_text(store, claim, "{}\n", "application/json", err);
	step_reached("redrive-claimed");
	if (rc == SECOR_OK)
		rc = look_for_others(driving, receipt, err);
	if (rc == SECOR_OK && !driving->again)
		rc = put_receipt(driving, receipt, 0, err);
	step_reached("redrive-planned");
	gone = store->ops->remove(store->self, claim, &why);
	if (rc == SECOR_OK && gone != SECOR_OK)
		rc = secor_fail(err, gone, "%s", why.text);
	free(claim);
	return rc;
}

static int
begin(struct driving *driving, struct secor_err *err)
{
	struct redrive *redrive = driving->redrive;
	const struct redrive_choice choice = {
	    &driving->settled, NULL, driving->number};
	struct redrive_plan plan;
	int rc = driving->number > RECEIPT_NUMBER_MAX
		     ? secor_fail(err, SECOR_REJECT, "too many receipts")
		     : SECOR_OK;

	if (rc != SECOR_OK)
		return rc;
	rc = redrive_plan_make(redrive, driving->source, &choice, &plan, err);
	if (rc == SECOR_OK && plan.sums.stored > 0 && !redrive->dry) {
		rc = commit(driving, &plan, err);
		if (rc == SECOR_OK && !driving->again)
			rc = follow(driving, &plan, err);
	}
	if (rc == SECOR_OK && !driving->again)
		say(driving,
		    plan.sums.gone > 0	   ? "gone"
		    : plan.sums.stored > 0 ? "stored"
					   : "nothing",
		    &plan);
	redrive_plan_fini(&plan);
	return rc;
}

int
redrive_drive(struct redrive *redrive, const struct redrive_source *source,
    struct secor_err *err)
{
	char *topic = mem_dup(redrive->topic, strlen(redrive->topic));
	struct driving driving = {.redrive = redrive,
	    .source = source,
	    .place = {topic, source->partition, source->generation},
	    .folder =
		receipt_folder(redrive->store.prefix, topic, source->partition),
	    .again = 1};
	int rc = SECOR_OK;

	for (int i = 0; rc == SECOR_OK && driving.again && i < TRIES; i++) {
		rc = look(&driving, err);
		if (rc == SECOR_OK)
			rc = driving.open != NULL ? finish(&driving, err)
						  : begin(&driving, err);
	}
	if (rc == SECOR_OK && driving.again)
		rc = secor_fail(err, SECOR_REJECT,
		    "others are at work on it, again and again");
	forget(&driving);
	free(driving.folder);
	free(topic);
	return rc;
}
