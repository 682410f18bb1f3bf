# Reads orders as shops export them, and writes them as one plain CSV: perl orders-file.pl FILE OUTPUT
#
# OUTPUT gets the columns order_id, customer_id, ordered_at, amount, refunded, without a header. On stdout: a line "currency=..." and a line
# "time_zone=..." of the orders; on stderr: what was taken for what, how many rows were left out, and why. What cannot be read
# without doubt is refused, naming the row and the way out; nothing is guessed.
#
# In the environment: CUSTOMER_ID, ORDERED_AT, AMOUNT, ORDER_ID (names of columns), TIME_ZONE, CURRENCY, DATES (DMY or MDY: how to read
# 3/4/2026), DECIMAL (. or ,), LINES_ARE (sum or first: where an order takes several rows), STATUS (values that count of a status column, or *).
use strict;
use warnings;
use utf8;
use Encode ();
use List::Util qw(first);
use Text::CSV_XS;

my ($file, $output) = @ARGV;
binmode $_, ':encoding(UTF-8)' for *STDOUT, *STDERR;

sub refuse { my ($what, $hint) = @_; print STDERR "$what\n", defined $hint ? "$hint\n" : ''; exit 1 }
sub say_so { print STDERR '  ', @_, "\n"; return }

# How the exports of shop systems are known, and what of them is an order. where: rows with another value there are no orders that
# count. lines: a row a line; what is the order's stands in its first row alone.
my @systems = (
	{ name => 'Shopify', known_by => [ 'Name', 'Financial Status', 'Created at', 'Lineitem name' ], lines => 1,
	  order_id => 'Name', customer_id => 'Email', ordered_at => 'Created at', amount => 'Subtotal', refunded => 'Refunded Amount',
	  whole => 'Total', currency => 'Currency', where => { 'Financial Status' => [qw(paid partially_paid partially_refunded refunded)] }, empty => ['Cancelled at'] },
	{ name => 'Stripe', known_by => [ 'id', 'Created date (UTC)', 'Amount', 'Converted Amount', 'Customer ID' ], time_zone => 'UTC',
	  order_id => 'id', customer_id => 'Customer ID', ordered_at => 'Created date (UTC)', amount => 'Converted Amount', refunded => 'Amount Refunded',
	  whole => 'Amount', currency => 'Converted Currency', where => { Status => [ 'paid', 'succeeded', 'refunded', 'partially refunded' ], Captured => ['true'] } },
	{ name => 'Square', known_by => [ 'Date', 'Time', 'Time Zone', 'Net Sales', 'Transaction ID' ], zone_column => 'Time Zone',
	  order_id => 'Transaction ID', customer_id => 'Customer ID', ordered_at => 'Date', time => 'Time', amount => 'Net Sales' },
	{ name => 'WooCommerce', known_by => [ 'Date', 'Order #', 'Status', 'N. Revenue' ],
	  order_id => 'Order #', customer_id => 'customer_id', ordered_at => 'Date', amount => 'N. Revenue', where => { Status => [qw(completed processing)] } },
);
my %own = (customer_id => $ENV{CUSTOMER_ID}, ordered_at => $ENV{ORDERED_AT}, amount => $ENV{AMOUNT}, order_id => $ENV{ORDER_ID});

# The zones that Square writes, as PostgreSQL knows them.
my %zones = (
	'Eastern Time (US & Canada)' => 'America/New_York', 'Central Time (US & Canada)' => 'America/Chicago', 'Mountain Time (US & Canada)' => 'America/Denver',
	'Pacific Time (US & Canada)' => 'America/Los_Angeles', 'Arizona' => 'America/Phoenix', 'Alaska' => 'America/Anchorage', 'Hawaii' => 'Pacific/Honolulu',
	'Atlantic Time (Canada)' => 'America/Halifax', 'Newfoundland' => 'America/St_Johns', 'London' => 'Europe/London', 'Dublin' => 'Europe/Dublin',
	'Paris' => 'Europe/Paris', 'Madrid' => 'Europe/Madrid', 'Sydney' => 'Australia/Sydney', 'Melbourne' => 'Australia/Melbourne', 'Tokyo' => 'Asia/Tokyo',
);

