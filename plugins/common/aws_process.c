/*
 * aws_process.c -- keys that a program prints: credential_process.
 *
 * The program is started without a shell, with no input, in a process group of
 * its own. It has a minute; what it prints is bounded. What it says on its
 * error output is not shown, it could hold a secret: run it by hand.
 */
#include "plugins/common/aws_source.h"
#include "plugins/common/run.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define LIMIT_MS INT64_C(60000)

/* ---- words ---- */

/* Copies one word; returns what is behind it, or NULL: a quote is open. */
static const char *
word(const char *at, char **dst)
{
	char quote = '\0';

	for (; *at != '\0' && (quote || strchr(" \t\r\n", *at) == NULL); at++) {
		if (quote && *at == quote) {
			quote = '\0';
		} else if (!quote && (*at == '"' || *at == '\'')) {
			quote = *at;
		} else {
			if (*at == '\\' && at[1] != '\0' && quote != '\'' &&
			    (!quote || strchr("\"\\", at[1]) != NULL))
				at++;
			*(*dst)++ = *at;
		}
	}
	*(*dst)++ = '\0';
	return quote ? NULL : at;
}

int
aws_split(const char *command, char ***words, struct secor_err *err)
{
	size_t len = strlen(command), most = len / 2 + 2, n = 0;
	char **all = malloc(most * sizeof(*all) + len + 2);
	const char *at = command;
	char *dst;

	if (all == NULL)
		return secor_fail(err, SECOR_RETRY, "out of memory");
	dst = (char *)(all + most);
	for (at += strspn(at, " \t\r\n"); at != NULL && *at != '\0';
	     at += strspn(at, " \t\r\n")) {
		all[n++] = dst;
		at = word(at, &dst);
		if (at == NULL)
			break;
	}
	all[n] = NULL;
	if (at != NULL && n > 0) {
		*words = all;
		return SECOR_OK;
	}
	free(all);
	return secor_fail(err, SECOR_FATAL,
	    at == NULL ? "credential_process: a quote is not closed"
		       : "credential_process: there is no program in it");
}

/* ---- what it has printed ---- */

static const char *
member(const json_t *json, const char *name)
{
	return json_string_value(json_object_get(json, name));
}

static int
take(const json_t *json, struct aws_found *found, struct secor_err *err)
{
	const json_t *version = json_object_get(json, "Version");
	const json_t *expires = json_object_get(json, "Expiration");
	const char *access_key = member(json, "AccessKeyId");
	const char *secret_key = member(json, "SecretAccessKey");
	int64_t expires_ms = 0;
	int status;

	if (!json_is_integer(version) || json_integer_value(version) != 1)
		return secor_fail(err, SECOR_FATAL,
		    "credential_process: what it prints is not `\"Version\": "
		    "1`");
	if (access_key == NULL || secret_key == NULL || *access_key == '\0' ||
	    *secret_key == '\0')
		return secor_fail(err, SECOR_FATAL,
		    "credential_process: what it prints has no %s",
		    access_key == NULL || *access_key == '\0'
			? "AccessKeyId"
			: "SecretAccessKey");
	if (expires != NULL && !json_is_null(expires)) {
		expires_ms = json_is_string(expires)
				 ? aws_time(json_string_value(expires))
				 : 0;
		if (expires_ms == 0)
			return secor_fail(err, SECOR_FATAL,
			    "credential_process: its Expiration is no time "
			    "like 2026-01-02T03:04:05Z");
	}
	status = aws_found_set(
	    found, access_key, secret_key, member(json, "SessionToken"), err);
	found->expires_ms = expires_ms;
	(void)snprintf(
	    found->source, sizeof(found->source), "credential_process");
	return status;
}

int
aws_process_take(const char *bytes, size_t len, struct aws_found *found,
    struct secor_err *err)
{
	json_t *json = json_loadb(bytes, len, JSON_REJECT_DUPLICATES, NULL);
	int status;

	if (!json_is_object(json))
		status = secor_fail(err, SECOR_FATAL,
		    "credential_process: what it prints is no JSON object");
	else
		status = take(json, found, err);
	json_decref(json);
	return status;
}

/* ---- running it ---- */

static int
judge(const struct run_result *result, const char *program, int64_t limit_ms,
    struct secor_err *err)
{
	int how = result->how;

	if (result->end == RUN_TOO_MUCH)
		return secor_fail(err, SECOR_FATAL,
		    "credential_process: %.300s prints more than 64 KiB",
		    program);
	if (result->end == RUN_TOO_LONG)
		return secor_fail(err, SECOR_RETRY,
		    "credential_process: %.300s did not end within %lld "
		    "seconds",
		    program, (long long)((limit_ms + 999) / 1000));
	if (WIFSIGNALED(how))
		return secor_fail(err, SECOR_RETRY,
		    "credential_process: %.300s was ended by signal %d",
		    program, WTERMSIG(how));
	if (how != 0)
		return secor_fail(err, SECOR_RETRY,
		    "credential_process: %.300s ended with %d: run it by hand "
		    "to see why",
		    program, WEXITSTATUS(how));
	return SECOR_OK;
}

int
aws_from_process(const struct aws_ask *ask, const char *command,
    struct aws_found *found, struct secor_err *err)
{
	struct run run = {.output = 1, .most = AWS_PROCESS_MOST};
	struct run_result result;
	struct secor_err why = {{0}};
	char **words;
	int status = aws_split(command, &words, err);

	if (status != SECOR_OK)
		return status;
	run.words = words;
	run.limit_ms =
	    ask->conf->process_ms > 0 ? ask->conf->process_ms : LIMIT_MS;
	status = run_program(&run, &result, &why);
	if (status != SECOR_OK) {
		(void)secor_fail(
		    err, status, "credential_process: %s", why.text);
	} else {
		status = judge(&result, words[0], run.limit_ms, err);
		if (status == SECOR_OK)
			status = aws_process_take(
			    result.bytes, result.len, found, err);
		explicit_bzero(result.bytes, result.len);
		free(result.bytes);
	}
	free(words);
	return status;
}

int
aws_from_conf_process(
    const struct aws_ask *ask, struct aws_found *found, struct secor_err *err)
{
	if (ask->conf->credential_process == NULL)
		return AWS_NOT_SET;
	return aws_from_process(ask, ask->conf->credential_process, found, err);
}
