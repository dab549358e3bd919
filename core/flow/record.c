/*
 * record.c -- metadata text of a partition's record, both ways.
 *
 * Invariant: record_read(record_write(r)) gives r back for every record but
 * MISSING and FOREIGN, and anything that differs by one byte from what
 * record_write makes is FOREIGN. So a downgrade, a foreign tool or a changed
 * byte is seen, never interpreted.
 */
#include "core/flow/record.h"

#include "core/base/hash.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const cut_names[CUT_COUNT] = {"none", "size", "age",
    "minute", "objects", "messages", "memory", "stage", "stop", "gap"};

static const char *const halt_names[HALT_COUNT] = {"none", "foreign-record",
    "offsets-lost", "record-gone", "record-older", "truncated", "data-loss",
    "plan-unreadable", "plan-differs", "plan-fingerprint", "bad-messages",
    "bad-message", "compacted-topic", "commit-refused", "store-list-refused",
    "other-group", "offsets-interrupted", "log-cut"};

const char *
cut_name(enum cut cut)
{
	return (unsigned)cut < CUT_COUNT ? cut_names[cut] : "unknown";
}

const char *
halt_name(enum halt halt)
{
	return (unsigned)halt < HALT_COUNT ? halt_names[halt] : "unknown";
}

static int
index_of(const char *const *names, int count, const char *name)
{
	for (int i = 1; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return 0;
}

enum halt
halt_by_name(const char *name)
{
	return (enum halt)index_of(halt_names, HALT_COUNT, name);
}

void
record_g(char g[40], const char *cluster, const char *group, uint64_t store_id,
    int64_t generation)
{
	uint64_t h = hash64_add_text(0, cluster);

	h = hash64_add_text(h, group);
	h = hash64_add(h, &store_id, sizeof(store_id));
	(void)snprintf(g, 40, "%016" PRIx64 ".%" PRId64, h, generation);
}

int
record_same_family(const char *g1, const char *g2)
{
	return strlen(g1) > 17 && strncmp(g1, g2, 17) == 0;
}

int64_t
record_generation(const char *g)
{
	const char *dot = strchr(g, '.');
	char *end;
	long long n;

	if (dot == NULL || dot[1] < '0' || dot[1] > '9')
		return -1;
	n = strtoll(dot + 1, &end, 10);
	return *end == '\0' ? n : -1;
}

size_t
record_write(const struct record *record, char dst[RECORD_TEXT_MAX])
{
	static const char *const words[] = {[RECORD_CLEAN] = "clean",
	    [RECORD_PLAN] = "plan",
	    [RECORD_HALT] = "halt"};
	char w[24] = "-";
	int n;

	assert(record->kind == RECORD_CLEAN || record->kind == RECORD_PLAN ||
	       record->kind == RECORD_HALT);
	if (record->w != INT64_MIN)
		(void)snprintf(w, sizeof(w), "%" PRId64, record->w);
	n = snprintf(dst, RECORD_TEXT_MAX,
	    "s1 %s g=%s w=%s m=%016" PRIx64 " q=%" PRId64, words[record->kind],
	    record->g, w, record->m, record->q);
	if (record->kind == RECORD_PLAN)
		n += snprintf(dst + n, RECORD_TEXT_MAX - (size_t)n,
		    " e=%" PRId64 " n=%" PRId64 " i=%016" PRIx64
		    " o=%016" PRIx64 " f=%016" PRIx64 " c=%s",
		    record->e, record->n, record->i, record->o, record->f,
		    cut_name(record->c));
	if (record->kind == RECORD_HALT)
		n += snprintf(dst + n, RECORD_TEXT_MAX - (size_t)n, " r=%s",
		    halt_name(record->r));
	assert(n > 0 && n < RECORD_TEXT_MAX);
	return (size_t)n;
}

/* Reads what record_write would write into `r`; loosely, since the result is
 * written again and compared. */
static int
scan(struct record *r, const char *text)
{
	char kind[8], w[24], c[24] = "", h[40] = "";
	int n = 0;

	if (sscanf(text,
		"s1 %7s g=%39s w=%23s m=%16" SCNx64 " q=%20" SCNd64 "%n", kind,
		r->g, w, &r->m, &r->q, &n) < 5)
		return 0;
	r->w = strcmp(w, "-") == 0 ? INT64_MIN : strtoll(w, NULL, 10);
	if (strcmp(kind, "clean") == 0) {
		r->kind = RECORD_CLEAN;
		return 1;
	}
	if (strcmp(kind, "halt") == 0) {
		r->kind = RECORD_HALT;
		if (sscanf(text + n, " r=%39s", h) != 1)
			return 0;
		r->r = halt_by_name(h);
		return 1;
	}
	r->kind = RECORD_PLAN;
	if (strcmp(kind, "plan") != 0 ||
	    sscanf(text + n,
		" e=%20" SCNd64 " n=%20" SCNd64 " i=%16" SCNx64 " o=%16" SCNx64
		" f=%16" SCNx64 " c=%23s",
		&r->e, &r->n, &r->i, &r->o, &r->f, c) != 6)
		return 0;
	r->c = (enum cut)index_of(cut_names, CUT_COUNT, c);
	return r->e > r->offset && r->n >= 0;
}

void
record_read(struct record *record, int64_t offset, const char *text, size_t len)
{
	struct record r = {.offset = offset};
	char copy[RECORD_TEXT_MAX], again[RECORD_TEXT_MAX];

	memset(record, 0, sizeof(*record));
	record->offset = offset;
	record->w = INT64_MIN;
	record->kind = offset < 0 ? RECORD_MISSING : RECORD_FOREIGN;
	if (offset < 0 || text == NULL || len == 0 || len >= sizeof(copy))
		return;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (!scan(&r, copy))
		return;
	if (record_write(&r, again) == len && memcmp(copy, again, len) == 0)
		*record = r;
}

int
record_equal(const struct record *a, const struct record *b)
{
	char x[RECORD_TEXT_MAX], y[RECORD_TEXT_MAX];

	if (a->offset != b->offset || a->kind != b->kind)
		return 0;
	if (a->kind == RECORD_MISSING || a->kind == RECORD_FOREIGN)
		return 1;
	return record_write(a, x) == record_write(b, y) && strcmp(x, y) == 0;
}
