/*
 * http_words.c -- what an error of libcurl means, and the sentence for it.
 */
#include "plugins/common/http_words.h"

#include <string.h>

static const struct {
	CURLcode code;
	enum http_fault fault;
} faults[] = {
    {CURLE_OK, HTTP_WHOLE},
    {CURLE_COULDNT_RESOLVE_HOST, HTTP_CONNECT},
    {CURLE_COULDNT_RESOLVE_PROXY, HTTP_CONNECT},
    {CURLE_COULDNT_CONNECT, HTTP_CONNECT},
    {CURLE_SSL_CONNECT_ERROR, HTTP_TLS},
    {CURLE_PEER_FAILED_VERIFICATION, HTTP_TLS},
    {CURLE_SSL_CACERT_BADFILE, HTTP_USAGE},
    {CURLE_SSL_CERTPROBLEM, HTTP_TLS},
    {CURLE_URL_MALFORMAT, HTTP_USAGE},
    {CURLE_UNSUPPORTED_PROTOCOL, HTTP_USAGE},
    {CURLE_OPERATION_TIMEDOUT, HTTP_TIMEOUT},
};

enum http_fault
http_fault_of(CURLcode code)
{
	size_t i;

	for (i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		if (faults[i].code == code)
			return faults[i].fault;
	return HTTP_BROKEN;
}

/* "host:port" of a URL, without user and password. */
static void
host_of(const char *url, char *host, size_t room)
{
	const char *at = strstr(url, "://"), *user;
	size_t len;

	at = at != NULL ? at + 3 : url;
	len = strcspn(at, "/?#");
	user = memrchr(at, '@', len);
	if (user != NULL) {
		len -= (size_t)(user + 1 - at);
		at = user + 1;
	}
	(void)snprintf(host, room, "%.*s", (int)len, at);
}

/* Handshake failures pass by themselves (a server that restarts); a certificate
 * that does not verify stays. */
int
http_complain(const char *url, CURLcode code, enum http_fault fault,
    const char *why, struct secor_err *err)
{
	char host[256];
	int passes = code == CURLE_SSL_CONNECT_ERROR;

	host_of(url, host, sizeof(host));
	if (*why == '\0')
		why = curl_easy_strerror(code);
	switch (fault) {
	case HTTP_SOURCE:
		return secor_fail(err, SECOR_RETRY, "%s", why);
	case HTTP_STOPPED:
		return secor_fail(err, SECOR_RETRY,
		    "%s: stopped: no longer sure to be allowed to write", host);
	case HTTP_LIMIT:
		return secor_fail(err, SECOR_RETRY,
		    "%s: the answer is larger than expected", host);
	case HTTP_USAGE:
		return secor_fail(err, SECOR_FATAL, "%s: %s", host, why);
	case HTTP_TLS:
		return secor_fail(err, passes ? SECOR_RETRY : SECOR_FATAL,
		    "%s: TLS: %s (an own CA is named by `ca_file`)", host, why);
	default:
		return secor_fail(err, SECOR_RETRY, "%s: %s", host, why);
	}
}
