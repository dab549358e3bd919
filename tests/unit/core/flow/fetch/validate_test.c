/* validate.c: leaders of a later epoch, with the log that was read and with
 * another one. */
#include "core/base/metrics.h"
#include "tests/unit/core/flow/fetch/fake_link.h"

enum { OLD = 3, NEW = 5, READ = 10, CUT = 7, MORE = 20 };

static const struct part_answer LONG = {0, -1, MORE};

/* Ten messages of the old epoch, then ten of the new one; when the new one is
 * asked for from CUT on, it has them from there. */
static int
answer_two_epochs(const struct asked_one *asked, struct buf *body)
{
	struct buf records = {0};

	if (asked->offset == 0)
		put_batch_of(&records, OLD, 0, READ, -1);
	else if (asked->offset < MORE)
		put_batch_of(&records, NEW, asked->offset,
		    (int)(MORE - asked->offset), -1);
	put_answer(body, asked, &LONG, asked->offset < MORE ? &records : NULL);
	buf_fini(&records);
	return SECOR_OK;
}

/* That the log has; -1: the one that is asked for. */
static int32_t latest_epoch = -1;

static void
put_end(struct buf *body, const struct asked_epoch *asked, int16_t error,
    int64_t end)
{
	wire_put_int32(body, 0);
	wire_put_int32(body, 1);
	wire_put_string(body, RIG_TOPIC);
	wire_put_int32(body, 1);
	wire_put_int16(body, error);
	wire_put_int32(body, asked->partition);
	wire_put_int32(body, latest_epoch < 0 ? asked->epoch : latest_epoch);
	wire_put_int64(body, end);
}

static void
expect_messages(struct rig *rig, int64_t from, int64_t until)
{
	for (int64_t offset = from; offset < until; offset++)
		expect_message(rig, offset);
}

static void
expect_end(struct rig *rig, int64_t offset)
{
	struct fetched fetched;

	cr_assert_eq(rig_next(rig, &fetched), FETCHED_END);
	cr_expect_eq(fetched.offset, offset);
}

static void
expect_cut(struct rig *rig)
{
	struct fetched fetched;

	cr_assert_eq(rig_next(rig, &fetched), FETCHED_CUT);
	cr_expect_eq(fetched.owner, &rig->heard[0]);
	cr_expect_eq(fetched.offset, CUT);
}

/* All of both epochs is given. */
static void
expect_both(void (*epochs)(const struct asked_epoch *asked, struct buf *body))
{
	struct rig rig;

	script.epochs = epochs;
	begin(&rig, answer_two_epochs, 0);
	expect_messages(&rig, 0, MORE);
	expect_end(&rig, MORE);
	rig_close(&rig);
}

/* ---- what it says ---- */

static void
end_where_it_was_read(const struct asked_epoch *asked, struct buf *body)
{
	cr_expect_eq(asked->epoch, OLD);
	cr_expect_eq(asked->count, 1);
	put_end(body, asked, 0, READ);
}

Test(validate, later_epoch_behind_what_was_read_goes_on)
{
	expect_both(end_where_it_was_read);
	cr_expect_eq(script.validations, 1);
}

static void
end_below(const struct asked_epoch *asked, struct buf *body)
{
	put_end(body, asked, 0, CUT);
}

Test(validate, log_that_was_cut_is_said_and_nothing_of_it_given)
{
	struct rig rig;

	script.epochs = end_below;
	begin(&rig, answer_two_epochs, 0);
	expect_messages(&rig, 0, READ);
	expect_cut(&rig);
	/* whoever goes back behind it reads what is there now */
	fetch_start(rig.heard[0].part, CUT);
	expect_messages(&rig, CUT, MORE);
	expect_end(&rig, MORE);
	rig_close(&rig);
	cr_expect_eq(script.validations, 2);
}

Test(validate, cut_below_where_it_starts_again_is_said)
{
	struct rig rig;

	script.epochs = end_below;
	begin(&rig, answer_two_epochs, 0);
	expect_messages(&rig, 0, READ);
	fetch_stop(rig.heard[0].part);
	fetch_start(rig.heard[0].part, CUT + 1);
	expect_cut(&rig);
	rig_close(&rig);
}

/* Ten messages of the old epoch, ten of the new one, then a leader of a third,
 * which has READ + 5 messages of the old one and none of the new. */
static int
answer_three_epochs(const struct asked_one *asked, struct buf *body)
{
	struct buf records = {0};

	if (asked->offset < MORE)
		return answer_two_epochs(asked, body);
	put_batch_of(&records, NEW + 1, asked->offset, 1, -1);
	put_answer(body, asked, &LONG, &records);
	buf_fini(&records);
	return SECOR_OK;
}

