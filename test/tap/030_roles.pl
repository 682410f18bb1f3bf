# Roles: nothing needs a superuser; grants and row-level security hold through views and look-ups; planted objects change nothing.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;

my $node = new_server('roles');
my $db = 'shopdb';
$node->safe_psql('postgres', qq{
	CREATE ROLE owner LOGIN; CREATE ROLE deputy LOGIN IN ROLE owner; CREATE ROLE analyst LOGIN;
	CREATE ROLE reader LOGIN; CREATE ROLE stranger LOGIN; CREATE ROLE hostile LOGIN;
	CREATE DATABASE $db;
	GRANT CREATE ON DATABASE $db TO owner, analyst, hostile});
$node->safe_psql($db, 'GRANT CREATE ON SCHEMA public TO owner');

my @as_owner = (extra_params => [ '-U', 'owner' ]);
sub as { my ($role) = @_; return (extra_params => [ '-U', $role ]); }

# What a role is answered, or the error.
sub answer
{
	my ($role, $query) = @_;
	my ($status, $answer, $error) = $node->psql($db, $query, extra_params => [ '-U', $role, '-v', 'VERBOSITY=verbose' ]);
	return $status == 0 ? $answer : $error;
}
sub as_owner { my ($sql) = @_; my $answer = eval { $node->safe_psql($db, $sql, @as_owner) }; BAIL_OUT($@) if $@; return $answer; }

# ---- Owned by an ordinary role ----

$node->safe_psql($db, 'CREATE EXTENSION clientele', @as_owner);
is($node->safe_psql($db, q{SELECT extowner::regrole FROM pg_extension WHERE extname = 'clientele'}), 'owner',
	'a role with CREATE on the database creates the extension');
create_shop($node, $db, @as_owner);
create_store($node, $db, @as_owner);
is(as_owner(q{SELECT count(*) FROM (
		SELECT relowner AS owner FROM pg_class WHERE relnamespace = 'shop'::regnamespace
		UNION ALL SELECT proowner FROM pg_proc WHERE pronamespace = 'shop'::regnamespace
		UNION ALL SELECT nspowner FROM pg_namespace WHERE nspname = 'shop') o WHERE owner <> 'owner'::regrole}), '0', 'who creates a store owns all of it');
is($node->safe_psql($db, q{SELECT count(*) FROM pg_proc p WHERE prosecdef AND pronamespace IN ('clientele'::regnamespace, 'shop'::regnamespace)}), '0',
	'no function runs with the rights of another');

# ---- A reader ----

my @lookups = (
	q{SELECT clientele.assign_segment(41)}, q{SELECT clientele.assign_segment(41, segmentation => 'value')}, q{SELECT clientele.segments_of(41)},
	q{SELECT clientele.content_for(41, 'home')}, q{SELECT o.program, o.basis, o.min_spend, o.reward, o.message, o.reasons FROM clientele.personalized_offer(41) o}, q{SELECT count(*) FROM clientele.explain_segment(41)},
	q{SELECT count(*) FROM clientele.explain_offer(41)}, q{SELECT o.program, o.basis, o.min_spend, o.reward, o.message, o.reasons FROM clientele.personalized_offer(7) o});
my @views = qw(customers segments campaign offers offer_decisions segment_sizes offer_summary);
my @past = (q{SELECT clientele.assign_segment(41, as_of => now() - interval '9 days')}, q{SELECT sum(orders), count(category_mix) FROM shop.customers_at(now() - interval '9 days')},
	q{SELECT o FROM clientele.personalized_offer(41, as_of => now() - interval '9 days') o});

like(answer('reader', $_), qr/ERROR:  42704: there is no store that you may use/, "without grants: $_") for @lookups[ 0, 2 .. 6 ];
like(answer('reader', "SELECT * FROM shop.$_"), qr/ERROR:  42501: permission denied for schema shop/, "without grants: shop.$_") for @views;
is(answer('reader', 'SELECT count(*) FROM clientele.stores'), '0', 'and no store is shown');

my $grants = q{GRANT USAGE ON SCHEMA shop TO reader; GRANT SELECT ON ALL TABLES IN SCHEMA shop TO reader;
	GRANT SELECT (customer_id, children, birth_date) ON customers TO reader};
