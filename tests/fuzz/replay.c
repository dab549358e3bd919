/*
 * replay.c -- a fuzz target without a fuzzer: every file of a folder, cut off
 * at many lengths and with bytes changed. The target aborts when something is
 * not true; then the last line says which file it was.
 *
 *	REPLAY FOLDER
 *
 * The same files give the same calls, always. Ends with 1 when the folder holds
 * fewer than SEEDS_LEAST files.
 */
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <signal.h>
#include <unistd.h>

#define LONGEST 16384
#define SEEDS_LEAST 10
#define CALLS 5000 /* about so many for a folder */

static char now[600];
static size_t calls, per_file;

/* Of AddressSanitizer and UBSan: they exit by themselves. */
void __sanitizer_set_death_callback(void (*callback)(void));

static void
say_where(void)
{
	(void)!write(STDERR_FILENO, now, strlen(now));
}

static void
on_abort(int number)
{
	(void)number;
	say_where();
}

/* On memory of exactly that size. */
static void
run(const uint8_t *data, size_t size)
{
	uint8_t *exact = malloc(size > 0 ? size : 1);

	MUST(exact != NULL);
	memcpy(exact, data, size);
	(void)LLVMFuzzerTestOneInput(exact, size);
	free(exact);
	calls++;
}

/* Half of the calls cut it off, half change a byte. */
static void
run_variations(uint8_t *data, size_t size)
{
	static const uint8_t bytes[] = "\"\\{}[]:,0-e \n\x01\x80u=/";
	size_t places = per_file / 2 + 1;
	size_t last = SIZE_MAX, seen = 0;

	run(data, size);
	for (size_t n = 0; n < places && size > 0; n++) {
		size_t at = n * size / places;
		uint8_t kept = data[at];

		if (at != last)
			run(data, at);
		last = at;
		data[at] = bytes[seen++ % sizeof(bytes)];
		run(data, size);
		data[at] = kept;
	}
}

static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int
is_seed(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void
replay(const char *path)
{
	static uint8_t data[LONGEST];
	FILE *file = fopen(path, "rb");

	(void)snprintf(now, sizeof(now), "while it replayed %s\n", path);
	MUST(file != NULL);
	run_variations(data, fread(data, 1, LONGEST, file));
	(void)fclose(file);
}

int
main(int argc, char **argv)
{
	struct dirent **entries;
	char path[512];
	int n;

	MUST(argc == 2);
	__sanitizer_set_death_callback(say_where);
	(void)signal(SIGABRT, on_abort);
	n = scandir(argv[1], &entries, is_seed, by_name);
	per_file = n > 0 ? CALLS / (size_t)n : 0;
	for (int i = 0; i < n; i++) {
		(void)snprintf(
		    path, sizeof(path), "%s/%s", argv[1], entries[i]->d_name);
		replay(path);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	printf("%s: %d files, %zu calls\n", argv[1], n, calls);
	return n >= SEEDS_LEAST ? 0 : 1;
}
