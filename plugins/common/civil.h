/*
 * civil.h -- days of the (proleptic) Gregorian calendar, and the limits of what
 * counts as a time: years 0001 to 9999.
 */
#ifndef PLUGINS_COMMON_CIVIL_H
#define PLUGINS_COMMON_CIVIL_H

#include <stdint.h>

#define MS_SECOND INT64_C(1000)
#define MS_MINUTE (60 * MS_SECOND)
#define MS_HOUR (60 * MS_MINUTE)
#define MS_DAY (24 * MS_HOUR)

#define TIME_FIRST_MS INT64_C(-62135596800000) /* 0001-01-01 */
#define TIME_LAST_MS INT64_C(253402300799999)  /* 9999-12-31, the last ms */

/* a / b rounded down; b > 0. */
static inline int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static inline int
leap_year(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static inline int
days_in_month(int year, int month)
{
	return month == 2 ? 28 + leap_year(year)
			  : 30 + ((month + month / 8) & 1);
}

/* Days since 1970-01-01; month 1..12. Years begin in March here, so that the
 * leap day is the last one. */
static inline int64_t
days_from_civil(int64_t year, int month, int day)
{
	int64_t era, of_era, of_year;

	year -= month <= 2;
	era = floor_div(year, 400);
	of_era = year - era * 400;
	of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 +
	       of_year - 719468;
}

/* Year and month of a day. */
static inline void
civil_from_days(int64_t days, int64_t *year, int *month)
{
	int64_t era, of_era, y, of_year, m;

	days += 719468;
	era = floor_div(days, 146097);
	of_era = days - era * 146097;
	y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	of_year = of_era - (365 * y + y / 4 - y / 100);
	m = (5 * of_year + 2) / 153;
	*month = (int)(m < 10 ? m + 3 : m - 9);
	*year = era * 400 + y + (*month <= 2);
}

#endif
