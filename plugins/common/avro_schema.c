/*
 * avro_schema.c -- see avro_schema.h.
 */
#include "plugins/common/avro_schema.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define NODES_MAX 65536
#define NESTED_MAX 64
#define LEAST_MAX (UINT64_C(1) << 40)

struct avro_schema {
	struct avro_node *root;
	struct avro_node **all;
	size_t count, room;
};

struct compiler {
	struct avro_schema *schema;
	int depth;
	struct secor_err *err;
};

static const char *const type_words[] = {"null", "boolean", "int", "long",
    "float", "double", "bytes", "string", "record", "enum", "fixed", "array",
    "map", NULL};

static struct avro_node *
compile(struct compiler *c, const json_t *json, const char *space);

static struct avro_node *
fail(struct compiler *c, const char *what, const char *name)
{
	(void)secor_fail(c->err, SECOR_REJECT, "%s '%s'", what, name);
	return NULL;
}

static struct avro_node *
node_new(struct compiler *c, int type)
{
	struct avro_schema *s = c->schema;
	struct avro_node *node;

	if (s->count == NODES_MAX)
		return fail(c, "the schema is too large:", "65536 types");
	if (s->count == s->room) {
		size_t room = s->room == 0 ? 16 : 2 * s->room;
		void *all = realloc(s->all, room * sizeof(struct avro_node *));

		if (all == NULL)
			return fail(c, "out of memory:", "schema");
		s->all = all;
		s->room = room;
	}
	node = calloc(1, sizeof(*node));
	if (node == NULL)
		return fail(c, "out of memory:", "schema");
	node->type = type;
	s->all[s->count++] = node;
	return node;
}

/* ---- names ---- */

static int
word_of(const char *word)
{
	for (int i = 0; type_words[i] != NULL; i++)
		if (strcmp(type_words[i], word) == 0)
			return i;
	return -1;
}

/* The full name, to be freed. */
static char *
full_name(const char *name, const char *space)
{
	size_t len = strlen(name) + strlen(space) + 2;
	char *full = malloc(len);

	if (full == NULL)
		return NULL;
	if (strchr(name, '.') != NULL || space[0] == '\0')
		(void)snprintf(full, len, "%s", name);
	else
		(void)snprintf(full, len, "%s.%s", space, name);
	return full;
}

static struct avro_node *
named(const struct avro_schema *schema, const char *full)
{
	for (size_t i = 0; i < schema->count; i++) {
		struct avro_node *node = schema->all[i];

		if (node->name != NULL && strcmp(node->name, full) == 0)
			return node;
	}
	return NULL;
}

static struct avro_node *
find_name(struct compiler *c, const char *name, const char *space)
{
	char *full = full_name(name, space);
	struct avro_node *node;

	if (full == NULL)
		return fail(c, "out of memory:", "schema");
	node = named(c->schema, full);
	free(full);
	if (node == NULL)
		node = named(c->schema, name);
	return node != NULL ? node : fail(c, "there is no type", name);
}

static struct avro_node *
by_word(struct compiler *c, const char *word, const char *space)
{
	int type = word_of(word);

	if (type >= 0 && type <= AVRO_STRING)
		return node_new(c, type);
	return find_name(c, word, space);
}

/* ---- compound types ---- */

/* Room for `count` nodes and names. */
static int
make_room(struct compiler *c, struct avro_node *node, size_t count)
{
	node->nodes = calloc(count + 1, sizeof(*node->nodes));
	node->names = calloc(count + 1, sizeof(*node->names));
	if (node->nodes != NULL && node->names != NULL)
		return 1;
	(void)fail(c, "out of memory:", "schema");
	return 0;
}

static struct avro_node *
compile_fields(struct compiler *c, struct avro_node *node, const json_t *json,
    const char *space)
{
	const json_t *fields = json_object_get(json, "fields"), *field;
	size_t i;

	if (!json_is_array(fields))
		return fail(c, "there are no fields in record", node->name);
	if (!make_room(c, node, json_array_size(fields)))
		return NULL;
	json_array_foreach(fields, i, field)
	{
		const char *name =
		    json_string_value(json_object_get(field, "name"));
		const json_t *type = json_object_get(field, "type");

		if (name == NULL || type == NULL)
			return fail(c, "a field has no name or type in record",
			    node->name);
		node->names[i] = strdup(name);
		node->nodes[i] = compile(c, type, space);
		if (node->nodes[i] == NULL || node->names[i] == NULL)
			return NULL;
		node->count++;
	}
	return node;
}

