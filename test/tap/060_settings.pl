# A session's settings change nothing: not what is defined under them, nor what is read.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;

my $node = new_server('settings');
$node->safe_psql('postgres', 'CREATE EXTENSION clientele');
create_shop($node, 'postgres', customers => 120);
$node->safe_psql('postgres', q{
	ALTER TABLE orders ALTER ordered_at TYPE timestamp USING ordered_at AT TIME ZONE 'UTC';
	ALTER TABLE customers ADD word text; UPDATE customers SET word = CASE customer_id % 3 WHEN 0 THEN E'a\\b''c' WHEN 1 THEN 'ä' END;
});

my $define = q{
	SET client_min_messages = warning;
	SELECT clientele.create_store('shop', orders => 'orders', order_filter => $$status <> E'a\\\\b' AND ordered_at > '2020-03-01 12:00' AND ordered_at < date '2999-02-01'$$,
		customers => 'customers', attributes => '{children,birth_date,word}', items => 'order_items', time_zone => 'America/New_York');
	SELECT clientele.define_segment('shop', 'exact', 'typical_cv > 0.1234567890123456 AND evening_share <= 0.1::float8 + 0.2::float8'),
		clientele.define_segment('shop', 'dates', $$ birth_date > '1960-02-03' AND first_order_at > '2020-01-02 03:04:05.678901+00' AND last_order_at < as_of - interval '1 mon 2 days 03:04:05' $$),
		clientele.define_segment('shop', 'words', $$ word = E'a\\\\b''c' OR word LIKE 'ä%' $$),
		clientele.define_segment('shop', 'sets', $$ children IN (1, 2) AND total_spent BETWEEN 12.50 AND 1e6 AND category_share(category_mix, 'wi' || 'ne') > 1/3.0 $$);
	SELECT clientele.define_content('shop', 'home', E'a\\\\b', 'words', E'c''d\\\\n');
	SELECT clientele.define_offer('shop', 'second', 'second_order', holdout => 0.12345678901234567, valid_for => '1 mon 3 days 04:05:06.7', message => E'a\\\\b {reward} ''til {valid_until}'),
		clientele.define_offer('shop', 'stretch', 'grow_order_value', holdout => 1/3.0::float8, max_cv => 0.30000000000000004, stretch => 1.234567, reward_rate => 0.012345,
			starts_at => '2020-01-02 03:04:05.678901+00', ends_at => '2999-12-31 23:59:59.999999+00', segments => '{dates,sets,default}'),
		clientele.define_offer('shop', 'back', 'win_back', valid_for => '10 days');
	CALL clientele.refresh('shop');
};

# All that was generated or stored, and all that is decided, in a form that settings do not touch. (The text of a rule
# spells instants in the definer's zone, its function holds them as such.)
my $stored = q{SET search_path = pg_catalog; SELECT pg_get_functiondef(p.oid) FROM pg_proc p WHERE pronamespace = 'shop'::regnamespace ORDER BY proname;
	SELECT pg_get_viewdef(c.oid) FROM pg_class c WHERE relnamespace = 'shop'::regnamespace AND relkind = 'v' ORDER BY relname; SELECT segment, rule, operands FROM shop.segment_rules WHERE segment <> 'dates' ORDER BY priority;
	SELECT program, holdout, max_cv, valid_for, starts_at, ends_at, message FROM shop.programs ORDER BY priority; SELECT order_filter FROM shop.settings;
	SELECT * FROM shop.contents};
