/*
 * aws_source.h -- the sources of aws_cred.c, one function each.
 *
 * Each returns AWS_NOT_SET (and nothing else has happened) when it is not set
 * up here, SECOR_OK with the found key, or a status with its text.
 */
#ifndef SECOR_COMMON_AWS_SOURCE_H
#define SECOR_COMMON_AWS_SOURCE_H

#include "plugins/common/aws_cred.h"
#include "plugins/common/http.h"

#define AWS_NOT_SET (-1)

struct aws_found {
	char *access_key, *secret_key, *session_token; /* owned */
	int64_t expires_ms;
	char source[64];
};

struct aws_ask {
	const struct aws_cred_conf *conf;
	struct http *http;   /* as the environment's proxy says */
	struct http *direct; /* for link-local addresses; short time-outs */
};

typedef int aws_source_fn(
    const struct aws_ask *ask, struct aws_found *found, struct secor_err *err);

aws_source_fn aws_from_conf, aws_from_env, aws_from_file, aws_from_web_identity,
    aws_from_container, aws_from_ec2;

/* Copies; an empty token counts as none. SECOR_RETRY: no memory. */
int aws_found_set(struct aws_found *found, const char *access_key,
    const char *secret_key, const char *session_token, struct secor_err *err);
void aws_found_clear(struct aws_found *found);

/* An environment variable that is set and not empty, or NULL. */
const char *aws_env(const char *name);
/* "2026-01-02T03:04:05Z", also with a fraction; 0 when it is none. */
int64_t aws_time(const char *text);
/* A file of at most 64 KiB without the blanks at its end; the caller frees. */
int aws_read_small(const char *path, char **out, struct secor_err *err);

#endif
