package clients;

import static clients.Report.map;
import static clients.Report.statement;

import java.sql.Connection;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import javax.net.ssl.SSLSocket;
import org.postgresql.PGConnection;
import org.postgresql.core.BaseConnection;
import org.postgresql.core.PGStream;
import org.postgresql.core.QueryExecutorBase;

/** What happens on a connection beside statements. */
final class Connections {
  static Object login(Side side) throws Exception {
    try (var connection = side.connect()) {
      return map("one", Reads.scalar(connection, "select 1"), "tls", isEncrypted(connection));
    }
  }

  /** The driver does not tell; its socket does. */
  private static boolean isEncrypted(Connection connection) throws Exception {
    var field = QueryExecutorBase.class.getDeclaredField("pgStream");
    field.setAccessible(true);
    var stream = (PGStream) field.get(connection.unwrap(BaseConnection.class).getQueryExecutor());
    return stream.getSocket() instanceof SSLSocket;
  }

  static Object refusedLogin(Side side) throws Exception {
    return Tell.refusal(() -> side.connect().close());
  }

  static Object notifications(Side side) throws Exception {
    try (var listener = side.connect(); var speaker = side.connect()) {
      Reads.execute(listener, "listen client_news");
      Reads.execute(speaker, "notify client_news, 'by itself'");
      Reads.execute(speaker, "select pg_notify('client_news', 'with a parameter')");
      var heard = new ArrayList<List<String>>();
      for (int tries = 0; heard.size() < 2 && tries < 10; tries++) {
        for (var each : listener.unwrap(PGConnection.class).getNotifications(1000)) heard.add(List.of(each.getName(), each.getParameter()));
      }
      return map("heard", heard);
    }
  }

  static Object cancel(Side side) throws Exception {
    try (var connection = side.connect(); var running = connection.createStatement()) {
      var stopper = Executors.newSingleThreadExecutor();
      var asked = stopper.submit(() -> {
        Thread.sleep(500);
        running.cancel();
        return "understood";
      });
      var refused = Tell.refusal(() -> running.executeQuery(statement("endless")));
      stopper.shutdown();
      return map("asked", asked.get(), "refused", refused, "timed out", timedOut(connection), "after", Reads.scalar(connection, "select 1"));
    }
  }

  /** The driver's own time limit, which it enforces by a cancellation. */
  private static Object timedOut(Connection connection) throws Exception {
    try (var statement = connection.createStatement()) {
      statement.setQueryTimeout(1);
      return Tell.refusal(() -> statement.executeQuery(statement("endless")));
    }
  }

  static Object timeout(Side side) throws Exception {
    try (var connection = side.connect("options", "-c statement_timeout=200")) {
      return List.of(Tell.refusal(() -> Reads.execute(connection, statement("endless"))), Reads.scalar(connection, "select 1"));
    }
  }

  static Object connections(Side side) throws Exception {
    for (int each = 0; each < 50; each++) {
      try (var connection = side.connect()) {
        Reads.scalar(connection, "select 1");
      }
    }
    try (var one = side.connect(); var other = side.connect()) {
      Reads.execute(one, "set timezone = 'Asia/Tokyo'");
      one.setSchema("public");
      var both = List.of(Reads.scalar(one, "show timezone"), Reads.scalar(other, "show timezone"), one.getSchema(), one.getCatalog());
      return map("both", both, "pool", twentyAtOnce(side));
    }
  }

  private static List<Object> twentyAtOnce(Side side) throws Exception {
    var threads = Executors.newFixedThreadPool(20);
    var asked = new ArrayList<Callable<Object>>();
    for (int each = 0; each < 60; each++) {
      int number = each;
      asked.add(() -> {
        try (var connection = side.connect()) {
          return Reads.scalar(connection, "select 2 * " + number);
        }
      });
    }
    var answers = new ArrayList<>();
    for (Future<Object> each : threads.invokeAll(asked)) answers.add(each.get());
    threads.shutdown();
    return answers;
  }
}
