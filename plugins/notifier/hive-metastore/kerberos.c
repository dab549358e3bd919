/*
 * kerberos.c -- see kerberos.h: names and tickets. MIT's library talks to the
 * KDC; of what we give it nothing is the process's but the cache in memory,
 * which is named by our address.
 */
#include "plugins/notifier/hive-metastore/gssapi.h"

#include "plugins/common/sigpipe.h"

#include <ctype.h>
#include <krb5.h>
#include <stdlib.h>
#include <string.h>

#define ANY_HOST "_HOST"

/* ---- what went wrong ---- */

static const struct {
	krb5_error_code code;
	const char *text;
} ADVICE[] = {
    {KRB5KRB_AP_ERR_TKT_EXPIRED, "renew the ticket, or name a keytab"},
    {KRB5_FCC_NOFILE, "get a ticket by kinit, or name a keytab"},
    {KRB5_CC_NOTFOUND, "get a ticket by kinit, or name a keytab"},
    {KRB5KRB_AP_ERR_SKEW, "the clocks of here and there differ, set them"},
    {KRB5KDC_ERR_S_PRINCIPAL_UNKNOWN,
	"kerberos.service must be its hive.metastore.kerberos.principal"},
    {KRB5KDC_ERR_C_PRINCIPAL_UNKNOWN, "see kerberos.principal"},
    {KRB5KDC_ERR_PREAUTH_FAILED, "the keytab is not of now, export it again"},
    {KRB5KRB_AP_ERR_BAD_INTEGRITY, "the keytab is not of now, export it again"},
    {KRB5_REALM_UNKNOWN, "see the realms of krb5.conf"},
    {KRB5_KDC_UNREACH, "see the realms of krb5.conf"},
};

/* What the library says to a code, appended. */
static void
add_words(char *text, size_t room, OM_uint32 code, int type)
{
	OM_uint32 more = 0, minor;

	do {
		gss_buffer_desc words = GSS_C_EMPTY_BUFFER;
		size_t at = strlen(text);

		if (gss_display_status(&minor, code, type,
			(gss_OID)(uintptr_t)gss_mech_krb5, &more,
			&words) != GSS_S_COMPLETE)
			return;
		(void)snprintf(text + at, room - at, "%s%.*s",
		    at == 0 ? "" : ": ", (int)words.length,
		    (const char *)words.value);
		(void)gss_release_buffer(&minor, &words);
	} while (more != 0);
}

int
gssapi_failed(
    struct secor_err *err, const char *what, OM_uint32 major, OM_uint32 minor)
{
	char text[512] = "";
	const char *advice = NULL;

	if (minor != 0)
		add_words(text, sizeof(text), minor, GSS_C_MECH_CODE);
	if (text[0] == '\0')
		add_words(text, sizeof(text), major, GSS_C_GSS_CODE);
	for (size_t i = 0; i < sizeof(ADVICE) / sizeof(*ADVICE); i++)
		if ((OM_uint32)ADVICE[i].code == minor)
			advice = ADVICE[i].text;
	return secor_fail(err, SECOR_RETRY, "Kerberos: %s: %s%s%s%s", what,
	    text, advice != NULL ? " (" : "", advice != NULL ? advice : "",
	    advice != NULL ? ")" : "");
}

/* ---- names ---- */

const char *
kerberos_service_complaint(const char *service)
{
	const char *slash = strchr(service, '/');
	size_t host = slash != NULL ? strcspn(slash + 1, "@") : 0;

	if (slash == NULL || slash == service || host == 0)
		return "is not service/host@REALM, such as "
		       "hive/_HOST@EXAMPLE.COM";
	if (strpbrk(service, " \t\\") != NULL || strchr(slash + 1, '/') != NULL)
		return "has bytes that no such name has";
	if (slash[1 + host] == '@' && slash[2 + host] == '\0')
		return "has no realm behind its '@'";
	return strlen(service) > GSSAPI_NAME_ROOM / 2 ? "is too long" : NULL;
}

