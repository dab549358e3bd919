# Secor in C: Kafka topics to partitioned objects, each message in exactly one.
# One Makefile, no recursion. `make help` lists the targets.
MAKEFLAGS += --no-builtin-rules
# all cores, unless -j says otherwise
ifeq ($(filter -j%,$(MAKEFLAGS))$(filter --jobserver%,$(MAKEFLAGS)),)
MAKEFLAGS += -j$(shell nproc)
endif
# V=1 shows the commands
ifndef V
.SILENT:
endif
.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all
SHELL := /bin/bash

VERSION  := 0.1.0
PREFIX   ?= /usr/local
DESTDIR  ?=
CC       := gcc
CXX      := g++
DEPS     ?= yes
VARIANTS := release asan tsan fuzz noplan
CACHE    ?= $(or $(SECOR_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/secor-c)

include plugins.mk

# ---- flags -----------------------------------------------------------------
WARN := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes \
	-Wmissing-prototypes -Wvla -Wundef -Wformat=2 -Wwrite-strings
ifdef CI
WARN += -Werror
endif
CPPFLAGS := -D_GNU_SOURCE -DSECOR_VERSION='"$(VERSION)"' \
	-DSECOR_PREFIX='"$(PREFIX)"' -Iinclude -I.
CFLAGS   := -std=c11 -g -fPIC -fvisibility=hidden -pthread $(WARN)
LDFLAGS  := -pthread -Wl,--as-needed
CFLAGS.release  := -O2 -fno-omit-frame-pointer
CFLAGS.asan     := -O1 -fno-omit-frame-pointer -fsanitize=address,undefined \
	-fno-sanitize-recover=undefined
CFLAGS.tsan     := -O1 -fno-omit-frame-pointer -fsanitize=thread
# the product without what makes it safe; the chaos tests must notice
CFLAGS.noplan   := -O2 -DSECOR_TEST_NO_PLAN
LDFLAGS.asan    := -fsanitize=address,undefined
LDFLAGS.tsan    := -fsanitize=thread
# what the fuzzer changes its inputs by: only clang has it
CC.fuzz         := $(or $(FUZZ_CC),clang)
CFLAGS.fuzz     := -O1 -fno-omit-frame-pointer \
	-fsanitize=fuzzer-no-link,address,undefined \
	-fno-sanitize-recover=undefined
LDFLAGS.fuzz    := -fsanitize=fuzzer,address,undefined
CORE_LIBS       := -lrdkafka -lyaml -lpcre2-8 -ljansson -lmicrohttpd -lssl -lcrypto -lxxhash \
	-lisal -lzstd -llz4 -ldl -lm
MALLOC.release  := -l:libmimalloc.so.2
# librdkafka's C11 threads and locks, made visible to ThreadSanitizer
THREADS.tsan    := build/tsan/tests/tsan/threads.o

# ---- what there is: a file is part of the project by lying in its folder ---
CORE_SRC    := $(wildcard core/*/*.c core/*/*/*.c)
COMMON_SRC  := $(wildcard plugins/common/*.c)
PLUGIN_KINDS := transformer parser partitioner format store notifier reporter \
	token
PLUGINS     := $(sort $(foreach k,$(PLUGIN_KINDS),\
	$(patsubst plugins/%.c,%,$(wildcard plugins/$(k)/*.c)) \
	$(patsubst plugins/%/,%,$(dir $(wildcard plugins/$(k)/*/*.c)))))
UNIT_SRC    := $(shell find tests/unit -name '*_test.c' 2>/dev/null | sort)
UNIT_HELP   := $(shell find tests/unit -name '*.c' ! -name '*_test.c' \
	2>/dev/null | sort)
TEST_PLUGINS := $(patsubst tests/plugins/%.c,%,\
	$(wildcard tests/plugins/*.c tests/plugins/*/*.c))
