/*
 * errors.c -- what an answer of S3 means, and the sentence that says so.
 *
 * Every sentence names the thing, the cause and, where a person must act, the
 * fix. Codes that are not in the table are judged by the HTTP status.
 */
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/common/xml.h"
#include "s3.h"

static const struct {
	const char *word, *method, *action, *counter;
} kinds[S3_KINDS] = {
    [S3_PUT] = {"put", "PUT", "s3:PutObject", "put_requests"},
    [S3_CREATE] = {"begin upload of", "POST", "s3:PutObject",
	"create_requests"},
    [S3_PART] = {"put part of", "PUT", "s3:PutObject", "part_requests"},
    [S3_COMPLETE] = {"complete upload of", "POST", "s3:PutObject",
	"complete_requests"},
    [S3_ABORT] = {"abort upload of", "DELETE", "s3:AbortMultipartUpload",
	"abort_requests"},
    [S3_LIST] = {"list", "GET", "s3:ListBucket", "list_requests"},
    [S3_GET] = {"get", "GET", "s3:GetObject", "get_requests"},
    [S3_HEAD] = {"head", "HEAD", "s3:GetObject", "head_requests"},
    [S3_DELETE] = {"remove", "DELETE", "s3:DeleteObject", "delete_requests"},
};

const char *
s3_method(enum s3_kind kind)
{
	return kinds[kind].method;
}

const char *
s3_counter(enum s3_kind kind)
{
	return kinds[kind].counter;
}

void
s3_prefix_error(
    const struct s3 *s3, const struct s3_call *call, struct secor_err *err)
{
	struct secor_err cause = *err;

	(void)secor_fail(err, 0, "%s s3://%s/%.150s%.300s: %.450s",
	    kinds[call->kind].word, s3->conf->bucket, s3->prefix,
	    call->key != NULL ? call->key : "", cause.text);
}

/* What the server said, from the body or (HEAD) from headers. */
struct said {
	int status;
	char code[64], message[256], region[64];
};

static void
read_said(const struct s3_call *call, const struct http_answer *answer,
    struct said *said)
{
	const char *region = http_header(call->http, "x-amz-bucket-region");

	said->status = answer->status;
	(void)xml_find(answer->body, answer->length, "Error/Code", said->code,
	    sizeof(said->code));
	(void)xml_find(answer->body, answer->length, "Error/Message",
	    said->message, sizeof(said->message));
	(void)xml_find(answer->body, answer->length, "Error/Region",
	    said->region, sizeof(said->region));
	if (said->region[0] == '\0' && region != NULL)
		(void)snprintf(
		    said->region, sizeof(said->region), "%s", region);
}

typedef struct s3_judgement judge_fn(struct s3 *s3, struct s3_call *call,
    const struct said *said, struct secor_err *err);

static struct s3_judgement
judge_status(struct s3 *s3, struct s3_call *call, const struct said *said,
    struct secor_err *err)
{
	int passes = said->status == 429 || said->status == 408 ||
		     (said->status >= 500 && said->status != 501) ||
		     said->status / 100 == 2;

	(void)s3;
	(void)call;
	(void)secor_fail(err, 0, "HTTP %d%s%s%s%s%s", said->status,
	    said->code[0] != '\0' ? " " : "", said->code,
	    said->message[0] != '\0' ? ": " : "", said->message,
	    said->status == 501 ? " (does this store know CRC32C? Try "
				  "`checksum: md5`)"
				: "");
	return (struct s3_judgement){passes ? S3_AGAIN : S3_GIVE_UP,
	    passes ? SECOR_RETRY : SECOR_FATAL, 0};
}

static struct s3_judgement
judge_passing(struct s3 *s3, struct s3_call *call, const struct said *said,
    struct secor_err *err)
{
	(void)judge_status(s3, call, said, err);
	return (struct s3_judgement){S3_AGAIN, SECOR_RETRY, 0};
}

/* The whole put must be done again, from reading on. */
static struct s3_judgement
judge_anew(struct s3 *s3, struct s3_call *call, const struct said *said,
    struct secor_err *err)
{
	(void)judge_status(s3, call, said, err);
	return (struct s3_judgement){S3_GIVE_UP, SECOR_RETRY, 0};
}

