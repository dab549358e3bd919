/*
 * Two batches of one Kafka partition at a time, stages that are kept over a
 * rebalance, and manifests with their chain, in Promela (spin 6.5).
 *
 * As commit_protocol.pml, but for these:
 *  - An owner has two slots for batches as core/flow/part.h has: `cur` collects
 *    behind `past`, and `past` goes through the protocol. Messages come one at
 *    a time, whatever else the owner is at.
 *  - A batch ends with its manifest: man[S] = the chain head behind it. A chain
 *    head is the set of all cuts so far (bit E for a batch that ended at E),
 *    which is what a hash over the manifests before it can tell at best. The
 *    record carries it: c_m.
 *  - An owner that is revoked in good order keeps both stages, and what it
 *    knows of objects that are stored. It gets the partition back in a later
 *    generation, or not. A crash and a fence drop everything.
 *  - A commit is visible as soon as it is admitted (the split is in
 *    commit_protocol.pml). It may be answered by an error though it was
 *    appended, get lost, or arrive when its sender is long gone.
 *  - The path of a message is its offset modulo two: neighbours are apart.
 *  - RESOLVE: while nobody owns the partition and nothing is in flight a person
 *    may run `secor offsets resolve --again` once on an open plan: removes what
 *    is stored of it and commits S clean.
 *
 * PROTOCOL (default build)
 *    on assignment the record (S, plan, m) is read
 *      past  stays iff it begins at S and the record is clean, or a plan for
 *            the same range; a plan is committed again before a put, and all
 *            objects are put again
 *      cur   stays iff it begins where past ends, or, without past, at a clean S
 *      a plan without a stage is replayed
 *    past: read back (equal to what is known, or all is dropped) -> commit
 *      (S, plan E, m) -> objects -> manifest -> commit (E, clean, m + E)
 *    cur becomes past when the final commit of past is acknowledged
 *
 * PROPERTY, checked after every change of the record or of the store
 *    as in commit_protocol.pml; and from offset 0 to the committed one there
 *    is a manifest for each batch, each follows the one before it, and the
 *    record follows the last.
 *    -DMAXLOSS=k as there (progress).
 *
 * VARIANTS (each drops one rule)
 *    EARLYPLAN    the second batch is planned while the first is being put
 *    KEEPCUR      a kept `cur` goes on whatever the record says
 *    KEEPPLAN     a kept `cur` goes on at S though the record is a plan
 *    KEEPPAST     a kept `past` is put for any plan that begins at its S
 *    KEEPSTORED   a kept `past` puts only what it had not stored before
 *    PUTFIRST     objects are put before the plan is acknowledged
 *    FINALFIRST   the final commit goes out before the manifest is stored
 *    CHAINATCUT   a batch takes the chain head that the record has at its cut
 *    NOCHAIN      a plan does not carry the chain head
 *    ERRORISNO    an unclear answer to a final commit is taken for a no, and
 *                 the batch is collected again from S
 *    NOREADBACK   nothing is read back before a plan (harmless alone; with
 *                 ERRORISNO it is not)
 *    NOFENCE, RESTAMP as in commit_protocol.pml
 */
#ifndef N
#define N 3
#endif
#ifndef C
#define C 2
#endif
#ifndef MAXGEN
#define MAXGEN 3
#endif
#define FULL ((1<<N)-1)
#define RANGE(a,b) (((1<<(b))-1) & ~((1<<(a))-1))
#define ODD (2+8+32)

/* ---- group coordinator ---- */
byte c_off = 0, c_end = 0, c_m = 1;    /* chain: a cut at 0 */
byte gen = 0;
byte asg[C];

/* ---- in flight ---- */
bit  rq_busy[C]; byte rq_off[C], rq_end[C], rq_m[C], rq_gen[C];
byte rq_res[C];                        /* 0 no answer, 1 committed, 2 fenced, 3 an error */
byte pt_S[C], pt_bits[C*2], pt_m[C];   /* PUTs of a batch: two objects, a manifest */
bit  waits[C];

/* ---- store ---- */
byte obj[2*N], man[N];

#ifdef MAXLOSS
byte loss = 0;
#define MAYLOSE (loss < MAXLOSS)
#define LOST    loss++
#else
#define MAYLOSE true
#define LOST    skip
#endif

#ifdef NOFENCE
#define ADMITS(i) true
#else
#define ADMITS(i) (rq_gen[i] == gen)
#endif
#ifdef RESTAMP
#define TOKEN gen
#else
#define TOKEN g
#endif
#define MAYDROP (g < gen || gen < MAXGEN)

