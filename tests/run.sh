#!/bin/bash
# Runs test suites and sums them up: tests/run.sh SUITE...
#
#   unit asan tsan   Criterion binaries of build/<variant>/unit
#   lint model       each check is one test
#   model-deep       the models within larger bounds
#   fuzz             each fuzz target replays its corpus
#   fuzz-deep        each fuzz target fuzzes for FUZZ_SECONDS (300)
#   flow deep        pytest against real servers, without and with the mark deep
#   flow-asan -tsan  the tests with the mark sanitize, with such a binary
#   a+b              some of these side by side
#   flow-librdkafka  `flow`, where librdkafka reads and not Secor itself
#   newest -all      those with the mark librdkafka, read by it, and all of
#                    `flow`, with the newest librdkafka
#
# The last line is "N passed, N failed", and behind it how many combinations of
# the matrix were run, where it was; nothing ran is a failure. A skipped
# test, a sanitizer's report and a missing dependency count as failed.
set -uo pipefail
cd "$(dirname "$0")/.."
# a make that a test starts is not a child of the one that started us
unset MAKEFLAGS MFLAGS MAKELEVEL

CACHE=${SECOR_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/secor-c}
JOBS=${JOBS:-$(nproc)}
OUT=build/test
passed=0
failed=0
matrix=

count() { # PASSED FAILED
	passed=$((passed + $1))
	failed=$((failed + $2))
}

fail() { # SENTENCE: one failed test
	echo "FAIL $*"
	count 0 1
}

need() { # MODE: are the packages of deploy/deps.sh MODE here?
	local lack
	lack=$(bash deploy/deps.sh have "$1" 2>&1) && return
	fail "$lack"
	return 1
}

# Suites that take the longest are begun first, so that none of them is the last
# one, alone.
LONG="plugins/format/sequencefile/sequencefile_test core/flow/write_test"

# The tests of these wait for a mock broker and need next to no processor.
waits() { # TEST
	grep -q '^MOCK_SIDE_BY_SIDE' "tests/unit/$1.c"
}

# One Criterion binary: its output and exit code into files, a line on success.
run_binary() { # BINARY OUTPUT
	local begin=${EPOCHREALTIME/./}
	mkdir -p "${2%/*}"
	timeout -k 5 600 $SECOR_WRAP "$1" -j1 --verbose >"$2.log" 2>&1
	echo $? >"$2.rc"
	[ "$(cat "$2.rc")" != 0 ] || printf '  %-44s %6d ms\n' \
	    "${1#build/*/unit/}" $(((${EPOCHREALTIME/./} - begin) / 1000))
}
export -f run_binary

# Criterion's own sum, which leaves skipped tests out: they count as failed,
# and so does a binary without a sum or with an exit code.
count_binary() { # NAME OUTPUT
	local plain sum ok all
	plain=$(sed 's/\x1b\[[0-9;]*m//g' "$2.log")
	sum=$(sed -n 's/.*Tested: *\([0-9]*\).*Passing: *\([0-9]*\).*/\1 \2/p' \
	    <<<"$plain" | tail -1)
	read -r all ok <<<"${sum:-0 0}"
	all=$((all + $(grep -c '^\[SKIP\]' <<<"$plain")))
	if [ "$all" -gt 0 ] && [ "$all" = "$ok" ] &&
	    [ "$(cat "$2.rc")" = 0 ]; then
		count "$ok" 0
		return
	fi
	[ "$all" -gt "$ok" ] || all=$((ok + 1))
	count "$ok" $((all - ok))
	echo "FAIL $1 (exit code $(cat "$2.rc"))"
	grep -v '^\[PASS\]\|^\[RUN \]' <<<"$plain" | tail -60 | sed 's/^/    /'
}

