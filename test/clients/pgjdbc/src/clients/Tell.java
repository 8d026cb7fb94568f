package clients;

import static clients.Report.map;

import com.google.gson.JsonElement;
import com.google.gson.JsonParser;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.sql.Array;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLXML;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.postgresql.util.PGobject;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

/** What the driver gave, in JSON: values with the type that they came in, rows, errors. */
final class Tell {
  private static final int LENGTH_MAX = 2000;

  static Object value(Object value) throws SQLException {
    if (value == null) return null;
    var kind = value.getClass().getSimpleName();
    if (value instanceof byte[] bytes) return List.of(kind, brief(HexFormat.of().formatHex(bytes)));
    if (value instanceof Array array) return list((Object[]) array.getArray());
    if (value instanceof Object[] elements) return list(elements);
    if (value instanceof SQLXML xml) return List.of(kind, brief(xml.getString()));
    if (value instanceof PGobject object) return object(object);
    return List.of(kind, brief(value.toString()));
  }

  /** JSON arrives as an object of the driver's that holds text; it must parse. */
  private static Object object(PGobject object) {
    var kind = "PGobject " + object.getType();
    if (object.getValue() == null) return null;
    if (!object.getType().startsWith("json")) return List.of(kind, brief(object.getValue()));
    return json(kind, JsonParser.parseString(object.getValue()));
  }

  private static Object json(String kind, JsonElement element) {
    if (element.isJsonNull()) return null;
    if (element.isJsonPrimitive()) return List.of(kind, element.getAsJsonPrimitive().toString());
    if (element.isJsonArray()) return List.of(kind, element.getAsJsonArray().asList().stream().map(each -> json("part", each)).toList());
    var parts = new LinkedHashMap<String, Object>();
    element.getAsJsonObject().entrySet().forEach(each -> parts.put(each.getKey(), json("part", each.getValue())));
    return List.of(kind, parts);
  }

  /** Named after the type of its elements, which is how the driver has understood it. */
  private static Object list(Object[] values) throws SQLException {
    var told = new ArrayList<>();
    for (var each : values) told.add(value(each));
    return List.of(values.getClass().getSimpleName(), told);
  }

  static Map<String, Object> table(ResultSet result) throws SQLException {
    return map("columns", columns(result), "rows", rows(result));
  }

  static List<String> columns(ResultSet result) throws SQLException {
    var names = new ArrayList<String>();
    for (int at = 1; at <= result.getMetaData().getColumnCount(); at++) names.add(result.getMetaData().getColumnLabel(at));
    return names;
  }

  static List<Object> rows(ResultSet result) throws SQLException {
    var rows = new ArrayList<>();
    int width = result.getMetaData().getColumnCount();
    while (result.next()) {
      var row = new ArrayList<>();
      for (int at = 1; at <= width; at++) row.add(value(result.getObject(at)));
      rows.add(row);
    }
    return rows;
  }

  interface Attempt {
    void run() throws Exception;
  }

  /** What the server said when it refused; that it did not refuse is an error. */
  static Map<String, Object> refusal(Attempt attempt) throws Exception {
    try {
      attempt.run();
    } catch (PSQLException refused) {
      var message = refused.getServerErrorMessage();
      return message == null ? map("sqlstate", refused.getSQLState(), "message", refused.getMessage()) : fields(message);
    }
    throw new AssertionError("it was not refused");
  }

  static Map<String, Object> fields(ServerErrorMessage said) {
    return map(
        "severity", said.getSeverity(), "sqlstate", said.getSQLState(), "message", said.getMessage(),
        "detail", said.getDetail(), "hint", said.getHint(), "position", said.getPosition(),
        "internal position", said.getInternalPosition(), "internal query", said.getInternalQuery(),
        "where", said.getWhere(), "schema", said.getSchema(), "table", said.getTable(), "column", said.getColumn(),
        "data type", said.getDatatype(), "constraint", said.getConstraint());
  }

  /** A row's key names the side that it belongs to; that is our difference, not the node's. */
  static Map<String, Object> withoutSide(Map<String, Object> fields) {
    if (fields.get("detail") instanceof String detail) fields.put("detail", detail.replaceAll("\\b(node|direct)\\b", "SIDE"));
    return fields;
  }

  static Map<String, Object> bytes(byte[] bytes) {
    return map("bytes", bytes.length, "digest", digest(bytes));
  }

  static String brief(String text) {
    return text.length() <= LENGTH_MAX ? text : text.length() + " characters, " + digest(text.getBytes(StandardCharsets.UTF_8));
  }

  static String digest(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (java.security.NoSuchAlgorithmException error) {
      throw new IllegalStateException(error);
    }
  }
}
