/*
 * json_scan.c -- see json_scan.h. Second half of the scan: walks the tokens of
 * json_index.c with the grammar in hand.
 *
 * Invariant: the text ends with '}' and white space (looked at first), so that
 * numbers and literals need no look at the end: the '}' stops them.
 */
#include "plugins/common/json_scan.h"
#include "plugins/common/json_text.h"

#include <assert.h>
#include <stdlib.h>

#define IN_ARRAY 0x8000u /* in the stack, beside the node */

struct json_scan {
	const struct json_paths *paths;
	json_index_fn fill;
	int lists; /* fill() does */
	struct json_value *values;
	const char *text;
	size_t len;
	uint32_t at;	  /* where the walk ended, */
	const char *want; /* and what should have been there */
	char *scratch;	  /* strings without their escapes */
	size_t scratch_used, scratch_room;
	uint16_t stack[JSON_DEPTH];
	struct json_index index;
};

/* The state of a walk: local to it, so that the compiler can keep it in
 * registers; through memory each token would wait for the one before. */
struct walk {
	struct json_scan *scan;
	const char *text;
	int lists;     /* a constant to the compiler */
	uint32_t next; /* of the list */
	uint64_t bits; /* or those of this block that are not yet looked at, */
	size_t block;  /* and where it begins */
	uint32_t at;   /* the current token */
	uint32_t here; /* the node of the container, or IN_ARRAY */
	uint32_t depth;
};

#define ALWAYS static inline __attribute__((always_inline))

/* Bytes that may follow a number or literal. */
static const unsigned char ends_word[256] = {['\t'] = 1,
    ['\n'] = 1,
    ['\r'] = 1,
    [' '] = 1,
    ['"'] = 1,
    [','] = 1,
    [':'] = 1,
    ['['] = 1,
    [']'] = 1,
    ['{'] = 1,
    ['}'] = 1};

struct json_scan *
json_scan_new(const struct json_paths *paths, enum json_simd simd)
{
	struct json_scan *scan = calloc(1, sizeof(*scan));
	size_t slots = (size_t)paths->slot_count + 1;

	if (scan == NULL)
		return NULL;
	scan->paths = paths;
	scan->fill = json_index_pick(simd, &scan->lists);
	scan->values = calloc(slots, sizeof(*scan->values));
	if (scan->fill == NULL || scan->values == NULL) {
		json_scan_free(scan);
		return NULL;
	}
	return scan;
}

void
json_scan_free(struct json_scan *scan)
{
	if (scan == NULL)
		return;
	free(scan->values);
	free(scan->scratch);
	free(scan);
}

const char *
json_kind_text(int kind)
{
	static const char *const text[] = {"missing", "a string", "a number",
	    "true", "false", "null", "an object", "an array"};

	assert(kind >= 0 && kind <= JSON_KIND_ARRAY);
	return text[kind];
}

/* Remembers what was wanted; the walk ends. */
ALWAYS int
wanted(struct walk *w, const char *what)
{
	w->scan->want = what;
	w->scan->at = w->at;
	return 0;
}

/* The next block with tokens from `block` on, or the end of the text. */
static size_t
next_block(struct json_scan *scan, size_t block)
{
	struct json_index *ix = &scan->index;

	for (;; block += 64) {
		if (block >= ix->until) {
			if (ix->until == scan->len)
				return scan->len;
			scan->fill(ix);
		}
		if (ix->tokens[block / 64 % JSON_BLOCKS] != 0)
			return block;
	}
}

/* The next window with tokens in its list; 0: there is none. */
static int
next_window(struct json_scan *scan)
{
	struct json_index *ix = &scan->index;

	do {
		if (ix->until == scan->len)
			return 0;
		scan->fill(ix);
	} while (ix->count == 0);
	return 1;
}

ALWAYS unsigned
next_listed(struct walk *w)
{
	const struct json_index *ix = &w->scan->index;

	if (__builtin_expect(w->next == ix->count, 0)) {
		if (!next_window(w->scan)) {
			w->at = (uint32_t)w->scan->len;
			return 0;
		}
		w->next = 0;
	}
	w->at = (uint32_t)ix->base + ix->at[w->next];
	return (unsigned char)ix->first[w->next++];
}

