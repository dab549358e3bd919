/*
 * watch.c -- see watch.h.
 */
#include "bench/broker/watch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PAGE_A_PAUSE = 32 << 10 };

static int
bind_loopback(int fd, int port)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);

	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &len) != 0)
		return -1;
	return ntohs(at.sin_port);
}

int
watch_free_port(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int port = bind_loopback(fd, 0);

	(void)close(fd);
	return port;
}

/* ---- figures of the machine ---- */

static double
seconds_of(const struct rusage *usage)
{
	return (double)usage->ru_utime.tv_sec + (double)usage->ru_stime.tv_sec +
	       (double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) /
		   1e6;
}

static double
own_seconds(void)
{
	struct rusage usage;

	(void)getrusage(RUSAGE_SELF, &usage);
	return seconds_of(&usage);
}

/* Seconds that the cores on which we may run were busy, for whomever. */
static double
busy_seconds(int *cores)
{
	cpu_set_t allowed;
	char line[512];
	double sum = 0;
	FILE *f = fopen("/proc/stat", "re");

	*cores = 0;
	if (f == NULL || sched_getaffinity(0, sizeof(allowed), &allowed) != 0)
		abort();
	while (fgets(line, sizeof(line), f) != NULL) {
		long long t[8] = {0};
		int cpu;

		if (sscanf(line,
			"cpu%d %lld %lld %lld %lld %lld %lld %lld %lld", &cpu,
			&t[0], &t[1], &t[2], &t[3], &t[4], &t[5], &t[6],
			&t[7]) != 9 ||
		    !CPU_ISSET((size_t)cpu, &allowed))
			continue;
		/* all but idle and iowait */
		sum += (double)(t[0] + t[1] + t[2] + t[5] + t[6] + t[7]);
		++*cores;
	}
	(void)fclose(f);
	return sum / (double)sysconf(_SC_CLK_TCK);
}

/* ---- the client's own counter ---- */

/* Messages taken in, as its /metrics says, which has *len bytes; -1 when it
 * does not answer. */
static long long
taken_in(int port, size_t *len)
{
	static const char ask[] = "GET /metrics HTTP/1.0\r\n\r\n";
	static const char name[] = "\nsecor_messages_total ";
	static char page[1 << 23];
	struct sockaddr_in at = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	size_t n = 0;
	ssize_t got = 0;
	const char *found;

	if (connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0 &&
	    write(fd, ask, sizeof(ask) - 1) == (ssize_t)sizeof(ask) - 1)
		while (n < sizeof(page) - 1 &&
		       (got = read(fd, page + n, sizeof(page) - 1 - n)) > 0)
			n += (size_t)got;
	(void)close(fd);
	page[n] = '\0';
	*len = n;
	found = strstr(page, name);
	return found == NULL ? -1 : atoll(found + sizeof(name) - 1);
}

/* ---- the run ---- */

struct run {
	const struct watch *watch;
	pid_t pid;
	int ended, status;
	struct rusage usage;
	double started;
	int64_t messages;
};

static void
set_env(const char *name, const char *before, int64_t value)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "%s%lld", before, (long long)value);
	(void)setenv(name, text, 1);
}

static void
start(struct run *run)
{
	const struct watch *watch = run->watch;

	set_env("BENCH_BROKER", "127.0.0.1:", watch->broker->port);
	set_env("BENCH_HTTP", "127.0.0.1:", watch->http_port);
	set_env("BENCH_MESSAGES", "", run->messages);
	run->started = clock_seconds();
	run->pid = fork();
	if (run->pid == 0) {
		(void)execvp(watch->command[0], watch->command);
		perror(watch->command[0]);
		_exit(127);
	}
	if (run->pid < 0)
		abort();
}

/* Looks every 5 ms: 1 when the client has ended. */
static int
pause_or_end(struct run *run)
{
	struct timespec time = {0, 5 * 1000000L};

	if (wait4(run->pid, &run->status, WNOHANG, &run->usage) == run->pid)
		run->ended = 1;
	else
		(void)nanosleep(&time, NULL);
	if (!run->ended &&
	    clock_seconds() - run->started > run->watch->timeout_s) {
		(void)fprintf(stderr, "broker: the client takes too long\n");
		(void)kill(run->pid, SIGKILL);
		(void)wait4(run->pid, &run->status, 0, &run->usage);
		run->ended = 1;
	}
	return run->ended;
}

static int
all_fetched(struct broker *broker)
{
	int all;

	(void)pthread_mutex_lock(&broker->lock);
	all = broker->left == 0;
	(void)pthread_mutex_unlock(&broker->lock);
	return all;
}

static int
all_committed(struct broker *broker)
{
	int all = 1;

	(void)pthread_mutex_lock(&broker->lock);
	for (int i = 0; i < broker->partitions; i++)
		all &=
		    broker->committed[i].offset == broker->log->messages &&
		    strncmp(broker->committed[i].metadata, "s1 clean ", 9) == 0;
	(void)pthread_mutex_unlock(&broker->lock);
	return all;
}

/* Waits until the client has taken in all, and seldom asks one whose page is
 * long: that is work too. How long it took to answer says nothing: it is busy.
 * Returns 1 when it has ended. */
static int
wait_for_all(struct run *run)
{
	for (;;) {
		size_t len;

		if (taken_in(run->watch->http_port, &len) >= run->messages)
			return 0;
		for (size_t pauses = 1 + len / PAGE_A_PAUSE; pauses > 0;
		     pauses--)
			if (pause_or_end(run))
				return 1;
	}
}

static void
follow(struct run *run)
{
	const struct watch *watch = run->watch;

	if (watch->http_port != 0) {
		while (!all_fetched(watch->broker))
			if (pause_or_end(run))
				return;
		if (wait_for_all(run))
			return;
		(void)kill(run->pid, SIGTERM);
	}
	while (!pause_or_end(run))
		;
}

static void
report(const struct run *run, double ended, double broker_cpu, double foreign)
{
	const struct broker *broker = run->watch->broker;
	double until = broker->last_commit > 0 ? broker->last_commit : ended;

	(void)printf("wall_s=%.3f cpu_s=%.3f broker_cpu_s=%.3f rss_mb=%.1f "
		     "bytes=%lld messages=%lld batches=%lld "
		     "foreign=%.3f\n",
	    until - broker->first_fetch, seconds_of(&run->usage), broker_cpu,
	    (double)run->usage.ru_maxrss / 1024,
	    (long long)run->messages * (long long)broker->log->message_bytes,
	    (long long)run->messages, (long long)broker->batches, foreign);
}

int
watch_run(const struct watch *watch)
{
	struct run run = {.watch = watch,
	    .messages =
		watch->broker->log->messages * watch->broker->partitions};
	int cores;
	double busy = busy_seconds(&cores), cpu = own_seconds(), ended, others;

	start(&run);
	follow(&run);
	ended = clock_seconds();
	cpu = own_seconds() - cpu;
	others = busy_seconds(&cores) - busy - cpu - seconds_of(&run.usage);
	others /= (ended - run.started) * cores;
	report(&run, ended, cpu, others < 0 ? 0 : others);
	if (!WIFEXITED(run.status) || WEXITSTATUS(run.status) != 0) {
		(void)fprintf(stderr, "broker: %s failed (status %#x)\n",
		    watch->command[0], (unsigned)run.status);
		return 1;
	}
	if (watch->http_port != 0 && !all_committed(watch->broker)) {
		(void)fprintf(stderr, "broker: not all is committed\n");
		return 1;
	}
	return 0;
}
