package clients;

import static clients.Report.map;
import static clients.Report.statement;
import static clients.Report.statements;

import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.sql.Connection;
import java.sql.Date;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/** What is read: in text, in binary after a few executions or at once, in the simple protocol, in portions. */
final class Reads {
  /** After so many executions pgjdbc prepares a statement by name and asks for binary results. */
  private static final int EXECUTIONS = 7;

  interface Reading {
    Object read(Connection connection, String query) throws SQLException;
  }

  record Mode(Reading reading, String... options) {}

  private static final Map<String, Mode> MODES = modes();

  private static Map<String, Mode> modes() {
    var modes = new LinkedHashMap<String, Mode>();
    modes.put("statement", new Mode(Reads::byStatement));
    modes.put("prepared by the server", new Mode(Reads::often));
    modes.put("binary at once", new Mode(Reads::once, "prepareThreshold", "-1"));
    modes.put("text only", new Mode(Reads::often, "binaryTransfer", "false"));
    modes.put("simple protocol", new Mode(Reads::once, "preferQueryMode", "simple"));
    modes.put("extended for prepared", new Mode(Reads::often, "preferQueryMode", "extendedForPrepared"));
    modes.put("everything cached", new Mode(Reads::byStatementOften, "preferQueryMode", "extendedCacheEverything"));
    return modes;
  }

  private static Object byStatement(Connection connection, String query) throws SQLException {
    try (var statement = connection.createStatement(); var result = statement.executeQuery(query)) {
      return Tell.table(result);
    }
  }

  private static Object byStatementOften(Connection connection, String query) throws SQLException {
    Object told = null;
    for (int time = 0; time < EXECUTIONS; time++) told = byStatement(connection, query);
    return told;
  }

  private static Object once(Connection connection, String query) throws SQLException {
    try (var statement = connection.prepareStatement(query); var result = statement.executeQuery()) {
      return Tell.table(result);
    }
  }

  private static Object often(Connection connection, String query) throws SQLException {
    Object told = null;
    try (var statement = connection.prepareStatement(query)) {
      for (int time = 0; time < EXECUTIONS; time++) {
        try (var result = statement.executeQuery()) {
          told = Tell.table(result);
        }
      }
    }
    return told;
  }

  static Object masked(Side side) throws SQLException {
    var told = new LinkedHashMap<String, Map<String, Object>>();
    for (var mode : MODES.entrySet()) {
      try (var connection = side.connect(mode.getValue().options())) {
        for (var each : statements("masked").entrySet()) {
          var read = mode.getValue().reading().read(connection, each.getValue());
          told.computeIfAbsent(each.getKey(), name -> new LinkedHashMap<>()).put(mode.getKey(), read);
        }
      }
    }
    return told;
  }

  static Object types(Side side) throws SQLException {
    var told = new LinkedHashMap<String, Object>();
    for (var mode : MODES.entrySet()) {
      try (var connection = side.connect(mode.getValue().options())) {
        told.put(mode.getKey(), mode.getValue().reading().read(connection, statement("types")));
      }
    }
    return told;
  }

  /** What tools ask: the driver answers from the catalogue. */
  static Object metadata(Side side) throws SQLException {
    try (var connection = side.connect()) {
      var data = connection.getMetaData();
      var told = map(
          "product", data.getDatabaseProductVersion(), "tables", rowsOf(data.getTables(null, "public", "client\\_%", new String[] {"TABLE"}), 3),
          "columns", rowsOf(data.getColumns(null, "public", "client_types", null), 18),
          "keys", rowsOf(data.getPrimaryKeys(null, "public", "client_scratch"), 6),
          "imported", rowsOf(data.getImportedKeys(null, "public", "client_rules"), 9),
          "indexes", rowsOf(data.getIndexInfo(null, "public", "client_rules", true, true), 6),
          "schemas", rowsOf(data.getSchemas(null, "public"), 1), "types", rowsOf(data.getTypeInfo(), 2));
      try (var statement = connection.prepareStatement("select id, kind as what from events where id = ?")) {
        var columns = statement.getMetaData();
        told.put("result", List.of(columns.getColumnTypeName(1), columns.getColumnLabel(2), columns.isNullable(1), columns.isAutoIncrement(1)));
        told.put("parameter", statement.getParameterMetaData().getParameterTypeName(1));
      }
      return told;
    }
  }

