/*
 * roles.c -- what is wrong with the options for roles and their keys.
 */
#include "s3.h"

#include <ctype.h>
#include <string.h>

#define HOUR_MS INT64_C(3600000) /* the default of role_duration */

/* Of `least` to `most` letters, digits and these. */
static int
is_word(const char *text, const char *others, size_t least, size_t most)
{
	size_t len = strlen(text), i;

	for (i = 0; i < len; i++)
		if (!isalnum((unsigned char)text[i]) &&
		    strchr(others, text[i]) == NULL)
			return 0;
	return len >= least && len <= most;
}

/* arn:aws:iam::123456789012:role/name; the account may be empty elsewhere. */
static int
is_role(const char *arn)
{
	const char *at = strncmp(arn, "arn:", 4) == 0 ? arn + 4 : "";
	int i;

	at += strcspn(at, ":"); /* the partition */
	if (strncmp(at, ":iam::", 6) != 0)
		return 0;
	at += 6;
	i = (int)strspn(at, "0123456789");
	return (i == 0 || i == 12) && strncmp(at + i, ":role/", 6) == 0 &&
	       is_word(at + i + 6, "+=,.@_-/", 1, 576);
}

static void
check_role_list(const struct s3_conf *s3, const struct secor_check *check)
{
	const struct secor_strings *roles = &s3->role_arn;
	char text[256];
	size_t i, j;

	for (i = 0; i < roles->count; i++) {
		if (!is_role(roles->items[i])) {
			(void)snprintf(text, sizeof(text),
			    "%.100s is no arn:aws:iam::ACCOUNT:role/NAME",
			    roles->items[i]);
			check->complain(check, "role_arn", text);
		}
		for (j = 0; j < i; j++)
			if (strcmp(roles->items[i], roles->items[j]) == 0) {
				(void)snprintf(text, sizeof(text),
				    "names %.150s twice: a chain has no loop",
				    roles->items[i]);
				check->complain(check, "role_arn", text);
			}
	}
	for (i = 0; i < s3->external_id.count; i++)
		if (s3->external_id.items[i][0] != '\0' &&
		    !is_word(s3->external_id.items[i], "+=,.@:/_-", 2, 1224))
			check->complain(check, "external_id",
			    "must be 2 to 1224 of a-z, A-Z, 0-9 and "
			    "`+=,.@:/_-`");
}

void
s3_check_roles(const struct s3_conf *s3, const struct secor_check *check)
{
	size_t roles = s3->role_arn.count, ids = s3->external_id.count;

	if (s3->credential_process != NULL && s3->access_key != NULL)
		check->complain(check, "credential_process",
		    "says another key than access_key");
	if (s3->credential_process != NULL && s3->profile != NULL)
		check->complain(check, "credential_process",
		    "says another key than profile");
	check_role_list(s3, check);
	if (roles == 0 && ids > 0)
		check->complain(check, "external_id", "needs role_arn");
	else if (ids > 0 && ids != roles)
		check->complain(check, "external_id",
		    "must name one for each of role_arn, in the same order "
		    "('' for a role without)");
	if (s3->role_session_name != NULL && roles == 0)
		check->complain(check, "role_session_name", "needs role_arn");
	if (s3->role_session_name != NULL &&
	    !is_word(s3->role_session_name, "+=,.@_-", 2, 64))
		check->complain(check, "role_session_name",
		    "must be 2 to 64 of a-z, A-Z, 0-9 and `+=,.@_-`");
	if (s3->role_duration != HOUR_MS && roles == 0)
		check->complain(check, "role_duration", "needs role_arn");
	if (s3->role_duration > HOUR_MS && roles > 1)
		check->complain(check, "role_duration",
		    "must not be over 1h: a role that a role assumes holds no "
		    "longer");
}
