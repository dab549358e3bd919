/*
 * xml.h -- reads the small XML answers of S3 and STS, on expat.
 */
#ifndef SECOR_COMMON_XML_H
#define SECOR_COMMON_XML_H

#include <secor/plugin.h>

/* Called at the end of each element with its path from the root, "A/B/C"
 * (namespaces dropped), and its text when no element was inside it, else NULL.
 * Non-zero stops (then SECOR_OK). */
typedef int xml_fn(void *arg, const char *path, const char *text);

/* SECOR_RETRY: not whole XML (text says where). */
int xml_scan(const char *bytes, size_t len, xml_fn *each, void *arg,
    struct secor_err *err);

/* The text of the first element with this path. 0, or -1: there is none, it is
 * not XML up to there, or it does not fit; then dst is "". */
int xml_find(
    const char *bytes, size_t len, const char *path, char *dst, size_t room);

#endif
