/*
 * start.h -- where a partition that has no record begins, as it is written:
 *
 *	earliest | latest | 2026-01-31 | 2026-01-31T08:00:00+01:00 |
 *	1769842800000 (ms) | -6h (that long before the start)
 */
#ifndef SECOR_CONFIG_START_H
#define SECOR_CONFIG_START_H

#include "core/config/config.h"

/* SECOR_REJECT with one phrase that quotes the text. */
int start_parse(
    const char *text, struct config_start *start, struct secor_err *err);

#endif
