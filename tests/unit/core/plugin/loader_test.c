/*
 * loader_test.c -- what is loaded, and one sentence for each that is not.
 */
#include "core/base/buf.h"
#include "core/base/files.h"
#include "core/base/metrics.h"
#include "core/plugin/plugin.h"
#include "tests/unit/harness.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct registry *
samples(void)
{
	char *folder = mem_text("%s/tests/plugins", harness_build());
	struct registry *registry = registry_new(folder, 1);

	free(folder);
	return registry;
}

/* The sentence, with the folder of test plugins taken out; caller frees. */
static char *
why_not(int kind, const char *use)
{
	struct registry *registry = samples();
	char *folder = mem_text("%s/tests/plugins/", harness_build());
	const struct plugin *plugin = NULL;
	struct secor_err err = {""};
	char *text, *at;

	cr_assert_eq(registry_find(registry, kind, use, ".", &plugin, &err),
	    SECOR_FATAL, "%s was loaded", use);
	cr_expect_null(plugin);
	text = mem_dup(err.text, strlen(err.text));
	while ((at = strstr(text, folder)) != NULL)
		memmove(
		    at, at + strlen(folder), strlen(at + strlen(folder)) + 1);
	free(folder);
	registry_free(registry);
	return text;
}

static void
expect_sentence(int kind, const char *use, const char *sentence)
{
	char *text = why_not(kind, use);

	cr_expect_str_eq(text, sentence, "said: %s", text);
	free(text);
}

Test(loader, unknown_name_says_the_nearest)
{
	expect_sentence(SECOR_PARSER, "sampel",
	    "no parser 'sampel'; did you mean 'sample'?");
}

Test(loader, unknown_name_says_how_to_list)
{
	expect_sentence(SECOR_PARSER, "protobuf",
	    "no parser 'protobuf'; `secor plugins` lists what there is, a "
	    "file of your own is `use: ./file.so`");
}

Test(loader, name_of_another_kind_says_so)
{
	expect_sentence(SECOR_FORMAT, "old",
	    "no format 'old'; there is a notifier of this name");
}

Test(loader, file_without_folder_says_how_to_write_it)
{
	expect_sentence(SECOR_PARSER, "mine.so",
	    "no parser 'mine.so'; a file is written with its folder: use: "
	    "./mine.so");
}

Test(loader, missing_file_is_named)
{
	expect_sentence(SECOR_PARSER, "/nowhere/mine.so",
	    "/nowhere/mine.so: No such file or directory");
}

Test(loader, other_magic_says_what_to_compile_with)
{
	expect_sentence(SECOR_PARSER, "magic",
	    "parser/magic.so: is not a secor plugin (wrong magic): compile it "
	    "with <secor/plugin.h> and begin its descriptor with "
	    "SECOR_PLUGIN_HEAD");
}

Test(loader, newer_minor_says_upgrade_secor)
{
	expect_sentence(SECOR_PARSER, "newer",
	    "parser/newer.so: was made for plugin ABI 1.1, this secor has "
	    "1.0: upgrade secor");
}

Test(loader, older_major_says_compile_again)
{
	expect_sentence(SECOR_PARSER, "major",
	    "parser/major.so: was made for plugin ABI 0.7, this secor has "
	    "1.0: compile the plugin again with this secor's headers");
}

Test(loader, missing_symbol_is_named)
{
	expect_sentence(SECOR_PARSER, "mute",
	    "parser/mute.so: is not a secor plugin: it does not export "
	    "secor_plugin_entry (mark the function SECOR_EXPORT)");
}

Test(loader, wrong_kind_names_both)
{
	char *file =
	    mem_text("%s/tests/plugins/store/sample.so", harness_build());

	expect_sentence(SECOR_PARSER, file,
	    "store/sample.so: is a store, not a parser: name it in that "
	    "section");
	free(file);
}

