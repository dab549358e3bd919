/*
 * migration_test.c -- one line of properties after the other, and what it
 * becomes.
 */
#include "tests/unit/core/cli/migrate/made.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

Test(migration, keys_that_are_unknown_or_never_read_are_told)
{
	static const struct vector T[] = {
	    {"secor.kafka.grup=x", NULL,
		"warning: secor.kafka.grup: no such key, it had no effect; did "
		"you mean 'secor.kafka.group'?"},
	    {"my.own.thing.entirely=x", NULL,
		"warning: my.own.thing.entirely: no such key: is it read by a "
		"class of your own?"},
	    {"secor.max.active.files=5", NULL,
		"warning: secor.max.active.files: the original never read "
		"this key; the key that was read is secor.max.file.count"},
	    {"secor.upload.secor.upload.last.seen.offset=true", NULL,
		"the key that was read is secor.upload.last.seen.offset"},
	    {"hive.table.prefix=db.", NULL,
		"the key that was read is secor.hive.prefix"},
	    {"hive.table.name.logs=x", NULL,
		"warning: hive.table.name.logs: the original never read"},
	    {"statsd.datadog.tags.enabled=true", NULL,
		"the key that was read is statsd.dogstatsd.tags.enabled"},
	    {"secor.generation=one", "generation: 2\n",
		"error: secor.generation: 'one' is no number"},
	    {"secor.generation=0x10", "generation: 17\n", NULL},
	    {"secor.upload.on.shutdown=1", "on_stop: drop\n",
		"error: secor.upload.on.shutdown: '1' is neither true nor "
		"false"},
	    {"secor.upload.on.shutdown=YES", "on_stop: finish\n", NULL},
	};

	EXPECT_ALL(T);
}

Test(migration, kafka_is_taken_over)
{
	static const struct vector T[] = {
	    {"kafka.seed.broker.host=a\nkafka.seed.broker.port=9093",
		"  brokers: [a:9093]\n", NULL},
	    {"kafka.seed.broker.host=a,b", "  brokers: [a:9092, b:9092]\n",
		"warning: kafka.seed.broker.host: of a list the original used "
		"the first one alone"},
	    {"kafka.seed.broker.host=", "  brokers: []\n",
		"error: kafka.seed.broker.host: no broker is given"},
	    {"secor.kafka.group=g\nsecor.generation=4", "  group: g-g5\n",
		NULL},
	    {CONSUMER "topic.list=a,b", "  topics: [a, b]\n", NULL},
	    {"secor.kafka.topic_filter=a\\\\.(b|c)",
		"  topics: [\"^(a\\\\.(b|c))$$\"]\n", NULL},
	    {"secor.kafka.topic_filter=(?i)x", "  topics: []\n",
		"error: secor.kafka.topic_filter: '(?i)x' has no equal"},
	    {"secor.kafka.topic_filter=(?!test).*",
		"  topics: [^.*]\n  exclude: ^(test)\n", NULL},
	    {"secor.kafka.topic_blacklist=test.*",
		"  # exclude: ['^(test.*)$'] was ignored\n",
		"warning: secor.kafka.topic_blacklist: the original ignored"},
	    {"secor.kafka.topic_blacklist=test.*\n"
	     "kafka.message.iterator.className=x.LegacyKafkaMessageIterator",
		"  exclude: [\"^(test.*)$$\"]\n", NULL},
	    {CONSUMER "auto.offset.reset=latest", "  start: latest\n",
		"lost their first messages"},
	    {CONSUMER "max.poll.interval.ms=600000",
		"  max_poll_interval: 10m\n", NULL},
	    {CONSUMER "isolation.level=read_uncommitted", NULL,
		"warning: " CONSUMER "isolation.level: the original stored the "
		"messages of aborted transactions"},
	    {CONSUMER "partition.assignment.strategy.class=o.a.k.Cooperative"
		      "StickyAssignor",
		NULL, "with a cooperative assignor"},
	    {"kafka.fetch.min.bytes=5", "    fetch.min.bytes: 5\n", NULL},
	    {"kafka.offsets.storage=kafka\nkafka.dual.commit.enabled=false",
		NULL, "a commit that failed was not told"},
	    {"kafka.offsets.storage=kafka", NULL, "the larger one is right"},
	    {"zookeeper.quorum=zk:2181",
		"  # zookeeper.quorum = zk:2181: there is no ZooKeeper", NULL},
	};

	EXPECT_ALL(T);
}

