/*
 * flow.h -- the engine's inside, for core/flow only.
 *
 * Everything belongs to the consumer thread, except the queues (how other
 * threads answer), the fence, and what is atomic.
 */
#ifndef SECOR_FLOW_FLOW_H
#define SECOR_FLOW_FLOW_H

#include "core/base/metrics.h"
#include "core/flow/client.h"
#include "core/flow/deadletter.h"
#include "core/flow/engine.h"
#include "core/flow/fetch/fetch.h"
#include "core/flow/final/service.h"
#include "core/flow/hold.h"
#include "core/flow/inquire.h"
#include "core/flow/login.h"
#include "core/flow/notify.h"
#include "core/flow/pack.h"
#include "core/flow/part.h"
#include "core/flow/stage.h"
#include "core/flow/step.h"
#include "core/flow/throttle.h"

#include <pthread.h>

enum {
	ARRAY_MAX = 1000,
	COMMIT_PATIENCE_MS = 30000,
	COMMIT_SILENCE_MS = 60000,
	REASONS_MAX = 64,
	REASON_ROOM = 48
};

/* What the rebalance callback was asked; served in order by the loop. */
struct rebalance {
	struct rebalance *next;
	int assign; /* or revoke */
	int lost;
	uint64_t membership; /* of an assignment: see client.h */
	rd_kafka_topic_partition_list_t *list;
};

/* What became of a commit; judged when the current array is done. */
struct commit_answer {
	struct commit_answer *next;
	struct part *part;
	uint64_t epoch;
	rd_kafka_resp_err_t err;
};

enum engine_phase {
	PHASE_RUNNING = 0,
	PHASE_REJOINING, /* left the group, joins again when all is revoked */
	PHASE_STOPPING,	 /* finishes what is planned */
	PHASE_LEAVING	 /* the client closes */
};

/* What a partition may wait for. */
enum wait {
	WAIT_STORE = 0,
	WAIT_COMMIT,
	WAIT_PLUGIN,
	WAIT_STAGE,
	WAIT_BUDGET,
	WAIT_RATE,
	WAIT_COUNT
};

struct engine_metrics {
	struct metric *messages, *bytes, *batches, *objects, *object_bytes;
	struct metric *filtered, *overflowed, *dead_letters, *rebalances, *lost,
	    *rejoins;
	struct metric *replays, *kept, *halted, *assigned, *gaps, *pauses,
	    *log_cuts;
	struct metric *memory_used, *memory_budget, *stage_used, *open_objects;
};

struct engine {
	const struct config *config;
	struct engine_options options;
	rd_kafka_t *rk;
	rd_kafka_queue_t *queue;	/* the consumer queue */
	rd_kafka_queue_t *commit_queue; /* answers to commits */
	char g[40];
	size_t key_overhead;

	struct stage *stage;
	struct pool *pool;
	struct writers *writers;
	size_t backlog_limit; /* blocks; above it consuming waits shortly */
	struct uploaders *uploaders;
	struct notifiers *notifiers;
	struct final_service *finals; /* NULL: no topic is finalized */
	struct inquirer *inquirer;
	struct fence fence;
	struct queue *staged_done, *uploads_done, *heard, *answers;

	struct throttle *throttle; /* NULL: nothing is limited */
	struct part_table parts;
	struct lane *lanes, *old_lanes;

	/* the assignment */
	enum engine_phase phase;
	struct rebalance *rebalances, **rebalances_last;
	rd_kafka_topic_partition_list_t *assigning; /* records being read */
	size_t opening;				    /* not answered yet */
	int revoking;				    /* grace is running */
	int64_t revoke_until_boot_ms;
	rd_kafka_topic_partition_list_t *revoke_list;
	uint64_t assignment;  /* serial */
	uint64_t membership;  /* under which it was given */
	uint64_t first_start; /* that of the group's first start; 0 */
	int assigned;
	int whole_wanted; /* the assignment is given anew: assign_serve() */

	/* commits: answers wait here until the array is done */
	struct commit_answer *commit_answers, **commit_answers_last;
	int64_t commits_out; /* that librdkafka has not answered */

