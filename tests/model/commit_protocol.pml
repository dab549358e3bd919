/*
 * The commit protocol in Promela (spin 6.5), for ONE Kafka partition and one
 * batch at a time: the content of the store is exactly-once, and the store is
 * never read back. two_batches.pml and lost_record.pml go on from here.
 *
 * MODEL
 *  - Log of N messages. `part` (one bit a message) says which of P=2 paths a
 *    message goes to; all choices are explored, but for the names of the paths.
 *  - Group coordinator: one record {offset, end of plan} and a generation. A
 *    commit is *admitted* iff its generation is the current one (fencing) and
 *    becomes *visible* and acknowledged in a later, separate step (append vs.
 *    replication). Requests get lost, answers get lost, and a commit may be
 *    answered with an error though it was appended.
 *    "generation" stands for whatever token the broker checks, so for the pair
 *    (generation id, member id).
 *  - C consumer slots. A slot may crash, be revoked or be slow at any step;
 *    nobody tells it that the generation has moved on (zombie). What it sent
 *    (one commit, one PUT an object) stays in flight and may arrive at any
 *    later time, also long after other owners moved on. Slots have no names:
 *    the first owner is slot 0.
 *  - Object store: obj[path][S] = bit set of message offsets; a PUT replaces
 *    the whole object, the last writer wins, nothing is ever read or deleted.
 *
 * PROTOCOL (default build)
 *    fetch (S, plan). plan E -> commit the same plan under the own generation
 *                     none   -> choose any E, commit (S, plan E)
 *    acknowledged -> PUT object (path, S) with the messages of [S,E), each path
 *    all acknowledged -> commit (E, none); go on from E
 *    no answer, or an error -> the very same commit again
 *    fenced -> drop everything
 *
 * PROPERTY, checked after every change of the record or of the store
 *    every offset below the committed one is in exactly one object; nothing
 *    at or above it is in the store, except of the open plan [S,E), there at
 *    most once.
 *    -DQUIESCENT checks only when all is committed and nothing is in flight
 *    (weaker; for what must break, so that it shows a permanent duplicate or
 *    loss and not a passing state).
 *    -DMAXLOSS=k bounds lost messages; then all runs are finite and the process
 *    Final asserts that every run ends with the whole log committed (progress).
 *
 * THE WORLD, more of it
 *    CFGCHANGE     consumers of generations >= CFGGEN route differently
 *    RETENTION     the head of the log is deleted at some point
 *
 * VARIANTS (each drops one rule or assumption)
 *    NOPLAN        no plan: upload, then commit E, as the original did
 *    NOADOPT       a plan that is found is not taken over: another E
 *    ATLEAST       a plan that is found is only a lower bound of the replay
 *    PUTFIRST      puts start before the plan is acknowledged
 *    ERRORISYES    an unclear answer to a plan is taken for its acknowledgement
 *    ERRORISNO     an unclear answer to a final commit is taken for a no: the
 *                  batch is cut again from S
 *    RECHOOSE      after an unclear plan of its own choice another E
 *    NORECOMMIT    puts of a plan that was found begin without committing it
 *                  again (harmless alone; with RECHOOSE it is not)
 *    NOFENCE       commits are admitted whatever their generation
 *    RESTAMP       a consumer that lost the partition but is a group member
 *                  still sends its commit with the *current* generation
 *    UNSTABLE      a fetch may overtake an admitted, not yet visible commit
 *    GHOST         a commit is repeated in the same generation while the first
 *                  request is still travelling
 *    WALLCLOCK     the path of a message differs between attempts
 *    NOFPRINT      (with CFGCHANGE) plans of another fingerprint are replayed
 *    NOHALT        (with RETENTION) a replay goes on with what is left
 *    NOZOMBIE      (world) a slot loses the partition only by crashing, and its
 *                  packets die with it
 *
 * RUN  tests/model/run.sh small|large
 *      A counterexample: spin -a -D... commit_protocol.pml,
 *      gcc -O2 -DSAFETY -DBFS -o pan pan.c && ./pan, spin -t -D... (same file)
 */
#ifndef N
#define N 3            /* log length (<= 7)              */
#endif
#ifndef C
#define C 2            /* consumer slots                 */
#endif
#ifndef MAXGEN
#define MAXGEN 3       /* number of generations explored */
#endif
#ifndef CFGGEN
#define CFGGEN 2
#endif
#define P 2
#define FULL ((1<<N)-1)
#define RANGE(a,b) (((1<<(b))-1) & ~((1<<(a))-1))      /* offsets a..b-1 */

/* ---- group coordinator ---- */
byte c_off = 0, c_end = 0;             /* visible record; c_end 0: no plan */
byte gen = 0;
byte asg[C];                           /* generation given to slot i, not picked up */
bit  pd = 0;                           /* a commit is admitted, not yet visible */
byte pd_off, pd_end, pd_i;             /* pd_i C: nobody is told */
#ifdef CFGCHANGE
byte c_cfg = 0, pd_cfg;                /* fingerprint */
#endif

