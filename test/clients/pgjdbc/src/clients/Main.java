package clients;

import static clients.Report.map;
import static clients.Report.runAll;
import static clients.Report.section;

import java.util.List;
import java.util.Map;
import org.postgresql.util.DriverInfo;

/** What a Java program does with a database, on the database itself and through the node. */
public final class Main {
  public static void main(String[] arguments) {
    var compared = List.of(
        section("login", Connections::login), section("masked", Reads::masked), section("types", Reads::types),
        section("metadata", Reads::metadata), section("parameters", Reads::parameters),
        section("prepared", Reads::prepared), section("plans_made_anew", Reads::plansMadeAnew),
        section("temporary_tables", Reads::temporaryTables), section("large", Reads::large),
        section("portions", Reads::portions), section("many_results", Reads::manyResults),
        section("calls", Reads::calls), section("errors", Errors::errors), section("notices", Errors::notices),
        section("batch", Writes::batch), section("rewritten_batch", Writes::rewrittenBatch),
        section("generated_keys", Writes::generatedKeys), section("updatable_rows", Writes::updatableRows),
        section("transactions", Writes::transactions), section("autosave", Writes::autosave),
        section("copy_out", Copies::out), section("notifications", Connections::notifications),
        section("cancel", Connections::cancel), section("timeout", Connections::timeout),
        section("connections", Connections::connections));
    var loads = List.of(section("copy_in", Copies::in));
    var clear = List.of(section("login", Connections::login), section("masked", Reads::masked));
    var only = List.of(
        section("wrong_token", side -> Connections.refusedLogin(Side.WRONG_TOKEN)),
        section("wrong_database", side -> Connections.refusedLogin(Side.WRONG_DATABASE)),
        section("held", Held::held));
    var document = map(
        "about", DriverInfo.DRIVER_FULL_NAME,
        "direct", merged(runAll(compared, Side.DIRECT), runAll(loads, Side.DIRECT)),
        "node", merged(runAll(compared, Side.NODE), runAll(loads, Side.SERVICE)),
        "clear", runAll(clear, Side.CLEAR),
        "only", runAll(only, Side.AGENT));
    System.out.println(Report.JSON.toJson(document));
  }

  private static Map<String, Object> merged(Map<String, Object> all, Map<String, Object> more) {
    all.putAll(more);
    return all;
  }
}
