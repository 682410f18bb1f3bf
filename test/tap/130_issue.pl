# Issuing by many at once: limits hold to the last unit, a customer has one exposure at a time, campaigns share their work,
# and nobody is the victim of a deadlock.
use strict;
use warnings;
use Shop;
use PostgreSQL::Test::Utils;
use Test::More;

my $clients = 64;
my $node = new_server('issue', "max_connections = 200\ndeadlock_timeout = '200ms'\n", allows_streaming => 1);

# Everybody orders for 50, so every offer is the same: 3.00 off from 70.
sub create_even_shop
{
	my ($store, %with) = @_;
	my $live = $with{live} ? 'true' : 'false';
	$node->safe_psql('postgres', qq{
		SET client_min_messages = warning;
		SELECT clientele.create_store('$store', orders => 'even_orders', live => $live);
		CALL clientele.refresh('$store');
		SELECT clientele.define_offer('$store', 'even', 'grow_order_value'@{[ $with{terms} ? ", $with{terms}" : '' ]});
	});
	return;
}

# Runs a script in that many sessions at once; a program that pgbench aborts for an error fails the test.
sub all_at_once
{
	my ($name, $script, %with) = @_;
	my $file = "${PostgreSQL::Test::Utils::tmp_check}/$name.sql";
	append_to_file($file, $script);
	local $ENV{PGOPTIONS} = '-c client_min_messages=warning';
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return $node->command_like([ 'pgbench', '-n', '-c', $with{clients} // $clients, '-j', 2, '-t', $with{times} // 4,
			'-M', $with{mode} // 'prepared', '-f', $file, 'postgres' ],
		qr/number of transactions actually processed: (\d+)\/\1\b.*number of failed transactions: 0 /s, "$name: nobody fails");
}

sub value { return $node->safe_psql('postgres', $_[0]); }

$node->safe_psql('postgres', q{
	CREATE EXTENSION clientele;
	CREATE TABLE even_orders (order_id bigint PRIMARY KEY, customer_id bigint, ordered_at timestamptz, amount numeric);
	INSERT INTO even_orders SELECT 4 * c + n, c, date_trunc('day', now()) - make_interval(days => n), 50 FROM generate_series(1, 4000) c, generate_series(1, 4) n;
	CREATE INDEX ON even_orders (customer_id);
	CREATE SEQUENCE next_customer;
	CREATE TABLE seen (code text, customer bigint);
});

subtest 'the last unit of a budget' => sub {
	create_even_shop('limited', terms => 'budget => 30');
	all_at_once('last unit', "SELECT * FROM clientele.issue_offer(nextval('next_customer')::bigint, 'limited');\n");
	is(value(q{SELECT count(*), count(code), sum(reward) FROM limited.ledger}), '10|10|30.00', 'exactly ten offers for a budget of ten');
	is(value(q{SELECT budget, reserved, remaining, open_offers FROM limited.budget_status}), '30|30.00|0.00|10', 'budget_status is exact');
	is(value(q{SELECT sum(available), min(available) FROM limited.budgets}), '0.00|0.00', 'and so are the slots');

	# What comes back is promised again, and no more.
	$node->safe_psql('postgres', q{UPDATE limited.ledger SET valid_until = now(), issued_at = now() - interval '15 days' WHERE exposure_id IN (SELECT exposure_id FROM limited.ledger LIMIT 3)});
	all_at_once('again', "SELECT * FROM clientele.issue_offer(nextval('next_customer')::bigint, 'limited');\n");
	is(value(q{SELECT state, count(*) FROM limited.ledger GROUP BY 1 ORDER BY 1}), "expired|3\nopen|10", 'three expire, and three are issued');
	is(value(q{SELECT remaining, to_settle FROM limited.budget_status}), '0.00|0', 'exact again');
};

subtest 'a large budget, with holdouts' => sub {
	create_even_shop('large', terms => 'budget => 600, holdout => 0.3');
	$node->safe_psql('postgres', q{SELECT setval('next_customer', 1, false)});
	all_at_once('large budget', "SELECT * FROM clientele.issue_offer(nextval('next_customer')::bigint, 'large');\n", times => 8);
	is(value(q{SELECT count(code) = 200, count(*) > 240, max(period) FROM large.ledger}), 't|t|1', '200 offers, and held-out customers');
	is(value(q{SELECT s.remaining, sum(b.available) FROM large.budget_status s JOIN large.budgets b USING (program) GROUP BY 1}), '0.00|0.00', 'to the cent');
	# Arms are enrolled alike up to the end: the share held out of the first and of the last fifth.
	is(value(q{SELECT max(exposure_id) FILTER (WHERE holdout IS NOT NULL) - max(exposure_id) FILTER (WHERE code IS NOT NULL) <= 70 FROM large.ledger}), 't',
		'nobody is held out of what nobody can get any more');
};

subtest 'one customer' => sub {
	create_even_shop('single');
	all_at_once('one customer', "INSERT INTO seen SELECT code FROM clientele.issue_offer(77::bigint, 'single');\n");
	is(value(q{SELECT count(*), count(DISTINCT code) FROM seen}), 4 * $clients . '|1', 'everybody gets the same code');
	is(value(q{SELECT count(*), min(code) = (SELECT min(code) FROM seen) FROM single.ledger}), '1|t', 'of one exposure');
};

subtest 'limits of a customer' => sub {
	create_even_shop('twice', terms => 'max_per_customer => 2');
	create_even_shop('cooling', terms => q{cooldown => '1 day'});
	for my $store ('twice', 'cooling')
	{
		all_at_once($store, "SELECT * FROM clientele.issue_offer(5::bigint, '$store');\nUPDATE $store.ledger SET state = 'redeemed', closed_at = now() WHERE state = 'open';\n");
	}
	create_even_shop('contacted', terms => 'holdout => 0.5');
	$node->safe_psql('postgres', q{
		SELECT clientele.define_offer('contacted', 'other', 'grow_order_value', holdout => 0.5);
		SELECT clientele.set_contact_limit('contacted', 3, '1 day');
	});
	all_at_once('contacts', join "\n", (map { "SELECT * FROM clientele.issue_offer((1 + :client_id % 4)::bigint, 'contacted', '$_');" } 'even', 'other'),
		"SELECT * FROM clientele.issue_offer((1 + :client_id % 4)::bigint, 'contacted');",
		"UPDATE contacted.ledger SET state = 'redeemed', closed_at = now() WHERE state = 'open' AND customer_id = 1 + :client_id % 4;\n");
	is(value(q{SELECT count(*), count(DISTINCT customer_id), max(period) FROM contacted.ledger}), '12|4|3', 'three contacts each, by whatever program and in whatever arm');
	is(value(q{SELECT count(*), max(period) FROM twice.ledger}), '2|2', 'at most two');
	is(value(q{SELECT count(*) FROM cooling.ledger}), '1', 'no other during the cool-down');
};

subtest 'campaigns at once, with single customers meanwhile' => sub {
	create_even_shop('campaign', terms => 'holdout => 0.2');
	$node->safe_psql('postgres', q{SELECT setval('next_customer', 1, false)});
	my $script = "\\if :client_id < 2\nCALL clientele.issue_offers('campaign', chunk => 100);\n\\else\n"
	  . "SELECT * FROM clientele.issue_offer(4001 - nextval('next_customer')::bigint, 'campaign');\n" x 40 . "\\endif\n";
	all_at_once('campaigns', $script, clients => 10, times => 1, mode => 'simple');
	is(value(q{SELECT count(*), count(DISTINCT customer_id), max(period), count(DISTINCT code) = count(code) FROM campaign.ledger}), '4000|4000|1|t', 'everybody once');
	is(value(q{SELECT customers, total, ended_at IS NOT NULL FROM campaign.campaign_progress}), '4000|4000|t', 'and the campaign knows');

	create_even_shop('spent', terms => 'budget => 1500');
	$node->safe_psql('postgres', q{SELECT setval('next_customer', 1, false)});
	$script =~ s/'campaign'/'spent'/g;
	all_at_once('campaigns with a budget', $script, clients => 10, times => 1, mode => 'simple');
	is(value(q{SELECT count(*), count(DISTINCT customer_id), sum(reward) FROM spent.ledger}), '500|500|1500.00', 'until it is spent');
	is(value(q{SELECT s.remaining, sum(b.available) FROM spent.budget_status s JOIN spent.budgets b USING (program) GROUP BY 1}), '0.00|0.00', 'to the cent');
};

subtest 'a live store, one by one, is as a batch store all at once' => sub {
	create_even_shop('batch');
	create_even_shop('alive', live => 1);
	$node->safe_psql('postgres', q{
		INSERT INTO even_orders SELECT 100000 + c, c, now() - interval '1 hour', 40 FROM generate_series(3000, 4100) c;
		SET client_min_messages = warning;
		CALL clientele.refresh('batch');
		CALL clientele.issue_offers('batch', chunk => 700);
		SELECT count(*) FROM generate_series(1, 4200) c, clientele.issue_offer(c, 'alive');
	});
	my ($one, $other) = map { "SELECT customer_id, period, program, holdout, segment, basis, reference_value, min_spend, reward, message, reasons, variant, propensity FROM $_.ledger" } 'batch', 'alive';
	same_rows($node, 'postgres', $one, $other, 'the same rows');
	is(value(q{SELECT count(*) FROM alive.ledger}), '4100', 'of everybody');
	$node->safe_psql('postgres', q{TRUNCATE alive.ledger; SET client_min_messages = warning; CALL clientele.issue_offers('alive', chunk => 1500)});
	same_rows($node, 'postgres', $one, $other, 'a campaign in a live store, too');
};

subtest 'waiting' => sub {
	create_even_shop('waiting');
	my ($first, $second) = map { session($node, 'postgres') } 1 .. 2;
	my $pid = ask($second, 'SELECT pg_backend_pid()');
	my $issue = q{SELECT code FROM clientele.issue_offer(9::bigint, 'waiting')};
	ask($first, 'BEGIN');
	my $code = ask($first, $issue);
	begin_asking($second, $issue);
	waits_for_lock($node, 'postgres', $pid);
	ask($first, 'COMMIT');
	is(ask($second, 'SELECT 1'), "$code\n1", 'the second waits, and gets the same');

	$issue =~ s/9::/10::/;
	ask($first, 'BEGIN');
	$code = ask($first, $issue);
	begin_asking($second, $issue);
	waits_for_lock($node, 'postgres', $pid);
	ask($first, 'ROLLBACK');
	my ($own) = split /\n/, ask($second, 'SELECT 1');
	like($own, qr/^\w{5}-\w{5}$/, 'where the first rolls back, the second issues');
	isnt($own, $code, 'a code of its own');

	$issue =~ s/10::/11::/;
	ask($second, 'BEGIN ISOLATION LEVEL REPEATABLE READ');
	ask($second, 'SELECT count(*) FROM waiting.ledger');
	ask($first, $issue);
	like(ask($second, $issue), qr/ERROR:  40001/, 'a snapshot that is too old is a serialization failure');
	ask($second, 'ROLLBACK');
	$_->quit for $first, $second;
};

subtest 'cut short' => sub {
	create_even_shop('short', terms => 'budget => 100000');
	my ($campaign, $watcher) = map { session($node, 'postgres') } 1 .. 2;
	my $pid = ask($campaign, 'SET client_min_messages = warning; SELECT pg_backend_pid()');
	begin_asking($campaign, "CALL clientele.issue_offers('short', chunk => 20)");
	$node->poll_query_until('postgres', "SELECT customers >= 100 FROM short.campaigns");
	ask($watcher, "SELECT pg_cancel_backend($pid)");
	like(ask($campaign, 'SELECT 1'), qr/57014/, 'it can be cancelled');
	is(value(q{SELECT customers = offered, offered = (SELECT count(*) FROM short.ledger), ended_at IS NULL FROM short.campaigns}), 't|t|t', 'whole chunks remain');
	is(value(q{SELECT s.remaining = sum(b.available) FROM short.budget_status s JOIN short.budgets b USING (program) GROUP BY s.remaining}), 't', 'and an exact budget');
	my $started = value('SELECT started_at FROM short.campaigns');
	ask($campaign, 'SET client_min_messages = notice');
	like(ask($campaign, "CALL clientele.issue_offers('short')"), qr/4100 customers, 4100 offers issued, 0 held out; went on with the run begun at \Q$started\E$/m, 'the next call goes on, and says so');
	is(value(qq{SELECT customers, total, offered, started_at = '$started', ended_at IS NOT NULL FROM short.campaigns}), '4100|4100|4100|t|t', 'from where it was');
	is(value(q{SELECT count(*), count(DISTINCT customer_id) FROM short.ledger}), '4100|4100', 'to everybody once');

	# As if it had been cut short behind the first 2000 customers, at another time, and their offers had ended.
	my $cut_short = sub {
		value(qq{UPDATE short.campaigns SET started_at = now() - interval '$_[0]', ended_at = NULL, last_customer = '2000', customers = 2000, offered = 2000;
			UPDATE short.ledger SET state = 'expired', closed_at = now(), issued_at = now() - interval '60 days' WHERE state = 'open'});
	};
	$cut_short->('23 hours 59 minutes');
	like(ask($campaign, "CALL clientele.issue_offers('short')"), qr/4100 customers, 4100 offers issued, 0 held out; went on with/, 'a day long it goes on');
	is(value(q{SELECT count(*), min(customer_id) FROM short.ledger WHERE state = 'open'}), '2100|2001', 'behind where it was');
	$cut_short->('24 hours');
	like(ask($campaign, "CALL clientele.issue_offers('short')"), qr/4100 customers, 4100 offers issued, 0 held out$/m, 'then it begins a new run');
	is(value(q{SELECT count(*) FROM short.ledger WHERE state = 'open'}), '4100', 'for everybody');
	$_->quit for $campaign, $watcher;
};

subtest 'rights' => sub {
	create_even_shop('granted', terms => 'budget => 30');
	$node->safe_psql('postgres', q{
		CREATE ROLE clerk LOGIN; CREATE ROLE reader LOGIN;
		GRANT USAGE ON SCHEMA granted TO clerk, reader;
		GRANT SELECT ON ALL TABLES IN SCHEMA granted TO clerk, reader;
		GRANT INSERT ON granted.ledger, granted.campaigns TO clerk;
		GRANT UPDATE ON granted.budgets, granted.campaigns TO clerk;
	});
	refused($node, 'postgres', q{SELECT * FROM clientele.issue_offer(1::bigint, 'granted')}, '42501', 'permission denied', 'who may only read issues nothing', user => 'reader');
	is($node->safe_psql('postgres', q{SELECT program, reward FROM clientele.issue_offer(1::bigint, 'granted')}, extra_params => [ '-U', 'clerk' ]), 'even|3.00', 'these rights suffice for one');
	$node->safe_psql('postgres', q{SET client_min_messages = warning; CALL clientele.issue_offers('granted')}, extra_params => [ '-U', 'clerk' ]);
	is(value(q{SELECT count(*) FROM granted.ledger}), '10', 'and for all, without the orders');
};

subtest 'a standby' => sub {
	$node->backup('copy');
	my $standby = PostgreSQL::Test::Cluster->new('standby');
	$standby->init_from_backup($node, 'copy', has_streaming => 1);
	$standby->start;
	refused($standby, 'postgres', q{SELECT * FROM clientele.issue_offer(1::bigint, 'single')}, '25006', 'cannot execute', 'does not issue');
	refused($standby, 'postgres', q{CALL clientele.issue_offers('single')}, '25006', 'cannot execute', 'nor to all');
	is($standby->safe_psql('postgres', q{SELECT count(*) FROM clientele.personalized_offer(77::bigint, 'single')}), '1', 'but shows what is open');
	$standby->stop;
};

is(complaints($node), '', 'nothing unexpected in the log: no deadlock, no internal error');
done_testing();
