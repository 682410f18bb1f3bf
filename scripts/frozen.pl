#!/usr/bin/env perl
# Frozen install scripts are what was released: scripts/frozen.pl [CHECKOUT]. Prints what is not as it must be, and fails:
# a script that differs from its checksum, one without a checksum or a checksum without its script; parts in src/sql that no longer make the
# frozen script of the version in clientele.control (another version has to begin first); and a frozen version that no upgrade leads from,
# where there is a later one.
use strict;
use warnings;
use Digest::SHA;
use File::Basename;

chdir($ARGV[0] // dirname(__FILE__) . '/..') or die "$ARGV[0]: $!\n";
my ($version) = slurp('clientele.control') =~ /^default_version = '(.*)'/m;
my %noted     = -e 'src/sql/released/SHA256SUMS' ? reverse(slurp('src/sql/released/SHA256SUMS') =~ /^(\w{64})  (.+)$/mg) : ();
my @faults;

for my $file (grep { /\.sql$/ } map { basename($_) } glob 'src/sql/released/*')
{
	my $sum = Digest::SHA->new(256)->addfile("src/sql/released/$file")->hexdigest;
	push @faults, !defined $noted{$file} ? "$file has no checksum" : "$file is not what was released" if ($noted{$file} // '') ne $sum;
	my ($frozen) = $file =~ /^clientele--(.+)\.sql$/;
	push @faults, "no upgrade leads from version $frozen" if $frozen ne $version && !glob "src/sql/upgrade/clientele--$frozen--*.sql";
}
push @faults, map { "$_ is gone" } grep { !-e "src/sql/released/$_" } sort keys %noted;
if (-e "src/sql/released/clientele--$version.sql")
{
	push @faults, "src/sql has changed since version $version was frozen: begin another in clientele.control"
	  if join('', map { slurp($_) } sort glob 'src/sql/[0-9]*.sql') ne slurp("src/sql/released/clientele--$version.sql");
}
print "$_\n" for @faults;
exit(@faults ? 1 : 0);

sub slurp
{
	my ($name) = @_;
	open my $file, '<', $name or die "$name: $!\n";
	local $/;
	return scalar <$file>;
}
