/*
 * lines.c -- a reporter that writes each snapshot to a file: a line "now N"
 * and a line "name{key=value} number" a metric. Fails while the file cannot be
 * opened.
 */
#include <secor/reporter.h>
#include <stdio.h>

struct lines_conf {
	const char *file;
};

static const struct secor_option lines_options[] = {
    SECOR_OPTION(STRING, struct lines_conf, file, "file", NULL,
	SECOR_OPTION_REQUIRED, "The last snapshot."),
};

static int
lines_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	(void)err;
	*self = (void *)with->conf;
	return SECOR_OK;
}

static void
lines_close(void *self)
{
	(void)self; /* the conf is the engine's */
}

static int
lines_report(void *self, int64_t now_ms, const struct secor_metric *metrics,
    size_t count, struct secor_err *err)
{
	const struct lines_conf *conf = self;
	const char *at = (const char *)metrics;
	char whole[4096]; /* renamed: readers never see a part */
	FILE *file;

	(void)snprintf(whole, sizeof(whole), "%s.new", conf->file);
	file = fopen(whole, "w");
	if (file == NULL)
		return secor_fail(
		    err, SECOR_RETRY, "cannot write %s", conf->file);
	fprintf(file, "now %lld\n", (long long)now_ms);
	for (size_t i = 0; i < count; i++) {
		const struct secor_metric *metric = (const void *)at;

		fprintf(file, "%s{", metric->name);
		for (size_t k = 0; k < metric->label_count; k++)
			fprintf(file, "%s%s=%s", k == 0 ? "" : ",",
			    metric->labels[k].key, metric->labels[k].value);
		fprintf(file, "} %g\n", metric->value);
		at += metric->size;
	}
	return fclose(file) == 0 && rename(whole, conf->file) == 0
		   ? SECOR_OK
		   : secor_fail(
			 err, SECOR_RETRY, "cannot write %s", conf->file);
}

static const struct secor_reporter_ops lines_ops = {
    .size = sizeof(lines_ops),
    .open = lines_open,
    .close = lines_close,
    .report = lines_report,
};

static const struct secor_plugin lines_plugin = {
    SECOR_PLUGIN_HEAD,
    SECOR_REPORTER,
    "lines",
    "1",
    "writes each snapshot to a file",
    1,
    SECOR_OPTIONS(lines_options),
    sizeof(struct lines_conf),
    NULL,
    &lines_ops,
};

const struct secor_plugin *
secor_plugin_entry(void)
{
	return &lines_plugin;
}
