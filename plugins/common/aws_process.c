/*
 * aws_process.c -- keys that a program prints: credential_process.
 *
 * The program is started without a shell, with no input, in a process group of
 * its own. It has a minute; what it prints is bounded. What it says on its
 * error output is not shown, it could hold a secret: run it by hand.
 */
#include "plugins/common/aws_source.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LIMIT_MS INT64_C(60000)
#define LOOK_MS 10 /* between looks whether it has ended */

extern char **environ;

/* ---- words ---- */

/* Copies one word; returns what is behind it, or NULL: a quote is open. */
static const char *
word(const char *at, char **dst)
{
	char quote = '\0';

	for (; *at != '\0' && (quote || strchr(" \t\r\n", *at) == NULL); at++) {
		if (quote && *at == quote) {
			quote = '\0';
		} else if (!quote && (*at == '"' || *at == '\'')) {
			quote = *at;
		} else {
			if (*at == '\\' && at[1] != '\0' && quote != '\'' &&
			    (!quote || strchr("\"\\", at[1]) != NULL))
				at++;
			*(*dst)++ = *at;
		}
	}
	*(*dst)++ = '\0';
	return quote ? NULL : at;
}

int
aws_split(const char *command, char ***words, struct secor_err *err)
{
	size_t len = strlen(command), most = len / 2 + 2, n = 0;
	char **all = malloc(most * sizeof(*all) + len + 2);
	const char *at = command;
	char *dst;

	if (all == NULL)
		return secor_fail(err, SECOR_RETRY, "out of memory");
	dst = (char *)(all + most);
	for (at += strspn(at, " \t\r\n"); at != NULL && *at != '\0';
	     at += strspn(at, " \t\r\n")) {
		all[n++] = dst;
		at = word(at, &dst);
		if (at == NULL)
			break;
	}
	all[n] = NULL;
	if (at != NULL && n > 0) {
		*words = all;
		return SECOR_OK;
	}
	free(all);
	return secor_fail(err, SECOR_FATAL,
	    at == NULL ? "credential_process: a quote is not closed"
		       : "credential_process: there is no program in it");
}

/* ---- what it has printed ---- */

static const char *
member(const json_t *json, const char *name)
{
	return json_string_value(json_object_get(json, name));
}

static int
take(const json_t *json, struct aws_found *found, struct secor_err *err)
{
	const json_t *version = json_object_get(json, "Version");
	const json_t *expires = json_object_get(json, "Expiration");
	const char *access_key = member(json, "AccessKeyId");
	const char *secret_key = member(json, "SecretAccessKey");
	int64_t expires_ms = 0;
	int status;

	if (!json_is_integer(version) || json_integer_value(version) != 1)
		return secor_fail(err, SECOR_FATAL,
		    "credential_process: what it prints is not `\"Version\": "
		    "1`");
	if (access_key == NULL || secret_key == NULL || *access_key == '\0' ||
	    *secret_key == '\0')
		return secor_fail(err, SECOR_FATAL,
		    "credential_process: what it prints has no %s",
		    access_key == NULL || *access_key == '\0'
			? "AccessKeyId"
			: "SecretAccessKey");
	if (expires != NULL && !json_is_null(expires)) {
		expires_ms = json_is_string(expires)
				 ? aws_time(json_string_value(expires))
				 : 0;
		if (expires_ms == 0)
			return secor_fail(err, SECOR_FATAL,
			    "credential_process: its Expiration is no time "
			    "like 2026-01-02T03:04:05Z");
	}
	status = aws_found_set(
	    found, access_key, secret_key, member(json, "SessionToken"), err);
	found->expires_ms = expires_ms;
	(void)snprintf(
	    found->source, sizeof(found->source), "credential_process");
	return status;
}

int
aws_process_take(const char *bytes, size_t len, struct aws_found *found,
    struct secor_err *err)
{
	json_t *json = json_loadb(bytes, len, JSON_REJECT_DUPLICATES, NULL);
	int status;

	if (!json_is_object(json))
		status = secor_fail(err, SECOR_FATAL,
		    "credential_process: what it prints is no JSON object");
	else
		status = take(json, found, err);
	json_decref(json);
	return status;
}

/* ---- running it ---- */

static int64_t
clock_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* How it is to be started. errno-like. */
static int
set_up(posix_spawn_file_actions_t *files, posix_spawnattr_t *how, int output)
{
	sigset_t none, usual;
	int rc;

	(void)sigemptyset(&none);
	(void)sigemptyset(&usual);
	(void)sigaddset(&usual, SIGPIPE);
	(void)sigaddset(&usual, SIGINT);
	(void)sigaddset(&usual, SIGTERM);
	(void)sigaddset(&usual, SIGHUP);
	rc = posix_spawn_file_actions_adddup2(files, output, 1);
	if (rc == 0)
		rc = posix_spawn_file_actions_addopen(
		    files, 0, "/dev/null", O_RDONLY, 0);
	if (rc == 0)
		rc = posix_spawn_file_actions_addopen(
		    files, 2, "/dev/null", O_WRONLY, 0);
	if (rc == 0)
		rc = posix_spawnattr_setflags(how, POSIX_SPAWN_SETPGROUP |
						       POSIX_SPAWN_SETSIGMASK |
						       POSIX_SPAWN_SETSIGDEF);
	if (rc == 0)
		rc = posix_spawnattr_setsigmask(how, &none);
	return rc != 0 ? rc : posix_spawnattr_setsigdefault(how, &usual);
}

