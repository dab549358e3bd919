/*
 * regex_test.c -- regular expressions of Java for topics, as POSIX has them.
 */
#include "core/cli/migrate/migration.h"

#include <criterion/criterion.h>
#include <regex.h>
#include <stdlib.h>

static int
compiles(const char *posix)
{
	regex_t regex;

	if (regcomp(&regex, posix, REG_EXTENDED | REG_NOSUB) != 0)
		return 0;
	regfree(&regex);
	return 1;
}

Test(regex, java_becomes_posix)
{
	static const struct {
		const char *java, *posix;
	} T[] = {
	    {".*", "^.*"},
	    {"", "^()$"},
	    {"logs", "^(logs)$"},
	    {"a|b", "^(a|b)$"},
	    {"a\\.b", "^(a\\.b)$"},
	    {"a\\-b\\_c", "^(a-b_c)$"},
	    {"(?:a|b)\\d{1,2}", "^((a|b)[0-9]{1,2})$"},
	    {"\\w+\\D\\s", "^([A-Za-z0-9_]+[^0-9][[:space:]])$"},
	    {"[\\w.-]+", "^([A-Za-z0-9_.-]+)$"},
	    {"[^\\d\\-x]*", "^([^0-9x-]*)$"},
	    {"a.*?b+?c??", "^(a.*b+c?)$"},
	    {"a{2}?", "^(a{2})$"},
	};

	for (size_t i = 0; i < sizeof(T) / sizeof(*T); i++) {
		char *got = regex_posix(T[i].java);

		cr_assert_not_null(got, "%s", T[i].java);
		cr_expect_str_eq(got, T[i].posix, "%s", T[i].java);
		cr_expect(compiles(got), "%s", got);
		free(got);
	}
}

Test(regex, java_without_an_equal_is_refused)
{
	static const char *const T[] = {"(?i)a", "(?!a).*", "(?=a)b", "(?<n>a)",
	    "a*+", "\\bword", "\\Qa.b\\E", "(a)\\1", "\\p{L}", "[a&&b]",
	    "[[a]]", "[a", "[\\]a]", "a\\", "[a\\"};

	for (size_t i = 0; i < sizeof(T) / sizeof(*T); i++) {
		char *got = regex_posix(T[i]);

		cr_expect_null(got, "%s: %s", T[i], got);
		free(got);
	}
}

Test(regex, negative_lookahead_in_front_is_an_exclusion)
{
	static const struct {
		const char *java, *excluded;
	} T[] = {
	    {"(?!test).*", "^(test)"},
	    {"^(?!(a|b)$).*$", "^((a|b)$)"},
	    {"(?!a\\)).+", "^(a\\))"},
	    {"(?!a).*b", NULL},
	    {"(?!a", NULL},
	    {"(?!(?=a)).*", NULL},
	    {"a.*", NULL},
	};

	for (size_t i = 0; i < sizeof(T) / sizeof(*T); i++) {
		char *got = regex_excluded(T[i].java);

		if (T[i].excluded == NULL)
			cr_expect_null(got, "%s: %s", T[i].java, got);
		else
			cr_expect_str_eq(got, T[i].excluded, "%s", T[i].java);
		free(got);
	}
}
