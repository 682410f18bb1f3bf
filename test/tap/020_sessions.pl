# Several sessions: definitions are seen at once and wait for no reader, nor readers for them; refreshes among readers,
# among each other, cancelled and cut short.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;
use Time::HiRes qw(time usleep);

my $node = new_server('sessions', "deadlock_timeout = '100ms'\n");
$node->safe_psql('postgres', 'CREATE EXTENSION clientele');
create_shop($node, 'postgres');
create_store($node, 'postgres');

my $reader = session($node, 'postgres');
my $definer = session($node, 'postgres');
my $other = session($node, 'postgres');
ask($_, q{SET lock_timeout = '5s'; SET statement_timeout = '20s'}) for $definer, $other;

# A session waits for a lock.
sub waits
{
	my ($pid) = @_;
	return $node->poll_query_until('postgres', "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $pid");
}

# ---- A changed definition is seen at the next statement ----

# Customer 7 has no orders, so the default segment and an offer by the store's median.
ask($reader, q{SET plan_cache_mode = force_generic_plan;
	PREPARE segment(bigint) AS SELECT segment, clientele.assign_segment($1) FROM shop.customers WHERE customer_id = $1;
	PREPARE segments(bigint) AS SELECT string_agg(segmentation || '=' || segment, ' ' ORDER BY segmentation), clientele.segments_of($1)
		FROM shop.segments WHERE customer_id = $1;
	PREPARE content(bigint) AS SELECT content, clientele.content_for($1, 'home') FROM shop.campaign WHERE customer_id = $1;
	PREPARE offer(bigint) AS SELECT o.message, p.message FROM shop.campaign o LEFT JOIN clientele.personalized_offer($1) p ON true WHERE o.customer_id = $1;
	PREPARE decisions(bigint) AS SELECT string_agg(program, ',' ORDER BY program) FROM shop.offer_decisions WHERE customer_id = $1});
is(ask($reader, 'EXECUTE segment(7)'), 'average|average', 'before the changes: the segment');
is(ask($reader, 'EXECUTE content(7)'), '{"home": "post C"}|post C', 'the content');
is(ask($reader, 'EXECUTE decisions(7)'), 'back,second,stretch', 'and the programs');
like(ask($reader, 'EXECUTE offer(7)'), qr/^(Spend.*)\|\1$/, 'and the offer');

for my $change (
	[ q{define_segment('shop', 'sleepers', 'orders = 0', priority => 5)}, 'EXECUTE segment(7)', 'sleepers|sleepers' ],
	[ q{define_content('shop', 'home', 'post B', 'sleepers')}, 'EXECUTE content(7)', '{"home": "post B"}|post B' ],
	[ q{define_content('shop', 'home', 'post D', 'sleepers')}, 'EXECUTE content(7)', '{"home": "post D"}|post D' ],
	[ q{drop_content('shop', 'home', 'sleepers')}, 'EXECUTE content(7)', '{"home": "post C"}|post C' ],
	[ q{define_segment('shop', 'sleepers', 'orders > 1000')}, 'EXECUTE segment(7)', 'average|average' ],
	[ q{define_segment('shop', 'sleepers', 'orders = 0')}, 'EXECUTE segment(7)', 'sleepers|sleepers' ],
	[ q{drop_segment('shop', 'sleepers')}, 'EXECUTE segment(7)', 'average|average' ],
	[ q{set_default_segment('shop', 'everybody')}, 'EXECUTE segment(7)', 'everybody|everybody' ],
	[ q{set_default_segment('shop', 'average')}, 'EXECUTE content(7)', '{"home": "post C"}|post C' ],
	[ q{define_segment('shop', 'small', 'total_spent < 50', segmentation => 'size')}, 'EXECUTE segments(7)', 'main=average size=small value=default|{}' ],
	[ q{drop_segment('shop', 'small', 'size')}, 'EXECUTE segments(7)', 'main=average value=default|{}' ],
	[ q{define_offer('shop', 'stretch', 'grow_order_value', message => 'changed', holdout => 0.1, priority => 20)}, 'EXECUTE offer(7)', 'changed|changed' ],
	[ q{drop_offer('shop', 'stretch')}, 'EXECUTE offer(7)', '|' ],
	[ q{drop_offer('shop', 'back')}, 'EXECUTE decisions(7)', 'second' ],
	[ q{define_offer('shop', 'stretch', 'grow_order_value', message => 'again', holdout => 0.1, priority => 20)}, 'EXECUTE offer(7)', 'again|again' ])
{
	my ($definition, $query, $expected) = @$change;
	is(ask($definer, "SELECT clientele.$definition"), '', $definition);
	is(ask($reader, $query), $expected, 'is seen by a prepared statement and a look-up');
}

