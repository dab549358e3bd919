/*
 * http_words.h -- what an error of libcurl means, and the sentence for it.
 */
#ifndef SECOR_COMMON_HTTP_WORDS_H
#define SECOR_COMMON_HTTP_WORDS_H

#include "plugins/common/http.h"

#include <curl/curl.h>

enum http_fault http_fault_of(CURLcode code);

/* `why` "": curl's own words. Returns the status for the caller of http_run. */
int http_complain(const char *url, CURLcode code, enum http_fault fault,
    const char *why, struct secor_err *err);

#endif
