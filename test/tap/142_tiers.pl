# Rewards that grow with the basket, by several sessions: what an order is paid less than was reserved comes back to the budget to the cent,
# nobody deadlocks, no till waits for who settles; across merges, a kill -9, and a dump.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;
use Time::HiRes qw(time usleep);

plan skip_all => 'needs /proc' unless -r '/proc/self/stat';

my $node = new_server('tiers', "deadlock_timeout = '200ms'\nautovacuum = off\nlog_min_error_statement = panic\n");
my $db = 'postgres';
my $customers = 3000;
sub value { return $node->safe_psql($db, $_[0]); }

# Each is asked for 70, 90 and 125 for 2.80, 5.40 and 8.75; every third has said that he wants no offers.
$node->safe_psql($db, qq{
	SET client_min_messages = warning;
	CREATE EXTENSION clientele;
	CREATE TABLE customers (customer_id bigint PRIMARY KEY, opt_in boolean);
	INSERT INTO customers SELECT c, c % 3 > 0 FROM generate_series(1, $customers) c;
	CREATE TABLE orders (order_id bigint PRIMARY KEY, customer_id bigint, ordered_at timestamptz, amount numeric);
	CREATE INDEX ON orders (customer_id);
	INSERT INTO orders SELECT 10 * c + n, c, now() - interval '1 day' - n * interval '8 days', 50 FROM generate_series(1, $customers) c, generate_series(1, 4) n;
	CREATE SEQUENCE order_ids START 1000000;
	SELECT clientele.create_store('shop', 'orders', customers => 'customers', customer_key => 'customer_id', attributes => '{opt_in}');
	CALL clientele.refresh('shop');
	SELECT clientele.set_consent('shop', 'opt_in');
	SELECT clientele.define_offer('shop', 'steps', 'grow_order_value', budget => 50000, holdout => 0.1,
		tiers => '[{"stretch": 1.4, "reward_rate": 0.04}, {"stretch": 1.8, "reward_rate": 0.06}, {"stretch": 2.4, "reward_rate": 0.07}]');
	CALL clientele.issue_offers('shop', 'steps');
	CREATE TABLE codes AS SELECT row_number() OVER (ORDER BY exposure_id) AS n, customer_id, code FROM shop.ledger WHERE code IS NOT NULL;
	ALTER TABLE codes ADD PRIMARY KEY (n);
	-- A till: an order of a customer, and the code; what each of three values is paid.
	CREATE FUNCTION ring_up(nth bigint, value numeric) RETURNS text LANGUAGE plpgsql AS \$\$
	DECLARE id bigint := nextval('order_ids'); held record; attempt record;
	BEGIN
		SELECT * INTO held FROM codes c WHERE c.n = nth;
		INSERT INTO orders VALUES (id, held.customer_id, now(), value);
		SELECT * INTO attempt FROM clientele.try_redeem_offer(held.code, id, 'shop');
		IF attempt.redeemed AND attempt.reward <> (CASE WHEN value >= 125 THEN 8.75 WHEN value >= 90 THEN 5.40 ELSE 2.80 END) THEN
			RAISE EXCEPTION '% was paid % for an order of %', held.code, attempt.reward, value;
		END IF;
		RETURN coalesce(attempt.reason, 'redeemed');
	END \$\$;
	VACUUM ANALYZE});

# What the slots hold, what is owed to them, and what the ledger says has been reserved and paid, is the budget; so says its view.
my $exact = q{
	WITH counted AS (
		SELECT (SELECT sum(b.available) FROM shop.budgets b WHERE b.program = 'steps') + coalesce(sum(l.owed), 0) AS available,
			coalesce(sum(coalesce((l.tiers -> -1 ->> 'reward')::numeric, l.reward)) FILTER (WHERE l.state = 'open'), 0) AS reserved,
			coalesce(sum(CASE WHEN l.order_value >= 125 THEN 8.75 WHEN l.order_value >= 90 THEN 5.40 ELSE 2.80 END) FILTER (WHERE l.state = 'redeemed'), 0) AS paid
		FROM shop.ledger l WHERE l.holdout IS NULL AND l.program = 'steps')
	SELECT c.available + c.reserved + c.paid + coalesce((SELECT sum(f.rewards) FROM shop.forgotten f), 0) = s.budget, (s.reserved, s.spent, s.remaining) = (c.reserved, c.paid + coalesce((SELECT sum(f.rewards) FROM shop.forgotten f), 0), c.available)
	FROM counted c, shop.budget_status s WHERE s.program = 'steps'};
