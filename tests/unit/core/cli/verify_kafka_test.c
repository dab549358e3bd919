/*
 * verify_kafka_test.c -- what no object has is asked of the topic, and only
 * that.
 */
#include "tests/unit/helpers/memory_store.h"
#include "tests/unit/helpers/verify_tree.h"

#include <criterion/criterion.h>
#include <string.h>

/* A topic with these messages; what was read of it, as "[start,end)". */
struct topic {
	struct offset_set messages;
	int64_t low;
	struct buf asked;
};

static int
give_low(void *arg, const char *name, int32_t partition, int64_t *low,
    struct secor_err *err)
{
	const struct topic *topic = arg;

	(void)name;
	(void)partition;
	(void)err;
	*low = topic->low;
	return SECOR_OK;
}

static int
give_span(void *arg, const struct verify_span *span, verify_message_fn each,
    void *to, struct secor_err *err)
{
	struct topic *topic = arg;
	int64_t at = span->start;
	int rc = SECOR_OK;

	buf_printf(
	    &topic->asked, "[%" PRId64 ",%" PRId64 ")", span->start, span->end);
	while (rc == SECOR_OK) {
		at = offset_set_next(&topic->messages, at, span->end, 1);
		if (at == span->end)
			break;
		rc = each(to, at++, err);
	}
	return rc;
}

struct asking {
	struct verify_seen seen;
	struct topic topic;
	struct verify_log log;
	struct verify verify;
};

static void
begin(struct asking *a)
{
	memset(a, 0, sizeof(*a));
	verify_tree_begin(&a->seen);
	a->log = (struct verify_log){&a->topic, give_low, give_span};
	a->verify = verify_tree_of(&a->seen, 1);
	a->verify.log = &a->log;
	buf_puts(&a->topic.asked, "");
}

static void
end(struct asking *a)
{
	offset_set_fini(&a->topic.messages);
	buf_fini(&a->topic.asked);
	buf_fini(&a->seen.found);
	buf_fini(&a->seen.notes);
	memory_store_clear();
}

static void
messages(struct asking *a, int64_t from, int64_t until)
{
	for (int64_t i = from; i < until; i++)
		(void)offset_set_add(&a->topic.messages, i);
}

/* A batch of [30,40) as it was stored: `set` of its offsets, or none. */
static void
confirm(struct asking *a, const struct offset_set *set, uint64_t bad,
    uint64_t filtered)
{
	static char name[] = "t";
	struct verify_batch batch = {.complete = set != NULL};
	struct manifest m = {.topic = name, .start = 30, .end = 40};

	if (set != NULL)
		batch.offsets = *set;
	m.messages = 7 + bad + filtered;
	m.bad = bad;
	m.filtered = filtered;
	batch.manifest = &m;
	cr_assert_eq(
	    verify_confirm_batch(&a->verify, &batch, a->topic.low, NULL),
	    SECOR_OK);
}

Test(verify_kafka, batch_with_a_record_at_every_offset_is_not_asked_for)
{
	struct asking a;

	begin(&a);
	cr_assert_eq(verify_run(&a.verify, NULL), SECOR_OK);
	cr_assert_str_eq(a.seen.found.ptr, "");
	cr_assert_str_eq(a.topic.asked.ptr, "");
	end(&a);
}

Test(verify_kafka, offsets_without_a_message_are_confirmed)
{
	struct asking a;
	struct offset_set set = {0};

	begin(&a);
	for (int64_t i = 30; i < 40; i++)
		if (i != 32 && i != 33 && i != 37)
			(void)offset_set_add(&set, i);
	messages(&a, 30, 32);
	messages(&a, 34, 37);
	messages(&a, 38, 40);
	confirm(&a, &set, 0, 0);
	cr_assert_str_eq(a.topic.asked.ptr, "[32,38)");
	cr_assert_str_eq(a.seen.found.ptr, "");
	cr_assert_eq(a.verify.totals.confirmed, 3);
	confirm(&a, NULL, 0, 0); /* by number */
	cr_assert_str_eq(a.topic.asked.ptr, "[32,38)[30,40)");
	cr_assert_str_eq(a.seen.found.ptr, "");
	cr_assert_eq(a.verify.totals.confirmed, 6);
	offset_set_fini(&set);
	end(&a);
}

