# kill -9 of the whole server and of single backends while offers are issued, redeemed, voided and settled: nothing is issued
# twice, nothing that was acknowledged is lost, and budgets are exact to the cent.
use strict;
use warnings;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;
use Time::HiRes qw(time usleep);

plan skip_all => 'needs /proc' unless -r '/proc/self/stat';

my $seed = $ENV{CLIENTELE_SEED} // int(time * 1000) % 1_000_000_000;
srand($seed);
note "CLIENTELE_SEED=$seed";

my $node = new_server('ledger_crash', "restart_after_crash = on\nlog_min_error_statement = panic\n");
my $customers = 4000;

# Odd customers are offered one program, even ones the other, whose budget does not last.
$node->safe_psql('postgres', qq{
	CREATE EXTENSION clientele;
	CREATE TABLE orders (order_id bigint PRIMARY KEY, customer_id bigint, ordered_at timestamptz, amount numeric);
	CREATE INDEX ON orders (customer_id);
	INSERT INTO orders SELECT 10 * c + n, c, now() - interval '30 days' - n * interval '9 days', 40 + c % 7
		FROM generate_series(1, $customers) c, generate_series(1, CASE c % 2 WHEN 1 THEN 1 ELSE 4 END) n;
	CREATE SEQUENCE order_ids START 1000000;
	SELECT clientele.create_store('shop', 'orders', live => true);
	CALL clientele.refresh('shop');
	SELECT clientele.define_offer('shop', 'second', 'second_order', budget => 1000000, holdout => 0.1),
		clientele.define_offer('shop', 'stretch', 'grow_order_value', budget => 2500, holdout => 0.2);
	-- In one transaction: an offer, an order, and the code.
	CREATE FUNCTION take_up(customer bigint) RETURNS text LANGUAGE plpgsql AS \$\$
	DECLARE offer clientele.issued_offer; id bigint := nextval('order_ids');
	BEGIN
		SELECT * INTO offer FROM clientele.issue_offer(customer);
		IF offer.code IS NULL THEN RETURN NULL; END IF;
		INSERT INTO orders VALUES (id, customer, offer.issued_at, offer.min_spend);
		RETURN format('redeemed %s %s %s', (clientele.redeem_offer(offer.code, id)).exposure_id, customer, offer.code);
	END \$\$;
	ANALYZE; CHECKPOINT});

sub customer { return 1 + int rand $customers; }
my %scripts = (
	# psql stops at the first error, and what it has printed is committed.
	'one by one' => sub { join '', map { my $c = customer(); $_ % 4 == 0 ? "SELECT t FROM take_up($c) t WHERE t IS NOT NULL;\n" : "SELECT format('issued %s %s %s', o.exposure_id, $c, o.code) FROM clientele.issue_offer($c) o;\n" } 1 .. 4000 },
	'campaigns' => sub { "CALL clientele.issue_offers('shop', NULL, 300);\nUPDATE shop.ledger SET issued_at = issued_at - interval '20 days', valid_until = valid_until - interval '20 days' WHERE state = 'open' AND exposure_id % 2 = 0;\n" x 200 },
	'settling' => sub { "CALL clientele.settle_offers('shop', chunk => 200);\nUPDATE shop.ledger SET issued_at = issued_at - interval '20 days', valid_until = valid_until - interval '20 days' WHERE state = 'open' AND exposure_id % 3 = 0;\n" x 500 },
	# With and without a word: what a trigger notes is written off by who settles.
	'taking back' => sub { join '', map { my $n = 1_000_000 + $_ * 3; "SELECT clientele.void_redemption($n);\nDELETE FROM orders WHERE order_id = $n + 1;\n" } 1 .. 4000 });

my (%issued, %redeemed);
my ($kills, $acknowledged) = (0, 0);

