/*
 * late_test.c -- what finalize.late: separate asks of the rest.
 */
#include "core/config/parts.h"
#include "tests/unit/harness.h"

#include <criterion/criterion.h>
#include <string.h>

struct topic {
	struct config_use uses[2];
	struct config_topic topic;
};

static void
begin(struct topic *t, const char *field)
{
	memset(t, 0, sizeof(*t));
	t->uses[0].plugin = harness_plugin("partitioner/field");
	t->uses[0].conf =
	    harness_conf(t->uses[0].plugin, "fields", field, NULL);
	t->uses[1].plugin = harness_plugin("partitioner/date");
	t->uses[1].conf = harness_conf(t->uses[1].plugin, NULL);
	t->topic.partitioners = (struct config_uses){t->uses, 2};
	t->topic.finalize = (struct config_finalize){.delay_ms = 1000,
	    .late = CONFIG_LATE_SEPARATE,
	    .late_name = "late"};
}

static void
end(struct topic *t)
{
	for (size_t i = 0; i < 2; i++)
		harness_conf_free(t->uses[i].plugin, (void *)t->uses[i].conf);
}

/* key or "", with the reason. */
static void
expect(const struct topic *t, const char *key, const char *why)
{
	struct secor_err err = {""};
	const char *found = late_fault(&t->topic, 1, &err);

	cr_expect_str_eq(found == NULL ? "" : found, key);
	cr_expect_not_null(
	    strstr(err.text, why), "'%s' in '%s'", why, err.text);
}

Test(late, component_that_nobody_makes_is_right)
{
	struct topic t;

	begin(&t, "[country]");
	expect(&t, "", "");
	t.topic.finalize.late = CONFIG_LATE_AMEND;
	t.topic.finalize.delay_ms = -1;
	expect(&t, "", "");
	end(&t);
}

Test(late, separate_without_delay_says_what_to_set)
{
	struct topic t;

	begin(&t, "[country]");
	t.topic.finalize.delay_ms = -1;
	expect(&t, "late", "finalize.delay");
	end(&t);
}

Test(late, level_of_that_name_is_refused_whatever_its_case)
{
	struct topic t;

	begin(&t, "[Late]");
	expect(&t, "late_name", "partitioner field makes a level 'late'");
	t.topic.finalize.late_name = "dt";
	expect(&t, "late_name", "partitioner date");
	t.topic.finalize.late_name = "tardy";
	expect(&t, "", "");
	end(&t);
}

Test(late, name_that_is_none_is_refused)
{
	static const char *const names[] = {"", "_late", ".late", "a/b", "a=b",
	    "9", "l te", "\xc3\xa4",
	    "a234567890123456789012345678901234567890123456789012345678901234"
	    "5"};
	struct topic t;

	begin(&t, "[country]");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		t.topic.finalize.late_name = names[i];
		expect(&t, "late_name", "is none");
	}
	end(&t);
}
