/*
 * fingerprint_test.c -- what is in the fingerprint and what is not.
 */
#include "core/base/buf.h"
#include "core/base/files.h"
#include "core/config/config.h"
#include "tests/unit/harness.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char BASE[] = "kafka: {brokers: [b:1], group: g, topics: [t]}\n"
			   "parser: {use: sample, time_field: ts}\n"
			   "partitioner: {use: sample, fields: [a]}\n"
			   "format: {use: sample}\n"
			   "store: {use: sample, bucket: b}\n";

static char dir[] = "/tmp/fingerprint_test.XXXXXX";

static void
make_dir(void)
{
	cr_assert_not_null(mkdtemp(dir));
}

static void
remove_dir(void)
{
	(void)file_remove_tree(dir, NULL);
}

TestSuite(fingerprint, .init = make_dir, .fini = remove_dir);

static void
complain(void *arg, const char *line)
{
	(void)arg;
	cr_expect(0, "%s", line);
}

/* Of the base with `old` replaced by `new` and `more` behind it. */
static uint64_t
fingerprint(const char *old, const char *new, const char *more)
{
	char *samples = mem_text("%s/tests/plugins", harness_build());
	struct config_how how = {registry_new(samples, 1), 0, complain, NULL};
	const char *at = strstr(BASE, old);
	struct config *config = NULL;
	char *file = mem_text("%s/c.yaml", dir);
	FILE *out = fopen(file, "w");
	uint64_t result;

	cr_assert(at != NULL && out != NULL);
	(void)fprintf(out, "%.*s%s%s%s", (int)(at - BASE), BASE, new,
	    at + strlen(old), more);
	cr_assert_eq(fclose(out), 0);
	cr_assert_eq(config_load(file, &how, &config), SECOR_OK);
	result = config->topics[0].fingerprint;
	config_free(config);
	registry_free(how.registry);
	free(samples);
	free(file);
	return result;
}

Test(fingerprint, same_file_gives_the_same)
{
	cr_expect_eq(fingerprint("", "", ""), fingerprint("", "", ""));
	cr_expect_neq(fingerprint("", "", ""), 0);
}

Test(fingerprint, is_what_it_was_in_earlier_releases)
{
	/* it is in the plans of running groups: another value halts them */
	uint64_t now = fingerprint("", "", "");

	cr_expect_eq(now, UINT64_C(0x68a9b57114c7d5c1), "0x%016" PRIx64, now);
}

Test(fingerprint, changes_with_what_decides_output)
{
	static const struct {
		const char *old, *new, *more;
	} T[] = {
	    {"ts}", "at}", ""},
	    {"ts}", "ts, strict: no}", ""},
	    {"ts}", "ts, time_source: kafka}", ""},
	    {"ts}", "ts, accept_time: {past: 1d}}", ""},
	    {"ts}", "ts, accept_time: {future: 2d}}", ""},
	    {"[a]", "[a, b]", ""},
	    {"[a]", "[b]", ""},
	    {"{use: sample, fields: [a]}",
		"[{use: sample, fields: [a]}, {use: sample, fields: [a]}]", ""},
	    {"format: {use: sample}", "format: {use: sample, delimiter: x}",
		""},
	    {"", "", "transformers: {use: sample}\n"},
	    {"", "", "layout: {generation: 2}\n"},
	    {"", "", "layout: {manifest_prefix: m}\n"},
	    {"", "", "layout: {dead_letter_prefix: d}\n"},
	    {"", "", "layout: {extension: .log}\n"},
	    {"", "", "bad_messages: {action: skip}\n"},
	    {"", "", "compat: secor\n"},
	};
	uint64_t seen[sizeof(T) / sizeof(*T) + 1];
	size_t n = 0;

	seen[n++] = fingerprint("", "", "");
	for (size_t i = 0; i < sizeof(T) / sizeof(*T); i++) {
		seen[n] = fingerprint(T[i].old, T[i].new, T[i].more);
		for (size_t k = 0; k < n; k++)
			cr_expect_neq(seen[n], seen[k], "%s%s is as row %zu",
			    T[i].new, T[i].more, k);
		n++;
	}
}

/* With a partitioner that follows time. */
static uint64_t
timed(const char *finalize)
{
	char *date =
	    mem_text("{use: %s/plugins/partitioner/date.so}", harness_build());
	uint64_t result =
	    fingerprint("{use: sample, fields: [a]}", date, finalize);

	free(date);
	return result;
}

/* The delay of finalize decides paths where late data has its own. */
Test(fingerprint, delay_counts_where_late_data_is_separate)
{
	static const char *const separate[] = {
	    "finalize: {late: separate, delay: 1h}\n",
	    "finalize: {late: separate, delay: 2h}\n",
	    "finalize: {late: separate, delay: 1h, late_name: tardy}\n"};
	uint64_t seen[4] = {timed("")};

	cr_expect_eq(timed("finalize: {delay: 1h}\n"), seen[0]);
	cr_expect_eq(timed("finalize: {delay: 2h, late: amend}\n"), seen[0]);
	cr_expect_eq(timed("finalize: {late_name: tardy}\n"), seen[0]);
	for (size_t i = 0; i < 3; i++) {
		seen[i + 1] = timed(separate[i]);
		for (size_t k = 0; k <= i; k++)
			cr_expect_neq(seen[i + 1], seen[k], "%zu %zu", i, k);
	}
}

Test(fingerprint, stays_with_what_does_not)
{
	static const struct {
		const char *old, *new, *more;
	} T[] = {
	    {"[b:1]", "[c:2]", ""},
	    {"group: g", "group: h", ""},
	    {"[t]", "[t, u]", ""},
	    {"[t]", "[t], fetch: own", ""},
	    {"[t]", "[t], fetch: librdkafka", ""},
	    {"ts}", "ts, depth: 9, password: hunter2-x}", ""},
	    {"format: {use: sample}", "format: {use: sample, level: 9}", ""},
	    {"bucket: b", "bucket: c", ""},
	    {"", "", "batch: {max_age: 5m}\n"},
	    {"", "", "bad_messages: {halt_above: 1%}\n"},
	    {"", "", "engine: {writers: 7}\n"},
	    {"", "", "stage: {dir: /elsewhere}\n"},
	    {"", "", "notifiers: {use: sample, url: x}\n"},
	    /* defaults that are written down */
	    {"", "", "layout: {generation: 1, manifest_prefix: _manifests}\n"},
	    {"ts}", "ts, strict: true, time_source: field}", ""},
	};
	uint64_t base = fingerprint("", "", "");

	for (size_t i = 0; i < sizeof(T) / sizeof(*T); i++)
		cr_expect_eq(fingerprint(T[i].old, T[i].new, T[i].more), base,
		    "%s%s", T[i].new, T[i].more);
}