/* Its output is read from *output, until the last writer closes it. */
static int
start(char **words, pid_t *pid, int *output, struct secor_err *err)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t how;
	int ends[2], rc;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return secor_fail(err, SECOR_RETRY, "credential_process: %s",
		    strerror(errno));
	(void)posix_spawn_file_actions_init(&files);
	(void)posix_spawnattr_init(&how);
	rc = set_up(&files, &how, ends[1]);
	if (rc == 0)
		rc = posix_spawnp(pid, words[0], &files, &how, words, environ);
	(void)posix_spawn_file_actions_destroy(&files);
	(void)posix_spawnattr_destroy(&how);
	(void)close(ends[1]);
	*output = ends[0];
	if (rc == 0)
		return SECOR_OK;
	(void)close(ends[0]);
	return secor_fail(err,
	    rc == EAGAIN || rc == ENOMEM ? SECOR_RETRY : SECOR_FATAL,
	    "credential_process: cannot run %.300s: %s", words[0],
	    strerror(rc));
}

struct output {
	char bytes[AWS_PROCESS_MOST + 1];
	size_t len;
};

enum reading { READ_ALL, READ_TOO_MUCH, READ_TOO_LONG };

static enum reading
read_output(int fd, int64_t deadline_ms, struct output *output)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	int64_t left;
	ssize_t n;

	for (;;) {
		left = deadline_ms - clock_ms();
		if (left <= 0)
			return READ_TOO_LONG;
		if (poll(&wait, 1, (int)left) <= 0)
			continue;
		n = read(fd, output->bytes + output->len,
		    sizeof(output->bytes) - output->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return READ_ALL;
		output->len += (size_t)n;
		if (output->len > AWS_PROCESS_MOST)
			return READ_TOO_MUCH;
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
		if (clock_ms() >= deadline_ms)
			return 0;
		(void)poll(NULL, 0, LOOK_MS);
	}
}

static int
complain(const char *program, int how, struct secor_err *err)
{
	if (WIFSIGNALED(how))
		return secor_fail(err, SECOR_RETRY,
		    "credential_process: %.300s was ended by signal %d",
		    program, WTERMSIG(how));
	return secor_fail(err, SECOR_RETRY,
	    "credential_process: %.300s ended with %d: run it by hand to see "
	    "why",
	    program, WEXITSTATUS(how));
}

static int
collect(pid_t pid, int fd, int64_t limit_ms, const char *program,
    struct output *output, struct secor_err *err)
{
	int64_t deadline_ms = clock_ms() + limit_ms;
	enum reading reading = read_output(fd, deadline_ms, output);
	int how = 0;

	if (reading == READ_ALL && !ended(pid, deadline_ms, &how))
		reading = READ_TOO_LONG;
	if (reading == READ_ALL)
		return how == 0 ? SECOR_OK : complain(program, how, err);
	(void)kill(-pid, SIGKILL);
	while (waitpid(pid, &how, 0) < 0 && errno == EINTR)
		;
	if (reading == READ_TOO_MUCH)
		return secor_fail(err, SECOR_FATAL,
		    "credential_process: %.300s prints more than 64 KiB",
		    program);
	return secor_fail(err, SECOR_RETRY,
	    "credential_process: %.300s did not end within %lld seconds",
	    program, (long long)((limit_ms + 999) / 1000));
}

int
aws_from_process(const struct aws_ask *ask, const char *command,
    struct aws_found *found, struct secor_err *err)
{
	int64_t limit_ms =
	    ask->conf->process_ms > 0 ? ask->conf->process_ms : LIMIT_MS;
	struct output *output;
	char **words;
	pid_t pid;
	int fd, status = aws_split(command, &words, err);

	if (status != SECOR_OK)
		return status;
	output = calloc(1, sizeof(*output));
	if (output == NULL)
		status = secor_fail(err, SECOR_RETRY, "out of memory");
	else
		status = start(words, &pid, &fd, err);
	if (status == SECOR_OK) {
		status = collect(pid, fd, limit_ms, words[0], output, err);
		(void)close(fd);
		if (status == SECOR_OK)
			status = aws_process_take(
			    output->bytes, output->len, found, err);
	}
	if (output != NULL)
		explicit_bzero(output, sizeof(*output));
	free(output);
	free(words);
	return status;
}

int
aws_from_conf_process(
    const struct aws_ask *ask, struct aws_found *found, struct secor_err *err)
{
	if (ask->conf->credential_process == NULL)
		return AWS_NOT_SET;
	return aws_from_process(ask, ask->conf->credential_process, found, err);
}
