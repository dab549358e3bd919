/*
 * scram_test.c -- the exchanges of RFC 5802 and RFC 7677, one more for SHA-512,
 * and servers that are not to be answered.
 */
#include "core/flow/fetch/scram.h"

#include <criterion/criterion.h>
#include <openssl/evp.h>
#include <string.h>

#define NONCE "rOprNGfwEbeRWgbNEkqO"
#define BOTH NONCE "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
#define SALT "W22ZaJ0SNY7soEsUEjb6gQ=="
#define CHALLENGE "r=" BOTH ",s=" SALT ",i=4096"

struct vector {
	const EVP_MD *(*hash)(void);
	const char *nonce, *first, *challenge, *proof, *signature;
};

static const struct vector vectors[] = {
    {EVP_sha1, "fyko+d2lbbFgONRv9qkxdawL",
	"n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
	"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,"
	"i=4096",
	"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,"
	"p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
	"v=rmF9pqV8S7suAoZWja4dJRkFsKQ="},
    {EVP_sha256, NONCE, "n,,n=user,r=" NONCE, CHALLENGE,
	"c=biws,r=" BOTH ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
	"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="},
    {EVP_sha512, NONCE, "n,,n=user,r=" NONCE, CHALLENGE,
	"c=biws,r=" BOTH ",p="
	"gMGXRcevScNtxZ6/"
	"8lQYpGtnsNAc3mGcmNomv+xnoOMw+"
	"3R2xNJdMNnzMlTN8PPC6wdp6dybEmDYXYTxwnYPJQ==",
	"v="
	"ZQnYEgWQMFmmsM8aQMF0nDDCy/"
	"AgCzkwk8CmMZYcMg0vSVlKDanekLtifDSeVGT4+5ZxXnJq199RVG2rR7N7Zw=="},
};

Test(scram, exchanges_of_the_rfcs_are_spoken_as_written)
{
	for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
		const struct vector *v = &vectors[i];
		struct scram *scram =
		    scram_new(v->hash(), "user", "pencil", v->nonce);
		struct secor_err err = {""};
		struct buf out = {0};

		scram_begin(scram, &out);
		cr_expect_str_eq(out.ptr, v->first);
		out.len = 0;
		cr_assert_eq(scram_prove(scram, v->challenge,
				 strlen(v->challenge), &out, &err),
		    SECOR_OK, "%s", err.text);
		cr_expect_str_eq(out.ptr, v->proof);
		cr_expect_eq(scram_verify(scram, v->signature,
				 strlen(v->signature), &err),
		    SECOR_OK, "%s", err.text);
		buf_fini(&out);
		scram_free(scram);
	}
}

Test(scram, signs_of_the_protocol_in_a_name_are_escaped)
{
	struct scram *scram =
	    scram_new(EVP_sha256(), "a,b=c", "pencil", "nonce");
	struct buf out = {0};

	scram_begin(scram, &out);
	cr_expect_str_eq(out.ptr, "n,,n=a=2Cb=3Dc,r=nonce");
	buf_fini(&out);
	scram_free(scram);
}

Test(scram, nonce_of_its_own_is_another_each_time)
{
	struct scram *one = scram_new(EVP_sha256(), "user", "pencil", NULL);
	struct scram *two = scram_new(EVP_sha256(), "user", "pencil", NULL);
	struct buf first = {0}, second = {0};

	scram_begin(one, &first);
	scram_begin(two, &second);
	cr_expect_eq(first.len, strlen("n,,n=user,r=") + 32);
	cr_expect_str_neq(first.ptr, second.ptr);
	buf_fini(&first);
	buf_fini(&second);
	scram_free(one);
	scram_free(two);
}

static const char *const challenges[][2] = {
    {"", "not one of SCRAM"},
    {"r=" BOTH, "not one of SCRAM"},
    {"r=" BOTH ",s=" SALT, "not one of SCRAM"},
    {"r=" BOTH ",s=,i=4096", "not one of SCRAM"},
    {"r=" BOTH ",s=W22,i=4096", "not one of SCRAM"},
    {"s=" SALT ",r=" BOTH ",i=4096", "not one of SCRAM"},
    {"m=new," CHALLENGE, "not one of SCRAM"},
    {"r=" NONCE ",s=" SALT ",i=4096", "nonce"},
    {"r=somebodyElses" BOTH ",s=" SALT ",i=4096", "nonce"},
    {"r=" BOTH ",s=" SALT ",i=4095", "4095 iterations"},
    {"r=" BOTH ",s=" SALT ",i=1000001", "1000001 iterations"},
    {"r=" BOTH ",s=" SALT ",i=99999999999999999999", "iterations"},
    {"r=" BOTH ",s=" SALT ",i=-5000", "-5000 iterations"},
    {"r=" BOTH ",s=" SALT ",i=", "iterations"},
    {"e=other-error", "the broker says: other-error"},
};

Test(scram, challenge_that_is_none_is_not_answered)
{
	for (size_t i = 0; i < sizeof(challenges) / sizeof(*challenges); i++) {
		struct scram *scram =
		    scram_new(EVP_sha256(), "user", "pencil", NONCE);
		struct secor_err err = {""};
		struct buf out = {0};

		cr_expect_eq(scram_prove(scram, challenges[i][0],
				 strlen(challenges[i][0]), &out, &err),
		    SECOR_FATAL, "%s", challenges[i][0]);
		cr_expect_not_null(
		    strstr(err.text, challenges[i][1]), "%s", err.text);
		cr_expect_eq(out.len, 0);
		buf_fini(&out);
		scram_free(scram);
	}
}

static const char *const endings[][2] = {
    {"", "not one of SCRAM"},
    {"v=6rr!", "not one of SCRAM"},
    {"v=", "does not show that it knows the password"},
    {"v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
	"does not show that it knows the password"},
    {"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl9",
	"does not show that it knows the password"},
    {"e=invalid-proof", "the broker says: invalid-proof"},
};

Test(scram, broker_that_cannot_sign_is_not_believed)
{
	for (size_t i = 0; i < sizeof(endings) / sizeof(*endings); i++) {
		struct scram *scram =
		    scram_new(EVP_sha256(), "user", "pencil", NONCE);
		struct secor_err err = {""};
		struct buf out = {0};

		cr_assert_eq(scram_prove(scram, CHALLENGE, strlen(CHALLENGE),
				 &out, &err),
		    SECOR_OK);
		cr_expect_eq(scram_verify(scram, endings[i][0],
				 strlen(endings[i][0]), &err),
		    SECOR_FATAL, "%s", endings[i][0]);
		cr_expect_not_null(
		    strstr(err.text, endings[i][1]), "%s", err.text);
		buf_fini(&out);
		scram_free(scram);
	}
}
