-- Ordinary statements of drivers, object mappers, the command line and analysts. All of them are allowed.

-- Connector/J
SELECT @@session.auto_increment_increment AS auto_increment_increment, @@character_set_client AS character_set_client, @@character_set_connection AS character_set_connection, @@character_set_results AS character_set_results, @@character_set_server AS character_set_server, @@collation_server AS collation_server, @@init_connect AS init_connect, @@interactive_timeout AS interactive_timeout, @@license AS license, @@lower_case_table_names AS lower_case_table_names, @@max_allowed_packet AS max_allowed_packet, @@net_write_timeout AS net_write_timeout, @@sql_mode AS sql_mode, @@system_time_zone AS system_time_zone, @@time_zone AS time_zone, @@tx_isolation AS transaction_isolation, @@wait_timeout AS wait_timeout

SET autocommit=1

SET sql_mode='STRICT_TRANS_TABLES'

-- Rails
SET NAMES utf8mb4, @@SESSION.sql_mode = 'STRICT_ALL_TABLES', @@SESSION.wait_timeout = 2147483

SELECT `orders`.* FROM `orders` WHERE `orders`.`customer_id` = 7 ORDER BY `orders`.`id` ASC LIMIT 1

SELECT 1 AS one FROM `customers` WHERE `customers`.`email` = 'x@example.com' LIMIT 1

INSERT INTO `orders` (`customer_id`, `status`, `total`, `created_at`) VALUES (1, 'new', 9.5, '2024-01-01 10:00:00')

UPDATE `orders` SET `orders`.`status` = 'paid' WHERE `orders`.`id` = 12

DELETE FROM `carts` WHERE `carts`.`customer_id` = 3 AND `carts`.`product_id` = 1

SELECT COUNT(*) FROM `orders` INNER JOIN `customers` ON `customers`.`id` = `orders`.`customer_id` WHERE `customers`.`active` = 1

SHOW FULL FIELDS FROM `orders`

SHOW KEYS FROM `orders`

SHOW TABLES LIKE 'orders'

-- Django
SELECT `shop_orders`.`id`, `shop_orders`.`status` FROM `orders` AS `shop_orders` WHERE (`shop_orders`.`status` = 'new' AND NOT (`shop_orders`.`total` IS NULL)) ORDER BY `shop_orders`.`created_at` DESC LIMIT 21

SELECT COUNT(*) AS `__count` FROM `orders`

SELECT (1) AS `a` FROM `orders` WHERE `orders`.`id` = 5 LIMIT 1

SELECT `customers`.`city`, COUNT(`customers`.`id`) AS `n` FROM `customers` GROUP BY `customers`.`city` ORDER BY NULL

SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED

SELECT CAST(`orders`.`created_at` AS DATE) AS `day`, SUM(`orders`.`total`) FROM `orders` GROUP BY CAST(`orders`.`created_at` AS DATE)

-- SQLAlchemy
SELECT orders.id AS orders_id, orders.status AS orders_status FROM orders WHERE orders.id = 5

SELECT anon_1.n FROM (SELECT count(*) AS n FROM orders GROUP BY orders.status) AS anon_1

SELECT DATABASE()

SELECT @@tx_isolation

ROLLBACK

-- Hibernate
select o1_0.id,o1_0.status,c1_0.id,c1_0.full_name from orders o1_0 left join customers c1_0 on c1_0.id=o1_0.customer_id where o1_0.id=5

select count(o1_0.id) from orders o1_0 where o1_0.status='new' and (o1_0.total>10 or o1_0.total is null)

update orders set status='paid',total=5 where id=5

insert into audit_log (actor,action) values ('a','b'),('c','d'),('e','f')

-- Laravel
select * from `orders` where `status` = 'new' and `created_at` > '2024-01-01' order by `id` asc limit 15 offset 30

select exists(select * from `orders` where `customer_id` = 1) as `exists`

select `status`, count(*) as aggregate from `orders` where `customer_id` in (1, 2, 3) group by `status` having count(*) > 1

insert ignore into `settings` (`name`, `value`) values ('a', 'b')

insert into `settings` (`name`, `value`) values ('a', 'b') on duplicate key update `value` = values(`value`)

-- Sequelize, Prisma, TypeORM
SELECT 1+1 AS result

SELECT `Order`.`id`, `Order`.`status`, `Customer`.`id` AS `Customer.id` FROM `orders` AS `Order` LEFT OUTER JOIN `customers` AS `Customer` ON `Order`.`customer_id` = `Customer`.`id` WHERE `Order`.`status` IN ('new', 'paid') LIMIT 0, 10

SELECT `shop`.`orders`.`id`, `shop`.`orders`.`status` FROM `shop`.`orders` WHERE (`shop`.`orders`.`id` = 1 AND 1=1) LIMIT 1 OFFSET 0

SELECT VERSION() AS `version`

START TRANSACTION

COMMIT

SAVEPOINT sp1

