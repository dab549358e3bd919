/*
 * scram.c -- see scram.h. Messages are attributes like `r=...` with commas
 * between; what is proved is a hash of all of them.
 */
#include "core/flow/fetch/scram.h"

#include "core/base/text.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

/* RFC 7677 and Kafka ask for the least; the most is half a second. */
enum {
	NONCE_BYTES = 24,
	ITERATIONS_LEAST = 4096,
	ITERATIONS_MOST = 1000000,
	SALT_MOST = 1024
};

struct scram {
	const EVP_MD *hash;
	int size; /* of a hash */
	const char *password;
	char *nonce;
	struct buf bare; /* the first message, without "n,," */
	struct buf all;	 /* what is signed */
	unsigned char server_key[EVP_MAX_MD_SIZE];
};

/* "," and "=" are the protocol's. */
static void
put_name(struct buf *out, const char *name)
{
	for (; *name != '\0'; name++)
		if (*name == ',')
			buf_puts(out, "=2C");
		else if (*name == '=')
			buf_puts(out, "=3D");
		else
			buf_putc(out, *name);
}

static char *
make_nonce(void)
{
	unsigned char bytes[NONCE_BYTES];
	struct buf text = {0};

	/* a nonce that can be guessed is worse than none */
	if (RAND_bytes(bytes, sizeof(bytes)) != 1)
		abort();
	base64_encode(&text, bytes, sizeof(bytes));
	return buf_take(&text);
}

struct scram *
scram_new(const EVP_MD *hash, const char *username, const char *password,
    const char *nonce)
{
	struct scram *scram = mem_alloc(sizeof(*scram));

	scram->hash = hash;
	scram->size = EVP_MD_get_size(hash);
	scram->password = password;
	scram->nonce =
	    nonce != NULL ? mem_dup(nonce, strlen(nonce)) : make_nonce();
	buf_puts(&scram->bare, "n=");
	put_name(&scram->bare, username);
	buf_printf(&scram->bare, ",r=%s", scram->nonce);
	return scram;
}

void
scram_free(struct scram *scram)
{
	if (scram == NULL)
		return;
	OPENSSL_cleanse(scram->server_key, sizeof(scram->server_key));
	free(scram->nonce);
	buf_fini(&scram->bare);
	buf_fini(&scram->all);
	free(scram);
}

void
scram_begin(struct scram *scram, struct buf *out)
{
	buf_puts(out, "n,,");
	buf_put(out, scram->bare.ptr, scram->bare.len);
}

/* ---- what the server says ---- */

struct piece {
	const char *ptr;
	size_t len;
};

/* The next attribute, if it has this name; `said` goes on behind it. */
static int
take(struct piece *said, char name, struct piece *value)
{
	const char *comma;

	if (said->len < 2 || said->ptr[0] != name || said->ptr[1] != '=')
		return 0;
	value->ptr = said->ptr + 2;
	value->len = said->len - 2;
	comma = memchr(value->ptr, ',', value->len);
	if (comma != NULL)
		value->len = (size_t)(comma - value->ptr);
	said->ptr = value->ptr + value->len + (comma != NULL);
	said->len -= value->len + 2 + (comma != NULL);
	return 1;
}

/* -1: not a number, or a large one. */
static long
number(const struct piece *text)
{
	long n = 0;

	if (text->len < 1 || text->len > 9)
		return -1;
	for (size_t i = 0; i < text->len; i++) {
		if (text->ptr[i] < '0' || text->ptr[i] > '9')
			return -1;
		n = n * 10 + text->ptr[i] - '0';
	}
	return n;
}

struct challenge {
	struct piece nonce;
	struct buf salt;
	long iterations;
};

static int
no_message(struct secor_err *err)
{
	return secor_fail(
	    err, SECOR_FATAL, "the broker's message is not one of SCRAM");
}

static int
read_challenge(const struct scram *scram, struct piece said,
    struct challenge *out, struct secor_err *err)
{
	size_t ours = strlen(scram->nonce);
	struct piece salt, count;

