/*
 * partition.c -- partitions: created by BatchCreatePartition; those that are
 * there already are looked at by BatchGetPartition, and get their statistics by
 * UpdatePartition.
 *
 * Invariants: a partition whose location is another one is never touched. Of
 * one that is written anew nothing is lost but what Glue itself fills in:
 * parameters of others and members that are not known here go back as they
 * came. (The catalog has no conditional write: what somebody changes between
 * the look and the write is written over.)
 */
#include "plugins/notifier/glue/glue.h"

#include <inttypes.h>
#include <string.h>

#define NULL_VALUE "__HIVE_DEFAULT_PARTITION__"

__attribute__((format(printf, 3, 4))) static void
fail(struct glue_want *want, int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(want->why, sizeof(want->why), fmt, ap);
	va_end(ap);
	want->state = GLUE_FAILED;
	want->status = status;
}

/* All of the job that are in this state. */
static void
fail_all(const struct glue_job *job, enum glue_state state, int status,
    const char *why)
{
	for (size_t i = 0; i < job->count; i++)
		if (job->wants[i].state == state)
			fail(&job->wants[i], status, "%s", why);
}

static size_t
count_of(const struct glue_job *job, enum glue_state state)
{
	size_t n = 0;

	for (size_t i = 0; i < job->count; i++)
		n += job->wants[i].state == state;
	return n;
}

/* ---- values ---- */

static const char *
value_of(const struct glue_want *want, size_t i)
{
	const char *value = want->object->levels[i].value;

	return value == NULL || value[0] == '\0' ? NULL_VALUE : value;
}

static json_t *
values_of(const struct glue_want *want)
{
	json_t *values = json_array();

	for (size_t i = 0; i < want->object->level_count; i++)
		if (json_array_append_new(
			values, json_string(value_of(want, i))) != 0) {
			json_decref(values);
			return NULL;
		}
	return values;
}

static int
has_values(const struct glue_want *want, const json_t *values)
{
	size_t n = want->object->level_count;

	if (json_array_size(values) != n)
		return 0;
	for (size_t i = 0; i < n; i++) {
		const char *value =
		    json_string_value(json_array_get(values, i));

		if (value == NULL || strcmp(value, value_of(want, i)) != 0)
			return 0;
	}
	return 1;
}

/* One of that state with these values, or NULL. */
static struct glue_want *
find(const struct glue_job *job, enum glue_state state, const json_t *values)
{
	for (size_t i = 0; i < job->count; i++)
		if (job->wants[i].state == state &&
		    has_values(&job->wants[i], values))
			return &job->wants[i];
	return NULL;
}

/* ---- statistics ---- */

/* Under the names of Glue's crawlers, and of Hive and Spark. Returns whether
 * anything changes. */
static int
set_sums(json_t *parameters, const struct glue_sums *sums)
{
	const struct {
		const char *name;
		uint64_t value;
	} rows[] = {{"recordCount", sums->records},
	    {"objectCount", sums->objects}, {"sizeKey", sums->bytes},
	    {"numRows", sums->records}, {"numFiles", sums->objects},
	    {"totalSize", sums->bytes}};
	int changes = 0;
	char text[24];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *old = json_string_value(
		    json_object_get(parameters, rows[i].name));

		(void)snprintf(text, sizeof(text), "%" PRIu64, rows[i].value);
		if (old != NULL && strcmp(old, text) == 0)
			continue;
		changes = 1;
		(void)json_object_set_new(
		    parameters, rows[i].name, json_string(text));
	}
	return changes;
}

/* ---- create ---- */

static json_t *
input_of(const struct glue_job *job, const struct glue_want *want)
{
	json_t *storage = json_copy(job->table->storage);
	json_t *parameters = json_object();

	(void)json_object_set_new(
	    storage, "Location", json_string(want->location));
	if (job->sums != NULL)
		(void)set_sums(parameters, job->sums);
	return json_pack("{s:o, s:o, s:o}", "Values", values_of(want),
	    "StorageDescriptor", storage, "Parameters", parameters);
}

/* NULL: out of memory. */
static json_t *
create_request(const struct glue_job *job)
{
	json_t *request = glue_request(job->glue, job->table);
	json_t *list = json_array();
	int whole = 1;

	for (size_t i = 0; i < job->count; i++)
		if (job->wants[i].state == GLUE_TODO)
			whole =
			    whole && json_array_append_new(list,
					 input_of(job, &job->wants[i])) == 0;
	whole = json_object_set_new(request, "PartitionInputList", list) == 0 &&
		whole;
	if (whole)
		return request;
	json_decref(request);
	return NULL;
}

