# Live stores among sessions: nobody who places an order waits for, or is failed by, another order, a reader, a refresh, a
# definition, or the end of the store; and the store is exact throughout.
use strict;
use warnings;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;
use Time::HiRes qw(time usleep);

my $node = new_server('isolation', "deadlock_timeout = '100ms'\nmax_prepared_transactions = 5\nlog_min_error_statement = panic\n");
$node->safe_psql('postgres', 'CREATE EXTENSION clientele');
create_shop($node, 'postgres', customers => 300);
create_store($node, 'postgres', live => 1);

# More customers than a refresh writes at once.
my $many = 12_000;
$node->safe_psql('postgres', qq{
	CREATE TABLE sales (sale_id bigint PRIMARY KEY, customer_id bigint, ordered_at timestamptz NOT NULL, amount numeric);
	INSERT INTO sales SELECT c, c, timestamptz '2024-01-01' + c * interval '1 minute', c % 90 FROM generate_series(1, $many) c;
	CREATE INDEX ON sales (customer_id);
	CREATE SEQUENCE sale_ids START 1000000;
	ANALYZE sales;
	SET client_min_messages = warning;
	SELECT clientele.create_store('big', orders => 'sales', order_id => 'sale_id', live => true);
	CALL clientele.refresh('big');
	ALTER DATABASE postgres SET clientele.store = 'shop'});

my ($one, $two, $refresher, $watcher) = map { session($node, 'postgres') } 1 .. 4;
# Whoever places orders must not wait at all; whoever refreshes not for ever.
ask($_, q{SET lock_timeout = '2s'; SET statement_timeout = '20s'}) for $one, $two;
ask($_, q{SET statement_timeout = '40s'}) for $refresher, $watcher;
my ($one_pid, $two_pid, $refresher_pid) = map { ask($_, 'SELECT pg_backend_pid()') } $one, $two, $refresher;

my $next = 100_000;
sub order { my ($customer, $amount) = @_; $next++; return "INSERT INTO orders VALUES ($next, $customer, now() - interval '1 hour', $amount, 'completed')"; }
sub sale { my ($customer, $amount) = @_; return "INSERT INTO sales VALUES (nextval('sale_ids'), $customer, now() - interval '1 hour', $amount)"; }
sub orders_of { my ($session, $customer) = @_; return ask($session, "SELECT orders FROM shop.customers WHERE customer_id = $customer"); }

is(ask($watcher, differences('shop')), '0', 'a new live store is exact');
is(ask($watcher, differences('big')), '0', 'and so is a big one');

# ---- The same customer twice at once ----

for my $level ('READ COMMITTED', 'REPEATABLE READ')
{
	my $before = orders_of($watcher, 8);
	ask($_, "BEGIN ISOLATION LEVEL $level") for $one, $two;
	is(ask($one, order(8, 10)), '', "$level: an order");
	is(ask($two, order(8, 20)), '', 'another one of the same customer waits for nobody');
	is(orders_of($one, 8), $before + 1, 'each session sees its own');
	is(orders_of($two, 8), $before + 1, 'and not the other');
	is(ask($one, "UPDATE orders SET amount = 11 WHERE order_id = $next - 1; INSERT INTO order_items VALUES ($next - 1, 'baby', 5)"), '', 'its change and lines wait for nobody');
	is(ask($two, "DELETE FROM orders WHERE order_id = $next; " . order(8, 21)), '', 'nor does a deletion');
	is(ask($_, differences('shop')), '0', 'each transaction sees an exact store') for $one, $two;
	is(ask($watcher, differences('shop')), '0', 'and so does everybody else');
	ask($_, 'COMMIT') for $two, $one;
	is(orders_of($watcher, 8), $before + 2, 'in the end both count');
	is(ask($watcher, differences('shop')), '0', 'exactly');
}

# Orders that read nothing never fail one another.
my $failures = '';
for my $i (1 .. 20)
{
	ask($_, 'BEGIN ISOLATION LEVEL SERIALIZABLE') for $one, $two;
	for my $n (1 .. 3) { for my $session ($one, $two) { $failures .= ask($session, order(8 + $n % 2, $i)) . ask($session, "INSERT INTO order_items VALUES ($next, 'wine', 1)"); } }
	$failures .= ask($watcher, q{CALL clientele.refresh('shop')}) if $i % 4 == 0;
	$failures .= ask($_, 'COMMIT') for $i % 2 ? ($one, $two) : ($two, $one);
}
is($failures, '', 'serializable orders of the same customers, at once: none fails');
is(ask($watcher, differences('shop')), '0', 'and the store is exact');

