-- Made by sqlalchemy 2.1.9, as it sends them.

SELECT users.id, users.email, users.name, users.role, users.active, users.profile, users.created_at 
FROM users

SELECT users.id, users.email, users.name, users.role, users.active, users.profile, users.created_at 
FROM users 
WHERE users.id = $1::BIGINT

SELECT users.id, users.email 
FROM users 
WHERE users.active IS true ORDER BY users.created_at DESC 
 LIMIT $1::INTEGER OFFSET $2::INTEGER

SELECT posts.id, posts.author_id, posts.title, posts.published, posts.views, users.id AS id_1, users.email, users.name, users.role, users.active, users.profile, users.created_at 
FROM posts JOIN users ON users.id = posts.author_id 
WHERE users.role = $1::VARCHAR

SELECT users.id, users.email, users.name, users.role, users.active, users.profile, users.created_at, posts_1.id AS id_1, posts_1.author_id, posts_1.title, posts_1.published, posts_1.views 
FROM users LEFT OUTER JOIN posts AS posts_1 ON users.id = posts_1.author_id 
WHERE users.id IN (1, 2)

SELECT orders.status, count(*) AS count_1, sum(orders.total) AS sum_1 
FROM orders GROUP BY orders.status 
HAVING count(*) > $1::INTEGER

SELECT users.id, users.email, users.name, users.role, users.active, users.profile, users.created_at 
FROM users 
WHERE users.email ILIKE $1::VARCHAR OR users.name IS NOT NULL AND users.role != $2::VARCHAR

SELECT users.id, users.email, users.name, users.role, users.active, users.profile, users.created_at 
FROM users 
WHERE EXISTS (SELECT * 
FROM orders 
WHERE orders.user_id = users.id)

SELECT users.name, anon_1.t 
FROM users LEFT OUTER JOIN (SELECT orders.user_id AS user_id, sum(orders.total) AS t 
FROM orders GROUP BY orders.user_id) AS anon_1 ON anon_1.user_id = users.id

WITH RECURSIVE anon_1(id, parent_id) AS 
(SELECT categories.id AS id, categories.parent_id AS parent_id 
FROM categories 
WHERE categories.parent_id IS NULL UNION ALL SELECT categories.id AS id, categories.parent_id AS parent_id 
FROM categories JOIN anon_1 ON categories.parent_id = anon_1.id)
 SELECT anon_1.id, anon_1.parent_id 
FROM anon_1

SELECT posts.id, row_number() OVER (PARTITION BY posts.author_id ORDER BY posts.views DESC) AS anon_1 
FROM posts

SELECT DISTINCT users.role 
FROM users

SELECT users.id 
FROM users UNION SELECT posts.author_id 
FROM posts

SELECT CASE WHEN (users.role = $1::VARCHAR) THEN $2::INTEGER ELSE $3::INTEGER END AS anon_1, users.id 
FROM users

SELECT users.id, users.email, users.name, users.role, users.active, users.profile, users.created_at 
FROM users 
WHERE users.id = $1::BIGINT FOR UPDATE SKIP LOCKED

SELECT products.id, products.sku, products.stock, products.labels, products.attrs 
FROM products 
WHERE products.labels @> $1::TEXT[]

SELECT products.id 
FROM products 
WHERE (products.attrs ->> $1::TEXT) = $2::VARCHAR

SELECT coalesce(users.name, users.email) AS coalesce_1 
FROM users

SELECT users.id, anon_1.total 
FROM users JOIN LATERAL (SELECT orders.total AS total 
FROM orders 
WHERE orders.user_id = users.id ORDER BY orders.placed_at DESC 
 LIMIT $1::INTEGER) AS anon_1 ON true

INSERT INTO orders (user_id, status, total) VALUES ($1::BIGINT, $2::VARCHAR, $3::NUMERIC) RETURNING orders.id

INSERT INTO products (id, sku, stock) VALUES ($1::BIGINT, $2::VARCHAR, $3::INTEGER) ON CONFLICT (id) DO UPDATE SET stock = $4::INTEGER

INSERT INTO users (email) VALUES ($1::VARCHAR) ON CONFLICT DO NOTHING RETURNING users.id

UPDATE users SET name=$1::VARCHAR WHERE users.id = $2::BIGINT RETURNING users.id

UPDATE products SET stock=(products.stock - $1::INTEGER) WHERE products.id = $2::BIGINT

DELETE FROM posts WHERE posts.id = $1::BIGINT

DELETE FROM posts WHERE posts.id IN (1, 2)

SELECT count(*) AS count_1 
FROM users

SELECT u1.id 
FROM users AS u1