as_owner($grants);
is(answer('reader', $_), as_owner($_), "with grants: $_") for @lookups;
for my $view (@views)
{
	my $content = "SELECT count(*) > 0, md5(string_agg(v::text, '|' ORDER BY v::text)) FROM (SELECT to_jsonb(w) - '{valid_until,as_of}'::text[] FROM shop.$view w) v";
	is(answer('reader', $content), as_owner($content), "with grants: shop.$view");
}
is(answer('reader', 'SELECT count(*) FROM shop.customers'), '1000', 'with grants: shop.customers');
is(answer('reader', 'SELECT store, owner, orders FROM clientele.stores'), 'shop|owner|orders', 'with grants: clientele.stores');
like(answer('reader', $_), qr/ERROR:  42501: permission denied for table orders/, "the past needs the orders: $_") for @past;
as_owner('GRANT SELECT (order_id, customer_id, ordered_at, amount, status) ON orders TO reader');
like(answer('reader', $_), qr/ERROR:  42501: permission denied for table order_items/, "and their lines: $_") for @past;
as_owner('GRANT SELECT ON order_items TO reader');
is(answer('reader', $_), as_owner($_), "with both: $_") for @past;

# Each grant is needed: without it an error that tells nothing else.
for my $missing (
	[ 'SELECT ON shop.profiles', 'table profiles', 'SELECT clientele.assign_segment(41)', 'SELECT * FROM shop.customers', 'SELECT * FROM shop.campaign' ],
	[ 'SELECT (birth_date) ON customers', 'table customers', 'SELECT clientele.assign_segment(41)', 'SELECT * FROM shop.offers' ],
	[ 'SELECT ON shop.customers', 'view customers', 'SELECT clientele.assign_segment(41)', 'SELECT * FROM clientele.explain_segment(41)' ],
	[ 'SELECT ON shop.segments', 'view segments', q{SELECT clientele.assign_segment(41, segmentation => 'value')} ],
	[ 'SELECT ON shop._offer_inputs', 'view _offer_inputs', 'SELECT * FROM clientele.personalized_offer(41)', 'SELECT * FROM shop.offers' ],
	[ 'SELECT ON shop.typical_values', 'table typical_values', 'SELECT * FROM clientele.personalized_offer(7)', 'SELECT * FROM shop.offers' ],
	[ 'SELECT ON shop.segment_rules', 'table segment_rules', 'SELECT * FROM clientele.explain_segment(41)', 'SELECT * FROM shop.segment_sizes' ],
	[ 'SELECT ON shop.contents', 'table contents', q{SELECT clientele.content_for(41, 'home')}, 'SELECT * FROM shop.campaign' ],
	[ 'EXECUTE ON ALL FUNCTIONS IN SCHEMA shop', 'function _profiles_now', 'SELECT clientele.assign_segment(41)', 'SELECT * FROM shop.customers' ])
{
	my ($grant, $what, @queries) = @$missing;
	as_owner("REVOKE $grant FROM PUBLIC, reader");
	for my $query (@queries)
	{
		my $got = answer('reader', $query);
		like($got, qr/^psql:\S+ ERROR:  42501: permission denied for \Q$what\E\n/, "without $grant: $query");
		unlike($got, qr/post [A-Z]|19\d\d-/, 'and nothing is learnt');
	}
	as_owner("GRANT $grant TO reader");
}

# ---- A stranger ----

as_owner(q{SELECT clientele.create_store('hidden', 'orders'); CALL clientele.refresh('hidden'); ALTER ROLE owner SET clientele.store = 'shop'});
for my $call (
	q{SELECT clientele.assign_segment(41, 'STORE')}, q{SELECT clientele.segments_of(41, 'STORE')}, q{SELECT clientele.content_for(41, 'home', 'STORE')},
	q{SELECT * FROM clientele.personalized_offer(41, 'STORE')}, q{SELECT * FROM clientele.explain_segment(41, 'STORE')},
	q{SELECT * FROM clientele.explain_offer(41, 'STORE')}, q{CALL clientele.refresh('STORE')}, q{SELECT clientele.drop_store('STORE')},
	q{SELECT clientele.upgrade_store('STORE')}, q{SELECT clientele.define_segment('STORE', 'x', 'orders > 1')}, q{SELECT clientele.drop_segment('STORE', 'families')},
	q{SELECT clientele.set_default_segment('STORE', 'x')}, q{SELECT clientele.define_content('STORE', 'a', 'b')}, q{SELECT clientele.drop_content('STORE', 'home')},
	q{SELECT clientele.define_offer('STORE', 'x', 'win_back')}, q{SELECT clientele.drop_offer('STORE', 'stretch')})
{
	my $existing = answer('stranger', $call =~ s/STORE/hidden/r);
	my $missing = answer('stranger', $call =~ s/STORE/nowhere/r);
	like($existing, qr/ERROR:  42704: store "hidden" does not exist, or you may not use it/, "a stranger: $call");
	is($existing =~ s/hidden/nowhere/gr, $missing, 'and the same for a store that there is not');
}
unlike(answer('reader', q{SELECT clientele.assign_segment(41, 'nowhere')}), qr/hidden/, 'a refusal lists no store that the caller may not use');

