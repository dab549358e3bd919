/*
 * main.c -- broker [--size BYTES] [--messages N] [--partitions N] [--http]
 * [--timeout SECONDS] COMMAND...: a broker for one run of one client.
 */
#include "bench/broker/watch.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static const struct option OPTIONS[] = {{"size", required_argument, NULL, 's'},
    {"messages", required_argument, NULL, 'n'},
    {"partitions", required_argument, NULL, 'p'},
    {"timeout", required_argument, NULL, 't'}, {"http", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0}};

static int
usage(void)
{
	(void)fprintf(stderr,
	    "usage: broker [--size BYTES] [--messages N (a partition)] "
	    "[--partitions N]\n"
	    "              [--http] [--timeout SECONDS] COMMAND...\n");
	return 2;
}

int
main(int argc, char **argv)
{
	static struct broker broker = {.topic = "bench", .partitions = 4};
	struct watch watch = {.broker = &broker, .timeout_s = 120};
	size_t size = 300;
	int64_t messages = 250000;
	struct log *log;
	int c, rc;

	while ((c = getopt_long(argc, argv, "+", OPTIONS, NULL)) != -1) {
		switch (c) {
		case 's':
			size = (size_t)atol(optarg);
			break;
		case 'n':
			messages = atoll(optarg);
			break;
		case 'p':
			broker.partitions = atoi(optarg);
			break;
		case 't':
			watch.timeout_s = atof(optarg);
			break;
		case 'h':
			watch.http_port = watch_free_port();
			break;
		default:
			return usage();
		}
	}
	if (optind == argc || size < 100 || messages < 0 ||
	    broker.partitions < 1 || broker.partitions > PARTITIONS_MAX)
		return usage();
	(void)signal(SIGPIPE, SIG_IGN);
	broker.log = log = log_new(size, messages);
	broker_open(&broker);
	broker_start(&broker);
	watch.command = argv + optind;
	rc = watch_run(&watch);
	log_free(log);
	return rc;
}
