# Sets up whatever is missing (Debian packages, virtual environment), then does what was asked.
# ARGS="..." is passed on: to `visavis run` by run, to pytest by test, hil and bench.

VENV := .venv
PYTHON := $(VENV)/bin/python
PIP := $(PYTHON) -m pip --quiet --disable-pip-version-check --no-input
ASTERISK := build/asterisk-bullseye
ARGS ?=

# What a unit needs of the system, and what only the tests need: the programs that are not ours.
RUN_PACKAGES := libopus0
# On a Raspberry Pi the board's devices come to it: pins and camera as the distribution's own modules, which the virtual
# environment then sees, and what pyalsaaudio is built with (Debian 12 has it too old).  What apt does not have is left
# out with a word: Debian without Raspberry Pi's archive has no picamera2.
PI_PACKAGES := python3-lgpio python3-picamera2 libasound2-dev gcc python3-dev
TEST_PACKAGES := baresip-core baresip-ffmpeg dnsmasq-base sip-tester sipvicious tshark chromium debian-archive-keyring \
	kamailio kamailio-tls-modules kamailio-outbound-modules coturn nftables iproute2 systemd
# The machine of tests/hil, and what makes it.
HIL_PACKAGES := qemu-system-x86 mmdebstrap squashfs-tools uidmap debian-archive-keyring iproute2 util-linux

# Whether this is a Raspberry Pi, as the board itself asks.
MODEL ?= /proc/device-tree/model
PI := $(shell grep -qs 'Raspberry Pi' $(MODEL) && echo yes)

.PHONY: help run test hil hil-image check bench lock clean run-packages test-packages hil-packages

help:
	@echo 'make run    start a unit on the simulated board and call it (ARGS="--config FILE": a unit as configured)'
	@echo 'make test   run all tests (ARGS="tests/unit -k sdp": some)'
	@echo 'make hil    run the tests of the Pi board with real kernel drivers, in a machine of QEMU'
	@echo 'make check  ruff, mypy --strict and the architecture test'
	@echo 'make bench  measure, and print the table of figures'
	@echo 'make lock   write requirements*.txt anew from pyproject.toml'

run: run-packages $(VENV)/run.stamp
	@$(PYTHON) -m firmware $(if $(ARGS),run $(ARGS),demo)

test: run-packages test-packages $(VENV)/test.stamp $(ASTERISK)
	@$(PYTHON) -m pytest $(ARGS)

hil: hil-packages $(VENV)/test.stamp
	@PYTHONPATH=tests $(PYTHON) -m hil.run $(ARGS)

# What a first `make hil` makes before it begins.
hil-image: hil-packages $(VENV)/test.stamp
	@PYTHONPATH=tests $(PYTHON) -m hil.image

check: run-packages $(VENV)/test.stamp
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m mypy
	@$(PYTHON) -m pytest -q tests/unit/test_architecture.py

bench: run-packages test-packages $(VENV)/test.stamp
	@$(PYTHON) -m pytest -q -m bench tests/bench $(ARGS)

# Debian packages: asks dpkg, and apt (and sudo) only when something is missing.
define install
@missing=; for package in $(1); do $(is-installed) || missing="$$missing $$package"; done; \
if [ -n "$$missing" ]; then $(as-root-install); fi
endef

is-installed = dpkg-query -W -f='$${db:Status-Status}' $$package 2>/dev/null | grep -qx installed

define as-whom
if ! command -v apt-get >/dev/null; then \
	echo "Missing, and this is no Debian; please install:$${missing:-$$wanted}" >&2; exit 1; \
fi; \
if [ $$(id -u) = 0 ]; then root=; else root=sudo; fi; \
apt="$$root env DEBIAN_FRONTEND=noninteractive SYSTEMD_OFFLINE=1 apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0"
endef

define as-root-install
$(as-whom); \
echo "Installing the missing Debian packages$${root:+ (sudo may ask for your password)}:$$missing"; \
$$apt update && $$apt install -y --no-install-recommends $$missing >/dev/null
endef

run-packages:
	$(call install,$(RUN_PACKAGES))

test-packages:
	$(call install,$(TEST_PACKAGES))

hil-packages:
	$(call install,$(HIL_PACKAGES))

$(VENV)/pi.stamp: Makefile | $(PYTHON)
	@wanted=; for package in $(PI_PACKAGES); do $(is-installed) || wanted="$$wanted $$package"; done; \
	if [ -n "$$wanted" ]; then \
		$(as-whom); \
		echo "Asking apt for what this Raspberry Pi's devices need$${root:+ (sudo may ask for your password)}:$$wanted"; \
		$$apt update; missing=; \
		for package in $$wanted; do \
			if apt-cache show $$package >/dev/null 2>&1; then missing="$$missing $$package"; \
			else echo "apt has no $$package here: this unit does without it"; fi; \
		done; \
		if [ -n "$$missing" ]; then $(as-root-install); fi; \
	fi
	@touch $@

# Asterisk with H.323 is unpacked in a folder, and only there; where it can't be had, the tests say so.
$(ASTERISK): | test-packages $(VENV)/test.stamp
	@$(PYTHON) tests/interop/asterisk_install.py

# The virtual environment.  One whose Python is gone (after an upgrade of the system) is made anew.
ifneq ($(wildcard $(VENV)),)
ifeq ($(wildcard $(PYTHON)),)
$(shell rm -rf $(VENV))
else ifneq ($(and $(PI),$(shell grep -s 'system-site-packages = false' $(VENV)/pyvenv.cfg)),)
# So is one that does not see the Pi's own modules.
$(shell rm -rf $(VENV))
endif
endif

# Python 3.11 to 3.13 that can make virtual environments; Debian's own needs python3-venv for that.
usable = import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))

$(PYTHON):
	@find_python() { for python in $(if $(PI),/usr/bin/python3,python3 /usr/bin/python3 python3.13 python3.12 python3.11); do \
		if $$python -c '$(usable)' 2>/dev/null; then echo $$python; return; fi; done; }; \
	python=$$(find_python); \
	if [ -z "$$python" ]; then missing=" python3 python3-venv"; $(as-root-install); python=$$(find_python); fi; \
	if [ -z "$$python" ]; then echo "Python 3.11, 3.12 or 3.13 is needed; none was found" >&2; exit 1; fi; \
	echo "Making the virtual environment $(VENV) with $$($$python --version)"; \
	$$python -m venv $(if $(PI),--system-site-packages) $(VENV)

RUN_REQUIREMENTS := $(if $(PI),requirements-pi.txt,requirements.txt)

$(VENV)/run.stamp: $(RUN_REQUIREMENTS) pyproject.toml | $(PYTHON) $(if $(PI),$(VENV)/pi.stamp)
	@echo "Installing what $(RUN_REQUIREMENTS) names"
	@$(PIP) install --require-hashes -r $(RUN_REQUIREMENTS)
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/test.stamp: requirements-test.txt $(VENV)/run.stamp
	@echo "Installing what requirements-test.txt names"
	@$(PIP) install --no-compile --require-hashes -r requirements-test.txt
	@touch $@

# The locks hold for every supported Python and machine; the others have requirements.txt's versions and more.
LOCK := $(PYTHON) -m uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
	--custom-compile-command 'make lock'

lock: | $(PYTHON)
	@$(PIP) install uv
	@$(LOCK) $(ARGS) --output-file requirements.txt
	@$(LOCK) --extra pi --constraint requirements.txt --output-file requirements-pi.txt
	@$(LOCK) --extra test --constraint requirements.txt --output-file requirements-test.txt

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
