/*
 * aws_cred.h -- where AWS credentials come from, and when they are renewed.
 *
 * The first source that is set up wins, in the order of AWS's own tools:
 *
 *	configuration	access_key, secret_key, session_token;
 *			credential_process
 *	environment	AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,
 *			AWS_SESSION_TOKEN
 *	web identity	AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_ARN
 *	shared file	~/.aws/credentials, ~/.aws/config
 *			(AWS_SHARED_CREDENTIALS_FILE, AWS_CONFIG_FILE,
 *			AWS_PROFILE); first of all when a profile is configured.
 *			Keys, roles by source_profile, credential_source or
 *			web_identity_token_file, credential_process
 *	container	AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, ..._FULL_URI
 *	EC2 metadata	IMDSv2 (AWS_EC2_METADATA_SERVICE_ENDPOINT,
 *			AWS_EC2_METADATA_DISABLED)
 *
 * A source that is set up and fails ends the search, and the one that has given
 * a key is asked for every later one: nothing is written under another identity
 * by accident. Configured roles come after the source: its key assumes the
 * first, that one's key the second, and the last one's key is given.
 *
 * All who ask with the same settings in a process (of one plugin) have one key
 * together: its source is asked once, by whom finds it due; the others go on
 * with the key that is still good, or wait for the answer, or for the refusal,
 * which counts for them, too.
 */
#ifndef SECOR_COMMON_AWS_CRED_H
#define SECOR_COMMON_AWS_CRED_H

#include <secor/plugin.h>

struct aws_key {
	const char *access_key, *secret_key;
	const char *session_token; /* or NULL */
	int64_t expires_ms;	   /* 0: never */
	const char *source;	   /* for people: "environment" */
	uint64_t turn;		   /* another one for each new key */
};

/* Copied, but for say_arg. Each may be NULL. */
struct aws_cred_conf {
	const char *access_key, *secret_key, *session_token;
	const char *profile;
	const char *sts_endpoint; /* https://host; NULL: the region's */
	const char *region;
	const char *ca_file;
	/* to STS; NULL: as the environment says. Containers and instances are
	 * always asked directly. */
	const char *proxy, *no_proxy;
	void (*nap)(int64_t ms); /* between attempts; NULL: sleeps */

	struct secor_strings roles;	   /* ARNs, each assumed by the last */
	struct secor_strings external_ids; /* as many, "" for none; or none */
	const char *role_session_name;
	int64_t role_duration_ms; /* 0: an hour */
	const char *credential_process;
	int64_t process_ms; /* its time; 0: a minute */
	/* As secor_host.log: a key that expires was taken, or is not renewed
	 * though it is due. NULL: nobody hears of it. */
	void (*say)(
	    void *arg, int level, const char *event, const char *detail);
	void *say_arg;
	/* of the lot by which processes that began together renew apart; 0:
	 * there is none */
	uint64_t seed;
};

/* One user's, of one thread at a time. */
struct aws_cred;

int aws_cred_open(const struct aws_cred_conf *conf, struct aws_cred **out,
    struct secor_err *err);
void aws_cred_close(struct aws_cred *cred); /* accepts NULL */

/* The key to sign with now; valid until the next call. Its source is asked
 * again when five minutes or less are left (of a key that was taken with less
 * than ten: half of that), or up to a fifth earlier, by lot; an old one that is
 * still good is given when that fails. A refusal within five seconds counts for
 * each other user once. SECOR_RETRY: the source may answer later. SECOR_FATAL:
 * there is none, or it is set up wrongly. */
int aws_cred_get(struct aws_cred *cred, int64_t now_ms,
    const struct aws_key **key, struct secor_err *err);

/* The server refuses the key which was got last, as expired or otherwise: the
 * next get asks its source, if that is still the newest. */
void aws_cred_forget(struct aws_cred *cred);

/* AWS_REGION, AWS_DEFAULT_REGION, or the shared configuration file's. Returns
 * 0, or -1 when none says it. */
int aws_region(const char *profile, char *dst, size_t room);

#endif
