/*
 * log_test.c -- core/base/log: what arrives on standard error.
 */
#include "core/base/log.h"

#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

static int pipe_fds[2];
static int real_stderr;
static char text[16384];

static void
capture(void)
{
	cr_assert_eq(pipe(pipe_fds), 0);
	real_stderr = dup(STDERR_FILENO);
	(void)dup2(pipe_fds[1], STDERR_FILENO);
	(void)close(pipe_fds[1]);
}

/* All that was written since capture(). */
static const char *
captured(void)
{
	size_t n = 0;
	ssize_t got;

	(void)dup2(real_stderr, STDERR_FILENO); /* closes the pipe's end */
	(void)close(real_stderr);
	while ((got = read(pipe_fds[0], text + n, sizeof(text) - 1 - n)) > 0)
		n += (size_t)got;
	text[n] = '\0';
	(void)close(pipe_fds[0]);
	return text;
}

/* '0' in the pattern stands for any digit. */
static int
looks_like(const char *line, const char *pattern)
{
	for (; *pattern != '\0'; pattern++, line++)
		if (*pattern == '0' ? *line < '0' || *line > '9'
				    : *line != *pattern)
			return 0;
	return *line == '\0';
}

Test(log, line_has_level_time_event_and_values)
{
	capture();
	log_line(SECOR_WARN, "put failed", "key=%s try=%d", "a/b", 7);
	cr_assert(
	    looks_like(captured(),
		"warn  0000-00-00T00:00:00.000Z put failed key=a/b try=0\n"),
	    "%s", text);
}

Test(log, line_without_values_ends_after_the_event)
{
	capture();
	log_line(SECOR_ERROR, "stopped", NULL);
	cr_assert(
	    looks_like(captured(), "error 0000-00-00T00:00:00.000Z stopped\n"),
	    "%s", text);
}

Test(log, line_above_the_level_is_dropped)
{
	capture();
	log_level_set(SECOR_WARN);
	log_line(SECOR_INFO, "quiet", NULL);
	log_line(SECOR_DEBUG, "quiet", NULL);
	cr_assert_eq(log_level_get(), SECOR_WARN);
	cr_assert_str_eq(captured(), "");
}

Test(log, line_with_line_feeds_stays_one_line)
{
	const char *end;

	capture();
	log_line(SECOR_INFO, "odd", "text=%s", "a\nb\x1b[31m\r\tc");
	end = strchr(captured(), '\n');
	cr_assert_not_null(end);
	cr_assert_eq(end[1], '\0');
	cr_assert_not_null(strstr(text, "text=a b [31m  c\n"), "%s", text);
}

Test(log, line_that_is_too_long_is_cut_and_still_ends)
{
	char big[6000];
	size_t n;

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	capture();
	log_line(SECOR_INFO, big, "text=%s", big);
	n = strlen(captured());
	cr_assert_gt(n, 3000);
	cr_assert_leq(n, 4096);
	cr_assert_eq(strchr(text, '\n'), text + n - 1);
	cr_assert_eq(text[n - 2], 'x');
}

Test(log, quote_of_each_kind_of_text)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
	    {NULL, "-"},
	    {"", "\"\""},
	    {"plain/key-1.gz", "plain/key-1.gz"},
	    {"two words", "\"two words\""},
	    {"a=b", "\"a=b\""},
	    {"say \"hi\"", "\"say \\\"hi\\\"\""},
	    {"back\\slash", "\"back\\\\slash\""},
	    {"a\nb", "\"a\\u000ab\""},
	    {"del\x7f", "\"del\\u007f\""},
	    {"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
	};
	char dst[64];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_assert_str_eq(
		    log_quote(dst, sizeof(dst), rows[i].text), rows[i].want);
}

Test(log, quote_into_any_room_never_writes_past_it)
{
	static const char *const texts[] = {"\x01\x02\x03\x04\x05\x06",
	    "\"\"\"\"\"\"\"\"", "a b c d e f g h i j k l m", "plainplainplain"};
	char dst[40];

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		for (size_t room = 1; room < sizeof(dst); room++) {
			memset(dst, '#', sizeof(dst));
			(void)log_quote(dst, room, texts[i]);
			cr_assert_lt(strnlen(dst, sizeof(dst)), room);
			for (size_t k = room; k < sizeof(dst); k++)
				cr_assert_eq(
				    dst[k], '#', "text %zu room %zu", i, room);
		}
}