Test(loader, table_of_another_kind_misses_slots)
{
	expect_sentence(SECOR_PARSER, "lying",
	    "parser/lying.so: the store has no 'put': set it in its struct "
	    "secor_store_ops");
}

Test(loader, missing_slot_is_named)
{
	expect_sentence(SECOR_PARSER, "hollow",
	    "parser/hollow.so: the parser has no 'parse': set it in its "
	    "struct secor_parser_ops");
}

Test(loader, wrong_default_names_the_option)
{
	expect_sentence(SECOR_PARSER, "defaults",
	    "parser/defaults.so: the default of an option is wrong: wait: "
	    "'soon' is not a duration (like 250ms, 10m or 1h30m)");
}

Test(loader, file_that_is_no_shared_object_says_the_linkers_words)
{
	char *text = why_not(SECOR_PARSER, "./Makefile");

	cr_expect_str_eq(text,
	    "./Makefile: the system cannot load it: invalid ELF header: "
	    "it is no shared object (cc -shared -fPIC)");
	free(text);
}

/* ---- writable by others ---- */

static char folder[] = "/tmp/loader_test.XXXXXX";

static void
make_folder(void)
{
	cr_assert_not_null(mkdtemp(folder));
}

static void
remove_folder(void)
{
	(void)file_remove_tree(folder, NULL);
}

/* A copy of the sample parser; caller frees the name. */
static char *
copy_sample(mode_t mode)
{
	char *from =
	    mem_text("%s/tests/plugins/parser/sample.so", harness_build());
	char *to = mem_text("%s/mine.so", folder);
	struct secor_err err = {""};
	char *bytes;
	size_t n;
	int fd;

	cr_assert_eq(file_read(from, 64 << 20, &bytes, &n, &err), SECOR_OK,
	    "%s", err.text);
	fd = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	cr_assert_geq(fd, 0);
	cr_assert_eq(file_write(fd, bytes, n, to, &err), SECOR_OK);
	cr_assert_eq(fchmod(fd, mode), 0);
	cr_assert_eq(close(fd), 0);
	free(bytes);
	free(from);
	return to;
}

Test(loader, file_that_others_may_write_is_refused, .init = make_folder,
    .fini = remove_folder)
{
	char *file = copy_sample(0666);
	char *sentence = mem_text("%s: others may write it, so it is not "
				  "loaded: chmod go-w %s",
	    file, file);

	expect_sentence(SECOR_PARSER, file, sentence);
	free(sentence);
	free(file);
}

Test(loader, folder_that_others_may_write_is_refused, .init = make_folder,
    .fini = remove_folder)
{
	char *file = copy_sample(0644);
	char *sentence = mem_text("%s: others may write its folder, so it is "
				  "not loaded: chmod go-w %s",
	    file, folder);

	cr_assert_eq(chmod(folder, 0777), 0);
	expect_sentence(SECOR_PARSER, file, sentence);
	free(sentence);
	free(file);
}

Test(loader, own_file_is_found_from_the_folder_of_the_yaml, .init = make_folder,
    .fini = remove_folder)
{
	char *file = copy_sample(0644);
	struct registry *registry = registry_new(NULL, 1);
	const struct plugin *plugin = NULL;
	struct secor_err err = {""};

	cr_expect_eq(registry_find(registry, SECOR_PARSER, "./mine.so", folder,
			 &plugin, &err),
	    SECOR_OK, "%s", err.text);
	cr_assert_not_null(plugin);
	cr_expect_str_eq(plugin->desc.name, "sample");
	cr_expect_str_eq(plugin->file, file);
	registry_free(registry);
	free(file);
}

/* ---- what is loaded ---- */

Test(loader, second_find_is_the_same_plugin)
{
	struct registry *registry = samples();
	const struct plugin *one = NULL, *two = NULL;

	cr_expect_eq(
	    registry_find(registry, SECOR_PARSER, "sample", ".", &one, NULL),
	    SECOR_OK);
	cr_expect_eq(
	    registry_find(registry, SECOR_PARSER, "sample", ".", &two, NULL),
	    SECOR_OK);
	cr_expect_eq(one, two);
	registry_free(registry);
}

