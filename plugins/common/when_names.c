/*
 * when_names.c -- see when_fields.h: names of months, weekdays and halves of
 * the day. English ones are here, so that they never change; those of other
 * languages, and how they count weeks, come from ICU.
 */
#include "plugins/common/when_fields.h"

#include <string.h>
#include <unicode/ucal.h>
#include <unicode/udat.h>
#include <unicode/uloc.h>
#include <unicode/ustring.h>

#define OWN_LOCALE "en_US"

static const char *const months[] = {"January", "February", "March", "April",
    "May", "June", "July", "August", "September", "October", "November",
    "December"};
static const char *const weekdays[] = {"Sunday", "Monday", "Tuesday",
    "Wednesday", "Thursday", "Friday", "Saturday"};

static void
load_own(struct when_names *names)
{
	for (int i = 0; i < 12; i++) {
		(void)strcpy(names->months[0][i], months[i]);
		(void)strncpy(names->months[1][i], months[i], 3);
	}
	for (int i = 0; i < 7; i++) {
		(void)strcpy(names->weekdays[0][i], weekdays[i]);
		(void)strncpy(names->weekdays[1][i], weekdays[i], 3);
	}
	(void)strcpy(names->halves[0], "AM");
	(void)strcpy(names->halves[1], "PM");
	names->first_day = 1;
	names->least_days = 1;
}

/* `count` names from the one of that number on; one too long for a name is
 * none. */
static void
load_list(const UDateFormat *format, UDateFormatSymbolType type, int first,
    int count, char to[][NAME_BYTES])
{
	UChar name[NAME_BYTES];

	for (int i = 0; i < count; i++) {
		UErrorCode code = U_ZERO_ERROR;
		int32_t n = udat_getSymbols(
		    format, type, first + i, name, NAME_BYTES, &code);

		if (U_SUCCESS(code))
			u_strToUTF8(
			    to[i], NAME_BYTES - 1, NULL, name, n, &code);
		if (U_FAILURE(code))
			to[i][0] = '\0';
	}
}

static void
load_lists(const UDateFormat *format, struct when_names *names)
{
	static const UDateFormatSymbolType types[] = {UDAT_MONTHS,
	    UDAT_SHORT_MONTHS, UDAT_STANDALONE_MONTHS,
	    UDAT_STANDALONE_SHORT_MONTHS};

	for (int i = 0; i < 4; i++)
		load_list(format, types[i], 0, 12, names->months[i]);
	/* weekdays count from 1 there */
	load_list(format, UDAT_WEEKDAYS, 1, 7, names->weekdays[0]);
	load_list(format, UDAT_SHORT_WEEKDAYS, 1, 7, names->weekdays[1]);
	load_list(format, UDAT_AM_PMS, 0, 2, names->halves);
}

/* ICU takes any locale, and one that it does not know for the root one. */
static int
is_known(const char *locale)
{
	char language[ULOC_LANG_CAPACITY];
	UErrorCode code = U_ZERO_ERROR;

	(void)uloc_getLanguage(locale, language, sizeof(language), &code);
	if (U_FAILURE(code) || language[0] == '\0')
		return 0;
	for (int32_t i = 0; i < uloc_countAvailable(); i++) {
		size_t n = strlen(language);

		if (strncmp(uloc_getAvailable(i), language, n) == 0 &&
		    strchr("_", uloc_getAvailable(i)[n]) != NULL)
			return 1;
	}
	return 0;
}

int
when_names_load(
    const char *locale, struct when_names *names, struct secor_err *err)
{
	UErrorCode code = U_ZERO_ERROR;
	UDateFormat *format;
	const UCalendar *calendar;

	if (locale == NULL || strcmp(locale, OWN_LOCALE) == 0) {
		load_own(names);
		return SECOR_OK;
	}
	if (!is_known(locale))
		return secor_fail(
		    err, SECOR_FATAL, "there is no locale '%s'", locale);
	format =
	    udat_open(UDAT_SHORT, UDAT_SHORT, locale, NULL, 0, NULL, 0, &code);
	if (U_FAILURE(code))
		return secor_fail(err, SECOR_FATAL, "locale '%s': %s", locale,
		    u_errorName(code));
	load_lists(format, names);
	calendar = udat_getCalendar(format);
	names->first_day = ucal_getAttribute(calendar, UCAL_FIRST_DAY_OF_WEEK);
	names->least_days =
	    ucal_getAttribute(calendar, UCAL_MINIMAL_DAYS_IN_FIRST_WEEK);
	udat_close(format);
	return SECOR_OK;
}
