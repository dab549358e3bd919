/*
 * answers.h -- plugins/common/http.h without a network: the answers are the
 * fuzz input, one after the other.
 *
 *	200
 *	etag: "x"
 *
 *	<body>
 *	====
 *	503! ...
 *
 * An answer is a status, headers, an empty line and a body; a line of four `=`
 * ends it. Status 0, or none left: the connection breaks. `!` behind the
 * status: it breaks after the body.
 */
#ifndef TESTS_FUZZ_ANSWERS_H
#define TESTS_FUZZ_ANSWERS_H

#include "plugins/common/http.h"

struct answers {
	int given;	  /* answers so far, broken ones too */
	int status;	  /* of the last one */
	const char *body; /* of it */
};

extern struct answers answers;

/* From here on these are the answers. Ends what was there. */
void answers_begin(const char *bytes, size_t len);
void answers_end(void);

#endif
