import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import org.apache.hadoop.hive.common.FileUtils;

/**
 * Hive's own FileUtils.escapePathName: one value a line of stdin as hex of its
 * UTF-8, the escaped one as hex a line of stdout. An empty line is an empty
 * value.
 */
public class HiveEscape {
	public static void main(String[] args) throws Exception {
		BufferedReader in = new BufferedReader(
		    new InputStreamReader(System.in));
		HexFormat hex = HexFormat.of();
		StringBuilder out = new StringBuilder();
		for (String l = in.readLine(); l != null; l = in.readLine()) {
			String v = new String(hex.parseHex(l),
			    StandardCharsets.UTF_8);
			out.append(hex.formatHex(FileUtils.escapePathName(v)
			    .getBytes(StandardCharsets.UTF_8)));
			out.append('\n');
		}
		System.out.print(out);
		System.out.flush();
		System.exit(0);
	}
}
