package clients;

import static clients.Report.map;

import com.google.gson.JsonParser;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.List;

/** An agent asks for what is dangerous, comes back until somebody has countersigned, and gets it once. */
final class Held {
  private static final long PATIENCE_MS = 30_000;

  static Object held(Side side) throws Exception {
    try (var connection = side.connect();
        var drop = connection.prepareStatement("drop table client_doomed_pgjdbc");
        var update = connection.prepareStatement("update client_counts set times = times + 1 where client = ?")) {
      update.setString(1, "pgjdbc");
      return List.of(once(connection, drop), once(connection, update));
    }
  }

  private static Object once(Connection connection, PreparedStatement statement) throws Exception {
    var refused = Tell.refusal(statement::executeUpdate);
    var usable = Reads.scalar(connection, "select 1");
    int granted = comeBack(statement);
    var again = Tell.refusal(statement::executeUpdate);
    return map("refused", refused.get("sqlstate"), "detail", JsonParser.parseString((String) refused.get("detail")),
        "usable", usable, "granted", granted, "again", again.get("sqlstate"));
  }

  private static int comeBack(PreparedStatement statement) throws Exception {
    long deadline = System.currentTimeMillis() + PATIENCE_MS;
    while (true) {
      try {
        return statement.executeUpdate();
      } catch (SQLException refused) {
        if (!"ZA001".equals(refused.getSQLState()) || System.currentTimeMillis() > deadline) throw refused;
        Thread.sleep(100);
      }
    }
  }
}
