/* request.c: requests byte by byte as the protocol guide has them, answers of
 * each version, and what is no answer. */
#include "core/flow/fetch/request.h"
#include "tests/unit/core/flow/fetch/hex.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* ---- requests ---- */

static const struct ask ASKS[] = {
    {"ab", 1, 258}, {"ab", 3, 0}, {"c", 0, 5}, {"ab", 2, 7}};

static const struct request REQUEST = {.wait_ms = 500,
    .min_bytes = 1,
    .max_bytes = 1 << 20,
    .partition_bytes = 1 << 18,
    .asks = ASKS,
    .count = 1};

#define HEAD "ffffffff 000001f4 00000001 00100000 01 "

static void
expect_request(int version, size_t count, const char *rack, const char *hex)
{
	struct request request = REQUEST;
	struct buf body = {0};

	request.version = version;
	request.count = count;
	request.rack = rack;
	request_write(&request, &body);
	hex_expect(&body, hex);
	buf_fini(&body);
}

Test(request, version_4_has_neither_session_nor_epoch)
{
	expect_request(4, 1, "r",
	    HEAD "00000001 0002'a''b' 00000001"
		 "00000001 0000000000000102 00040000");
}

Test(request, version_5_has_the_log_start)
{
	expect_request(5, 1, "r",
	    HEAD "00000001 0002'a''b' 00000001"
		 "00000001 0000000000000102 ffffffffffffffff 00040000");
}

Test(request, version_7_has_no_session_and_forgets_nothing)
{
	expect_request(7, 1, "r",
	    HEAD "00000000 ffffffff 00000001 0002'a''b' 00000001"
		 "00000001 0000000000000102 ffffffffffffffff 00040000"
		 "00000000");
}

Test(request, version_9_knows_no_epoch_of_the_leader)
{
	expect_request(9, 1, "r",
	    HEAD "00000000 ffffffff 00000001 0002'a''b' 00000001"
		 "00000001 ffffffff 0000000000000102 ffffffffffffffff 00040000"
		 "00000000");
}

Test(request, version_11_has_the_rack)
{
	expect_request(11, 1, "r1",
	    HEAD "00000000 ffffffff 00000001 0002'a''b' 00000001"
		 "00000001 ffffffff 0000000000000102 ffffffffffffffff 00040000"
		 "00000000 0002'r''1'");
}

Test(request, no_rack_is_empty)
{
	expect_request(11, 1, NULL,
	    HEAD "00000000 ffffffff 00000001 0002'a''b' 00000001"
		 "00000001 ffffffff 0000000000000102 ffffffffffffffff 00040000"
		 "00000000 0000");
}

Test(request, partitions_that_stand_together_are_one_topic)
{
	expect_request(4, 4, NULL,
	    HEAD "00000003"
		 "0002'a''b' 00000002"
		 "00000001 0000000000000102 00040000"
		 "00000003 0000000000000000 00040000"
		 "0001'c' 00000001 00000000 0000000000000005 00040000"
		 "0002'a''b' 00000001 00000002 0000000000000007 00040000");
}

/* ---- answers ---- */

/* A partition: index, error, high watermark 9, last stable 8. */
#define PARTITION(p, error)                       \
	"000000" p " 00" error "0000000000000009" \
	"0000000000000008"
#define START "0000000000000002 "
#define ABORTED                             \
	"00000002"                          \
	"0000000000000011 0000000000000003" \
	"0000000000000012 0000000000000004"
#define ABORTED_ONE "00000001 0000000000000013 0000000000000005"
#define RECORDS "00000003 'x''y''z'"

static const char ANSWER_4[] =
    "00000064 00000001 0002'a''b' 00000002" PARTITION("01", "00")
	ABORTED RECORDS PARTITION("03", "06") "ffffffff ffffffff";
static const char ANSWER_5[] =
    "00000064 00000001 0002'a''b' 00000002" PARTITION("01", "00")
	START ABORTED RECORDS PARTITION("03", "06") START "ffffffff ffffffff";
