#!/usr/bin/env perl
# Runs the SQL of documentation pages on the server that PGHOST, PGPORT and PGUSER (a superuser) name:
#   scripts/docs-pages.pl [--accept] PAGE...
# The ```sql blocks of a page run in order, in one session of an ordinary role that owns a database of its own. Where a
# ```text block follows directly it is what psql must print; elsewhere nothing but notices and the empty results of functions. --accept writes what psql
# printed into the page instead. Prints a TAP line a page, with the differences. A block ```sql WORD is left alone: it needs
# more than this server, and a test of its own reads it out of the page (docs/scheduling.md: test/tap/110_schedule.pl).
use strict;
use warnings;

my $accept = @ARGV && $ARGV[0] eq '--accept' && shift;
my $owner  = 'docs_owner';
my $mark   = '---- end of block';

$ENV{PGTZ}             = 'UTC';
$ENV{PGDATESTYLE}      = 'ISO';
$ENV{PGCLIENTENCODING} = 'UTF8';
$ENV{PGOPTIONS}       = '-c client_min_messages=notice';
delete @ENV{qw(PSQLRC PSQL_PAGER PAGER COLUMNS)};

my $failed = 0;
print '1..', scalar @ARGV, "\n";
for my $number (1 .. @ARGV) {
    my $page    = $ARGV[ $number - 1 ];
    my @parts   = split_page(read_file($page));
    my @problems = check_page(\@parts);
    write_file($page, join '', map { $_->{text} } @parts) if $accept && !@problems;
    print @problems ? 'not ok' : 'ok', " $number - $page (", scalar(grep { $_->{sql} } @parts), " examples)\n";
    $failed++ if @problems;
    print map { "# $_\n" } split /\n/ for @problems;
}
exit($failed ? 1 : 0);

# Runs the page's examples and compares, or with --accept replaces, the output that the page shows.
sub check_page {
    my ($parts) = @_;
    my @examples = grep { $_->{sql} } @$parts;
    my @outputs = run_examples(map { $_->{sql} } @examples);
    my @problems;
    for my $example (@examples) {
        my $found = shift @outputs // "psql ended before this block\n";
        my $shown = $example->{output};
        if (!$shown) {
            push @problems, problem($example, "prints what the page does not show:\n$found") if $found =~ /^(ERROR|FATAL|PANIC|psql|invalid command)/m || without_void($found) =~ /\S/;
        }
        elsif ($accept) {
            $shown->{text} = "```text\n$found```\n";
        }
        elsif ($found ne trimmed($shown->{body})) {
            push @problems, problem($example, difference(trimmed($shown->{body}), $found));
        }
    }
    return @problems;
}

sub problem {
    my ($example, $text) = @_;
    return "line $example->{line}:\n$example->{sql}\n$text";
}

# A page as a list of texts; an example has its SQL, its line, and the output block that follows it, if any.
sub split_page {
    my ($text) = @_;
    my (@parts, $example);
    my $line = 1;
    for my $piece (split /^(```\w.*?^```\n)/ms, $text) {
        my $part = { text => $piece, line => $line };
        if ($piece =~ /\A```sql\n(.*)^```\n\z/ms) {
            $part->{sql} = $1;
            die "line $line: the last statement is not complete\n" unless $1 =~ /(;|^\\.*)\s*\z/m;
            $example = $part;
        }
        elsif ($example && $piece =~ /\A```text\n(.*)^```\n\z/ms) {
            $part->{body} = $1;
            $example->{output} = $part;
            undef $example;
        }
        elsif ($piece =~ /\S/) {
            undef $example;
        }
        $line += $piece =~ tr/\n//;
        push @parts, $part;
    }
    return @parts;
}

# What psql prints for each block, errors and notices included.
sub run_examples {
    my @blocks = @_;
    return () unless @blocks;
    my @roles = map { /^CREATE ROLE (\w+)/mg } @blocks;
    administer("CREATE ROLE $owner LOGIN CREATEROLE", "CREATE DATABASE docs OWNER $owner TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'");
    my $input = ($ENV{TMPDIR} // '/tmp') . "/docs-pages.$$.sql";
    write_file($input, join '', map { "$_\\echo $mark\n" } @blocks);
    my $printed = `psql -X -q -v SHOW_CONTEXT=never -d docs -U $owner <'$input' 2>&1`;
    unlink $input;
    administer('DROP DATABASE docs', map { "DROP ROLE IF EXISTS $_" } @roles, $owner);
    return map { trimmed($_) } split /^\Q$mark\E\n/m, $printed;
}

sub administer {
    for my $statement (@_) {
        system('psql', '-X', '-q', '-d', 'postgres', '-c', $statement) == 0 or die "failed: $statement\n";
    }
}

# Without notices, and the results of functions that return nothing.
sub without_void {
    my ($text) = @_;
    $text =~ s/^NOTICE:.*\n(?:(?:DETAIL|HINT):.*\n)*//gm;
    return $text =~ s/^ *\w+(?: *\| *\w+)*\n-+(?:\+-+)*\n(?:[ |]*\n)+\(\d+ rows?\)\n*//gmr;
}

# Without the blanks at the ends of lines, and without empty lines at the end.
sub trimmed {
    my ($text) = @_;
    $text =~ s/[ \t]+$//mg;
    $text =~ s/\n+\z/\n/;
    return $text eq "\n" ? '' : $text;
}

sub difference {
    my @texts = @_;
    my @files = map { ($ENV{TMPDIR} // '/tmp') . "/docs-pages.$$.$_" } qw(page psql);
    write_file($files[$_], $texts[$_]) for 0, 1;
    my $difference = `diff -U 3 --label page --label psql '$files[0]' '$files[1]'`;
    unlink @files;
    return $difference;
}

sub read_file {
    my ($name) = @_;
    open my $file, '<', $name or die "$name: $!\n";
    local $/;
    return <$file>;
}

sub write_file {
    my ($name, $text) = @_;
    open my $file, '>', $name or die "$name: $!\n";
    print $file $text;
    close $file or die "$name: $!\n";
}