# ---- Only the owner defines ----

my @definitions = (
	q{define_segment('shop', 'x', 'orders > 1')}, q{define_segment('shop', 'families', 'true')}, q{drop_segment('shop', 'evening')},
	q{set_default_segment('shop', 'x')}, q{define_content('shop', 'a', 'b')}, q{drop_content('shop', 'home')}, q{define_offer('shop', 'x', 'win_back')},
	q{drop_offer('shop', 'stretch')}, q{upgrade_store('shop')}, q{drop_store('shop')});
like(answer('reader', "SELECT clientele.$_"), qr/ERROR:  42501: must be owner of store shop/, "a reader: $_") for @definitions;
like(answer('reader', q{CALL clientele.refresh('shop')}), qr/ERROR:  42501: permission denied/, 'a reader: refresh');
is(answer('deputy', q{SELECT clientele.define_segment('shop', 'deputed', 'orders > 1000'), clientele.define_content('shop', 'a', 'b'),
	clientele.define_offer('shop', 'deputed', 'win_back'); CALL clientele.refresh('shop'); SELECT clientele.upgrade_store('shop')}), "||\n", 'a member of the owner defines and refreshes');
as_owner(q{SELECT clientele.drop_segment('shop', 'deputed'), clientele.drop_content('shop', 'a'), clientele.drop_offer('shop', 'deputed')});
is(answer('reader', $_), as_owner($_), "and the grants stay what they were: $_") for $lookups[0], $lookups[4];

# ---- Sensitive segments ----

as_owner(q{SELECT clientele.define_segment('shop', 'delicate', $$ birth_date > '1901-01-01' AND children = 3 $$, 1, sensitive => true)});
my $explained = q{SELECT value_found FROM clientele.explain_segment(41) WHERE segment = 'delicate'};
my $born = as_owner('SELECT birth_date FROM customers WHERE customer_id = 41');
like(as_owner($explained), qr/$born/, 'the owner sees the values behind a sensitive segment');
is(answer('reader', $explained), '(hidden: sensitive)', 'a reader does not');
unlike(answer('reader', 'SELECT * FROM clientele.explain_segment(41)'), qr/$born/, 'anywhere');
as_owner(q{SELECT clientele.define_segment('shop', 'delicate', $$ 1 / (children - children) = birth_date - date '1900-01-01' $$, 1)});
unlike(answer('reader', 'SELECT * FROM clientele.explain_segment(41)'), qr/zero/, 'nor why it fails');
as_owner(q{SELECT clientele.drop_segment('shop', 'delicate')});

# ---- Row-level security ----

my $families = as_owner(q{SELECT min(customer_id) FILTER (WHERE customer_id % 2 = 1) || ' ' || min(customer_id) FILTER (WHERE customer_id % 2 = 0)
	FROM shop.campaign WHERE segment = 'families' AND program IS NOT NULL});
my ($odd, $even) = split / /, $families;
my $seen = 'SELECT count(*), count(orders), min(customer_id % 2) FROM shop.customers';
my $one = sub { my ($c) = @_; return "SELECT clientele.assign_segment($c), (SELECT count(*) FROM clientele.personalized_offer($c)), clientele.content_for($c, 'home'), clientele.segments_of($c)" };
my $all_odd = as_owner($one->($odd));
my $all_even = as_owner($one->($even));

as_owner('ALTER TABLE customers ENABLE ROW LEVEL SECURITY; CREATE POLICY even ON customers FOR SELECT TO reader USING (customer_id % 2 = 0)');
is(answer('reader', $seen), '500|500|0', 'a policy on customers: the views show what it lets through');
is(answer('reader', $one->($odd)), 'average|0|post C|{}', 'the look-ups of another do as for an unknown customer');
is(answer('reader', $one->($even)), $all_even, 'and of those that it lets through as always');
is(as_owner($one->($odd)), $all_odd, 'the owner sees all');
is(answer('reader', "SELECT count(*), min(customer_id % 2) FROM shop.$_"), answer('reader', "SELECT count(*), 0 FROM shop.$_ WHERE customer_id % 2 = 0"), "shop.$_")
  for qw(segments campaign offers offer_decisions);
