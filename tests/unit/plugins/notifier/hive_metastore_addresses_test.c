/*
 * hive_metastore_addresses_test.c -- the notifier hive-metastore where a name
 * has several addresses. It is looked up here: the first is that of a listener
 * that lets nobody in.
 */
#include "tests/unit/plugins/notifier/hive_help.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define PUBLIC __attribute__((visibility("default")))

static struct sockaddr_in addresses[2];
static struct addrinfo found[2];

/* In the place of the C library's. */
PUBLIC int
getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
    struct addrinfo **result)
{
	(void)host;
	(void)port;
	for (int i = 0; i < 2; i++)
		found[i] = (struct addrinfo){.ai_family = AF_INET,
		    .ai_socktype = hints->ai_socktype,
		    .ai_addr = (struct sockaddr *)(void *)&addresses[i],
		    .ai_addrlen = sizeof(addresses[i]),
		    .ai_next = i == 0 ? &found[1] : NULL};
	*result = found;
	return 0;
}

PUBLIC void
freeaddrinfo(struct addrinfo *result)
{
	(void)result;
}

enum { CALLERS = 4 };

static struct sockaddr_in
loopback(int port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

/* A listener whose queue is full: who comes now waits. */
static void
listen_full(int fds[CALLERS + 1], struct sockaddr_in *address)
{
	socklen_t len = sizeof(*address);

	*address = loopback(0);
	fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(fds[0], (const void *)address, len), 0);
	cr_assert_eq(listen(fds[0], 0), 0);
	cr_assert_eq(getsockname(fds[0], (void *)address, &len), 0);
	for (int i = 1; i <= CALLERS; i++) {
		fds[i] = socket(
		    AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		cr_assert(connect(fds[i], (const void *)address, len) == 0 ||
			  errno == EINPROGRESS);
	}
}

Test(hive_metastore_addresses, one_that_hangs_leaves_time_for_the_next,
    .timeout = 120)
{
	int fds[CALLERS + 1];
	struct hive hive;

	listen_full(fds, &addresses[0]);
	hive_begin(&hive, "connect_timeout", "4s", NULL);
	addresses[1] = loopback(hive_port(&hive));
	hive_says(&hive, HIVE_REPLY, hive_table_is("dt", NULL));
	hive_says(&hive, HIVE_REPLY, hive_partition_is("p", NULL));
	cr_assert_eq(hive_object(&hive, "x"), SECOR_OK, "%s", hive.err.text);
	hive_end(&hive);
	for (int i = 0; i <= CALLERS; i++)
		(void)close(fds[i]);
}
