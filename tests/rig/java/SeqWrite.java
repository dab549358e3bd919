import java.io.File;
import java.io.FileOutputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.io.BytesWritable;
import org.apache.hadoop.io.LongWritable;
import org.apache.hadoop.io.SequenceFile;
import org.apache.hadoop.io.Text;
import org.apache.hadoop.io.Writable;
import org.apache.hadoop.io.compress.CompressionCodec;
import org.apache.hadoop.util.ReflectionUtils;

/**
 * Hadoop's own writer: SeqWrite OUTDIR [COUNT] writes samples of COUNT records
 * in every pair of classes, type and codec as PAIR-TYPE-CODEC.seq, and text
 * through each codec as lines.EXTENSION. Prints each file name.
 *
 * Record i has key i + 42 (or "k" + i) and value "value-i-" + i % 97 times "x".
 */
public class SeqWrite {
	private static final String[] CODECS = { "DefaultCodec", "DeflateCodec",
		"GzipCodec", "BZip2Codec", "SnappyCodec", "Lz4Codec" };
	private static final Configuration CONF = new Configuration();

	private static CompressionCodec codec(String name) throws Exception {
		return (CompressionCodec) ReflectionUtils.newInstance(
		    Class.forName("org.apache.hadoop.io.compress." + name),
		    CONF);
	}

	private static byte[] bytes(String s) {
		return s.getBytes(StandardCharsets.UTF_8);
	}

	private static Writable key(String pair, int i) {
		return switch (pair) {
		case "lb" -> new LongWritable(i + 42L);
		case "bb" -> new BytesWritable(bytes("k" + i));
		default -> new Text("k" + i);
		};
	}

	private static Writable value(String pair, int i) {
		String v = "value-" + i + "-" + "x".repeat(i % 97);
		return pair.equals("tt") ? new Text(v)
		    : new BytesWritable(bytes(v));
	}

	private static void sequence(File dir, String pair,
	    SequenceFile.CompressionType type, String codec, int count)
	    throws Exception {
		File f = new File(dir, pair + "-" + type + "-" + codec + ".seq");
		SequenceFile.Metadata meta = new SequenceFile.Metadata();
		meta.set(new Text("origin"), new Text("rig"));
		try (SequenceFile.Writer w = SequenceFile.createWriter(CONF,
		    SequenceFile.Writer.file(new Path(f.toURI())),
		    SequenceFile.Writer.keyClass(key(pair, 0).getClass()),
		    SequenceFile.Writer.valueClass(value(pair, 0).getClass()),
		    SequenceFile.Writer.compression(type, codec(codec)),
		    SequenceFile.Writer.metadata(meta))) {
			for (int i = 0; i < count; i++)
				w.append(key(pair, i), value(pair, i));
		}
		System.out.println(f.getName());
	}

	private static void lines(File dir, String name) throws Exception {
		CompressionCodec c = codec(name);
		File f = new File(dir, "lines" + c.getDefaultExtension());
		try (OutputStream o = c.createOutputStream(
		    new FileOutputStream(f))) {
			for (int i = 0; i < 60000; i++)
				o.write(bytes("{\"n\":" + i + "}\n"));
		}
		System.out.println(f.getName());
	}

	public static void main(String[] args) throws Exception {
		File dir = new File(args[0]);
		int n = args.length > 1 ? Integer.parseInt(args[1]) : 250;
		dir.mkdirs();
		for (String pair : new String[] { "lb", "bb", "tt" })
			for (var type : SequenceFile.CompressionType.values())
				for (String c : CODECS)
					if (type != SequenceFile.CompressionType.NONE
					    || c.equals("DefaultCodec"))
						sequence(dir, pair, type, c, n);
		for (String c : CODECS)
			lines(dir, c);
		System.exit(0);
	}
}
