import java.io.BufferedOutputStream;
import java.io.File;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.io.BytesWritable;
import org.apache.hadoop.io.DataOutputBuffer;
import org.apache.hadoop.io.LongWritable;
import org.apache.hadoop.io.NullWritable;
import org.apache.hadoop.io.SequenceFile;
import org.apache.hadoop.io.Text;
import org.apache.hadoop.io.Writable;
import org.apache.hadoop.util.ReflectionUtils;

/**
 * Hadoop's own reader of SequenceFiles: for each FILE one JSON line with the
 * header, then one with hex "k" and "v" a record, then {"end":COUNT} or
 * {"error":TEXT,"records":COUNT}. Exit code 1 after any error.
 */
public class SeqDump {
	private static final PrintStream OUT = new PrintStream(
	    new BufferedOutputStream(
		new FileOutputStream(FileDescriptor.out), 1 << 16));

	private static String hex(byte[] b, int n) {
		StringBuilder s = new StringBuilder(n * 2);
		for (int i = 0; i < n; i++) {
			s.append(Character.forDigit((b[i] >> 4) & 15, 16));
			s.append(Character.forDigit(b[i] & 15, 16));
		}
		return s.toString();
	}

	private static String hex(Writable w) throws IOException {
		if (w instanceof BytesWritable b)
			return hex(b.getBytes(), b.getLength());
		if (w instanceof Text t)
			return hex(t.getBytes(), t.getLength());
		if (w instanceof LongWritable l)
			return String.format("%016x", l.get());
		if (w instanceof NullWritable)
			return "";
		DataOutputBuffer d = new DataOutputBuffer();
		w.write(d);
		return hex(d.getData(), d.getLength());
	}

	private static String json(String s) {
		StringBuilder o = new StringBuilder("\"");
		for (char c : s.toCharArray()) {
			if (c == '"' || c == '\\')
				o.append('\\').append(c);
			else if (c < ' ' || c > '~')
				o.append(String.format("\\u%04x", (int) c));
			else
				o.append(c);
		}
		return o.append('"').toString();
	}

	private static void header(String file, SequenceFile.Reader r) {
		StringBuilder m = new StringBuilder();
		for (Map.Entry<Text, Text> e :
		    r.getMetadata().getMetadata().entrySet()) {
			m.append(m.length() > 0 ? "," : "");
			m.append(json(e.getKey().toString())).append(':');
			m.append(json(e.getValue().toString()));
		}
		String codec = r.getCompressionCodec() == null ? ""
		    : r.getCompressionCodec().getClass().getName();
		OUT.println("{\"file\":" + json(file) + ",\"key\":"
		    + json(r.getKeyClassName()) + ",\"value\":"
		    + json(r.getValueClassName()) + ",\"type\":"
		    + json(r.getCompressionType().toString()) + ",\"codec\":"
		    + json(codec) + ",\"meta\":{" + m + "}}");
	}

	private static boolean dump(Configuration c, String file) {
		long n = 0;
		Path path = new Path(new File(file).toURI());
		try (SequenceFile.Reader r = new SequenceFile.Reader(c,
		    SequenceFile.Reader.file(path))) {
			header(file, r);
			Writable k = (Writable) ReflectionUtils.newInstance(
			    r.getKeyClass(), c);
			Writable v = (Writable) ReflectionUtils.newInstance(
			    r.getValueClass(), c);
			for (; r.next(k, v); n++)
				OUT.println("{\"k\":\"" + hex(k) + "\",\"v\":\""
				    + hex(v) + "\"}");
			OUT.println("{\"end\":" + n + "}");
			return true;
		} catch (Throwable e) {
			OUT.println("{\"error\":" + json(file + ": " + e)
			    + ",\"records\":" + n + "}");
			return false;
		}
	}

	public static void main(String[] files) {
		Configuration c = new Configuration();
		boolean ok = true;
		for (String f : files)
			ok &= dump(c, f);
		OUT.flush();
		System.exit(ok ? 0 : 1);
	}
}
