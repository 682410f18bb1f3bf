# Roles and the ledger: reading, issuing, redeeming, settling, forgetting and defining are rights of their own; policies hold;
# of several sessions that close an exposure one wins; and a ledger survives dump and restore.
use strict;
use warnings;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;

my $node = new_server('ledger_roles');
my $db = 'shopdb';
$node->safe_psql('postgres', qq{
	CREATE ROLE owner LOGIN; CREATE ROLE reader LOGIN; CREATE ROLE issuer LOGIN; CREATE ROLE till LOGIN; CREATE ROLE settler LOGIN; CREATE ROLE eraser LOGIN;
	CREATE ROLE stranger LOGIN; CREATE ROLE hostile LOGIN;
	CREATE DATABASE $db;
	GRANT CREATE ON DATABASE $db TO owner, hostile});
$node->safe_psql($db, 'GRANT CREATE ON SCHEMA public TO owner');

sub answer
{
	my ($role, $query) = @_;
	my ($status, $answer, $error) = $node->psql($db, $query, extra_params => [ '-U', $role, '-v', 'VERBOSITY=verbose' ]);
	return $status == 0 ? $answer : $error;
}
sub as_owner
{
	my ($sql) = @_;
	my $answer = eval { $node->safe_psql($db, $sql, extra_params => [ '-U', 'owner' ]) };
	BAIL_OUT($@) if $@;
	return $answer;
}

# Everybody has bought once, a month ago, and has an offer coming.
as_owner(q{
	CREATE EXTENSION clientele;
	CREATE TABLE customers (customer_id bigint PRIMARY KEY, email text);
	CREATE TABLE orders (order_id bigint PRIMARY KEY, customer_id bigint, ordered_at timestamptz, amount numeric, note text);
	CREATE INDEX ON orders (customer_id);
	INSERT INTO customers SELECT c, c || '@example.com' FROM generate_series(1, 200) c;
	INSERT INTO orders SELECT c, c, now() - interval '30 days', 40 FROM generate_series(1, 200) c;
	SELECT clientele.create_store('shop', 'orders', customers => 'customers');
	CALL clientele.refresh('shop');
	SELECT clientele.define_offer('shop', 'second', 'second_order', budget => 1000);
	CREATE SEQUENCE order_ids START 1000});
my $budget = q{SELECT (SELECT sum(available) FROM shop.budgets) + reserved + spent = budget FROM shop.budget_status};

# ---- What each may do, and needs for it ----

# As docs/store.md has them.
my %rights = (
	reader => [ 'USAGE ON SCHEMA shop', 'SELECT ON ALL TABLES IN SCHEMA shop', 'SELECT (customer_id) ON customers' ],
	issuer => [ 'INSERT ON shop.ledger', 'INSERT, UPDATE ON shop.campaigns', 'UPDATE ON shop.budgets' ],
	till => [ 'USAGE ON SCHEMA shop', 'SELECT ON shop.settings, shop.ledger, shop.reversals, shop.budgets, shop._orders, shop._base_stored, shop.profiles',
		'SELECT (customer_id) ON customers', 'SELECT (order_id, customer_id, ordered_at, amount) ON orders',
		'UPDATE (state, closed_at, order_id, ordered_at, order_value, cost, owed) ON shop.ledger', 'UPDATE (available) ON shop.budgets', 'DELETE ON shop.reversals' ]);
$rights{issuer} = [ @{ $rights{reader} }, @{ $rights{issuer} } ];
$rights{settler} = $rights{till};
$rights{eraser} = [ @{ $rights{reader} }, 'UPDATE ON shop.settings, shop.event_counter, shop.budgets, shop.campaigns', 'INSERT, UPDATE ON shop.forgotten',
	'DELETE ON shop.profiles, shop.pending, shop.segment_membership, shop.segment_events, shop.crossed, shop.content_exposures, shop.ledger, shop.reversals' ];

my $code = sub { my ($customer) = @_; return as_owner("SELECT code FROM clientele.issue_offer($customer)"); };
my $order = sub { my ($customer) = @_; return as_owner("INSERT INTO orders SELECT nextval('order_ids'), $customer, now(), 90 RETURNING order_id"); };
my $next = 0;
my $customer = sub { return ++$next; };

# A query for each, which works once: so there is one for each time.
my %works = (
	reader => sub { return (q{SELECT count(*) > 0 FROM shop.offers}, 't') },
	issuer => sub { my $c = $customer->(); return ("SELECT count(code) FROM clientele.issue_offer($c)", '1') },
	till => sub { my $c = $customer->(); my $code = $code->($c); my $o = $order->($c); return ("SELECT reward > 0 FROM clientele.redeem_offer('$code', $o)", 't') },
	settler => sub { my $c = $customer->(); $code->($c); $order->($c); return ("SET client_min_messages = warning; CALL clientele.settle_offers('shop')", '') },
	eraser => sub { my $c = $customer->(); $code->($c); return ("SELECT clientele.forget_customer($c)", '') });

