# Reads the header of a CSV from stdin; the arguments are the names of the three columns that are needed.
# Prints a line each: the delimiter, the three names as the file writes them, and the columns for CREATE TABLE.
use strict;
use warnings;

binmode STDIN;
my $header = '';
while (my $line = <STDIN>) {
    $header .= $line;
    last if ($header =~ tr/"//) % 2 == 0;    # otherwise a quoted name goes on in the next line
}
1 while read STDIN, my $rest, 1 << 20;        # so that the writer does not fail
$header =~ s/^\xEF\xBB\xBF//;
$header =~ s/[\r\n]+\z//;
die "The file is empty.\n" if $header eq '';

# The delimiter is what stands most often between the names.
(my $unquoted = $header) =~ s/"[^"]*"//g;
my %times = map { $_ => scalar(() = $unquoted =~ /\Q$_\E/g) } (',', ';', "\t", '|');
my ($delimiter) = sort { $times{$b} <=> $times{$a} || $a cmp $b } keys %times;

my @names;
while ($header =~ /\G(?:"((?:[^"]|"")*)"|([^\Q$delimiter\E]*))(?:\Q$delimiter\E|\z)/g) {
    my $name = defined $1 ? $1 =~ s/""/"/gr : $2;
    $name =~ s/^\s+|\s+\z//g;
    $name =~ s/\s+/ /g;
    push @names, $name;
    last if pos($header) == length $header && substr($header, -1) ne $delimiter;
    last if pos($header) == length $header && @names > $times{$delimiter};
}

# Names as PostgreSQL can keep them: not empty, at most 63 bytes, different.
my (%seen, @columns);
for my $index (0 .. $#names) {
    my $name = substr($names[$index] eq '' ? 'column ' . ($index + 1) : $names[$index], 0, 55);
    $name =~ s/[\x80-\xFF]/?/g if !utf8::decode(my $copy = $name);    # cut within a character, or not UTF-8
    my $unique = $name;
    my $count = 1;
    $unique = $name . ' ' . ++$count while $seen{$unique}++;
    push @columns, $unique;
}

my (@found, @missing);
for my $wanted (@ARGV) {
    my @same = grep { $_ eq $wanted } @columns;
    @same = grep { lc $_ eq lc $wanted } @columns if !@same;
    if   (@same == 1) { push @found,   $same[0] }
    else              { push @missing, $wanted }
}
if (@missing) {
    die 'The header has no column ' . join(', ', map { "\"$_\"" } @missing) . '. Its columns are: '
      . join(', ', map { "\"$_\"" } @columns) . ".\n"
      . "Say which they are, e.g. CUSTOMER_ID=\"$columns[0]\" (also ORDERED_AT=, AMOUNT=).\n";
}
print $delimiter eq "\t" ? '\t' : $delimiter, "\n";
print "$_\n" for @found;
print join(', ', map { '"' . s/"/""/gr . '" text' } @columns), "\n";
