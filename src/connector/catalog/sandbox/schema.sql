-- The sandbox: a small shop with its helpdesk, customer records and leave accounts.
-- Views whose names end in _model have the columns of legwork's models; `…_json` columns are their nested parts.

create table customers (
    id text primary key,
    name text not null,
    email text not null unique check (email = lower(email)),
    phone text,
    company text,
    tier text not null default 'standard',
    language text not null default 'en',
    street text,
    city text,
    postal_code text,
    region text,
    country text,
    customer_since text not null
);

create table products (
    sku text primary key,
    name text not null,
    description text not null,
    category text not null,
    price real not null
);

create table stock (
    sku text primary key,
    product text not null references products (sku),
    variant text,
    quantity integer not null check (quantity >= 0),
    restock_date text
);

create table orders (
    number text primary key,
    customer text not null references customers (id),
    status text not null,
    placed_at text not null,
    carrier text,
    tracking_number text,
    tracking_url text,
    shipped_at text,
    delivered_at text,
    expected_date text,
    street text,
    city text,
    postal_code text,
    region text,
    country text
);

create table order_lines (
    order_number text not null references orders (number),
    position integer not null,
    sku text not null references stock (sku),
    quantity integer not null,
    price real not null,
    primary key (order_number, position)
);

create table returns (
    number text primary key,
    order_number text not null references orders (number),
    status text not null,
    reason text,
    created_at text not null
);

create table return_lines (
    return_number text not null references returns (number),
    position integer not null,
    sku text not null references stock (sku),
    quantity integer not null,
    primary key (return_number, position)
);

create table tickets (
    number text primary key,
    email text,
    subject text not null,
    description text,
    status text not null,
    priority text not null,
    team text not null,
    assignee text,
    created_at text not null,
    updated_at text not null,
    respond_by text
);

create table ticket_comments (
    id integer primary key,
    ticket text not null references tickets (number),
    author text not null,
    text text not null,
    public boolean not null,
    created_at text not null
);

-- How many hours the helpdesk promises to take, by priority.
create table promises (priority text primary key, hours integer not null);
insert into promises values ('low', 72), ('normal', 24), ('high', 8), ('urgent', 2);

-- The people of the helpdesk.
create table agents (
    email text primary key,
    name text not null,
    team text not null
);

create table articles (
    id text primary key,
    title text not null,
    summary text not null,
    body text not null,
    section text not null,
    updated_at text not null
);

create table leads (
    id text primary key,
    name text,
    email text not null,
    phone text,
    company text,
    interest text,
    status text not null default 'new',
    source text,
    owner text,
    created_at text not null
);

-- How likely an opportunity comes about, in per cent, by how far it has come.
create table stages (stage text primary key, probability integer not null);
insert into stages values ('new', 10), ('qualified', 25), ('proposal', 50), ('negotiation', 75), ('won', 100), ('lost', 0);

create table opportunities (
    id text primary key,
    customer text not null references customers (id),
    name text not null,
    stage text not null references stages (stage),
    amount real,
    currency text,
    close_date text,
    description text,
    owner text,
    created_at text not null
);

create table interactions (
    id text primary key,
    customer text not null references customers (id),
    kind text not null,
    channel text,
    summary text not null,
    at text not null
);

create table messages (
    id text primary key,
    recipient text not null,
    text text not null,
    sent_at text not null
);

create table employees (
    email text primary key,
    name text not null,
    approver text
);

create table leave_accounts (
    email text not null references employees (email),
    kind text not null,
    days_a_year real not null,
    primary key (email, kind)
);

create table leave_requests (
    number text primary key,
    email text not null references employees (email),
    kind text not null,
    first_day text not null,
    last_day text not null,
    days integer not null,
    status text not null,
    requested_at text not null
);

-- What employees can ask for: other words for it, whether somebody has to allow it, and how many days it takes.
create table service_items (
    name text primary key,
    words text not null,
    needs_approval boolean not null,
    days integer not null
);

create table service_requests (
    number text primary key,
    email text not null references employees (email),
    item text not null references service_items (name),
    description text,
    status text not null,
    requested_at text not null,
    expected_date text,
    approver text
);

create virtual table product_words using fts5 (sku unindexed, name, description, category, tokenize = 'porter unicode61');
create virtual table article_words using fts5 (id unindexed, title, summary, body, tokenize = 'porter unicode61');

-- Words that say nothing about what is searched for.
create table small_words (word text primary key) without rowid;
insert into small_words values
    ('the'), ('and'), ('are'), ('any'), ('can'), ('could'), ('did'), ('does'), ('for'), ('from'), ('get'), ('got'), ('had'), ('has'),
    ('have'), ('how'), ('into'), ('its'), ('know'), ('like'), ('long'), ('much'), ('need'), ('not'), ('our'), ('please'), ('some'),
    ('tell'), ('that'), ('them'), ('there'), ('they'), ('this'), ('want'), ('was'), ('what'), ('when'), ('where'), ('which'), ('who'),
    ('why'), ('will'), ('with'), ('would'), ('you'), ('your');

