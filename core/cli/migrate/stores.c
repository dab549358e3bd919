/*
 * stores.c -- where objects go: by the class that uploaded, and for Hadoop's by
 * cloud.service.
 */
#include "core/cli/migrate/migration.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MANAGER "secor.upload.manager.class"
#define SERVICE "cloud.service"

enum old_store { STORE_S3, STORE_GCS, STORE_AZURE, STORE_SWIFT, STORE_UNKNOWN };

struct store_row {
	const char *manager; /* of the class, without its ending */
	const char *service; /* NULL: whatever it is */
	enum old_store store;
	const char *plugin;
	const char *bucket, *path; /* old keys */
	const char *scheme;
};

static const struct store_row STORES[] = {
    {"S3", NULL, STORE_S3, "s3", "secor.s3.bucket", "secor.s3.path", "s3"},
    {"Gs", NULL, STORE_GCS, "gcs", "secor.gs.bucket", "secor.gs.path", "gs"},
    {"Azure", NULL, STORE_AZURE, "azure", "secor.azure.container.name",
	"secor.azure.path", "azure"},
    {"HadoopS3", "S3", STORE_S3, "s3", "secor.s3.bucket", "secor.s3.path",
	"s3"},
    {"HadoopS3", "GS", STORE_GCS, "gcs", "secor.gs.bucket", "secor.gs.path",
	"gs"},
    {"HadoopS3", "Azure", STORE_AZURE, "azure", "secor.azure.container.name",
	"secor.azure.path", "azure"},
    {"HadoopS3", "Swift", STORE_SWIFT, "swift", "secor.swift.container",
	"secor.swift.path", "swift"},
};

static const struct store_row *
find_store(const struct migration *m)
{
	static const char *const ENDINGS[] = {"UploadManager", NULL};
	char *name = old_class(
	    old_text(m, MANAGER), "com.pinterest.secor.uploader.", ENDINGS);
	const struct store_row *found = NULL;

	for (size_t i = 0; name != NULL && i < sizeof(STORES) / sizeof(*STORES);
	     i++) {
		const struct store_row *row = &STORES[i];

		if (strcmp(row->manager, name) == 0 &&
		    (row->service == NULL ||
			strcmp(row->service, old_text(m, SERVICE)) == 0))
			found = row;
	}
	free(name);
	return found;
}

static int
is_hadoop(const struct migration *m)
{
	return strstr(old_text(m, MANAGER), ".HadoopS3UploadManager") != NULL;
}

/* The path without '/' around it, as keys have it; caller frees. */
static char *
prefix_of(const char *path)
{
	size_t len;

	path += strspn(path, "/");
	len = strlen(path);
	while (len > 0 && path[len - 1] == '/')
		len--;
	return mem_dup(path, len);
}

char *
old_prefix(const struct migration *m)
{
	const struct store_row *row = find_store(m);

	return prefix_of(row != NULL ? old_text(m, row->path) : "");
}

char *
old_base(const struct migration *m)
{
	const struct store_row *row = find_store(m);
	char *prefix, *base;

	if (row == NULL)
		return mem_dup("", 0);
	prefix = prefix_of(old_text(m, row->path));
	base = mem_text("%s://%s/%s%s", row->scheme, old_text(m, row->bucket),
	    prefix, *prefix != '\0' ? "/" : "");
	free(prefix);
	return base;
}

/* ---- what they have in common ---- */

static void
put_place(
    struct migration *m, const struct store_row *row, const char *bucket_key)
{
	const char *bucket = old_text(m, row->bucket);
	const char *path = old_text(m, row->path);
	char *prefix = prefix_of(path);

	if (*bucket == '\0')
		todo(m, row->bucket, "is empty: where do objects go?");
	yaml_put(m, 2, bucket_key, bucket);
	if (*prefix != '\0' && !old_prefix_in_layout(m))
		yaml_put(m, 2, "prefix", prefix);
	if (strcmp(prefix, path) != 0 && *path != '\0')
		warn(m, row->path,
		    "'/' around it made keys with empty folders; they are "
		    "left out here");
	free(prefix);
}

/* ---- S3 ---- */

/* What only the other upload manager of S3 knew. */
static void
look_at_ignored(struct migration *m)
{
	static const char *const KEYS[] = {"aws.sse.type", "aws.endpoint",
	    "aws.region", "aws.role", "aws.session.token",
	    "aws.client.pathstyleaccess", "aws.proxy.isEnabled",
	    "secor.s3.prefix.md5hash"};

	for (size_t i = 0; i < sizeof(KEYS) / sizeof(*KEYS); i++) {
		if (!old_given(m, KEYS[i]) ||
		    strcasecmp(old_text(m, KEYS[i]), "false") == 0)
			continue;
		warn(m, KEYS[i],
		    "HadoopS3UploadManager ignored it (core-site.xml counted)"
		    "%s",
		    strcmp(KEYS[i], "secor.s3.prefix.md5hash") == 0
			? ": keys had no such prefix, and have none here"
			: ": it is taken over here, look whether it is right");
	}
}

static void
put_keys(struct migration *m)
{
	if (!old_given(m, "aws.access.key"))
		return;
	yaml_put(m, 2, "access_key", old_text(m, "aws.access.key"));
	yaml_secret(
	    m, 2, "secret_key", "AWS_SECRET_ACCESS_KEY", "aws.secret.key");
	if (old_given(m, "aws.session.token"))
		yaml_secret(m, 2, "session_token", "AWS_SESSION_TOKEN",
		    "aws.session.token");
}

