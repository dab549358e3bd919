/*
 * redrive_plan.c -- which dead letters of one object go where now. A function
 * of the dead letters, the configuration and the chosen offsets alone, so a
 * repeat plans the same. Of a dead letter only its place in the file is kept.
 */
#include "core/cli/records.h"
#include "core/cli/redrive.h"
#include "core/cli/routing.h"
#include "core/flow/deadletter_line.h"
#include "core/flow/guard.h"
#include "core/flow/path.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { REASONS_MAX = 1000 }; /* of one receipt; what else there is is one */

struct planning {
	struct redrive *redrive;
	const struct redrive_source *source;
	const struct redrive_choice *choice;
	struct redrive_plan *plan;
	struct guard_values values;
	struct deadletter letter;
	struct redrive_letter at; /* of the line */
	int64_t behind;		  /* offset of the line before */
};

/* ---- objects ---- */

static int
compare(const struct redrive_plan *plan, size_t i, const struct path *path)
{
	int order = strcmp(plan->receipt.objects[i].path, path->text);

	return order != 0 ? order
			  : strcmp(plan->targets[i].suffix, path->suffix);
}

/* Where the path is among the objects, or would be. */
static size_t
place_of(const struct redrive_plan *plan, const struct path *path, int *found)
{
	size_t from = 0, until = plan->receipt.object_count;

	*found = 0;
	while (from < until) {
		size_t middle = from + (until - from) / 2;
		int order = compare(plan, middle, path);

		if (order == 0) {
			*found = 1;
			return middle;
		}
		if (order < 0)
			from = middle + 1;
		else
			until = middle;
	}
	return from;
}

static char *
key_of(const struct planning *planning, const struct path *path)
{
	const struct redrive *redrive = planning->redrive;
	char *ending = mem_text("%s%s", path->suffix, redrive->extension);
	const struct path_name name = {.topic = redrive->topic,
	    .path = path->text,
	    .generation = planning->source->generation,
	    .partition = planning->source->partition,
	    .start = planning->source->start,
	    .extension = ending,
	    .redrive = planning->choice->number};
	char *key = path_object_key(redrive->config, &name);

	free(ending);
	return key;
}

/* The object of a path, made when it is new. */
static size_t
object_of(struct planning *planning, const struct path *path)
{
	struct redrive_plan *plan = planning->plan;
	struct receipt *receipt = &plan->receipt;
	size_t n = receipt->object_count;
	int found;
	size_t at = place_of(plan, path, &found);

	if (found)
		return at;
	receipt->objects =
	    mem_grow(receipt->objects, (n + 1) * sizeof(*receipt->objects));
	plan->targets =
	    mem_grow(plan->targets, (n + 1) * sizeof(*plan->targets));
	memmove(&receipt->objects[at + 1], &receipt->objects[at],
	    (n - at) * sizeof(*receipt->objects));
	memmove(&plan->targets[at + 1], &plan->targets[at],
	    (n - at) * sizeof(*plan->targets));
	receipt->objects[at] =
	    (struct receipt_object){.key = key_of(planning, path),
		.path = mem_dup(path->text, path->len)};
	plan->targets[at] = (struct redrive_target){
	    .suffix = mem_dup(path->suffix, strlen(path->suffix))};
	receipt->object_count++;
	plan->sums.objects++;
	return at;
}

static void
take_good(struct planning *planning, const struct routed *routed)
{
	struct path *path = routed->path;
	struct paths *paths = router_paths(planning->redrive->router);
	struct redrive_target *target;
	size_t at;

	/* whatever its path: readers were told of it without this (late.h) */
	path = router_late_path(planning->redrive->router, path);
	/* as in the batch of a service: by the order of offsets */
	if (path->overflow != NULL &&
	    !guard_admit(&planning->values, path->value_hash, path->most))
		path = path->overflow;
	path = paths_ref(paths_split(paths, path, &planning->redrive->split));
	at = object_of(planning, path);
	paths_unref(paths, path);
	target = &planning->plan->targets[at];
	if (target->count == target->room) {
		target->room = target->room == 0 ? 16 : target->room * 2;
		target->letters = mem_grow(
		    target->letters, target->room * sizeof(*target->letters));
	}
	target->letters[target->count++] = planning->at;
	offset_runs_add(&planning->plan->receipt.objects[at].offsets,
	    planning->letter.message.offset);
	receipt_note_time(
	    &planning->plan->receipt.objects[at], routed->record.time_ms);
	planning->plan->sums.stored++;
}

/* ---- what is still bad ---- */

static void
take_bad(struct planning *planning, const char *reason)
{
	struct receipt *receipt = &planning->plan->receipt;
	size_t i;

	if (receipt->bad_count == REASONS_MAX)
		reason = "other reasons";
	for (i = 0; i < receipt->bad_count; i++)
		if (strcmp(receipt->bad[i].reason, reason) == 0)
			break;
	if (i == receipt->bad_count) {
		receipt->bad =
		    mem_grow(receipt->bad, (i + 1) * sizeof(*receipt->bad));
		receipt->bad[i] = (struct receipt_bad){
		    .reason = mem_dup(reason, strlen(reason))};
		receipt->bad_count++;
	}
	offset_runs_add(
	    &receipt->bad[i].offsets, planning->letter.message.offset);
	planning->plan->sums.bad++;
}

/* ---- one dead letter ---- */

enum route_outcome
redrive_route(struct redrive *redrive, const struct secor_message *message,
    struct routed *routed)
{
	enum route_outcome outcome =
	    routing_route(redrive->router, message, routed);
	int rc;

