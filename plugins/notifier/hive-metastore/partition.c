/*
 * partition.c -- one path and its partition.
 */
#include "plugins/notifier/hive-metastore/hive-metastore.h"

#include <stdlib.h>
#include <strings.h>

#define NULL_VALUE "__HIVE_DEFAULT_PARTITION__"

enum {
	TURNS = 4,
	/* of Hive's column of partition names, in every database it knows */
	MOST_NAME = 767
};

/* A path on its way into the metastore. */
struct job {
	struct hms *hms;
	const struct hive_path *path;
	struct hms_table *table;
	int fresh; /* the table was asked for in this call */
	struct secor_strings values;
	struct text location;
	const struct shape_totals *totals; /* NULL: not known yet */
};

/* ---- what it says ---- */

int
hms_trouble(const struct hms *hms, const char *said, struct secor_err *err)
{
	char copy[600]; /* may be the text of err itself */

	(void)snprintf(copy, sizeof(copy), "%s", said);
	return secor_fail(err, hive_on_error(hms->conf->on_error), "%s", copy);
}

void
hms_log(const struct hms *hms, const char *event, const struct hive_path *path,
    const char *table)
{
	struct text detail = {0};

	text_addf(&detail, "table=%s topic=%s path=", table, path->topic);
	text_add_json(&detail, path->path);
	if (!detail.failed)
		hms->host->log(hms->host, SECOR_INFO, event, detail.ptr);
	text_fini(&detail);
}

/* ---- may it be a partition ---- */

