#!/usr/bin/env perl
# Checks that documentation and comments name no file that does not exist: links of Markdown pages, and paths such as docs/store.md or
# src/sql/46-*.sql in pages, scripts and sources. What has CAPITALS in it stands for a name: sql/TOPIC.sql. Prints what is wrong, and fails.
use strict;
use warnings;
use File::Basename;

chdir(dirname(__FILE__) . '/..') or die "$!\n";
my $path     = qr{(?<![\w/.\$\}~-])((?:bench|demo|docs|expected|scripts|sql|src|test)/[\w./*{},-]*\.(?:cpp|hpp|md|mjs|out|pl|pm|py|sh|sql))\b};
my $mistakes = 0;

for my $file (grep { -f && !m{^(?:expected|sql)/} && m{\.(?:cpp|hpp|md|pl|sh|sql)$|^\.ci/} } split /\n/, `git ls-files`)
{
	open my $in, '<', $file or die "$file: $!\n";
	while (my $line = <$in>)
	{
		while ($line =~ /$path/g) { check($file, $., $1, $1) }
		next unless $file =~ /\.md$/;
		while ($line =~ /\]\(([^)#:\s]+)(?:#[^)]*)?\)/g) { check($file, $., $1, dirname($file) . "/$1") }
	}
	close $in;
}
exit($mistakes ? 1 : 0);

sub check
{
	my ($file, $line, $shown, $name) = @_;
	return if $shown =~ m{(?:^|[/._-])[A-Z]{2,}(?:[/._-]|$)} && $shown !~ /README|CONTRIBUTING|CHANGELOG|LICENSE/;
	return if grep { -e } glob $name;
	print "$file:$line: there is no $shown\n";
	$mistakes++;
	return;
}
