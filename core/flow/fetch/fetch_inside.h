/*
 * fetch_inside.h -- what the threads of fetch.h share. Inside of
 * core/flow/fetch only.
 *
 * One lock for all of it; nothing blocks under it. What is marked "consumer" or
 * "reader" below is of that thread alone and needs no lock.
 *
 * An answer counts for a partition when nothing was started or stopped
 * meanwhile (serial) and it begins where the partition goes on (position):
 * so two brokers that are asked for the same offsets give each message once.
 */
#ifndef SECOR_FLOW_FETCH_FETCH_INSIDE_H
#define SECOR_FLOW_FETCH_FETCH_INSIDE_H

#include "core/base/buf.h"
#include "core/base/metrics.h"
#include "core/flow/fetch/batches.h"
#include "core/flow/fetch/fetch.h"
#include "core/flow/fetch/link.h"
#include "core/flow/fetch/request.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

enum {
	ANSWERS = 2,			  /* of a reader */
	SAY_AGAIN_MS = 1000,		  /* what is damaged or forbidden */
	REPLICA_LEASE_MS = 5 * 60 * 1000, /* KIP-392 */
	REPLICA_AGAIN_MS = 60 * 1000,	  /* behind one that failed */
	REFUSALS_MOST = 3,		  /* in a row, until it is said */
	DOUBTS_MOST = 5,		  /* the same */
	FEW_LEAST = 16,			  /* partitions of a request */
	ALL_AGAIN_MS = 100,		  /* all of them are asked for */
	NOBODY = -1
};

struct reader;

struct fetch_part {
	struct fetch *fetch;
	struct fetch_part *next; /* of all */
	char *topic;
	int32_t partition;
	void *owner;
	uint64_t serial; /* written by the consumer under the lock */
	int wanted;
	int64_t position; /* where to fetch next */
	int64_t due_ms;	  /* not asked for before */
	int32_t leader;	  /* NOBODY: not known */
	int32_t refused;  /* broker that last said that it does not lead */
	int32_t replica;  /* to be read from instead, until lease_ms */
	int64_t lease_ms;
	int64_t alone_ms; /* until then the leader is to name no replica */
	int end_said;
	int cut_off; /* answers in a row without a whole batch, though first */
	int fresh;   /* nothing has come since it was started */
	int32_t epoch; /* of the leader, of what is before `position`; -1 */
	int64_t epoch_from; /* where that began, or before; it may be later
			     * than it did where reading began in it */
	int doubts;	    /* answers in a row that were not validated */
	int more; /* there was more than its last answer had room for */
	/* Makes the topic one that librdkafka asks metadata of. */
	rd_kafka_topic_t *known;
	/* Who reads it, and its neighbours there; NULL: nobody. */
	struct reader *reader;
	struct fetch_part *before, *behind;
};

/* What was asked for. */
struct asked {
	struct fetch_part *part;
	uint64_t serial;
	int64_t offset;
	int32_t epoch; /* of what is before it */
	int64_t epoch_from;
};

/* What an answer has of a partition. */
struct item {
	struct fetch_part *part; /* NULL: of none */
	uint64_t serial;
	int64_t offset; /* what was asked for */
	int64_t next;	/* where to go on */
	int64_t high;
	/* of the leader: before `offset`, and as batches.h */
	int32_t epoch, first_epoch, last_epoch;
	int64_t epoch_from; /* of `epoch` */
	int unproven;	    /* in doubt, not validated: not to be given */
	int64_t cut_at;	    /* of CUT */
	const struct reply *reply;
	enum fetched_kind kind; /* NOTHING: passed over */
	size_t batches;		/* of MESSAGE: which */
	rd_kafka_resp_err_t error;
	char *text; /* owned */
};

/* What its last answers needed at most. */
struct peak {
	int answers;
	size_t bytes, batches, plain;
};

/* Goes from its reader to the consumer and back. */
struct answer {
	struct answer *next;
	struct reader *reader;
	struct buf bytes;
	struct replies replies;
	struct batches *batches;
	size_t batches_count, batches_room;
	size_t plain_bytes; /* of those batches: what was decompressed */
	struct item *items;
	size_t count, room;
	struct peak peak;
};

struct reader {
	struct fetch *fetch;
	struct reader *next; /* of all */
	pthread_t thread;
	pthread_cond_t changed;
	int waits;    /* for `changed` */
	int break_fd; /* readable: what hangs is broken off */
	int32_t id;   /* of the broker */
	char *host;
	int port;
	int moved; /* host and port have changed */
	int leave;
	int64_t idle_ms; /* has no partition since; 0: it has */
	struct fetch_part *first, *last;
	size_t parts; /* of them */
	struct answer answers[ANSWERS];
	struct answer *spare; /* oldest first */
	int out;	      /* answers at the consumer's */
	int64_t due_ms;	      /* asks nothing before */
	/* reader */
	char *dial; /* host and port of the link */
	int dial_port;
	int anew; /* they have changed */
	struct link *link;
	int answered;	    /* the link has given an answer */
	int failures;	    /* in a row */
	int refusals;	    /* of those, where somebody must act, in a row */
	int64_t refused_ms; /* when they began */
	int dull;	    /* answers in a row without anything */
	int few;	    /* this request is for those with `more` alone */
	size_t few_most;    /* so many of them; 0: the next is for all */
	int64_t all_ms;	    /* when all were asked for */
	int32_t max_bytes;  /* of an answer, as it comes */
	unsigned lot;
	struct asked *asked;
	struct ask *asks;
	size_t asked_count, asked_room;
	int leader_alone; /* this request names no rack */
	int fresh;	  /* it has partitions that were just started */
	struct buf body;
	char *said; /* complaint */
	int64_t said_ms;
};

