/*
 * template_test.c -- levels out of templates. Times are those of Python's
 * strftime and zoneinfo.
 */
#include "tests/unit/harness.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const struct plugin *plugin;

static void
set_up(void)
{
	plugin = harness_plugin("partitioner/template");
}

TestSuite(template, .init = set_up);

/* "name=value|..." with "-" for a null value, or the reason. */
static const char *
text_of(
    void *self, const struct secor_route_in *in, struct secor_route_out *out)
{
	static char text[2048];
	struct secor_err err;
	size_t n = 0;

	*out = (struct secor_route_out){.size = sizeof(*out),
	    .time_from = INT64_MIN,
	    .time_until = INT64_MAX,
	    .offset_from = INT64_MIN,
	    .offset_until = INT64_MAX};
	if (plugin->ops.partitioner->route(self, in, out, &err) != SECOR_OK)
		n = (size_t)snprintf(text, sizeof(text), "%s", err.text);
	for (uint32_t i = 0; i < out->level_count; i++) {
		const struct secor_level_text *l = &out->levels[i];

		n += (size_t)snprintf(text + n, sizeof(text) - n,
		    "%s%.*s%s%.*s", i > 0 ? "|" : "", (int)l->name.len,
		    l->name.ptr, l->name.len > 0 ? "=" : "",
		    l->value.ptr != NULL ? (int)l->value.len : 1,
		    l->value.ptr != NULL ? l->value.ptr : "-");
	}
	return text;
}

static struct secor_bytes
bytes(const char *text)
{
	return (struct secor_bytes){text, text == NULL ? 0 : strlen(text)};
}

/* The two fields are those that the template names, in order. */
static const char *
path(const void *conf, const char *first, const char *second)
{
	struct secor_bytes fields[2] = {bytes(first), bytes(second)};
	struct secor_route_in in = {.size = sizeof(in),
	    .partition = 7,
	    .time_ms = 1405911096123,
	    .offset = 2345678,
	    .key = bytes("k"),
	    .fields = fields,
	    .field_count = 2};
	struct secor_route_out out;
	void *self = harness_open(plugin, conf, NULL);
	const char *text = text_of(self, &in, &out);

	harness_close(plugin, self);
	return text;
}

Test(template, holes_are_filled)
{
	static const struct {
		const char *template, *path;
	} rows[] = {
	    {"country={country}/dt={time:%Y-%m-%d}",
		"country=DE|dt=2014-07-21"},
	    {"{time:%Y/%m/%d}", "2014|07|21"},
	    {"{time:yr=%Y/mo=%m}", "yr=2014|mo=07"},
	    {"{a}-{b}/x", "DE-web|x"},
	    {"p={partition}/o={offset:1000000}/k={key}", "p=7|o=2000000|k=k"},
	    {"v={time:%FT%H.%M.%S%%}", "v=2014-07-21T02.51.36%"},
	    {"{field:time}/{{x}}", "DE|{x}"},
	    {"a=b=c/{c.d\\.e}", "a=b=c|DE"},
	    {"plain", "plain"},
	    {"{a}/{b}/{a}", "DE|web|DE"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *template = rows[i].template;
		void *conf = harness_conf(plugin, "template", template, NULL);
		char *check = harness_check(plugin, conf);

		cr_expect_str_empty(check, "%s: %s", template, check);
		cr_expect_str_eq(path(conf, "DE", "web"), rows[i].path,
		    "%s: %s", template, path(conf, "DE", "web"));
		free(check);
		harness_conf_free(plugin, conf);
	}
}

Test(template, values_are_not_split)
{
	void *conf = harness_conf(plugin, "template", "a={a}/x-{b}", NULL);

	cr_expect_str_eq(path(conf, "../b", "c/d"), "a=../b|x-c/d");
	harness_conf_free(plugin, conf);
}

Test(template, missing_is_rejected_or_defaulted)
{
	void *conf = harness_conf(plugin, "template", "a={a}/x-{b}", NULL);

	cr_expect_str_eq(path(conf, NULL, "b"), "field 'a' is missing");
	harness_conf_free(plugin, conf);
	conf = harness_conf(
	    plugin, "template", "a={a}/x-{b}", "missing", "default", NULL);
	cr_expect_str_eq(
	    path(conf, NULL, NULL), "a=-|x-__HIVE_DEFAULT_PARTITION__");
	cr_expect_str_eq(path(conf, "", ""), "a=|x-");
	harness_conf_free(plugin, conf);
	conf = harness_conf(plugin, "template", "a={a}/x-{b}", "missing",
	    "default", "default_value", "none", NULL);
	cr_expect_str_eq(path(conf, NULL, NULL), "a=none|x-none");
	harness_conf_free(plugin, conf);
}

Test(template, times_are_those_of_strftime)
{
	static const struct {
		const char *zone;
		int64_t ms;
		const char *text;
	} rows[] = {
	    {"UTC", 1405911096123, "2014 14 07 21 202 02 51 36 2014 30"},
	    {"UTC", 1609718399000, "2021 21 01 03 003 23 59 59 2020 53"},
	    {"UTC", 1709208000000, "2024 24 02 29 060 12 00 00 2024 09"},
	    {"UTC", 1609409107000, "2020 20 12 31 366 10 05 07 2020 53"},
	    {"UTC", -1, "1969 69 12 31 365 23 59 59 1970 01"},
	    {"UTC", 0, "1970 70 01 01 001 00 00 00 1970 01"},
	    {"Europe/Berlin", 1609718399000,
		"2021 21 01 04 004 00 59 59 2021 01"},
	    {"Europe/Berlin", 1414283400000,
		"2014 14 10 26 299 02 30 00 2014 43"},
	    {"Europe/Berlin", 1414287000000,
		"2014 14 10 26 299 02 30 00 2014 43"},
	    {"Asia/Kathmandu", 1405911096123,
		"2014 14 07 21 202 08 36 36 2014 30"},
	    {"America/Los_Angeles", 1405911096123,
		"2014 14 07 20 201 19 51 36 2014 29"},
	};
	struct secor_route_out out;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		void *conf = harness_conf(plugin, "template",
		    "{time:%Y %y %m %d %j %H %M %S %G %V}", "timezone",
		    rows[i].zone, NULL);
		void *self = harness_open(plugin, conf, NULL);
		struct secor_route_in in = {
		    .size = sizeof(in), .time_ms = rows[i].ms};

		cr_expect_str_eq(text_of(self, &in, &out), rows[i].text);
		harness_close(plugin, self);
		harness_conf_free(plugin, conf);
	}
}

