# Look-ups in live stores read what is stored where nothing is pending for the customer, and the ordinary views where
# something is: the answers are always those of the views.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;

my $node = new_server('lookups', "clientele.fold_pending_at = -1\n", allows_streaming => 1);
$node->safe_psql('postgres', 'CREATE EXTENSION clientele');
create_shop($node, 'postgres', customers => 200);
create_store($node, 'postgres');    # with order lines
$node->safe_psql('postgres', q{
	SELECT clientele.create_store('plain', 'orders', customers => 'customers', attributes => '{children}', live => true);
	SELECT clientele.define_segment('plain', 'families', 'children > 2 OR total_spent > 250'), clientele.define_segment('plain', 'big', 'total_spent > 200', segmentation => 'value'),
		clientele.define_offer('plain', 'second', 'second_order'), clientele.define_offer('plain', 'stretch', 'grow_order_value'), clientele.define_offer('plain', 'back', 'win_back');
	ALTER DATABASE postgres SET clientele.store = 'plain';
	CREATE FUNCTION one_by_one(store name, customers bigint[]) RETURNS TABLE (customer_id bigint, segment text, value text, offer text) LANGUAGE plpgsql STABLE AS $$
	BEGIN
		FOREACH customer_id IN ARRAY customers LOOP
			segment := clientele.assign_segment(customer_id, store);
			value := clientele.assign_segment(customer_id, store, 'value');
			offer := (SELECT o::text FROM clientele.personalized_offer(customer_id, store) o);
			RETURN NEXT;
		END LOOP;
	END $$;
	CREATE FUNCTION in_one_query(store name, customers bigint[]) RETURNS TABLE (customer_id bigint, segment text, value text, offer text) LANGUAGE sql STABLE AS $$
		SELECT c, clientele.assign_segment(c, store), clientele.assign_segment(c, store, 'value'), o::text
		FROM unnest(customers) c LEFT JOIN LATERAL clientele.personalized_offer(c, store) o ON true $$;
	CREATE FUNCTION by_the_views(store name, customers bigint[]) RETURNS TABLE (customer_id bigint, segment text, value text, offer text) LANGUAGE plpgsql STABLE AS $$
	BEGIN
		RETURN QUERY EXECUTE format('SELECT c.customer_id, c.segment, s.segment, CASE WHEN o.program IS NOT NULL THEN
				ROW(o.program, o.segment, o.basis, o.reference_value, o.min_spend, o.reward, o.reward_kind, o.currency, o.message, o.valid_until, o.variant, o.propensity,
				o.expected_profit, o.reasons, o.disclosure, o.last_day, o.tiers)::clientele.offer::text END
			FROM %1$I.customers c JOIN %1$I.segments s USING (customer_id) LEFT JOIN %1$I.offers o USING (customer_id)
			WHERE s.segmentation = ''value'' AND c.customer_id = ANY ($1)', store) USING customers;
	END $$;
	-- How many look-ups differ from the views, and of how many customers the views differ from what is stored.
	CREATE FUNCTION compared(store name, customers bigint[] DEFAULT NULL, OUT mistakes bigint, OUT changed bigint) LANGUAGE plpgsql STABLE AS $$
	BEGIN
		customers := coalesce(customers, ARRAY(SELECT c.customer_id FROM public.customers c));
		WITH one AS MATERIALIZED (SELECT * FROM one_by_one(store, customers)), many AS MATERIALIZED (SELECT * FROM in_one_query(store, customers)),
			seen AS MATERIALIZED (SELECT * FROM by_the_views(store, customers))
		SELECT count(*) INTO mistakes FROM ((SELECT * FROM one EXCEPT ALL SELECT * FROM seen) UNION ALL (SELECT * FROM seen EXCEPT ALL SELECT * FROM one)
			UNION ALL (SELECT * FROM many EXCEPT ALL SELECT * FROM seen) UNION ALL (SELECT * FROM seen EXCEPT ALL SELECT * FROM many)) d;
		EXECUTE format('SELECT count(*) FROM %1$I.customers n FULL JOIN %1$I._customers_stored s USING (customer_id)
			WHERE customer_id = ANY ($1) AND to_jsonb(n) <> to_jsonb(s)', store) INTO changed USING customers;
	END $$;
	-- What looking one customer up reads; in a transaction of its own.
	CREATE FUNCTION way(customer bigint, store name DEFAULT 'plain') RETURNS text LANGUAGE plpgsql AS $$
	BEGIN
		PERFORM one_by_one(store, ARRAY[customer]);
		RETURN (SELECT string_agg(DISTINCT CASE c.relname WHEN '_base' THEN 'ordinary' ELSE 'stored' END, ', ')
			FROM pg_locks l JOIN pg_class c ON c.oid = l.relation WHERE l.pid = pg_backend_pid() AND c.relname IN ('_base', '_base_stored'));
	END $$;
});
my $session = session($node, 'postgres');
my $other = session($node, 'postgres');

# Every look-up is right, and of this many customers what is stored would have been wrong.
sub all_right
{
	my ($who, $store, $changed, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return is(ask($who, "SELECT * FROM compared('$store')"), "0|$changed", $name);
}
sub way_is
{
	my ($who, $customer, $way, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return is(ask($who, "SELECT way($customer)"), $way, $name);
}

# ---- What may be pending ----

my $buyers = ask($session, 'SELECT count(DISTINCT customer_id) FROM orders');
is(ask($session, 'SELECT count(*) FROM plain.pending'), '1', 'a store that has just become live: everybody is to be counted');
all_right($session, 'plain', $buyers, 'everybody is');
way_is($session, 5, 'ordinary', 'from the orders');
ask($session, 'CALL clientele.refresh($$plain$$)');
is(ask($session, 'SELECT count(*) FROM plain.pending'), '0', 'refreshed');
all_right($session, 'plain', 0, 'nothing is pending');
way_is($session, 5, 'stored', 'and what is stored is read');

my $orders = q{INSERT INTO orders SELECT (SELECT max(order_id) FROM orders) + c, c, now() - interval '1 hour', 500, 'completed' FROM};
ask($session, "$orders generate_series(1, 60) c");
all_right($session, 'plain', 60, 'new orders');
way_is($session, 5, 'ordinary', 'a customer who has ordered');
way_is($session, 105, 'stored', 'another');
ask($session, 'UPDATE orders SET amount = amount + 300 WHERE customer_id BETWEEN 50 AND 80 AND amount < 500');
all_right($session, 'plain', ask($session, 'SELECT 60 + count(DISTINCT customer_id) FROM orders WHERE customer_id BETWEEN 61 AND 80'), 'changed ones');
ask($session, 'DELETE FROM orders WHERE customer_id BETWEEN 90 AND 99');
is(ask($session, q{SELECT mistakes, changed > 70 FROM compared('plain')}), '0|t', 'deleted ones');
way_is($session, 92, 'ordinary', 'a customer whose orders are gone');
way_is($session, 1000000, 'stored', 'one who never was');
is(ask($session, 'SELECT clientele.assign_segment(NULL::bigint) IS NULL, clientele.assign_segment(1000000), count(*) FROM clientele.personalized_offer(1000000)'), 't|default|0', 'and what is answered');
is(ask($session, q{BEGIN; TRUNCATE orders; SELECT mistakes, changed > 0 FROM compared('plain'); ROLLBACK}), '0|t', 'all gone');
ask($session, 'CALL clientele.refresh($$plain$$)');
all_right($session, 'plain', 0, 'folded');
way_is($session, 5, 'stored', 'and read from what is stored');

# A future order counts when its time has come: by the time of the transaction.
ask($other, q{BEGIN; SELECT way(105)});
ask($session, q{INSERT INTO orders VALUES (1000001, 105, clock_timestamp() + interval '2 seconds', 500, 'completed')});
way_is($session, 105, 'stored', 'an order of the future');
all_right($session, 'plain', 0, 'does not count');
ask($session, 'SELECT pg_sleep(2.1)');
all_right($session, 'plain', 1, 'does when it is due');
way_is($session, 105, 'ordinary', 'by then');
way_is($other, 105, 'stored', 'but not in a transaction that began before');
all_right($other, 'plain', 0, 'where it does not count');
ask($other, 'COMMIT');
all_right($other, 'plain', 1, 'it does after that');
ask($session, 'DELETE FROM orders WHERE order_id = 1000001; CALL clientele.refresh($$plain$$)');

# ---- Own changes, savepoints, snapshots ----

my $new = sub { my ($customer) = @_; return "$orders (VALUES ($customer)) v (c)" };
is(ask($session, 'BEGIN; ' . $new->(105) . q{; SELECT * FROM compared('plain'); SAVEPOINT s; } . $new->(106) . q{; SELECT * FROM compared('plain')}), "0|1\n0|2", 'own orders, uncommitted');
all_right($other, 'plain', 0, 'which nobody else sees');
is(ask($session, q{ROLLBACK TO s; SELECT * FROM compared('plain')}), '0|1', 'after ROLLBACK TO SAVEPOINT');
is(ask($session, q{SAVEPOINT t; DELETE FROM orders WHERE customer_id = 107; ROLLBACK TO t; ROLLBACK; SELECT * FROM compared('plain')}), '0|0', 'and after ROLLBACK');
way_is($session, 107, 'stored', 'nothing of them is pending');
is(ask($session, 'WITH made AS (' . $new->(105) . q{ RETURNING customer_id) SELECT a.segment = b.segment FROM made JOIN one_by_one('plain', '{105}') a USING (customer_id) JOIN by_the_views('plain', '{105}') b USING (customer_id)}), 't', 'an order of the very statement');
all_right($session, 'plain', 1, 'after it');
ask($session, 'DELETE FROM orders WHERE customer_id = 105 AND amount = 500; CALL clientele.refresh($$plain$$)');
is(ask($session, q{CREATE FUNCTION order_and_look(c bigint) RETURNS text LANGUAGE plpgsql AS $$ DECLARE before text := clientele.assign_segment(c);
	BEGIN INSERT INTO orders VALUES (2000000 + c, c, now(), 900, 'completed'); RETURN before || ' ' || clientele.assign_segment(c); END $$; SELECT order_and_look(110)}), 'default families', 'an order within a function');
is(ask($session, q{SELECT clientele.assign_segment(110); DELETE FROM orders WHERE order_id = 2000110; SELECT clientele.assign_segment(110)}), "families\ndefault", 'taken back');
ask($session, 'CALL clientele.refresh($$plain$$)');

ask($other, q{BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM orders});
ask($session, $new->(111));
all_right($other, 'plain', 0, 'an older snapshot knows nothing of a later order');
ask($session, 'CALL clientele.refresh($$plain$$)');
all_right($other, 'plain', 0, 'nor that it was folded');
ask($other, 'COMMIT');
ask($session, $new->(112));
ask($other, q{BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM orders});
ask($session, 'CALL clientele.refresh($$plain$$)');
is(ask($session, 'SELECT count(*) FROM plain.pending'), '0', 'what was folded');
all_right($other, 'plain', 1, 'is pending for an older snapshot');
ask($other, 'COMMIT');

my $offers = q{SELECT c, o.program, o.reward FROM generate_series(1, 200) c LEFT JOIN LATERAL clientele.personalized_offer(c) o ON true ORDER BY c};
my $by_views = q{SELECT customer_id, program, reward FROM customers LEFT JOIN plain.offers USING (customer_id) ORDER BY 1};
my $before = ask($session, $by_views);
ask($session, "BEGIN; DECLARE c CURSOR FOR $offers; FETCH 3 FROM c; " . $new->('120'));
ask($other, $new->(121));
is(join("\n", (split /\n/, $before)[3 .. 199]), ask($session, 'FETCH ALL FROM c'), 'an open cursor answers as when it was opened');
is(ask($session, $offers), ask($session, $by_views), 'another query as it is now');
isnt(ask($session, $offers), $before, 'which differs');
ask($session, 'COMMIT');
is(ask($session, q{SET enable_indexscan = off; SET enable_bitmapscan = off; SET enable_nestloop = off; SELECT mistakes, changed > 1 FROM compared('plain'); RESET ALL}), '0|t', 'whatever the plans are');
ask($session, 'CALL clientele.refresh($$plain$$)');

# ---- Serializable: what was not pending was read ----

for my $round ('in an empty table', 'between others')
{
	ask($session, 'CREATE TABLE IF NOT EXISTS decisions (segment text); BEGIN ISOLATION LEVEL SERIALIZABLE');
	is(ask($session, q{SELECT way(131)}), 'stored', "serializable, $round: nothing is pending");
	ask($session, q{INSERT INTO decisions VALUES ('any')});
	ask($other, 'BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT count(*) FROM decisions; ' . $new->(131));
	my $ends = ask($session, 'COMMIT') . ask($other, 'COMMIT');
	like($ends, qr/ERROR:  40001/, 'a customer orders who was decided upon: one of the two fails');
	ask($session, 'TRUNCATE decisions');
	ask($session, "$orders unnest('{130,132}'::bigint[]) c") if $round =~ /empty/;
}
ask($session, 'CALL clientele.refresh($$plain$$)');

# ---- Roles ----

ask($session, q{CREATE ROLE reader LOGIN; CREATE ROLE named LOGIN; GRANT USAGE ON SCHEMA plain TO reader, named; GRANT SELECT ON ALL TABLES IN SCHEMA plain TO reader; GRANT SELECT ON customers TO reader, named;
	GRANT SELECT ON plain.customers, plain.segments, plain.offers, plain._offer_inputs, plain._base, plain.profiles, plain.typical_values, plain.scoring, plain.segmentations, plain.pending, plain.settings, plain._pending_now, plain._recounted, plain._recounted_all, plain._ledger, plain.ledger, plain.reversals, plain._budgets, plain.budgets TO named});
my $reader = session($node, 'postgres', user => 'reader');
my $named = session($node, 'postgres', user => 'named');
all_right($reader, 'plain', 0, 'a reader');
way_is($reader, 5, 'stored', 'reads what is stored');
way_is($named, 5, 'ordinary', 'who was granted the ordinary views alone reads these');
is(ask($named, q{SELECT count(*) FROM ((SELECT * FROM one_by_one('plain', '{5,6,7}') EXCEPT SELECT * FROM by_the_views('plain', '{5,6,7}')) UNION ALL SELECT * FROM by_the_views('plain', '{5,6,7}')) q}), '3', 'and is answered');
for my $view (qw(customers _base _pending_now pending settings _recounted), 'profiles')
{
	ask($session, "REVOKE SELECT ON plain.$view FROM reader");
	like(ask($reader, 'SELECT clientele.assign_segment(5)'), qr/ERROR:  42501: permission denied for (view|table) $view\b/, "without SELECT on $view: refused, though nothing is pending");
	ask($session, "GRANT SELECT ON plain.$view TO reader");
}
ask($session, 'REVOKE EXECUTE ON FUNCTION plain._profiles_now() FROM PUBLIC');
like(ask($reader, 'SELECT clientele.assign_segment(5)'), qr/ERROR:  42501: permission denied for function _profiles_now/, 'without EXECUTE on _profiles_now');
ask($session, 'GRANT EXECUTE ON FUNCTION plain._profiles_now() TO PUBLIC');
way_is($reader, 5, 'stored', 'with all of it again');
ask($session, 'SET ROLE named');
way_is($session, 5, 'ordinary', 'one session, several roles');
ask($session, 'SET ROLE reader');
way_is($session, 5, 'stored', 'each by its own rights');
ask($session, 'RESET ROLE; GRANT reader TO named');
way_is($named, 5, 'stored', 'which a membership changes');
ask($session, 'REVOKE reader FROM named');
way_is($named, 5, 'ordinary', 'and its end');

ask($session, 'ALTER TABLE plain.profiles ENABLE ROW LEVEL SECURITY; CREATE POLICY even ON plain.profiles FOR SELECT TO reader USING (customer_id % 2 = 0)');
all_right($reader, 'plain', 0, 'under a policy on the profiles, nothing pending');
ask($session, "$orders generate_series(140, 145) c");
all_right($reader, 'plain', 0, 'and with orders pending, of which nobody says whose they are');
all_right($session, 'plain', 6, 'while the owner sees them');
is(ask($reader, q{SELECT mistakes FROM compared('plain', '{141,142,143,144,151,152}')}), '0', 'nor does a look-up tell');
ask($session, q{INSERT INTO plain.pending (due) VALUES ('-infinity')});
is(ask($reader, q{SELECT (SELECT count(*) FROM plain._recounted), (SELECT count(*) FROM plain._recounted_all), (SELECT count(*) FROM plain._marked), mistakes, changed FROM compared('plain')}), '0|0|0|0|0', 'nor does anything else, even with everybody to be counted');
ask($session, 'DELETE FROM plain.pending WHERE customer_id IS NULL');
ask($session, 'DROP POLICY even ON plain.profiles; ALTER TABLE plain.profiles DISABLE ROW LEVEL SECURITY; ALTER TABLE customers ENABLE ROW LEVEL SECURITY; CREATE POLICY even ON customers FOR SELECT TO reader USING (customer_id % 2 = 0)');
is(ask($reader, q{SELECT customer_id, segment, offer FROM one_by_one('plain', '{141,151}')}), "141|default|\n151|default|", 'a policy on the customers: those whom it hides, changed or not');
is(ask($reader, q{SELECT mistakes FROM compared('plain')}), '0', 'and those whom it shows');
ask($session, 'DROP POLICY even ON customers; ALTER TABLE customers DISABLE ROW LEVEL SECURITY');
all_right($reader, 'plain', 6, 'without policies');

# ---- A store that changes under an open session ----

ask($session, 'CALL clientele.refresh($$plain$$)');
ask($other, q{BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM plain.pending});
is(ask($session, q{SELECT clientele.set_live('plain', false)}), '', 'no longer live');
way_is($session, 5, 'ordinary', 'the ordinary views are as good');
ask($session, "$orders generate_series(150, 152) c");
all_right($reader, 'plain', 0, 'and orders are not seen');
is(ask($other, q{SELECT mistakes FROM compared('plain')}), '0', 'nor by who holds an older snapshot');
ask($other, 'COMMIT');
is(ask($session, q{SELECT clientele.set_live('plain', true)}), '', 'live again');
is(ask($_, q{SELECT mistakes, changed >= 3 FROM compared('plain')}), '0|t', 'they are seen') for $other, $reader;
ask($session, 'CALL clientele.refresh($$plain$$)');
way_is($other, 151, 'stored', 'and folded');
is(ask($session, q{BEGIN; SELECT clientele.set_live('plain', false); } . $new->(153) . q{; SELECT mistakes FROM compared('plain'); ROLLBACK; } . $new->(153) . q{; SELECT * FROM compared('plain')}), "\n0\n0|1", 'a switch that is rolled back');
is(ask($session, q{ALTER SCHEMA plain RENAME TO renamed; SELECT * FROM compared('renamed'); ALTER SCHEMA renamed RENAME TO plain; SELECT * FROM compared('plain')}), "0|1\n0|1", 'a store by another name');
ask($session, q{SELECT clientele.define_segment('plain', 'few', 'orders < 3')});
all_right($other, 'plain', 1, 'a new rule');
is(ask($session, q{SELECT count(*) > 0 FROM one_by_one('plain', ARRAY(SELECT customer_id FROM customers)) WHERE segment = 'few'}), 't', 'which matches somebody');
for my $statement ('REINDEX TABLE plain.pending', 'REINDEX TABLE CONCURRENTLY plain.pending', 'VACUUM FULL plain.pending')
{
	ask($session, $statement);
	way_is($other, 5, 'stored', "after $statement");
	all_right($other, 'plain', 1, 'the look-ups are right');
}
is(ask($session, "BEGIN; DROP INDEX plain.pending_customer_id; SELECT way(5); SELECT mistakes FROM compared('plain'); ROLLBACK"), "ordinary\n0", 'without the index');
is(ask($session, 'BEGIN; DROP VIEW plain._customers_stored; SELECT way(5); ROLLBACK'), 'ordinary, stored', 'without one of the views');
way_is($session, 5, 'stored', 'with it');

# ---- Order lines ----

ask($session, q{SELECT clientele.set_live('shop', true); CALL clientele.refresh('shop')});
all_right($session, 'shop', 0, 'a store with order lines');
is(ask($session, q{SELECT way(5, 'shop')}), 'stored', 'reads what is stored');
ask($session, q{UPDATE order_items SET category = 'baby' WHERE order_id IN (SELECT order_id FROM orders WHERE customer_id BETWEEN 10 AND 20)});
is(ask($session, q{SELECT mistakes, changed > 3 FROM compared('shop')}), '0|t', 'lines that have changed');
is(ask($session, q{SELECT way(11, 'shop'); SELECT way(31, 'shop')}), "ordinary\nstored", 'whose they are is known');
ask($session, q{UPDATE orders SET customer_id = 33 WHERE customer_id = 40});
is(ask($session, q{SELECT count(*) > 0 FROM shop.pending WHERE customer_id IS NULL}), 't', 'orders that change hands');
is(ask($session, q{SELECT mistakes, changed > 5 FROM compared('shop')}), '0|t', 'are counted for their new owner');
is(ask($session, q{SELECT way(31, 'shop')}), 'ordinary', 'and may be of anybody');
ask($session, 'GRANT USAGE ON SCHEMA shop TO reader; GRANT SELECT ON ALL TABLES IN SCHEMA shop TO reader');
is(ask($reader, q{SELECT mistakes, changed > 5 FROM compared('shop')}), '0|t', 'a reader, who has no rights on the orders, sees the same');
ask($session, q{CALL clientele.refresh('shop'); CALL clientele.refresh('shop')});
all_right($session, 'shop', 0, 'folded');
is(ask($session, q{SELECT way(31, 'shop')}), 'stored', 'the marks are gone');

# ---- Keys of every type ----

ask($session, 'SET client_min_messages = warning');
for my $type (qw(smallint integer uuid text varchar))
{
	my $key = $type eq 'uuid' ? "md5(i::text)::uuid" : $type =~ /int/ ? 'i' : "'K' || i";
	my $argument = $type =~ /int/ ? 'k::bigint' : 'k';
	is(ask($session, qq{
		CREATE TABLE sales_$type AS SELECT ($key)::$type AS customer_id, now() - interval '9 days' AS ordered_at, i::numeric AS amount FROM generate_series(1, 50) i; CREATE INDEX ON sales_$type (customer_id);
		SELECT clientele.create_store('by_$type', 'sales_$type', live => true); SELECT clientele.define_segment('by_$type', 'twice', 'orders > 1'); CALL clientele.refresh('by_$type');
		INSERT INTO sales_$type SELECT ($key)::$type, now(), 1 FROM generate_series(20, 29) i;
		SELECT count(*), count(*) FILTER (WHERE l = 'twice'), count(*) FILTER (WHERE c.segment <> l) FROM by_$type.customers c CROSS JOIN LATERAL (SELECT customer_id) q (k) CROSS JOIN LATERAL clientele.assign_segment($argument, 'by_$type') l}),
		"\n\n50|10|0", "keys of type $type");
}

# A collation by which keys are equal that differ in their bytes.
SKIP:
{
	skip 'needs ICU', 1 if ask($session, q{CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false)}) =~ /ERROR/;
	ask($session, q{CREATE TABLE people (id text COLLATE loose PRIMARY KEY); INSERT INTO people SELECT 'k' || i FROM generate_series(1, 50) i;
		SELECT clientele.create_store('loose', 'sales_text', customers => 'people', customer_key => 'id', live => true); CALL clientele.refresh('loose'); SELECT clientele.define_segment('loose', 'often', 'orders > 2')});
	ask($session, q{INSERT INTO sales_text VALUES ('K25', now(), 1)});
	is(ask($session, q{SELECT segment, clientele.assign_segment('k25', 'loose'), clientele.assign_segment('k26', 'loose') FROM loose.customers WHERE customer_id = 'k25'}), 'often|often|default', 'a customer who is equal to one who has ordered');
}

# ---- A standby ----

ask($session, $new->(160));
$node->backup('copy');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'copy', has_streaming => 1);
$standby->start;
ask($session, $new->(161));
$node->wait_for_catchup($standby);
my $there = session($standby, 'postgres');
is(ask($there, q{SELECT mistakes, changed > 1 FROM compared('plain')}), '0|t', 'a standby answers the same');
way_is($there, 5, 'stored', 'from what is stored');
way_is($there, 161, 'ordinary', 'or the ordinary views');
ask($session, 'CALL clientele.refresh($$plain$$)');
$node->wait_for_catchup($standby);
all_right($there, 'plain', 0, 'folded');
way_is($there, 161, 'stored', 'there, too');
$_->quit for $there, $session, $other, $reader, $named;
$standby->stop;
unlike(slurp_file($node->logfile), qr/leak|was not closed|PANIC|TRAP|terminated by signal/, 'the server has nothing to complain of');

done_testing();