struct broker {
	int32_t id;
	int port;
	char *host;
};

struct fetch_metrics {
	struct metric *requests, *bytes, *connections, *validations;
};

struct fetch {
	struct fetch_conf conf;
	struct link_conf *link_conf;
	struct fetch_metrics metrics;
	/* properties of the handle */
	int32_t wait_ms, min_bytes, max_bytes, partition_bytes;
	int64_t timeout_ms, error_backoff_ms;
	int64_t reconnect_ms, reconnect_max_ms;
	char *rack; /* NULL: none */

	pthread_mutex_t lock;
	pthread_cond_t lost; /* leaders */
	pthread_t leaders;
	int started;
	int closing;
	int ask;	     /* somebody could not connect: who leads now? */
	int64_t metadata_ms; /* when it last came */
	struct fetch_part *parts;
	struct reader *readers;
	struct broker *brokers; /* as metadata had them last */
	size_t broker_count;
	struct answer *first, *last; /* for the consumer */
	int busy;		     /* the consumer has an answer */
	_Atomic int queued;

	/* consumer */
	struct cursor cursor;
	struct item *item; /* that the cursor walks; NULL: none */
	void *owner;	   /* its */
	int64_t high;
	size_t span; /* of its batches, the next */
	struct answer *answer;
	size_t at;	 /* of its items, the next */
	struct buf text; /* of a damaged record */
};

/* ---- fetch.c ---- */

/* Whose turn it is now. Thread: readers. Holds: lock. Returns whether the
 * consumer must be woken (without the lock). */
int fetch_give(struct fetch *fetch, struct answer *answer);
/* Thread: any. */
void fetch_count_error(const char *name);

/* ---- answer.c: what a broker said, partition by partition ---- */

void answer_init(struct answer *answer, struct reader *reader);
void answer_fini(struct answer *answer);
/* Void; now and then memory that was not needed lately is given back. */
void answer_empty(struct answer *answer);
/* Reads what has come: checks and decompresses. Thread: reader. */
int answer_read(struct answer *answer, int version, struct secor_err *err);
/* What it means for the partitions: positions go on, errors are acted on.
 * Returns whether there is something for the consumer. Holds: lock. */
int answer_settle(struct answer *answer, int64_t now_ms);
/* An error of no partition, as all that it has. */
void
answer_say(struct answer *answer, rd_kafka_resp_err_t error, const char *text);

int part_is(
    const struct fetch_part *part, struct wire_bytes topic, int32_t partition);

/* ---- validate.c ---- */

/* What comes of a log that was cut is CUT; what is not known yet is void. Not
 * SECOR_OK: the connection is broken. Thread: reader, without the lock. */
int
validate(struct reader *reader, struct answer *answer, struct secor_err *err);

/* ---- exchange.c ---- */

struct result {
	int rc;		 /* SECOR_OK: the answer is to be settled */
	int64_t wait_ms; /* until the next request */
};

/* Asks for what is in `asked`. Thread: reader, without the lock. */
struct result exchange(struct reader *reader, struct answer *answer);
void exchange_hang_up(struct reader *reader);

/* ---- reader.c ---- */

/* A thread for this broker. Thread: leaders. Holds: lock. */
struct reader *reader_new(struct fetch *fetch, const struct broker *broker);
/* Ends it, waits for that; all its answers are back, or the consumer takes no
 * more. */
void reader_free(struct reader *reader);
/* It has something to do. Holds: lock. */
void reader_wake(struct reader *reader);
/* What hangs is broken off. Holds: lock. */
void reader_break(struct reader *reader);
/* Takes the partition, as the last one; or gives it away. Holds: lock. */
void reader_take(struct reader *reader, struct fetch_part *part);
void reader_drop(struct fetch_part *part);
/* An answer is void, the oldest one is used next: so each gives memory back.
 * Holds: lock. */
void reader_spare(struct answer *answer);
/* It has had its turn. Holds: lock. */
void reader_rotate(struct fetch_part *part);

/* ---- leaders.c ---- */

void *leaders_run(void *fetch);
/* Gives a wanted partition to who should read it, as far as that is known, else
 * wakes the leaders' thread. Holds: lock. */
void leaders_place(struct fetch_part *part);
/* A replica that does not have it, does not give it or is not there: the leader
 * is asked, for a while without a rack, else it would name the replica again.
 * Holds: lock. */
void leaders_leave_replica(struct fetch_part *part, int64_t now_ms);
/* Asks who leads what now. Holds: lock. */
void leaders_ask(struct fetch *fetch);
/* Its leader is not known any more. Holds: lock. */
void leaders_lose(struct fetch_part *part);
void leaders_fini(struct fetch *fetch);

#endif
