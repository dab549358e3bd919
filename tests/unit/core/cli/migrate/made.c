#include "tests/unit/core/cli/migrate/made.h"

#include "core/cli/migrate/migration.h"
#include "tests/unit/core/cli/migrate/memory_files.h"

#include <criterion/criterion.h>
#include <string.h>

static void
say(void *arg, enum remark remark, const struct property_place *place,
    const char *text)
{
	static const char *const LEVELS[] = {"error", "warning", "note"};

	(void)place;
	buf_printf(arg, "%s: %s\n", LEVELS[remark], text);
}

static void
say_step(void *arg, const char *text)
{
	buf_printf(arg, "%s\n", text);
}

void
make(const struct properties *properties, struct made *made)
{
	struct migration m = {
	    .properties = properties, .say = say, .arg = &made->remarks};

	memset(made, 0, sizeof(*made));
	buf_puts(&made->remarks, "");
	made->yaml = migrate(&m);
	made->todo = m.todo;
	takeover(&m, "new.yaml", say_step, &made->steps);
}

void
made_fini(struct made *made)
{
	free(made->yaml);
	buf_fini(&made->remarks);
	buf_fini(&made->steps);
}

void
make_text(const char *text, struct made *made)
{
	const struct memory_file files[] = {{"/f", text}, {NULL, NULL}};
	struct memory_files memory = {.files = files};
	struct properties properties;

	cr_assert_eq(memory_files_read(&memory, &properties, NULL), SECOR_OK);
	cr_expect_str_eq(memory.said.ptr, "");
	make(&properties, made);
	buf_fini(&memory.said);
	properties_free(&properties);
}

static void
expect(const struct vector *vector)
{
	struct made made;

	make_text(vector->text, &made);
	if (vector->yaml != NULL)
		cr_expect_not_null(strstr(made.yaml, vector->yaml),
		    "%s\n--- wanted\n%s\n--- got\n%s", vector->text,
		    vector->yaml, made.yaml);
	if (vector->remark != NULL)
		cr_expect_not_null(strstr(made.remarks.ptr, vector->remark),
		    "%s\n--- wanted\n%s\n--- got\n%s", vector->text,
		    vector->remark, made.remarks.ptr);
	made_fini(&made);
}

void
made_expect(const struct vector *vectors, size_t count)
{
	for (size_t i = 0; i < count; i++)
		expect(&vectors[i]);
}
