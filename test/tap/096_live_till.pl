# Live stores never break the till: whatever is wrong with the store, an order that would have been accepted is accepted
# and waits for nobody. One warning says so, and the store is shown as stale until a refresh has mended it.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;
use Time::HiRes qw(time usleep);

my $node = new_server('till', "log_min_error_statement = panic\ndeadlock_timeout = '100ms'\n");
$node->safe_psql('postgres', q{CREATE ROLE owner LOGIN; CREATE ROLE till LOGIN; CREATE DATABASE base OWNER owner});

# The orders are the superuser's, the store is an ordinary role's, and the till may do nothing but write orders.
$node->safe_psql('base', q{
	CREATE EXTENSION clientele;
	CREATE TABLE orders (order_id bigint PRIMARY KEY, customer_id bigint, ordered_at timestamptz, amount numeric, quantity integer NOT NULL DEFAULT 1);
	CREATE TABLE order_items (order_id bigint, category text, amount numeric);
	CREATE INDEX ON orders (customer_id); CREATE INDEX ON order_items (order_id);
	INSERT INTO orders SELECT o, o % 20, timestamptz '2024-01-01' + o * interval '7 hours', o % 50 FROM generate_series(1, 200) o;
	INSERT INTO order_items SELECT o, 'c' || o % 3, o % 50 FROM generate_series(1, 200) o;
	GRANT SELECT, TRIGGER ON orders, order_items TO owner;
	GRANT SELECT, INSERT, UPDATE, DELETE ON orders, order_items TO till;
	GRANT ALL ON SCHEMA public TO till;
	ANALYZE});
