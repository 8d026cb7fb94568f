package clients;

import static clients.Report.map;
import static clients.Report.statement;
import static clients.Report.statements;

import java.sql.Connection;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import org.postgresql.util.PSQLWarning;

/** What the server says beside results. */
final class Errors {
  static Object errors(Side side) throws Exception {
    var told = new LinkedHashMap<String, Object>();
    try (var extended = side.connect(); var simple = side.connect("preferQueryMode", "simple")) {
      for (var each : statements("errors").entrySet()) {
        var query = each.getValue();
        told.put(each.getKey(), map(
            "simple", Tell.refusal(() -> Reads.execute(simple, query)),
            "extended", Tell.refusal(() -> Reads.execute(extended, query)),
            "again", Tell.refusal(() -> Reads.execute(extended, query))));
      }
      told.put("bad parameter", Tell.refusal(() -> badParameter(extended)));
      told.put("still there", Reads.scalar(extended, "select 1"));
    }
    return told;
  }

  private static void badParameter(Connection connection) throws Exception {
    try (var statement = connection.prepareStatement("select ?::int")) {
      statement.setObject(1, "not a number", java.sql.Types.OTHER);
      statement.executeQuery();
    }
  }

  static Object notices(Side side) throws Exception {
    var told = new ArrayList<>();
    try (var connection = side.connect(); var statement = connection.createStatement()) {
      for (var each : Report.STATEMENTS.getAsJsonArray("notices")) told.addAll(warningsOf(statement, each.getAsString()));
      told.addAll(warningsOf(statement, statement("raised")));
    }
    return told;
  }

  private static ArrayList<Object> warningsOf(java.sql.Statement statement, String query) throws Exception {
    var told = new ArrayList<>();
    statement.execute(query);
    for (var warning = statement.getWarnings(); warning != null; warning = warning.getNextWarning()) {
      told.add(Tell.fields(((PSQLWarning) warning).getServerErrorMessage()));
    }
    return told;
  }
}