  private static Object rowsOf(ResultSet result, int width) throws SQLException {
    var rows = new ArrayList<>();
    while (result.next()) {
      var row = new ArrayList<>();
      for (int at = 1; at <= width; at++) row.add(result.getString(at));
      rows.add(row);
    }
    result.close();
    return rows;
  }

  static Object parameters(Side side) throws SQLException {
    var told = new LinkedHashMap<String, Object>();
    for (var mode : List.of("extended", "simple", "extendedCacheEverything")) {
      for (var threshold : List.of("5", "-1")) {
        try (var connection = side.connect("preferQueryMode", mode, "prepareThreshold", threshold)) {
          told.put(mode + " " + threshold, parametersOn(connection));
        }
      }
    }
    return told;
  }

  private static Object parametersOn(Connection connection) throws SQLException {
    var query = "select ?::int4, ?::int8, ?::numeric, ?::float8, ?::bool, ?::text, ?::bytea, ?::date, ?::timestamptz, ?::uuid, ?::int4[], ?::jsonb, ?::text";
    var told = new ArrayList<>();
    try (var statement = connection.prepareStatement(query)) {
      for (int time = 0; time < EXECUTIONS; time++) {
        bind(connection, statement, time);
        try (var result = statement.executeQuery()) {
          told.add(Tell.rows(result));
        }
      }
      for (int at = 1; at <= 13; at++) statement.setNull(at, Types.NULL);
      try (var result = statement.executeQuery()) {
        told.add(Tell.rows(result));
      }
    }
    return told;
  }

  private static void bind(Connection connection, PreparedStatement statement, int number) throws SQLException {
    statement.setInt(1, number);
    statement.setLong(2, -(1L << 40));
    statement.setBigDecimal(3, new BigDecimal("12.340"));
    statement.setDouble(4, 0.1);
    statement.setBoolean(5, true);
    statement.setString(6, "text with 'quotes' and \\ and ?");
    statement.setBytes(7, new byte[] {0, -1});
    statement.setObject(8, LocalDate.of(2024, 2, 29));
    statement.setObject(9, OffsetDateTime.parse("2024-02-29T01:02:03.000004Z"));
    statement.setObject(10, new UUID(0, 7));
    statement.setArray(11, connection.createArrayOf("int4", new Object[] {1, null, 3}));
    statement.setString(12, "{\"a\": [1, null]}");
    statement.setNull(13, Types.VARCHAR);
  }

  static Object prepared(Side side) throws SQLException {
    var told = new ArrayList<>();
    try (var connection = side.connect();
        var statement = connection.prepareStatement("select count(*), sum(duration_ms) from events where id between ? and ?")) {
      for (int each = 0; each < 100; each++) {
        statement.setLong(1, each * 10L);
        statement.setLong(2, each * 10L + 9);
        try (var result = statement.executeQuery()) {
          told.add(Tell.rows(result));
        }
      }
      // More statements than the driver keeps, so that it closes some.
      var cached = new ArrayList<>();
      try (var small = side.connect("preparedStatementCacheQueries", "3", "prepareThreshold", "1")) {
        for (int each = 0; each < 20; each++) {
          cached.add(scalar(small, "select kind || " + each % 7 + " from events where id = " + (each + 1)));
        }
      }
      return map("runs", told.size(), "first", told.subList(0, 3), "last", told.get(99), "cached", cached);
    }
  }