	_Atomic int stop_asked;
	int64_t stop_until_boot_ms;
	const char *rejoin_later; /* why, once the assignment is opened */
	int rejoin_wanted;	  /* what is revoked next is dropped whole */
	int64_t leave_boot_ms;	  /* a named instance leaves then; 0: no */
	int64_t tick_boot_ms, slow_tick_boot_ms;
	int moving; /* something may be due before the next slow tick */
	/* Time in which the loop turned; stands still in a process that is
	 * stopped or suspended. */
	int64_t turn_boot_ms, awake_ms;
	int full;	  /* all partitions wait for memory or stage */
	struct wake wake; /* of librdkafka's threads */
	int64_t popped, popped_bytes; /* by this array */
	struct login *login;	      /* NULL: no tokens are asked for */
	const char *sasl_user, *sasl_password;
	int64_t taken, taken_bytes; /* not in the metrics yet */
	int fatal; /* SECOR_FATAL or SECOR_REJECT: ends, with fatal_err */
	struct secor_err fatal_err;
	int pinging;

	rd_kafka_message_t *array[ARRAY_MAX];
	uint64_t array_serial;
	struct fetch *fetch; /* the own readers; NULL: librdkafka reads */
	char not_own[600];   /* why it does */
	struct fetched fetched;
	struct part *touched[2 * ARRAY_MAX]; /* by both readers */
	size_t touched_count;
	struct routed routed;
	struct secor_header *headers; /* of the current message */
	size_t header_room;
	struct buf header_names;
	struct part *last_part;
	const rd_kafka_topic_t *last_rkt;
	int32_t last_partition;

	struct engine_metrics metrics;
	_Atomic int64_t heartbeat_boot_ms;
	char reason_phrases[REASONS_MAX][REASON_ROOM]; /* of bad messages */
	size_t reason_count;
	int unreachable;  /* no broker has answered since the start */
	int brokers_down; /* and the coordinator has not answered since */
	int asking_ends;
	int64_t ask_ends_boot_ms;
	struct expiry_topic *expiry_topics; /* retention, see expire.c */
	int asking_expiry, expiry_denied, expiry_new;
	int64_t ask_retention_boot_ms, ask_new_boot_ms, ask_times_boot_ms;
	/* counted by walks */
	int64_t owned_now, halted_now, refused_now, busy_now;
	int64_t waits_now[WAIT_COUNT];
	struct metric *waits[WAIT_COUNT];
	void *status_now;	  /* json_t being built */
	int64_t describe_boot_ms; /* the status document is due then */
	rd_kafka_topic_partition_list_t *ends_now, *expiry_now;
	int64_t *expiry_times;
	pthread_mutex_t hold_lock;
	pthread_cond_t hold_answered;
	struct hold *holds; /* that wait; Holds: hold_lock */
	int holds_ended;    /* Holds: hold_lock */
	pthread_mutex_t status_lock;
	struct buf status, reasons; /* Holds: status_lock */
	int ready;		    /* Holds: status_lock */
};

/* ---- consume.c ---- */
/* Takes in one array of messages; waits `wait_ms` for the first at most. */
void consume(struct engine *engine, int wait_ms);
/* Where the log is, after an offset was out of its range. */
void consume_range(struct part *part, const struct inquiry *range);
/* What the record is, after the log was cut below it. */
void consume_cut(struct part *part, const struct inquiry *cut);
/* Messages that a RETRY or a limit kept back, so many at most. */
void consume_held(struct part *part, size_t most);

/* ---- held.c: messages that a RETRY or a limit kept back ---- */
/* Keeps it: takes its librdkafka message, where it is one. `limited`: because
 * of a limit. */
void held_put(struct part *part, const struct message *message, int limited);
void held_drop_first(struct part *part);
void held_free(struct part *part);
/* Where to read on: behind what is held, or the partition's `next`. */
int64_t held_end(const struct part *part);

/* ---- complaint.c ---- */
/* What a reader complains of. */
struct complaint {
	rd_kafka_resp_err_t code;
	const char *topic, *text;
	int32_t partition;
	int64_t offset; /* -1: it is about the topic */
};

/* Whether it is to be said; grave ones do not wait for others. */
int complaint_is_new(const char *text, int grave, int64_t boot_ms);
/* The same one once a minute. A fatal one ends the loop. */
void complaint_log(struct engine *engine, const struct complaint *complaint);

