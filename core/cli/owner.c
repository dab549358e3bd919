/*
 * owner.c -- see owner.h. The lines are those of core/observe/control.h.
 */
#include "core/cli/owner.h"

#include "core/base/buf.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

enum { GREETING_MS = 5000, ANSWER_MS = 75000 };

/* ---- lines ---- */

static void
set_patience(int fd, int ms)
{
	struct timeval wait = {ms / 1000, ms % 1000 * 1000};

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
}

/* 0: none came; errno says why, 0 for an end. */
static int
read_line(struct owner_process *process, char line[CONTROL_LINE_MAX])
{
	struct control_lines *lines = &process->lines;
	ssize_t n;

	while (control_line(lines, line) < 0) {
		if (lines->filled == sizeof(lines->bytes)) {
			errno = EPROTO;
			return 0;
		}
		n = recv(process->fd, lines->bytes + lines->filled,
		    sizeof(lines->bytes) - lines->filled, 0);
		if (n <= 0) {
			errno = n == 0 ? 0 : errno;
			return 0;
		}
		lines->filled += (size_t)n;
	}
	return 1;
}

/* ---- connections ---- */

static void
note(struct owners *owners, const char *path, const char *why)
{
	(void)snprintf(owners->trouble, sizeof(owners->trouble),
	    "%.400s: %.250s", path, why);
}

static void
disconnect(struct owner_process *process)
{
	if (process->fd >= 0)
		(void)close(process->fd);
	process->fd = -1;
}

static int
open_connection(const char *path)
{
	struct sockaddr_un address;
	int dir_fd, why;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || !control_address(path, &address, &dir_fd)) {
		why = errno;
		if (fd >= 0)
			(void)close(fd);
		errno = why;
		return -1;
	}
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		why = errno;
		(void)close(fd);
		fd = -1;
		errno = why;
	}
	why = errno;
	if (dir_fd >= 0)
		(void)close(dir_fd);
	errno = why;
	return fd;
}

/* Takes `path`. A process that died leaves a socket that nobody answers. */
static void
add_process(struct owners *owners, char *path, int named)
{
	struct owner_process *process;
	char line[CONTROL_LINE_MAX];

	owners->items = mem_grow(
	    owners->items, (owners->count + 1) * sizeof(*owners->items));
	process = &owners->items[owners->count++];
	memset(process, 0, sizeof(*process));
	process->path = path;
	process->fd = open_connection(path);
	if (process->fd < 0) {
		if (named || (errno != ECONNREFUSED && errno != ENOENT))
			note(owners, path, strerror(errno));
		return;
	}
	set_patience(process->fd, GREETING_MS);
	if (!read_line(process, line)) {
		note(owners, path,
		    "does not answer: another command may be talking to it");
		disconnect(process);
	} else if (strcmp(line, CONTROL_GREETING) != 0) {
		note(owners, path, line);
		disconnect(process);
	} else {
		set_patience(process->fd, ANSWER_MS);
	}
}

void
owners_find(
    const struct config *config, const char *socket, struct owners *owners)
{
	DIR *list;
	struct dirent *entry;

	if (socket != NULL) {
		add_process(owners, mem_dup(socket, strlen(socket)), 1);
		return;
	}
	list = opendir(config->stage.dir);
	if (list == NULL) {
		note(owners, config->stage.dir, strerror(errno));
		return;
	}
	while ((entry = readdir(list)) != NULL) {
		size_t pid = strspn(entry->d_name, "0123456789");

		if (pid > 0 && entry->d_name[pid] == '-')
			add_process(owners,
			    mem_text("%s/%s/%s", config->stage.dir,
				entry->d_name, CONTROL_NAME),
			    0);
	}
	(void)closedir(list);
}

/* ---- questions ---- */

/* `question` ends with LF. The status that the answer's word means; its text,
 * or why there is none, into text. */
