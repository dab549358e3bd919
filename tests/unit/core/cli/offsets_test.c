/*
 * offsets_test.c -- what `secor offsets` reads of people: where a partition
 * shall go on, and files of offsets.
 */
#include "core/cli/offsets.h"

#include <criterion/criterion.h>

/* ---- --to ---- */

Test(offsets, aim_is_an_offset_an_end_or_a_time)
{
	static const struct {
		const char *text;
		enum aim aim;
		int64_t number;
	} rows[] = {{"0", AIM_OFFSET, 0},
	    {"9223372036854775806", AIM_OFFSET, INT64_MAX - 1},
	    {"earliest", AIM_EARLIEST, 0}, {"latest", AIM_LATEST, 0},
	    {"1970-01-02", AIM_TIME, 86400000},
	    {"2026-01-31T12:30:05Z", AIM_TIME, 1769862605000},
	    {"1h", AIM_TIME, 1000000000000 - 3600000}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct move move = {.aim = AIM_NONE};

		cr_assert(move_aim(&move, rows[i].text, 1000000000000), "%s",
		    rows[i].text);
		cr_assert_eq(move.aim, rows[i].aim, "%s", rows[i].text);
		cr_assert_eq(move.number, rows[i].number, "%s", rows[i].text);
	}
}

Test(offsets, aim_is_nothing_else)
{
	static const char *const bad[] = {"", "-1", "soon", "Latest", "1.5",
	    "9223372036854775807", "99999999999999999999", "2026-13-01",
	    "2026-01-31T12:30", "-1h"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct move move = {.aim = AIM_NONE};

		cr_assert_not(move_aim(&move, bad[i], 0), "%s", bad[i]);
	}
}

/* ---- --from-file ---- */

Test(offsets, source_takes_lines_a_heading_and_comments)
{
	struct source source = {NULL, 0};
	struct secor_err err;

	cr_assert_eq(source_read(&source,
			 "topic,partition,offset\r\n"
			 "logs.a,0,17\r\n"
			 "\n"
			 "# by hand\n"
			 " \"logs.a\" , 12 , 0\n"
			 "logs.b,0,9223372036854775806",
			 "f", &err),
	    SECOR_OK, "%s", err.text);
	cr_assert_eq(source.count, 3);
	cr_assert_eq(source_find(&source, "logs.a", 0), 17);
	cr_assert_eq(source_find(&source, "logs.a", 12), 0);
	cr_assert_eq(source_find(&source, "logs.b", 0), INT64_MAX - 1);
	cr_assert_eq(source_find(&source, "logs.b", 1), -1);
	cr_assert_eq(source_find(&source, "logs", 0), -1);
	source_fini(&source);
}

Test(offsets, source_names_the_line_that_is_wrong)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
	    {"a,0,1\nb,0", "f:2: expected topic,partition,offset"},
	    {"a,0,1,2", "f:1: expected topic,partition,offset"},
	    {"a", "f:1: expected topic,partition,offset"},
	    {",0,1", "f:1: the topic is empty or too long"},
	    {"a,x,1", "f:1: the partition is no number"},
	    {"a,2147483648,1", "f:1: the partition is no number"},
	    {"a,-1,1", "f:1: the partition is no number"},
	    {"a,0,", "f:1: the offset is no number"},
	    {"a,0,-1", "f:1: the offset is no number"},
	    {"a,0,9223372036854775807", "f:1: the offset is no number"},
	    {"a,0,99999999999999999999", "f:1: the offset is no number"},
	    {"a,0,1\na,0,1", "f:2: this partition came before"},
	    {"a,0,1\ntopic,partition,offset",
		"f:2: the partition is no number"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct source source = {NULL, 0};
		struct secor_err err;

		cr_assert_eq(source_read(&source, rows[i].text, "f", &err),
		    SECOR_FATAL, "%s", rows[i].text);
		cr_assert_str_eq(err.text, rows[i].why);
		source_fini(&source);
	}
}