/* One of Errors. Returns 0 when it is of none that was asked for. */
static int
take_error(const struct glue_job *job, const json_t *error)
{
	struct glue_want *want =
	    find(job, GLUE_TODO, json_object_get(error, "PartitionValues"));
	const json_t *detail = json_object_get(error, "ErrorDetail");
	const char *code =
	    json_string_value(json_object_get(detail, "ErrorCode"));
	const char *text =
	    json_string_value(json_object_get(detail, "ErrorMessage"));
	enum glue_verdict verdict;
	char line[400];

	if (want == NULL)
		return 0;
	verdict = glue_judge(code != NULL ? code : "", 0);
	if (verdict == GLUE_EXISTS) {
		want->state = GLUE_THERE;
		return 1;
	}
	job->glue->gone |= verdict == GLUE_MISSING;
	glue_line(text != NULL ? text : "", line, sizeof(line));
	fail(want, glue_status(job->glue, verdict),
	    "BatchCreatePartition: %.60s%s%s", code != NULL ? code : "?",
	    line[0] != '\0' ? ": " : "", line);
	return 1;
}

static void
tell_created(const struct glue_job *job, const struct glue_want *want)
{
	const struct secor_host *host = job->glue->host;
	struct text detail = {0};

	text_addf(&detail, "table=%s path=", job->table->name);
	text_add_json(&detail, want->object->path);
	if (!detail.failed)
		host->log(host, SECOR_INFO, "glue partition added", detail.ptr);
	host->add(job->glue->added, 1);
	text_fini(&detail);
}

/* Who is not among the errors is created. */
static void
take_created(const struct glue_job *job, const json_t *errors)
{
	int known =
	    errors == NULL || json_is_null(errors) || json_is_array(errors);
	json_t *error;
	size_t i;

	json_array_foreach(errors, i, error) known =
	    take_error(job, error) && known;
	if (!known) {
		fail_all(job, GLUE_TODO, SECOR_RETRY,
		    "BatchCreatePartition: an error is of a partition that "
		    "was not asked for");
		return;
	}
	for (i = 0; i < job->count; i++)
		if (job->wants[i].state == GLUE_TODO) {
			job->wants[i].state = GLUE_DONE;
			tell_created(job, &job->wants[i]);
		}
}

/* SECOR_OK: all are told of, one by one. */
static int
create_once(const struct glue_job *job, enum glue_verdict *verdict,
    struct secor_err *err)
{
	json_t *request = create_request(job), *answer;
	int rc;

	*verdict = GLUE_AGAIN;
	if (request == NULL)
		return secor_fail(err, SECOR_RETRY, "out of memory");
	rc = glue_call(
	    job->glue, "BatchCreatePartition", request, &answer, verdict, err);
	if (rc == SECOR_OK) {
		take_created(job, json_object_get(answer, "Errors"));
		json_decref(answer);
	}
	return rc;
}

/* One that is refused may have the whole call refused: the others must not
 * suffer from it, so it is looked for by halves. */
static void
create(const struct glue_job *job)
{
	struct glue_job first = *job, second = *job;
	enum glue_verdict verdict;
	struct secor_err err;
	int rc;

	if (count_of(job, GLUE_TODO) == 0)
		return;
	rc = create_once(job, &verdict, &err);
	if (rc == SECOR_OK)
		return;
	job->glue->gone |= verdict == GLUE_MISSING;
	if (verdict != GLUE_REFUSED && verdict != GLUE_EXISTS) {
		fail_all(job, GLUE_TODO, rc, err.text);
	} else if (job->count > 1) {
		first.count = job->count / 2;
		second.wants += first.count;
		second.count -= first.count;
		create(&first);
		create(&second);
	} else if (verdict == GLUE_EXISTS) {
		job->wants[0].state = GLUE_THERE;
	} else {
		fail_all(job, GLUE_TODO, rc, err.text);
	}
}

/* ---- those that are there ---- */

/* The same folder: s3a and s3n are names of Hadoop for it. */
static int
is_location(const char *told, const char *want)
{
	size_t n;

	if ((strncmp(told, "s3a://", 6) == 0 ||
		strncmp(told, "s3n://", 6) == 0) &&
	    strncmp(want, "s3://", 5) == 0) {
		told += 6;
		want += 5;
	}
	n = strlen(told);
	while (n > 0 && told[n - 1] == '/')
		n--;
	return n == strlen(want) && strncmp(told, want, n) == 0;
}

