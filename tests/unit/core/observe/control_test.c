/*
 * control_test.c -- the control socket against an engine that is none: what
 * lines become, and that nothing stays taken when a connection ends.
 */
#include "core/observe/control.h"

#include "core/base/buf.h"
#include "core/base/log.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What the engine was asked, as text. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t told = PTHREAD_COND_INITIALIZER;
static struct buf asked;
static int status; /* its answer to all but a release */

static void
on_hold(void *arg, struct hold *hold)
{
	static const char *const verbs[] = {"take", "commit", "release"};

	(void)arg;
	(void)pthread_mutex_lock(&lock);
	buf_printf(&asked, "%s %s/%" PRId32, verbs[hold->verb], hold->topic,
	    hold->partition);
	if (hold->verb == HOLD_COMMIT)
		buf_printf(&asked, " %" PRId64 " %d", hold->record.offset,
		    hold->record.kind);
	if (hold->verb == HOLD_TAKE)
		hold->epoch = 7;
	else
		buf_printf(&asked, " epoch %" PRIu64, hold->epoch);
	buf_putc(&asked, '\n');
	hold->status = hold->verb == HOLD_RELEASE ? SECOR_OK : status;
	(void)snprintf(hold->text, sizeof(hold->text), "so\nso");
	(void)pthread_cond_broadcast(&told);
	(void)pthread_mutex_unlock(&lock);
}

static void
on_end(void *arg)
{
	(void)arg;
}

static const struct control_source source = {NULL, on_hold, on_end};

static char folder[300];
static struct control *control;

static void
start(const char *deeper)
{
	struct secor_err err;
	char base[] = "/tmp/control_test.XXXXXX";

	cr_assert_not_null(mkdtemp(base));
	(void)snprintf(folder, sizeof(folder), "%s%s", base, deeper);
	if (*deeper != '\0')
		cr_assert_eq(mkdir(folder, 0700), 0);
	log_level_set(SECOR_ERROR);
	asked = (struct buf){0};
	status = SECOR_OK;
	cr_assert_eq(control_start(folder, &source, &control, &err), SECOR_OK,
	    "%s", err.text);
}

static void
finish(void)
{
	char *path = mem_text("%s/" CONTROL_NAME, folder);
	struct stat st;

	control_stop(control);
	cr_assert_neq(stat(path, &st), 0);
	free(path);
	buf_fini(&asked);
	for (char *at = folder; at != NULL && *folder != '\0';) {
		if (strcmp(folder, "/tmp") == 0 || rmdir(folder) != 0)
			break;
		at = strrchr(folder, '/');
		*at = '\0';
	}
}