/* ---- reading.c: who reads, the own readers or librdkafka ---- */
int reading_open(struct engine *engine, struct secor_err *err);
/* The own readers end. */
void reading_close(struct engine *engine);
/* As a part of a log line. */
void reading_say(const struct engine *engine, struct buf *text);
/* The own readers cannot read this: librdkafka does from now on. */
void reading_unable(struct engine *engine, const char *why);
/* A broker does not let them in. */
void reading_refused(struct engine *engine, const char *why);
/* Of the own readers: from behind what is held. */
void reading_start(struct part *part);
/* Another owner has read since, what is before `offset` (< 0: nothing is known
 * to be) at this leader epoch; -1: not known. */
void reading_recall(struct part *part, int64_t offset, int32_t epoch);
/* As fetch_epoch(); -1 where librdkafka reads. */
int32_t reading_epoch(const struct part *part, int64_t offset);
void reading_stop(struct part *part);
/* What reads it now waits, or goes on. */
void reading_pause(struct part *part, int pause);
/* Goes on at part->next. */
void reading_seek(struct part *part);
/* Of what is being assigned, while its records are read. */
void reading_prepare(struct engine *engine);
/* Around rd_kafka_assign(). */
void reading_before_assign(
    struct engine *engine, rd_kafka_topic_partition_list_t *list);
void reading_after_assign(
    struct engine *engine, rd_kafka_topic_partition_list_t *list);

/* ---- collect.c ---- */
enum collected { COLLECT_OK = 0, COLLECT_RETRY, COLLECT_HALTED };
/* Puts one message into part->cur. */
enum collected collect(struct part *part, struct message *message);

/* ---- policy.c ---- */
/* Cuts what is due; called after each array and each tick. */
void policy_part(struct part *part, int64_t boot_ms);
/* Whether nothing of it is due in the next POLICY_REST_MS, unless something
 * comes: messages, answers, an error of a writer. After policy_part(). */
enum { POLICY_REST_MS = 1500 };
int policy_rests(const struct part *part, int64_t boot_ms);
void policy_budget(struct engine *engine, int64_t boot_ms);
/* Ends `cur` (it must hold messages or be a replay); it becomes `past` when
 * that slot is free. */
void cut_batch(struct part *part, enum cut cut);
/* Pause reasons of one partition; tells librdkafka of changes. */
void pause_set(struct part *part, unsigned reason);
void pause_clear(struct part *part, unsigned reason);
/* PAUSE_FULL as it is now: a replay ignores local limits, since its end is
 * fixed and only its end gives room back. */
void pause_full(struct part *part);

/* ---- puts.c ---- */

/* After the plan's acknowledgement. The first batch of a partition has no
 * manifest before it that would tell, were the record lost, that the partition
 * is not new: a mark is put before its objects. */
void puts_begin(struct batch *batch);
void put_mark(struct batch *batch);
void put_objects(struct batch *batch);
void put_object(struct object *object);
void put_manifest(struct batch *batch);
/* Of the record behind this batch. */
int64_t batch_watermark(const struct batch *batch);

/* ---- advance.c ---- */
/* Takes `past` as far as it goes now. Call after anything happened. */
void advance(struct part *part);
void advance_staged(struct engine *engine, struct staged_done *done);
/* Staged files failed: forget them and read [S, ...) again, later. */
void advance_stage_failed(struct part *part, const char *why);
void advance_upload(struct engine *engine, struct upload *upload);
/* Whether it equals one of our earlier ones: then it may be a stale read. */
int record_was_ours(const struct part *part, const struct record *found);
void advance_read_back(struct part *part, const struct record *found);
/* An own commit was acknowledged: part->record is new. */
void advance_committed(struct part *part);
/* Time passed: retries. */
void advance_tick(struct part *part, int64_t boot_ms);

/* ---- commit.c ---- */
/* Commits `record` for the partition; one at a time. */
void commit_submit(struct part *part, const struct record *record);
/* A record found or resolved on assignment: goes out when nothing else is out.
 */
void commit_want(struct part *part, const struct record *record);
void commit_serve(struct engine *engine); /* answers that came */
/* The assignment has begun: what waited for it goes out. */
void commit_kept_back(struct part *part);
void commit_tick(struct part *part, int64_t boot_ms);
/* Whether the brokers are reachable, after a minute of silence. */
void commit_pinged(struct engine *engine, int reachable);

