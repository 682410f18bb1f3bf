# A store is its owner's, who may put anything in the place of any of its objects. Whatever that is, orders are accepted,
# what is asked gets an answer or an error that says what is wrong, and the server stays up.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;

my $node = new_server('impostors', "log_min_error_statement = panic\nfsync = off\nclientele.fold_pending_at = -1\n");
$node->safe_psql('postgres', q{CREATE ROLE owner LOGIN; CREATE ROLE till LOGIN; CREATE DATABASE shop OWNER owner});
create_shop($node, 'shop', customers => 30);
$node->safe_psql('shop', q{
	CREATE EXTENSION clientele;
	GRANT SELECT, INSERT, TRIGGER ON ALL TABLES IN SCHEMA public TO owner; GRANT CREATE ON SCHEMA public TO owner; GRANT CREATE ON DATABASE shop TO owner;
	GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON orders, order_items TO till;
	CREATE FOREIGN DATA WRAPPER nowhere; CREATE SERVER nowhere FOREIGN DATA WRAPPER nowhere; GRANT USAGE ON FOREIGN SERVER nowhere TO owner});
create_store($node, 'shop', live => 1, extra_params => [ '-U', 'owner' ]);
$node->safe_psql('shop', q{SET client_min_messages = error;
	SELECT clientele.define_offer('shop', 'thrifty', 'grow_order_value', budget => 100, priority => 40);
	SELECT count(*) FROM (SELECT clientele.issue_offer(c, 'shop') FROM generate_series(1, 30) c) i;
	INSERT INTO orders SELECT 9000 + c, c, now(), 500, 'completed' FROM generate_series(1, 30) c;
	SELECT clientele.fit_clv('shop', force => true);
	CALL clientele.settle_offers('shop'); CALL clientele.refresh('shop')}, extra_params => [ '-U', 'owner' ]);
$node->safe_psql('shop', q{SET client_min_messages = error; SELECT clientele.create_store('other', orders => 'orders')}, extra_params => [ '-U', 'owner' ]);
is($node->safe_psql('shop', q{SELECT count(*) > 0 FROM shop.ledger WHERE state = 'redeemed'}), 't', 'some offers were redeemed');

# ---- What can stand there ----

my %columns = map { my ($name, @columns) = split /\|/; $name => \@columns } split /\n/, $node->safe_psql('shop', q{
	SELECT concat_ws('|', c.relname, string_agg(format('%I %s', a.attname, format_type(a.atttypid, NULL)), '|' ORDER BY a.attnum))
	FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
	WHERE c.relnamespace = 'shop'::regnamespace AND c.relkind IN ('r', 'v') GROUP BY c.relname ORDER BY 1});
my %is_view = map { $_ => 1 } split /\n/, $node->safe_psql('shop', q{SELECT relname FROM pg_class WHERE relnamespace = 'shop'::regnamespace AND relkind = 'v'});

# What is read otherwise than by a query, or by one that is kept. The others get what is typical.
my %taken_apart = map { $_ => 1 } qw(settings pending failures profiles reversals ledger _orders _items _order_owners _pending_now customers segments _offer_inputs segmentations budgets);
my @typical = ('no table', 'text', 'one column', 'a table');

