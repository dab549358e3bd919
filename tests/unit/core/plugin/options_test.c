/*
 * options_test.c -- values in configuration syntax, rows, copies, hashes.
 */
#include "core/plugin/options.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const char *const COLOURS[] = {"red", "green", "blue", NULL};

struct conf {
	int on;
	int64_t n;
	int64_t room;
	int64_t wait;
	const char *text;
	int colour;
	struct secor_strings list;
	struct secor_pairs map;
	double ratio;
	double share;
	const char *secret;
	int64_t past;
};

static const struct secor_option ROWS[] = {
    SECOR_OPTION(BOOL, struct conf, on, "on", "true", 0, "h"),
    SECOR_OPTION_RANGE(INT, struct conf, n, "n", "5", "1", "10", 8, "h"),
    SECOR_OPTION_RANGE(
	SIZE, struct conf, room, "room", "64KiB", "1KiB", "1GiB", 0, "h"),
    SECOR_OPTION(DURATION, struct conf, wait, "wait", "1h30m", 0, "h"),
    SECOR_OPTION(STRING, struct conf, text, "text", NULL, 8, "h"),
    SECOR_OPTION_CHOICE(
	struct conf, colour, "colour", "green", COLOURS, 8, "h"),
    SECOR_OPTION(STRINGS, struct conf, list, "list", "[a, b]", 8, "h"),
    SECOR_OPTION(PAIRS, struct conf, map, "map", "{k: v}", 0, "h"),
    SECOR_OPTION(DOUBLE, struct conf, ratio, "ratio", "0.5", 0, "h"),
    SECOR_OPTION(PERCENT, struct conf, share, "share", "10%", 0, "h"),
    SECOR_OPTION(
	STRING, struct conf, secret, "secret", NULL, SECOR_OPTION_SECRET, "h"),
    SECOR_OPTION_RANGE(DURATION, struct conf, past, "past", "unlimited",
	"unlimited", NULL, 0, "h"),
};

static const struct options OPTS = {ROWS, sizeof(ROWS) / sizeof(*ROWS),
    sizeof(struct secor_option), sizeof(struct conf)};

static const struct secor_option *
row(const char *key)
{
	const struct secor_option *found = options_find(&OPTS, key);

	cr_assert_not_null(found);
	return found;
}

Test(options, duration_table_parses)
{
	static const struct {
		const char *text;
		int64_t ms; /* -2: refused */
	} T[] = {{"0", 0}, {"250ms", 250}, {"10m", 600000}, {"1h30m", 5400000},
	    {"10d", 864000000}, {"2w", 1209600000}, {"1m1ms", 60001},
	    {"1s", 1000}, {"unlimited", -1}, {"", -2}, {"5", -2}, {"5x", -2},
	    {"-1s", -2}, {"1s1h", -2}, {"1h1h", -2}, {"1.5h", -2}, {"1h ", -2},
	    {" 1h", -2}, {"h", -2}, {"9223372036854775807w", -2},
	    {"99999999999999999999s", -2}, {"1H", -2}, {"1ms1s", -2}};

	for (size_t i = 0; i < sizeof(T) / sizeof(*T); i++) {
		int64_t ms = -2;

		(void)parse_duration(T[i].text, &ms);
		cr_expect_eq(
		    ms, T[i].ms, "'%s' gave %lld", T[i].text, (long long)ms);
	}
}

Test(options, size_table_parses)
{
	static const struct {
		const char *text;
		int64_t bytes;
	} T[] = {{"0", 0}, {"512", 512}, {"64KiB", 65536},
	    {"200MiB", 209715200}, {"1GB", 1000000000}, {"1 GiB", 1073741824},
	    {"3B", 3}, {"", -2}, {"-1", -2}, {"1.5GiB", -2}, {"1M", -2},
	    {"1mib", -2}, {"MiB", -2}, {"9223372036854775807KiB", -2}};

	for (size_t i = 0; i < sizeof(T) / sizeof(*T); i++) {
		int64_t bytes = -2;

		(void)parse_size(T[i].text, &bytes);
		cr_expect_eq(bytes, T[i].bytes, "'%s' gave %lld", T[i].text,
		    (long long)bytes);
	}
}

