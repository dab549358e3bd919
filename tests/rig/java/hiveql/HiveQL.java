// Hive itself in this process: HiveQL <folder> <key=value>... One statement a
// line comes in, as a JSON string, and one line goes out: {"rows": [..]}, or
// {"error": text}.
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.hive.conf.HiveConf;
import org.apache.hadoop.hive.ql.DriverFactory;
import org.apache.hadoop.hive.ql.IDriver;
import org.apache.hadoop.hive.ql.session.SessionState;

public class HiveQL {
  static final ObjectMapper JSON = new ObjectMapper();

  // No locks, no Tez, no caches that ask the metastore in the background.
  static final String[] SETTINGS = {
    "hive.execution.engine=mr",
    "hive.exec.mode.local.auto=true",
    "hive.security.authorization.enabled=false",
    "hive.support.concurrency=false",
    "hive.txn.manager=org.apache.hadoop.hive.ql.lockmgr.DummyTxnManager",
    "hive.exec.pre.hooks=",
    "hive.fetch.task.conversion=more",
    "hive.cbo.enable=false",
    "hive.notification.event.poll.interval=0",
    "hive.query.results.cache.enabled=false",
    "hive.materializedview.rewriting=false",
    "hive.server2.materializedviews.registry.impl=DUMMY",
    "hive.query.reexecution.enabled=false",
    "hive.query.reexecution.stats.persist.scope=query",
  };

  static void set(HiveConf conf, String setting) {
    int at = setting.indexOf('=');
    conf.set(setting.substring(0, at), setting.substring(at + 1));
  }

  static ObjectNode answer(HiveConf conf, String statement) throws Exception {
    ObjectNode said = JSON.createObjectNode();
    try (IDriver driver = DriverFactory.newDriver(conf)) {
      driver.run(statement);
      List<Object> rows = new ArrayList<>();
      if (driver.getSchema() != null
          && driver.getSchema().getFieldSchemasSize() > 0)
        for (List<Object> some = new ArrayList<>(); driver.getResults(some);
            some = new ArrayList<>())
          rows.addAll(some);
      for (Object row : rows) said.withArray("rows").add(row.toString());
    } catch (Throwable e) { // a class that is missing, too
      said.put("error", String.valueOf(e.getMessage()));
    }
    return said;
  }

  public static void main(String[] args) throws Exception {
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    System.setOut(System.err);
    HiveConf conf = new HiveConf();
    for (String setting : SETTINGS) set(conf, setting);
    set(conf, "hive.exec.scratchdir=file://" + args[0] + "/scratch");
    set(conf, "hive.exec.local.scratchdir=" + args[0] + "/local");
    for (int i = 1; i < args.length; i++) set(conf, args[i]);
    SessionState.start(conf);
    BufferedReader in = new BufferedReader(
        new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line; (line = in.readLine()) != null; )
      out.println(JSON.writeValueAsString(
          answer(conf, JSON.readTree(line).asText())));
    System.exit(0);
  }
}
