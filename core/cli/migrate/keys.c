/*
 * keys.c -- see keys.h. In the order of the sections of the YAML file.
 */
#include "core/cli/migrate/keys.h"

#include "core/base/buf.h"
#include "core/plugin/options.h"

#include <stdlib.h>
#include <string.h>

/* Read by the code of the section. */
#define READ(key, type, def)                                 \
	{                                                    \
		key, KEY_##type, 0, 0, def, NULL, NULL, NULL \
	}
/* One line of a section. */
#define MOVED(key, type, unit, section, target)                              \
	{                                                                    \
		key, KEY_##type, UNIT_##unit, 0, NULL, section, target, NULL \
	}
/* One property of Kafka's client. */
#define CLIENT(key, target)                                           \
	{                                                             \
		key, KEY_TEXT, 0, 0, NULL, "properties", target, NULL \
	}
/* No meaning any more. */
#define GONE(key, section, why)                               \
	{                                                     \
		key, KEY_TEXT, 0, 0, NULL, section, NULL, why \
	}
#define GONE_SECRET(key, section, why)                                 \
	{                                                              \
		key, KEY_TEXT, 0, KEY_SECRET, NULL, section, NULL, why \
	}
#define NEEDED(key, type, def)                                        \
	{                                                             \
		key, KEY_##type, 0, KEY_NEEDED, def, NULL, NULL, NULL \
	}
#define MANY(key, section, why)                                        \
	{                                                              \
		key, KEY_TEXT, 0, KEY_BEGINS, NULL, section, NULL, why \
	}
#define UNREAD(key, why)                                            \
	{                                                           \
		key, KEY_TEXT, 0, KEY_UNREAD, NULL, NULL, NULL, why \
	}

#define NO_ZOOKEEPER "there is no ZooKeeper: offsets are in Kafka alone"
#define OLD_CONSUMER "of the consumer of Kafka 0.8, which is gone"
#define JAVA_CLASS "names a class of Java"
#define JAVA_TLS "of Java's TLS; OpenSSL chooses by itself"
#define PARQUET "of Parquet"
#define SCHEMA "names a class or resource of Java: see the parser's options"
#define MONITOR "of the progress monitor; lag is in the metrics of http.listen"
#define SWIFT "of Swift"
#define AZURE "of Azure"
#define GCS "of Google's storage"

