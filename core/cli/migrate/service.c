/*
 * service.c -- what is about the service and not about a message: stage, batch,
 * bad messages, layout, HTTP, engine.
 */
#include "core/cli/migrate/migration.h"

#include "core/config/config.h"
#include "core/config/sections.h"

#include <stdlib.h>
#include <string.h>

/* ---- stage ---- */

void
migrate_stage(struct migration *m)
{
	static const char *const PATH = "secor.local.path";

	if (!old_given(m, PATH))
		return;
	yaml_section(m, "stage");
	yaml_rows(m, "stage", 2);
	if (old_number(m, "secor.local.log.delete.age.hours") <= 0)
		warn(m, PATH,
		    "nothing ever removed what a crash left here: remove the "
		    "folders called <process>_<thread> once the old service "
		    "has ended");
	yaml_gone(m, "stage");
}

/* ---- batch ---- */

static void
look_at_deterministic(struct migration *m)
{
	static const char *const KEY = "secor.upload.deterministic";

	if (!old_flag(m, KEY))
		return;
	warn(m, KEY,
	    "counts of a partition that came back were doubled, every "
	    "rebalance threw all work away, and the last messages of a quiet "
	    "topic were never uploaded; here every batch is repeatable, and "
	    "max_bytes and max_age count again");
	if (old_number(m, "secor.max.input.payload.size.bytes") > 0)
		note(m, "secor.max.input.payload.size.bytes",
		    "batches ended by bytes of payload, before compression; "
		    "here batch.max_bytes is of the files");
	if (old_number(m, "secor.max.file.timestamp.range.millis") > 0)
		note(m, "secor.max.file.timestamp.range.millis",
		    "a range of timestamps ends no batch here: batch.max_age "
		    "is the age of its files");
}

static void
look_at_guard(struct migration *m)
{
	static const char *const KEY = "secor.upload.last.seen.offset";

	if (old_given(m, KEY) && old_flag(m, KEY))
		warn(m, KEY,
		    "it warned and went on, and wrote the smaller number over "
		    "the larger one: nothing was guarded");
}

static void
put_age(struct migration *m)
{
	static const char *const KEY = "secor.file.age.youngest";

	if (!old_flag(m, KEY))
		return;
	yaml_raw(m, 2, "age_of", "youngest");
	warn(m, KEY,
	    "the age of the youngest file counts: where new paths keep coming "
	    "the batch never ages; age_of: oldest is what is meant mostly");
}

static void
put_objects(struct migration *m)
{
	static const char *const KEY = "secor.max.file.count";
	int64_t most = old_number(m, KEY);

	if (most < 0 || !old_given(m, KEY))
		return;
	yaml_number(m, 2, "max_objects", most > 0 ? most : 1);
	note(m, KEY, "was for all partitions of a thread; here for each batch");
}

/* The minute for topics that match; all of them: in the base. */
static int
marks_all(const struct migration *m)
{
	const char *filter =
	    old_text(m, "secor.kafka.upload_at_minute_mark.topic_filter");

	return strcmp(filter, ".*") == 0;
}

static void
put_minute(struct migration *m, int indent)
{
	buf_printf(&m->yaml, "%*sat_minutes: [%lld]\n", indent, "",
	    (long long)old_number(m, "secor.upload.minute_mark"));
}

static void
look_at_minute(struct migration *m)
{
	static const char *const KEY =
	    "secor.kafka.upload_at_minute_mark.topic_filter";

	if (old_given(m, KEY))
		warn(m, KEY,
		    "in that minute the original uploaded at every look: many "
		    "tiny objects; here once");
}

void
migrate_batch(struct migration *m)
{
	static const char *const CLASS = "secor.upload.class";

	yaml_section(m, "batch");
	yaml_rows(m, "batch", 2);
	put_age(m);
	put_objects(m);
	look_at_minute(m);
	if (marks_all(m))
		put_minute(m, 2);
	yaml_raw(m, 2, "on_stop",
	    old_flag(m, "secor.upload.on.shutdown") ? "finish" : "drop");
	look_at_deterministic(m);
	look_at_guard(m);
	if (strcmp(old_text(m, CLASS),
		"com.pinterest.secor.uploader.Uploader") != 0)
		todo(m, CLASS,
		    "%s is a class of your own: when a batch ends is said in "
		    "batch",
		    old_text(m, CLASS));
	yaml_gone(m, "batch");
}