/* The next token's first byte, or 0 at the end of the text. */
ALWAYS unsigned
next_token(struct walk *w)
{
	if (w->lists)
		return next_listed(w);
	if (__builtin_expect(w->bits == 0, 0)) {
		w->block += 64;
		if (w->block < w->scan->index.until)
			w->bits =
			    w->scan->index.tokens[w->block / 64 % JSON_BLOCKS];
	}
	if (__builtin_expect(w->bits == 0, 0)) {
		w->block = next_block(w->scan, w->block);
		if (w->block == w->scan->len) {
			w->at = (uint32_t)w->block;
			return 0;
		}
		w->bits = w->scan->index.tokens[w->block / 64 % JSON_BLOCKS];
	}
	w->at = (uint32_t)w->block + (uint32_t)__builtin_ctzll(w->bits);
	w->bits &= w->bits - 1;
	return (unsigned char)w->text[w->at];
}

/* May there be a backslash in [from, to)? The last window knows its own. */
static inline int
maybe_escaped(const struct json_scan *scan, uint32_t from, uint32_t to)
{
	const struct json_index *ix = &scan->index;
	unsigned first, last;

	if (__builtin_expect((ix->escapes | ix->base) == 0, 1))
		return 0;
	if (from < ix->base)
		return 1;
	first = (unsigned)((from - ix->base) / 64);
	last = (unsigned)((to - ix->base) / 64);
	/* between the blocks of both ends */
	return (ix->escapes >> first & ((UINT64_C(2) << (last - first)) - 1)) !=
	       0;
}

/* The escapes of a string that may have some. */
static int
check_string(struct json_value *string)
{
	string->escaped = memchr(string->ptr, '\\', string->len) != NULL;
	return !string->escaped || json_escapes_good(string->ptr, string->len);
}

/* A string of which `at` is the opening quote. */
ALWAYS int
read_string(struct walk *w, struct json_value *string)
{
	uint32_t open = w->at;

	if (__builtin_expect(next_token(w) != '"', 0))
		return wanted(w, "the end of a string");
	string->ptr = w->text + open + 1;
	string->len = w->at - open - 1;
	string->kind = JSON_KIND_STRING;
	string->escaped = 0;
	if (__builtin_expect(maybe_escaped(w->scan, open, w->at), 0)) {
		struct json_value copy = *string;

		if (!check_string(&copy)) {
			w->at = open;
			return wanted(w, "a string with JSON's escapes");
		}
		string->escaped = copy.escaped;
	}
	return 1;
}

/* Room for what the message can need at most, so that nothing moves. */
static char *
scratch_begin(struct json_scan *scan)
{
	if (scan->scratch_room < scan->len) {
		char *more = realloc(scan->scratch, scan->len);

		if (more == NULL)
			abort(); /* nothing is lost by a crash */
		scan->scratch = more;
		scan->scratch_room = scan->len;
	}
	return scan->scratch + scan->scratch_used;
}

static const struct json_name *
find_escaped(struct json_scan *scan, unsigned node, const char *ptr, size_t n)
{
	char *plain = scratch_begin(scan);
	size_t len = json_unescape(ptr, n, plain);

	return json_paths_find(scan->paths, node, plain, len);
}

/* Something else was found below this name before: forget it. */
static void
forget_below(struct json_scan *scan, unsigned node)
{
	const struct json_node *at = &scan->paths->nodes[node];

	for (unsigned i = 0; i < at->count; i++) {
		const struct json_name *n = &scan->paths->names[at->first + i];

		if (n->slot != JSON_NO_SLOT)
			scan->values[n->slot].kind = JSON_KIND_ABSENT;
		if (n->children != JSON_NO_NODE)
			forget_below(scan, n->children);
	}
}

/* A name and its colon; *name is NULL when nobody asked for it. */
ALWAYS int
read_name(struct walk *w, const struct json_name **name)
{
	struct json_value key;

	if (!read_string(w, &key))
		return 0;
	if (__builtin_expect(next_token(w) != ':', 0))
		return wanted(w, "':'");
	*name = NULL;
	if (w->here == JSON_NO_NODE)
		return 1;
	if (__builtin_expect(key.escaped, 0))
		*name = find_escaped(w->scan, w->here, key.ptr, key.len);
	else
		*name =
		    json_paths_find(w->scan->paths, w->here, key.ptr, key.len);
	if (*name != NULL && (*name)->children != JSON_NO_NODE)
		forget_below(w->scan, (*name)->children);
	return 1;
}

ALWAYS int
push(struct walk *w, uint32_t what)
{
	if (w->depth == JSON_DEPTH)
		return wanted(w, "less than 2048 levels");
	w->scan->stack[w->depth++] = (uint16_t)w->here;
	w->here = what;
	return 1;
}