my $create = q{SET client_min_messages = warning; SELECT clientele.create_store('shop', orders => 'orders', order_filter => '100 / quantity > 1', ITEMS time_zone => 'America/New_York', live => true); CALL clientele.refresh('shop');};
$node->safe_psql('base', 'CREATE DATABASE with_items TEMPLATE base OWNER owner');
$node->safe_psql('base', $create =~ s/ITEMS//r, extra_params => [ '-U', 'owner' ]);
$node->safe_psql('with_items', $create =~ s/ITEMS/items => 'order_items',/r, extra_params => [ '-U', 'owner' ]);

my $database;
my $databases = 0;
# A shop of its own for each case.
sub new_shop
{
	my ($template) = @_;
	$node->safe_psql('postgres', "DROP DATABASE IF EXISTS $database WITH (FORCE)") if defined $database;
	$database = 'shop' . ++$databases;
	$node->safe_psql('postgres', "CREATE DATABASE $database OWNER owner TEMPLATE " . ($template // 'base'));
	$node->safe_psql('postgres', "GRANT CREATE ON DATABASE $database TO till");
	return;
}

# What a role gets for some SQL: what it is answered, and what it is told beside. Never waits.
sub as
{
	my ($role, $sql) = @_;
	my ($status, $answer, $told) = $node->psql($database, "SET lock_timeout = '3s'; SET statement_timeout = '10s';\n$sql", extra_params => [ '-U', $role, '-v', 'VERBOSITY=verbose' ]);
	return ($answer, $told);
}
sub answer { my ($answer, $told) = as(@_); return $told eq '' ? $answer : $told; }

# Each of another customer, so that none makes up for another that was not noted.
my $next = 1000;
sub new_order { $next++; return "INSERT INTO orders VALUES ($next, $next, now() - interval '1 hour', 10)"; }
my $stale = q{SELECT stale FROM clientele.stores WHERE store = 'shop'};

# Placed by the till: accepted, with so many warnings, each of one statement.
sub accepted
{
	my ($sql, $warnings, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $started = time;
	my ($answer, $told) = as('till', $sql);
	unlike($told, qr/ERROR|FATAL|server closed/, "$name: accepted");
	is(() = $told =~ /WARNING:/g, $warnings, $warnings ? 'with one warning a statement' : 'without a warning') or diag($told);
	cmp_ok(time - $started, '<', 3, 'at once');
	return $told;
}

# The store says that it is stale, and why.
sub is_stale
{
	my ($why, $failures) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	like(answer('owner', $stale), $why, 'the store is stale, and says why');
	is(answer('owner', 'SELECT count(*) FROM shop.failures'), $failures, 'each failure is recorded') if defined $failures;
	return;
}

sub is_mended
{
	my ($how) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is(answer('owner', $how // q{CALL clientele.refresh('shop')}), '', 'it can be mended');
	is(answer('owner', $stale), '', 'then it is not stale');
	return is_exact();
}

sub is_exact
{
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is(answer('owner', differences('shop')), '0', 'and exact');
	accepted(new_order(), 0, 'another order');
	return is(answer('owner', differences('shop')), '0', 'and exact with it');
}

# ---- What is broken in the store ----

my @rows = ("INSERT INTO orders VALUES (501, 7, now(), 10); INSERT INTO orders VALUES (502, 8, now(), 10), (503, 9, now(), 10)",
	'UPDATE orders SET amount = amount + 1 WHERE order_id IN (3, 4, 501); DELETE FROM orders WHERE order_id IN (5, 6)');

for my $case (
	# [ name, what happens (as the superuser), why the store is stale, SQL that mends it, or undef where nothing does, failures ]
	[ 'the table pending is dropped', 'DROP TABLE shop.pending CASCADE', qr/pending/, undef, undef ],
	[ 'the tables pending and failures are dropped', 'DROP TABLE shop.pending CASCADE; DROP TABLE shop.failures CASCADE', qr/pending|failures/, undef, undef ],
	[ 'the table failures is dropped', 'DROP TABLE shop.failures CASCADE', qr/failures/, undef, undef, 0 ],
	[ 'a column of pending is renamed', 'ALTER TABLE shop.pending RENAME due TO then_due', qr/pending/, 'ALTER TABLE shop.pending RENAME then_due TO due; CALL clientele.refresh($$shop$$)', 4 ],
	[ 'pending is full', 'ALTER TABLE shop.pending ADD CHECK (false) NOT VALID', qr/pending/, 'ALTER TABLE shop.pending DROP CONSTRAINT pending_check; CALL clientele.refresh($$shop$$)', 4 ],
	[ 'pending and failures are full', 'ALTER TABLE shop.pending ADD CHECK (false) NOT VALID; ALTER TABLE shop.failures ADD CHECK (false) NOT VALID', undef,
		'ALTER TABLE shop.pending DROP CONSTRAINT pending_check; ALTER TABLE shop.failures DROP CONSTRAINT failures_check; CALL clientele.refresh($$shop$$, true)', 0 ],
	[ 'pending has a trigger that fails', q{CREATE FUNCTION public.fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$; CREATE TRIGGER fail BEFORE INSERT ON shop.pending FOR EACH ROW EXECUTE FUNCTION public.fail()},
		qr/pending/, 'DROP TRIGGER fail ON shop.pending; CALL clientele.refresh($$shop$$)', 4 ],
	[ 'pending has a unique index', 'CREATE UNIQUE INDEX ON shop.pending ((1)) WHERE customer_id > 0', qr/pending/, 'DROP INDEX shop.pending_expr_idx; CALL clientele.refresh($$shop$$)', 4 ],
	[ 'the settings are emptied', 'DELETE FROM shop.settings', undef, undef, undef ],
	[ 'the settings are dropped', 'DROP TABLE shop.settings CASCADE', undef, undef, undef ],
	[ 'the profiles are dropped', 'DROP TABLE shop.profiles CASCADE', undef, undef, undef, undef ],
	[ 'the definition of an order is dropped', 'DROP VIEW shop._orders CASCADE', qr/./, undef, undef ],
	[ 'the store is dropped as a schema', 'SET client_min_messages = warning; DROP SCHEMA shop CASCADE', undef, undef, undef ],
	[ 'a column of the orders is dropped', 'ALTER TABLE orders DROP COLUMN quantity CASCADE', qr/./, undef, undef ])
{
	my ($name, $sql, $why, $mend, $failures, $warnings) = @$case;
	new_shop();
	is($node->safe_psql($database, $sql), '', $name);
	$warnings = 4 if @$case < 6;
	if (defined $warnings) { accepted(join(';', @rows), $warnings, $name); }
	else { unlike((as('till', join(';', @rows)))[1], qr/ERROR|FATAL|server closed/, "$name: accepted"); }
	is(answer('till', 'SELECT count(*), min(amount) FROM orders WHERE order_id IN (3, 4, 5, 6, 501, 502, 503)'), '5|4', 'all that was written is there');
	is_stale($why, $failures) if defined $why;
	is_mended($mend) if defined $mend;
}

# What no look at the table foretells: an index has no room for a profile of many days.
new_shop();
$node->safe_psql($database, 'CREATE INDEX of_profiles ON shop.pending (profile)');
accepted(q{INSERT INTO orders SELECT 10000 + d, 7, timestamptz '0001-01-01' + (d * 300 + hashint4(d) % 250) * interval '1 day', 10 FROM generate_series(1, 3000) d}, 1, 'an index that a profile does not fit into');
is(answer('owner', 'SELECT count(*) FROM orders WHERE customer_id = 7 AND order_id > 10000'), '3000', 'all of them are there');
is(answer('owner', 'SELECT count(*) FROM shop.pending'), '0', 'and nothing that is half done');
is_stale(qr/index row size/, 1);
is_mended(q{DROP INDEX shop.of_profiles; CALL clientele.refresh('shop')});

# The disk is full: for a table, or for its index alone.
for my $full ('pending', 'pending_customer_id')
{
	new_shop('with_items');
	my $file = $node->data_dir . '/' . $node->safe_psql($database, "TRUNCATE shop.pending; CHECKPOINT; SELECT pg_relation_filepath('shop.$full')");
	rename $file, "$file.aside" or die;
	symlink '/dev/full', $file or die;
	my @told = map { accepted($_, 1, "no room left for $full") } new_order(), "INSERT INTO order_items VALUES ($next, 'wine', 4.5), (3, 'wine', 4)", "UPDATE orders SET amount = 3 WHERE order_id = $next", "DELETE FROM orders WHERE order_id = $next";
	like($_, qr/No space left on device|unexpected data beyond EOF/, 'which says why') for @told;
	is_stale(qr/4 statements/, 4);
	unlink $file;
	rename "$file.aside", $file or die;
	is_mended();
}
is($node->safe_psql($database, q{VACUUM shop.failures; SELECT pg_relation_size('shop.failures') > 0}), 't', 'the first failures need no room that there is not');

# Neither can be written: the session owes it, and its next statement writes it down.
{
	new_shop();
	my $holder = session($node, $database);
	my $known = $node->background_psql($database, on_error_stop => 0, extra_params => [ '-U', 'till', '-v', 'VERBOSITY=verbose' ]);
	is(ask($known, new_order()), '', 'an order');
	ask($holder, 'BEGIN; LOCK TABLE shop.pending, shop.failures');
	like(ask($known, new_order()), qr/^(?!.*WARNING.*WARNING).*WARNING:  01000: .*stale/s, 'an order that can be noted nowhere');
	ask($holder, 'ROLLBACK');
	is(answer('owner', $stale), '', 'nobody knows');
	is(ask($known, new_order()), '', 'the next one of the session');
	is_stale(qr/1 statement .* earlier statements of this session/, 1);
	is(ask($known, new_order()), '', 'another one');
	is_stale(qr/1 statement/, 1);
	is_mended();
	$_->quit for $holder, $known;
}

# A ledger that is not what it was created as: it is not read, or what it lacks is taken for NULL. In a session that has
# read it before, and in a new one.
my $ledger = q{CREATE TABLE shop.ledger (exposure_id bigint, customer_id bigint, state text, ordered_at timestamptz, issued_at timestamptz, valid_until timestamptz, min_spend numeric, order_id bigint);
	INSERT INTO shop.ledger SELECT exposure_id, customer_id, state, ordered_at, issued_at, valid_until, min_spend, order_id FROM shop.ledger0; CREATE INDEX ledger_order ON shop.ledger (order_id)};
my $move = 'ALTER TABLE shop.ledger RENAME TO ledger0; ALTER INDEX shop.ledger_order RENAME TO ledger_order0;';
my $recreate = 'DROP INDEX shop.ledger_order; CREATE';
for my $case (
	# [ name, what happens, warnings a statement, what is noted of a reversal ]
	[ 'no threshold', 'ALTER TABLE shop.ledger ALTER min_spend DROP NOT NULL; UPDATE shop.ledger SET min_spend = NULL', 0, 2 ],
	[ 'nobody\'s', 'ALTER TABLE shop.ledger ALTER customer_id DROP NOT NULL; UPDATE shop.ledger SET customer_id = NULL', 0, 0 ],
	[ 'another table of the same shape', "$move $ledger", 0, 0 ],
	[ 'another index of the same shape', "$recreate INDEX ON shop.ledger (order_id)", 0, 0 ],
	[ 'a view', "$move $ledger; ALTER TABLE shop.ledger RENAME TO ledger1; CREATE VIEW shop.ledger AS SELECT * FROM shop.ledger1", 1, 0 ],
	map({ [ "$_->[0] as $_->[1]", "$move " . $ledger =~ s/(?<=\b$_->[0] )\w+/$_->[1]/r =~ s/(SELECT.*)\b$_->[0]\b(.*FROM)/$1($_->[2])::$_->[1]$2/r, 1, 0 ] } [ 'state', 'bigint', 4702111234474983745 ], [ 'state', 'name', 'state' ], [ 'order_id', 'text', 'order_id' ],
		[ 'order_id', 'integer', 'order_id' ], [ 'customer_id', 'text', 'customer_id' ], [ 'min_spend', 'bigint', 3 ], [ 'issued_at', 'text', 'issued_at' ], [ 'exposure_id', 'text', 'exposure_id' ]),
	[ 'a hash index', "$recreate INDEX ledger_order ON shop.ledger USING hash (order_id)", 1, 0 ],
	[ 'an index of another table', "$recreate TABLE shop.other (order_id bigint); INSERT INTO shop.other VALUES (77); CREATE INDEX ledger_order ON shop.other (order_id)", 1, 0 ],
	[ 'an index of another column', "$recreate INDEX ledger_order ON shop.ledger (state)", 1, 0 ],
	[ 'an index of an expression', "$recreate INDEX ledger_order ON shop.ledger ((order_id::text))", 1, 0 ],
	[ 'an index of other rows', "$recreate INDEX ledger_order ON shop.ledger (order_id) WHERE state = 'open'", 1, 0 ])
{
	my ($name, $sql, $warnings, $noted) = @$case;
	new_shop();
	is(answer('owner', q{INSERT INTO shop.ledger (customer_id, period, program, program_version, global_holdout, basis, reference_value, min_spend, reward, reward_kind, currency, message, reasons, variant,
		propensity, issued_at, valid_until, code, state, closed_at, order_id, ordered_at, order_value) SELECT customer_id, 1, 'p', 1, 0, 'b', 1, 1, 1, 'amount', 'USD', 'm', '{}', 'v', 1, ordered_at - interval '1 day', ordered_at + interval '1 day', 'CODE',
		'redeemed', now(), order_id, ordered_at, amount FROM orders WHERE order_id = 77}), '', 'an offer was redeemed');
	my $known = $node->background_psql($database, on_error_stop => 0, extra_params => [ '-U', 'till', '-v', 'VERBOSITY=verbose' ]);
	my $update = 'UPDATE orders SET amount = amount + 1 WHERE order_id = 77';
	is(ask($known, $update), '', 'an order');
	is(answer('owner', $sql), '', "the ledger has $name");
	my $warning = qr/WARNING:  01000: [^\n]*the ledger of the store/;
	like(ask($known, $update), $warnings ? qr/^(?!.*WARNING.*WARNING).*$warning/s : qr/^$/, 'another order');
	my $told = accepted($update, $warnings, 'and one of a new session');
	like($told, $warning, 'which says why') if $warnings;
	is(answer('owner', 'SELECT count(*) FROM shop.failures'), 2 * $warnings, 'recorded, where it was not read');
	is(answer('owner', 'SELECT count(*) FROM shop.reversals'), $noted, 'noted, where it no longer qualifies');
	is(answer('owner', differences('shop')), '0', 'the profiles are exact all the same');
	$known->quit;
}

# The same while a session has already written orders.
new_shop();
my $till = $node->background_psql($database, on_error_stop => 0, extra_params => [ '-U', 'till', '-v', 'VERBOSITY=verbose' ]);
is(ask($till, q{SET lock_timeout = '3s'; SET statement_timeout = '10s'; } . new_order()), '', 'an order');
my $in_between = sub { my ($sql) = @_; $node->safe_psql($database, $sql); return; };
$in_between->('ALTER TABLE shop.pending RENAME TO not_pending');
like(ask($till, new_order()), qr/^(?!.*WARNING.*WARNING).*WARNING:  01000: .*shop/s, 'a session that wrote orders before warns, too');
$in_between->('ALTER TABLE shop.not_pending RENAME TO pending');
is(ask($till, new_order()), '', 'and goes on when it is back');
is_stale(qr/1 statement/, 1);
is_mended();
is(ask($till, 'BEGIN; ' . new_order()), '', 'an order in an open transaction');
$in_between->('ALTER TABLE shop.failures ADD note text');
is(ask($till, new_order()), '', 'does not mind a change that does not matter to it');
ask($till, 'COMMIT');
$in_between->('ALTER TABLE shop.failures DROP note');

# ---- What is renamed is followed ----

for my $rename ('ALTER TABLE orders RENAME amount TO total', 'ALTER TABLE orders RENAME customer_id TO "Buyer"', 'ALTER TABLE orders RENAME quantity TO pieces', 'ALTER SCHEMA shop RENAME TO "Other shop"',
	'ALTER SCHEMA "Other shop" RENAME TO shop', 'ALTER TABLE orders RENAME TO sales', 'CREATE SCHEMA elsewhere; GRANT USAGE ON SCHEMA elsewhere TO till, owner; ALTER TABLE sales SET SCHEMA elsewhere',
	'ALTER TABLE elsewhere.sales ADD COLUMN more text DEFAULT $$x$$', 'ALTER TABLE elsewhere.sales DROP COLUMN more', 'ALTER ROLE owner RENAME TO keeper', 'ALTER ROLE keeper RENAME TO owner', 'ANALYZE elsewhere.sales', 'VACUUM FULL elsewhere.sales',
	q{CREATE FUNCTION public.whatever() RETURNS integer LANGUAGE sql AS 'SELECT 1'})
{
	$in_between->($rename);
	my $table = $node->safe_psql($database, q{SELECT oid::regclass FROM pg_class WHERE relname IN ('orders', 'sales') AND relkind = 'r'});
	my $store = $node->safe_psql($database, q{SELECT relnamespace::regnamespace FROM pg_class WHERE relname = 'pending'});
	$next++;
	is(ask($till, "INSERT INTO $table VALUES ($next, 7, now(), 10)"), '', "$rename: an order");
	$next++;
	accepted("INSERT INTO $table VALUES ($next, 7, now(), 10)", 0, 'an order by a new session');
	is($node->safe_psql($database, differences($store)), '0', 'the store is exact');
}
$till->quit;

# ---- Orders that cannot be counted ----

# The store's own expressions fail for it.
for my $bad ('quantity = 0')
{
	new_shop();
	accepted("UPDATE orders SET $bad WHERE order_id = 77", 1, "UPDATE to $bad");
	is_stale(qr/1 statement/, 1);
	is(answer('owner', 'SELECT relation, operation, length(sqlstate), message <> $$$$, failed_at > now() - interval $$1 minute$$ FROM shop.failures'), 'public.orders|UPDATE|5|t|t', 'which says what');
	like(answer('owner', q{CALL clientele.refresh('shop')}), qr/ERROR:  22012/, 'a refresh cannot count it either, and says so');
	is_stale(qr/1 statement/, 1);
	accepted('INSERT INTO orders SELECT order_id + 10000, customer_id, ordered_at, amount, quantity FROM orders WHERE order_id BETWEEN 70 AND 80', 1, 'a statement with a bad and several good rows');
	is_stale(qr/2 statements/, 2);
	accepted(q{UPDATE orders SET amount = 5, ordered_at = '2024-05-05', quantity = 1 WHERE order_id IN (77, 10077)}, 1, 'it is corrected');
	is_mended();
}

# No profile can take it: it is left out, and nothing else with it.
for my $bad ('amount = 1e14', q{amount = 'NaN'}, q{amount = 'Infinity'}, q{ordered_at = '-infinity'}, q{ordered_at = '0100-01-01 BC'}, q{ordered_at = '0001-01-01'},
	q{ordered_at = 'infinity'}, q{ordered_at = '12000-01-01'})
{
	new_shop();
	accepted("UPDATE orders SET $bad WHERE order_id = 77", 0, "UPDATE to $bad");
	is(answer('owner', $stale), '', 'the store is not stale');
	is_exact();
	accepted('INSERT INTO orders SELECT order_id + 10000, customer_id, ordered_at, amount, quantity FROM orders WHERE order_id BETWEEN 70 AND 80', 0, 'a statement with a bad and several good rows');
	is_exact();
	like(answer('owner', q{SELECT customer_id, detail FROM shop.uncountable_orders u JOIN clientele.check_store('shop') c ON c.finding = 'uncountable' AND c.customer = u.customer_id::text WHERE u.order_id = 77}),
		qr/\d+\|.* 2 orders left out, such as order (?:100)?77 of customer/, 'it is named');
	like(answer('owner', q{CALL clientele.refresh('shop', true)}), qr/WARNING:  01000: store shop leaves out 2 orders/, 'a refresh that counts everything says so');
	accepted(q{UPDATE orders SET amount = 5, ordered_at = '2024-05-05', quantity = 1 WHERE order_id IN (77, 10077)}, 0, 'it is corrected');
	is_mended();
}

# ---- The rights of who places orders ----

new_shop('with_items');
$node->safe_psql($database, q{REVOKE ALL ON SCHEMA clientele FROM PUBLIC; REVOKE ALL ON ALL TABLES IN SCHEMA clientele FROM PUBLIC; REVOKE ALL ON ALL FUNCTIONS IN SCHEMA clientele FROM PUBLIC; GRANT USAGE ON SCHEMA clientele TO owner; GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA clientele TO owner;
	REVOKE SELECT ON orders, order_items FROM till});
accepted("INSERT INTO orders VALUES (501, 7, now(), 10), (502, 8, now(), 10); INSERT INTO order_items VALUES (501, 'baby', 3)", 0, 'a role that may do nothing but insert');
is(answer('owner', differences('shop')), '0', 'its orders are noted exactly');
like(answer('till', "SELECT * FROM shop.$_"), qr/ERROR:  42501/, "it may not read shop.$_") for qw(pending failures settings _recounted);
like(answer('till', 'INSERT INTO shop.pending (due) VALUES (now())'), qr/ERROR:  42501/, 'nor write there');
is(answer('till', q{SELECT current_user, session_user}), 'till|till', 'and is who it was');
$node->safe_psql($database, 'GRANT SELECT ON orders, order_items TO till');

# What it has made does not run with the rights of the store's owner.
my ($answer, $told) = as('till', q{
	CREATE SCHEMA trap; SET search_path = trap, pg_temp, public, pg_catalog;
	CREATE FUNCTION trap.caught(anyelement) RETURNS void LANGUAGE plpgsql AS $$ BEGIN INSERT INTO trap.seen VALUES (current_user); END $$;
	CREATE TABLE trap.seen (who text); GRANT ALL ON SCHEMA trap TO PUBLIC; GRANT ALL ON trap.seen TO PUBLIC;
	CREATE FUNCTION trap.divide(integer, integer) RETURNS integer LANGUAGE sql AS 'SELECT trap.caught(1); SELECT 50'; CREATE OPERATOR trap./ (FUNCTION = trap.divide, LEFTARG = integer, RIGHTARG = integer);
	CREATE FUNCTION trap.more(integer, integer) RETURNS boolean LANGUAGE sql AS 'SELECT trap.caught(1); SELECT true'; CREATE OPERATOR trap.> (FUNCTION = trap.more, LEFTARG = integer, RIGHTARG = integer);
	CREATE FUNCTION trap.same(bigint, bigint) RETURNS boolean LANGUAGE sql AS 'SELECT trap.caught(1); SELECT true'; CREATE OPERATOR trap.= (FUNCTION = trap.same, LEFTARG = bigint, RIGHTARG = bigint);
	CREATE TEMP TABLE clientele_new (order_id bigint); CREATE TEMP TABLE clientele_old (order_id bigint); CREATE TEMP TABLE pending (a text); CREATE TEMP TABLE orders AS SELECT * FROM public.orders; CREATE TEMP VIEW _orders AS SELECT 1;
	INSERT INTO public.orders VALUES (601, 7, now(), 10); UPDATE public.orders SET amount = 11 WHERE order_id OPERATOR(pg_catalog.=) 601; INSERT INTO public.order_items VALUES (601, 'baby', 4), (602, 'baby', 4);
	UPDATE public.order_items SET amount = 5 WHERE order_id OPERATOR(pg_catalog.=) 601;
	SELECT count(*), string_agg(DISTINCT who, ',') FROM trap.seen});
is($answer . $told, '0|', 'what the till has made is not called, and no table of its own is taken for another');
is(answer('owner', differences('shop')), '0', 'the orders are noted exactly');

# The settings of a session change nothing.
for my $settings (q{search_path = ''}, 'row_security = off', q{datestyle = 'German'}, q{timezone = 'Asia/Kathmandu'}, 'standard_conforming_strings = off', 'transform_null_equals = on', 'default_transaction_isolation = serializable', 'extra_float_digits = -15',
	'enable_indexscan = off', q{work_mem = '64kB'}, 'check_function_bodies = on', 'client_min_messages = error', 'default_transaction_deferrable = on', 'plan_cache_mode = force_generic_plan', 'quote_all_identifiers = on')
{
	$next++;
	accepted("SET $settings; INSERT INTO public.orders VALUES ($next, 7, now() - interval '1 hour', 10, 3); UPDATE public.orders SET amount = 12 WHERE order_id = $next; INSERT INTO public.order_items VALUES ($next, 'wine', 4.5)", 0, $settings);
	is(answer('owner', differences('shop')), '0', 'exact');
}

# The owner of the store loses rights: the orders are accepted all the same, and noted, or recorded as not noted.
my $restore = 'GRANT ALL ON ALL TABLES IN SCHEMA shop TO owner; GRANT ALL ON SCHEMA shop TO owner; GRANT SELECT, TRIGGER ON orders, order_items TO owner; GRANT USAGE ON SCHEMA public, clientele TO PUBLIC; GRANT SELECT ON ALL TABLES IN SCHEMA clientele TO PUBLIC';
for my $revoke ('REVOKE ALL ON shop.pending, shop.failures, shop.profiles, shop.settings, shop._orders FROM owner', 'REVOKE ALL ON SCHEMA shop FROM owner', 'REVOKE ALL ON orders, order_items FROM owner',
	'REVOKE ALL ON SCHEMA public FROM PUBLIC; GRANT USAGE ON SCHEMA public TO till', 'REVOKE ALL ON SCHEMA clientele FROM PUBLIC, owner')
{
	my $failed_before = $node->safe_psql($database, 'SELECT count(*) FROM shop.failures');
	$node->safe_psql($database, $revoke);
	my $order = new_order();
	my (undef, $told) = as('till', "$order; INSERT INTO order_items VALUES ($next, 'wine', 4.5); UPDATE orders SET amount = 13 WHERE order_id = $next");
	unlike($told, qr/ERROR|(?:WARNING.*){4}/s, "$revoke: an order is accepted");
	$node->safe_psql($database, $restore);
	my $differences = $node->safe_psql($database, differences('shop'));
	my $failures = $node->safe_psql($database, 'SELECT count(*) FROM shop.failures') - $failed_before;
	is($failures, (() = $told =~ /WARNING/g), 'each warning is recorded');
	ok($differences eq '0' || $failures ne '0', 'and the store is exact, or stale') or diag("differences: $differences");
	is_mended(q{CALL clientele.refresh('shop', true)});
}

# Row-level security.
$node->safe_psql($database, q{ALTER TABLE shop.pending ENABLE ROW LEVEL SECURITY; ALTER TABLE shop.pending FORCE ROW LEVEL SECURITY; ALTER TABLE shop.failures ENABLE ROW LEVEL SECURITY; ALTER TABLE shop.failures FORCE ROW LEVEL SECURITY});
unlike((as('till', new_order()))[1], qr/ERROR/, 'a policy on pending: an order is accepted');
$node->safe_psql($database, q{ALTER TABLE shop.pending NO FORCE ROW LEVEL SECURITY; ALTER TABLE shop.pending DISABLE ROW LEVEL SECURITY; ALTER TABLE shop.failures NO FORCE ROW LEVEL SECURITY; ALTER TABLE shop.failures DISABLE ROW LEVEL SECURITY;
	ALTER TABLE orders ENABLE ROW LEVEL SECURITY; CREATE POLICY everybody ON orders TO till USING (true)});
unlike((as('till', new_order()))[1], qr/ERROR/, 'a policy on the orders: an order is accepted');
$node->safe_psql($database, q{ALTER TABLE orders DISABLE ROW LEVEL SECURITY});
is_mended(q{CALL clientele.refresh('shop', true)});

# ---- Locks ----

new_shop('with_items');
my $holder = session($node, $database);
for my $lock (map({ "LOCK TABLE $_ IN ACCESS EXCLUSIVE MODE" } 'shop.pending', 'shop.failures', 'shop.settings', 'shop.profiles', 'shop.pending, shop.failures', 'shop.pending, shop.failures, shop.settings, shop.profiles'),
	map({ "ALTER VIEW shop.$_ SET (security_barrier = true)" } '_orders', '_items', '_order_owners'))
{
	# A session that knows the store already, and one that does not.
	my $known = $node->background_psql($database, on_error_stop => 0, extra_params => [ '-U', 'till', '-v', 'VERBOSITY=verbose' ]);
	ask($known, q{SET lock_timeout = '3s'; SET statement_timeout = '10s'; } . new_order() . "; INSERT INTO order_items VALUES ($next, 'wine', 4.5)");
	ask($holder, "BEGIN; $lock");
	my $started = time;
	my $told = ask($known, new_order() . "; INSERT INTO order_items VALUES ($next, 'wine', 4.5); UPDATE orders SET amount = 3 WHERE order_id = $next");
	unlike($told, qr/ERROR/, "$lock: an order is accepted");
	$told .= (as('till', new_order() . "; INSERT INTO order_items VALUES ($next, 'wine', 4.5); DELETE FROM orders WHERE order_id = $next - 1"))[1];
	unlike($told, qr/ERROR/, 'and one of a new session');
	cmp_ok(time - $started, '<', 2, 'none waits');
	ask($holder, 'ROLLBACK');
	my $differences = $node->safe_psql($database, differences('shop'));
	my $failures = $node->safe_psql($database, 'SELECT count(*) FROM shop.failures');
	# Where there is nowhere to record it, only the warning tells.
	is($failures, (() = $told =~ /WARNING/g), 'each warning is recorded') unless $lock =~ /failures/;
	ok($differences eq '0' || $failures ne '0' || $lock =~ /failures/, 'the store is exact, or stale') or diag("differences: $differences");
	is(answer('owner', q{CALL clientele.refresh('shop', true)}), '', 'a refresh');
	is(answer('owner', $stale), '', 'after which it is not');
	is(answer('owner', differences('shop')), '0', 'and exact');
	$known->quit;
}

# A partition is locked, and only others are written.
$node->safe_psql($database, q{
	CREATE TABLE parts (order_id bigint, customer_id bigint, ordered_at timestamptz, amount numeric) PARTITION BY RANGE (ordered_at);
	CREATE TABLE old_parts PARTITION OF parts FOR VALUES FROM (MINVALUE) TO ('2024-01-01'); CREATE TABLE new_parts PARTITION OF parts DEFAULT;
	CREATE INDEX ON parts (order_id); CREATE INDEX ON parts (customer_id);
	CREATE TABLE part_items (order_id bigint, category text, amount numeric) PARTITION BY LIST ((order_id % 2)); CREATE INDEX ON part_items (order_id);
	CREATE TABLE even_items PARTITION OF part_items FOR VALUES IN (0); CREATE TABLE odd_items PARTITION OF part_items FOR VALUES IN (1);
	GRANT ALL ON parts, new_parts, old_parts, part_items, odd_items TO till;
	SET client_min_messages = warning; SELECT clientele.create_store('parts_shop', orders => 'parts', items => 'part_items', live => true)});
for my $lock ('TRUNCATE old_parts', 'LOCK TABLE even_items', 'LOCK TABLE parts_shop.pending')
{
	ask($holder, "BEGIN; $lock");
	for my $sql (q{INSERT INTO part_items VALUES (1, 'baby', 2), (3, 'baby', 2)}, q{INSERT INTO new_parts VALUES (1, 1, now() - interval '1 hour', 5); UPDATE new_parts SET amount = 6 WHERE order_id = 1}, q{UPDATE odd_items SET amount = 3 WHERE order_id = 1},
		$lock =~ /even/ ? q{INSERT INTO parts VALUES (3, 3, now() - interval '1 hour', 5)} : q{DELETE FROM odd_items WHERE order_id = 3})
	{
		my $started = time;
		unlike((as('till', $sql))[1], qr/ERROR/, "$lock: $sql");
		cmp_ok(time - $started, '<', 2, 'at once');
	}
	ask($holder, 'ROLLBACK');
	ok($node->safe_psql($database, differences('parts_shop')) eq '0' || $node->safe_psql($database, 'SELECT count(*) FROM parts_shop.failures') ne '0', 'the store is exact, or stale');
	$node->safe_psql($database, q{CALL clientele.refresh('parts_shop')});
	is($node->safe_psql($database, differences('parts_shop')), '0', 'then exact');
}
$node->safe_psql($database, q{SELECT clientele.drop_store('parts_shop')});

# Somebody waits for the orders, to change them: whoever has them goes on.
my $waiting = session($node, $database);
my $waiting_pid = ask($waiting, 'SELECT pg_backend_pid()');
for my $change ('ALTER TABLE orders ADD COLUMN note text', 'LOCK orders IN SHARE ROW EXCLUSIVE MODE', 'VACUUM FULL orders', 'TRUNCATE order_items')
{
	my $known = $node->background_psql($database, on_error_stop => 0, extra_params => [ '-U', 'till', '-v', 'VERBOSITY=verbose' ]);
	is(ask($known, q{SET lock_timeout = '3s'; } . new_order() . "; INSERT INTO order_items VALUES ($next, 'wine', 4.5); BEGIN; " . new_order() . "; INSERT INTO order_items VALUES ($next, 'wine', 4.5)"), '', 'an order in an open transaction');
	begin_asking($waiting, ($change =~ /LOCK/ ? 'BEGIN; ' : '') . $change);
	waits_for_lock($node, $database, $waiting_pid);
	$node->safe_psql($database, q{CREATE OR REPLACE FUNCTION public.whatever() RETURNS integer LANGUAGE sql AS 'SELECT 1'});
	is(ask($known, new_order() . "; INSERT INTO order_items VALUES ($next, 'wine', 4.5); UPDATE orders SET amount = 3 WHERE order_id = $next"), '', "while $change waits, it writes more");
	is(ask($known, 'COMMIT'), '', 'and commits');
	ask($waiting, 'COMMIT');
	is(answer('owner', $stale), '', 'nothing is stale');
	is(answer('owner', differences('shop')), '0', 'but exact');
	$known->quit;
}

# A definition, and a refresh, in an open transaction.
ask($holder, q{BEGIN; SELECT clientele.define_segment('shop', 'a', 'orders > 1'); CALL clientele.refresh('shop', true)});
accepted(new_order() . "; INSERT INTO order_items VALUES ($next, 'wine', 4.5); UPDATE orders SET amount = 3 WHERE order_id = $next; DELETE FROM order_items WHERE order_id = $next", 0, 'while somebody defines and refreshes');
ask($holder, 'ROLLBACK');
is(answer('owner', differences('shop')), '0', 'exact');
$_->quit for $holder, $waiting;

# ---- A cancel stays a cancel, a timeout a timeout, an error of the orders' own an error ----

my $session = session($node, $database);
my $pid = ask($session, 'SELECT pg_backend_pid()');
my $before = ask($session, 'SELECT count(*) FROM orders');
my $large = q{INSERT INTO orders SELECT 1000000 + i, i % 50000, timestamptz '2024-01-01' + i * interval '1 second', i % 90 FROM generate_series(1, 100000) i};
# Somewhere in the middle, with luck in the trigger.
my $took = time;
is(ask($session, "BEGIN; $large"), '', 'many orders at once');
$took = time - $took;
ask($session, 'ROLLBACK');
for my $share (0.3, 0.6, 0.8, 0.95)
{
	ask($session, 'SET statement_timeout = ' . int(1 + $took * 1000 * $share));
	like(ask($session, $large), qr/ERROR:  57014|^$/, "a timeout after $share of the time");
	ask($session, 'SET statement_timeout = 0; DELETE FROM orders WHERE order_id > 1000000');
	begin_asking($session, $large);
	usleep($took * 1e6 * $share);
	$node->safe_psql($database, "SELECT pg_cancel_backend($pid)");
	$answer = ask($session, 'SELECT 1');
	like($answer, qr/ERROR:  57014|^1$/, 'and a cancel');
	unlike($answer, qr/WARNING/, 'is none of ours');
	ask($session, 'DELETE FROM orders WHERE order_id > 1000000');
	is(ask($session, 'SELECT count(*) FROM orders'), $before, 'nothing of it is left');
	is(ask($session, "SELECT count(*) FROM shop.failures"), '0', 'nor was it recorded as a failure');
}
like(ask($session, "INSERT INTO orders VALUES (1, 1, now(), 1)"), qr/ERROR:  23505/, 'an error of the orders is one');
is(ask($session, differences('shop')), '0', 'and the store is exact');
$session->quit;

# ---- Without the extension ----

new_shop('with_items');
$node->safe_psql($database, 'SET client_min_messages = warning; DROP EXTENSION clientele CASCADE');
accepted(new_order() . "; INSERT INTO order_items VALUES ($next, 'wine', 4.5); UPDATE orders SET amount = 3 WHERE order_id = $next", 0, 'without the extension');

is(complaints($node), '', 'the server has nothing to complain of');

done_testing();
