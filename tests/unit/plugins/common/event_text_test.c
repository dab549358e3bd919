/*
 * event_text_test.c -- plugins/common/event_text: placeholders are read,
 * filled, and no value breaks out of what is around it.
 */
#include "plugins/common/event_text.h"

#include "tests/unit/plugins/notifier/event.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* Ends strings, fields and lines of most languages. */
#define HOSTILE                                                          \
	"\"},{\"x\":1}\\\n\r\t\x01&a=b<script>';%0a\x7f\xff\xe2\x82\xac" \
	"${x}{topic}"

static const struct secor_event_level LEVELS[] = {
    {"dt", "2026-01-01"}, {"hr", HOSTILE}, {"c", NULL}};

static struct event_object objects[2];

static struct secor_event_path
path_of(const char *topic)
{
	struct secor_event_path path =
	    event_path("dt=2026-01-01/hr=x/c=y", LEVELS, 3);

	path.topic = topic;
	path.url = "s3://b/t/dt=2026-01-01/hr=x";
	path.objects = (const void *)objects;
	path.object_count = 2;
	objects[0] = event_object("a", LEVELS, 3);
	objects[1] = event_object("b", LEVELS, 3);
	return path;
}

/* The source, filled with a path of that topic; the caller frees. */
static char *
fill_path(const char *source, const char *topic, event_write_fn *write)
{
	const struct event_text_rules rules = {.events = EVENT_PATHS};
	struct secor_event_path path = path_of(topic);
	const struct event_said said = {
	    .event = EVENT_PATH_AMENDED, .path = &path, .sent_ms = 5};
	struct event_text *text = NULL;
	struct text to = {0};
	struct secor_err err = {""};

	cr_assert_eq(event_text_new(source, &rules, &text, &err), SECOR_OK,
	    "%s: %s", source, err.text);
	event_text_add(&to, text, &said, write);
	cr_assert_not(to.failed);
	event_text_free(text);
	return to.ptr;
}

static void
expect_path(const char *source, event_write_fn *write, const char *want)
{
	char *got = fill_path(source, "t", write);

	cr_assert_str_eq(got, want, "%s: %s", source, got);
	free(got);
}

Test(event_text, placeholders_of_a_path_are_filled)
{
	expect_path("", event_write_plain, "");
	expect_path("plain", event_write_plain, "plain");
	expect_path("{event} {topic} {path}", event_write_plain,
	    "path_amended t dt=2026-01-01/hr=x/c=y");
	expect_path("{url}|{id}", event_write_plain,
	    "s3://b/t/dt=2026-01-01/hr=x|t/dt=2026-01-01/hr=x/c=y#7");
	expect_path("{objects} {records} {bytes} {sent_ms}", event_write_plain,
	    "2 500 10000000000 5");
	expect_path("{total_objects} {total_records} {total_bytes}",
	    event_write_plain, "7 9000 6000000000");
	expect_path("{time_from} {time_until} {time_from_ms} {time_until_ms}",
	    event_write_plain,
	    "2026-01-01T00:00:00Z 2026-01-01T01:00:00Z 1767225600000 "
	    "1767229200000");
	expect_path("{level:dt},{level:c},{level:none}", event_write_plain,
	    "2026-01-01,__HIVE_DEFAULT_PARTITION__,");
}

Test(event_text, placeholders_of_a_batch_are_filled)
{
	const struct event_text_rules rules = {.events = EVENT_BATCH_DONE};
	struct event_object object = event_object("a", LEVELS, 3);
	struct secor_event_batch batch = event_batch("t", &object, 1);
	const struct event_said said = {
	    .event = EVENT_BATCH_DONE, .batch = &batch, .sent_ms = 5};
	struct event_text *text = NULL;
	struct text to = {0}, json = {0};
	struct secor_err err;

	cr_assert_eq(
	    event_text_new(
		"{event} {id} {partition} {start} {end} {messages} {filtered} "
		"{bad} {objects} {records} {bytes} {manifest_key} {json}",
		&rules, &text, &err),
	    SECOR_OK);
	event_text_add(&to, text, &said, event_write_plain);
	event_said_json(&json, &said);
	cr_assert(strncmp(to.ptr,
		      "batch_done t/3/100-350 3 100 350 250 2 1 1 250 "
		      "5000000000 _manifests/t/3/1_100.json {\"event\":",
		      93) == 0,
	    "%s", to.ptr);
	event_text_free(text);
	text_fini(&to);
	text_fini(&json);
}

Test(event_text, braces_that_are_no_placeholder_stay)
{
	static const char *const SAME[] = {"{", "}", "{}", "{{}}", "{ topic }",
	    "{\"a\": {}}", "{Topic}", "{1}", "{topic", "{{ .Status }}",
	    "{level:a\"b}", "{a b}", "{\"a\":{\"b\":1}}"};

	for (size_t i = 0; i < sizeof(SAME) / sizeof(SAME[0]); i++)
		expect_path(SAME[i], event_write_plain, SAME[i]);
	expect_path("{{topic}", event_write_plain, "{topic}");
	expect_path("{{foo}{topic}", event_write_plain, "{foo}t");
	expect_path("{{{topic}", event_write_plain, "{{topic}");
	expect_path("a{topic}b{topic}", event_write_plain, "atbt");
}

static void
expect_complaint(
    const char *source, unsigned events, int plain_only, const char *want)
{
	const struct event_text_rules rules = {events, plain_only};
	struct event_text *text = NULL;
	struct secor_err err = {""};

	cr_assert_eq(event_text_new(source, &rules, &text, &err), SECOR_FATAL,
	    "%s", source);
	cr_assert_not_null(strstr(err.text, want), "%s: %s", source, err.text);
	cr_assert_null(text);
}

