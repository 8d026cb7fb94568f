-- One of nearly everything that a dump may hold.
create extension hstore;
create schema sales;
create type sales.mood as enum ('calm', 'it''s loud', 'ünïcode');
create domain sales.price as numeric(12, 2) check (value >= 0);
create type sales.pair as (a int, b text);
create sequence sales.numbers start 100 increment 5;
create function sales.tax(amount numeric) returns numeric language sql immutable as 'select round(amount * 0.19, 2)';
create function sales.stamp() returns trigger language plpgsql as $$ begin new.changed := now(); return new; end $$;
create procedure sales.tidy() language plpgsql as $$ begin delete from sales.orders where false; end $$;
create aggregate sales.product(numeric) (sfunc = numeric_mul, stype = numeric, initcond = '1');
create collation sales.german from "C";

create table sales.customers (
  id int generated always as identity primary key,
  name text not null collate "C",
  "Odd ""name"" here" jsonb default '{"a": [1, null]}',
  tags hstore,
  feeling sales.mood default 'calm',
  parts sales.pair[],
  seen tstzrange,
  raw bytea,
  unique (name, feeling)
);
create table sales.orders (
  id bigint default nextval('sales.numbers') primary key,
  customer int not null references sales.customers on delete cascade deferrable initially deferred,
  amount sales.price,
  gross numeric generated always as (amount * 1.19) stored,
  changed timestamptz,
  exclude using gist (int8range(id, id, '[]') with &&)
);
alter sequence sales.numbers owned by sales.orders.id;
create trigger stamped before update on sales.orders for each row execute function sales.stamp();
create table sales.events (at date not null, what text) partition by range (at);
create table sales.events_2024 partition of sales.events for values from ('2024-01-01') to ('2025-01-01');
create table sales.events_rest partition of sales.events default;
create index on sales.events (what);
create unlogged table sales.scratch (n int);
create view sales.expensive with (security_barrier) as select * from sales.orders where amount > 100;
create rule quiet as on insert to sales.scratch do also notify scratch_changed;
create statistics sales.together on customer, amount from sales.orders;
alter table sales.customers enable row level security;
create policy own on sales.customers using (name = current_user);
comment on table sales.customers is 'it''s "quoted" \ and E''\\n''';
comment on column sales.orders.gross is 'with tax';
create role sales_reader;
grant usage on schema sales to sales_reader;
grant select (id, name) on sales.customers to sales_reader;
alter default privileges in schema sales grant select on tables to sales_reader;
create publication changes for table sales.orders;

insert into sales.customers (name, tags, feeling, parts, seen, raw)
select 'name ' || n || E' \t\\ \n' || chr(8364), hstore('k', n::text), case n % 3 when 0 then 'calm' else 'ünïcode' end::sales.mood,
  array[(n, 'x,"y')::sales.pair, null], tstzrange('2024-01-01', null), decode(lpad(to_hex(n), 8, '0'), 'hex')
from generate_series(1, 500) as n;
insert into sales.orders (customer, amount) select 1 + n % 500, n / 7.0 from generate_series(1, 5000) as n;
insert into sales.events select date '2023-12-01' + n, 'event ' || n from generate_series(1, 400) as n;
create materialized view sales.totals as select customer, sum(amount) as total from sales.orders group by 1;
create unique index on sales.totals (customer);
