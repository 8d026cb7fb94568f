create table app.accounts (
  id uuid primary key default gen_random_uuid(),
  owner text not null,
  balance numeric(12, 2) not null default 0 check (balance >= 0)
);
insert into app.accounts (id, owner, balance)
values ('00000000-0000-0000-0000-000000000001', 'ana; not -- a comment', 10), ('00000000-0000-0000-0000-000000000002', 'bo', 20);