Test(options, bool_words_parse)
{
	int value = -1;

	cr_expect_eq(parse_bool("Yes", &value), SECOR_OK);
	cr_expect_eq(value, 1);
	cr_expect_eq(parse_bool("off", &value), SECOR_OK);
	cr_expect_eq(value, 0);
	cr_expect_eq(parse_bool("1", &value), SECOR_REJECT);
	cr_expect_eq(value, 0);
}

Test(options, defaults_fill_every_type)
{
	struct conf *conf = options_new(&OPTS);

	cr_expect_eq(conf->on, 1);
	cr_expect_eq(conf->n, 5);
	cr_expect_eq(conf->room, 65536);
	cr_expect_eq(conf->wait, 5400000);
	cr_expect_null(conf->text);
	cr_expect_eq(conf->colour, 1);
	cr_assert_eq(conf->list.count, 2);
	cr_expect_str_eq(conf->list.items[1], "b");
	cr_assert_eq(conf->map.count, 1);
	cr_expect_str_eq(conf->map.items[0].value, "v");
	cr_expect_eq(conf->ratio, 0.5);
	cr_expect_eq(conf->share, 0.1);
	cr_expect_eq(conf->past, -1);
	options_free(&OPTS, conf);
}

Test(options, wrong_value_says_key_and_cause)
{
	static const struct {
		const char *key, *value, *says;
	} T[] = {
	    {"on", "maybe", "on: 'maybe' is not true or false"},
	    {"n", "x", "n: 'x' is not a whole number"},
	    {"n", "11", "n: 11 is more than 10, the most allowed"},
	    {"n", "0", "n: 0 is less than 1, the least allowed"},
	    {"room", "5x",
		"room: '5x' is not a size (like 64KiB, 200MiB or 1GB)"},
	    {"wait", "5x",
		"wait: '5x' is not a duration (like 250ms, 10m or 1h30m)"},
	    {"wait", "unlimited",
		"wait: unlimited is less than 0, the least allowed"},
	    {"colour", "gren",
		"colour: 'gren' is not one of red, green, blue; did you mean "
		"'green'?"},
	    {"colour", "x", "colour: 'x' is not one of red, green, blue"},
	    {"share", "101%",
		"share: 101% is more than 100%, the most allowed"},
	    {"ratio", "nan", "ratio: 'nan' is not a number"},
	    {"map", "x", "map: is a map (like {key: value}), not one value"},
	};
	struct conf *conf = options_new(&OPTS);

	for (size_t i = 0; i < sizeof(T) / sizeof(*T); i++) {
		struct secor_err err = {""};

		cr_expect_eq(options_set(row(T[i].key), conf, T[i].value, &err),
		    SECOR_REJECT, "%s", T[i].says);
		cr_expect_str_eq(err.text, T[i].says);
	}
	cr_expect_eq(conf->n, 5);
	options_free(&OPTS, conf);
}

Test(options, list_for_scalar_is_refused)
{
	struct conf *conf = options_new(&OPTS);
	const char *values[] = {"1", "2"};
	struct secor_err err = {""};

	cr_expect_eq(options_set_list(row("n"), conf, NULL, values, 2, &err),
	    SECOR_REJECT);
	cr_expect_str_eq(err.text, "n: is a whole number, not a list");
	cr_expect_eq(
	    options_set_list(row("list"), conf, values, values, 2, &err),
	    SECOR_REJECT);
	cr_expect_str_eq(err.text, "list: is a list, not a map");
	options_free(&OPTS, conf);
}

Test(options, scalar_for_list_is_its_only_item)
{
	struct conf *conf = options_new(&OPTS);

	cr_expect_eq(options_set(row("list"), conf, "[x]", NULL), SECOR_OK);
	cr_assert_eq(conf->list.count, 1);
	cr_expect_str_eq(conf->list.items[0], "[x]");
	options_free(&OPTS, conf);
}

Test(options, copy_shares_no_memory)
{
	struct conf *conf = options_new(&OPTS);
	struct conf *copy;

	(void)options_set(row("text"), conf, "old", NULL);
	(void)options_set(row("n"), conf, "7", NULL);
	copy = options_copy(&OPTS, conf);
	(void)options_set(row("text"), conf, "new", NULL);
	(void)options_set(row("list"), conf, "z", NULL);
	options_free(&OPTS, conf);
	cr_expect_str_eq(copy->text, "old");
	cr_expect_eq(copy->n, 7);
	cr_expect_eq(copy->list.count, 2);
	cr_expect_str_eq(copy->map.items[0].key, "k");
	options_free(&OPTS, copy);
}