static struct s3_judgement
judge_key(struct s3 *s3, struct s3_call *call, const struct said *said,
    struct secor_err *err)
{
	(void)judge_status(s3, call, said, err);
	return (struct s3_judgement){S3_GIVE_UP, SECOR_REJECT, 0};
}

static struct s3_judgement
fatal(void)
{
	return (struct s3_judgement){S3_GIVE_UP, SECOR_FATAL, 0};
}

static struct s3_judgement
judge_bucket(struct s3 *s3, struct s3_call *call, const struct said *said,
    struct secor_err *err)
{
	(void)call;
	(void)said;
	(void)secor_fail(err, 0,
	    "NoSuchBucket: there is no bucket %s at %s (make it, or mend "
	    "`bucket` or `endpoint`)",
	    s3->conf->bucket, s3->origin);
	return fatal();
}

/* The next put asks its source again, where a person may have mended it.
 * Several calls are under way: the one that is refused may have been signed by
 * another key than the last. */
static void
forget_key(struct s3 *s3, const struct s3_call *call)
{
	if (call->key_turn == s3->key_turn)
		aws_cred_forget(s3->cred);
}

static struct s3_judgement
judge_access_key(struct s3 *s3, struct s3_call *call, const struct said *said,
    struct secor_err *err)
{
	forget_key(s3, call);
	(void)secor_fail(err, 0,
	    "%s: %s does not know the access key %s (from %s)", said->code,
	    s3->origin, call->access_key, call->key_source);
	return fatal();
}

static struct s3_judgement
judge_signature(struct s3 *s3, struct s3_call *call, const struct said *said,
    struct secor_err *err)
{
	(void)said;
	forget_key(s3, call);
	(void)secor_fail(err, 0,
	    "SignatureDoesNotMatch: the secret key of %s (from %s) is wrong, "
	    "or the region is not %s, or a proxy changes requests",
	    call->access_key, call->key_source, s3->region);
	return fatal();
}

static struct s3_judgement
judge_denied(struct s3 *s3, struct s3_call *call, const struct said *said,
    struct secor_err *err)
{
	(void)s3;
	(void)secor_fail(err, 0,
	    "AccessDenied: the access key %s (from %s) needs %s here%s%s%s",
	    call->access_key, call->key_source, kinds[call->kind].action,
	    said->message[0] != '\0' ? " (" : "", said->message,
	    said->message[0] != '\0' ? ")" : "");
	return fatal();
}

static struct s3_judgement
judge_expired(struct s3 *s3, struct s3_call *call, const struct said *said,
    struct secor_err *err)
{
	forget_key(s3, call);
	(void)secor_fail(err, 0,
	    "%s: the session token of %s (from %s) has expired", said->code,
	    call->access_key, call->key_source);
	if (call->key_renewed)
		return fatal();
	call->key_renewed = 1;
	return (struct s3_judgement){S3_NOW, SECOR_FATAL, 0};
}

static struct s3_judgement
judge_region(struct s3 *s3, struct s3_call *call, const struct said *said,
    struct secor_err *err)
{
	(void)call;
	if (said->region[0] != '\0' && strcmp(said->region, s3->region) != 0)
		(void)secor_fail(err, 0,
		    "the bucket is in the region %s, not in %s: set "
		    "`region: %s`",
		    said->region, s3->region, said->region);
	else
		(void)secor_fail(err, 0,
		    "HTTP %d %s: the bucket is elsewhere: mend `region` or "
		    "`endpoint` (%s)",
		    said->status, said->code, s3->origin);
	return fatal();
}

/*
 * The clock. At first sight a wrong clock is a fact of the machine: go on with
 * the server's. But one that was right and is wrong now means that this machine
 * was stopped, or that its clock jumped; then signatures must not be renewed
 * behind the server's back, since their age is what stops a late writer. The
 * own clock may come back at any time. What was signed before another call has
 * set the clock is signed again.
 */
