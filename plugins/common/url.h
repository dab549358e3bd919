/*
 * url.h -- what is wrong with an http or https address in a configuration.
 */
#ifndef SECOR_COMMON_URL_H
#define SECOR_COMMON_URL_H

/* NULL when nothing is wrong, else a phrase such as "names no host". */
const char *url_complaint(const char *url);

/* 1 when the text can be the value of an HTTP header: one line of printable
 * bytes. */
int header_value_is(const char *text);

#endif
