/*
 * record.h -- the record of a Kafka partition: what the group's committed
 * offset and its metadata say. Text both ways; no I/O. Any thread.
 *
 *	s1 clean g= w= m= q=
 *	s1 plan g= w= m= q= e= n= i= o= f= c=
 *	s1 halt g= w= m= q= r=
 *
 * Printable ASCII, under 512 bytes, never empty. A record that this version
 * does not know in full is RECORD_FOREIGN: it is never guessed.
 */
#ifndef SECOR_FLOW_RECORD_H
#define SECOR_FLOW_RECORD_H

#include <stddef.h>
#include <stdint.h>

#define RECORD_TEXT_MAX 512

enum record_kind {
	RECORD_MISSING = 0, /* no committed offset */
	RECORD_CLEAN,	    /* everything below the offset is stored */
	RECORD_PLAN,	    /* exactly [offset, e) is being stored */
	RECORD_HALT,	    /* stopped until `secor offsets` is used */
	RECORD_FOREIGN	    /* empty, of somebody else, or not understood */
};

/* Why a batch was cut. Written down: never renumber, add at the end. */
enum cut {
	CUT_NONE = 0,
	CUT_SIZE,
	CUT_AGE,
	CUT_MINUTE,
	CUT_OBJECTS,
	CUT_MESSAGES,
	CUT_MEMORY,
	CUT_STAGE,
	CUT_STOP,
	CUT_GAP,
	CUT_COUNT
};

/* "size", "age", ...: also the metric's label. */
const char *cut_name(enum cut cut);

/* Why a partition is halted. The text is what is committed and documented in
 * docs/RUNBOOK.md. */
enum halt {
	HALT_NONE = 0,
	HALT_FOREIGN,	      /* foreign-record */
	HALT_LOST,	      /* offsets-lost: missing, but manifests exist */
	HALT_GONE,	      /* record-gone: missing on read-back */
	HALT_OLDER,	      /* record-older: older than ours, stable */
	HALT_TRUNCATED,	      /* truncated: offset beyond the log end */
	HALT_DATA_LOSS,	      /* data-loss: retention overtook us */
	HALT_PLAN_UNREADABLE, /* plan-unreadable: part of the plan is gone */
	HALT_PLAN_DIFFERS,    /* plan-differs: replay has other records */
	HALT_FINGERPRINT,     /* plan-fingerprint: other configuration */
	HALT_BAD_MESSAGES,    /* bad-messages: over the ratio */
	HALT_BAD_MESSAGE,     /* bad-message: action halt */
	HALT_COMPACTED,	      /* compacted-topic */
	HALT_COMMIT,	      /* commit-refused: authorization, too large */
	HALT_STORE_LIST,      /* store-list-refused */
	HALT_OTHER_GROUP,     /* other-group: cluster, group or prefix differ */
	HALT_INTERRUPTED,     /* offsets-interrupted: `secor offsets` ended
			       * between two steps */
	HALT_LOG_CUT,	      /* log-cut: Kafka lost what is stored, and gave
			       * its offsets to other messages */
	HALT_COUNT
};

const char *halt_name(enum halt halt);
enum halt halt_by_name(const char *name); /* HALT_NONE: unknown */

struct record {
	enum record_kind kind;
	int64_t offset; /* S */
	char g[40];	/* <16 hex of cluster, group, prefix>.<generation> */
	int64_t w;	/* watermark ms; INT64_MIN: none yet */
	uint64_t m;	/* chain head */
	int64_t q;	/* first batch not heard by all notifiers */
	int64_t e;	/* plan: end */
	int64_t n;	/* plan: messages */
	uint64_t i, o, f;
	enum cut c;
	enum halt r; /* halt */
};

/* The metadata text, NUL-terminated, into dst; its length. */
size_t record_write(const struct record *record, char dst[RECORD_TEXT_MAX]);

/* `offset` < 0: missing. The text need not be NUL-terminated. Never fails: what
 * is not understood is RECORD_FOREIGN. */
void record_read(
    struct record *record, int64_t offset, const char *text, size_t len);

/* Same offset and same text. */
int record_equal(const struct record *a, const struct record *b);

/* Makes g of a group's output: `store_id` is options_output_hash of the store's
 * section (where the objects go, not how to get there). */
void record_g(char g[40], const char *cluster, const char *group,
    uint64_t store_id, int64_t generation);

/* Parts of g: whether cluster, group and prefix are the same, and the
 * generation (-1: not readable). */
int record_same_family(const char *g1, const char *g2);
int64_t record_generation(const char *g);

#endif
