package clients;

import static clients.Report.map;
import static clients.Report.statement;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.Reader;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyManager;

/** COPY by the driver's CopyManager. */
final class Copies {
  private static final String LOAD = "copy client_loads from stdin";

  static Object out(Side side) throws Exception {
    try (var connection = side.connect()) {
      var told = map();
      for (var format : new String[] {"text", "csv", "binary"}) {
        var target = new ByteArrayOutputStream();
        long rows = of(connection).copyOut("copy (" + statement("copyOut") + ") to stdout (format " + format + ")", target);
        var each = Tell.bytes(target.toByteArray());
        each.put("rows", rows);
        told.put(format, each);
      }
      return told;
    }
  }

  static Object in(Side side) throws Exception {
    try (var connection = side.connect()) {
      long text = of(connection).copyIn(LOAD, new StringReader(lines(side)));
      var bad = Tell.refusal(() -> of(connection).copyIn(LOAD, new StringReader("side\tnot a number\tlabel\t1\t2024-01-01\n")));
      return map("text", text, "bad", bad, "given up", givenUp(connection), "by hand", byHand(connection, side), "found", found(connection, side));
    }
  }

  private static String lines(Side side) {
    var lines = new StringBuilder();
    for (int each = 0; each < 19_999; each++) {
      lines.append(side.name()).append('\t').append(each).append("\tlabel\t").append(each / 8.0).append("\t2024-01-01\n");
    }
    return lines.toString();
  }

  /** Our own reader fails, so that the driver ends the copy with CopyFail. */
  private static Object givenUp(Connection connection) throws Exception {
    try {
      of(connection).copyIn(LOAD, new Reader() {
        @Override
        public int read(char[] into, int at, int length) throws IOException {
          throw new IOException("our own reader failed");
        }

        @Override
        public void close() {}
      });
    } catch (IOException expected) {
      return expected.getMessage();
    }
    throw new AssertionError("it went well");
  }

  private static Object byHand(Connection connection, Side side) throws SQLException {
    var copy = of(connection).copyIn(LOAD);
    var line = (side.name() + "\t20000\t\\N\t1\t\\N\n").getBytes(StandardCharsets.UTF_8);
    copy.writeToCopy(line, 0, line.length);
    return copy.endCopy();
  }

  private static Object found(Connection connection, Side side) throws SQLException {
    try (var statement = connection.prepareStatement("select count(*), sum(amount), count(label) from client_loads where side = ?")) {
      statement.setString(1, side.name());
      return Tell.rows(statement.executeQuery());
    }
  }

  private static CopyManager of(Connection connection) throws SQLException {
    return connection.unwrap(PGConnection.class).getCopyAPI();
  }
}
