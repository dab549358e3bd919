/*
 * hive_metastore_gssapi_test.c -- the mechanism GSSAPI with a library in the
 * place of MIT's that says what it is told and counts its buffers: which layers
 * are agreed on, what is refused, and that nothing is left behind.
 */
#include "plugins/notifier/hive-metastore/gssapi.c"

#include <criterion/criterion.h>
#include <stdlib.h>

static struct {
	OM_uint32 major;   /* of whatever is asked next */
	OM_uint32 missing; /* flags that are not granted */
	const char *offer; /* what the next unwrap gives, 4 bytes or more */
	size_t offer_len;
	int wrap_private, unwrap_private; /* whether it was */
	OM_uint32 overhead;
	int buffers, steps, steps_needed;
	char wrapped[64]; /* what was wrapped last */
	size_t wrapped_len;
} fake;

const gss_OID gss_mech_krb5 = GSS_C_NO_OID;

static void
give(gss_buffer_t out, const void *bytes, size_t len)
{
	out->value = malloc(len + 1);
	out->length = len;
	cr_assert_not_null(out->value);
	memcpy(out->value, bytes, len);
	fake.buffers++;
}

OM_uint32
gss_release_buffer(OM_uint32 *minor, gss_buffer_t buffer)
{
	*minor = 0;
	fake.buffers -= buffer->value != NULL;
	free(buffer->value);
	*buffer = (gss_buffer_desc)GSS_C_EMPTY_BUFFER;
	return GSS_S_COMPLETE;
}

/* The signature is the library's. */
OM_uint32
gss_init_sec_context(OM_uint32 *minor, gss_cred_id_t ticket,
    gss_ctx_id_t *context, gss_name_t target, gss_OID mech, OM_uint32 wanted,
    OM_uint32 seconds, gss_channel_bindings_t bindings, gss_buffer_t in,
    gss_OID *used, gss_buffer_t out, OM_uint32 *flags, OM_uint32 *life)
{
	(void)ticket;
	(void)context;
	(void)target;
	(void)mech;
	(void)seconds;
	(void)bindings;
	(void)in;
	(void)used;
	(void)life;
	*minor = 0;
	*flags = wanted & ~fake.missing;
	give(out, "token", 5); /* also with an error, as the RFC has it */
	if (fake.major != GSS_S_COMPLETE)
		return fake.major;
	return ++fake.steps < fake.steps_needed ? GSS_S_CONTINUE_NEEDED
						: GSS_S_COMPLETE;
}

/* The signature is the library's. */
OM_uint32
gss_wrap(OM_uint32 *minor, gss_ctx_id_t context, int wanted, gss_qop_t qop,
    gss_buffer_t in, int *is_private, gss_buffer_t out)
{
	(void)context;
	(void)qop;
	*minor = 0;
	*is_private = wanted && fake.wrap_private;
	give(out, in->value, in->length);
	cr_assert_leq(in->length, sizeof(fake.wrapped));
	memcpy(fake.wrapped, in->value, in->length);
	fake.wrapped_len = in->length;
	return fake.major;
}

/* The signature is the library's. */
OM_uint32
gss_unwrap(OM_uint32 *minor, gss_ctx_id_t context, gss_buffer_t in,
    gss_buffer_t out, int *is_private, gss_qop_t *qop)
{
	(void)context;
	(void)in;
	(void)qop;
	*minor = 0;
	*is_private = fake.unwrap_private;
	give(out, fake.offer, fake.offer_len);
	return fake.major;
}

/* The signature is the library's. */
OM_uint32
gss_wrap_size_limit(OM_uint32 *minor, gss_ctx_id_t context, int is_private,
    gss_qop_t qop, OM_uint32 most, OM_uint32 *room)
{
	(void)context;
	(void)is_private;
	(void)qop;
	*minor = 0;
	*room = most > fake.overhead ? most - fake.overhead : 0;
	return GSS_S_COMPLETE;
}

int
gssapi_failed(
    struct secor_err *err, const char *what, OM_uint32 major, OM_uint32 minor)
{
	(void)minor;
	return secor_fail(
	    err, SECOR_RETRY, "%s: %x", what, (unsigned)major >> 16);
}

