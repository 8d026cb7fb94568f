import { readMysqlCatalogue, type MysqlCatalogue } from '@countersign/sql-mysql'

/* A catalogue as a server would tell it, for specs that need none. */

const columns: Readonly<Record<string, readonly string[]>> = {
  'shop.customers': ['id int', 'email varchar', 'city varchar', 'secret varchar INVISIBLE'],
  'shop.orders': ['id int', 'customer_id int', 'status varchar', 'total decimal'],
  'shop.lines': ['order_id int', 'place int', 'sku varchar'],
  'shop.log': ['id int', 'note varchar'],
  'shop.v': ['contact varchar', 'place varchar'],
  'shop.vv': ['who varchar'],
  'shop.dark': ['x varchar'],
  'sales.leads': ['id int', 'email varchar'],
  'mysql.user': ['User char', 'authentication_string text'],
}

const views: Readonly<Record<string, string | null>> = {
  'shop.v': 'select `shop`.`customers`.`email` AS `contact`,lcase(`shop`.`customers`.`city`) AS `place` from `shop`.`customers`',
  'shop.vv': 'select `v`.`contact` AS `who` from `shop`.`v`',
  'shop.dark': null,
}

const split = (name: string): readonly [string, string] => {
  const [schema = '', table = ''] = name.split('.')
  return [schema, table]
}

export const modelCatalogue = (lowerCaseTableNames = 0): MysqlCatalogue =>
  readMysqlCatalogue({
    server: [[lowerCaseTableNames, '8.0.36']],
    tables: Object.keys(columns).map((name) => [...split(name), name in views ? 'VIEW' : 'BASE TABLE', 1_000, 'InnoDB']),
    columns: Object.entries(columns).flatMap(([name, list]) =>
      list.map((column, index) => {
        const [label, type, extra = ''] = column.split(' ')
        return [...split(name), label, index + 1, type, extra]
      }),
    ),
    keys: [
      ['shop', 'customers', 'PRIMARY', 'id', null],
      ['shop', 'customers', 'by_email', 'email', null],
      ['shop', 'orders', 'PRIMARY', 'id', null],
      ['shop', 'orders', 'by_status', 'status', 4],
      ['shop', 'lines', 'PRIMARY', 'order_id', null],
      ['shop', 'lines', 'PRIMARY', 'place', null],
    ],
    views: Object.entries(views).map(([name, definition]) => [...split(name), definition]),
    routines: [
      ['shop', 'twice', 'FUNCTION', 'RETURN n * 2'],
      ['shop', 'wipe', 'FUNCTION', 'BEGIN DELETE FROM log; RETURN 1; END'],
      ['shop', 'loops', 'FUNCTION', 'BEGIN WHILE 1 DO SET @x = 1; END WHILE; RETURN 1; END'],
      ['shop', 'count', 'FUNCTION', 'BEGIN DELETE FROM log; RETURN 1; END'],
      ['shop', 'close', 'PROCEDURE', "BEGIN UPDATE orders SET status = 'x'; END"],
    ],
    triggers: [['shop', 'log', 'INSERT', 'BEGIN DELETE FROM orders; END']],
    foreignKeys: [
      ['shop', 'customers', 'shop', 'orders', 'id', 'CASCADE', 'CASCADE'],
      ['shop', 'orders', 'shop', 'lines', 'id', 'NO ACTION', 'CASCADE'],
    ],
  })