# ---- Several customers in opposite orders ----

for my $level ('READ COMMITTED', 'REPEATABLE READ')
{
	ask($_, "BEGIN ISOLATION LEVEL $level") for $one, $two;
	my @answers = map { ask(@$_) }
	  [ $one, order(1, 10) ], [ $two, order(2, 10) ], [ $one, order(2, 20) ], [ $two, order(1, 20) ],
	  [ $one, "UPDATE orders SET amount = amount + 1 WHERE order_id IN ($next - 3, $next - 1)" ], [ $two, "UPDATE orders SET amount = amount + 1 WHERE order_id IN ($next - 2, $next)" ],
	  [ $one, "UPDATE orders SET customer_id = 3 - customer_id WHERE order_id IN ($next - 3, $next - 1)" ], [ $two, "DELETE FROM orders WHERE order_id IN ($next - 2, $next)" ],
	  [ $one, "INSERT INTO order_items VALUES ($next - 3, 'baby', 1), ($next - 1, 'wine', 2)" ], [ $two, "INSERT INTO order_items VALUES ($next - 1, 'baby', 1), ($next - 3, 'wine', 2)" ],
	  [ $two, "INSERT INTO orders VALUES ($next + 1, 2, now(), 1, 'completed'), ($next + 2, 1, now(), 1, 'completed')" ], [ $one, "INSERT INTO orders VALUES ($next + 3, 1, now(), 1, 'completed'), ($next + 4, 2, now(), 1, 'completed')" ];
	$next += 4;
	is(join('', @answers), '', "$level: several customers in opposite orders: nobody waits");
	is(ask($watcher, q{CALL clientele.refresh('shop')}), '', 'nor does a refresh');
	ask($_, 'COMMIT') for $one, $two;
	is(ask($watcher, differences('shop')), '0', 'and the store is exact');
}

# An order and its lines by different sessions, and an order that changes hands meanwhile.
ask($_, 'BEGIN') for $one, $two;
is(ask($one, order(5, 50)), '', 'an order that is not committed');
is(ask($two, "INSERT INTO order_items VALUES ($next, 'baby', 25), (1, 'baby', 7)"), '', 'its lines by another session, which cannot see it');
is(ask($watcher, q{CALL clientele.refresh('shop')}), '', 'and a refresh between them');
ask($one, 'COMMIT');
is(ask($watcher, differences('shop')), '0', 'the order alone');
ask($watcher, q{CALL clientele.refresh('shop')});
ask($two, 'COMMIT');
is(ask($watcher, differences('shop')), '0', 'the order and its lines');
# One changes the lines of an order, the other the order: neither sees the other, and a refresh comes in between. Each
# change, in each order, with each way to commit.
my $n = 0;
for my $line_change ('INSERT INTO order_items VALUES (ORDER, $$wine$$, 3)', 'UPDATE order_items SET amount = amount + 1 WHERE order_id = ORDER', 'UPDATE order_items SET order_id = ORDER WHERE order_id = ORDER + 1', 'DELETE FROM order_items WHERE order_id = ORDER')
{
	for my $order_change ('UPDATE orders SET customer_id = customer_id + 1 WHERE order_id = ORDER', 'DELETE FROM orders WHERE order_id = ORDER', 'UPDATE orders SET order_id = ORDER + 3 WHERE order_id = ORDER', 'UPDATE orders SET order_id = ORDER + 1 WHERE order_id = ORDER + 2',
		'DELETE FROM orders WHERE order_id = ORDER; INSERT INTO orders VALUES (ORDER, 277, now(), 5, $$completed$$)',
		'UPDATE orders SET order_id = ORDER + 5 WHERE order_id = ORDER; INSERT INTO orders VALUES (ORDER, 277, now(), 5, $$completed$$)', 'UPDATE orders SET status = $$cancelled$$ WHERE order_id = ORDER')
	{
		for my $lines_first (1, 0)
		{
			for my $lines_end_first (1, 0)
			{
				$n++;
				$next += 10;
				my ($order, $customer) = ($next, 20 + $n % 200);
				my $level = ('READ COMMITTED', 'REPEATABLE READ', 'READ COMMITTED', 'SERIALIZABLE')[ $n % 4 ];
				my $refresh = ("CALL clientele.refresh('shop')", "CALL clientele.refresh('shop', true)", '', "CALL clientele.refresh('shop'); CALL clientele.refresh('shop')")[ ($n + int($n / 4)) % 4 ];
				ask($watcher, "INSERT INTO orders VALUES ($order, $customer, now(), 5, 'completed'), ($order + 2, $customer + 2, now(), 6, 'completed'); INSERT INTO order_items VALUES ($order, 'baby', 2), ($order + 1, 'food', 2), ($order + 3, 'food', 1); CALL clientele.refresh('shop', true); CALL clientele.refresh('shop')");
				my @change = map { s/ORDER/$order/gr } $order_change, $line_change;
				my ($first, $second) = $lines_first ? ($change[1], $change[0]) : @change;
				ask($_, "BEGIN ISOLATION LEVEL $level; SELECT 1") for $one, $two;
				my $told = ask($one, $first) . ask($two, $second);
				ask($watcher, $refresh);
				ask($lines_first == $lines_end_first ? $one : $two, 'COMMIT');
				my $differences = ask($watcher, differences('shop'));
				ask($watcher, $refresh);
				ask($lines_first == $lines_end_first ? $two : $one, 'COMMIT');
				$differences .= ask($watcher, differences('shop'));
				ask($watcher, $refresh);
				$differences .= ask($watcher, differences('shop'));
				is("$told$differences", '000', "$level: $first; beside $second; " . ($lines_end_first ? 'lines' : 'order') . " committed first, $refresh");
			}
		}
	}
}