suite_criterion() { # SUITE VARIANT
	local out=$OUT/$1 dir=build/$2/unit b r binaries
	rm -rf "$out"
	mkdir -p "$out/reports"
	binaries=$(for b in $(cd tests/unit 2>/dev/null &&
	    find . -name '*_test.c' | sort); do
		echo "$dir/${b:2:-2}"
	done)
	[ -n "$binaries" ] || { fail "tests/unit holds no test"; return; }
	for b in $binaries; do
		[ -x "$b" ] || {
			fail "$b is not built: make unit-$2"
			return
		}
	done
	# Criterion forks and lets a leak of its child pass in silence, so the
	# sanitizers write to files, and a file is a failure.
	r=$PWD/$out/reports
	export SECOR_BUILD=build/$2 SECOR_WRAP=
	export ASAN_OPTIONS=log_path=$r/asan:detect_leaks=1:strict_string_checks=1
	export LSAN_OPTIONS=log_path=$r/lsan
	export UBSAN_OPTIONS=log_path=$r/ubsan:print_stacktrace=1
	export TSAN_OPTIONS=log_path=$r/tsan:second_deadlock_stack=1
	[ ! -f tests/lsan.supp ] ||
	    LSAN_OPTIONS+=:suppressions=$PWD/tests/lsan.supp
	[ ! -f tests/tsan.supp ] ||
	    TSAN_OPTIONS+=:suppressions=$PWD/tests/tsan.supp
	# gcc's TSan knows only some of the address layouts that Linux draws.
	[ "$1" != tsan ] || ! setarch -R true 2>/dev/null ||
	    SECOR_WRAP="setarch -R"
	for b in $LONG $(for b in $binaries; do
		waits "${b#"$dir/"}" || grep -qwF "${b#"$dir/"}" <<<"$LONG" ||
		    echo "${b#"$dir/"}"
	    done); do
		printf '%s\0%s\0' "$dir/$b" "$out/$b"
	done | xargs -0 -n2 -P"$JOBS" bash -c 'run_binary "$0" "$1"' &
	for b in $binaries; do
		waits "${b#"$dir/"}" && run_binary "$b" "$out/${b#"$dir/"}" &
	done
	wait
	for b in $binaries; do
		count_binary "${b#"$dir/"}" "$out/${b#"$dir/"}"
	done
	for r in "$out"/reports/*; do
		[ -f "$r" ] || continue
		fail "sanitizer report ${r##*/}"
		sed 's/^/    /' "$r" | head -60
	done
	unset SECOR_BUILD ASAN_OPTIONS LSAN_OPTIONS UBSAN_OPTIONS TSAN_OPTIONS
}

# A script whose last line is its own sum.
suite_script() { # NAME COMMAND...
	local log=$OUT/$1.log sum
	shift
	"$@" >"$log" 2>&1
	sed '$d' "$log"
	sum=$(tail -1 "$log" |
	    sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p')
	if [ -n "$sum" ]; then
		count $sum
	else
		tail -1 "$log"
		fail "$* ended without a sum"
	fi
}

# Each target of tests/fuzz, with the seeds of its corpus and variations.
suite_fuzz() {
	local file name out=$OUT/fuzz
	mkdir -p "$out"
	for file in tests/fuzz/*_fuzz.c; do
		name=${file##*/} name=${name%_fuzz.c}
		if ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1 \
		    UBSAN_OPTIONS=print_stacktrace=1 timeout -k 5 120 \
		    "build/asan/fuzz/$name" "tests/fuzz/corpus/$name" \
		    >"$out/$name.log" 2>&1; then
			count 1 0
			sed 's/^/  /' "$out/$name.log"
		else
			fail "fuzz $name (exit code $?)"
			tail -40 "$out/$name.log" | sed 's/^/    /'
		fi
	done
}

# Most of a flow test is waiting: FLOW_JOBS of them at a time, each worker with
# servers of its own, which need memory.
flow_jobs() {
	local gb=$(($(sed -n 's/^MemAvailable: *\([0-9]*\).*/\1/p' \
	    /proc/meminfo) >> 20))
	local jobs=$((3 * $(nproc) < gb * 2 / 3 ? 3 * $(nproc) : gb * 2 / 3))
	echo "${FLOW_JOBS:-$((jobs > 2 ? jobs : 2))}"
}

