-- What the clients work with beside the demo's own tables. Run with no node in between, before the first client.

create type client_mood as enum ('calm', 'Very "happy"', 'sad, a bit');
create type client_pair as (left_side int, right_side text);
create domain client_score as int check (value between 0 and 100);

create table client_types (
  row_no int primary key,
  c_int2 int2, c_int4 int4, c_int8 int8, c_numeric numeric, c_numeric_scaled numeric(12, 4),
  c_float4 float4, c_float8 float8, c_bool bool,
  c_text text, c_varchar varchar(40), c_bpchar char(6), c_bytea bytea,
  c_date date, c_time time, c_timetz timetz, c_timestamp timestamp, c_timestamptz timestamptz, c_interval interval,
  c_uuid uuid, c_json json, c_jsonb jsonb,
  c_inet inet, c_cidr cidr, c_macaddr macaddr, c_bits bit(5), c_varbits varbit, c_point point,
  c_int_list int[], c_text_list text[], c_numeric_list numeric[], c_timestamptz_list timestamptz[], c_grid int[][],
  c_mood client_mood, c_mood_list client_mood[], c_pair client_pair, c_score client_score,
  c_int4range int4range, c_numrange numrange, c_daterange daterange, c_tstzrange tstzrange, c_ranges int4multirange
);

insert into client_types values
  (1,
   7, -12, 9000000001, 12.3400, 1.5,
   0.5, -2.25, true,
   'plain words', 'short', 'ab', '\x00ff10',
   '2024-02-29', '13:45:06.789', '13:45:06+02', '2024-02-29 13:45:06.789', '2024-02-29 13:45:06.789+00',
   '1 year 2 mons 3 days 04:05:06.7',
   '7f0d1a52-5a0e-4a44-9a3c-2f6c8a1b2c3d', '{"b": 1, "a": [true, null, "x"]}', '{"b": 1.50, "a": [true, null, "x"]}',
   '10.1.2.3/24', '10.1.0.0/16', '08:00:2b:01:02:03', b'10101', b'1100110', '(1.5,-2)',
   '{1,-2,3}', '{plain,"two words","with \"quote\" and \\ and , and {}"}', '{1.50,-0.001}',
   '{"2024-02-29 13:45:06+00","1999-12-31 23:59:59.5+00"}', '{{1,2},{3,4}}',
   'Very "happy"', '{calm,"sad, a bit"}', row (5, 'five, "5"'), 42,
   '[1,10)', '(0.5,9.5]', '[2024-01-01,2024-02-01)', '["2024-01-01 00:00+00","2024-01-02 00:00+00")', '{[1,3),[7,9)}'),
  (2,
   -32768, -2147483648, -9223372036854775808, -0.00000000000000000000123, 0,
   'infinity', 'nan', false,
   E'caf\u00e9 \U0001F40E\nsecond line\ttab', '', '', '',
   '0001-01-01', '00:00:00', '23:59:59.999999-11:30', '0001-01-01 00:00:00', '1970-01-01 00:00:00+00',
   '-1 days -00:00:01',
   '00000000-0000-0000-0000-000000000000', '[]', '"a \"word\" \\ \u00e9"',
   '::1', '2001:db8::/32', 'ff:ff:ff:ff:ff:ff', b'00000', b'', '(0,0)',
   '{}', '{}', '{}', '{}', '{}',
   'calm', '{}', row (null, ''), 0,
   'empty', '(,)', '(,2024-01-01)', '["2024-01-01 00:00+00",)', '{}'),
  (3,
   32767, 2147483647, 9223372036854775807, 12345678901234567890123456789.123456789, -99999999.9999,
   3.4028235e38, 5e-324, true,
   repeat('long ', 3000), repeat('v', 40), 'abcdef', decode(repeat('00017f80ff', 2000), 'hex'),
   '9999-12-31', '23:59:59.999999', '00:00:00+00', '9999-12-31 23:59:59.999999', '2024-06-30 23:59:59.999999+00',
   '00:00:00',
   'ffffffff-ffff-ffff-ffff-ffffffffffff', '{"deep": {"deeper": [[[1]]]}}', '{"n": 12345678901234567890}',
   '255.255.255.255', '0.0.0.0/0', '00:00:00:00:00:00', b'11111', b'1', '(1e300,-1e-300)',
   '{NULL,2147483647}', '{NULL,"NULL",""}', '{NULL,0}', '{NULL}', '{{NULL,1}}',
   'sad, a bit', '{NULL,calm}', row (1, null), 100,
   '[,5)', 'empty', 'empty', 'empty', '{(,)}');
insert into client_types (row_no) values (4);

create table client_rules (
  rule_no int primary key,
  label text not null unique,
  amount int check (amount >= 0),
  parent_no int references client_rules,
  score client_score
);
insert into client_rules values (1, 'first', 10, null, 1), (2, 'second', 20, 1, 2);

-- `side` tells apart what is written through the node and directly.
create table client_scratch (
  side text, row_no int, label text, amount numeric(10, 2), at timestamptz, payload bytea,
  primary key (side, row_no)
);
create table client_loads (
  side text, row_no int, label text, amount float8, happened date
);

-- An agent may not change more than ten rows by itself.
create table client_counts as
  select client, n as row_no, 0 as times from unnest($clients) client, generate_series(1, 20) n;

-- Sensitive values of types that the demo does not have them in.
create table client_people (
  row_no int primary key, city text,
  ssn int8, card_number numeric(19), date_of_birth timestamptz, birth_date timestamp,
  email_addresses text[], phone_numbers varchar(24)[], last_login_ip inet,
  contact json, iban char(22), home_address xml
);
insert into client_people
select n, 'Ulm', 578051120 + n, 4111111111111111, timestamptz '1971-05-06 07:08:09+00' + n * interval '40 days',
  timestamp '1981-05-06 07:08:09' + n * interval '40 days',
  array['person' || n || '@example.org', null, 'other' || n || '@example.net'], array['+49 30 5550 1' || 10 + n],
  ('203.0.113.' || n)::inet,
  json_build_object('email', 'person' || n || '@example.org', 'newsletter', true),
  'DE8937040044053201300' || n % 10, xmlelement(name street, 'Hidden Lane ' || n)
from generate_series(1, 30) n;

create table client_secrets (row_no int primary key, birth_dates date[], secret_key bytea);
insert into client_secrets select n, array[date '1971-05-06' + n], decode('736563726574' || 10 + n, 'hex')
from generate_series(1, 30) n;
