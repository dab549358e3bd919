/*
 * hive.c -- names and values of others inside HiveQL.
 *
 * Invariant: a value stays a value. Besides its own quote and the backslash,
 * there are bytes that are dangerous although they stand inside a literal: the
 * command line of Hive (before 2.2) splits its input at ';' wherever it stands,
 * tools read it line by line, and ${variables} are replaced in the text of a
 * statement. They are written as "\;", octal and "$\{".
 *
 * That Hive undoes escapes in the values of a partition is not to be relied on:
 * 4.0.1 does so because it checks their types (hive.typecheck.on.insert), and
 * keeps them as they are spelled where it does not. So escapes are avoided
 * where a value can do without: one with an apostrophe goes in double quotes.
 * Where it cannot, LOCATION says where its objects really are; there escapes
 * are always undone.
 */
#include "plugins/notifier/qubole/qubole.h"

#include <string.h>
#include <strings.h>

#define NULL_VALUE "__HIVE_DEFAULT_PARTITION__"

/* Reserved words of HiveQL that somebody may call a column or table. */
static const char *const RESERVED[] = {"all", "alter", "and", "array", "as",
    "authorization", "between", "bigint", "binary", "boolean", "both", "by",
    "cache", "case", "cast", "char", "column", "commit", "conf", "constraint",
    "create", "cross", "cube", "current", "current_date", "current_timestamp",
    "cursor", "database", "date", "dayofweek", "decimal", "delete", "describe",
    "distinct", "double", "drop", "else", "end", "exchange", "exists",
    "extended", "external", "extract", "false", "fetch", "float", "floor",
    "following", "for", "foreign", "from", "full", "function", "grant", "group",
    "grouping", "having", "if", "import", "in", "inner", "insert", "int",
    "integer", "intersect", "interval", "into", "is", "join", "lateral", "left",
    "less", "like", "local", "macro", "map", "more", "none", "not", "null",
    "numeric", "of", "on", "only", "or", "order", "out", "outer", "over",
    "partialscan", "partition", "percent", "preceding", "precision", "preserve",
    "primary", "procedure", "range", "reads", "reduce", "references", "regexp",
    "revoke", "right", "rlike", "rollback", "rollup", "row", "rows", "select",
    "set", "smallint", "start", "sync", "table", "tablesample", "then", "time",
    "timestamp", "to", "transform", "trigger", "true", "truncate", "unbounded",
    "union", "uniquejoin", "update", "user", "using", "values", "varchar",
    "views", "when", "where", "window", "with"};

/* Bare where Hive takes it so, else in backquotes; it is a name. */
void
hive_add_name(struct text *sql, const char *name, size_t len)
{
	int quote = name[0] == '_' || (name[0] >= '0' && name[0] <= '9');

	for (size_t i = 0; i < sizeof(RESERVED) / sizeof(RESERVED[0]); i++)
		if (strlen(RESERVED[i]) == len &&
		    strncasecmp(RESERVED[i], name, len) == 0)
			quote = 1;
	text_addf(sql, quote ? "`%.*s`" : "%.*s", (int)len, name);
}

void
hive_add_table(struct text *sql, const char *table)
{
	const char *dot = strchr(table, '.');

	if (dot != NULL) {
		hive_add_name(sql, table, (size_t)(dot - table));
		text_adds(sql, ".");
		table = dot + 1;
	}
	hive_add_name(sql, table, strlen(table));
}

int
hive_add_literal(struct text *sql, const char *value)
{
	const char quote =
	    strchr(value, '\'') != NULL && strchr(value, '"') == NULL ? '"'
								      : '\'';
	int escapes = 0;

	text_add(sql, &quote, 1);
	for (; *value != '\0'; value++) {
		unsigned char c = (unsigned char)*value;
		size_t before = sql->len;

		if (c == (unsigned char)quote || c == '\\' || c == ';')
			text_addf(sql, "\\%c", c);
		else if (c < ' ' || c == 0x7f)
			text_addf(sql, "\\%03o", c);
		else if (c == '$' && value[1] == '{')
			text_adds(sql, "$\\");
		else
			text_add(sql, value, 1);
		escapes |= sql->len != before + 1;
	}
	text_add(sql, &quote, 1);
	return escapes;
}

int
hive_add_value(struct text *sql, const struct secor_event_level *level)
{
	int null = level->value == NULL || level->value[0] == '\0';

	return hive_add_literal(sql, null ? NULL_VALUE : level->value);
}

static void
add_escaped(struct text *folder, const char *value)
{
	for (; *value != '\0'; value++) {
		unsigned char c = (unsigned char)*value;

		if (c < ' ' || c == 0x7f ||
		    strchr("\"#%'*/:=?\\{[]^", c) != NULL)
			text_addf(folder, "%%%02X", c);
		else
			text_add(folder, value, 1);
	}
}

/* Hive knows columns in lower case, and escapes no value for its dots. */
int
hive_is_folder(
    const char *path, const struct secor_event_level *levels, uint32_t count)
{
	struct text folder = {0};
	int same;

	for (uint32_t i = 0; i < count; i++) {
		const char *value = levels[i].value;

		text_adds(&folder, i == 0 ? "" : "/");
		for (const char *at = levels[i].name; *at != '\0'; at++)
			text_addf(&folder, "%c",
			    *at >= 'A' && *at <= 'Z' ? *at - 'A' + 'a' : *at);
		text_adds(&folder, "=");
		add_escaped(&folder,
		    value == NULL || value[0] == '\0' ? NULL_VALUE : value);
	}
	same = !folder.failed && strcmp(folder.ptr, path) == 0;
	text_fini(&folder);
	return same;
}
