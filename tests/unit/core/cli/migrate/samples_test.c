/*
 * samples_test.c -- the property files of tests/migrate against the YAML beside
 * them, as it is with every plugin there. $SECOR_WRITE_SAMPLES writes the YAML
 * anew instead, to be looked at in the difference.
 */
#include "core/base/files.h"
#include "tests/unit/core/cli/migrate/made.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLES "tests/migrate"

struct name {
	char text[256];
};

static int
is_yaml(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot != NULL && strcmp(dot, ".yaml") == 0;
}

ParameterizedTestParameters(samples, sample_gives_what_lies_beside_it)
{
	struct dirent **found;
	int n = scandir(SAMPLES, &found, is_yaml, alphasort);
	struct name *names;

	if (n < 0)
		abort(); /* not run from the top of the tree */
	names = cr_calloc((size_t)n + 1, sizeof(*names));
	for (int i = 0; i < n; i++) {
		(void)snprintf(names[i].text, sizeof(names[i].text), "%.*s",
		    (int)(strlen(found[i]->d_name) - 5), found[i]->d_name);
		free(found[i]);
	}
	free(found);
	return cr_make_param_array(struct name, names, (size_t)n);
}

static void
hear(void *arg, enum property_level level, const struct property_place *place,
    const char *text)
{
	(void)arg;
	cr_expect_eq(level, PROPERTY_WARNING, "%s:%d: %s", place->file,
	    place->line, text);
}

static void
write_anew(const char *file, const char *yaml)
{
	FILE *out = fopen(file, "w");

	cr_assert_not_null(out);
	cr_expect_geq(fputs(yaml, out), 0);
	cr_expect_eq(fclose(out), 0);
}

ParameterizedTest(struct name *name, samples, sample_gives_what_lies_beside_it)
{
	char *file = mem_text(SAMPLES "/%s.properties", name->text);
	char *beside = mem_text(SAMPLES "/%s.yaml", name->text);
	const struct secor_strings none = {NULL, 0};
	const struct properties_how how = {.say = hear};
	struct properties properties;
	struct secor_err err = {""};
	struct made made;
	char *wanted = NULL;
	size_t n;

	cr_assert_eq(properties_read(&properties, file, &none, &how, &err),
	    SECOR_OK, "%s", err.text);
	cr_assert_eq(file_read(beside, 1 << 20, &wanted, &n, &err), SECOR_OK,
	    "%s", err.text);
	make(&properties, &made);
	if (getenv("SECOR_WRITE_SAMPLES") != NULL)
		write_anew(beside, made.yaml);
	else
		cr_expect_str_eq(made.yaml, wanted,
		    "%s\n--- wanted\n%s--- got\n%s", file, wanted, made.yaml);
	made_fini(&made);
	properties_free(&properties);
	free(wanted);
	free(file);
	free(beside);
}
