/*
 * batches_plain_test.c -- core/flow/fetch/batches: how much is decompressed at
 * once, and that nothing is lost or read twice by it.
 */
#include "core/flow/fetch/batches.h"
#include "tests/unit/core/flow/fetch/batch_make.h"

#include <criterion/criterion.h>
#include <string.h>

#define SNAPPY 0x02
#define TRANSACTION 0x10
#define CONTROL 0x20
#define LOG_MOST 40

static struct buf bytes;
static struct batches batches;
static struct secor_err err;

/* `count` records, compressed to one literal. Returns how many bytes plain. */
static size_t
put_packed(int64_t base, int32_t count, int attributes, int64_t producer)
{
	struct batch_made made = {.base_offset = base,
	    .last_delta = count - 1,
	    .count = count,
	    .attributes = SNAPPY | attributes,
	    .producer_id = producer};
	struct buf plain = {0}, packed = {0};
	size_t len;

	for (int32_t i = 0; i < count; i++)
		record_put(&plain, i, 0, NULL, "v");
	len = plain.len;
	cr_assert_lt(len, 128);
	buf_putc(&packed, (char)len);
	buf_putc(&packed, (char)0xf0);
	buf_putc(&packed, (char)(len - 1));
	buf_put(&packed, plain.ptr, len);
	batch_put(&bytes, &made, &packed);
	buf_fini(&plain);
	buf_fini(&packed);
	return len;
}

static void
put_abort(int64_t base, int64_t producer)
{
	struct batch_made made = {.base_offset = base,
	    .count = 1,
	    .attributes = TRANSACTION | CONTROL,
	    .producer_id = producer};
	/* attributes, time, delta, key of 4: an abort; value of 6; headers */
	static const char marker[] = {
	    0, 0, 0, 8, 0, 0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0};
	struct buf record = {0};

	varint_put(&record, (int64_t)sizeof(marker));
	buf_put(&record, marker, sizeof(marker));
	batch_put(&bytes, &made, &record);
	buf_fini(&record);
}

static void
read_most(int64_t from, size_t most, size_t count, int64_t next)
{
	struct batches_in in = {.bytes = bytes.ptr,
	    .len = bytes.len,
	    .from = from,
	    .plain_most = most};

	cr_assert_eq(batches_read(&in, &batches, &err), SECOR_OK);
	cr_assert_eq(batches.count, count, "%zu batches", batches.count);
	cr_assert_eq(batches.next, next, "next %lld", (long long)batches.next);
}

static void
done(void)
{
	batches_fini(&batches);
	buf_fini(&bytes);
}

Test(batches_plain, bound_that_is_met_stops_in_front_of_the_next)
{
	size_t each = put_packed(0, 3, 0, -1);

	(void)put_packed(3, 3, 0, -1);
	(void)put_packed(6, 3, 0, -1);
	read_most(0, 0, 3, 9);
	read_most(0, 1, 1, 3); /* the first is larger than the bound */
	read_most(0, each, 1, 3);
	read_most(0, each + 1, 2, 6);
	read_most(0, 2 * each, 2, 6);
	read_most(4, each, 1, 6);
	read_most(6, each, 1, 9);
	done();
}

Test(batches_plain, uncompressed_do_not_count)
{
	batch_put_plain(&bytes, 0, 3, 0);
	(void)put_packed(3, 3, 0, -1);
	batch_put_plain(&bytes, 6, 3, 0);
	(void)put_packed(9, 3, 0, -1);
	read_most(0, 1, 3, 9);
	read_most(9, 1, 1, 12);
	done();
}

/* ---- a log, read piece by piece ---- */

static struct aborted aborted[LOG_MOST];
static int64_t ends[LOG_MOST]; /* offsets of their markers */
static size_t aborted_count, starts[LOG_MOST], batch_count;
static int64_t lasts[LOG_MOST], log_end;
static unsigned char expected[8 * LOG_MOST], seen[8 * LOG_MOST];

static unsigned
random_below(unsigned *state, unsigned most)
{
	*state = *state * 1103515245U + 12345U;
	return (*state >> 16) % most;
}

static void
add_batch(unsigned *state, int *open)
{
	unsigned kind = random_below(state, 5);
	int32_t count = 1 + (int32_t)random_below(state, 5);

	starts[batch_count] = bytes.len;
	if (kind == 4 && *open) {
		ends[aborted_count - 1] = log_end;
		*open = 0;
		put_abort(log_end, 7);
		count = 1;
	} else if (kind == 3) {
		if (!*open)
			aborted[aborted_count++] = (struct aborted){7, log_end};
		ends[aborted_count - 1] = INT64_MAX;
		*open = 1;
		(void)put_packed(log_end, count, TRANSACTION, 7);
	} else {
		if (kind == 0)
			batch_put_plain(&bytes, log_end, count, 0);
		else
			(void)put_packed(log_end, count, 0, -1);
		memset(expected + log_end, 1, (size_t)count);
	}
	log_end += count;
	lasts[batch_count++] = log_end - 1;
}

static void
see_all(void)
{
	struct cursor cursor;
	struct message message;

	for (size_t i = 0; i < batches.count; i++) {
		cursor_begin(&cursor, &batches.spans[i]);
		while (cursor_next(&cursor, &message) == 1)
			seen[message.raw.offset]++;
	}
}

/* As a broker does it: from the batch on that has `from`, with the aborted
 * transactions that did not end before. */
static int64_t
read_from(int64_t from, size_t most)
{
	struct aborted list[LOG_MOST];
	struct batches_in in = {
	    .from = from, .aborted = list, .plain_most = most};
	size_t at = 0;

	while (lasts[at] < from)
		at++;
	in.bytes = bytes.ptr + starts[at];
	in.len = bytes.len - starts[at];
	for (size_t i = 0; i < aborted_count; i++)
		if (ends[i] >= from)
			list[in.aborted_count++] = aborted[i];
	cr_assert_eq(
	    batches_read(&in, &batches, &err), SECOR_OK, "%s", err.text);
	cr_assert_gt(batches.next, from);
	see_all();
	return batches.next;
}

Test(batches_plain, all_of_a_log_is_read_once_whatever_the_bound)
{
	unsigned state = 1;

	for (int round = 0; round < 2000; round++) {
		int64_t at, from;
		int open = 0;
		size_t most = random_below(&state, 150);

		bytes.len = aborted_count = batch_count = 0;
		log_end = 0;
		memset(expected, 0, sizeof(expected));
		memset(seen, 0, sizeof(seen));
		while (batch_count < LOG_MOST)
			add_batch(&state, &open);
		from = random_below(&state, (unsigned)log_end);
		memset(expected, 0, (size_t)from);
		for (at = from; at < log_end;)
			at = read_from(at, most);
		cr_assert_eq(at, log_end);
		cr_assert_arr_eq(seen, expected, sizeof(seen),
		    "round %d, bound %zu", round, most);
	}
	done();
}
