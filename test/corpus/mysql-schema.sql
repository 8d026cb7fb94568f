CREATE DATABASE shop CHARACTER SET utf8mb4;
CREATE DATABASE sales CHARACTER SET utf8mb4;
USE shop;
CREATE TABLE customers (id INT AUTO_INCREMENT PRIMARY KEY, full_name VARCHAR(100) NOT NULL, email VARCHAR(100), phone VARCHAR(30), ssn CHAR(11), dob DATE, city VARCHAR(50), country CHAR(2), notes TEXT, profile JSON, active TINYINT NOT NULL DEFAULT 1, created_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP, UNIQUE KEY by_email (email));
CREATE TABLE orders (id INT AUTO_INCREMENT PRIMARY KEY, customer_id INT NOT NULL, status VARCHAR(20) NOT NULL, total DECIMAL(12,2), created_at DATETIME NOT NULL, shipped_at DATETIME, KEY by_status (status), CONSTRAINT orders_customer FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TABLE payments (id INT AUTO_INCREMENT PRIMARY KEY, order_id INT, card_number VARCHAR(19), iban VARCHAR(34), amount DECIMAL(12,2), CONSTRAINT payments_order FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE SET NULL);
CREATE TABLE employees (id INT PRIMARY KEY, name VARCHAR(50), manager_id INT, salary DECIMAL(10,2), national_id VARCHAR(20));
CREATE TABLE sessions (id INT AUTO_INCREMENT PRIMARY KEY, customer_id INT, token CHAR(32), ip VARCHAR(45));
CREATE TABLE settings (name VARCHAR(50) PRIMARY KEY, value VARCHAR(100));
CREATE TABLE audit_log (id INT AUTO_INCREMENT PRIMARY KEY, actor VARCHAR(50), action VARCHAR(100));
CREATE TABLE truncate_log (id INT PRIMARY KEY, `drop` VARCHAR(10), `delete` VARCHAR(10));
CREATE TABLE `drop table orders` (x INT);
CREATE TABLE carts (customer_id INT, product_id INT, quantity INT, PRIMARY KEY (customer_id, product_id));
CREATE TABLE inbox (id INT PRIMARY KEY, body VARCHAR(100));
CREATE TABLE outbox (id INT PRIMARY KEY, body VARCHAR(100));
CREATE TABLE events (id INT, year_of INT NOT NULL, kind VARCHAR(10)) PARTITION BY RANGE (year_of) (PARTITION p2024 VALUES LESS THAN (2025), PARTITION p2025 VALUES LESS THAN (2026));
CREATE TABLE sales.leads (id INT PRIMARY KEY, contact_email VARCHAR(100), score INT);
INSERT INTO customers (full_name, email, phone, ssn, dob, city, country, notes, profile, active, created_at) WITH RECURSIVE n (g) AS (SELECT 1 UNION ALL SELECT g + 1 FROM n WHERE g < 200) SELECT CONCAT('Person ', g), CONCAT('person', g, '@example.com'), CONCAT('+1-415-555-', LPAD(g, 4, '0')), CONCAT('100-45-', LPAD(g, 4, '0')), '1950-01-01' + INTERVAL g DAY, CONCAT('City', MOD(g, 20)), 'US', CONCAT('call person', g), JSON_OBJECT('plan', IF(MOD(g, 3) = 0, 'pro', 'free'), 'email', CONCAT('person', g, '@example.com')), MOD(g, 10) <> 0, '2023-01-01' + INTERVAL g HOUR FROM n;
INSERT INTO orders (customer_id, status, total, created_at) WITH RECURSIVE n (g) AS (SELECT 1 UNION ALL SELECT g + 1 FROM n WHERE g < 600) SELECT 1 + MOD(g, 200), ELT(1 + MOD(g, 4), 'new', 'paid', 'shipped', 'cancelled'), g, '2023-06-01' + INTERVAL g HOUR FROM n;
INSERT INTO payments (order_id, card_number, iban, amount) SELECT id, '4111111111111111', 'DE89370400440532013000', total FROM orders WHERE id <= 300;
INSERT INTO employees WITH RECURSIVE n (g) AS (SELECT 1 UNION ALL SELECT g + 1 FROM n WHERE g < 20) SELECT g, CONCAT('Emp ', g), IF(g > 1, g DIV 2, NULL), 1000 * g, '85073003328' FROM n;
INSERT INTO sessions (customer_id, token, ip) SELECT id, MD5(id), '10.0.0.1' FROM customers WHERE id <= 100;
INSERT INTO settings SELECT CONCAT('k', id), CONCAT('v', id) FROM employees;
INSERT INTO audit_log (actor, action) SELECT 'a', 'b' FROM employees;
INSERT INTO carts SELECT id, 1, 1 FROM customers WHERE id <= 30;
INSERT INTO events SELECT id, 2024 + MOD(id, 2), 'click' FROM orders WHERE id <= 100;
INSERT INTO sales.leads SELECT id, CONCAT('lead', id, '@example.org'), id FROM customers WHERE id <= 60;
CREATE VIEW active_customers AS SELECT id, full_name, email AS contact, city FROM customers WHERE active = 1;
CREATE VIEW order_summary AS SELECT c.id, LOWER(c.email) AS em, COUNT(o.id) AS n FROM customers c LEFT JOIN orders o ON o.customer_id = c.id GROUP BY c.id, c.email;
CREATE VIEW view_of_view AS SELECT contact AS who, city FROM active_customers;
CREATE FUNCTION order_total (cid INT) RETURNS DECIMAL(12,2) READS SQL DATA RETURN (SELECT SUM(total) FROM orders WHERE customer_id = cid);
CREATE FUNCTION get_email (cid INT) RETURNS VARCHAR(100) READS SQL DATA RETURN (SELECT email FROM customers WHERE id = cid);
CREATE FUNCTION twice (n INT) RETURNS INT DETERMINISTIC RETURN n * 2;
delimiter //
CREATE FUNCTION purge_log () RETURNS INT MODIFIES SQL DATA BEGIN DELETE FROM audit_log; RETURN 1; END//
CREATE FUNCTION loops (n INT) RETURNS INT DETERMINISTIC BEGIN DECLARE i INT DEFAULT 0; WHILE i < n DO SET i = i + 1; END WHILE; RETURN i; END//
CREATE PROCEDURE monthly_close () BEGIN UPDATE orders SET status = 'closed'; END//
CREATE PROCEDURE count_orders () BEGIN SELECT COUNT(*) FROM orders; END//
CREATE PROCEDURE run_sql (q TEXT) BEGIN PREPARE s FROM q; EXECUTE s; END//
CREATE TRIGGER settings_audit AFTER UPDATE ON settings FOR EACH ROW INSERT INTO audit_log (actor, action) VALUES (NEW.name, 'changed')//
CREATE TRIGGER inbox_wipe AFTER INSERT ON inbox FOR EACH ROW BEGIN DELETE FROM sessions; END//
CREATE TRIGGER outbox_wipe AFTER INSERT ON outbox FOR EACH ROW BEGIN IF NEW.id > 0 THEN DELETE FROM sessions; END IF; END//
delimiter ;