is(answer('reader', q{SELECT count(*) FROM shop.customers_at(now() - interval '9 days')}), '500', 'shop.customers_at');
is(answer('reader', 'SELECT sum(customers) FROM shop.segment_sizes'), '500', 'and shop.segment_sizes');

# One session, several roles: no plan or choice of one serves another.
my $session = session($node, $db);
ask($session, q{SET plan_cache_mode = force_generic_plan; SET clientele.store = 'shop';
	PREPARE segment(bigint) AS SELECT segment, clientele.assign_segment($1) FROM shop.customers WHERE customer_id = $1;
	PREPARE offer(bigint) AS SELECT count(*) FROM clientele.personalized_offer($1)});
for my $round (1 .. 2)
{
	for my $case ([ owner => 'families|families', '1' ], [ reader => '', '0' ], [ deputy => 'families|families', '1' ])
	{
		my ($role, $segment, $offers) = @$case;
		ask($session, "SET ROLE $role");
		is(ask($session, "EXECUTE segment($odd)"), $segment, "round $round, after SET ROLE $role: the view and the look-up");
		is(ask($session, "EXECUTE offer($odd)"), $offers, 'and the offer');
	}
	ask($session, 'SET ROLE stranger');
	like(ask($session, "SELECT clientele.assign_segment($odd)"), qr/ERROR:  42704/, "round $round, after SET ROLE stranger: nothing");
	ask($session, 'RESET ROLE');
}
ask($session, 'RESET clientele.store');
ask($session, 'SET ROLE owner');
like(ask($session, 'SELECT clientele.assign_segment(1)'), qr/ERROR:  42P08: .*several/, 'the owner has two stores');
ask($session, 'SET ROLE reader');
is(ask($session, "SELECT clientele.assign_segment($even)"), 'families', 'the reader in the same session one');
ask($session, 'SET ROLE stranger');
like(ask($session, "SELECT clientele.assign_segment($even)"), qr/ERROR:  42704/, 'and the stranger none');
$session->quit;