sub is_exact { my ($when) = @_; local $Test::Builder::Level = $Test::Builder::Level + 1; is(value($exact), 't|t', "$when: the budget is exact"); return; }
sub owed { return value(q{SELECT count(*), coalesce(sum(owed), 0) FROM shop.ledger WHERE owed IS NOT NULL}); }

# ---- Issued ----

is(value(q{SELECT bool_and(c.opt_in), count(*) FILTER (WHERE l.holdout IS NULL) > 1700 FROM shop.ledger l JOIN customers c USING (customer_id)}), 't|t', 'who has not consented is not enrolled');
is(value(q{SELECT DISTINCT tiers FROM shop.ledger WHERE holdout IS NULL}), '[{"reward": 2.80, "min_spend": 70}, {"reward": 5.40, "min_spend": 90}, {"reward": 8.75, "min_spend": 125}]', 'everybody has three tiers');
is_exact('issued');

# ---- Two tills, and who settles ----

my ($till, $settler) = map { session($node, $db) } 1 .. 2;
ask($_, q{SET client_min_messages = warning; SET statement_timeout = '60s'}) for $till, $settler;
my $pid = ask($till, 'SELECT pg_backend_pid()');
ask($settler, 'BEGIN');
is(ask($till, 'SELECT ring_up(1, 75)'), 'redeemed', 'a till redeems');
is(owed(), '1|5.95', 'and owes the budget what it was not paid');
ask($settler, q{SELECT clientele._return_owed('shop', NULL, 100)});
my $from = time;
is(ask($till, 'SELECT ring_up(2, 95)'), 'redeemed', 'the next one does while the first is being given back');
cmp_ok(time - $from, '<', 5, 'without waiting');
ask($settler, 'COMMIT');
is(owed(), '1|3.35', 'what was given back is owed no more');
is_exact('given back');
# The till holds an exposure, and the settler leaves it alone.
ask($till, 'BEGIN; SELECT ring_up(3, 130)');
is(ask($settler, q{CALL clientele.settle_offers('shop')}), '', 'who settles does not wait for a till');
is(value(q{SELECT state FROM shop.ledger JOIN codes USING (code) WHERE n = 3}), 'open', 'nor settles what it holds');
is(ask($till, 'ROLLBACK; SELECT ring_up(3, 70)'), 'redeemed', 'a till that takes it all back, and redeems anew');
is_exact('one by one');

# One code at two tills.
my $other = session($node, $db);
ask($other, q{SET client_min_messages = warning; SET statement_timeout = '60s'});
ask($till, 'BEGIN; SELECT ring_up(4, 75)');
my $other_pid = ask($other, 'SELECT pg_backend_pid()');
begin_asking($other, 'SELECT ring_up(4, 130)');
waits_for_lock($node, $db, $other_pid);
ask($till, 'COMMIT');
is(ask($other, 'SELECT 1'), "used\n1", 'of one code at two tills one is redeemed, and the other is told');
is(value(q{SELECT order_value, cost, owed FROM shop.ledger JOIN codes USING (code) WHERE n = 4}), '75|2.80|5.95', 'once');
is(value('SELECT count(*) FROM orders o JOIN codes c USING (customer_id) WHERE n = 4 AND order_id >= 1000000'), '2', 'both orders are there');

