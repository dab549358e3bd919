/*
 * fake_format.h -- three formats whose output is easy to work out: `plain`
 * (bytes as they are), `frames` (a codec with state, fed by `drain`), `lines`
 * (fed by `write`). They do as the script says, which is their conf.
 */
#ifndef TESTS_FLOW_FAKE_FORMAT_H
#define TESTS_FLOW_FAKE_FORMAT_H

#include <secor/format.h>

#include <semaphore.h>
#include <stdatomic.h>

struct script {
	size_t stream_bytes;
	int fail_open, fail_begin, fail_feed, fail_finish; /* a status */
	int hold; /* drain posts `entered` and waits for `go` */
	sem_t entered, go;
	atomic_int streams; /* begun and not ended */
	atomic_int instances;
};

extern const struct secor_format_ops fake_plain, fake_frames, fake_lines;

#endif