# ---- Prepared transactions ----

ask($one, 'BEGIN');
is(ask($one, order(9, 10) . "; INSERT INTO order_items VALUES ($next, 'baby', 3)"), '', 'an order');
is(ask($one, q{PREPARE TRANSACTION 'order'}), '', 'can be prepared');
is(ask($watcher, q{CALL clientele.refresh('shop')} . '; ' . differences('shop')), '0', 'a refresh does not wait for it, and the store is exact without');
is(ask($one, q{COMMIT PREPARED 'order'}), '', 'and committed');
is(ask($watcher, differences('shop')), '0', 'the store is exact with it');
is(ask($one, q{BEGIN; CALL clientele.refresh('shop')}) =~ /ERROR/, '', 'a refresh within a transaction');
is(ask($one, 'ROLLBACK'), '', 'ends with it');

# ---- Refreshes ----

# Lets a refresh wait in the middle: for a profile that another session holds.
my $holder = session($node, 'postgres');
sub hold { my ($store, $customer) = @_; return ask($holder, "BEGIN; SELECT FROM $store.profiles WHERE customer_id = $customer FOR UPDATE"); }

for my $call (q{CALL clientele.refresh('big')}, q{CALL clientele.refresh('big', true)})
{
	# Each chunk has something to write.
	ask($one, 'UPDATE sales SET amount = amount + 1 WHERE customer_id % 3 = 0');
	hold('big', 9000);
	begin_asking($refresher, $call);
	waits_for_lock($node, 'postgres', $refresher_pid);
	is(ask($watcher, differences('big')), '0', "in the middle of $call: the store is exact");
	like(ask($watcher, q{SELECT store, pid, phase IS NOT NULL, done >= 0, total > 0 FROM clientele.refresh_progress}), qr/^big\|$refresher_pid\|t\|t\|/, 'others see how far it is');
	# Customers before the one that is held, that one, and after it.
	my @answers = map { ask($one, $_) } map({ (sale($_, 5), "UPDATE sales SET amount = amount + 7 WHERE customer_id = $_", "DELETE FROM sales WHERE sale_id = $_ + 1",
		"UPDATE sales SET customer_id = $_ + 3 WHERE sale_id = $_ + 2") } 300, 8999, 9000, 9003, 11_970),
		'INSERT INTO sales SELECT nextval($$sale_ids$$), c, now() - interval $$2 hours$$, 1 FROM generate_series(1, 12300, 50) c', 'UPDATE sales SET amount = amount WHERE customer_id % 100 = 0', sale(20_000, 5);
	is(join('', @answers), '', 'no order waits for it');
	is(ask($watcher, differences('big')), '0', 'with them the store is exact');
	ask($one, 'BEGIN');
	is(ask($one, sale(9000, 1) . '; ' . sale(12_345, 2) . '; UPDATE sales SET amount = 3 WHERE customer_id = 600'), '', 'nor do orders that are committed after it');
	ask($holder, 'COMMIT');
	is(ask($refresher, 'SELECT 1'), '1', 'the refresh ends');
	is(ask($watcher, differences('big')), '0', 'and the store is exact');
	is(ask($one, differences('big')), '0', 'for the open transaction, too');
	ask($one, 'COMMIT');
	is(ask($watcher, differences('big')), '0', 'and after it');
	is(ask($watcher, 'SELECT count(*) FROM clientele.refresh_progress'), '0', 'nothing is in progress');
	is(ask($refresher, q{CALL clientele.refresh('big')} . '; ' . differences('big')), '0', 'the next refresh leaves it exact');
	is(ask($watcher, 'SELECT count(*) FROM big.pending'), '0', 'with nothing pending');
}

