insert into customers (
  id, first_name, last_name, email, phone, ssn, date_of_birth, street, postal_code, city, country,
  marketing_opt_in, newsletter, notes, profile, created_at
)
select
  n, first, last, email, phone,
  case when country = 'US' then pg_temp.ssn(n) end,
  birth,
  format('%s %s', 1 + pg_temp.mix(n, 41) % 240, pg_temp.turn(array[
    'Maple Street', 'Lindenallee', 'Station Road', 'Rue des Lilas', 'Kerkstraat', 'Calle Mayor', 'Oak Avenue',
    'Gartenweg', 'Mill Lane', 'Avenue Foch'], pg_temp.mix(n, 42))),
  case country when 'GB' then format('N%s %sQT', 1 + n % 20, n % 10) when 'NL' then format('%s AB', 1000 + n % 8999)
    else lpad((10000 + pg_temp.mix(n, 43) % 89999)::text, 5, '0') end,
  case country
    when 'US' then pg_temp.turn(array['Portland', 'Austin', 'Madison', 'Savannah', 'Boulder'], pg_temp.mix(n, 44))
    when 'GB' then pg_temp.turn(array['London', 'Leeds', 'Bristol'], pg_temp.mix(n, 44))
    when 'DE' then pg_temp.turn(array['Berlin', 'Leipzig', 'Freiburg'], pg_temp.mix(n, 44))
    when 'FR' then pg_temp.turn(array['Lyon', 'Nantes', 'Lille'], pg_temp.mix(n, 44))
    when 'NL' then pg_temp.turn(array['Utrecht', 'Haarlem'], pg_temp.mix(n, 44))
    else pg_temp.turn(array['Valencia', 'Bilbao', 'Sevilla'], pg_temp.mix(n, 44)) end,
  country,
  n % 3 = 0, n % 4 <> 0,
  case n % 9
    when 0 then format('Prefers mail to %s; do not call before ten.', email)
    when 1 then format('Called from %s about a late parcel. Friendly.', phone)
    when 2 then 'Left a good review.'
    when 3 then format('Wants invoices sent to accounts+%s@example.org as well.', n)
    when 4 then format('Verified by phone, born %s.', birth)
    when 5 then 'Size 42 runs small, suggest 43.'
  end,
  jsonb_build_object(
    'contact', jsonb_build_object('email', email, 'phone', phone),
    'birthday', birth,
    'language', lower(country),
    'loyalty', jsonb_build_object('tier', pg_temp.turn(array['bronze', 'silver', 'gold'], n), 'points', n * 37 % 5000),
    'emergency_contact', jsonb_build_object(
      'name', pg_temp.first_name(n + 5) || ' ' || last, 'phone', pg_temp.phone(country, n + 500)),
    'devices', jsonb_build_array(pg_temp.turn(array['ios', 'android', 'web'], n))
  ),
  timestamptz '2024-01-03 08:00+00' + n * interval '7 hours 13 minutes'
from (
  select
    n, country, first, last,
    format('%s.%s%s@%s', pg_temp.plain(first), pg_temp.plain(last), n,
      pg_temp.turn(array['example.com', 'example.org', 'example.net', 'mail.example.com'], n)) as email,
    pg_temp.phone(country, n) as phone,
    date '1948-02-11' + (pg_temp.mix(n, 45) % 20900)::int as birth
  from (
    select n, pg_temp.country(n) as country, pg_temp.first_name(pg_temp.mix(n, 46)) as first,
           pg_temp.last_name(pg_temp.mix(n, 47)) as last
    from generate_series(1, 2400) as n
  ) as person
) as person;

insert into accounts (id, email, display_name, phone, password_hash, country, status, last_login_ip, created_at)
select
  id, email, first_name || ' ' || last_name, phone,
  '$2b$' || '12$' || left(translate(md5(id::text) || md5('salt' || id), '0189', 'WxYz'), 53), country,
  pg_temp.turn(array['active', 'active', 'active', 'active', 'dormant', 'active', 'active', 'closed'], id),
  ('198.51.100.' || 1 + id % 254)::inet, created_at
from customers;

insert into patients (
  id, mrn, full_name, date_of_birth, insurance_id, diagnosis_code, diagnosis, physician, admitted_on, remarks
)
select
  n, format('MRN-%s', lpad((4100000 + n * 17)::text, 8, '0')),
  pg_temp.first_name(pg_temp.mix(n, 51)) || ' ' || pg_temp.last_name(pg_temp.mix(n, 52)),
  date '1935-05-20' + (pg_temp.mix(n, 53) % 27000)::int,
  format('%s%s', pg_temp.turn(array['AOK', 'BCX', 'UHC', 'MGN'], n), pg_temp.digits(n, 54, 9)),
  diagnoses.code, diagnoses.label,
  'Dr. ' || pg_temp.last_name(n % 12),
  date '2025-01-02' + (pg_temp.mix(n, 56) % 680)::int,
  case when n % 4 = 0 then format('Next of kin reachable at %s.', pg_temp.phone(pg_temp.country(n), n + 70)) end
from generate_series(1, 1200) as n
join (values
  (0, 'H52.1', 'Myopia'), (1, 'H52.4', 'Presbyopia'), (2, 'H25.9', 'Senile cataract, unspecified'),
  (3, 'H40.1', 'Primary open-angle glaucoma'), (4, 'H90.3', 'Sensorineural hearing loss, bilateral'),
  (5, 'H93.1', 'Tinnitus'), (6, 'E11.3', 'Type 2 diabetes with ophthalmic complications'),
  (7, 'H10.1', 'Acute atopic conjunctivitis')
) as diagnoses (no, code, label) on diagnoses.no = pg_temp.mix(n, 55) % 8;

insert into employees (
  id, full_name, work_email, mobile, title, department, manager_id, salary, bank_account, tax_ref, hired_on
)
select
  n, first || ' ' || last, format('%s.%s%s@shop.example', pg_temp.plain(first), pg_temp.plain(last), n),
  pg_temp.phone('GB', n * 3),
  case when n <= 6 then 'Head of ' || department else pg_temp.turn(array['Specialist', 'Clerk', 'Engineer', 'Lead'], n) end,
  department,
  case when n > 6 then 1 + (n % 6) end,
  31000 + pg_temp.mix(n, 61) % 74000, pg_temp.iban(n + 9000), pg_temp.ssn(n + 50000),
  date '2016-03-01' + (pg_temp.mix(n, 62) % 3700)::int
from (
  select n, pg_temp.first_name(pg_temp.mix(n, 63)) as first, pg_temp.last_name(pg_temp.mix(n, 64)) as last,
         pg_temp.turn(array['Sales', 'Logistics', 'Support', 'Finance', 'Engineering', 'Clinic'], n - 1) as department
  from generate_series(1, 120) as n
) as person
order by n;
