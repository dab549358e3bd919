/*
 * hive_metastore_known_test.c -- the notifier hive-metastore: what it knows
 * already must not make it hear an event that nothing was done for, or refuse
 * one that is right.
 */
#include "tests/unit/plugins/notifier/event.h"
#include "tests/unit/plugins/notifier/hive_help.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#define TABLE "get_table_req"
#define ADD "add_partition_with_environment_context"
#define GET "get_partition"
#define PLACE "s3://b/t/dt=x"

#define ALREADY_EXISTS 2
#define META_OF_ADD 3
#define NO_SUCH_OBJECT 2

/* An object of a topic in dt=x of this folder. */
static int
tell(struct hive *hive, const char *topic, const char *folder)
{
	const struct secor_event_level level = {"dt", "x"};
	struct event_object object = event_object("dt=x", &level, 1);
	struct secor_event_batch batch = event_batch(topic, &object, 1);
	struct text url = {0};
	int rc;

	text_addf(&url, "%s%s1_0_7.gz", folder, *folder == '\0' ? "" : "/");
	object.object.url = url.ptr;
	rc = hive->plugin->ops.notifier->batch_done(
	    hive->self, &batch, &hive->err);
	text_fini(&url);
	return rc;
}

Test(hive_metastore_known, same_path_of_another_topic_is_not_known,
    .timeout = 120)
{
	struct hive hive;

	hive_begin(&hive, "tables", "{a: one, b: one}", NULL);
	hive_says(&hive, HIVE_REPLY, hive_table_is("dt", NULL));
	hive_says(&hive, HIVE_REPLY, hive_partition_is("s3://b/a/dt=x", NULL));
	cr_assert_eq(tell(&hive, "a", "s3://b/a/dt=x"), SECOR_OK);
	hive_expect(&hive, TABLE " " ADD);
	hive_says(&hive, HIVE_REPLY, hive_error(ALREADY_EXISTS, "is there"));
	hive_says(&hive, HIVE_REPLY, hive_partition_is("s3://b/a/dt=x", NULL));
	cr_assert_eq(tell(&hive, "b", "s3://b/b/dt=x"), SECOR_REJECT);
	hive_text(&hive, "location s3://b/a/dt=x, its objects are in "
			 "s3://b/b/dt=x");
	hive_expect(&hive, ADD " " GET);
	hive_end(&hive);
}

Test(hive_metastore_known, table_with_other_keys_is_asked_for_before_a_refusal,
    .timeout = 120)
{
	struct hive hive;

	hive_begin(&hive, NULL);
	hive_says(&hive, HIVE_REPLY, hive_table_is("hr", NULL));
	cr_assert_eq(hive_object(&hive, "x"), SECOR_REJECT);
	hive_expect(&hive, TABLE);
	/* somebody makes it anew, as it should be */
	hive_says(&hive, HIVE_REPLY, hive_table_is("dt", NULL));
	hive_says(&hive, HIVE_REPLY, hive_partition_is(PLACE, NULL));
	cr_assert_eq(hive_object(&hive, "x"), SECOR_OK, "%s", hive.err.text);
	hive_expect(&hive, TABLE " " ADD);
	hive_end(&hive);
}

Test(hive_metastore_known, partitions_of_a_table_that_went_are_not_known,
    .timeout = 120)
{
	struct hive hive;

	hive_begin(&hive, NULL);
	hive_says(&hive, HIVE_REPLY, hive_table_is("dt", NULL));
	hive_says(&hive, HIVE_REPLY, hive_partition_is(PLACE, NULL));
	cr_assert_eq(hive_object(&hive, "x"), SECOR_OK);
	hive_says(&hive, HIVE_REPLY, hive_error(1, "no table"));
	hive_says(&hive, HIVE_REPLY, hive_error(NO_SUCH_OBJECT, "no t_t"));
	cr_assert_eq(hive_object(&hive, "y"), SECOR_RETRY);
	hive_expect(&hive, TABLE " " ADD " " ADD " " TABLE);
	hive_says(&hive, HIVE_REPLY, hive_table_is("dt", NULL));
	hive_says(&hive, HIVE_REPLY, hive_partition_is(PLACE, NULL));
	cr_assert_eq(hive_object(&hive, "x"), SECOR_OK, "%s", hive.err.text);
	hive_expect(&hive, TABLE " " ADD);
	hive_end(&hive);
}

