/*
 * fill.c -- fill BROKER SIZE MESSAGES PARTITIONS TOPIC...: makes topics on a
 * real broker, the only one of its cluster, and sends MESSAGES messages of SIZE
 * bytes to each partition: the record batches that bench/broker replays.
 */
#include "bench/broker/log.h"
#include "bench/broker/wire.h"

#include <arpa/inet.h>
#include <librdkafka/rdkafka.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SOME = 8 /* partitions a request */, ANSWER_ROOM = 65536 };

static void
die(const char *what, const char *why)
{
	(void)fprintf(stderr, "fill: %s: %s\n", what, why);
	exit(3);
}

/* ---- topics ---- */

static void
say_failed(rd_kafka_event_t *event)
{
	const rd_kafka_topic_result_t **results;
	size_t n;

	if (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR)
		die("create topics", rd_kafka_event_error_string(event));
	results = rd_kafka_CreateTopics_result_topics(
	    rd_kafka_event_CreateTopics_result(event), &n);
	for (size_t i = 0; i < n; i++)
		if (rd_kafka_topic_result_error(results[i]) !=
		    RD_KAFKA_RESP_ERR_NO_ERROR)
			die("create topics",
			    rd_kafka_topic_result_error_string(results[i]));
}

static void
create(const char *address, char **topics, int n, int partitions)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_NewTopic_t **all =
	    mem_alloc((size_t)n * sizeof(rd_kafka_NewTopic_t *));
	rd_kafka_queue_t *queue;
	rd_kafka_event_t *event;
	rd_kafka_t *rk;
	char why[512];

	if (rd_kafka_conf_set(conf, "bootstrap.servers", address, why,
		sizeof(why)) != RD_KAFKA_CONF_OK)
		die(address, why);
	rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
	if (rk == NULL)
		die("client", why);
	for (int i = 0; i < n; i++)
		all[i] = rd_kafka_NewTopic_new(
		    topics[i], partitions, 1, why, sizeof(why));
	queue = rd_kafka_queue_new(rk);
	rd_kafka_CreateTopics(rk, all, (size_t)n, NULL, queue);
	event = rd_kafka_queue_poll(queue, 60000);
	if (event == NULL)
		die("create topics", "no answer");
	say_failed(event);
	rd_kafka_event_destroy(event);
	rd_kafka_queue_destroy(queue);
	rd_kafka_NewTopic_destroy_array(all, (size_t)n);
	free(all);
	rd_kafka_destroy(rk);
}

/* ---- messages ---- */

struct target {
	int fd;
	const char *topic;
	const struct log *log;
};

static int
dial(const char *address)
{
	const char *colon = strrchr(address, ':');
	struct sockaddr_in at = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (colon == NULL)
		die(address, "has no port");
	at.sin_port = htons((uint16_t)atoi(colon + 1));
	if (connect(fd, (struct sockaddr *)&at, sizeof(at)) != 0)
		die(address, "cannot connect");
	return fd;
}

static void
whole(int fd, char *bytes, size_t n, int writes)
{
	while (n > 0) {
		ssize_t some =
		    writes ? write(fd, bytes, n) : read(fd, bytes, n);

		if (some <= 0)
			die("connection", "is gone");
		bytes += some;
		n -= (size_t)some;
	}
}

static void
put_batch(const struct log *log, size_t index, struct buf *out)
{
	const struct batch_bytes *batch =
	    &log->batches[index % log->batch_count];

	put_i32(out, (int64_t)batch->len);
	put_i64(out, 0);
	buf_put(out, batch->ptr + 8, batch->len - 8);
}

/* Produce, version 3: batch `index` to the partitions [from, to). */
static void
put_request(const struct target *target, size_t index, int from, int to,
    struct buf *out)
{
	out->len = 0;
	put_i32(out, 0); /* length: below */
	put_i16(out, 0);
	put_i16(out, 3);
	put_i32(out, 1); /* correlation */
	put_string(out, wire_text("fill"));
	put_i16(out, -1); /* no transaction */
	put_i16(out, 1);  /* acknowledged by the leader */
	put_i32(out, 30000);
	put_i32(out, 1);
	put_string(out, wire_text(target->topic));
	put_i32(out, to - from);
	for (int i = from; i < to; i++) {
		put_i32(out, i);
		put_batch(target->log, index, out);
	}
	for (size_t i = 0; i < 4; i++)
		out->ptr[i] = (char)((out->len - 4) >> (24 - 8 * i));
}

/* Returns Kafka's error code, of the first partition that has one. */
static int
read_answer(int fd)
{
	static unsigned char bytes[ANSWER_ROOM];
	struct wire in = {bytes, bytes + 4, 0};
	size_t n;
	int error = 0;

	whole(fd, (char *)bytes, 4, 0);
	n = (size_t)wire_i32(&in);
	if (n > sizeof(bytes))
		die("answer", "is too long");
	whole(fd, (char *)bytes, n, 0);
	in = (struct wire){bytes, bytes + n, 0};
	(void)wire_i32(&in); /* correlation */
	(void)wire_i32(&in); /* one topic */
	(void)wire_string(&in);
	for (int left = wire_i32(&in); left > 0 && !in.bad; left--) {
		int32_t partition = wire_i32(&in);
		int found = wire_i16(&in);

		(void)partition;
		(void)wire_slice(&in, 8 + 8); /* offset, time */
		error = error != 0 ? error : found;
	}
	return in.bad ? -1 : error;
}

/* A new topic may need a moment: its first batch is tried again. */
static void
send_batch(const struct target *target, size_t index, int from, int to,
    struct buf *out)
{
	int error = -1;

	put_request(target, index, from, to, out);
	for (int tries = 0; tries < 600 && error != 0; tries++) {
		whole(target->fd, out->ptr, out->len, 1);
		error = read_answer(target->fd);
		if (error != 0 && index > 0)
			break;
		if (error != 0)
			(void)usleep(100 * 1000);
	}
	if (error != 0) {
		(void)fprintf(
		    stderr, "fill: %s: error %d\n", target->topic, error);
		exit(3);
	}
}

/* The first batch goes to one partition at a time, so that another try is for
 * that one alone. */
static void
fill(const struct target *target, int partitions)
{
	size_t batches = (size_t)target->log->messages / target->log->per_batch;
	struct buf out = {0};

	for (size_t i = 0; i < batches; i++) {
		int step = i == 0 ? 1 : SOME;

		for (int from = 0; from < partitions; from += step) {
			int to = from + step;

			send_batch(target, i, from,
			    to < partitions ? to : partitions, &out);
		}
	}
	buf_fini(&out);
}

int
main(int argc, char **argv)
{
	struct target target;
	struct log *log;

	if (argc < 6)
		die("usage", "fill BROKER SIZE MESSAGES PARTITIONS TOPIC...");
	create(argv[1], argv + 5, argc - 5, atoi(argv[4]));
	target.log = log = log_new((size_t)atol(argv[2]), atoll(argv[3]));
	target.fd = dial(argv[1]);
	for (int i = 5; i < argc; i++) {
		target.topic = argv[i];
		fill(&target, atoi(argv[4]));
	}
	(void)close(target.fd);
	(void)printf("%lld\n", (long long)log->messages);
	log_free(log);
	return 0;
}