/* ---- in flight ---- */
bit  rq_busy[C]; byte rq_off[C], rq_end[C], rq_gen[C];
#ifdef CFGCHANGE
byte rq_cfg[C];
#endif
byte rq_res[C];                        /* 0 no answer, 1 committed, 2 fenced, 3 an error */
#ifdef GHOST
bit  gh_busy[C]; byte gh_off[C], gh_end[C], gh_gen[C];
#endif
byte pt_bits[C*P], pt_S[C*P];          /* PUTs; bits 0: none */
bit  waits[C];                         /* the sender is alive and waits for its PUTs */

/* ---- store, log ---- */
byte obj[P*N];
byte part;
#ifdef RETENTION
byte logstart = 0;
#define GONE(S) (logstart > (S))
#else
#define GONE(S) false
#endif

#ifdef MAXLOSS
byte loss = 0;
#define MAYLOSE (loss < MAXLOSS)
#define LOST    loss++
#else
#define MAYLOSE true
#define LOST    skip
#endif

#ifdef NOZOMBIE
byte owner = 255;                      /* 255: the last owner is dead */
#define MAYREBALANCE (gen < MAXGEN && owner == 255)
#else
#define MAYREBALANCE (gen < MAXGEN)
#endif

/* What only a variant looks at costs states elsewhere. */
#if defined(RECHOOSE) || defined(NOHALT)
#define FOUND found
bit found_by[C];
#define SETFOUND(x) found_by[id] = (x)
#else
#define SETFOUND(x) skip
#endif

#ifdef NOFENCE
#define ADMITS(i) true
#else
#define ADMITS(i) (rq_gen[i] == gen)
#endif

/* Every slot may crash or be revoked at every step, except the owner of the
 * last explored generation: somebody has to be able to finish.              */
#define MAYDROP (g < gen || gen < MAXGEN)
#define DROP    MAYDROP -> printf("slot %d drops its state (crash/revoke)\n", id); goto idle

inline check()                         /* inside d_step only */
{
  once = 0; twice = 0; k = 0;
  do
  :: k < P*N -> twice = twice | (once & obj[k]); once = once | obj[k]; k++
  :: else -> break
  od;
#ifdef QUIESCENT
  if
  :: (c_off == N && c_end == 0 && !pd) ->
     k = 0; quiet = 1;
     do
     :: k < C*P -> if :: pt_bits[k] -> quiet = 0 :: else fi; k++
     :: else -> break
     od;
     k = 0;
     do
     :: k < C -> if :: rq_busy[k] -> quiet = 0 :: else fi; k++
     :: else -> break
     od;
     if :: quiet -> assert(twice == 0); assert(once == FULL) :: else fi
  :: else
  fi;
#else
  assert((once & RANGE(0,c_off)) == RANGE(0,c_off));        /* nothing lost  */
  assert((twice & RANGE(0,c_off)) == 0);                    /* nothing twice */
  if
  :: c_end == 0 -> assert((once & ~RANGE(0,c_off) & FULL) == 0)
  :: else       -> assert((once & ~RANGE(0,c_end) & FULL) == 0); assert(twice == 0)
  fi;
#endif
  once = 0; twice = 0; k = 0; quiet = 0
}

proctype Coordinator()
{
  byte i = 0, k = 0, once = 0, twice = 0; bit quiet = 0;
end:
  do
  :: atomic { MAYREBALANCE ->
       i = 0;
       if
       :: gen == 0
       :: else -> do :: i < C-1 -> i++ :: break od
       fi;
       gen++; asg[i] = gen;
#ifdef NOZOMBIE
       owner = i;
#endif
       printf("REBALANCE: generation %d, owner slot %d\n", gen, i); i = 0 }
  :: d_step { pd ->
       c_off = pd_off; c_end = pd_end; pd = 0;
#ifdef CFGCHANGE
       c_cfg = pd_cfg; pd_cfg = 0;
#endif
       if :: pd_i < C -> rq_res[pd_i] = 1 :: else fi;
       pd_off = 0; pd_end = 0; pd_i = 0;
       printf("RECORD now: offset %d end of plan %d\n", c_off, c_end); check() }
#ifdef RETENTION
  :: d_step { logstart == 0 -> logstart = 1; printf("RETENTION deletes offset 0\n") }
#endif
  od
}

inline forget()                        /* the request of slot i is out of the network */
{
  rq_busy[i] = 0; rq_off[i] = 0; rq_end[i] = 0; rq_gen[i] = 0;
#ifdef CFGCHANGE
  rq_cfg[i] = 0
#endif
}