void
migrate_overrides(struct migration *m)
{
	static const char *const KEY =
	    "secor.kafka.upload_at_minute_mark.topic_filter";
	char *match, *text;

	if (!old_given(m, KEY) || marks_all(m))
		return;
	match = mem_text("^(?:%s)$", old_text(m, KEY));
	text = yaml_text(match);
	buf_printf(&m->yaml, "\noverrides:\n  - match: %s\n    batch:\n", text);
	put_minute(m, 6);
	free(text);
	free(match);
}

/* ---- bad messages ---- */

/* The original's level rises by one with a bad message and falls by a
 * thousandth with a good one: it stays under N for ever at a share of
 * N / (N + 1000). */
void
migrate_bad_messages(struct migration *m)
{
	static const char *const KEY = "secor.consumer.max_bad_messages";
	int64_t most = old_number(m, KEY);
	double share =
	    most < 0 ? 100 : 100 * (double)most / ((double)most + 1000);

	yaml_section(m, "bad_messages");
	yaml_raw(m, 2, "action", "dead_letter");
	buf_printf(&m->yaml, "  halt_above: %.3g%%\n", share);
	note(m, KEY,
	    "bad messages were dropped without a word until about %.3g%% of "
	    "all were bad; here they go to dead letters",
	    share);
	yaml_gone(m, "bad_messages");
}

/* ---- layout ---- */

static int
layout_has(const char *key)
{
	for (const struct engine_section *own = config_sections;
	     own->name != NULL; own++)
		if (strcmp(own->name, "layout") == 0)
			return options_find(&own->opts, key) != NULL;
	return 0;
}

static void
put_extension(struct migration *m)
{
	char *extension = old_extension(m);

	yaml_put(m, 2, "extension", extension);
	if (*extension != '\0' && *extension != '.')
		todo(m, "secor.file.extension",
		    "'%s' does not begin with '.': it would be part of the "
		    "number",
		    extension);
	free(extension);
}

#define MD5 "secor.s3.prefix.md5hash"
#define DATE "secor.s3.alter.path.date"

/* Of the S3 upload manager alone: Hadoop's did not know it. */
static int
has_md5(const struct migration *m)
{
	const char *manager = old_text(m, "secor.upload.manager.class");

	return strstr(manager, ".S3UploadManager") != NULL &&
	       old_given(m, MD5) && strchr("tTyY", *old_text(m, MD5)) != NULL;
}

int
old_prefix_in_layout(const struct migration *m)
{
	const char *manager = old_text(m, "secor.upload.manager.class");
	int s3 = strstr(manager, "S3UploadManager") != NULL;

	return s3 && layout_has("prefix") && (has_md5(m) || old_given(m, DATE));
}

static void
put_md5(struct migration *m)
{
	if (!has_md5(m))
		return;
	if (layout_has("md5_prefix"))
		yaml_raw(m, 2, "md5_prefix", "true");
	else
		todo(m, MD5, "layout has no md5 prefix yet");
	warn(m, MD5,
	    "the original's finalizer, verifier and printer did not find such "
	    "keys");
}

static void
put_alternative(struct migration *m)
{
	if (!old_given(m, DATE))
		return;
	if (layout_has("alternative_prefix")) {
		yaml_put(m, 2, "alternative_prefix",
		    old_text(m, "secor.s3.alternative.path"));
		yaml_put(m, 2, "alternative_from", old_text(m, DATE));
	} else {
		todo(m, DATE, "layout has no alternative prefix yet");
	}
	warn(m, DATE,
	    "a path without dt=yyyy-MM-dd ended the process of the original");
}

/* Manifests are told apart by it too: several services may share a bucket. */
static void
put_side(
    struct migration *m, const char *key, const char *name, const char *prefix)
{
	char *side = mem_text("%s/%s", name, prefix);

	if (*prefix != '\0')
		yaml_put(m, 2, key, side);
	free(side);
}

static void
put_prefixes(struct migration *m)
{
	char *prefix;

	if (old_prefix_in_layout(m)) {
		prefix = old_prefix(m);
		yaml_put(m, 2, "prefix", prefix);
		put_side(m, "manifest_prefix", "_manifests", prefix);
		put_side(m, "dead_letter_prefix", "_dead_letters", prefix);
		free(prefix);
	}
	put_md5(m);
	put_alternative(m);
}

void
migrate_layout(struct migration *m)
{
	static const char *const KEY = "secor.generation";

	yaml_section(m, "layout");
	yaml_number(m, 2, "generation", m->generation);
	put_extension(m);
	put_prefixes(m);
	note(m, KEY,
	    "%lld becomes %lld: no object of the new service has the name of "
	    "an old one",
	    (long long)m->generation - 1, (long long)m->generation);
	yaml_gone(m, "layout");
}