static struct s3_judgement
judge_clock(struct s3 *s3, struct s3_call *call, const struct said *said,
    struct secor_err *err)
{
	const char *date = http_header(call->http, "date");
	time_t server = date != NULL ? curl_getdate(date, NULL) : -1;
	int64_t skew =
	    server == -1 ? 0
			 : (int64_t)server * 1000 - s3->host->now_ms(s3->host);
	char detail[64];

	(void)secor_fail(err, 0,
	    "%s: the clock of this machine is %lld seconds %s the server's: "
	    "set it (NTP)",
	    said->code, llabs((long long)skew) / 1000,
	    skew > 0 ? "behind" : "ahead of");
	if (call->clock_set || server == -1 ||
	    (s3->proven && s3->skew_ms == 0 && call->skew_ms == 0))
		return fatal();
	call->clock_set = 1;
	if (call->skew_ms != s3->skew_ms)
		return (struct s3_judgement){S3_NOW, SECOR_FATAL, 0};
	s3->skew_ms = s3->proven ? 0 : skew;
	(void)snprintf(
	    detail, sizeof(detail), "skew_ms=%lld", (long long)s3->skew_ms);
	s3->host->log(
	    s3->host, SECOR_WARN, "clock differs from the S3 server's", detail);
	return (struct s3_judgement){S3_NOW, SECOR_FATAL, 0};
}

/* Somebody else writes the key in this moment. A plain put is sent again; an
 * upload in parts must be begun again. */
static struct s3_judgement
judge_conflict(struct s3 *s3, struct s3_call *call, const struct said *said,
    struct secor_err *err)
{
	return call->kind == S3_COMPLETE ? judge_anew(s3, call, said, err)
					 : judge_passing(s3, call, said, err);
}

/* A condition that does not hold, or that the server does not know: who has
 * set it says what that means. */
static int
is_conditions(struct s3_call *call, const struct said *said)
{
	struct s3_condition *condition = call->condition;

	if (condition == NULL)
		return 0;
	condition->failed = said->status == 412 ||
			    strcmp(said->code, "PreconditionFailed") == 0 ||
			    strcmp(said->code, "NoSuchKey") == 0;
	condition->unknown =
	    said->status == 501 || strcmp(said->code, "NotImplemented") == 0;
	return condition->failed || condition->unknown;
}

/* The answers of servers differ here, and a HEAD has no text. */
static int
is_key_of_another(
    const struct s3 *s3, const struct s3_call *call, const struct said *said)
{
	static const char *const words[] = {"", "InvalidRequest",
	    "InvalidArgument", "AccessDenied", "InvalidEncryptionKey",
	    "SSECustomerKeyMD5Mismatch", "SSECustomerKeyMissing",
	    "SSECustomerKeyNotNeeded"};
	size_t i;

	if ((call->kind != S3_GET && call->kind != S3_HEAD) ||
	    (said->status != 400 &&
		(said->status != 403 || s3->conf->customer_key == NULL)))
		return 0;
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i], said->code) == 0)
			return 1;
	return 0;
}

static struct s3_judgement
judge_customer_key(struct s3 *s3, struct s3_call *call, const struct said *said,
    struct secor_err *err)
{
	const char *denied =
	    said->status == 403 ? ", or s3:GetObject is not allowed" : "";

	(void)call;
	if (s3->conf->customer_key == NULL)
		(void)secor_fail(err, 0,
		    "HTTP %d %s: is the object encrypted with a key of the "
		    "customer? Then set `customer_key` (%s)",
		    said->status, said->code, said->message);
	else
		(void)secor_fail(err, 0,
		    "HTTP %d %s: the object is encrypted with another "
		    "`customer_key`, or without one%s (%s)",
		    said->status, said->code, denied, said->message);
	return fatal();
}

