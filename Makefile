# orch - build and test.  `make help` lists the targets.
#
# Everything is found by wildcard: a new program, controller, unit test, fuzz
# target or benchmark is a new file and no edit here.  V=1 shows the commands.

PREFIX  ?= /usr/local
MANDIR  ?= $(PREFIX)/share/man
CFLAGS  ?= -O2 -g
SAN     ?=
B       ?= build
Q       := $(if $(V),,@)
VERSION := $(shell sed -n 's/^\#\# \([0-9][0-9.]*\).*/\1/p' NEWS.md | head -n 1)

PKGS  = jansson yaml-0.1 libcurl sqlite3 libarchive gnutls zlib libpcre2-8 libsystemd
WARN  = -Wall -Wextra -Wno-missing-field-initializers -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Werror
LIBS := $(shell pkg-config --libs $(PKGS)) -lm -lpthread
ALL_CFLAGS = -std=c17 -D_GNU_SOURCE -DORCH_VERSION='"$(VERSION)"' -Ilib -I$(B)/gen $(WARN) \
	$(PKG_CFLAGS) $(CFLAGS) $(SAN) -MMD -MP
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS))
ALL_LDFLAGS = -Wl,--as-needed $(LDFLAGS) $(SAN)

PROGS  := $(notdir $(basename $(wildcard cmd/*.c)))
OBJS   := $(patsubst %.c,$(B)/%.o,$(wildcard lib/*/*.c))
SCHEMA := $(sort $(wildcard lib/api/schema/*.kinds))
UNITS  := $(notdir $(basename $(wildcard tests/unit/*.c)))
FUZZES := $(notdir $(basename $(wildcard tests/fuzz/*.c)))
BENCHES := $(notdir $(basename $(wildcard tests/bench/*.c)))

ifneq ($(SCHEMA),)
OBJS += $(B)/gen/schema.o
endif
OBJS += $(B)/gen/bootstrap.o

all: $(PROGS:%=$(B)/bin/%)					## build every program into build/bin

$(B)/bin/%: $(B)/cmd/%.o $(B)/liborch.a
	@mkdir -p $(@D)
	@echo '  LD   $@'
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

$(B)/liborch.a: $(OBJS)
	@rm -f $@
	@echo '  AR   $@'
	$(Q)$(AR) rcs $@ $^

$(B)/%.o: %.c
	@mkdir -p $(@D)
	@echo '  CC   $<'
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

# The kinds: text files compiled to const tables (tools/schema.c says how).
$(B)/tool/schema: $(wildcard tools/schema*.[ch])
	@mkdir -p $(@D)
	$(Q)$(CC) -std=c17 -D_GNU_SOURCE $(WARN) -O1 -g -o $@ $(filter %.c,$^)
$(B)/gen/schema.c: $(B)/tool/schema $(SCHEMA)
	@mkdir -p $(@D)
	$< $(SCHEMA) >$@.new && mv $@.new $@
# A manifest as one string.
$(B)/gen/bootstrap.c: lib/store/bootstrap.yaml
	@mkdir -p $(@D)
	@{ echo 'extern const char bootstrap_yaml[];'; echo 'const char bootstrap_yaml[] ='; \
	  sed 's/[\\"]/\\&/g; s/.*/	"&\\n"/' $<; echo '	;'; } >$@.new && mv $@.new $@
$(B)/gen/%.o: $(B)/gen/%.c
	@echo '  CC   $<'
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

# --- tests ---------------------------------------------------------------

$(B)/unit/%: $(B)/tests/unit/%.o $(B)/liborch.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)
$(B)/bench/%: $(B)/tests/bench/%.o $(B)/liborch.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

check: all unit golden converge layers pure bats		## every test that needs no root
unit: $(UNITS:%=$(B)/unit/%)					## C unit programs
	@bad=0; for u in $(filter-out converge,$(UNITS)); do \
	  if $(B)/unit/$$u; then echo "ok $$u"; else echo "not ok $$u"; bad=1; fi; done; exit $$bad

GOLD := $(sort $(wildcard tests/golden/*/*.in))
golden: all							## controllers and scheduler: tests/golden/NAME/*.in -> .out
	@B=$(B) tests/golden/run check $(GOLD)
golden-update: all						## accept what they print now
	@B=$(B) tests/golden/run update $(GOLD)
converge: $(if $(wildcard tests/unit/converge.c),$(B)/unit/converge)	## every controller, killed after every action
	@for f in $(filter-out tests/golden/schedule/% tests/golden/tree/%,$(GOLD)); do \
	  $(B)/unit/converge $$(basename $$(dirname $$f)) <$$f >$(B)/converge.log 2>&1 || \
	  { echo "not ok $$f"; cat $(B)/converge.log; exit 1; }; done; echo "ok converge: $(words $(GOLD)) inputs"

bats: all							## programs, run for real
	BIN=$(CURDIR)/$(B)/bin bats $(BATSFLAGS) tests/contract.bats tests/cmd
e2e: all							## whole clusters, real containers (root)
	BIN=$(CURDIR)/$(B)/bin bats $(BATSFLAGS) tests/e2e

FUZZ_SECONDS ?= 5
fuzz:								## every fuzz target for FUZZ_SECONDS (clang)
	$(MAKE) B=$(B)-fuzz CC=clang SAN='-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all' CFLAGS='-O1 -g' fuzz-run
$(B)/fuzz/%: $(B)/tests/fuzz/%.o $(B)/liborch.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(LIBS)
fuzz-run: $(FUZZES:%=fuzz-run-%)				# one is a job: as many at once as -j says
fuzz-run-%: $(B)/fuzz/%
	@f=$*; mkdir -p $(B)/corpus/$$f; \
	  $(B)/fuzz/$$f -max_total_time=$(FUZZ_SECONDS) -rss_limit_mb=1024 -timeout=10 \
	    -artifact_prefix=$(B)/fuzz/$$f- $$(test ! -e tests/fuzz/$$f.dict || echo -dict=tests/fuzz/$$f.dict) \
	    $(B)/corpus/$$f $$(ls -d tests/fuzz/corpus/$$f 2>/dev/null) >$(B)/fuzz/$$f.log 2>&1 || \
	  { tail -n 40 $(B)/fuzz/$$f.log; echo "not ok fuzz $$f"; exit 1; }; \
	  echo "ok fuzz $$f: $$(grep -a '^#[0-9]' $(B)/fuzz/$$f.log | tail -n 1)"

SANITIZE = B=$(B)-asan SAN='-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer' CFLAGS='-O1 -g'
asan:								## the tests again under ASan and UBSan
	@failed=0; $(MAKE) $(SANITIZE) unit || failed=1; \
	ASAN_OPTIONS=detect_leaks=0 $(MAKE) $(SANITIZE) golden converge bats || failed=1; exit $$failed
# (a program that dies with a message does not free first: leaks are for the unit programs to find)
clang:								## build with clang
	$(MAKE) B=$(B)-clang CC=clang all

bench: all $(BENCHES:%=$(B)/bench/%)				## print the figures of tests/bench
	@B=$(B) tests/bench/run
bench-node: all $(B)/bench/pods					## those of the node alone
	@B=$(B) sh tests/bench/node.sh

# --- rules the code keeps --------------------------------------------------

# A folder includes only itself and the folders above it (DESIGN: layers).
layers:								## who may include whom
	@! grep -nE '#include "(cel|api|control|schedule|serve|client|store|node|net)/' lib/base/*.[ch]
	@! grep -nE '#include "(api|control|schedule|serve|client|store|node|net)/' $(wildcard lib/cel/*.[ch])
	@! grep -nE '#include "(control|schedule|serve|client|store|node|net)/' lib/api/*.[ch]
	@! grep -nE '#include "(schedule|serve|client|store|node|net)/' $(wildcard lib/control/*.[ch])
	@! grep -nE '#include "(serve|client|store|node|net)/' $(wildcard lib/schedule/*.[ch])
	@! grep -nE '#include "(serve|store|node|net)/' $(wildcard lib/client/*.[ch])
	@! grep -nE '#include "(api|control|schedule|client|store|node|net|cluster)/' $(wildcard lib/serve/*.[ch])
	@! grep -nE '#include "(client|node|net)/' $(wildcard lib/store/*.[ch])
	@! grep -nE '#include "(client|store|net)/' $(wildcard lib/node/*.[ch])
	@! grep -nE '#include "(client|store|node)/' $(wildcard lib/net/*.[ch])
	@! grep -nE '#include "(api|control|schedule|client|store|node|net)/' $(wildcard lib/cluster/*.[ch])
	@! grep -nE '#include "(schedule|serve|store|net|cluster)/' $(wildcard lib/kubelet/*.[ch])
	@! grep -lE '#include "kubelet/' $(filter-out $(wildcard lib/kubelet/*.[ch]),$(wildcard lib/*/*.[ch]))
	@! grep -nE '#include "(schedule|serve|store|node|net|cluster|kubelet)/' $(wildcard lib/simnode/*.[ch])
	@! grep -lE '#include "simnode/' $(filter-out $(wildcard lib/simnode/*.[ch]),$(wildcard lib/*/*.[ch]))
	@! grep -nE '#include "(control|schedule|store|node|net|cluster|kubelet|simnode)/' $(wildcard lib/metrics/*.[ch])
	@! grep -lE '#include "metrics/' $(filter-out $(wildcard lib/metrics/*.[ch]),$(wildcard lib/*/*.[ch]))
	@! grep -lE '#include "cluster/' $(filter-out $(wildcard lib/cluster/*.[ch]),$(wildcard lib/*/*.[ch]))
	@! grep -n '#include "base/cli.h"' $(filter-out lib/base/cli.c,$(wildcard lib/*/*.[ch]))
	@! grep -lE '#include <curl/' $(filter-out $(wildcard lib/client/*.[ch] lib/node/registry*.[ch] lib/node/probe_net.[ch] lib/serve/outcall*.[ch]),$(wildcard lib/*/*.[ch] cmd/*.c))
	@! grep -lE '#include <systemd/' $(filter-out lib/base/logind.c,$(wildcard lib/*/*.[ch] cmd/*.c))
	@! grep -lE '#include <sqlite3' $(filter-out $(wildcard lib/store/*.[ch]),$(wildcard lib/*/*.[ch] cmd/*.c))
	@echo "ok layers"

# What decides may call only these symbols: no clock, no random, no I/O.
# object.c reads from the stream it is handed; cel/zone.c reads the machine's time zones.
PURE_OBJS := $(filter $(B)/lib/cel/% $(B)/lib/api/% $(B)/lib/control/% $(B)/lib/schedule/% $(B)/gen/%,$(filter-out $(B)/lib/api/object.o $(B)/lib/cel/zone.o,$(OBJS)))
PURE_BASE := $(patsubst %,$(B)/lib/base/%.o,address arena bytes decimal err mem buf text time yamlwrite yamlscalar)
PURE_OK    = json.*|pcre2_.*|zone_offset|vasprintf|trunc|strtod|__(div|mod|divmod)ti[34]|__fix[a-z]*|str[a-z]*|__isoc99_[a-z]*|mem[a-z]*|qsort|qsort_r|bsearch|malloc|calloc|realloc|free|abort|snprintf|vsnprintf|vasprintf|asprintf|sscanf|__.*_chk|__stack_chk_fail|__assert_fail|__ctype_[a-z_]*|__errno_location|gmtime_r|timegm|regcomp|regexec|regfree|round|floor|ceil|fabs|log10|pow|is[a-z]*|to[a-z]*|__(a|ub)san.*|_GLOBAL_OFFSET_TABLE_
pure: $(PURE_OBJS) $(PURE_BASE)					## what pure code may call
	@nm -u $(PURE_OBJS) $(PURE_BASE) | awk '$$1=="U"{sub(/@.*/,"",$$2); print $$2}' | sort -u >$(B)/used
	@nm --defined-only $(PURE_OBJS) $(PURE_BASE) | awk 'NF==3{print $$3}' | sort -u >$(B)/own
	@! comm -23 $(B)/used $(B)/own | grep -vxE '$(PURE_OK)'
	@echo "ok pure"

