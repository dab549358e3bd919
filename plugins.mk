# Libraries that a plugin links: one line a plugin. A plugin that is not listed
# needs libc alone. (For one's own plugin see docs/PLUGINS.md.)
LIBS.parser/json         := -licui18n -licuuc
LIBS.parser/regex        := -lpcre2-8 -licui18n -licuuc
LIBS.partitioner/date    := -licui18n -licuuc
LIBS.format/text         := -lisal -lz -lzstd
LIBS.format/sequencefile := -lisal -lz -lzstd -lxxhash
LIBS.store/local         := -lisal
LIBS.store/s3            := -lcurl -lcrypto -ljansson -lexpat -lisal
LIBS.notifier/webhook    := -lcurl -lcrypto -ljansson
LIBS.notifier/qubole     := -lcurl -lcrypto -ljansson

# All of them together, for the unit tests that link plugins/common.
COMMON_LIBS := -lpcre2-8 -licui18n -licuuc -lisal -lz -lzstd -lcurl -lcrypto \
	-ljansson -lexpat -lxxhash