as_owner('DROP POLICY even ON customers; ALTER TABLE customers DISABLE ROW LEVEL SECURITY;
	ALTER TABLE shop.profiles ENABLE ROW LEVEL SECURITY; CREATE POLICY even ON shop.profiles FOR SELECT TO reader USING (customer_id % 2 = 0)');
is(answer('reader', 'SELECT count(*) FROM shop.customers WHERE customer_id % 2 = 1 AND orders > 0'), '0', 'a policy on the profiles hides the orders');
is(answer('reader', "SELECT orders FROM shop.customers WHERE customer_id = $odd"), '0', 'of one customer, too');
is(answer('reader', "SELECT bool_and(basis IN ('segment', 'store')) FROM shop.offers WHERE customer_id % 2 = 1"), 't', 'nor is an offer made from them');
is(answer('reader', $one->($even)), $all_even, 'the others are as always');
is(as_owner(q{CALL clientele.refresh('shop'); SELECT count(*) FROM shop.profiles WHERE customer_id % 2 = 1}),
	as_owner(q{SELECT count(DISTINCT customer_id) FROM orders WHERE customer_id % 2 = 1 AND status = 'completed'}), 'a refresh by the owner is whole');
as_owner('DROP POLICY even ON shop.profiles; ALTER TABLE shop.profiles DISABLE ROW LEVEL SECURITY');

# A store over somebody else's orders, of which its owner may see some.
like(answer('analyst', q{SELECT clientele.create_store('mine', 'orders')}), qr/ERROR:  42501: permission denied for table public\.orders/, 'a store needs SELECT on the orders');
as_owner('GRANT SELECT (order_id, customer_id, amount) ON orders TO analyst');
like(answer('analyst', q{SELECT clientele.create_store('mine', 'orders')}), qr/ERROR:  42501: permission denied for column "ordered_at"/, 'on all the columns that it reads');
as_owner('GRANT SELECT (ordered_at) ON orders TO analyst');
is(answer('analyst', q{SELECT clientele.create_store('mine', 'orders'); CALL clientele.refresh('mine')}), '', 'and on no others');
my $whole = answer('analyst', 'SELECT count(*), sum(orders) FROM mine.customers');
as_owner('ALTER TABLE orders ENABLE ROW LEVEL SECURITY; CREATE POLICY small ON orders FOR SELECT TO analyst USING (amount < 50)');
like(answer('analyst', q{CALL clientele.refresh('mine')}), qr/ERROR:  42501: query would be affected by row-level security policy for table "orders"/,
	'under a policy on the orders a refresh fails rather than counting some of them');
is(answer('analyst', 'SELECT count(*), sum(orders) FROM mine.customers'), $whole, 'and leaves the profiles as they were');
is(as_owner(q{CALL clientele.refresh('shop'); SELECT count(*) FROM shop.profiles}), as_owner(q{SELECT count(DISTINCT customer_id) FROM orders WHERE status = 'completed'}), 'who owns the orders is under no policy');
as_owner('ALTER TABLE orders FORCE ROW LEVEL SECURITY');
like(answer('owner', q{CALL clientele.refresh('shop')}), qr/ERROR:  42501/, 'unless it is forced');
as_owner('DROP POLICY small ON orders; ALTER TABLE orders NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY');
is(answer('analyst', q{SELECT clientele.drop_store('mine')}), '', 'a store goes without rights on its sources');

# ---- Planted objects ----

# Whatever is called comes first in this search_path, with the very types or with more specific ones.
$node->safe_psql($db, q{
	GRANT CREATE ON SCHEMA public TO hostile;
	SET ROLE hostile;
	DO $$
	DECLARE
		f record;
	BEGIN
		-- The functions of clientele, and of PostgreSQL with these names, under public.
		FOR f IN SELECT proname, pg_get_function_identity_arguments(p.oid) AS arguments, pg_get_function_result(p.oid) AS result, proretset
			FROM pg_proc p WHERE prokind = 'f' AND NOT proargtypes::oid[] && ARRAY(SELECT oid FROM pg_type WHERE typtype = 'p')
				AND prorettype NOT IN (SELECT oid FROM pg_type WHERE typtype = 'p' AND typname <> 'void') AND pg_get_function_identity_arguments(p.oid) !~ 'OUT |VARIADIC'
				AND (pronamespace = 'clientele'::regnamespace OR pronamespace = 'pg_catalog'::regnamespace AND proname IN
					('now', 'has_schema_privilege', 'has_table_privilege', 'quote_literal', 'quote_ident', 'pg_has_role', 'round', 'btrim', 'array_to_string', 'text', 'int8', 'timezone', 'numeric'))
		LOOP
			EXECUTE format('CREATE FUNCTION public.%I(%s) RETURNS %s LANGUAGE plpgsql AS %L', f.proname, f.arguments, f.result,
				format('BEGIN RAISE EXCEPTION USING MESSAGE = ''planted function %s''; END', f.proname));
		END LOOP;
		-- The operators on the usual types.
		FOR f IN SELECT oprname, oprleft::regtype, oprright::regtype, oprresult::regtype, row_number() OVER () AS n FROM pg_operator
			WHERE oprnamespace IN ('pg_catalog'::regnamespace, 'clientele'::regnamespace) AND oprleft <> 0 AND (oprleft::regtype::text || ' ' || oprright::regtype::text) ~
				'^(bigint|integer|text|name|oid|numeric|boolean|double precision|date|jsonb|clientele\.order_profile|timestamp with(out)? time zone|interval) (bigint|integer|text|name|oid|numeric|boolean|double precision|date|jsonb|clientele\.order_profile|timestamp with(out)? time zone|interval)$'
		LOOP
			EXECUTE format('CREATE FUNCTION public.planted_%s(%s, %s) RETURNS %s LANGUAGE plpgsql AS %L', f.n, f.oprleft, f.oprright, f.oprresult,
				format('BEGIN RAISE EXCEPTION USING MESSAGE = ''planted operator %s''; END', f.oprname));
			EXECUTE format('CREATE OPERATOR public.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = public.planted_%s)', f.oprname, f.oprleft, f.oprright, f.n);
		END LOOP;
	END $$;
	-- More specific than what PostgreSQL has for these arguments.
	CREATE FUNCTION public.format(text, name) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'planted format'; END $$;
	CREATE FUNCTION public.format(text, text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'planted format'; END $$;
	CREATE FUNCTION public.quote_ident(name) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'planted quote_ident'; END $$;
	CREATE FUNCTION public.to_jsonb(boolean) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'planted to_jsonb'; END $$;
	CREATE FUNCTION public.evening_share(float8) RETURNS float8 LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'planted evening_share'; END $$;
});
cmp_ok(as_owner(q{SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace}), '>', 300, 'objects are planted');

my $path = 'SET search_path = public, pg_catalog';
like(answer('owner', "$path; SELECT 1 = 1"), qr/planted operator =/, 'and are found by who looks for them');
for my $query (@lookups, @past[ 0, 2 ])
{
	is(answer('reader', "$path; $query"), answer('reader', $query), "planted objects change nothing: $query") if $query !~ /count|now/;
}
is(answer('reader', "$path; SELECT clientele.assign_segment(41, as_of => '2026-01-01')"), answer('reader', q{SELECT clientele.assign_segment(41, as_of => '2026-01-01')}), 'nor of the past');
like(answer('reader', "$path; SELECT * FROM shop.$_"), qr/^(?!.*ERROR)/s, "nor shop.$_") for @views;
like(answer('reader', "$path; SELECT * FROM clientele.$_"), qr/^(?!.*ERROR)./s, "nor $_") for 'explain_segment(41)', 'explain_offer(41)', 'stores';
unlike(answer('owner', "$path; SELECT clientele.$_"), qr/ERROR/, "nor $_")
  for q{create_store('planted', 'orders', customers => 'customers', attributes => '{children}', items => 'order_items')},
  q{define_segment('shop', 'x', $$ category_share(category_mix, 'baby') > 0.9 AND lower('A') = 'a' AND total_spent + 1 > 3 AND customer_id = 41 $$, 7)}, q{define_segment('shop', 'y', 'orders = 1', segmentation => 'z')}, q{drop_segment('shop', 'x')},
  q{set_default_segment('shop', 'z')}, q{set_default_segment('shop', 'average')}, q{define_content('shop', 'a', 'b')}, q{drop_content('shop', 'a')},
  q{define_offer('shop', 'x', 'win_back', segments => '{families}')}, q{drop_offer('shop', 'x')}, q{upgrade_store('shop')}, q{drop_store('planted')};
unlike(answer('owner', "$path; CALL clientele.refresh('shop')"), qr/ERROR/, 'nor a refresh');
unlike(as_owner(q{SELECT string_agg(rule, ' ') FROM shop.segment_rules}), qr/public/, 'no rule uses them');
my $temporary = q{CREATE TEMP TABLE settings (x int); CREATE TEMP TABLE profiles (x int); CREATE TEMP TABLE customers (customer_id bigint); CREATE TEMP TABLE orders (x int);
	CREATE TEMP TABLE pg_namespace (nspname name); CREATE TYPE pg_temp.store_settings AS (x int); CREATE TYPE pg_temp.order_profile AS (x int); CREATE TEMP TABLE pg_class (x int)};
is(answer('owner', "$temporary; CALL clientele.refresh('shop'); SELECT clientele.define_segment('shop', 't', 'orders = 2', 8), clientele.drop_segment('shop', 't'), clientele.assign_segment(41, 'shop')"),
	'||' . answer('reader', 'SELECT clientele.assign_segment(41)'), 'nor do temporary tables and types of the same names');

# ---- Stores of whoever it may be ----

# A made-up store must not run its maker's code as whoever lists the stores, nor as who names none.
my $trap = q{CREATE SCHEMA trap; CREATE FUNCTION trap.catch() RETURNS boolean LANGUAGE plpgsql VOLATILE AS
		$$ BEGIN RAISE EXCEPTION 'code of hostile runs as %', current_user; END $$;
	CREATE TYPE trap.bait AS (x int); CREATE FUNCTION trap.words(trap.bait) RETURNS text LANGUAGE plpgsql AS $$ BEGIN PERFORM trap.catch(); RETURN ''; END $$;
	CREATE CAST (trap.bait AS text) WITH FUNCTION trap.words(trap.bait) AS IMPLICIT; CREATE CAST (trap.bait AS jsonb) WITH INOUT AS IMPLICIT;
	CREATE FUNCTION trap.steady() RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM trap.catch(); RETURN true; END $$;
	CREATE TABLE trap.settings (LIKE clientele.store_settings); GRANT USAGE ON SCHEMA trap TO PUBLIC};
my $live = q{INSERT INTO trap.settings (version, orders, live, id) VALUES (1, 'pg_class', true, gen_random_uuid()); CREATE TABLE trap.pending (customer_id int);
	CREATE FUNCTION trap.t() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; UPDATE trap.settings SET orders = NULL};
my $failures = q{failed_at timestamptz, relation text, operation text, sqlstate text};
my $models = q{CREATE TABLE trap.models (LIKE clientele.model_version); INSERT INTO trap.models (kind, version) VALUES ('bait', 1)};
my $grant = q{GRANT SELECT ON ALL TABLES IN SCHEMA trap TO PUBLIC};
my %traps = (
	'a policy on the settings' => [ 0, q{ALTER TABLE trap.settings ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON trap.settings USING (trap.catch())} ],
	'a check of the settings that is computed to plan' => [ 1, q{ALTER TABLE trap.settings ADD CHECK (live OR trap.steady()) NOT VALID} ],
	'an index of the settings' => [ 1, q{CREATE FUNCTION trap.later() RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'x' $$; CREATE INDEX ON trap.settings (currency) WHERE time_zone = trap.later();
		CREATE OR REPLACE FUNCTION trap.later() RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM trap.catch(); RETURN ''; END $$} ],
	'a column of another type' => [ 0, q{ALTER TABLE trap.settings ALTER time_zone TYPE trap.bait USING ROW(1)::trap.bait} ],
	'a column that is computed' => [ 0, q{ALTER TABLE trap.settings DROP time_zone; ALTER TABLE trap.settings ADD time_zone text GENERATED ALWAYS AS ('UTC') STORED} ],
	'a version alone' => [ 0, q{DROP TABLE trap.settings; CREATE TABLE trap.settings (version clientele.store_version); INSERT INTO trap.settings VALUES (1)} ],
	'a column more' => [ 1, q{ALTER TABLE trap.settings ADD note trap.bait DEFAULT ROW(1)::trap.bait} ],
	'options that are none' => [ 1, q{UPDATE trap.settings SET options = '{"keep_events": "for ever", "refresh_overdue_after": {"a": [1]}, "clock_tolerance": null}'} ],
	'options that are no object' => [ 1, q{UPDATE trap.settings SET options = '["keep_events"]'} ],
	'a message with a cast' => [ 1, "CREATE TABLE trap.failures ($failures, message trap.bait); INSERT INTO trap.failures VALUES (now(), '', '', '', ROW(1))" ],
	'a domain for a message' => [ 1, "CREATE DOMAIN trap.message AS text; CREATE TABLE trap.failures ($failures, message trap.message); INSERT INTO trap.failures VALUES (now(), '', '', '', 'x');
		ALTER DOMAIN trap.message ADD CHECK (trap.catch()) NOT VALID" ],
	'a view of failures' => [ 1, "CREATE VIEW trap.failures AS SELECT now() AS failed_at, '' AS relation, '' AS operation, '' AS sqlstate, trap.catch()::text AS message" ],
	'a policy on the failures' => [ 1, "CREATE TABLE trap.failures ($failures, message text); INSERT INTO trap.failures VALUES (now(), '', '', '', 'x');
		ALTER TABLE trap.failures ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON trap.failures USING (trap.catch())" ],
	'a policy on the models' => [ 1, "$models; ALTER TABLE trap.models ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON trap.models USING (trap.catch())" ],
	'a check of the models' => [ 1, "$models; ALTER TABLE trap.models ADD CHECK (in_use OR trap.steady()) NOT VALID" ]);
for my $name (sort keys %traps)
{
	my ($listed, $how) = @{ $traps{$name} };
	is(answer('hostile', "$trap; $live; $how; $grant"), '', "a made-up store with $name");
	for my $role ('postgres', 'reader')
	{
		is(answer($role, 'SELECT string_agg(store, \' \' ORDER BY store) FROM clientele.stores'), ($role eq 'postgres' ? 'hidden ' : '') . 'shop' . ($listed ? ' trap' : ''), "lists as such, for $role");
		is(answer($role, $_), '0', "and runs no code of its maker: $_") for q{SELECT count(*) FROM clientele.stores WHERE stale LIKE '%code of%'},
		  q{SELECT count(*) FROM clientele.refresh_progress};
		like(answer($role, q{SELECT count(*) FROM clientele.models}), qr/^\d$/, 'nor do the models');
	}
	is(answer('reader', $_), as_owner($_), 'nor who names no store') for $lookups[0];
	like(answer('reader', q{SELECT clientele.assign_segment(41, 'trap')}), qr/ERROR:  55000: the table settings of store "trap" is not the one that was created/, 'nor is it one for who names it') if !$listed;
	answer('hostile', 'DROP SCHEMA trap CASCADE');
}
answer('hostile', qq{$trap; CREATE RULE "_RETURN" AS ON SELECT TO trap.settings DO INSTEAD SELECT (NULL::clientele.store_settings).* WHERE trap.catch(); $grant});
unlike(answer('postgres', 'SELECT store FROM clientele.stores'), qr/hostile/, 'nor does a view in the place of the settings');
answer('hostile', 'DROP SCHEMA trap CASCADE');

# What is looked at must be what is read: the owner swaps it meanwhile. Nobody who lists waits.
answer('hostile', "$trap; $live; $grant");
my $swapping = session($node, $db, user => 'hostile');
ask($swapping, q{BEGIN; LOCK TABLE trap.settings});
is(answer('postgres', q{SET statement_timeout = '5s'; SELECT string_agg(store, ' ') FROM clientele.stores}), 'hidden shop', 'a store whose settings are locked is not listed, and not waited for');
is(answer('reader', "SET statement_timeout = '5s'; $lookups[0]"), as_owner($lookups[0]), 'nor by who names no store');
ask($swapping, q{ALTER TABLE trap.settings RENAME TO was; CREATE VIEW trap.settings AS SELECT (NULL::clientele.store_settings).* WHERE trap.catch(); GRANT SELECT ON trap.settings TO PUBLIC; COMMIT});
$swapping->quit;
is(answer('postgres', 'SELECT string_agg(store, \' \') FROM clientele.stores'), 'hidden shop', 'a view that was swapped in is no store');
answer('hostile', 'DROP SCHEMA trap CASCADE');

# Who may create a store must not be able to break the look-ups of everybody who names none.
for my $made_up ($trap, "$trap; $grant", "$trap; INSERT INTO trap.settings (version, orders) VALUES (1, 'pg_class'); $grant",
	q{CREATE TABLE public.bait (customer_id bigint, ordered_at timestamptz, amount numeric); SELECT clientele.create_store('trap', 'public.bait');
		GRANT USAGE ON SCHEMA trap TO PUBLIC; } . $grant)
{
	answer('hostile', $made_up);
	is(answer('reader', $_), as_owner($_), 'another\'s store is no reason why a look-up finds several') for $lookups[0];
	answer('hostile', 'DROP SCHEMA trap CASCADE; DROP TABLE IF EXISTS public.bait');
}

# ---- Which store ----

as_owner('GRANT USAGE ON SCHEMA hidden TO reader; GRANT SELECT ON ALL TABLES IN SCHEMA hidden TO reader');
as_owner(q{SELECT clientele.set_default_segment('hidden', 'of hidden')});
my $several = answer('reader', 'SELECT clientele.assign_segment(3)');
like($several, qr/ERROR:  42P08: no store was named, and there are several/, 'two stores, none named');
like($several, qr/hidden, shop/, 'they are listed');
$node->safe_psql($db, q{ALTER ROLE reader SET clientele.store = 'hidden'});
is(answer('reader', 'SELECT clientele.assign_segment(3)'), 'of hidden', 'a setting of the role');
is(answer('reader', q{SELECT clientele.bucket('load', 'it') > 1; ALTER ROLE reader SET clientele.store = 'shop'}), 'f', 'which it may change itself, once the extension is loaded');
is(answer('reader', 'SELECT clientele.assign_segment(3) IS NULL'), 'f', 'a new session');
isnt(answer('reader', 'SELECT clientele.assign_segment(3)'), 'of hidden', 'sees it');
is(answer('reader', q{SET clientele.store = 'hidden'; SELECT clientele.assign_segment(3)}), 'of hidden', 'a session overrides it');
isnt(answer('reader', q{SET clientele.store = 'hidden'; SELECT clientele.assign_segment(3, 'shop')}), 'of hidden', 'a call overrides both');
is(answer('reader', q{SELECT clientele.assign_segment(3) <> 'of hidden'; SET clientele.store = 'hidden'; SELECT clientele.assign_segment(3); RESET clientele.store; SELECT clientele.assign_segment(3) <> 'of hidden'}),
	"t\nof hidden\nt", 'and it changes within a session');
like(answer('reader', q{SET clientele.store = 'nowhere'; SELECT clientele.assign_segment(3)}), qr/ERROR:  42704: store "nowhere" does not exist, or you may not use it/, 'one that does not exist');
$node->safe_psql($db, 'ALTER ROLE reader RESET ALL');
as_owner('REVOKE USAGE ON SCHEMA hidden FROM reader');
isnt(answer('reader', 'SELECT clientele.assign_segment(3)'), 'of hidden', 'without the right the other is the only one');

done_testing();