#define SSL CONSUMER "security.protocol=SSL\n"
#define SASL CONSUMER "security.protocol=SASL_PLAINTEXT\n"

Test(migration, security_is_taken_over_without_secrets)
{
	static const struct vector T[] = {
	    {CONSUMER "security.protocol=SASL_SSL",
		"  tls:\n    enabled: true\n  sasl:\n    mechanism: GSSAPI\n",
		"finalizer and progress monitor could not reach"},
	    {SSL CONSUMER "ssl.keystore.location=/k.jks\n" CONSUMER
			  "ssl.keystore.password=sesame",
		"    keystore: /k.jks\n    keystore_password: "
		"\"${KAFKA_SSL_KEYSTORE_PASSWORD}\"\n",
		"must become PKCS#12"},
	    {SSL CONSUMER "ssl.key.password=sesame",
		"  # kafka.new.consumer.ssl.key.password: in a PKCS#12 file",
		NULL},
	    {SSL CONSUMER "ssl.truststore.location=/t.jks\n" CONSUMER
			  "ssl.truststore.password=sesame",
		"  tls:\n    enabled: true\n    ca: /t.jks\n",
		"the authorities must be a PEM file"},
	    {CONSUMER "ssl.truststore.location=/t.jks", NULL,
		"was not used: security.protocol has no SSL"},
	    {SASL CONSUMER "sasl.mechanism=SCRAM-SHA-512\n" CONSUMER
			   "sasl.jaas.config=o.a.k.ScramLoginModule required "
			   "username=\"me\" password=\"sesame\";",
		"  sasl:\n    mechanism: SCRAM-SHA-512\n    username: me\n"
		"    password: \"${KAFKA_SASL_PASSWORD}\"\n",
		NULL},
	    {SASL CONSUMER "sasl.mechanism=PLAIN", "    mechanism: PLAIN\n",
		"no login is given here"},
	    {SASL CONSUMER
		"sasl.jaas.config=c.s.Krb5LoginModule required "
		"useKeyTab=true keyTab=\"/k.keytab\" principal=p@R;\n" CONSUMER
		"sasl.kerberos.service.name=kafka",
		"    mechanism: GSSAPI\n    principal: p@R\n"
		"    keytab: /k.keytab\n    service: kafka\n",
		NULL},
	    {SASL CONSUMER
		"sasl.mechanism=AWS_MSK_IAM\n" CONSUMER
		"sasl.jaas.config=a.b.IAMLoginModule required;\n" CONSUMER
		"sasl.client.callback.handler.class=a.IAMClientCallbackHandler",
		"    mechanism: AWS_MSK_IAM\n", "its region is AWS_REGION"},
	    {CONSUMER "sasl.jaas.config=PlainLoginModule required;", NULL,
		"was not used: security.protocol has no SASL"},
	    {SASL CONSUMER "sasl.mechanism=OAUTHBEARER",
		"    mechanism: OAUTHBEARER\n",
		"OAUTHBEARER: log in by kafka.sasl"},
	    {SASL CONSUMER "sasl.login.callback.handler.class=a.b.C", NULL,
		"is a class of Java"},
	};

	EXPECT_ALL(T);
}

Test(migration, secrets_are_never_copied)
{
	static const char TEXT[] =
	    CONSUMER "ssl.keystore.password=sesame\n" CONSUMER
		     "ssl.keystore.location=/k\n" CONSUMER
		     "ssl.truststore.password=sesame\n" CONSUMER
		     "ssl.key.password=sesame\n" CONSUMER
		     "sasl.jaas.config=PlainLoginModule required "
		     "username=u password=sesame;\naws.access.key=k\n"
		     "aws.secret.key=sesame\naws.session.token=sesame\n"
		     "aws.sse.customer.key=sesame\naws.sse.type=customer\n"
		     "secor.azure.account.key=sesame\nswift.password=sesame\n"
		     "swift.api.key=sesame\nqubole.api.token=sesame\n"
		     "secor.hive.prefix=x\n";
	static const char *const STORES[] = {"S3", "Gs", "Azure", "HadoopS3"};

	for (size_t i = 0; i < sizeof(STORES) / sizeof(*STORES); i++) {
		char *text = mem_text("%s" MANAGER "%sUploadManager\n%s", TEXT,
		    STORES[i], i == 3 ? "cloud.service=Swift\n" : "");
		struct made made;

		make_text(text, &made);
		cr_expect_null(strstr(made.yaml, "sesame"), "%s", made.yaml);
		cr_expect_null(strstr(made.remarks.ptr, "sesame"));
		cr_expect_null(strstr(made.steps.ptr, "sesame"));
		made_fini(&made);
		free(text);
	}
}

