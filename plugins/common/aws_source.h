/*
 * aws_source.h -- the sources of AWS credentials, one function each, and what
 * they share.
 *
 * Each source returns AWS_NOT_SET (and nothing else has happened) when it is
 * not set up here, SECOR_OK with the found key, or a status with its text.
 */
#ifndef SECOR_COMMON_AWS_SOURCE_H
#define SECOR_COMMON_AWS_SOURCE_H

#include "plugins/common/aws_cred.h"
#include "plugins/common/http.h"

#define AWS_NOT_SET (-1)

struct aws_found {
	char *access_key, *secret_key, *session_token; /* owned */
	int64_t expires_ms;			       /* 0: never */
	char source[64];
};

struct aws_ask {
	const struct aws_cred_conf *conf;
	struct http *http;   /* by the proxy, if there is one */
	struct http *direct; /* for link-local addresses; short time-outs */
	int64_t now_ms;	     /* to sign with */
};

typedef int aws_source_fn(
    const struct aws_ask *ask, struct aws_found *found, struct secor_err *err);

aws_source_fn aws_from_conf, aws_from_conf_process, aws_from_env, aws_from_file,
    aws_from_web_identity, aws_from_container, aws_from_ec2;

/* Copies; an empty token counts as none. What `found` held before is gone.
 * SECOR_FATAL: a key that no header can carry. SECOR_RETRY: no memory. */
int aws_found_set(struct aws_found *found, const char *access_key,
    const char *secret_key, const char *session_token, struct secor_err *err);
void aws_found_clear(struct aws_found *found);

/* ---- aws_chain.c ---- */

/* The key of the first source that is set up, or of `*source`, counted from 1,
 * which gave the last one; then of the configured roles. *source is the one
 * that gave it. On failure both stay, and `found` is empty. */
int aws_chain_ask(const struct aws_ask *ask, int *source,
    struct aws_found *found, struct secor_err *err);

/* Takes a text and leaves nothing of it in memory. Accepts NULL. */
void aws_wipe(const char *text);
/* An environment variable that is set and not empty, or NULL. */
const char *aws_env(const char *name);
/* The environment's keys, whatever profile is configured. */
int aws_env_keys(struct aws_found *found, struct secor_err *err);
/* "2026-01-02T03:04:05Z", also with a fraction or "+01:00"; 0 when it is
 * none. */
int64_t aws_time(const char *text);
/* A file of at most 64 KiB without the blanks at its end; the caller frees. */
int aws_read_small(const char *path, char **out, struct secor_err *err);

/* ---- aws_remote.c ---- */

/* Asks up to three times. SECOR_OK: an answer, whatever its status. */
int aws_ask_service(const struct aws_ask *ask, struct http *http,
    const struct http_request *request, struct http_answer *answer,
    struct secor_err *err);

/* ---- aws_sts.c: roles ---- */

struct aws_role {
	const char *arn;
	/* NULL: the configuration's, AWS_ROLE_SESSION_NAME, "secor" */
	const char *session_name;
	const char *external_id; /* NULL or "": none */
	const char *token_file;	 /* of a web identity */
	int64_t duration_ms;	 /* 0: an hour */
};

/* The keys in `found` ask for those of the role, which take their place; on
 * failure they stay. */
int aws_assume(const struct aws_ask *ask, const struct aws_role *role,
    struct aws_found *found, struct secor_err *err);
/* The token asks for the role's keys; nobody signs. */
int aws_assume_by_token(const struct aws_ask *ask, const struct aws_role *role,
    struct aws_found *found, struct secor_err *err);
/* The service says: not so often, or not now. */
int aws_sts_passes(const struct http_answer *answer);

/* ---- aws_process.c ---- */

#define AWS_PROCESS_MOST 65536 /* bytes of its output */

/* The words of a command, as a shell would part them, without anything else
 * that a shell does: blanks part; '...' is taken as it is; in "..." a backslash
 * stands before '"' and '\'; elsewhere before any byte. NULL-ended; the caller
 * frees the array, which holds the words too. SECOR_FATAL: a quote is open, or
 * there is no word. */
int aws_split(const char *command, char ***words, struct secor_err *err);
/* What a credential_process has written: JSON, Version 1. */
int aws_process_take(const char *bytes, size_t len, struct aws_found *found,
    struct secor_err *err);
/* Runs it, for 60 s at most, without a shell. */
int aws_from_process(const struct aws_ask *ask, const char *command,
    struct aws_found *found, struct secor_err *err);

#endif