static struct avro_node *
compile_symbols(struct compiler *c, struct avro_node *node, const json_t *json)
{
	const json_t *symbols = json_object_get(json, "symbols"), *symbol;
	size_t i;

	if (!json_is_array(symbols) || json_array_size(symbols) == 0)
		return fail(c, "there are no symbols in enum", node->name);
	if (!make_room(c, node, json_array_size(symbols)))
		return NULL;
	json_array_foreach(symbols, i, symbol)
	{
		const char *name = json_string_value(symbol);

		node->names[i] = strdup(name == NULL ? "" : name);
		if (name == NULL || node->names[i] == NULL)
			return fail(
			    c, "a symbol is no text in enum", node->name);
		node->count++;
	}
	return node;
}

static struct avro_node *
compile_fixed(struct compiler *c, struct avro_node *node, const json_t *json)
{
	json_int_t size = json_integer_value(json_object_get(json, "size"));

	if (!json_is_integer(json_object_get(json, "size")) || size < 0 ||
	    size > INT32_MAX)
		return fail(c, "there is no size in fixed", node->name);
	node->size = (uint64_t)size;
	return node;
}

static struct avro_node *
compile_named(
    struct compiler *c, int type, const json_t *json, const char *outer)
{
	const char *name = json_string_value(json_object_get(json, "name"));
	const char *space =
	    json_string_value(json_object_get(json, "namespace"));
	struct avro_node *node, *done;
	char *full, *inner;

	if (name == NULL)
		return fail(c, "there is no name in", type_words[type]);
	full = full_name(name, space != NULL ? space : outer);
	inner = full == NULL ? NULL : strdup(full);
	if (inner == NULL || named(c->schema, full) != NULL) {
		(void)fail(c, "a type comes twice:", name);
		free(full);
		free(inner);
		return NULL;
	}
	if (strrchr(inner, '.') != NULL)
		*strrchr(inner, '.') = '\0';
	else
		inner[0] = '\0';
	node = node_new(c, type);
	if (node == NULL) {
		free(full);
		free(inner);
		return NULL;
	}
	node->name = full;
	done = type == AVRO_RECORD ? compile_fields(c, node, json, inner)
	       : type == AVRO_ENUM ? compile_symbols(c, node, json)
				   : compile_fixed(c, node, json);
	free(inner);
	return done;
}

static struct avro_node *
compile_inner(
    struct compiler *c, int type, const json_t *inner, const char *space)
{
	struct avro_node *node = node_new(c, type);

	if (node == NULL || !make_room(c, node, 1))
		return NULL;
	if (inner == NULL)
		return fail(
		    c, "there are no items or values in", type_words[type]);
	node->nodes[0] = compile(c, inner, space);
	node->count = 1;
	return node->nodes[0] == NULL ? NULL : node;
}

static struct avro_node *
compile_union(struct compiler *c, const json_t *json, const char *space)
{
	struct avro_node *node = node_new(c, AVRO_UNION);
	const json_t *branch;
	size_t i;

	if (node == NULL || !make_room(c, node, json_array_size(json)))
		return NULL;
	if (json_array_size(json) == 0)
		return fail(c, "a union is", "empty");
	json_array_foreach(json, i, branch)
	{
		node->nodes[i] = compile(c, branch, space);
		if (node->nodes[i] == NULL)
			return NULL;
		node->count++;
	}
	return node;
}

/* ---- logical types ---- */

static void
set_logical(struct avro_node *node, const json_t *json)
{
	static const struct {
		const char *word;
		int type, logical;
		int64_t per_second;
	} rows[] = {
	    {"date", AVRO_INT, AVRO_DATE, 0},
	    {"timestamp-millis", AVRO_LONG, AVRO_TIMESTAMP, 1000},
	    {"timestamp-micros", AVRO_LONG, AVRO_TIMESTAMP, 1000000},
	    {"timestamp-nanos", AVRO_LONG, AVRO_TIMESTAMP, 1000000000},
	    {"local-timestamp-millis", AVRO_LONG, AVRO_LOCAL_TIMESTAMP, 1000},
	    {"local-timestamp-micros", AVRO_LONG, AVRO_LOCAL_TIMESTAMP,
		1000000},
	    {"local-timestamp-nanos", AVRO_LONG, AVRO_LOCAL_TIMESTAMP,
		1000000000},
	};
	const char *word =
	    json_string_value(json_object_get(json, "logicalType"));

	for (size_t i = 0; word != NULL && i < sizeof(rows) / sizeof(rows[0]);
	     i++) {
		if (strcmp(rows[i].word, word) != 0 ||
		    rows[i].type != node->type)
			continue; /* what is unknown is as if it were not there
				   */
		node->logical = rows[i].logical;
		node->per_second = rows[i].per_second;
	}
}