# The statements that put one in the place of a table or view; the original is shop.original then.
sub impostors
{
	my ($name) = @_;
	my @columns = @{ $columns{$name} };
	my @names = map { /^("[^"]+"|\S+)/ ? $1 : die } @columns;
	my @types = map { s/^(?:"[^"]+"|\S+) //r } @columns;
	my $nulls = join(', ', map { "NULL::$types[$_] AS $names[$_]" } 0 .. $#names);
	my $texts = join(', ', map { "$_\::text AS $_" } @names);
	my $list = join(', ', @names);
	my $definitions = join(', ', map { "$names[$_] $types[$_]" } 0 .. $#names);
	my $view = "CREATE VIEW shop.$name AS";
	my %impostors = (
		'nothing' => '',
		'no table' => "$view SELECT $nulls",
		'a union' => "$view TABLE shop.original UNION ALL TABLE shop.original",
		'values' => "$view SELECT * FROM (VALUES (" . join(', ', map { "NULL::$_" } @types) . ")) v ($list)",
		'a subquery' => "$view SELECT * FROM (SELECT * FROM shop.original OFFSET 0) s",
		'a CTE' => "$view WITH c AS MATERIALIZED (TABLE shop.original) TABLE c",
		'a join' => "$view SELECT o.* FROM shop.original o CROSS JOIN pg_catalog.pg_authid a WHERE a.oid = 10",
		'a few rows' => "$view SELECT * FROM shop.original ORDER BY 1 DESC LIMIT 3",
		'a lock' => "$view SELECT * FROM shop.original FOR UPDATE",
		'a barrier' => "CREATE VIEW shop.$name WITH (security_barrier) AS TABLE shop.original",
		'itself' => "$view TABLE shop.original",
		'rows twice' => "$view SELECT o.* FROM shop.original o, pg_catalog.generate_series(1, 2)",
		'text' => "$view SELECT $texts FROM shop.original",
		'one column' => "$view SELECT $names[0] FROM shop.original",
		'a column more' => "$view SELECT 1 AS more, * FROM shop.original",
		'a column less' => "$view SELECT $list FROM shop.original" =~ s/, [^,]+ FROM/ FROM/r,
		'no column' => "CREATE TABLE shop.$name ()",
		'a function' => "CREATE FUNCTION shop.impostor() RETURNS SETOF shop.original LANGUAGE plpgsql AS 'BEGIN RAISE division_by_zero; END'; $view SELECT * FROM shop.impostor()",
		'a table' => "CREATE TABLE shop.$name ($definitions)",
		'a copy' => "CREATE TABLE shop.$name AS TABLE shop.original",
		'columns turned round' => "CREATE TABLE shop.$name (" . join(', ', reverse split /, (?=\w+ |")/, $definitions) . ")",
		'a dropped column' => "CREATE TABLE shop.$name (gone int, $definitions); ALTER TABLE shop.$name DROP gone",
		'a table that refuses' => "CREATE TABLE shop.$name ($definitions, CHECK (false))",
		'a unique index' => "CREATE TABLE shop.$name ($definitions); CREATE UNIQUE INDEX ON shop.$name ((1))",
		'a rule' => "CREATE TABLE shop.$name ($definitions); CREATE RULE r AS ON INSERT TO shop.$name DO INSTEAD NOTHING",
		'a trigger' => "CREATE TABLE shop.$name ($definitions); CREATE TRIGGER t BEFORE INSERT OR UPDATE ON shop.$name FOR EACH ROW EXECUTE FUNCTION public.refuse()",
		'children' => "CREATE TABLE shop.$name ($definitions); CREATE TABLE shop.child (more text) INHERITS (shop.$name)",
		'partitions' => "CREATE TABLE shop.$name ($definitions) PARTITION BY LIST ($names[0])",
		'a partition' => "CREATE TABLE shop.parent ($definitions) PARTITION BY LIST ($names[0]); CREATE TABLE shop.$name PARTITION OF shop.parent DEFAULT",
		'a foreign table' => "CREATE FOREIGN TABLE shop.$name ($definitions) SERVER nowhere",
		'a materialized view' => "CREATE MATERIALIZED VIEW shop.$name AS SELECT $nulls",
		'a sequence' => "CREATE SEQUENCE shop.$name",
		'a type' => "CREATE TYPE shop.$name AS ($definitions)",
		'an index' => $is_view{$name} ? 'SELECT' : "CREATE INDEX $name ON shop.original (($names[0] IS NULL))");
	my $move = "ALTER TABLE shop.$name RENAME TO original;";
	$impostors{$_} = "$move $impostors{$_}" for keys %impostors;
	return map { $_ => $impostors{$_} } @typical unless $taken_apart{$name};
	return %impostors unless $is_view{$name};
	# In its place, so that what is generated over it reads it, too.
	my $replace = "CREATE OR REPLACE VIEW shop.$name AS";
	return (%impostors, 'other rows' => "$replace SELECT $nulls", 'no row' => "$replace SELECT $nulls WHERE false", 'two rows' => "$replace SELECT $nulls UNION ALL SELECT $nulls");
}

$node->safe_psql('shop', q{
	CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE division_by_zero; END';
	GRANT EXECUTE ON FUNCTION public.refuse() TO owner;
	-- Writes orders while what is an order is looked at.
	CREATE FUNCTION public.order_more(timestamptz) RETURNS timestamptz LANGUAGE plpgsql IMMUTABLE SECURITY DEFINER AS $$
	BEGIN
		ALTER TABLE shop.failures RENAME TO failures_renamed; ALTER TABLE shop.failures_renamed RENAME TO failures;
		INSERT INTO public.orders VALUES (7777, 7, '2024-07-07', 7, 'completed'); INSERT INTO public.order_items VALUES (7777, 'wine', 7); DELETE FROM public.orders WHERE order_id = 7777;
		RETURN $1;
	END $$;
	GRANT EXECUTE ON FUNCTION public.order_more(timestamptz) TO owner});

# What is put into the place of the two definitions, over the tables themselves.
my %definitions;
{
	my $orders = 'SELECT o.customer_id, %s AS ordered_at, o.amount::numeric AS amount, o.order_id FROM %s';
	my %from = ('two tables' => 'public.orders o, public.customers', 'ONLY' => 'ONLY public.orders o', 'a sample' => 'public.orders o TABLESAMPLE system (50)', 'lines' => '(SELECT 1::bigint AS order_id, 1::bigint AS customer_id, now() AS ordered_at, 1 AS amount) o',
		'a filter with a query' => 'public.orders o WHERE EXISTS (SELECT FROM public.customers c WHERE c.customer_id = o.customer_id)', 'whole rows' => 'public.orders o WHERE o IS NOT NULL', 'where a row lies' => q{public.orders o WHERE o.ctid <> '(0,1)' AND o.tableoid > 0},
		'an order' => 'public.orders o ORDER BY o.status', 'a limit' => 'public.orders o LIMIT 5', 'a lock' => 'public.orders o FOR UPDATE');
	my %time = ('an aggregate' => [ 'max(o.ordered_at)', 'GROUP BY o.customer_id, o.amount, o.order_id' ], 'a window' => [ 'max(o.ordered_at) OVER ()', '' ], 'many rows' => [ q{generate_series(o.ordered_at, o.ordered_at + interval '1 day', '1 day')}, '' ],
		'a query' => [ '(SELECT max(p.ordered_at) FROM public.orders p)', '' ], 'other orders' => [ 'public.order_more(o.ordered_at)', '' ], 'another type' => [ 'o.ordered_at::date', '' ], 'an error' => [ q{('x' || o.order_id)::timestamptz}, '' ]);
	my %views = (map({ $_ => sprintf($orders, 'o.ordered_at', $from{$_}) } keys %from), map({ $_ => sprintf("$orders $time{$_}[1]", $time{$_}[0], 'public.orders o') } keys %time),
		'three columns' => 'SELECT o.customer_id, o.ordered_at, o.amount::numeric AS amount FROM public.orders o', 'five columns' => sprintf("$orders", 'o.ordered_at', 'public.orders o') =~ s/ FROM/, 1 AS more FROM/r,
		'distinct' => sprintf($orders, 'o.ordered_at', 'public.orders o') =~ s/SELECT/SELECT DISTINCT/r);
	$definitions{"_orders: $_"} = "ALTER VIEW shop._orders RENAME TO original; CREATE VIEW shop._orders AS $views{$_}" for keys %views;
	my %items = ('an expression' => 'SELECT i.order_id + 1 AS order_id, i.category, i.amount::numeric AS amount FROM public.order_items i', 'a constant' => 'SELECT i.order_id, $$x$$::text AS category, i.amount::numeric AS amount FROM public.order_items i',
		'a union' => 'SELECT order_id, category, amount::numeric AS amount FROM public.order_items UNION ALL SELECT 1, $$x$$, 1', 'nothing' => 'SELECT 1::bigint AS order_id, $$x$$::text AS category, 1::numeric AS amount',
		'a row' => 'SELECT i.order_id, i::text AS category, i.amount::numeric AS amount FROM public.order_items i', 'where it lies' => 'SELECT i.order_id, i.ctid::text AS category, i.amount::numeric AS amount FROM public.order_items i',
		'an aggregate' => 'SELECT i.order_id, min(i.category) AS category, sum(i.amount) AS amount FROM public.order_items i GROUP BY i.order_id');
	$definitions{"_items: $_"} = "ALTER VIEW shop._items RENAME TO original; CREATE VIEW shop._items AS $items{$_}" for keys %items;
	my %pending = ('a column that must not be NULL' => 'ALTER profile SET NOT NULL', 'a computed column' => 'DROP seen, ADD seen xid8 GENERATED ALWAYS AS (NULL) STORED', 'numeric keys' => 'ALTER customer_id TYPE numeric', 'keys that are points' => 'ALTER customer_id TYPE point USING point(1, 1)',
		'orders that are points' => 'ALTER order_id TYPE point USING point(1, 1)');
	$definitions{"pending: $_"} = "ALTER VIEW shop._orders RENAME TO original; ALTER TABLE shop.pending RENAME TO pending0; CREATE TABLE shop.pending (LIKE shop.pending0 INCLUDING INDEXES); DROP INDEX shop.pending_customer_id_idx; ALTER TABLE shop.pending $pending{$_};"
		. ($pending{$_} =~ /customer_id TYPE (\w+)/ ? "CREATE VIEW shop._orders AS SELECT NULL::$1 AS customer_id, o.ordered_at, o.amount::numeric AS amount, o.order_id FROM public.orders o" : 'ALTER VIEW shop.original RENAME TO _orders') for keys %pending;
	# Another trigger on the orders that calls the same function, with arguments of its own.
	$definitions{'a trigger of short arguments'} = q{CREATE INDEX settings_x ON shop.settings (id); CREATE TRIGGER x AFTER INSERT ON public.orders REFERENCING NEW TABLE AS clientele_new FOR EACH STATEMENT EXECUTE FUNCTION clientele._note_orders('shop', 'x')};
}

# A look-up whose store goes, or gets another name, while it runs, and which looks up in turn.
my %gone = map { $_->[0] => "CREATE FUNCTION shop.leave(bigint) RETURNS bigint LANGUAGE plpgsql AS \$\$ BEGIN IF to_regclass('shop.settings') IS NOT NULL THEN $_->[1]; PERFORM clientele.assign_segment(2, 'other'), clientele.assign_segment(2, '$_->[2]', 'value'); END IF; RETURN \$1; END \$\$;
	ALTER VIEW shop.customers RENAME TO original; CREATE VIEW shop.customers AS SELECT shop.leave(customer_id) AS customer_id, segment FROM shop.original" }
	[ 'a store that goes', 'DROP TABLE shop.settings CASCADE', 'other' ], [ 'a store that is renamed', 'ALTER SCHEMA shop RENAME TO shop2', 'shop2' ];

my %functions;
my $changes = 1;
for (split /\n/, $node->safe_psql('shop', q{
	SELECT concat_ws('|', p.proname, pg_get_function_identity_arguments(p.oid), pg_get_function_result(p.oid)) FROM pg_proc p WHERE p.pronamespace = 'shop'::regnamespace ORDER BY 1}))
{
	my ($name, $arguments, $result) = split /\|/;
	my $create = "ALTER FUNCTION shop.$name($arguments) RENAME TO original; CREATE FUNCTION shop.$name($arguments)";
	$functions{"$name: gone"} = "ALTER FUNCTION shop.$name($arguments) RENAME TO original";
	$functions{"$name: an error"} = "$create RETURNS $result LANGUAGE plpgsql AS 'BEGIN RAISE division_by_zero; END'";
	$functions{"$name: another type"} = "$create RETURNS point LANGUAGE sql STABLE AS 'SELECT point(1, 1)'";
	$functions{"$name: NULL"} = "$create RETURNS $result LANGUAGE plpgsql STABLE AS 'BEGIN RETURN" . ($result =~ /^(?:SETOF|TABLE)/ ? '' : ' NULL') . "; END'";
	next if $name ne '_offer_book';
	my $book = $node->safe_psql('shop', 'SELECT shop._offer_book()');
	for my $change ('{}', '[]', 'null', '1', '{"programs": 1}', '{"programs": [null]}', '{"programs": [{}]}', $book =~ s/"program": "second"/"program": 7/r, $book =~ s/"segments": null/"segments": [[1]]/r, $book =~ s/"margin": [\d.]+/"margin": 1e300/r, $book =~ s/"stretch": [\d.]+/"stretch": -1/r)
	{
		$functions{"$name: book " . $changes++} = "$create RETURNS $result LANGUAGE sql IMMUTABLE AS \$f\$SELECT '$change'::jsonb\$f\$";
	}
}

# ---- What is done with them ----

my @orders = (
	q{INSERT INTO orders VALUES (8001, 1, now(), 10, 'completed')}, q{INSERT INTO orders VALUES (8002, 2, now(), 10, 'completed'), (8003, 3, now(), 10, 'new'), (8004, NULL, now(), 10, 'completed')},
	q{INSERT INTO order_items VALUES (8001, 'wine', 5), (8002, 'baby', 5)}, q{UPDATE orders SET amount = amount + 1 WHERE customer_id IN (1, 2)}, q{UPDATE orders SET status = 'cancelled' WHERE order_id > 9000}, q{UPDATE order_items SET amount = 6 WHERE order_id = 8001},
	q{DELETE FROM order_items WHERE order_id = 8001}, q{DELETE FROM orders WHERE customer_id = 2}, q{TRUNCATE order_items}, q{TRUNCATE orders});
my @questions = (q{SELECT clientele.assign_segment(1, 'shop'), clientele.assign_segment(1, 'shop', 'value'), clientele.assign_segment(-1, 'shop')}, q{SELECT o FROM generate_series(1, 5) c, clientele.personalized_offer(c, 'shop') o},
	q{SELECT i FROM clientele.issue_offer(7, 'shop') i}, q{SELECT i FROM clientele.issue_offer(14, 'shop', program => 'thrifty') i});
# These take a while.
my @work = (q{SELECT clientele.assign_segment(1, 'shop', as_of => now() - interval '9 days')}, q{SELECT o FROM clientele.personalized_offer(1, 'shop', as_of => now() - interval '9 days') o}, q{SELECT * FROM clientele.explain_offer(1, 'shop')}, q{SELECT * FROM clientele.explain_segment(1, 'shop')},
	q{SELECT clientele.content_for(1, 'home', 'shop')}, q{SELECT * FROM clientele.stores}, q{SELECT * FROM clientele.models}, q{SELECT * FROM clientele.check_store('shop')}, q{CALL clientele.settle_offers('shop')}, q{CALL clientele.refresh('shop')}, q{CALL clientele.refresh('shop', true)},
	q{SELECT clientele.set_live('shop', false), clientele.set_live('shop', true)});
my %is_typical = map { $_ => 1 } @typical, 'a dropped column';

# In a transaction that is rolled back, one session for all: after it has written an order, or as the first that it does.
sub survive
{
	my ($what, %cases) = @_;
	my $script = "\\set VERBOSITY verbose\n\\set ON_ERROR_ROLLBACK on\n\\o /dev/null\nSET statement_timeout = '20s';\n";
	for my $name (sort keys %cases)
	{
		$script .= "\\warn CASE $name\nSET ROLE till; $orders[0]; DELETE FROM orders WHERE order_id = 8001; RESET ROLE;\nBEGIN; SET LOCAL ROLE owner;\n\\warn SETUP\n$cases{$name};\n\\warn ORDERS\nSET LOCAL ROLE till;\n"
		  . join('', map { "$_;\n" } @orders) . "SET LOCAL ROLE owner;\n\\warn QUESTIONS\n" . join('', map { "$_;\n" } @questions, $is_typical{$name} || $name =~ /^_offer_book|^_profiles_now/ ? @work : ()) . "ROLLBACK;\n\\warn END\n";
	}
	my ($stdin, $stderr) = ($script, '');
	my $status = $node->psql('shop', $script, stderr => \$stderr, on_error_stop => 0);
	is($status, 0, "$what: the session goes on");
	my %seen = map { my ($name) = /^(.*)/; $name => $_ } split /^CASE /m, $stderr;
	for my $name (sort keys %cases)
	{
		my ($setup, $orders, $questions) = ($seen{$name} // '') =~ /^SETUP\n(.*)^ORDERS\n(.*)^QUESTIONS\n(.*)^END$/ms;
		my $problem = !defined $questions ? 'it did not end' : $setup =~ /ERROR/ ? "it could not be set up: $setup" : $orders =~ /(ERROR[^\n]*)/ ? "an order failed: $1" : $questions =~ /(ERROR:  XX[^\n]*)/ ? "an internal error: $1" : '';
		is($problem, '', "$what: $name");
	}
	return;
}

survive($_, impostors($_)) for sort keys %columns;
survive('a look-up', %gone);
survive('a definition', %definitions);
survive('a function', %functions);

is($node->safe_psql('shop', 'SELECT pg_catalog.pg_postmaster_start_time() = (SELECT min(backend_start) FROM pg_stat_activity WHERE backend_type = $$checkpointer$$) IS NOT NULL'), 't', 'the server is up');
unlike(slurp_file($node->logfile), qr/terminated by signal|PANIC/, 'and no process of it has crashed');
exact($node, 'shop', 'shop', 'the store is exact');

done_testing();
