/*
 * event.c -- see event.h.
 */
#include "tests/unit/plugins/notifier/event.h"

struct event_object
event_object(const char *path, const struct secor_event_level *levels,
    uint32_t level_count)
{
	struct event_object made = {
	    .object = {.size = sizeof(made),
		.level_count = level_count,
		.levels = levels,
		.key = "raw/t/dt=2026-01-01/1_3_00000000000000000100.gz",
		.url = "s3://b/raw/t/dt=2026-01-01/1_3_00000000000000000100.gz",
		.path = path,
		.records = 250,
		.bytes = UINT64_C(5000000000),
		.first_offset = 100,
		.last_offset = 349,
		.crc32c = 0x00c0ffee},
	    .newer = "what this header lacks"};

	return made;
}

struct secor_event_batch
event_batch(const char *topic, const struct event_object *objects, size_t count)
{
	struct secor_event_batch batch = {.size = sizeof(batch),
	    .partition = 3,
	    .topic = topic,
	    .start = 100,
	    .end = 350,
	    .messages = 250,
	    .filtered = 2,
	    .bad = 1,
	    .objects = (const void *)objects,
	    .object_count = count,
	    .manifest_key = "_manifests/t/3/1_100.json"};

	return batch;
}

struct secor_event_path
event_path(const char *path, const struct secor_event_level *levels,
    uint32_t level_count)
{
	struct secor_event_path made = {.size = sizeof(made),
	    .level_count = level_count,
	    .levels = levels,
	    .topic = "t",
	    .path = path,
	    .url = "s3://b/raw/t/dt=2026-01-01",
	    .total_objects = 7,
	    .total_records = 9000,
	    .total_bytes = UINT64_C(6000000000),
	    .time_from = 1767225600000,
	    .time_until = 1767229200000};

	return made;
}
