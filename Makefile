# clientele: a PGXS Makefile, plus `make demo`, `make test`, `make pictures`, `make simulate`, `make format` and `make tidy`.
#
#   make                  build                      make demo [ORDERS=path.csv] [KEEP=1]
#   make install          into the server of PG_CONFIG   make test   unit tests, pg_regress and TAP, on a private server
#   make installcheck     pg_regress on a running server (REGRESS=name for one)    make format   clang-format, in place
#   make pictures         those of the documentation, from the demo, by Chromium
#   make fuzz [SECONDS=60]  what nobody would write, an hour for each fuzzer unless told otherwise
#   make simulate         experiments and shops whose truth is known (nightly)             make tidy   clang-tidy, minutes
#
# Variables: PG_CONFIG (default pg_config), WERROR=1 (warnings are errors), ASSERTIONS=1 (check invariants at run time).

default: all
MAKEFLAGS += --no-print-directory
.PHONY: default test demo pictures simulate format tidy fuzz installcheck

# These install what they need first, so they must work where there is no PostgreSQL yet.
test demo pictures simulate:
	@scripts/$@.sh

format:
	@scripts/format.sh -i

tidy:
	@scripts/tidy.sh

fuzz:
	@scripts/fuzz.sh $(SECONDS)

installcheck:
	@scripts/installcheck.sh $(REGRESS)

# All other goals are PGXS's.
ifneq ($(filter-out test demo pictures simulate format tidy fuzz installcheck,$(or $(MAKECMDGOALS),all)),)

PG_CONFIG ?= pg_config
PG_MAJOR := $(shell $(PG_CONFIG) --version 2>/dev/null | sed 's/^[^0-9]*\([0-9]*\).*/\1/')
ifeq ($(PG_MAJOR),)
$(error $(PG_CONFIG) cannot be run: install postgresql-server-dev-NN, or pass PG_CONFIG=/path/to/pg_config)
endif
ifneq ($(shell test $(PG_MAJOR) -ge 15 && echo yes),yes)
$(error clientele needs PostgreSQL 15 or later; $(PG_CONFIG) belongs to $(shell $(PG_CONFIG) --version))
endif

VERSION_SQL := clientele--$(shell sed -n "s/^default_version = '\(.*\)'/\1/p" clientele.control).sql
SQL_PARTS := $(sort $(wildcard src/sql/[0-9]*.sql))
OBJDIR := build/obj

EXTENSION = clientele
MODULE_big = clientele
OBJS = $(patsubst src/%.cpp,$(OBJDIR)/%.o,$(sort $(shell find src/core src/pg -name "*.cpp")))
# Versions that were released are frozen: src/sql makes the one that is being worked on.
DATA = $(wildcard src/sql/upgrade/clientele--*.sql) $(filter-out %/$(VERSION_SQL),$(wildcard src/sql/released/clientele--*.sql))
DATA_built = $(VERSION_SQL)
EXTRA_CLEAN = build

# Bitcode would have to be compiled by a clang of the very version of the server's LLVM; the gain is nil.
override with_llvm = no

# The server's headers are not ours to lint, hence -isystem.
PG_CPPFLAGS = -Isrc -isystem $(shell $(PG_CONFIG) --includedir-server) $(if $(ASSERTIONS),-D_GLIBCXX_ASSERTIONS,-DNDEBUG)
PG_CXXFLAGS = -std=c++20 -O2 -Wall -Wextra -Wno-register $(if $(WERROR),-Werror)
SHLIB_LINK = -Wl,--version-script=src/pg/exports.map -lnlopt

PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)
COMPILER = $(CXX) $(CXXFLAGS)

# These change when another server or other flags are built for, and when files come or go.
FLAGS := $(shell $(PG_CONFIG) --version) $(CXX) $(CXXFLAGS) $(CPPFLAGS) $(SHLIB_LINK)
FILES := $(OBJS) $(SQL_PARTS)
$(OBJDIR)/FLAGS $(OBJDIR)/FILES: FORCE
	@mkdir -p $(@D)
	@echo '$($(@F))' | cmp -s - $@ || echo '$($(@F))' > $@
.PHONY: FORCE

# Conditions in its loops may become vectors, since nobody reads floating-point exceptions; and no processor may round
# otherwise by fusing operations. (CMakeLists.txt has the same.)
$(OBJDIR)/core/response/response.o: override CXXFLAGS += -fno-trapping-math -ffp-contract=off

$(OBJDIR)/%.o: src/%.cpp $(OBJDIR)/FLAGS
	@mkdir -p $(@D)
	$(CXX) $(CXXFLAGS) $(CPPFLAGS) -MMD -MP -c -o $@ $<
-include $(OBJS:.o=.d)

$(shlib): src/pg/exports.map $(OBJDIR)/FILES $(OBJDIR)/FLAGS

$(VERSION_SQL): $(SQL_PARTS) $(OBJDIR)/FILES Makefile
	cat $(SQL_PARTS) > $@

endif
