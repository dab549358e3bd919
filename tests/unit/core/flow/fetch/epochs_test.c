/* epochs.c: requests byte by byte as the protocol guide has them, answers, and
 * what is none. */
#include "core/flow/fetch/epochs.h"
#include "tests/unit/core/flow/fetch/hex.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const struct epoch_ask ASKS[] = {
    {"ab", 1, 5}, {"ab", 3, 6}, {"c", 0, 258}, {"ab", 2, 7}};

static void
expect_request(int version, size_t count, const char *hex)
{
	struct buf body = {0};

	epochs_write(version, ASKS, count, &body);
	hex_expect(&body, hex);
	buf_fini(&body);
}

Test(epochs, version_2_has_no_replica)
{
	expect_request(
	    2, 1, "00000001 0002'a''b' 00000001 00000001 ffffffff 00000005");
}

Test(epochs, version_3_is_of_a_consumer)
{
	expect_request(3, 1,
	    "ffffffff"
	    "00000001 0002'a''b' 00000001 00000001 ffffffff 00000005");
}

Test(epochs, partitions_that_stand_together_are_one_topic)
{
	expect_request(3, 4,
	    "ffffffff 00000003"
	    "0002'a''b' 00000002"
	    "00000001 ffffffff 00000005 00000003 ffffffff 00000006"
	    "0001'c' 00000001 00000000 ffffffff 00000102"
	    "0002'a''b' 00000001 00000002 ffffffff 00000007");
}

/* ---- answers ---- */

#define END(p, error, end) \
	"00" error "000000" p "00000004 00000000000000" end " "

static const char ANSWER[] = "00000000 00000002 0002'a''b' 00000002" END("01",
    "00", "09") END("03", "06", "00") "0001'c' 00000001" END("00", "00", "07");

/* Reads exact bytes: what is behind them is seen by a sanitizer. */
static int
read_exactly(struct epoch_end *ends, size_t room, size_t *count,
    const char *bytes, size_t len)
{
	struct secor_err err = {""};
	char *copy = malloc(len == 0 ? 1 : len);
	int rc;

	cr_assert_not_null(copy);
	memcpy(copy, bytes, len);
	rc = epochs_read(ends, room, count, copy, len, &err);
	cr_expect_eq(rc == SECOR_OK, err.text[0] == '\0');
	free(copy);
	return rc;
}

static int
read_hex(struct epoch_end *ends, size_t room, size_t *count, const char *hex)
{
	struct buf bytes = {0};
	int rc;

	hex_put(&bytes, hex);
	rc = read_exactly(ends, room, count, bytes.ptr, bytes.len);
	buf_fini(&bytes);
	return rc;
}

Test(epochs, answer_is_read)
{
	struct epoch_end ends[3];
	size_t count;

	cr_assert_eq(read_hex(ends, 3, &count, ANSWER), SECOR_OK);
	cr_assert_eq(count, 3);
	cr_expect_eq(ends[0].partition, 1);
	cr_expect_eq(ends[0].epoch, 4);
	cr_expect_eq(ends[0].error, 0);
	cr_expect_eq(ends[0].end, 9);
	cr_expect_eq(ends[1].partition, 3);
	cr_expect_eq(ends[1].error, 6);
	cr_expect_eq(ends[2].topic.len, 1);
	cr_expect_eq(ends[2].end, 7);
}

Test(epochs, answer_that_is_cut_off_anywhere_is_rejected)
{
	struct epoch_end ends[3];
	struct buf bytes = {0};
	size_t count;

	hex_put(&bytes, ANSWER);
	for (size_t len = 0; len < bytes.len; len++)
		cr_assert_eq(read_exactly(ends, 3, &count, bytes.ptr, len),
		    SECOR_REJECT, "%zu bytes", len);
	cr_expect_eq(count, 0);
	buf_fini(&bytes);
}

Test(epochs, absurd_answers_are_rejected)
{
	static const char *const bad[] = {/* a byte more */
	    "00000000 00000000 00",
	    /* more topics, more partitions than there are bytes */
	    "00000000 7fffffff",
	    "00000000 00000001 0001'a' 7fffffff" END("00", "00", "00"),
	    /* more than were asked for */
	    "00000000 00000001 0001'a' 00000002" END("00", "00", "00")
		END("00", "00", "00")};
	struct epoch_end ends[1];
	size_t count;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect_eq(read_hex(ends, 1, &count, bad[i]), SECOR_REJECT,
		    "%s", bad[i]);
}