static const char ANSWER_7[] =
    "00000064 0000 00000000 00000001 0002'a''b' 00000002" PARTITION("01", "00")
	START ABORTED RECORDS PARTITION("03", "06") START "ffffffff ffffffff";
static const char ANSWER_11[] =
    "00000064 0000 00000000 00000001 0002'a''b' 00000002" PARTITION("01", "00")
	START ABORTED "00000007" RECORDS PARTITION("03", "06") START
    "ffffffff ffffffff ffffffff";

static const struct {
	int version;
	const char *hex;
} ANSWERS[] = {{4, ANSWER_4}, {5, ANSWER_5}, {6, ANSWER_5}, {7, ANSWER_7},
    {8, ANSWER_7}, {9, ANSWER_7}, {10, ANSWER_7}, {11, ANSWER_11}};

enum { ANSWERS_COUNT = sizeof(ANSWERS) / sizeof(ANSWERS[0]) };

/* Reads exact bytes: what is behind them is seen by a sanitizer. */
static int
read_exactly(
    struct replies *replies, int version, const char *bytes, size_t len)
{
	struct secor_err err = {""};
	char *copy = malloc(len == 0 ? 1 : len);
	int rc;

	cr_assert_not_null(copy);
	memcpy(copy, bytes, len);
	rc = replies_read(replies, version, copy, len, &err);
	cr_expect_eq(rc == SECOR_OK, err.text[0] == '\0');
	free(copy);
	return rc;
}

static int
read_hex(struct replies *replies, int version, const char *hex)
{
	struct buf bytes = {0};
	int rc;

	hex_put(&bytes, hex);
	rc = read_exactly(replies, version, bytes.ptr, bytes.len);
	buf_fini(&bytes);
	return rc;
}

static void
expect_answer(const struct replies *replies, int version)
{
	const struct reply *one = &replies->items[0];
	const struct reply *two = &replies->items[1];

	cr_expect_eq(replies->throttle_ms, 100);
	cr_expect_eq(replies->error, 0);
	cr_assert_eq(replies->count, 2);
	cr_expect_eq(one->partition, 1);
	cr_expect_eq(one->error, 0);
	cr_expect_eq(one->high_watermark, 9);
	cr_expect_eq(one->last_stable, 8);
	cr_expect_eq(one->log_start, version >= 5 ? 2 : -1);
	cr_expect_eq(one->preferred, version >= 11 ? 7 : -1);
	cr_assert_eq(one->aborted_count, 2);
	cr_expect_eq(one->aborted[0].producer_id, 0x11);
	cr_expect_eq(one->aborted[0].first_offset, 3);
	cr_expect_eq(one->aborted[1].producer_id, 0x12);
	cr_expect_eq(one->aborted[1].first_offset, 4);
	cr_expect_eq(one->len, 3);
	cr_expect_eq(two->partition, 3);
	cr_expect_eq(two->error, 6);
	cr_expect_eq(two->high_watermark, -1);
	cr_expect_eq(two->aborted_count, 0);
	cr_expect_null(two->records);
	cr_expect_eq(two->len, 0);
	cr_expect_eq(two->preferred, -1);
}

Test(request, answer_of_each_version_is_read)
{
	struct replies replies = {0};

	for (size_t i = 0; i < ANSWERS_COUNT; i++) {
		int version = ANSWERS[i].version;

		cr_assert_eq(read_hex(&replies, version, ANSWERS[i].hex),
		    SECOR_OK, "version %d", version);
		expect_answer(&replies, version);
	}
	replies_fini(&replies);
}

Test(request, answer_points_into_its_bytes)
{
	struct replies replies = {0};
	struct buf bytes = {0};
	struct secor_err err;

	hex_put(&bytes, ANSWER_11);
	cr_assert_eq(
	    replies_read(&replies, 11, bytes.ptr, bytes.len, &err), SECOR_OK);
	cr_expect_eq(replies.items[1].topic.len, 2);
	cr_expect_eq(memcmp(replies.items[1].topic.ptr, "ab", 2), 0);
	cr_expect_eq(memcmp(replies.items[0].records, "xyz", 3), 0);
	buf_fini(&bytes);
	replies_fini(&replies);
}

