insert into products (id, sku, name, category, description, price, stock, attributes, created_at)
select
  n, format('SKU-%s-%s', upper(left(category, 2)), lpad(n::text, 5, '0')),
  format('%s %s %s', pg_temp.turn(array['Alpine', 'Harbour', 'Meadow', 'Nordic', 'Urban', 'Classic'], pg_temp.mix(n, 71)),
    pg_temp.turn(array['light', 'soft', 'slim', 'sturdy'], pg_temp.mix(n, 72)), noun),
  category,
  format('A %s for every day; comes in %s colours.', noun, 2 + n % 7),
  (4 + pg_temp.mix(n, 73) % 24000 / 100.0)::numeric(10, 2), (pg_temp.mix(n, 74) % 900)::int,
  jsonb_build_object('weight_g', 40 + n * 13 % 2600, 'colours', 2 + n % 7, 'fragile', n % 5 = 0),
  timestamptz '2024-01-01 00:00+00' + n * interval '19 hours'
from (
  select n, pg_temp.turn(array['frames', 'lenses', 'bags', 'shoes', 'home'], n) as category,
         pg_temp.turn(array['frame', 'lens set', 'backpack', 'sneaker', 'lamp'], n) as noun
  from generate_series(1, 320) as n
) as thing;

insert into orders (id, customer_id, status, currency, coupon, placed_at, shipped_at)
select
  n, 1 + pg_temp.mix(n, 81) % 2400,
  pg_temp.turn(array['new', 'paid', 'packed', 'shipped', 'delivered', 'delivered', 'delivered', 'returned',
    'delivered', 'cancelled'], pg_temp.mix(n, 82))::order_status,
  pg_temp.turn(array['EUR', 'USD', 'USD', 'GBP'], pg_temp.mix(n, 83)),
  case when n % 11 = 0 then 'SPRING' || 10 + n % 20 end,
  placed_at, case when n % 10 > 2 then placed_at + interval '31 hours' end
from (
  select n, timestamptz '2025-01-04 06:30+00' + n * interval '1 hour 21 minutes' as placed_at
  from generate_series(1, 12000) as n
) as placed;

insert into order_items (order_id, line, product_id, quantity, unit_price)
select orders.id, line, products.id, 1 + (orders.id + line) % 4, products.price
from orders
cross join lateral generate_series(1, 1 + orders.id % 5) as line
join products on products.id = 1 + pg_temp.mix(orders.id * 5 + line, 91) % 320;

insert into payments (id, order_id, method, cardholder, card_number, card_expiry, iban, amount, reference, paid_at)
select
  row_number() over (order by orders.id), orders.id, method,
  case method when 'card' then customers.first_name || ' ' || customers.last_name end,
  case method when 'card' then pg_temp.card(orders.id) end,
  case method when 'card' then lpad((1 + orders.id % 12)::text, 2, '0') || '/' || 27 + orders.id % 5 end,
  case method when 'iban' then pg_temp.iban(orders.id) end,
  total.amount, format('PAY-%s-%s', to_char(orders.placed_at, 'YYYYMM'), orders.id), orders.placed_at + interval '4 minutes'
from orders
join customers on customers.id = orders.customer_id
join (select order_id, sum(quantity * unit_price) as amount from order_items group by order_id) as total
  on total.order_id = orders.id
cross join lateral (
  select pg_temp.turn(array['card', 'card', 'iban', 'card', 'voucher'], pg_temp.mix(orders.id, 92))::payment_method as method
) as choice
where orders.status not in ('new', 'cancelled');

insert into shipments (order_id, carrier, tracking_number, weight_grams, shipped_on)
select id, pg_temp.turn(array['Postbox', 'Hermit', 'QuickVan'], id),
       format('%s%s', pg_temp.turn(array['PB', 'HM', 'QV'], id), pg_temp.digits(id, 93, 12)),
       200 + (id * 37 % 4000)::int, shipped_at::date
from orders
where shipped_at is not null;

insert into support_tickets (id, customer_id, subject, body, priority, open, tags, opened_at)
select
  n, customers.id,
  pg_temp.turn(array['Parcel is late', 'Wrong size', 'Refund', 'Cannot sign in', 'Invoice address', 'Thank you'], n),
  case n % 6
    when 0 then format('My parcel for order %s has not arrived. You can reach me on %s.', 1 + n * 7 % 12000, customers.phone)
    when 1 then 'The frame is too narrow. May I send it back?'
    when 2 then format('Please refund to %s, the card has expired.', pg_temp.iban(n + 20000))
    when 3 then format('I no longer have access to %s, please change it to new.%s@example.com.', customers.email, n)
    when 4 then format('Invoices should go to %s, %s %s.', customers.street, customers.postal_code, customers.city)
    else 'Everything arrived in time. Lovely lamp!'
  end,
  pg_temp.turn(array['low', 'normal', 'normal', 'high', 'normal', 'urgent'], pg_temp.mix(n, 95))::ticket_priority,
  n % 7 = 0,
  array[pg_temp.turn(array['web', 'phone', 'mail'], n), pg_temp.turn(array['delivery', 'returns', 'account'], n + 1)],
  timestamptz '2025-02-01 09:00+00' + n * interval '5 hours 7 minutes'
from generate_series(1, 3000) as n
join customers on customers.id = 1 + pg_temp.mix(n, 94) % 2400;

-- They look like the keys of well-known services and open nothing. Put together here from halves, so that no scanner
-- of source code takes one for real.
insert into settings (key, value, description, updated_at)
select key, value, description, timestamptz '2026-03-02 10:00+00'
from (values
  ('payments.secret_key', 'sk_' || 'live_' || left(md5('a') || md5('b'), 48), 'Payment service'),
  ('mail.api_key', 'SG' || '.' || left(md5('c'), 22) || '.' || left(md5('d') || md5('e'), 43), 'Mail service'),
  ('storage.access_key_id', 'AK' || 'IA' || upper(left(translate(md5('f'), '0189', 'QRST'), 16)), 'Object storage'),
  ('storage.secret_access_key', left(md5('g') || md5('h'), 40), 'Object storage'),
  ('source.token', 'gh' || 'p_' || left(md5('i') || md5('j'), 36), 'Where the theme is deployed from'),
  ('chat.webhook_token', 'xo' || 'xb-' || '204817305561-' || left(md5('k'), 24), 'Alerts to the team'),
  ('maps.api_key', 'AI' || 'za' || left(md5('l') || md5('m'), 35), 'Address completion'),
  ('warehouse.dsn', 'postgresql://stock:' || left(md5('n'), 16) || '@warehouse.example:5432/stock', 'Stock levels'),
  ('shop.name', 'The Little Lamp Shop', 'Shown in mails'),
  ('shop.currency', 'EUR', null),
  ('shop.free_shipping_above', '59.00', null),
  ('shop.timezone', 'Europe/Berlin', null)
) as given (key, value, description);