Test(migration, batches_are_taken_over)
{
	static const struct vector T[] = {
	    {"secor.max.file.size.bytes=200000000\n"
	     "secor.max.file.age.seconds=1800",
		"batch:\n  max_bytes: 200000000\n  max_age: 30m\n  age_of: "
		"youngest\n",
		"where new paths keep coming the batch never ages"},
	    {"secor.file.age.youngest=false", "batch:\n  on_stop: drop\n",
		NULL},
	    {"secor.max.file.count=50", "  max_objects: 50\n", NULL},
	    {"secor.kafka.upload_at_minute_mark.topic_filter=.*\n"
	     "secor.upload.minute_mark=5",
		"  at_minutes: [5]\n", "many tiny objects"},
	    {"secor.kafka.upload_at_minute_mark.topic_filter=a|b",
		"overrides:\n  - match: \"^(?:a|b)$$\"\n", NULL},
	    {"secor.upload.deterministic=true\n"
	     "secor.max.input.payload.size.bytes=1",
		NULL, "counts of a partition that came back were doubled"},
	    {"secor.upload.last.seen.offset=true", NULL, "nothing was guarded"},
	    {"secor.upload.class=com.example.U", NULL,
		"error: secor.upload.class"},
	    {"secor.consumer.max_bad_messages=-1", "  halt_above: 100%\n",
		NULL},
	    {"secor.consumer.max_bad_messages=10", "  halt_above: 0.99%\n",
		NULL},
	    {"secor.local.path=/data", "stage:\n  dir: /data\n",
		"nothing ever removed what a crash left here"},
	    {"secor.messages.per.second=5", NULL, "divided by zero"},
	};

	EXPECT_ALL(T);
}

Test(migration, stores_are_taken_over)
{
	static const struct vector T[] = {
	    {"secor.s3.bucket=b\nsecor.s3.path=/a/b/",
		"  use: s3\n  bucket: b\n  prefix: a/b\n",
		"keys with empty folders"},
	    {"aws.sse.type=S3\naws.region=eu-west-1", "  region: eu-west-1\n",
		"aws.sse.type: HadoopS3UploadManager ignored it"},
	    {MANAGER "S3UploadManager\naws.endpoint=s3.example.com\n"
		     "aws.client.pathstyleaccess=true",
		"  endpoint: https://s3.example.com\n  path_style: true\n",
		NULL},
	    {MANAGER "S3UploadManager\naws.access.key=k\naws.secret.key=s",
		"  access_key: k\n  secret_key: "
		"\"${AWS_SECRET_ACCESS_KEY}\"\n",
		"set AWS_SECRET_ACCESS_KEY"},
	    {MANAGER "S3UploadManager\naws.sse.type=KMS\naws.sse.kms.key=k",
		"  encryption: aws:kms\n  kms_key: k\n", NULL},
	    {MANAGER "S3UploadManager\naws.role=arn:aws:iam::1:role/r",
		"  role_arn: arn:aws:iam::1:role/r\n", NULL},
	    {MANAGER "S3UploadManager\naws.proxy.isEnabled=true\n"
		     "aws.proxy.http.host=p\naws.proxy.http.port=3128",
		"  proxy: http://p:3128\n", NULL},
	    {MANAGER "S3UploadManager\naws.proxy.isEnabled=false\n"
		     "aws.proxy.http.host=p",
		NULL, NULL},
	    {MANAGER "S3UploadManager\naws.sse.type=customer\n"
		     "aws.sse.customer.key=k",
		"  customer_key: \"${SECOR_S3_CUSTOMER_KEY}\"\n",
		"set SECOR_S3_CUSTOMER_KEY"},
	    {MANAGER "S3UploadManager\naws.sse.type=None", NULL,
		"is none of S3, KMS, customer: uploads failed"},
	    {MANAGER "GsUploadManager\nsecor.gs.bucket=b\nsecor.gs.path=p",
		"  use: gcs\n  bucket: b\n  prefix: p\n",
		"given up after 50 s"},
	    {MANAGER "GsUploadManager\nsecor.gs.read.timeout.ms=5",
		"  # secor.gs.read.timeout.ms = 5: the original read it and "
		"did nothing with it\n",
		NULL},
	    {MANAGER "AzureUploadManager\nsecor.azure.container.name=c\n"
		     "secor.azure.account.name=a",
		"  use: azure\n  container: c\n  account: a\n", NULL},
	    {"cloud.service=Swift\nsecor.swift.container=c",
		"  use: swift\n  container: c\n",
		"swift.region: is not given: the original would not start"},
	    {"cloud.service=GS", "  use: gcs\n", NULL},
	    {"cloud.service=Nebula", "  use: ./store.so", NULL},
	};

	EXPECT_ALL(T);
}