/* The answer is the same up to the ends of its interval, and another beyond. */
Test(template, intervals_end_where_the_text_changes)
{
	static const char *const templates[] = {"{time:%Y}", "{time:%Y-%m}",
	    "{time:%F}", "{time:%j}", "{time:%G-%V}", "{time:%F %H}",
	    "{time:%F %H.%M}", "{time:%F %H.%M.%S}"};
	static const int64_t times[] = {1405911096123, 1609718399000,
	    1414283400000, 1414287000000, 1396141200000, -1};

	for (size_t i = 0; i < 8 * 6; i++) {
		void *conf = harness_conf(plugin, "template", templates[i % 8],
		    "timezone", "Europe/Berlin", NULL);
		void *self = harness_open(plugin, conf, NULL);
		struct secor_route_in in = {
		    .size = sizeof(in), .time_ms = times[i / 8]};
		struct secor_route_out out, other;
		char *text = strdup(text_of(self, &in, &out));
		int64_t from, until;

		cr_assert_eq(plugin->ops.partitioner->span(
				 self, in.time_ms, 1, &from, &until),
		    SECOR_OK);
		cr_expect_eq(from, out.time_from);
		cr_expect_eq(until, out.time_until);
		in.time_ms = out.time_from;
		cr_expect_str_eq(text_of(self, &in, &other), text);
		in.time_ms = out.time_until - 1;
		cr_expect_str_eq(text_of(self, &in, &other), text);
		in.time_ms = out.time_from - 1;
		cr_expect_str_neq(text_of(self, &in, &other), text);
		in.time_ms = out.time_until;
		cr_expect_str_neq(text_of(self, &in, &other), text);
		free(text);
		harness_close(plugin, self);
		harness_conf_free(plugin, conf);
	}
}

Test(template, span_is_of_the_first_levels)
{
	void *conf =
	    harness_conf(plugin, "template", "x/{time:%F}/{time:%H}", NULL);
	void *self = harness_open(plugin, conf, NULL);
	int64_t from, until, time = 1405911096123;

	(void)plugin->ops.partitioner->span(self, time, 1, &from, &until);
	cr_expect(from == INT64_MIN && until == INT64_MAX);
	(void)plugin->ops.partitioner->span(self, time, 2, &from, &until);
	cr_expect(from == 1405900800000 && until == 1405987200000);
	(void)plugin->ops.partitioner->span(self, time, 9, &from, &until);
	cr_expect(from == 1405908000000 && until == 1405911600000);
	harness_close(plugin, self);
	harness_conf_free(plugin, conf);
}