static void
put_endpoint(struct migration *m)
{
	const char *endpoint = old_text(m, "aws.endpoint");
	char *url;

	if (old_given(m, "aws.region"))
		yaml_put(m, 2, "region", old_text(m, "aws.region"));
	if (*endpoint != '\0') {
		url = strstr(endpoint, "://") != NULL
			  ? mem_dup(endpoint, strlen(endpoint))
			  : mem_text("https://%s", endpoint);
		yaml_put(m, 2, "endpoint", url);
		free(url);
	}
	if (old_flag(m, "aws.client.pathstyleaccess"))
		yaml_raw(m, 2, "path_style", "true");
}

/* An option that may not be there: the file says it, and so does a remark. */
static void
put_maybe(struct migration *m, const char *option, const char *value,
    const char *old_key)
{
	if (has_option(m, SECOR_STORE, "s3", option)) {
		yaml_put(m, 2, option, value);
		return;
	}
	buf_printf(&m->yaml, "  # %s: %s is not there yet\n", option, value);
	todo(m, old_key, "store s3 has no '%s' yet", option);
}

static void
put_encryption(struct migration *m)
{
	const char *type = old_text(m, "aws.sse.type");

	if (*type == '\0')
		return;
	if (strcmp(type, "S3") == 0) {
		yaml_raw(m, 2, "encryption", "AES256");
	} else if (strcmp(type, "KMS") == 0) {
		yaml_raw(m, 2, "encryption", "aws:kms");
		if (old_given(m, "aws.sse.kms.key"))
			yaml_put(
			    m, 2, "kms_key", old_text(m, "aws.sse.kms.key"));
	} else if (strcmp(type, "customer") == 0) {
		if (has_option(m, SECOR_STORE, "s3", "customer_key"))
			yaml_secret(m, 2, "customer_key",
			    "SECOR_S3_CUSTOMER_KEY", "aws.sse.customer.key");
		else
			todo(m, "aws.sse.type",
			    "store s3 has no keys of the customer (SSE-C) yet");
	} else {
		todo(m, "aws.sse.type",
		    "'%s' is none of S3, KMS, customer: uploads failed", type);
	}
}

static void
put_proxy(struct migration *m)
{
	const char *port = old_text(m, "aws.proxy.http.port");
	char *url;

	if (!old_flag(m, "aws.proxy.isEnabled"))
		return;
	url = mem_text("http://%s%s%s", old_text(m, "aws.proxy.http.host"),
	    *port != '\0' ? ":" : "", port);
	put_maybe(m, "proxy", url, "aws.proxy.http.host");
	free(url);
}

static void
put_s3(struct migration *m, const struct store_row *row)
{
	put_place(m, row, "bucket");
	if (is_hadoop(m))
		look_at_ignored(m);
	put_endpoint(m);
	put_keys(m);
	if (old_given(m, "aws.role"))
		put_maybe(m, "role_arn", old_text(m, "aws.role"), "aws.role");
	put_encryption(m);
	put_proxy(m);
}

/* ---- the others ---- */

static void
put_gcs(struct migration *m, const struct store_row *row)
{
	put_place(m, row, "bucket");
	if (old_given(m, "secor.gs.credentials.path"))
		yaml_put(m, 2, "credentials",
		    old_text(m, "secor.gs.credentials.path"));
	if (!is_hadoop(m))
		warn(m, MANAGER,
		    "uploads were given up after 50 s, whatever the number of "
		    "tries, and one that failed ended the process");
}

static void
put_azure(struct migration *m, const struct store_row *row)
{
	put_place(m, row, "container");
	yaml_put(m, 2, "account", old_text(m, "secor.azure.account.name"));
	if (old_given(m, "secor.azure.account.key"))
		yaml_secret(m, 2, "account_key", "AZURE_STORAGE_KEY",
		    "secor.azure.account.key");
}

static void
put_swift(struct migration *m, const struct store_row *row)
{
	static const char *const EACH = "secor.swift.containers.for.each.topic";

	put_place(m, row, "container");
	yaml_put(m, 2, "auth_url", old_text(m, "swift.auth.url"));
	yaml_put(m, 2, "tenant", old_text(m, "swift.tenant"));
	yaml_put(m, 2, "username", old_text(m, "swift.username"));
	if (old_given(m, "swift.api.key") || old_given(m, "swift.password"))
		yaml_secret(m, 2, "password", "SWIFT_PASSWORD",
		    old_given(m, "swift.api.key") ? "swift.api.key"
						  : "swift.password");
	if (!old_given(m, "swift.region"))
		warn(m, "swift.region",
		    "is not given: the original would not start");
	else
		yaml_put(m, 2, "region", old_text(m, "swift.region"));
	if (old_flag(m, EACH))
		todo(m, EACH, "a container for each topic is not there");
}

void
migrate_store(struct migration *m)
{
	static void (*const PUT[])(struct migration *,
	    const struct store_row *) = {put_s3, put_gcs, put_azure, put_swift};
	const struct store_row *row = find_store(m);

	yaml_section(m, "store");
	if (row != NULL) {
		(void)need_plugin(m, SECOR_STORE, row->plugin,
		    row->service != NULL ? SERVICE : MANAGER);
		yaml_raw(m, 2, "use", row->plugin);
		PUT[row->store](m, row);
	} else {
		buf_puts(&m->yaml, "  use: ./store.so # see docs/PLUGINS.md\n");
		todo(m, MANAGER,
		    "%s with %s %s is nothing of the original: write it as a "
		    "plugin (docs/PLUGINS.md)",
		    old_text(m, MANAGER), SERVICE, old_text(m, SERVICE));
	}
	yaml_gone(m, "store");
}
