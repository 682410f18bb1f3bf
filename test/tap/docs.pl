# Every SQL example in README.md and docs/ runs, and prints what the page shows.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my @pages = ('README.md', glob 'docs/*.md');

my $node = PostgreSQL::Test::Cluster->new('docs');
$node->init(extra => [ '--encoding=UTF8', '--no-locale' ]);
$node->append_conf('postgresql.conf', "timezone = 'UTC'");
$node->start;

local $ENV{PGHOST} = $node->host;
local $ENV{PGPORT} = $node->port;
local $ENV{PGUSER} = $node->safe_psql('postgres', 'SELECT current_user');
my @lines = split /\n/, `perl scripts/docs-pages.pl @pages`;

# The script's verdicts are ours, with its comments as diagnostics.
for my $line (@lines) {
    if ($line =~ /^(not )?ok \d+ - (.*)/) { ok(!$1, $2) }
    elsif ($line =~ /^# (.*)/) { diag($1) }
}
is(scalar(grep { /^(not )?ok / } @lines), scalar(@pages), 'every page was run');

# The table of reason codes lists those of the code, in its order, and the two that explain_offer adds.
my $offer = slurp_file('src/core/offer/offer.cpp');
my ($list) = $offer =~ /codes\[reason_count\] = \{(.*?)\}/s;
my ($table) = slurp_file('docs/offer.md') =~ /^## Reason codes\n(.*?)^## /ms;
is(join(' ', $table =~ /^\| *\w* *\| `(\w+)` \|/mg),
    join(' ', $list =~ /"(\w+)"/g, 'unknown_customer', 'no_program'), 'docs/offer.md lists all reason codes');

$node->stop('fast');
done_testing();
