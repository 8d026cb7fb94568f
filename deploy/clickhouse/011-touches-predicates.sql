-- Since version 2 of statement.settled, what rows were looked for by is told as well.
ALTER TABLE touches COMMENT COLUMN how '`read`, `predicate` (it decided which rows count), `written`, `returned-clear` or `returned-masked`';
