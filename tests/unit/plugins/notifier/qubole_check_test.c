/*
 * qubole_check_test.c -- what the qubole notifier says of its configuration.
 */
#include "tests/unit/harness.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static void
expect_check(const char *key, const char *value, const char *want)
{
	const struct plugin *plugin = harness_plugin("notifier/qubole");
	void *conf = harness_conf(plugin, "token", "x", "table", "logs", NULL);
	struct secor_err err = {""};
	char *got;

	cr_assert_eq(harness_set(plugin, conf, key, value, &err), SECOR_OK,
	    "%s", err.text);
	got = harness_check(plugin, conf);
	cr_assert_str_eq(got, want);
	free(got);
	harness_conf_free(plugin, conf);
}

Test(qubole_check, every_mistake_is_told)
{
	static const char BAD[] =
	    "table: is no Hive table: letters, digits, '_' and one '.' behind "
	    "the database\n";

	expect_check("table", "logs_{topic}", "");
	expect_check("table", "{topic}", "");
	expect_check("table", "db.logs_{topic}", "");
	expect_check("table", "logs {topic}", BAD);
	expect_check("table", "logs;DROP", BAD);
	expect_check("table", "a.b.c", BAD);
	expect_check("table", ".b", BAD);
	expect_check(
	    "table", "a.", "table: is no Hive table: a name is empty\n");
	expect_check("table", "", "table: is no Hive table: a name is empty\n");
	expect_check("table", "logs_{topics}",
	    "table: knows no placeholder but {topic}\n");
	expect_check("tables", "{t: logs_{topic}x}",
	    "tables: 'logs_{topic}x' is no Hive table: letters, digits, '_' "
	    "and one '.' behind the database\n");
	expect_check("token", "", "token: is empty or has a control byte\n");
	expect_check("base_url", "api.qubole.com",
	    "base_url: begins with neither http:// nor https://\n");
}

/* Hive's lexer and the scanner of templates agree where a literal is. */
Test(qubole_check, templates_are_read_as_hive_reads_statements)
{
	static const struct {
		const char *template_, *want;
	} rows[] = {
	    {"MSCK REPAIR TABLE {table}", NULL},
	    {"ANALYZE TABLE {table} PARTITION ({partition}) COMPUTE", NULL},
	    {"X ('n'='{records}', \"b\"=\"{bytes}\", c={objects})", NULL},
	    {"X ({topic}={path}, {location} {level:dt},{level:a b})", NULL},
	    {"X 'a\\'b\\{c' \"it's\" `a\\`", NULL},
	    {"X /*+ HINT(a) */ - 1 / 2 * 3", NULL},
	    {"", "is empty"},
	    {" \n", "is empty"},
	    {"X {topics}",
		"knows no placeholder '{topics}'; a brace inside a literal is "
		"\\{"},
	    {"X {}", "knows no placeholder '{}'; a brace inside a literal is "
		     "\\{"},
	    {"X {level:}", "knows no placeholder '{level:}'; a brace inside a "
			   "literal is \\{"},
	    {"X {table", "knows no placeholder '{table'; a brace inside a "
			 "literal is \\{"},
	    {"X '{topic}'", "{topic} stands inside quotes: it brings its own"},
	    {"X \"{level:dt}\"",
		"{level:dt} stands inside quotes: it brings its own"},
	    {"X `{table}`", "{table} stands inside quotes: it brings its own"},
	    {"X 'a\\\\' '{path}'",
		"{path} stands inside quotes: it brings its own"},
	    {"X '\"' {path} '\"' \"'\" {path} \"'\"", NULL},
	    {"X `\\`{path}", "{path} touches what is beside it: it is a whole "
			     "name or literal"},
	    {"X a{table}", "{table} touches what is beside it: it is a whole "
			   "name or literal"},
	    {"X {table}_2", "{table} touches what is beside it: it is a whole "
			    "name or literal"},
	    {"X 'a'{topic}", "{topic} touches what is beside it: it is a whole "
			     "name or literal"},
	    {"X {topic}'a'", "{topic} touches what is beside it: it is a whole "
			     "name or literal"},
	    {"X {topic}{path}", "{topic} touches what is beside it: it is a "
				"whole name or literal"},
	    {"X \\{topic}", "has a backslash outside of quotes"},
	    {"X -- {topic}", "has a comment: put it into the YAML"},
	    {"X /* it's */", "has a comment: put it into the YAML"},
	    {"X 'a", "ends inside '"},
	    {"X \"a\\\"", "ends inside \""},
	    {"X `a", "ends inside `"},
	    {"X; Y", "has a ';': one statement an item of the list, and \\; "
		     "inside a literal"},
	    {"X 'a;b'", "has a ';': one statement an item of the list, and "
			"\\; inside a literal"},
	    {"X 'a\\;b'", NULL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char want[256] = "";

		if (rows[i].want != NULL)
			(void)snprintf(want, sizeof(want),
			    "finalized_statements: statement 1 %s\n",
			    rows[i].want);
		expect_check("finalized_statements", rows[i].template_, want);
	}
}

Test(qubole_check, totals_of_a_first_object_are_not_known)
{
	static const char STATEMENT[] = "X {records}";

	expect_check("amended_statements", STATEMENT, "");
	expect_check("statements", STATEMENT,
	    "statements: statement 1 {records} is known of a path that is "
	    "complete, not of its first object\n");
}

Test(qubole_check, no_table_at_all_is_a_mistake)
{
	const struct plugin *plugin = harness_plugin("notifier/qubole");
	void *conf = harness_conf(plugin, "token", "x", NULL);
	char *got = harness_check(plugin, conf);

	cr_assert_str_eq(got, "needs `table` or `tables`\n");
	free(got);
	harness_conf_free(plugin, conf);
}