inline admit(told)
{
  pd = 1; pd_off = rq_off[i]; pd_end = rq_end[i]; pd_i = told;
#ifdef CFGCHANGE
  pd_cfg = rq_cfg[i];
#endif
  printf("coordinator admits commit (%d, plan %d) of slot %d, gen %d\n", pd_off, pd_end, i, rq_gen[i])
}

inline land(q)                         /* PUT number q of slot i arrives */
{
  obj[q*N + pt_S[i*P+q]] = pt_bits[i*P+q];
  printf("STORE: object %d@%d = bits %d (from slot %d)\n", q, pt_S[i*P+q], pt_bits[i*P+q], i);
  pt_bits[i*P+q] = 0; pt_S[i*P+q] = 0; check()
}

proctype Net(byte i)                   /* everything slot i has sent */
{
  byte k = 0, once = 0, twice = 0; bit quiet = 0;
end:
  do
  :: d_step { rq_busy[i] && !pd ->
       if
       :: ADMITS(i) -> admit(i)
       :: else -> rq_res[i] = 2;
          printf("coordinator REJECTS commit (%d, plan %d) of slot %d, gen %d\n", rq_off[i], rq_end[i], i, rq_gen[i])
       fi;
       forget() }
  :: d_step { rq_busy[i] && !pd && ADMITS(i) && MAYLOSE ->
       LOST; admit(C); rq_res[i] = 3; printf("... and answers slot %d with an ERROR\n", i);
       forget() }
  :: d_step { rq_busy[i] && MAYLOSE -> LOST; forget(); printf("commit of slot %d is LOST\n", i) }
#ifdef GHOST
  :: d_step { gh_busy[i] && !pd ->
       gh_busy[i] = 0;
       if
       :: gh_gen[i] == gen -> pd = 1; pd_off = gh_off[i]; pd_end = gh_end[i]; pd_i = C;
          printf("coordinator admits the DELAYED commit (%d, plan %d) of slot %d, gen %d\n", pd_off, pd_end, i, gh_gen[i])
       :: else
       fi }
#endif
  :: d_step { pt_bits[i*P]   -> land(0) }
  :: d_step { pt_bits[i*P+1] -> land(1) }
  :: d_step { pt_bits[i*P]   && !waits[i] -> pt_bits[i*P]   = 0; pt_S[i*P]   = 0 }
  :: d_step { pt_bits[i*P+1] && !waits[i] -> pt_bits[i*P+1] = 0; pt_S[i*P+1] = 0 }
  od
}

#define MYCFG (g >= CFGGEN)
#ifdef RESTAMP
#define TOKEN gen
#else
#define TOKEN g
#endif

inline send(o,e)
{
  rq_res[id] = 0; rq_off[id] = o; rq_end[id] = e; rq_gen[id] = TOKEN;
#ifdef CFGCHANGE
  rq_cfg[id] = MYCFG;
#endif
  rq_busy[id] = 1
}

#define UNANSWERED (rq_res[id] == 0 && !rq_busy[id] && !(pd && pd_i == id))

inline fill(p)
{
  if
  :: (bits & msk) -> pt_bits[id*P+p] = bits & msk; pt_S[id*P+p] = S
  :: else
  fi
}

