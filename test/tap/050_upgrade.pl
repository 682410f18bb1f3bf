# A store through the life of its database: updates of the extension, renames, changed and dropped sources, a standby that takes over.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;

my $node = new_server('primary', '', allows_streaming => 1);
$node->safe_psql('postgres', 'CREATE EXTENSION clientele');
create_shop($node, 'postgres', customers => 500);
create_store($node, 'postgres');
sub sql { my ($query) = @_; return $node->safe_psql('postgres', $query); }

# ---- The extension ----

my $functions = q{SELECT md5(string_agg(pg_get_functiondef(p.oid), '' ORDER BY p.oid)) FROM pg_proc p WHERE pronamespace = 'shop'::regnamespace};
my $decisions = q{SELECT md5(string_agg(v, '' ORDER BY v)) FROM (SELECT (to_jsonb(d) - 'valid_until')::text FROM %s.offer_decisions d UNION ALL
	SELECT customer_id || segment || content FROM %1$s.campaign) w(v)};
my $decided = sub { my ($store) = @_; return sprintf($decisions, $store) };
my $generated = sql($functions);
my $before = sql($decided->('shop'));

my ($status, $answer, $notice) = $node->psql('postgres', 'ALTER EXTENSION clientele UPDATE');
like($notice, qr/already installed/, 'ALTER EXTENSION UPDATE has nothing to do');
sql(q{SELECT clientele.upgrade_store('shop'); SELECT clientele.upgrade_store('shop')});
is(sql($functions), $generated, 'nor has upgrade_store: it generates what was there');
is(sql($decided->('shop')), $before, 'and all decisions are the same');
refused($node, 'postgres', 'ALTER EXTENSION clientele SET SCHEMA public', '0A000', 'extension "clientele" does not support SET SCHEMA', 'the extension stays in its schema');
my $error = refused($node, 'postgres', 'DROP EXTENSION clientele', '2BP01', 'cannot drop extension clientele because other objects depend on it', 'it does not go while there is a store');
like($error, qr/table shop\.settings/, 'and names it');
is(sql(q{BEGIN; SELECT clientele.create_store('never', 'orders'); ROLLBACK; SELECT count(*) FROM pg_namespace WHERE nspname = 'never'}), "\n0", 'a store that is rolled back leaves nothing');

# ---- Sources that change ----

refused($node, 'postgres', "DROP TABLE $_", '2BP01', "cannot drop table $_ because other objects depend on it", "DROP TABLE $_ is refused") for qw(orders customers order_items);
for my $change (
	'ALTER TABLE orders DROP COLUMN amount', 'ALTER TABLE orders ALTER amount TYPE numeric(14,2)', 'ALTER TABLE orders DROP COLUMN status',
	'ALTER TABLE customers DROP COLUMN children')
{
	my ($failed, $nothing, $why) = $node->psql('postgres', $change);
	like($why, qr/depend|used by/, "$change is refused");
}
is(sql(q{ALTER TABLE customers ALTER email TYPE varchar(100), ADD phone text; ALTER TABLE customers DROP COLUMN email;
	ALTER TABLE orders ADD note text; ALTER TABLE order_items ADD quantity integer; ALTER TABLE orders DROP COLUMN note}), '', 'columns that no one asked for come and go');
sql('ALTER TABLE orders RENAME TO sales; CREATE SCHEMA archive; ALTER TABLE customers SET SCHEMA archive; ALTER TABLE order_items RENAME TO lines');
is(sql($decided->('shop')), $before, 'the tables are renamed and moved: the store follows');
sql(q{CALL clientele.refresh('shop')});
is(sql($decided->('shop')), $before, 'a refresh, too');
is(sql('SELECT orders, customers, items FROM clientele.stores'), 'sales|archive.customers|lines', 'and the list of stores');
sql('ALTER TABLE sales RENAME TO orders; ALTER TABLE archive.customers SET SCHEMA public; ALTER TABLE lines RENAME TO order_items');
sql('ALTER TABLE orders RENAME amount TO total');
is(sql(q{CALL clientele.refresh('shop'); SELECT count(*), sum(gross_spent) = (SELECT sum(total) FROM orders WHERE status = 'completed') FROM shop.customers_at(now())}), '500|t',
	'a column is renamed: the store follows');
