/*
 * part.h -- the ledger: one state a Kafka partition, and two batch slots.
 *
 * Inside of core/flow only. Everything here belongs to the consumer thread.
 *
 *	cur	collects messages behind what is planned
 *	past	is past its cut: sealed, planned, put, done
 *
 * Invariant: at most one batch of a partition is past its cut; a commit of a
 * partition is outstanding at most once; after a plan [S, E) was sent no other
 * E is ever sent for that S by this owner.
 */
#ifndef SECOR_FLOW_PART_H
#define SECOR_FLOW_PART_H

#include "core/flow/guard.h"
#include "core/flow/lane.h"
#include "core/flow/manifest.h"
#include "core/flow/message.h"
#include "core/flow/pool.h"
#include "core/flow/record.h"
#include "core/flow/upload.h"
#include "core/flow/write.h"

#include <librdkafka/rdkafka.h>

struct engine;
struct fetch_part;
struct part;
struct batch;

/* One file of a batch: what was routed to one path, or its dead letters. */
struct object {
	struct batch *batch;
	struct path *path; /* NULL: dead letters */
	struct block *buf; /* encoded, not handed on yet */
	uint64_t handed_on;
	struct staged *staged;
	uint64_t records;
	int64_t first, last; /* offsets */
	uint64_t offsets_hash;
	int64_t first_ms, last_ms; /* event times; INT64_MAX, INT64_MIN: none */
	char *key;
	/* after the seal */
	int sealed;
	uint64_t bytes;
	uint32_t crc32c;
	/* after the put */
	int64_t
	    retry_boot_ms; /* a put that failed: when to try again; 0: none */
	int tries;
};

enum batch_state {
	BATCH_COLLECTING = 0,
	BATCH_CUT,	/* waits for `past` to be free */
	BATCH_SEALING,	/* writers end the files */
	BATCH_CHECKING, /* the own record is read back */
	BATCH_PLANNING, /* the plan is committed */
	BATCH_MARKING,	/* the mark of a first batch goes to the store */
	BATCH_PUTTING,	/* objects go to the store */
	BATCH_LISTING,	/* the manifest goes to the store */
	BATCH_FINISHING /* the final commit */
};

struct batch {
	struct part *part;
	struct lane *lane;
	enum batch_state state;
	int replay;	    /* `plan` was found: exactly [start, plan.e) */
	int clean;	    /* nothing in it: commits clean at `end`, no plan */
	int planned;	    /* the plan is acknowledged under this ownership */
	struct record plan; /* replay: found; else made at the cut */
	int64_t start, end; /* end: behind the last message taken in */
	int64_t messages, filtered, bad;
	int64_t exact_boot_ms; /* when batch_bytes was asked last */
	unsigned failures;     /* writers_failures() when it was looked at */
	uint64_t input_hash;
	int64_t before_ms; /* w of the record at `start`; INT64_MIN: none */
	/* Of a lane that tells late ones: w behind the last message. */
	int64_t clock_ms;
	int64_t first_ms; /* Kafka's timestamp of its first message */
	enum cut cut;
	int64_t first_boot_ms;	  /* first looked at by the policy */
	int64_t born_boot_ms;	  /* first object */
	int64_t youngest_boot_ms; /* last new object */
	struct object **objects;
	size_t object_count, object_room;
	struct object **table; /* by path pointer, open addressing */
	size_t table_room;
	struct guard_values values; /* of a guarded partitioner */
	struct object *last;
	struct object *dead;
	int64_t encoded;    /* bytes that went into buffers */
	int64_t held_bytes; /* rooms of the objects' buffers */
	size_t sealing;	    /* seals not answered */
	size_t putting;	    /* uploads out */
	size_t stored;
	struct secor_err seal_err;
	int seal_failed;
	int dropped; /* waits only for what is out */
	struct manifest *manifest;
	struct upload *manifest_upload; /* out: it, or the mark */
	int64_t manifest_retry_ms;
	int manifest_tries;
	int64_t refused_boot_ms; /* the store takes nothing of it since; 0 */
};

enum part_state {
	PART_AWAY = 0, /* not ours (kept stages may lie here) */
	PART_OPENING,  /* its record is being read */
	PART_RUNNING,
	PART_HALTED,
	PART_HELD /* a person's command has it: hold.c */
};

enum {
	PAUSE_CUT = 1,	 /* both slots are full */
	PAUSE_FULL = 2,	 /* memory or stage */
	PAUSE_RETRY = 4, /* the parser said RETRY */
	PAUSE_DISK = 8,	 /* staged files failed: begins again later */
	PAUSE_HALT = 16,
	PAUSE_HELD = 32, /* hold.c waits for what is on its way */
	PAUSE_RATE = 64	 /* throttle.c: enough is held */
};

struct held {
	struct message **items;
	size_t count, at, room;
	int64_t bytes; /* of those from `at` on */
};

