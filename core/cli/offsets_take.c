/*
 * offsets_take.c -- who commits for a partition: this command, while the group
 * has no member; else the process that owns it, asked over its control socket.
 */
#include "core/cli/offsets.h"

#include <stdio.h>
#include <string.h>

/* Why nobody here could be asked. */
static int
not_here(struct offsets *offsets, const struct halt_place *place,
    struct secor_err *err)
{
	struct group_member member = {.host = ""};
	const char *trouble = offsets->owners.trouble;
	int rc = group_owner(
	    &offsets->group, place->topic, place->partition, &member, err);

	if (rc != SECOR_OK)
		return rc;
	if (member.host[0] == '\0')
		return secor_fail(err, SECOR_FATAL,
		    "the group %s has members, but none of them owns "
		    "%s/%" PRId32
		    " now: a rebalance is going on (try again), or they run "
		    "with another configuration",
		    offsets->config->kafka.group, place->topic,
		    place->partition);
	return secor_fail(err, SECOR_FATAL,
	    "%s/%" PRId32 " belongs to a member of the group %s on host %s "
	    "(client.id %s), which was not found under %.200s%s%.300s: run "
	    "this "
	    "command there, as the user of that process, with --socket PATH "
	    "where its log says `control listens path=PATH`; or stop the "
	    "group. "
	    "A member that died is one until its session ends "
	    "(kafka.session_timeout): "
	    "then run it again",
	    place->topic, place->partition, offsets->config->kafka.group,
	    member.host, member.client, offsets->config->stage.dir,
	    trouble[0] == '\0' ? "" : " (", trouble);
}

int
offsets_take(struct offsets *offsets, const struct wish *wish,
    const struct halt_place *place, struct secor_err *err)
{
	int members = 0;
	int rc = SECOR_OK;

	if (wish->dry_run)
		return SECOR_OK;
	if (!offsets->asked) {
		rc = group_members(&offsets->group, &members, err);
		offsets->asked = rc == SECOR_OK;
		offsets->live = rc == SECOR_OK && members > 0;
		if (offsets->live)
			owners_find(
			    offsets->config, wish->socket, &offsets->owners);
	}
	if (rc != SECOR_OK || !offsets->live)
		return rc;
	rc = owners_take(&offsets->owners, place, offsets->g, err);
	return rc == SECOR_REJECT ? not_here(offsets, place, err) : rc;
}

/* ---- commits ---- */

static int
put_record(struct offsets *offsets, const struct halt_place *place,
    const struct record *record, struct secor_err *err)
{
	if (offsets->live)
		return owners_commit(&offsets->owners, place, record, err);
	return group_commit(
	    &offsets->group, place->topic, place->partition, record, err);
}

int
offsets_fence(struct offsets *offsets, const struct halt_place *place,
    const struct record *record, struct secor_err *err)
{
	struct record halt = *record;
	int rc;

	halt.kind = RECORD_HALT;
	halt.r = HALT_INTERRUPTED;
	rc = put_record(offsets, place, &halt, err);
	if (rc == SECOR_OK)
		offsets->fenced = *place;
	return rc;
}

int
offsets_commit(struct offsets *offsets, const struct halt_place *place,
    const struct record *record, struct secor_err *err)
{
	int rc = put_record(offsets, place, record, err);

	if (rc != SECOR_OK)
		return rc;
	offsets->fenced.topic = NULL;
	(void)printf("committed: %s/%" PRId32 " is clean at %" PRId64 "\n",
	    place->topic, place->partition, record->offset);
	return SECOR_OK;
}

void
offsets_say_fenced(const struct offsets *offsets)
{
	const struct halt_place *place = &offsets->fenced;
	struct buf remedy = {0};

	if (place->topic == NULL)
		return;
	halt_remedy(HALT_INTERRUPTED, place, &remedy);
	(void)fprintf(stderr,
	    "secor offsets: %s/%" PRId32 " is halted now (%s): %s\n",
	    place->topic, place->partition, halt_name(HALT_INTERRUPTED),
	    remedy.ptr);
	buf_fini(&remedy);
}
