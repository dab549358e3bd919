#!/bin/bash
# What a fresh Debian 12 lacks, installed by its own package managers.
#
#   deploy/deps.sh build   libraries and compiler to build secor
#   deploy/deps.sh unit    and Criterion, for the unit tests
#   deploy/deps.sh test    and the real servers and readers of the flow tests
#   deploy/deps.sh deep    and Hive itself, for make check-deep
#   deploy/deps.sh have build|unit|test|deep    install nothing: is it all there?
#
# Debian's packages come from apt without recommends (root or sudo). Kafka,
# Hadoop's jars and a Python environment come from Maven and pip as they are
# configured on this machine, the newest librdkafka out of a Python package; they
# lie outside the tree in ${SECOR_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/secor-c},
# each with a stamp of what it was made from. Nothing to do takes no time.
set -euo pipefail
cd "$(dirname "$0")/.."

CACHE=${SECOR_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/secor-c}
RIG=tests/rig
MVN_COPY=org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies

BUILD_PACKAGES="gcc make pkg-config libc6-dev librdkafka-dev
	libcurl4-openssl-dev libssl-dev libyaml-dev libpcre2-dev libisal-dev libexpat1-dev
	zlib1g-dev libzstd-dev liblz4-dev libsnappy-dev libbz2-dev libjansson-dev
	libmicrohttpd-dev libxxhash-dev libmimalloc-dev libmimalloc2.0 libicu-dev
	libkrb5-dev"
UNIT_PACKAGES="g++ libcriterion-dev"
TEST_PACKAGES="clang-format cppcheck spin kcat openssl clang libclang-rt-14-dev
	python3-venv openjdk-17-jdk-headless maven
	ceph-mon ceph-osd ceph-common radosgw libmsgpack-dev
	krb5-kdc krb5-admin-server krb5-user libsasl2-modules-gssapi-mit"

say() { echo "deps: $*"; }
die() { echo "deps: $*" >&2; exit 1; }

packages_of() { # MODE
	case $1 in
	build) echo $BUILD_PACKAGES ;;
	unit) echo $BUILD_PACKAGES $UNIT_PACKAGES ;;
	test | deep) echo $BUILD_PACKAGES $UNIT_PACKAGES $TEST_PACKAGES ;;
	*) die "usage: deploy/deps.sh [have] build|unit|test|deep" ;;
	esac
}

missing_packages() { # PACKAGE...
	local have p
	have=$(dpkg-query -W -f '${binary:Package} ${db:Status-Status}\n' \
	    2>/dev/null | sed -n 's/\(:[^ ]*\)\? installed$//p')
	for p; do
		grep -qxF -- "$p" <<<"$have" || echo "$p"
	done
}

pinned_librdkafka() { grep -v '^#' $RIG/librdkafka.sum; } # VERSION SHA256

# The fetched things: name, what it is made from, how large it is.
FETCHED="kafka hadoop hive venv librdkafka"
source_of() {
	case $1 in
	kafka) echo $RIG/pom/kafka.xml ;;
	hadoop) echo $RIG/pom/hadoop.xml ;;
	hive) echo $RIG/pom/hive.xml ;;
	hiveql) echo $RIG/pom/hiveql.xml ;;
	venv) echo $RIG/requirements.txt ;;
	librdkafka) echo $RIG/librdkafka.sum ;;
	esac
}
size_of() {
	case $1 in
	kafka) echo "Kafka 3.9.2 with tools from Maven, 56 MB" ;;
	hadoop) echo "Hadoop 3.4.2 client and hive-common 4.0.1 from Maven, 52 MB" ;;
	hive) echo "Hive metastore 4.0.1 from Maven, 126 MB" ;;
	hiveql) echo "Hive 4.0.1 itself from Maven, 92 MB" ;;
	venv) echo "Python packages of $RIG/requirements.txt from pip, about 165 MB (600 MB on disk)" ;;
	librdkafka) echo "librdkafka $(pinned_librdkafka | cut -d' ' -f1) out of those, 12 MB on disk" ;;
	esac
}
stamp_of() { sha256sum <"$(source_of "$1")" | cut -c1-64; }
is_fetched() { [ "$(cat "$CACHE/$1/.stamp" 2>/dev/null)" = "$(stamp_of "$1")" ]; }
missing_fetched() { # MODE
	local f wanted=
	case $1 in
	test) wanted=$FETCHED ;;
	deep) wanted="$FETCHED hiveql" ;;
	esac
	for f in $wanted; do
		is_fetched "$f" || echo "$f"
	done
}

