/*
 * when_pattern.h -- text to a time by a pattern of java.text.SimpleDateFormat,
 * such as `dd/MMM/yyyy:HH:mm:ss Z`.
 *
 * All its letters, with their meaning there: G y Y M L w W D d F E u a H k K h
 * m s S z Z X, text in 'quotes'. Read here instead of by ICU, whose `u`, `e`
 * and `S` are others, whose leniency is another, and for which `yy` depends on
 * the day it runs. ICU gives the names of other languages.
 *
 * Strict: the pattern has a year; the whole text has to match; yyyy has four
 * digits, yy two (69 to 99 are 19xx); the day and the time have to exist; what
 * is said twice (a weekday beside a date) has to agree; S are the digits of a
 * fraction of the second; an offset may be in any form. Lenient, as the
 * original: a prefix that matches is enough, values roll over, of what
 * contradicts itself the last holds, and S is a number of milliseconds.
 *
 * Blanks before a number are skipped, case in names does not count.
 */
#ifndef PLUGINS_COMMON_WHEN_PATTERN_H
#define PLUGINS_COMMON_WHEN_PATTERN_H

#include "plugins/common/zone.h"

struct when_pattern;

/* SECOR_OK, or SECOR_FATAL: not a pattern, or not a locale. */
int when_pattern_new(const char *pattern, const char *locale, int lenient,
    struct when_pattern **out, struct secor_err *err);
void when_pattern_free(struct when_pattern *pattern); /* accepts NULL */

/* NULL with *ms, or a phrase why the text is no time. `zone` is that of text
 * without one. */
const char *when_pattern_read(const struct when_pattern *pattern,
    struct zone *zone, struct secor_bytes text, int64_t *ms);

#endif
