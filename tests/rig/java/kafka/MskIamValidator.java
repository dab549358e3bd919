import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import javax.security.auth.callback.Callback;
import javax.security.auth.callback.UnsupportedCallbackException;
import javax.security.auth.login.AppConfigurationEntry;
import org.apache.kafka.common.security.auth.AuthenticateCallbackHandler;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerToken;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerTokenCallback;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallback;

/**
 * What Amazon MSK does with a token of IAM, for one user whose keys are in the
 * JAAS options access_key, secret_key, session_token (or none) and region: the
 * signature is computed again from AWS's description of it.
 */
public class MskIamValidator implements AuthenticateCallbackHandler {
    private Map<String, ?> options;

    @Override
    public void configure(Map<String, ?> configs, String mechanism,
            List<AppConfigurationEntry> jaas) {
        options = jaas.get(0).getOptions();
    }

    private String option(String name) {
        return String.valueOf(options.get(name));
    }

    private static byte[] mac(byte[] key, String text) throws Exception {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(key, "HmacSHA256"));
        return mac.doFinal(text.getBytes(StandardCharsets.UTF_8));
    }

    private static String sha256(String text) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256")
            .digest(text.getBytes(StandardCharsets.UTF_8)));
    }

    private static void expect(boolean so, String what) {
        if (!so)
            throw new IllegalArgumentException(what);
    }

    private static String plain(String text) {
        return URLDecoder.decode(text, StandardCharsets.UTF_8);
    }

    private String signature(String host, String query, String date,
            String scope) throws Exception {
        String request = "GET\n/\n" + query + "\nhost:" + host
            + "\n\nhost\n" + sha256("");
        String text = "AWS4-HMAC-SHA256\n" + date + "\n" + scope + "\n"
            + sha256(request);
        byte[] key = ("AWS4" + option("secret_key"))
            .getBytes(StandardCharsets.UTF_8);
        for (String part : scope.split("/"))
            key = mac(key, part);
        return HexFormat.of().formatHex(mac(key, text));
    }

    /** When it expires, in ms; an exception says what is wrong. */
    private long check(String token) throws Exception {
        URI url = new URI(new String(Base64.getUrlDecoder().decode(token),
            StandardCharsets.UTF_8));
        TreeMap<String, String> signed = new TreeMap<>();
        for (String pair : url.getRawQuery().split("&")) {
            String[] both = pair.split("=", 2);
            expect(signed.put(both[0], both[1]) == null, "twice: " + both[0]);
        }
        expect(!token.contains("="), "padded");
        expect(url.getScheme().equals("https"), "scheme");
        String host = "kafka." + option("region") + ".amazonaws.com";
        expect(url.getHost().equals(host) && url.getPath().equals("/"), "host");
        expect(signed.remove("User-Agent") != null, "no User-Agent");
        String theirs = signed.remove("X-Amz-Signature");
        expect(plain(signed.get("Action")).equals("kafka-cluster:Connect"),
            "action");
        expect(signed.get("X-Amz-Algorithm").equals("AWS4-HMAC-SHA256"),
            "algorithm");
        expect(signed.get("X-Amz-SignedHeaders").equals("host"), "headers");
        String session = signed.get("X-Amz-Security-Token");
        expect((session == null ? "null" : plain(session))
            .equals(option("session_token")), "session token");
        String date = signed.get("X-Amz-Date");
        String[] credential =
            plain(signed.get("X-Amz-Credential")).split("/", 2);
        expect(credential[0].equals(option("access_key")), "access key");
        String scope = date.substring(0, 8) + "/" + option("region")
            + "/kafka-cluster/aws4_request";
        expect(credential[1].equals(scope), "scope");
        StringBuilder query = new StringBuilder();
        signed.forEach((name, value) -> query
            .append(query.length() > 0 ? "&" : "").append(name).append('=')
            .append(value));
        expect(signature(host, query.toString(), date, scope).equals(theirs),
            "signature");
        int life = Integer.parseInt(signed.get("X-Amz-Expires"));
        expect(life <= 900, "lives too long");
        Instant begins = DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'")
            .withZone(ZoneOffset.UTC).parse(date, Instant::from);
        long expires = begins.plusSeconds(life).toEpochMilli();
        expect(expires > System.currentTimeMillis(), "expired");
        return expires;
    }

    private OAuthBearerToken accepted(String value, long expires) {
        return new OAuthBearerToken() {
            @Override
            public String value() {
                return value;
            }

            @Override
            public Set<String> scope() {
                return Set.of();
            }

            @Override
            public long lifetimeMs() {
                return expires;
            }

            @Override
            public String principalName() {
                return option("access_key");
            }

            @Override
            public Long startTimeMs() {
                return null;
            }
        };
    }

    @Override
    public void handle(Callback[] callbacks)
            throws UnsupportedCallbackException {
        for (Callback one : callbacks) {
            if (one instanceof OAuthBearerTokenCallback)
                continue; // the broker itself has no token
            if (!(one instanceof OAuthBearerValidatorCallback))
                throw new UnsupportedCallbackException(one);
            OAuthBearerValidatorCallback asked =
                (OAuthBearerValidatorCallback) one;
            try {
                asked.token(accepted(asked.tokenValue(),
                    check(asked.tokenValue())));
            } catch (Exception e) {
                System.err.println("MskIamValidator: " + e.getMessage());
                asked.error("invalid_token", null, null);
            }
        }
    }

    @Override
    public void close() {
    }
}
