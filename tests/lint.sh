#!/bin/bash
# Static checks; each is one test. The last line is "N passed, N failed".
set -uo pipefail
cd "$(dirname "$0")/.."

passed=0
failed=0
CPP="-D_GNU_SOURCE -DSECOR_VERSION=\"0\" -DSECOR_PREFIX=\"/usr/local\""
CPP="$CPP -Iinclude -I."
WARN="-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Werror"

# The files of the project, tracked or about to be.
sources() { # PATTERN...
	if git rev-parse --git-dir >/dev/null 2>&1; then
		git ls-files -co --exclude-standard -- "$@"
	else
		local p
		for p; do
			find . -path ./build -prune -o -path ./.git -prune -o \
			    -type f -name "$p" -print
		done | sed 's,^\./,,'
	fi | sort -u | while read -r f; do
		[ ! -f "$f" ] || echo "$f"
	done
}

# A check prints what offends as file:line: text; what it prints fails it.
check() { # NAME COMMAND...
	local name=$1 out
	shift
	out=$("$@" 2>&1)
	if [ -z "$out" ]; then
		passed=$((passed + 1))
		echo "ok   $name"
	else
		failed=$((failed + 1))
		echo "FAIL $name"
		sed 's/^/    /' <<<"$out" | head -60
	fi
}

# Includes point down: base <- plugin <- config <- flow <- observe <- cli.
# Plugins know the public headers, plugins/common and their own folder.
layers() {
	sources '*.c' '*.h' | grep -E '^(core|plugins|include)/' |
	    xargs -r awk -f tests/lint/layers.awk
}

file_sizes() {
	sources '*.c' '*.h' '*.cc' '*.py' '*.sh' '*.java' | while read -r f; do
		n=$(wc -l <"$f")
		[ "$n" -le 600 ] || echo "$f:601: $n lines; 600 is the stop"
	done
}

# Length, parameters and nesting of functions.
functions() {
	sources '*.c' | xargs -r awk -f tests/lint/functions.awk
}

one_header() { # COMPILER STANDARD LANGUAGE WARNINGS HEADER
	printf '#include "%s"\nstruct not_empty { int a; };\n' "$5" |
	    $1 -std=$2 $CPP $4 -fsyntax-only -x $3 - 2>&1 | head -5
}
export -f one_header
export CPP

headers_c11() {
	sources '*.h' | grep -E '^(core|plugins|include)/' |
	    xargs -r -P2 -I@ bash -c "one_header gcc c11 c '$WARN' @"
}

headers_cxx17() {
	sources '*.h' | grep '^include/secor/' | xargs -r -P2 -I@ \
	    bash -c "one_header g++ c++17 c++ '-Wall -Wextra -Werror' @"
}

# What only `make noplan` compiles.
no_plan() {
	sources '*.c' | xargs -r grep -l SECOR_TEST_NO_PLAN |
	    xargs -r -I@ gcc -std=c11 $CPP $WARN -DSECOR_TEST_NO_PLAN \
	    -fsyntax-only @ 2>&1 | head -5
}

layout() {
	sources '*.c' '*.h' '*.cc' | xargs -r -P2 -n8 \
	    clang-format --dry-run -Werror 2>&1 | grep 'error:'
}

static_analysis() {
	sources '*.c' | grep -E '^(core|plugins|bench|examples)/' |
	    xargs -r cppcheck -q -j2 --std=c11 --inline-suppr \
	    --enable=warning,portability --error-exitcode=1 \
	    --suppress=missingIncludeSystem \
	    --suppressions-list=tests/lint/cppcheck.supp \
	    --library=posix -D_GNU_SOURCE -DSECOR_VERSION='"0"' \
	    -DSECOR_PREFIX='"/usr/local"' -Iinclude -I. 2>&1
}

# No path of somebody's machine in what everybody gets.
paths() {
	sources '*' | xargs -r grep -InE '/(work|root|home/[a-z]+)/[a-z.]' --
}

shell_syntax() {
	sources '*.sh' | while read -r f; do bash -n "$f" 2>&1; done
}

check layers layers
check file-sizes file_sizes
check functions functions
check headers-c11 headers_c11
check headers-c++17 headers_cxx17
check no-plan no_plan
check layout layout
check static-analysis static_analysis
check paths paths
check shell-syntax shell_syntax
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
