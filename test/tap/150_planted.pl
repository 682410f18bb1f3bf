# Planted objects: whatever others put into a schema under the names that our SQL uses, nobody runs it by using the extension.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;

my $node = new_server('planted', "track_functions = all\nlog_min_messages = warning\n");
$node->safe_psql('postgres', 'CREATE ROLE owner LOGIN CREATEDB; CREATE ROLE hostile LOGIN; CREATE DATABASE shopdb OWNER owner; GRANT CREATE ON DATABASE shopdb TO hostile');
my $db = 'shopdb';
sub as
{
	my ($role, $query, $database) = @_;
	my ($status, $answer, $error) = $node->psql($database // $db, $query, extra_params => [ '-U', $role, '-v', 'VERBOSITY=verbose' ]);
	return $status == 0 ? $answer : $error;
}

# ---- The schema ----

like(as('hostile', 'CREATE SCHEMA clientele; SELECT 1'), qr/^1$/, 'a role that may create schemas creates the extension\'s');
like(as($_, 'CREATE EXTENSION clientele'), qr/ERROR:  42501: schema clientele belongs to another role: hostile/, "$_ does not install into it") for 'postgres', 'owner';
as('postgres', 'DROP SCHEMA clientele; CREATE SCHEMA clientele; GRANT CREATE ON SCHEMA clientele TO hostile');
like(as('postgres', 'CREATE EXTENSION clientele'), qr/ERROR:  55000: schema clientele exists, and is not empty or others have rights on it/, 'nor where others have rights');
for my $planted ('CREATE FUNCTION clientele.f() RETURNS int LANGUAGE sql RETURN 1', 'CREATE OPERATOR clientele.<> (LEFTARG = int, RIGHTARG = int, FUNCTION = int4ne)', 'CREATE DOMAIN clientele.d AS int',
	'CREATE TABLE clientele.t ()', 'CREATE COLLATION clientele.c FROM "C"')
{
	as('postgres', "DROP SCHEMA clientele CASCADE; CREATE SCHEMA clientele; $planted");
	like(as('postgres', 'CREATE EXTENSION clientele'), qr/ERROR:  55000: schema clientele exists, and is not empty/, "nor with: $planted");
}
as('postgres', 'DROP SCHEMA clientele CASCADE');
is(as('owner', 'CREATE SCHEMA clientele; CREATE EXTENSION clientele; DROP EXTENSION clientele; SELECT count(*) FROM pg_namespace WHERE nspname = \'clientele\''), '0', 'an empty one of one\'s own is taken over, and goes with the extension');
is(as('owner', 'CREATE EXTENSION clientele; SELECT nspowner::regrole FROM pg_namespace WHERE nspname = \'clientele\''), 'postgres', 'an ordinary role installs, and the schema is not that role\'s');
like(as('owner', $_), qr/ERROR:  42501: /, "which therefore cannot: $_")
  for 'CREATE FUNCTION clientele.bucket(name, name) RETURNS float8 LANGUAGE sql RETURN 1', 'ALTER SCHEMA clientele RENAME TO elsewhere', 'CREATE DOMAIN clientele.text AS pg_catalog.text';

create_shop($node, $db, customers => 700, extra_params => [ '-U', 'owner' ]) if $node->safe_psql($db, 'GRANT CREATE ON SCHEMA public TO owner, hostile') eq '';
create_store($node, $db, extra_params => [ '-U', 'owner' ]);
as('owner', 'ALTER TABLE orders ADD refunded numeric DEFAULT 0, ADD discount numeric DEFAULT 0');
# Customers who come and go, so that models can be fitted.
is(as('owner', q{
	CREATE TABLE visits (order_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer_id bigint, ordered_at timestamptz, amount numeric(12, 2), note text);
	INSERT INTO visits (customer_id, ordered_at, amount)
	SELECT c, date_trunc('day', now()) - (days - floor(t)::int) * interval '1 day' + interval '9 hours', round((mean * (0.5 + clientele.bucket('amount', c || ':' || i)))::numeric, 2)
	FROM (SELECT c, 30 + (500 * clientele.bucket('first', c::text))::int AS days, 15 + 60 * clientele.bucket('gap', c::text) AS gap, 10 + 90 * clientele.bucket('mean', c::text) ^ 2 AS mean,
		least(40, floor(ln(1 - clientele.bucket('life', c::text)) / ln(1 - 0.01 - 0.98 * clientele.bucket('leaves', c::text) ^ 1.5)))::int AS life FROM generate_series(1, 2000) c) s
	CROSS JOIN LATERAL (SELECT 0 AS i, 0.0::float8 AS t UNION ALL
		SELECT i, sum(-ln(1 - clientele.bucket('t', c || ':' || i)) * gap) OVER (ORDER BY i) FROM generate_series(1, life) i) e
	WHERE t < days - 1;
	CREATE VIEW twice AS SELECT * FROM visits UNION ALL SELECT * FROM visits}), '', 'a table of orders');
for my $restorer ('owner', 'postgres')
{
	$node->safe_psql('postgres', "CREATE DATABASE again_$restorer OWNER owner");
	$node->command_ok([ 'pg_dump', '-Fc', '-U', 'owner', '-h', $node->host, '-p', $node->port, '-f', $node->basedir . '/dump', $db ], 'dump');
	$node->command_ok([ 'pg_restore', '--exit-on-error', '-U', $restorer, '-h', $node->host, '-p', $node->port, '-d', "again_$restorer", $node->basedir . '/dump' ], "restored by $restorer");
	is(as('owner', 'SELECT segment FROM shop.customers WHERE customer_id = 6', "again_$restorer"), as('owner', 'SELECT segment FROM shop.customers WHERE customer_id = 6'), 'and it works');
	is(as('postgres', q{SELECT nspowner::regrole FROM pg_namespace WHERE nspname = 'clientele'}, "again_$restorer"), 'postgres', 'the schema is a superuser\'s there, too');
}

# ---- Under every name that our SQL uses ----

# The names are the words of our functions and of what a store consists of. Under each: every function of that name in pg_catalog and
# clientele, as it is and with one argument, or all, of a type that other calls may match better; every operator; the types, as
# domains whose check runs code, and relations. In clientele, too, as if a superuser had let somebody create there: all but other
# functions under the names of ours.
$node->safe_psql($db, 'GRANT CREATE ON SCHEMA clientele, public TO hostile; GRANT TEMP ON DATABASE shopdb TO hostile');
my $plant = q{
	CREATE OR REPLACE FUNCTION public.plant(place text) RETURNS bigint LANGUAGE plpgsql SET search_path = pg_catalog AS $plant$
	DECLARE
		words text[];
		f record;
		planted bigint := 0;
		body constant text := 'BEGIN RAISE WARNING ''planted code runs as %%: %s'', current_user; RETURN NULL; END';
	BEGIN
		SELECT array_agg(DISTINCT w[1]) INTO words FROM (
			SELECT p.prosrc || coalesce(pg_get_function_sqlbody(p.oid), '') FROM pg_proc p WHERE pronamespace IN ('clientele'::regnamespace, 'shop'::regnamespace)
			UNION ALL SELECT pg_get_viewdef(c.oid) FROM pg_class c WHERE relkind = 'v' AND relnamespace IN ('clientele'::regnamespace, 'shop'::regnamespace)) s (text),
			regexp_matches(s.text, '[a-z_][a-z0-9_]*', 'g') w;
		FOR f IN
			WITH named AS (
				SELECT p.oid, p.proname, p.pronamespace = 'clientele'::regnamespace AS own, p.proretset,
					ARRAY(SELECT t::regtype FROM unnest(p.proargtypes) WITH ORDINALITY a (t, n) ORDER BY n) AS types
				FROM pg_proc p WHERE p.pronamespace IN ('clientele'::regnamespace, 'pg_catalog'::regnamespace) AND p.proname = ANY (words) AND p.prokind = 'f' AND p.pronargs BETWEEN 1 AND 8
					AND NOT EXISTS (SELECT FROM unnest(p.proargtypes) t JOIN pg_type y ON y.oid = t WHERE y.typtype = 'p')
			), other (type, instead) AS (VALUES ('text'::regtype, 'name'::regtype), ('text', 'varchar'), ('name', 'text'), ('integer', 'bigint'), ('bigint', 'integer'), ('numeric', 'integer'), ('numeric', 'float8'),
				('double precision', 'numeric'), ('double precision', 'integer'), ('regclass', 'oid'), ('oid', 'regclass'), ('timestamptz', 'date'), ('timestamptz', 'timestamp'), ('jsonb', 'text'), ('boolean', 'text')
			), variants AS (
				SELECT proname, own, types FROM named
				UNION SELECT n.proname, n.own, ARRAY(SELECT CASE WHEN i = nth THEN o.instead ELSE t END FROM unnest(n.types) WITH ORDINALITY u (t, i) ORDER BY i)
				FROM named n, generate_subscripts(n.types, 1) nth, other o WHERE n.types[nth] = o.type
				UNION SELECT n.proname, n.own, ARRAY(SELECT coalesce((SELECT o.instead FROM other o WHERE o.type = t ORDER BY o.instead LIMIT 1), t) FROM unnest(n.types) WITH ORDINALITY u (t, i) ORDER BY i) FROM named n
				-- What our own variadic or polymorphic ones, and PostgreSQL's, are called with.
				UNION SELECT w.name, false, t FROM unnest('{format,concat_ws,quote_literal,array_append,array_agg,to_jsonb,jsonb_build_object,coalesce,unnest}'::text[]) w (name),
					(VALUES ('{text}'::regtype[]), ('{name}'), ('{text,text}'), ('{text,name}'), ('{text,name,name}'), ('{text,name,text}'), ('{text,text,text}'), ('{text,regclass}'), ('{text,name,regtype}'), ('{text[]}'), ('{regclass}'), ('{text[],text}')) v (t)
			)
			SELECT DISTINCT proname, array_to_string(types, ', ') AS arguments FROM variants v
			-- Next to our own functions nobody but a superuser can put others of the same name.
			WHERE NOT (place = 'clientele' AND own)
		LOOP
			EXECUTE format('CREATE FUNCTION %s.%I(%s) RETURNS text LANGUAGE plpgsql IMMUTABLE AS %L', place, f.proname, f.arguments, format(body, f.proname));
			planted := planted + 1;
		END LOOP;
		FOR f IN SELECT 'CREATE FUNCTION %1$s.planted_operator(%3$s, %4$s) RETURNS %5$s LANGUAGE plpgsql IMMUTABLE AS %6$L' AS make,
				'CREATE OPERATOR %1$s.%2$s (LEFTARG = %3$s, RIGHTARG = %4$s, FUNCTION = %1$s.planted_operator)' AS operator, o.name, l.type AS l, r.type AS r, o.result
			FROM (VALUES ('=', 'boolean'), ('<>', 'boolean'), ('<', 'boolean'), ('>', 'boolean'), ('<=', 'boolean'), ('>=', 'boolean'), ('~', 'boolean'), ('!~', 'boolean'), ('~~', 'boolean'), ('!~~', 'boolean'),
				('||', 'text'), ('+', 'bigint'), ('-', 'bigint'), ('*', 'bigint'), ('/', 'bigint'), ('%', 'bigint'), ('^', 'bigint'), ('->', 'text'), ('->>', 'text'), ('#>', 'text'), ('#>>', 'text'), ('&&', 'boolean'), ('@>', 'boolean')) o (name, result),
				unnest('{regtype,regclass,name,text,varchar,oid,integer,bigint,numeric,boolean,jsonb,timestamptz,interval,"char",uuid,text[],regtype[],clientele.order_profile,double precision}'::regtype[]) l (type),
				unnest('{regtype,regclass,name,text,varchar,oid,integer,bigint,numeric,boolean,jsonb,timestamptz,interval,"char",uuid,text[],regtype[],clientele.order_profile,double precision}'::regtype[]) r (type)
			WHERE (l.type = r.type OR 'text'::regtype IN (l.type, r.type) OR 'integer'::regtype IN (l.type, r.type) OR (l.type::text, r.type::text) IN (('regtype', 'regtype[]'), ('name', 'text[]'), ('text[]', 'name')))
			  AND NOT (place = 'clientele' AND EXISTS (SELECT FROM pg_operator x WHERE x.oprnamespace = 'clientele'::regnamespace AND x.oprname = o.name AND x.oprleft = l.type AND x.oprright = r.type))
		LOOP
			IF place <> 'pg_temp' THEN
				EXECUTE format(replace(f.make, 'planted_operator', format('"planted %s"', replace(f.name, '%', 'percent'))), place, f.name, f.l, f.r, f.result, format(body, 'operator ' || replace(f.name, '%', 'percent')));
				EXECUTE format(replace(f.operator, 'planted_operator', format('"planted %s"', replace(f.name, '%', 'percent'))), place, f.name, f.l, f.r);
				planted := planted + 1;
			END IF;
		END LOOP;
		FOR f IN SELECT DISTINCT t.typname FROM pg_type t WHERE t.typname = ANY (words) AND t.typtype IN ('b', 'c', 'd', 'e', 'r')
				AND t.typnamespace IN ('pg_catalog'::regnamespace, 'clientele'::regnamespace, 'shop'::regnamespace)
				AND NOT EXISTS (SELECT FROM pg_type x WHERE x.typname = t.typname AND x.typnamespace = CASE place WHEN 'pg_temp' THEN pg_my_temp_schema() ELSE place::regnamespace END)
		LOOP
			EXECUTE CASE WHEN EXISTS (SELECT FROM pg_class c WHERE c.relname = f.typname AND c.relnamespace IN ('pg_catalog'::regnamespace, 'shop'::regnamespace))
				THEN format('CREATE VIEW %s.%I AS SELECT 1 AS planted', place, f.typname)
				ELSE format('CREATE DOMAIN %s.%I AS pg_catalog.text CHECK (public.planted_domain(%2$L))', place, f.typname) END;
			planted := planted + 1;
		END LOOP;
		RETURN planted;
	END $plant$;
	CREATE OR REPLACE FUNCTION public.planted_domain(name text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING 'planted code runs as %: type %', current_user, name; RETURN true; END $$};
like(as('hostile', "$plant; CREATE TEMP TABLE here (); SELECT public.plant('public')"), qr/^\d{4,}$/, 'thousands of objects are planted in public');
like(as('hostile', "SELECT public.plant('clientele')"), qr/^\d{4,}$/, 'and in clientele');
# What reads a literal, or casts to it, would run a domain's check: while a rule is looked at, before anybody knows what it uses.
is(as('hostile', q{CREATE DOMAIN clientele.lure AS pg_catalog.text CHECK (public.planted_domain('lure')); CREATE TYPE clientele.bait AS (x clientele.lure); CREATE TYPE clientele.span AS RANGE (subtype = clientele.lure);
	CREATE FUNCTION clientele.takes(clientele.bait) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RAISE WARNING 'planted code runs as %: takes', current_user; RETURN true; END $$;
	CREATE FUNCTION clientele.made(pg_catalog.text) RETURNS clientele.bait LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RAISE WARNING 'planted code runs as %: cast', current_user; RETURN NULL; END $$;
	CREATE CAST (pg_catalog.text AS clientele.bait) WITH FUNCTION clientele.made(pg_catalog.text) AS IMPLICIT;
	CREATE FUNCTION clientele.same(pg_catalog.text, clientele.bait) RETURNS boolean LANGUAGE sql IMMUTABLE RETURN true;
	CREATE OPERATOR clientele.=== (LEFTARG = pg_catalog.text, RIGHTARG = clientele.bait, FUNCTION = clientele.same)}), '', 'and types that run code when a text is read');
# Who plants in pg_temp does it in the very session.
my $session = session($node, $db);
like(ask($session, "SET ROLE hostile; CREATE TEMP TABLE here (); SELECT public.plant('pg_temp')"), qr/\d{4,}/, 'and in pg_temp');
ask($session, 'RESET ROLE');
like(ask($session, q{SET search_path = public; SELECT 1 OPERATOR(public.=) 1}), qr/planted code runs/, 'they run where they are called');
ask($session, q{SET search_path = pg_temp, public, clientele});

# ---- Everything, as a superuser, over a full store ----

my $log = -s $node->logfile;
# With the very types, so that what the caller writes means our own functions.
my @calls = map { s/::(?=[a-z])/::pg_catalog./gr } map { s/^\s+|\s+$//gr } grep { /\S/ } split /;\n/, slurp_file($INC{'Shop.pm'} =~ s/Shop\.pm$/planted_calls.sql/r);
for my $call (@calls)
{
	my $answer = ask($session, $call);
	unlike($answer, qr/planted code|ERROR:  (?:42883|42725)/, 'no planted code: ' . substr($call =~ s/\s+/ /gr, 0, 100));
	# What is marked so is refused; a function says why.
	if ($call =~ /^-- refused/) { like($answer, qr/ERROR/, 'and it is refused') }
	else { unlike($answer, qr/ERROR/, 'and it works') or diag($call) }
}
$session->quit;
is(join("\n", grep { /WARNING:.*planted code/ } split /\n/, slurp_file($node->logfile, $log)), '', 'nor does the server say so anywhere');

# So that a function which is new is called above: those whose names are looked up when they run.
is($node->safe_psql($db, q{SELECT pg_stat_force_next_flush(); SELECT string_agg(DISTINCT p.proname, ' ' ORDER BY p.proname) FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
	WHERE p.pronamespace = 'clientele'::regnamespace AND p.prosqlbody IS NULL AND p.proconfig IS NOT NULL AND l.lanname IN ('plpgsql', 'sql') AND p.proowner <> 'hostile'::regrole
		AND NOT EXISTS (SELECT FROM pg_stat_user_functions s WHERE s.funcid = p.oid)}), "\n", 'every function that looks up names when it runs has run');

done_testing();
