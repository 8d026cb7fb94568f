import org.flywaydb.core.Flyway;

/** Migrates with Flyway, validates, and undoes nothing: a repeatable migration runs again when it has changed. */
class Migrate {
  public static void main(String[] args) {
    var flyway = Flyway.configure()
        .dataSource(System.getenv("JDBC_URL"), "postgres", System.getenv("PGPASSWORD"))
        .locations("filesystem:" + args[0])
        .schemas("app", "public")
        .createSchemas(true)
        // Its lock would be a transaction that stays open, for which an index that is made concurrently waits.
        .configuration(java.util.Map.of("flyway.postgresql.transactional.lock", "false"))
        .placeholders(java.util.Map.of("reader", "flyway_reader"))
        .load();
    System.out.println("migrated " + flyway.migrate().migrationsExecuted);
    System.out.println("migrated " + flyway.migrate().migrationsExecuted);
    flyway.validate();
    for (var each : flyway.info().all()) System.out.println(each.getVersion() + " " + each.getDescription() + " " + each.getState());
  }
}