static void
end_of_two_elections(const struct asked_epoch *asked, struct buf *body)
{
	latest_epoch = OLD;
	put_end(body, asked, 0, asked->epoch == OLD ? READ : READ + 5);
}

/* What is between is of the old epoch there, of the new one here. */
Test(validate, log_that_was_cut_twice_parts_where_our_epoch_began)
{
	struct fetched fetched;
	struct rig rig;

	script.epochs = end_of_two_elections;
	begin(&rig, answer_three_epochs, 0);
	expect_messages(&rig, 0, MORE);
	cr_assert_eq(rig_next(&rig, &fetched), FETCHED_CUT);
	cr_expect_eq(fetched.offset, READ);
	rig_close(&rig);
}

static void
end_of_another_epoch(const struct asked_epoch *asked, struct buf *body)
{
	latest_epoch = OLD - 1;
	put_end(body, asked, 0, asked->epoch == OLD ? READ : MORE);
}

/* All of it was compacted away before the leader copied the log. */
Test(validate, log_without_our_epoch_that_ends_behind_us_is_not_cut)
{
	expect_both(end_of_another_epoch);
	cr_expect_eq(script.validations, 1);
}

/* ---- when it is not asked ---- */

/* They stored the later ones up to there. */
Test(validate, start_behind_other_owners_is_believed)
{
	struct rig rig;

	script.epochs = end_below;
	begin(&rig, answer_two_epochs, 0);
	expect_messages(&rig, 0, READ);
	fetch_stop(rig.heard[0].part);
	fetch_recall(rig.heard[0].part, CUT + 1, -1);
	fetch_start(rig.heard[0].part, CUT + 1);
	expect_messages(&rig, CUT + 1, MORE);
	rig_close(&rig);
}

/* As who starts behind their record. */
Test(validate, start_where_others_ended_is_held_against_their_epoch)
{
	struct rig rig;

	script.epochs = end_below;
	script.answer = answer_two_epochs;
	rig_open(&rig, 1, "r");
	fetch_recall(rig.heard[0].part, READ, OLD);
	fetch_start(rig.heard[0].part, READ);
	expect_cut(&rig);
	rig_close(&rig);
	cr_expect_eq(script.validations, 1);
}

/* What is read ahead of a record is of no earlier epoch. */
Test(validate, epoch_of_what_was_read_is_told_as_far_as_it_was)
{
	struct rig rig;
	struct fetch_part *part;

	script.epochs = end_where_it_was_read;
	begin(&rig, answer_two_epochs, 0);
	part = rig.heard[0].part;
	cr_expect_eq(fetch_epoch(part, 1), -1);
	expect_messages(&rig, 0, READ);
	cr_expect_geq(fetch_epoch(part, READ), OLD);
	expect_messages(&rig, READ, MORE);
	cr_expect_eq(fetch_epoch(part, READ), NEW);
	cr_expect_eq(fetch_epoch(part, MORE), NEW);
	cr_expect_eq(fetch_epoch(part, MORE + 1), -1);
	rig_close(&rig);
}

/* The later ones come to whoever asks behind what was read alone. */
static int
answer_others(const struct asked_one *asked, struct buf *body)
{
	if (asked->offset != READ)
		return answer_two_epochs(asked, body);
	put_answer(body, asked, &LONG, NULL);
	return SECOR_OK;
}

/* Other owners have read on in between. */
Test(validate, start_behind_what_was_read_is_believed)
{
	struct rig rig;

	script.epochs = end_below;
	begin(&rig, answer_others, 0);
	expect_messages(&rig, 0, READ);
	fetch_start(rig.heard[0].part, READ + 5);
	expect_messages(&rig, READ + 5, MORE);
	rig_close(&rig);
	cr_expect_eq(script.validations, 0);
}

Test(validate, broker_that_does_not_know_the_request_is_believed)
{
	expect_both(NULL);
}

/* ---- when it is not known ---- */

static void
end_not_known(const struct asked_epoch *asked, struct buf *body)
{
	put_end(body, asked, 0, -1);
}

Test(validate, end_that_is_not_known_is_believed)
{
	expect_both(end_not_known);
}

static void
end_not_allowed(const struct asked_epoch *asked, struct buf *body)
{
	put_end(body, asked, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, -1);
}

Test(validate, refusal_is_counted_and_believed)
{
	const struct metric *refusals;

	expect_both(end_not_allowed);
	refusals = metric_counter("secor_fetch_errors_total", "help",
	    METRIC_LABELS("error", "TOPIC_AUTHORIZATION_FAILED"));
	cr_expect_eq(metric_get(refusals), 1);
}

/* Another leads, then nothing is said of the partition, then no answer at all,
 * then it is known. */