ALWAYS int
read_number(struct walk *w, struct json_value *value)
{
	const char *begin = w->text + w->at;
	const char *end = json_number_end(begin, w->text + w->scan->len);

	if (end == NULL || !ends_word[(unsigned char)*end])
		return wanted(w, "a number");
	value->ptr = begin;
	value->len = (uint32_t)(end - begin);
	value->kind = JSON_KIND_NUMBER;
	return 1;
}

ALWAYS int
read_literal(struct walk *w, struct json_value *value)
{
	static const char words[3][8] = {"true", "false", "null"};
	const char *p = w->text + w->at;
	unsigned i = *p == 't' ? 0 : *p == 'f' ? 1 : 2;
	size_t n = i == 1 ? 5 : 4;

	if (w->scan->len - w->at <= n || memcmp(p, words[i], n) != 0 ||
	    !ends_word[(unsigned char)p[n]])
		return wanted(w, "a value");
	value->ptr = p;
	value->len = (uint32_t)n;
	value->kind = (uint8_t)(JSON_KIND_TRUE + i);
	return 1;
}

/* The value that begins with c. 0: wrong; 1: read; 2: a container begins. */
ALWAYS int
read_value(struct walk *w, unsigned c, const struct json_name *name)
{
	struct json_value value = {0};
	int more = 1;

	if (c == '"') {
		if (!read_string(w, &value))
			return 0;
	} else if (c - '0' < 10 || c == '-') {
		if (!read_number(w, &value))
			return 0;
	} else if (c == '{') {
		value.kind = JSON_KIND_OBJECT;
		if (!push(w, name != NULL ? name->children : JSON_NO_NODE))
			return 0;
		more = 2;
	} else if (c == '[') {
		value.kind = JSON_KIND_ARRAY;
		if (!push(w, IN_ARRAY))
			return 0;
		more = 2;
	} else if (c == 0 || !read_literal(w, &value)) {
		return wanted(w, "a value");
	}
	if (name != NULL && name->slot != JSON_NO_SLOT)
		w->scan->values[name->slot] = value;
	return more;
}

#define CHARS(a, b, c) \
	((uint64_t)(a) | (uint64_t)(b) << 8 | (uint64_t)(c) << 16)
#define THREE UINT64_C(0xffffff)

/* Is this name one of those wanted here? 0: surely not. */
ALWAYS int
maybe_wanted(const struct walk *w, uint32_t len)
{
	return w->here != JSON_NO_NODE &&
	       (w->scan->paths->nodes[w->here].lengths >> (len % 64) & 1) != 0;
}

/* Passes over members that nobody wants and that are seen to be right from the
 * bytes of their tokens: `"":"",` and `"":1,`. What is not goes the long way,
 * as do all where there is a backslash. c is the first byte of a member;
 * returns that of the one that w stands at then. */
ALWAYS unsigned
skip_members(struct walk *w, unsigned c)
{
	const struct json_index *ix = &w->scan->index;
	uint32_t n = w->next - 1; /* that of c */

	if (__builtin_expect(ix->escapes != 0, 0))
		return c;
	while (n + 8 <= ix->count) {
		const uint16_t *at = ix->at + n;
		const char *text = w->text + ix->base;
		uint64_t chars;

		(void)memcpy(&chars, ix->first + n, 8);
		if ((chars & THREE) != CHARS('"', '"', ':') ||
		    maybe_wanted(w, (uint32_t)(at[1] - at[0] - 1)))
			break;
		chars >>= 24;
		if ((chars & THREE) == CHARS('"', '"', ',')) {
			n += 6;
			continue;
		}
		if ((chars >> 8 & 0xff) != ',' ||
		    ((chars & 0xff) - '0' >= 10 && (chars & 0xff) != '-'))
			break;
		text = json_number_end(text + at[3], w->text + w->scan->len);
		if (text == NULL || !ends_word[(unsigned char)*text])
			break;
		n += 5;
	}
	w->next = n + 1;
	w->at = (uint32_t)ix->base + ix->at[n];
	return (unsigned char)ix->first[n];
}

/* One member or element: c is its first byte. As read_value. */
ALWAYS int
read_item(struct walk *w, unsigned c)
{
	const struct json_name *name = NULL;

	if (w->here != IN_ARRAY) {
		if (w->lists && c == '"')
			c = skip_members(w, c);
		if (__builtin_expect(c != '"', 0))
			return wanted(w, "a name in quotes");
		if (!read_name(w, &name))
			return 0;
		c = next_token(w);
	}
	return read_value(w, c, name);
}

