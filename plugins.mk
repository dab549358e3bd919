# Libraries that a plugin links: one line a plugin. A plugin that is not listed
# needs libc alone. (For one's own plugin see docs/PLUGINS.md.)
CODEC_LIBS               := -lisal -lz -lzstd -llz4 -lsnappy -lbz2
LIBS.parser/json         := -licui18n -licuuc
LIBS.parser/delimited    := -licui18n -licuuc
LIBS.parser/logfmt       := -licui18n -licuuc
LIBS.parser/regex        := -lpcre2-8 -licui18n -licuuc
LIBS.parser/msgpack      := -licui18n -licuuc -lm
LIBS.parser/thrift       := -licui18n -licuuc -lm
LIBS.parser/protobuf     := -licui18n -licuuc -lm
LIBS.parser/avro         := -licui18n -licuuc -lm -lcurl -ljansson
LIBS.partitioner/date    := -licui18n -licuuc
LIBS.partitioner/hash    := -lz
LIBS.partitioner/template := -licui18n -licuuc
LIBS.transformer/filter  := -lpcre2-8
LIBS.transformer/redact  := -lcrypto
LIBS.format/text         := $(CODEC_LIBS)
LIBS.format/sequencefile := $(CODEC_LIBS) -lxxhash
LIBS.format/framed       := $(CODEC_LIBS)
LIBS.format/avro         := $(CODEC_LIBS) -lxxhash -ljansson -lcurl
LIBS.format/json-envelope := $(CODEC_LIBS)
LIBS.store/local         := -lisal
LIBS.store/s3            := -lcurl -lcrypto -ljansson -lexpat -lisal
LIBS.token/oidc          := -lcurl -lcrypto -ljansson
LIBS.token/msk-iam       := -lcurl -lcrypto -ljansson -lexpat
LIBS.notifier/command    := -ljansson
LIBS.notifier/glue       := -lcurl -lcrypto -ljansson -lexpat
LIBS.notifier/kafka      := -lrdkafka
LIBS.notifier/webhook    := -lcurl -lcrypto -ljansson
LIBS.notifier/qubole     := -lcurl -lcrypto -ljansson
LIBS.notifier/hive-metastore := -lssl -lcrypto -lgssapi_krb5 -lkrb5

# All of them together, for the unit tests that link plugins/common.
COMMON_LIBS := -lpcre2-8 -licui18n -licuuc $(CODEC_LIBS) -lcurl -lssl -lcrypto \
	-ljansson -lexpat -lxxhash

# ---- one's own plugins ---------------------------------------------------------
# In the Makefile of a plugin that lives elsewhere (docs/PLUGINS.md):
#
#	SECOR_PLUGINS := mine
#	LIBS.mine     := -lz
#	include /usr/local/share/secor/plugins.mk
#
# makes mine.so of mine.c or mine.cc.
ifdef SECOR_PLUGINS
SECOR_MK      := $(dir $(lastword $(MAKEFILE_LIST)))
SECOR_INCLUDE ?= $(firstword $(wildcard $(SECOR_MK)include) \
	$(wildcard $(SECOR_MK)../../include))
SECOR_CFLAGS  := -O2 -g -fPIC -fvisibility=hidden -Wall -Wextra \
	-I$(SECOR_INCLUDE)
SECOR_LDFLAGS := -shared -Wl,-z,defs

.PHONY: secor-plugins secor-plugins-clean
secor-plugins: $(SECOR_PLUGINS:%=%.so)
secor-plugins-clean:
	rm -f $(SECOR_PLUGINS:%=%.so)
%.so: %.c
	$(CC) -std=c11 $(SECOR_CFLAGS) $(CFLAGS) $(SECOR_LDFLAGS) $(LDFLAGS) \
	-o $@ $< $(LIBS.$*)
%.so: %.cc
	$(CXX) -std=c++17 $(SECOR_CFLAGS) $(CXXFLAGS) $(SECOR_LDFLAGS) \
	$(LDFLAGS) -o $@ $< $(LIBS.$*)
endif
