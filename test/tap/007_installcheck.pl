# make installcheck: pg_regress on a server that is there, from a clone that may not be written.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('installed');
$node->init;
$node->start;
local @ENV{qw(PGHOST PGPORT PGUSER)} = ($node->host, $node->port, $node->safe_psql('postgres', 'SELECT current_user'));

# Where pg_regress was run before and failed, its results are kept.
my @before = grep { -e } qw(results regression.diffs);
my ($output, $errors);
ok(IPC::Run::run([ 'scripts/installcheck.sh', 'experiment', 'rfm' ], '>', \$output, '2>', \$errors), 'two tests pass') or diag($output, $errors);
like($output, qr/experiment .*ok.*rfm .*ok/s, 'and were run');
is_deeply([ grep { -e } qw(results regression.diffs) ], \@before, 'nothing is left in the clone');
ok(!IPC::Run::run([ 'scripts/installcheck.sh', 'no_such_test' ], '>', \$output, '2>', \$errors), 'a test that there is not fails');

$node->stop('fast');
done_testing();