for my $role (qw(reader issuer till settler eraser))
{
	my ($query) = $works{$role}->();
	like(answer($role, $query), qr/ERROR:  42(704|501): (there is no store that you may use|store "shop" does not exist, or you may not use it|permission denied for schema shop)/, "$role, without grants: no store");
	as_owner(join ';', map { "GRANT $_ TO $role" } @{ $rights{$role} });
	($query, my $expected) = $works{$role}->();
	is(answer($role, $query), $expected, "$role, with grants: it works");
}
is(as_owner($budget), 't', 'and the budget is exact');
# A right that a role has in several of these stays until all are gone.
for my $case (
	[ reader => 'SELECT ON shop.ledger' ], [ reader => 'SELECT ON shop.reversals' ], [ reader => 'SELECT ON shop.budgets' ], [ reader => 'SELECT ON shop.profiles' ],
	[ issuer => 'INSERT ON shop.ledger' ], [ issuer => 'UPDATE ON shop.budgets' ], [ issuer => 'SELECT ON shop._offer_inputs' ], [ issuer => 'SELECT ON shop.ledger' ],
	[ till => 'SELECT ON shop.ledger' ], [ till => 'SELECT ON shop._orders' ], [ till => 'SELECT ON shop.reversals' ], [ till => 'SELECT (ordered_at) ON orders' ],
	[ till => 'UPDATE (state, closed_at, order_id, ordered_at, order_value, cost, owed) ON shop.ledger' ],
	[ settler => 'UPDATE (available) ON shop.budgets' ], [ settler => 'DELETE ON shop.reversals' ], [ settler => 'SELECT ON shop._orders' ], [ settler => 'SELECT (amount) ON orders' ],
	[ settler => 'UPDATE (state, closed_at, order_id, ordered_at, order_value, cost, owed) ON shop.ledger' ],
	[ eraser => 'DELETE ON shop.ledger' ], [ eraser => 'DELETE ON shop.profiles' ], [ eraser => 'INSERT, UPDATE ON shop.forgotten' ], [ eraser => 'UPDATE ON shop.settings' ])
{
	my ($role, $right) = @$case;
	# An offer that expires is what a settler needs the budget for.
	my ($query, $expected) = $works{$role}->();
	as_owner(q{UPDATE shop.ledger SET issued_at = issued_at - interval '40 days', valid_until = valid_until - interval '40 days' WHERE state = 'open' AND exposure_id % 2 = 0}) if $role eq 'settler';
	as_owner("REVOKE $right FROM $role");
	my $got = answer($role, $query);
	like($got, qr/ERROR:  (42501: permission denied|42704: there is no store)/, "$role, without $right");
	unlike($got, qr/[2-9C-Y]{5}-[2-9C-Y]{5}/, 'and no code is shown');
	as_owner("GRANT $right TO $role");
	is(answer($role, $query), $expected, 'with it, it works');
}
is(as_owner($budget), 't', 'and the budget is exact');

# None of these rights is another.
my ($fresh, $known) = map { my $c = $customer->(); $code->($c) if $_; $c } 0, 1;
my $its_code = $code->($known);
my $its_order = $order->($known);
my %others = (
	issuing => "SELECT * FROM clientele.issue_offer($fresh)", 'issuing to all' => q{CALL clientele.issue_offers('shop')},
	redeeming => "SELECT * FROM clientele.redeem_offer('$its_code', $its_order)", settling => q{CALL clientele.settle_offers('shop')},
	withdrawing => "SELECT clientele.withdraw_offer(exposure_id, 'shop') FROM shop.ledger WHERE customer_id = $known",
	forgetting => "SELECT clientele.forget_customer($fresh)", defining => q{SELECT clientele.define_offer('shop', 'x', 'win_back')},
	dropping => q{SELECT clientele.drop_offer('shop', 'second')});