ask($reader, 'BEGIN; SELECT clientele.assign_segment(7)');
ask($definer, q{SELECT clientele.define_segment('shop', 'sleepers', 'orders = 0', priority => 5)});
is(ask($reader, 'SELECT clientele.assign_segment(7)'), 'sleepers', 'within a transaction of the reader a look-up sees it, too');
is(ask($reader, 'EXECUTE segment(7)'), 'sleepers|sleepers', 'and then also the views');
ask($reader, 'COMMIT');
ask($definer, q{BEGIN; SELECT clientele.drop_segment('shop', 'sleepers')});
is(ask($definer, 'SELECT clientele.assign_segment(7)'), 'average', 'a definer sees its own change before it commits');
is(ask($reader, 'EXECUTE segment(7)'), 'sleepers|sleepers', 'the others do not');
ask($definer, 'ROLLBACK');
is(ask($definer, 'SELECT clientele.assign_segment(7)'), 'sleepers', 'and a change that is rolled back is gone');
is(ask($reader, 'EXECUTE segment(7)'), 'sleepers|sleepers', 'for all');
ask($definer, q{SELECT clientele.drop_segment('shop', 'sleepers')});

# ---- Nobody waits ----

my @definitions = (
	q{define_segment('shop', 'sleepers', 'orders = 0', priority => 5)}, q{define_content('shop', 'home', 'post B', 'sleepers')},
	q{define_offer('shop', 'extra', 'win_back', segments => '{sleepers}')}, q{drop_offer('shop', 'extra')},
	q{drop_content('shop', 'home', 'sleepers')}, q{drop_segment('shop', 'sleepers')}, q{set_default_segment('shop', 'everybody')},
	q{set_default_segment('shop', 'average')}, q{upgrade_store('shop')});

# The open cursors hold ACCESS SHARE on all that the views read, and the transaction a snapshot.
ask($reader, 'BEGIN ISOLATION LEVEL REPEATABLE READ');
for my $view (qw(customers segments campaign offers offer_decisions offer_summary segment_sizes settings contents))
{
	ask($reader, "DECLARE open_$view CURSOR FOR SELECT * FROM shop.$view; FETCH 1 FROM open_$view");
}
ask($reader, 'LOCK shop.customers, shop.segments, shop.campaign, shop.offers, shop.segment_rules, shop.programs, shop.segmentations, shop.profiles IN ACCESS SHARE MODE');
my $started = time;
is(ask($definer, "SELECT clientele.$_"), '', "$_ waits for no reader") for @definitions;
cmp_ok(time - $started, '<', 3, 'and all of them take no time');
is(ask($other, q{CALL clientele.refresh('shop')}), '', 'nor does a refresh');
like(ask($reader, 'FETCH 3 FROM open_campaign'), qr/^2\|.*\n3\|.*\n4\|/, 'the reader reads on');
ask($reader, 'COMMIT');