const struct key_row key_rows[] = {
    /* kafka */
    READ("kafka.seed.broker.host", TEXT, ""),
    READ("kafka.seed.broker.port", INT, "9092"),
    READ("secor.kafka.group", TEXT, ""),
    READ("secor.kafka.topic_filter", TEXT, ".*"),
    READ("secor.kafka.topic_blacklist", TEXT, ""),
    READ("kafka.new.consumer.topic.list", TEXT, ""),
    NEEDED("kafka.new.consumer.auto.offset.reset", TEXT, "earliest"),
    READ("kafka.consumer.auto.offset.reset", TEXT, "smallest"),
    {"secor.messages.per.second", KEY_INT, 0, 0, "10000", "kafka",
	"max_messages_per_second", NULL},
    MOVED("kafka.new.consumer.max.poll.interval.ms", INT, MS, "kafka",
	"max_poll_interval"),
    READ("kafka.new.consumer.isolation.level", TEXT, ""),
    READ("kafka.new.consumer.partition.assignment.strategy.class", TEXT, ""),
    READ("kafka.offsets.storage", TEXT, "zookeeper"),
    READ("kafka.dual.commit.enabled", TEXT, "true"),
    READ("kafka.message.iterator.className", TEXT, ""),
    READ("kafka.new.consumer.security.protocol", TEXT, ""),
    GONE_SECRET("kafka.new.consumer.ssl.key.password", "kafka",
	"in a PKCS#12 file the key has the password of the file"),
    READ("kafka.new.consumer.ssl.keystore.location", TEXT, ""),
    {"kafka.new.consumer.ssl.keystore.password", KEY_TEXT, 0, KEY_SECRET, "",
	NULL, NULL, NULL},
    READ("kafka.new.consumer.ssl.keystore.type", TEXT, "JKS"),
    READ("kafka.new.consumer.ssl.truststore.location", TEXT, ""),
    GONE_SECRET("kafka.new.consumer.ssl.truststore.password", "kafka",
	"a PEM file of certificates has no password"),
    GONE("kafka.new.consumer.ssl.truststore.type", "kafka",
	"tls.ca is a PEM file"),
    GONE("kafka.new.consumer.ssl.enabled.protocols", "kafka", JAVA_TLS),
    GONE("kafka.new.consumer.ssl.protocol", "kafka", JAVA_TLS),
    GONE("kafka.new.consumer.ssl.provider", "kafka", JAVA_TLS),
    READ("kafka.new.consumer.sasl.mechanism", TEXT, ""),
    READ("kafka.new.consumer.sasl.kerberos.service.name", TEXT, ""),
    {"kafka.new.consumer.sasl.jaas.config", KEY_TEXT, 0, KEY_SECRET, "", NULL,
	NULL, NULL},
    READ("kafka.new.consumer.sasl.login.class", TEXT, ""),
    READ("kafka.new.consumer.sasl.login.callback.handler.class", TEXT, ""),
    READ("kafka.new.consumer.sasl.client.callback.handler.class", TEXT, ""),
    CLIENT("kafka.fetch.min.bytes", "fetch.min.bytes"),
    {"kafka.fetch.max.bytes", KEY_TEXT, 0, KEY_NEEDED, NULL, "properties",
	"fetch.max.bytes", NULL},
    CLIENT("kafka.socket.receive.buffer.bytes", "socket.receive.buffer.bytes"),
    GONE("kafka.new.consumer.poll.timeout.seconds", "kafka",
	"nothing waits for a poll"),
    GONE("kafka.new.consumer.request.timeout.ms", "kafka",
	"requests are bounded by the engine"),
    GONE("kafka.new.consumer.max.poll.records", "kafka",
	"engine.memory bounds what is in hand"),
    GONE("kafka.fetch.message.max.bytes", "kafka", OLD_CONSUMER),
    GONE("kafka.fetch.wait.max.ms", "kafka", OLD_CONSUMER),
    GONE("kafka.consumer.timeout.ms", "kafka", OLD_CONSUMER),
    GONE("kafka.partition.assignment.strategy", "kafka", OLD_CONSUMER),
    GONE("kafka.rebalance.max.retries", "kafka", OLD_CONSUMER),
    GONE("kafka.rebalance.backoff.ms", "kafka", OLD_CONSUMER),
    GONE("zookeeper.sync.time.ms", "kafka", OLD_CONSUMER),
    GONE("zookeeper.quorum", "kafka", NO_ZOOKEEPER),
    GONE("zookeeper.session.timeout.ms", "kafka", NO_ZOOKEEPER),
    GONE("secor.zookeeper.path", "kafka", NO_ZOOKEEPER),
    GONE("kafka.zookeeper.path", "kafka", NO_ZOOKEEPER),
    {"kafka.client.className", KEY_TEXT, 0, KEY_NEEDED, NULL, "kafka", NULL,
	JAVA_CLASS},
    GONE("kafka.message.timestamp.className", "kafka", JAVA_CLASS),

    /* parser */
    READ("secor.message.parser.class", TEXT, ""),
    READ("secor.message.transformer.class", TEXT,
	"com.pinterest.secor.transformer.IdentityMessageTransformer"),
    READ("kafka.useTimestamp", BOOL, "false"),
    READ("message.timestamp.name", TEXT, "timestamp"),
    READ("message.timestamp.name.separator", TEXT, ""),
    READ("message.timestamp.id", INT, "1"),
    READ("message.timestamp.type", TEXT, "i64"),
    READ("message.timestamp.input.pattern", TEXT, ""),
    READ("message.timestamp.required", BOOL, "true"),
    GONE("message.timestamp.skew.max.ms", "parser",
	"the original never used it; see accept_time"),
    READ("message.split.field.name", TEXT, ""),
    READ("schema.registry.url", TEXT, ""),
    READ("secor.thrift.protocol.class", TEXT, ""),
    MANY("secor.avro.message.schema.", NULL, NULL),
    MANY("secor.protobuf.message.class.", NULL, NULL),
    MANY("secor.topic.message.format.", NULL, NULL),
    MANY("secor.thrift.message.class.", "format", SCHEMA),
    MANY("secor.orc.message.schema.", "format", "of ORC"),
    GONE("secor.orc.schema.provider", "format", JAVA_CLASS),

    /* partitioner */
    READ("secor.offsets.per.partition", INT, "10000000"),
    NEEDED("secor.offsets.prefix", TEXT, "offset="),
    READ("partitioner.granularity.hour", BOOL, "false"),
    READ("partitioner.granularity.minute", BOOL, "false"),
    READ("partitioner.granularity.date.prefix", TEXT, "dt="),
    READ("partitioner.granularity.hour.prefix", TEXT, "hr="),
    READ("partitioner.granularity.minute.prefix", TEXT, "min="),
    READ("partitioner.granularity.date.format", TEXT, "yyyy-MM-dd"),
    READ("partitioner.granularity.hour.format", TEXT, "HH"),
    READ("partitioner.granularity.minute.format", TEXT, "mm"),
    READ("partitioner.granularity.field.prefix", TEXT, ""),
    READ("secor.parser.timezone", TEXT, "UTC"),

    /* format */
    READ("secor.file.reader.writer.factory", TEXT,
	"com.pinterest.secor.io.impl.SequenceFileReaderWriterFactory"),
    READ("secor.file.writer.Delimiter", TEXT, "\n"),
    GONE("secor.file.reader.Delimiter", "format", "one delimiter is for both"),
    READ("secor.compression.codec", TEXT, ""),
    READ("secor.file.extension", TEXT, ""),
    GONE("parquet.block.size", "format", PARQUET),
    GONE("parquet.page.size", "format", PARQUET),
    GONE("parquet.enable.dictionary", "format", PARQUET),
    GONE("parquet.validation", "format", PARQUET),

    /* stage, batch */
    MOVED("secor.local.path", TEXT, NONE, "stage", "dir"),
    READ("secor.local.log.delete.age.hours", INT, "-1"),
    MOVED("secor.max.file.size.bytes", INT, BYTES, "batch", "max_bytes"),
    MOVED("secor.max.file.age.seconds", INT, S, "batch", "max_age"),
    READ("secor.file.age.youngest", BOOL, "true"),
    READ("secor.max.file.count", INT, "-1"),
    READ("secor.kafka.upload_at_minute_mark.topic_filter", TEXT, ""),
    READ("secor.upload.minute_mark", INT, "0"),
    NEEDED("secor.upload.on.shutdown", BOOL, "false"),
    NEEDED("secor.upload.deterministic", BOOL, "false"),
    NEEDED("secor.max.file.timestamp.range.millis", INT, "0"),
    NEEDED("secor.max.input.payload.size.bytes", INT, "0"),
    GONE("secor.upload.last.seen.offset", "batch",
	"a batch is planned before its first object: nothing to guard"),
    READ("secor.upload.class", TEXT, "com.pinterest.secor.uploader.Uploader"),

    /* store */
    READ("secor.upload.manager.class", TEXT,
	"com.pinterest.secor.uploader.HadoopS3UploadManager"),
    READ("cloud.service", TEXT, "S3"),
    READ("secor.s3.bucket", TEXT, ""),
    READ("secor.s3.path", TEXT, ""),
    GONE("secor.s3.filesystem", "store", "there is no Hadoop between"),
    READ("secor.s3.prefix.md5hash", BOOL, "false"),
    READ("secor.s3.alter.path.date", TEXT, ""),
    READ("secor.s3.alternative.path", TEXT, ""),
    READ("aws.access.key", TEXT, ""),
    {"aws.secret.key", KEY_TEXT, 0, KEY_SECRET, "", NULL, NULL, NULL},
    {"aws.session.token", KEY_TEXT, 0, KEY_SECRET, "", NULL, NULL, NULL},
    READ("aws.role", TEXT, ""),
    READ("aws.region", TEXT, ""),
    READ("aws.endpoint", TEXT, ""),
    READ("aws.client.pathstyleaccess", BOOL, "false"),
    READ("aws.proxy.isEnabled", BOOL, "false"),
    READ("aws.proxy.http.host", TEXT, ""),
    READ("aws.proxy.http.port", TEXT, ""),
    READ("aws.sse.type", TEXT, ""),
    {"aws.sse.customer.key", KEY_TEXT, 0, KEY_SECRET, "", NULL, NULL, NULL},
    READ("aws.sse.kms.key", TEXT, ""),
    READ("secor.gs.bucket", TEXT, "secor_gs"),
    READ("secor.gs.path", TEXT, "data"),
    READ("secor.gs.credentials.path", TEXT, ""),
    GONE("secor.gs.upload.direct", "store", GCS),
    GONE("secor.gs.threadpool.fixed.size", "store",
	"engine.uploaders is for the process"),
    GONE("secor.gs.tasks.ratelimit.pr.second", "store", GCS),
    GONE("secor.gs.connect.timeout.ms", "store",
	"the original read it and did nothing with it"),
    GONE("secor.gs.read.timeout.ms", "store",
	"the original read it and did nothing with it"),
    READ("secor.azure.account.name", TEXT, ""),
    {"secor.azure.account.key", KEY_TEXT, 0, KEY_SECRET, "", NULL, NULL, NULL},
    READ("secor.azure.container.name", TEXT, ""),
    READ("secor.azure.path", TEXT, ""),
    GONE("secor.azure.endpoints.protocol", "store", AZURE),
    READ("secor.swift.containers.for.each.topic", BOOL, "false"),
    READ("secor.swift.container", TEXT, "logsContainer"),
    READ("secor.swift.path", TEXT, ""),
    READ("swift.region", TEXT, ""),
    GONE("swift.use.get.auth", "store", SWIFT),
    READ("swift.auth.url", TEXT, ""),
    READ("swift.tenant", TEXT, ""),
    READ("swift.username", TEXT, ""),
    {"swift.password", KEY_TEXT, 0, KEY_SECRET, "", NULL, NULL, NULL},
    {"swift.api.key", KEY_TEXT, 0, KEY_SECRET, "", NULL, NULL, NULL},
    GONE("swift.port", "store", SWIFT),
    GONE("swift.public", "store", SWIFT),

    /* bad_messages */
    READ("secor.consumer.max_bad_messages", INT, "1000"),

    /* notifiers */
    READ("secor.enable.qubole", BOOL, "true"),
    {"qubole.api.token", KEY_TEXT, 0, KEY_SECRET, "", NULL, NULL, NULL},
    READ("secor.qubole.timeout.ms", INT, "300000"),
    READ("secor.hive.prefix", TEXT, ""),
    MANY("secor.hive.table.name.", NULL, NULL),

    /* finalize */
    READ("partitioner.finalizer.delay.seconds", INT, "3600"),
    READ("secor.finalizer.lookback.periods", INT, "10"),

    /* layout */
    READ("secor.generation", INT, "1"),

    /* http, reporters */
    READ("ostrich.port", INT, "9999"),
    GONE("secor.monitoring.metrics.collector.class", "http", JAVA_CLASS),
    GONE("secor.monitoring.metrics.collector.micrometer.jmx.enabled", "http",
	"there is no JVM"),
    GONE("secor.monitoring.metrics.collector.micrometer.prometheus.enabled",
	"http", "Prometheus is always served, at /metrics"),
    GONE("secor.monitoring.metrics.collector.micrometer.cache.size", "http",
	"no gauge is dropped"),
    READ("secor.monitoring.metrics.collector.micrometer.statsd.enabled", BOOL,
	"false"),
    READ("statsd.hostport", TEXT, ""),
    READ("tsdb.hostport", TEXT, ""),
    GONE("statsd.prefixWithConsumerGroup", "reporters", MONITOR),
    {"statsd.dogstatsd.tags.enabled", KEY_BOOL, 0, KEY_NEEDED, "false",
	"reporters", NULL, MONITOR},
    {"statsd.dogstatsd.constant.tags", KEY_TEXT, 0, KEY_NEEDED, "", "reporters",
	NULL, MONITOR},
    GONE("monitoring.blacklist.topics", "reporters", MONITOR),
    GONE("monitoring.prefix", "reporters", MONITOR),
    GONE("monitoring.interval.seconds", "reporters", MONITOR),

    /* engine */
    {"secor.consumer.threads", KEY_INT, 0, 0, "7", "engine", NULL,
	"one thread reads, as many write as there are cores"},
    GONE("secor.topic_partition.forget.seconds", "engine",
	"of a table of statistics that is gone"),
    GONE("secor.max.message.size.bytes", "engine",
	"messages of any size are read"),

    /* shipped or documented, never read */
    UNREAD("secor.upload.secor.upload.last.seen.offset",
	"the key that was read is secor.upload.last.seen.offset, and that "
	"only warned: it never guarded anything"),
    UNREAD("secor.max.active.files",
	"the key that was read is secor.max.file.count: there was no limit"),
    UNREAD("hive.table.prefix",
	"the key that was read is secor.hive.prefix: no partition was added "
	"to Hive because of this one"),
    {"hive.table.name.", KEY_TEXT, 0, KEY_UNREAD | KEY_BEGINS, NULL, NULL, NULL,
	"the keys that were read begin with secor.hive.table.name.: no "
	"partition was added to Hive because of this one"},
    UNREAD("statsd.datadog.tags.enabled",
	"the key that was read is statsd.dogstatsd.tags.enabled"),
    UNREAD("secor.kafka.perf_topic_prefix", "it was shipped for nothing"),
};

const size_t key_row_count = sizeof(key_rows) / sizeof(*key_rows);

const struct key_row *
key_row(const char *key)
{
	for (size_t i = 0; i < key_row_count; i++) {
		const struct key_row *row = &key_rows[i];
		size_t len = strlen(row->key);

		if (row->flags & KEY_BEGINS
			? strncmp(row->key, key, len) == 0 && key[len] != '\0'
			: strcmp(row->key, key) == 0)
			return row;
	}
	return NULL;
}

const char *
key_near(const char *key)
{
	const char **words = mem_alloc(key_row_count * sizeof(*words));
	const char *near;
	size_t n = 0;

	for (size_t i = 0; i < key_row_count; i++)
		if ((key_rows[i].flags & (KEY_UNREAD | KEY_BEGINS)) == 0)
			words[n++] = key_rows[i].key;
	near = nearest_word(key, words, n);
	free(words);
	return near;
}