# What need not be written is not.
ask($refresher, q{CALL clientele.refresh('big', true)});
my $versions = q{SELECT md5(string_agg(customer_id || ctid::text || xmin, '' ORDER BY customer_id)) FROM big.profiles};
my $written = ask($watcher, $versions);
ask($refresher, q{CALL clientele.refresh('big'); CALL clientele.refresh('big', true)});
is(ask($watcher, $versions), $written, 'profiles that do not change are not written');
ask($one, sale(77, 5) . '; DELETE FROM sales WHERE customer_id = 78');
ask($refresher, q{CALL clientele.refresh('big')});
is(ask($watcher, q{SELECT count(*) FROM big.profiles WHERE xmin = (SELECT xmin FROM big.profiles WHERE customer_id = 77)}), '1', 'only those of the customers who do');

# A table of the store is rewritten in the middle.
for my $rewrite ('VACUUM FULL big.pending', 'VACUUM FULL big.profiles')
{
	ask($watcher, q{SELECT clientele.set_live('big', false); SELECT clientele.set_live('big', true)});
	ask($one, 'UPDATE sales SET amount = amount + 1 WHERE customer_id % 4 = 0');
	hold('big', 10_000);
	begin_asking($refresher, q{CALL clientele.refresh('big', true)});
	waits_for_lock($node, 'postgres', $refresher_pid);
	ask($one, 'UPDATE sales SET amount = amount + 1 WHERE customer_id IN (4, 8, 11000); ' . sale(4, 1) . '; ' . sale(11_001, 1));
	ask($holder, 'COMMIT') if $rewrite =~ /profiles/;
	begin_asking($two, "SET lock_timeout = '10s'; $rewrite");
	usleep(300_000);
	ask($holder, 'COMMIT') unless $rewrite =~ /profiles/;
	ask($refresher, 'SELECT 1');
	ask($two, q{SET lock_timeout = '2s'});
	is(ask($watcher, differences('big')), '0', "$rewrite during a refresh: the store is exact");
	ask($refresher, q{CALL clientele.refresh('big')});
	is(ask($watcher, differences('big')), '0', 'and after another one');
}

# Cancelled, terminated, timed out: what was committed stays, the lock goes, and the next one does the rest.
my $terminated = session($node, 'postgres');
my $terminated_pid = ask($terminated, 'SELECT pg_backend_pid()');
for my $end ('cancel', 'timeout', 'terminate')
{
	for my $full ('false', 'true')
	{
		ask($one, 'UPDATE sales SET amount = amount + 1 WHERE customer_id % 2 = 0');
		hold('big', 10_000);
		my ($session, $pid) = $end eq 'terminate' ? ($terminated, $terminated_pid) : ($refresher, $refresher_pid);
		ask($session, q{SET statement_timeout = '1500ms'}) if $end eq 'timeout';
		my $started = time;
		begin_asking($session, "CALL clientele.refresh('big', $full)");
		waits_for_lock($node, 'postgres', $pid);
		$started = time if $end ne 'timeout';
		ask($watcher, "SELECT pg_${end}_backend($pid)") if $end ne 'timeout';
		if ($end eq 'terminate') { eval { $session->quit }; $terminated = session($node, 'postgres'); $terminated_pid = ask($terminated, 'SELECT pg_backend_pid()'); }
		else { like(ask($session, 'SELECT 1'), qr/ERROR:  57014/, "$end: a refresh (full => $full) is cancelled"); }
		cmp_ok(time - $started, '<', 4, "$end: at once");
		ask($session, q{SET statement_timeout = '40s'}) if $end eq 'timeout';
		is(ask($watcher, differences('big')), '0', 'the store is exact');
		is(ask($watcher, 'SELECT count(*) FROM clientele.refresh_progress'), '0', 'and nothing is in progress');
		is(ask($one, sale(10_000, 1)), '', 'orders go on');
		ask($holder, 'COMMIT');
		is(ask($watcher, q{SET lock_timeout = '3s'; CALL clientele.refresh('big')}), '', 'another session can refresh at once');
		is(ask($watcher, differences('big')), '0', 'which leaves the store exact');
		is(ask($watcher, 'SELECT count(*) FROM big.pending'), '0', 'with nothing pending');
	}
}

