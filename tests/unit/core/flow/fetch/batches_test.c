/*
 * batches_test.c -- core/flow/fetch/batches: what is read, what is not.
 */
#include "core/flow/fetch/batches.h"
#include "tests/unit/core/flow/fetch/batch_make.h"

#include <criterion/criterion.h>
#include <string.h>

#define TRANSACTION 0x10
#define CONTROL 0x20

static struct buf bytes;
static struct batches batches;
static struct secor_err err;

static int
read_all(int64_t from)
{
	struct batches_in in = {
	    .bytes = bytes.ptr, .len = bytes.len, .from = from};

	return batches_read(&in, &batches, &err);
}

static void
done(void)
{
	batches_fini(&batches);
	buf_fini(&bytes);
}

Test(batches, nothing_gives_nothing)
{
	cr_assert_eq(read_all(42), SECOR_OK);
	cr_assert_eq(batches.count, 0);
	cr_assert_eq(batches.next, 42);
	done();
}

Test(batches, several_are_given_and_next_is_behind_the_last)
{
	batch_put_plain(&bytes, 10, 3, 0);
	batch_put_plain(&bytes, 13, 2, 0);
	batch_put_plain(&bytes, 20, 1, 0); /* compaction left a hole */
	cr_assert_eq(read_all(10), SECOR_OK);
	cr_assert_eq(batches.count, 3);
	cr_assert_eq(batches.spans[0].base_offset, 10);
	cr_assert_eq(batches.spans[0].count, 3);
	cr_assert_eq(batches.spans[2].base_offset, 20);
	cr_assert_eq(batches.next, 21);
	done();
}

Test(batches, one_that_is_cut_off_anywhere_is_left_out)
{
	size_t whole;

	batch_put_plain(&bytes, 10, 3, 0);
	whole = bytes.len;
	batch_put_plain(&bytes, 13, 2, 0);
	while (--bytes.len > whole) {
		cr_assert_eq(read_all(10), SECOR_OK);
		cr_assert_eq(batches.count, 1);
		cr_assert_eq(batches.next, 13);
	}
	done();
}

Test(batches, those_before_what_was_asked_for_are_passed_over)
{
	batch_put_plain(&bytes, 10, 3, 0);
	batch_put_plain(&bytes, 13, 3, 0);
	cr_assert_eq(read_all(14), SECOR_OK);
	cr_assert_eq(batches.count, 1);
	cr_assert_eq(batches.spans[0].base_offset, 13);
	cr_assert_eq(batches.spans[0].from, 14);
	cr_assert_eq(batches.next, 16);
	cr_assert_eq(read_all(16), SECOR_OK);
	cr_assert_eq(batches.count, 0);
	cr_assert_eq(batches.next, 16);
	cr_assert_eq(read_all(500), SECOR_OK);
	cr_assert_eq(batches.next, 500);
	done();
}

/* Each field that is checked, made wrong with a CRC that is right; alone, then
 * behind a batch that is good. */
static const struct damage {
	const char *name;
	size_t at;
	const char *bytes;
	size_t len;
	int rc;
	const char *text;
} damages[] = {
    {"negative offset", 0, "\xff", 1, SECOR_REJECT, "go back"},
    {"offset that wraps", 0, "\x7f\xff\xff\xff\xff\xff\xff\xfe", 8,
	SECOR_REJECT, "cannot be"},
    {"negative length", 8, "\xff\xff\xff\xff", 4, SECOR_REJECT, "length"},
    {"length 0", 8, "\0\0\0\0", 4, SECOR_REJECT, "length"},
    {"length less than a head", 8, "\0\0\0\x30", 4, SECOR_REJECT, "length"},
    {"length one less", 11, "\x47", 1, SECOR_REJECT, "checksum"},
    {"format 0", 16, "\0", 1, SECOR_FATAL, "format 0"},
    {"format 1", 16, "\1", 1, SECOR_FATAL, "format 1"},
    {"format 3", 16, "\3", 1, SECOR_REJECT, "not known"},
    {"format -1", 16, "\xff", 1, SECOR_REJECT, "not known"},
    {"codec 5", 22, "\5", 1, SECOR_FATAL, "codec 5"},
    {"codec 7", 22, "\7", 1, SECOR_FATAL, "codec 7"},
    {"not gzip", 22, "\1", 1, SECOR_REJECT, "gzip"},
    {"not snappy", 22, "\2", 1, SECOR_REJECT, "snappy"},
    {"not lz4", 22, "\3", 1, SECOR_REJECT, "lz4"},
    {"not zstd", 22, "\4", 1, SECOR_REJECT, "zstd"},
    {"negative delta", 23, "\xff\xff\xff\xff", 4, SECOR_REJECT, "offsets"},
    {"delta too small", 23, "\0\0\0\1", 4, SECOR_REJECT, "than offsets"},
    {"negative count", 57, "\xff\xff\xff\xff", 4, SECOR_REJECT, "records"},
    {"count 0 with bytes", 57, "\0\0\0\0", 4, SECOR_REJECT, "behind"},
    {"count of more than offsets", 57, "\0\0\0\4", 4, SECOR_REJECT,
	"than offsets"},
};

