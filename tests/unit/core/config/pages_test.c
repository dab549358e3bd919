/*
 * pages_test.c -- the files of configs/ are good, and docs/OPTIONS.md is what
 * the program says of itself. With the real plugins.
 */
#include "core/base/buf.h"
#include "core/base/files.h"
#include "core/config/config.h"
#include "tests/unit/harness.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

static struct registry *
plugins(void)
{
	char *folder = mem_text("%s/plugins", harness_build());
	struct registry *registry = registry_new(folder, 1);

	free(folder);
	return registry;
}

static char *
read_text(const char *file)
{
	struct secor_err err = {""};
	char *text = NULL;
	size_t n;

	cr_assert_eq(file_read(file, 1 << 20, &text, &n, &err), SECOR_OK, "%s",
	    err.text);
	return text;
}

/* ---- configs/ ---- */

static void
set_environment(void)
{
	cr_assert_eq(setenv("KAFKA_PASSWORD", "an example", 1), 0);
	cr_assert_eq(setenv("OIDC_SECRET", "an example", 1), 0);
	cr_assert_eq(setenv("WEBHOOK_SECRET", "an example", 1), 0);
	cr_assert_eq(setenv("REGISTRY_PASSWORD", "an example", 1), 0);
	cr_assert_eq(setenv("S3_PROXY", "http://me:pass@proxy:3128", 1), 0);
	cr_assert_eq(setenv("LEDGER_KEY",
			 "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=", 1),
	    0);
	cr_assert_eq(setenv("QUBOLE_TOKEN", "an example", 1), 0);
	cr_assert_eq(setenv("SLACK_HOOK", "an-example", 1), 0);
	cr_assert_eq(setenv("AIRFLOW_LOGIN", "an example", 1), 0);
	cr_assert_eq(setenv("REDACT_SECRET", "an example", 1), 0);
	cr_assert_eq(setenv("XDG_STATE_HOME", "/var/lib/state", 1), 0);
}

TestSuite(pages, .init = set_environment);

static void
note(void *arg, const char *line)
{
	buf_printf(arg, "%s\n", line);
}

static void
expect_good(const char *file)
{
	struct registry *registry = plugins();
	struct config *config = NULL;
	struct buf lines = {0};
	struct config_how how = {registry, CONFIG_TRY_OPEN, note, &lines};

	buf_puts(&lines, "");
	cr_expect_eq(config_load(file, &how, &config), SECOR_OK);
	cr_expect_str_eq(lines.ptr, "");
	config_free(config);
	buf_fini(&lines);
	registry_free(registry);
}

static int
is_yaml(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > 5 && strcmp(entry->d_name + len - 5, ".yaml") == 0;
}

Test(pages, every_config_is_good)
{
	struct dirent **found;
	int n = scandir("configs", &found, is_yaml, alphasort);

	cr_assert_geq(n, 7);
	for (int i = 0; i < n; i++) {
		char *file = mem_text("configs/%s", found[i]->d_name);

		expect_good(file);
		free(file);
		free(found[i]);
	}
	free(found);
}

Test(pages, minimal_config_has_twenty_lines)
{
	char *text = read_text("configs/minimal.yaml");
	int lines = 0;

	for (const char *at = text; *at != '\0'; at++)
		lines += *at == '\n';
	cr_expect_leq(lines, 20);
	free(text);
}

/* ---- docs/OPTIONS.md ---- */

Test(pages, options_page_is_not_stale)
{
	struct registry *registry = plugins();
	char *written = read_text("docs/OPTIONS.md");
	char *page = config_markdown(registry);

	cr_expect(strcmp(written, page) == 0,
	    "docs/OPTIONS.md is stale: run `make docs`");
	free(page);
	free(written);
	registry_free(registry);
}

struct count {
	size_t plugins;
};

static void
look(void *arg, const struct plugin *plugin, const char *file,
    const char *why_not)
{
	struct count *count = arg;
	struct options opts;

	cr_expect_not_null(plugin, "%s", why_not);
	if (plugin == NULL)
		return;
	count->plugins++;
	if (plugin->desc.summary == NULL || *plugin->desc.summary == '\0')
		cr_expect(0, "%s has no summary", file);
	opts = plugin_options(plugin);
	for (size_t i = 0; i < opts.count; i++)
		cr_expect_gt(strlen(options_row(&opts, i)->help), 0, "%s: %s",
		    file, options_row(&opts, i)->key);
}

Test(pages, every_plugin_loads_and_describes_itself)
{
	struct registry *registry = plugins();
	struct count count = {0};

	registry_each(registry, look, &count);
	cr_expect_geq(count.plugins, 12);
	registry_free(registry);
}