suite_pytest() { # SUITE MARK [VARIANT [FETCH]]
	local variant=${3:-release} wrap= said= r=$PWD/$OUT/$1-reports
	local xml=$OUT/$1.xml log=$OUT/$1.log python=$CACHE/venv/bin/python sum rc
	local librdkafka=
	need test || return
	rm -rf "$xml" "$r"
	mkdir -p "$r"
	# as for the Criterion binaries: reports are files, and fail the run
	[ "$variant" != tsan ] || ! setarch -R true 2>/dev/null ||
	    wrap="setarch -R"
	[ "$variant" != newest ] ||
	    librdkafka=$(sed -n 's/^\([0-9.]*\) .*/\1/p' tests/rig/librdkafka.sum)
	SECOR_BUILD=$PWD/build/$variant PYTHONDONTWRITEBYTECODE=1 \
	    SECOR_LIBRDKAFKA=$librdkafka SECOR_FETCH=${4:-} \
	    ASAN_OPTIONS=log_path=$r/asan:detect_leaks=1 \
	    UBSAN_OPTIONS=log_path=$r/ubsan:print_stacktrace=1 \
	    TSAN_OPTIONS=log_path=$r/tsan:second_deadlock_stack=1:suppressions=$PWD/tests/tsan.supp \
	    $wrap "$python" -m pytest tests/flow -v -m "$2" \
	    -n "$(flow_jobs)" --dist worksteal --junitxml="$xml" \
	    -rN --durations=5 2>&1 | tee "$log" | grep --line-buffered -vE \
	    '^=+ .*(passed|failed|error|deselected).* in [0-9.]+s.* =+$'
	rc=${PIPESTATUS[0]}
	# 0 and 1: the sum tells; 5: no test; the rest: pytest itself failed.
	case $rc in 0 | 1 | 5) ;; *) fail "pytest ended with $rc: $log" ;; esac
	sum=$("$python" - "$xml" <<-'P'
		import sys, xml.etree.ElementTree as tree
		s = tree.parse(sys.argv[1]).getroot().find("testsuite")
		n = {k: int(s.get(k)) for k in
		     ("tests", "failures", "errors", "skipped")}
		bad = n["failures"] + n["errors"] + n["skipped"]
		print(max(n["tests"] - bad, 0), bad)
		P
	) 2>/dev/null || { fail "pytest of suite $1 broke: $log"; return; }
	count $sum
	[ "$sum" != "0 0" ] || echo "suite $1 has no test yet"
	said=$(sed -n 's/.*<property name="matrix" value="\([^"]*\)".*/\1/p' \
	    "$xml" | tail -1)
	[ -z "$said" ] || matrix="; matrix: $said"
	for r in "$r"/*; do
		[ -f "$r" ] || continue
		fail "sanitizer report ${r##*/}"
		sed 's/^/    /' "$r" | head -60
	done
}

# Suites side by side, with few tests each that wait for the most part.
suite_beside() { # SUITE...
	local one
	for one; do
		FLOW_JOBS=${FLOW_JOBS:-3} bash tests/run.sh "$one" \
		    >"$OUT/beside-$one.log" 2>&1 &
	done
	wait
	for one; do
		suite_script "beside-$one-sum" cat "$OUT/beside-$one.log"
	done
}

run_suite() { # SUITE
	case $1 in
	*+*) suite_beside ${1//+/ } ;;
	unit) suite_criterion unit release ;;
	asan | tsan) suite_criterion "$1" "$1" ;;
	lint) need test && suite_script lint bash tests/lint.sh ;;
	model) need test && suite_script model bash tests/model/run.sh small ;;
	model-deep) need test &&
	    suite_script model-deep bash tests/model/run.sh large ;;
	fuzz) suite_fuzz ;;
	fuzz-deep) need test && FUZZ_SECONDS=${FUZZ_SECONDS:-300} \
	    suite_script fuzz-deep bash tests/fuzz/run.sh ;;
	flow) suite_pytest flow "not deep" ;;
	flow-asan) suite_pytest flow-asan sanitize asan ;;
	flow-tsan) suite_pytest flow-tsan sanitize tsan ;;
	flow-librdkafka)
		suite_pytest flow-librdkafka "not deep" release librdkafka ;;
	newest) suite_pytest newest "librdkafka and not deep" newest \
	    librdkafka ;;
	newest-all) suite_pytest newest-all "not deep" newest ;;
	deep) need deep && suite_pytest deep deep ;;
	*) fail "there is no suite '$1': unit asan tsan fuzz fuzz-deep" \
	    "lint model model-deep flow flow-asan flow-tsan newest" \
	    "flow-librdkafka newest-all deep" ;;
	esac
}

mkdir -p "$OUT"
for suite; do
	echo "== $suite"
	begin=$SECONDS
	before="$passed $failed"
	run_suite "$suite"
	read -r p f <<<"$before"
	echo "-- $suite: $((passed - p)) ok, $((failed - f)) not ok," \
	    "$((SECONDS - begin)) s"
done
[ $((passed + failed)) -gt 0 ] || fail "nothing ran"
echo "$passed passed, $failed failed$matrix"
[ "$failed" = 0 ]
