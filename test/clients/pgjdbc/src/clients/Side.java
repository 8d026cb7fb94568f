package clients;

import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.net.URLDecoder;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Properties;

/** Where a section runs. The name is written into rows, so that both sides can write to the same tables. */
record Side(String name, String dsn) {
  static final Side DIRECT = of("direct", "CLIENT_DIRECT");
  static final Side NODE = of("node", "CLIENT_NODE");
  static final Side CLEAR = of("clear", "CLIENT_CLEAR");
  static final Side SERVICE = of("node", "CLIENT_SERVICE");
  static final Side AGENT = of("agent", "CLIENT_AGENT");
  static final Side WRONG_TOKEN = of("wrong token", "CLIENT_WRONG_TOKEN");
  static final Side WRONG_DATABASE = of("wrong database", "CLIENT_WRONG_DATABASE");

  private static Side of(String name, String variable) {
    return new Side(name, System.getenv(variable));
  }

  /** The connection string as JDBC writes it, with options of the driver as name and value in turn. */
  Connection connect(String... options) throws SQLException {
    var uri = URI.create(dsn);
    var userAndPassword = uri.getRawUserInfo().split(":", 2);
    var properties = new Properties();
    properties.setProperty("user", decoded(userAndPassword[0]));
    properties.setProperty("password", decoded(userAndPassword[1]));
    for (int at = 0; at < options.length; at += 2) properties.setProperty(options[at], options[at + 1]);
    var query = uri.getRawQuery() == null ? "" : "?" + uri.getRawQuery();
    return DriverManager.getConnection("jdbc:postgresql://" + uri.getAuthority().split("@")[1] + uri.getPath() + query, properties);
  }

  private static String decoded(String text) {
    return URLDecoder.decode(text, StandardCharsets.UTF_8);
  }
}
