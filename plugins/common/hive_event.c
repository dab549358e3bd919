/*
 * hive_event.c -- see hive_event.h.
 */
#include "plugins/common/hive_event.h"

#include "plugins/common/event_objects.h"

#include <string.h>

enum { PARTITIONS_REMEMBERED = 16384 };

/* The same, with a prefix of what it is about. */
static int
see_to_one(hive_path_fn *see_to, void *self, const struct hive_path *path,
    struct secor_err *err)
{
	struct secor_err why = {""};
	int rc = see_to(self, path, &why);

	return rc == SECOR_OK
		   ? rc
		   : secor_fail(err, rc, "table %.250s, path %.300s: %.500s",
			 path->table, path->path, why.text);
}

static int
see_to_object(hive_path_fn *see_to, void *self, struct hive_path *path,
    const struct secor_event_object *object, struct secor_err *err)
{
	const char *slash = strrchr(object->url, '/');
	struct text folder = {0};
	int rc;

	if (object->level_count == 0)
		return SECOR_OK; /* lies in the table's own folder */
	text_add(&folder, object->url,
	    slash == NULL ? 0 : (size_t)(slash - object->url));
	path->path = object->path;
	path->folder = folder.ptr;
	path->levels = object->levels;
	path->level_count = object->level_count;
	rc = folder.failed ? secor_fail(err, SECOR_RETRY, "out of memory")
			   : see_to_one(see_to, self, path, err);
	text_fini(&folder);
	return rc;
}

int
hive_each_object(const struct hive_table_conf *conf,
    const struct secor_event_batch *batch, hive_path_fn *see_to, void *self,
    struct secor_err *err)
{
	const struct secor_event_object *object = batch->objects;
	struct hive_path path = {.topic = batch->topic};
	struct secor_err why = {""};
	struct text table = {0};
	int worst;
	size_t n;

	if (conf->add != HIVE_ADD_FIRST_OBJECT)
		return SECOR_OK;
	worst = hive_table_of(conf, batch->topic, &table, err);
	n = worst == SECOR_OK && table.len > 0 ? batch->object_count : 0;
	path.table = table.ptr;
	for (size_t i = 0; i < n && worst != SECOR_RETRY; i++) {
		int rc = see_to_object(see_to, self, &path, object, &why);

		if (rc == SECOR_RETRY || (rc != SECOR_OK && worst == SECOR_OK))
			worst = secor_fail(err, rc, "%s", why.text);
		object = event_objects_next(object);
	}
	text_fini(&table);
	return worst;
}

int
hive_whole_path(const struct hive_table_conf *conf,
    const struct secor_event_path *event, hive_path_fn *see_to, void *self,
    struct secor_err *err)
{
	struct hive_path path = {.topic = event->topic,
	    .path = event->path,
	    .folder = event->url,
	    .levels = event->levels,
	    .level_count = event->level_count,
	    .event = event};
	struct text table = {0};
	int rc;

	if (event->level_count == 0 || !event_path_is_whole(event))
		return SECOR_OK;
	rc = hive_table_of(conf, event->topic, &table, err);
	path.table = table.ptr;
	if (rc == SECOR_OK && table.len > 0)
		rc = see_to_one(see_to, self, &path, err);
	text_fini(&table);
	return rc;
}

struct seen *
hive_seen_new(void)
{
	return seen_new(PARTITIONS_REMEMBERED);
}

int
hive_seen_has(const struct seen *seen, const char *topic, const char *path)
{
	struct text key = {0};
	int has;

	text_addf(&key, "%s/%s", topic, path);
	has = !key.failed && seen_has(seen, key.ptr);
	text_fini(&key);
	return has;
}

void
hive_seen_add(struct seen *seen, const char *topic, const char *path)
{
	struct text key = {0};

	text_addf(&key, "%s/%s", topic, path);
	if (!key.failed)
		seen_add(seen, key.ptr);
	text_fini(&key);
}

void
hive_seen_forget(struct seen *seen, const char *topic, const char *path)
{
	struct text key = {0};

	text_addf(&key, "%s/%s", topic, path);
	if (!key.failed)
		seen_forget(seen, key.ptr);
	text_fini(&key);
}

int
event_path_is_whole(const struct secor_event_path *path)
{
	return path->object_count > 0 &&
	       path->objects[0].level_count == path->level_count;
}
