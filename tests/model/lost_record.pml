/*
 * A record that is not what it should be, in Promela (spin 6.5): lost while
 * nobody looks, gone under its owner, or read in an old state; the halt that
 * follows, and the person who goes on from the manifests.
 *
 * One Kafka partition, one owner after another (no zombies, no late packets:
 * commit_protocol.pml has them). The owner may crash before and after every
 * commit, put and manifest. A manifest is man[S] = the chain head behind its
 * batch, as in two_batches.pml; paths are even and odd offsets.
 *
 * THE WORLD
 *    lost      once, while there is no owner, the record vanishes (the group's
 *              offsets expired, or the group was deleted). Nothing that an
 *              owner sent is on its way then.
 *    again     once, while no plan is open, the topic is deleted and created
 *              again under its owner: the record is gone, offsets begin at 0
 *              with other messages, and the owner reads on where it was.
 *    stale     (with -DSTALE) an owner may be told a clean record of the past
 *              when it opens the partition
 *    a person  when a partition is halted or dead, with the record gone:
 *              `secor offsets adopt --from-manifests`: removes what is stored
 *              from the end of the last manifest on, and commits that end with
 *              its chain head (with a mark alone: where the mark says); a topic
 *              that was made again gets a new generation, so other names, from
 *              offset 0 on.
 *
 * PROTOCOL (default build)
 *    record missing  neither manifest nor mark of the partition: new, begins at
 *                    0, commits it clean; else halt
 *    plan            replay of exactly [S,E)
 *    clean           collect; read back: must be what was found or committed;
 *                    missing: halt, and commit the halt; else drop and open
 *                    again; plan, a mark before the first batch of all, objects,
 *                    manifest, final commit
 *
 * PROPERTY, after every change of the record or the store, while there is a
 *    record: as in two_batches.pml, for the messages of the topic as it is now.
 *
 * VARIANTS (each drops one rule or assumption)
 *    SILENT       a missing record is a new partition, manifests or not
 *    NOREADBACK   nothing is read back before a plan
 *    MANIFESTFIRST the manifest is stored before the objects
 *    NOREMOVE     adopting leaves what is stored behind the last manifest
 *    ADOPTNOCHAIN adopting does not take the chain head
 *    NOMARK       no mark before the objects of the first batch
 *    NEWGENERATION (world) the operator raises the generation once while the
 *                 record is clean, and it is lost before the first manifest of
 *                 the new generation
 *    SAMETOPIC    (world) the topic is never made again
 *    STALEPLAN    (world, with STALE) the old record that is told may also be a
 *                 plan: it is committed again without a read-back
 */
#ifndef N
#define N 3
#endif
#ifndef LIVES
#define LIVES 4                        /* owners, one after another */
#endif
#define FULL ((1<<N)-1)
#define RANGE(a,b) (((1<<(b))-1) & ~((1<<(a))-1))
#define ODD ((42 & FULL) * (1 + (1<<N)))       /* odd offsets, of both topics */

mtype { MISSING, CLEAN, PLAN, HALT };
mtype c_kind = MISSING; byte c_off = 0, c_end = 0, c_m = 0;
#ifdef STALE
mtype b_kind = MISSING; byte b_off = 0, b_end = 0, b_m = 0;     /* an earlier one */
#endif

/* obj: bits 0..N-1 are messages of the topic, N..2N-1 of the one made again */
byte obj[2*N], man[N];
bit  again = 0, lost = 0;              /* again: the topic is the one made again */
bit  remade = 0;                       /* ... and no person has heard of it yet */
byte older = 0;                        /* stored under names of older generations */
byte base = 0;                         /* manifests before it have such names */
bit  owned = 0, quiet = 1;             /* quiet: no plan is out */
byte lives = 0;

bit  mark = 0;
#define MANIFESTS (mark || man[0] || man[1 % N] || man[2 % N] || man[3 % N])
#define NOW(bits) (((bits) >> (again * N)) & FULL)

#ifdef SAMETOPIC
#define MAYREMAKE false
#else
#define MAYREMAKE true
#endif

inline check()                         /* inside d_step only */
{
  if
  :: c_kind == CLEAN || c_kind == PLAN ->
     once = older; twice = 0; k = 0;
     do
     :: k < 2*N -> twice = twice | (once & NOW(obj[k])); once = once | NOW(obj[k]); k++
     :: else -> break
     od;
     assert((once & RANGE(0,c_off)) == RANGE(0,c_off));      /* nothing lost  */
     assert((twice & RANGE(0,c_off)) == 0);                  /* nothing twice */
     if
     :: c_end == 0 -> assert((once & ~RANGE(0,c_off) & FULL) == 0)
     :: else       -> assert((once & ~RANGE(0,c_end) & FULL) == 0); assert(twice == 0)
     fi;
     assert((c_m >> c_off) == 1);
     k = base + 1; twice = base;
     do
     :: k <= c_off ->
        if
        :: (c_m & (1<<k)) -> assert(man[twice] == (c_m & RANGE(0,k+1))); twice = k
        :: else
        fi;
        k++
     :: else -> break
     od
  :: else
  fi;
  once = 0; twice = 0; k = 0
}

inline commit(kind,off,end,m)
{
#ifdef STALE
  if
  :: c_kind != MISSING -> b_kind = c_kind; b_off = c_off; b_end = c_end; b_m = c_m
  :: true                              /* an older one than that */
  fi;
#endif
  c_kind = kind; c_off = off; c_end = end; c_m = m;
  printf("RECORD now: %e offset %d end of plan %d chain %d\n", c_kind, c_off, c_end, c_m); check()
}