sql('ALTER TABLE orders RENAME total TO amount');
is(sql(q{CREATE VIEW sold AS SELECT customer_id, ordered_at, amount FROM orders; SELECT clientele.create_store('over_view', 'sold');
	CREATE OR REPLACE VIEW sold AS SELECT customer_id, ordered_at, amount, status FROM orders WHERE status = 'completed';
	CALL clientele.refresh('over_view'); SELECT sum(orders) FROM over_view.customers}), "\n" . sql(q{SELECT sum(orders) FROM shop.customers}), 'a view under a store is replaced');
sql(q{SELECT clientele.drop_store('over_view'); DROP VIEW sold});

# ---- A store that is renamed ----

my $session = session($node, 'postgres');
ask($session, q{PREPARE segment AS SELECT segment FROM shop.customers WHERE customer_id = 41});
my $segment = ask($session, 'SELECT clientele.assign_segment(41)');
is(ask($session, 'EXECUTE segment'), $segment, 'before the rename');
sql('ALTER SCHEMA shop RENAME TO "new shop"');
is(ask($session, 'SELECT clientele.assign_segment(41)'), $segment, 'renamed: a look-up');
is(ask($session, q{SELECT clientele.assign_segment(41, 'new shop')}), $segment, 'by its new name, too');
like(ask($session, q{SELECT clientele.assign_segment(41, 'shop')}), qr/ERROR:  42704: store "shop" does not exist/, 'and not by the old one');
like(ask($session, 'EXECUTE segment'), qr/ERROR:  42P01: relation "shop\.customers" does not exist/, 'nor does a prepared statement read another');
is(sql($decided->('"new shop"')), $before, 'the views decide as before');
same_rows($node, 'postgres', 'SELECT customer_id, program, reward, propensity FROM "new shop".offers',
	'SELECT c.customer_id, o.program, o.reward, o.propensity FROM customers c CROSS JOIN LATERAL clientele.personalized_offer(c.customer_id) o', 'and as the look-ups');
is(sql(q{SELECT count(*) FROM clientele.explain_segment(41)}), '3', 'with explanations');
is(sql(q{SELECT count(*) FROM clientele.explain_offer(41)}), '3', 'of offers, too');
is(sql(q{CALL clientele.refresh('new shop'); SELECT clientele.define_segment('new shop', 'one', 'orders = 1'), clientele.upgrade_store('new shop')}), '|', 'it is refreshed and defined');
same_rows($node, 'postgres', 'SELECT customer_id, program, reward, propensity FROM "new shop".offers',
	'SELECT c.customer_id, o.program, o.reward, o.propensity FROM customers c CROSS JOIN LATERAL clientele.personalized_offer(c.customer_id) o', 'and views and look-ups agree on');
is(sql(q{SELECT string_agg(DISTINCT segment, ',') FROM (SELECT segment FROM "new shop".customers WHERE orders = 1 AND segment = 'one') q}), 'one', 'the definition takes effect');
is(sql(q{SELECT store FROM clientele.stores}), 'new shop', 'and it is listed');
sql(q{CREATE VIEW of_others AS SELECT count(*) FROM "new shop".customers});
$error = refused($node, 'postgres', q{SELECT clientele.drop_store('new shop')}, '2BP01', 'store "new shop" cannot be dropped: others depend on it', 'it does not go while others use it');
like($error, qr/of_others/, 'whom it names');
sql(q{DROP VIEW of_others; SELECT clientele.drop_store('new shop')});
like(ask($session, 'SELECT clientele.assign_segment(41)'), qr/ERROR:  42704: there is no store/, 'dropped: the look-ups say so');
create_store($node, 'postgres');
is(ask($session, 'SELECT clientele.assign_segment(41)'), $segment, 'and find a new one of the old name');
is(ask($session, 'EXECUTE segment'), $segment, 'as the prepared statement does');
sql(q{DROP SCHEMA shop CASCADE});
like(ask($session, 'SELECT clientele.assign_segment(41)'), qr/ERROR:  42704: there is no store/, 'dropped by hand: the same');
create_store($node, 'postgres');
is(ask($session, 'SELECT clientele.assign_segment(41)'), $segment, 'and again a new one');
sql(q{CREATE ROLE successor; GRANT SELECT ON orders, customers, order_items TO successor; GRANT CREATE ON DATABASE postgres TO successor;
	ALTER SCHEMA shop OWNER TO successor;
	DO $$ DECLARE c record; BEGIN
		FOR c IN SELECT oid::regclass AS name, relkind FROM pg_class WHERE relnamespace = 'shop'::regnamespace AND relkind IN ('r', 'v') LOOP
			EXECUTE format('ALTER TABLE %s OWNER TO successor', c.name); END LOOP;
		FOR c IN SELECT oid::regprocedure AS name FROM pg_proc WHERE pronamespace = 'shop'::regnamespace LOOP
			EXECUTE format('ALTER FUNCTION %s OWNER TO successor', c.name); END LOOP;
	END $$});
