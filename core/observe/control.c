/*
 * control.c -- see control.h. Invariant: whatever a connection took is released
 * when it ends, however it ends.
 */
#include "core/observe/control.h"

#include "core/base/buf.h"
#include "core/base/clock.h"
#include "core/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A partition that the connection has taken. */
struct held {
	char topic[250];
	int32_t partition;
	uint64_t epoch;
};

struct control {
	struct control_source source;
	char *path;
	int listen_fd;
	int stop_fds[2]; /* a byte comes: stop */
	pthread_t thread;
	/* of the connection */
	int fd;
	int64_t until_boot_ms;
	struct control_lines lines;
	struct held *held;
	size_t held_count;
};

/* ---- the address ---- */

int
control_address(const char *path, struct sockaddr_un *address, int *dir_fd)
{
	const char *slash = strrchr(path, '/');
	char *folder;
	int fd;

	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	*dir_fd = -1;
	if (strlen(path) < sizeof(address->sun_path)) {
		memcpy(address->sun_path, path, strlen(path));
		return 1;
	}
	folder = slash == NULL ? mem_dup(".", 1)
			       : mem_dup(path, (size_t)(slash - path));
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(folder);
	if (fd < 0)
		return 0;
	*dir_fd = fd;
	(void)snprintf(address->sun_path, sizeof(address->sun_path),
	    "/proc/self/fd/%d/%.60s", fd, slash == NULL ? path : slash + 1);
	return 1;
}

/* ---- lines ---- */

/* Waits for bytes. 0: stop, end, or the limit. */
static int
wait_readable(struct control *control, int fd)
{
	struct pollfd fds[2] = {{.fd = fd, .events = POLLIN},
	    {.fd = control->stop_fds[0], .events = POLLIN}};
	int64_t left = -1;
	int n;

	do {
		if (control->until_boot_ms != 0)
			left = control->until_boot_ms - clock_boot_ms();
		if (control->until_boot_ms != 0 && left <= 0)
			return 0;
		n = poll(fds, 2, (int)left);
	} while (n < 0 && errno == EINTR);
	return n > 0 && fds[1].revents == 0;
}

ssize_t
control_line(struct control_lines *lines, char line[CONTROL_LINE_MAX])
{
	char *lf = memchr(lines->bytes, '\n', lines->filled);
	size_t len;

	if (lf == NULL)
		return -1;
	len = (size_t)(lf - lines->bytes);
	memcpy(line, lines->bytes, len);
	line[len] = '\0';
	lines->filled -= len + 1;
	memmove(lines->bytes, lf + 1, lines->filled);
	return (ssize_t)len;
}

/* The next line; 0 when there is none any more, or one that is too long or has
 * a NUL. */
static int
read_line(struct control *control, char line[CONTROL_LINE_MAX])
{
	struct control_lines *lines = &control->lines;
	ssize_t len, n;

	while ((len = control_line(lines, line)) < 0) {
		if (lines->filled == sizeof(lines->bytes) ||
		    !wait_readable(control, control->fd))
			return 0;
		n = recv(control->fd, lines->bytes + lines->filled,
		    sizeof(lines->bytes) - lines->filled, 0);
		if (n <= 0)
			return 0;
		lines->filled += (size_t)n;
	}
	return strlen(line) == (size_t)len;
}

/* An answer is shorter than what a socket takes at once; an asker that does not
 * read is closed. */
static int
send_line(struct control *control, const char *word, const char *text)
{
	char line[CONTROL_LINE_MAX];
	int len = snprintf(line, sizeof(line), "%s%s%s", word,
	    text[0] == '\0' ? "" : " ", text);

	if (len < 0 || (size_t)len > sizeof(line) - 2)
		len = (int)sizeof(line) - 2;
	for (int i = 0; i < len; i++)
		if (line[i] == '\n')
			line[i] = ' ';
	line[len++] = '\n';
	return send(control->fd, line, (size_t)len,
		   MSG_NOSIGNAL | MSG_DONTWAIT) == len;
}

/* ---- what is asked ---- */

static struct held *
find_held(struct control *control, const struct hold *hold)
{
	for (size_t i = 0; i < control->held_count; i++)
		if (control->held[i].partition == hold->partition &&
		    strcmp(control->held[i].topic, hold->topic) == 0)
			return &control->held[i];
	return NULL;
}

static void
add_held(struct control *control, const struct hold *hold)
{
	size_t n = control->held_count++;

	control->held =
	    mem_grow(control->held, (n + 1) * sizeof(*control->held));
	memcpy(control->held[n].topic, hold->topic, sizeof(hold->topic));
	control->held[n].partition = hold->partition;
	control->held[n].epoch = hold->epoch;
}

static void
release_all(struct control *control)
{
	for (size_t i = 0; i < control->held_count; i++) {
		struct hold hold = {.verb = HOLD_RELEASE,
		    .partition = control->held[i].partition,
		    .epoch = control->held[i].epoch};

		memcpy(hold.topic, control->held[i].topic, sizeof(hold.topic));
		control->source.hold(control->source.arg, &hold);
	}
	free(control->held);
	control->held = NULL;
	control->held_count = 0;
}