sub main
{
	my ($header, $rows) = read_rows(text_of(bytes_of($file)));
	my $system = system_of($header);
	my $columns = columns_of($system, $header);
	ask_for_status($system, $header, $rows);
	if (!defined $system->{name} && (my $refunded = first { /^(?:amount[ _])?refunded(?:[ _]amount)?$/i } @$header)) { $system->{refunded} = $refunded }
	my %left_out;
	my $orders = one_row_an_order($system, $columns, [ grep { counts($system, $columns, $_, \%left_out) } @$rows ], \%left_out);
	my $currency = one_currency($system, $columns, $orders, \%left_out);
	my $time_zone = time_zone_of($system, $orders);
	read_times($system, $columns, $orders);
	read_amounts($system, $columns, $orders);
	my $guests = mark_guests($columns, $orders, $header);
	write_orders($columns, $orders);
	report($system, $columns, $orders, $guests, \%left_out);
	print "currency=$currency\ntime_zone=$time_zone\n";
	return;
}

# ---- From bytes to rows ----

sub bytes_of
{
	my ($path) = @_;
	open my $in, '-|', 'gzip', '-cdf', $path or refuse("$path cannot be read: $!");
	binmode $in;
	local $/;
	my $bytes = <$in> // '';
	close $in or refuse("$path cannot be read");
	refuse('The file is empty.') if $bytes !~ /\S/;
	return $bytes;
}