ask($reader, q{SET statement_timeout = '2s'});
for my $definition (@definitions[ 0 .. 2 ], q{set_default_segment('shop', 'everybody')})
{
	ask($definer, 'BEGIN') if $definition eq $definitions[0];
	is(ask($definer, "SELECT clientele.$definition"), '', "in an open transaction: $definition");
	is(ask($reader, 'EXECUTE segment(7)'), 'average|average', 'no look-up waits for it');
	like(ask($reader, 'SELECT count(*) FROM shop.campaign'), qr/^1000$/, 'and no view');
}
my $fresh = session($node, 'postgres');
is(ask($fresh, q{SET statement_timeout = '2s'; SELECT clientele.assign_segment(7)}), 'average', 'nor does a session that plans anew');
like(ask($fresh, 'SELECT segment, content FROM shop.campaign WHERE customer_id = 7'), qr/^average\|/, 'through a view');
like(ask($fresh, 'SELECT assigned FROM clientele.explain_segment(7) WHERE priority IS NULL'), qr/^t$/, 'or asks why');
$fresh->quit;
ask($definer, 'ROLLBACK');
ask($definer, q{BEGIN; CALL clientele.refresh('shop')});
is(ask($reader, 'EXECUTE segment(7)'), 'average|average', 'no look-up waits for a refresh in an open transaction');
is(ask($other, q{SET lock_timeout = '1s'; BEGIN; INSERT INTO orders VALUES (100000, 7, now(), 1, 'completed'); UPDATE orders SET amount = 2 WHERE order_id = 100000;
	DELETE FROM orders WHERE order_id = 100000; UPDATE customers SET children = children; ROLLBACK; SET lock_timeout = '5s'}), '', 'nor does the till');
ask($definer, 'ROLLBACK');

# ---- Two define at once ----

my $definer_pid = ask($definer, 'SELECT pg_backend_pid()');
my $other_pid = ask($other, 'SELECT pg_backend_pid()');
for my $level ('READ COMMITTED', 'REPEATABLE READ')
{
	for my $pair (
		[ q{define_segment('shop', 'one', 'orders = 1', 101)}, q{define_segment('shop', 'two', 'orders = 2', 102)},
		  q{SELECT count(*) FROM shop.segment_rules WHERE segment IN ('one', 'two')},
		  q{SELECT string_agg(DISTINCT segment, ',' ORDER BY segment) FROM shop.customers WHERE segment IN ('one', 'two')}, 'one,two',
		  q{drop_segment('shop', 'one')}, q{drop_segment('shop', 'two')} ],
		[ q{define_offer('shop', 'first', 'grow_order_value', priority => 101)}, q{define_offer('shop', 'other', 'grow_order_value', priority => 102)},
		  q{SELECT count(*) FROM shop.programs WHERE program IN ('first', 'other')},
		  q{SELECT string_agg(DISTINCT program, ',' ORDER BY program) FROM shop.offer_decisions WHERE program IN ('first', 'other')}, 'first,other',
		  q{drop_offer('shop', 'first')}, q{drop_offer('shop', 'other')} ],
		[ q{define_content('shop', 'top', 'x')}, q{define_content('shop', 'bottom', 'y')},
		  q{SELECT count(*) FROM shop.contents WHERE slot IN ('top', 'bottom')},
		  q{SELECT string_agg(k, ',' ORDER BY k) FROM shop.campaign, jsonb_object_keys(content) k WHERE customer_id = 7 AND k IN ('top', 'bottom')}, 'bottom,top',
		  q{drop_content('shop', 'top')}, q{drop_content('shop', 'bottom')} ])
	{
		my ($one, $two, $stored_query, $effective_query, $effective, @drop) = @$pair;
		ask($definer, "BEGIN ISOLATION LEVEL $level; SELECT clientele.$one");
		ask($other, "BEGIN ISOLATION LEVEL $level; SELECT 1");
		begin_asking($other, "SELECT clientele.$two");
		waits($other_pid);
		ask($definer, 'COMMIT');
		my $answer = ask($other, 'COMMIT');
		unlike($answer, qr/XX000|concurrently|deadlock/, "$level: $two beside $one");
		if ($answer =~ /ERROR/)
		{
			like($answer, qr/ERROR:  40001/, 'one may have to be repeated');
			isnt($level, 'READ COMMITTED', 'though not at this level');
			is(ask($other, "SELECT clientele.$two"), '', 'and then succeeds');
		}
		is(ask($reader, $stored_query), '2', 'both are stored');
		is(ask($reader, $effective_query), $effective, 'both take effect');
		is(ask($definer, "SELECT clientele.$_"), '', $_) for @drop;
	}
}

