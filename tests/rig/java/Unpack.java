import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.io.compress.CompressionCodec;
import org.apache.hadoop.util.ReflectionUtils;

/**
 * Hadoop's own codecs: Unpack CODEC IN OUT [CODEC IN OUT]... writes what CODEC
 * (BZip2Codec, ...) makes of the file IN to OUT.
 */
public class Unpack {
	public static void main(String[] args) throws Exception {
		Configuration conf = new Configuration();
		for (int i = 0; i < args.length; i += 3) {
			CompressionCodec codec =
			    (CompressionCodec) ReflectionUtils.newInstance(
				Class.forName("org.apache.hadoop.io.compress."
				    + args[i]), conf);
			try (InputStream in = codec.createInputStream(
				 new FileInputStream(args[i + 1]));
			     OutputStream out =
				 new FileOutputStream(args[i + 2])) {
				in.transferTo(out);
			}
		}
	}
}
