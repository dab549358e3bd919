/*
 * aws_profile.h -- one profile of the shared files of AWS's tools:
 * ~/.aws/config and ~/.aws/credentials.
 *
 * Sections `[name]`, also `[profile name]`; lines `key = value`; indented lines
 * belong to the key above and are not ours. Of a key that is there twice, the
 * last one holds, those of the credentials file last of all.
 */
#ifndef SECOR_COMMON_AWS_PROFILE_H
#define SECOR_COMMON_AWS_PROFILE_H

#include <secor/plugin.h>

enum aws_word {
	AWS_ACCESS_KEY,
	AWS_SECRET_KEY,
	AWS_TOKEN,
	AWS_REGION,
	AWS_ROLE_ARN,
	AWS_SESSION_NAME,
	AWS_EXTERNAL_ID,
	AWS_DURATION,
	AWS_SOURCE_PROFILE,
	AWS_CREDENTIAL_SOURCE,
	AWS_TOKEN_FILE,
	AWS_PROCESS,
	AWS_MFA,
	AWS_SSO_SESSION,
	AWS_SSO_URL,
	AWS_WORDS
};

struct aws_profile {
	const char *name;	/* of the caller */
	int seen;		/* a section of it */
	int failed;		/* no memory */
	char *words[AWS_WORDS]; /* owned; not empty; NULL: not said */
};

/* Adds what the file says of the profile. */
void aws_profile_scan(FILE *in, struct aws_profile *profile);
/* Both files. SECOR_FATAL: one is there and cannot be read. `path` is that of
 * the credentials file then, for people. */
int aws_profile_read(struct aws_profile *profile, char *path, size_t room,
    struct secor_err *err);
void aws_profile_fini(struct aws_profile *profile);

/* The one that is wanted, else AWS_PROFILE, else default. */
const char *aws_profile_name(const char *wanted);

#endif
