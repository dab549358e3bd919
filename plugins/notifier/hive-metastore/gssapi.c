/*
 * gssapi.c -- the context of a connection: both sides prove who they are, agree
 * on a layer, and what follows is under it. An answer that is older than one
 * before it, or comes twice, is a failure.
 */
#include "plugins/notifier/hive-metastore/gssapi.h"

#include "plugins/common/sigpipe.h"

#include <string.h>

enum { OURS_MOST = 0xffffff }; /* bytes of a frame that may come */

/* ---- the talk ---- */

/* May ask the KDC. */
static OM_uint32
init_context(struct kerberos *kerberos, gss_buffer_t in, gss_buffer_t out,
    OM_uint32 *flags, OM_uint32 *minor)
{
	OM_uint32 major;
	sigset_t before;
	int hidden = sigpipe_hide(&before);

	major =
	    gss_init_sec_context(minor, kerberos->ticket, &kerberos->context,
		kerberos->target, (gss_OID)(uintptr_t)gss_mech_krb5, *flags, 0,
		GSS_C_NO_CHANNEL_BINDINGS, in, NULL, out, flags, NULL);
	if (hidden)
		sigpipe_show(&before);
	return major;
}

static int
prove(struct kerberos *kerberos, struct secor_bytes in, struct text *to,
    struct secor_err *err)
{
	gss_buffer_desc said = {in.len, (void *)(uintptr_t)in.ptr};
	gss_buffer_desc say = GSS_C_EMPTY_BUFFER;
	const OM_uint32 wanted = GSS_C_MUTUAL_FLAG | GSS_C_REPLAY_FLAG |
				 GSS_C_SEQUENCE_FLAG | GSS_C_INTEG_FLAG |
				 GSS_C_CONF_FLAG;
	OM_uint32 flags = wanted, minor, ignored;
	OM_uint32 major = init_context(kerberos, &said, &say, &flags, &minor);

	text_add(to, say.value, say.length);
	(void)gss_release_buffer(&ignored, &say);
	if (major == GSS_S_CONTINUE_NEEDED)
		return SECOR_OK;
	if (major != GSS_S_COMPLETE)
		return gssapi_failed(err, kerberos->service, major, minor);
	if ((flags & wanted) != wanted)
		return secor_fail(err, SECOR_RETRY,
		    "Kerberos: %s does not prove itself, or protects nothing",
		    kerberos->service);
	kerberos->is_established = 1;
	return SECOR_OK;
}

static int
wrap_as(const struct kerberos *kerberos, int layer, struct secor_bytes in,
    struct text *to, struct secor_err *err)
{
	gss_buffer_desc plain = {in.len, (void *)(uintptr_t)in.ptr};
	gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
	int wanted = layer == KERBEROS_PRIVACY, is_private = 0;
	OM_uint32 minor, major = gss_wrap(&minor, kerberos->context, wanted,
			     GSS_C_QOP_DEFAULT, &plain, &is_private, &out);
	int rc = SECOR_OK;

	if (major != GSS_S_COMPLETE)
		rc = gssapi_failed(err, "wrap", major, minor);
	else if (wanted && !is_private)
		rc = secor_fail(err, SECOR_RETRY, "Kerberos: no privacy");
	else
		text_add(to, out.value, out.length);
	(void)gss_release_buffer(&minor, &out);
	return rc;
}

static int
unwrap_as(const struct kerberos *kerberos, int layer, struct secor_bytes in,
    struct text *to, struct secor_err *err)
{
	gss_buffer_desc wrapped = {in.len, (void *)(uintptr_t)in.ptr};
	gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
	int is_private = 0, rc = SECOR_OK;
	OM_uint32 minor, major = gss_unwrap(&minor, kerberos->context, &wrapped,
			     &out, &is_private, NULL);

	/* also what is old, comes twice or out of order */
	if (major != GSS_S_COMPLETE)
		rc = gssapi_failed(err, "unwrap", major, minor);
	else if (layer == KERBEROS_PRIVACY && !is_private)
		rc = secor_fail(err, SECOR_RETRY,
		    "Kerberos: an answer that is not private");
	else
		text_add(to, out.value, out.length);
	(void)gss_release_buffer(&minor, &out);
	return rc;
}

/* ---- layers ---- */