static void
end_at_last(const struct asked_epoch *asked, struct buf *body)
{
	if (asked->requests == 1) {
		put_end(body, asked, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
		    -1);
	} else if (asked->requests == 2) {
		wire_put_int32(body, 0);
		wire_put_int32(body, 0);
	} else if (asked->requests == 3) {
		buf_puts(body, "this is not an answer");
	} else {
		put_end(body, asked, 0, READ);
	}
}

Test(validate, what_may_pass_is_asked_again_and_nothing_given_before)
{
	struct rig rig;

	script.epochs = end_at_last;
	begin(&rig, answer_two_epochs, 0);
	expect_messages(&rig, 0, READ);
	expect_message(&rig, READ);
	cr_expect_eq(script.validations, 4);
	expect_messages(&rig, READ + 1, MORE);
	rig_close(&rig);
}

/* More often than it is borne in silence. */
static void
end_never(const struct asked_epoch *asked, struct buf *body)
{
	if (asked->requests <= 5)
		put_end(body, asked, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
		    -1);
	else
		put_end(body, asked, 0, READ);
}

Test(validate, broker_that_never_says_is_named_and_waited_for, .timeout = 60)
{
	struct rig rig;

	script.epochs = end_never;
	begin(&rig, answer_two_epochs, 0);
	expect_messages(&rig, 0, READ);
	expect_error(&rig, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, READ,
	    "OffsetForLeaderEpoch");
	expect_messages(&rig, READ, MORE);
	rig_close(&rig);
}

/* ---- out of range ---- */

/* The log ends at SHORT, below what was read: nothing is there. */
enum { SHORT = 8 };

static const struct part_answer BEYOND = {
    RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE, -1, SHORT};

static int
answer_beyond(const struct asked_one *asked, struct buf *body)
{
	if (asked->offset == 0)
		return answer_two_epochs(asked, body);
	put_answer(body, asked, &BEYOND, NULL);
	return SECOR_OK;
}

/* What is heard behind all that was read. */
static void
expect_beyond(void (*epochs)(const struct asked_epoch *asked, struct buf *body),
    void (*expect)(struct rig *rig))
{
	struct rig rig;

	script.epochs = epochs;
	begin(&rig, answer_beyond, 0);
	expect_messages(&rig, 0, READ);
	expect(&rig);
	rig_close(&rig);
}

static void
expect_out_of_range(struct rig *rig)
{
	expect_error(rig, RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE, READ, "");
}

Test(validate, log_that_was_cut_and_is_short_is_said)
{
	expect_beyond(end_below, expect_cut);
}

/* As behind retention: the log begins where the epoch ends. */
Test(validate, out_of_range_of_a_log_that_was_not_cut_is_that)
{
	expect_beyond(end_where_it_was_read, expect_out_of_range);
	cr_expect_eq(script.validations, 1);
}

Test(validate, out_of_range_where_it_is_not_known_is_that)
{
	expect_beyond(end_not_known, expect_out_of_range);
}

Test(validate, out_of_range_where_it_is_refused_is_that)
{
	expect_beyond(end_not_allowed, expect_out_of_range);
}

static void
cut_at_last(const struct asked_epoch *asked, struct buf *body)
{
	if (asked->requests == 1)
		put_end(body, asked, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
		    -1);
	else
		put_end(body, asked, 0, CUT);
}

Test(validate, out_of_range_is_not_said_before_it_is_known)
{
	expect_beyond(cut_at_last, expect_cut);
	cr_expect_eq(script.validations, 2);
}

Test(validate, out_of_range_where_nothing_was_read_is_not_asked_about)
{
	struct rig rig;

	script.epochs = end_below;
	begin(&rig, answer_beyond, READ);
	expect_out_of_range(&rig);
	rig_close(&rig);
	cr_expect_eq(script.validations, 0);
}

/* ---- replicas ---- */

/* The leader names broker 2 as long as it is asked with a rack. */
static int
answer_replica(const struct asked_one *asked, struct buf *body)
{
	static const struct part_answer elsewhere = {0, 2, MORE};

	if (asked->rack[0] == '\0' || asked->port != script.first_port)
		return answer_two_epochs(asked, body);
	put_answer(body, asked, &elsewhere, NULL);
	return SECOR_OK;
}

static void
end_of_leader(const struct asked_epoch *asked, struct buf *body)
{
	if (asked->port != script.first_port)
		put_end(body, asked, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
		    -1);
	else
		put_end(body, asked, 0, CUT);
}

/* Replicas do not answer this. */
Test(validate, of_a_replica_the_leader_is_asked)
{
	struct rig rig;

	script.answer = answer_replica;
	script.epochs = end_of_leader;
	rig_open(&rig, 2, "r");
	fetch_start(rig.heard[0].part, 0);
	expect_messages(&rig, 0, READ);
	expect_cut(&rig);
	rig_close(&rig);
}