ABI_PLUGINS := $(patsubst %.c,%,$(wildcard tests/abi/*/*/*.c))
ORACLES     := $(patsubst %.c,%,$(wildcard tests/oracle/*.c))
plugin_src   = $(or $(wildcard plugins/$(1).c),$(wildcard plugins/$(1)/*.c))

# ---- machine set-up ---------------------------------------------------------
# The packages are looked at once, and again when their list changes.
ifeq ($(DEPS),no)
DEPS_BUILD :=
DEPS_UNIT  :=
DEPS_TEST  :=
DEPS_DEEP  :=
else
DEPS_BUILD := build/.deps-build
DEPS_UNIT  := build/.deps-unit
DEPS_TEST  := build/.deps-test
DEPS_DEEP  := build/.deps-deep
endif
build/.deps-test build/.deps-deep: tests/rig/requirements.txt tests/rig/librdkafka.sum \
	$(wildcard tests/rig/pom/*.xml)
build/.deps-%: deploy/deps.sh
	@bash deploy/deps.sh $*
	@mkdir -p $(@D) && touch $@

# ---- compiling ---------------------------------------------------------------
define variant_rules
build/$(1)/.flags: FORCE
	@mkdir -p $$(@D); f='$$(or $$(CC.$(1)),$$(CC)) $$(CPPFLAGS) $$(CFLAGS) $$(CFLAGS.$(1))'; \
	[ "$$$$f" = "$$$$(cat $$@ 2>/dev/null)" ] || echo "$$$$f" >$$@

build/$(1)/%.o: %.c build/$(1)/.flags | $$(DEPS_BUILD)
	@mkdir -p $$(@D)
	@echo '  cc   $(1) $$<'
	$$(or $$(CC.$(1)),$$(CC)) $$(CPPFLAGS) $$(CFLAGS) $$(CFLAGS.$(1)) \
	-MMD -MP -c -o $$@ $$<

build/$(1)/core.a: $$(filter-out %/main.o,$$(CORE_SRC:%.c=build/$(1)/%.o))
	@rm -f $$@; mkdir -p $$(@D); ar rcs $$@ $$^
build/$(1)/common.a: $$(COMMON_SRC:%.c=build/$(1)/%.o)
	@rm -f $$@; mkdir -p $$(@D); ar rcs $$@ $$^

build/$(1)/secor: build/$(1)/core/cli/main.o build/$(1)/core.a $$(THREADS.$(1))
	@echo '  link $(1) $$@'
	$$(CC) $$(LDFLAGS) $$(LDFLAGS.$(1)) -o $$@ $$< $$(THREADS.$(1)) -Wl,--whole-archive \
	build/$(1)/core.a -Wl,--no-whole-archive $$(MALLOC.$(1)) $$(CORE_LIBS)

.PHONY: variant-$(1)
variant-$(1): build/$(1)/secor $$(PLUGINS:%=build/$(1)/plugins/%.so) \
	$$(TEST_PLUGINS:%=build/$(1)/tests/plugins/%.so) \
	$$(ABI_PLUGINS:%=build/$(1)/%.so) $$(ORACLES:%=build/$(1)/%)

# programs of the tests: one file each, and what they use of the core
build/$(1)/tests/oracle/%: build/$(1)/tests/oracle/%.o build/$(1)/core.a
	$$(CC) $$(LDFLAGS) $$(LDFLAGS.$(1)) -o $$@ $$^ $$(CORE_LIBS)

# test plugins: one file each, nothing but the public headers
build/$(1)/tests/plugins/%.so: build/$(1)/tests/plugins/%.o
	$$(CC) -shared $$(LDFLAGS) $$(LDFLAGS.$(1)) -o $$@ $$<

# plugins as they were made for earlier headers: see tests/abi/README.md
build/$(1)/tests/abi/%.so: tests/abi/%.c build/$(1)/.flags | $$(DEPS_BUILD)
	@mkdir -p $$(@D)
	$$(CC) -Itests/abi/$$(firstword $$(subst /, ,$$*))/include $$(CFLAGS) \
	$$(CFLAGS.$(1)) -MMD -MP -shared $$(LDFLAGS) $$(LDFLAGS.$(1)) -o $$@ $$<

# unit tests: one binary a file, linked with the archives and helpers
build/$(1)/unit/%: build/$(1)/tests/unit/%.o \
	$$(UNIT_HELP:%.c=build/$(1)/%.o) build/$(1)/core.a build/$(1)/common.a \
	$$(THREADS.$(1))
	@mkdir -p $$(@D)
	$$(CC) $$(LDFLAGS) $$(LDFLAGS.$(1)) -o $$@ $$< $$(THREADS.$(1)) \
	$$(UNIT_HELP:%.c=build/$(1)/%.o) build/$(1)/core.a \
	build/$(1)/common.a $$(CORE_LIBS) $$(COMMON_LIBS) -lcriterion

$$(UNIT_SRC:%.c=build/$(1)/%.o): | $$(DEPS_UNIT)
$$(UNIT_HELP:%.c=build/$(1)/%.o): | $$(DEPS_UNIT)

.PHONY: unit-$(1)
unit-$(1): variant-$(1) $$(UNIT_SRC:tests/unit/%.c=build/$(1)/unit/%)
endef
$(foreach v,$(VARIANTS),$(eval $(call variant_rules,$(v))))

# tests/fuzz: a target, what it uses of the core and of plugins/common, and what
# else it needs. build/fuzz/fuzz/<name> is a fuzzer; build/asan/fuzz/<name>
# replays a corpus.
FUZZERS := $(patsubst tests/fuzz/%_fuzz.c,%,$(wildcard tests/fuzz/*_fuzz.c))
FUZZ_SRC.delimited    := plugins/parser/delimited/row.c
FUZZ_SRC.logfmt       := plugins/parser/logfmt.c
FUZZ_SRC.manifest     := tests/unit/helpers/memory_store.c
FUZZ_SRC.msgpack      := plugins/parser/msgpack/read.c
FUZZ_SRC.thrift       := plugins/parser/thrift/read.c
FUZZ_SRC.protobuf     := $(addprefix plugins/parser/protobuf/,read.c descriptor.c)
FUZZ_LIBS.msgpack     := -lmsgpackc
FUZZ_SRC.statement    := $(addprefix plugins/notifier/qubole/,statement.c hive.c)
FUZZ_SRC.s3           := tests/fuzz/answers.c $(wildcard plugins/store/s3/*.c)
FUZZ_SRC.sequencefile := tests/fuzz/read.c $(wildcard plugins/format/sequencefile/*.c)
FUZZ_SRC.avro_files   := tests/fuzz/read.c $(wildcard plugins/format/avro/*.c)
FUZZ_SRC.framed       := tests/fuzz/read.c $(wildcard plugins/format/framed/*.c)
FUZZ_SRC.json_envelope := tests/fuzz/read.c \
	$(wildcard plugins/format/json-envelope/*.c)
FUZZ_SRC.hive_metastore := $(filter-out %/line.c %/kerberos.c %/gssapi.c,\
	$(wildcard plugins/notifier/hive-metastore/*.c))
FUZZ_MAIN.asan        := tests/fuzz/replay.c

define fuzz_rule
build/$(1)/fuzz/$(2): $$(patsubst %.c,build/$(1)/%.o,tests/fuzz/$(2)_fuzz.c \
	$$(FUZZ_MAIN.$(1)) $$(FUZZ_SRC.$(2))) build/$(1)/core.a \
	build/$(1)/common.a
	@mkdir -p $$(@D)
	$$(or $$(CC.$(1)),$$(CC)) $$(LDFLAGS) $$(LDFLAGS.$(1)) -o $$@ $$^ \
	$$(FUZZ_LIBS.$(2)) $$(CORE_LIBS) $$(COMMON_LIBS)
endef
$(foreach v,asan fuzz,$(foreach f,$(FUZZERS),\
	$(eval $(call fuzz_rule,$(v),$(f)))))

.PHONY: replay-fuzz
replay-fuzz: $(FUZZERS:%=build/asan/fuzz/%)

# the release as it runs with the newest librdkafka: the same objects, another
# library by the name of Debian's
build/newest/secor: build/release/core/cli/main.o build/release/core.a
	@mkdir -p $(@D)
	@ln -sfn ../release/plugins $(@D)/plugins
	@ln -sfn ../release/tests $(@D)/tests
	$(CC) $(LDFLAGS) -Wl,-rpath,'$$ORIGIN' -o $@ $< -Wl,--whole-archive \
	build/release/core.a -Wl,--no-whole-archive $(MALLOC.release) $(CORE_LIBS)

.PHONY: newest
newest: variant-release build/newest/secor | $(DEPS_TEST)
	@ln -sfn $(CACHE)/librdkafka/librdkafka.so.1 build/newest/librdkafka.so.1

# bench/: a broker that replays, the loop without a product, with glibc's malloc
# and with the product's, and the program that one writes first
BENCH_BROKER := $(patsubst %.c,build/release/%.o,$(wildcard bench/broker/*.c))
BENCH_BIN    := $(addprefix build/release/bench/,broker/broker bare bare-mi plain \
	fill put sink drop.so spin.so noprotocol/secor)

build/release/bench/broker/broker: $(BENCH_BROKER) build/release/core.a \
	build/release/common.a
	$(CC) $(LDFLAGS) -o $@ $^ $(CORE_LIBS)
# the product as if nothing could go wrong: only for measuring
build/release/bench/noprotocol/advance.o: core/flow/advance.c build/release/.flags
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(CFLAGS.release) -DSECOR_BENCH_NO_PROTOCOL \
	-MMD -MP -c -o $@ $<
build/release/bench/noprotocol/secor: build/release/bench/noprotocol/advance.o \
	$(filter-out %/advance.o,$(CORE_SRC:%.c=build/release/%.o))
	ln -sfn ../../plugins $(@D)/plugins
	$(CC) $(LDFLAGS) -o $@ $^ $(MALLOC.release) $(CORE_LIBS)
build/release/bench/fill: build/release/bench/fill.o \
	build/release/bench/broker/log.o build/release/core.a build/release/common.a
	$(CC) $(LDFLAGS) -o $@ $^ $(CORE_LIBS)
$(addprefix build/release/bench/,bare bare-mi plain put): \
	build/release/bench/tool.o
build/release/bench/bare build/release/bench/put: %: %.o build/release/core.a
	$(CC) $(LDFLAGS) -o $@ $^ $(CORE_LIBS)
build/release/bench/plain build/release/bench/sink: %: %.o
	$(CC) $(LDFLAGS) -o $@ $^ -lrdkafka -ljansson -lz -lssl -lcrypto
build/release/bench/drop.so build/release/bench/spin.so: %.so: %.o
	$(CC) -shared $(LDFLAGS) -o $@ $<
build/release/bench/bare-mi: build/release/bench/bare.o build/release/core.a
	$(CC) $(LDFLAGS) -o $@ $^ $(MALLOC.release) $(CORE_LIBS)

# a plugin: its own file or folder, what it uses of plugins/common, its libraries
define plugin_rule
build/$(1)/plugins/$(2).so: $$(patsubst %.c,build/$(1)/%.o,$$(call plugin_src,$(2))) \
	build/$(1)/common.a
	@mkdir -p $$(@D)
	@echo '  so   $(1) $$@'
	$$(CC) -shared $$(LDFLAGS) $$(LDFLAGS.$(1)) $(if $(filter release,$(1)),-Wl$(comma)-z$(comma)defs) -o $$@ \
	$$(filter %.o,$$^) build/$(1)/common.a $$(LIBS.$(2))
endef
comma := ,
$(foreach v,$(VARIANTS),$(foreach p,$(PLUGINS),\
	$(eval $(call plugin_rule,$(v),$(p)))))

.SECONDARY:
-include $(shell find build -name '*.d' 2>/dev/null)

# ---- targets ------------------------------------------------------------------
.PHONY: all help demo check check-unit check-flow check-deep check-asan \
	check-fuzz check-librdkafka check-tsan check-model lint format fuzz \
	bench install docs clean FORCE
FORCE:

# a link that is right stays: a test may be running it
all: variant-release ## build build/secor and build/plugins/<kind>/<name>.so
	@for f in secor plugins; do [ "$$(readlink build/$$f)" = release/$$f ] || \
	ln -sfn release/$$f build/$$f; done

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | \
	expand -t 18

demo: all ## the main job end to end on an embedded broker, with the proof
	build/secor demo

check: all newest unit-release unit-asan unit-tsan replay-fuzz | $(DEPS_TEST) ## all tests: unit, sanitizers, real servers
	@bash tests/run.sh unit asan tsan fuzz lint model flow \
	newest+flow-asan+flow-tsan

check-unit: all unit-release ## unit tests only: no servers, no root
	@bash tests/run.sh unit

check-flow: all | $(DEPS_TEST) ## tests against real Kafka and S3 servers
	@bash tests/run.sh flow

check-librdkafka: newest | $(DEPS_TEST) ## the flow tests with the newest librdkafka
	@bash tests/run.sh newest-all

check-asan: unit-asan ## unit tests under AddressSanitizer and UBSan
	@bash tests/run.sh asan

check-tsan: unit-tsan ## unit tests under ThreadSanitizer
	@bash tests/run.sh tsan

.PHONY: chaos noplan
noplan: variant-noplan ## build/noplan: for tests alone, without the plan step

chaos: all | $(DEPS_TEST) ## CHAOS_SCHEDULES schedules of chaos from CHAOS_SEED on
	@bash tests/chaos/run.sh $(or $(CHAOS_SCHEDULES),100) \
	$(or $(CHAOS_SEED),1)

check-deep: all newest unit-release noplan | $(DEPS_DEEP) ## what is too heavy for check
	@bash tests/run.sh unit flow-librdkafka newest-all deep model-deep \
	    fuzz-deep

check-fuzz: replay-fuzz ## replay the corpora of the fuzz targets
	@bash tests/run.sh fuzz

check-model: | $(DEPS_TEST) ## the commit protocol in spin, small bounds
	@bash tests/run.sh model

lint: | $(DEPS_TEST) ## layers, sizes, format, headers, static analysis
	@bash tests/lint.sh

format: ## lay out the code with clang-format
	@git ls-files '*.c' '*.h' '*.cc' | xargs clang-format -i

fuzz: ## run the fuzzers for FUZZ_SECONDS each
	@bash tests/fuzz/run.sh

bench: all $(BENCH_BIN) ## measure against a bare librdkafka loop
	@python3 bench/run.py

docs: all ## write the generated pages again
	@build/secor plugins --markdown >docs/OPTIONS.md

install: all ## install under DESTDIR/PREFIX
	install -D -m 755 build/release/secor $(DESTDIR)$(PREFIX)/bin/secor
	for p in $(PLUGINS); do install -D -m 644 build/release/plugins/$$p.so \
	$(DESTDIR)$(PREFIX)/lib/secor/plugins/$$p.so; done
	for h in include/secor/*.h; do install -D -m 644 $$h \
	$(DESTDIR)$(PREFIX)/$$h; done
	install -D -m 644 plugins.mk $(DESTDIR)$(PREFIX)/share/secor/plugins.mk

clean: ## remove build/
	rm -rf build
