/*
 * log.h -- one event, one line: "level time event key=value ...".
 *
 * The event is a constant phrase. error = somebody must act; warn = degraded
 * and handled; info = life cycle and each landed object; debug = per batch;
 * nothing per message. No secrets, no payloads. Any thread; a line is written
 * with one write(2) to standard error.
 */
#ifndef SECOR_BASE_LOG_H
#define SECOR_BASE_LOG_H

#include <secor/plugin.h> /* enum secor_level */

/* Lines above `level` are dropped. Default SECOR_INFO. */
void log_level_set(int level);
int log_level_get(void);

/* log_line(SECOR_INFO, "batch done", "topic=%s partition=%d", t, p); fmt may
 * be NULL. Values with blanks, quotes or control bytes are the caller's to
 * quote: see log_quote. */
void log_line(int level, const char *event, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* `text` as a value: as it is when it has no blank, quote, '=' or control
 * byte, else in double quotes with JSON escapes. Into dst (truncated at room,
 * at least 1), which is returned. NULL text gives "-". */
const char *log_quote(char *dst, size_t room, const char *text);

#endif