static const struct {
	const char *code;
	judge_fn *judge;
} codes[] = {
    {"NoSuchBucket", judge_bucket},
    {"InvalidAccessKeyId", judge_access_key},
    {"SignatureDoesNotMatch", judge_signature},
    {"RequestTimeTooSkewed", judge_clock},
    {"RequestExpired", judge_clock},
    {"AccessDenied", judge_denied},
    {"AllAccessDisabled", judge_denied},
    {"ExpiredToken", judge_expired},
    {"ExpiredTokenException", judge_expired},
    {"TokenRefreshRequired", judge_expired},
    {"PermanentRedirect", judge_region},
    {"TemporaryRedirect", judge_region},
    {"AuthorizationHeaderMalformed", judge_region},
    {"IllegalLocationConstraintException", judge_region},
    {"SlowDown", judge_passing},
    {"ServiceUnavailable", judge_passing},
    {"InternalError", judge_passing},
    {"RequestTimeout", judge_passing},
    {"Throttling", judge_passing},
    {"ThrottlingException", judge_passing},
    {"RequestLimitExceeded", judge_passing},
    {"OperationAborted", judge_passing},
    {"ConditionalRequestConflict", judge_conflict},
    {"BadDigest", judge_anew},
    {"InvalidDigest", judge_anew},
    {"XAmzContentSHA256Mismatch", judge_anew},
    {"XAmzContentChecksumMismatch", judge_anew},
    {"IncompleteBody", judge_anew},
    {"NoSuchUpload", judge_anew},
    {"InvalidPart", judge_anew},
    {"InvalidPartOrder", judge_anew},
    {"KeyTooLongError", judge_key},
    {"KeyTooLong", judge_key},
    {"InvalidURI", judge_key},
    {"InvalidObjectName", judge_key},
    {"EntityTooLarge", judge_key},
};

static struct s3_judgement
judge_refusal(struct s3 *s3, struct s3_call *call, const struct said *said,
    struct secor_err *err)
{
	size_t i;

	if (is_conditions(call, said))
		return judge_anew(s3, call, said, err);
	if (is_key_of_another(s3, call, said))
		return judge_customer_key(s3, call, said, err);
	for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (strcmp(codes[i].code, said->code) == 0)
			return codes[i].judge(s3, call, said, err);
	if (said->status / 100 == 3)
		return judge_region(s3, call, said, err);
	if (said->status == 403 && said->code[0] == '\0')
		return judge_denied(s3, call, said, err);
	return judge_status(s3, call, said, err);
}

static int
note_root(void *arg, const char *path, const char *text)
{
	char *root = arg;

	(void)text;
	(void)snprintf(root, 64, "%.*s", (int)strcspn(path, "/"), path);
	return 0;
}

/* A 2xx whose XML is not whole, or is an error: S3 says 200 before it knows how
 * a long Complete ends. */
static struct s3_judgement
judge_body(struct s3 *s3, struct s3_call *call,
    const struct http_answer *answer, struct secor_err *err)
{
	struct said said = {.status = answer->status};
	char root[64] = "";

	if (xml_scan(answer->body, answer->length, note_root, root, err) !=
	    SECOR_OK)
		return (struct s3_judgement){S3_AGAIN, SECOR_RETRY, 0};
	if (strcmp(root, call->root) == 0)
		return (struct s3_judgement){S3_DONE, SECOR_OK, 0};
	read_said(call, answer, &said);
	if (strcmp(root, "Error") == 0)
		return judge_refusal(s3, call, &said, err);
	(void)secor_fail(err, 0,
	    "HTTP %d with <%s> where <%s> should be: is "
	    "%s an S3 server?",
	    answer->status, root, call->root, s3->origin);
	return fatal();
}

struct s3_judgement
s3_judge(struct s3 *s3, struct s3_call *call, const struct http_answer *answer,
    struct secor_err *err)
{
	struct said said = {.status = 0};

	if (answer->status / 100 == 2) {
		s3->proven = 1;
		if (call->root != NULL)
			return judge_body(s3, call, answer, err);
		return (struct s3_judgement){S3_DONE, SECOR_OK, 0};
	}
	read_said(call, answer, &said);
	if (answer->status == 404 && call->missing_ok &&
	    strcmp(said.code, "NoSuchBucket") != 0)
		return (struct s3_judgement){S3_DONE, SECOR_OK, 0};
	return judge_refusal(s3, call, &said, err);
}
