/*
 * log.c -- lines to standard error. Invariant: a line is one write(2), so
 * lines of threads and processes do not mix.
 */
#include "core/base/log.h"

#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static atomic_int level_max = SECOR_INFO;
static const char *const level_names[] = {"error", "warn", "info", "debug"};

void
log_level_set(int level)
{
	atomic_store(&level_max, level);
}

int
log_level_get(void)
{
	return atomic_load(&level_max);
}

static size_t
stamp(char *dst, size_t room)
{
	struct timespec now;
	struct tm tm;
	size_t n;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)gmtime_r(&now.tv_sec, &tm);
	n = strftime(dst, room, "%Y-%m-%dT%H:%M:%S", &tm);
	n += (size_t)snprintf(
	    dst + n, room - n, ".%03ldZ", now.tv_nsec / 1000000);
	return n;
}

void
log_line(int level, const char *event, const char *fmt, ...)
{
	char line[4096];
	const size_t room = sizeof(line) - 1; /* keeps a place for LF */
	size_t n;
	va_list ap;

	if (level > atomic_load_explicit(&level_max, memory_order_relaxed))
		return;
	n = (size_t)snprintf(line, room, "%-5s ", level_names[level & 3]);
	n += stamp(line + n, room - n);
	n += (size_t)snprintf(line + n, room - n, " %.200s", event);
	if (fmt != NULL && n + 1 < room) {
		line[n++] = ' ';
		va_start(ap, fmt);
		n += (size_t)vsnprintf(line + n, room - n, fmt, ap);
		va_end(ap);
	}
	if (n >= room)
		n = room - 1; /* cut: the place of snprintf's NUL */
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)line[i] < ' ')
			line[i] = ' ';
	line[n++] = '\n';
	(void)!write(STDERR_FILENO, line, n);
}

static int
plain(const char *text)
{
	if (*text == '\0')
		return 0;
	for (; *text != '\0'; text++)
		if ((unsigned char)*text <= ' ' || *text == '"' ||
		    *text == '=' || *text == '\\' || *text == 0x7f)
			return 0;
	return 1;
}

const char *
log_quote(char *dst, size_t room, const char *text)
{
	size_t n = 0;

	if (text == NULL)
		text = "-";
	if (plain(text)) {
		(void)snprintf(dst, room, "%s", text);
		return dst;
	}
	if (room < 3) {
		dst[0] = '\0';
		return dst;
	}
	dst[n++] = '"';
	for (; *text != '\0' && n + 8 < room; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\') {
			dst[n++] = '\\';
			dst[n++] = (char)c;
		} else if (c < ' ' || c == 0x7f) {
			n += (size_t)snprintf(dst + n, room - n, "\\u%04x", c);
		} else {
			dst[n++] = (char)c;
		}
	}
	dst[n++] = '"';
	dst[n] = '\0';
	return dst;
}
