# Look-ups for many customers in one query keep their own query open: however that ends, and whatever the callers are,
# the answers are those of the views, and nothing is left behind.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;

my $node = new_server('open');
$node->safe_psql('postgres', 'CREATE EXTENSION clientele');
create_shop($node, 'postgres');
create_store($node, 'postgres');
$node->safe_psql('postgres', q{
	CREATE TABLE expected AS SELECT customer_id, program, reward FROM shop.offers;
	SELECT clientele.create_store('other', 'orders'); SELECT clientele.define_offer('other', 'other', 'grow_order_value', max_cv => NULL), clientele.define_offer('other', 'second one', 'win_back');
	CALL clientele.refresh('other');
	CREATE TABLE expected_other AS SELECT customer_id, program, reward FROM other.offers;
	ALTER DATABASE postgres SET clientele.store = 'shop'});

my $all = 'SELECT c.customer_id, o.program, o.reward FROM customers c CROSS JOIN LATERAL clientele.personalized_offer(c.customer_id) o';
same_rows($node, 'postgres', $all, 'SELECT * FROM expected', 'for all customers');
same_rows($node, 'postgres', 'SELECT customer_id, (o).program, (o).reward FROM (SELECT customer_id, clientele.personalized_offer(customer_id) AS o FROM customers) q',
	'SELECT * FROM expected', 'in the select list');
same_rows($node, 'postgres', 'SELECT c.customer_id, o.program, o.reward FROM customers c CROSS JOIN LATERAL clientele.personalized_offer(c.customer_id::text) o', 'SELECT * FROM expected', 'for keys as text');
same_rows($node, 'postgres', q{SELECT c.customer_id, s, o.program, o.reward FROM customers c CROSS JOIN (VALUES ('shop'), ('other'), (NULL)) v (s) CROSS JOIN LATERAL clientele.personalized_offer(c.customer_id, s) o},
	q{SELECT customer_id, s, program, reward FROM expected, (VALUES ('shop'), (NULL)) v (s) UNION ALL SELECT customer_id, 'other', program, reward FROM expected_other}, 'for stores that take turns');
same_rows($node, 'postgres', q{SELECT c.customer_id, p, o.program FROM customers c CROSS JOIN (VALUES ('stretch'), (NULL), ('back'), ('second')) v (p) CROSS JOIN LATERAL clientele.personalized_offer(c.customer_id, program => p) o},
	q{SELECT c.customer_id, p, o.program FROM (VALUES ('stretch'), (NULL), ('back'), ('second')) v (p) CROSS JOIN customers c CROSS JOIN LATERAL (SELECT * FROM clientele.personalized_offer(c.customer_id, program => p) LIMIT 1) o}, 'for programs that take turns');
is($node->safe_psql('postgres', q{SELECT count(*) FROM customers c CROSS JOIN (VALUES ('stretch'), (NULL), ('back'), ('second')) v (p) CROSS JOIN LATERAL clientele.personalized_offer(c.customer_id, program => p) o WHERE o.program <> p}), '0', 'each its own');
same_rows($node, 'postgres', q{SELECT i, o.program, o.reward FROM (SELECT CASE WHEN i % 3 = 0 THEN NULL WHEN i % 3 = 1 THEN -i ELSE i END AS i FROM generate_series(1, 900) i) g CROSS JOIN LATERAL clientele.personalized_offer(i) o},
	'SELECT customer_id, program, reward FROM expected WHERE customer_id < 900 AND customer_id % 3 = 2', 'among unknown ones and none');
same_rows($node, 'postgres', q{SELECT c.customer_id, a.program, b.program FROM customers c CROSS JOIN LATERAL clientele.personalized_offer(c.customer_id) a CROSS JOIN LATERAL clientele.personalized_offer(c.customer_id, 'other') b},
	'SELECT customer_id, a.program, b.program FROM expected a JOIN expected_other b USING (customer_id)', 'two in one query');
same_rows($node, 'postgres', q{SELECT c.customer_id, o.program, p.program FROM customers c CROSS JOIN LATERAL clientele.personalized_offer(c.customer_id) o LEFT JOIN LATERAL clientele.personalized_offer(c.customer_id, as_of => now() - interval '5 days') p ON true},
	q{SELECT c.customer_id, c.program, (SELECT program FROM clientele.personalized_offer(c.customer_id, as_of => now() - interval '5 days')) FROM expected c}, 'beside one of the past');
for my $settings ('enable_nestloop = off', 'enable_indexscan = off', 'enable_indexscan = off; SET enable_bitmapscan = off', 'plan_cache_mode = force_custom_plan', 'enable_material = off; SET enable_memoize = off')
{
	is($node->safe_psql('postgres', qq{SET $settings; SELECT count(*) FROM (($all EXCEPT ALL SELECT * FROM expected) UNION ALL (SELECT * FROM expected EXCEPT ALL ($all))) q}), '0', "with $settings");
}

# ---- Cursors, savepoints, errors ----

