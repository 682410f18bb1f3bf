# The examples of docs/checkout.md for Python and Node run as they stand there, where psycopg 3 and node-postgres are.
use strict;
use warnings;
use File::Basename qw(dirname);
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;

my $page = slurp_file(dirname(__FILE__) . '/../../docs/checkout.md');
sub example { my ($language) = @_; return $page =~ /^```\Q$language\E\n(.*?)^```$/ms ? $1 : die "docs/checkout.md has no example in $language"; }

my $node = new_server('drivers');
$node->safe_psql('postgres', q{
	CREATE EXTENSION clientele;
	CREATE TABLE orders (order_id int PRIMARY KEY, customer_id int, ordered_at timestamptz, amount numeric(10,2));
	INSERT INTO orders SELECT 100 * c + n, c, now() - n * interval '8 days', 40 FROM generate_series(1, 4) c, generate_series(1, 4) n;
	SELECT clientele.create_store('shop', orders => 'public.orders');
	CALL clientele.refresh('shop');
	SELECT clientele.define_offer('shop', 'stretch', 'grow_order_value');
	CALL clientele.issue_offers('shop', 'stretch')});
sub code { my ($customer) = @_; return $node->safe_psql('postgres', "SELECT code FROM shop.offer_ledger WHERE customer_id = $customer"); }

# Whether a program runs without an error, and what it prints.
sub run_program
{
	my ($program, @arguments) = @_;
	my ($output, $error) = ('', '');
	my $done = eval { IPC::Run::run([ $program, @arguments ], '>', \$output, '2>', \$error, IPC::Run::timeout(60)) };
	return ($done, $output, $error);
}

sub run_example
{
	my ($language, $program, $ending, $text, $customer) = @_;
	my $file = $node->basedir . "/example.$ending";
	append_to_file($file, $text);
	my ($done, $output, $error) = run_program($program, $file);
	ok($done, "the example in $language runs") or diag($error);
	is($output, "12.40 False true 3.00\n", "and says what is missing, and what was redeemed");
	is($node->safe_psql('postgres', "SELECT status FROM shop.offer_ledger WHERE customer_id = $customer"), 'redeemed', 'which is in the ledger');
	return;
}

my ($host, $port) = ($node->host, $node->port);
my ($python) = grep { (run_program($_, '-c', 'import psycopg'))[0] } 'python3', '/usr/bin/python3';
SKIP: {
	skip 'there is no psycopg 3 here', 3 unless $python;
	my $code = code(1);
	run_example('Python', $python, 'py', qq{import psycopg
from decimal import Decimal
conn = psycopg.connect(host="$host", port=$port, dbname="postgres", autocommit=True)
customer_id, order_id, code = 1, 9001, "$code"
progress = conn.execute("SELECT gap, qualifies FROM clientele.offer_progress(%s, %s, 'shop')", (customer_id, Decimal("47.60"))).fetchone()
} . example('python') . qq{print(progress[0], progress[1], str(redemption[0]).lower(), redemption[2])\n}, 1);
}

SKIP: {
	skip 'there is no node-postgres here', 3 unless (run_program('node', '-e', q{require('pg')}))[0];
	my $code = code(2);
	run_example('JavaScript', 'node', 'js', qq~const { Client } = require('pg');
(async () => {
const client = new Client({ host: '$host', port: $port, database: 'postgres' });
await client.connect();
const customerId = 2, orderId = 9002, code = '$code';
~ . example('js') . q~console.log(progress.gap, progress.qualifies ? 'True' : 'False', redemption.redeemed, redemption.reward);
await client.end();
})();
~, 2);
}

$node->stop;
done_testing();