# Two at once: the second waits, and can be cancelled while it waits.
hold('big', 10_000);
ask($one, sale(10_000, 4));
begin_asking($refresher, q{CALL clientele.refresh('big')});
waits_for_lock($node, 'postgres', $refresher_pid);
ask($two, 'RESET lock_timeout');
begin_asking($two, q{CALL clientele.refresh('big')});
waits_for_lock($node, 'postgres', $two_pid);
is(ask($one, sale(10_000, 4)), '', 'orders do not wait for refreshes that wait');
ask($watcher, "SELECT pg_cancel_backend($two_pid)");
like(ask($two, 'SELECT 1'), qr/ERROR:  57014/, 'a refresh that waits for another is cancelled');
begin_asking($two, q{CALL clientele.refresh('big', true)});
waits_for_lock($node, 'postgres', $two_pid);
ask($holder, 'COMMIT');
is(ask($refresher, 'SELECT 1'), '1', 'the first ends');
is(ask($two, 'SELECT 1'), '1', 'and then the second');
is(ask($watcher, differences('big')), '0', 'the store is exact');
ask($two, q{SET lock_timeout = '2s'});

# In a transaction block: in one go, which it says.
ask($one, 'UPDATE sales SET amount = amount + 1 WHERE customer_id % 7 = 0');
for my $end ('ROLLBACK', 'COMMIT')
{
	for my $call (q{CALL clientele.refresh('big')}, q{CALL clientele.refresh('big', true)})
	{
		ask($refresher, 'BEGIN');
		like(ask($refresher, $call), qr/NOTICE:.*one transaction/, "$call in a transaction block says so");
		is(ask($refresher, differences('big')), '0', 'exact within');
		is(ask($watcher, differences('big')), '0', 'exact for others');
		is(ask($one, sale(7, 1) . '; UPDATE sales SET amount = amount + 1 WHERE customer_id = 14; DELETE FROM sales WHERE sale_id = 21'), '', 'no order waits for it');
		is(ask($refresher, differences('big')), '0', 'exact within, with these');
		ask($refresher, $end);
		is(ask($watcher, differences('big')), '0', "exact after $end");
		is(ask($refresher, $call), '', 'and the next can run');
	}
}
for my $level ('REPEATABLE READ', 'SERIALIZABLE')
{
	ask($refresher, "BEGIN ISOLATION LEVEL $level; SELECT count(*) FROM big.profiles");
	ask($one, sale(7, 1) . '; DELETE FROM sales WHERE sale_id = 28');
	ask($watcher, q{CALL clientele.refresh('big')});
	my $answer = ask($refresher, q{CALL clientele.refresh('big', true)});
	like($answer, qr/NOTICE|ERROR:  40001/, "$level, with a snapshot from before another refresh: it refreshes, or is to be repeated");
	is(ask($refresher, differences('big')), '0', 'exact within') unless $answer =~ /ERROR/;
	ask($refresher, 'COMMIT');
	is(ask($watcher, differences('big')), '0', 'nothing is taken back');
	is(ask($watcher, q{CALL clientele.refresh('big')} . '; ' . differences('big')), '0', 'also after the next');
}

# Who has written orders and then refreshes waits for nobody who waits for these orders.
ask($two, q{SET lock_timeout = '20s'});
for my $reading (q{CALL clientele.refresh('big')}, q{CALL clientele.refresh('big', true)}, q{CALL clientele.record_segments('big')}, q{SELECT count(*) FROM clientele.check_store('big', repair => true)}, q{SELECT clientele.forget_customer(99999999, 'big')})
{
	# Alone with the orders, as who loads them anew; then with somebody who waits to be alone with them.
	for my $waits (0, 1)
	{
		ask($one, 'BEGIN; ' . ($waits ? sale(70, 1) : 'LOCK TABLE sales'));
		if ($waits) { begin_asking($two, 'BEGIN; LOCK TABLE sales'); waits_for_lock($node, 'postgres', $two_pid); }
		begin_asking($refresher, $reading);
		waits_for_lock($node, 'postgres', $refresher_pid);
		unlike(ask($one, q{CALL clientele.refresh('big')}), qr/ERROR|WARNING/, "$reading, " . ($waits ? 'behind a lock that waits for an order: the order' : 'behind the orders: their transaction') . ' can end with a refresh');
		is(ask($one, 'COMMIT'), '', 'and is committed');
		is(ask($two, 'SELECT 1; COMMIT'), '1', 'the lock is granted') if $waits;
		unlike(ask($refresher, 'SELECT 1'), qr/ERROR/, 'and nothing fails');
	}
}
for my $live ('false', 'true')
{
	ask($one, 'BEGIN; ' . sale(70, 1));
	begin_asking($two, "SELECT clientele.set_live('big', $live)");
	waits_for_lock($node, 'postgres', $two_pid);
	unlike(ask($one, q{CALL clientele.refresh('big')}), qr/ERROR|WARNING/, "beside set_live($live), too");
	is(ask($one, 'COMMIT'), '', 'it is committed');
	unlike(ask($two, 'SELECT 1'), qr/ERROR/, 'and nothing fails');
}
# Triggers that somebody disabled, restored in the middle of a refresh.
ask($watcher, 'ALTER TABLE sales DISABLE TRIGGER USER; UPDATE sales SET amount = amount + 1 WHERE customer_id % 3 = 0');
hold('big', 9000);
begin_asking($refresher, q{CALL clientele.refresh('big', true)});
waits_for_lock($node, 'postgres', $refresher_pid);
begin_asking($two, q{SELECT clientele.set_live('big', true)});
waits_for_lock($node, 'postgres', $two_pid);
is(ask($one, sale(71, 1)), '', 'no order waits for set_live(true) that waits for a refresh');
ask($holder, 'COMMIT');
unlike(ask($_, 'SELECT 1'), qr/ERROR/, 'both end') for $refresher, $two;
ask($two, q{SET lock_timeout = '2s'});
is(ask($watcher, differences('big')), '0', 'the store is exact');

