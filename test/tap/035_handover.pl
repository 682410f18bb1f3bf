# A store is handed to another role: REASSIGN OWNED, the old role goes, and everything works on with the new one's rights.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;

my $node = new_server('handover');
my $db = 'shopdb';
$node->safe_psql('postgres', "CREATE ROLE shop LOGIN; CREATE ROLE first LOGIN; CREATE ROLE second LOGIN; CREATE ROLE till LOGIN; CREATE DATABASE $db OWNER shop; GRANT CREATE ON DATABASE $db TO first");
sub answer
{
	my ($role, $query) = @_;
	my ($status, $answer, $error) = $node->psql($db, "SET client_min_messages = warning; $query", extra_params => [ '-U', $role, '-v', 'VERBOSITY=terse' ]);
	return $error eq '' ? $answer : $error;
}

is(answer('shop', q{
	CREATE EXTENSION clientele;
	CREATE TABLE customers (customer_id int PRIMARY KEY);
	CREATE TABLE orders (order_id int PRIMARY KEY, customer_id int, ordered_at timestamptz, amount numeric, refunded numeric);
	CREATE TABLE order_items (order_id int, category text, amount numeric);
	CREATE INDEX ON orders (customer_id); CREATE INDEX ON order_items (order_id);
	INSERT INTO customers SELECT generate_series(1, 40);
	INSERT INTO orders SELECT i, i % 20 + 1, now() - interval '1 day' * i, 40 FROM generate_series(1, 100) i;
	INSERT INTO order_items SELECT order_id, 'tea', 40 FROM orders;
	GRANT SELECT, TRIGGER ON customers, orders, order_items TO first;
	GRANT INSERT, UPDATE, SELECT ON orders, order_items TO till}), '', 'a shop');
is(answer('first', q{
	SELECT clientele.create_store('shop', 'orders', refunded => 'refunded', customers => 'customers', items => 'order_items', live => true);
	SELECT clientele.define_segment('shop', 'tea', $$ category_share(category_mix, 'tea') > 0.9 AND orders > 0 $$), clientele.define_offer('shop', 'more', 'grow_order_value', budget => 100, holdout => 0.1);
	CALL clientele.refresh('shop')}), "\n|", 'a store of one role');
like(answer('first', 'SELECT count(code) FROM generate_series(1, 10) c, clientele.issue_offer(c)'), qr/^[1-9]\d*$/, 'issues offers');

# ---- Handed over ----

$node->safe_psql($db, 'GRANT SELECT, TRIGGER ON customers, orders, order_items TO second; REASSIGN OWNED BY first TO second; DROP OWNED BY first; DROP ROLE first');
my $owners = q{SELECT string_agg(DISTINCT o::regrole::text, ',') FROM (SELECT nspowner FROM pg_namespace WHERE nspname = 'shop' UNION ALL SELECT relowner FROM pg_class WHERE relnamespace = 'shop'::regnamespace
	UNION ALL SELECT proowner FROM pg_proc WHERE pronamespace = 'shop'::regnamespace) q(o)};
is(answer('second', $owners), 'second', 'all of it is the other role\'s');
is(answer('second', 'SELECT owner, live, stale FROM clientele.stores'), 'second|t|', 'the store is live, and not stale');

is(answer('till', q{INSERT INTO orders SELECT 100 + i, i, now(), 90 FROM generate_series(1, 10) i; INSERT INTO order_items SELECT 100 + i, 'milk', 90 FROM generate_series(1, 10) i}), '', 'orders come in');
is(answer('second', 'SELECT orders, category_mix FROM shop.customers WHERE customer_id = 3'), '6|{"tea": 200, "milk": 90}', 'and show at once');
is(answer('second', q{SELECT clientele.assign_segment(3), clientele.assign_segment(30), (SELECT count(*) > 0 FROM clientele.explain_segment(3)), (SELECT count(*) > 0 FROM clientele.explain_offer(3))}), 'default|default|t|t', 'look-ups');
is(answer('second', q{CALL clientele.settle_offers('shop'); SELECT count(*) FILTER (WHERE status = 'redeemed') > 0, count(*) FILTER (WHERE status = 'open') FROM shop.offer_ledger;
	SELECT remaining = budget - reserved - spent AND remaining = (SELECT sum(available) FROM shop.budgets) FROM shop.budget_status}), "t|0\nt", 'settling');
is(answer('till', 'UPDATE orders SET refunded = 90 WHERE order_id > 100'), '', 'orders are taken back');
is(answer('second', q{SELECT count(*) FILTER (WHERE status = 'void') = count(*) FROM shop.offer_ledger; CALL clientele.settle_offers('shop'); SELECT count(*) FROM shop.reversals}), "t\n0", 'and so are redemptions');
like(answer('second', q{SELECT count(code) FROM generate_series(1, 10) c, clientele.issue_offer(c)}), qr/^[1-9]\d*$/, 'issuing');
is(answer('second', q{CALL clientele.refresh('shop'); CALL clientele.refresh('shop', true); CALL clientele.record_segments('shop'); SELECT count(*) FROM clientele.check_store('shop')}), '0', 'refreshing and checking');
is(answer('second', q{SELECT clientele.define_segment('shop', 'many', 'orders > 4'), clientele.drop_segment('shop', 'tea'), clientele.define_offer('shop', 'more', 'grow_order_value'), clientele.upgrade_store('shop'), clientele.forget_customer(40);
	SELECT clientele.set_live('shop', false); SELECT clientele.set_live('shop', true); CALL clientele.refresh('shop'); SELECT count(*) FROM clientele.check_store('shop')}), "||||\n\n\n0", 'defining, forgetting, and going live again');

# ---- To whom may not read the orders ----

$node->safe_psql('postgres', 'CREATE ROLE third LOGIN');
$node->safe_psql($db, 'REASSIGN OWNED BY second TO third');
my $placed = answer('till', "INSERT INTO orders VALUES (200, 3, now(), 70); SELECT count(*) FROM orders WHERE order_id = 200");
like($placed, qr/WARNING:  store "shop" is stale: it could not note this INSERT: the owner of the store may not read table "orders" any more/, 'orders are accepted');
is(answer('till', 'SELECT count(*) FROM orders WHERE order_id = 200'), '1', 'and stand');
like(answer('third', q{SELECT count(*) FROM clientele.check_store('shop')}), qr/permission denied for (?:table|view) /, 'the store does not show what its owner may not see');
like(answer('third', 'SELECT stale FROM clientele.stores'), qr/^1 statement could not be noted, the first because: the owner of the store may not read table "orders" any more$/, 'and says why it is stale');
$node->safe_psql($db, 'GRANT SELECT, TRIGGER ON customers, orders, order_items TO third');
is(answer('third', q{CALL clientele.refresh('shop'); SELECT stale FROM clientele.stores; SELECT orders FROM shop.customers WHERE customer_id = 3; SELECT count(*) FROM clientele.check_store('shop')}), "\n6\n0", 'with the rights it goes on, and misses nothing');
is(answer('third', q{SELECT clientele.drop_store('shop', force => true); SELECT count(*) FROM pg_trigger WHERE tgrelid = 'orders'::regclass}), "\n0", 'and is dropped');

done_testing();
