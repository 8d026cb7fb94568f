-- Written as Hibernate 6 sends it.

select u1_0.id,u1_0.active,u1_0.email,u1_0.name,u1_0.role from users u1_0 where u1_0.id=$1

select u1_0.id,u1_0.email from users u1_0 where u1_0.active=true order by u1_0.created_at desc offset $1 rows fetch first $2 rows only

select p1_0.id,a1_0.id,a1_0.email,a1_0.name,p1_0.title from posts p1_0 join users a1_0 on a1_0.id=p1_0.author_id where p1_0.published=$1

select p1_0.author_id,p1_0.id,p1_0.title from posts p1_0 where p1_0.author_id=$1

select p1_0.author_id,p1_0.id,p1_0.title from posts p1_0 where p1_0.author_id=any(array[1,2,3])

select p1_0.author_id,p1_0.id from posts p1_0 where p1_0.author_id = any ($1)

select count(*) from users u1_0 where u1_0.email like $1 escape ''

select o1_0.status,sum(o1_0.total),count(o1_0.id) from orders o1_0 group by o1_0.status having sum(o1_0.total)>$1

select u1_0.id from users u1_0 where exists(select 1 from orders o1_0 where o1_0.user_id=u1_0.id and o1_0.status=$1)

select distinct u1_0.role from users u1_0

select o1_0.id,o1_0.status,o1_0.version from orders o1_0 where o1_0.id=$1 for no key update

select j1_0.id from jobs j1_0 where j1_0.state='ready' order by j1_0.run_at limit 1 for update skip locked

insert into users (active,email,name,role,created_at,updated_at) values ($1,$2,$3,$4,$5,$6) returning id

insert into order_items (quantity,unit_price,order_id,product_id) values ($1,$2,$3,$4)

update orders set status=$1,version=$2 where id=$3 and version=$4

update users set name=$1 where id=$2

delete from comments where id=$1

delete from post_tags where post_id=$1 and tag_id=$2

select next_val from (select nextval('users_id_seq') as next_val) s

select case when u1_0.role='admin' then 1 else 0 end,coalesce(u1_0.name,u1_0.email) from users u1_0 order by 1

with recursive tree(id,parent_id,depth) as (select c1_0.id,c1_0.parent_id,0 from categories c1_0 where c1_0.parent_id is null union all select c2_0.id,c2_0.parent_id,t1_0.depth+1 from categories c2_0 join tree t1_0 on t1_0.id=c2_0.parent_id) select t2_0.id,t2_0.depth from tree t2_0