is(sql(q{SET ROLE successor; CALL clientele.refresh('shop'); SELECT clientele.define_segment('shop', 'one', 'orders = 1'), clientele.drop_segment('shop', 'one'), clientele.upgrade_store('shop')}), '||', 'another owner takes over');

# ---- A standby ----

$node->backup('copy');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'copy', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby);
for my $query ($decided->('shop'), q{SELECT clientele.assign_segment(41, 'shop')}, q{SELECT clientele.assign_segment(41, 'shop', as_of => now() - interval '20 days')},
	q{SELECT clientele.segments_of(41, 'shop')}, q{SELECT clientele.content_for(41, 'home', 'shop')}, q{SELECT segment, condition, value_found, outcome FROM clientele.explain_segment(41, 'shop')},
	q{SELECT program, status, reasons, break_even_share FROM clientele.explain_offer(41, 'shop')}, q{SELECT o.program, o.reward FROM clientele.personalized_offer(41, 'shop') o},
	q{SELECT count(*), sum(orders) FROM shop.customers_at(current_date - 10)}, 'SELECT * FROM shop.segment_sizes', 'SELECT * FROM shop.offer_summary ORDER BY 1, 2, 3', 'SELECT * FROM clientele.stores')
{
	my ($failed, $found, $why) = $standby->psql('postgres', $query);
	is($found, sql($query), "on a standby: $query") or diag($why);
}
refused($standby, 'postgres', "$_", '25006', 'cannot execute .* (?:in a read-only transaction|during recovery)', "a standby refuses: $_")
  for q{SELECT clientele.define_segment('shop', 'x', 'true')}, q{CALL clientele.refresh('shop')}, q{SELECT clientele.drop_store('shop')};

my $follower = session($standby, 'postgres');
ask($follower, q{PREPARE segment AS SELECT segment, clientele.assign_segment(7, 'shop') FROM shop.customers WHERE customer_id = 7});
is(ask($follower, 'EXECUTE segment'), 'average|average', 'a prepared statement on the standby');
sql(q{SELECT clientele.define_segment('shop', 'sleepers', 'orders = 0', priority => 1)});
$node->wait_for_catchup($standby);
is(ask($follower, 'EXECUTE segment'), 'sleepers|sleepers', 'sees a definition made on the primary');
$follower->quit;

my $latest = sql($decided->('shop'));
$node->stop('immediate');
$standby->promote;
is($standby->safe_psql('postgres', $decided->('shop')), $latest, 'promoted: the decisions are the primary\'s');
is($standby->safe_psql('postgres', q{INSERT INTO orders (order_id, customer_id, ordered_at, amount, status) VALUES (1000001, 7, date_trunc('day', now()) - interval '7 hours', 5, 'completed'); CALL clientele.refresh('shop'); SELECT clientele.assign_segment(7, 'shop');
	SELECT clientele.drop_segment('shop', 'sleepers'), clientele.define_content('shop', 'x', 'y')}), "average\n|", 'and it is refreshed and defined');

# ---- The end ----

is($standby->safe_psql('postgres', q{SELECT clientele.drop_store('shop'); DROP EXTENSION clientele;
	SELECT (SELECT count(*) FROM pg_namespace WHERE nspname = 'clientele'), (SELECT count(*) FROM orders) > 0}), "\n0|t", 'after the last store the extension goes, its schema with it, and the orders stay');

done_testing();
