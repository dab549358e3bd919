/*
 * aws_options.h -- the options by which a plugin names AWS credentials: rows,
 * checks, and what becomes of them. One home for all that sign requests.
 *
 *	struct my_conf { ...; struct aws_options aws; };
 *	static const struct secor_option OPTIONS[] = {
 *	    ..., AWS_OPTION_ROWS(struct my_conf, aws), ...};
 */
#ifndef SECOR_COMMON_AWS_OPTIONS_H
#define SECOR_COMMON_AWS_OPTIONS_H

#include "plugins/common/aws_cred.h"

struct aws_options {
	const char *access_key, *secret_key, *session_token;
	const char *profile, *sts_endpoint;
	struct secor_strings role_arn, external_id;
	const char *role_session_name;
	int64_t role_duration;
	const char *credential_process;
};

#define AWS_OPTION_ROWS(type, m)                                               \
	SECOR_OPTION(STRING, type, m.access_key, "access_key", NULL, 0,        \
	    "Access key; without it credential_process, environment, web "     \
	    "identity, profile, container and EC2 are asked in this order."),  \
	    SECOR_OPTION(STRING, type, m.secret_key, "secret_key", NULL,       \
		SECOR_OPTION_SECRET, "Secret of `access_key`."),               \
	    SECOR_OPTION(STRING, type, m.session_token, "session_token", NULL, \
		SECOR_OPTION_SECRET, "Session token of temporary keys."),      \
	    SECOR_OPTION(STRING, type, m.profile, "profile", NULL, 0,          \
		"Profile of ~/.aws/credentials and ~/.aws/config to use."),    \
	    SECOR_OPTION(STRING, type, m.sts_endpoint, "sts_endpoint", NULL,   \
		0,                                                             \
		"https://host[:port] of STS, for roles and web identities; "   \
		"by default AWS_ENDPOINT_URL_STS or the region's."),           \
	    SECOR_OPTION(STRINGS, type, m.role_arn, "role_arn", "[]", 0,       \
		"Role to assume, or a list: each is assumed with the keys of " \
		"the one before, the first with what the other options "       \
		"say."),                                                       \
	    SECOR_OPTION(STRINGS, type, m.external_id, "external_id", "[]", 0, \
		"What the owner of the role has agreed on; one for each of "   \
		"`role_arn`, '' for none."),                                   \
	    SECOR_OPTION(STRING, type, m.role_session_name,                    \
		"role_session_name", NULL, 0,                                  \
		"Name of the session in the account's logs; by default "       \
		"AWS_ROLE_SESSION_NAME or secor."),                            \
	    SECOR_OPTION_RANGE(DURATION, type, m.role_duration,                \
		"role_duration", "1h", "15m", "12h", 0,                        \
		"How long the keys of a role hold; new ones are fetched "      \
		"before."),                                                    \
	    SECOR_OPTION(STRING, type, m.credential_process,                   \
		"credential_process", NULL, SECOR_OPTION_SECRET,               \
		"Program with arguments that prints keys as JSON; run "        \
		"without a shell.")

/* Complains of what does not fit together. */
void aws_options_check(
    const struct aws_options *aws, const struct secor_check *check);

/* What they say of a chain of credentials of this plugin, which tells its log;
 * the rest is the caller's. `host` must outlive it. */
struct aws_cred_conf
aws_options_cred(const struct aws_options *aws, const struct secor_host *host);

#define AWS_REGION_ROOM 64
/* Where the service is: as configured, or as the environment and the profile
 * say. SECOR_FATAL: nobody says it, or it is none; `whose` is for that. */
int aws_options_region(const struct aws_options *aws, const char *configured,
    const char *whose, char region[AWS_REGION_ROOM], struct secor_err *err);

/* The authorities to trust: those that are configured, else those of
 * AWS_CA_BUNDLE, else NULL for the system's. */
const char *aws_ca_file(const char *configured);

/* Whether an endpoint is http[s]://host[:port], with a '/' or not. */
int aws_is_endpoint(const char *endpoint);
/* "https://host[:port]" of it, without the port that is the scheme's own:
 * clients leave it out of Host, and Host is signed. */
void aws_origin(const char *endpoint, char *dst, size_t room);

/* Whether it can be a region: it becomes part of a host's name. */
int aws_is_region(const char *text);

#endif
