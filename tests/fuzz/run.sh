#!/bin/bash
# Builds the fuzzers with clang's libFuzzer and runs each for FUZZ_SECONDS
# (60): tests/fuzz/run.sh [NAME...]. New inputs stay in build/fuzz/<name>; one
# that is worth keeping goes to tests/fuzz/corpus/<name>, which the unit tests
# replay.
set -euo pipefail
cd "$(dirname "$0")/../.."

seconds=${FUZZ_SECONDS:-60}
clang=${FUZZ_CC:-clang}
command -v "$clang" >/dev/null || {
	echo "fuzz: $clang is missing: apt-get install clang" >&2
	exit 3
}

sources() { # NAME: what the fuzzer tests
	case $1 in
	json_scan) echo plugins/common/json_*.c -ljansson ;;
	sequencefile)
		echo plugins/format/sequencefile/*.c \
			plugins/common/{codec,grow}*.c -lisal -lz -lzstd -lxxhash
		;;
	when)
		echo plugins/common/{when,iso8601,zone}.c -licui18n -licuuc
		;;
	*)
		echo "fuzz: there is no fuzzer '$1'" >&2
		exit 2
		;;
	esac
}

run() { # NAME
	local dir=build/fuzz/$1 dict=tests/fuzz/$1.dict args=() files
	files=$(sources "$1")
	mkdir -p "$dir/new"
	# shellcheck disable=SC2086
	"$clang" -std=c11 -g -O1 -D_GNU_SOURCE \
		'-DSECOR_VERSION="fuzz"' -Iinclude -I. \
		-fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=undefined \
		-o "$dir/$1_fuzz" "tests/fuzz/$1_fuzz.c" $files
	[ ! -f "$dict" ] || args+=("-dict=$dict")
	args+=("$dir/new")
	[ ! -d "tests/fuzz/corpus/$1" ] || args+=("tests/fuzz/corpus/$1")
	echo "fuzz: $1 for $seconds s"
	"$dir/$1_fuzz" -max_total_time="$seconds" -max_len=9000 \
		-artifact_prefix="$dir/" -print_final_stats=1 "${args[@]}"
}

if [ $# -eq 0 ]; then
	for file in tests/fuzz/*_fuzz.c; do
		file=${file##*/}
		set -- "$@" "${file%_fuzz.c}"
	done
fi
for name in "$@"; do
	run "$name"
done
