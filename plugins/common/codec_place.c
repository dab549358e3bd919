/*
 * codec_place.c -- see codec_place.h. Places are never unmapped: there are as
 * many as threads have compressed at the same time.
 */
#include "plugins/common/codec_place.h"

#include <isa-l/crc.h>

#include <pthread.h>
#include <sys/mman.h>

/* Above where allocators look for memory, far below where the system does. */
#define FIRST ((uintptr_t)0x200000000000)
#define LAST ((uintptr_t)0x300000000000)
#define STEP ((uintptr_t)1 << 16)
/* The largest table has 2^15 entries, so one address in 2^15 will do. */
#define HASH_MASK 0x7fffu
#define HASH 0x1234u
#ifdef __SANITIZE_THREAD__
#define MOST_FAILURES 0 /* it knows better where memory may be */
#else
#define MOST_FAILURES 8
#endif

struct place {
	union {
		struct isal_zstream z; /* first: its address is what counts */
		struct place *next;    /* while it is free */
	} u;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct place *free_places;
static uintptr_t next_address = FIRST;
static int failures;

/* As ISA-L makes it of the pointer. */
static unsigned
hash_of(uintptr_t address)
{
	uint32_t bits = (uint32_t)(address >> 16);

	return crc32_iscsi((unsigned char *)&bits, sizeof(bits), 0) & HASH_MASK;
}

/* Maps the next address that will do. Holds: lock. */
static struct place *
map_next(void)
{
	uintptr_t at;
	void *got;

	while (failures < MOST_FAILURES && next_address < LAST) {
		at = next_address;
		next_address += STEP;
		if (hash_of(at) != HASH)
			continue;
		got = mmap((void *)at, sizeof(struct place),
		    PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
		if (got == (void *)at)
			return got;
		if (got != MAP_FAILED) /* an old kernel takes it as a wish */
			(void)munmap(got, sizeof(struct place));
		failures++;
	}
	return NULL;
}

struct isal_zstream *
codec_place_take(void)
{
	struct place *place;

	(void)pthread_mutex_lock(&lock);
	place = free_places;
	if (place != NULL)
		free_places = place->u.next;
	else
		place = map_next();
	(void)pthread_mutex_unlock(&lock);
	return place != NULL ? &place->u.z : NULL;
}

void
codec_place_give(struct isal_zstream *z)
{
	struct place *place = (struct place *)z;

	if (place == NULL)
		return;
	(void)pthread_mutex_lock(&lock);
	place->u.next = free_places;
	free_places = place;
	(void)pthread_mutex_unlock(&lock);
}
