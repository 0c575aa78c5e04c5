# cimforge: `make demo` and `make test` are all a new user needs. Both set up .venv first, once.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ROOMS := hdl flow host compiler explore golden cocotb_tests fpga scripts
# Files in the order of their names: the longest come early, and no process is left alone with one at the end.
PARALLEL := -n auto --dist loadfile --no-loadscope-reorder
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

help: ## list these
	@awk -F ':|## ' '/^[a-z-]+:.*## / {printf "make %-10s %s\n", $$1, $$NF}' Makefile

.PHONY: help setup fpga bus registers soc litex models export optimise cluster demo test lint mutants bench bench-full compare soak figures clean
.DELETE_ON_ERROR:

setup: $(VENV)/.networks ## create .venv and install the command with what the demo needs

fpga: $(VENV)/.fpga ## install place and route for the boards

bus: $(VENV)/.bus ## install the bus masters and slaves of verify --bus

registers: $(VENV)/.registers ## install what makes HTML, IP-XACT and Python of register maps

soc: $(VENV)/.soc ## install the RISC-V core and the C compiler of run --backend soc

litex: $(VENV)/.litex ## install LiteX, of whose systems the engine is a module

models: $(VENV)/.models ## install what reads .tflite and .onnx files

export: $(VENV)/.export ## install ZigZag, one of the tools that take a macro's export

optimise: $(VENV)/.optimise ## install what chooses the points of large sweeps

cluster: $(VENV)/.cluster ## install Dask, which hands work to other machines

demo: setup ## train a small network and run it through emitted Verilog
	$(BIN)/cimforge run digits -o build/demo

test: $(VENV)/.test ## run every test, a process a core; tests of one file share what they built
	$(BIN)/python -m pytest $(PARALLEL)

lint: $(VENV)/.test ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@mkdir -p build/typing/cimforge && for room in $(ROOMS); do ln -sfn "$(CURDIR)/$$room" build/typing/cimforge/$$room; done
	$(BIN)/mypy

mutants: $(VENV)/.test ## break the emitted Verilog by hand and by Yosys: breaks must be noticed (an hour)
	$(BIN)/python -m cimforge.cocotb_tests.mutants
	$(BIN)/python -m cimforge.scripts.figures mutants

bench: $(VENV)/.networks ## every design, naive RTL and ablations: tables, charts, budgets (half an hour)
	$(BIN)/python -m cimforge.scripts.bench --keep

bench-full: $(VENV)/.networks $(VENV)/.fpga ## and the energies of the ablations, and the boards
	$(BIN)/python -m cimforge.scripts.bench --keep --full

compare: $(VENV)/.networks ## before → after: quick figures of this tree against the committed ones
	$(BIN)/python -m cimforge.scripts.bench --quick

soak: $(VENV)/.test ## hours: 200 drawn configurations, 40 drawn netlists, every mutant, every figure
	CIMFORGE_CONFIGS=200 $(BIN)/python -m pytest cocotb_tests/tests/test_configs.py -k drawn
	CIMFORGE_CONFIGS=40 $(BIN)/python -m pytest cocotb_tests/tests/test_netlists.py -k drawn
	CIMFORGE_CONFIGS=60 $(BIN)/python -m pytest compiler/player/tests/test_played_configs.py
	CIMFORGE_CONFIGS=200 $(BIN)/python -m pytest flow/tests/test_tree_proof.py flow/tests/test_tree_faults.py flow/tests/test_mapped_proof.py -k 'proven or adds'
	CIMFORGE_WHOLE=1 $(BIN)/python -m pytest fpga/tests/test_uart.py cocotb_tests/tests/test_wrapper.py \
	  cocotb_tests/tests/test_configs.py flow/tests/test_place_route.py
	CIMFORGE_LAYOUTS=1 $(BIN)/python -m pytest flow/tests/test_layout.py
	CIMFORGE_RESETS=10000 $(BIN)/python -m pytest cocotb_tests/tests/test_engine_hostile.py
	CIMFORGE_SCALES=40 $(BIN)/python -m pytest compiler/importers/tests/test_tflite_litert.py
	CIMFORGE_FILES=10000 $(BIN)/python -m pytest compiler/importers/tests/test_tflite_fuzz.py compiler/importers/tests/test_onnx_files.py
	CIMFORGE_SEEDS=20 $(BIN)/python -m pytest cocotb_tests/tests/test_engine_feed.py
	CIMFORGE_BUS_BEATS=1000000 $(BIN)/python -m pytest cocotb_tests/tests/test_engine_buses.py
	$(MAKE) mutants figures

figures: $(VENV)/.test ## measure every figure of the documents again: three quarters of an hour
	$(BIN)/python -m cimforge.scripts.figures

clean: ## remove what was generated; .venv stays
	rm -rf build .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/.core: pyproject.toml constraints.txt
	@sh scripts/check_machine.sh $(PYTHON)
	@echo "setting up $(VENV): a few minutes"
	$(PYTHON) -m venv $(VENV)
	$(PIP_INSTALL) -e .
	$(BIN)/cimforge doctor --warm-up >/dev/null
	@touch $@

$(VENV)/.networks: $(VENV)/.core
	$(PIP_INSTALL) -e '.[networks]'
	@touch $@

$(VENV)/.test: $(VENV)/.networks
	$(PIP_INSTALL) -e '.[test]'
	$(BIN)/cimforge doctor --warm-up >/dev/null
	@touch $@

$(VENV)/.fpga: $(VENV)/.core
	$(PIP_INSTALL) -e '.[fpga]'
	$(BIN)/cimforge doctor --warm-up >/dev/null
	@touch $@

$(VENV)/.bus: $(VENV)/.core
	$(PIP_INSTALL) -e '.[bus]'
	@touch $@

$(VENV)/.registers: $(VENV)/.core
	$(PIP_INSTALL) -e '.[registers]'
	@touch $@

$(VENV)/.soc: $(VENV)/.core
	$(PIP_INSTALL) -e '.[soc]'
	@touch $@

$(VENV)/.litex: $(VENV)/.core
	$(PIP_INSTALL) -e '.[litex]'
	@touch $@

$(VENV)/.models: $(VENV)/.core
	$(PIP_INSTALL) -e '.[models]'
	@touch $@

$(VENV)/.export: $(VENV)/.core
	$(PIP_INSTALL) -e '.[export]'
	@touch $@

$(VENV)/.optimise: $(VENV)/.core
	$(PIP_INSTALL) -e '.[optimise]'
	@touch $@

$(VENV)/.cluster: $(VENV)/.core
	$(PIP_INSTALL) -e '.[cluster]'
	@touch $@
