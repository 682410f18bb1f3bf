# Readers, definers, refreshes, new and dropped stores at the same time, for some seconds: no error but those that say what happened.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;

my $node = new_server('stress', "log_min_error_statement = panic\nlog_statement = none\ndeadlock_timeout = '50ms'\n");
$node->safe_psql('postgres', 'CREATE EXTENSION clientele');
create_shop($node, 'postgres', customers => 300);
create_store($node, 'postgres');

my $directory = $node->basedir;
my %scripts = (
	# Views and look-ups agree within one statement; the segment is one of those that ever were.
	read => q{\set c random(1, 310)
		SELECT 1 / (CASE WHEN clientele.assign_segment(:c, 'shop') IN ('families', 'evening', 'average', 'rest', 'busy') THEN 1 ELSE 0 END);
		SELECT count(*) FROM clientele.personalized_offer(:c, 'shop');
		SELECT segment, content, program FROM shop.campaign WHERE customer_id = :c;
		SELECT 1 / (CASE WHEN count(*) = 300 THEN 1 ELSE 0 END) FROM shop.customers;
		SELECT count(*) FROM customers c CROSS JOIN LATERAL clientele.personalized_offer(c.customer_id, 'shop') o;
		SELECT count(*) FROM clientele.explain_segment(:c, 'shop');},
	define => q{\set n random(1, 9)
		SELECT clientele.define_segment('shop', 'busy', 'orders >= :n', 50);
		SELECT clientele.set_default_segment('shop', (ARRAY['average', 'rest'])[1 + :n % 2]);
		SELECT clientele.define_content('shop', 'home', 'post :n');
		SELECT clientele.define_offer('shop', 'extra:client_id', 'grow_order_value', holdout => :n / 10.0, priority => 100 + :client_id);
		SELECT clientele.drop_offer('shop', 'extra:client_id');
		SELECT clientele.upgrade_store('shop');},
	refresh => q{\set c random(1, 300)
		UPDATE orders SET amount = amount + 1 WHERE customer_id = :c;
		CALL clientele.refresh('shop');},
	make => q{SELECT clientele.create_store('store:client_id', 'orders', customers => 'customers');
		CALL clientele.refresh('store:client_id');
		SELECT clientele.drop_store('store:client_id');},
	watch => q{SELECT count(*) FROM clientele.stores;});
append_to_file("$directory/$_.sql", $scripts{$_}) for keys %scripts;

my %clients = (read => 3, define => 2, refresh => 2, make => 1, watch => 1);
my (@running, %output);
for my $name (sort keys %clients)
{
	for my $protocol ($name eq 'read' ? ('simple', 'prepared') : ('simple'))
	{
		my $key = "$name, $protocol";
		$output{$key} = '';
		push @running, [ $key, IPC::Run::start([ 'pgbench', '-n', '-T', '4', '-c', $clients{$name}, '-M', $protocol, '-h', $node->host, '-p', $node->port, '-f', "$directory/$name.sql", 'postgres' ], '>&', \$output{$key}) ];
	}
}
for (@running)
{
	my ($key, $run) = @$_;
	$run->finish;
	my ($transactions) = $output{$key} =~ /transactions actually processed: (\d+)/;
	my ($error) = $output{$key} =~ /(ERROR:.*)/;
	# A store that goes while the stores are listed is no fault of who lists them, but must be said plainly.
	is($error, undef, "$key: no error");
	cmp_ok($transactions // 0, '>', 2, 'and some were done');
}
my $log = slurp_file($node->logfile);
unlike($log, qr/XX000|leak|concurrently updated|cache lookup failed|deadlock|PANIC|terminated by signal/, 'nor in the log of the server');
$node->safe_psql('postgres', q{CALL clientele.refresh('shop')});
same_rows($node, 'postgres', 'SELECT customer_id, orders, gross_spent FROM shop.customers', q{SELECT customer_id, orders, gross_spent FROM shop.customers_at(now())}, 'in the end the profiles are those of the orders');
same_rows($node, 'postgres', 'SELECT customer_id, segment FROM shop.customers', q{SELECT customer_id, clientele.assign_segment(customer_id, 'shop') FROM customers}, 'and views and look-ups agree');

done_testing();