# A transaction that began before somebody else's definition, and defines something else.
for my $second ([ q{define_offer('shop', 'late', 'win_back', priority => 202)}, 'early,late' ], [ q{define_segment('shop', 'late', 'orders = 3')}, 'early' ])
{
	my ($definition, $expected) = @$second;
	ask($other, 'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM shop.programs');
	ask($definer, q{SELECT clientele.define_offer('shop', 'early', 'win_back', priority => 201)});
	my $answer = ask($other, "SELECT clientele.$definition");
	if ($answer ne '')
	{
		like($answer, qr/ERROR:  40001/, 'an old snapshot is told so');
		ask($other, 'ROLLBACK');
		is(ask($other, "SELECT clientele.$definition"), '', 'and a new one will do');
	}
	else { is(ask($other, 'COMMIT'), '', 'an old snapshot defines'); }
	is(ask($reader, q{SELECT string_agg(DISTINCT program, ',' ORDER BY program) FROM shop.offer_decisions WHERE program IN ('early', 'late')}),
		$expected, 'no definition is lost');
	ask($definer, "SELECT clientele.$_")
	  for q{drop_offer('shop', 'early')}, $expected =~ /late/ ? q{drop_offer('shop', 'late')} : q{drop_segment('shop', 'late')};
}

# ---- Refreshes ----

my $stored = q{SELECT customer_id, profile, category_mix FROM shop.profiles};
my $sums = q{SELECT count(*), sum(c.orders), sum(c.gross_spent), min(s.fresh_to) FROM shop.customers c, shop.settings s};
$node->safe_psql('postgres', 'CREATE TABLE before AS ' . $stored);
my $before = ask($reader, $sums);
$node->safe_psql('postgres', q{UPDATE orders SET amount = amount + 1; DELETE FROM orders WHERE customer_id = 500;
	INSERT INTO orders VALUES (100001, 7, now(), 30, 'completed')});
my $truth = q{SELECT sum(orders), sum(gross_spent) FROM (SELECT clientele.order_profile(ordered_at, amount, 'America/New_York') p FROM orders
	WHERE status = 'completed' GROUP BY customer_id) o, clientele.orders(p) orders, clientele.gross_spent(p)};

ask($definer, q{BEGIN; CALL clientele.refresh('shop')});
is(ask($reader, $sums), $before, 'until a refresh commits, readers see the old profiles, all of them');
begin_asking($other, q{CALL clientele.refresh('shop')});
waits($other_pid);
is(ask($reader, $sums), $before, 'also while another waits');
ask($definer, 'COMMIT');
is(ask($other, 'SELECT 1'), '1', 'two refreshes at once: the second waits and succeeds');
is(ask($reader, 'SELECT sum(orders), sum(gross_spent) FROM shop.customers'), ask($reader, $truth), 'then readers see the new ones');
is(ask($reader, 'SELECT count(*) FROM shop.profiles WHERE customer_id = 500'), '0', 'a customer without orders any more has none');

# A refresh in a transaction that began before the order was placed, and before another refresh.
ask($definer, 'BEGIN; SET LOCAL client_min_messages = warning; SELECT 1');
$node->safe_psql('postgres', q{INSERT INTO orders VALUES (100002, 7, now(), 40, 'completed'); CALL clientele.refresh('shop')});
is(ask($definer, q{CALL clientele.refresh('shop'); COMMIT}), '', 'a refresh in a transaction that began long ago');
is(ask($reader, 'SELECT orders FROM shop.customers WHERE customer_id = 7'), '2', 'takes nothing back that was counted already');