install_packages() { # PACKAGE...
	local root="" apt plan
	. /etc/os-release
	case "${ID:-} ${ID_LIKE:-}" in
	*debian*) ;;
	*) die "this is ${PRETTY_NAME:-not Debian}: install what matches Debian's" \
	    "packages ($*) by hand, then use make DEPS=no" ;;
	esac
	if [ "$(id -u)" != 0 ]; then
		root=sudo
		command -v sudo >/dev/null || die "Debian packages are missing and" \
		    "there is no sudo here. As root: apt-get install" \
		    "--no-install-recommends $*"
	fi
	apt="$root env DEBIAN_FRONTEND=noninteractive apt-get -q
	    -o DPkg::Lock::Timeout=600"
	say "refreshing apt's lists"
	$apt -q update >/dev/null || die "apt-get update failed: mend" \
	    "/etc/apt or the network, then run deploy/deps.sh again"
	# --print-uris tells apt's own figures and installs nothing.
	plan=$($apt install -y --no-install-recommends --print-uris "$@" 2>&1) ||
	    die "apt cannot install $*:" $(grep '^E: ' <<<"$plan")
	say "installing Debian packages: $*"
	grep -E '^Need to get|^After this operation|newly installed' <<<"$plan" |
	    sed 's/^/deps:   /' || true
	$apt install -y --no-install-recommends "$@" >"$CACHE/apt.log" 2>&1 || {
		tail -20 "$CACHE/apt.log" >&2
		die "apt-get install failed (whole log: $CACHE/apt.log). By hand:" \
		    "apt-get install --no-install-recommends $*"
	}
}

# A folder is made beside its place and moved there whole, so that a fetch
# that dies half way leaves nothing that looks complete.
finish() { # NAME
	stamp_of "$1" >"$CACHE/$1.new/.stamp"
	rm -rf "${CACHE:?}/$1"
	mv "$CACHE/$1.new" "$CACHE/$1"
}

fetch_jars() { # NAME
	rm -rf "${CACHE:?}/$1.new"
	mkdir -p "$CACHE/$1.new"
	mvn -q -B -f "$(source_of "$1")" $MVN_COPY \
	    -DoutputDirectory="$CACHE/$1.new/libs" >"$CACHE/$1.log" 2>&1 || {
		tail -20 "$CACHE/$1.log" >&2
		die "Maven could not fetch $1 (log: $CACHE/$1.log): mend the" \
		    "network or ~/.m2/settings.xml, then run deploy/deps.sh test"
	}
	finish "$1"
}

# A Python environment holds its own path, so it is made in place; the stamp
# comes last.
fetch_venv() {
	rm -rf "$CACHE/venv"
	{ /usr/bin/python3 -m venv "$CACHE/venv" &&
	    "$CACHE/venv/bin/pip" install -q -r $RIG/requirements.txt; } \
	    >"$CACHE/venv.log" 2>&1 || {
		tail -20 "$CACHE/venv.log" >&2
		die "pip could not fetch $RIG/requirements.txt (log:" \
		    "$CACHE/venv.log): mend the network or pip's configuration," \
		    "then run deploy/deps.sh test"
	}
	stamp_of venv >"$CACHE/venv/.stamp"
}

# The library that the Python client brings with it, under the name by which a
# program finds it.
fetch_librdkafka() {
	local version sum dir=$CACHE/librdkafka.new
	read -r version sum < <(pinned_librdkafka)
	rm -rf "$dir"
	mkdir -p "$dir"
	cp "$CACHE"/venv/lib/python3*/site-packages/confluent_kafka.libs/librdkafka-*.so.1 \
	    "$dir/librdkafka.so.1" || die "the Python package confluent-kafka" \
	    "brings no librdkafka on this machine: make check needs x86-64"
	[ "$(sha256sum <"$dir/librdkafka.so.1" | cut -c1-64)" = "$sum" ] ||
	    die "librdkafka of the Python package confluent-kafka is not the" \
	    "$version of $RIG/librdkafka.sum: another machine than x86-64, or" \
	    "requirements.txt changed and librdkafka.sum did not"
	finish librdkafka
}

fetch() { # NAME...
	local f jars="" pids="" p failed=0
	for f; do
		say "fetching $(size_of "$f") into $CACHE/$f"
		case $f in kafka | hadoop | hive | hiveql) jars="$jars $f" ;; esac
	done
	# Maven's local repository is for one Maven at a time; pip goes beside it.
	case " $* " in *" venv "*) fetch_venv & pids="$pids $!" ;; esac
	(for f in $jars; do fetch_jars "$f"; done) & pids="$pids $!"
	for p in $pids; do wait "$p" || failed=1; done
	[ $failed = 0 ] || exit 1
	case " $* " in *" librdkafka "*) fetch_librdkafka ;; esac
}

mode=${1:-}
if [ "$mode" = have ]; then
	mode=${2:-}
	lack=$(missing_packages $(packages_of "$mode"))
	lack="$lack $(missing_fetched "$mode")"
	[ -z "${lack//[[:space:]]/}" ] ||
	    die "missing:" $lack "- deploy/deps.sh $mode gets it"
	exit 0
fi

wanted=$(packages_of "$mode")
[ -n "$(missing_packages $wanted)$(missing_fetched "$mode")" ] || exit 0
mkdir -p "$CACHE"
exec 9>"$CACHE/.lock"
flock -n 9 || { say "another run fetches; waiting for it"; flock 9; }
lack=$(missing_packages $wanted)
[ -z "$lack" ] || install_packages $lack
lack=$(missing_fetched "$mode")
[ -z "$lack" ] || fetch $lack
say "all of '$mode' is here"