/* Reads a line into the question; 0 when it is none. */
static int
parse(const char *line, struct hold *hold)
{
	int64_t offset;
	int n = 0;

	memset(hold, 0, sizeof(*hold));
	if (sscanf(line, "take %39s %249s %" SCNd32 "%n", hold->g, hold->topic,
		&hold->partition, &n) == 3 &&
	    line[n] == '\0') {
		hold->verb = HOLD_TAKE;
		return 1;
	}
	if (sscanf(line, "release %249s %" SCNd32 "%n", hold->topic,
		&hold->partition, &n) == 2 &&
	    line[n] == '\0') {
		hold->verb = HOLD_RELEASE;
		return 1;
	}
	if (sscanf(line, "commit %249s %" SCNd32 " %" SCNd64 " %n", hold->topic,
		&hold->partition, &offset, &n) != 3 ||
	    n == 0)
		return 0;
	hold->verb = HOLD_COMMIT;
	record_read(&hold->record, offset, line + n, strlen(line + n));
	return hold->record.kind == RECORD_CLEAN ||
	       hold->record.kind == RECORD_HALT;
}

static void
ask(struct control *control, struct hold *hold)
{
	struct held *held = find_held(control, hold);

	if (hold->verb == HOLD_TAKE) {
		if (held != NULL || control->held_count == CONTROL_HELD_MAX) {
			hold->status = SECOR_FATAL;
			(void)snprintf(hold->text, sizeof(hold->text),
			    "this command has taken %s already",
			    held != NULL ? "it" : "too many partitions");
			return;
		}
		control->source.hold(control->source.arg, hold);
		if (hold->status == SECOR_OK)
			add_held(control, hold);
		return;
	}
	if (held == NULL) {
		hold->status = SECOR_FATAL;
		(void)snprintf(hold->text, sizeof(hold->text), "take it first");
		return;
	}
	hold->epoch = held->epoch;
	control->source.hold(control->source.arg, hold);
	if (hold->verb == HOLD_RELEASE)
		*held = control->held[--control->held_count];
}

static const char *
word_of(int status)
{
	return status == SECOR_OK	? "ok"
	       : status == SECOR_REJECT ? "away"
	       : status == SECOR_RETRY	? "later"
					: "no";
}

/* ---- connections ---- */

static int
is_allowed(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
	       (peer.uid == geteuid() || peer.uid == 0);
}

static void
serve(struct control *control)
{
	char line[CONTROL_LINE_MAX];
	struct hold hold;

	if (!is_allowed(control->fd)) {
		(void)send_line(control, "no", "another user's process");
		return;
	}
	control->lines.filled = 0;
	control->until_boot_ms = clock_boot_ms() + CONTROL_LIMIT_MS;
	if (!send_line(control, CONTROL_GREETING, ""))
		return;
	while (read_line(control, line)) {
		if (parse(line, &hold)) {
			ask(control, &hold);
		} else {
			hold.status = SECOR_FATAL;
			(void)snprintf(
			    hold.text, sizeof(hold.text), "not understood");
		}
		if (!send_line(control, word_of(hold.status), hold.text))
			break;
	}
	release_all(control);
}

static void *
work(void *arg)
{
	struct control *control = arg;

	control->until_boot_ms = 0;
	while (wait_readable(control, control->listen_fd)) {
		control->fd =
		    accept4(control->listen_fd, NULL, NULL, SOCK_CLOEXEC);
		if (control->fd < 0)
			continue;
		serve(control);
		(void)close(control->fd);
		control->until_boot_ms = 0;
	}
	return NULL;
}

/* ---- start and stop ---- */

static int
open_socket(const char *path, int *fd)
{
	struct sockaddr_un address;
	int dir_fd, rc;

	if (!control_address(path, &address, &dir_fd))
		return -1;
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	rc = *fd < 0 ? -1
		     : bind(*fd, (struct sockaddr *)&address, sizeof(address));
	/* nobody can have connected before listen() */
	if (rc == 0)
		rc = chmod(address.sun_path, 0600);
	if (rc == 0)
		rc = listen(*fd, 8);
	if (dir_fd >= 0)
		(void)close(dir_fd);
	return rc;
}

static void
control_free(struct control *control)
{
	if (control->listen_fd >= 0) {
		(void)close(control->listen_fd);
		(void)unlink(control->path);
	}
	for (int i = 0; i < 2; i++)
		if (control->stop_fds[i] >= 0)
			(void)close(control->stop_fds[i]);
	free(control->path);
	free(control);
}

int
control_start(const char *folder, const struct control_source *source,
    struct control **control, struct secor_err *err)
{
	struct control *made = mem_alloc(sizeof(*made));
	char quoted[1200];

	made->source = *source;
	made->path = mem_text("%s/%s", folder, CONTROL_NAME);
	made->listen_fd = made->stop_fds[0] = made->stop_fds[1] = -1;
	if (open_socket(made->path, &made->listen_fd) != 0 ||
	    pipe2(made->stop_fds, O_CLOEXEC) != 0 ||
	    pthread_create(&made->thread, NULL, work, made) != 0) {
		int why = errno;

		(void)secor_fail(
		    err, SECOR_FATAL, "%s: %s", made->path, strerror(why));
		control_free(made);
		return SECOR_FATAL;
	}
	log_line(SECOR_INFO, "control listens", "path=%s",
	    log_quote(quoted, sizeof(quoted), made->path));
	*control = made;
	return SECOR_OK;
}

void
control_stop(struct control *control)
{
	if (control == NULL)
		return;
	control->source.end(control->source.arg);
	if (write(control->stop_fds[1], "", 1) == 1)
		(void)pthread_join(control->thread, NULL);
	control_free(control);
}
