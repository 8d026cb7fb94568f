package clients;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonObject;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The one JSON document that the spec reads. */
final class Report {
  static final Gson JSON = new GsonBuilder().serializeNulls().disableHtmlEscaping().create();
  static final JsonObject STATEMENTS = readStatements();

  interface Work {
    Object run(Side side) throws Exception;
  }

  record Section(String name, Work work) {}

  static Section section(String name, Work work) {
    return new Section(name, work);
  }

  static Map<String, Object> runAll(List<Section> sections, Side side) {
    var outcomes = new LinkedHashMap<String, Object>();
    for (var each : sections) {
      System.err.println(each.name() + (side == null ? "" : " " + side.name())); // Where it is, should it hang.
      outcomes.put(each.name(), runOne(each, side));
    }
    return outcomes;
  }

  /** A section that throws is reported as failed, so that the others are still seen. */
  private static Map<String, Object> runOne(Section section, Side side) {
    try {
      return one("saw", section.work().run(side));
    } catch (Exception | AssertionError failure) {
      var trace = new StringWriter();
      failure.printStackTrace(new PrintWriter(trace));
      return one("failed", trace.toString());
    }
  }

  static Map<String, Object> one(String name, Object value) {
    return map(name, value);
  }

  /** Names and values in turn; values may be null. */
  static Map<String, Object> map(Object... namesAndValues) {
    var result = new LinkedHashMap<String, Object>();
    for (int at = 0; at < namesAndValues.length; at += 2) result.put((String) namesAndValues[at], namesAndValues[at + 1]);
    return result;
  }

  static String statement(String name) {
    return STATEMENTS.get(name).getAsString();
  }

  static Map<String, String> statements(String name) {
    var result = new LinkedHashMap<String, String>();
    STATEMENTS.getAsJsonObject(name).entrySet().forEach(each -> result.put(each.getKey(), each.getValue().getAsString()));
    return result;
  }

  private static JsonObject readStatements() {
    try {
      return new Gson().fromJson(Files.readString(Path.of(System.getenv("CLIENT_STATEMENTS"))), JsonObject.class);
    } catch (Exception error) {
      throw new IllegalStateException(error);
    }
  }
}
