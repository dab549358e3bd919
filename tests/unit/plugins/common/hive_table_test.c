/*
 * hive_table_test.c -- tables of topics, and levels that are columns.
 * (What `check` complains of is seen through a notifier: qubole_test.c.)
 */
#include "plugins/common/hive_table.h"
#include "plugins/common/seen.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static const struct secor_pair PAIRS[] = {
    {"my-topic", "db.special"}, {"t", "own"}};

static void
expect_table(const char *table, const char *topic, int want, const char *text)
{
	const struct hive_table_conf conf = {
	    .table = table, .tables = {PAIRS, 2}};
	struct secor_err err = {""};
	struct text got = {0};

	cr_assert_eq(hive_table_of(&conf, topic, &got, &err), want);
	if (want == SECOR_OK)
		cr_assert_str_eq(got.ptr, text);
	else
		cr_assert_not_null(strstr(err.text, text), "%s", err.text);
	text_fini(&got);
}

Test(hive_table, table_of_a_topic_is_its_own_or_by_the_template)
{
	expect_table("logs_{topic}", "t", SECOR_OK, "own");
	expect_table("logs_{topic}", "u", SECOR_OK, "logs_u");
	expect_table("{topic}.{topic}_x", "u", SECOR_OK, "u.u_x");
	expect_table("one", "any-topic", SECOR_OK, "one");
	expect_table(NULL, "u", SECOR_OK, "");
	expect_table(NULL, "my-topic", SECOR_OK, "db.special");
	expect_table("logs_{topic}", "a.b", SECOR_REJECT, "under `tables`");
	expect_table(
	    "logs_{topic}", "x; DROP", SECOR_REJECT, "topic 'x; DROP'");
}

Test(hive_table, level_that_is_no_column_is_rejected)
{
	static const struct {
		struct secor_event_level level;
		int want;
	} rows[] = {
	    {{"dt", "2026-01-01"}, SECOR_OK},
	    {{"dt", NULL}, SECOR_OK},
	    {{"dt", "'; DROP"}, SECOR_OK},
	    {{"", "x"}, SECOR_REJECT},
	    {{NULL, "x"}, SECOR_REJECT},
	    {{"a-b", "x"}, SECOR_REJECT},
	    {{"dt", "\xff"}, SECOR_REJECT},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_assert_eq(hive_level_check(&rows[i].level, "p", NULL),
		    rows[i].want, "row %zu", i);
}

Test(seen, more_than_fit_forgets_the_oldest)
{
	enum { MOST = 3 };
	struct seen *seen = seen_new(MOST);
	char text[32];

	for (int i = 0; i < 10; i++) {
		(void)snprintf(text, sizeof(text), "path %d", i);
		cr_assert_not(seen_has(seen, text));
		seen_add(seen, text);
		seen_add(seen, text); /* once */
	}
	for (int i = 0; i < 10; i++) {
		(void)snprintf(text, sizeof(text), "path %d", i);
		cr_assert_eq(seen_has(seen, text), i >= 10 - MOST);
	}
	seen_free(seen);
	seen_free(NULL);
}
