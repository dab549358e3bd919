/*
 * buf.c -- see buf.h.
 */
#include "core/base/buf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *
mem_alloc(size_t size)
{
	void *ptr = calloc(1, size == 0 ? 1 : size);

	if (ptr == NULL)
		abort();
	return ptr;
}

void *
mem_grow(void *old, size_t size)
{
	void *ptr = realloc(old, size == 0 ? 1 : size);

	if (ptr == NULL)
		abort();
	return ptr;
}

char *
mem_dup(const void *ptr, size_t n)
{
	char *copy = mem_alloc(n + 1);

	if (n > 0)
		memcpy(copy, ptr, n);
	return copy;
}

char *
mem_text(const char *fmt, ...)
{
	va_list ap;
	char *text = NULL;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	va_end(ap);
	return text;
}

void
buf_reserve(struct buf *buf, size_t more)
{
	size_t room = buf->room == 0 ? 64 : buf->room;

	if (more > SIZE_MAX / 4 - buf->len) /* else doubling would wrap */
		abort();
	while (room < buf->len + more + 1)
		room *= 2;
	if (room != buf->room) {
		buf->ptr = mem_grow(buf->ptr, room);
		buf->room = room;
	}
}

void
buf_put(struct buf *buf, const void *bytes, size_t len)
{
	buf_reserve(buf, len);
	if (len > 0)
		memcpy(buf->ptr + buf->len, bytes, len);
	buf->len += len;
	buf->ptr[buf->len] = '\0';
}

void
buf_puts(struct buf *buf, const char *text)
{
	buf_put(buf, text, strlen(text));
}

void
buf_putc(struct buf *buf, char c)
{
	buf_put(buf, &c, 1);
}

void
buf_printf(struct buf *buf, const char *fmt, ...)
{
	va_list ap, again;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		abort();
	buf_reserve(buf, (size_t)n);
	(void)vsnprintf(buf->ptr + buf->len, (size_t)n + 1, fmt, again);
	va_end(again);
	buf->len += (size_t)n;
}

char *
buf_take(struct buf *buf)
{
	char *text;

	buf_reserve(buf, 0);
	buf->ptr[buf->len] = '\0';
	text = buf->ptr;
	memset(buf, 0, sizeof(*buf));
	return text;
}

void
buf_fini(struct buf *buf)
{
	free(buf->ptr);
	memset(buf, 0, sizeof(*buf));
}
