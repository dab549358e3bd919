/*
 * errors.c -- what a code of the service means. Codes that are not in the table
 * are judged by the HTTP status.
 */
#include "plugins/notifier/glue/glue.h"

#include <string.h>

static const struct {
	const char *code;
	enum glue_verdict verdict;
} CODES[] = {
    {"ThrottlingException", GLUE_AGAIN}, {"Throttling", GLUE_AGAIN},
    {"TooManyRequestsException", GLUE_AGAIN},
    {"RequestLimitExceeded", GLUE_AGAIN},
    {"ProvisionedThroughputExceededException", GLUE_AGAIN},
    {"InternalServiceException", GLUE_AGAIN}, {"InternalFailure", GLUE_AGAIN},
    {"ServiceUnavailable", GLUE_AGAIN},
    {"OperationTimeoutException", GLUE_AGAIN},
    {"ResourceNotReadyException", GLUE_AGAIN},
    {"FederationSourceRetryableException", GLUE_AGAIN},
    {"RequestTimeoutException", GLUE_AGAIN},
    {"ExpiredTokenException", GLUE_RENEW}, {"ExpiredToken", GLUE_RENEW},
    {"UnrecognizedClientException", GLUE_RENEW},
    {"InvalidClientTokenId", GLUE_RENEW},
    {"InvalidInputException", GLUE_REFUSED},
    {"ValidationException", GLUE_REFUSED},
    {"SerializationException", GLUE_REFUSED},
    {"EntityNotFoundException", GLUE_MISSING},
    {"AlreadyExistsException", GLUE_EXISTS},
    /* whoever has changed it in between must be read first */
    {"ConcurrentModificationException", GLUE_LATER},
    /* and AccessDeniedException, InvalidSignatureException,
       ResourceNumberLimitExceededException, GlueEncryptionException,
       FederationSourceException, UnknownOperationException: a person */
};

enum glue_verdict
glue_judge(const char *code, int status)
{
	for (size_t i = 0; i < sizeof(CODES) / sizeof(CODES[0]); i++)
		if (strcmp(CODES[i].code, code) == 0)
			return CODES[i].verdict;
	return status == 408 || status == 429 || status >= 500 ? GLUE_AGAIN
							       : GLUE_LATER;
}

int
glue_status(const struct glue *glue, enum glue_verdict verdict)
{
	if (verdict == GLUE_MISSING)
		return hive_on_error(glue->conf->on_error);
	return verdict == GLUE_REFUSED ? SECOR_REJECT : SECOR_RETRY;
}

void
glue_line(const char *text, char *dst, size_t room)
{
	size_t n = 0;

	for (; *text != '\0' && n + 1 < room; text++)
		dst[n++] = (unsigned char)*text < ' ' ? ' ' : *text;
	dst[n] = '\0';
}
