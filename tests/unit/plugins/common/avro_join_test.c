/*
 * avro_join_test.c -- schemas that refer to others become one text that needs
 * no other, and says the same of every datum.
 */
#include "plugins/common/avro_join.h"
#include "plugins/common/avro_walk.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define MAX 4

static const struct row {
	const char *texts[MAX]; /* the last one is the schema */
	const char *joined;
} rows[] = {
    {{" \"string\" "}, " \"string\" "},
    {{"{\"type\":\"record\",\"name\":\"a.B\",\"fields\":[]}", "\"a.B\""},
	"{\"type\":\"record\",\"name\":\"B\",\"fields\":[],"
	"\"namespace\":\"a\"}"},
    /* once in full, then by name; a namespace is inherited */
    {{"{\"type\":\"enum\",\"name\":\"E\",\"namespace\":\"n\","
      "\"symbols\":[\"X\"]}",
	 "{\"type\":\"record\",\"name\":\"R\",\"namespace\":\"n\",\"fields\":["
	 "{\"name\":\"x\",\"type\":\"E\"},{\"name\":\"y\",\"type\":[\"null\","
	 "\"n.E\",\"R\"]}]}"},
	"{\"type\":\"record\",\"name\":\"R\",\"namespace\":\"n\",\"fields\":["
	"{\"name\":\"x\",\"type\":{\"type\":\"enum\",\"name\":\"E\","
	"\"namespace\":\"n\",\"symbols\":[\"X\"]}},{\"name\":\"y\",\"type\":"
	"[\"null\",\"n.E\",\"n.R\"]}]}"},
    /* what a reference holds within may be met before it */
    {{"{\"type\":\"record\",\"name\":\"A\",\"fields\":[{\"name\":\"b\","
      "\"type\":{\"type\":\"fixed\",\"name\":\"B\",\"size\":2}}]}",
	 "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"b\","
	 "\"type\":\"B\"},{\"name\":\"a\",\"type\":\"A\"}]}"},
	"{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"b\","
	"\"type\":{\"type\":\"fixed\",\"name\":\"B\",\"size\":2,"
	"\"namespace\":\"\"}},{\"name\":\"a\",\"type\":{\"type\":\"record\","
	"\"name\":\"A\",\"fields\":[{\"name\":\"b\",\"type\":\"B\"}],"
	"\"namespace\":\"\"}}],\"namespace\":\"\"}"},
    /* lists and maps; a reference of a reference */
    {{"{\"type\":\"fixed\",\"name\":\"F\",\"size\":1}",
	 "{\"type\":\"array\",\"items\":\"F\"}",
	 "{\"type\":\"map\",\"values\":{\"type\":\"array\",\"items\":\"F\"}}"},
	"{\"type\":\"map\",\"values\":{\"type\":\"array\",\"items\":{\"type\":"
	"\"fixed\",\"name\":\"F\",\"size\":1,\"namespace\":\"\"}}}"},
    /* default, doc and logical types stay */
    {{"{\"type\":\"fixed\",\"name\":\"F\",\"size\":1}",
	 "{\"type\":\"record\",\"name\":\"R\",\"doc\":\"d\",\"fields\":[{"
	 "\"name\":\"t\",\"type\":{\"type\":\"long\",\"logicalType\":"
	 "\"timestamp-millis\"},\"default\":0}]}"},
	"{\"type\":\"record\",\"name\":\"R\",\"doc\":\"d\",\"fields\":[{"
	"\"name\":\"t\",\"type\":{\"type\":\"long\",\"logicalType\":"
	"\"timestamp-millis\"},\"default\":0}],\"namespace\":\"\"}"},
};

static size_t
count_of(const struct row *row)
{
	size_t n = 0;

	while (n < MAX && row->texts[n] != NULL)
		n++;
	return n;
}

Test(avro_join, references_stand_where_they_are_met)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct secor_err err = {""};
		char *text = NULL;

		cr_assert_eq(
		    avro_join(rows[i].texts, count_of(&rows[i]), &text, &err),
		    SECOR_OK, "row %zu: %s", i, err.text);
		cr_expect_str_eq(text, rows[i].joined, "row %zu: %s", i, text);
		free(text);
	}
}

Test(avro_join, joined_text_compiles_alone)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct avro_schema *whole = NULL, *alone = NULL;
		struct secor_err err = {""};

		cr_expect_eq(avro_schema_new(rows[i].texts, count_of(&rows[i]),
				 &whole, &err),
		    SECOR_OK, "row %zu: %s", i, err.text);
		cr_expect_eq(avro_schema_new(&rows[i].joined, 1, &alone, &err),
		    SECOR_OK, "row %zu: %s", i, err.text);
		avro_schema_free(whole);
		avro_schema_free(alone);
	}
}

Test(avro_join, text_that_is_no_json_is_refused)
{
	const char *const texts[] = {"\"int\"", "{"};
	struct secor_err err = {""};
	char *text = NULL;

	cr_expect_eq(avro_join(texts, 2, &text, &err), SECOR_REJECT);
	cr_expect_null(text);
	cr_expect_neq(err.text[0], '\0');
}
