/*
 * url.c -- see url.h.
 */
#include "plugins/common/url.h"

#include <string.h>
#include <strings.h>

const char *
url_complaint(const char *url)
{
	const char *host = strstr(url, "://");
	size_t len;

	for (const char *at = url; *at != '\0'; at++)
		if ((unsigned char)*at <= ' ' || *at == 0x7f)
			return "has a blank or control byte; write it as %XX";
	if (host == NULL || (strncasecmp(url, "http://", 7) != 0 &&
				strncasecmp(url, "https://", 8) != 0))
		return "begins with neither http:// nor https://";
	host += 3;
	len = strcspn(host, "/?#");
	if (memchr(host, '@', len) != NULL)
		return "holds a user or password, which would be shown";
	return len == 0 || host[0] == ':' ? "names no host" : NULL;
}

int
header_value_is(const char *text)
{
	for (; *text != '\0'; text++)
		if (((unsigned char)*text < ' ' && *text != '\t') ||
		    *text == 0x7f)
			return 0;
	return 1;
}
