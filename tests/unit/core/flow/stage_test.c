/*
 * stage_test.c -- locked folders, wiping, room.
 */
#include "core/flow/stage.h"

#include "core/base/buf.h"
#include "core/base/files.h"
#include "core/base/log.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/stage_test.XXXXXX";

static void
setup(void)
{
	log_level_set(SECOR_ERROR);
	cr_assert_not_null(mkdtemp(dir));
}

static void
teardown(void)
{
	cr_assert_eq(file_remove_tree(dir, NULL), SECOR_OK);
}

TestSuite(stage, .init = setup, .fini = teardown);

static char *
inside(const char *name)
{
	return mem_text("%s/%s", dir, name);
}

static int
exists(const char *name)
{
	char *path = inside(name);
	struct stat st;
	int there = lstat(path, &st) == 0;

	free(path);
	return there;
}

static void
put_file(const char *name)
{
	char *path = inside(name);
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	cr_assert_geq(fd, 0, "%s", path);
	cr_assert_eq(write(fd, "x", 1), 1);
	(void)close(fd);
	free(path);
}

static void
put_folder(const char *name)
{
	char *path = inside(name);

	cr_assert_eq(mkdir(path, 0700), 0, "%s", path);
	free(path);
}

static struct stage *
opened(void)
{
	struct stage *stage = NULL;
	struct secor_err err;

	cr_assert_eq(stage_open(dir, &stage, &err), SECOR_OK, "%s", err.text);
	return stage;
}

Test(stage, name_twice_gives_two_names_in_an_own_folder)
{
	struct stage *stage = opened();
	char *a = stage_name(stage), *b = stage_name(stage);
	char *folder = mem_text("%s/%ld-0/", dir, (long)getpid());

	cr_assert_str_neq(a, b);
	cr_assert_eq(strncmp(a, folder, strlen(folder)), 0, "%s", a);
	cr_assert_eq(strncmp(b, folder, strlen(folder)), 0, "%s", b);
	free(a);
	free(b);
	free(folder);
	stage_close(stage);
}

Test(stage, open_makes_folders_that_others_cannot_enter)
{
	struct stage *stage = opened();
	char *folder = mem_text("%s/%ld-0", dir, (long)getpid());
	struct stat st;

	cr_assert_eq(stat(folder, &st), 0);
	cr_assert_eq(st.st_mode & 07777, 0700);
	free(folder);
	stage_close(stage);
}

Test(stage, open_beside_a_live_one_takes_another_folder)
{
	struct stage *first = opened();
	char *name = stage_name(first);
	int fd = open(name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	struct stage *second = opened();
	char *other = stage_name(second);
	char *folder = mem_text("%s/%ld-1/0", dir, (long)getpid());

	cr_assert_geq(fd, 0);
	(void)close(fd);
	cr_assert_str_eq(other, folder);
	cr_assert_eq(access(name, F_OK), 0, "the first one's file is gone");
	free(name);
	free(other);
	free(folder);
	stage_close(first);
	stage_close(second);
}

Test(stage, open_wipes_what_a_dead_process_left)
{
	struct stage *stage;

	put_folder("4000000-0"); /* died before it made its lock */
	put_folder("4000001-7");
	put_file("4000001-7/.lock");
	put_file("4000001-7/12");
	stage = opened();
	cr_assert_not(exists("4000000-0"));
	cr_assert_not(exists("4000001-7"));
	stage_close(stage);
}

Test(stage, open_leaves_what_is_not_its_own)
{
	struct stage *stage;

	put_folder("precious");
	put_file("precious/1");
	put_folder("12-");
	put_folder("12-3x");
	put_file("notes");
	stage = opened();
	cr_assert(exists("precious/1"));
	cr_assert(exists("12-"));
	cr_assert(exists("12-3x"));
	cr_assert(exists("notes"));
	stage_close(stage);
}

Test(stage, close_removes_the_folder)
{
	struct stage *stage = opened();
	char *name = stage_name(stage);
	char *folder = mem_text("%ld-0", (long)getpid());
	int fd = open(name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	cr_assert_geq(fd, 0);
	(void)close(fd);
	stage_close(stage);
	cr_assert_not(exists(folder));
	free(name);
	free(folder);
	stage_close(NULL);
}

Test(stage, open_under_a_plain_file_is_fatal_and_names_it)
{
	struct stage *stage = NULL;
	struct secor_err err;
	char *path = inside("file/below");

	put_file("file");
	cr_assert_eq(stage_open(path, &stage, &err), SECOR_FATAL);
	cr_assert_null(stage);
	cr_assert_not_null(
	    strstr(err.text, "/file: Not a directory"), "%s", err.text);
	cr_assert_not_null(strstr(err.text, "stage.dir"), "%s", err.text);
	free(path);
}

/* As when the disk is full: a file can be made, but takes no byte. */
Test(stage, open_where_nothing_can_be_written_is_fatal)
{
	struct rlimit none = {0, 0};
	struct stage *stage = NULL;
	struct secor_err err;
	char *folder = mem_text("%ld-0", (long)getpid());

	(void)signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
	cr_assert_eq(stage_open(dir, &stage, &err), SECOR_FATAL);
	cr_assert_not_null(
	    strstr(err.text, ".lock: File too large"), "%s", err.text);
	cr_assert_not(exists(folder), "a folder is left over");
	free(folder);
}

Test(stage, room_is_the_limit_less_what_is_used)
{
	struct stage *stage = opened();

	stage_count(stage, 1000);
	cr_assert_eq(stage_used(stage), 1000);
	cr_assert_eq(stage_room(stage, 4096), 3096);
	cr_assert_eq(stage_room(stage, 100), 0);
	cr_assert_gt(stage_room(stage, 0), 0);
	cr_assert_leq(stage_room(stage, 0), file_space_left(dir));
	stage_count(stage, -1000);
	cr_assert_eq(stage_room(stage, 4096), 4096);
	stage_close(stage);
}
