#!/bin/bash
# What the product costs, next to what librdkafka costs alone: prints one table.
#
#   BENCH_RUNS=5       runs of each row; they alternate, the table has medians
#   BENCH_MB=300       megabytes (1e6) of message values a run
#   BENCH_ONLY=REGEX   rows whose name matches, such as '^1 300 text'
#   BENCH_DIR=DIR      for staged files and objects; default TMPDIR or /var/tmp
#   BENCH_RAW=FILE     keeps the figures of each run
#
# A row is: cores, bytes of a message, what reads. "bare" is consume-and-drop,
# "bare-mi" the same with the product's allocator, "plain-text" and "plain-gzip"
# the program that one writes first (bench/plain.c), with a tenth of the
# megabytes; "text-parts" is text with 512 partitions, "text-objects" with 20 and
# a path for each of 50 values beside the hour: 1,000 and more open objects,
# every message into a random one. On one core everything is pinned there, the
# broker too.
set -euo pipefail
cd "$(dirname "$0")/.."

runs=${BENCH_RUNS:-5}
megabytes=${BENCH_MB:-300}
only=${BENCH_ONLY:-.}
bin=$PWD/build/release/bench
dir=$(mktemp -d "${BENCH_DIR:-${TMPDIR:-/var/tmp}}/secor-bench.XXXXXX")
raw=${BENCH_RAW:-$dir/raw.tsv}
trap 'rm -rf "$dir"' EXIT

readarray -t cores < <(python3 -c \
    'import os; print(*sorted(os.sched_getaffinity(0))[-2:], sep="\n")')
declare -A pin=([1]=${cores[-1]})
[ ${#cores[@]} -lt 2 ] || pin[2]=${cores[0]},${cores[1]}

declare -A formats=(
	[text]='{ use: text }'
	[gzip]='{ use: text, compression: gzip }'
	[zstd]='{ use: text, compression: zstd }'
	[sequencefile]='{ use: sequencefile }'
)

declare -A partitions_of=([text-parts]=512 [text-objects]=20)

# text-local is text with a real store: staged files read again and copied.
config() { # ROW
	local store="{ use: $bin/drop.so }" paths='{ use: date, granularity: hour }'
	[[ $1 != *-local ]] || store="{ use: local, dir: $dir/run/out }"
	[[ $1 != *-objects ]] ||
		paths="[ $paths, { use: field, fields: [status] } ]"
	cat <<-END
	kafka:
	  brokers: ["\${BENCH_BROKER}"]
	  group: bench
	  topics: [bench]
	parser: { use: json, time_field: timestamp }
	partitioner: $paths
	format: ${formats[${1%-*}]}
	batch: { max_bytes: 64MiB, max_age: 1h, on_stop: finish }
	stage: { dir: $dir/run/stage }
	store: $store
	http: { listen: "\${BENCH_HTTP}" }
	engine: { log_level: warn }
	END
}

one() { # CORES SIZE ROW
	local out command=("$bin/$3") http=() partitions=${partitions_of[$3]:-4}
	local messages=$((megabytes * 1000000 / $2 / partitions))
	mkdir -p "$dir/run"
	if [[ $3 == plain-* ]]; then
		messages=$((messages / 10))
		command=("$bin/plain" "$dir/run" "${3#plain-}")
	elif [[ $3 != bare* ]]; then
		(umask 077 && config "$3" >"$dir/run/bench.yaml")
		command=(build/secor run "$dir/run/bench.yaml")
		http=(--http)
	fi
	out=$(taskset -c "${pin[$1]}" "$bin/broker/broker" --size "$2" \
	    --partitions "$partitions" --messages "$messages" "${http[@]}" \
	    "${command[@]}")
	rm -rf "$dir/run"
	printf '%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$out" >>"$raw"
}

rows() {
	local n
	for n in "${!pin[@]}"; do
		printf '%s\n' "$n 300 "{bare,bare-mi,text,sequencefile,gzip,zstd} \
		    "$n 300 text-"{local,parts,objects} \
		    "$n 300 plain-"{text,gzip} \
		    "$n 100 "{bare,text,gzip} \
		    "$n 1024 "{bare,text,gzip}
	done | sort -s -n -k 1,1
}

# The rows asked for, and the bare loop of the same cores and size.
readarray -t chosen < <(rows | awk -v only="$only" '
    FNR == NR { if ($0 ~ only) want[$1, $2] = 1; next }
    $0 ~ only || ($3 == "bare" && want[$1, $2])' <(rows) -)
: >"$raw"
for ((run = 1; run <= runs; run++)); do
	for row in "${chosen[@]}"; do
		[ ! -t 2 ] || printf '\r\e[Krun %d of %d: %s' "$run" "$runs" "$row" >&2
		# shellcheck disable=SC2086
		one $row
	done
done
[ ! -t 2 ] || printf '\r\e[K' >&2
python3 bench/table.py "$raw"