# Everything at once, by pgbench: orders that are redeemed by code and those that only settling finds, taken back, withdrawn, issued again.
my %mix = (
	code => [ 8, "\\set n random(5, 1500)\n\\set value random(60, 140)\nSELECT ring_up(:n, :value);\n" ],
	order => [ 3, "\\set n random(5, 1500)\n\\set value random(60, 140)\nINSERT INTO orders SELECT nextval('order_ids'), customer_id, now(), :value FROM codes WHERE n = :n;\n" ],
	settle => [ 1, "CALL clientele.settle_offers('shop', chunk => 50);\n" ],
	'take back' => [ 1, "SELECT clientele.void_redemption((SELECT order_id FROM shop.ledger WHERE state = 'redeemed' ORDER BY random() LIMIT 1), 'shop');\n" ],
	withdraw => [ 1, "SELECT clientele.withdraw_offer((SELECT exposure_id FROM shop.ledger JOIN codes USING (code) WHERE state = 'open' AND n BETWEEN 5 AND 1500 ORDER BY random() LIMIT 1), 'shop');\n" ],
	issue => [ 3, "\\set n random(5, 1500)\nSELECT count(*) FROM clientele.issue_offer((SELECT customer_id FROM codes WHERE n = :n), 'shop');\n" ]);
my @scripts;
for my $name (sort keys %mix)
{
	my $file = $node->basedir . "/$name.sql";
	append_to_file($file, $mix{$name}[1]);
	push @scripts, '-f', "$file\@$mix{$name}[0]";
}
{
	local $ENV{PGOPTIONS} = '-c client_min_messages=error';
	$node->command_like([ 'pgbench', '-n', '-c', 6, '-j', 2, '-T', 6, @scripts, $db ], qr/number of failed transactions: 0 /, 'everything at once');
}
is_exact('everything at once');
is(value(q{SELECT count(*) > 100, bool_and(cost = CASE WHEN order_value >= 125 THEN 8.75 WHEN order_value >= 90 THEN 5.40 ELSE 2.80 END) FROM shop.ledger WHERE state = 'redeemed' AND holdout IS NULL}), 't|t', 'many were redeemed, each at what it was paid');

# ---- Customers who turn out to be one ----

is(ask($till, 'SELECT ring_up(1600, 75), ring_up(1601, 95)'), 'redeemed|redeemed', 'two customers redeem by code');
my ($survivor, $duplicate) = split /\|/, value('SELECT (SELECT customer_id FROM codes WHERE n = 1600), (SELECT customer_id FROM codes WHERE n = 1601)');
my $before = owed();
is(ask($till, qq{BEGIN; UPDATE orders SET customer_id = $survivor WHERE customer_id = $duplicate; DELETE FROM customers WHERE customer_id = $duplicate;
	SELECT clientele.merge_customers($survivor, $duplicate, 'shop'); COMMIT}) =~ /ERROR/ ? 1 : 0, 0, 'and turn out to be one');
is(owed(), $before, 'what their redemptions owe stays owed');
is(value("SELECT count(*), count(owed) FROM shop.ledger WHERE customer_id = $survivor"), '2|2', 'by the survivor');
is_exact('merged');
is(ask($till, "SELECT clientele.forget_customer($survivor, 'shop')") =~ /ERROR/ ? 1 : 0, 0, 'who is then forgotten');
is_exact('forgotten');
ask($settler, q{CALL clientele.settle_offers('shop')});
is(owed(), '0|0', 'settling gives back all that is owed');
is_exact('settled');

# ---- kill -9 ----

for my $round (1 .. 3)
{
	my $first = 1600 + 20 * $round;
	ask($till, join '; ', map { "SELECT ring_up($_, 60 + 8 * ($_ % 10))" } $first + 2 .. $first + 10);
	my $owed = owed();
	ask($till, "BEGIN; SELECT ring_up($first + 11, 75)");
	ask($settler, q{BEGIN; SELECT clientele._return_owed('shop', NULL, 100)});
	kill_everything($node);
	$node->start;
	is(owed(), $owed, "round $round: what was committed is owed, and nothing else");
	is_exact('killed');
	$_->quit for $till, $settler;
	($till, $settler) = map { session($node, $db) } 1 .. 2;
	ask($_, q{SET client_min_messages = warning; SET statement_timeout = '60s'}) for $till, $settler;
	is(ask($till, "SELECT ring_up($first + 11, 75)"), 'redeemed', 'the till that was cut short redeems its code');
}

