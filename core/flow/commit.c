/*
 * commit.c -- commits of records, and the one table of their answers. Thread:
 * consumer.
 *
 * Invariant: one commit of a partition is out at a time; it is repeated word
 * for word until it is answered for good, or the ownership ends. An answer is
 * matched by partition and ownership epoch before anything is made of it.
 */
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/flow/flow.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Answers have a queue of their own, which wakes the loop: a callback on the
 * consumer queue could only do so by rd_kafka_yield(), see on_rebalance. */
static void
take_answers(struct engine *engine)
{
	rd_kafka_event_t *event;

	while ((event = rd_kafka_queue_poll(engine->commit_queue, 0)) != NULL) {
		struct commit_answer *answer = rd_kafka_event_opaque(event);
		const rd_kafka_topic_partition_list_t *list;

		if (rd_kafka_event_type(event) ==
			RD_KAFKA_EVENT_OFFSET_COMMIT &&
		    answer != NULL) {
			answer->err = rd_kafka_event_error(event);
			list = rd_kafka_event_topic_partition_list(event);
			if (list != NULL && list->cnt == 1 &&
			    list->elems[0].err != RD_KAFKA_RESP_ERR_NO_ERROR)
				answer->err = list->elems[0].err;
			*engine->commit_answers_last = answer;
			engine->commit_answers_last = &answer->next;
			engine->commits_out--;
		}
		rd_kafka_event_destroy(event);
	}
}

/* An assignment begins only while no commit is out: see assign.c. What opening
 * commits is sent before it, once a partition: a new one's place is known
 * before it is read. All else waits. The clock of its answer has not begun. */
static int
keep_back(struct part *part)
{
	struct engine *engine = part->engine;

	part->kept_back =
	    engine->phase < PHASE_STOPPING &&
	    (engine->whole_wanted ||
		(engine->assigning != NULL &&
		    (engine->opening == 0 || part->commit_tries > 0)));
	if (!part->kept_back)
		return 0;
	part->commit_again_boot_ms = clock_boot_ms();
	if (part->commit_tries == 0)
		part->commit_first_boot_ms = part->commit_again_boot_ms;
	return 1;
}

/* Kafka refuses a commit of a generation that is over, but librdkafka stamps it
 * with that of the moment: with the next one when topics come or grow while it
 * waits for us, before it tells of that; with -1, which a group that is empty
 * takes from anybody, between a loss and the revoke that tells of it. */
static int
is_member(const struct engine *engine)
{
	return !rd_kafka_assignment_lost(engine->rk) &&
	       client_membership(engine->rk) == engine->membership;
}

static void
commit_send(struct part *part)
{
	rd_kafka_topic_partition_list_t *list;
	rd_kafka_topic_partition_t *tp;
	struct commit_answer *answer;
	char text[RECORD_TEXT_MAX];
	rd_kafka_resp_err_t err;

	if (keep_back(part))
		return;
	list = rd_kafka_topic_partition_list_new(1);
	tp = rd_kafka_topic_partition_list_add(
	    list, part->topic, part->partition);
	answer = mem_alloc(sizeof(*answer));
	tp->offset = part->sent.offset;
	tp->metadata_size = record_write(&part->sent, text);
	tp->metadata = malloc(tp->metadata_size); /* librdkafka frees it */
	if (tp->metadata == NULL)
		abort();
	memcpy(tp->metadata, text, tp->metadata_size);
	client_set_epoch(tp, reading_epoch(part, tp->offset));
	answer->part = part;
	answer->epoch = part->epoch;
	part->commit_awake_ms = part->engine->awake_ms;
	part->commit_again_boot_ms = 0;
	if (!is_member(part->engine))
		err = RD_KAFKA_RESP_ERR__ASSIGNMENT_LOST;
	else
		err = rd_kafka_commit_queue(part->engine->rk, list,
		    part->engine->commit_queue, NULL, answer);
	rd_kafka_topic_partition_list_destroy(list);
	if (err != RD_KAFKA_RESP_ERR_NO_ERROR) {
		answer->err = err;
		*part->engine->commit_answers_last = answer;
		part->engine->commit_answers_last = &answer->next;
	} else {
		part->engine->commits_out++;
	}
}

void
commit_kept_back(struct part *part)
{
	if (part->kept_back && part->committing)
		commit_send(part);
}

void
commit_submit(struct part *part, const struct record *record)
{
	assert(!part->committing && part->state != PART_AWAY);
	part->sent = *record;
	part->committing = 1;
	part->commit_tries = 0;
	part->commit_first_boot_ms = clock_boot_ms();
	commit_send(part);
}

void
commit_want(struct part *part, const struct record *record)
{
	part->want = *record;
	part->want_commit = 1;
	advance(part);
}

/* ---- answers ---- */