static int
check_location(struct glue_want *want, const json_t *partition)
{
	const char *told = json_string_value(json_object_get(
	    json_object_get(partition, "StorageDescriptor"), "Location"));
	char line[300];

	if (told != NULL && is_location(told, want->location))
		return 1;
	glue_line(told != NULL ? told : "no location", line, sizeof(line));
	fail(want, SECOR_REJECT,
	    "the partition is there with another location: %.240s, not %.240s",
	    line, want->location);
	return 0;
}

/* What BatchGetPartition tells, as UpdatePartition takes it; NULL when nothing
 * has to change. */
static json_t *
changed(const json_t *partition, const struct glue_sums *sums)
{
	static const char *const OWN[] = {
	    "DatabaseName", "TableName", "CatalogId", "CreationTime"};
	const json_t *told = json_object_get(partition, "Parameters");
	json_t *parameters = json_is_object(told)
				 ? json_copy((json_t *)(uintptr_t)told)
				 : json_object();
	json_t *input;

	if (!set_sums(parameters, sums)) {
		json_decref(parameters);
		return NULL;
	}
	input = json_copy((json_t *)(uintptr_t)partition);
	for (size_t i = 0; i < sizeof(OWN) / sizeof(OWN[0]); i++)
		(void)json_object_del(input, OWN[i]);
	(void)json_object_set_new(input, "Parameters", parameters);
	return input;
}

static void
update(const struct glue_job *job, struct glue_want *want, json_t *input)
{
	json_t *request = glue_request(job->glue, job->table), *answer;
	enum glue_verdict verdict;
	struct secor_err err;
	int rc;

	(void)json_object_set_new(
	    request, "PartitionValueList", values_of(want));
	(void)json_object_set_new(request, "PartitionInput", input);
	rc = glue_call(
	    job->glue, "UpdatePartition", request, &answer, &verdict, &err);
	if (rc != SECOR_OK) {
		/* dropped in between: it is created when this comes again */
		fail(want, verdict == GLUE_MISSING ? SECOR_RETRY : rc, "%s",
		    err.text);
		return;
	}
	json_decref(answer);
	job->glue->host->add(job->glue->updated, 1);
}

static void
look(
    const struct glue_job *job, struct glue_want *want, const json_t *partition)
{
	json_t *input;

	if (!check_location(want, partition))
		return;
	want->state = GLUE_DONE;
	input = job->sums != NULL ? changed(partition, job->sums) : NULL;
	if (input != NULL)
		update(job, want, input);
}

static json_t *
get_request(const struct glue_job *job)
{
	json_t *request = glue_request(job->glue, job->table);
	json_t *list = json_array();

	for (size_t i = 0; i < job->count; i++)
		if (job->wants[i].state == GLUE_THERE)
			(void)json_array_append_new(
			    list, json_pack("{s:o}", "Values",
				      values_of(&job->wants[i])));
	(void)json_object_set_new(request, "PartitionsToGet", list);
	return request;
}

/* How many of the answer were asked for. */
static size_t
take_found(const struct glue_job *job, const json_t *found)
{
	size_t i, taken = 0;
	json_t *partition;

	json_array_foreach(found, i, partition)
	{
		struct glue_want *want =
		    find(job, GLUE_THERE, json_object_get(partition, "Values"));

		if (want == NULL)
			continue;
		look(job, want, partition);
		taken++;
	}
	return taken;
}

/* What the service leaves open (UnprocessedKeys) is asked for again, as long as
 * each answer has one at least. */
static void
look_at_those_there(const struct glue_job *job)
{
	enum glue_verdict verdict;
	struct secor_err err;
	json_t *answer;
	size_t taken = 1;
	int rc;

	while (taken > 0 && count_of(job, GLUE_THERE) > 0) {
		rc = glue_call(job->glue, "BatchGetPartition", get_request(job),
		    &answer, &verdict, &err);
		if (rc != SECOR_OK) {
			fail_all(job, GLUE_THERE, rc, err.text);
			return;
		}
		taken = take_found(job, json_object_get(answer, "Partitions"));
		json_decref(answer);
	}
	fail_all(job, GLUE_THERE, SECOR_RETRY,
	    "BatchGetPartition does not tell the partition, which "
	    "BatchCreatePartition says is there");
}

void
glue_register(const struct glue_job *job)
{
	create(job);
	look_at_those_there(job);
}