Test(loader, older_table_has_null_for_newer_slots)
{
	struct registry *registry = samples();
	const struct plugin *plugin = NULL;
	struct secor_err err = {""};

	cr_assert_eq(
	    registry_find(registry, SECOR_NOTIFIER, "old", ".", &plugin, &err),
	    SECOR_OK, "%s", err.text);
	cr_assert_not_null(plugin->ops.notifier->batch_done);
	cr_expect_null(plugin->ops.notifier->path_finalized);
	cr_expect_null(plugin->ops.notifier->path_amended);
	cr_expect_eq(
	    plugin->ops.notifier->batch_done(NULL, NULL, &err), SECOR_REJECT);
	cr_expect_str_eq(err.text, "heard by an old notifier");
	registry_free(registry);
}

Test(loader, failing_open_says_why)
{
	struct registry *registry = samples();
	const struct plugin *plugin = NULL;
	struct secor_open with = {.size = sizeof(with)};
	struct secor_err err = {""};
	void *self = NULL;

	cr_assert_eq(registry_find(
			 registry, SECOR_PARSER, "refuses", ".", &plugin, &err),
	    SECOR_OK, "%s", err.text);
	with.host = plugin->host;
	cr_expect_eq(
	    harness_open_with(plugin, &with, &self, &err), SECOR_FATAL);
	cr_expect_str_eq(err.text, "the moon is full");
	cr_expect_null(self);
	registry_free(registry);
}

Test(loader, no_load_opens_nothing)
{
	struct registry *registry = registry_new(NULL, 0);
	const struct plugin *plugin = NULL;
	struct secor_err err = {""};

	cr_expect_eq(registry_find(registry, SECOR_PARSER, "/dev/null", ".",
			 &plugin, &err),
	    SECOR_RETRY);
	cr_expect_str_eq(
	    err.text, "parser '/dev/null' was not looked at (--no-load)");
	registry_free(registry);
}

struct seen {
	size_t good, bad;
	char last[64];
};

/* The folder holds plugins of other tests too. */
static int
is_sample(const char *file)
{
	static const char *const names[] = {"defaults", "hollow", "lying",
	    "magic", "major", "mute", "newer", "refuses", "sample"};
	char end[64];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(
		    end, sizeof(end), "tests/plugins/parser/%s.so", names[i]);
		if (strstr(file, end) != NULL)
			return 1;
	}
	return 0;
}

static void
count(void *arg, const struct plugin *plugin, const char *file, const char *why)
{
	struct seen *seen = arg;

	if (!is_sample(file))
		return;
	cr_expect_lt(strcmp(seen->last, strrchr(file, '/')), 0);
	(void)snprintf(
	    seen->last, sizeof(seen->last), "%s", strrchr(file, '/'));
	if (plugin != NULL) {
		seen->good++;
		return;
	}
	seen->bad++;
	cr_expect_not_null(strstr(why, file), "%s", why);
}

Test(loader, each_passes_all_in_order_with_reasons)
{
	struct registry *registry = samples();
	struct seen seen = {0};

	registry_each(registry, count, &seen);
	cr_expect_eq(seen.good, 2); /* sample, refuses */
	cr_expect_eq(seen.bad, 7);
	registry_free(registry);
}

/* ---- host ---- */

Test(loader, host_counts_under_the_plugins_name)
{
	struct secor_host *host = host_new("my-parser");
	struct secor_counter *one = host->counter(host, "rows", "Rows.");
	struct secor_counter *two = host->counter(host, "rows", "Rows.");

	cr_expect_eq(one, two);
	host->add(one, 2);
	host->add(two, 3);
	cr_expect_eq(metric_get(metric_counter(
			 "secor_my_parser_rows_total", "Rows.", NULL)),
	    5);
	host_free(host);
}