sub start
{
	my ($what, $n) = @_;
	my $file = $node->basedir . "/client$n.sql";
	unlink $file;
	append_to_file($file, $scripts{$what}->());
	my ($output, $errors) = ('', '');
	return [ IPC::Run::start([ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'), '-f', $file ], '>', \$output, '2>', \$errors, IPC::Run::timeout(60)), \$output, \$errors, $what ];
}

# A load, a kill, a recovery.
sub crash
{
	my ($beside, $whole) = @_;
	my $n = 0;
	my @running = map { start($_, $n++) } 'one by one', 'one by one', @$beside;
	usleep(1000 * (250 + rand 350));
	if ($whole)
	{
		kill_everything($node);
		$node->start;
	}
	else
	{
		my @backends = split /\n/, $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1});
		kill 'KILL', @backends;
	}
	$kills++;
	for (@running)
	{
		my ($run, $output, $errors, $what) = @$_;
		eval { $run->finish };
		for ($$output =~ /^((?:issued|redeemed) .*)\n/gm)
		{
			my ($kind, $exposure, @terms) = split / /;
			$issued{$exposure} = \@terms;
			$redeemed{$exposure} = 1 if $kind eq 'redeemed';
			$acknowledged++;
		}
		unlike($$errors, qr/^(?!.*(?:terminat|connection|server closed|crash|recovery|shutdown|starting up|PID|another server process|roll back)).*(?:ERROR|WARNING|FATAL)/m, "$what: until then nothing fails");
	}
	# psql would end before it has read what it is to ask.
	for (1 .. 1000) { last if system('pg_isready', '-q', '-h', $node->host, '-p', $node->port) == 0; usleep(20_000); }
	return;
}

# What a budget says, and what the ledger adds up to by hand.
my $exact = q{
	WITH counted AS (
		SELECT p.program, p.budget, (SELECT sum(b.available) FROM shop.budgets b WHERE b.program = p.program) AS available,
			coalesce(sum(l.reward) FILTER (WHERE l.state = 'open'), 0) AS reserved, coalesce(sum(l.reward) FILTER (WHERE l.state = 'redeemed'), 0) AS paid,
			coalesce(sum(l.reward) FILTER (WHERE l.state = 'redeemed' AND EXISTS (SELECT FROM shop.reversals r WHERE r.exposure_id = l.exposure_id)), 0) AS reversed
		FROM shop.programs p LEFT JOIN shop.ledger l ON l.program = p.program AND l.holdout IS NULL GROUP BY p.program)
	SELECT string_agg(c::text || ' ' || s::text, E'\n') FROM counted c JOIN shop.budget_status s USING (program)
	WHERE c.available + c.reserved + c.paid <> c.budget
		OR (s.reserved, s.spent, s.remaining) IS DISTINCT FROM (c.reserved, c.paid - c.reversed, c.available + c.reversed)};

sub recovered
{
	my ($what) = @_;
	is($node->safe_psql('postgres', q{SELECT count(*) FROM (SELECT customer_id FROM shop.ledger WHERE state = 'open' AND valid_until > now() GROUP BY 1 HAVING count(*) > 1) d}), '0', "$what: nobody has two offers");
	is($node->safe_psql('postgres', $exact), '', 'budgets are exact');
	my $file = $node->basedir . '/acknowledged';
	unlink $file;
	append_to_file($file, join('', map { join("\t", $_, @{ $issued{$_} }, $redeemed{$_} ? 't' : 'f') . "\n" } sort keys %issued));
	is($node->safe_psql('postgres', qq{CREATE TEMP TABLE acknowledged (exposure_id bigint, customer_id bigint, code text, redeemed boolean);
		\\copy acknowledged FROM '$file'
		SELECT count(*) FROM acknowledged a LEFT JOIN shop.ledger l USING (exposure_id)
		WHERE (l.customer_id, l.code) IS DISTINCT FROM (a.customer_id, a.code) OR a.redeemed AND l.state NOT IN ('redeemed', 'void')}), '0', 'nothing that was acknowledged is lost');
	return;
}

my @beside = ([ 'campaigns' ], [ 'settling', 'taking back' ], [ 'campaigns', 'settling' ], [ 'settling' ]);
for my $round (0 .. 19)
{
	my $what = $beside[ $round % @beside ];
	crash($what, $round % 3 != 2);
	recovered(join ' and ', @$what);
}
note "killed $kills times; $acknowledged offers and redemptions were acknowledged; the ledger: "
  . $node->safe_psql('postgres', q{SELECT string_agg(format('%s %s', n, state), ', ') FROM (SELECT state, count(*) AS n FROM shop.ledger GROUP BY 1 ORDER BY 1) s});
cmp_ok($kills, '>=', 20, 'killed often enough');
cmp_ok($acknowledged, '>', 20 * $kills, 'while offers were being issued');
# What was left is settled.
$node->safe_psql('postgres', q{UPDATE shop.ledger SET issued_at = issued_at - interval '20 days', valid_until = valid_until - interval '20 days' WHERE state = 'open';
	CALL clientele.settle_offers('shop')});
is($node->safe_psql('postgres', q{SELECT (SELECT count(*) FROM shop.ledger WHERE state = 'open'), (SELECT count(*) FROM shop.reversals), (SELECT sum(reserved) FROM shop.budget_status)}), '0|0|0', 'and nothing is reserved any more');
is($node->safe_psql('postgres', $exact), '', 'budgets are exact');
is(complaints($node) =~ s/^.*terminated by signal 9.*\n?//gmr, '', 'the server has nothing to complain of');

done_testing();