/* ---- a talk ---- */

struct talk {
	struct kerberos_conf conf;
	struct kerberos kerberos;
	struct sasl_mechanism mechanism;
	struct text said;
	int done;
	struct secor_err err;
};

static void
begin(struct talk *talk, int protection)
{
	memset(&fake, 0, sizeof(fake));
	memset(talk, 0, sizeof(*talk));
	fake.wrap_private = fake.unwrap_private = 1;
	fake.overhead = 60;
	fake.steps_needed = 2;
	talk->conf.protection = protection;
	talk->kerberos.conf = &talk->conf;
	(void)snprintf(
	    talk->kerberos.service, sizeof(talk->kerberos.service), "hive/h");
	talk->mechanism = gssapi_mechanism(&talk->kerberos);
}

static int
next(struct talk *talk)
{
	text_fini(&talk->said);
	return talk->mechanism.step(talk->mechanism.self,
	    (struct secor_bytes){"heard", 5}, &talk->said, &talk->done,
	    &talk->err);
}

static void
prove_both(struct talk *talk)
{
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(next(talk), SECOR_OK, "%s", talk->err.text);
		cr_assert_not(talk->done);
	}
}

static int
offered(struct talk *talk, const char *offer, size_t len)
{
	fake.offer = offer;
	fake.offer_len = len;
	return next(talk);
}

static void
end(struct talk *talk)
{
	cr_assert_eq(fake.buffers, 0, "%d buffers are left", fake.buffers);
	text_fini(&talk->said);
}

Test(hive_metastore_gssapi, layer_is_the_one_that_is_wanted_or_the_most)
{
	static const struct {
		int protection;
		const char *offer, *answer; /* 4 bytes; NULL: refused */
		const char *text;
	} rows[] = {
	    {KERBEROS_ANY, "\7\1\0\0", "\4\xff\xff\xff", ""},
	    {KERBEROS_ANY, "\3\1\0\0", "\2\xff\xff\xff", ""},
	    {KERBEROS_ANY, "\1\0\0\0", "\1\0\0\0", ""},
	    {KERBEROS_ANY, "\xf8\1\0\0", NULL, "offers nothing"},
	    {KERBEROS_ANY, "\0\1\0\0", NULL,
		"offers nothing, kerberos.protection wants any"},
	    {KERBEROS_AUTHENTICATION, "\7\1\0\0", "\1\0\0\0", ""},
	    {KERBEROS_AUTHENTICATION, "\6\1\0\0", NULL,
		"offers privacy, kerberos.protection wants authentication"},
	    {KERBEROS_INTEGRITY, "\7\1\0\0", "\2\xff\xff\xff", ""},
	    {KERBEROS_INTEGRITY, "\1\1\0\0", NULL,
		"offers authentication, kerberos.protection wants integrity"},
	    {KERBEROS_PRIVACY, "\4\1\0\0", "\4\xff\xff\xff", ""},
	    {KERBEROS_PRIVACY, "\1\1\0\0", NULL,
		"offers authentication, kerberos.protection wants privacy"},
	    {KERBEROS_PRIVACY, "\3\1\0\0", NULL,
		"offers integrity, kerberos.protection wants privacy"},
	    {KERBEROS_PRIVACY, "\4\0\0\0", NULL, "frames of 0 bytes only"},
	    {KERBEROS_INTEGRITY, "\2\0\0\74", NULL, "frames of 60 bytes only"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct talk talk;
		int rc;

		begin(&talk, rows[i].protection);
		prove_both(&talk);
		rc = offered(&talk, rows[i].offer, 4);
		cr_assert_eq(rc == SECOR_OK, rows[i].answer != NULL, "%zu", i);
		cr_assert_eq(fake.wrapped_len, rc == SECOR_OK ? 4 : 0);
		if (rc == SECOR_OK)
			cr_assert_eq(
			    memcmp(fake.wrapped, rows[i].answer, 4), 0);
		cr_assert_not_null(strstr(talk.err.text, rows[i].text),
		    "%zu: %s", i, talk.err.text);
		end(&talk);
	}
}

Test(hive_metastore_gssapi, room_is_what_the_other_side_takes)
{
	struct talk talk;

	begin(&talk, KERBEROS_PRIVACY);
	prove_both(&talk);
	cr_assert_eq(offered(&talk, "\4\1\0\0", 4), SECOR_OK);
	cr_assert(talk.done);
	cr_assert_eq(talk.mechanism.room(talk.mechanism.self), 65536 - 60);
	end(&talk);
}

Test(hive_metastore_gssapi, offer_of_another_length_is_none)
{
	static const size_t lengths[] = {0, 1, 3, 5};

	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		struct talk talk;

		begin(&talk, KERBEROS_ANY);
		prove_both(&talk);
		cr_assert_eq(
		    offered(&talk, "\7\1\0\0\0", lengths[i]), SECOR_RETRY);
		cr_assert_not_null(strstr(talk.err.text, "offer of layers"));
		end(&talk);
	}
}

