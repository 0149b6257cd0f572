# Builds, checks and runs Innkeeper. `make help` lists what can be asked for.
#
# Every variant (release, asan, tsan, clang) keeps its objects in build/<variant>, so that none of them ever waits for,
# or is confused with, another one's. What the statement compiler makes lies in build/generated and is shared.

CC = gcc
CLANG = clang
CLANG_FORMAT = clang-format
CLANG_TIDY = clang-tidy
PKG_CONFIG = pkg-config
PREFIX = /usr/local
DESTDIR =

MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

LIBRARIES = libmicrohttpd jansson sqlite3 libpq libsodium libcrypto libutf8proc libcurl glib-2.0

# Asked at the first compilation and not before: `make run` and `make test` install pkg-config themselves.
library_cflags = $(eval library_cflags := $(shell $(PKG_CONFIG) --cflags $(LIBRARIES) cmocka 2>/dev/null || \
	$(PKG_CONFIG) --cflags $(LIBRARIES)))$(library_cflags)
library_libs = $(eval library_libs := $(shell $(PKG_CONFIG) --libs $(LIBRARIES)) -lm)$(library_libs)
sodium_libs = $(eval sodium_libs := $(shell $(PKG_CONFIG) --libs libsodium))$(sodium_libs)
cmocka_libs = $(eval cmocka_libs := $(shell $(PKG_CONFIG) --libs cmocka))$(cmocka_libs)

# One word and the target, or with V=1 the whole command.
say = $(if $(V),,@echo '  $(1) $@';)

# A sub-make of a make that already shares jobs must not ask for its own; only the shell sees whether it does.
parallel = $$(case "$$MAKEFLAGS" in (*--jobserver*) ;; (*) echo "-j$$(nproc)" ;; esac)

WARNINGS = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wformat=2 -Wmissing-prototypes -Werror
LANGUAGE = -std=c17 -D_GNU_SOURCE -pthread -Isrc -Ibuild/generated
# Of the hardening flags this one alone is bound to a processor.
CONTROL_FLOW = $(if $(filter x86_64 i%86,$(shell uname -m)),-fcf-protection,$(if \
	$(filter aarch64,$(shell uname -m)),-mbranch-protection=standard))

release_cc = $(CC)
release_cflags := -O2 -g -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection \
	$(CONTROL_FLOW) -fPIE
release_ldflags = -pie -Wl,-z,relro,-z,now -Wl,-z,noexecstack
# Lines and functions are all that a sanitizer's report names.
asan_cc = $(CC)
asan_cflags = -O1 -g1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
asan_ldflags = -fsanitize=address,undefined
tsan_cc = $(CC)
tsan_cflags = -O1 -g1 -fsanitize=thread -fno-omit-frame-pointer
tsan_ldflags = -fsanitize=thread
# There are many test programs, and gold, where there is one, links in half the time.
tests_ldflags := $(if $(shell command -v ld.gold),-fuse-ld=gold)
# Objects alone: proof that the second compiler has nothing to say.
clang_cc = $(CLANG)
clang_cflags = -O0
clang_ldflags =