#ifdef RESOLVE
bit  owned[C], resolved;
#define OWNED(x) owned[id] = x
#else
#define OWNED(x) skip
#endif

inline check()                         /* inside d_step only */
{
  once = 0; twice = 0; k = 0;
  do
  :: k < 2*N -> twice = twice | (once & obj[k]); once = once | obj[k]; k++
  :: else -> break
  od;
  assert((once & RANGE(0,c_off)) == RANGE(0,c_off));        /* nothing lost  */
  assert((twice & RANGE(0,c_off)) == 0);                    /* nothing twice */
  if
  :: c_end == 0 -> assert((once & ~RANGE(0,c_off) & FULL) == 0)
  :: else       -> assert((once & ~RANGE(0,c_end) & FULL) == 0); assert(twice == 0)
  fi;
  /* the chain: `twice` is the cut before k */
  assert(c_m & 1); assert((c_m >> c_off) == 1);
  k = 1; twice = 0;
  do
  :: k <= c_off ->
     if
     :: (c_m & (1<<k)) -> assert(man[twice] == (c_m & RANGE(0,k+1))); twice = k
     :: else
     fi;
     k++
  :: else -> break
  od;
  once = 0; twice = 0; k = 0
}

inline forget()
{
  rq_busy[i] = 0; rq_off[i] = 0; rq_end[i] = 0; rq_m[i] = 0; rq_gen[i] = 0
}

inline admit()
{
  c_off = rq_off[i]; c_end = rq_end[i]; c_m = rq_m[i];
  printf("RECORD now: offset %d end of plan %d chain %d (slot %d gen %d)\n", c_off, c_end, c_m, i, rq_gen[i]);
  check()
}

proctype World()
{
  byte i = 0, k = 0, once = 0, twice = 0;
end:
  do
  :: atomic { gen < MAXGEN ->
       i = 0;
       if
       :: gen == 0
       :: else -> do :: i < C-1 -> i++ :: break od
       fi;
       gen++; asg[i] = gen;
       printf("REBALANCE: generation %d, owner slot %d\n", gen, i); i = 0 }
#ifdef RESOLVE
  :: d_step { c_end != 0 && !resolved && gen < MAXGEN ->
       i = 0;
       do
       :: i < C && !rq_busy[i] && !pt_bits[2*i] && !pt_bits[2*i+1] && !pt_m[i] && !owned[i] && !asg[i] -> i++
       :: else -> break
       od;
       if
       :: i == C && man[c_off] == 0 ->
          resolved = 1; obj[c_off] = 0; obj[N+c_off] = 0; c_end = 0;
          printf("RESOLVE --again: clean at %d\n", c_off); check()
       :: else
       fi;
       i = 0 }
#endif
  od
}

proctype Net(byte i)
{
  byte k = 0, once = 0, twice = 0;
end:
  do
  :: d_step { rq_busy[i] ->
       if
       :: ADMITS(i) -> rq_res[i] = 1; admit()
       :: else -> rq_res[i] = 2; printf("coordinator REJECTS commit (%d, plan %d) of slot %d, gen %d\n", rq_off[i], rq_end[i], i, rq_gen[i])
       fi;
       forget() }
  :: d_step { rq_busy[i] && ADMITS(i) && MAYLOSE ->
       LOST; rq_res[i] = 3; admit(); printf("... and answers slot %d with an ERROR\n", i); forget() }
  :: d_step { rq_busy[i] && MAYLOSE -> LOST; rq_res[i] = 3; printf("commit of slot %d is LOST\n", i); forget() }
  :: d_step { pt_bits[2*i] ->
       obj[pt_S[i]] = pt_bits[2*i]; pt_bits[2*i] = 0;
       printf("STORE: object even@%d = bits %d (slot %d)\n", pt_S[i], obj[pt_S[i]], i);
       if :: !pt_bits[2*i+1] && !pt_m[i] -> pt_S[i] = 0 :: else fi; check() }
  :: d_step { pt_bits[2*i+1] ->
       obj[N+pt_S[i]] = pt_bits[2*i+1]; pt_bits[2*i+1] = 0;
       printf("STORE: object odd@%d = bits %d (slot %d)\n", pt_S[i], obj[N+pt_S[i]], i);
       if :: !pt_bits[2*i] && !pt_m[i] -> pt_S[i] = 0 :: else fi; check() }
  :: d_step { pt_m[i] ->
       man[pt_S[i]] = pt_m[i]; pt_m[i] = 0;
       printf("STORE: manifest@%d = chain %d (slot %d)\n", pt_S[i], man[pt_S[i]], i); pt_S[i] = 0; check() }
  :: d_step { !waits[i] && (pt_bits[2*i] || pt_bits[2*i+1] || pt_m[i]) ->
       if                              /* what is left of it never arrives */
       :: pt_bits[2*i]   -> pt_bits[2*i] = 0
       :: pt_bits[2*i+1] -> pt_bits[2*i+1] = 0
       :: pt_m[i]        -> pt_m[i] = 0
       fi;
       if :: !pt_bits[2*i] && !pt_bits[2*i+1] && !pt_m[i] -> pt_S[i] = 0 :: else fi }
  od
}

