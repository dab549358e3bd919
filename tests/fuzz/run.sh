#!/bin/bash
# Builds the fuzzers with clang's libFuzzer and runs each for FUZZ_SECONDS
# (60): tests/fuzz/run.sh [NAME...]. New inputs stay in build/fuzz/new/<name>;
# one that is worth keeping, and any that fails, goes to tests/fuzz/corpus/<name>,
# which `make check` replays. The last line is "N passed, N failed".
set -uo pipefail
cd "$(dirname "$0")/../.."

seconds=${FUZZ_SECONDS:-60}
clang=${FUZZ_CC:-clang}
passed=0
failed=0
command -v "$clang" >/dev/null || {
	echo "fuzz: $clang is missing: apt-get install clang" >&2
	exit 3
}

run() { # NAME
	local seeds=tests/fuzz/corpus/$1 new=build/fuzz/new/$1 args=()
	local log=build/fuzz/$1.log
	mkdir -p "$new"
	[ ! -f "tests/fuzz/$1.dict" ] || args+=("-dict=tests/fuzz/$1.dict")
	echo "fuzz: $1 for $seconds s"
	"build/fuzz/fuzz/$1" -max_total_time="$seconds" -max_len=9000 \
	    -timeout=20 -artifact_prefix="build/fuzz/$1-" -print_final_stats=1 \
	    "${args[@]}" "$new" "$seeds" >"$log" 2>&1 || {
		tail -60 "$log"
		return 1
	}
	# what it has seen, and how often it ran
	grep -E 'cov: ' "$log" | tail -1
	grep -E 'executed_units|new_units' "$log"
}

if [ $# -eq 0 ]; then
	for file in tests/fuzz/*_fuzz.c; do
		file=${file##*/}
		set -- "$@" "${file%_fuzz.c}"
	done
fi
make -s DEPS=no FUZZ_CC="$clang" "${@/#/build/fuzz/fuzz/}" || exit 2
for name; do
	if run "$name"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAIL fuzz $name: see build/fuzz/$name-*"
	fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