# A reader with a snapshot sees its own state across refreshes.
my $seen = q{SELECT count(*), sum(orders), sum(gross_spent), min(as_of) = now() FROM big.customers};
ask($one, sale(35, 3));
ask($refresher, 'BEGIN ISOLATION LEVEL REPEATABLE READ');
my $before = ask($refresher, $seen);
for my $call (q{CALL clientele.refresh('big')}, q{CALL clientele.refresh('big', true)})
{
	ask($one, sale(35, 3) . '; ' . sale(36, 3) . '; UPDATE sales SET amount = amount + 1 WHERE customer_id < 500; DELETE FROM sales WHERE customer_id BETWEEN 501 AND 510');
	ask($watcher, $call);
	is(ask($refresher, $seen), $before, "a snapshot shows the same after $call");
	is(ask($refresher, differences('big')), '0', 'and agrees with a recount under it');
}
is(ask($refresher, "SELECT (SELECT orders FROM big.customers WHERE customer_id = 35) = orders FROM (SELECT count(*) AS orders FROM sales WHERE customer_id = 35) s"), 't', 'for each customer');
ask($refresher, 'COMMIT');
isnt(ask($refresher, $seen), $before, 'afterwards it is another');

# ---- Definitions ----

# An open reader holds what a query over a live store holds.
ask($one, order(7, 30) . '; ' . order(14, 30));
ask($holder, 'BEGIN ISOLATION LEVEL REPEATABLE READ');
ask($holder, "DECLARE open_$_ CURSOR FOR SELECT * FROM shop.$_; FETCH 1 FROM open_$_") for qw(customers campaign segments offers);
ask($two, "BEGIN; " . order(7, 31));
ask($watcher, q{SET lock_timeout = '2s'});
for my $definition (q{define_segment('shop', 'sleepers', 'orders = 0', priority => 5)}, q{define_offer('shop', 'extra', 'win_back')}, q{define_content('shop', 'home', 'post B', 'sleepers')},
	q{drop_content('shop', 'home', 'sleepers')}, q{drop_offer('shop', 'extra')}, q{drop_segment('shop', 'sleepers')}, q{upgrade_store('shop')})
{
	is(ask($watcher, "SELECT clientele.$definition"), '', "$definition waits for no reader and no order");
	is(ask($one, order(7, 1)), '', 'and no order for it');
}
ask($watcher, q{BEGIN; SELECT clientele.define_segment('shop', 'sleepers', 'orders = 0', priority => 5); SELECT clientele.define_offer('shop', 'extra', 'win_back'); SELECT clientele.upgrade_store('shop')});
is(ask($one, order(7, 2) . "; UPDATE orders SET amount = 3 WHERE order_id = $next; INSERT INTO order_items VALUES ($next, 'baby', 1)"), '', 'nor for one that is not committed');
is(ask($one, differences('shop')), '0', 'a reader neither');
ask($watcher, 'ROLLBACK');
is(() = ask($holder, 'FETCH 3 FROM open_campaign') =~ /^\d+\|/gm, 3, 'the open readers read on');
ask($_, 'COMMIT') for $holder, $two;
is(ask($watcher, differences('shop')), '0', 'and the store is exact');

# ---- Under load ----