  /** A statement that was prepared under other circumstances: the driver notices and prepares it again. */
  static Object plansMadeAnew(Side side) throws Exception {
    try (var connection = side.connect("prepareThreshold", "1")) {
      var told = new ArrayList<>();
      for (var between : List.of("select 1", "deallocate all", "discard all", "set search_path to pg_catalog, public")) {
        told.add(scalar(connection, "select kind from events where id = 5"));
        told.add(scalar(connection, "select kind from events where id = 5"));
        execute(connection, between);
      }
      told.add(scalar(connection, "select kind from events where id = 5"));
      return told;
    }
  }

  static Object temporaryTables(Side side) throws SQLException {
    try (var connection = side.connect()) {
      execute(connection, "create temporary table own (n int, label text)");
      execute(connection, "insert into own values (1, 'one'), (2, 'two')");
      return map("count", scalar(connection, "select count(*) from own"), "rows", byStatement(connection, "select * from own order by n"));
    }
  }

  static Object large(Side side) throws Exception {
    try (var connection = side.connect()) {
      connection.setAutoCommit(false);
      try (var statement = connection.prepareStatement(statement("large"))) {
        statement.setFetchSize(2000);
        return tally(statement.executeQuery());
      }
    }
  }

  private static Object tally(ResultSet result) throws Exception {
    var digest = MessageDigest.getInstance("SHA-256");
    int rows = 0;
    while (result.next()) {
      for (int at = 1; at <= 7; at++) digest.update(String.valueOf(result.getString(at)).getBytes(StandardCharsets.UTF_8));
      rows++;
    }
    return map("rows", rows, "digest", HexFormat.of().formatHex(digest.digest()));
  }

  /** Some portals open at once, each asked for some rows at a time; and one that is given up in the middle. */
  static Object portions(Side side) throws Exception {
    try (var connection = side.connect("prepareThreshold", "-1")) {
      connection.setAutoCommit(false);
      try (var one = inPortions(connection, statement("portions")).executeQuery();
          var other = inPortions(connection, "select id, city from customers order by id").executeQuery()) {
        var interleaved = new ArrayList<>();
        int rows = 0;
        for (; one.next(); rows++) {
          other.next();
          if (one.getRow() % 250 == 0) interleaved.add(List.of(one.getLong(1), one.getString(2), other.getString(2)));
        }
        var abandoned = inPortions(connection, statement("portions"));
        abandoned.executeQuery().next();
        abandoned.close();
        connection.commit();
        return map("rows", rows, "interleaved", interleaved, "after", scalar(connection, "select 1"));
      }
    }
  }

  private static PreparedStatement inPortions(Connection connection, String query) throws SQLException {
    var statement = connection.prepareStatement(query);
    statement.setFetchSize(100);
    return statement;
  }

  static Object manyResults(Side side) throws SQLException {
    var told = new ArrayList<>();
    try (var connection = side.connect(); var statement = connection.createStatement()) {
      boolean isRows = statement.execute("select 1; select 'two', 2 where false; insert into client_scratch values ('" + side.name() + "', 900); select 3, 'drei'");
      while (isRows || statement.getUpdateCount() >= 0) {
        told.add(isRows ? Tell.rows(statement.getResultSet()) : statement.getUpdateCount());
        isRows = statement.getMoreResults();
      }
    }
    return told;
  }

  static Object calls(Side side) throws SQLException {
    try (var connection = side.connect(); var call = connection.prepareCall("{? = call upper(?)}")) {
      call.registerOutParameter(1, Types.VARCHAR);
      call.setString(2, "lower");
      call.execute();
      return call.getString(1);
    }
  }

  static Object scalar(Connection connection, String query) throws SQLException {
    try (var statement = connection.prepareStatement(query); var result = statement.executeQuery()) {
      result.next();
      return result.getObject(1);
    }
  }

  static void execute(Connection connection, String query) throws SQLException {
    try (var statement = connection.createStatement()) {
      statement.execute(query);
    }
  }
}