proctype Consumer(byte id)
{
  byte S = 0, E = 0, g = 0, bits = 0, msk = 0;

idle:
  skip;
  d_step { S = 0; E = 0; g = 0; SETFOUND(0); waits[id] = 0; rq_res[id] = 0;
#ifdef NOZOMBIE
    rq_busy[id] = 0; pt_bits[id*P] = 0; pt_bits[id*P+1] = 0; pt_S[id*P] = 0; pt_S[id*P+1] = 0;
    if :: owner == id && asg[id] == 0 -> owner = 255 :: else fi;
#endif
  }
end_idle:
  atomic { asg[id] != 0 -> g = asg[id]; asg[id] = 0 }

fetch:
  if
#ifdef UNSTABLE
  :: atomic { true -> S = c_off; E = c_end; SETFOUND(E != 0);
#else
  :: atomic { !pd  -> S = c_off; E = c_end; SETFOUND(E != 0);     /* require_stable */
#endif
       printf("slot %d (gen %d) fetches offset %d end of plan %d\n", id, g, S, E);
#ifdef NOADOPT
       E = 0;
#endif
#if defined(CFGCHANGE) && !defined(NOFPRINT)
       if :: (E != 0 && c_cfg != MYCFG) -> goto refuse :: else fi
#endif
     }
  :: DROP
  fi;
#ifdef NORECOMMIT
  if :: E != 0 -> goto upload :: else fi;
#endif

next:
  if
  :: E == 0 && S == N -> goto done
  :: atomic { E == 0 && S < N -> E = S+1; do :: E < N -> E++ :: break od;
       printf("slot %d chooses the batch [%d,%d)\n", id, S, E);
#ifdef NOPLAN
       goto upload
#endif
     }
  :: atomic { E != 0 ->
#ifdef ATLEAST
       do :: E < N -> E++ :: break od;
#endif
       printf("slot %d replays [%d,%d)\n", id, S, E) }
  fi;

plan:
  if
  :: atomic { !rq_busy[id] -> send(S,E)
#ifdef PUTFIRST
       ; goto upload
#endif
     }
  :: DROP
  fi;
  if
  :: rq_res[id] == 1 -> goto upload
  :: rq_res[id] == 2 -> printf("slot %d is fenced\n", id); goto idle
  :: rq_res[id] == 3 -> goto unclear
  :: atomic { rq_res[id] == 1 && MAYLOSE -> LOST; goto unclear }          /* ack lost     */
  :: atomic { UNANSWERED -> goto unclear }                                /* request lost */
#ifdef GHOST
  :: atomic { rq_busy[id] && !gh_busy[id] && MAYLOSE -> LOST; gh_busy[id] = 1; gh_off[id] = S; gh_end[id] = E;
       gh_gen[id] = g; rq_busy[id] = 0;
       printf("slot %d gets no answer to (%d, plan %d), repeats it; the first copy is still travelling\n", id, S, E); goto plan }
#endif
  :: DROP
  fi;
unclear:
#ifdef ERRORISYES
  goto upload;
#endif
#ifdef RECHOOSE
  if :: goto plan :: !found_by[id] -> E = 0; goto next fi;
#else
  goto plan;                                                            /* the same again */
#endif

upload:
#ifdef NOPLAN
  /* the original compares the committed offset once more before it uploads */
  if :: c_off == S :: c_off != S -> goto idle fi;
#endif
  if
  :: atomic { pt_bits[id*P] == 0 && pt_bits[id*P+1] == 0 ->
       if
#ifdef NOHALT
       :: GONE(S) && !found_by[id] -> goto refuse
#else
       :: GONE(S) -> goto refuse
#endif
       :: else
       fi;
       bits = RANGE(S,E); msk = part;
#ifdef RETENTION
       bits = bits & ~RANGE(0,logstart);
#endif
#ifdef CFGCHANGE
       if :: MYCFG -> msk = ~part & FULL :: else fi;
#endif
#ifdef WALLCLOCK
       msk = 0; do :: msk < FULL -> msk++ :: break od;
#endif
       waits[id] = 1; fill(1); msk = ~msk & FULL; fill(0); bits = 0; msk = 0;
       printf("slot %d (gen %d) starts its PUTs of [%d,%d)\n", id, g, S, E) }
  :: DROP
  fi;
  if
  :: pt_bits[id*P] == 0 && pt_bits[id*P+1] == 0 -> waits[id] = 0
  :: DROP                                                                 /* between the PUTs */
  fi;

final:
  if
  :: atomic { !rq_busy[id] -> send(E,0) }
  :: DROP
  fi;
  if
  :: atomic { rq_res[id] == 1 -> S = E; E = 0; SETFOUND(0); rq_res[id] = 0; goto next }
  :: rq_res[id] == 2 -> printf("slot %d is fenced\n", id); goto idle
#ifdef ERRORISNO
  :: atomic { rq_res[id] == 3 -> E = 0; goto next }
#else
  :: rq_res[id] == 3 -> goto final
#endif
  :: atomic { rq_res[id] == 1 && MAYLOSE -> LOST; goto final }
  :: atomic { UNANSWERED -> goto final }
#ifdef GHOST
  :: atomic { rq_busy[id] && !gh_busy[id] && MAYLOSE -> LOST; gh_busy[id] = 1; gh_off[id] = E; gh_end[id] = 0;
       gh_gen[id] = g; rq_busy[id] = 0;
       printf("slot %d gets no answer to (%d, -), repeats it; the first copy is still travelling\n", id, E); goto final }
#endif
  :: DROP
  fi;

done:   skip;                          /* still the owner, nothing left to do */
end_done:
  if
  :: DROP
  fi;

refuse: skip;                          /* partition halted, alarm raised */
end_refuse:
  if
  :: DROP
  fi
}

#ifdef MAXLOSS
/* `timeout` = nothing else can move. All runs are finite here, so this says:
 * whatever happened, the last owner has committed the whole log.             */
proctype Final()
{
end: timeout -> assert(c_off == N && c_end == 0)
}
#endif

init {
  atomic {
    byte j = 0;
    part = 0; do :: part < FULL/2 -> part++ :: break od;
    printf("paths of the messages, as bits: %d\n", part);
    run Coordinator();
    do :: j < C -> run Consumer(j); run Net(j); j++ :: else -> break od;
#ifdef MAXLOSS
    run Final()
#endif
  }
}