SOURCES := $(sort $(wildcard src/*.c src/*/*.c))
TEST_SOURCES := $(sort $(wildcard tests/unit/*.c))
BENCH_SOURCES := $(sort $(wildcard bench/*.c))
TOOL_SOURCES := $(sort $(wildcard tools/*.c))
SQL := $(sort $(wildcard sql/*.sql sql/schema/*.sql sql/postgres/*.sql))

# tests/unit: test_x.c is a cmocka program, x_probe.c a plain one; any other file there is linked to all of them.
TEST_PROGRAMS := $(basename $(notdir $(filter tests/unit/test_%.c,$(TEST_SOURCES))))
PROBE_PROGRAMS := $(basename $(notdir $(filter %_probe.c,$(TEST_SOURCES))))
FIXTURES := $(filter-out tests/unit/test_%.c %_probe.c,$(TEST_SOURCES))
BENCH_PROGRAMS := $(BENCH_SOURCES:bench/%.c=build/bench/%)

STATEMENT_COMPILER = build/tools/statement_compiler
COMPILER_SOURCES := tools/statement_compiler.c $(sort $(wildcard tools/sql_*.c))
GENERATED = build/generated/statements.h build/generated/statements.c build/generated/migrations.c

.PHONY: all
all: build/innkeeper ## build/innkeeper, hardened, with its symbols (the default)

build/innkeeper: build/release/innkeeper
	@ln -f $< $@

# The statement compiler and what it writes

build/tools/%.o: tools/%.c Makefile
	@mkdir -p $(@D)
	$(call say,CC  )$(CC) $(CPPFLAGS) $(LANGUAGE) $(WARNINGS) -O1 -g $(library_cflags) $(CFLAGS) -MMD -MP -c -o $@ $<

$(STATEMENT_COMPILER): $(COMPILER_SOURCES:%.c=build/%.o)
	$(call say,LINK)$(CC) $(CFLAGS) -o $@ $(filter %.o,$^) $(LDFLAGS) $(sodium_libs)

# Rewritten only when a name came or went, which the times of the files that are left cannot tell.
build/generated/inputs: FORCE
	@mkdir -p $(@D)
	@echo '$(SQL)' | cmp -s - $@ || echo '$(SQL)' >$@

build/generated/made: $(STATEMENT_COMPILER) $(SQL) build/generated/inputs
	$(call say,SQL )$(STATEMENT_COMPILER) sql build/generated
	@touch $@

# The compiler leaves alone what it would write again unchanged, and then nothing behind it is built again either.
$(GENERATED): build/generated/made
	@[ -e $@ ] || $(STATEMENT_COMPILER) sql build/generated

.PHONY: FORCE
FORCE:

# One variant: $(1) is its name

define variant
$(1)_library := $(patsubst src/%.c,build/$(1)/src/%.o,$(filter-out src/main.c,$(SOURCES))) \
	build/$(1)/generated/statements.o build/$(1)/generated/migrations.o
$(1)_main := build/$(1)/src/main.o
$(1)_fixtures := $(FIXTURES:%.c=build/$(1)/%.o)
$(1)_tests := $(TEST_PROGRAMS:%=build/$(1)/tests/%) $(PROBE_PROGRAMS:%=build/$(1)/tests/%) \
	build/$(1)/tools/statement_compiler
$(1)_objects := $$($(1)_library) $$($(1)_main) $(TEST_SOURCES:%.c=build/$(1)/%.o) \
	$(BENCH_SOURCES:%.c=build/$(1)/%.o) $(TOOL_SOURCES:%.c=build/$(1)/%.o)
$(1)_compile = $$($(1)_cc) $$(CPPFLAGS) $$(LANGUAGE) $$(WARNINGS) $$($(1)_cflags) $$(library_cflags) $$(CFLAGS)
$(1)_link = $$($(1)_cc) -pthread $$($(1)_cflags) $$(CFLAGS) $$($(1)_ldflags) $$(LDFLAGS)

# What this variant was built with; other flags, another compiler or other files build it anew.
build/$(1)/made_with: FORCE
	@mkdir -p $$(@D)
	@echo '$$($(1)_cc) $$(CPPFLAGS) $$(LANGUAGE) $$(WARNINGS) $$($(1)_cflags) $$(CFLAGS)' \
		'$$($(1)_ldflags) $$(LDFLAGS)' >$$@.new
	@if cmp -s $$@.new $$@; then rm $$@.new; else mv $$@.new $$@; fi

build/$(1)/made_from: FORCE
	@mkdir -p $$(@D)
	@echo '$$($(1)_library)' | cmp -s - $$@ || echo '$$($(1)_library)' >$$@

build/$(1)/%.o: %.c build/$(1)/made_with | $(GENERATED)
	@mkdir -p $$(@D)
	$$(call say,CC  )$$($(1)_compile) -MMD -MP -c -o $$@ $$<

build/$(1)/tools/%.o: tools/%.c build/$(1)/made_with
	@mkdir -p $$(@D)
	$$(call say,CC  )$$($(1)_compile) -MMD -MP -c -o $$@ $$<

build/$(1)/generated/%.o: build/generated/%.c build/$(1)/made_with
	@mkdir -p $$(@D)
	$$(call say,CC  )$$($(1)_compile) -MMD -MP -c -o $$@ $$<

build/$(1)/libinnkeeper.a: $$($(1)_library) build/$(1)/made_from
	@rm -f $$@
	$$(call say,AR  )ar rcs $$@ $$($(1)_library)

build/$(1)/innkeeper: $$($(1)_main) build/$(1)/libinnkeeper.a
	$$(call say,LINK)$$($(1)_link) -o $$@ $$^ $$(library_libs)

build/$(1)/tests/test_%: build/$(1)/tests/unit/test_%.o $$($(1)_fixtures) build/$(1)/libinnkeeper.a
	@mkdir -p $$(@D)
	$$(call say,LINK)$$($(1)_link) $$(tests_ldflags) -o $$@ $$^ $$(library_libs) $$(cmocka_libs)

build/$(1)/tests/%_probe: build/$(1)/tests/unit/%_probe.o build/$(1)/libinnkeeper.a
	@mkdir -p $$(@D)
	$$(call say,LINK)$$($(1)_link) -o $$@ $$^ $$(library_libs)

build/$(1)/tools/statement_compiler: $(COMPILER_SOURCES:%.c=build/$(1)/%.o)
	$$(call say,LINK)$$($(1)_link) -o $$@ $$^ $$(sodium_libs)

.PHONY: tests-$(1)
tests-$(1): $$($(1)_tests)

.SECONDARY: $$($(1)_objects)
-include $$($(1)_objects:.o=.d)
endef

VARIANTS = release asan tsan clang
$(foreach name,$(VARIANTS),$(eval $(call variant,$(name))))
.SECONDARY: $(COMPILER_SOURCES:%.c=build/%.o)
-include $(COMPILER_SOURCES:%.c=build/%.d)

.PHONY: asan tsan clang
asan: build/asan/innkeeper tests-asan ## build/asan: address and undefined-behaviour sanitizers, with the tests
tsan: build/tsan/innkeeper tests-tsan ## build/tsan: thread sanitizer, with the tests
clang: $(clang_objects) ## everything compiled by clang, to hear its warnings

build/bench/%: build/release/bench/%.o build/release/libinnkeeper.a
	@mkdir -p $(@D)
	$(call say,LINK)$(release_link) -o $@ $^ $(library_libs)

.PHONY: bench-programs
bench-programs: $(BENCH_PROGRAMS)

# What people ask for. Packages come first, so everything else is a make of its own.

.PHONY: run
run: ## install what is missing, build, and start the demonstration
	tools/install_packages.sh run
	$(MAKE) $(parallel) all
	exec build/innkeeper demo

.PHONY: test
test: ## install what is missing, build, and run every check and test
	tools/install_packages.sh test
	tests/run.sh checks crash release asan postgres

.PHONY: test-postgres
test-postgres: ## the tests on PostgreSQL alone
	tools/install_packages.sh test
	tests/run.sh postgres

.PHONY: test-crash
test-crash: ## the crash tests with 500 kills instead of 100
	tools/install_packages.sh test
	INNKEEPER_CRASH_ROUNDS=500 tests/run.sh crash

.PHONY: test-isolation-long
test-isolation-long: ## the isolation suite with 500,000 attacks on each engine instead of 20,000
	tools/install_packages.sh test
	INNKEEPER_ISOLATION_ATTACKS=500000 tests/run.sh isolation

.PHONY: test-sabotage
test-sabotage: ## builds without one of the nets, each of which the isolation suite must notice
	tools/install_packages.sh test
	tests/sabotage/run.sh

.PHONY: test-tsan
test-tsan: ## unit, network and API tests under the thread sanitizer
	tools/install_packages.sh test
	tests/run.sh tsan

.PHONY: test-fresh
test-fresh: ## `make test` and `make run` in a new Debian that holds only git and make (as root)
	tools/install_packages.sh fresh
	tests/fresh.sh

.PHONY: bench
bench: ## the measurements of bench/
	tools/install_packages.sh bench
	$(MAKE) $(parallel) all bench-programs
	bench/run.sh

# What the API tests use of npm; npm writes the file beside the packages, so they are fetched again when the lock changes.
tests/node_modules/.package-lock.json: tests/package.json tests/package-lock.json tests/.npmrc
	$(call say,NPM )npm ci --prefix tests --ignore-scripts --no-progress --loglevel error
	@touch $@

.PHONY: test-packages
test-packages: tests/node_modules/.package-lock.json

# Checks

C_FILES := $(sort $(SOURCES) $(TEST_SOURCES) $(BENCH_SOURCES) $(TOOL_SOURCES))
SHELL_FILES := .ci/run $(sort $(wildcard bench/*.sh tests/*.sh tests/*/*.sh tools/*.sh))
FORMATTED := $(sort $(C_FILES) $(wildcard src/*.h src/*/*.h tests/unit/*.h bench/*.h tools/*.h))
# cppcheck does not know C11's word for a function that never returns, and asks for readdir_r, which glibc deprecates.
CPPCHECK = cppcheck --quiet --std=c11 --enable=warning,performance,portability --error-exitcode=1 --inline-suppr \
	--suppress=readdirCalled --library=posix --library=gnu --library=sqlite3 --library=libcurl \
	-D_GNU_SOURCE '-D_Noreturn=__attribute__((noreturn))' -Isrc -Ibuild/generated

.PHONY: layers
layers: ## what each floor may include
	@tools/check_layers.sh

.PHONY: lint
lint: ## clang-format, clang-tidy, cppcheck and shellcheck
	@$(MAKE) --no-print-directory $(parallel) lint-format lint-tidy lint-shell build/lint/cppcheck.passed

.PHONY: lint-format
lint-format:
	$(call say,LINT)$(CLANG_FORMAT) --dry-run -Werror $(FORMATTED)

.PHONY: lint-tidy
lint-tidy: $(C_FILES:%=build/lint/%.passed)

# What clang compiles knows the headers that the source saw, so that only what changed is looked at again.
build/lint/%.c.passed: build/clang/%.o .clang-tidy
	@mkdir -p $(@D)
	$(call say,TIDY)words=$$($(CLANG_TIDY) --quiet $*.c -- $(LANGUAGE) $(library_cflags) 2>&1) || { echo "$$words"; exit 1; }
	@touch $@

build/lint/cppcheck.passed: $(FORMATTED) $(GENERATED) Makefile
	@mkdir -p build/lint/cppcheck
	$(call say,LINT)$(CPPCHECK) --cppcheck-build-dir=build/lint/cppcheck $(C_FILES)
	@touch $@

.PHONY: lint-shell
lint-shell:
	$(call say,LINT)shellcheck --severity=warning $(SHELL_FILES)

.PHONY: format
format: ## lay out every C file as .clang-format says
	$(CLANG_FORMAT) -i $(FORMATTED)

# The rest

.PHONY: install
install: all ## the binary, the manual page and the systemd unit, under $(DESTDIR)$(PREFIX)
	install -D -m 755 build/innkeeper $(DESTDIR)$(PREFIX)/bin/innkeeper
	install -D -m 644 man/innkeeper.1 $(DESTDIR)$(PREFIX)/share/man/man1/innkeeper.1
	install -D -m 644 deploy/innkeeper.service $(DESTDIR)$(PREFIX)/lib/systemd/system/innkeeper.service

.PHONY: clean
clean: ## remove build/
	rm -rf build

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile | while IFS="$$(printf '\t')" read -r name words; do \
		printf '  %-12s %s\n' "$$name" "$$words"; done
