/*
 * fuzz_corpus_test.c -- what the fuzzers found and began with, again: each file
 * of tests/fuzz/corpus, cut off at every length and with bytes changed. The
 * fuzz function aborts when something is wrong.
 */
#define LLVMFuzzerTestOneInput json_scan_fuzz
#include "tests/fuzz/json_scan_fuzz.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput when_fuzz
#include "tests/fuzz/when_fuzz.c"

#include <criterion/criterion.h>
#include <dirent.h>

#define LONGEST 16384

typedef int (*fuzz_fn)(const uint8_t *data, size_t size);

/* On memory of exactly that size. */
static void
run(fuzz_fn fuzz, const uint8_t *data, size_t size)
{
	uint8_t *exact = malloc(size > 0 ? size : 1);

	memcpy(exact, data, size);
	(void)fuzz(exact, size);
	free(exact);
}

static void
run_variations(fuzz_fn fuzz, uint8_t *data, size_t size)
{
	static const uint8_t bytes[] = "\"\\{}[]:,0-e \n\x01\x80u";
	size_t step = size / 256 + 1;

	run(fuzz, data, size);
	for (size_t i = 0; i < size; i += step) {
		uint8_t kept = data[i];

		run(fuzz, data, i);
		for (size_t b = 0; b < sizeof(bytes); b++) {
			data[i] = bytes[b];
			run(fuzz, data, size);
		}
		data[i] = kept;
	}
}

static void
replay(const char *folder, fuzz_fn fuzz)
{
	static uint8_t data[LONGEST];
	DIR *dir = opendir(folder);
	struct dirent *entry;
	int count = 0;

	cr_assert_not_null(dir, "%s: run from the top of the tree", folder);
	while ((entry = readdir(dir)) != NULL) {
		char *path;
		FILE *file;

		if (entry->d_name[0] == '.')
			continue;
		cr_assert_gt(
		    asprintf(&path, "%s/%s", folder, entry->d_name), 0);
		file = fopen(path, "rb");
		cr_assert_not_null(file, "%s", path);
		run_variations(fuzz, data, fread(data, 1, LONGEST, file));
		(void)fclose(file);
		free(path);
		count++;
	}
	(void)closedir(dir);
	cr_assert_geq(count, 10, "%s: hardly anything there", folder);
}

Test(fuzz_corpus, scanner_and_jansson_agree)
{
	replay("tests/fuzz/corpus/json_scan", json_scan_fuzz);
}

Test(fuzz_corpus, times_are_in_range)
{
	replay("tests/fuzz/corpus/when", when_fuzz);
}
