package clients;

import static clients.Report.map;

import java.math.BigDecimal;
import java.sql.BatchUpdateException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Timestamp;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.postgresql.util.PSQLException;

/** What is changed: in batches, in transactions, through result sets. */
final class Writes {
  private static final String INSERT = "insert into client_scratch values (?, ?, ?, ?, ?)";

  static Object batch(Side side) throws Exception {
    return batchOn(side, 0);
  }

  /** pgjdbc writes several rows into one INSERT. */
  static Object rewrittenBatch(Side side) throws Exception {
    return batchOn(side, 10_000, "reWriteBatchedInserts", "true");
  }

  private static Map<String, Object> batchOn(Side side, int offset, String... options) throws Exception {
    try (var connection = side.connect(options); var statement = connection.prepareStatement(INSERT)) {
      connection.setAutoCommit(false);
      for (int each = 1; each <= 500; each++) add(statement, side, offset + each);
      var counts = statement.executeBatch();
      connection.commit();
      // What came before the error is not undone by the server alone: the transaction is.
      for (int each : List.of(501, 1, 502)) add(statement, side, offset + each);
      var refused = refusedBatch(statement);
      connection.rollback();
      return map("inserted", total(counts), "refused", refused, "left", count(connection, side, offset), "mixed", mixed(connection, side, offset));
    }
  }

  /** Zero or more is a count; a rewritten batch says only that it went well. */
  private static int total(int[] counts) {
    return Arrays.stream(counts).map(count -> count == Statement.SUCCESS_NO_INFO ? 1 : count).sum();
  }

  private static void add(PreparedStatement statement, Side side, int number) throws SQLException {
    statement.setString(1, side.name());
    statement.setInt(2, number);
    statement.setString(3, "label " + number);
    statement.setBigDecimal(4, BigDecimal.valueOf(number, 2));
    statement.setTimestamp(5, new Timestamp(0));
    statement.addBatch();
  }

  private static Object refusedBatch(PreparedStatement statement) throws SQLException {
    try {
      statement.executeBatch();
    } catch (BatchUpdateException refused) {
      var fields = Tell.withoutSide(Tell.fields(((PSQLException) refused.getCause()).getServerErrorMessage()));
      fields.put("counts", refused.getUpdateCounts());
      return fields;
    }
    throw new AssertionError("it was not refused");
  }

  private static Object mixed(Connection connection, Side side, int offset) throws SQLException {
    try (var statement = connection.createStatement()) {
      var at = "side = '" + side.name() + "' and row_no = " + (offset + 1);
      statement.addBatch("update client_scratch set label = 'changed' where " + at);
      statement.addBatch("delete from client_scratch where " + at);
      statement.addBatch("set local lock_timeout = '1s'");
      var counts = statement.executeBatch();
      connection.commit();
      return counts;
    }
  }

  private static Object count(Connection connection, Side side, int from) throws SQLException {
    return Reads.scalar(connection, "select count(*) from client_scratch where side = '" + side.name() + "' and row_no > " + from + " and row_no <= " + (from + 600));
  }

  static Object generatedKeys(Side side) throws SQLException {
    try (var connection = side.connect();
        var statement = connection.prepareStatement("insert into client_scratch (side, row_no) values (?, 700), (?, 701)", new String[] {"row_no", "side"})) {
      statement.setString(1, side.name());
      statement.setString(2, side.name());
      int updated = statement.executeUpdate();
      var numbers = new ArrayList<>();
      try (var keys = statement.getGeneratedKeys()) {
        while (keys.next()) numbers.add(keys.getInt(1));
      }
      return map("updated", updated, "keys", numbers);
    }
  }

  /** The driver writes UPDATE, INSERT and DELETE of its own, and asks the catalogue for the key. */
  static Object updatableRows(Side side) throws SQLException {
    try (var connection = side.connect();
        var statement = connection.createStatement(ResultSet.TYPE_SCROLL_INSENSITIVE, ResultSet.CONCUR_UPDATABLE)) {
      Reads.execute(connection, "insert into client_scratch (side, row_no, label) values ('" + side.name() + "', 800, 'old')");
      try (var result = statement.executeQuery("select side, row_no, label from client_scratch where row_no = 800 and side = '" + side.name() + "'")) {
        result.next();
        result.updateString("label", "new");
        result.updateRow();
        result.moveToInsertRow();
        result.updateString("side", side.name());
        result.updateInt("row_no", 801);
        result.insertRow();
        result.first();
        result.refreshRow();
        var refreshed = result.getString("label");
        result.deleteRow();
        return map("refreshed", refreshed, "left", Reads.scalar(connection, "select count(*) from client_scratch where row_no in (800, 801) and side = '" + side.name() + "'"));
      }
    }
  }

  static Object transactions(Side side) throws Exception {
    try (var connection = side.connect()) {
      connection.setAutoCommit(false);
      var told = map();
      insert(connection, side, 1000);
      connection.rollback();
      told.put("rolled back", from(connection, side));
      insert(connection, side, 1001);
      var savepoint = connection.setSavepoint("here \"quoted\"");
      insert(connection, side, 1002);
      told.put("failed inside", Tell.withoutSide(Tell.refusal(() -> insert(connection, side, 1002))));
      connection.rollback(savepoint);
      insert(connection, side, 1003);
      var released = connection.setSavepoint();
      insert(connection, side, 1004);
      connection.releaseSavepoint(released);
      connection.commit();
      told.put("savepoints", from(connection, side));
      told.put("undefined", Tell.refusal(() -> Reads.execute(connection, "select missing_column from products")).get("sqlstate"));
      told.put("aborted", Tell.refusal(() -> Reads.execute(connection, "select 1")));
      connection.rollback();
      connection.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
      connection.setReadOnly(true);
      told.put("isolation", Reads.scalar(connection, "show transaction_isolation"));
      told.put("read only", Tell.refusal(() -> insert(connection, side, 1005)));
      connection.rollback();
      told.put("valid", connection.isValid(5));
      return told;
    }
  }

  /** The driver sets a savepoint before each statement, so that one error does not cost the transaction. */
  static Object autosave(Side side) throws Exception {
    try (var connection = side.connect("autosave", "always")) {
      connection.setAutoCommit(false);
      insert(connection, side, 1100);
      var refused = Tell.refusal(() -> Reads.execute(connection, "select missing_column from products")).get("sqlstate");
      insert(connection, side, 1101);
      connection.commit();
      return map("refused", refused, "left", Reads.scalar(connection, "select count(*) from client_scratch where row_no between 1100 and 1101 and side = '" + side.name() + "'"));
    }
  }

  private static void insert(Connection connection, Side side, int number) throws SQLException {
    try (var statement = connection.prepareStatement("insert into client_scratch (side, row_no) values (?, ?)")) {
      statement.setString(1, side.name());
      statement.setInt(2, number);
      statement.executeUpdate();
    }
  }

  private static Object from(Connection connection, Side side) throws SQLException {
    return Reads.scalar(connection, "select count(*) from client_scratch where side = '" + side.name() + "' and row_no between 1000 and 1010");
  }
}