static void
damage(const struct damage *damage, size_t begin)
{
	memcpy(bytes.ptr + begin + damage->at, damage->bytes, damage->len);
	if (damage->at >= 21)
		batch_sign(bytes.ptr + begin, bytes.len - begin);
}

static void
is_stopped_by(const struct damage *d, int behind)
{
	size_t begin;

	bytes.len = 0;
	if (behind)
		batch_put_plain(&bytes, 7, 3, 0);
	begin = bytes.len;
	batch_put_plain(&bytes, 10, 3, 0);
	damage(d, begin);
	err.text[0] = '\0';
	cr_assert_eq(read_all(behind ? 7 : 10), behind ? SECOR_OK : d->rc, "%s",
	    d->name);
	cr_assert_eq(batches.count, behind, "%s", d->name);
	cr_assert_eq(batches.next, 10, "%s", d->name);
	cr_assert(behind || strstr(err.text, d->text) != NULL, "%s: %s",
	    d->name, err.text);
}

Test(batches, field_that_is_wrong_stops_in_front_of_it)
{
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		is_stopped_by(&damages[i], 0);
		is_stopped_by(&damages[i], 1);
	}
	done();
}

Test(batches, count_of_more_than_the_bytes_can_hold_is_damage)
{
	batch_put_plain(&bytes, 10, 3, 0);
	memcpy(bytes.ptr + 23, "\x7f\xff\xff\xff", 4);
	memcpy(bytes.ptr + 57, "\x7f\xff\xff\xff", 4);
	batch_sign(bytes.ptr, bytes.len);
	cr_assert_eq(read_all(10), SECOR_REJECT);
	cr_assert_not_null(strstr(err.text, "more records than bytes"));
	done();
}

Test(batches, offsets_that_go_back_are_damage)
{
	batch_put_plain(&bytes, 10, 3, 0);
	batch_put_plain(&bytes, 12, 3, 0);
	cr_assert_eq(read_all(10), SECOR_OK);
	cr_assert_eq(batches.count, 1);
	cr_assert_eq(batches.next, 13);
	cr_assert_eq(read_all(13), SECOR_REJECT);
	cr_assert_eq(batches.next, 13);
	done();
}

/* The broker answers with the batch that has the offset, from its begin on. */
Test(batches, damage_before_what_was_asked_for_does_not_go_back)
{
	batch_put_plain(&bytes, 10, 5, 0);
	bytes.ptr[70] ^= 1;
	cr_assert_eq(read_all(12), SECOR_REJECT);
	cr_assert_eq(batches.next, 12);
	done();
}

/* ---- transactions ---- */

static void
put_of(int64_t producer, int64_t base_offset, int32_t count)
{
	size_t begin = bytes.len;

	batch_put_plain(&bytes, base_offset, count, TRANSACTION);
	memset(bytes.ptr + begin + 43, 0, 8);
	bytes.ptr[begin + 50] = (char)producer;
	batch_sign(bytes.ptr + begin, bytes.len - begin);
}

static void
put_marker(int64_t producer, int64_t offset, int type)
{
	struct batch_made made = {.base_offset = offset,
	    .count = 1,
	    .attributes = TRANSACTION | CONTROL,
	    .producer_id = producer};
	struct buf records = {0};

	/* length 16: attributes, deltas, a key of 4, a value of 6, no headers
	 */
	buf_put(&records, "\x20\0\0\0\x08\0\0\0\0\x0c\0\0\0\0\0\1\0", 17);
	records.ptr[8] = (char)type;
	batch_put(&bytes, &made, &records);
	buf_fini(&records);
}

static void
offsets_are(const struct aborted *aborted, size_t count, const char *want)
{
	struct batches_in in = {.bytes = bytes.ptr,
	    .len = bytes.len,
	    .aborted = aborted,
	    .aborted_count = count};
	struct buf got = {0};

	buf_puts(&got, "");
	cr_assert_eq(
	    batches_read(&in, &batches, &err), SECOR_OK, "%s", err.text);
	for (size_t i = 0; i < batches.count; i++)
		buf_printf(
		    &got, "%lld ", (long long)batches.spans[i].base_offset);
	cr_assert_str_eq(got.ptr, want);
	buf_fini(&got);
}

