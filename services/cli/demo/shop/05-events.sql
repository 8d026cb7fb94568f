-- A million rows: numbers and a few hundred different payloads, and the key made afterwards, because that is quicker.
alter table events drop constraint events_pkey;

insert into events (id, occurred_at, kind, session_ref, product_id, duration_ms, payload)
select
  n, timestamptz '2026-01-01 00:00+00' + n * interval '25 seconds',
  kinds[1 + (n * 7 + n / 13) % 8], 1000000 + n / 9, 1 + n * 31 % 320, (n * 97 % 4000)::int, payloads[1 + n % 640]
from generate_series(1::bigint, 1000000) as n,
     (select array['view', 'view', 'search', 'click', 'view', 'cart', 'checkout', 'scroll'] as kinds) as known,
     (select array_agg(jsonb_build_object('page', p, 'step', p % 9, 'variant', chr(97 + p % 3)) order by p) as payloads
      from generate_series(1, 640) as p) as made;

alter table events add primary key (id);
create index events_by_time on events using brin (occurred_at);