/* ---- assign.c ---- */
void on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t err,
    rd_kafka_topic_partition_list_t *list, void *opaque);
void rebalance_serve(struct engine *engine, int64_t boot_ms);
/* Lets an assignment begin when all its records are there, or gives librdkafka
 * the whole assignment anew when that is wanted: when no commit is out. */
void assign_serve(struct engine *engine);
void assign_answer(struct engine *engine, struct inquiry *inquiry);
void assign_tick(struct part *part, int64_t boot_ms); /* PART_OPENING */
/* Opens a partition that is ours once more, as if it were newly assigned. */
void assign_again(struct part *part);
/* Not the owner any more, or not sure: drop all and join again. `why` is a
 * literal. */
void rejoin(struct engine *engine, const char *why);

/* A named instance waits to hear that it is fenced before it leaves. */
void rejoin_serve(struct engine *engine, int64_t boot_ms);

/* All is revoked: subscribes again. */
void rejoin_subscribe(struct engine *engine);

/* ---- hold.c ---- */
void hold_serve(struct engine *engine, int64_t boot_ms);

/* ---- engine.c ---- */
/* Threads that write staged files. */
int engine_writers(const struct config *config);
void engine_subscribe(struct engine *engine);
/* Whether librdkafka will not go on: the loop ends. Being fenced without a
 * name is not that. */
int engine_fatal(struct engine *engine);
/* librdkafka has refused a call: so, or the process ends at once. */
void engine_failed(struct engine *engine, const char *what);
/* Another process has our kafka.instance_id now: the loop ends. Joining again
 * would only take it back, and so on without an end. */
void engine_fenced(struct engine *engine);

/* ---- loop.c ---- */
/* Events of a ledger that is dropped: they only free what they hold. */
void serve_leftovers(struct engine *engine);

/* ---- open.c ---- */
/* What the record found on assignment means (DESIGN 4.3). */
void open_part(struct part *part, const struct inquiry *found);
/* A clean record of an older generation: the operator's bump is committed. */
void open_generation(struct part *part);

/* ---- halt.c ---- */
/* As halt(), for what was found in `cur` while `past` goes its way: drops `cur`
 * and halts when `past` is done. */
void halt_behind(struct part *part, enum halt reason, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* What halt_behind() left for later. */
void halt_now(struct part *part);
/* Stops the partition; commits the halt where the record would not show it.
 * fmt: what happened, in one sentence. */
void halt(struct part *part, enum halt reason, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Whether the halt is to be committed: the next owner would not see it from the
 * record by itself. Asked again after each acknowledgement: a plan or a final
 * commit may have been out when it halted. */
int halt_due(const struct part *part);
void halt_commit(struct part *part); /* when nothing else is out */

/* ---- status.c ---- */
void metrics_init(struct engine *engine);
void metrics_part(struct part *part);
void metrics_part_hide(struct part *part);
void status_publish(struct engine *engine);
/* Log ends also of partitions that are paused or halted. */
void status_ask_ends(struct engine *engine);
void status_ends(struct engine *engine, struct inquiry *inquiry);
void count_cut(enum cut cut);
void count_commit(const char *answer);
void count_bad(struct part *part, const struct routed *routed);

/* ---- expire.c: until Kafka's retention reaches what is not stored ---- */
/* `end` of the log, offsets that wait: tells what is left. */
void expire_measure(struct part *part, int64_t end, int64_t waiting);
/* Into the status document of a partition, a json_t. */
void expire_describe(const struct part *part, void *json);
/* Of a partition that goes away. */
void expire_hide(struct part *part);
/* Asks Kafka now and then. */
void expire_ask(struct engine *engine);
void expire_answer(struct engine *engine, const struct inquiry *inquiry);
void expire_free(struct engine *engine);

/* ---- waits.c: for what partitions wait now ---- */
void waits_init(struct engine *engine);
void waits_count(struct part *part); /* of one, on a walk */
void waits_publish(struct engine *engine);
/* The batch that begins at `start` is done: neither store nor stage fails. */
void waits_over(struct part *part, int64_t start);
/* Into the status document of a partition, a json_t. */
void waits_describe(const struct part *part, void *json);

/* ends the process: crash-only */
void die(const char *why) __attribute__((noreturn));

#endif
