/*
 * What java.text.SimpleDateFormat takes texts for: the table of the unit tests
 * of patterns, and more of it.
 *
 *	JavaDates SEED COUNT inc|tsv
 *
 * COUNT texts a pattern: a time as it prints it, every second one with changes.
 * Each row has the milliseconds, or none where it is not taken. `yy` is of 1969
 * to 2067 here. Results before 1901 are left out: Java's zones begin there. The calendar
 * is Gregorian at all times.
 */
import java.text.ParsePosition;
import java.text.SimpleDateFormat;
import java.util.Date;
import java.util.GregorianCalendar;
import java.util.Locale;
import java.util.Random;
import java.util.TimeZone;

public class JavaDates {
    static final String[] PATTERNS = {
        "yyyy-MM-dd HH:mm:ss", "yyyy/MM/d", "yyyy-MM-dd'T'HH:mm:ss",
        "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'", "yyyy-MM-dd'T'HH:mm:ss.SSSZ",
        "yyyy-MM-dd'T'HH:mm:ssX", "yyyy-MM-dd'T'HH:mm:ssXX",
        "yyyy-MM-dd'T'HH:mm:ssXXX", "yyyyMMdd", "yyyyMMddHHmmssSSS",
        "yy-MM-dd", "yyMMdd", "EEE MMM dd HH:mm:ss yyyy",
        "EEEE, d MMMM yyyy HH:mm", "MM/dd/yyyy HH:mm:ss",
        "MM/dd/yyyy hh:mm:ss a", "dd/MMM/yyyy:HH:mm:ss Z", "DDDyyyy",
        "yyyy-DDD", "YYYY-'W'ww-u", "YYYY ww EEE", "yyyy MM W u",
        "yyyy MMM F EEE", "yyyy ww u", "yyyy-MM-dd KK:mm a",
        "yyyy-MM-dd kk:mm", "d.M.y H:m", "G yyyy MM dd", "yyyy-MM",
        "yyyy", "MMM d yyyy h a", "EEE, dd MMM yyyy HH:mm:ss z",
        "yyyy 'o''clock' HH", "yyyy-MM-dd''HH", "yyyyMMM dd", "y-M-d-S",
        "YYYY-MM-dd", "HH:mm", "yyyy-MM-dd HH hh a",
        "dd MM yyyy DDD", "DDD yyyy dd MM", "yyyy LLL dd", "yyy-MM-dd :s",
    };
    static final String[] ZONES = {"UTC", "America/New_York", "Asia/Kolkata"};
    static final String CHANGES = "0123456789- :/.,TZ+aPM";

    static String change(Random random, String text) {
        StringBuilder changed = new StringBuilder(text);
        for (int n = 1 + random.nextInt(2); n > 0; n--) {
            int at = random.nextInt(changed.length() + 1);
            char c = CHANGES.charAt(random.nextInt(CHANGES.length()));
            switch (random.nextInt(4)) {
            case 0:
                changed.insert(at, c);
                break;
            case 1:
                if (at < changed.length())
                    changed.deleteCharAt(at);
                break;
            case 2: // digits go on being digits
                if (at < changed.length()
                    && Character.isDigit(changed.charAt(at)))
                    changed.setCharAt(at, (char)('0' + random.nextInt(10)));
                break;
            default:
                if (at < changed.length())
                    changed.setCharAt(at, c);
            }
        }
        return changed.toString();
    }

    static long any(Random random) {
        switch (random.nextInt(3)) {
        case 0: // 1969 to 2068, the years of yy
            return -31536000000L + (long)(random.nextDouble() * 3.15e12);
        case 1: // about changes of the clock in New York, 2024
            return (random.nextBoolean() ? 1710054000000L : 1730610000000L)
                + random.nextInt(10800000) - 5400000;
        default: // 1901 to 9990
            return -2177452800000L + (long)(random.nextDouble() * 2.55e14);
        }
    }

    static String quoted(String text) {
        return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }

    public static void main(String[] args) {
        Random random = new Random(Long.parseLong(args[0]));
        int count = Integer.parseInt(args[1]);
        boolean inc = args[2].equals("inc");
        for (String pattern : PATTERNS) {
            SimpleDateFormat format = new SimpleDateFormat(pattern, Locale.US);
            for (int i = 0; i < count; i++) {
                // a zone's own names are only known with it
                String zone = ZONES[random.nextInt(
                    pattern.contains("z") ? 1 : ZONES.length)];
                format.setTimeZone(TimeZone.getTimeZone(zone));
                format.set2DigitYearStart(new Date(-32000000000L));
                ((GregorianCalendar)format.getCalendar())
                    .setGregorianChange(new Date(Long.MIN_VALUE));
                // not in a lower case and narrow blanks, as newer ones print
                String text = format.format(new Date(any(random)))
                    .replace('\u202f', ' ');
                // there are more names of zones than we take
                if (i % 2 == 1 && !pattern.contains("z"))
                    text = change(random, text);
                // the year in whose midst a century of yy begins
                if (text.contains("68") && !pattern.contains("yyy"))
                    continue;
                format.setTimeZone(TimeZone.getTimeZone(zone));
                Date date = format.parse(text, new ParsePosition(0));
                String ms = date == null ? "BAD" : "" + date.getTime();
                if (date != null && (date.getTime() < -2177452800000L
                        || date.getTime() > 253402300799999L))
                    continue;
                System.out.println(inc
                    ? "{" + quoted(pattern) + ", " + quoted(zone) + ", "
                        + quoted(text) + ", " + ms + "},"
                    : pattern + "\t" + zone + "\t" + text + "\t" + ms);
            }
        }
    }
}
