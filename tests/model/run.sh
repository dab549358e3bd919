#!/bin/bash
# Checks the models of the commit protocol exhaustively:
#
#	tests/model/run.sh small|large [WORD]
#
# small (half a minute on two cores): each model holds within small bounds, and
# breaks an assertion when one of its rules is left out. large (minutes, up to
# 2 GB of memory): larger bounds. README.md says what they cover.
# With WORD only rows that have it. The last line is "N passed, N failed".
set -uo pipefail
cd "$(dirname "$0")/../.."

MODELS=$PWD/tests/model
ROW_SECONDS=${ROW_SECONDS:-3600} # a row that takes longer has failed

# A row of the tables below: holds|breaks MODEL NAME FLAG...
expect() {
	echo "$*"
}

# Rules whose absence must show: breaks_each MODEL BOUNDS RULES..., a rule is a
# flag, or several joined by '+'.
breaks_each() {
	local model=$1 bounds=$2 rule
	shift 2
	for rule; do
		expect breaks "$model" "$rule" $bounds "-D${rule//+/ -D}"
	done
}

# One row: its line of the report, and below a failure what spin said.
run_row() {
	local want=$1 model=$2 name=$3 dir=build/model/$2-$3 begin=$SECONDS
	local got optimize=-O2
	shift 3
	rm -rf "$dir"
	mkdir -p "$dir"
	# a counter-example is found sooner than it is compiled well
	[ "$want" = holds ] || optimize=-O0
	(cd "$dir" && spin -a "$@" "$MODELS/$model.pml" >spin.log 2>&1 &&
	    gcc $optimize -w -DSAFETY -DCOLLAPSE -DMEMLIM=8000 -o pan pan.c \
		2>>spin.log &&
	    timeout -k 5 "$ROW_SECONDS" ./pan -m1000000 -n) \
	    >"$dir/pan.log" 2>&1
	if grep -q 'errors: 0' "$dir/pan.log" &&
	    ! grep -q 'Search not completed\|depth too small' "$dir/pan.log"; then
		got=holds
	elif grep -q 'assertion violated' "$dir/pan.log"; then
		got=breaks
	else
		got="ended without an answer"
	fi
	if [ "$got" = "$want" ]; then
		printf 'ok   %-15s %-25s %-6s %10s states %4d s\n' "$model" \
		    "$name" "$want" \
		    "$(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' \
		    "$dir/pan.log")" $((SECONDS - begin))
	else
		echo "FAIL $model $name $got, but it should be: $want ($*)"
		tail -5 "$dir/spin.log" "$dir/pan.log" 2>/dev/null
	fi
	rm -f "$dir"/pan "$dir"/pan.*[chbtmp]
}

one_batch() { # N C MAXGEN
	echo "-DN=$1 -DC=$2 -DMAXGEN=$3"
}

owners() { # N LIVES
	echo "-DN=$1 -DLIVES=$2"
}

small() {
	expect holds commit_protocol protocol $(one_batch 3 2 3)
	expect holds commit_protocol other-end-recommitted \
	    $(one_batch 2 2 3) -DRECHOOSE
	expect holds commit_protocol changed-config $(one_batch 2 2 3) \
	    -DCFGCHANGE
	expect holds commit_protocol retention $(one_batch 2 2 3) -DRETENTION
	expect holds commit_protocol progress $(one_batch 2 2 3) -DMAXLOSS=1
	breaks_each commit_protocol "$(one_batch 2 2 2) -DQUIESCENT" \
	    NOPLAN NOPLAN+NOZOMBIE NOADOPT ATLEAST PUTFIRST ERRORISYES \
	    ERRORISNO RECHOOSE+NORECOMMIT NOFENCE RESTAMP UNSTABLE WALLCLOCK \
	    CFGCHANGE+NOFPRINT RETENTION+NOHALT
	breaks_each commit_protocol "$(one_batch 3 2 2)" GHOST

	expect holds two_batches two-batches $(one_batch 3 2 3)
	expect holds two_batches resolved-by-hand $(one_batch 2 2 3) -DRESOLVE
	expect holds two_batches error-read-back $(one_batch 2 2 3) -DERRORISNO
	expect holds two_batches progress $(one_batch 2 2 3) -DMAXLOSS=1
	breaks_each two_batches "$(one_batch 3 2 3)" EARLYPLAN KEEPCUR \
	    KEEPPLAN KEEPPAST KEEPSTORED+RESOLVE PUTFIRST FINALFIRST \
	    CHAINATCUT NOCHAIN ERRORISNO+NOREADBACK NOFENCE RESTAMP

	expect holds lost_record lost-record $(owners 3 4)
	expect holds lost_record old-record-told $(owners 3 4) -DSTALE
	breaks_each lost_record "$(owners 3 4)" SILENT NOREADBACK \
	    SAMETOPIC+STALE+NOREADBACK MANIFESTFIRST NOREMOVE ADOPTNOCHAIN \
	    NOMARK NEWGENERATION SAMETOPIC+STALE+STALEPLAN
}

large() {
	expect holds commit_protocol protocol-4 $(one_batch 4 2 3)
	expect holds commit_protocol protocol-3-slots $(one_batch 2 3 3)
	expect holds commit_protocol not-recommitted $(one_batch 3 2 3) \
	    -DNORECOMMIT
	expect holds commit_protocol other-end-recommitted-3 \
	    $(one_batch 3 2 3) -DRECHOOSE
	expect holds commit_protocol changed-config-3 $(one_batch 3 2 3) \
	    -DCFGCHANGE
	expect holds commit_protocol retention-3 $(one_batch 3 2 3) -DRETENTION
	expect holds commit_protocol progress-3 $(one_batch 3 2 3) -DMAXLOSS=2

	expect holds two_batches two-batches-4 $(one_batch 4 2 3)
	expect holds two_batches two-batches-4-generations $(one_batch 3 2 4)
	expect holds two_batches two-batches-3-slots $(one_batch 2 3 3)
	expect holds two_batches resolved-by-hand-4 $(one_batch 4 2 3) \
	    -DRESOLVE
	expect holds two_batches not-read-back $(one_batch 3 2 3) -DNOREADBACK
	expect holds two_batches progress-4 $(one_batch 4 2 3) -DMAXLOSS=2

	expect holds lost_record lost-record-4 $(owners 4 8) -DSTALE
}

command -v spin >/dev/null || {
	echo "FAIL spin is missing: deploy/deps.sh test gets it"
	echo "0 passed, 1 failed"
	exit 1
}
rows() {
	"$1" | grep -F -- "$2"
}

case ${1:-} in
small) jobs=${JOBS:-$(nproc)} ;;
large) jobs=1 ;;
*)
	echo "usage: tests/model/run.sh small|large [WORD]" >&2
	exit 2
	;;
esac
export -f run_row
export MODELS ROW_SECONDS
mkdir -p build/model
rows "$1" "${2:-}" | xargs -P"$jobs" -L1 bash -c 'run_row "$@"' run_row |
    tee build/model/report
passed=$(grep -c '^ok ' build/model/report)
failed=$(($(rows "$1" "${2:-}" | wc -l) - passed))
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