Test(hive_metastore_gssapi, who_does_not_prove_itself_is_refused)
{
	static const OM_uint32 flags[] = {GSS_C_MUTUAL_FLAG, GSS_C_REPLAY_FLAG,
	    GSS_C_SEQUENCE_FLAG, GSS_C_INTEG_FLAG, GSS_C_CONF_FLAG};

	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
		struct talk talk;

		begin(&talk, KERBEROS_ANY);
		fake.missing = flags[i];
		cr_assert_eq(next(&talk), SECOR_OK);
		cr_assert_eq(next(&talk), SECOR_RETRY);
		cr_assert_not_null(strstr(talk.err.text, "hive/h does not"));
		end(&talk);
	}
}

/* What is old, comes twice or out of order says so beside COMPLETE. */
Test(hive_metastore_gssapi, anything_but_complete_is_a_failure)
{
	static const OM_uint32 majors[] = {GSS_S_BAD_SIG, GSS_S_NO_CONTEXT,
	    GSS_S_CONTEXT_EXPIRED, GSS_S_OLD_TOKEN, GSS_S_DUPLICATE_TOKEN,
	    GSS_S_UNSEQ_TOKEN, GSS_S_GAP_TOKEN};

	for (size_t i = 0; i < sizeof(majors) / sizeof(*majors); i++) {
		const struct secor_bytes bytes = {"bytes", 5};
		struct sasl_mechanism *mechanism;
		struct talk talk;

		begin(&talk, KERBEROS_PRIVACY);
		mechanism = &talk.mechanism;
		fake.major = majors[i];
		cr_assert_eq(next(&talk), SECOR_RETRY);
		fake.major = GSS_S_COMPLETE;
		prove_both(&talk);
		fake.major = majors[i];
		cr_assert_eq(offered(&talk, "\4\1\0\0", 4), SECOR_RETRY);
		fake.major = GSS_S_COMPLETE;
		cr_assert_eq(offered(&talk, "\4\1\0\0", 4), SECOR_OK);
		fake.major = majors[i];
		text_fini(&talk.said);
		cr_assert_eq(mechanism->wrap(
				 mechanism->self, bytes, &talk.said, &talk.err),
		    SECOR_RETRY);
		cr_assert_eq(mechanism->unwrap(
				 mechanism->self, bytes, &talk.said, &talk.err),
		    SECOR_RETRY);
		cr_assert_eq(talk.said.len, 0);
		end(&talk);
	}
}

Test(hive_metastore_gssapi, what_is_not_private_is_neither_sent_nor_taken)
{
	const struct secor_bytes bytes = {"bytes", 5};
	struct sasl_mechanism *mechanism;
	struct talk talk;

	begin(&talk, KERBEROS_PRIVACY);
	mechanism = &talk.mechanism;
	prove_both(&talk);
	cr_assert_eq(offered(&talk, "\4\1\0\0", 4), SECOR_OK);
	text_fini(&talk.said);
	fake.wrap_private = fake.unwrap_private = 0;
	cr_assert_eq(
	    mechanism->wrap(mechanism->self, bytes, &talk.said, &talk.err),
	    SECOR_RETRY);
	cr_assert_eq(
	    mechanism->unwrap(mechanism->self, bytes, &talk.said, &talk.err),
	    SECOR_RETRY);
	cr_assert_eq(talk.said.len, 0);
	end(&talk);
}