/* Characters of UTF-8, which the path is where its levels are. */
static size_t
characters(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

static int
check_levels(const struct hive_path *path, struct secor_err *err)
{
	int rc = SECOR_OK;

	if (path->folder[0] == '\0')
		return secor_fail(err, SECOR_REJECT,
		    "the store has no address for its objects");
	for (size_t i = 0; rc == SECOR_OK && i < path->level_count; i++)
		rc = hive_level_check(&path->levels[i], path->path, err);
	if (rc == SECOR_OK && characters(path->path) > MOST_NAME)
		return secor_fail(err, SECOR_REJECT,
		    "the partition's name is over %d characters, which no "
		    "metastore keeps",
		    MOST_NAME);
	if (rc == SECOR_OK && !utf8_is(path->folder))
		return secor_fail(
		    err, SECOR_REJECT, "the folder of the path is not UTF-8");
	return rc;
}

static int
check_keys(const struct hms_table *table, const struct hive_path *path,
    struct secor_err *err)
{
	const struct table_shape *shape = &table->shape;
	struct text keys = {0};
	int same = shape->key_count == path->level_count, rc = SECOR_OK;

	for (size_t i = 0; same && i < shape->key_count; i++)
		same = strcasecmp(shape->keys[i], path->levels[i].name) == 0;
	if (same)
		return SECOR_OK;
	for (size_t i = 0; i < shape->key_count; i++)
		text_addf(&keys, "%s%s", i == 0 ? "" : "/", shape->keys[i]);
	rc = secor_fail(err, SECOR_REJECT,
	    "the levels of path '%.300s' are not the table's partition keys "
	    "(%.300s)",
	    path->path, keys.len > 0 ? keys.ptr : "it has none");
	text_fini(&keys);
	return rc;
}

/* The folder as Hive names it. */
static void
set_location(struct job *job)
{
	const struct secor_pairs *schemes = &job->hms->conf->location_schemes;
	const char *folder = job->path->folder, *at = strstr(folder, "://");

	if (*folder == '/')
		text_adds(&job->location, "file://");
	for (size_t i = 0; at != NULL && i < schemes->count; i++) {
		const struct secor_pair *scheme = &schemes->items[i];

		if (strlen(scheme->key) != (size_t)(at - folder) ||
		    strncmp(scheme->key, folder, (size_t)(at - folder)) != 0)
			continue;
		text_adds(&job->location, scheme->value);
		folder = at;
		break;
	}
	text_adds(&job->location, folder);
}

/* ---- calls ---- */

/* An exception that is not of the kinds that the caller deals with. */
static int
refused(struct job *job, const struct ms_answer *answer, struct secor_err *err)
{
	hms_table_forget(job->table);
	/* metastore.partition.name.whitelist.pattern: a rule about values */
	if (answer->said == MS_META &&
	    strstr(answer->text, "whitelist pattern") != NULL)
		return secor_fail(err, SECOR_REJECT, "%s", answer->text);
	return secor_fail(err, SECOR_RETRY, "%s", answer->text);
}

static int
add(struct job *job, enum ms_said *said, struct secor_err *err)
{
	struct hms *hms = job->hms;
	const struct partition_plan plan = {.db = job->table->db,
	    .table = job->table->name,
	    .location = job->location.ptr,
	    .values = &job->values,
	    .table_sd = job->table->shape.sd,
	    .totals = job->totals};
	struct text partition = {0};
	struct ms_answer answer;
	int rc;

	partition_write(&partition, &plan);
	rc = ms_add_partition(hms->ms, &partition, &answer, err);
	text_fini(&partition);
	if (rc != SECOR_OK)
		return rc;
	*said = answer.said;
	switch (answer.said) {
	case MS_OK:
		hms_log(
		    hms, "hive partition added", job->path, job->table->full);
		hms->host->add(hms->added, 1);
		return SECOR_OK;
	case MS_EXISTS:
		return SECOR_OK;
	case MS_INVALID:
		return secor_fail(err, job->fresh ? SECOR_REJECT : SECOR_OK,
		    "%s", answer.text);
	default:
		return refused(job, &answer, err);
	}
}

static int
alter(struct job *job, const struct text *partition, struct secor_err *err)
{
	struct hms *hms = job->hms;
	struct ms_answer answer;
	int rc = ms_alter_partition(
	    hms->ms, job->table->db, job->table->name, partition, &answer, err);

	if (rc != SECOR_OK)
		return rc;
	if (answer.said != MS_OK)
		return refused(job, &answer, err);
	hms_log(hms, "hive partition altered", job->path, job->table->full);
	hms->host->add(hms->altered, 1);
	return SECOR_OK;
}

/* A partition that is there, against what it should be. */
static int
compare(struct job *job, struct wire found, struct secor_err *err)
{
	const struct shape_totals *totals = job->totals;
	const char *move = NULL;
	struct text place = {0}, changed = {0};
	int rc = SECOR_OK;

	if (!partition_location(found, &place))
		text_adds(&place, "");
	if (place.failed)
		rc = secor_fail(err, SECOR_RETRY, "out of memory");
	else if (!location_is_same(place.ptr, job->location.ptr))
		move = job->location.ptr;
	if (move != NULL && !job->hms->conf->relocate)
		rc = secor_fail(err, SECOR_REJECT,
		    "the partition is there with location %.300s, its objects "
		    "are in %.300s (see `relocate`)",
		    place.ptr, move);
	if (rc == SECOR_OK &&
	    (move != NULL ||
		(totals != NULL && !partition_has(found, totals)))) {
		partition_rewrite(&changed, found, move, totals);
		rc = alter(job, &changed, err);
	}
	text_fini(&place);
	text_fini(&changed);
	return rc;
}

static int
look(struct job *job, enum ms_said *said, struct secor_err *err)
{
	struct ms_answer answer;
	int rc = ms_get_partition(job->hms->ms, job->table->db,
	    job->table->name, &job->values, &answer, err);

	if (rc != SECOR_OK)
		return rc;
	*said = answer.said;
	if (answer.said == MS_OK)
		return compare(job, answer.value, err);
	return answer.said == MS_NO_OBJECT ? SECOR_OK
					   : refused(job, &answer, err);
}

/* ---- together ---- */

static int
get_table(struct job *job, struct secor_err *err)
{
	int rc = hms_table_get(job->hms, job->path, job->location.ptr,
	    &job->table, &job->fresh, err);

	return rc == SECOR_OK ? check_keys(job->table, job->path, err) : rc;
}

/* The table, and whether the path fits it. Nothing is refused by what is
 * remembered: somebody may have made the table anew. */
static int
find_table(struct job *job, struct secor_err *err)
{
	int rc = get_table(job, err);

	if (rc != SECOR_REJECT || job->fresh)
		return rc;
	hms_table_forget(job->table);
	return get_table(job, err);
}

/* Adding comes first where nothing is known of the path: it is most often
 * right. What is not there when it is looked for is added, and the other way
 * round; others may be at it. */
static int
settle(struct job *job, struct secor_err *err)
{
	int adds = job->totals == NULL, rc = find_table(job, err);
	enum ms_said said = MS_OK;

	for (int turn = 0; rc == SECOR_OK && turn < TURNS; turn++) {
		rc = adds ? add(job, &said, err) : look(job, &said, err);
		if (rc != SECOR_OK || said == MS_OK)
			return rc;
		if (said != MS_INVALID) {
			adds = !adds;
			continue;
		}
		/* the table is not what it was */
		hms_table_forget(job->table);
		rc = find_table(job, err);
	}
	return rc != SECOR_OK ? rc
			      : secor_fail(err, SECOR_RETRY,
				    "the partition comes and goes");
}

static int
fill(struct job *job, const char **values, struct secor_err *err)
{
	const struct hive_path *path = job->path;

	for (size_t i = 0; i < path->level_count; i++) {
		const char *value = path->levels[i].value;

		values[i] =
		    value == NULL || *value == '\0' ? NULL_VALUE : value;
	}
	job->values = (struct secor_strings){values, path->level_count};
	set_location(job);
	return job->location.failed
		   ? secor_fail(err, SECOR_RETRY, "out of memory")
		   : SECOR_OK;
}

int
hms_keep(void *self, const struct hive_path *path, struct secor_err *err)
{
	struct hms *hms = self;
	const struct secor_event_path *event = path->event;
	struct job job = {.hms = hms, .path = path};
	struct shape_totals totals;
	const char **values = calloc(path->level_count + 1, sizeof(*values));
	int rc;

	/* an older engine does not count */
	if (event != NULL && event->size >= sizeof(*event)) {
		totals = (struct shape_totals){event->total_objects,
		    event->total_records, event->total_bytes};
		job.totals = &totals;
	}
	if (values == NULL)
		rc = secor_fail(err, SECOR_RETRY, "out of memory");
	else if (event == NULL &&
		 hive_seen_has(hms->seen, path->topic, path->path))
		rc = SECOR_OK;
	else if ((rc = check_levels(path, err)) == SECOR_OK &&
		 (rc = fill(&job, values, err)) == SECOR_OK &&
		 (rc = settle(&job, err)) == SECOR_OK)
		hive_seen_add(hms->seen, path->topic, path->path);
	if (rc == SECOR_RETRY && job.table != NULL)
		hms_table_forget(job.table);
	free(values);
	text_fini(&job.location);
	return rc;
}
