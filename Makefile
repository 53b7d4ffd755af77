# The one word that a newcomer types; meson does the work.
PCAP ?= samples/border.pcap
BUILD ?= build
SANITIZE ?= build-sanitize
FUZZ ?= build-fuzz
PREFIX ?= /usr/local
# Where those who come with the machine have their settings; elsewhere below the prefix.
SYSCONFDIR ?= $(if $(filter /usr /usr/local,$(PREFIX)),/etc,$(PREFIX)/etc)

# Seconds for each fuzz target.
TIME ?= 60

.PHONY: run test fuzz bench bench-check install deb format clean

run: $(BUILD)/mailtap
	@$(BUILD)/mailtap read -f text $(PCAP)

# Always asks ninja, which knows what is old.
.PHONY: $(BUILD)/mailtap
$(BUILD)/mailtap:
	@tools/install-deps build
	@test -f $(BUILD)/build.ninja || meson setup $(BUILD) -Db_lto=true >/dev/null
	@out=$$(ninja --quiet -C $(BUILD) mailtap) || { echo "$$out"; exit 1; }

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

bench: $(BUILD)/mailtap
	@tools/install-deps bench
	@bench/run $(BUILD)/mailtap
	@bench/memory $(BUILD)/mailtap

bench-check: $(BUILD)/mailtap
	@tools/install-deps check
	@bench/check $(BUILD)/mailtap

install: $(BUILD)/mailtap
	@meson configure $(BUILD) -Dprefix=$(PREFIX) -Dsysconfdir=$(SYSCONFDIR)
	@DESTDIR=$(if $(DESTDIR),$(abspath $(DESTDIR))) meson install -C $(BUILD)

deb:
	@tools/install-deps deb
	@tools/mkdeb $(BUILD)

format:
	clang-format -i $$(git ls-files '*.c' '*.h')

clean:
	rm -rf $(BUILD) $(SANITIZE) $(FUZZ)