	if (outcome != ROUTE_OK)
		return outcome;
	rc = encoder_split(
	    &redrive->trial, &routed->record, &redrive->split, &routed->err);
	if (rc == SECOR_OK)
		rc =
		    encoder_try(&redrive->trial, &routed->record, &routed->err);
	return rc == SECOR_OK	   ? ROUTE_OK
	       : rc == SECOR_RETRY ? ROUTE_RETRY
				   : ROUTE_BAD;
}

static int
is_chosen(const struct planning *planning)
{
	const struct redrive *redrive = planning->redrive;
	int64_t offset = planning->letter.message.offset;

	if (planning->choice->only != NULL)
		return offset_set_has(planning->choice->only, offset);
	return offset >= redrive->from && offset <= redrive->to &&
	       (redrive->reason == NULL ||
		   regexec(&redrive->pattern, planning->letter.reason, 0, NULL,
		       0) == 0);
}

static int
take(struct planning *planning, struct secor_err *err)
{
	struct redrive_plan *plan = planning->plan;
	struct secor_message message = planning->letter.message;
	struct routed routed = {.err = {{0}}};

	plan->sums.letters++;
	if (offset_set_has(planning->choice->settled, message.offset)) {
		plan->sums.before++;
		return SECOR_OK;
	}
	if (!is_chosen(planning)) {
		plan->sums.left_out++;
		return SECOR_OK;
	}
	message.topic = planning->redrive->topic;
	switch (redrive_route(planning->redrive, &message, &routed)) {
	case ROUTE_OK:
		take_good(planning, &routed);
		break;
	case ROUTE_FILTERED:
		offset_runs_add(&plan->receipt.filtered, message.offset);
		plan->sums.filtered++;
		break;
	case ROUTE_BAD:
		take_bad(planning, routed.err.text);
		break;
	case ROUTE_RETRY:
		return secor_fail(err, SECOR_RETRY, "offset %" PRId64 ": %s",
		    message.offset, routed.err.text);
	}
	return SECOR_OK;
}

/* The line must be a dead letter of the batch, behind the one before. */
static int
check_line(const struct planning *planning, int parsed, struct secor_err *err)
{
	const struct redrive_source *source = planning->source;
	const struct secor_message *m = &planning->letter.message;

	if (parsed && strcmp(m->topic, planning->redrive->topic) == 0 &&
	    m->partition == source->partition && m->offset >= source->start &&
	    m->offset < source->end && m->offset > planning->behind)
		return SECOR_OK;
	return secor_fail(err, SECOR_REJECT,
	    "%s: the line at byte %" PRId64 " is not a dead letter of this "
	    "batch",
	    source->key, planning->at.at);
}

static int
take_lines(struct planning *planning, struct secor_err *err)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t got;
	int rc = SECOR_OK;

	while (rc == SECOR_OK &&
	       (got = getline(&line, &room, planning->plan->file)) > 0) {
		int whole = line[got - 1] == '\n';

		planning->at.len = (size_t)got - (whole ? 1 : 0);
		rc = check_line(planning,
		    whole && deadletter_parse(
				 &planning->letter, line, planning->at.len),
		    err);
		if (rc == SECOR_OK)
			rc = take(planning, err);
		planning->behind = planning->letter.message.offset;
		planning->at.at += got;
	}
	free(line);
	if (rc == SECOR_OK && ferror(planning->plan->file))
		rc = secor_fail(err, SECOR_RETRY, "read a temporary file: %s",
		    strerror(errno));
	return rc;
}

/* ---- the plan ---- */

static int
fetch(struct planning *planning, struct secor_err *err)
{
	const struct redrive *redrive = planning->redrive;
	const struct redrive_source *source = planning->source;
	struct records_file file;
	int rc = records_fetch(
	    redrive->store.ops, redrive->store.self, source->key, &file, err);

	if (rc == SECOR_REJECT) { /* a lifecycle rule, say */
		planning->plan->sums.gone = source->records;
		return SECOR_OK;
	}
	if (rc != SECOR_OK)
		return rc;
	planning->plan->file = file.file;
	if (file.length == source->bytes && file.crc32c == source->crc32c)
		return SECOR_OK;
	return secor_fail(err, SECOR_REJECT,
	    "%s: it is not what its manifest says (secor verify tells more)",
	    source->key);
}

int
redrive_plan_make(struct redrive *redrive, const struct redrive_source *source,
    const struct redrive_choice *choice, struct redrive_plan *plan,
    struct secor_err *err)
{
	struct planning planning = {.redrive = redrive,
	    .source = source,
	    .choice = choice,
	    .plan = plan,
	    .behind = -1};
	int rc;

	memset(plan, 0, sizeof(*plan));
	plan->receipt = (struct receipt){
	    .topic = mem_dup(redrive->topic, strlen(redrive->topic)),
	    .partition = source->partition,
	    .generation = source->generation,
	    .start = source->start,
	    .number = choice->number,
	    .source = mem_dup(source->key, strlen(source->key)),
	    .fingerprint = redrive->settings->fingerprint};
	rc = fetch(&planning, err);
	if (rc == SECOR_OK && plan->file != NULL)
		rc = take_lines(&planning, err);
	plan->receipt.plan = receipt_plan(&plan->receipt);
	guard_values_fini(&planning.values);
	deadletter_fini(&planning.letter);
	return rc;
}

void
redrive_plan_fini(struct redrive_plan *plan)
{
	for (size_t i = 0; i < plan->receipt.object_count; i++) {
		free(plan->targets[i].suffix);
		free(plan->targets[i].letters);
	}
	free(plan->targets);
	receipt_fini(&plan->receipt);
	if (plan->file != NULL)
		(void)fclose(plan->file);
	memset(plan, 0, sizeof(*plan));
}