static int
dial(void)
{
	char *path = mem_text("%s/" CONTROL_NAME, folder);
	struct sockaddr_un address;
	int dir_fd;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	cr_assert(control_address(path, &address, &dir_fd));
	cr_assert_eq(
	    connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	if (dir_fd >= 0)
		(void)close(dir_fd);
	free(path);
	return fd;
}

/* The next line, without its LF; "" at the end. */
static const char *
hear(int fd)
{
	static char line[2048];
	size_t n = 0;

	while (n < sizeof(line) - 1 && read(fd, line + n, 1) == 1 &&
	       line[n] != '\n')
		n++;
	line[n] = '\0';
	return line;
}

static const char *
say(int fd, const char *line)
{
	cr_assert_eq(write(fd, line, strlen(line)), (ssize_t)strlen(line));
	return hear(fd);
}

static void
wait_asked(const char *text)
{
	(void)pthread_mutex_lock(&lock);
	while (asked.ptr == NULL || strcmp(asked.ptr, text) != 0)
		(void)pthread_cond_wait(&told, &lock);
	(void)pthread_mutex_unlock(&lock);
}

#define CLEAN "s1 clean g=0123456789abcdef.1 w=- m=0000000000000000 q=5"

Test(control, take_commit_release_reach_the_engine, .timeout = 120)
{
	int fd;

	start("");
	fd = dial();
	cr_assert_str_eq(hear(fd), CONTROL_GREETING);
	cr_assert_str_eq(say(fd, "take g.1 logs.a 3\n"), "ok so so");
	cr_assert_str_eq(say(fd, "commit logs.a 3 5 " CLEAN "\n"), "ok so so");
	cr_assert_str_eq(say(fd, "release logs.a 3\n"), "ok so so");
	cr_assert_str_eq(asked.ptr, "take logs.a/3\n"
				    "commit logs.a/3 5 1 epoch 7\n"
				    "release logs.a/3 epoch 7\n");
	(void)close(fd);
	finish();
}

Test(control, what_was_taken_is_released_when_the_connection_ends,
    .timeout = 120)
{
	int fd;

	start("");
	fd = dial();
	(void)hear(fd);
	(void)say(fd, "take g.1 a 0\n");
	(void)say(fd, "take g.1 b 1\n");
	(void)say(fd, "release a 0\n");
	(void)close(fd);
	wait_asked("take a/0\ntake b/1\nrelease a/0 epoch 7\n"
		   "release b/1 epoch 7\n");
	finish();
}

Test(control, the_engines_answer_is_the_first_word, .timeout = 120)
{
	static const struct {
		int status;
		const char *says;
	} rows[] = {{SECOR_REJECT, "away so so"}, {SECOR_RETRY, "later so so"},
	    {SECOR_FATAL, "no so so"}};
	int fd;

	start("");
	fd = dial();
	(void)hear(fd);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		status = rows[i].status;
		cr_assert_str_eq(say(fd, "take g.1 a 0\n"), rows[i].says);
	}
	(void)close(fd); /* nothing was taken: nothing is released */
	fd = dial();
	cr_assert_str_eq(hear(fd), CONTROL_GREETING);
	cr_assert_str_eq(asked.ptr, "take a/0\ntake a/0\ntake a/0\n");
	(void)close(fd);
	finish();
}

Test(control, other_lines_are_refused_and_not_asked, .timeout = 120)
{
	static const char *const bad[] = {"\n", "take\n", "take g.1 a\n",
	    "take g.1 a x\n", "take g.1 a 0 more\n", "GET / HTTP/1.1\n",
	    "commit a 0 5\n", "commit a 0 5 not a record\n",
	    "commit a 0 5 " CLEAN " e=1\n", "release a\n"};
	int fd;

	start("");
	fd = dial();
	(void)hear(fd);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_str_eq(
		    say(fd, bad[i]), "no not understood", "%s", bad[i]);
	cr_assert_str_eq(
	    say(fd, "commit a 0 5 " CLEAN "\n"), "no take it first");
	cr_assert_str_eq(say(fd, "release a 0\n"), "no take it first");
	cr_assert_eq(asked.len, 0);
	(void)close(fd);
	finish();
}

Test(control, a_line_without_end_ends_the_connection, .timeout = 120)
{
	char text[3 * CONTROL_LINE_MAX];
	int fd;

	start("");
	fd = dial();
	(void)hear(fd);
	memset(text, 'x', sizeof(text));
	(void)send(fd, text, sizeof(text), MSG_NOSIGNAL);
	cr_assert_str_eq(hear(fd), "");
	(void)close(fd);
	finish();
}

Test(control, only_its_user_may_connect, .timeout = 120)
{
	char *path;
	struct stat st;

	start("");
	path = mem_text("%s/" CONTROL_NAME, folder);
	cr_assert_eq(stat(path, &st), 0);
	cr_assert_eq(st.st_mode & 0777, 0600);
	free(path);
	finish();
}

Test(control, a_long_path_works_too, .timeout = 120)
{
	int fd;

	start("/a-folder-whose-name-is-so-long-that-the-path-of-the-socket-in-"
	      "it-does-not-fit-into-the-address-of-a-socket-which-has-108-"
	      "bytes");
	fd = dial();
	cr_assert_str_eq(hear(fd), CONTROL_GREETING);
	(void)close(fd);
	finish();
}

Test(control, a_stop_ends_a_connection_that_waits, .timeout = 120)
{
	int fd;

	start("");
	fd = dial();
	(void)hear(fd);
	(void)say(fd, "take g.1 a 0\n");
	finish();
	cr_assert_str_eq(hear(fd), "");
	(void)close(fd);
}