static void
expect_shown(const struct conf *conf, const char *key, const char *text)
{
	char *shown = options_show(row(key), conf);

	cr_expect_str_eq(shown, text);
	free(shown);
}

Test(options, show_is_configuration_syntax)
{
	struct conf *conf = options_new(&OPTS);

	expect_shown(conf, "on", "true");
	expect_shown(conf, "n", "5");
	expect_shown(conf, "room", "64KiB");
	expect_shown(conf, "wait", "1h30m");
	expect_shown(conf, "colour", "green");
	expect_shown(conf, "list", "[a, b]");
	expect_shown(conf, "map", "{k: v}");
	expect_shown(conf, "share", "10%");
	expect_shown(conf, "past", "unlimited");
	cr_expect_null(options_show(row("text"), conf));
	(void)options_set(row("text"), conf, "a: \"b\"$", NULL);
	expect_shown(conf, "text", "\"a: \\\"b\\\"$$\"");
	options_free(&OPTS, conf);
}

Test(options, show_hides_what_is_secret)
{
	struct conf *conf = options_new(&OPTS);

	(void)options_set(row("secret"), conf, "hunter2", NULL);
	(void)options_set_text(
	    row("map"), conf, "{sasl.password: x, sasl.username: y}", NULL);
	(void)options_set(row("text"), conf, "http://me:pw@host/p", NULL);
	expect_shown(conf, "secret", "\"***\"");
	expect_shown(conf, "map", "{sasl.password: \"***\", sasl.username: y}");
	expect_shown(conf, "text", "http://***@host/p");
	options_free(&OPTS, conf);
}

Test(options, output_hash_follows_output_rows_only)
{
	struct conf *conf = options_new(&OPTS);
	uint64_t before = options_output_hash(&OPTS, conf);

	(void)options_set(row("wait"), conf, "5m", NULL);
	cr_expect_eq(options_output_hash(&OPTS, conf), before);
	(void)options_set(row("n"), conf, "6", NULL);
	cr_expect_neq(options_output_hash(&OPTS, conf), before);
	(void)options_set(row("n"), conf, "5", NULL);
	cr_expect_eq(options_output_hash(&OPTS, conf), before);
	(void)options_set(row("text"), conf, "", NULL);
	cr_expect_neq(options_output_hash(&OPTS, conf), before);
	options_free(&OPTS, conf);
}

Test(options, output_hash_of_a_later_table_is_the_same_while_unset)
{
	struct options earlier = OPTS;
	struct conf *conf = options_new(&OPTS);

	while (!(options_row(&earlier, earlier.count - 1)->flags &
		 SECOR_OPTION_OUTPUT))
		earlier.count--;
	earlier.count--; /* the last that decides output was not there yet */
	cr_expect_eq(options_output_hash(&OPTS, conf),
	    options_output_hash(&earlier, conf));
	(void)options_set(row("n"), conf, "6", NULL);
	cr_expect_eq(options_output_hash(&OPTS, conf),
	    options_output_hash(&earlier, conf));
	options_free(&OPTS, conf);
}

Test(options, nearest_word_table)
{
	static const char *const WORDS[] = {
	    "max_age", "max_bytes", "brokers", "use", "dir"};
	static const struct {
		const char *word, *near;
	} T[] = {{"max_agee", "max_age"}, {"max-age", "max_age"},
	    {"MaxBytes", "max_bytes"}, {"borkers", "brokers"},
	    {"broker", "brokers"}, {"ues", "use"}, {"zzz", NULL},
	    {"something", NULL}, {"", NULL}, {"x", NULL}, {"dirs", "dir"}};

	for (size_t i = 0; i < sizeof(T) / sizeof(*T); i++) {
		const char *near = nearest_word(T[i].word, WORDS, 5);

		if (T[i].near == NULL)
			cr_expect_null(near, "'%s' gave %s", T[i].word, near);
		else
			cr_expect(near != NULL && !strcmp(near, T[i].near),
			    "'%s' gave %s", T[i].word, near ? near : "none");
	}
}