/* As Hadoop does it: the host in lower case for _HOST, alone. */
static void
name_service(struct kerberos *kerberos, const char *host)
{
	const char *service = kerberos->conf->service;
	const char *at = strchr(service, '/') + 1;
	size_t len = strcspn(at, "@");
	char *c;

	if (len != strlen(ANY_HOST) || strncmp(at, ANY_HOST, len) != 0) {
		(void)snprintf(
		    kerberos->service, GSSAPI_NAME_ROOM, "%s", service);
		return;
	}
	(void)snprintf(kerberos->service, GSSAPI_NAME_ROOM, "%.*s%s",
	    (int)(at - service), service, host);
	for (c = kerberos->service + (at - service); *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	(void)snprintf(c, GSSAPI_NAME_ROOM - (size_t)(c - kerberos->service),
	    "%s", at + len);
}

static int
import_name(const char *name, gss_name_t *to, struct secor_err *err)
{
	gss_buffer_desc text = {strlen(name), (void *)(uintptr_t)name};
	OM_uint32 minor,
	    major = gss_import_name(&minor, &text,
		(gss_OID)(uintptr_t)GSS_KRB5_NT_PRINCIPAL_NAME, to);

	return major == GSS_S_COMPLETE ? SECOR_OK
				       : gssapi_failed(err, name, major, minor);
}

/* ---- tickets ---- */

static int
keytab_failed(const struct kerberos *kerberos, krb5_context krb5,
    krb5_error_code code, struct secor_err *err)
{
	const char *text = krb5_get_error_message(krb5, code);

	(void)secor_fail(err, SECOR_RETRY, "Kerberos: keytab %s: %s",
	    kerberos->conf->keytab, text);
	krb5_free_error_message(krb5, text);
	return SECOR_RETRY;
}

/* Whether the keys are there: GSSAPI would speak of a cache that is missing. */
static krb5_error_code
look_for_keys(const struct kerberos *kerberos, krb5_context krb5)
{
	krb5_principal who = NULL;
	krb5_keytab keytab = NULL;
	krb5_keytab_entry entry;
	krb5_error_code code =
	    krb5_parse_name(krb5, kerberos->conf->principal, &who);

	if (code == 0)
		code = krb5_kt_resolve(krb5, kerberos->keytab, &keytab);
	if (code == 0)
		code = krb5_kt_get_entry(krb5, keytab, who, 0, 0, &entry);
	if (code == 0)
		(void)krb5_free_keytab_entry_contents(krb5, &entry);
	if (keytab != NULL)
		(void)krb5_kt_close(krb5, keytab);
	krb5_free_principal(krb5, who);
	return code;
}

static int
try_keytab(const struct kerberos *kerberos, struct secor_err *err)
{
	krb5_context krb5 = NULL;
	krb5_error_code code = krb5_init_context(&krb5);
	int rc = SECOR_OK;

	if (code == 0)
		code = look_for_keys(kerberos, krb5);
	if (code != 0)
		rc = keytab_failed(kerberos, krb5, code, err);
	krb5_free_context(krb5);
	return rc;
}

static int
acquire(struct kerberos *kerberos, gss_name_t who, struct secor_err *err)
{
	const char *keytab = kerberos->keytab;
	gss_key_value_element_desc elements[] = {
	    {"client_keytab", keytab}, {"ccache", kerberos->cache}};
	const gss_key_value_set_desc store = {2, elements};
	gss_OID_set_desc krb5 = {1, (gss_OID)(uintptr_t)gss_mech_krb5};
	OM_uint32 minor, major;
	sigset_t before;
	int hidden = sigpipe_hide(&before);

	major = gss_acquire_cred_from(&minor, who, GSS_C_INDEFINITE, &krb5,
	    GSS_C_INITIATE, keytab != NULL ? &store : GSS_C_NO_CRED_STORE,
	    &kerberos->ticket, NULL, NULL);
	if (hidden)
		sigpipe_show(&before);
	return major == GSS_S_COMPLETE
		   ? SECOR_OK
		   : gssapi_failed(err, "no ticket", major, minor);
}

static int
find_ticket(struct kerberos *kerberos, struct secor_err *err)
{
	const struct kerberos_conf *conf = kerberos->conf;
	gss_name_t who = GSS_C_NO_NAME;
	OM_uint32 minor;
	int rc = SECOR_OK;

	if (conf->keytab != NULL)
		rc = try_keytab(kerberos, err);
	if (rc == SECOR_OK && conf->principal != NULL)
		rc = import_name(conf->principal, &who, err);
	if (rc == SECOR_OK)
		rc = acquire(kerberos, who, err);
	(void)gss_release_name(&minor, &who);
	return rc;
}

/* ---- ends ---- */

static void
forget(struct kerberos *kerberos)
{
	OM_uint32 minor;

	(void)gss_delete_sec_context(
	    &minor, &kerberos->context, GSS_C_NO_BUFFER);
	(void)gss_release_cred(&minor, &kerberos->ticket);
	(void)gss_release_name(&minor, &kerberos->target);
	kerberos->is_established = 0;
	kerberos->room = 0;
}

int
kerberos_begin(struct kerberos *kerberos, const char *host,
    struct sasl_mechanism *mechanism, struct secor_err *err)
{
	int rc;

	forget(kerberos);
	name_service(kerberos, host);
	rc = import_name(kerberos->service, &kerberos->target, err);
	if (rc == SECOR_OK)
		rc = find_ticket(kerberos, err);
	*mechanism = gssapi_mechanism(kerberos);
	return rc;
}

struct kerberos *
kerberos_new(const struct kerberos_conf *conf)
{
	struct kerberos *kerberos = calloc(1, sizeof(*kerberos));

	if (kerberos == NULL)
		return NULL;
	kerberos->conf = conf;
	if (conf->keytab != NULL &&
	    asprintf(&kerberos->keytab, "FILE:%s", conf->keytab) < 0) {
		free(kerberos);
		return NULL;
	}
	(void)snprintf(kerberos->cache, sizeof(kerberos->cache),
	    "MEMORY:secor-%p", (void *)kerberos);
	return kerberos;
}

/* The cache in memory is the process's until somebody says otherwise. */
static void
destroy_cache(const char *name)
{
	krb5_context krb5;
	krb5_ccache cache;

	if (krb5_init_context(&krb5) != 0)
		return;
	if (krb5_cc_resolve(krb5, name, &cache) == 0)
		(void)krb5_cc_destroy(krb5, cache);
	krb5_free_context(krb5);
}

void
kerberos_free(struct kerberos *kerberos)
{
	if (kerberos == NULL)
		return;
	forget(kerberos);
	if (kerberos->conf->keytab != NULL)
		destroy_cache(kerberos->cache);
	free(kerberos->keytab);
	free(kerberos);
}