Test(verify_kafka, message_that_no_object_has_is_found)
{
	struct asking a;
	struct offset_set set = {0};

	begin(&a);
	for (int64_t i = 30; i < 37; i++)
		(void)offset_set_add(&set, i);
	messages(&a, 30, 39);
	confirm(&a, &set, 0, 0);
	cr_assert_str_eq(a.seen.found.ptr, "unstored t/0 [37,40) -;");
	confirm(&a, NULL, 0, 0);
	cr_assert_str_eq(
	    a.seen.found.ptr, "unstored t/0 [37,40) -;unstored t/0 [30,40) -;");
	offset_set_fini(&set);
	end(&a);
}

Test(verify_kafka, filtered_and_skipped_messages_are_counted_off)
{
	struct asking a;
	struct offset_set set = {0};

	begin(&a);
	for (int64_t i = 30; i < 37; i++)
		(void)offset_set_add(&set, i);
	messages(&a, 30, 39);
	confirm(&a, &set, 1, 1); /* 37 and 38 */
	confirm(&a, NULL, 1, 1);
	cr_assert_str_eq(a.seen.found.ptr, "");
	confirm(&a, &set, 1, 0); /* one is too many */
	cr_assert_str_eq(a.seen.found.ptr, "unstored t/0 [37,40) -;");
	offset_set_fini(&set);
	end(&a);
}

Test(verify_kafka, messages_that_vanished_are_a_note_of_a_compacted_topic)
{
	struct asking a;

	begin(&a);
	messages(&a, 30, 35);
	confirm(&a, NULL, 0, 0);
	cr_assert_str_eq(a.seen.found.ptr, "vanished t/0 [30,40) -;");
	verify_tree_config.kafka.compacted = CONFIG_COMPACTED_ALLOW;
	confirm(&a, NULL, 0, 0);
	cr_assert_str_eq(a.seen.found.ptr, "vanished t/0 [30,40) -;");
	cr_assert_str_eq(a.seen.notes.ptr, "vanished;");
	end(&a);
}

Test(verify_kafka, what_kafka_no_longer_has_is_counted_not_asked)
{
	struct asking a;
	struct verify_span span = {"t", 0, 50, 60};

	begin(&a);
	a.topic.low = 31;
	confirm(&a, NULL, 0, 0);
	cr_assert_eq(a.verify.totals.gone, 3);
	cr_assert_eq(verify_confirm_span(&a.verify, &span, 54, NULL), SECOR_OK);
	cr_assert_eq(a.verify.totals.gone, 7);
	cr_assert_eq(a.verify.totals.confirmed, 6);
	cr_assert_eq(verify_confirm_span(&a.verify, &span, 70, NULL), SECOR_OK);
	cr_assert_eq(a.verify.totals.gone, 17);
	cr_assert_str_eq(a.topic.asked.ptr, "[54,60)");
	cr_assert_str_eq(a.seen.found.ptr, "");
	end(&a);
}

Test(verify_kafka, offsets_that_the_chain_passes_over_are_asked_for)
{
	struct asking a;

	begin(&a);
	a.seen.record.m = verify_tree_batch(35, 40, a.seen.record.m);
	a.seen.record.offset = 42;
	messages(&a, 41, 42);
	cr_assert_eq(verify_run(&a.verify, NULL), SECOR_OK);
	cr_assert_str_eq(a.topic.asked.ptr, "[30,35)[40,42)");
	cr_assert_str_eq(a.seen.found.ptr, "unstored t/0 [41,42) -;");
	cr_assert_eq(a.verify.totals.confirmed, 6);
	end(&a);
}