my $session = session($node, 'postgres');
my $first = $node->safe_psql('postgres', 'SELECT * FROM expected ORDER BY customer_id LIMIT 5');
my $next = $node->safe_psql('postgres', 'SELECT * FROM expected ORDER BY customer_id LIMIT 5 OFFSET 5');
my $ordered = 'SELECT c.customer_id, o.program, o.reward FROM (SELECT customer_id FROM customers ORDER BY 1) c CROSS JOIN LATERAL clientele.personalized_offer(c.customer_id) o';
my $whole = sub { return ask($session, "SELECT count(*) FROM ($all) q") eq $node->safe_psql('postgres', 'SELECT count(*) FROM expected') };

is(ask($session, "BEGIN; DECLARE c CURSOR FOR $ordered; FETCH 5 FROM c"), $first, 'a cursor');
is(ask($session, 'FETCH 5 FROM c'), $next, 'is read on');
is(ask($session, 'CLOSE c; COMMIT; SELECT 1'), '1', 'and closed');
is(ask($session, "BEGIN; DECLARE c CURSOR FOR $ordered; FETCH 5 FROM c; COMMIT; SELECT 1"), "$first\n1", 'left open at the end of the transaction');
is(ask($session, "BEGIN; DECLARE c CURSOR FOR $ordered; FETCH 5 FROM c; ROLLBACK; SELECT 1"), "$first\n1", 'and when that is rolled back');
is(ask($session, "BEGIN; SAVEPOINT s; DECLARE c CURSOR FOR $ordered; FETCH 5 FROM c; ROLLBACK TO s; SELECT 1; COMMIT; SELECT 2"), "$first\n1\n2", 'to a savepoint');
is(ask($session, "BEGIN; SAVEPOINT s; DECLARE c CURSOR FOR $ordered; FETCH 5 FROM c; RELEASE s; FETCH 5 FROM c; COMMIT"), "$first\n$next", 'made within a savepoint and read on after it');
is(ask($session, "BEGIN; DECLARE c CURSOR FOR $ordered; SAVEPOINT s; FETCH 5 FROM c; ROLLBACK TO s; FETCH 5 FROM c; COMMIT; SELECT 1"), "$first\n$next\n1", 'first read within a savepoint that is rolled back');
is(ask($session, "BEGIN; DECLARE c CURSOR WITH HOLD FOR $ordered; FETCH 5 FROM c; COMMIT; FETCH 5 FROM c; CLOSE c"), "$first\n$next", 'with hold');
is(ask($session, "BEGIN; DECLARE c SCROLL CURSOR FOR $ordered; FETCH 7 FROM c; FETCH ABSOLUTE 0 FROM c; FETCH 5 FROM c; COMMIT") =~ s/^(?:.*\n){7}//r, $first, 'and backwards');
ok($whole->(), 'after all of that the look-ups are right');

ask($session, q{BEGIN; DECLARE c CURSOR FOR } . $ordered . '; FETCH 5 FROM c');
is(ask($session, q{SELECT clientele.define_offer('shop', 'first', 'grow_order_value', max_cv => NULL, priority => 1)}), '', 'a definition while a cursor is open');
is(ask($session, 'FETCH 5 FROM c'), $next, 'the cursor answers as when it was opened');
like(ask($session, q{SELECT program FROM clientele.personalized_offer(6)}), qr/^first$/, 'another query as it is now');
like(ask($session, q{SELECT clientele.drop_store('shop')}), qr/ERROR:  55006/, 'nor can its store be dropped in the same session');
ask($session, 'ROLLBACK');

ask($session, q{CREATE FUNCTION fails_at(c bigint, at bigint) RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN IF c = at THEN RAISE EXCEPTION 'at %', at; END IF; RETURN c; END $$;
	CREATE FUNCTION caught(at bigint) RETURNS bigint LANGUAGE plpgsql AS $$
	DECLARE n bigint := 0; r record;
	BEGIN
		BEGIN
			FOR r IN SELECT o.* FROM customers c CROSS JOIN LATERAL clientele.personalized_offer(fails_at(c.customer_id, at)) o LOOP
				n := n + 1;
				BEGIN
					PERFORM o.program FROM generate_series(r.min_spend::integer, r.min_spend::integer + 3) i CROSS JOIN LATERAL clientele.personalized_offer(fails_at(i, r.min_spend::integer + 2)) o;
				EXCEPTION WHEN raise_exception THEN NULL;
				END;
			END LOOP;
		EXCEPTION WHEN raise_exception THEN
			RETURN -n;
		END;
		RETURN n;
	END $$;
	CREATE FUNCTION of_each(c bigint) RETURNS SETOF text LANGUAGE sql STABLE AS $$ SELECT o.program FROM generate_series(c, c + 2) i CROSS JOIN LATERAL clientele.personalized_offer(i) o $$;
	ALTER FUNCTION of_each(bigint) SET search_path = public;
	CREATE FUNCTION each_lazily() RETURNS SETOF text LANGUAGE sql VOLATILE AS $$ SELECT o.program FROM customers c CROSS JOIN LATERAL clientele.personalized_offer(c.customer_id) o $$});
like(ask($session, "SELECT count(o) FROM customers c CROSS JOIN LATERAL clientele.personalized_offer(fails_at(c.customer_id, 500)) o"), qr/ERROR:  P0001: at 500/, 'an error on the way');
my $some = ask($session, 'SELECT caught(500)');
like($some, qr/^-\d+$/, 'caught in an inner block');
like(ask($session, q{DO $$ DECLARE o record; BEGIN FOR o IN SELECT p.* FROM customers c CROSS JOIN LATERAL clientele.personalized_offer(fails_at(c.customer_id, 500)) p LOOP
	PERFORM q FROM generate_series(1, 3) i CROSS JOIN LATERAL clientele.personalized_offer(i) q; END LOOP; END $$}), qr/ERROR:  P0001: at 500/, 'or not caught at all');
is(ask($session, 'SELECT caught(500)'), $some, 'and again');
is(ask($session, 'SELECT caught(-1)'), $node->safe_psql('postgres', 'SELECT count(*) FROM expected'), 'or not raised, while others are');
is(ask($session, 'SELECT count(*) FROM customers c, of_each(c.customer_id) WHERE c.customer_id < 900'), ask($session, 'SELECT count(*) FROM expected e, generate_series(0, 2) i WHERE e.customer_id - i BETWEEN 1 AND 899'), 'within an SQL function for each row');
is(ask($session, 'SELECT count(*) FROM (SELECT each_lazily() LIMIT 7) q'), '7', 'within one that is not read to its end');
is(ask($session, "SELECT count(*) FROM ($ordered LIMIT 3) q"), '3', 'a query that is not read to its end');
is(ask($session, "SELECT count(*) FROM customers c WHERE EXISTS (SELECT FROM clientele.personalized_offer(c.customer_id))"), ask($session, 'SELECT count(*) FROM expected'), 'in a sub-query');
is(ask($session, "CREATE TABLE made AS $all; SELECT count(*) FROM made EXCEPT SELECT count(*) FROM expected"), '', 'in CREATE TABLE AS');
is(ask($session, "UPDATE made SET reward = o.reward + 1 FROM (SELECT m.customer_id, p.reward FROM made m CROSS JOIN LATERAL clientele.personalized_offer(m.customer_id) p) o WHERE o.customer_id = made.customer_id;
	SELECT count(*) FROM made JOIN expected e USING (customer_id) WHERE made.reward <> e.reward + 1"), '0', 'in an UPDATE');
ask($session, 'SET statement_timeout = 300');
like(ask($session, "SELECT count(o) FROM customers c, generate_series(1, 1000) i CROSS JOIN LATERAL clientele.personalized_offer(c.customer_id + i % 2) o"), qr/ERROR:  57014/, 'a timeout');
ask($session, 'RESET statement_timeout');
ok($whole->(), 'after all of that the look-ups are right');

# Each customer's rule may fail.
ask($session, q{SELECT clientele.define_segment('shop', 'broken', '1 / (customer_id - 500) > 5', 1)});
like(ask($session, "SELECT count(o) FROM customers c CROSS JOIN LATERAL clientele.personalized_offer(c.customer_id) o"), qr/ERROR:  22012/, 'a rule that fails for one customer');
like(ask($session, q{DO $$ BEGIN FOR i IN 499 .. 501 LOOP BEGIN PERFORM o.program FROM generate_series(i - 3, i) c CROSS JOIN LATERAL clientele.personalized_offer(c) o;
	EXCEPTION WHEN division_by_zero THEN RAISE NOTICE 'caught %', i; END; END LOOP; END $$}), qr/caught 500.*caught 501/s, 'caught');
ask($session, q{SELECT clientele.drop_segment('shop', 'broken')});
ok($whole->(), 'then the look-ups are right');

# ---- Nothing is left behind ----

SKIP:
{
	skip 'needs /proc', 2 unless -r '/proc/self/status';
	my $pid = ask($session, 'SELECT pg_backend_pid()');
	my $resident = sub { return slurp_file("/proc/$pid/status") =~ /VmRSS:\s+(\d+)/ ? $1 : undef };
	my $many = 'SELECT count(o) FROM customers c, generate_series(1, 100) i CROSS JOIN LATERAL clientele.personalized_offer(c.customer_id + i % 2) o';
	ask($session, $many);
	my $before = $resident->();
	ask($session, "$many; SELECT count(clientele.assign_segment(customer_id)) FROM customers, generate_series(1, 30)");
	cmp_ok($resident->() - $before, '<', 3000, 'a hundred thousand look-ups in one query keep no memory');
	ask($session, 'BEGIN');
	ask($session, 'SELECT caught(500)');
	$before = $resident->();
	ask($session, 'DO $$ BEGIN FOR i IN 1 .. 20 LOOP PERFORM caught(500); END LOOP; END $$');
	cmp_ok($resident->() - $before, '<', 6000, 'nor do queries that failed within a transaction');
	ask($session, 'COMMIT');
}
is(ask($session, q{SELECT count(*) FROM pg_backend_memory_contexts WHERE name = 'clientele look-up'}), '0', 'no context is left');
$session->quit;
unlike(slurp_file($node->logfile), qr/leak|was not closed|PANIC|TRAP|terminated by signal/, 'the server has nothing to complain of');

done_testing();
