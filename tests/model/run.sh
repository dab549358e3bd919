#!/bin/bash
# Checks commit_protocol.pml exhaustively: tests/model/run.sh small|large
#
# small (half a minute): the protocol holds within small bounds, and each
# variant that drops one of its rules breaks an assertion. large (minutes, up
# to 8 GB of memory): larger bounds. The last line is "N passed, N failed".
set -uo pipefail
cd "$(dirname "$0")/../.."

MODEL=$PWD/tests/model/commit_protocol.pml
bounds() { # N C MAXGEN
	echo "-DN=$1 -DC=$2 -DMAXGEN=$3"
}

# A row of the tables below: holds|breaks NAME FLAG...
expect() {
	echo "$*"
}

# One row: its line of the report, and below a failure what spin said.
run_row() {
	local want=$1 name=$2 dir=build/model/$2 begin=$SECONDS got
	shift 2
	rm -rf "$dir"
	mkdir -p "$dir"
	(cd "$dir" && spin -a "$@" "$MODEL" >spin.log 2>&1 &&
	    gcc -O2 -w -DSAFETY -DCOLLAPSE -o pan pan.c 2>>spin.log &&
	    ./pan -m1000000 -n) >"$dir/pan.log" 2>&1
	if grep -q 'errors: 0' "$dir/pan.log" &&
	    ! grep -q 'Search not completed\|depth too small' "$dir/pan.log"; then
		got=holds
	elif grep -q 'assertion violated' "$dir/pan.log"; then
		got=breaks
	else
		got="ended without an answer"
	fi
	if [ "$got" = "$want" ]; then
		printf 'ok   %-24s %-6s %12s states %4d s\n' "$name" "$want" \
		    "$(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' \
		    "$dir/pan.log")" $((SECONDS - begin))
	else
		echo "FAIL $name $got, but it should be: $want ($*)"
		tail -5 "$dir/spin.log" "$dir/pan.log" 2>/dev/null
	fi
	rm -f "$dir"/pan "$dir"/pan.*[chbtmp]
}

small() {
	local rule
	expect holds protocol $(bounds 3 2 3) -DSTRICT -DRECOMMIT
	expect holds other-end-recommitted $(bounds 2 2 3) -DSTRICT \
	    -DRECHOOSE -DRECOMMIT
	expect holds changed-config-refused $(bounds 2 2 3) -DRECOMMIT \
	    -DCFGCHANGE -DFPRINT
	expect holds retention-halts $(bounds 2 2 3) -DRECOMMIT -DRETENTION \
	    -DHALT
	expect holds progress $(bounds 2 2 3) -DSTRICT -DRECOMMIT -DMAXLOSS=1
	for rule in SECOR ATLEAST NOFENCE RESTAMP UNSTABLE_READ SKIPINTENT \
	    RECHOOSE WALLCLOCK CFGCHANGE RETENTION; do
		expect breaks $rule $(bounds 2 2 2) -DQUIESCENT -D$rule
	done
	expect breaks SECOR-without-zombies $(bounds 2 2 2) -DQUIESCENT \
	    -DSECOR -DNOZOMBIE
	expect breaks GHOST $(bounds 3 2 2) -DQUIESCENT -DGHOST
}

large() {
	expect holds protocol-4 $(bounds 4 2 3) -DSTRICT -DRECOMMIT
	expect holds protocol-3-slots $(bounds 2 3 3) -DSTRICT -DRECOMMIT
	expect holds protocol-plain $(bounds 3 2 3) -DSTRICT
	expect holds other-end-recommitted-3 $(bounds 3 2 3) -DSTRICT \
	    -DRECHOOSE -DRECOMMIT
	expect holds changed-config-refused-3 $(bounds 3 2 3) -DCFGCHANGE \
	    -DFPRINT
	expect holds progress-3 $(bounds 3 2 3) -DSTRICT -DMAXLOSS=2
}

command -v spin >/dev/null || {
	echo "FAIL spin is missing: deploy/deps.sh test gets it"
	echo "0 passed, 1 failed"
	exit 1
}
case ${1:-} in
small) jobs=${JOBS:-$(nproc)} ;;
large) jobs=1 ;;
*)
	echo "usage: tests/model/run.sh small|large" >&2
	exit 2
	;;
esac
export -f run_row
export MODEL
mkdir -p build/model
"$1" | xargs -P"$jobs" -L1 bash -c 'run_row "$@"' run_row |
    tee build/model/report
passed=$(grep -c '^ok ' build/model/report)
failed=$(($("$1" | wc -l) - passed))
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