# ---- Dumped with open exposures, what is owed, a percentage, and consent ----

$node->safe_psql($db, q{
	SELECT clientele.define_offer('shop', 'percent', 'grow_order_value', reward_kind => 'percent_off', reward_rate => 0.05, reward_cap => 6, priority => 1, budget => 300, consent => 'opt_in AND orders > 2');
	SELECT clientele.withdraw_offer(exposure_id, 'shop') FROM shop.ledger JOIN codes USING (code) WHERE n IN (1701, 1702);
	SELECT count(*) FROM codes, clientele.issue_offer(customer_id, 'shop') WHERE n IN (1701, 1702)});
is(value(q{SELECT count(*), min(cost) FROM shop.ledger WHERE program = 'percent' AND state = 'open'}), '2|6.00', 'percentages are issued as well');
$node->command_ok([ 'pg_dump', '-d', $node->connstr($db), '-f', $node->basedir . '/dump.sql' ], 'dumped');
$node->safe_psql($db, 'CREATE DATABASE restored');
$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('restored'), '-f', $node->basedir . '/dump.sql' ], 'and restored, without an error');
my $state = q{SELECT md5(string_agg(l::text, ' ' ORDER BY exposure_id)), (SELECT string_agg(concat_ws(' ', program, budget, reserved, spent, remaining), ', ' ORDER BY program) FROM shop.budget_status),
	(SELECT md5(string_agg(concat_ws(' ', c.n, p.program, p.gap, p.reward, p.message, p.next_gap), ' ' ORDER BY c.n)) FROM codes c, clientele.offer_progress(c.customer_id, 47.6 + c.n % 90, 'shop') p),
	(SELECT md5(string_agg(concat_ws(' ', d.customer_id, d.program, d.status, d.reasons, d.tiers), ' ' ORDER BY d.customer_id, d.program)) FROM shop.offer_decisions d) FROM shop.ledger l};
is($node->safe_psql('restored', $state), value($state), 'the ledger, the budgets, progress and decisions are the same');
$db = 'restored';
is_exact('restored');
like(owed(), qr/^[1-9]/, 'something is owed');
is(value('SELECT ring_up(1703, 95)'), 'redeemed', 'and codes go on');
is($node->safe_psql($db, q{SET client_min_messages = warning; CALL clientele.settle_offers('shop'); SELECT count(*) FROM shop.ledger WHERE owed IS NOT NULL}), '0', 'and settling gives back there, too');
is_exact('settled in the copy');

# ---- Another kind of reward: what was issued keeps its terms ----

$db = 'postgres';
$node->safe_psql($db, q{SELECT clientele.define_offer('shop', 'steps', 'grow_order_value', reward_kind => 'gift', reward_cost => 3, gift => 'a mug', budget => 50000)});
is(value(q{SELECT p.min_spend, p.reward, p.message, p.next_reward FROM codes c, clientele.offer_progress(c.customer_id, 60, 'shop') p WHERE c.n = 1710}), '70|2.80|$10.00 more and you get $2.80 off|', 'an open offer shows what it was issued with');
is(value('SELECT ring_up(1710, 126)'), 'redeemed', 'and is paid by it');
is(value(q{SELECT cost, reward_kind, owed FROM shop.ledger JOIN codes USING (code) WHERE n = 1710}), '8.75|amount_off|', 'its highest tier');
$node->safe_psql($db, q{SELECT clientele.upgrade_store('shop')});
is(ask($till, 'SELECT ring_up(1710, 95)'), 'used', 'a code that was used is said to be');
is(value('SELECT ring_up(1711, 91)'), 'redeemed', 'after an upgrade of the store, too');
is(value(q{SELECT cost, owed FROM shop.ledger JOIN codes USING (code) WHERE n = 1711}), '5.40|3.35', 'to the cent');
is_exact('at the end');
is(complaints($node), '', 'nothing unexpected in the log: no deadlock, no internal error');
$_->quit for $till, $settler, $other;
$node->stop;
done_testing();
