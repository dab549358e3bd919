/*
 * xml_test.c -- answers of S3 and STS, whole and broken.
 */
#include "plugins/common/xml.h"

#include <criterion/criterion.h>
#include <string.h>

static int
note(void *arg, const char *path, const char *text)
{
	char *heard = arg;
	size_t len = strlen(heard);

	(void)snprintf(heard + len, 1024 - len, "%s=%s|", path,
	    text != NULL ? text : "(end)");
	return strstr(text != NULL ? text : "", "stop") != NULL;
}

static const char *
scan(const char *xml, int *status)
{
	static char heard[1024];
	struct secor_err err;

	heard[0] = '\0';
	*status = xml_scan(xml, strlen(xml), note, heard, &err);
	return heard;
}

Test(xml, elements_come_with_path_and_text)
{
	int status;

	cr_assert_str_eq(
	    scan("<?xml version=\"1.0\"?>\n<s3:R xmlns:s3='u'><A><K>a&amp;b"
		 "&#233;</K><S/></A> <A><K>2</K></A></s3:R>",
		&status),
	    "R/A/K=a&b\xc3\xa9|R/A/S=|R/A=(end)|R/A/K=2|R/A=(end)|R=(end)|");
	cr_assert_eq(status, SECOR_OK);
}

Test(xml, blanks_in_front_and_early_stop_are_fine)
{
	int status;

	cr_assert_str_eq(
	    scan(" \n <?xml version=\"1.0\"?><R><K>stop</K>garbage<<", &status),
	    "R/K=stop|");
	cr_assert_eq(status, SECOR_OK);
}

Test(xml, what_is_not_whole_says_retry)
{
	static const char *const rows[] = {"", "   ", "<R><K>a</K>", "<R></Q>",
	    "not xml", "{\"a\":1}", "<R>\xff\xfe</R>"};
	int status;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)scan(rows[i], &status);
		cr_expect_eq(status, SECOR_RETRY, "%s", rows[i]);
	}
}

Test(xml, entities_do_not_explode)
{
	static const char bomb[] =
	    "<!DOCTYPE b [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b "
	    "\"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY c "
	    "\"&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;\"><!ENTITY d "
	    "\"&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;\"><!ENTITY e "
	    "\"&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;\"><!ENTITY f "
	    "\"&e;&e;&e;&e;&e;&e;&e;&e;&e;&e;\"><!ENTITY g "
	    "\"&f;&f;&f;&f;&f;&f;&f;&f;&f;&f;\"><!ENTITY h "
	    "\"&g;&g;&g;&g;&g;&g;&g;&g;&g;&g;\">]><b>&h;</b>";
	int status;

	(void)scan(bomb, &status);
	cr_assert_eq(status, SECOR_RETRY);
}

Test(xml, find_gives_the_first_that_fits)
{
	static const char xml[] = "<E><Code>NoSuchKey</Code><Code>B</Code></E>";
	char text[16], small[4];

	cr_assert_eq(
	    xml_find(xml, strlen(xml), "E/Code", text, sizeof(text)), 0);
	cr_assert_str_eq(text, "NoSuchKey");
	cr_assert_eq(
	    xml_find(xml, strlen(xml), "E/Code", small, sizeof(small)), -1);
	cr_assert_str_eq(small, "");
	cr_assert_eq(
	    xml_find(xml, strlen(xml), "E/None", text, sizeof(text)), -1);
	cr_assert_str_eq(text, "");
}

Test(xml, deep_elements_end_the_scan)
{
	char xml[4096] = "";

	for (int i = 0; i < 500; i++)
		strcat(xml, "<abc>");
	cr_assert_eq(xml_scan(xml, strlen(xml), note, (char[1024]){""}, NULL),
	    SECOR_RETRY);
}