Test(event_text, unknown_placeholder_is_named_with_those_that_there_are)
{
	expect_complaint("{foo}", EVENT_ALL, 0,
	    "{foo} is no placeholder; there are {event} {id} {topic}");
	expect_complaint("{paths}", EVENT_PATHS, 0, "{level:NAME}");
	expect_complaint("{topic:x}", EVENT_ALL, 0, "{topic:x} takes no name");
	expect_complaint("{level}", EVENT_PATHS, 0, "names no level");
	expect_complaint("{level:}", EVENT_PATHS, 0, "names no level");
	expect_complaint("{path}", EVENT_ALL, 0,
	    "{path} is not known of batch_done, which `events` holds");
	expect_complaint("{start}", EVENT_PATHS, 0,
	    "{start} is not known of path_finalized");
	expect_complaint("{json}", EVENT_ALL, 1, "{json} is not possible here");
	expect_complaint("{{topic}{x}", EVENT_ALL, 0, "{x} is no placeholder");
}

Test(event_text, values_stay_inside_json)
{
	static const char SOURCE[] =
	    "{\"in\": \"a \\\"{topic}\\\" b\", \"own\": {topic}, "
	    "\"null\": {level:none}, \"void\": \"{level:none}\", "
	    "\"n\": {total_bytes}, \"l\": {level:hr}, \"all\": {json}, "
	    "\"text\": \"{json}\", \"back\": \"\\\\{topic}\"}";
	/* what is no UTF-8 is replaced */
	static const char TOLD[] =
	    "\"},{\"x\":1}\\\n\r\t\x01&a=b<script>';%0a\x7f\xef\xbf\xbd"
	    "\xe2\x82\xac${x}{topic}";
	char *got = fill_path(SOURCE, HOSTILE, event_write_json);
	json_t *json = json_loads(got, JSON_REJECT_DUPLICATES, NULL), *inner;
	char want[256];

	cr_assert_not_null(json, "%s", got);
	cr_assert_eq(json_object_size(json), 9);
	(void)snprintf(want, sizeof(want), "a \"%s\" b", TOLD);
	cr_assert_str_eq(json_string_value(json_object_get(json, "in")), want);
	cr_assert_str_eq(json_string_value(json_object_get(json, "own")), TOLD);
	cr_assert_str_eq(json_string_value(json_object_get(json, "l")), TOLD);
	(void)snprintf(want, sizeof(want), "\\%s", TOLD);
	cr_assert_str_eq(
	    json_string_value(json_object_get(json, "back")), want);
	cr_assert(json_is_null(json_object_get(json, "null")));
	cr_assert_str_eq(json_string_value(json_object_get(json, "void")), "");
	inner = json_loads(
	    json_string_value(json_object_get(json, "text")), 0, NULL);
	cr_assert(json_equal(inner, json_object_get(json, "all")));
	json_decref(inner);
	json_decref(json);
	free(got);
}

Test(event_text, values_stay_inside_other_texts)
{
	char *got = fill_path("p={topic}&q=1", HOSTILE, event_write_url);

	cr_assert_str_eq(got,
	    "p=%22%7D%2C%7B%22x%22%3A1%7D%5C%0A%0D%09%01%26a%3Db%3Cscript%3E"
	    "%27%3B%250a%7F%FF%E2%82%AC%24%7Bx%7D%7Btopic%7D&q=1");
	free(got);
	got = fill_path("<a b='{topic}'>", HOSTILE, event_write_xml);
	cr_assert_str_eq(got,
	    "<a b='&#34;},{&#34;x&#34;:1}\\&#10;&#13;&#9;\xef\xbf\xbd&#38;a=b"
	    "&#60;script&#62;&#39;;%0a\x7f\xef\xbf\xbd\xe2\x82\xac"
	    "${x}{topic}'>");
	free(got);
	got = fill_path(
	    "m{t=\"{topic}\"} 1\n{topic}", HOSTILE, event_write_plain);
	cr_assert_str_eq(got,
	    "m{t=\"\\\"},{\\\"x\\\":1}\\\\\\n\\x0d\\x09\\x01&a=b<script>';%0a"
	    "\\x7f\xff\xe2\x82\xac${x}{topic}\"} 1\n"
	    "\"},{\"x\":1}\\\\n\\x0d\\x09\\x01&a=b<script>';%0a\\x7f\xff"
	    "\xe2\x82\xac${x}{topic}");
	free(got);
	got = fill_path("{topic}", "a\r\nX: y\xc3\xbc %", event_write_header);
	cr_assert_str_eq(got, "a%0D%0AX: y%C3%BC %");
	free(got);
}

Test(event_text, content_type_says_how)
{
	static const struct {
		const char *type;
		event_write_fn *write;
	} rows[] = {{"application/json", event_write_json},
	    {"Application/JSON; charset=utf-8", event_write_json},
	    {"application/cloudevents+json", event_write_json},
	    {"application/x-ndjson", event_write_json},
	    {"application/x-www-form-urlencoded", event_write_url},
	    {"text/xml;charset=utf-8", event_write_xml},
	    {"application/soap+xml", event_write_xml},
	    {"text/html", event_write_xml}, {"text/plain", event_write_plain},
	    {"application/notjson", event_write_plain},
	    {"json", event_write_plain}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_assert_eq(event_write_for(rows[i].type), rows[i].write, "%s",
		    rows[i].type);
}

Test(event_text, long_text_of_braces_is_read)
{
	char source[4096] = "";
	char *got;

	for (size_t i = 0; i < 500; i++)
		strcat(source, i % 3 == 0 ? "{topic}" : "{{a}");
	got = fill_path(source, "t", event_write_plain);
	cr_assert_eq(strlen(got), 167 + 333 * 3);
	free(got);
}