proctype World()
{
  byte k = 0, once = 0, twice = 0;
end:
  do
  :: d_step { !lost && !owned && c_kind != MISSING && c_kind != HALT ->
       lost = 1; c_kind = MISSING; c_off = 0; c_end = 0; c_m = 0; printf("the record is LOST\n") }
  :: d_step { MAYREMAKE && !again && quiet && c_kind == CLEAN && base == 0 ->
       again = 1; remade = 1; c_kind = MISSING; c_off = 0; c_end = 0; c_m = 0;
#ifdef STALE
       b_kind = MISSING;
#endif
       printf("the topic is DELETED and made again\n") }
#ifdef NEWGENERATION
  :: d_step { !again && !owned && c_kind == CLEAN && base == 0 && c_off > 0 ->
       k = 0;
       do
       :: k < 2*N -> older = older | obj[k]; obj[k] = 0; k++
       :: else -> break
       od;
       k = 0;
       do :: k < N -> man[k] = 0; k++ :: else -> break od;
       k = 0; mark = 0; base = c_off; printf("the operator RAISES the generation at %d\n", base) }
#endif
  /* a person goes on */
  :: d_step { !owned && !remade && (c_kind == MISSING || c_kind == HALT) && MANIFESTS ->
       k = N;
       do :: k > 0 && !man[k-1] -> k-- :: else -> break od;
       if                              /* the last one; its end is its highest bit */
       :: k > 0  -> once = man[k-1]
       :: k == 0 -> once = 1
       fi;
       k = 0;
       do :: (once >> k) > 1 -> k++ :: else -> break od;
#ifndef NOREMOVE
       twice = k;
       do
       :: twice < N -> obj[twice] = 0; obj[N + twice] = 0; twice++
       :: else -> break
       od;
#endif
       printf("a person ADOPTS offset %d\n", k);
       c_kind = CLEAN; c_off = k; c_end = 0; c_m = once;
#ifdef ADOPTNOCHAIN
       c_m = 1 << k;
#endif
#ifdef STALE
       b_kind = MISSING;
#endif
       check() }
  :: d_step { !owned && remade && (c_kind == HALT || (c_kind == MISSING && MANIFESTS)) ->
       k = 0; remade = 0;
       do :: k < 2*N -> obj[k] = 0; k++ :: else -> break od;
       k = 0;
       do :: k < N -> man[k] = 0; k++ :: else -> break od;
       k = 0; mark = 0; c_kind = CLEAN; c_off = 0; c_end = 0; c_m = 1;
       printf("a person begins again at 0 in a NEW generation\n"); check() }
  od
}

#define CRASH  lives < LIVES -> goto crash

proctype Owner()
{
  mtype kind = MISSING; byte S = 0, E = 0, m = 0, bits = 0;
  byte k = 0, once = 0, twice = 0;

crash:
  skip;
  d_step { kind = MISSING; S = 0; E = 0; m = 0; bits = 0; owned = 0; quiet = 1 }
end_away:
  atomic { lives < LIVES -> lives++; owned = 1; printf("owner number %d\n", lives) }
open:
  atomic {
    kind = c_kind; S = c_off; E = c_end; m = c_m; bits = 0;
#ifdef STALE
    if
    :: true
#ifdef STALEPLAN
    :: c_kind != MISSING && b_kind != MISSING ->
#else
    :: c_kind != MISSING && b_kind == CLEAN ->
#endif
       kind = b_kind; S = b_off; E = b_end; m = b_m;
       printf("the owner is told an OLD record: %e offset %d end of plan %d\n", kind, S, E)
    fi;
#endif
    if
    :: kind == HALT -> goto crash      /* waits for a person */
#ifdef SILENT
    :: kind == MISSING ->
#else
    :: kind == MISSING && MANIFESTS -> printf("HALT offsets-lost\n"); goto crash
    :: kind == MISSING && !MANIFESTS ->
#endif
       kind = CLEAN; S = 0; E = 0; m = 1; commit(CLEAN,0,0,1)
    :: kind == PLAN -> quiet = 0; bits = RANGE(S,E) << (again * N); commit(PLAN,S,E,m)
    :: kind == CLEAN
    fi
  }
  if :: kind == PLAN -> goto put :: else fi;

collect:
  if
  :: S == N -> goto done
  :: atomic { S < N -> E = S + 1; do :: E < N -> E++ :: break od;
       bits = RANGE(S,E) << (again * N); printf("the owner collects [%d,%d)\n", S, E) }
  :: CRASH
  fi;
  if
  :: atomic { true ->
#ifndef NOREADBACK
       if
       :: c_kind == MISSING -> printf("HALT record-gone\n"); commit(HALT,S,0,m); goto crash
       :: c_kind != MISSING && (c_kind != CLEAN || c_off != S || c_m != m) -> goto open
       :: else
       fi;
#endif
       quiet = 0; commit(PLAN,S,E,m) }
  :: CRASH
  fi;

put:
#ifndef NOMARK
  if :: d_step { m == 1 -> mark = 1; check() } :: m != 1 :: CRASH fi;
#endif
#ifdef MANIFESTFIRST
  if :: d_step { man[S] = m | (1<<E); check() } :: CRASH fi;
#endif
  if :: d_step { (bits & ODD) -> obj[N+S] = bits & ODD; check() }
     :: !(bits & ODD) :: CRASH fi;
  if :: d_step { (bits & ~ODD) -> obj[S] = bits & ~ODD; check() }
     :: !(bits & ~ODD) :: CRASH fi;
  if :: d_step { man[S] = m | (1<<E); check() } :: CRASH fi;
  if
  :: atomic { true -> m = m | (1<<E); S = E; E = 0; bits = 0; quiet = 1; commit(CLEAN,S,0,m); goto collect }
  :: CRASH
  fi;

done: skip;
end_done:
  if :: CRASH fi
}

init { atomic { run World(); run Owner() } }
