/*
 * aws_fuzz.c -- any bytes as what people and programs write for AWS
 * credentials: the shared files, the words of a command, what a
 * credential_process prints, a time. What is taken is whole and can be sent.
 *
 * The first byte chooses; the rest is the input.
 */
#include "plugins/common/aws_profile.h"
#include "plugins/common/aws_source.h"
#include "plugins/common/url.h"
#include "tests/fuzz/fuzz.h"

/* A NUL-ended copy. */
static char *
text_of(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	MUST(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

static void
profile(const uint8_t *data, size_t size)
{
	struct aws_profile one = {.name = "p"};
	FILE *in =
	    size > 0 ? fmemopen((void *)(uintptr_t)data, size, "r") : NULL;
	int i;

	if (in == NULL)
		return;
	aws_profile_scan(in, &one);
	(void)fclose(in);
	MUST(!one.failed);
	for (i = 0; i < AWS_WORDS; i++) {
		if (one.words[i] == NULL)
			continue;
		MUST(one.seen && one.words[i][0] != '\0');
		MUST(strchr(one.words[i], '\n') == NULL);
	}
	aws_profile_fini(&one);
	for (i = 0; i < AWS_WORDS; i++)
		MUST(one.words[i] == NULL);
}

static void
words(const uint8_t *data, size_t size)
{
	char *text = text_of(data, size), **all = NULL;
	struct secor_err err = {""};
	size_t total = 0, i;
	int status = aws_split(text, &all, &err);

	MUST(status == SECOR_OK || status == SECOR_FATAL);
	MUST((status == SECOR_OK) == (all != NULL));
	MUST(status == SECOR_OK || err.text[0] != '\0');
	for (i = 0; all != NULL && all[i] != NULL; i++)
		total += strlen(all[i]) + 1;
	MUST(all == NULL || i > 0);
	MUST(total <= strlen(text) + 1);
	free(all);
	free(text);
}

static void
output(const uint8_t *data, size_t size)
{
	struct aws_found found = {.access_key = NULL};
	struct secor_err err = {""};
	int status = aws_process_take((const char *)data, size, &found, &err);

	MUST(status == SECOR_OK || status == SECOR_FATAL);
	if (status == SECOR_OK) {
		MUST(found.access_key[0] != '\0' && found.secret_key != NULL);
		MUST(header_value_is(found.access_key));
		MUST(found.session_token == NULL ||
		     header_value_is(found.session_token));
		MUST(found.source[0] != '\0');
	} else {
		MUST(found.access_key == NULL && err.text[0] != '\0');
	}
	aws_found_clear(&found);
}

static void
moment(const uint8_t *data, size_t size)
{
	char *text = text_of(data, size);

	if (aws_time(text) != 0)
		MUST(strchr(text, 'T') != NULL);
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const kinds[])(const uint8_t *, size_t) = {
	    profile, words, output, moment};

	if (size > 0)
		kinds[data[0] % 4](data + 1, size - 1);
	return 0;
}
