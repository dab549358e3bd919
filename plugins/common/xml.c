/*
 * xml.c -- reads the small XML answers of S3 and STS, on expat.
 */
#include "plugins/common/xml.h"

#include <expat.h>
#include <stdlib.h>
#include <string.h>

struct scan {
	XML_Parser parser;
	xml_fn *each;
	void *arg;
	char path[512];
	char *text;
	size_t len, room;
	int is_leaf, stopped, failed;
};

static void
stop(struct scan *scan)
{
	(void)XML_StopParser(scan->parser, XML_FALSE);
}

static void
begin(void *self, const XML_Char *name, const XML_Char **attributes)
{
	struct scan *scan = self;
	const char *colon = strrchr(name, ':');
	size_t used = strlen(scan->path);
	int n;

	(void)attributes;
	n = snprintf(scan->path + used, sizeof(scan->path) - used, "%s%s",
	    used > 0 ? "/" : "", colon != NULL ? colon + 1 : name);
	if (n < 0 || (size_t)n >= sizeof(scan->path) - used) {
		scan->failed = 1;
		stop(scan);
	}
	scan->len = 0;
	scan->is_leaf = 1;
}

static void
end(void *self, const XML_Char *name)
{
	struct scan *scan = self;
	const char *text = NULL;
	char *slash;

	(void)name;
	if (scan->is_leaf)
		text = scan->len > 0 ? scan->text : "";
	if (scan->each(scan->arg, scan->path, text) != 0) {
		scan->stopped = 1;
		stop(scan);
	}
	slash = strrchr(scan->path, '/');
	*(slash != NULL ? slash : scan->path) = '\0';
	scan->is_leaf = 0;
}

static void
text(void *self, const XML_Char *bytes, int len)
{
	struct scan *scan = self;
	size_t more = (size_t)len, room = scan->room;
	char *larger;

	if (!scan->is_leaf)
		return;
	if (scan->len + more + 1 > room) {
		room = (scan->len + more + 1) * 2;
		larger = realloc(scan->text, room);
		if (larger == NULL) {
			scan->failed = 1;
			stop(scan);
			return;
		}
		scan->text = larger;
		scan->room = room;
	}
	memcpy(scan->text + scan->len, bytes, more);
	scan->len += more;
	scan->text[scan->len] = '\0';
}

int
xml_scan(const char *bytes, size_t len, xml_fn *each, void *arg,
    struct secor_err *err)
{
	struct scan scan = {.each = each, .arg = arg};
	size_t blank = strspn(bytes, " \t\r\n"); /* keeps connections alive */
	enum XML_Status status;
	int line;

	scan.parser = XML_ParserCreate(NULL);
	if (scan.parser == NULL)
		return secor_fail(err, SECOR_RETRY, "XML: out of memory");
	blank = blank < len ? blank : len;
	XML_SetUserData(scan.parser, &scan);
	XML_SetElementHandler(scan.parser, begin, end);
	XML_SetCharacterDataHandler(scan.parser, text);
	status =
	    XML_Parse(scan.parser, bytes + blank, (int)(len - blank), XML_TRUE);
	line = (int)XML_GetCurrentLineNumber(scan.parser);
	XML_ParserFree(scan.parser);
	free(scan.text);
	if (status == XML_STATUS_OK || (scan.stopped && !scan.failed))
		return SECOR_OK;
	return secor_fail(err, SECOR_RETRY,
	    "the answer is no whole XML (line %d of %zu bytes)", line, len);
}

struct find {
	const char *path;
	char *dst;
	size_t room;
	int found;
};

static int
match(void *arg, const char *path, const char *value)
{
	struct find *find = arg;
	int n;

	if (value == NULL || strcmp(path, find->path) != 0)
		return 0;
	n = snprintf(find->dst, find->room, "%s", value);
	find->found = n >= 0 && (size_t)n < find->room;
	return 1;
}

int
xml_find(
    const char *bytes, size_t len, const char *path, char *dst, size_t room)
{
	struct find find = {.path = path, .dst = dst, .room = room};

	dst[0] = '\0';
	(void)xml_scan(bytes, len, match, &find, NULL);
	if (find.found)
		return 0;
	dst[0] = '\0';
	return -1;
}