# Starts pgbench; how => sessions, seconds or transactions, and a script.
my %running;
sub begin_load
{
	my ($name, $clients, $seconds, $script) = @_;
	my $file = $node->basedir . "/$name.sql";
	unlink $file;
	append_to_file($file, $script);
	my $output = '';
	$running{$name} = [ IPC::Run::start([ 'pgbench', '-n', '-T', $seconds, '-c', $clients, '-h', $node->host, '-p', $node->port, '-f', $file, 'postgres' ], '>&', \$output, IPC::Run::timeout(120)), \$output ];
	return;
}

# All that began must end without an error.
sub end_load
{
	for my $name (sort keys %running)
	{
		my ($run, $output) = @{ $running{$name} };
		$run->finish;
		my ($error) = $$output =~ /(ERROR:.*|WARNING:.*|FATAL:.*)/;
		is($error, undef, "$name: nothing fails");
		my ($done) = $$output =~ /transactions actually processed: (\d+)/;
		cmp_ok($done // 0, '>', 2, 'and something is done');
	}
	%running = ();
	return;
}

my $till = q{\set c random(1, 300)
	\set d random(1, 300)
	\set a random(-5, 90)
	BEGIN;
	INSERT INTO orders VALUES (nextval('sale_ids'), :c, now() - interval '1 hour', :a, 'completed') RETURNING order_id AS id \gset
	INSERT INTO order_items VALUES (:id, 'baby', :a), (:id, 'wine', 2);
	INSERT INTO orders VALUES (nextval('sale_ids'), :d, now() - interval '2 hours', :a, 'completed'), (nextval('sale_ids'), :c, now() - interval '1 hour', :a, 'cancelled');
	COMMIT;
	UPDATE orders SET customer_id = :d WHERE order_id = :id;
	UPDATE order_items SET amount = amount + 1 WHERE order_id = :id;
	DELETE FROM orders WHERE order_id = :id - 100;
	};
my $no_differences = 'SELECT 1 / (1 - least(1, (' . differences('shop') . ')));';

begin_load('orders beside refreshes', 3, 3, $till);
begin_load('refreshes', 1, 3, q{CALL clientele.refresh('shop'); SELECT pg_sleep(0.02); CALL clientele.refresh('shop', true);});
begin_load('exact readers', 1, 3, "$no_differences\n\\sleep 20 ms\n");
end_load();
exact($node, 'postgres', 'shop', 'after all that the store is exact');
# The customer of an order whose lines changed is sure when all transactions of then have ended, so it takes two.
is(ask($watcher, q{CALL clientele.refresh('shop'); CALL clientele.refresh('shop')} . '; SELECT count(*) FROM shop.pending'), '0', 'and refreshes leave nothing pending');
exact($node, 'postgres', 'shop', 'and it exact');

ask($watcher, q{SET lock_timeout = 0});
begin_load('orders while live goes on and off', 3, 3, $till);
for my $live ('false', 'true', 'false', 'true', 'true')
{
	is(ask($watcher, "SELECT clientele.set_live('shop', $live)"), '', "set_live($live) under load");
	is(ask($watcher, q{SELECT live FROM clientele.stores WHERE store = 'shop'}), substr($live, 0, 1), 'is what is shown');
	is(ask($watcher, differences('shop')), '0', 'exact at once') if $live eq 'true';
	usleep(200_000);
}
end_load();
exact($node, 'postgres', 'shop', 'in the end the store is exact');
is(ask($watcher, q{SELECT stale FROM clientele.stores WHERE store = 'shop'}), '', 'and not stale');

my $triggers = q{SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'clientele%' AND tgrelid IN ('orders'::regclass, 'order_items'::regclass)};
cmp_ok(ask($watcher, $triggers), '>', 0, 'there are triggers');
begin_load('orders while the store is dropped and created', 3, 4, $till);
begin_load('readers of another store', 1, 4, "SELECT count(*) FROM big.customers;\n\\sleep 20 ms\n");
usleep(300_000);
is(ask($watcher, q{SELECT clientele.drop_store('shop')}), '', 'drop_store under load');
is(ask($watcher, $triggers), '0', 'the triggers are gone');
usleep(300_000);
is(ask($watcher, q{SET client_min_messages = warning; SELECT clientele.create_store('shop', orders => 'orders', order_filter => $$status = 'completed'$$, items => 'order_items', time_zone => 'America/New_York', live => true)}), '', 'create_store under load');
is(ask($watcher, differences('shop')), '0', 'exact at once');
is(ask($watcher, q{CALL clientele.refresh('shop')} . '; ' . differences('shop')), '0', 'and after a refresh');
end_load();
exact($node, 'postgres', 'shop', 'in the end it is exact');

# Where nobody refreshes, a worker folds what is pending when it grows large.
my $bounded = 5_000;
$node->safe_psql('postgres', q{CALL clientele.refresh('big'); VACUUM big.pending; ALTER DATABASE postgres SET clientele.fold_pending_at = '64kB'});
begin_load('orders that nobody refreshes', 2, 3, q{\set c random(1, 12000)
	INSERT INTO sales VALUES (nextval('sale_ids'), :c, now() - interval '1 hour', 1);});
begin_load('many at a time', 1, 3, q{INSERT INTO sales SELECT nextval('sale_ids'), c, now() - interval '1 hour', 1 FROM generate_series(1, 500) c;});
end_load();
exact($node, 'postgres', 'big', 'a store that nobody refreshes is exact');
# Each session asks for a worker at most every other second; and after a VACUUM it takes some rows to get to the end of the table.
my $pending;
for (1 .. 100)
{
	$pending = $node->safe_psql('postgres', q{INSERT INTO sales SELECT nextval('sale_ids'), c, now() - interval '1 hour', 1 FROM generate_series(1, 200) c; SELECT count(*) FROM big.pending});
	last if $pending < $bounded;
	usleep(200_000);
}
cmp_ok($pending, '<', $bounded, 'and what is pending stays bounded');
exact($node, 'postgres', 'big', 'exactly');

# ---- Orders that foreign keys, triggers and rules change ----

$node->safe_psql('postgres', q{
	CREATE TABLE buyers (buyer_id bigint PRIMARY KEY); INSERT INTO buyers SELECT generate_series(1, 20);
	CREATE TABLE bills (bill_id bigint PRIMARY KEY, buyer_id bigint REFERENCES buyers ON DELETE SET NULL ON UPDATE CASCADE, ordered_at timestamptz, amount numeric);
	CREATE TABLE bill_lines (bill_id bigint REFERENCES bills ON DELETE CASCADE ON UPDATE CASCADE, category text, amount numeric);
	CREATE INDEX ON bills (buyer_id); CREATE INDEX ON bill_lines (bill_id);
	SET client_min_messages = warning;
	SELECT clientele.create_store('bills_shop', orders => 'bills', customer_id => 'buyer_id', order_id => 'bill_id', items => 'bill_lines', item_order_id => 'bill_id', live => true);
	CREATE FUNCTION charge() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		IF TG_OP = 'INSERT' AND NEW.amount > 100 THEN INSERT INTO bills VALUES (NEW.bill_id + 100000, NEW.buyer_id, NEW.ordered_at, 5); END IF;
		IF NEW.amount = 13 THEN NEW.amount := 14; END IF; IF NEW.amount = 17 THEN RETURN NULL; END IF; RETURN NEW; END $$;
	CREATE TRIGGER charge BEFORE INSERT OR UPDATE ON bills FOR EACH ROW EXECUTE FUNCTION charge();
	CREATE RULE no_ones AS ON DELETE TO bills WHERE OLD.amount = 1 DO INSTEAD UPDATE bills SET amount = 0 WHERE bill_id = OLD.bill_id;
	INSERT INTO bills SELECT b, b % 20 + 1, now() - b * interval '1 hour', b FROM generate_series(1, 150) b;
	INSERT INTO bill_lines SELECT bill_id, 'c' || bill_id % 3, amount FROM bills});
exact($node, 'postgres', 'bills_shop', 'a trigger that inserts, changes and skips orders');
for my $change ('UPDATE bills SET amount = amount + 1', 'DELETE FROM buyers WHERE buyer_id = 3', 'UPDATE buyers SET buyer_id = buyer_id + 100 WHERE buyer_id = 4', 'DELETE FROM bills WHERE bill_id BETWEEN 20 AND 40',
	'UPDATE bills SET bill_id = bill_id + 1000 WHERE bill_id BETWEEN 50 AND 60', 'DELETE FROM bills WHERE bill_id < 10', 'SET client_min_messages = warning; TRUNCATE bills CASCADE', 'INSERT INTO bills SELECT b, b % 20 + 1, now(), b FROM generate_series(1, 150) b WHERE b % 20 NOT IN (2, 3)')
{
	is(ask($one, $change), '', $change);
	is(ask($watcher, differences('bills_shop')), '0', 'is followed exactly');
}
is(ask($watcher, q{CALL clientele.refresh('bills_shop')} . '; ' . differences('bills_shop')), '0', 'and after a refresh');

$_->quit for $one, $two, $refresher, $watcher, $holder, $terminated;
is(complaints($node), '', 'the server has nothing to complain of');

done_testing();