create view customer_model as
select
    c.id, c.name,
    substr(c.name, 1, instr(c.name || ' ', ' ') - 1) as first_name,
    nullif(substr(c.name, instr(c.name || ' ', ' ') + 1), '') as last_name,
    c.email, c.phone, c.company, c.tier, c.language, c.customer_since,
    case when c.street is not null then json_object('street', c.street, 'city', c.city, 'postal_code', c.postal_code,
        'region', c.region, 'country', c.country) end as address_json
from customers c;

create view product_model as
select
    p.sku, p.name, p.description, p.category,
    json_object('amount', p.price, 'currency', 'USD') as price_json,
    exists (select 1 from stock s where s.product = p.sku and s.quantity > 0) as available,
    'https://shop.example.com/products/' || lower(p.sku) as url,
    'https://shop.example.com/images/' || lower(p.sku) || '.jpg' as image
from products p;

create view order_model as
select
    o.number, o.status, o.placed_at,
    json_object('id', c.id, 'name', c.name, 'email', c.email, 'phone', c.phone) as customer_json,
    (select json_group_array(json_object('sku', l.sku, 'name', l.name, 'variant', l.variant, 'quantity', l.quantity,
            'price', json_object('amount', l.price, 'currency', 'USD')))
        from (select ol.sku, p.name, s.variant, ol.quantity, ol.price from order_lines ol
            join stock s on s.sku = ol.sku join products p on p.sku = s.product
            where ol.order_number = o.number order by ol.position) l) as lines_json,
    json_object('amount', (select round(sum(ol.quantity * ol.price), 2) from order_lines ol where ol.order_number = o.number),
        'currency', 'USD') as total_json,
    case when o.shipped_at is not null then json_object('carrier', o.carrier, 'tracking_number', o.tracking_number,
        'tracking_url', o.tracking_url, 'shipped_at', o.shipped_at, 'delivered_at', o.delivered_at) end as shipment_json,
    o.expected_date,
    case when o.street is not null then json_object('street', o.street, 'city', o.city, 'postal_code', o.postal_code,
        'region', o.region, 'country', o.country) end as address_json,
    'https://shop.example.com/orders/' || o.number as url
from orders o join customers c on c.id = o.customer;

create view return_model as
select
    r.number, r.status, r.order_number, r.reason, r.created_at,
    (select json_group_array(json_object('sku', l.sku, 'name', l.name, 'variant', l.variant, 'quantity', l.quantity))
        from (select rl.sku, p.name, s.variant, rl.quantity from return_lines rl
            join stock s on s.sku = rl.sku join products p on p.sku = s.product
            where rl.return_number = r.number order by rl.position) l) as lines_json,
    json_object('amount', (select round(sum(rl.quantity * ol.price), 2) from return_lines rl
            join order_lines ol on ol.order_number = r.order_number and ol.sku = rl.sku
            where rl.return_number = r.number), 'currency', 'USD') as refund_json,
    'https://shop.example.com/returns/' || lower(r.number) || '/label' as label_url
from returns r;

-- What is not public is between agents, and no assistant says it.
create view ticket_model as
select
    t.number, t.subject, t.description, t.status, t.priority, t.team as "group", t.assignee,
    case when t.email is not null then json_object('id', c.id, 'name', c.name, 'email', t.email, 'phone', c.phone) end
        as requester_json,
    t.created_at, t.updated_at,
    case when t.status in ('new', 'open', 'on_hold') then t.respond_by end as respond_by,
    'https://help.example.com/tickets/' || lower(t.number) as url,
    (select json_group_array(json_object('author', k.author, 'text', k.text, 'public', k.public, 'created_at', k.created_at))
        from (select * from ticket_comments tc where tc.ticket = t.number and tc.public order by tc.id) k) as comments_json
from tickets t left join customers c on c.email = t.email;

create view article_model as
select a.id, a.title, a.summary, a.body, 'https://help.example.com/articles/' || lower(a.id) as url, a.section, a.updated_at
from articles a;

create view leave_request_model as
select r.number, r.kind, r.first_day as "from", r.last_day as "to", r.days, r.status, e.approver, r.requested_at
from leave_requests r join employees e on e.email = r.email;

create view opportunity_model as
select
    o.id, o.name, o.stage,
    case when o.amount is not null then json_object('amount', o.amount, 'currency', o.currency) end as amount_json,
    s.probability, o.close_date,
    json_object('id', c.id, 'name', c.name, 'email', c.email, 'phone', c.phone) as customer_json,
    c.company, o.description, o.owner, o.created_at,
    'https://crm.example.com/opportunities/' || lower(o.id) as url
from opportunities o join customers c on c.id = o.customer join stages s on s.stage = o.stage;

create view service_request_model as
select
    r.number, r.item, r.description, r.status,
    json_object('name', e.name, 'email', e.email) as requested_for_json,
    r.requested_at, r.expected_date, r.approver,
    'https://help.example.com/requests/' || lower(r.number) as url
from service_requests r join employees e on e.email = r.email;
