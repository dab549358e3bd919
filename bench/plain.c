/*
 * plain.c -- the program that one writes first: polls message by message, reads
 * each with jansson, its time with strptime, and appends it to a file an hour
 * and partition, by stdio or zlib. librdkafka's settings are its defaults. It
 * promises nothing: no commit, no retry, no second reading.
 *
 * plain FOLDER text|gzip
 */
#include "bench/tool.h"

#include <librdkafka/rdkafka.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

enum { PARTITIONS = 4, FILES_MAX = 1024 };

struct out {
	long hour;
	int partition;
	FILE *text;
	gzFile gzip;
};

static struct out outs[FILES_MAX];
static size_t out_count;

static rd_kafka_t *
open_client(void)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_topic_partition_list_t *all =
	    rd_kafka_topic_partition_list_new(PARTITIONS);
	rd_kafka_t *rk;
	char why[512];

	if (rd_kafka_conf_set(conf, "bootstrap.servers", env("BENCH_BROKER"),
		why, sizeof(why)) != RD_KAFKA_CONF_OK ||
	    rd_kafka_conf_set(conf, "group.id", "plain", why, sizeof(why)) !=
		RD_KAFKA_CONF_OK)
		give_up("configuration", why);
	rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));
	if (rk == NULL)
		give_up("client", why);
	(void)rd_kafka_poll_set_consumer(rk);
	for (int i = 0; i < PARTITIONS; i++)
		rd_kafka_topic_partition_list_add(all, "bench", i)->offset = 0;
	if (rd_kafka_assign(rk, all) != RD_KAFKA_RESP_ERR_NO_ERROR)
		give_up("assign", "refused");
	rd_kafka_topic_partition_list_destroy(all);
	return rk;
}

static long
hour_of(const rd_kafka_message_t *message)
{
	json_error_t error;
	json_t *json = json_loadb(message->payload, message->len, 0, &error);
	const char *text =
	    json_string_value(json_object_get(json, "timestamp"));
	struct tm tm = {0};

	if (text == NULL || strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) == NULL)
		give_up("message", "no time");
	json_decref(json);
	return (long)(timegm(&tm) / 3600);
}

static struct out *
find(const char *folder, int gzip, long hour, int partition)
{
	struct out *out = outs;
	char path[512];

	for (; out < outs + out_count; out++)
		if (out->hour == hour && out->partition == partition)
			return out;
	if (out_count == FILES_MAX)
		give_up("files", "too many");
	(void)snprintf(path, sizeof(path), "%s/%ld_%d%s", folder, hour,
	    partition, gzip ? ".gz" : "");
	out->hour = hour;
	out->partition = partition;
	if (gzip)
		out->gzip = gzopen(path, "wb");
	else
		out->text = fopen(path, "wb");
	if (out->gzip == NULL && out->text == NULL)
		give_up(path, "cannot be made");
	out_count++;
	return out;
}

static void
append(const struct out *out, const rd_kafka_message_t *message)
{
	int good;

	if (out->gzip != NULL)
		good = gzwrite(out->gzip, message->payload,
			   (unsigned)message->len) == (int)message->len &&
		       gzputc(out->gzip, '\n') == '\n';
	else
		good = fwrite(message->payload, 1, message->len, out->text) ==
			   message->len &&
		       fputc('\n', out->text) == '\n';
	if (!good)
		give_up("write", "failed");
}

static void
close_all(void)
{
	for (size_t i = 0; i < out_count; i++)
		if (outs[i].gzip != NULL ? gzclose(outs[i].gzip) != Z_OK
					 : fclose(outs[i].text) != 0)
			give_up("close", "failed");
}

int
main(int argc, char **argv)
{
	int64_t wanted = atoll(env("BENCH_MESSAGES"));
	rd_kafka_t *rk;
	int gzip;

	if (argc != 3)
		give_up("usage", "plain FOLDER text|gzip");
	gzip = strcmp(argv[2], "gzip") == 0;
	rk = open_client();
	while (wanted > 0) {
		rd_kafka_message_t *message = rd_kafka_consumer_poll(rk, 100);

		if (message == NULL)
			continue;
		if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
			append(find(argv[1], gzip, hour_of(message),
				   message->partition),
			    message);
			wanted--;
		}
		rd_kafka_message_destroy(message);
	}
	close_all();
	_exit(0); /* the end of the measured time */
}