Test(migration, layout_http_and_notifiers_are_taken_over)
{
	static const struct vector T[] = {
	    {"secor.generation=7",
		"layout:\n  generation: 8\n  extension: "
		"\"\"\n",
		"7 becomes 8"},
	    {MANAGER "S3UploadManager\nsecor.s3.prefix.md5hash=true",
		"  prefix: \"\"\n  md5_prefix: true\n",
		"did not find such keys"},
	    {MANAGER "S3UploadManager\nsecor.s3.prefix.md5hash=true\n"
		     "secor.s3.path=a/b/\nsecor.s3.alter.path.date=2020-01-01\n"
		     "secor.s3.alternative.path=c",
		"  prefix: a/b\n  manifest_prefix: _manifests/a/b\n"
		"  dead_letter_prefix: _dead_letters/a/b\n"
		"  md5_prefix: true\n  alternative_prefix: c\n"
		"  alternative_from: 2020-01-01\n",
		NULL},
	    {"secor.s3.prefix.md5hash=true", NULL,
		"keys had no such prefix, and have none here"},
	    {"secor.s3.alter.path.date=2020-01-01", NULL,
		"ended the process of the original"},
	    {"ostrich.port=1234", "http:\n  listen: 0.0.0.0:1234\n",
		"anybody could end the original"},
	    {"secor.hive.prefix=db.x_\nsecor.hive.table.name.logs=db.l\n"
	     "secor.qubole.timeout.ms=1000",
		"notifiers:\n  - use: qubole\n    token: "
		"\"${QUBOLE_TOKEN}\"\n    table: \"db.x_{topic}\"\n    "
		"tables:\n"
		"      logs: db.l\n    timeout: 1s\n",
		"was never tried again"},
	    {"secor.hive.prefix=x\nsecor.enable.qubole=false", "layout:\n",
		NULL},
	    {"statsd.hostport=h:1\ntsdb.hostport=t:2",
		"reporters:\n  - use: statsd\n    address: h:1\n  - use: "
		"opentsdb\n    address: t:2\n",
		NULL},
	};

	EXPECT_ALL(T);
}

/* ---- steps ---- */

static void
expect_step(const char *text, const char *wanted)
{
	struct made made;

	make_text(text, &made);
	cr_expect_not_null(strstr(made.steps.ptr, wanted),
	    "--- wanted\n%s\n--- got\n%s", wanted, made.steps.ptr);
	made_fini(&made);
}

Test(migration, steps_say_where_offsets_and_leftovers_are)
{
	expect_step("secor.kafka.group=g\nkafka.zookeeper.path=/kafka/",
	    "/kafka/consumers/g/offsets/TOPIC/PARTITION");
	expect_step("secor.kafka.group=g",
	    "secor offsets import new.yaml --from-file offsets.csv");
	expect_step("secor.kafka.group=g\nkafka.offsets.storage=kafka",
	    "secor offsets import new.yaml --from-group g\n");
	expect_step("secor.kafka.group=g\nkafka.offsets.storage=kafka",
	    "secor migrate --leftovers new.yaml --from-group g\n");
	expect_step("secor.s3.bucket=b\nsecor.s3.path=p\nsecor.generation=3",
	    "below s3://b/p/TOPIC/ called 3_PARTITION_OFFSET");
}
