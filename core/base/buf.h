/*
 * buf.h -- bytes that grow. Always NUL-terminated behind `len` once something
 * was put. Out of memory aborts: nothing is lost by a crash.
 */
#ifndef SECOR_BASE_BUF_H
#define SECOR_BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>

struct buf {
	char *ptr;
	size_t len;
	size_t room;
};

void buf_reserve(struct buf *buf, size_t more);
void buf_put(struct buf *buf, const void *bytes, size_t len);
void buf_puts(struct buf *buf, const char *text);
void buf_putc(struct buf *buf, char c);
void buf_printf(struct buf *buf, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* The text, owned by the caller (free); the buf is empty afterwards. */
char *buf_take(struct buf *buf);
void buf_fini(struct buf *buf);

/* malloc and friends that abort instead of returning NULL. */
void *mem_alloc(size_t size);		  /* zeroed */
void *mem_grow(void *old, size_t size);	  /* realloc */
char *mem_dup(const void *ptr, size_t n); /* n bytes and a NUL */
char *mem_text(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