struct part {
	struct part *chained; /* of the table's bucket */
	struct engine *engine;
	char topic[250];
	int32_t partition;
	enum part_state state;
	enum halt halt;
	char halt_text[512];
	enum halt halt_next;	     /* when `past` is done, with halt_text */
	struct lane *lane;	     /* of the running configuration */
	struct lane *plan_lane;	     /* of the plan that is replayed */
	struct ownership *ownership; /* epoch: fences puts, commits, answers */
	uint64_t epoch;
	uint64_t shelf; /* assignment in which it was last seen */

	/* the record: acknowledged, and the one that is out */
	struct record record;
	struct record earlier[4]; /* older ones of ours: stale reads */
	struct record sent;
	int committing; /* `sent` is out */
	int64_t commit_awake_ms, commit_first_boot_ms;
	int64_t commit_again_boot_ms; /* repeat then; 0: no */
	int commit_tries;
	int kept_back; /* `sent` was not sent yet: an assignment begins first */
	int inquiring; /* a read-back is out */
	int64_t inquire_again_boot_ms;
	int older_reads;    /* stale answers in a row */
	struct record want; /* of an assignment: waits its turn */
	int want_commit;

	int64_t next;  /* the next offset to take in */
	int64_t eof;   /* end of the partition as last seen; -1 */
	int64_t heard; /* q: all notifiers */
	struct batch *cur, *past;
	unsigned pause;
	int paused;		  /* as its reader knows it */
	struct fetch_part *fetch; /* of the own readers; NULL: none yet */
	int reopened;		  /* PART_OPENING, but of no new assignment */
	struct held held;
	int64_t held_boot_ms;
	int touched;   /* by the current array */
	int throttled; /* in the row of throttle.c */
	struct part *throttled_next;
	uint64_t skip_array;	   /* throw away what this array still holds */
	int64_t again_boot_ms;	   /* PAUSE_DISK: when */
	double recent, recent_bad; /* for bad_messages.halt_above */
	int overtaken;		   /* the log begins behind `next` */
	int64_t low, high;	   /* of the log, as last seen */
	int64_t idle_boot_ms;	   /* only transaction markers since then */
	int last_minute; /* at_minutes: hour * 60 + minute that was served */
	int said_retry;
	int stage_tries; /* staged files failed so often in a row */
	int64_t said_stage_boot_ms;
	int64_t said_store_boot_ms; /* a put of this batch failed; 0: none */
	struct part_metrics *metrics;
	struct metric *late;		     /* messages; NULL: none yet */
	struct expiry *expiry;		     /* NULL: not measured yet */
	int64_t taken_messages, taken_bytes; /* that it does not know yet */
};

/* ---- part.c: the table ---- */

enum { PART_BUCKETS = 1024 };

struct part_table {
	struct part *buckets[PART_BUCKETS];
	size_t count;
};

/* Finds or makes. */
struct part *
part_get(struct engine *engine, const char *topic, int32_t partition);
struct part *
part_find(struct part_table *table, const char *topic, int32_t partition);
void part_each(struct part_table *table, void (*each)(struct part *part));
void part_table_free(struct part_table *table);

/* New epoch: every answer and every put of before is void. */
void part_new_epoch(struct part *part);

/* Drops what it collected, also kept stages; `next` goes back to the record. */
void part_drop_batches(struct part *part);
/* Only what collects; what the current array still holds of it is void. */
void part_drop_cur(struct part *part);

/* Drops and goes back to the record: a plan is replayed. The caller pauses and,
 * later, seeks. */
void part_begin_again(struct part *part);
/* Ends PAUSE_DISK: consumption goes on at part->next. */
void part_seek(struct part *part);
/* Tells its reader of the pause that holds after an assignment. */
void part_sync(struct part *part);
/* Not ours any more, at once: nothing is kept. */
void part_fence(struct part *part);

/* ---- batch ---- */

struct batch *batch_new(struct part *part, struct lane *lane, int64_t start);
/* Forgets it; freed when the puts that are out have come back. Accepts NULL. */
void batch_drop(struct batch *batch);
/* Frees it when it is dropped and no put is out. */
void batch_settle(struct batch *batch);
/* Done: files away, freed. */
void batch_free(struct batch *batch);
/* The object of a path (NULL: dead letters), made on first use. */
struct object *batch_object(struct batch *batch, struct path *path);
/* Of a choosy lane: the path of the record's object, where late ones have their
 * own or the format has several of one path. SECOR_OK, SECOR_REJECT or
 * SECOR_RETRY, with text. */
int batch_place(struct batch *batch, struct routed *routed);
/* Of a lane that tells late ones, for each record that is in: the clock goes
 * on. */
void batch_tick(struct batch *batch, const struct routed *routed);
/* Takes one object out of it, with its file. */
void batch_forget(struct batch *batch, struct object *object);
/* Bytes staged and buffered so far. */
int64_t batch_bytes(const struct batch *batch);
/* Whether a file of it failed already: its seal will say so. */
int batch_failed(const struct batch *batch);
/* Hands all buffers to the writers and seals. */
void batch_seal(struct batch *batch);
/* Output hash over objects in byte order of key; sorts them. */
uint64_t batch_output_hash(struct batch *batch);

#endif