# A refresh waits for definitions, definitions for it, but they never wait for each other.
$node->safe_psql('postgres', 'UPDATE orders SET amount = amount + 2');
ask($definer, q{BEGIN; SELECT clientele.define_content('shop', 'home', 'post E')});
begin_asking($other, q{CALL clientele.refresh('shop')});
usleep(700_000);
is(ask($definer, q{SELECT clientele.set_default_segment('shop', 'everybody')}), '', 'definitions during a refresh: no deadlock');
ask($definer, 'COMMIT');
is(ask($other, 'SELECT 1'), '1', 'and the refresh succeeds, too');
is(ask($reader, q{SELECT count(*) FROM shop.typical_values WHERE segment = 'everybody'}), '1', 'with the median of the renamed segment');
ask($definer, q{SELECT clientele.set_default_segment('shop', 'average')});

# ---- Cancelled, and cut short ----

# Makes a refresh take long after it has changed some profiles.
$node->safe_psql('postgres', q{
	CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.2); RETURN NEW; END $$;
	CREATE TRIGGER slow BEFORE UPDATE ON shop.profiles FOR EACH ROW EXECUTE FUNCTION slow();
	DROP TABLE before; CREATE TABLE before AS SELECT customer_id, profile, category_mix FROM shop.profiles;
	UPDATE orders SET amount = amount + 1});

# Cancels what a session does, and says how long that took.
sub cancelled_after
{
	my ($session, $pid, $query) = @_;
	begin_asking($session, $query);
	usleep(500_000);
	my $from = time;
	$node->safe_psql('postgres', "SELECT pg_cancel_backend($pid)");
	$session->query(q{\echo});
	my $seconds = time - $from;
	like($session->{stderr}, qr/ERROR:  57014/, 'is cancelled');
	return $seconds;
}
cmp_ok(cancelled_after($other, $other_pid, q{CALL clientele.refresh('shop')}), '<', 1, 'a refresh, within a second');
same_rows($node, 'postgres', $stored, 'SELECT * FROM before', 'after which the profiles are what they were');
for my $long (
	q{SELECT clientele.order_profile(timestamptz '1990-01-01' + i * interval '1 minute', i % 90) FROM generate_series(1, 15000000) i},
	q{SELECT clientele.rollup(p) FROM (SELECT profile AS p FROM shop.profiles, generate_series(1, 100000) OFFSET 0) q},
	q{SELECT count(o) FROM customers c, generate_series(1, 10000000) CROSS JOIN LATERAL clientele.personalized_offer(c.customer_id) o},
	q{SELECT count(d) FROM shop.offer_decisions d, generate_series(1, 10000000)})
{
	cmp_ok(cancelled_after($other, $other_pid, $long), '<', 1, "$long, within a second");
}

# What interrupts a fit without cancelling it, as the wish for a look at its memory does, takes none of its work away.
my $fit = q{SELECT md5(f::text) FROM (SELECT clientele.fit_pareto_nbd(i % 12, CASE WHEN i % 12 > 0 THEN i % 97 + 1 ELSE 0 END, 100 + i % 311) AS f
	FROM generate_series(1, 3000) i) s};
my $model = ask($other, $fit);
begin_asking($other, $fit);
$node->safe_psql('postgres', qq{
	DO \$\$ BEGIN
		FOR n IN 1..1000 LOOP
			PERFORM pg_stat_clear_snapshot(), pg_log_backend_memory_contexts($other_pid), pg_sleep(0.02);
			EXIT WHEN n > 10 AND EXISTS (SELECT FROM pg_stat_activity WHERE pid = $other_pid AND state <> 'active');
		END LOOP;
	END \$\$});
is(ask($other, 'SELECT 1'), "$model\n1", 'a fit that is interrupted all the time comes to its end, and to the same');

begin_asking($other, q{CALL clientele.refresh('shop')});
usleep(700_000);
$node->stop('immediate');
eval { $_->quit } for $reader, $definer, $other;
$node->start;
same_rows($node, 'postgres', $stored, 'SELECT * FROM before', 'the server stops during a refresh: the old profiles are whole');
$node->safe_psql('postgres', q{DROP TRIGGER slow ON shop.profiles; CALL clientele.refresh('shop')});
is($node->safe_psql('postgres', 'SELECT sum(orders), sum(gross_spent) FROM shop.customers'), $node->safe_psql('postgres', $truth),
	'and the next refresh makes them new');

done_testing();
