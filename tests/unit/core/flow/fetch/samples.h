/*
 * samples.h -- record batches that others made, byte by byte: "rd-" those of
 * librdkafka 2.16's producer as its mock cluster gave them to a Fetch request,
 * "java-" those of the record classes of Kafka 3.9.2's Java client. Each has
 * the eight records of samples_test.c, but for "java-txn", which has a log of
 * transactions, and what compaction made of "java-zstd".
 */
#ifndef TESTS_FLOW_FETCH_SAMPLES_H
#define TESTS_FLOW_FETCH_SAMPLES_H

#include "core/base/buf.h"

/* Into `out`, which it empties first. A name that is not there fails the test.
 */
void sample(const char *name, struct buf *out);

#endif