	if (take(&said, 'e', &salt))
		return secor_fail(err, SECOR_FATAL, "the broker says: %.*s",
		    (int)(salt.len < 200 ? salt.len : 200), salt.ptr);
	if (!take(&said, 'r', &out->nonce) || !take(&said, 's', &salt) ||
	    !take(&said, 'i', &count) || salt.len == 0 ||
	    salt.len > SALT_MOST ||
	    !base64_decode(&out->salt, salt.ptr, salt.len))
		return no_message(err);
	if (out->nonce.len <= ours ||
	    memcmp(out->nonce.ptr, scram->nonce, ours) != 0)
		return secor_fail(err, SECOR_FATAL,
		    "the broker answers another login than this (nonce)");
	out->iterations = number(&count);
	if (out->iterations < ITERATIONS_LEAST ||
	    out->iterations > ITERATIONS_MOST)
		return secor_fail(err, SECOR_FATAL,
		    "the broker asks for %.*s iterations, not for %d to %d",
		    (int)(count.len < 20 ? count.len : 20), count.ptr,
		    ITERATIONS_LEAST, ITERATIONS_MOST);
	return SECOR_OK;
}

/* ---- keys ---- */

static void
sign(const struct scram *scram, const unsigned char *key, const void *bytes,
    size_t len, unsigned char *out)
{
	if (HMAC(scram->hash, key, scram->size, bytes, len, out, NULL) == NULL)
		abort();
}

/* The proof of who knows the password and has seen all that was said. */
static void
prove(struct scram *scram, const struct challenge *asked, unsigned char *proof)
{
	unsigned char salted[EVP_MAX_MD_SIZE], key[EVP_MAX_MD_SIZE];
	unsigned char stored[EVP_MAX_MD_SIZE];

	if (PKCS5_PBKDF2_HMAC(scram->password, (int)strlen(scram->password),
		(const unsigned char *)asked->salt.ptr, (int)asked->salt.len,
		(int)asked->iterations, scram->hash, scram->size, salted) != 1)
		abort();
	sign(scram, salted, "Client Key", 10, key);
	sign(scram, salted, "Server Key", 10, scram->server_key);
	if (EVP_Digest(
		key, (size_t)scram->size, stored, NULL, scram->hash, NULL) != 1)
		abort();
	sign(scram, stored, scram->all.ptr, scram->all.len, proof);
	for (int i = 0; i < scram->size; i++)
		proof[i] ^= key[i];
	OPENSSL_cleanse(salted, sizeof(salted));
	OPENSSL_cleanse(key, sizeof(key));
	OPENSSL_cleanse(stored, sizeof(stored));
}

int
scram_prove(struct scram *scram, const char *said, size_t len, struct buf *out,
    struct secor_err *err)
{
	struct challenge asked = {0};
	unsigned char proof[EVP_MAX_MD_SIZE];
	struct buf last = {0};
	int rc = read_challenge(scram, (struct piece){said, len}, &asked, err);

	if (rc == SECOR_OK) {
		buf_puts(&last, "c=biws,r="); /* biws: "n,," */
		buf_put(&last, asked.nonce.ptr, asked.nonce.len);
		scram->all.len = 0;
		buf_put(&scram->all, scram->bare.ptr, scram->bare.len);
		buf_putc(&scram->all, ',');
		buf_put(&scram->all, said, len);
		buf_putc(&scram->all, ',');
		buf_put(&scram->all, last.ptr, last.len);
		prove(scram, &asked, proof);
		buf_put(out, last.ptr, last.len);
		buf_puts(out, ",p=");
		base64_encode(out, proof, (size_t)scram->size);
	}
	buf_fini(&last);
	buf_fini(&asked.salt);
	return rc;
}

int
scram_verify(
    struct scram *scram, const char *said, size_t len, struct secor_err *err)
{
	struct piece rest = {said, len}, value;
	unsigned char wanted[EVP_MAX_MD_SIZE];
	struct buf shown = {0};
	int same;

	if (take(&rest, 'e', &value))
		return secor_fail(err, SECOR_FATAL, "the broker says: %.*s",
		    (int)(value.len < 200 ? value.len : 200), value.ptr);
	if (!take(&rest, 'v', &value) ||
	    !base64_decode(&shown, value.ptr, value.len)) {
		buf_fini(&shown);
		return no_message(err);
	}
	sign(scram, scram->server_key, scram->all.ptr, scram->all.len, wanted);
	same = shown.len == (size_t)scram->size &&
	       CRYPTO_memcmp(shown.ptr, wanted, shown.len) == 0;
	buf_fini(&shown);
	if (!same)
		return secor_fail(err, SECOR_FATAL,
		    "the broker does not show that it knows the password");
	return SECOR_OK;
}
