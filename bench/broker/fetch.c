/*
 * fetch.c -- the answer to a Fetch (versions 4 to 11): heads in a buffer, the
 * batches straight from the log, all in one writev. Only base offsets are new.
 */
#include "bench/broker/broker.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <time.h>

enum { PIECES_MAX = 4096, HEADS_MAX = PARTITIONS_MAX + 2 };

/* A reply on its way together. Heads are remembered by position, since the
 * buffer moves while it grows. */
struct reply {
	struct buf heads;
	struct piece {
		const char *ptr; /* NULL: `at` in heads */
		size_t at, len;
	} pieces[PIECES_MAX];
	size_t count;
	size_t total;
	int64_t room; /* bytes that the client still wants */
};

struct asked {
	int32_t partition;
	int64_t offset;
	int64_t max_bytes;
};

static void
add(struct reply *reply, const char *ptr, size_t at, size_t len)
{
	struct piece *piece = &reply->pieces[reply->count++];

	piece->ptr = ptr;
	piece->at = at;
	piece->len = len;
	reply->total += len;
}

/* What was put into heads since `from`. */
static void
add_head(struct reply *reply, size_t from)
{
	add(reply, NULL, from, reply->heads.len - from);
}

/* How many batches from `first` on fit; always one if there is one. */
static size_t
batches_for(const struct log *log, int64_t first, int64_t max_bytes)
{
	int64_t left = log->messages / (int64_t)log->per_batch - first;
	int64_t bytes = 0;
	size_t n = 0;

	while ((int64_t)n < left && n < 64) {
		size_t at = ((size_t)first + n) % log->batch_count;

		bytes += (int64_t)log->batches[at].len;
		if (n > 0 && bytes > max_bytes)
			break;
		n++;
	}
	return n;
}

static void
put_partition_head(const struct broker *broker, const struct request *request,
    int32_t partition, struct buf *out)
{
	put_i32(out, partition);
	put_i16(out, 0);
	put_i64(out, broker->log->messages); /* high watermark */
	put_i64(out, broker->log->messages); /* last stable offset */
	if (request->version >= 5)
		put_i64(out, 0); /* log start */
	put_i32(out, 0);	 /* aborted transactions */
	if (request->version >= 11)
		put_i32(out, -1); /* preferred replica */
}

static void
put_partition(struct broker *broker, const struct request *request,
    const struct asked *asked, struct reply *reply)
{
	const struct log *log = broker->log;
	int64_t first = asked->offset / (int64_t)log->per_batch;
	size_t n = batches_for(log, first, asked->max_bytes);
	size_t bytes = 0, from = reply->heads.len;

	if (reply->room <= 0 || reply->count + 2 * n + HEADS_MAX > PIECES_MAX)
		n = 0;
	for (size_t i = 0; i < n; i++)
		bytes +=
		    log->batches[((size_t)first + i) % log->batch_count].len;
	reply->room -= (int64_t)bytes;
	put_partition_head(broker, request, asked->partition, &reply->heads);
	put_i32(&reply->heads, (int64_t)bytes);
	add_head(reply, from);
	for (size_t i = 0; i < n; i++) {
		size_t at = ((size_t)first + i) % log->batch_count;

		from = reply->heads.len;
		put_i64(&reply->heads,
		    (first + (int64_t)i) * (int64_t)log->per_batch);
		add_head(reply, from);
		add(reply, log->batches[at].ptr + 8, 0,
		    log->batches[at].len - 8);
	}
}

static void
note(struct broker *broker, const struct asked *asked)
{
	(void)pthread_mutex_lock(&broker->lock);
	if (broker->first_fetch == 0)
		broker->first_fetch = clock_seconds();
	if (asked->partition >= 0 && asked->partition < broker->partitions &&
	    asked->offset >= broker->log->messages &&
	    !broker->read_whole[asked->partition]) {
		broker->read_whole[asked->partition] = 1;
		broker->left--;
	}
	(void)pthread_mutex_unlock(&broker->lock);
}

static void
read_asked(struct request *request, struct asked *asked)
{
	struct wire *in = &request->in;

	asked->partition = wire_i32(in);
	if (request->version >= 9)
		(void)wire_i32(in); /* leader epoch */
	asked->offset = wire_i64(in);
	if (request->version >= 5)
		(void)wire_i64(in); /* log start */
	asked->max_bytes = wire_i32(in);
}

static void
put_topic(struct broker *broker, struct request *request, struct reply *reply)
{
	struct wire *in = &request->in;
	struct wire_bytes topic = wire_string(in);
	int n = wire_i32(in);
	size_t from = reply->heads.len;

	put_string(&reply->heads, topic);
	put_i32(&reply->heads, n);
	add_head(reply, from);
	while (n-- > 0 && !in->bad) {
		struct asked asked;

		read_asked(request, &asked);
		note(broker, &asked);
		put_partition(broker, request, &asked, reply);
	}
}

static int
send_all(int fd, struct iovec *iov, size_t count)
{
	while (count > 0) {
		size_t some = count < IOV_MAX ? count : IOV_MAX;
		ssize_t n = writev(fd, iov, (int)some);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		for (; count > 0 && (size_t)n >= iov->iov_len; iov++, count--)
			n -= (ssize_t)iov->iov_len;
		if (count > 0) {
			iov->iov_base = (char *)iov->iov_base + n;
			iov->iov_len -= (size_t)n;
		}
	}
	return 0;
}

static int
send_reply(struct reply *reply, int fd)
{
	static _Thread_local struct iovec iov[PIECES_MAX];
	uint32_t length = (uint32_t)(reply->total - 4);

	for (size_t i = 0; i < 4; i++)
		reply->heads.ptr[i] = (char)(length >> (24 - 8 * i));
	for (size_t i = 0; i < reply->count; i++) {
		const struct piece *piece = &reply->pieces[i];
		const char *from = piece->ptr == NULL
				       ? reply->heads.ptr + piece->at
				       : piece->ptr;

		iov[i].iov_base = (void *)(uintptr_t)from;
		iov[i].iov_len = piece->len;
	}
	return send_all(fd, iov, reply->count);
}

static void
wait_ms(int32_t ms)
{
	struct timespec time = {ms / 1000, ms % 1000 * 1000000L};

	(void)nanosleep(&time, NULL);
}

int
fetch_answer(struct broker *broker, struct request *request, int fd)
{
	static _Thread_local struct reply reply;
	struct wire *in = &request->in;
	int32_t max_wait_ms;
	int topics;
	size_t empty;

	reply.heads.len = reply.count = reply.total = 0;
	(void)wire_i32(in); /* replica */
	max_wait_ms = wire_i32(in);
	(void)wire_i32(in); /* least bytes */
	reply.room = wire_i32(in);
	(void)wire_i8(in); /* isolation */
	if (request->version >= 7)
		(void)wire_slice(in, 4 + 4); /* session */
	topics = wire_i32(in);
	put_i32(&reply.heads, 0); /* length: when known */
	put_i32(&reply.heads, request->correlation);
	put_i32(&reply.heads, 0); /* throttle */
	if (request->version >= 7) {
		put_i16(&reply.heads, 0);
		put_i32(&reply.heads, 0); /* no session */
	}
	put_i32(&reply.heads, topics);
	add_head(&reply, 0);
	while (topics-- > 0 && !in->bad)
		put_topic(broker, request, &reply);
	empty = reply.heads.len;
	if (in->bad)
		return -1;
	if (reply.total == empty)
		wait_ms(max_wait_ms);
	return send_reply(&reply, fd);
}
