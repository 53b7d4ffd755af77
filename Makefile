# The one word that a newcomer types; meson does the work.
PCAP ?= samples/border.pcap
# Where make run shows the page.
LISTEN ?= 127.0.0.1:8025
BUILD ?= build
RELEASE ?= build-release
SANITIZE ?= build-sanitize
FUZZ ?= build-fuzz
THREADS ?= build-threads
PLAIN ?= build-plain
PREFIX ?= /usr/local
# Where those who come with the machine have their settings; elsewhere below the prefix.
SYSCONFDIR ?= $(if $(filter /usr /usr/local,$(PREFIX)),/etc,$(PREFIX)/etc)

# Unit tests that are run a second time, and so are all that is built for it: under ThreadSanitizer, and under valgrind.
THREAD_UNITS = ring merge passage block blocklist
MEMORY_UNITS = slice cursor dated detect mime multipart transfer link ip tunnel tcp fragment source path mention url zip tnef tls sniff body

# Seconds for each fuzz target.
TIME ?= 60

.PHONY: run page test fuzz test-threads test-memory bench bench-check install deb format clean

# A capture of one's own is what the page shows too; the sample's morning is too short for one, so it shows the week before.
WEEK = -c samples/week.yaml --script scripts/password-phish.lua samples/week.pcap.zst

run: $(BUILD)/mailtap
	@$(BUILD)/mailtap read -f text $(PCAP)
	@rm -rf $(BUILD)/sample
	@$(BUILD)/mailtap read -o sqlite:$(BUILD)/sample $(if $(filter samples/border.pcap,$(PCAP)),$(WEEK),$(PCAP))
	@exec $(BUILD)/mailtap web $(BUILD)/sample --listen $(LISTEN)

# Always asks ninja, which knows what is old.
.PHONY: $(BUILD)/mailtap
$(BUILD)/mailtap:
	@tools/install-deps build
	@test -f $(BUILD)/build.ninja || meson setup $(BUILD) -Db_lto=true >/dev/null
	@out=$$(ninja --quiet -C $(BUILD) mailtap) || { echo "$$out"; exit 1; }

# What is installed and measured: built twice, the second time with what the first has learned of itself.
.PHONY: $(RELEASE)/mailtap
$(RELEASE)/mailtap:
	@tools/install-deps build
	@tools/build-release $(RELEASE)

# page/src to page/built, which is committed: nothing else here needs Node.
page:
	@tools/install-deps page
	@cd page && npm ci --silent && node build.mjs

test: $(BUILD)/mailtap
	@tools/install-deps test
	@test -f $(SANITIZE)/build.ninja || meson setup $(SANITIZE) -Db_sanitize=address,undefined --buildtype=debugoptimized \
	    -Dtests=enabled -Dwerror=true >/dev/null
	@out=$$(ninja --quiet -C $(SANITIZE)) || { echo "$$out"; exit 1; }
	@MAILTAP_RELEASE=$(abspath $(BUILD)/mailtap) tools/run-tests $(SANITIZE)

fuzz:
	@tools/install-deps fuzz
	@test -f $(FUZZ)/build.ninja || CC=clang meson setup $(FUZZ) -Dfuzz=enabled -Dc_args=-fsanitize=fuzzer-no-link \
	    -Db_sanitize=address,undefined -Db_lundef=false --buildtype=debugoptimized >/dev/null
	@out=$$(ninja --quiet -C $(FUZZ)) || { echo "$$out"; exit 1; }
	@tools/fuzz $(FUZZ) $(TIME)

# Races among workers, by ThreadSanitizer.
test-threads:
	@tools/install-deps test
	@test -f $(THREADS)/build.ninja || meson setup $(THREADS) -Db_sanitize=thread --buildtype=debugoptimized -Dtests=enabled >/dev/null
	@out=$$(ninja --quiet -C $(THREADS) mailtap $(THREAD_UNITS:%=test/unit-%)) || { echo "$$out"; exit 1; }
	@TSAN_OPTIONS=halt_on_error=1 tools/run-tests $(THREADS) --timeout-multiplier 5 $(THREAD_UNITS) workers

# Memory that is read before it was written, by valgrind. Not of what opens charsets or compiles patterns: the loader and the
# just-in-time compiler of PCRE2 read beyond what they asked for.
test-memory:
	@tools/install-deps test check
	@test -f $(PLAIN)/build.ninja || meson setup $(PLAIN) --buildtype=debugoptimized -Dtests=enabled >/dev/null
	@out=$$(ninja --quiet -C $(PLAIN) mailtap $(MEMORY_UNITS:%=test/unit-%) test/dialog-run) || { echo "$$out"; exit 1; }
	@tools/run-tests $(PLAIN) --timeout-multiplier 30 --wrap='valgrind -q --error-exitcode=9' $(MEMORY_UNITS) dialog-few

bench: $(RELEASE)/mailtap
	@tools/install-deps bench
	@bench/run $(RELEASE)/mailtap
	@bench/memory $(RELEASE)/mailtap

bench-check: $(BUILD)/mailtap
	@tools/install-deps check
	@bench/check $(BUILD)/mailtap

install: $(RELEASE)/mailtap
	@meson configure $(RELEASE) -Dprefix=$(PREFIX) -Dsysconfdir=$(SYSCONFDIR)
	@DESTDIR=$(if $(DESTDIR),$(abspath $(DESTDIR))) meson install -C $(RELEASE)

deb:
	@tools/install-deps deb
	@tools/mkdeb $(BUILD)

format:
	clang-format -i $$(git ls-files '*.c' '*.h')

clean:
	rm -rf $(BUILD) $(RELEASE) $(SANITIZE) $(FUZZ) $(THREADS) $(PLAIN)
