/*
 * halt.c -- a partition that cannot go on without a person stops, and says what
 * happened, which command goes on, and what that costs. Thread: consumer.
 */
#include "core/base/log.h"
#include "core/flow/flow.h"

#include <stdarg.h>
#include <string.h>

static const char *const remedies[HALT_COUNT] = {
    [HALT_FOREIGN] =
	"stop the group and run 'secor offsets adopt' (messages that were "
	"stored before may come again, or a part may be skipped: it says "
	"which)",
    [HALT_LOST] =
	"stop the group and run 'secor offsets adopt --from-manifests', or "
	"raise layout.generation for a topic that was created again",
    [HALT_GONE] =
	"raise layout.generation when the topic was created again; else run "
	"'secor offsets adopt --from-manifests'",
    [HALT_OLDER] =
	"stop the group and run 'secor offsets adopt --from-manifests'",
    [HALT_TRUNCATED] =
	"wait when a broker is being repaired; when the topic was created "
	"again, raise layout.generation",
    [HALT_DATA_LOSS] =
	"run 'secor offsets adopt' to go on at the log's start: what is "
	"between is lost",
    [HALT_PLAN_UNREADABLE] =
	"run 'secor offsets resolve': it shows what is stored and the choices",
    [HALT_PLAN_DIFFERS] =
	"run 'secor offsets resolve': it shows what is stored and the choices",
    [HALT_FINGERPRINT] =
	"start once with 'secor run NEW --finish-plans-with OLD', or go back "
	"to the old configuration until the plan is done",
    [HALT_BAD_MESSAGES] =
	"mend parser or bad_messages.halt_above, then run 'secor offsets "
	"adopt --current': nothing is lost or doubled",
    [HALT_BAD_MESSAGE] =
	"mend the parser or set bad_messages.action to dead_letter, then run "
	"'secor offsets adopt --current': nothing is lost or doubled",
    [HALT_COMPACTED] =
	"set kafka.compacted to allow when a replay may differ, or leave the "
	"topic out",
    [HALT_COMMIT] =
	"let the group commit (Kafka ACL Read on the group and the topic), "
	"then start again",
    [HALT_STORE_LIST] =
	"let the service list the store, or start once with 'secor run "
	"--assume-new' when this partition has never been stored",
    [HALT_OTHER_GROUP] =
	"this group belongs to another cluster, bucket, prefix or a newer "
	"generation: use an own kafka.group, or 'secor offsets adopt'",
};

const char *
halt_remedy(enum halt reason)
{
	const char *remedy =
	    (unsigned)reason < HALT_COUNT ? remedies[reason] : NULL;

	return remedy != NULL ? remedy : "run 'secor offsets show'";
}

/* Whether the next owner would not see it from the record by itself. */
static int
must_be_committed(const struct part *part, enum halt reason)
{
	if (part->record.kind != RECORD_CLEAN)
		return 0; /* a plan must stay */
	return reason == HALT_BAD_MESSAGES || reason == HALT_BAD_MESSAGE ||
	       reason == HALT_DATA_LOSS || reason == HALT_OLDER ||
	       reason == HALT_GONE;
}

void
halt(struct part *part, enum halt reason, const char *fmt, ...)
{
	char quoted[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(part->halt_text, sizeof(part->halt_text), fmt, ap);
	va_end(ap);
	log_line(SECOR_ERROR, "partition halted",
	    "topic=%s partition=%d offset=%lld reason=%s what=%s", part->topic,
	    part->partition, (long long)part->record.offset, halt_name(reason),
	    log_quote(quoted, sizeof(quoted), part->halt_text));
	log_line(SECOR_ERROR, "partition halted: remedy",
	    "topic=%s partition=%d remedy=%s", part->topic, part->partition,
	    log_quote(quoted, sizeof(quoted), halt_remedy(reason)));
	part_drop_batches(part);
	pause_set(part, PAUSE_HALT);
	part->halt = reason;
	part->state = PART_HALTED;
	if (!must_be_committed(part, reason))
		return;
	part->want = part->record;
	part->want.kind = RECORD_HALT;
	part->want.r = reason;
	part->want_commit = 1; /* advance() or the next tick sends it */
}