static void
acknowledged(struct part *part, int64_t took_ms)
{
	struct record before = part->record;

	part->engine->brokers_down = 0;
	part->committing = 0;
	if (part->commit_tries > 0)
		log_line(SECOR_INFO, "commit goes on",
		    "topic=%s partition=%d offset=%lld tries=%d ms=%lld",
		    part->topic, part->partition, (long long)part->sent.offset,
		    part->commit_tries + 1, (long long)took_ms);
	if (before.kind != RECORD_MISSING) {
		memmove(&part->earlier[1], &part->earlier[0],
		    3 * sizeof(part->earlier[0]));
		part->earlier[0] = before;
	}
	part->record = part->sent;
	log_line(SECOR_DEBUG, "commit acknowledged",
	    "topic=%s partition=%d offset=%lld kind=%d ms=%lld", part->topic,
	    part->partition, (long long)part->record.offset, part->record.kind,
	    (long long)took_ms);
	if (part->record.kind == RECORD_HALT)
		return;
	if (took_ms > COMMIT_PATIENCE_MS) {
		/* an older copy may still travel: a new generation fences it */
		rejoin(part->engine, "a commit took longer than 30 s");
		return;
	}
	advance_committed(part);
}

static void
repeat_later(struct part *part, rd_kafka_resp_err_t err, int64_t took_ms)
{
	int64_t wait = INT64_C(100)
		       << (part->commit_tries < 5 ? part->commit_tries : 5);

	if (took_ms > COMMIT_PATIENCE_MS) {
		rejoin(part->engine, "a commit was not answered for 30 s");
		return;
	}
	if (part->commit_tries++ == 0)
		log_line(SECOR_WARN, "commit waits",
		    "topic=%s partition=%d offset=%lld answer=%s next=retry",
		    part->topic, part->partition, (long long)part->sent.offset,
		    rd_kafka_err2name(err));
	part->commit_again_boot_ms =
	    clock_boot_ms() + (wait > 2000 ? 2000 : wait);
}

/* Not the owner any more. The revoke that follows tidies up. */
static void
lost(struct part *part, const char *name)
{
	log_line(SECOR_WARN, "partition lost",
	    "topic=%s partition=%d answer=%s", part->topic, part->partition,
	    name);
	part_new_epoch(part);
	part_drop_batches(part);
	part->state = PART_AWAY;
}

static void
judge(struct part *part, rd_kafka_resp_err_t err)
{
	int64_t took_ms = clock_boot_ms() - part->commit_first_boot_ms;

	switch (err) {
	case RD_KAFKA_RESP_ERR_NO_ERROR:
		acknowledged(part, took_ms);
		return;
	case RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID:
	case RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION:
	case RD_KAFKA_RESP_ERR__ASSIGNMENT_LOST:
		lost(part, rd_kafka_err2name(err));
		return;
	case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
		/* where it has no instance id, no revoke follows by itself */
		lost(part, rd_kafka_err2name(err));
		if (part->engine->config->kafka.instance_id != NULL)
			engine_fenced(part->engine);
		else
			rejoin(part->engine, "the instance is fenced");
		return;
	case RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE:
	case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
		part->committing = 0;
		halt(part, HALT_COMMIT, "the broker refused the commit: %s",
		    rd_kafka_err2str(err));
		return;
	case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
		if (took_ms < 5000) { /* also said while leaders move */
			repeat_later(part, err, took_ms);
			return;
		}
		part->committing = 0;
		halt(part, HALT_COMMIT,
		    "the broker refused the commit: the topic does not exist");
		return;
	default: /* not a definite no: the very same again */
		repeat_later(part, err, took_ms);
		return;
	}
}

void
commit_serve(struct engine *engine)
{
	take_answers(engine);
	while (engine->commit_answers != NULL) {
		struct commit_answer *answer = engine->commit_answers;
		struct part *part = answer->part;

		engine->commit_answers = answer->next;
		if (engine->commit_answers == NULL)
			engine->commit_answers_last = &engine->commit_answers;
		count_commit(rd_kafka_err2name(answer->err));
		if (answer->epoch == part->epoch && part->committing)
			judge(part, answer->err);
		else
			log_line(SECOR_INFO, "late commit answer",
			    "topic=%s partition=%d answer=%s", part->topic,
			    part->partition, rd_kafka_err2name(answer->err));
		free(answer);
	}
}

/* ---- silence ---- */

/* Nothing at all for a minute in which the loop ran, so an answer that came
 * meanwhile was heard. With all brokers down the clock stands still, else only
 * a crash helps. */
static int
silent(const struct part *part)
{
	return part->committing && part->commit_again_boot_ms == 0 &&
	       part->engine->awake_ms - part->commit_awake_ms >
		   COMMIT_SILENCE_MS;
}

static void
ping(struct engine *engine)
{
	struct inquiry *inquiry;

	if (engine->pinging)
		return;
	inquiry = mem_alloc(sizeof(*inquiry));
	inquiry->kind = INQUIRY_PING;
	engine->pinging = 1;
	inquire(engine->inquirer, inquiry);
}

void
commit_tick(struct part *part, int64_t boot_ms)
{
	if (!part->committing)
		return;
	if (part->commit_again_boot_ms != 0) {
		if (part->commit_again_boot_ms <= boot_ms)
			commit_send(part);
		return;
	}
	if (silent(part))
		ping(part->engine);
}

void
commit_pinged(struct engine *engine, int reachable)
{
	engine->pinging = 0;
	for (size_t i = 0; i < 1024; i++)
		for (struct part *p = engine->parts.buckets[i]; p != NULL;
		     p = p->chained) {
			if (!silent(p))
				continue;
			if (reachable)
				die("a commit was not answered for 60 s though "
				    "the brokers are reachable");
			p->commit_awake_ms = engine->awake_ms;
		}
}
