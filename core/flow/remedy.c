/*
 * remedy.c -- see remedy.h. '@' stands for the three words FILE TOPIC
 * PARTITION, '%' for FILE alone.
 */
#include "core/flow/remedy.h"

static const char *const remedies[HALT_COUNT] = {
    [HALT_FOREIGN] =
	"'secor offsets adopt @ --from-manifests' goes on "
	"behind the last stored batch (nothing skipped, nothing doubled), or "
	"'--current' believes that offset and says what it skips or doubles",
    [HALT_LOST] =
	"'secor offsets adopt @ --from-manifests' goes on "
	"behind the last stored batch (nothing skipped, nothing doubled); for "
	"a topic that was created again raise layout.generation instead",
    [HALT_GONE] =
	"'secor offsets adopt @ --from-manifests' goes on "
	"behind the last stored batch (nothing skipped, nothing doubled); for "
	"a topic that was created again raise layout.generation, then 'secor "
	"offsets adopt @ --offset 0'",
    [HALT_OLDER] =
	"'secor offsets adopt @ --from-manifests' goes on "
	"behind the last stored batch (nothing skipped, nothing doubled)",
    [HALT_TRUNCATED] =
	"wait while a broker is being repaired, then start again; for a topic "
	"that was created again stop the group, raise layout.generation, then "
	"'secor offsets adopt @ --offset 0'",
    [HALT_DATA_LOSS] =
	"take the log's start from 'secor offsets show %', "
	"then 'secor offsets adopt @ --offset START' (what lies before it is "
	"lost and recorded as a gap)",
    [HALT_PLAN_UNREADABLE] = "'secor offsets resolve @' shows what is stored "
			     "and what each way on costs",
    [HALT_PLAN_DIFFERS] = "'secor offsets resolve @' shows what is stored "
			  "and what each way on costs",
    [HALT_FINGERPRINT] =
	"start once with 'secor run --finish-plans-with OLD %', OLD being the "
	"configuration of before, or start with OLD until the plan is done "
	"(nothing skipped, nothing doubled)",
    [HALT_BAD_MESSAGES] =
	"mend the parser ('secor try %') or raise bad_messages.halt_above, "
	"start again, then 'secor offsets adopt @ --current' (nothing "
	"skipped, nothing doubled)",
    [HALT_BAD_MESSAGE] =
	"mend the parser ('secor try %') or set bad_messages.action to "
	"dead_letter, start again, then 'secor offsets adopt @ --current' "
	"(nothing skipped, nothing doubled)",
    [HALT_COMPACTED] =
	"set kafka.compacted to allow where a replay may find other messages, "
	"or leave the topic out, and start again",
    [HALT_COMMIT] =
	"let the group commit (ACL Read on the group and on the topic), then "
	"start again (nothing skipped, nothing doubled)",
    [HALT_STORE_LIST] =
	"let the service list the store, or, when this partition was never "
	"stored, start once with 'secor run --assume-new %' (doubled if it "
	"was)",
    [HALT_OTHER_GROUP] =
	"give this cluster, bucket and prefix a kafka.group of its own, or go "
	"back to the generation of before; when the record is meant, "
	"'secor offsets adopt @ --current'",
    [HALT_INTERRUPTED] =
	"run the command of 'secor offsets' that was interrupted again; where "
	"it was a 'resolve', 'secor offsets adopt @ "
	"--from-manifests' goes on behind the last manifest (nothing skipped "
	"that a gap manifest does not name, nothing doubled)",
    [HALT_LOG_CUT] =
	"stop the group, raise layout.generation, then 'secor offsets adopt @ "
	"--offset N', N being where the log was cut (what Kafka lost from "
	"there on stays stored under the old generation)",
};

void
halt_remedy(enum halt reason, const struct halt_place *place, struct buf *out)
{
	const char *text =
	    (unsigned)reason < HALT_COUNT ? remedies[reason] : NULL;

	if (text == NULL)
		text = "see 'secor offsets show %'";
	for (; *text != '\0'; text++) {
		if (*text == '@' || *text == '%')
			buf_puts(out, place->file);
		else
			buf_putc(out, *text);
		if (*text == '@')
			buf_printf(
			    out, " %s %d", place->topic, (int)place->partition);
	}
}
