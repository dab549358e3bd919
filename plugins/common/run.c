/*
 * run.c -- see run.h.
 */
#include "plugins/common/run.h"

#include "plugins/common/monotonic.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOOK_MS 10 /* between looks whether it has ended */

extern char **environ;

/* ---- starting ---- */

/* The input as a file of no name, at its begin; -1. */
static int
input_file(const char *bytes, size_t len)
{
	int fd = memfd_create("input", MFD_CLOEXEC);

	while (fd >= 0 && len > 0) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			(void)close(fd);
			return -1;
		}
		bytes += n;
		len -= (size_t)n;
	}
	if (fd >= 0)
		(void)lseek(fd, 0, SEEK_SET);
	return fd;
}

struct pipes {
	int input;  /* -1: none */
	int output; /* its end of the pipe */
	int kept;   /* 1 or 2 */
};

/* errno-like. */
static int
set_files(posix_spawn_file_actions_t *files, const struct pipes *pipes)
{
	int rc =
	    posix_spawn_file_actions_adddup2(files, pipes->output, pipes->kept);

	if (rc == 0)
		rc = posix_spawn_file_actions_addopen(
		    files, 3 - pipes->kept, "/dev/null", O_WRONLY, 0);
	if (rc != 0)
		return rc;
	if (pipes->input >= 0)
		return posix_spawn_file_actions_adddup2(files, pipes->input, 0);
	return posix_spawn_file_actions_addopen(
	    files, 0, "/dev/null", O_RDONLY, 0);
}

static int
set_signals(posix_spawnattr_t *how)
{
	sigset_t none, usual;
	int rc;

	(void)sigemptyset(&none);
	(void)sigemptyset(&usual);
	(void)sigaddset(&usual, SIGPIPE);
	(void)sigaddset(&usual, SIGXFSZ);
	(void)sigaddset(&usual, SIGINT);
	(void)sigaddset(&usual, SIGTERM);
	(void)sigaddset(&usual, SIGHUP);
	rc = posix_spawnattr_setflags(how, POSIX_SPAWN_SETPGROUP |
					       POSIX_SPAWN_SETSIGMASK |
					       POSIX_SPAWN_SETSIGDEF);
	if (rc == 0)
		rc = posix_spawnattr_setsigmask(how, &none);
	return rc != 0 ? rc : posix_spawnattr_setsigdefault(how, &usual);
}

static int
spawn(const struct run *run, const struct pipes *pipes, pid_t *pid)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t how;
	int rc;

	(void)posix_spawn_file_actions_init(&files);
	(void)posix_spawnattr_init(&how);
	rc = set_files(&files, pipes);
	if (rc == 0)
		rc = set_signals(&how);
	if (rc == 0)
		rc = posix_spawnp(pid, run->words[0], &files, &how, run->words,
		    run->environment != NULL ? run->environment : environ);
	(void)posix_spawn_file_actions_destroy(&files);
	(void)posix_spawnattr_destroy(&how);
	return rc;
}

/* Its output is read from *output, until the last writer closes it. */
static int
start(const struct run *run, pid_t *pid, int *output, struct secor_err *err)
{
	struct pipes pipes = {-1, -1, run->output};
	int ends[2], rc;

	if (run->input != NULL) {
		pipes.input = input_file(run->input, run->input_len);
		if (pipes.input < 0)
			return secor_fail(err, SECOR_RETRY,
			    "no room for the input of %.300s: %s",
			    run->words[0], strerror(errno));
	}
	rc = pipe2(ends, O_CLOEXEC) == 0 ? 0 : errno;
	if (rc == 0) {
		pipes.output = ends[1];
		rc = spawn(run, &pipes, pid);
		(void)close(ends[1]);
		if (rc != 0)
			(void)close(ends[0]);
		*output = ends[0];
	}
	if (pipes.input >= 0)
		(void)close(pipes.input);
	if (rc == 0)
		return SECOR_OK;
	return secor_fail(err,
	    rc == EAGAIN || rc == ENOMEM || rc == EMFILE || rc == ENFILE
		? SECOR_RETRY
		: SECOR_FATAL,
	    "cannot run %.300s: %s", run->words[0], strerror(rc));
}

/* ---- waiting ---- */

static enum run_end
read_output(int fd, int64_t deadline_ms, size_t most, struct run_result *result)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	int64_t left;
	ssize_t n;

	for (;;) {
		left = deadline_ms - monotonic_ms();
		if (left <= 0)
			return RUN_TOO_LONG;
		if (poll(&wait, 1, (int)(left < 60000 ? left : 60000)) <= 0)
			continue;
		n = read(
		    fd, result->bytes + result->len, most + 1 - result->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return RUN_ENDED;
		result->len += (size_t)n;
		if (result->len > most)
			return RUN_TOO_MUCH;
	}
}

/* 1 with its status, 0 when the time is over. */
static int
ended(pid_t pid, int64_t deadline_ms, int *how)
{
	pid_t got;

	for (;;) {
		got = waitpid(pid, how, WNOHANG);
		if (got == pid)
			return 1;
		if (got < 0 && errno != EINTR) {
			*how = 0; /* somebody else has waited for it */
			return 1;
		}
		if (monotonic_ms() >= deadline_ms)
			return 0;
		(void)poll(NULL, 0, LOOK_MS);
	}
}

int
run_program(
    const struct run *run, struct run_result *result, struct secor_err *err)
{
	int64_t deadline_ms = monotonic_ms() + run->limit_ms;
	pid_t pid = -1;
	int fd = -1, rc;

	memset(result, 0, sizeof(*result));
	result->bytes = calloc(1, run->most + 2);
	if (result->bytes == NULL)
		return secor_fail(err, SECOR_RETRY, "out of memory");
	rc = start(run, &pid, &fd, err);
	if (rc != SECOR_OK) {
		free(result->bytes);
		result->bytes = NULL;
		return rc;
	}
	result->end = read_output(fd, deadline_ms, run->most, result);
	if (result->end == RUN_ENDED && !ended(pid, deadline_ms, &result->how))
		result->end = RUN_TOO_LONG;
	(void)close(fd);
	if (result->end != RUN_ENDED) {
		(void)kill(-pid, SIGKILL);
		while (waitpid(pid, &result->how, 0) < 0 && errno == EINTR)
			;
	}
	return SECOR_OK;
}