fmt:								## clang-format in place
	clang-format -i $(wildcard lib/*/*.[ch] cmd/*.c tests/*/*.c tools/*.c)
lint:								## formatting, man pages, shell scripts
	clang-format --dry-run -Werror $(wildcard lib/*/*.[ch] cmd/*.c tests/*/*.c tools/*.c)
	mandoc -T lint -W warning man/*.[1578]
	@for s in scripts/* .ci/run tests/golden/run; do sh -n $$s || exit 1; done

# --- install ---------------------------------------------------------------

install: all							## programs, man pages, completions (DESTDIR, PREFIX)
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(MANDIR)/man1 $(DESTDIR)$(MANDIR)/man7 \
	  $(DESTDIR)$(PREFIX)/share/bash-completion/completions $(DESTDIR)$(PREFIX)/share/zsh/site-functions \
	  $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
	install $(PROGS:%=$(B)/bin/%) $(DESTDIR)$(PREFIX)/bin
	install -m 644 $(wildcard man/*.1) $(DESTDIR)$(MANDIR)/man1
	install -m 644 $(wildcard man/*.7) $(DESTDIR)$(MANDIR)/man7
	install -m 644 completions/orch.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/orch
	for p in $(filter-out orch,$(PROGS)); do ln -sf orch $(DESTDIR)$(PREFIX)/share/bash-completion/completions/$$p; done
	install -m 644 completions/_orch $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_orch
	install -m 644 completions/orch.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/orch.fish
uninstall:							## remove what install put there
	cd $(DESTDIR)$(PREFIX)/bin && rm -f $(PROGS)
	cd $(DESTDIR)$(MANDIR) && rm -f $(patsubst man/%,man1/%,$(wildcard man/*.1)) $(patsubst man/%,man7/%,$(wildcard man/*.7))
	cd $(DESTDIR)$(PREFIX)/share && rm -f bash-completion/completions/orch $(PROGS:%=bash-completion/completions/%) \
	  zsh/site-functions/_orch fish/vendor_completions.d/orch.fish
dist:								## a source archive of HEAD
	git archive --prefix=orch-$(VERSION)/ -o orch-$(VERSION).tar.gz HEAD
clean:								## remove everything built
	rm -rf $(B) $(B)-asan $(B)-clang $(B)-fuzz
help:								## this list
	@sed -n 's/^\([a-z][a-z0-9-]*\):[^#]*## \(.*\)/\1\t\2/p' Makefile | while IFS='	' read -r t d; do printf '  %-15s %s\n' "$$t" "$$d"; done

.PHONY: all check unit golden golden-update converge bats e2e fuzz fuzz-run asan clang bench bench-node layers pure fmt lint install uninstall dist clean help
.SECONDARY:
-include $(OBJS:.o=.d) $(PROGS:%=$(B)/cmd/%.d) $(wildcard $(B)/tests/*/*.d)