/* The list moves while it grows: each keeps its own. */
Test(request, aborted_of_many_partitions_are_each_its_own)
{
	enum { MANY = 100 };
	struct replies replies = {0};
	struct buf bytes = {0};
	struct secor_err err;

	hex_put(&bytes, "00000000 00000001 0001'a' 00000064");
	for (int i = 0; i < MANY; i++) {
		hex_put(&bytes, PARTITION("01", "00"));
		hex_put(&bytes, i % 2 == 0 ? ABORTED : ABORTED_ONE);
		hex_put(&bytes, RECORDS);
	}
	cr_assert_eq(
	    replies_read(&replies, 4, bytes.ptr, bytes.len, &err), SECOR_OK);
	cr_assert_eq(replies.count, MANY);
	for (size_t i = 0; i < MANY; i++) {
		const struct reply *reply = &replies.items[i];

		cr_assert_eq(reply->aborted_count, i % 2 == 0 ? 2 : 1);
		cr_expect_eq(
		    reply->aborted[reply->aborted_count - 1].producer_id,
		    i % 2 == 0 ? 0x12 : 0x13);
	}
	buf_fini(&bytes);
	replies_fini(&replies);
}

Test(request, error_of_the_whole_answer_is_told)
{
	struct replies replies = {0};

	cr_assert_eq(
	    read_hex(&replies, 7, "00000000 0047 00000000 00000000"), SECOR_OK);
	cr_expect_eq(replies.error, 0x47);
	cr_expect_eq(replies.count, 0);
	replies_fini(&replies);
}

/* ---- no answers ---- */

Test(request, answer_that_is_cut_off_anywhere_is_rejected)
{
	struct replies replies = {0};

	for (size_t i = 0; i < ANSWERS_COUNT; i++) {
		struct buf bytes = {0};

		hex_put(&bytes, ANSWERS[i].hex);
		for (size_t len = 0; len < bytes.len; len++)
			cr_assert_eq(read_exactly(&replies, ANSWERS[i].version,
					 bytes.ptr, len),
			    SECOR_REJECT, "version %d, %zu bytes",
			    ANSWERS[i].version, len);
		cr_expect_eq(replies.count, 0);
		buf_fini(&bytes);
	}
	replies_fini(&replies);
}

Test(request, absurd_answers_are_rejected)
{
	static const struct {
		int version;
		const char *hex;
	} bad[] = {
	    /* a byte more */
	    {4, "00000000 00000000 00"},
	    /* more topics, partitions, aborted than there are bytes */
	    {4, "00000000 7fffffff"},
	    {4, "00000000 00000001 0001'a' 7fffffff"},
	    {4, "00000000 00000001 0001'a' 00000001" PARTITION(
		    "01", "00") "7fffffff 00000000"},
	    {4, "00000000 00000001 0001'a' 00000001" PARTITION(
		    "01", "00") "10000000 00000000"},
	    /* counts and lengths below null */
	    {4, "00000000 80000000"},
	    {4, "00000000 00000001 8000"},
	    {4, "00000000 00000001 0001'a' fffffffe"},
	    {4, "00000000 00000001 0001'a' 00000001" PARTITION(
		    "01", "00") "80000000 00000000"},
	    {4, "00000000 00000001 0001'a' 00000001" PARTITION(
		    "01", "00") "00000000 80000000"},
	    /* records longer than what is left */
	    {4, "00000000 00000001 0001'a' 00000001" PARTITION(
		    "01", "00") "00000000 7fffffff 00"},
	    /* of another version */
	    {7, ANSWER_4},
	    {4, ANSWER_11},
	};
	struct replies replies = {0};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect_eq(read_hex(&replies, bad[i].version, bad[i].hex),
		    SECOR_REJECT, "case %zu", i);
	replies_fini(&replies);
}