my %may = (reader => [], issuer => [ 'issuing', 'issuing to all' ], till => [ 'redeeming', 'settling', 'withdrawing' ], eraser => [ 'forgetting' ]);
for my $role (qw(reader issuer till eraser))
{
	for my $what (sort keys %others)
	{
		next if grep { $_ eq $what } @{ $may{$role} };
		like(answer($role, $others{$what}), qr/ERROR:  42501: (permission denied|must be owner)/, "$role: $what");
	}
}
# Codes and customers that there are get the answer that others get.
for my $role (qw(reader issuer eraser stranger))
{
	my @answers = map { answer($role, $_) =~ s/'\d+'::bigint//r } "SELECT clientele.redeem_offer('$its_code', $its_order, 'shop')", "SELECT clientele.redeem_offer('22222-22222', $its_order, 'shop')",
	  "SELECT clientele.redeem_offer('$its_code', 99999, 'shop')";
	like($answers[0], qr/ERROR:  42(501|704): /, "$role: a code that there is");
	is($_, $answers[0], 'and others') for @answers[ 1, 2 ];
}
for my $role (qw(till stranger))
{
	my @answers = map { answer($role, "SELECT * FROM clientele.issue_offer($_, 'shop')") } $fresh, $known, 99999;
	like($answers[0], qr/ERROR:  42(501|704): /, "$role: issuing to a customer that there is");
	is($_, $answers[0], 'and to others') for @answers[ 1, 2 ];
}
is(answer('till', "SELECT clientele.void_redemption($its_order)"), 'f', 'who may redeem may void');
is(answer('till', "SELECT order_id FROM clientele.redeem_offer('$its_code', $its_order)"), $its_order, 'redeem');
is(answer('till', "SELECT clientele.void_redemption($its_order)"), 't', 'and void');
my $unwanted = do { my $c = $customer->(); $code->($c); $c };
is(answer('till', "SELECT clientele.withdraw_offer(exposure_id) FROM shop.ledger WHERE customer_id = $unwanted"), 't', 'and withdraw');
is(as_owner($budget), 't', 'and the budget is exact');
is(as_owner(q{SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class WHERE relnamespace = 'shop'::regnamespace AND relkind = 'v'
		AND relname IN ('_ledger', 'exposures', 'offer_ledger', '_budgets', 'campaign_progress', '_offer_inputs', 'offers') AND reloptions::text NOT LIKE '%security_invoker=true%'}), '',
	'the views are read with the rights of who asks');

# ---- Policies ----

as_owner('ALTER TABLE customers ENABLE ROW LEVEL SECURITY; CREATE POLICY even ON customers USING (current_user NOT IN (\'reader\', \'issuer\', \'till\', \'eraser\') OR customer_id % 2 = 0)');
my ($odd, $even) = (151, 152);
$code->($_) for 161, 162;
for my $view (qw(offer_ledger exposures ledger _ledger))
{
	is(answer('reader', "SELECT count(*) FILTER (WHERE customer_id % 2 = 1), count(*) > 0 FROM shop.$view"), '0|t', "a policy on customers restricts shop.$view");
}
is(answer('issuer', "SELECT count(*) FROM clientele.issue_offer($odd)"), '0', 'whom a policy hides is issued nothing');
is(as_owner("SELECT count(*) FROM shop.ledger WHERE customer_id = $odd"), '0', 'nor written down');
is(answer('issuer', "SELECT count(*) FROM clientele.issue_offer($even)"), '1', 'others are');
is(answer('issuer', 'SELECT count(*) FROM clientele.issue_offer(161)'), '0', 'an offer that is open is not shown, either');
like(answer('issuer', "INSERT INTO shop.ledger (customer_id, period, program, program_version, global_holdout, basis, reference_value, min_spend, reward, reward_kind, currency, message, reasons,
	variant, propensity, issued_at, valid_until) VALUES ($odd, 1, 'second', 1, 0, '', 1, 1, 1, '', '', '', '{}', '', 1, now(), now())"),
	qr/ERROR:  42501: new row violates row-level security policy for table "ledger"/, 'nor can a row be forged');
my ($hidden_code, $hidden_order) = ($code->(161), $order->(161));
is(answer('till', "SELECT clientele.redeem_offer('$hidden_code', $hidden_order)") =~ s/redeem_offer\(text, .*?\)//r, answer('till', "SELECT clientele.redeem_offer('22222-22222', $hidden_order)") =~ s/redeem_offer\(text, .*?\)//r,
	'a code that a policy hides is unknown');
my $hidden = as_owner('SELECT exposure_id FROM shop.ledger WHERE customer_id = 161');
is(answer('till', "SELECT clientele.withdraw_offer($hidden)"), 'f', 'and is not withdrawn');
like(answer('eraser', 'SELECT clientele.forget_customer(162)'), qr/ERROR:  42501: row-level security hides rows of (public\.)?customers/, 'forgetting under a policy fails rather than leaving something');
like(answer('issuer', q{CALL clientele.issue_offers('shop')}), qr/ERROR:  42501: row-level security hides customers of store shop/, 'a campaign for some of the customers fails');
as_owner('DROP POLICY even ON customers; ALTER TABLE customers DISABLE ROW LEVEL SECURITY;
	ALTER TABLE shop.profiles ENABLE ROW LEVEL SECURITY; CREATE POLICY even ON shop.profiles TO reader USING (customer_id % 2 = 0)');
as_owner('ALTER TABLE shop.profiles DISABLE ROW LEVEL SECURITY; DROP POLICY even ON shop.profiles;
	ALTER TABLE orders ENABLE ROW LEVEL SECURITY; CREATE POLICY few ON orders TO settler, till USING (customer_id < 100)');
like(answer('settler', q{CALL clientele.settle_offers('shop')}), qr/ERROR:  42501: query would be affected by row-level security policy for table "orders"/, 'settling by some of the orders fails');
is(answer('settler', q{SELECT clientele._settle_due('shop', 'second', 10)}), '0', 'who issues settles nothing then');
unlike(answer('owner', q{CALL clientele.settle_offers('shop')}), qr/ERROR/, 'the owner of the orders settles');
as_owner('DROP POLICY few ON orders; ALTER TABLE orders DISABLE ROW LEVEL SECURITY');
is(as_owner($budget), 't', 'and the budget is exact');

# In a live store, who forgets has what is left in the orders counted again.
as_owner(q{SELECT clientele.set_live('shop', true); CALL clientele.refresh('shop')});
my $left = $customer->();
like(answer('eraser', "SELECT clientele.forget_customer($left)"), qr/ERROR:  42501: permission denied for table (pending|orders)/, 'forgetting in a live store');
as_owner('GRANT INSERT ON shop.pending TO eraser; GRANT SELECT (order_id, customer_id, ordered_at, amount) ON orders TO eraser');
is(answer('eraser', "SELECT clientele.forget_customer($left)"), '', 'with grants, it works');
is(as_owner("SELECT orders FROM shop.customers WHERE customer_id = $left"), as_owner("SELECT count(*) FROM orders WHERE customer_id = $left"), 'and counts what is left');
as_owner('ALTER TABLE orders ENABLE ROW LEVEL SECURITY; CREATE POLICY few ON orders TO eraser USING (false)');
like(answer('eraser', "SELECT clientele.forget_customer($left)"), qr/ERROR:  42501: row-level security hides rows of (public\.)?orders/, 'where a policy hides orders, it fails');
as_owner(q{DROP POLICY few ON orders; ALTER TABLE orders DISABLE ROW LEVEL SECURITY; SELECT clientele.set_live('shop', false)});

# ---- Somebody else's store ----

is(answer('hostile', q{CREATE SCHEMA trap; CREATE TABLE trap.log (who name); GRANT INSERT ON trap.log TO PUBLIC;
	CREATE FUNCTION trap.spring() RETURNS boolean LANGUAGE plpgsql AS 'BEGIN INSERT INTO trap.log VALUES (current_user); RETURN true; END';
	CREATE TABLE trap.orders (order_id int, customer_id int, ordered_at timestamptz, amount numeric);
	SELECT clientele.create_store('theirs', 'trap.orders');
	ALTER TABLE theirs.reversals ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON theirs.reversals USING (trap.spring());
	CREATE POLICY p ON theirs.ledger USING (trap.spring()); ALTER TABLE theirs.ledger FORCE ROW LEVEL SECURITY;
	GRANT USAGE ON SCHEMA theirs, trap TO PUBLIC; GRANT SELECT ON ALL TABLES IN SCHEMA theirs TO PUBLIC}) =~ s/\s//gr, '', 'a store with traps');
like(answer('reader', 'SELECT string_agg(store, \' \' ORDER BY store) FROM clientele.stores'), qr/theirs/, 'is listed');
answer('reader', $_) for q{SELECT * FROM clientele.refresh_progress}, q{SELECT * FROM clientele.models}, q{SELECT clientele.issue_offer(1)};
answer('till', q{SELECT clientele.redeem_offer('22222-22222', 1)});
is($node->safe_psql($db, 'SELECT count(*) FROM trap.log'), '0', 'and runs nothing as who lists the stores');
answer('hostile', q{SELECT clientele.drop_store('theirs'); DROP SCHEMA trap CASCADE});

# ---- Whoever a policy restricts finds the others nowhere ----

# A live store with rows in every table that names customers; clerks serve those with even numbers.
$node->safe_psql($db, 'CREATE ROLE clerk LOGIN; CREATE ROLE nightly LOGIN');
as_owner(q{
	CREATE TABLE buyers (buyer bigint PRIMARY KEY, email text);
	CREATE TABLE sales (order_id bigint PRIMARY KEY, buyer bigint, ordered_at timestamptz, amount numeric);
	CREATE TABLE lines (order_id bigint, category text, amount numeric);
	CREATE INDEX ON sales (buyer); CREATE INDEX ON lines (order_id);
	INSERT INTO buyers SELECT c, c || '@example.com' FROM generate_series(1, 40) c;
	INSERT INTO sales SELECT c, c, now() - interval '30 days', 40 FROM generate_series(1, 40) c;
	SELECT clientele.create_store('named', 'sales', customer_id => 'buyer', customers => 'buyers', customer_key => 'buyer', attributes => '{email}', items => 'lines', live => true);
	SELECT clientele.define_segment('named', 'once', 'orders = 1');
	CALL clientele.refresh('named');
	SELECT clientele.define_offer('named', 'second', 'second_order', holdout => 0.2);
	CALL clientele.issue_offers('named', 'second', chunk => 10);
	INSERT INTO sales SELECT 100 + customer_id, customer_id, now(), 500 FROM named.offer_ledger;
	SELECT count(*) FROM named.offer_ledger l, clientele.redeem_offer(l.code, (100 + l.customer_id)::text, 'named');
	DELETE FROM sales WHERE order_id BETWEEN 101 AND 120;
	UPDATE named.campaigns SET last_customer = '7', ended_at = NULL;
	INSERT INTO named.crossed VALUES (7, 'x'), (8, 'x');
	SELECT clientele.define_content('named', 'home', 'post', holdout => 0.5);
	SELECT count(clientele.content_for(c, 'home', 'named', expose => true)) FROM generate_series(1, 40) c;
	GRANT USAGE ON SCHEMA named TO clerk, nightly; GRANT SELECT ON ALL TABLES IN SCHEMA named TO clerk, nightly; GRANT SELECT ON buyers TO clerk, nightly;
	ALTER TABLE buyers ENABLE ROW LEVEL SECURITY; CREATE POLICY even ON buyers TO clerk USING (buyer % 2 = 0); CREATE POLICY all_of_them ON buyers TO nightly USING (true)});

# From the catalogue, so that a table which is new must have a policy, or be named here for naming no customer.
is(as_owner(q{SELECT string_agg(c.relname, ' ' ORDER BY c.relname) FROM pg_class c WHERE c.relnamespace = 'named'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relrowsecurity}),
	'budget_prices budgets contents event_consumers event_counter failures forgotten health models partitions product_neighbours profiles program_versions programs scoring segment_rules segmentations settings typical_values',
	'every table that names customers has a policy, but for the profiles, which have the owner\'s');
is(as_owner(q{SELECT string_agg(c.relname, ' ' ORDER BY c.relname) FROM pg_class c WHERE c.relnamespace = 'named'::regnamespace AND c.relkind = 'v' AND NOT 'security_invoker=true' = ANY (coalesce(c.reloptions, '{}'))}),
	'_marked _recounted _recounted_all budget_status experiment_health', 'and every view has the rights of who reads it, but for those of what is pending, and sums');

my @naming = split /\n/, as_owner(q{SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'customer_id' AND a.atttypid = 'bigint'::regtype
	WHERE c.relnamespace = 'named'::regnamespace AND c.relkind IN ('r', 'v') ORDER BY 1});
my @tables = split /\n/, as_owner(q{SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'named'::regnamespace AND c.relkind = 'r' AND c.relrowsecurity});
cmp_ok(as_owner("SELECT count(*) FROM named.$_"), '>', 0, "named.$_ has rows") for @tables;
my $others = sub { my ($relation) = @_; return "SELECT count(*) FILTER (WHERE customer_id % 2 = 1) FROM named.$relation" };
for my $both (0, 1)
{
	my $policies = $both ? 'policies on customers and profiles' : 'a policy on the customers';
	as_owner(q{ALTER TABLE named.profiles ENABLE ROW LEVEL SECURITY; CREATE POLICY even ON named.profiles TO clerk USING (customer_id % 2 = 0); CREATE POLICY all_of_them ON named.profiles TO nightly USING (true)}) if $both;
	for my $relation (@naming)
	{
		# Without a policy of their own the profiles are everybody's, and so are the views with the rights of their owner.
		next if !$both && $relation =~ /^(?:profiles|_marked|_recounted|_recounted_all)$/;
		like(answer('clerk', $others->($relation)), qr/^0$|permission denied for table sales/, "$policies: named.$relation shows no others");
	}
	is(answer('clerk', "SELECT count(*) FROM named.$_"), as_owner("SELECT count(*) FROM named.$_ WHERE customer_id % 2 = 0"), "$policies: and all of one's own: named.$_") for qw(segment_membership ledger exposures content_exposures);
	is(answer('clerk', 'SELECT count(*) FROM named.reversals'), as_owner('SELECT count(*) FROM named.reversals JOIN named.ledger USING (exposure_id) WHERE customer_id % 2 = 0'), "$policies: reversals");
	is(answer('clerk', 'SELECT count(*) FROM named.campaigns'), '0', "$policies: campaigns are of all or none");
	as_owner('GRANT ALL ON ALL TABLES IN SCHEMA named TO clerk');
	like(answer('clerk', $_), qr/ERROR:  42501: new row violates row-level security policy/, "$policies: $_") for
	  q{INSERT INTO named.segment_membership VALUES (7, 'main', 'x', now())}, q{INSERT INTO named.pending (customer_id, due) VALUES (7, now())};
	like(answer('clerk', $_), qr/ERROR:  42501: /, "$policies: what is for all customers is not for some: $_") for q{CALL clientele.record_segments('named')}, q{CALL clientele.refresh('named')},
	  q{SELECT count(*) FROM clientele.check_store('named')}, q{SELECT clientele.forget_customer(7, 'named')};
	as_owner('REVOKE ALL ON ALL TABLES IN SCHEMA named FROM clerk; GRANT SELECT ON ALL TABLES IN SCHEMA named TO clerk');
}
like(answer('nightly', q{CALL clientele.record_segments('named')}), qr/ERROR:  42501: permission denied for table/, 'recording needs its rights');
as_owner(q{DROP POLICY even ON buyers; DROP POLICY all_of_them ON buyers; DROP POLICY even ON named.profiles; DROP POLICY all_of_them ON named.profiles; ALTER TABLE buyers DISABLE ROW LEVEL SECURITY; ALTER TABLE named.profiles DISABLE ROW LEVEL SECURITY;
	GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA named TO nightly; GRANT SELECT ON sales, lines TO nightly});
is(answer('nightly', $_), '', "who is under no policy may be another than the owner: $_") for
  q{CALL clientele.record_segments('named')}, q{SELECT string_agg(finding, ' ') FROM clientele.check_store('named')}, q{CALL clientele.refresh('named')}, q{CALL clientele.refresh('named', true)},
  q{DELETE FROM named.profiles WHERE customer_id = 5; SELECT count(*) FROM clientele.check_store('named', repair => true) WHERE finding <> 'missing' HAVING count(*) > 0};
exact($node, $db, 'named', 'and what is shown is exact');
as_owner(q{CREATE POLICY mine ON named.segment_membership USING (false)});
like(answer('nightly', q{CALL clientele.record_segments('named')}), qr/ERROR:  42501: table named.segment_membership has policies of its own/, 'a policy that somebody added is one under which nobody knows what is missing');
as_owner(q{SELECT clientele.drop_store('named'); DROP TABLE sales, lines, buyers});

# ---- Several at a time ----

my ($one, $two) = map { session($node, $db) } 1 .. 2;
my $pid = ask($two, 'SELECT pg_backend_pid()');
# What a session does in a transaction, what the other tries meanwhile, and what it is told when the first commits or rolls back.
for my $case (
	[ 'redeem', 'redeem', 'COMMIT', qr/OF002: the code has been redeemed already/ ], [ 'redeem', 'redeem', 'ROLLBACK', qr/^t$/ ],
	[ 'redeem', 'other order', 'COMMIT', qr/OF002: the code has been redeemed already/ ], [ 'other code', 'redeem', 'COMMIT', qr/OF003: the order has redeemed another/ ],
	[ 'void', 'void', 'COMMIT', qr/^f$/ ], [ 'void', 'void', 'ROLLBACK', qr/^t$/ ], [ 'expire', 'redeem', 'COMMIT', qr/OF004: the offer has expired/ ],
	[ 'withdraw', 'redeem', 'COMMIT', qr/OF005: the offer is void/ ], [ 'withdraw', 'redeem', 'ROLLBACK', qr/^t$/ ],
	[ 'redeem', 'try', 'COMMIT', qr/^f\|used$/ ], [ 'redeem', 'try', 'ROLLBACK', qr/^t\|$/ ], [ 'other code', 'try', 'COMMIT', qr/^f\|order_used$/ ], [ 'withdraw', 'try', 'COMMIT', qr/^f\|void$/ ],
	[ 'forget', 'try', 'COMMIT', qr/^f\|unknown$/ ], [ 'redeem', 'forget', 'COMMIT', qr/^$/ ], [ 'forget', 'redeem', 'COMMIT', qr/OF001: / ])
{
	my ($first, $second, $end, $told) = @$case;
	my $c = $customer->();
	my ($its, $o) = ($code->($c), $order->($c));
	my $another = $order->($c);
	my %does = (
		redeem => "SELECT reward > 0 FROM clientele.redeem_offer('$its', $o)", 'other order' => "SELECT reward > 0 FROM clientele.redeem_offer('$its', $another)",
		try => "SELECT redeemed, reason FROM clientele.try_redeem_offer('$its', $o)",
		withdraw => "SELECT clientele.withdraw_offer(exposure_id) FROM shop.ledger WHERE customer_id = $c",
		void => "SELECT clientele.void_redemption($o)", forget => "SELECT clientele.forget_customer($c)",
		'other code' => "SELECT reward > 0 FROM clientele.redeem_offer('22222-22222', $o)", expire => "SELECT clientele._settle_due('shop', 'second', 100)");
	# A second exposure of the customer, as if time had passed.
	as_owner("INSERT INTO shop.ledger (customer_id, period, program, program_version, global_holdout, basis, reference_value, min_spend, reward, reward_kind, currency, message, reasons, variant,
			propensity, issued_at, valid_until, code) SELECT customer_id, 9, program, program_version, global_holdout, basis, reference_value, min_spend, 0, reward_kind, currency, message, reasons, variant,
			propensity, issued_at, valid_until, '22222-22222' FROM shop.ledger WHERE customer_id = $c") if $first eq 'other code';
	as_owner("SELECT clientele.redeem_offer('$its', $o)") if $first eq 'void';
	if ($first eq 'expire')
	{
		as_owner("UPDATE shop.ledger SET issued_at = issued_at - interval '60 days', valid_until = valid_until - interval '60 days' WHERE customer_id = $c;
			DELETE FROM orders WHERE order_id = $another; UPDATE orders SET ordered_at = now() - interval '55 days', amount = 1 WHERE order_id = $o");
	}
	ask($one, 'BEGIN');
	unlike(ask($one, $does{$first}), qr/ERROR/, "$first, $second, $end: the first");
	begin_asking($two, $does{$second});
	waits_for_lock($node, $db, $pid);
	ask($one, $end);
	like(ask($two, 'SELECT'), $told, 'the second');
	is(as_owner("SELECT count(*) FROM shop.ledger WHERE order_id = $o AND state = 'redeemed'"), $first eq 'forget' || $second eq 'forget' || $second eq 'void' || $first eq 'expire' || $first eq 'withdraw' && $end eq 'COMMIT' ? '0' : '1', 'one outcome');
	as_owner(q{DELETE FROM shop.ledger WHERE code = '22222-22222'});
}
is(as_owner($budget), 't', 'and the budget is exact');
# What somebody is closing is not withdrawn, nor waited for.
my $closing = $customer->();
my ($its_own, $closed_by) = ($code->($closing), $order->($closing));
ask($one, 'BEGIN');
ask($one, "SELECT clientele.redeem_offer('$its_own', $closed_by)");
is(ask($two, "SELECT clientele.withdraw_offer(exposure_id) FROM shop.ledger WHERE customer_id = $closing"), 'f', 'what is being redeemed is not withdrawn');
ask($one, 'ROLLBACK');
is(ask($two, "SELECT clientele.withdraw_offer(exposure_id) FROM shop.ledger WHERE customer_id = $closing"), 't', 'afterwards it is');
# What would have to be tried again is raised, and so is a cancel.
my $torn = $customer->();
my ($torn_code, $torn_order) = ($code->($torn), $order->($torn));
ask($two, 'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1');
ask($one, "SELECT clientele.redeem_offer('$torn_code', $torn_order)");
like(ask($two, "SELECT redeemed FROM clientele.try_redeem_offer('$torn_code', $torn_order)"), qr/ERROR:  40001/, 'a serialization failure is raised');
ask($two, 'ROLLBACK');
ask($one, 'BEGIN');
ask($one, "SELECT clientele.void_redemption($torn_order)");
like(ask($two, "SET statement_timeout = '200ms'; SELECT redeemed FROM clientele.try_redeem_offer('$torn_code', $torn_order)"), qr/ERROR:  57014/, 'a cancel, too');
ask($one, 'ROLLBACK');
$_->quit for $one, $two;

# Many at a time, over the same codes.
my @contested = map { my $c = $customer->(); my $its = $code->($c); [ $its, $order->($c) ] } 1 .. 6;
my @clients;
for my $client (0 .. 7)
{
	my $script = join '', map { my ($its, $o) = @{ $contested[ rand @contested ] }; $client == 0 ? "CALL clientele.settle_offers('shop', chunk => 3);\n" : $_ % 3 == 0 ? "SELECT 'void' WHERE clientele.void_redemption($o);\n" : "SELECT 'redeemed' FROM clientele.redeem_offer('$its', $o);\n" } 1 .. 60;
	my ($output, $errors) = ('', '');
	push @clients, [ IPC::Run::start([ 'psql', '-XAtq', '-v', 'VERBOSITY=verbose', '-U', 'owner', '-d', $node->connstr($db), '-f', '-' ], '<', \$script, '>', \$output, '2>', \$errors, IPC::Run::timeout(60)), \$output, \$errors ];
}
my ($all, $failed) = ('', '');
for (@clients) { my ($run, $output, $errors) = @$_; $run->finish; $all .= $$output; $failed .= $$errors; }
my @voids = $all =~ /void/g;
my @redeemed = $all =~ /redeemed/g;
unlike($failed, qr/ERROR:  (?!OF002: the code has been redeemed already|OF005: the offer is void)/, 'each is told the outcome, and there is no deadlock');
cmp_ok(scalar @redeemed, '<=', 6, 'a code is redeemed once');
cmp_ok(scalar @voids, '<=', 6, 'and voided once');
is(as_owner($budget), 't', 'and the budget is exact');

# Whole campaigns withdrawn while others issue and settle: nobody meets anybody in another order.
@clients = ();
my @crowd = map { $customer->() } 1 .. 20;
as_owner("SELECT clientele.issue_offer($_)") for @crowd;
for my $client (0 .. 5)
{
	my $withdraw = "SELECT count(*) FILTER (WHERE clientele.withdraw_offer(exposure_id)) FROM (SELECT exposure_id FROM shop.ledger WHERE state = 'open' ORDER BY random()) l;\n";
	my $issue = join '', map { "SELECT count(*) FROM clientele.issue_offer($_);\n" } @crowd;
	my $settle = "UPDATE shop.ledger SET issued_at = issued_at - interval '40 days', valid_until = valid_until - interval '40 days'
		WHERE exposure_id = (SELECT exposure_id FROM shop.ledger WHERE state = 'open' LIMIT 1 FOR UPDATE SKIP LOCKED);\nCALL clientele.settle_offers('shop', chunk => 5);\n";
	my $script = ($withdraw, $withdraw, $issue, $issue, $settle, $settle)[$client] x ($client < 2 ? 40 : $client < 4 ? 6 : 40);
	my ($output, $errors) = ('', '');
	push @clients, [ IPC::Run::start([ 'psql', '-XAtq', '-v', 'VERBOSITY=verbose', '-U', 'owner', '-d', $node->connstr($db), '-f', '-' ], '<', \$script, '>', \$output, '2>', \$errors, IPC::Run::timeout(60)), \$output, \$errors ];
}
$failed = '';
my $withdrawn = 0;
for (@clients) { my ($run, $output, $errors) = @$_; $run->finish; $failed .= $$errors; }
$withdrawn += $_ for map { split ' ', ${ $clients[$_][1] } } 0, 1;
unlike($failed, qr/ERROR/, 'withdrawing, issuing and settling: no deadlock');
cmp_ok($withdrawn, '>', 0, 'some are withdrawn');
is(as_owner($budget), 't', 'and the budget is exact');

# ---- Dump and restore ----

as_owner(q{SELECT clientele.forget_customer(3)});
$node->command_ok([ 'pg_dump', '-Fc', '-f', $node->basedir . '/dump', '-d', $node->connstr($db) ], 'dump');
$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->command_ok([ 'pg_restore', '--exit-on-error', '-d', $node->connstr('restored'), $node->basedir . '/dump' ], 'restore');
for my $table (qw(ledger budgets program_versions campaigns forgotten reversals offer_ledger exposures budget_status))
{
	my $rows = "SELECT count(*), md5(string_agg(t::text, '|' ORDER BY t::text)) FROM shop.$table t";
	is($node->safe_psql('restored', $rows), $node->safe_psql($db, $rows), "shop.$table is the same");
}
is($node->safe_psql('restored', q{SELECT count(*) > 0 FROM shop.ledger}), 't', 'and is not empty');
is($node->safe_psql('restored', q{SET client_min_messages = warning; UPDATE shop.ledger SET issued_at = issued_at - interval '40 days', valid_until = valid_until - interval '40 days';
	CALL clientele.settle_offers('shop');
	SELECT count(*) > 0, bool_and(o.exposure_id > (SELECT max(exposure_id) FROM shop.ledger)), (SELECT count(*) FROM shop.ledger WHERE state = 'open') FROM generate_series(171, 180) c, clientele.issue_offer(c, 'shop') o}),
	't|t|0', 'issuing goes on with ids of its own');
is($node->safe_psql('restored', $budget), 't', 'and the budget is exact');
is(complaints($node), '', 'the server has nothing to complain of');

done_testing();