static const char *const LAYERS[] = {
    "nothing", "authentication", "integrity", "privacy"};

static int
choose(int wanted, uint8_t offered, int *layer, struct secor_err *err)
{
	int most = KERBEROS_PRIVACY;

	while (most > 0 && (offered & 1U << (most - 1)) == 0)
		most--;
	*layer = wanted == KERBEROS_ANY ? most : wanted;
	if (*layer > 0 && (offered & 1U << (*layer - 1)) != 0)
		return SECOR_OK;
	return secor_fail(err, SECOR_RETRY,
	    "Kerberos: the metastore offers %s, kerberos.protection wants %s "
	    "(see its hadoop.rpc.protection)",
	    LAYERS[most], wanted == KERBEROS_ANY ? "any" : LAYERS[wanted]);
}

/* How much fits into what the other side takes. */
static int
measure(struct kerberos *kerberos, OM_uint32 theirs, struct secor_err *err)
{
	OM_uint32 minor, room = 0;

	kerberos->room = 0;
	if (kerberos->layer == KERBEROS_AUTHENTICATION)
		return SECOR_OK;
	(void)gss_wrap_size_limit(&minor, kerberos->context,
	    kerberos->layer == KERBEROS_PRIVACY, GSS_C_QOP_DEFAULT, theirs,
	    &room);
	kerberos->room = room;
	return room > 0 ? SECOR_OK
			: secor_fail(err, SECOR_RETRY,
			      "Kerberos: the metastore takes frames of %u "
			      "bytes only",
			      (unsigned)theirs);
}

/* The offer is a byte of layers and three of a size, and so is the answer. */
static int
agree(struct kerberos *kerberos, struct secor_bytes in, struct text *to,
    struct secor_err *err)
{
	uint32_t size = OURS_MOST;
	struct text offer = {0};
	uint8_t theirs[4];
	int rc = unwrap_as(kerberos, KERBEROS_AUTHENTICATION, in, &offer, err);

	if (rc == SECOR_OK && (offer.failed || offer.len != sizeof(theirs)))
		rc = secor_fail(err, SECOR_RETRY,
		    "Kerberos: the metastore's offer of layers is none");
	if (rc == SECOR_OK)
		memcpy(theirs, offer.ptr, sizeof(theirs));
	text_fini(&offer);
	if (rc == SECOR_OK)
		rc = choose(kerberos->conf->protection, theirs[0],
		    &kerberos->layer, err);
	if (rc == SECOR_OK)
		rc = measure(kerberos,
		    (OM_uint32)theirs[1] << 16 | (OM_uint32)theirs[2] << 8 |
			theirs[3],
		    err);
	if (rc != SECOR_OK)
		return rc;
	if (kerberos->layer == KERBEROS_AUTHENTICATION)
		size = 0;
	size |= (uint32_t)1 << (kerberos->layer - 1 + 24);
	for (int i = 0; i < 4; i++)
		theirs[i] = (uint8_t)(size >> (24 - 8 * i));
	return wrap_as(kerberos, KERBEROS_AUTHENTICATION,
	    (struct secor_bytes){(const char *)theirs, sizeof(theirs)}, to,
	    err);
}

/* ---- as a mechanism ---- */

static int
step(void *self, struct secor_bytes in, struct text *out, int *done,
    struct secor_err *err)
{
	struct kerberos *kerberos = self;

	*done = kerberos->is_established;
	return kerberos->is_established ? agree(kerberos, in, out, err)
					: prove(kerberos, in, out, err);
}

static int
wrap(void *self, struct secor_bytes in, struct text *out, struct secor_err *err)
{
	const struct kerberos *kerberos = self;

	return wrap_as(kerberos, kerberos->layer, in, out, err);
}

static int
unwrap(
    void *self, struct secor_bytes in, struct text *out, struct secor_err *err)
{
	const struct kerberos *kerberos = self;

	return unwrap_as(kerberos, kerberos->layer, in, out, err);
}

static size_t
room(void *self)
{
	const struct kerberos *kerberos = self;

	return kerberos->room;
}

struct sasl_mechanism
gssapi_mechanism(struct kerberos *kerberos)
{
	return (struct sasl_mechanism){.name = "GSSAPI",
	    .self = kerberos,
	    .step = step,
	    .wrap = wrap,
	    .unwrap = unwrap,
	    .room = room};
}