static struct avro_node *
compile_object(struct compiler *c, const json_t *json, const char *space)
{
	const json_t *inner = json_object_get(json, "type");
	const char *word = json_string_value(inner);
	struct avro_node *node;
	int type = word == NULL ? -1 : word_of(word);

	if (inner == NULL)
		return fail(c, "there is no", "type");
	if (word != NULL && strcmp(word, "error") == 0)
		type = AVRO_RECORD;
	switch (type) {
	case AVRO_RECORD:
	case AVRO_ENUM:
	case AVRO_FIXED:
		return compile_named(c, type, json, space);
	case AVRO_ARRAY:
		return compile_inner(
		    c, type, json_object_get(json, "items"), space);
	case AVRO_MAP:
		return compile_inner(
		    c, type, json_object_get(json, "values"), space);
	default:
		node = compile(c, inner, space);
		if (node != NULL && type >= 0)
			set_logical(node, json);
		return node;
	}
}

static struct avro_node *
compile(struct compiler *c, const json_t *json, const char *space)
{
	struct avro_node *node;

	if (c->depth == NESTED_MAX)
		return fail(c, "the schema is nested deeper than", "64");
	c->depth++;
	if (json_is_string(json))
		node = by_word(c, json_string_value(json), space);
	else if (json_is_array(json))
		node = compile_union(c, json, space);
	else if (json_is_object(json))
		node = compile_object(c, json, space);
	else
		node = fail(c, "a type is", "no text, list or object");
	c->depth--;
	return node;
}

/* ---- the fewest bytes of a value ---- */

#define VISITING UINT64_MAX

static int
find_least(struct avro_node *node, struct secor_err *err)
{
	static const unsigned char least[] = {
	    0, 1, 1, 1, 4, 8, 1, 1, 0, 1, 0, 1, 1, 1};
	uint64_t sum = 0;

	if (node->type != AVRO_RECORD) {
		node->least =
		    node->type == AVRO_FIXED ? node->size : least[node->type];
		return SECOR_OK;
	}
	if (node->least == VISITING)
		return secor_fail(err, SECOR_REJECT,
		    "record '%s' contains itself", node->name);
	if (node->measured)
		return SECOR_OK;
	node->least = VISITING;
	for (size_t i = 0; i < node->count; i++) {
		if (find_least(node->nodes[i], err) != SECOR_OK)
			return SECOR_REJECT;
		sum += node->nodes[i]->least;
		if (sum > LEAST_MAX)
			sum = LEAST_MAX;
	}
	node->least = sum;
	node->measured = 1;
	return SECOR_OK;
}

/* ---- whole ---- */

static int
add_text(struct compiler *c, const char *text)
{
	json_error_t why;
	json_t *json = json_loads(text, JSON_DECODE_ANY, &why);

	if (json == NULL)
		return secor_fail(c->err, SECOR_REJECT,
		    "the schema is no JSON: %s (line %d)", why.text, why.line);
	c->schema->root = compile(c, json, "");
	json_decref(json);
	return c->schema->root == NULL ? SECOR_REJECT : SECOR_OK;
}

static int
build(struct compiler *c, const char *const *texts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (add_text(c, texts[i]) != SECOR_OK)
			return SECOR_REJECT;
	for (size_t i = 0; i < c->schema->count; i++)
		if (find_least(c->schema->all[i], c->err) != SECOR_OK)
			return SECOR_REJECT;
	return SECOR_OK;
}

int
avro_schema_new(const char *const *texts, size_t count,
    struct avro_schema **out, struct secor_err *err)
{
	struct compiler c = {
	    .schema = calloc(1, sizeof(*c.schema)), .err = err};

	if (c.schema == NULL)
		return secor_fail(err, SECOR_REJECT, "out of memory");
	if (build(&c, texts, count) != SECOR_OK) {
		avro_schema_free(c.schema);
		return SECOR_REJECT;
	}
	*out = c.schema;
	return SECOR_OK;
}

static void
node_free(struct avro_node *node)
{
	/* a name may be there whose node is not counted yet */
	for (size_t i = 0; node->names != NULL && node->names[i] != NULL; i++)
		free(node->names[i]);
	free(node->names);
	free(node->nodes);
	free(node->name);
	free(node);
}

void
avro_schema_free(struct avro_schema *schema)
{
	if (schema == NULL)
		return;
	for (size_t i = 0; i < schema->count; i++)
		node_free(schema->all[i]);
	free(schema->all);
	free(schema);
}

const struct avro_node *
avro_schema_root(const struct avro_schema *schema)
{
	return schema->root;
}
