import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Kafka's own producer. A line of JSON each comes in: {"topic", "properties",
 * "messages": [[partition, key, value, timestamp, [[name, value], ..]], ..]},
 * bytes as base64, or null; [[partition, offset], ..] goes out, in that order.
 */
public class Send {
    private static final ObjectMapper JSON = new ObjectMapper();

    private static byte[] bytes(JsonNode text) {
        return text.isNull() ? null
            : Base64.getDecoder().decode(text.asText());
    }

    private static ProducerRecord<byte[], byte[]> record(String topic,
            JsonNode m) {
        ProducerRecord<byte[], byte[]> made = new ProducerRecord<>(topic,
            m.get(0).asInt(), m.get(3).isNull() ? null : m.get(3).asLong(),
            bytes(m.get(1)), bytes(m.get(2)));
        for (JsonNode h : m.get(4))
            made.headers().add(h.get(0).asText(), bytes(h.get(1)));
        return made;
    }

    private static ArrayNode send(JsonNode ask) throws Exception {
        Properties properties = new Properties();
        ask.get("properties").fields().forEachRemaining(
            e -> properties.put(e.getKey(), e.getValue().asText()));
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        ArrayNode places = JSON.createArrayNode();
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
                properties, new ByteArraySerializer(),
                new ByteArraySerializer())) {
            for (JsonNode m : ask.get("messages"))
                sent.add(producer.send(record(ask.get("topic").asText(), m)));
            producer.flush();
            for (Future<RecordMetadata> one : sent)
                places.addArray().add(one.get().partition())
                    .add(one.get().offset());
        }
        return places;
    }

    public static void main(String[] args) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(
            System.in, StandardCharsets.UTF_8));
        for (String line; (line = in.readLine()) != null; )
            System.out.println(send(JSON.readTree(line)));
    }
}