Test(hive_metastore_known, next_metastore_is_asked_after_a_meta_exception,
    .timeout = 120)
{
	struct hive hive, sick;

	hive_begin(&sick, NULL);
	hive_begin(&hive, NULL);
	hive_comes_second(&hive, &sick);
	hive_says(&sick, HIVE_REPLY, hive_error(1, "no database"));
	cr_assert_eq(hive_object(&hive, "x"), SECOR_RETRY);
	hive_text(&hive, "MetaException: no database");
	hive_says(&hive, HIVE_REPLY, hive_table_is("dt", NULL));
	hive_says(&hive, HIVE_REPLY, hive_error(META_OF_ADD, "oh"));
	cr_assert_eq(hive_object(&hive, "x"), SECOR_RETRY);
	hive_expect(&hive, TABLE " " ADD);
	/* and round again */
	hive_says(&sick, HIVE_REPLY, hive_table_is("dt", NULL));
	hive_says(&sick, HIVE_REPLY, hive_partition_is(PLACE, NULL));
	cr_assert_eq(hive_object(&hive, "x"), SECOR_OK, "%s", hive.err.text);
	hive_expect(&sick, TABLE " " TABLE " " ADD);
	hive_end(&hive);
	hive_end(&sick);
}

Test(hive_metastore_known, path_of_an_older_engine_has_no_statistics,
    .timeout = 120)
{
	const struct secor_event_level level = {"dt", "x"};
	struct event_object object = event_object("dt=x", &level, 1);
	struct secor_event_path path = event_path("dt=x", &level, 1);
	struct hive hive;
	struct wire map, partition;
	uint32_t n;

	path.size = offsetof(struct secor_event_path, total_objects);
	path.url = PLACE;
	path.objects = &object.object;
	path.object_count = 1;
	hive_begin(&hive, NULL);
	hive_says(&hive, HIVE_REPLY, hive_table_is("dt", NULL));
	hive_says(&hive, HIVE_REPLY, hive_partition_is(PLACE, NULL));
	cr_assert_eq(hive.plugin->ops.notifier->path_finalized(
			 hive.self, &path, &hive.err),
	    SECOR_OK, "%s", hive.err.text);
	hive_expect(&hive, TABLE " " ADD);
	cr_assert(
	    thrift_find(hive_arguments(&hive), 1, THRIFT_STRUCT, &partition));
	cr_assert(thrift_find(partition, 7, THRIFT_MAP, &map));
	cr_assert(thrift_map(&map, &n) && n == 0);
	hive_end(&hive);
}

Test(hive_metastore_known, store_without_addresses_is_refused, .timeout = 120)
{
	struct hive hive;

	hive_begin(&hive, NULL);
	cr_assert_eq(tell(&hive, "t", ""), SECOR_REJECT);
	hive_text(&hive, "the store has no address for its objects");
	hive_expect(&hive, "");
	hive_end(&hive);
}

/* `secor finalize` does not ignore the signal, as the service does. */
Test(hive_metastore_known, connection_that_went_does_not_end_the_process,
    .timeout = 120)
{
	char trusted[] = "/tmp/hive-tls-XXXXXX", folder[200000];
	struct hive hive;

	memset(folder, 'x', sizeof(folder));
	memcpy(folder, "s3://b/", 7);
	folder[sizeof(folder) - 1] = '\0';
	(void)close(mkstemp(trusted));
	hive_begin(&hive, "tls", "true", "ca_file", trusted, NULL);
	hive_tls(&hive, hive_tls_new("IP:127.0.0.1", trusted));
	hive_says(&hive, HIVE_REPLY, hive_table_is("dt", NULL));
	hive_says(&hive, HIVE_REPLY, hive_partition_is("p", NULL));
	hive_then_ends(&hive);
	cr_assert_eq(hive_object(&hive, "y"), SECOR_OK, "%s", hive.err.text);
	hive_gone(&hive);
	hive_says(&hive, HIVE_REPLY, hive_partition_is("p", NULL));
	(void)signal(SIGPIPE, SIG_DFL);
	cr_assert_eq(tell(&hive, "t", folder), SECOR_OK, "%s", hive.err.text);
	hive_end(&hive);
	(void)unlink(trusted);
}