sub text_of
{
	my ($bytes) = @_;
	my ($encoding, $name) = ('UTF-8', undef);
	if    ($bytes =~ s/^\xEF\xBB\xBF//) { }
	elsif ($bytes =~ s/^\xFF\xFE//) { ($encoding, $name) = ('UTF-16LE', 'UTF-16') }
	elsif ($bytes =~ s/^\xFE\xFF//) { ($encoding, $name) = ('UTF-16BE', 'UTF-16') }
	elsif (!eval { Encode::decode('UTF-8', my $copy = $bytes, Encode::FB_CROAK); 1 }) { ($encoding, $name) = ('cp1252', 'Latin-1') }
	my $text = eval { Encode::decode($encoding, $bytes, $encoding eq 'cp1252' ? Encode::FB_DEFAULT : Encode::FB_CROAK) } // refuse("The file is not valid $encoding.");
	refuse('The file holds zero bytes: it is no text.', 'Export it as CSV in UTF-8.') if $text =~ /\0/;
	say_so("It is not in UTF-8; it is read as $name.") if $name;
	return $text =~ s/\r\n?/\n/gr;
}

# The names of the columns, and the rows as hashes with their number in the file (_row, of the rows after the header).
sub read_rows
{
	my ($text) = @_;
	my ($first) = $text =~ /\A\s*([^\n]*)/;
	(my $unquoted = $first) =~ s/"[^"]*"//g;
	my %times = map { $_ => scalar(() = $unquoted =~ /\Q$_\E/g) } (',', ';', "\t", '|');
	my ($delimiter) = sort { $times{$b} <=> $times{$a} || $a cmp $b } keys %times;
	my $csv = Text::CSV_XS->new({ binary => 1, sep_char => $delimiter, auto_diag => 0 });
	$text =~ s/\A\s+//;
	open my $in, '<:encoding(UTF-8)', \Encode::encode('UTF-8', $text) or die;
	my $names = $csv->getline($in) // refuse('The header cannot be read.');
	my @names = unique(map { s/^\s+|\s+$//gr =~ s/\s+/ /gr } @$names);
	my @rows;
	while (my $fields = $csv->getline($in))
	{
		next unless grep { defined && /\S/ } @$fields;
		my %row = (_row => scalar @rows + 1);
		@row{@names} = map { defined $_ ? s/^[\s\x{A0}]+|[\s\x{A0}]+$//gr : '' } @$fields[ 0 .. $#names ];
		push @rows, \%row;
	}
	my $end_of_file = 2012;
	refuse('Row ' . (@rows + 1) . ' after the header is no CSV: ' . $csv->error_diag . '.', 'Is a quotation mark not closed, or not doubled within quotes?')
	  if $csv->error_diag + 0 != $end_of_file;
	refuse('The file has a header and no rows.') unless @rows;
	return (\@names, \@rows);
}

sub unique
{
	my @names = @_;
	my (%seen, @unique);
	for my $place (0 .. $#names)
	{
		my $name = $names[$place] eq '' ? 'column ' . ($place + 1) : $names[$place];
		$name .= ' 2' while $seen{$name}++;
		push @unique, $name;
	}
	return @unique;
}

# ---- Which file it is, and which column is what ----

sub system_of
{
	my ($header) = @_;
	return { name => undef } if grep { defined $own{$_} } qw(customer_id ordered_at amount);
	my %has = map { lc $_ => 1 } @$header;
	return (first { my $system = $_; !grep { !$has{ lc $_ } } @{ $system->{known_by} } } @systems) // { name => undef };
}

sub columns_of
{
	my ($system, $header) = @_;
	my (%columns, @missing);
	for my $role (qw(customer_id ordered_at amount))
	{
		my $wanted = $own{$role} // $system->{$role} // $role;
		$columns{$role} = named($wanted, $header) // do { push @missing, $wanted; undef };
	}
	refuse('The header has no column ' . join(', ', map { "\"$_\"" } @missing) . '. Its columns are: ' . join(', ', map { "\"$_\"" } @$header) . '.',
		"Say which they are, e.g. CUSTOMER_ID=\"$header->[0]\" (also ORDERED_AT=, AMOUNT=).") if @missing;
	$columns{order_id} = named($own{order_id}, $header) // refuse("The header has no column \"$own{order_id}\".") if defined $own{order_id};
	$columns{order_id} //= first { defined } map { named($_, $header) } grep { defined } $system->{order_id}, qw(order_id order-id orderid), 'order id', 'order number', 'invoice', 'invoiceno', 'invoice no';
	return \%columns;
}

# A column of this name, whatever its case; undef where there is none, or two.
sub named
{
	my ($wanted, $header) = @_;
	return undef unless defined $wanted;
	my @same = grep { $_ eq $wanted } @$header;
	@same = grep { lc $_ eq lc $wanted } @$header unless @same;
	return @same == 1 ? $same[0] : undef;
}

# A file that is no export may say in a column of its own which rows are no orders: that is not for us to guess.
sub ask_for_status
{
	my ($system, $header, $rows) = @_;
	return if defined $system->{name};
	my $name = first { /^(?:order |payment |financial )?(?:status|state)$/i } map { s/_/ /gr } @$header or return;
	($name) = grep { s/_/ /gr eq $name } @$header;
	my %times;
	$times{ lc $_->{$name} }++ for @$rows;
	if (defined $ENV{STATUS})
	{
		$system->{where} = { $name => [ map { lc s/^\s+|\s+$//gr } split /,/, $ENV{STATUS} ] } if $ENV{STATUS} ne '*';
		return;
	}
	my @bad = grep { /cancel|fail|pend|refund|void|declin|hold|draft|abandon|return|trash|expire/ } sort keys %times;
	refuse("Column \"$name\" says that not every row is an order that counts: " . join(', ', map { "$times{$_} \"$_\"" } sort keys %times) . '.',
		'Name those that count: STATUS="completed,processing", or STATUS=* for all.') if @bad;
	return;
}

# ---- Which rows are orders ----

sub counts
{
	my ($system, $columns, $row, $left_out) = @_;
	return 1 if $system->{lines} && $row->{'Financial Status'} eq '';
	if ($row->{ $columns->{ordered_at} } !~ /\d/ && grep { /^(?:grand )?totals?:?$/i } values %$row)
	{
		$left_out->{'with totals'}++;
		return 0;
	}
	for my $column (sort keys %{ $system->{where} // {} })
	{
		my $value = lc($row->{$column} // '');
		next if !exists $row->{$column} || grep { $_ eq $value } @{ $system->{where}{$column} };
		$left_out->{"where \"$column\" is \"$row->{$column}\""}++;
		return 0;
	}
	for my $column (@{ $system->{empty} // [] })
	{
		next if ($row->{$column} // '') eq '';
		$left_out->{"with \"$column\""}++;
		return 0;
	}
	return 1;
}

# Rows of the same order id: the lines of one order, or the same order over again.
sub one_row_an_order
{
	my ($system, $columns, $rows, $left_out) = @_;
	my $key = $columns->{order_id};
	return $rows unless defined $key;
	my (%orders, @orders);
	for my $row (@$rows)
	{
		push @orders, $row if $row->{$key} eq '' || !$orders{ $row->{$key} };
		push @{ $orders{ $row->{$key} } }, $row;
	}
	return $rows if @orders == @$rows;
	return [ first_rows($system, \@orders, \%orders, $key, $left_out) ] if $system->{lines};
	my $lines = lc($ENV{LINES_ARE} // '');
	refuse(sprintf('%d of %d rows have a "%s" that another row has, too: an order takes several rows.', scalar @$rows - @orders, scalar @$rows, $key),
		"Where the amount is the line's, LINES_ARE=sum adds up the rows of an order; where each row repeats the order's, LINES_ARE=first takes the first.")
	  unless $lines =~ /^(?:sum|first)$/;
	say_so(sprintf '%d rows are lines of %d orders; %s.', scalar @$rows, scalar @orders, $lines eq 'sum' ? 'their amounts are added up' : 'the first of each counts');
	$_->{_lines} = $lines eq 'sum' ? $orders{ $_->{$key} } : undef for @orders;
	return \@orders;
}

# What a shop system exports has the order's figures in the first of its rows. An order whose first row does not count is none.
sub first_rows
{
	my ($system, $firsts, $orders, $key, $left_out) = @_;
	my @kept = grep { $_->{'Financial Status'} ne '' } @$firsts;
	my $lines = 0;
	$lines += @{ $orders->{ $_->{$key} } } - 1 for @kept;
	say_so("Further lines of orders, whose amounts the first row has: $lines.") if $lines;
	return @kept;
}

# ---- One currency, one zone ----

sub one_currency
{
	my ($system, $columns, $orders, $left_out) = @_;
	my $column = $system->{currency} // first { exists $orders->[0]{$_} } qw(currency Currency CURRENCY);
	return uc($ENV{CURRENCY} // currency_of_signs($columns->{amount}, $orders) // 'USD') unless defined $column && @$orders;
	my %times;
	$times{ uc $_->{$column} || 'no currency' }++ for @$orders;
	my $main = uc($ENV{CURRENCY} // (sort { $times{$b} <=> $times{$a} || $a cmp $b } keys %times)[0]);
	refuse("No order is in $main; the currencies are: " . join(', ', sort keys %times) . '.', 'Name one of them: CURRENCY=...') unless $times{$main};
	$left_out->{"in $_"} = $times{$_} for grep { $_ ne $main } keys %times;
	@$orders = grep { (uc $_->{$column} || 'no currency') eq $main } @$orders;
	return $main;
}

# What the amounts themselves say; undef where they say nothing, or $ alone, which many currencies have.
sub currency_of_signs
{
	my ($name, $orders) = @_;
	my %codes = ('€' => 'EUR', '£' => 'GBP', '₹' => 'INR', '₩' => 'KRW', '₺' => 'TRY', '₴' => 'UAH', '₪' => 'ILS', '₫' => 'VND', '₱' => 'PHP');
	my %rows;
	for my $order (@$orders)
	{
		my ($sign) = $order->{$name} =~ /(\p{Currency_Symbol}|\b[A-Z]{3}\b)/ or next;
		$rows{ $codes{$sign} // $sign } //= $order;
	}
	my @found = sort keys %rows;
	return undef unless @found;
	refuse("Column \"$name\" has amounts in several currencies: " . join(', ', map { "\"$rows{$_}{$name}\" in row $rows{$_}{_row}" } @found) . '.',
		'A store has one. Leave the others out of the file, or convert them.') if @found > 1;
	return $found[0] =~ /^[A-Z]{3}$/ ? $found[0] : undef;
}

sub time_zone_of
{
	my ($system, $orders) = @_;
	return $ENV{TIME_ZONE} if defined $ENV{TIME_ZONE} && $ENV{TIME_ZONE} ne '';
	my $column = $system->{zone_column} or return $system->{time_zone} // 'UTC';
	my %found = map { $_->{$column} => 1 } @$orders;
	my @names = sort keys %found;
	refuse("The orders are of several time zones: " . join(', ', @names) . '.', 'Name one to read their times in: TIME_ZONE=...') if @names != 1;
	return $zones{ $names[0] } // refuse("The time zone \"$names[0]\" is not known here.", 'Name it as PostgreSQL does: TIME_ZONE=Europe/Berlin');
}

# ---- Times ----

my %months;
@months{qw(jan feb mar apr may jun jul aug sep oct nov dec)} = 1 .. 12;

sub read_times
{
	my ($system, $columns, $orders) = @_;
	my $name = $columns->{ordered_at};
	my @texts = map { join ' ', grep { defined && $_ ne '' } $_->{$name}, defined $system->{time} ? $_->{ $system->{time} } : () } @$orders;
	my $day_first = day_first($name, $orders, \@texts);
	for my $place (0 .. $#$orders)
	{
		my $order = $orders->[$place];
		$order->{_at} = $texts[$place] eq '' ? undef : time_of($texts[$place], $day_first)
		  // unreadable($name, $order, $texts[$place], 'Accepted are times such as 2026-01-31 14:05, 31.1.2026 14:05 and 1/31/2026 2:05 PM, with or without an offset.');
	}
	return;
}

# Whether 3/4/2026 is in April: said in DATES, or seen in a number above 12.
sub day_first
{
	my ($name, $orders, $texts) = @_;
	my $said = uc($ENV{DATES} // $ENV{PGDATESTYLE} // '');
	my @places = grep { $texts->[$_] =~ m{^\d{1,2}[/-]\d{1,2}[/-]\d{4}\b} } 0 .. $#$texts;
	return $said =~ /DMY/ ? 1 : 0 if !@places || $said =~ /DMY|MDY/;
	my ($day_first) = first { $texts->[$_] =~ /^(\d+)/ && $1 > 12 } @places;
	my ($month_first) = first { $texts->[$_] =~ m{^\d+[/-](\d+)} && $1 > 12 } @places;
	return defined $day_first ? 1 : 0 if defined $day_first xor defined $month_first;
	refuse("Column \"$name\": in row $orders->[ $places[0] ]{_row} \"$texts->[ $places[0] ]\" may be read day first or month first"
		. (defined $day_first ? ", and rows $orders->[$day_first]{_row} and $orders->[$month_first]{_row} say both." : '.'), 'Say which: DATES=DMY or DATES=MDY.');
}

# As ISO 8601, without an offset where there is none; undef where it is no time.
sub time_of
{
	my ($text, $day_first) = @_;
	my $date = qr{(?<y>\d{4})[-/.](?<m>\d{1,2})[-/.](?<d>\d{1,2})|(?<d>\d{1,2})\.(?<m>\d{1,2})\.(?<y>\d{4})|(?<a>\d{1,2})[/-](?<b>\d{1,2})[/-](?<y>\d{4})
		|(?<d>\d{1,2})[ -](?<n>[A-Za-z]{3})[a-z]*\.?[ -](?<y>\d{4})|(?<n>[A-Za-z]{3})[a-z]*\.?\ (?<d>\d{1,2}),?\ (?<y>\d{4})}x;
	my $clock = qr{(?<H>\d{1,2}):(?<M>\d{2})(?::(?<S>\d{2}(?:\.\d+)?))?(?:\s*(?<h>[AaPp])\.?[Mm]\.?)?}x;
	my $offset = qr{\s*(?<z>Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)}x;
	return undef unless $text =~ /^(?:$date)(?:(?:T|,?\s+)$clock(?:$offset)?)?$/;
	my %part = %+;
	my ($month, $day) = defined $part{a} ? ($day_first ? @part{qw(b a)} : @part{qw(a b)}) : ($part{m} // $months{ lc($part{n} // '') }, $part{d});
	return undef unless defined $month && $month >= 1 && $month <= 12 && $day >= 1 && $day <= days_in($part{y}, $month);
	my $hour = $part{H} // 0;
	return undef if $hour > 23 || ($part{M} // 0) > 59 || ($part{S} // 0) >= 60 || defined $part{h} && ($hour < 1 || $hour > 12);
	$hour = $hour % 12 + (lc $part{h} eq 'p' ? 12 : 0) if defined $part{h};
	my $zone = defined $part{z} ? $part{z} =~ /^(?:Z|UTC|GMT)$/ ? '+00' : $part{z} : '';
	return sprintf '%04d-%02d-%02d %02d:%02d:%s%s', $part{y}, $month, $day, $hour, $part{M} // 0, sprintf('%02s', $part{S} // '00'), $zone;
}

sub days_in
{
	my ($year, $month) = @_;
	return $year % 4 == 0 && ($year % 100 != 0 || $year % 400 == 0) ? 29 : 28 if $month == 2;
	return $month == 4 || $month == 6 || $month == 9 || $month == 11 ? 30 : 31;
}

# ---- Amounts ----

sub read_amounts
{
	my ($system, $columns, $orders) = @_;
	my $name = $columns->{amount};
	my @all = map { $_->{_lines} ? @{ $_->{_lines} } : $_ } @$orders;
	my $mark = decimal_mark($name, \@all);
	for my $order (@$orders)
	{
		my @amounts = map { number($name, $_, $_->{$name}, $mark) } $order->{_lines} ? @{ $order->{_lines} } : $order;
		$order->{_amount} = @amounts == 1 ? $amounts[0] : sum_of(@amounts);
		my ($refunded, $whole) = map { defined $system->{$_} ? number($system->{$_}, $order, $order->{ $system->{$_} } // '', $mark) : undef } qw(refunded whole);
		next unless defined $refunded && $refunded ne '' && $refunded != 0 && defined $order->{_amount};
		# What was given back is of the whole that was paid: with tax and shipping, and in the currency that it was paid in;
		# a file that names no such whole says it in the amount's own.
		my ($part, $of) = defined $whole ? ($refunded, $whole) : ($refunded, $order->{_amount});
		$order->{_refunded} = $part >= $of ? $order->{_amount} : sprintf '%.2f', $order->{_amount} * $part / $of;
	}
	return;
}

sub sum_of
{
	my @amounts = grep { defined } @_ or return undef;
	my $hundredths = 0;
	$hundredths += sprintf '%.0f', $_ * 10000 for @amounts;
	return sprintf('%.4f', $hundredths / 10000) =~ s/0{1,2}$//r;
}

# A comma before other than three digits is decimal, a point before a comma is not; "1,234" alone in a whole file may be either.
sub decimal_mark
{
	my ($name, $rows) = @_;
	return $ENV{DECIMAL} if ($ENV{DECIMAL} // '') =~ /^[.,]$/;
	my ($point, $comma, $unclear);
	for my $row (@$rows)
	{
		my $text = bare($row->{$name});
		if    ($text =~ /,.*\./ || $text =~ /\.\d+$/ && $text !~ /,/ && $text !~ /^-?\d{1,3}(?:\.\d{3})+$/ || $text =~ /,\d{3},/) { $point //= $row }
		elsif ($text =~ /\..*,/ || $text =~ /,\d*$/ && $text !~ /,\d{3}$/ || $text =~ /\.\d{3}\./) { $comma //= $row }
		elsif ($text =~ /[.,]/) { $unclear //= $row }
	}
	refuse("Column \"$name\": \"$point->{$name}\" in row $point->{_row} has a decimal point, \"$comma->{$name}\" in row $comma->{_row} a decimal comma.", 'Say which it is: DECIMAL=. or DECIMAL=,')
	  if $point && $comma;
	return $comma ? ',' : '.' if $point || $comma || !$unclear;
	refuse("Column \"$name\": \"$unclear->{$name}\" in row $unclear->{_row} may be thousands or decimals.", 'Say which mark is the decimal one: DECIMAL=. or DECIMAL=,');
}

# Without signs of currencies, spaces and the like; in parentheses is negative.
sub bare
{
	my ($text) = @_;
	$text =~ s/^\((.*)\)$/-$1/;
	$text =~ s/[\s\x{A0}\x{202F}']|\p{Currency_Symbol}//g;
	$text =~ s/^-?\K(?:[A-Z]{3}|kr|R)(?=[\d.,-])|(?<=\d)(?:[A-Z]{3}|kr|zł|Kč)$//;
	return $text =~ s/^\+//r;
}

sub number
{
	my ($name, $row, $text, $mark) = @_;
	return undef if $text eq '';
	my $bare = bare($text);
	my $group = $mark eq ',' ? qr/\./ : qr/,/;
	unreadable($name, $row, $text, 'Accepted are numbers such as 1234.50, $1,234.50 and 1.234,50.')
	  unless $bare =~ /^-?(?:\d+|\d{1,3}(?:$group\d{3})+)?(?:\Q$mark\E\d*)?$/ && $bare =~ /\d/;
	$bare =~ s/$group//g;
	return $bare =~ s/\Q$mark\E/./r;
}

sub unreadable
{
	my ($name, $row, $text, $accepted) = @_;
	refuse("Column \"$name\", row $row->{_row} after the header: cannot read \"$text\".", $accepted);
}

# ---- The result ----

# WooCommerce and others write 0 for a guest.
sub mark_guests
{
	my ($columns, $orders, $header) = @_;
	my $name = $columns->{customer_id};
	# Mail addresses are the same whatever their case.
	$_->{_customer} = $_->{$name} =~ /^0*$/ ? '' : $_->{$name} =~ /@/ ? lc $_->{$name} : $_->{$name} for @$orders;
	my $guests = grep { $_->{_customer} eq '' } @$orders;
	refuse("Column \"$name\" names no customer in any row" . ($orders->[0]{$name} eq '0' ? ' (0 is a guest).' : '.'),
		'Name another column that tells customers apart, e.g. CUSTOMER_ID="email". There are: ' . join(', ', map { "\"$_\"" } @$header) . '.') if @$orders && $guests == @$orders;
	return $guests;
}

sub write_orders
{
	my ($columns, $orders) = @_;
	refuse('No row of the file is an order that counts.') unless @$orders;
	my $csv = Text::CSV_XS->new({ binary => 1, eol => "\n", quote_empty => 0 });
	open my $out, '>:encoding(UTF-8)', $output or refuse("$output cannot be written: $!");
	for my $order (@$orders)
	{
		my $id = defined $columns->{order_id} && $order->{ $columns->{order_id} } ne '' ? $order->{ $columns->{order_id} } : "row $order->{_row}";
		$csv->print($out, [ $id, $order->{_customer} eq '' ? undef : $order->{_customer}, $order->{_at}, $order->{_amount}, $order->{_refunded} ]);
	}
	close $out or refuse("$output cannot be written: $!");
	return;
}

sub report
{
	my ($system, $columns, $orders, $guests, $left_out) = @_;
	say_so("An export of $system->{name}.") if $system->{name};
	say_so('Customer: ', $columns->{customer_id}, '; time: ', join(' and ', grep { defined } $columns->{ordered_at}, $system->{time}), '; amount: ', $columns->{amount},
		defined $columns->{order_id} ? ('; order: ', $columns->{order_id}) : (), defined $system->{refunded} ? ('; refunded: ', $system->{refunded}) : (), '.');
	my $no_time = grep { !defined $_->{_at} } @$orders;
	my $no_amount = grep { !defined $_->{_amount} } @$orders;
	say_so(scalar @$orders, ' orders; ', $guests, ' of guests', $no_time ? "; $no_time without a time" : '', $no_amount ? "; $no_amount without an amount" : '', '.');
	say_so("Left out: $left_out->{$_} $_.") for sort keys %$left_out;
	return;
}

main();
