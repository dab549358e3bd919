// Hive's own client of its metastore, as a judge: HiveClient <uri> [<principal>
// <keytab>], who logs in by Kerberos. One JSON object a line comes in,
// {"do": .., ..}, one goes out: {"ok": ..}, or {"error": class, "text": ..}.
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.hive.metastore.HiveMetaStoreClient;
import org.apache.hadoop.hive.metastore.api.Database;
import org.apache.hadoop.hive.metastore.api.FieldSchema;
import org.apache.hadoop.hive.metastore.api.Partition;
import org.apache.hadoop.hive.metastore.api.SerDeInfo;
import org.apache.hadoop.hive.metastore.api.StorageDescriptor;
import org.apache.hadoop.hive.metastore.api.Table;
import org.apache.hadoop.hive.metastore.conf.MetastoreConf;
import org.apache.hadoop.security.UserGroupInformation;
import org.apache.thrift.TBase;
import org.apache.thrift.TSerializer;
import org.apache.thrift.protocol.TSimpleJSONProtocol;

public class HiveClient {
  static final ObjectMapper JSON = new ObjectMapper();
  static HiveMetaStoreClient client;

  static JsonNode whole(TBase<?, ?> thing) throws Exception {
    TSerializer writer = new TSerializer(new TSimpleJSONProtocol.Factory());
    return JSON.readTree(writer.serialize(thing));
  }

  static List<String> strings(JsonNode list) {
    List<String> out = new ArrayList<>();
    for (JsonNode n : list) out.add(n.asText());
    return out;
  }

  static List<FieldSchema> columns(JsonNode map) {
    List<FieldSchema> out = new ArrayList<>();
    Iterator<Map.Entry<String, JsonNode>> i = map.fields();
    while (i.hasNext()) {
      Map.Entry<String, JsonNode> e = i.next();
      out.add(new FieldSchema(e.getKey(), e.getValue().asText(), null));
    }
    return out;
  }

  static Map<String, String> pairs(JsonNode map) {
    Map<String, String> out = new HashMap<>();
    if (map == null) return out;
    Iterator<Map.Entry<String, JsonNode>> i = map.fields();
    while (i.hasNext()) {
      Map.Entry<String, JsonNode> e = i.next();
      out.put(e.getKey(), e.getValue().asText());
    }
    return out;
  }

  static Table table(JsonNode ask) {
    SerDeInfo serde = new SerDeInfo(null,
        "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
        new HashMap<>(Map.of("serialization.format", "1")));
    StorageDescriptor sd = new StorageDescriptor(columns(ask.get("columns")),
        ask.get("location").asText(), "org.apache.hadoop.mapred.TextInputFormat",
        "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat", false, -1,
        serde, new ArrayList<>(), new ArrayList<>(), pairs(ask.get("sd_parameters")));
    return new Table(ask.get("table").asText(), ask.get("db").asText(), "judge",
        0, 0, 0, sd, columns(ask.get("keys")),
        new HashMap<>(Map.of("EXTERNAL", "TRUE")), null, null, "EXTERNAL_TABLE");
  }

  static Partition partition(JsonNode ask) throws Exception {
    StorageDescriptor sd = client.getTable(ask.get("db").asText(),
        ask.get("table").asText()).getSd().deepCopy();
    sd.setLocation(ask.get("location").asText());
    Partition p = new Partition(strings(ask.get("values")),
        ask.get("db").asText(), ask.get("table").asText(), 0, 0, sd,
        pairs(ask.get("parameters")));
    return p;
  }

  static JsonNode answer(JsonNode ask) throws Exception {
    String db = ask.path("db").asText(), table = ask.path("table").asText();
    switch (ask.get("do").asText()) {
      case "create_database":
        client.createDatabase(
            new Database(db, "", ask.get("location").asText(), Map.of()));
        return null;
      case "create_table":
        client.createTable(table(ask));
        return null;
      case "drop_table":
        client.dropTable(db, table, false, true);
        return null;
      case "table":
        return whole(client.getTable(db, table));
      case "tables":
        return JSON.valueToTree(client.getAllTables(db));
      case "add":
        client.add_partition(partition(ask));
        return null;
      case "drop":
        client.dropPartition(db, table, strings(ask.get("values")), false);
        return null;
      case "partitions": {
        var all = JSON.createArrayNode();
        for (Partition p : client.listPartitions(db, table, (short) -1))
          all.add(whole(p));
        return all;
      }
      default:
        throw new IllegalArgumentException(ask.toString());
    }
  }

  public static void main(String[] args) throws Exception {
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    System.setOut(System.err);
    Configuration conf = MetastoreConf.newMetastoreConf();
    MetastoreConf.setVar(conf, MetastoreConf.ConfVars.THRIFT_URIS, args[0]);
    if (args.length > 1) {
      UserGroupInformation.setConfiguration(conf);
      UserGroupInformation.loginUserFromKeytab(args[1], args[2]);
    }
    client = new HiveMetaStoreClient(conf);
    BufferedReader in = new BufferedReader(
        new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line; (line = in.readLine()) != null; ) {
      ObjectNode said = JSON.createObjectNode();
      try {
        said.set("ok", answer(JSON.readTree(line)));
      } catch (Exception e) {
        said.removeAll();
        said.put("error", e.getClass().getSimpleName());
        said.put("text", String.valueOf(e.getMessage()));
      }
      out.println(JSON.writeValueAsString(said));
    }
    client.close();
  }
}
