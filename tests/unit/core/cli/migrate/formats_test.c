/*
 * formats_test.c -- formats and codecs of the original.
 */
#include "tests/unit/core/cli/migrate/made.h"

#include <criterion/criterion.h>

Test(formats, formats_are_taken_over)
{
	static const struct vector T[] = {
	    {"",
		"  use: sequencefile\n  compression_type: record\n  codec: "
		"default\n",
		NULL},
	    {HADOOP_CODEC "GzipCodec",
		"  compression_type: block\n  codec: gzip\n", NULL},
	    {HADOOP_CODEC "GzipCodec", "  extension: .gz\n", NULL},
	    {FACTORY "MessagePackSequenceFileReaderWriterFactory",
		"  codec: default\n  key: messagepack\n", NULL},
	    {FACTORY "DelimitedTextFileReaderWriterFactory\n" HADOOP_CODEC
		     "BZip2Codec",
		"  use: text\n  delimiter_in_payload: keep\n  compression: "
		"bzip2\n",
		"guessed the offsets"},
	    {FACTORY "DelimitedTextFileReaderWriterFactory\n" HADOOP_CODEC
		     "SnappyCodec",
		"  compression: hadoop-snappy\n", NULL},
	    {FACTORY "DelimitedTextFileReaderWriterFactory\n"
		     "secor.file.extension=.gz",
		"  extension: .gz\n", "not compressed are named .gz"},
	    {FACTORY "FlexibleDelimitedFileReaderWriterFactory\n"
		     "secor.file.writer.Delimiter=;",
		"  delimiter: ;\n", "never wrote the delimiter"},
	    {FACTORY "FlexibleDelimitedFileReaderWriterFactory\n"
		     "secor.file.writer.Delimiter=\\\\",
		"  delimiter: \"\\\\\\\\\"\n", NULL},
	    {FACTORY "AvroFileReaderWriterFactory\n" HADOOP_CODEC "GzipCodec",
		"  use: avro\n", "by Snappy alone: these files are named .gz"},
	    {FACTORY "JsonORCFileReaderWriterFactory", "  use: orc\n",
		"size was 0 until a stripe"},
	    {FACTORY "ProtobufParquetFileReaderWriterFactory",
		"  use: parquet\n", NULL},
	    {"secor.compression.codec=com.hadoop.compression.lzo.LzoCodec",
		NULL, "there is no codec for com.hadoop.compression.lzo"},
	    {"secor.file.reader.writer.factory=com.example.F",
		"  use: ./format.so # instead of com.example.F", NULL},
	    {"secor.file.extension=gz", NULL, "does not begin with '.'"},
	};

	EXPECT_ALL(T);
}
