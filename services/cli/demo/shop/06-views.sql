create view active_customers as
select id, display_name, email, phone, country, created_at
from accounts
where status = 'active';

create view revenue_by_month as
select date_trunc('month', orders.placed_at) as month, products.category, orders.currency,
       count(distinct orders.id) as orders, sum(order_items.quantity * order_items.unit_price) as revenue
from orders
join order_items on order_items.order_id = orders.id
join products on products.id = order_items.product_id
where orders.status not in ('cancelled', 'returned')
group by 1, 2, 3;

create view open_tickets as
select support_tickets.id, support_tickets.subject, support_tickets.priority, accounts.email as reply_to,
       support_tickets.opened_at
from support_tickets
join accounts on accounts.id = support_tickets.customer_id
where support_tickets.open;

create function customer_label(customer bigint) returns text stable language sql as $$
  select format('%s %s <%s>', first_name, last_name, email) from customers where id = customer
$$;

create function order_total(number bigint) returns numeric stable language sql as $$
  select coalesce(sum(quantity * unit_price), 0) from order_items where order_id = number
$$;

comment on function customer_label(bigint) is 'As it stands on a parcel';

-- Rows were given their numbers; the next one follows the last.
select setval(pg_get_serial_sequence(name, 'id'), highest)
from (
  select 'customers' as name, max(id) as highest from customers
  union all select 'accounts', max(id) from accounts
  union all select 'products', max(id) from products
  union all select 'orders', max(id) from orders
  union all select 'payments', max(id) from payments
  union all select 'patients', max(id) from patients
  union all select 'employees', max(id) from employees
  union all select 'support_tickets', max(id) from support_tickets
  union all select 'events', max(id) from events
) as filled;