mtype { AWAY, RUN };
mtype { NONE, CHECK, PLAN, PLANNED, PUT, PUTTING, LIST, LISTING, FINAL, FINISHED };

#define ONTHEWAY (pt_bits[2*id] || pt_bits[2*id+1] || pt_m[id])

inline send(o,e,m)
{
  rq_res[id] = 0; rq_off[id] = o; rq_end[id] = e; rq_m[id] = m; rq_gen[id] = TOKEN; rq_busy[id] = 1
}

inline dropall()
{
  ps = NONE; pS = 0; pE = 0; cS = 0; cE = 0; rS = 0; rE = 0; rM = 0; st = AWAY; g = 0;
  waits[id] = 0; rq_res[id] = 0; OWNED(0);
#ifdef CHAINATCUT
  cM = 0; pM = 0;
#endif
#ifdef KEEPSTORED
  had = 0;
#endif
}

#ifdef CHAINATCUT
#define HEAD pM
#else
#define HEAD rM
#endif
#ifdef NOCHAIN
#define PLANHEAD (1<<pS)
#else
#define PLANHEAD HEAD
#endif
#define NEXT (cE != 0 -> cE : (ps != NONE -> pE : rS))

/* What the record that was found makes of kept stages. */
inline open()
{
  kept = 0;
  if
  :: ps == NONE
  :: ps != NONE && !ONTHEWAY && pS == c_off && c_end == 0 -> kept = 1; ps = CHECK
#ifdef KEEPPAST
  :: ps != NONE && !ONTHEWAY && pS == c_off && c_end != 0 -> kept = 1; ps = PLAN
#else
  :: ps != NONE && !ONTHEWAY && pS == c_off && c_end == pE -> kept = 1; ps = PLAN
#endif
  :: else -> ps = NONE; pS = 0; pE = 0
  fi;
  if
  :: cE == 0
#ifdef KEEPCUR
  :: cE != 0
#else
  :: cE != 0 && kept && cS == pE
  :: cE != 0 && !kept && c_end == 0 && cS == c_off
#ifdef KEEPPLAN
  :: cE != 0 && !kept && c_end != 0 && cS == c_off
#endif
#endif
  :: else -> cS = 0; cE = 0
  fi;
  rS = c_off; rE = c_end; rM = c_m;
  if
  :: c_end != 0 && !kept && cE == 0 -> ps = PLAN; pS = c_off; pE = c_end  /* replay */
  :: else
  fi;
#ifdef CHAINATCUT
  pM = rM;
#endif
#ifdef KEEPSTORED
  if :: !kept -> had = 0 :: else fi;
#endif
  printf("slot %d (gen %d) opens at offset %d plan %d: past kept %d, cur [%d,%d)\n", id, g, rS, rE, kept, cS, cE);
  kept = 0; st = RUN; OWNED(1)
}

inline fill()
{
  pt_S[id] = pS; waits[id] = 1;
  pt_bits[2*id]   = RANGE(pS,pE) & ~ODD;
  pt_bits[2*id+1] = RANGE(pS,pE) & ODD;
#ifdef KEEPSTORED
  pt_bits[2*id]   = ((had & 1) -> 0 : pt_bits[2*id]);
  pt_bits[2*id+1] = ((had & 2) -> 0 : pt_bits[2*id+1]);
  if :: !pt_bits[2*id] && !pt_bits[2*id+1] -> pt_S[id] = 0 :: else fi;
#endif
  printf("slot %d (gen %d) starts its PUTs of [%d,%d)\n", id, g, pS, pE)
}

