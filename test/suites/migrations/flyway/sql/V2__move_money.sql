create function app.move(sender uuid, receiver uuid, amount numeric) returns void language plpgsql as $$
begin
  update app.accounts set balance = balance - amount where id = sender;
  update app.accounts set balance = balance + amount where id = receiver;
end;
$$;
select app.move('00000000-0000-0000-0000-000000000002', '00000000-0000-0000-0000-000000000001', 5);
do $$ begin if not exists (select from pg_roles where rolname = '${reader}') then create role ${reader}; end if; end $$;
grant select on all tables in schema app to ${reader};