my $profiles = q{SELECT md5(string_agg(customer_id::text || encode(clientele.order_profile_send(profile), 'hex') || category_mix::text, '' ORDER BY customer_id)) FROM shop.profiles};
my $decided = q{SELECT md5(string_agg(customer_id || program || status || coalesce(reasons::text, '') || segment || coalesce(min_spend::text, '-') || coalesce(reward::text, '-')
		|| coalesce(message, '-') || extract(epoch FROM valid_until - CASE program WHEN 'second' THEN now() ELSE '2000-01-01 00:00+00' END) || propensity::numeric, '' ORDER BY customer_id, program)) FROM shop.offer_decisions;
	SELECT md5(string_agg(customer_id || segment || content::text || clientele.assign_segment(customer_id) || clientele.content_for(customer_id, 'home'), '' ORDER BY customer_id)) FROM shop.campaign;
	SELECT md5(string_agg(customer_id || o.program || o.reward || o.message, '' ORDER BY customer_id)) FROM customers, clientele.personalized_offer(customer_id) o;
	SELECT segment, customers, orders, total_spent, round(aov, 10) FROM shop.segment_sizes;
	SELECT md5(string_agg(customer_id || segment || total_spent, '' ORDER BY customer_id)) FROM shop.customers_at('2999-01-01 00:00+00');
	SELECT segment, outcome, assigned FROM clientele.explain_segment(41);
	SELECT program, status, reasons, explanation FROM clientele.explain_offer(41)};

$node->safe_psql('postgres', $define);
my %expected = (stored => $node->safe_psql('postgres', $stored), profiles => $node->safe_psql('postgres', $profiles), decided => $node->safe_psql('postgres', $decided));
like($expected{decided}, qr/t$/m, 'there is a store');

# Says where two texts begin to differ, rather than all of both.
sub same_text
{
	my ($got, $wanted, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my @got = split /\n/, $got;
	my @wanted = split /\n/, $wanted;
	my ($line) = grep { ($got[$_] // '(nothing)') ne ($wanted[$_] // '(nothing)') } 0 .. (@got > @wanted ? $#got : $#wanted);
	return ok(!defined $line, $name) || diag("     got: $got[$line]\nexpected: $wanted[$line]");
}

my $parallel = $node->pg_version >= 16 ? 'debug_parallel_query' : 'force_parallel_mode';
for my $settings (
	q{SET datestyle = 'SQL, DMY'; SET intervalstyle = 'iso_8601'; SET timezone = 'Asia/Kathmandu'},
	q{SET datestyle = 'German'; SET intervalstyle = 'sql_standard'; SET timezone = 'Pacific/Apia'},
	q{SET datestyle = 'Postgres, MDY'; SET intervalstyle = 'postgres_verbose'; SET timezone = 'XYZ+3:17'},
	q{SET extra_float_digits = -15}, q{SET extra_float_digits = 0},
	q{SET standard_conforming_strings = off; SET backslash_quote = on; SET escape_string_warning = off}, q{SET quote_all_identifiers = on},
	q{SET transform_null_equals = on}, q{SET search_path = ''}, q{SET search_path = clientele, public}, q{SET bytea_output = 'escape'; SET xmloption = 'document'},
	q{SET plan_cache_mode = force_custom_plan},
	q{SET enable_hashagg = off; SET enable_hashjoin = off; SET enable_indexscan = off; SET enable_bitmapscan = off}, q{SET enable_sort = off; SET enable_mergejoin = off; SET enable_nestloop = off},
	qq{SET $parallel = on; SET max_parallel_workers_per_gather = 2; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0})
{
	my $under = "$settings;\n";
	my $decides = $decided =~ s/\bFROM customers,/FROM public.customers,/r;
	same_text($node->safe_psql('postgres', $under . $decides), $expected{decided}, "read under: $settings");
	my ($status, $answer, $error) = $node->psql('postgres', $under . "SELECT clientele.upgrade_store('shop'); CALL clientele.refresh('shop');");
	same_text($node->safe_psql('postgres', $stored), $expected{stored}, 'kept: the same definitions') or diag($error);
	same_text($node->safe_psql('postgres', $profiles), $expected{profiles}, 'the same profiles');
	next if $settings =~ /search_path|quote_all|enable|plan_cache|bytea|$parallel/;
	($status, $answer, $error) = $node->psql('postgres', "$under SELECT clientele.drop_store('shop'); $define");
	same_text($node->safe_psql('postgres', $stored), $expected{stored}, 'made anew: the same definitions') or diag($error);
	same_text($node->safe_psql('postgres', $profiles . ';' . $decided), "$expected{profiles}\n$expected{decided}", 'the same profiles and decisions');
}

done_testing();