static int
ask(struct owner_process *process, const char *question,
    char text[CONTROL_LINE_MAX])
{
	static const struct {
		const char *word;
		int status;
	} words[] = {{"ok", SECOR_OK}, {"away", SECOR_REJECT},
	    {"later", SECOR_RETRY}, {"no", SECOR_FATAL}};
	size_t len = strlen(question);

	if (send(process->fd, question, len, MSG_NOSIGNAL) != (ssize_t)len ||
	    !read_line(process, text)) {
		(void)snprintf(text, CONTROL_LINE_MAX,
		    "the process does not answer any more (%s): 'secor offsets "
		    "show' tells what holds",
		    errno == 0 ? "it ended, or had waited for 10 minutes"
			       : strerror(errno));
		disconnect(process);
		return SECOR_RETRY;
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t n = strlen(words[i].word);

		if (strncmp(text, words[i].word, n) != 0 ||
		    (text[n] != ' ' && text[n] != '\0'))
			continue;
		memmove(text, text + n + (text[n] == ' '),
		    strlen(text + n + (text[n] == ' ')) + 1);
		return words[i].status;
	}
	return SECOR_FATAL;
}

int
owners_take(struct owners *owners, const struct halt_place *place,
    const char *g, struct secor_err *err)
{
	char *question = mem_text(
	    "take %s %s %" PRId32 "\n", g, place->topic, place->partition);
	char text[CONTROL_LINE_MAX];
	int rc = SECOR_REJECT;
	size_t i;

	for (i = 0; rc == SECOR_REJECT && i < owners->count; i++)
		if (owners->items[i].fd >= 0)
			rc = ask(&owners->items[i], question, text);
	free(question);
	if (rc == SECOR_REJECT)
		return secor_fail(err, rc, "no process here owns it");
	if (rc != SECOR_OK)
		return secor_fail(err, rc, "%s/%" PRId32 ": %.900s",
		    place->topic, place->partition, text);
	owners->taken = mem_grow(
	    owners->taken, (owners->taken_count + 1) * sizeof(*owners->taken));
	owners->taken[owners->taken_count++] =
	    (struct owner_taken){*place, i - 1};
	return SECOR_OK;
}

static struct owner_process *
process_of(struct owners *owners, const struct halt_place *place)
{
	for (size_t i = 0; i < owners->taken_count; i++)
		if (owners->taken[i].place.partition == place->partition &&
		    strcmp(owners->taken[i].place.topic, place->topic) == 0)
			return &owners->items[owners->taken[i].process];
	return NULL;
}

int
owners_commit(struct owners *owners, const struct halt_place *place,
    const struct record *record, struct secor_err *err)
{
	struct owner_process *process = process_of(owners, place);
	char metadata[RECORD_TEXT_MAX], text[CONTROL_LINE_MAX];
	char *question;
	int rc;

	if (process == NULL || process->fd < 0)
		return secor_fail(err, SECOR_RETRY,
		    "%s/%" PRId32 ": its process does not answer any more: "
		    "nothing was committed",
		    place->topic, place->partition);
	(void)record_write(record, metadata);
	question = mem_text("commit %s %" PRId32 " %" PRId64 " %s\n",
	    place->topic, place->partition, record->offset, metadata);
	rc = ask(process, question, text);
	free(question);
	if (rc == SECOR_OK)
		return SECOR_OK;
	return secor_fail(err, rc == SECOR_REJECT ? SECOR_FATAL : rc,
	    "commit %s/%" PRId32 ": %.900s", place->topic, place->partition,
	    text);
}

static void
give_back(struct owner_process *process, const struct halt_place *place)
{
	char text[CONTROL_LINE_MAX];
	char *question = mem_text(
	    "release %s %" PRId32 "\n", place->topic, place->partition);

	if (process->fd >= 0) {
		(void)ask(process, question, text);
		(void)printf("%s/%" PRId32 " %s\n", place->topic,
		    place->partition, text);
	}
	free(question);
}

void
owners_end(struct owners *owners)
{
	for (size_t i = 0; i < owners->taken_count; i++)
		give_back(&owners->items[owners->taken[i].process],
		    &owners->taken[i].place);
	for (size_t i = 0; i < owners->count; i++) {
		disconnect(&owners->items[i]);
		free(owners->items[i].path);
	}
	free(owners->items);
	free(owners->taken);
	memset(owners, 0, sizeof(*owners));
}
