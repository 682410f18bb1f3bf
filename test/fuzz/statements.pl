#!/usr/bin/env perl
# Rules, books, models, arms, profiles and documents, each changed at random, for a server: test/fuzz/statements.pl [SECONDS] [SEED]
# Asks the server of PGHOST and PGUSER. It must answer each with a result or an error of ours: an internal error (XX), one of its system (58) and
# a session that ends are failures, and are printed with the statement that caused them.
use strict;
use warnings;
use File::Temp;

my ($seconds, $seed) = (shift // 60, shift // time);
srand $seed;
print "Seed: $seed\n";
$| = 1;

ask('postgres', 'DROP DATABASE IF EXISTS fuzz; CREATE DATABASE fuzz;');
ask('fuzz', <<'SQL');
SET client_min_messages = warning;
CREATE EXTENSION clientele;
CREATE TABLE orders (order_id bigint PRIMARY KEY, customer_id bigint, ordered_at timestamptz, amount numeric(12,2));
INSERT INTO orders SELECT n * 100 + c, c, now() - n * interval '9 days' - c * interval '1 hour', 20 + c % 7 + n FROM generate_series(1, 60) c, generate_series(1, 6) n WHERE n <= c % 7;
CREATE TABLE customers (customer_id bigint PRIMARY KEY, children integer, email text);
INSERT INTO customers SELECT c, c % 4, 'c' || c FROM generate_series(1, 60) c;
SELECT clientele.create_store('shop', 'orders', customers => 'customers', attributes => '{children,email}');
CALL clientele.refresh('shop');
SELECT clientele.define_segment('shop', 'many', 'orders > 3 AND email LIKE ''c%'''), clientele.define_content('shop', 'home', 'a', 'many');
SELECT clientele.define_offer('shop', 'grow', 'grow_order_value', arms => '[{"name": "a", "stretch": 1.4, "weight": 0.5}, {"name": "b", "stretch": 1.6, "weight": 0.5}]');
SELECT clientele.define_offer('shop', 'back', 'win_back', budget => 100);
SQL

my $input = q{(SELECT i.input FROM shop._offer_inputs i WHERE i.customer_id = 5)};
my @kinds = (
	# A statement, in which %s stands for what is changed at random, and what to begin with.
	[ 'SELECT clientele._decide_programs(%s::jsonb, ' . "$input, NULL)", one('SELECT shop._offer_book()') ],
	[ "SELECT clientele._decide(%s::jsonb, $input, NULL, NULL)", one('SELECT shop._offer_book()') ],
	[ "SELECT clientele._response_curve(%s::jsonb, $input)", one('SELECT shop._offer_book()') ],
	[ q{SELECT clientele.apply_definitions('shop', %s::jsonb)}, one(q{SELECT clientele.export_definitions('shop')}) ],
	[ q{SELECT clientele.define_segment('shop', 'fuzzed', %s)}, q{orders > 1 AND days_since_last_order < 30 OR email ~ 'a.c' AND children BETWEEN 1 AND 2},
		'CASE WHEN total_spent > 10.5 THEN true ELSE children IN (1, 2, 3) END', q{category_share(category_mix, 'wine') > 0.2 AND NOT (evening_share IS NULL)} ],
	[ q{SELECT clientele.define_offer('shop', 'fuzzed', 'grow_order_value', arms => %s::jsonb)}, '[{"name": "a", "stretch": 1.4, "weight": 0.5}, {"name": "b", "reward_rate": 0.1, "weight": 0.5}]' ],
	[ q{SELECT clientele.define_offer('shop', 'fuzzed', 'grow_order_value', explore => %s::jsonb)}, '{"share": 0.1, "stretches": [1.2, 1.5], "reward_rates": [0.05, 0.1]}' ],
	[ q{SELECT clientele.define_offer('shop', 'fuzzed', 'grow_order_value', message => %s)}, 'Spend {min_spend}, get {reward} until {valid_until}' ],
	[ q{SELECT clientele._reward_for(5, %s::jsonb, 70, 'EUR')}, '[{"min_spend": 50, "reward": 5}, {"min_spend": 80, "reward": 9.5, "reward_rate": 0.1, "reward_cap": 12}]' ],
	[ q{SELECT clientele.set_margins('shop', %s::jsonb)}, '{"wine": 0.2, "tea": 0.35}' ],
	[ q{SELECT clientele.total_spent(%s::clientele.order_profile), clientele.typical_value(%1$s::clientele.order_profile)}, one('SELECT profile FROM shop.profiles WHERE customer_id = 6') ],
	[ q{SELECT clientele.total_spent((%s::bytea)::clientele.order_profile)}, one('SELECT profile::bytea FROM shop.profiles WHERE customer_id = 6') ],
	[ q{SELECT clientele._canonical_code(%s), clientele._check_time_zone(%1$s)}, 'C4DFG-7HJKM', 'America/New_York', 'posix/Asia/Tokyo' ],
	[ q{SELECT clientele._model_numbers('clv', %s::jsonb, '{r,alpha,s,beta}')}, '{"r": 0.5, "alpha": 4.4, "s": 1.2, "beta": 3e2, "converged": true}' ],
	[ q{SELECT clientele._fill(%s, 'a', 'b', 'store', %1$s)}, q{SELECT {a} FROM {store}.t WHERE x = '{}'} ]);

my ($asked, $answered, $failures) = (0, 0, 0);
my $end = time + $seconds;
do { try_some(300) } until time >= $end;
print "$asked statements, of which $answered gave a result; $failures failures\n";
exit($failures ? 1 : 0);

sub one { my ($query) = @_; my $value = ask('fuzz', "$query;"); chomp $value; return $value; }

sub psql
{
	my ($database, $file) = @_;
	return `psql -XAtq -d $database -v VERBOSITY=verbose -v SHOW_CONTEXT=never -f $file 2>&1`;
}

sub ask
{
	my ($database, $script) = @_;
	my $file = File::Temp->new;
	print $file $script;
	close $file;
	my $answer = psql($database, $file);
	die $answer if $answer =~ /ERROR:|server closed/;
	return $answer;
}

# One statement a line, so that errors tell which it was; each is undone.
sub try_some
{
	my ($count) = @_;
	my @lines = map { my ($statement, @from) = @{ $kinds[ rand @kinds ] }; sprintf $statement =~ s/%s/%1\$s/r, literal(changed($from[ rand @from ])) } 1 .. $count;
	my $file = File::Temp->new;
	print $file "SET statement_timeout = '20s'; SET client_min_messages = error;\n", map { "BEGIN; $_; ROLLBACK;\n" } @lines;
	close $file;
	my $output = psql('fuzz', $file);
	my %failed = map { $_ => 1 } $output =~ /^psql:\S+?:(\d+): ERROR:  /mg;
	$asked    += $count;
	$answered += $count - keys %failed;
	report("$2 $lines[$1 - 2]") while $output =~ /^psql:\S+?:(\d+): ERROR:  ((?:XX|58)\w+: [^\n]*)/mg;
	if ($output =~ /^psql:\S+?:(\d+): (?:error|server closed)/m) { report("the session ended: $lines[$1 - 2]"); sleep 3 }
	return;
}

sub report { my ($what) = @_; $failures++; print "$what\n"; return; }

sub literal
{
	my ($text) = @_;
	$text =~ s/([\\'])/$1$1/g;
	$text =~ s/\n/\\n/g;
	return "E'$text'";
}

# A few changes: something goes, comes, is doubled, or becomes what is unusual.
sub changed
{
	my ($text) = @_;
	my @odd = ('', '0', '-1', '1e400', '-1e-400', '99999999999999999999', 'NaN', '"NaN"', 'null', '[]', '{}', '[[]]', '{"a": {}}', '"x"', 'true', '((', "'", '"', '\\', ',', ':', "\n", '%', '$1', '--', '/*',
		'::', 'NOT', '"' . 'x' x 3000 . '"', "\xc3\xa9", '2026-02-30', 'infinity');
	for (1 .. 1 + rand 2)
	{
		my $at = int rand(1 + length $text);
		my $kind = int rand 6;
		if    ($kind == 0) { substr($text, $at, int rand 8) = '' }
		elsif ($kind == 1) { substr($text, $at, 0) = $odd[ rand @odd ] }
		elsif ($kind == 2) { substr($text, $at, 1) = chr(33 + rand 94) if $at < length $text }
		elsif ($kind == 3) { substr($text, $at, 0) = substr $text, int rand(1 + length $text), int rand 20 }
		else
		{
			# A whole value of JSON, or a number of a rule.
			my @values;
			push @values, [ $-[0], $+[0] - $-[0] ] while $text =~ /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|\btrue\b|\bfalse\b|\bnull\b|[{\[][^{}\[\]]*[}\]]/g;
			if (@values) { my ($from, $length) = @{ $values[ rand @values ] }; substr($text, $from, $length) = $odd[ rand @odd ] }
		}
	}
	return $text;
}
