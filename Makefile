# SPDX-License-Identifier: MIT
# Short names for what people do here. Meson does the work.
BUILD ?= build
SUDO := $(shell [ "$$(id -u)" = 0 ] || command -v sudo || echo need-root)

# what DESTDIR gets needs no root: it is made a package of, or looked at
AS_ROOT := $(if $(DESTDIR),,$(SUDO))

.PHONY: all deps install uninstall deb rpm try check check-quick check-vm bench bench-vm fuzz fuzz-long clean
all: $(BUILD)/build.ninja
	ninja -C $(BUILD)

$(BUILD)/build.ninja:
	meson setup $(BUILD)

deps:
	$(SUDO) tools/deps.sh

install: all
	$(AS_ROOT) meson install -C $(BUILD) --no-rebuild $(if $(DESTDIR),--destdir "$(abspath $(DESTDIR))")

# what `make install` has put there, as $(BUILD) has noted it; the record and /etc/culprit stay
uninstall:
	@[ -s $(BUILD)/meson-logs/install-log.txt ] || { echo "uninstall: $(BUILD) was not installed" >&2; exit 1; }
	@[ -n "$(DESTDIR)" ] || [ ! -d /run/systemd/system ] || ! systemctl cat culprit > /dev/null 2>&1 || $(SUDO) systemctl disable --now culprit
	$(AS_ROOT) ninja -C $(BUILD) uninstall

# packages of this tree, in $(BUILD)/packages
deb:
	tools/package.sh deb $(BUILD)/packages

rpm:
	tools/package.sh rpm $(BUILD)/packages

# installs, builds, and plays the story before your eyes
try: deps
	$(MAKE) all
	$(SUDO) tests/scenario/story.sh --try $(BUILD)/culprit

# installs, builds, runs every test
check: deps
	$(SUDO) tests/check.sh

# for the time while you work: a few minutes
check-quick: deps
	$(SUDO) tests/check_quick.sh

check-vm: all
	$(SUDO) tests/vm/run.sh $(BUILD)/culprit
	$(SUDO) tests/vm/systemd.sh $(BUILD)/culprit
	$(SUDO) tests/vm/daemon.sh $(BUILD)/culprit
	$(SUDO) tests/vm/upgrade.sh $(BUILD)/culprit
	$(SUDO) tests/vm/clues.sh $(BUILD)/culprit
	$(SUDO) tests/vm/guard.sh $(BUILD)/culprit

bench: all
	$(SUDO) bench/run.sh $(BUILD)
	$(SUDO) bench/bounds.sh $(BUILD)
	$(SUDO) bench/kills.py $(BUILD)/culprit
	$(SUDO) bench/reload.py $(BUILD)
	$(SUDO) bench/alerts.py $(BUILD)
	$(SUDO) bench/one_file.py $(BUILD)
	$(SUDO) bench/idle.py $(BUILD)
	$(SUDO) bench/defaults.py $(BUILD)
	$(SUDO) bench/histories.sh $(BUILD)
	bench/stored.py $(BUILD)
	ninja -C $(BUILD) bench/inodes
	$(SUDO) bench/clues.py $(BUILD)
	$(SUDO) tests/scenario/store.sh $(BUILD)/culprit -n 0 -l
	$(SUDO) bench/sensors.sh $(BUILD)
	bench/search.sh $(BUILD)

bench-vm: all
	bench/vm.sh $(BUILD)
	tests/vm/kills.sh $(BUILD)/culprit
	bench/guard.sh $(BUILD)

fuzz:
	tests/fuzz/run.sh 30

# for a night: some hundred million inputs
fuzz-long:
	tests/fuzz/run.sh 1200

clean:
	rm -rf $(BUILD)
