/*
 * s3_help.h -- the S3 store in front of a scripted server; the clock stands
 * still, and nothing waits.
 */
#ifndef TESTS_UNIT_S3_HELP_H
#define TESTS_UNIT_S3_HELP_H

#include "tests/unit/harness.h"
#include "tests/unit/plugins/common/script.h"
#include "tests/unit/plugins/store/store_help.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define ETAG "ETag: \"e1\"\r\n"
#define ERROR_XML(code)                               \
	"<?xml version=\"1.0\"?>\n<Error><Code>" code \
	"</Code><Message>because</Message></Error>"
#define COUNT(steps) (sizeof(steps) / sizeof((steps)[0]))
#define EXPECT_TEXT(part) \
	cr_expect_not_null(strstr(t.err.text, part), "%s", t.err.text)

/* What one test works with. */
extern struct s3_under_test {
	const struct plugin *plugin;
	const struct secor_store_ops *ops;
	void *conf, *store;
	struct script *script;
	struct secor_err err;
	char logged[16384];
	int64_t now; /* 2026-02-03T04:05:06Z */
} t;

extern const struct secor_host s3_host;

/* bucket logs, prefix raw/, key AKID, plain http with a path. */
void s3_begin(void);
void s3_end(void);
void s3_set(const char *key, const char *value);
/* Starts the server and opens the store on it. */
void s3_play(const struct script_step *steps, size_t count);
int s3_put_text(const char *key, const char *text);
/* The request begins with this line. */
int s3_begins(size_t which, const char *line);

#endif