Test(template, offsets_hold_for_the_narrowest)
{
	void *conf =
	    harness_conf(plugin, "template", "{offset:1000}/{offset:10}", NULL);
	void *self = harness_open(plugin, conf, NULL);
	struct secor_route_in in = {.size = sizeof(in), .offset = 2345};
	struct secor_route_out out;

	cr_expect_str_eq(text_of(self, &in, &out), "2000|2340");
	cr_expect(out.offset_from == 2340 && out.offset_until == 2350);
	cr_expect(out.time_from == INT64_MIN && out.time_until == INT64_MAX);
	in.offset = INT64_MAX;
	(void)text_of(self, &in, &out);
	cr_expect_eq(out.offset_until, INT64_MAX);
	harness_close(plugin, self);
	harness_conf_free(plugin, conf);
}

Test(template, describe_says_what_it_looks_at)
{
	void *conf = harness_conf(
	    plugin, "template", "{b.c}/{a}/{key}/{b.c}/{partition}", NULL);
	struct secor_strings fields;
	uint32_t inputs;

	plugin->ops.partitioner->describe(conf, &inputs, &fields);
	cr_expect_eq(inputs, SECOR_ROUTE_BY_KEY | SECOR_ROUTE_BY_PARTITION);
	cr_assert_eq(fields.count, 2);
	cr_expect_str_eq(fields.items[0], "b.c");
	cr_expect_str_eq(fields.items[1], "a");
	harness_conf_free(plugin, conf);
	conf = harness_conf(plugin, "template", "{time:%F}/{offset:10}", NULL);
	plugin->ops.partitioner->describe(conf, &inputs, &fields);
	cr_expect_eq(inputs, SECOR_ROUTE_BY_TIME | SECOR_ROUTE_BY_OFFSET);
	cr_expect_eq(fields.count, 0);
	harness_conf_free(plugin, conf);
}

Test(template, check_complains)
{
	static const struct {
		const char *template, *complaint;
	} rows[] = {
	    {"a//b", "template: a level is empty"},
	    {"/a", "template: a level is empty"},
	    {"a/", "template: a level is empty"},
	    {"", "template: a level is empty"},
	    {"=a", "template: what stands before '=' is plain text"},
	    {"{a}=b", "template: what stands before '=' is plain text"},
	    {"a={a", "template: a brace has no other"},
	    {"a=a}", "template: a brace has no other"},
	    {"{}", "template: field '': "},
	    {"{a..b}", "template: field 'a..b': "},
	    {"{topic}", "template: '{topic}' is not possible"},
	    {"{time}", "template: a time needs a format"},
	    {"{time:}", "template: a time needs a format"},
	    {"{time:%Q}", "template: %Q is not possible in a time"},
	    {"{time:%Y%}", "template: a time ends with '%'"},
	    {"{offset}", "template: an offset says how many"},
	    {"{offset:0}", "template: an offset says how many"},
	    {"{offset:1x}", "template: an offset says how many"},
	    {"{offset:99999999999999999999}", "template: an offset says"},
	    {"a={x}/a={y}", "template: two levels have the name 'a'"},
	    {"1/2/3/4/5/6/7/8/9", "template: more than 8 levels"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		void *conf =
		    harness_conf(plugin, "template", rows[i].template, NULL);
		char *check = harness_check(plugin, conf);

		cr_expect(strncmp(check, rows[i].complaint,
			      strlen(rows[i].complaint)) == 0,
		    "%s: %s", rows[i].template, check);
		free(check);
		harness_conf_free(plugin, conf);
	}
}

Test(template, time_out_of_years_is_rejected)
{
	void *conf = harness_conf(plugin, "template", "{time:%F}", NULL);
	void *self = harness_open(plugin, conf, NULL);
	struct secor_route_in in = {
	    .size = sizeof(in), .time_ms = 253402300800000};
	struct secor_route_out out;

	cr_expect_str_eq(text_of(self, &in, &out),
	    "time is out of years 0001 to 9999: 253402300800000 ms");
	harness_close(plugin, self);
	harness_conf_free(plugin, conf);
}
