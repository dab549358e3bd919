/*
 * when_pattern_fuzz.c -- any pattern (the first line) and any text (the rest):
 * a time in the years that count, or refused and nothing touched; and what is
 * taken strictly is taken leniently too, unless it is read more freely there (a
 * fraction, an offset, a name without its dot).
 */
#include "plugins/common/civil.h"
#include "plugins/common/when_pattern.h"

#include "tests/fuzz/fuzz.h"

static int64_t
read_as(const char *text, int lenient, struct secor_bytes value)
{
	static struct zone *zone;
	struct when_pattern *pattern;
	struct secor_err err;
	int64_t ms = INT64_MIN;
	const char *why;

	if (zone == NULL)
		MUST(zone_open("America/New_York", &zone, NULL) == SECOR_OK);
	if (when_pattern_new(text, "en_US", lenient, &pattern, &err) !=
	    SECOR_OK)
		return ms;
	why = when_pattern_read(pattern, zone, value, &ms);
	if (why == NULL)
		MUST(ms >= TIME_FIRST_MS && ms <= TIME_LAST_MS);
	else
		MUST(ms == INT64_MIN);
	when_pattern_free(pattern);
	return ms;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *line = size > 0 ? memchr(data, '\n', size) : NULL;
	size_t n = line != NULL ? (size_t)(line - data) : size;
	struct secor_bytes value = {(const char *)data, 0};
	char pattern[256];
	int64_t strict, lenient;

	if (n >= sizeof(pattern) || memchr(data, 0, n) != NULL)
		return 0;
	memcpy(pattern, data, n);
	pattern[n] = '\0';
	if (line != NULL)
		value =
		    (struct secor_bytes){(const char *)line + 1, size - n - 1};
	strict = read_as(pattern, 0, value);
	lenient = read_as(pattern, 1, value);
	if (strict != INT64_MIN && strpbrk(pattern, "SzZX") == NULL)
		MUST(lenient != INT64_MIN);
	return 0;
}