/* ---- http, reporters, engine ---- */

void
migrate_http(struct migration *m)
{
	static const char *const KEY = "ostrich.port";
	char *listen;

	yaml_section(m, "http");
	listen = mem_text("0.0.0.0:%lld", (long long)old_number(m, KEY));
	yaml_put(m, 2, "listen", listen);
	free(listen);
	note(m, KEY,
	    "Prometheus and health are there; names of metrics are others "
	    "(docs/METRICS.md), and anybody could end the original by its "
	    "/shutdown");
	yaml_gone(m, "http");
}

static int
put_reporter(struct migration *m, const char *name, const char *key,
    const char *address, int n)
{
	if (m->registry != NULL &&
	    !has_option(m, SECOR_REPORTER, name, "address")) {
		todo(m, key, "there is no reporter '%s' yet", name);
		return 0;
	}
	if (n == 0)
		yaml_section(m, "reporters");
	buf_printf(&m->yaml, "  - use: %s\n", name);
	yaml_put(m, 4, "address", address);
	return 1;
}

void
migrate_reporters(struct migration *m)
{
	static const char *const STATSD = "statsd.hostport";
	static const char *const TSDB = "tsdb.hostport";
	static const char *const MICRO =
	    "secor.monitoring.metrics.collector.micrometer.statsd.enabled";
	int n = 0;

	if (old_given(m, STATSD))
		n += put_reporter(m, "statsd", STATSD, old_text(m, STATSD), n);
	else if (old_flag(m, MICRO))
		n += put_reporter(m, "statsd", MICRO, "localhost:8125", n);
	if (old_given(m, TSDB))
		n += put_reporter(m, "opentsdb", TSDB, old_text(m, TSDB), n);
	yaml_gone(m, "reporters");
}

void
migrate_engine(struct migration *m)
{
	static const char *const RATE = "secor.messages.per.second";
	static const char *const THREADS = "secor.consumer.threads";
	int64_t rate = old_number(m, RATE), threads = old_number(m, THREADS);

	if (rate < threads)
		warn(m, RATE,
		    "is less than secor.consumer.threads: the original "
		    "divided by zero");
	yaml_gone(m, "engine");
}

/* ---- notifiers ---- */

static void
put_tables(struct migration *m)
{
	static const char *const PREFIX = "secor.hive.table.name.";
	size_t n = 0;

	for (size_t i = 0; i < m->properties->count; i++) {
		const struct property *one = &m->properties->items[i];
		char *topic, *table;

		if (strncmp(one->key, PREFIX, strlen(PREFIX)) != 0)
			continue;
		if (n++ == 0)
			buf_puts(&m->yaml, "    tables:\n");
		topic = yaml_text(one->key + strlen(PREFIX));
		table = yaml_text(one->items[0]);
		yaml_raw(m, 6, topic, table);
		free(topic);
		free(table);
	}
}

static int
has_tables(const struct migration *m)
{
	for (size_t i = 0; i < m->properties->count; i++)
		if (strncmp(m->properties->items[i].key,
			"secor.hive.table.name.", 22) == 0)
			return 1;
	return old_given(m, "secor.hive.prefix");
}

static void
put_qubole(struct migration *m)
{
	char timeout[64];
	char *table;

	yaml_section(m, "notifiers");
	buf_puts(&m->yaml, "  - use: qubole\n");
	yaml_secret(m, 4, "token", "QUBOLE_TOKEN", "qubole.api.token");
	if (old_given(m, "secor.hive.prefix")) {
		table = mem_text("%s{topic}", old_text(m, "secor.hive.prefix"));
		yaml_put(m, 4, "table", table);
		free(table);
	}
	put_tables(m);
	show_duration(
	    old_number(m, "secor.qubole.timeout.ms"), timeout, sizeof(timeout));
	yaml_raw(m, 4, "timeout", timeout);
	warn(m, "secor.enable.qubole",
	    "a partition whose statement failed was never tried again by the "
	    "original; here it is. It is added with the first object; with "
	    "`add: finalized` and finalize.delay when the path is complete, "
	    "as the original's finalizer did");
}

void
migrate_notifiers(struct migration *m)
{
	if (old_flag(m, "secor.enable.qubole") && has_tables(m))
		put_qubole(m);
	yaml_gone(m, "notifiers");
}