/* What follows an item: a comma (1) or the ends of containers; the end of the
 * outermost is 2. */
ALWAYS int
read_ends(struct walk *w, unsigned c)
{
	for (;;) {
		int array = w->here == IN_ARRAY;

		if (c == ',')
			return 1;
		if (c != (array ? ']' : '}'))
			return wanted(w, array ? "',' or ']'" : "',' or '}'");
		w->here = w->scan->stack[--w->depth];
		if (w->depth == 0)
			return 2;
		c = next_token(w);
	}
}

/* 1: the text is one object. */
ALWAYS int
walk(struct json_scan *scan, int lists)
{
	struct walk w = {.scan = scan,
	    .text = scan->text,
	    .lists = lists,
	    .block = (size_t)-64};
	unsigned c = next_token(&w);
	int rc;

	if (c != '{')
		return wanted(&w, "'{'");
	(void)push(&w, scan->paths->node_count == 0 ? JSON_NO_NODE : JSON_ROOT);
	rc = 2;
	do {
		c = next_token(&w);
		/* behind an opening bracket the closing one may follow */
		if (rc == 1 || (c != '}' && c != ']')) {
			rc = read_item(&w, c);
			if (rc == 0)
				return 0;
			if (rc == 2)
				continue;
			c = next_token(&w);
		}
		rc = read_ends(&w, c);
		if (rc == 0)
			return 0;
	} while (w.depth > 0);
	return next_token(&w) == 0 || wanted(&w, "nothing more");
}

static int
walk_list(struct json_scan *scan)
{
	return walk(scan, 1);
}

static int
walk_bits(struct json_scan *scan)
{
	return walk(scan, 0);
}

static size_t
length_without_space(struct secor_bytes text)
{
	size_t len = text.len;

	while (len > 0) {
		char c = text.ptr[len - 1];

		if (c != ' ' && c != '\n' && c != '\r' && c != '\t')
			break;
		len--;
	}
	return len;
}

/* Why not, for texts that are no object at first sight. */
static const char *
hopeless(struct secor_bytes text)
{
	if (text.ptr == NULL)
		return "the value is null";
	if (text.len >= UINT32_MAX)
		return "4 GiB or more";
	if (length_without_space(text) == 0)
		return "the value is empty";
	return NULL;
}

static int
not_an_object(const struct json_scan *scan, struct secor_bytes text,
    struct secor_err *err)
{
	if (scan->index.bad < scan->at)
		return secor_fail(err, SECOR_REJECT,
		    "not a JSON object: control byte 0x%02x at byte %zu",
		    (unsigned char)text.ptr[scan->index.bad], scan->index.bad);
	if (scan->at >= text.len)
		return secor_fail(err, SECOR_REJECT,
		    "not a JSON object: %s is missing at the end", scan->want);
	return secor_fail(err, SECOR_REJECT,
	    "not a JSON object: %s is missing at byte %u", scan->want,
	    scan->at);
}

int
json_scan_run(struct json_scan *scan, struct secor_bytes text,
    struct json_value **values, struct secor_err *err)
{
	const char *why = hopeless(text);
	size_t len;

	if (why != NULL)
		return secor_fail(
		    err, SECOR_REJECT, "not a JSON object: %s", why);
	len = length_without_space(text);
	if (text.ptr[len - 1] != '}')
		return secor_fail(err, SECOR_REJECT,
		    "not a JSON object: it does not end with '}'");
	scan->text = text.ptr;
	scan->len = len;
	scan->at = (uint32_t)len;
	scan->scratch_used = 0;
	memset(
	    scan->values, 0, scan->paths->slot_count * sizeof(*scan->values));
	json_index_begin(&scan->index, text.ptr, len);
	if (!(scan->lists ? walk_list(scan) : walk_bits(scan)) ||
	    scan->index.bad != JSON_GOOD)
		return not_an_object(scan, text, err);
	*values = scan->values;
	return SECOR_OK;
}

struct secor_bytes
json_scan_text(struct json_scan *scan, struct json_value *value)
{
	if (value->escaped) {
		char *plain = scratch_begin(scan);
		size_t len = json_unescape(value->ptr, value->len, plain);

		scan->scratch_used += len;
		value->ptr = plain;
		value->len = (uint32_t)len;
		value->escaped = 0;
	}
	return (struct secor_bytes){value->ptr, value->len};
}