-- Drupal, WordPress
SELECT SQL_CALC_FOUND_ROWS orders.id FROM orders WHERE 1=1 AND orders.status = 'new' ORDER BY orders.created_at DESC LIMIT 0, 10

SELECT FOUND_ROWS()

SELECT value FROM settings WHERE name = 'k1' LIMIT 1

UPDATE `settings` SET `value` = 'a:1:{s:1:\"x\";i:1;}' WHERE `name` = 'k2'

-- The command line
show databases

show tables

select database(), USER() limit 1

select @@version_comment limit 1

desc orders

SHOW COLUMNS FROM `orders`

explain select * from orders where status = 'new'

-- Analysts
SELECT DATE_FORMAT(created_at, '%Y-%m') AS month, COUNT(*) AS n, ROUND(SUM(total), 2) AS revenue FROM orders WHERE status IN ('paid', 'shipped') GROUP BY DATE_FORMAT(created_at, '%Y-%m') ORDER BY month

WITH monthly AS (SELECT customer_id, SUM(total) AS spent FROM orders GROUP BY customer_id) SELECT AVG(spent), MAX(spent) FROM monthly

SELECT o.status, AVG(DATEDIFF(o.shipped_at, o.created_at)) AS days FROM orders o WHERE o.shipped_at IS NOT NULL GROUP BY o.status

SELECT c.city, SUM(o.total) AS revenue, RANK() OVER (ORDER BY SUM(o.total) DESC) AS place FROM customers c JOIN orders o ON o.customer_id = c.id GROUP BY c.city LIMIT 10

SELECT customer_id, total, SUM(total) OVER (PARTITION BY customer_id ORDER BY created_at) AS running FROM orders ORDER BY customer_id, created_at LIMIT 100

SELECT SUM(CASE WHEN status = 'paid' THEN 1 ELSE 0 END) / COUNT(*) AS share FROM orders

SELECT SUM(status = 'paid') AS paid, SUM(IF(status = 'new', total, 0)) AS open FROM orders

SELECT YEAR(created_at) AS y, QUARTER(created_at) AS q, COUNT(*) FROM orders GROUP BY y, q ORDER BY y DESC, q DESC

SELECT a.status, a.n, b.n FROM (SELECT status, COUNT(*) AS n FROM orders GROUP BY status) a LEFT JOIN (SELECT status, COUNT(*) AS n FROM orders WHERE total > 100 GROUP BY status) b ON b.status = a.status

SELECT * FROM orders WHERE created_at BETWEEN '2024-01-01' AND '2024-02-01' AND (status = 'new' OR status = 'paid') ORDER BY id DESC LIMIT 100

SELECT o.* FROM orders o WHERE o.total = (SELECT MAX(total) FROM orders WHERE customer_id = o.customer_id) LIMIT 20

SELECT SUBSTRING_INDEX(SUBSTRING_INDEX(status, 'a', 1), 'b', -1), CHAR_LENGTH(status), UPPER(status) FROM orders LIMIT 5

SELECT COALESCE(NULLIF(status, ''), 'none') AS s, COUNT(*) FROM orders GROUP BY s

SELECT TABLE_NAME, TABLE_ROWS FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() ORDER BY TABLE_NAME

SELECT kcu.COLUMN_NAME, kcu.REFERENCED_TABLE_NAME FROM information_schema.KEY_COLUMN_USAGE kcu WHERE kcu.TABLE_SCHEMA = 'shop' AND kcu.TABLE_NAME = 'orders' AND kcu.REFERENCED_TABLE_NAME IS NOT NULL

SELECT id FROM orders WHERE status LIKE '%ne%' AND created_at < DATE_SUB(CURDATE(), INTERVAL 30 DAY)

SELECT JSON_OBJECT('id', id, 'status', status) FROM orders LIMIT 3

SELECT GREATEST(total, 10), LEAST(total, 100), ABS(total), FLOOR(total), MOD(id, 7) FROM orders LIMIT 10

SELECT DAYNAME(created_at), HOUR(created_at), COUNT(*) FROM orders GROUP BY 1, 2 ORDER BY 3 DESC

SELECT status, GROUP_CONCAT(id ORDER BY id DESC SEPARATOR '|') FROM orders WHERE id < 20 GROUP BY status

SELECT id, ROW_NUMBER() OVER (PARTITION BY status ORDER BY total DESC) AS place FROM orders LIMIT 10

SELECT STR_TO_DATE('2024-01-02', '%Y-%m-%d'), UNIX_TIMESTAMP(), FROM_UNIXTIME(0)

SELECT t.id FROM orders t WHERE t.customer_id NOT IN (SELECT id FROM customers WHERE active = 0) LIMIT 10

(SELECT id, 'order' AS kind FROM orders LIMIT 2) UNION (SELECT id, 'payment' FROM payments LIMIT 2) ORDER BY kind, id LIMIT 3

SELECT COUNT(*) FROM orders o CROSS JOIN (SELECT 1 AS x) d WHERE o.id > d.x
