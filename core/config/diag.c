/*
 * diag.c -- a list, sorted at the end.
 */
#include "core/config/diag.h"

#include "core/base/buf.h"

#include <stdlib.h>
#include <string.h>

/* Shorter secrets would tear holes into innocent words. */
enum { SHORTEST_SECRET = 4 };

/* The text with every secret in it replaced. */
static char *
hide(const struct diag *diag, char *text)
{
	for (size_t i = 0; i < diag->secret_count; i++) {
		const char *secret = diag->secrets[i];
		char *at;

		while ((at = strstr(text, secret)) != NULL) {
			char *safe = mem_text("%.*s***%s", (int)(at - text),
			    text, at + strlen(secret));

			free(text);
			text = safe;
		}
	}
	return text;
}

static void
add(struct diag *diag, struct spot spot, const char *level, const char *fmt,
    va_list ap)
{
	struct buf line = {0};
	char text[2048];

	(void)vsnprintf(text, sizeof(text), fmt, ap);
	buf_printf(&line, "%s: %s", level, text);
	while (line.ptr[line.len - 1] == ' ' || line.ptr[line.len - 1] == '\n')
		line.ptr[--line.len] = '\0';
	for (size_t i = 0; i < line.len; i++) {
		if ((unsigned char)line.ptr[i] < ' ')
			line.ptr[i] = ' '; /* one complaint, one line */
	}
	diag->items =
	    mem_grow(diag->items, (diag->count + 1) * sizeof(*diag->items));
	diag->items[diag->count].spot = spot;
	diag->items[diag->count++].text = hide(diag, buf_take(&line));
}

void
diag_error(struct diag *diag, struct spot spot, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(diag, spot, "error", fmt, ap);
	va_end(ap);
	diag->errors++;
}

void
diag_warning(struct diag *diag, struct spot spot, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(diag, spot, "warning", fmt, ap);
	va_end(ap);
}

void
diag_secret(struct diag *diag, const char *text)
{
	if (strlen(text) < SHORTEST_SECRET || strstr("***", text) != NULL)
		return;
	diag->secrets =
	    mem_grow(diag->secrets, (diag->secret_count + 1) * sizeof(char *));
	diag->secrets[diag->secret_count++] = mem_dup(text, strlen(text));
	for (size_t i = 0; i < diag->count; i++)
		diag->items[i].text = hide(diag, diag->items[i].text);
}

static int
by_spot(const void *a, const void *b)
{
	const struct complaint *x = a, *y = b;

	if (x->spot.line != y->spot.line)
		return x->spot.line < y->spot.line ? -1 : 1;
	if (x->spot.col != y->spot.col)
		return x->spot.col < y->spot.col ? -1 : 1;
	return strcmp(x->text, y->text);
}

void
diag_report(struct diag *diag, config_complain_fn complain, void *arg)
{
	if (diag->count > 0)
		qsort(diag->items, diag->count, sizeof(*diag->items), by_spot);
	for (size_t i = 0; i < diag->count; i++) {
		const struct complaint *item = &diag->items[i];
		char *line;

		if (i > 0 && by_spot(item, item - 1) == 0)
			continue;
		if (item->spot.line > 0)
			line = mem_text("%s:%d:%d: %s", diag->file,
			    item->spot.line, item->spot.col, item->text);
		else
			line = mem_text("%s: %s", diag->file, item->text);
		complain(arg, line);
		free(line);
	}
}

void
diag_fini(struct diag *diag)
{
	for (size_t i = 0; i < diag->count; i++)
		free(diag->items[i].text);
	free(diag->items);
	for (size_t i = 0; i < diag->secret_count; i++)
		free(diag->secrets[i]);
	free(diag->secrets);
}