proctype Owner(byte id)
{
  mtype st = AWAY, ps = NONE;
  byte g = 0, rS = 0, rE = 0, rM = 0, pS = 0, pE = 0, cS = 0, cE = 0; bit kept = 0;
#ifdef CHAINATCUT
  byte cM = 0, pM = 0;
#endif
#ifdef KEEPSTORED
  byte had = 0;                        /* objects of past that are stored */
#endif
end:
  do
  :: atomic { st == AWAY && asg[id] != 0 -> g = asg[id]; asg[id] = 0; open() }

  /* ---- collect ---- */
  :: atomic { st == RUN && NEXT < N ->
       if
       :: cE == 0 -> cS = NEXT; cE = cS + 1;
#ifdef CHAINATCUT
          cM = rM
#endif
       :: else -> cE++
       fi }
  :: atomic { st == RUN && ps == NONE && cE != 0 ->
       ps = CHECK; pS = cS; pE = cE; cS = 0; cE = 0;
#ifdef CHAINATCUT
       pM = cM; cM = 0;
#endif
       printf("slot %d cuts [%d,%d)\n", id, pS, pE) }

  /* ---- past ---- */
  :: atomic { st == RUN && ps == CHECK && !rq_busy[id] ->
       if
#ifndef NOREADBACK
       :: c_off != rS || c_end != rE || c_m != rM ->
          printf("slot %d finds another record than its own\n", id); dropall()
#endif
#ifdef PUTFIRST
       :: !ONTHEWAY -> send(pS,pE,PLANHEAD); fill(); ps = PUTTING
#else
       :: else -> send(pS,pE,PLANHEAD); ps = PLANNED
#endif
       fi }
  :: atomic { st == RUN && ps == PLAN && !rq_busy[id] -> send(pS,pE + (rE != 0) * (rE - pE),PLANHEAD); ps = PLANNED }
  :: atomic { st == RUN && ps == PLANNED && rq_res[id] ->
       if
       :: rq_res[id] == 1 -> rS = pS; rE = pE; rM = PLANHEAD; ps = PUT; rq_res[id] = 0
       :: rq_res[id] == 2 -> printf("slot %d is fenced\n", id); dropall()
       :: rq_res[id] == 3 -> ps = PLAN; rq_res[id] = 0
       fi }
  :: atomic { st == RUN && ps == PUT && !ONTHEWAY -> fill(); ps = PUTTING }
  :: atomic { st == RUN && ps == PUTTING && !ONTHEWAY ->
#ifdef KEEPSTORED
       had = 3;
#endif
       ps = LIST }
#ifdef EARLYPLAN
  :: atomic { st == RUN && ps == PUTTING && cE != 0 && !rq_busy[id] && rE == pE ->
       send(pE,cE,rM | (1<<pE)); rE = 255 }
#endif
  :: atomic { st == RUN && ps == LIST ->
       pt_S[id] = pS; pt_m[id] = HEAD | (1<<pE); waits[id] = 1; ps = LISTING;
#ifdef FINALFIRST
       ps = FINAL
#endif
     }
  :: atomic { st == RUN && ps == LISTING && !ONTHEWAY -> waits[id] = 0; ps = FINAL }
  :: atomic { st == RUN && ps == FINAL && !rq_busy[id] -> send(pE,0,HEAD | (1<<pE)); ps = FINISHED }
  :: atomic { st == RUN && ps == FINISHED && rq_res[id] ->
       if
       :: rq_res[id] == 1 ->
          rM = HEAD | (1<<pE); rS = pE; rE = 0; ps = NONE; pS = 0; pE = 0; rq_res[id] = 0;
#ifdef CHAINATCUT
          pM = 0;
#endif
#ifdef KEEPSTORED
          had = 0;
#endif
       :: rq_res[id] == 2 -> printf("slot %d is fenced\n", id); dropall()
       :: rq_res[id] == 3 ->
#ifdef ERRORISNO
          rE = 0; ps = NONE; pS = 0; pE = 0; cS = 0; cE = 0; rq_res[id] = 0
#else
          ps = FINAL; rq_res[id] = 0
#endif
       fi }

  /* ---- the end of an ownership ---- */
  :: atomic { st == RUN && MAYDROP ->
       st = AWAY; waits[id] = 0; rq_res[id] = 0; OWNED(0);
#ifdef KEEPSTORED
       had = (ps == PUTTING -> (pt_bits[2*id] == 0) + 2*(pt_bits[2*id+1] == 0) : (ps == LIST || ps == LISTING || ps == FINAL || ps == FINISHED -> 3 : 0));
#endif
       printf("slot %d is REVOKED and keeps [%d,%d) [%d,%d)\n", id, pS, pE, cS, cE) }
  :: atomic { (st == RUN && MAYDROP) || (st == AWAY && NEXT != 0) -> printf("slot %d CRASHES\n", id); dropall() }
  od
}

#ifdef MAXLOSS
proctype Final()
{
end: timeout -> assert(c_off == N && c_end == 0)
}
#endif

init {
  atomic {
    byte j = 0;
    run World();
    do :: j < C -> run Owner(j); run Net(j); j++ :: else -> break od;
#ifdef MAXLOSS
    run Final()
#endif
  }
}