Test(batches, transactions_of_several_producers_between_one_another)
{
	static const struct aborted aborted[] = {
	    {1, 10}, {3, 2}, {1, 0}, {2, 5}};

	put_of(1, 0, 1); /* aborted by 3 */
	put_of(2, 1, 1); /* committed by 4 */
	put_of(3, 2, 1); /* aborted by 8 */
	put_marker(1, 3, 0);
	put_marker(2, 4, 1);
	put_of(2, 5, 1); /* aborted by 11 */
	put_of(1, 6, 1); /* committed by 9 */
	put_of(3, 7, 1); /* aborted by 8 */
	put_marker(3, 8, 0);
	put_marker(1, 9, 1);
	put_of(1, 10, 1); /* aborted, its marker is not there yet */
	put_marker(2, 11, 0);
	put_of(2, 12, 1); /* committed later */
	put_of(3, 13, 1); /* committed later */
	offsets_are(aborted, 4, "1 6 12 13 ");
	cr_assert_eq(batches.next, 14);
	offsets_are(NULL, 0, "0 1 2 5 6 7 10 12 13 ");
	done();
}

/* What an idempotent producer sent outside of transactions is good. */
Test(batches, batch_that_is_of_no_transaction_is_given)
{
	static const struct aborted aborted = {1, 0};

	put_of(1, 0, 2);
	batch_put_plain(&bytes, 2, 2, 0);
	memcpy(bytes.ptr + bytes.len - (bytes.len / 2) + 43, "\0\0\0\0\0\0\0\1",
	    8);
	batch_sign(bytes.ptr + bytes.len / 2, bytes.len / 2);
	offsets_are(&aborted, 1, "2 ");
	done();
}

/* As long as the first offset is beyond, it has not begun. */
Test(batches, transaction_that_begins_later_does_not_count_yet)
{
	static const struct aborted aborted = {1, 3};

	put_of(1, 0, 2);
	put_marker(1, 2, 0);
	put_of(1, 3, 1);
	offsets_are(&aborted, 1, "0 ");
	done();
}

/* The offset is that of a record, wherever its batch begins. */
Test(batches, transaction_that_begins_within_a_batch_has_all_of_it)
{
	static const struct aborted aborted = {1, 1};

	put_of(1, 0, 2);
	put_of(1, 2, 2);
	offsets_are(&aborted, 1, "");
	done();
}

Test(batches, marker_of_another_kind_ends_no_aborted_transaction)
{
	static const struct aborted aborted = {1, 0};

	put_of(1, 0, 1);
	put_marker(1, 1, 1);
	put_of(1, 2, 1);
	put_marker(1, 3, 2);
	put_of(1, 4, 1);
	put_marker(2, 5, 0);
	put_of(1, 6, 1);
	put_marker(1, 7, 0);
	put_of(1, 8, 1);
	offsets_are(&aborted, 1, "8 ");
	done();
}

/* Of two transactions that the broker tells, one marker is not there. */
Test(batches, one_marker_ends_all_that_has_begun)
{
	static const struct aborted aborted[] = {{1, 0}, {1, 1}};

	put_of(1, 0, 1);
	put_of(1, 1, 1);
	put_marker(1, 2, 0);
	put_of(1, 3, 1);
	offsets_are(aborted, 2, "3 ");
	done();
}

Test(batches, many_aborted_are_found)
{
	struct aborted aborted[100];

	for (int i = 0; i < 100; i++) {
		aborted[i].producer_id = 100 - i;
		aborted[i].first_offset = 2 * (99 - i);
		put_of(i + 1, 2 * i, 2);
	}
	offsets_are(aborted, 100, "");
	cr_assert_eq(batches.next, 200);
	aborted[50].producer_id = 101;
	offsets_are(aborted, 100, "98 ");
	done();
}

/* Else what the producer commits after it would be passed over. */
Test(batches, marker_that_cannot_be_read_is_damage)
{
	static const size_t places[] = {61, 65}; /* its length, its key's */

	for (size_t i = 0; i < 2; i++) {
		bytes.len = 0;
		put_marker(1, 0, 0);
		bytes.ptr[places[i]] = 2;
		batch_sign(bytes.ptr, bytes.len);
		cr_assert_eq(read_all(0), SECOR_REJECT);
		cr_assert_not_null(strstr(err.text, "marker"));
		cr_assert_eq(batches.next, 0);
	}
	done();
}

/* ---- memory ---- */

Test(batches, empty_keeps_no_more_memory_than_it_may)
{
	batches.plain = mem_alloc(2 * sizeof(*batches.plain));
	batches.plain_room = 2;
	buf_reserve(&batches.plain[0], 1000);
	buf_reserve(&batches.plain[1], 100000);
	batches_empty(&batches, 2000);
	cr_assert_not_null(batches.plain[0].ptr);
	cr_assert_null(batches.plain[1].ptr);
	batches_empty(&batches, 0);
	cr_assert_null(batches.plain[0].ptr);
	done();
}
