/*
 * hive_event_test.c -- which paths of an event a catalogue is told of, and what
 * their answers come to.
 */
#include "plugins/common/hive_event.h"

#include "tests/unit/plugins/notifier/event.h"

#include <criterion/criterion.h>
#include <string.h>

static const struct secor_event_level LEVELS[] = {
    {"dt", "2026-01-01"}, {"hr", "01"}};
static const struct hive_table_conf CONF = {.table = "logs_{topic}"};

/* Who sees to paths: each answer of a path that has none is SECOR_OK. */
struct told {
	struct text paths;
	const char *fails[2];
	int answers[2];
};

static int
see_to(void *self, const struct hive_path *path, struct secor_err *err)
{
	struct told *told = self;

	text_addf(&told->paths, "%s %s %s %s%s;", path->topic, path->table,
	    path->path, path->folder, path->event != NULL ? " whole" : "");
	for (size_t i = 0; i < 2; i++)
		if (told->fails[i] != NULL &&
		    strcmp(told->fails[i], path->path) == 0)
			return secor_fail(err, told->answers[i], "no %zu", i);
	return SECOR_OK;
}

static void
expect(struct told *told, const char *paths)
{
	cr_assert_str_eq(told->paths.ptr, paths);
	text_fini(&told->paths);
	told->paths = (struct text){0};
}

static int
tell(struct told *told, const struct hive_table_conf *conf,
    struct secor_err *err)
{
	struct event_object objects[] = {event_object("a", LEVELS, 2),
	    event_object("", NULL, 0), event_object("b", LEVELS, 2),
	    event_object("c", LEVELS, 2)};
	struct secor_event_batch batch = event_batch("t", objects, 4);

	text_adds(&told->paths, "");
	return hive_each_object(conf, &batch, see_to, told, err);
}

#define FOLDER "s3://b/raw/t/dt=2026-01-01"

Test(hive_event, objects_with_levels_are_seen_to_with_their_folder)
{
	struct told told = {0};

	cr_assert_eq(tell(&told, &CONF, NULL), SECOR_OK);
	expect(&told, "t logs_t a " FOLDER ";t logs_t b " FOLDER
		      ";t logs_t c " FOLDER ";");
}

Test(hive_event, objects_are_nobodys_business_without_table_or_until_later)
{
	static const struct secor_pair other = {"other", "logs"};
	static const struct hive_table_conf rows[] = {
	    {.tables = {&other, 1}},
	    {.table = "logs", .add = HIVE_ADD_FINALIZED},
	};

	for (size_t i = 0; i < 2; i++) {
		struct told told = {0};

		cr_assert_eq(tell(&told, &rows[i], NULL), SECOR_OK);
		expect(&told, "");
	}
}

Test(hive_event, rejected_path_is_named_and_holds_up_no_other)
{
	struct told told = {
	    .fails = {"a", "b"}, .answers = {SECOR_REJECT, SECOR_REJECT}};
	struct secor_err err;

	cr_assert_eq(tell(&told, &CONF, &err), SECOR_REJECT);
	cr_assert_str_eq(err.text, "table logs_t, path a: no 0");
	expect(&told, "t logs_t a " FOLDER ";t logs_t b " FOLDER
		      ";t logs_t c " FOLDER ";");
}

Test(hive_event, path_that_may_work_later_ends_the_batch)
{
	struct told told = {
	    .fails = {"a", "b"}, .answers = {SECOR_REJECT, SECOR_RETRY}};
	struct secor_err err;

	cr_assert_eq(tell(&told, &CONF, &err), SECOR_RETRY);
	cr_assert_str_eq(err.text, "table logs_t, path b: no 1");
	expect(&told, "t logs_t a " FOLDER ";t logs_t b " FOLDER ";");
}

Test(hive_event, path_that_holds_objects_itself_is_seen_to_whole)
{
	struct event_object object = event_object("a", LEVELS, 2);
	struct secor_event_path path = event_path("a", LEVELS, 2);
	struct told told = {.fails = {"a"}, .answers = {SECOR_RETRY}};
	struct secor_err err;

	path.objects = &object.object;
	path.object_count = 1;
	cr_assert_eq(
	    hive_whole_path(&CONF, &path, see_to, &told, &err), SECOR_RETRY);
	cr_assert_str_eq(err.text, "table logs_t, path a: no 0");
	expect(&told, "t logs_t a " FOLDER " whole;");
	text_adds(&told.paths, "");
	path.level_count = 1;
	cr_assert_eq(
	    hive_whole_path(&CONF, &path, see_to, &told, &err), SECOR_OK);
	expect(&told, "");
}

Test(hive_event, path_that_holds_no_objects_itself_is_no_partition)
{
	const struct secor_event_object object = {
	    .size = sizeof(object), .level_count = 2};
	struct secor_event_path path = {.size = sizeof(path),
	    .level_count = 2,
	    .objects = &object,
	    .object_count = 1};

	cr_assert(event_path_is_whole(&path));
	path.level_count = 1;
	cr_assert_not(event_path_is_whole(&path));
	path.level_count = 2;
	path.object_count = 0;
	cr_assert_not(event_path_is_whole(&path));
}

Test(hive_event, partitions_are_remembered_by_table_and_path)
{
	struct seen *seen = hive_seen_new();

	cr_assert_not(hive_seen_has(seen, "t", "a"));
	hive_seen_add(seen, "t", "a");
	cr_assert(hive_seen_has(seen, "t", "a"));
	cr_assert_not(hive_seen_has(seen, "u", "a"));
	seen_free(seen);
}
